//! What lies in the working tree, as git would store it.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::model::Problem;

use super::Git;
use super::changes::{Blob, LINK, RawChange, is_executable};

/// Bytes up to which a file is hashed here rather than by git.
const PLAIN_LIMIT: u64 = 8 * 1024 * 1024;

/// What lies at a path of the working tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Nothing.
    Missing,
    /// A folder, a device, or something reached through a symlink: not ours to write.
    Blocked,
    /// A file, as git would store it.
    File {
        /// Its blob id.
        oid: String,
        /// These are its very bytes: nothing is converted on the way to git.
        plain: bool,
        /// The owner may run it.
        executable: bool,
        /// By which a change since then shows.
        seen: Seen,
    },
    /// A symlink.
    Link {
        /// Its blob id.
        oid: String,
        /// By which a change since then shows.
        seen: Seen,
    },
}

/// What a file looked like: enough to notice that someone wrote to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) len: u64,
    pub(super) modified: Option<SystemTime>,
    pub(super) identity: (u64, i64),
}

impl Seen {
    pub fn of(meta: &Metadata) -> Self {
        Self {
            len: meta.len(),
            modified: meta.modified().ok(),
            identity: identity(meta),
        }
    }
}

#[cfg(unix)]
fn identity(meta: &Metadata) -> (u64, i64) {
    use std::os::unix::fs::MetadataExt;
    // The change time moves with every write and rename, even where the modification time is set back.
    (
        meta.ino(),
        meta.ctime()
            .wrapping_mul(1_000_000_000)
            .wrapping_add(meta.ctime_nsec()),
    )
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, i64) {
    (0, 0)
}

impl Work {
    /// Whether it has the content of `blob`; modes aside.
    pub fn is(&self, blob: Option<&Blob>) -> bool {
        match (self, blob) {
            (Work::Missing, None) => true,
            (Work::File { oid, .. }, Some(blob)) => blob.mode != LINK && *oid == blob.oid,
            (Work::Link { oid, .. }, Some(blob)) => blob.mode == LINK && *oid == blob.oid,
            _ => false,
        }
    }

    /// By which a change since then shows.
    pub fn seen(&self) -> Option<&Seen> {
        match self {
            Work::File { seen, .. } | Work::Link { seen, .. } => Some(seen),
            _ => None,
        }
    }
}

type Looked = (HashMap<String, Work>, Vec<(String, Metadata)>);

impl Git {
    /// What lies at the paths of these changes.
    pub(super) async fn work_states(
        &self,
        changes: &[RawChange],
    ) -> Result<HashMap<String, Work>, Problem> {
        let (git, all) = (self.clone(), changes.to_vec());
        // Reading and hashing hundreds of files must not hold up what goes on beside it.
        let looked = tokio::task::spawn_blocking(move || git.look_at_files(&all));
        let (mut states, files) = looked.await.map_err(Problem::internal)??;
        let names: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        let ids = self.hash_files(&names, false).await?;
        for ((path, meta), oid) in files.into_iter().zip(ids) {
            let work = Work::File {
                oid,
                plain: false,
                executable: is_executable(&meta),
                seen: Seen::of(&meta),
            };
            states.insert(path, work);
        }
        Ok(states)
    }

    /// What lies at the paths, and the files that only git can tell the blobs of.
    fn look_at_files(&self, changes: &[RawChange]) -> Result<Looked, Problem> {
        let mut states = HashMap::new();
        let mut files = Vec::new();
        for change in changes {
            let path = change.path.as_str();
            let state = match reach(self.root(), path) {
                Ok(Some(meta)) if meta.is_file() => match self.as_stored(change, &meta) {
                    Some(work) => work,
                    None => {
                        files.push((path.to_owned(), meta));
                        continue;
                    }
                },
                Ok(Some(meta)) if meta.is_symlink() => {
                    let target =
                        fs::read_link(self.root().join(path)).map_err(Problem::internal)?;
                    let oid = self.blob_id(&target.into_os_string().into_encoded_bytes());
                    Work::Link {
                        oid,
                        seen: Seen::of(&meta),
                    }
                }
                Ok(None) => Work::Missing,
                Ok(Some(_)) | Err(_) => Work::Blocked,
            };
            states.insert(path.to_owned(), state);
        }
        Ok((states, files))
    }

    /// The file, if its very bytes are those of one side of the change. Then no filter or line ending stands
    /// between it and git, and git need not be asked.
    fn as_stored(&self, change: &RawChange, meta: &Metadata) -> Option<Work> {
        if meta.len() > PLAIN_LIMIT {
            return None;
        }
        let seen = Seen::of(meta);
        let oid = self.blob_id(&fs::read(self.root().join(&change.path)).ok()?);
        let sides = [&change.before, &change.after];
        let known = sides.into_iter().flatten().any(|blob| blob.oid == oid);
        known.then(|| Work::File {
            oid,
            plain: true,
            executable: is_executable(meta),
            seen,
        })
    }

    /// What lies at the path of one change.
    pub(super) async fn work_state(&self, change: &RawChange) -> Result<Work, Problem> {
        let mut states = self.work_states(std::slice::from_ref(change)).await?;
        Ok(states.remove(&change.path).unwrap_or(Work::Missing))
    }
}

/// Looks at a path without following a symlink anywhere on the way.
///
/// # Errors
/// When something on the way is no folder.
fn reach(root: &Path, path: &str) -> io::Result<Option<Metadata>> {
    let mut place = PathBuf::from(root);
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        place.push(part);
        let meta = match fs::symlink_metadata(&place) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if parts.peek().is_none() {
            return Ok(Some(meta));
        }
        if !meta.is_dir() {
            return Err(io::Error::from(io::ErrorKind::NotADirectory));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_reached_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("real")).unwrap();
        fs::write(folder.path().join("real/x"), "x").unwrap();
        assert!(reach(folder.path(), "real/x").unwrap().unwrap().is_file());
        assert!(reach(folder.path(), "gone/x").unwrap().is_none());
        assert!(reach(folder.path(), "real/x/y").is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
            assert!(reach(folder.path(), "link/x").is_err());
        }
    }
}
