//! What the header shows: the repository, its branch and what is live.

use crate::model::api::{RepositoryStatus, SpeechStatus, WatchStatus};
use crate::model::{Deployment, EnvironmentStatus, LiveRelease};

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
    /// Every environment: what is set for it.
    pub environments: Vec<EnvironmentStatus>,
    /// Deployments that wait for approval, oldest first.
    pub waiting: Vec<Deployment>,
}

impl Site {
    /// What the default environment serves.
    pub fn live(&self) -> Option<&LiveRelease> {
        self.live
            .iter()
            .find(|live| live.environment == self.environment)
    }

    /// Where a release of `environment` goes next.
    pub fn next_of(&self, environment: &str) -> Option<&str> {
        let own = self
            .environments
            .iter()
            .find(|one| one.name == environment)?;
        own.promote_to.as_deref()
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
