//! The digests of many files.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::walk::Found;
use crate::deploy::manifest::{FileRecord, hex};

/// Text up to this size is checked for being UTF-8; larger text is taken to be.
const CHECKED_TEXT: u64 = 4 * 1024 * 1024;

/// What could not be done to a release.
#[derive(Debug)]
pub(in crate::deploy) enum StoreError {
    /// The work was stopped on request.
    Canceled,
    /// The disk or the folder said no.
    Io(io::Error),
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Hashes all files, on all processors; the records are in the order of the files. `progress` is told per mille.
///
/// # Errors
/// When a file cannot be read, or `canceled` says so.
pub(in crate::deploy) fn hash_all(
    files: &[Found],
    canceled: &(dyn Fn() -> bool + Sync),
    progress: &(dyn Fn(u16) + Sync),
) -> Result<Vec<FileRecord>, StoreError> {
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8);
    let threads = threads.min(files.len().div_ceil(16)).max(1);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(files.len()));
    let work = || -> Result<(), StoreError> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(found) = files.get(at) else {
                return Ok(());
            };
            if canceled() {
                return Err(StoreError::Canceled);
            }
            let record = hash(found)?;
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((at, record));
            // Twenty steps are plenty for a bar. Told under the lock, so that they come in order.
            let step = |count: usize| count * 20 / files.len();
            if step(done.len()) > step(done.len() - 1) {
                progress((step(done.len()) * 50) as u16);
            }
        }
    };
    std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut outcome = work();
        for helper in helpers {
            let other = helper
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("hashing stopped unexpectedly").into()));
            outcome = outcome.and(other);
        }
        outcome
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, record)| record).collect())
}

fn hash(found: &Found) -> io::Result<FileRecord> {
    use sha2::{Digest, Sha256};
    let mut file = File::open(&found.file)?;
    let expected = file.metadata()?.len();
    let mut hasher = Sha256::new();
    let (size, utf8) = if expected <= CHECKED_TEXT {
        let mut bytes = Vec::with_capacity(expected as usize + 1);
        file.read_to_end(&mut bytes)?;
        hasher.update(&bytes);
        (bytes.len() as u64, std::str::from_utf8(&bytes).is_ok())
    } else {
        let mut buffer = vec![0; 256 * 1024];
        let mut size = 0;
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
            size += read as u64;
        }
        (size, true)
    };
    Ok(FileRecord {
        path: found.path.clone(),
        sha256: hex(&hasher.finalize()),
        size,
        utf8,
    })
}
