//! The pointer of an environment: which release it serves, and which it can go back to.
//!
//! Pure: reading and writing the file is the caller's. The file is the truth after a crash.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::deploy::manifest::Manifest;
use crate::model::{DeploymentId, ReleaseId, ReleaseInfo, Stage};

/// A release in an environment's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The release.
    pub release: ReleaseId,
    /// The commit that was deployed (the release may have been built from another commit with the same tree).
    pub commit: String,
    /// The tree it was built from.
    pub tree: String,
    /// How it was built.
    pub recipe: String,
    /// The deployment that brought it here last.
    pub deployment: DeploymentId,
    /// When the release was made.
    pub created_at: Timestamp,
    /// When it was last brought here.
    pub deployed_at: Timestamp,
    /// Files in it.
    pub files: usize,
    /// Bytes in it.
    pub bytes: u64,
    /// Milliseconds its deployment spent in each stage, as far as it had come when this was written.
    #[serde(default)]
    pub stages: BTreeMap<Stage, u64>,
    /// Why it is not offered any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bad: Option<String>,
    /// True once it was well for as long as it is watched: only then an automatic return goes to it. (What was written
    /// before releases were proven had been watched as well.)
    #[serde(default = "yes")]
    pub proven: bool,
}

fn yes() -> bool {
    true
}

impl Entry {
    /// The entry of a release that `deployment` brings here now.
    pub fn new(
        manifest: &Manifest,
        commit: &str,
        deployment: &DeploymentId,
        stages: BTreeMap<Stage, u64>,
    ) -> Self {
        Self {
            release: manifest.id.clone(),
            commit: commit.to_owned(),
            tree: manifest.tree.clone(),
            recipe: manifest.recipe.clone(),
            deployment: deployment.clone(),
            created_at: manifest.created_at,
            deployed_at: Timestamp::now(),
            files: manifest.files.len(),
            bytes: manifest.bytes(),
            stages,
            bad: None,
            proven: false,
        }
    }

    /// Whether an automatic return may go to it.
    fn is_good(&self) -> bool {
        self.proven && self.bad.is_none()
    }
}

/// `environments/<name>.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pointer {
    /// What is served.
    pub current: Option<ReleaseId>,
    /// What was served before.
    pub previous: Option<ReleaseId>,
    /// Since when `current` is served.
    pub since: Option<Timestamp>,
    /// When it went back by itself last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned_at: Option<Timestamp>,
    /// What was deployed here and is kept, newest first.
    pub history: Vec<Entry>,
}

impl Pointer {
    /// The entry of `release`.
    pub fn entry(&self, release: &ReleaseId) -> Option<&Entry> {
        self.history.iter().find(|entry| entry.release == *release)
    }

    /// The entry of what is served.
    pub fn live(&self) -> Option<&Entry> {
        self.entry(self.current.as_ref()?)
    }

    /// Brings a release here: it becomes the newest and is served. A release never changes, so one that was proven here
    /// before stays so.
    pub fn activate(&mut self, mut entry: Entry) {
        entry.proven |= self.entry(&entry.release).is_some_and(Entry::is_good);
        self.history.retain(|other| other.release != entry.release);
        let release = entry.release.clone();
        self.history.insert(0, entry);
        self.turn_to(&release);
    }

    /// Serves `release`, which stays at its place in the history.
    pub fn turn_to(&mut self, release: &ReleaseId) {
        if self.current.as_ref() != Some(release) {
            self.previous = self.current.replace(release.clone());
            self.since = Some(Timestamp::now());
        }
    }

    /// Marks a release as not to be offered again.
    pub fn mark_bad(&mut self, release: &ReleaseId, why: &str) {
        for entry in &mut self.history {
            if entry.release == *release {
                entry.bad = Some(why.to_owned());
            }
        }
    }

    /// A release was well for as long as it is watched.
    pub fn prove(&mut self, release: &ReleaseId) {
        for entry in &mut self.history {
            if entry.release == *release {
                entry.proven = true;
            }
        }
    }

    /// True while it is not known yet whether what is served is well.
    pub fn on_trial(&self) -> bool {
        self.live()
            .is_some_and(|entry| !entry.proven && entry.bad.is_none())
    }

    /// The newest release that was not found unwell and is older than the one served: where "roll back" goes.
    pub fn older_good(&self) -> Option<&ReleaseId> {
        let current = self.current.as_ref()?;
        let at = self
            .history
            .iter()
            .position(|entry| entry.release == *current)?;
        self.history[at + 1..]
            .iter()
            .find(|entry| entry.bad.is_none())
            .map(|entry| &entry.release)
    }

    /// Where an automatic return goes: to what was served before, if that is proven and good, else to the newest such
    /// release that is older than the one served.
    pub fn last_good(&self) -> Option<&ReleaseId> {
        let current = self.current.as_ref()?;
        if let Some(previous) = self.previous.as_ref()
            && previous != current
            && self.entry(previous).is_some_and(Entry::is_good)
        {
            return Some(previous);
        }
        let at = self
            .history
            .iter()
            .position(|entry| entry.release == *current)?;
        self.history[at + 1..]
            .iter()
            .find(|entry| entry.is_good())
            .map(|entry| &entry.release)
    }

    /// Forgets all but the newest `keep` releases, those that are pointed at, and the one that an automatic return would
    /// go to.
    pub fn prune(&mut self, keep: usize) {
        let pointed: HashSet<ReleaseId> = self
            .current
            .iter()
            .chain(&self.previous)
            .chain(self.last_good())
            .cloned()
            .collect();
        let mut at = 0;
        self.history.retain(|entry| {
            at += 1;
            at <= keep || pointed.contains(&entry.release)
        });
    }

    /// The history as it is shown.
    pub fn infos(&self) -> Vec<ReleaseInfo> {
        self.history
            .iter()
            .map(|entry| ReleaseInfo {
                id: entry.release.clone(),
                commit: entry.commit.clone(),
                created_at: entry.created_at,
                files: entry.files,
                bytes: entry.bytes,
                bad: entry.bad.is_some(),
                current: self.current.as_ref() == Some(&entry.release),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Entry {
        let manifest = Manifest {
            id: name.into(),
            commit: "c".into(),
            tree: "t".into(),
            recipe: "r".into(),
            built: false,
            deployment: "dep".into(),
            created_at: Timestamp::UNIX_EPOCH,
            files: Vec::new(),
        };
        Entry::new(&manifest, "c", &"dep".into(), BTreeMap::new())
    }

    fn pointer(names: &[&str]) -> Pointer {
        let mut pointer = Pointer::default();
        for name in names {
            pointer.activate(entry(name));
        }
        pointer
    }

    /// The same, each of them proven.
    fn proven(names: &[&str]) -> Pointer {
        let mut pointer = pointer(names);
        for name in names {
            pointer.prove(&(*name).into());
        }
        pointer
    }

    fn name(release: Option<&ReleaseId>) -> Option<&str> {
        release.map(ReleaseId::as_str)
    }

    #[test]
    fn rolling_back_again_and_again_goes_further_back() {
        let mut pointer = pointer(&["a", "b", "c"]);
        assert_eq!(name(pointer.older_good()), Some("b"));
        let to = pointer.older_good().cloned().unwrap();
        pointer.turn_to(&to);
        assert_eq!(name(pointer.previous.as_ref()), Some("c"));
        assert_eq!(name(pointer.older_good()), Some("a"));
        let to = pointer.older_good().cloned().unwrap();
        pointer.turn_to(&to);
        assert_eq!(pointer.older_good(), None);
    }

    #[test]
    fn bad_releases_are_never_gone_back_to() {
        let mut pointer = proven(&["a", "b", "c"]);
        pointer.mark_bad(&"b".into(), "unwell");
        assert_eq!(name(pointer.older_good()), Some("a"));
        assert_eq!(name(pointer.last_good()), Some("a"));
        pointer.mark_bad(&"a".into(), "unwell");
        assert_eq!(pointer.last_good(), None);
    }

    #[test]
    fn an_automatic_return_goes_to_what_was_served() {
        let mut pointer = proven(&["a", "b", "c"]);
        pointer.turn_to(&"a".into());
        pointer.activate(entry("d"));
        assert_eq!(name(pointer.last_good()), Some("a"));
    }

    #[test]
    fn an_automatic_return_goes_to_nothing_that_was_not_proven() {
        let mut pointer = pointer(&["a", "b", "c"]);
        assert_eq!(name(pointer.last_good()), None);
        assert_eq!(name(pointer.older_good()), Some("b"), "a person may");
        pointer.prove(&"a".into());
        assert_eq!(name(pointer.last_good()), Some("a"));
        // The same files again: what is known of the release stays known.
        pointer.activate(entry("a"));
        assert!(!pointer.on_trial());
        pointer.activate(entry("b"));
        assert!(pointer.on_trial());
    }

    #[test]
    fn what_an_automatic_return_would_go_to_is_kept() {
        let mut pointer = proven(&["a"]);
        for name in ["b", "c", "d", "e"] {
            pointer.activate(entry(name));
        }
        pointer.prune(1);
        let left: Vec<_> = pointer.history.iter().map(|e| e.release.as_str()).collect();
        assert_eq!(left, ["e", "d", "a"]);
    }

    #[test]
    fn deploying_the_same_release_again_keeps_the_previous() {
        let mut pointer = pointer(&["a", "b"]);
        pointer.activate(entry("b"));
        assert_eq!(name(pointer.previous.as_ref()), Some("a"));
        assert_eq!(pointer.history.len(), 2);
    }

    #[test]
    fn pruning_keeps_what_is_pointed_at() {
        let mut pointer = pointer(&["a", "b", "c", "d", "e"]);
        pointer.turn_to(&"a".into());
        pointer.prune(2);
        let left: Vec<_> = pointer.history.iter().map(|e| e.release.as_str()).collect();
        assert_eq!(left, ["e", "d", "a"]);
        assert_eq!(name(pointer.previous.as_ref()), Some("e"));
    }

    #[test]
    fn the_file_round_trips() {
        let mut pointer = pointer(&["a", "b"]);
        pointer.mark_bad(&"a".into(), "unwell");
        let text = serde_json::to_string(&pointer).unwrap();
        assert_eq!(serde_json::from_str::<Pointer>(&text).unwrap(), pointer);
        assert!(pointer.infos()[1].bad && pointer.infos()[0].current);
    }
}
