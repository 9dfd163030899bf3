//! The one writer: a thread that commits whatever has queued up in one transaction.

use std::sync::mpsc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::model::Problem;

/// At most so many writes share a transaction, so that the first of them does not wait for ever.
const BATCH: usize = 100;

/// A write, and what to do once it is on disk or has failed.
pub struct Job(Box<dyn Step + Send>);

trait Step {
    /// Runs the write inside a savepoint; true when it may be committed.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Called after the commit.
    fn done(&mut self);
    /// Called when the transaction itself could not be committed.
    fn lost(&mut self, error: &rusqlite::Error);
}

struct Typed<T, F, A> {
    write: Option<F>,
    announce: Option<A>,
    result: Option<rusqlite::Result<T>>,
    reply: Option<oneshot::Sender<rusqlite::Result<T>>>,
}

impl<T, F, A> Step for Typed<T, F, A>
where
    F: FnOnce(&Connection) -> rusqlite::Result<T>,
    A: FnOnce(&T),
{
    fn run(&mut self, connection: &Connection) -> bool {
        let Some(write) = self.write.take() else {
            return false;
        };
        let result = connection.execute_batch("SAVEPOINT job").and_then(|()| {
            let result = write(connection);
            let end = if result.is_ok() {
                "RELEASE job"
            } else {
                "ROLLBACK TO job; RELEASE job"
            };
            connection.execute_batch(end).and(result)
        });
        let ok = result.is_ok();
        self.result = Some(result);
        ok
    }

    fn done(&mut self) {
        if let (Some(Ok(value)), Some(announce)) = (&self.result, self.announce.take()) {
            announce(value);
        }
        if let (Some(reply), Some(result)) = (self.reply.take(), self.result.take()) {
            // A caller that no longer waits has lost nothing: the write is on disk.
            let _ = reply.send(result);
        }
    }

    fn lost(&mut self, error: &rusqlite::Error) {
        let copy = match error {
            rusqlite::Error::SqliteFailure(code, text) => {
                rusqlite::Error::SqliteFailure(*code, text.clone())
            }
            other => rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ERROR),
                Some(other.to_string()),
            ),
        };
        if let Some(reply) = self.reply.take() {
            let _ = reply.send(Err(copy));
        }
    }
}

impl Job {
    /// A job that runs `write`, then `announce`, then replies.
    pub fn new<T, F, A>(write: F, announce: A, reply: oneshot::Sender<rusqlite::Result<T>>) -> Self
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        A: FnOnce(&T) + Send + 'static,
    {
        Self(Box::new(Typed {
            write: Some(write),
            announce: Some(announce),
            result: None,
            reply: Some(reply),
        }))
    }
}

/// The thread's handle; dropping it finishes what is queued and closes the database.
pub struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on `connection`.
    pub fn spawn(connection: Connection) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(&connection, &jobs))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Queues a job.
    pub fn submit(&self, job: Job) -> Result<(), Problem> {
        self.queue
            .as_ref()
            .and_then(|queue| queue.send(job).ok())
            .ok_or_else(|| Problem::internal("the database's writer has stopped"))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // The last handle may be dropped by a job's own announcement, on the writer thread itself.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

fn run(connection: &Connection, jobs: &mpsc::Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
        if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
            for mut job in batch {
                job.0.lost(&error);
            }
            continue;
        }
        for job in &mut batch {
            job.0.run(connection);
        }
        match connection.execute_batch("COMMIT") {
            Ok(()) => {
                for mut job in batch {
                    job.0.done();
                }
            }
            Err(error) => {
                // A full disk leaves the transaction open: end it, or no later one can begin.
                let _ = connection.execute_batch("ROLLBACK");
                for mut job in batch {
                    job.0.lost(&error);
                }
            }
        }
    }
}
