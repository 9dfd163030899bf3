//! One look at the working tree, and what comes of it: a commit with its journal, or a reason to wait.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use ignore::gitignore::Gitignore;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Notify;

use super::super::Conductor;
use super::super::control::short;
use super::super::records::Change;
use super::conflict::Asked;
use super::journal::{Journal, PREPARED, finish_all, note, tell_commit};
use super::{locked, words};
use crate::config::Conflicts;
use crate::events::EventLog;
use crate::model::api::WatchStatus;
use crate::model::{DeploymentId, EventKind, NewEvent, Problem, failpoint};
use crate::review;
use crate::vcs::git::Git;
use crate::vcs::git::sandbox::{Clash, Look, Sandbox, SandboxCommit, Side, Touched};

/// Paths that an event names.
const NAMED: usize = 200;

/// Files whose text is in memory at a time.
const CHUNK: usize = 100;

/// Times a commit is made anew when the branch moves meanwhile.
const STALE: usize = 5;

/// What became of a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// Nothing differs.
    Nothing,
    /// This is at the branch now.
    Made(String),
    /// It waits for a person, or for git, and why.
    Waits(String),
}

/// Looks, commits, tells.
pub(super) struct Worker {
    pub(super) conductor: Arc<Conductor>,
    pub(super) sandbox: Sandbox,
    pub(super) environment: String,
    pub(super) actor: String,
    pub(super) status: Arc<Mutex<WatchStatus>>,
    /// Wakes whoever pushes.
    pub(super) pushes: Arc<Notify>,
    pub(super) asked: Option<Asked>,
    /// The answer, and the commit of the other side that it is about.
    pub(super) favour: Option<(Side, String)>,
    /// Files that come later by themselves: they changed while they were read.
    pub(super) moving: Vec<String>,
    /// The deployment whose end is waited for.
    pub(super) following: Option<DeploymentId>,
    exclude: Gitignore,
    /// What was told already: a place and what was there.
    told: HashSet<(String, String)>,
}

impl Worker {
    /// Ready to look.
    ///
    /// # Errors
    /// `config`; `sandbox-checked-out` (409) when the branch is checked out somewhere.
    pub(super) async fn open(
        conductor: Arc<Conductor>,
        git: &Git,
        environment: &str,
        actor: &str,
    ) -> Result<Self, Problem> {
        let set = &conductor.config.watch;
        let sandbox = Sandbox::open(git.clone(), &set.branch).await?;
        if let Some(place) = sandbox.checked_out_at().await? {
            return Err(Problem::new(
                409,
                "sandbox-checked-out",
                format!(
                    "{} is the branch that saves go to, and it is checked out at {place}",
                    set.branch
                ),
            )
            .hint("work on a branch of your own: git switch main; or name another one: [watch] branch"));
        }
        let exclude = crate::watch::exclusions(git.root(), &set.exclude)?;
        let status = WatchStatus {
            on: true,
            branch: set.branch.clone(),
            environment: environment.to_owned(),
            ..WatchStatus::default()
        };
        let mut worker = Self {
            sandbox,
            environment: environment.to_owned(),
            actor: actor.to_owned(),
            status: Arc::new(Mutex::new(status)),
            pushes: Arc::default(),
            asked: None,
            favour: None,
            moving: Vec::new(),
            following: None,
            exclude,
            told: HashSet::new(),
            conductor,
        };
        worker.recall()?;
        Ok(worker)
    }

    pub(super) fn log(&self) -> &EventLog {
        &self.conductor.log
    }

    /// Looks once; files in `busy` are still being written to.
    ///
    /// # Errors
    /// What keeps the files from being taken; nothing is half done then.
    pub(super) async fn pass(&mut self, busy: &HashSet<String>) -> Result<Passed, Problem> {
        finish_all(&self.conductor, &self.sandbox).await?;
        if let Some(operation) = self.sandbox.under_way() {
            return Ok(Passed::Waits(waits_for(operation)));
        }
        for _ in 0..STALE {
            let mut look = {
                let (exclude, root) = (&self.exclude, self.sandbox.git().root());
                let skip = |path: &str| {
                    exclude
                        .matched_path_or_any_parents(root.join(path), false)
                        .is_ignore()
                };
                self.sandbox.look(&skip, busy).await?
            };
            // A rebase that began meanwhile has its own idea of the files.
            if let Some(operation) = self.sandbox.under_way() {
                return Ok(Passed::Waits(waits_for(operation)));
            }
            self.hold_secrets(&mut look).await?;
            for (path, why) in std::mem::take(&mut look.unreadable) {
                self.tell_once(
                    (path.clone(), why.clone()),
                    EventKind::Error,
                    json!({
                        "message": format!("{path} cannot be read and stays out of {}: {why}", self.sandbox.branch()),
                        "hint": "see to its permissions; the other files went",
                    }),
                )
                .await;
            }
            self.moving = std::mem::take(&mut look.moving);
            match self.take(&look).await {
                Err(problem) if problem.is("stale-base") => {}
                done => return done,
            }
        }
        Err(Problem::conflict(
            "the branch moves faster than a commit can be made",
        ))
    }

    /// Files with what looks like a key or a password stay out, and the person is told.
    async fn hold_secrets(&mut self, look: &mut Look) -> Result<(), Problem> {
        let mut held: Vec<(String, usize, &'static str)> = Vec::new();
        for chunk in look.touched.chunks(CHUNK) {
            let files = self.sandbox.contents(chunk).await?;
            // Comparing and searching long texts is work.
            let found = tokio::task::spawn_blocking(move || review::secrets::scan(&files))
                .await
                .map_err(Problem::internal)?;
            for finding in found {
                if !held.iter().any(|(path, ..)| *path == finding.path) {
                    held.push((finding.path, finding.line, finding.what));
                }
            }
        }
        if held.is_empty() {
            return Ok(());
        }
        // What the person committed by themselves is no news.
        let head = self.conductor.repo.tree(&look.head).await?;
        held.retain(|(path, ..)| {
            let now = look.touched.iter().find(|file| file.path == *path);
            let committed = head.entry(path);
            !matches!((now, committed), (Some(now), Some(entry)) if now.oid == entry.oid)
        });
        let paths: Vec<String> = held.iter().map(|(path, ..)| path.clone()).collect();
        let blobs: Vec<String> = paths
            .iter()
            .filter_map(|path| look.touched.iter().find(|file| file.path == *path))
            .map(|file| file.oid.clone())
            .collect();
        self.sandbox.hold(look, &paths).await?;
        for ((path, line, what), blob) in held.into_iter().zip(blobs) {
            let data = json!({
                "message": format!("{path} line {line} looks like a {what}: the file is held back from {}", self.sandbox.branch()),
                "hint": format!("take it out, or put {path} into .gitignore; everything else goes on"),
                "path": path,
                "type": "about:sayso/secret",
            });
            self.tell_once((path, blob), EventKind::Error, data).await;
        }
        Ok(())
    }

    /// Commits a look.
    async fn take(&mut self, look: &Look) -> Result<Passed, Problem> {
        let began = Instant::now();
        if look.touched.is_empty() {
            return self.begin_branch(look, began).await;
        }
        let onto = self.sandbox.tree(&look.tip).await?;
        let (mut tree, mut kept) = (look.tree.clone(), None);
        if !look.tip.is_empty() && onto != look.base {
            match self.join(&look.base, &look.tree, &look.tip).await? {
                Together::Tree(joined) => tree = joined,
                Together::Kept(joined, side) => {
                    let lost = match side {
                        Side::Ours => look.tip.clone(),
                        Side::Theirs => {
                            let message = words::message(&look.touched, None);
                            self.sandbox
                                .commit(&look.tree, &[&look.tip], &message)
                                .await?
                        }
                    };
                    kept = Some(self.sandbox.keep(&lost, Timestamp::now()).await?);
                    tree = joined;
                }
                Together::Waits(why) => return Ok(Passed::Waits(why)),
            }
        }
        let contained = self.sandbox.below(&look.head, &look.tip).await?;
        let below = !contained && self.sandbox.below(&look.tip, &look.head).await?;
        let made = |commit: String| SandboxCommit {
            commit,
            branch: self.sandbox.branch().to_owned(),
            tip: look.tip.clone(),
            seen: look.tree.clone(),
        };
        if !look.tip.is_empty() && tree == onto {
            // The branch has all of it already, from somebody else.
            let made = made(look.tip.clone());
            self.sandbox.finish(&made, "sayso watch").await?;
            self.told_kept(kept.as_deref()).await;
            return Ok(Passed::Nothing);
        }
        let took_in = (!contained && !look.tip.is_empty() && !look.head.is_empty())
            .then_some((look.branch.as_str(), look.head.as_str()));
        let same_as_head =
            !look.head.is_empty() && below && self.sandbox.tree(&look.head).await? == tree;
        let message = if same_as_head {
            words::message(&[], took_in.or(Some((&look.branch, &look.head))))
        } else {
            words::message(&look.touched, took_in)
        };
        let commit = if same_as_head {
            look.head.clone()
        } else {
            let parents: Vec<&str> = match (contained, below) {
                (true, _) => vec![&look.tip],
                (_, true) => vec![&look.head],
                _ => vec![&look.tip, &look.head],
            };
            self.sandbox.commit(&tree, &parents, &message).await?
        };
        failpoint::reach("sandbox.prepared");
        let journal = self.journal(made(commit), message, &look.touched, kept);
        self.store(journal, began).await
    }

    /// Nothing differs from what was taken last; a branch that is not there yet begins where the person's is.
    async fn begin_branch(&mut self, look: &Look, began: Instant) -> Result<Passed, Problem> {
        if !look.tip.is_empty() || look.head.is_empty() {
            return Ok(Passed::Nothing);
        }
        if self.sandbox.tree(&look.head).await? != look.tree {
            return Ok(Passed::Nothing);
        }
        let made = SandboxCommit {
            commit: look.head.clone(),
            branch: self.sandbox.branch().to_owned(),
            tip: String::new(),
            seen: look.tree.clone(),
        };
        let from = if look.branch.is_empty() {
            "HEAD"
        } else {
            &look.branch
        };
        let message = format!("Begin where {from} is, at {}", short(&look.head));
        let journal = self.journal(made, message, &[], None);
        self.store(journal, began).await
    }

    pub(super) async fn join(
        &mut self,
        base: &str,
        ours: &str,
        theirs: &str,
    ) -> Result<Together, Problem> {
        let joined = self.sandbox.join(base, ours, theirs, None).await?;
        if joined.clashes.is_empty() {
            self.no_question().await;
            return Ok(Together::Tree(joined.tree));
        }
        let answered = self
            .favour
            .as_ref()
            .filter(|(_, about)| about == theirs)
            .map(|(side, _)| *side);
        let side = match (answered, self.conductor.config.watch.conflicts) {
            (Some(side), _) => side,
            (None, Conflicts::SandboxWins) => Side::Ours,
            (None, Conflicts::Ask) => {
                let why = self.ask(&joined.clashes, theirs).await?;
                return Ok(Together::Waits(why));
            }
        };
        self.forget_question().await;
        let joined = self.sandbox.join(base, ours, theirs, Some(side)).await?;
        self.told_won(&joined.clashes, side).await;
        Ok(Together::Kept(joined.tree, side))
    }

    fn journal(
        &self,
        made: SandboxCommit,
        message: String,
        touched: &[Touched],
        kept: Option<String>,
    ) -> Journal {
        Journal {
            made,
            message,
            files: touched
                .iter()
                .take(NAMED)
                .map(|file| file.path.clone())
                .collect(),
            count: touched.len(),
            environment: self.environment.clone(),
            actor: self.actor.clone(),
            kept,
        }
    }

    /// The same for a commit that joins two branches.
    pub(super) async fn store_merge(
        &mut self,
        commit: String,
        tip: String,
        message: String,
        kept: Option<String>,
    ) -> Result<Passed, Problem> {
        let began = Instant::now();
        let made = SandboxCommit {
            commit,
            branch: self.sandbox.branch().to_owned(),
            tip,
            seen: String::new(),
        };
        let journal = self.journal(made, message, &[], kept);
        self.store(journal, began).await
    }

    async fn store(&mut self, journal: Journal, began: Instant) -> Result<Passed, Problem> {
        let commit = journal.made.commit.clone();
        Change::new()
            .put(PREPARED, &commit, &journal)?
            .store(self.log())
            .await?;
        failpoint::reach("sandbox.journaled");
        if let Err(problem) = self.sandbox.finish(&journal.made, &note(&journal)).await {
            if problem.is("stale-base") {
                // Nothing has moved: it is made anew of what there is then.
                Change::new()
                    .delete(PREPARED, &commit)
                    .store(self.log())
                    .await?;
            }
            return Err(problem);
        }
        tell_commit(&self.conductor, &journal, Some(began)).await?;
        failpoint::reach("sandbox.stored");
        locked(&self.status).commit = Some(commit.clone());
        self.pushes.notify_one();
        Ok(Passed::Made(commit))
    }

    /// Tells it unless the same was told before.
    pub(super) async fn tell_once(
        &mut self,
        what: (String, String),
        kind: EventKind,
        data: serde_json::Value,
    ) {
        if self.told.insert(what) {
            self.tell(kind, data).await;
        }
    }

    pub(super) async fn tell(&self, kind: EventKind, data: serde_json::Value) {
        let event = NewEvent::new(kind, "sayso", data).environment(&self.environment);
        // On a disk that is full the log cannot be written either: what is to be told is told later.
        if let Err(problem) = Change::new().event(event).store(self.log()).await {
            tracing::error!(%problem, "a word of the sandbox could not be stored");
        }
    }

    async fn told_kept(&self, kept: Option<&str>) {
        if let Some(branch) = kept {
            let message = format!("the other side is kept on the branch {branch}");
            self.tell(
                EventKind::Notice,
                json!({ "message": message, "kept": branch }),
            )
            .await;
        }
    }

    async fn told_won(&self, clashes: &[Clash], side: Side) {
        let who = match side {
            Side::Ours => "what you saved is on it",
            Side::Theirs => {
                "the lines that came from elsewhere are on it; your files are as they were"
            }
        };
        let message = format!(
            "{} changed on {} too: {who}",
            super::conflict::places(clashes),
            self.sandbox.branch()
        );
        self.tell(
            EventKind::Notice,
            json!({ "message": message, "conflict": clashes }),
        )
        .await;
    }
}

/// Both sides together, or what stands in the way.
pub(super) enum Together {
    /// Their lines lie apart.
    Tree(String),
    /// This side's lines were taken; the other's are to be kept.
    Kept(String, Side),
    /// A person decides.
    Waits(String),
}

fn waits_for(operation: &str) -> String {
    format!("a {operation} is in progress: the sandbox waits until it is over")
}

/// What the watcher is told to leave out.
pub(super) fn options(
    conductor: &Conductor,
    git: &Git,
    tracked: Vec<String>,
) -> crate::watch::Options {
    let set = &conductor.config.watch;
    crate::watch::Options {
        root: git.root().to_path_buf(),
        git_dir: git.git_dir().to_path_buf(),
        exclude: set.exclude.clone(),
        tracked,
        poll: Some(set.poll.duration()).filter(|every| !every.is_zero()),
    }
}
