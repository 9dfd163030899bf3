//! File contents by digest, shared by all releases; small ones stay in memory up to a bound.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use bytes::Bytes;

use crate::deploy::manifest::{FileRecord, sha256};

/// Contents up to this size may stay in memory.
const SMALL: u64 = 256 * 1024;

/// Bytes that all environments together may hold in memory.
const LIMIT: u64 = 24 * 1024 * 1024;

/// Bytes held in memory, and the right to hold more.
#[derive(Debug, Default)]
pub(super) struct Budget {
    used: AtomicU64,
}

impl Budget {
    /// Takes `bytes` out of the budget if they fit.
    fn take(self: &Arc<Self>, bytes: u64) -> Option<Share> {
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                Some(used + bytes).filter(|total| *total <= LIMIT)
            })
            .ok()
            .map(|_| Share {
                budget: self.clone(),
                bytes,
            })
    }
}

/// A part of the budget; given back when dropped.
#[derive(Debug)]
struct Share {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Bytes that count against the budget while they live.
#[derive(Debug)]
pub(super) struct Held {
    /// The bytes.
    pub bytes: Bytes,
    _share: Share,
}

/// One content.
#[derive(Debug)]
pub(super) struct Object {
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// Where it is on disk.
    pub file: PathBuf,
    /// Bytes.
    pub size: u64,
    held: OnceLock<Held>,
    budget: Arc<Budget>,
}

impl Object {
    /// True when the whole content is read into memory for an answer; larger ones are streamed.
    pub fn is_small(&self) -> bool {
        self.size <= SMALL
    }

    /// The whole content. A small one is checked against its digest and kept if there is room.
    ///
    /// # Errors
    /// When the file is gone, cannot be read, or holds other bytes than it should.
    pub async fn read(&self) -> io::Result<Bytes> {
        if let Some(held) = self.held.get() {
            return Ok(held.bytes.clone());
        }
        let (file, sha, size) = (self.file.clone(), self.sha256.clone(), self.size);
        let bytes = tokio::task::spawn_blocking(move || read_checked(&file, &sha, size))
            .await
            .map_err(io::Error::other)??;
        if self.is_small()
            && let Some(held) = hold(&self.budget, &bytes)
        {
            let _ = self.held.set(held);
        }
        Ok(bytes)
    }
}

/// Keeps bytes in memory if the budget allows it.
pub(super) fn hold(budget: &Arc<Budget>, bytes: &Bytes) -> Option<Held> {
    let share = budget.take(bytes.len() as u64)?;
    Some(Held {
        bytes: bytes.clone(),
        _share: share,
    })
}

fn read_checked(file: &Path, sha: &str, size: u64) -> io::Result<Bytes> {
    let bytes = std::fs::read(file)?;
    if bytes.len() as u64 != size || sha256(&bytes) != sha {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{sha} does not hold the bytes it should"),
        ));
    }
    Ok(bytes.into())
}

/// All contents that a loaded release uses.
#[derive(Debug, Default)]
pub(super) struct Objects {
    budget: Arc<Budget>,
    known: Mutex<HashMap<String, Weak<Object>>>,
}

impl Objects {
    /// The shared object for `record`, whose bytes are in `file`.
    pub fn get(&self, record: &FileRecord, file: impl FnOnce() -> PathBuf) -> Arc<Object> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(object) = known.get(&record.sha256).and_then(Weak::upgrade) {
            return object;
        }
        let object = Arc::new(Object {
            sha256: record.sha256.clone(),
            file: file(),
            size: record.size,
            held: OnceLock::new(),
            budget: self.budget.clone(),
        });
        known.insert(record.sha256.clone(), Arc::downgrade(&object));
        object
    }

    /// Forgets contents that no loaded release uses any more.
    pub fn sweep(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, object| object.strong_count() > 0);
    }

    /// The budget.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> FileRecord {
        FileRecord {
            path: "a".into(),
            sha256: sha256(text.as_bytes()),
            size: text.len() as u64,
            utf8: true,
        }
    }

    #[tokio::test]
    async fn contents_are_shared_kept_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, "hello").unwrap();
        let objects = Objects::default();
        let first = objects.get(&record("hello"), || file.clone());
        let second = objects.get(&record("hello"), || unreachable!());
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(first.read().await.unwrap(), "hello");
        assert_eq!(objects.budget.used.load(Ordering::Relaxed), 5);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(second.read().await.unwrap(), "hello");
        drop((first, second));
        assert_eq!(objects.budget.used.load(Ordering::Relaxed), 0);
        objects.sweep();
        assert!(objects.known.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn other_bytes_than_promised_are_never_served() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, "hellO").unwrap();
        let object = Objects::default().get(&record("hello"), || file);
        assert_eq!(
            object.read().await.unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }

    #[test]
    fn the_budget_has_an_end() {
        let budget = Arc::new(Budget::default());
        let first = budget.take(LIMIT).unwrap();
        assert!(budget.take(1).is_none());
        drop(first);
        assert!(budget.take(1).is_some());
    }
}
