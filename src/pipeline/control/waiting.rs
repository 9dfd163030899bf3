//! Words about what waits before an environment, and about moving a release on.

use super::{Act, Plan, Situation, ask, short};
use crate::model::{Deployment, ReleaseId};

/// What a promotion would move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotes {
    /// The environment that it comes from.
    pub from: String,
    /// The release.
    pub release: ReleaseId,
    /// Its commit.
    pub commit: String,
    /// What the environment serves that it goes to.
    pub over: Option<ReleaseId>,
}

const NO_WAITING: &str = "no promotion and no deployment waits for approval";

/// Words that name what waits before an environment, and not a proposal.
pub(super) fn names_waiting(phrase: &str) -> bool {
    let last = phrase.rsplit(' ').next().unwrap_or_default();
    ["promotion", "deployment", "release"].contains(&last)
}

/// The question about a deployment that waits: what it is, and what differs since what is served.
pub(super) fn waiting_text(waiting: &Deployment, verb: &str) -> String {
    let subject = super::super::gate_words::subject(waiting);
    let Some(gate) = &waiting.gate else {
        return format!("{verb} {subject}?");
    };
    let files = match gate.changed {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    match &gate.since {
        Some(since) if !since.is_empty() => {
            format!("{verb} {subject} ({files} changed since {})?", short(since))
        }
        _ => format!("{verb} {subject} (the first one there)?"),
    }
}

pub(super) fn approve_waiting(at: &Situation<'_>) -> Plan {
    let Some(waiting) = at.waiting else {
        return Plan::Nothing(NO_WAITING.into());
    };
    let act = Act::Let {
        deployment: waiting.id.clone(),
        over: waiting.gate.as_ref().and_then(|gate| gate.over.clone()),
    };
    ask(at, "approve", waiting_text(waiting, "Approve"), act)
}

pub(super) fn decline_waiting(at: &Situation<'_>) -> Plan {
    match at.waiting {
        Some(waiting) => {
            let act = Act::Decline(waiting.id.clone());
            ask(at, "decline", waiting_text(waiting, "Decline"), act)
        }
        None => Plan::Nothing(NO_WAITING.into()),
    }
}

pub(super) fn promote(at: &Situation<'_>) -> Plan {
    let promotes = match &at.promotes {
        Ok(promotes) => promotes.clone(),
        Err(why) => return Plan::Nothing(why.clone()),
    };
    let Promotes {
        from,
        release,
        commit,
        over,
    } = promotes;
    let text = format!(
        "Promote {release} (commit {}) from {from} to {}?",
        short(&commit),
        at.environment
    );
    let act = Act::Promote {
        from,
        release,
        over,
    };
    ask(at, "promote", text, act)
}
