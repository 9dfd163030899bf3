//! Moving the branch, then bringing working tree and index along.
//!
//! The order matters: the branch first, by compare-and-swap, so that either nothing has happened or the
//! commit is there. Then the working tree, then, in one write, the index: while the index is as it was, it
//! tells what the person had staged, so a repeat after a crash comes to the same decisions.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::model::{FileTree, Problem, failpoint};
use crate::vcs::{Committed, Prepared};

use super::changes::RawChange;
use super::hooks::Hooks;
use super::prepare::{branch_changed, check_idle, stale};
use super::run::{Call, Output, index_locked};
use super::{Git, title_of};

/// How often a held lock is looked at.
const LOCK_POLL: Duration = Duration::from_millis(20);

/// Why the branch moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// To a commit that was made here.
    Commit,
    /// To a commit that was made elsewhere.
    FastForward,
}

/// Finishes a commit; see [`crate::vcs::Repository::finish`].
pub(super) async fn finish(git: &Git, prepared: &Prepared) -> Result<Committed, Problem> {
    bring_along(git, prepared, Reason::Commit).await
}

/// Moves the branch and brings index and working tree along.
pub(super) async fn bring_along(
    git: &Git,
    prepared: &Prepared,
    reason: Reason,
) -> Result<Committed, Problem> {
    let (head, changes, title) = tokio::join!(
        git.head(),
        git.changed_by(prepared),
        git.object(&prepared.commit, u64::MAX),
    );
    let (head, mut changes) = (head?, changes?);
    let title = title?
        .and_then(|object| object.bytes)
        .map_or(String::new(), |raw| title_of(&raw));
    let checked_out = head.branch == prepared.branch;
    let at = if checked_out {
        head.commit.clone()
    } else {
        git.branch(&prepared.branch).await?
    };

    let moved = at == prepared.commit
        || at != prepared.base && git.is_ancestor(&prepared.commit, &at).await?;
    if !moved {
        if at != prepared.base {
            return Err(stale(&prepared.branch));
        }
        if !checked_out {
            return Err(branch_changed(&head.branch, &prepared.branch));
        }
        check_idle(git)?;
        git.wait_for_index().await?;
    } else if at != prepared.commit && checked_out {
        // A repeat after a crash may find that the person went on, with other commits …
        let tree = git.list(&at).await?;
        changes.retain(|change| same_now(change, tree.as_ref()));
    }
    changes.retain(|change| !change.is_submodule());

    // While the branch moves, what lies around is looked at: that writes nothing.
    let move_branch = async {
        if moved {
            Ok(())
        } else {
            git.move_branch(prepared, &title, reason).await
        }
    };
    let (done, staged, work) =
        tokio::join!(move_branch, git.staged(&changes), git.work_states(&changes));
    done?;
    failpoint::reach("commit.ref");

    let mut committed = Committed {
        commit: prepared.commit.clone(),
        output: prepared.output.clone(),
        kept: Vec::new(),
        trouble: None,
    };
    if !checked_out {
        // … or to another branch.
        return Ok(committed);
    }
    let (staged, work) = (staged?, work?);
    let kept = git.update_worktree(&changes, &staged, &work).await?;
    committed.kept.extend(kept);
    failpoint::reach("commit.worktree");
    let kept = git.update_index(&changes, &staged, &work).await?;
    committed.kept.extend(kept);
    failpoint::reach("commit.index");
    committed.kept.sort_unstable();
    committed.kept.dedup();

    if reason == Reason::FastForward {
        return Ok(committed);
    }
    // Its failure changes nothing any more; git ignores it too.
    let (live, _) = mpsc::unbounded_channel();
    let in_config = git.shared.hooks_in_config.load(Ordering::Relaxed);
    let mut hooks = Hooks {
        git,
        folder: &head.hooks,
        in_config,
        index: None,
        live,
        output: Vec::new(),
    };
    let _ = hooks.run("post-commit", &[]).await;
    committed.output.append(&mut hooks.output);
    Ok(committed)
}

/// Whether the head has the file as our commit has it.
fn same_now(change: &RawChange, head: &dyn FileTree) -> bool {
    match (&change.after, head.entry(&change.path)) {
        (None, None) => true,
        (Some(blob), Some(entry)) => blob.oid == entry.oid && blob.mode == entry.mode,
        _ => false,
    }
}

impl Git {
    /// The commit at the head of a branch; empty when it has none.
    async fn branch(&self, name: &str) -> Result<String, Problem> {
        let name = format!("refs/heads/{name}");
        let output = self
            .run(Call::new(["rev-parse", "-q", "--verify", &name]))
            .await?;
        Ok(if output.code == 0 {
            output.text()
        } else {
            String::new()
        })
    }

    pub(super) async fn is_ancestor(&self, commit: &str, of: &str) -> Result<bool, Problem> {
        if of.is_empty() {
            return Ok(false);
        }
        let output = self
            .run(Call::new(["merge-base", "--is-ancestor", commit, of]))
            .await?;
        match output.code {
            0 => Ok(true),
            1 => Ok(false),
            _ => Err(output.failed()),
        }
    }

    /// Moves the branch, if it is still at the base.
    async fn move_branch(
        &self,
        prepared: &Prepared,
        title: &str,
        reason: Reason,
    ) -> Result<(), Problem> {
        let name = format!("refs/heads/{}", prepared.branch);
        let initial = if prepared.base.is_empty() {
            " (initial)"
        } else {
            ""
        };
        let note = match reason {
            Reason::Commit => format!("commit{initial}: {title}"),
            Reason::FastForward => "pull: Fast-forward".to_owned(),
        };
        let old = if prepared.base.is_empty() {
            self.no_id()
        } else {
            prepared.base.clone()
        };
        let output = self
            .patiently(|| Call::new(["update-ref", "-m", &note, &name, &prepared.commit, &old]))
            .await?;
        if output.code == 0 {
            return Ok(());
        }
        // Whatever git said, in whatever words: where the branch is decides.
        let at = self.branch(&prepared.branch).await?;
        if at == prepared.commit {
            Ok(())
        } else if at != prepared.base {
            Err(stale(&prepared.branch))
        } else {
            Err(output.failed())
        }
    }

    /// Waits until no other git process holds the index.
    async fn wait_for_index(&self) -> Result<(), Problem> {
        let lock = self.shared.git_dir.join("index.lock");
        let begun = Instant::now();
        while lock.exists() {
            if begun.elapsed() >= self.shared.lock_wait {
                return Err(index_locked());
            }
            tokio::time::sleep(LOCK_POLL).await;
        }
        Ok(())
    }

    /// Repeats a call for as long as another git process holds a lock it needs.
    pub(super) async fn patiently(&self, call: impl Fn() -> Call) -> Result<Output, Problem> {
        let begun = Instant::now();
        loop {
            let output = self.run(call()).await?;
            let locked = output.code != 0
                && output.stderr.contains(".lock")
                && output.stderr.contains("File exists");
            if !locked || begun.elapsed() >= self.shared.lock_wait {
                return Ok(output);
            }
            tokio::time::sleep(LOCK_POLL).await;
        }
    }
}
