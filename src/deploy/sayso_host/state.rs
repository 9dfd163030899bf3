//! How the environment stood on the other machine when it was asked last: known at once after a start, and without network.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::deploy::remote::memory::write_whole;
use crate::model::host::HostState;

/// The last answer, in a file.
pub(super) struct Cached {
    file: PathBuf,
    state: Mutex<Option<HostState>>,
}

impl Cached {
    /// What was remembered of `environment` in the folder `dir`.
    pub fn open(dir: &Path, environment: &str) -> Self {
        let file = dir.join(format!("host-{environment}.json"));
        let state = std::fs::read(&file).ok();
        let state = state.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self {
            file,
            state: Mutex::new(state),
        }
    }

    /// The last answer.
    pub fn get(&self) -> Option<HostState> {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes a new answer; returns the one before.
    pub fn put(&self, state: &HostState) -> Option<HostState> {
        let mut kept = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref() == Some(state) {
            return kept.clone();
        }
        if let Err(error) = write_whole(&self.file, state) {
            tracing::warn!(%error, "how the host stands was not stored");
        }
        kept.replace(state.clone())
    }
}
