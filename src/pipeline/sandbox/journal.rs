//! The journal of commits to a sandbox: a crash at any point is finished or dropped, never doubled.

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::Conductor;
use super::super::records::Change;
use crate::events::EventLog;
use crate::model::{EventKind, NewEvent, Problem};
use crate::vcs::git::sandbox::{Sandbox, SandboxCommit};

/// The journal's entries.
pub(super) const PREPARED: &str = "sandbox-prepared";

/// The journal entry of a commit to the sandbox: written after the object exists and before the branch moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Journal {
    pub(super) made: SandboxCommit,
    pub(super) message: String,
    pub(super) files: Vec<String>,
    pub(super) count: usize,
    pub(super) environment: String,
    pub(super) actor: String,
    /// The branch that keeps the side that lost, when one did.
    #[serde(default)]
    pub(super) kept: Option<String>,
}

pub(super) fn note(journal: &Journal) -> String {
    let title = journal.message.lines().next().unwrap_or_default();
    format!("sayso watch: {title}")
}

/// Finishes what the journal has: a commit is there after it, once, or it is dropped where the branch went elsewhere.
pub(super) async fn finish_all(conductor: &Conductor, sandbox: &Sandbox) -> Result<(), Problem> {
    for journal in journals(&conductor.log)? {
        match sandbox.finish(&journal.made, &note(&journal)).await {
            Ok(()) => tell_commit(conductor, &journal, None).await?,
            Err(problem) if problem.is("stale-base") => {
                Change::new()
                    .delete(PREPARED, &journal.made.commit)
                    .store(&conductor.log)
                    .await?;
            }
            Err(problem) => return Err(problem),
        }
    }
    Ok(())
}

fn journals(log: &EventLog) -> Result<Vec<Journal>, Problem> {
    log.list(PREPARED, 100)
}

/// The `commit` event, with which the journal's entry goes.
pub(super) async fn tell_commit(
    conductor: &Conductor,
    journal: &Journal,
    began: Option<Instant>,
) -> Result<(), Problem> {
    let millis = began.map(|began| u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
    let data = json!({
        "commit": journal.made.commit,
        "branch": journal.made.branch,
        "message": journal.message,
        "files": journal.files,
        "count": journal.count,
        "ms": millis,
        "sandbox": true,
        "kept_on": journal.kept,
    });
    let event =
        NewEvent::new(EventKind::Commit, &journal.actor, data).environment(&journal.environment);
    let mut change = Change::new()
        .event(event)
        .delete(PREPARED, &journal.made.commit);
    if let Some(branch) = &journal.kept {
        let data = json!({
            "message": format!("the other side is kept on the branch {branch}"),
            "kept": branch,
        });
        change = change.event(
            NewEvent::new(EventKind::Notice, "sayso", data).environment(&journal.environment),
        );
    }
    change.store(&conductor.log).await.map(drop)
}

impl Conductor {
    /// Finishes commits to the sandbox that an earlier process was cut off in.
    pub(super) async fn recover_sandbox(self: &Arc<Self>) -> Result<(), Problem> {
        if journals(&self.log)?.is_empty() {
            return Ok(());
        }
        let sandbox =
            Sandbox::open(self.sandboxed()?.git.clone(), &self.config.watch.branch).await?;
        finish_all(self, &sandbox).await
    }
}
