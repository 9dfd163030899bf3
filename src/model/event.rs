//! The event: the unit of truth. Every step of every instruction is one.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::id::{DeploymentId, InstructionId, ProposalId};

/// What happened. The text form is the SSE `event:` name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Sound became text: `{text, ms, seconds, engine}`.
    Transcript,
    /// Text became meaning: `{text, intent, reading, question?, heard?, sure?, corrects?}`; `heard` is the
    /// [`Hearing`](super::Hearing) of spoken words.
    Intent,
    /// A change is proposed: the [`Proposal`](super::Proposal) plus `patch`.
    Proposal,
    /// A proposal changed (edited, revised, decided): as `proposal`.
    ProposalUpdated,
    /// Someone accepted: `{hunks, action, message}`; with a `deployment` it was let through to its environment:
    /// `{action, rule, approvals, missing, release, over, since, changed, files}`.
    Approved,
    /// Someone declined: `{reason}`.
    Rejected,
    /// A check ran: `{name, ok, ms, output, message, kept?, skipped?}`.
    Check,
    /// A commit was made: `{commit, branch, message, files, output}`.
    Commit,
    /// A deployment began: `{target, commit, force, promotion?, during_freeze?}`.
    DeployStart,
    /// A deployment moved on: see [`Progress`](super::Progress).
    DeployProgress,
    /// A deployment is live and verified: `{url, release, commit, total_ms, stages}`.
    DeployComplete,
    /// A deployment failed: `{stage, message, hint, log_tail}`.
    DeployError,
    /// Health was probed: `{ok, status, ms, url, message}`.
    Health,
    /// A release moved to another environment: `{from, to, release, over, approvals, anew, automatic}`.
    Promote,
    /// An environment went back: `{from, to, automatic, reason}`.
    Rollback,
    /// Something was stopped: `{reason}`.
    Canceled,
    /// A message for people: `{message}`.
    Notice,
    /// Something failed or was refused: `{message, hint, reason?, candidates?}`.
    Error,
}

impl EventKind {
    /// Every kind, in the order of the contract.
    pub const ALL: [EventKind; 18] = [
        EventKind::Transcript,
        EventKind::Intent,
        EventKind::Proposal,
        EventKind::ProposalUpdated,
        EventKind::Approved,
        EventKind::Rejected,
        EventKind::Check,
        EventKind::Commit,
        EventKind::DeployStart,
        EventKind::DeployProgress,
        EventKind::DeployComplete,
        EventKind::DeployError,
        EventKind::Health,
        EventKind::Promote,
        EventKind::Rollback,
        EventKind::Canceled,
        EventKind::Notice,
        EventKind::Error,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Transcript => "transcript",
            EventKind::Intent => "intent",
            EventKind::Proposal => "proposal",
            EventKind::ProposalUpdated => "proposal_updated",
            EventKind::Approved => "approved",
            EventKind::Rejected => "rejected",
            EventKind::Check => "check",
            EventKind::Commit => "commit",
            EventKind::DeployStart => "deploy_start",
            EventKind::DeployProgress => "deploy_progress",
            EventKind::DeployComplete => "deploy_complete",
            EventKind::DeployError => "deploy_error",
            EventKind::Health => "health",
            EventKind::Promote => "promote",
            EventKind::Rollback => "rollback",
            EventKind::Canceled => "canceled",
            EventKind::Notice => "notice",
            EventKind::Error => "error",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("unknown event type {text:?}"))
    }
}

/// An event as it stands in the log and on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the log: starts at 1, no gaps.
    pub seq: u64,
    /// When it was appended.
    pub at: Timestamp,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The project it belongs to.
    pub project: String,
    /// The instruction that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<InstructionId>,
    /// The proposal it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalId>,
    /// The deployment it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentId>,
    /// The environment it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Who acted: a person's name, or `sayso` for what the program did by itself.
    pub actor: String,
    /// The kind's own fields.
    pub data: Value,
}

/// An event that is not in the log yet.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// What happened.
    pub kind: EventKind,
    /// The instruction that caused it.
    pub instruction: Option<InstructionId>,
    /// The proposal it is about.
    pub proposal: Option<ProposalId>,
    /// The deployment it is about.
    pub deployment: Option<DeploymentId>,
    /// The environment it is about.
    pub environment: Option<String>,
    /// Who acted.
    pub actor: String,
    /// The kind's own fields.
    pub data: Value,
}

impl NewEvent {
    /// An event of `kind` by `actor` with `data` and nothing else set.
    pub fn new(kind: EventKind, actor: impl Into<String>, data: Value) -> Self {
        Self {
            kind,
            instruction: None,
            proposal: None,
            deployment: None,
            environment: None,
            actor: actor.into(),
            data,
        }
    }

    /// Names the instruction.
    pub fn instruction(mut self, id: Option<&InstructionId>) -> Self {
        self.instruction = id.cloned();
        self
    }

    /// Names the proposal.
    pub fn proposal(mut self, id: Option<&ProposalId>) -> Self {
        self.proposal = id.cloned();
        self
    }

    /// Names the deployment.
    pub fn deployment(mut self, id: Option<&DeploymentId>) -> Self {
        self.deployment = id.cloned();
        self
    }

    /// Names the environment.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }
}

/// A place in the log: the SSE `id:` field, `<epoch>-<seq>`.
///
/// The epoch changes when the log is created anew or restored; a cursor of another epoch means nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Which log.
    pub epoch: String,
    /// The last event seen.
    pub seq: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || format!("{text:?} is not a cursor (expected <epoch>-<seq>)");
        let (epoch, seq) = text.rsplit_once('-').ok_or_else(malformed)?;
        let plain = |c: char| c.is_ascii_alphanumeric();
        if epoch.is_empty() || epoch.len() > 64 || !epoch.chars().all(plain) {
            return Err(malformed());
        }
        let seq = seq.parse().map_err(|_| malformed())?;
        Ok(Self {
            epoch: epoch.to_owned(),
            seq,
        })
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_round_trip_through_their_wire_name() {
        for kind in EventKind::ALL {
            assert_eq!(kind.as_str().parse::<EventKind>(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn cursors_round_trip_and_bad_ones_are_refused() {
        let cursor = Cursor {
            epoch: "k3f9".into(),
            seq: 42,
        };
        assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        for bad in ["", "42", "-42", "a-", "a-b", "a b-1", "a-1\n"] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad:?}");
        }
    }
}
