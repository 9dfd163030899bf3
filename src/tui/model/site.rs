//! What the header shows: the repository, its branch and what is live.

use crate::model::LiveRelease;
use crate::model::api::{RepositoryStatus, SpeechStatus, WatchStatus};

/// Repository, releases and speech, as the server told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// The project's name.
    pub project: String,
    /// The repository.
    pub repository: RepositoryStatus,
    /// The default environment.
    pub environment: String,
    /// What each environment serves.
    pub live: Vec<LiveRelease>,
    /// Speech recognition.
    pub speech: SpeechStatus,
    /// How watching the files stands; `None` where there are none.
    pub watch: Option<WatchStatus>,
}

impl Site {
    /// What the default environment serves.
    pub fn live(&self) -> Option<&LiveRelease> {
        self.live
            .iter()
            .find(|live| live.environment == self.environment)
    }

    /// Notes what an environment serves now.
    pub fn put_live(&mut self, release: LiveRelease) {
        match self
            .live
            .iter_mut()
            .find(|live| live.environment == release.environment)
        {
            Some(live) => *live = release,
            None => self.live.push(release),
        }
    }

    /// The branch as people call it.
    pub fn branch(&self) -> &str {
        match self.repository.branch.as_str() {
            "" => "(no branch)",
            branch => branch,
        }
    }
}
