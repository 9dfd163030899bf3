//! The embedded database: SQLite in WAL mode with `synchronous=FULL`.
//!
//! One writer thread drains a queue and commits what it finds in one transaction (group commit), so that many
//! small durable writes cost one `fsync`. Readers use connections of their own and never block the writer.

pub(crate) mod file;
mod schema;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

pub use rusqlite::Transaction;

use crate::model::Problem;
use writer::{Job, Writer};

/// How many idle read connections are kept.
const IDLE_READERS: usize = 4;

/// The database of one project. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    epoch: String,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens the database at `path`, making it and its folder if they are not there.
    ///
    /// # Errors
    /// `store` when the file cannot be opened, is damaged, or was written by a newer Sayso.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        Self::open_with(path, None)
    }

    /// The same for a copy of a history that is called `epoch`; the file must be without a history of its own.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_as(path: &Path, epoch: &str) -> Result<Self, Problem> {
        Self::open_with(path, Some(epoch))
    }

    fn open_with(path: &Path, epoch: Option<&str>) -> Result<Self, Problem> {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).map_err(|e| failed(path, &e))?;
        }
        let mut connection = Connection::open(path).map_err(|e| failed(path, &e))?;
        tune(&connection).map_err(|e| failed(path, &e))?;
        let mut own = schema::migrate(&mut connection).map_err(|e| match e {
            schema::MigrateError::Newer(version) => Problem::new(
                500,
                "store",
                format!(
                    "{} was written by a newer Sayso (schema {version})",
                    path.display()
                ),
            )
            .hint("install the newer version again, or move the file away to start afresh"),
            schema::MigrateError::Sqlite(e) => failed(path, &e),
        })?;
        if let Some(epoch) = epoch {
            connection
                .execute("UPDATE meta SET value = ?1 WHERE key = 'epoch'", [epoch])
                .map_err(|e| failed(path, &e))?;
            own = epoch.to_owned();
        }
        let writer = Writer::spawn(connection).map_err(|e| failed(path, &e))?;
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_path_buf(),
                epoch: own,
                writer,
                readers: Mutex::new(Vec::new()),
            }),
        })
    }

    /// Names this database's history: made at creation, made anew when it is restored from a copy.
    pub fn epoch(&self) -> &str {
        &self.inner.epoch
    }

    /// Runs `write` in the next transaction; returns once that is on disk.
    /// Several writes may share a transaction; one that fails is undone alone.
    ///
    /// # Errors
    /// The error of `write`, or `store` when the disk refuses.
    pub async fn write<T, F>(&self, write: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.write_then(write, |_| {}).await
    }

    /// As [`Store::write`], and `announce` is called with the result after it is on disk, in the order of the
    /// writes, before the next transaction begins.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_then<T, F, A>(&self, write: F, announce: A) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        A: FnOnce(&T) + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Job::new(write, announce, reply);
        self.inner.writer.submit(job)?;
        match answer.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Err(Problem::internal("the database's writer has stopped")
                .hint("see the log; restart Sayso")),
        }
    }

    /// Runs `read` on a connection of its own. Blocks: keep it short, and page.
    ///
    /// # Errors
    /// `store` when the file cannot be read.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Problem> {
        let idle = self
            .inner
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                Connection::open_with_flags(&self.inner.path, flags)
                    .and_then(|c| {
                        c.busy_timeout(std::time::Duration::from_secs(5))
                            .map(|()| c)
                    })
                    .map_err(|e| failed(&self.inner.path, &e))?
            }
        };
        let result = read(&connection).map_err(|e| refused(&e));
        let mut readers = self
            .inner
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        result
    }
}

fn tune(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: a commit that was reported is on disk, power cut or not.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(500, "store", format!("{}: {error}", path.display()))
        .hint("check that the folder can be written and the disk is not full")
}

fn refused(error: &rusqlite::Error) -> Problem {
    Problem::new(500, "store", format!("the database refused: {error}"))
        .hint("check that the disk is not full")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn writes_are_read_back_and_a_failed_one_is_undone_alone() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("a/sayso.db")).unwrap();
        let good = store.write(|c| {
            c.execute(
                "INSERT INTO documents(kind,id,body) VALUES('t','1','x')",
                [],
            )
        });
        let bad = store.write(|c| {
            c.execute(
                "INSERT INTO documents(kind,id,body) VALUES('t','2','y')",
                [],
            )?;
            c.execute("INSERT INTO no_such_table VALUES(1)", [])
        });
        let (good, bad) = tokio::join!(good, bad);
        assert_eq!(good.unwrap(), 1);
        assert!(bad.unwrap_err().detail.contains("no_such_table"));
        let ids: Vec<String> = store
            .read(|c| {
                c.prepare("SELECT id FROM documents")?
                    .query_map([], |r| r.get(0))?
                    .collect()
            })
            .unwrap();
        assert_eq!(ids, ["1"]);
    }

    #[test]
    fn the_epoch_stays_and_a_newer_schema_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sayso.db");
        let epoch = Store::open(&path).unwrap().epoch().to_owned();
        assert_eq!(Store::open(&path).unwrap().epoch(), epoch);
        Connection::open(&path)
            .unwrap()
            .pragma_update(None, "user_version", 99)
            .unwrap();
        let problem = Store::open(&path).err().unwrap();
        assert!(problem.detail.contains("newer Sayso"), "{problem}");
    }
}
