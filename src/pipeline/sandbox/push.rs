//! What is exchanged with the remote, in the background: offline is no error, and nothing waits for it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::super::Conductor;
use super::super::control::short;
use super::super::records::Change;
use super::Order;
use super::pass::{Passed, Together, Worker};
use crate::model::{EventKind, NewEvent, Problem};
use crate::vcs::git::sandbox::{SandboxCommit, Side};
use crate::vcs::git::{Git, Pushed};

/// The first wait after a failure, and the longest.
const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(300);

/// How long a start waits for the remote before it begins without it.
const AT_START: Duration = Duration::from_secs(5);

/// Commits that are named when they come from elsewhere.
const NAMED: usize = 3;

/// Pushes the branch whenever it is woken.
pub(super) struct Pusher {
    pub(super) conductor: Arc<Conductor>,
    pub(super) git: Git,
    pub(super) remote: String,
    pub(super) branch: String,
    pub(super) environment: String,
    /// The last failure that was told; a person is not told the same twice.
    pub(super) told: Option<String>,
}

/// How a push went.
#[derive(Debug)]
pub(super) enum Went {
    /// The remote has the branch, or there is no remote.
    Well,
    /// The remote has something else: this.
    Elsewhere(String),
    /// It cannot be had now.
    Later(Problem),
}

impl Pusher {
    pub(super) fn of(worker: &Worker) -> Option<Self> {
        let config = &worker.conductor.config;
        config.watch.push.then(|| Self {
            conductor: Arc::clone(&worker.conductor),
            git: worker.sandbox.git().clone(),
            remote: config.vcs.remote.clone(),
            branch: worker.sandbox.branch().to_owned(),
            environment: worker.environment.clone(),
            told: None,
        })
    }

    /// Pushes until it is told to stop.
    pub(super) async fn run(
        mut self,
        wake: Arc<Notify>,
        stop: CancellationToken,
        orders: mpsc::UnboundedSender<Order>,
    ) {
        let mut failed = 0;
        loop {
            let wait = async {
                match failed {
                    0 => wake.notified().await,
                    failures => {
                        // A new commit is no reason to try sooner; a connection that is back is not told of.
                        tokio::time::sleep(pause(failures, random())).await;
                    }
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = wait => {}
            }
            let went = tokio::select! {
                // A push that was called off is made again by the next start.
                () = stop.cancelled() => return,
                went = self.push() => went,
            };
            failed = match went {
                Went::Well => 0,
                Went::Elsewhere(commit) => {
                    // Whoever watches takes it in and wakes us again.
                    let _ = orders.send(Order::Remote(commit));
                    0
                }
                Went::Later(_) => failed + 1,
            };
        }
    }

    /// Pushes once.
    pub(super) async fn push(&mut self) -> Went {
        if self.git.remote_address(&self.remote).await.is_none() {
            return Went::Well;
        }
        let (live, _) = mpsc::unbounded_channel();
        let pushed = match self.git.push(&self.remote, &self.branch, live).await {
            Ok(pushed) => pushed,
            Err(problem) => Pushed::Failed(problem.detail),
        };
        let (remote, branch) = (&self.remote, &self.branch);
        let problem = match pushed {
            Pushed::Done => {
                crate::model::failpoint::reach("sandbox.pushed");
                if self.told.take().is_some() {
                    self.tell(EventKind::Notice, json!({
                        "message": format!("{} is pushed to {} again", self.branch, self.remote),
                    }))
                    .await;
                }
                return Went::Well;
            }
            pushed if moved_meanwhile(&pushed) => match self.git.branch_at(remote, branch).await {
                Ok(Some(commit)) => return Went::Elsewhere(commit),
                Ok(None) => Problem::new(502, "push-failed", format!("{remote} has no {branch} any more")),
                Err(problem) => problem,
            },
            Pushed::Unreachable(why) => Problem::new(
                502,
                "push-unreachable",
                format!("{remote} cannot be reached: {why}"),
            )
            .hint(format!("{branch} is committed here, and pushed when it can be")),
            Pushed::Refused(why) => Problem::new(
                502,
                "push-refused",
                format!("{remote} did not take {branch}: {why}"),
            )
            .hint(format!(
                "check that you may write there (git push {remote} {branch}), or set [watch] push = false"
            )),
            Pushed::Failed(why) | Pushed::Behind(why) => {
                Problem::new(502, "push-failed", format!("{branch} is not pushed: {why}"))
                    .hint(format!("it is tried again; by hand: git push {remote} {branch}"))
            }
        };
        if self.told.as_ref() != Some(&problem.kind) {
            self.told = Some(problem.kind.clone());
            // Being offline is no error.
            let kind = if problem.is("push-refused") {
                EventKind::Error
            } else {
                EventKind::Notice
            };
            self.tell(
                kind,
                json!({
                    "message": problem.detail, "hint": problem.hint, "type": problem.kind,
                }),
            )
            .await;
        }
        Went::Later(problem)
    }

    async fn tell(&self, kind: EventKind, data: serde_json::Value) {
        let event = NewEvent::new(kind, "sayso", data).environment(&self.environment);
        if let Err(problem) = Change::new().event(event).store(&self.conductor.log).await {
            tracing::error!(%problem, "a word about a push could not be stored");
        }
    }
}

/// Whether somebody else moved the remote's branch: before the push, or in the same moment, which servers call a lock.
fn moved_meanwhile(pushed: &Pushed) -> bool {
    match pushed {
        Pushed::Behind(_) => true,
        Pushed::Refused(why) | Pushed::Failed(why) => {
            let races = [
                "cannot lock ref",
                "failed to update ref",
                "reference already exists",
            ];
            races.iter().any(|race| why.contains(race))
        }
        Pushed::Done | Pushed::Unreachable(_) => false,
    }
}

/// How long to wait after so many failures: doubled each time, and up to half of it left to chance, so that many
/// machines that lost the same server do not come back at once.
fn pause(failures: u32, chance: u8) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let longest = doubled.min(LONGEST);
    longest / 2 + longest.mul_f64(f64::from(chance) / 512.0)
}

fn random() -> u8 {
    let mut byte = [0];
    // Without chance it is only less even.
    let _ = getrandom::fill(&mut byte);
    byte[0]
}

impl Worker {
    /// Takes in what the remote's branch has, before anything is committed here; without a connection later.
    pub(super) async fn meet_remote(&mut self) -> Result<Option<Passed>, Problem> {
        let config = &self.conductor.config;
        let remote = config.vcs.remote.clone();
        if !config.watch.push || self.sandbox.git().remote_address(&remote).await.is_none() {
            return Ok(None);
        }
        let branch = self.sandbox.branch().to_owned();
        let asked = self.sandbox.git().branch_at(&remote, &branch);
        match tokio::time::timeout(AT_START, asked).await {
            Ok(Ok(Some(commit))) => self.take_in(&commit).await.map(Some),
            // Not there, not reached, or slow: the first push finds out.
            _ => Ok(None),
        }
    }

    /// Takes in a commit of the remote's branch.
    ///
    /// # Errors
    /// When the two cannot be read or joined.
    pub(super) async fn take_in(&mut self, theirs: &str) -> Result<Passed, Problem> {
        let tip = self.sandbox.tip().await?;
        let (branch, remote) = (
            self.sandbox.branch().to_owned(),
            self.conductor.config.vcs.remote.clone(),
        );
        if tip == theirs || self.sandbox.below(theirs, &tip).await? && !tip.is_empty() {
            return Ok(Passed::Nothing);
        }
        if self.sandbox.below(&tip, theirs).await? {
            let made = SandboxCommit {
                commit: theirs.to_owned(),
                branch: branch.clone(),
                tip: tip.clone(),
                seen: String::new(),
            };
            self.sandbox
                .finish(
                    &made,
                    &format!("sayso watch: fast-forward to {remote}/{branch}"),
                )
                .await?;
            let message = format!(
                "{branch} follows {remote}/{branch} to {}{}",
                short(theirs),
                self.titles(&tip, theirs).await
            );
            self.tell(EventKind::Notice, json!({ "message": message }))
                .await;
            return Ok(Passed::Made(theirs.to_owned()));
        }
        let fork = self.sandbox.fork(&tip, theirs).await?;
        let mut kept = None;
        let tree = match self.join(&fork, &tip, theirs).await? {
            Together::Tree(tree) => tree,
            Together::Kept(tree, side) => {
                let lost = match side {
                    Side::Ours => theirs,
                    Side::Theirs => &tip,
                };
                kept = Some(self.sandbox.keep(lost, jiff::Timestamp::now()).await?);
                tree
            }
            Together::Waits(why) => return Ok(Passed::Waits(why)),
        };
        let message = format!(
            "Take in {remote}/{branch} at {}{}",
            short(theirs),
            self.titles(&fork, theirs).await
        );
        let commit = self
            .sandbox
            .commit(&tree, &[&tip, theirs], &message)
            .await?;
        self.store_merge(commit, tip, message, kept).await
    }

    /// The first lines of the commits that came, with who made them.
    async fn titles(&self, from: &str, to: &str) -> String {
        if from.is_empty() {
            return String::new();
        }
        let repo = &self.conductor.repo;
        let lines = repo
            .commits_between(from, to, NAMED)
            .await
            .unwrap_or_default();
        let named: Vec<String> = lines
            .iter()
            .map(|line| format!("{} ({})", line.title, line.author))
            .collect();
        if named.is_empty() {
            String::new()
        } else {
            format!(": {}", named.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_end_and_differ_by_chance() {
        assert_eq!(pause(1, 0), Duration::from_secs(1));
        assert!(pause(1, 255) < Duration::from_secs(2));
        assert_eq!(pause(2, 0), Duration::from_secs(2));
        assert_eq!(pause(40, 0), LONGEST / 2);
        assert!(pause(u32::MAX, 255) <= LONGEST);
        for failures in 1..30 {
            assert!(pause(failures, 0) <= pause(failures + 1, 0));
            assert!(pause(failures, 10) > pause(failures, 9));
        }
    }
}
