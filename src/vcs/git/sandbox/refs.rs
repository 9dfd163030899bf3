//! The commit object, and the one moment in which branch and memory move together.

use super::super::identity::unnamed;
use super::super::run::{Call, Output};
use super::{Sandbox, seen_ref};
use crate::model::{Problem, failpoint};

/// A commit for the sandbox branch, made but not there yet. Stored before the branch moves, so that a crash in between
/// can be finished or dropped, never doubled.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SandboxCommit {
    /// Its id.
    pub commit: String,
    /// The branch.
    pub branch: String,
    /// Where the branch must be; empty for a branch that is not there.
    pub tip: String,
    /// The tree of the working tree that it was made of; empty when the memory of it stays as it is.
    pub seen: String,
}

/// Why git's own lock is waited for: somebody moves a ref of the same repository.
const PATIENCE: usize = 100;

impl Sandbox {
    /// Makes a commit object. Nothing moves; no hooks run and nothing is signed: nobody asked for this commit.
    ///
    /// # Errors
    /// `identity-missing` (422); `disk-full` (507).
    pub async fn commit(
        &self,
        tree: &str,
        parents: &[&str],
        message: &str,
    ) -> Result<String, Problem> {
        let mut call = Call::new(["-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree]);
        for parent in parents.iter().filter(|parent| !parent.is_empty()) {
            call = call.args(["-p", parent]);
        }
        let output = self.git.run(call.args(["-F", "-"]).stdin(message)).await?;
        if output.code == 0 {
            return Ok(output.text());
        }
        if let Some(problem) = super::look::full(&output) {
            return Err(problem);
        }
        Err(unnamed(&output.stderr, output.failed()))
    }

    /// Moves the branch and the memory of what was taken, both or none. Safe to repeat after a crash.
    ///
    /// # Errors
    /// `stale-base` (409) when the branch is elsewhere: nothing has changed then.
    pub async fn finish(&self, made: &SandboxCommit, note: &str) -> Result<(), Problem> {
        let name = format!("refs/heads/{}", made.branch);
        for _ in 0..PATIENCE {
            let at = self.git.named(&format!("{name}^{{commit}}")).await?;
            let there = at == made.commit
                || (!at.is_empty() && at != made.tip && self.git.below(&made.commit, &at).await?);
            if !there && at != made.tip {
                return Err(stale(&made.branch));
            }
            let mut orders = String::new();
            if !there {
                let old = if made.tip.is_empty() {
                    self.git.no_id()
                } else {
                    made.tip.clone()
                };
                orders.push_str(&format!("update {name} {} {old}\n", made.commit));
            }
            if !made.seen.is_empty() {
                orders.push_str(&format!(
                    "update {} {}\n",
                    seen_ref(&made.branch),
                    made.seen
                ));
            }
            if orders.is_empty() {
                return Ok(());
            }
            let call = Call::new(["update-ref", "-m", note, "--stdin"]).stdin(orders);
            let output = self.git.run(call).await?;
            if output.code == 0 {
                failpoint::reach("sandbox.ref");
                if !made.seen.is_empty() {
                    self.remember(&made.seen);
                }
                return Ok(());
            }
            // Whatever git said, in whatever words: where the branch is decides, in the next round.
            if !locked(&output) && self.git.named(&format!("{name}^{{commit}}")).await? == made.tip
            {
                return Err(super::look::full(&output).unwrap_or_else(|| output.failed()));
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Err(Problem::new(
            409,
            "ref-locked",
            format!("another git process holds the branch {}", made.branch),
        )
        .hint("if none runs, remove the lock file that git names under .git/refs/heads"))
    }

    /// A name for a commit that must not be lost. Returns the branch.
    ///
    /// # Errors
    /// When the name cannot be given.
    pub async fn keep(&self, commit: &str, time: jiff::Timestamp) -> Result<String, Problem> {
        let time = time
            .to_zoned(jiff::tz::TimeZone::UTC)
            .strftime("%Y-%m-%d-%H%M%S")
            .to_string();
        let mut last = None;
        for round in 1..=50 {
            let branch = match round {
                1 => format!("sayso/kept/{time}"),
                _ => format!("sayso/kept/{time}-{round}"),
            };
            let name = format!("refs/heads/{branch}");
            let at = self.git.named(&format!("{name}^{{commit}}")).await?;
            if at == commit {
                return Ok(branch);
            }
            if !at.is_empty() {
                continue;
            }
            let none = self.git.no_id();
            let call = Call::new(["update-ref", "-m", "sayso: kept", &name, commit, &none]);
            let output = self.git.run(call).await?;
            if output.code == 0 {
                return Ok(branch);
            }
            last = Some(output.failed());
        }
        Err(last.unwrap_or_else(|| Problem::internal("no free name for what is to be kept")))
    }

    /// The commit at the branch; empty when there is none.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub async fn tip(&self) -> Result<String, Problem> {
        self.git
            .named(&format!("refs/heads/{}^{{commit}}", self.branch))
            .await
    }

    /// Whether `commit` is at or below `of`; an empty one is below everything.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub async fn below(&self, commit: &str, of: &str) -> Result<bool, Problem> {
        if commit.is_empty() || of.is_empty() {
            return Ok(commit.is_empty());
        }
        self.git.below(commit, of).await
    }

    /// The tree of a commit; the empty tree for an empty id.
    ///
    /// # Errors
    /// `not-found` when it is not there.
    pub async fn tree(&self, commit: &str) -> Result<String, Problem> {
        self.git.tree_of(commit).await
    }

    /// The newest commit that both have; empty when there is none.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub async fn fork(&self, one: &str, other: &str) -> Result<String, Problem> {
        let output = self.git.run(Call::new(["merge-base", one, other])).await?;
        match output.code {
            0 => Ok(output.text()),
            1 => Ok(String::new()),
            _ => Err(output.failed()),
        }
    }

    /// The author of a commit, for people.
    pub async fn author(&self, commit: &str) -> Option<String> {
        let raw = self.git.raw_commit(commit).await.ok()?;
        let text = String::from_utf8_lossy(&raw);
        let line = text.lines().find_map(|line| line.strip_prefix("author "))?;
        line.split_once(" <").map(|(name, _)| name.to_owned())
    }

    /// Another working tree of this repository in which the branch is checked out.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub async fn checked_out_at(&self) -> Result<Option<String>, Problem> {
        let call = Call::new(["worktree", "list", "--porcelain", "-z"]);
        let output = self.git.run(call).await?;
        // Older programs know no -z here; then only our own working tree is looked at.
        let text = String::from_utf8_lossy(&output.stdout);
        let wanted = format!("branch refs/heads/{}", self.branch);
        let mut place = None;
        for line in text.split('\0') {
            if let Some(path) = line.strip_prefix("worktree ") {
                place = Some(path.to_owned());
            } else if line == wanted {
                return Ok(place);
            }
        }
        Ok(None)
    }
}

fn stale(branch: &str) -> Problem {
    Problem::new(
        409,
        "stale-base",
        format!("the branch {branch} has moved meanwhile"),
    )
    .hint("it is looked at again")
}

fn locked(output: &Output) -> bool {
    output.stderr.contains(".lock") && output.stderr.contains("File exists")
}
