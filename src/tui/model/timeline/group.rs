//! Rows that belong together: what one instruction, or one deployment by hand, led to.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::{Row, Tone};
use crate::model::{Event, EventKind};

/// What the rows of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// An instruction.
    Instruction(String),
    /// A deployment that no instruction asked for.
    Deployment(String),
    /// Nothing: what happened beside it all.
    Loose,
}

impl Key {
    /// The key of an event.
    pub fn of(event: &Event) -> Self {
        match (&event.instruction, &event.deployment) {
            (Some(instruction), _) => Self::Instruction(instruction.to_string()),
            (None, Some(deployment)) => Self::Deployment(deployment.to_string()),
            (None, None) => Self::Loose,
        }
    }
}

/// Rows that belong together, oldest first.
#[derive(Clone, Debug)]
pub struct Group {
    /// What they have in common.
    pub key: Key,
    /// The rows.
    pub rows: VecDeque<Row>,
    /// Whether the person opened or closed it; else it is open while it is the newest.
    pub open: Option<bool>,
}

impl Group {
    /// A group of one.
    pub fn new(key: Key, row: Row) -> Self {
        Self {
            key,
            rows: VecDeque::from([row]),
            open: None,
        }
    }

    /// The rows that pass the filter.
    pub fn passing(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.rows.iter().filter(|row| row.passes)
    }

    /// True when it has a heading: more than one row is shown of it.
    pub fn headed(&self) -> bool {
        self.key != Key::Loose && self.passing().nth(1).is_some()
    }

    /// What it is about: the words that began it, else what its first row says.
    pub fn title(&self) -> &str {
        let words = self.rows.iter().find(|row| {
            matches!(
                row.kind,
                EventKind::Transcript | EventKind::Intent | EventKind::Proposal
            )
        });
        words
            .or_else(|| self.rows.front())
            .map_or("", |row| row.text.as_str())
    }

    /// How it ended, so far: the worst or the last that matters.
    pub fn tone(&self) -> Tone {
        // A proposal that was brought back is open, whatever became of it before.
        let tells = |row: &&Row| row.tone != Tone::Plain || row.kind == EventKind::ProposalUpdated;
        let last = self.rows.iter().rev().find(tells);
        last.map_or(Tone::Plain, |row| row.tone)
    }

    /// When it began.
    pub fn begun(&self) -> Option<Timestamp> {
        self.rows.front().map(|row| row.at)
    }

    /// Milliseconds from its first to its last event.
    pub fn took(&self) -> Option<u64> {
        let (first, last) = (self.rows.front()?, self.rows.back()?);
        u64::try_from(last.until.as_millisecond() - first.at.as_millisecond()).ok()
    }

    /// The newest row whose kind says where it stands.
    pub fn standing(&self) -> &'static str {
        for row in self.rows.iter().rev() {
            return match row.kind {
                EventKind::DeployComplete => "live",
                EventKind::DeployError => "failed",
                EventKind::DeployStart | EventKind::DeployProgress => "deploying",
                EventKind::Commit => "committed",
                EventKind::Rejected => "rejected",
                EventKind::Canceled => "stopped",
                EventKind::Rollback => "taken back",
                EventKind::Error if row.tone == Tone::Warn => "refused",
                EventKind::Error => "failed",
                EventKind::Proposal | EventKind::ProposalUpdated => "proposed",
                EventKind::Approved => "approved",
                EventKind::Intent => "understood",
                EventKind::Transcript => "heard",
                EventKind::Check | EventKind::Health | EventKind::Notice | EventKind::Promote => {
                    continue;
                }
            };
        }
        ""
    }
}
