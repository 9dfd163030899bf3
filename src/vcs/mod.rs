//! Version control: where proposals are based on and commits go to.

pub mod git;
pub mod github;
mod push;

pub use push::Pushing;

use std::sync::Arc;

use async_trait::async_trait;

use crate::model::api::{CommitLine, RepositoryStatus};
use crate::model::{FileTree, Problem, ProposedFile, Source};

/// What is to be committed: exactly this, on exactly that base.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitRequest {
    /// The commit that must be at the branch's head; empty for a branch without commits.
    pub base: String,
    /// The branch (`main`), which must be the one checked out.
    pub branch: String,
    /// The message.
    pub message: String,
    /// The accepted state of each file: `before` as in the base, `after` as to be committed.
    pub files: Vec<ProposedFile>,
}

/// A commit object that exists but is not on the branch yet. Stored before the branch moves, so that a
/// crash in between can be finished or dropped, never doubled.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Prepared {
    /// The commit's id.
    pub commit: String,
    /// The base it was made on.
    pub base: String,
    /// The branch it is for.
    pub branch: String,
    /// What hooks printed.
    pub output: Vec<String>,
}

/// What became of a prepared commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The commit's id.
    pub commit: String,
    /// What hooks printed.
    pub output: Vec<String>,
    /// Files whose working tree or staged state could not take the change because the person's own
    /// uncommitted lines overlap it; they were left as they are.
    pub kept: Vec<String>,
    /// What went wrong after the commit was made, which stays made: a push, or a clone that could not follow.
    pub trouble: Option<Problem>,
}

/// Where a repository stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The branch that is checked out; empty when HEAD is detached.
    pub branch: String,
    /// The commit at its head; empty on a branch without commits.
    pub head: String,
}

/// A repository.
#[async_trait]
pub trait Repository: Send + Sync {
    /// Name, branch, head, number of changes.
    async fn status(&self) -> Result<RepositoryStatus, Problem>;

    /// Branch and head alone: no file of the working tree is looked at for it.
    async fn standing(&self) -> Result<Standing, Problem> {
        let RepositoryStatus { branch, head, .. } = self.status().await?;
        Ok(Standing { branch, head })
    }

    /// The files of `commit`; an empty id is the empty tree.
    async fn tree(&self, commit: &str) -> Result<Arc<dyn FileTree>, Problem>;

    /// The commit as something to deploy.
    async fn source(&self, commit: &str) -> Result<Arc<dyn Source>, Problem>;

    /// The working tree's changes against HEAD (untracked files included, ignored ones not), without hunks.
    /// `paths` limits them; empty means all.
    async fn working_changes(&self, paths: &[String]) -> Result<Vec<ProposedFile>, Problem>;

    /// Paths (of those given) that differ from HEAD in the index or the working tree.
    async fn dirty(&self, paths: &[String]) -> Result<Vec<String>, Problem>;

    /// What `commit` changed against its first parent, without hunks.
    async fn changes_of(&self, commit: &str) -> Result<Vec<ProposedFile>, Problem>;

    /// What differs between the files of two commits, without hunks; an empty `from` is the empty tree.
    ///
    /// # Errors
    /// `not-found` when a commit is not there.
    async fn changes_between(&self, from: &str, to: &str) -> Result<Vec<ProposedFile>, Problem> {
        let _ = (from, to);
        Err(Problem::internal(
            "this repository does not compare commits",
        ))
    }

    /// At most `limit` commits, newest first, that `to` has and `from` lacks; an empty `from` lacks them all.
    ///
    /// # Errors
    /// `not-found` when a commit is not there.
    async fn commits_between(
        &self,
        from: &str,
        to: &str,
        limit: usize,
    ) -> Result<Vec<CommitLine>, Problem> {
        let _ = (from, to, limit);
        Ok(Vec::new())
    }

    /// Makes the commit object: runs `pre-commit`, `prepare-commit-msg` and `commit-msg` hooks and signs as
    /// the person's configuration says. Moves no branch and touches neither index nor working tree.
    /// Output lines are sent to `output` as they come.
    ///
    /// # Errors
    /// `stale-base` (409) when the branch is elsewhere, `hook-failed` (422) with the hook's output,
    /// `nothing-to-commit` (422), `identity-missing` (422) …
    async fn prepare(
        &self,
        request: &CommitRequest,
        output: tokio::sync::mpsc::UnboundedSender<String>,
    ) -> Result<Prepared, Problem>;

    /// Moves the branch from the prepared commit's base to the commit (compare-and-swap), then brings index
    /// and working tree along, file by file, keeping every uncommitted change of the person.
    /// Safe to repeat after a crash at any point.
    ///
    /// # Errors
    /// `stale-base` (409) when the branch moved: nothing has been changed then. `outcome-unknown` (503) when a server
    /// cannot say whether the branch moved: then it must be asked again.
    async fn finish(&self, prepared: &Prepared) -> Result<Committed, Problem>;

    /// The commit at the head of `branch`: of the local one, else of the remote's as it was last seen.
    ///
    /// # Errors
    /// `not-found` when there is no such branch.
    async fn tip(&self, branch: &str) -> Result<String, Problem> {
        let status = self.status().await?;
        if status.branch == branch && !status.head.is_empty() {
            return Ok(status.head);
        }
        Err(no_branch(branch))
    }

    /// Whether `commit` is at or below the head of `branch`.
    async fn contains(&self, branch: &str, commit: &str) -> Result<bool, Problem>;

    /// What a person should hear of while the repository works (a wait for a server's limit, a push), as lines. Given
    /// out once.
    fn told(&self) -> Option<tokio::sync::mpsc::UnboundedReceiver<String>> {
        None
    }
}

/// There is no such branch.
pub(crate) fn no_branch(branch: &str) -> Problem {
    Problem::not_found(format!("there is no branch {branch:?} here")).hint(format!(
        "make it (git branch {branch}), fetch it, or correct `branch` of the environment"
    ))
}

/// A path must stay inside the repository and outside of git's own folder.
pub(crate) fn check_path(path: &str) -> Result<(), Problem> {
    let bad = path.is_empty()
        || path.contains('\0')
        || path.split('/').any(|part| {
            part.is_empty() || part == "." || part == ".." || part.eq_ignore_ascii_case(".git")
        });
    if bad {
        return Err(Problem::bad_request(format!(
            "{path:?} is no path inside the repository"
        )));
    }
    Ok(())
}

/// Text without what stands before the `@` of a web address: it may be a password or a token.
pub(crate) fn without_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after
            .find(|c: char| c == '/' || c.is_whitespace() || c == '\'' || c == '"')
            .unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(at) => &after[at + 1..],
            None => after,
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_cut_out_of_addresses() {
        assert_eq!(
            without_passwords("fatal: 'https://ada:canary@h.org/a@b/' and https://x@y z"),
            "fatal: 'https://h.org/a@b/' and https://y z"
        );
        assert_eq!(
            without_passwords("git@github.com:a/b"),
            "git@github.com:a/b"
        );
    }
}
