//! A local repository whose commits are pushed at once, by git itself.
//!
//! The commit comes first and is never taken back for a push that failed: the next push takes it along.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::git::{Git, Pushed};
use super::{CommitRequest, Committed, Prepared, Repository, Standing};
use crate::model::api::{CommitLine, RepositoryStatus};
use crate::model::{FileTree, Problem, ProposedFile, Source};

/// A repository that pushes.
pub struct Pushing {
    git: Git,
    remote: String,
    sender: UnboundedSender<String>,
    told: Mutex<Option<UnboundedReceiver<String>>>,
}

impl Pushing {
    /// Commits of `git` go to `remote`.
    pub fn new(git: Git, remote: &str) -> Self {
        let (sender, told) = unbounded_channel();
        Self {
            git,
            remote: remote.to_owned(),
            sender,
            told: Mutex::new(Some(told)),
        }
    }

    async fn push(&self, branch: &str) -> Result<(), Problem> {
        let remote = &self.remote;
        if self.git.remote_address(remote).await.is_none() {
            return Err(Problem::new(
                404,
                "no-remote",
                format!("the commit is made, but there is no remote {remote:?} to push to"),
            )
            .hint(format!("git remote add {remote} ADDRESS, or [vcs] remote")));
        }
        let _ = self.sender.send(format!("pushing {branch} to {remote}"));
        let (live, mut lines) = unbounded_channel::<String>();
        let sender = self.sender.clone();
        let progress = tokio::spawn(async move {
            while let Some(line) = lines.recv().await {
                if let Some(line) = stage(&line) {
                    let _ = sender.send(line);
                }
            }
        });
        let pushed = self.git.push(remote, branch, live).await;
        let _ = progress.await;
        match pushed? {
            Pushed::Done => {
                let _ = self.sender.send(format!("{branch} is pushed to {remote}"));
                Ok(())
            }
            failed => Err(trouble(remote, branch, &failed)),
        }
    }
}

/// The end of one of git's stages, as a line of its own: `Writing objects: 100% (3/3), 309 bytes, done.`
fn stage(line: &str) -> Option<String> {
    let line = line
        .rsplit('\r')
        .find(|part| !part.trim().is_empty())?
        .trim();
    (line.contains("Writing objects") && line.contains("100%") || line.starts_with("remote: "))
        .then(|| super::without_passwords(line))
}

fn trouble(remote: &str, branch: &str, pushed: &Pushed) -> Problem {
    let (kind, why, hint) = match pushed {
        Pushed::Behind(_) => (
            "push-behind",
            format!("{remote} has commits on {branch} that are not here"),
            format!("git pull --rebase {remote} {branch} && git push {remote} {branch}"),
        ),
        Pushed::Refused(why) => (
            "push-refused",
            format!("{remote} did not take it: {why}"),
            format!(
                "check that you may write there (`ssh -T git@github.com`, or a credential helper), then: git push {remote} {branch}"
            ),
        ),
        Pushed::Unreachable(why) => (
            "push-unreachable",
            format!("{remote} cannot be reached: {why}"),
            format!("check the network, then: git push {remote} {branch}"),
        ),
        Pushed::Failed(why) => (
            "push-failed",
            format!("git push failed: {why}"),
            format!("try it by hand: git push {remote} {branch}"),
        ),
        Pushed::Done => ("push-failed", String::new(), String::new()),
    };
    Problem::new(
        502,
        kind,
        format!("the commit is made, but not pushed: {why}"),
    )
    .hint(hint)
}

#[async_trait]
impl Repository for Pushing {
    async fn status(&self) -> Result<RepositoryStatus, Problem> {
        self.git.status().await
    }

    async fn standing(&self) -> Result<Standing, Problem> {
        self.git.standing().await
    }

    async fn tree(&self, commit: &str) -> Result<Arc<dyn FileTree>, Problem> {
        self.git.tree(commit).await
    }

    async fn source(&self, commit: &str) -> Result<Arc<dyn Source>, Problem> {
        self.git.source(commit).await
    }

    async fn working_changes(&self, paths: &[String]) -> Result<Vec<ProposedFile>, Problem> {
        self.git.working_changes(paths).await
    }

    async fn dirty(&self, paths: &[String]) -> Result<Vec<String>, Problem> {
        self.git.dirty(paths).await
    }

    async fn changes_of(&self, commit: &str) -> Result<Vec<ProposedFile>, Problem> {
        self.git.changes_of(commit).await
    }

    async fn changes_between(&self, from: &str, to: &str) -> Result<Vec<ProposedFile>, Problem> {
        self.git.changes_between(from, to).await
    }

    async fn commits_between(
        &self,
        from: &str,
        to: &str,
        limit: usize,
    ) -> Result<Vec<CommitLine>, Problem> {
        self.git.commits_between(from, to, limit).await
    }

    async fn prepare(
        &self,
        request: &CommitRequest,
        output: UnboundedSender<String>,
    ) -> Result<Prepared, Problem> {
        self.git.prepare(request, output).await
    }

    async fn finish(&self, prepared: &Prepared) -> Result<Committed, Problem> {
        let mut committed = self.git.finish(prepared).await?;
        crate::model::failpoint::reach("commit.push");
        committed.trouble = self.push(&prepared.branch).await.err();
        Ok(committed)
    }

    async fn tip(&self, branch: &str) -> Result<String, Problem> {
        self.git.tip(branch).await
    }

    async fn contains(&self, branch: &str, commit: &str) -> Result<bool, Problem> {
        self.git.contains(branch, commit).await
    }

    fn told(&self) -> Option<UnboundedReceiver<String>> {
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_the_end_of_a_stage() {
        let raw = "Writing objects:  33% (1/3)\rWriting objects: 100% (3/3), 309 bytes | 309.00 KiB/s, done.";
        assert_eq!(
            stage(raw).unwrap(),
            "Writing objects: 100% (3/3), 309 bytes | 309.00 KiB/s, done."
        );
        assert_eq!(stage("Enumerating objects: 5, done."), None);
    }
}
