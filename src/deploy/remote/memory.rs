//! What is remembered of an environment that is served elsewhere: its releases, what is live, what was begun.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::deploy::health::cooldown::Cooldown;
use crate::deploy::{NO_GOOD, Retreat, cooling};
use crate::model::{DeploymentId, LiveRelease, Problem, ReleaseId, ReleaseInfo, Stage};
use crate::store::file;

/// Releases that are remembered.
const KEEP: usize = 50;

/// A release that was live once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    pub release: ReleaseId,
    pub commit: String,
    pub tree: String,
    pub url: String,
    pub at: Timestamp,
    #[serde(default)]
    pub deployment: Option<DeploymentId>,
    #[serde(default)]
    pub stages: BTreeMap<Stage, u64>,
    #[serde(default)]
    pub files: usize,
    #[serde(default)]
    pub bytes: u64,
}

/// A deployment that was begun and whose end was not seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    /// Since when.
    pub at: Timestamp,
    /// The service's name for it, once it is known.
    #[serde(default)]
    pub remote: Option<String>,
}

/// What is known of how a release was while it was live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// It was well for as long as it is watched.
    Proven,
    /// It was found unwell.
    Bad(String),
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    #[serde(default)]
    current: Option<ReleaseId>,
    #[serde(default)]
    since: Option<Timestamp>,
    /// Oldest first.
    #[serde(default)]
    releases: Vec<Known>,
    #[serde(default)]
    begun: BTreeMap<String, Begun>,
    /// Our deployments by the service's names for them.
    #[serde(default)]
    made: BTreeMap<String, DeploymentId>,
    #[serde(default)]
    note: Option<String>,
    /// By release; nothing for one that was not watched to the end.
    #[serde(default)]
    verdicts: BTreeMap<String, Verdict>,
    /// When it went back by itself last.
    #[serde(default)]
    returned_at: Option<Timestamp>,
}

impl State {
    fn verdict(&self, release: &ReleaseId) -> Option<&Verdict> {
        self.verdicts.get(release.as_str())
    }

    fn is_bad(&self, release: &ReleaseId) -> bool {
        matches!(self.verdict(release), Some(Verdict::Bad(_)))
    }

    /// The releases before the one that is live, newest first.
    fn before(&self) -> impl Iterator<Item = &Known> {
        let at = self.current.as_ref().and_then(|current| {
            let mut known = self.releases.iter();
            known.rposition(|known| known.release == *current)
        });
        self.releases[..at.unwrap_or(0)].iter().rev()
    }
}

/// The memory of one environment, in a file.
#[derive(Debug)]
pub struct Memory {
    environment: String,
    file: PathBuf,
    state: Mutex<State>,
    /// The wait after an automatic return.
    cooldown: Cooldown,
}

impl Memory {
    /// The memory of `environment` in the folder `dir`. What cannot be read is begun anew: the service knows better.
    pub fn open(dir: &Path, environment: &str) -> Self {
        let file = dir.join(format!("{environment}.json"));
        let state = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(%error, file = %file.display(), "what was remembered cannot be read");
                State::default()
            }),
            Err(_) => State::default(),
        };
        Self {
            environment: environment.to_owned(),
            file,
            state: Mutex::new(state),
            cooldown: Cooldown::new(Duration::ZERO, None),
        }
    }

    /// With a wait of `length` after an automatic return, of which one in an earlier process may be left.
    pub fn cooling(self, length: Duration) -> Self {
        let returned = self.state().returned_at;
        Self {
            cooldown: Cooldown::new(length, returned),
            ..self
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the memory, on disk too.
    fn change(&self, change: impl FnOnce(&mut State)) -> Result<(), Problem> {
        let mut state = self.state();
        change(&mut state);
        write_whole(&self.file, &*state).map_err(|error| {
            Problem::new(500, "state", format!("{}: {error}", self.file.display()))
                .hint("check that the state folder can be written and the disk is not full")
        })
    }

    /// A deployment begins. Stored before the service hears of it, so that a crash cannot make it twice.
    pub fn begin(&self, id: &DeploymentId) -> Result<Option<Begun>, Problem> {
        let before = self.state().begun.get(id.as_str()).cloned();
        if before.is_none() {
            let begun = Begun {
                at: Timestamp::now(),
                remote: None,
            };
            self.change(|state| {
                state.begun.insert(id.to_string(), begun);
            })?;
        }
        Ok(before)
    }

    /// What was begun under `id`.
    pub fn begun(&self, id: &DeploymentId) -> Option<Begun> {
        self.state().begun.get(id.as_str()).cloned()
    }

    /// The service's name for a deployment is known.
    pub fn named(&self, id: &DeploymentId, remote: &str) {
        let done = self.change(|state| {
            if let Some(begun) = state.begun.get_mut(id.as_str()) {
                begun.remote = Some(remote.to_owned());
            }
            state.made.insert(remote.to_owned(), id.clone());
            while state.made.len() > KEEP * 4 {
                state.made.pop_first();
            }
        });
        warn(done);
    }

    /// Our deployment under the service's name for it.
    pub fn ours(&self, remote: &str) -> Option<DeploymentId> {
        self.state().made.get(remote).cloned()
    }

    /// A deployment's end was seen.
    pub fn ended(&self, id: &DeploymentId) {
        let done = self.change(|state| {
            state.begun.remove(id.as_str());
        });
        warn(done);
    }

    /// A release is live, and verified.
    pub fn went_live(&self, known: Known) {
        let done = self.change(|state| {
            if state.current.as_ref() != Some(&known.release) {
                state.since = Some(Timestamp::now());
            }
            state.current = Some(known.release.clone());
            if let Some(id) = &known.deployment {
                state.begun.remove(id.as_str());
            }
            state
                .releases
                .retain(|other| other.release != known.release);
            state.releases.push(known);
            let over = state.releases.len().saturating_sub(KEEP);
            state.releases.drain(..over);
        });
        warn(done);
    }

    /// Another release than the one remembered serves.
    pub fn set_current(&self, release: &ReleaseId) {
        let done = self.change(|state| {
            if state.current.as_ref() != Some(release) {
                state.current = Some(release.clone());
                state.since = Some(Timestamp::now());
            }
        });
        warn(done);
    }

    /// What people should know about the environment, until it is taken back.
    pub fn set_note(&self, note: Option<String>) {
        if self.state().note != note {
            warn(self.change(|state| state.note = note));
        }
    }

    /// What people should know about the environment.
    pub fn note(&self) -> Option<String> {
        self.state().note.clone()
    }

    /// The release under this name.
    pub fn release(&self, release: &ReleaseId) -> Option<Known> {
        let state = self.state();
        let known = state.releases.iter();
        known.rev().find(|known| known.release == *release).cloned()
    }

    /// The release that deployment `id` made live.
    pub fn made_by(&self, id: &DeploymentId) -> Option<Known> {
        let state = self.state();
        let mut known = state.releases.iter().rev();
        known
            .find(|known| known.deployment.as_ref() == Some(id))
            .cloned()
    }

    /// What is live.
    pub fn current(&self) -> Option<Known> {
        let state = self.state();
        let current = state.current.as_ref()?;
        let mut known = state.releases.iter().rev();
        known.find(|known| known.release == *current).cloned()
    }

    /// The release that was live before the current one and was not found unwell.
    pub fn previous(&self) -> Option<Known> {
        let state = self.state();
        let mut before = state.before();
        before.find(|known| !state.is_bad(&known.release)).cloned()
    }

    /// The newest release before the current one that was well for as long as it was watched.
    pub fn last_good(&self) -> Option<Known> {
        let state = self.state();
        let good = |known: &&Known| state.verdict(&known.release) == Some(&Verdict::Proven);
        state.before().find(good).cloned()
    }

    /// Whether the release was well for as long as releases are watched.
    pub fn proven(&self, release: &ReleaseId) -> bool {
        self.state().verdict(release) == Some(&Verdict::Proven)
    }

    /// Remembers that the release was well for as long as releases are watched.
    pub fn prove(&self, release: &ReleaseId) {
        self.judge(release, Verdict::Proven);
    }

    fn judge(&self, release: &ReleaseId, verdict: Verdict) {
        let done = self.change(|state| {
            state.verdicts.insert(release.to_string(), verdict);
            let known: Vec<String> = state
                .releases
                .iter()
                .map(|known| known.release.to_string())
                .collect();
            state
                .verdicts
                .retain(|other, _| other == release.as_str() || known.contains(other));
        });
        warn(done);
    }

    /// The environment is to go back by itself, because `release` is unwell: marks it, and says where to, once.
    ///
    /// # Errors
    /// What became of it when there is nowhere to go to, or not now.
    pub fn retreat(&self, release: &ReleaseId, reason: &str) -> Result<ReleaseId, Retreat> {
        if self.current().is_none_or(|live| live.release != *release) {
            return Err(Retreat::Moved);
        }
        self.judge(release, Verdict::Bad(reason.to_owned()));
        if let Some(left) = self.cooldown.left() {
            return Err(Retreat::Stays(cooling(left, self.cooldown.length())));
        }
        let Some(good) = self.last_good() else {
            return Err(Retreat::Stays(NO_GOOD.to_owned()));
        };
        // Before it is tried: a place that refuses is not asked again and again.
        self.cooldown.begin();
        warn(self.change(|state| state.returned_at = Some(Timestamp::now())));
        Ok(good.release)
    }

    /// What is live, as it is shown.
    pub fn live(&self) -> Option<LiveRelease> {
        let known = self.current()?;
        let since = self.state().since.unwrap_or(known.at);
        Some(LiveRelease {
            environment: self.environment.clone(),
            release: known.release,
            commit: known.commit,
            url: known.url,
            since,
        })
    }

    /// The releases, newest first.
    pub fn infos(&self) -> Vec<ReleaseInfo> {
        let state = self.state();
        let infos = state.releases.iter().rev().map(|known| ReleaseInfo {
            id: known.release.clone(),
            commit: known.commit.clone(),
            created_at: known.at,
            files: known.files,
            bytes: known.bytes,
            bad: state.is_bad(&known.release),
            current: state.current.as_ref() == Some(&known.release),
        });
        infos.collect()
    }
}

fn warn(done: Result<(), Problem>) {
    if let Err(problem) = done {
        tracing::warn!(%problem, "the memory of an environment was not stored");
    }
}

/// Writes a document whole or not at all, and its folder where that is not there.
pub(crate) fn write_whole<T: Serialize>(path: &Path, document: &T) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir)?;
    file::replace(path, &serde_json::to_vec(document)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Known {
        Known {
            release: ReleaseId::from(name),
            commit: format!("commit of {name}"),
            tree: String::new(),
            url: "https://example.org/".into(),
            at: Timestamp::now(),
            deployment: Some(DeploymentId::from(name)),
            stages: BTreeMap::new(),
            files: 0,
            bytes: 0,
        }
    }

    #[test]
    fn what_is_live_and_what_was_before_survive_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let memory = Memory::open(dir.path(), "production");
        assert!(memory.live().is_none() && memory.previous().is_none());
        memory.went_live(known("a"));
        memory.went_live(known("b"));
        let id = DeploymentId::from("c");
        assert_eq!(memory.begin(&id).unwrap(), None);
        memory.named(&id, "remote-c");
        let memory = Memory::open(dir.path(), "production");
        assert_eq!(memory.live().unwrap().release.as_str(), "b");
        assert_eq!(memory.previous().unwrap().release.as_str(), "a");
        assert_eq!(
            memory.begin(&id).unwrap().unwrap().remote.as_deref(),
            Some("remote-c")
        );
        memory.set_current(&ReleaseId::from("a"));
        assert_eq!(memory.live().unwrap().commit, "commit of a");
        assert!(memory.previous().is_none());
    }

    #[test]
    fn it_goes_back_once_and_to_nothing_that_is_not_known_to_be_good() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Memory::open(dir.path(), "production").cooling(Duration::from_secs(600));
        let memory = open();
        let id = |name: &str| ReleaseId::from(name);
        for name in ["a", "b", "c", "d"] {
            memory.went_live(known(name));
        }
        assert_eq!(memory.retreat(&id("b"), "x"), Err(Retreat::Moved));
        assert_eq!(
            memory.retreat(&id("d"), "x"),
            Err(Retreat::Stays(NO_GOOD.into()))
        );
        memory.prove(&id("a"));
        memory.prove(&id("b"));
        assert_eq!(memory.retreat(&id("d"), "x"), Ok(id("b")));
        assert!(memory.infos()[0].bad && memory.proven(&id("b")));
        memory.set_current(&id("b"));
        memory.went_live(known("e"));
        // A person goes on without the bad one.
        assert_eq!(memory.previous().unwrap().release, id("c"));
        for memory in [memory, open()] {
            let again = memory.retreat(&id("e"), "x");
            assert!(
                matches!(&again, Err(Retreat::Stays(why)) if why.contains("10 min")),
                "{again:?}"
            );
        }
    }

    #[test]
    fn a_damaged_file_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("production.json"), "{").unwrap();
        let memory = Memory::open(dir.path(), "production");
        assert!(memory.infos().is_empty());
        memory.went_live(known("a"));
        assert_eq!(Memory::open(dir.path(), "production").infos().len(), 1);
    }
}
