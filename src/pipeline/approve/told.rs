//! What the log is told of a commit.

use std::time::Instant;

use serde_json::{Value, json};

use crate::model::{EventKind, NewEvent, Problem};
use crate::pipeline::records::Journal;
use crate::vcs::Committed;

/// A problem as events tell it.
pub(super) fn told(problem: &Problem) -> Value {
    json!({ "message": problem.detail, "hint": problem.hint, "type": problem.kind })
}

/// That the commit was made.
pub(super) fn commit_event(journal: &Journal, committed: &Committed, began: Instant) -> NewEvent {
    NewEvent::new(
        EventKind::Commit,
        &journal.actor,
        json!({
            "commit": committed.commit,
            "proposals": journal.proposals,
            "branch": journal.prepared.branch,
            "message": journal.message,
            "files": journal.files,
            "output": committed.output,
            "kept": committed.kept,
            "trouble": committed.trouble.as_ref().map(told),
            "ms": u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        }),
    )
}
