//! The proposal: a change as a document that people review before anything happens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{InstructionId, ProposalId};
use super::instruction::Action;

/// Where a change came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalKind {
    /// Made by a generator.
    Edit,
    /// The working tree's own changes, shown for approval ("commit that").
    WorkingTree,
    /// The inverse of an earlier commit ("undo that").
    Undo,
}

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalState {
    /// Waits for a person.
    Open,
    /// Approved; the commit is being made.
    Committing,
    /// Committed.
    Committed,
    /// Declined.
    Rejected,
}

/// One side of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// The file does not exist on this side.
    Absent,
    /// UTF-8 text, byte for byte as in git.
    Text {
        /// The whole text.
        text: String,
    },
    /// Anything else, kept in git's object store.
    Binary {
        /// Blob id.
        oid: String,
        /// Bytes.
        size: u64,
    },
}

impl Content {
    /// Text content.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            _ => None,
        }
    }

    /// True when the file does not exist on this side.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// What a person decided on a hunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Part of what an approval takes.
    #[default]
    Accepted,
    /// Left out.
    Rejected,
}

/// What a line of a hunk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineTag {
    /// On both sides.
    Context,
    /// Only on the old side.
    Delete,
    /// Only on the new side.
    Insert,
}

/// One line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffLine {
    /// What it does.
    pub tag: LineTag,
    /// The line without its `\n`; a `\r` before it is kept.
    pub text: String,
    /// True when the side's last line has no line feed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_newline: bool,
}

/// One acceptable piece of a proposal. Line numbers count from 1, as in a unified diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    /// Stable for the same change: 12 hex digits over path, old position and lines.
    pub id: String,
    /// First line on the old side.
    pub old_start: usize,
    /// Lines on the old side.
    pub old_lines: usize,
    /// First line on the new side.
    pub new_start: usize,
    /// Lines on the new side.
    pub new_lines: usize,
    /// The lines; empty for a binary file or a pure mode change, which are one hunk each.
    pub lines: Vec<DiffLine>,
    /// What was decided.
    pub decision: Decision,
}

/// A file of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedFile {
    /// Path from the root of the repository, `/` between parts.
    pub path: String,
    /// The file in the base commit.
    pub before: Content,
    /// The file as proposed.
    pub after: Content,
    /// git mode in the base (`100644`, `100755`, `120000`), 0 when absent.
    pub mode_before: u32,
    /// git mode as proposed, 0 when absent.
    pub mode_after: u32,
    /// The pieces.
    pub hunks: Vec<Hunk>,
}

/// A proposed change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its name.
    pub id: ProposalId,
    /// The instruction it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<InstructionId>,
    /// Counts up with every edit, decision and revision.
    pub version: u32,
    /// Where it came from.
    pub kind: ProposalKind,
    /// Where it stands.
    pub state: ProposalState,
    /// The commit it is based on; empty on a branch without commits.
    pub base: String,
    /// The branch it goes to, e.g. `main`.
    pub branch: String,
    /// What it does, in one line; the default commit message.
    pub title: String,
    /// What was understood, where, and why there.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Things to know before approving (uncommitted lines nearby, a repeated label …).
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Who made it: `offline`, a provider's name, `person`.
    pub engine: String,
    /// How far an approval takes it unless it says otherwise.
    pub action: Action,
    /// The files, sorted by path.
    pub files: Vec<ProposedFile>,
    /// The commit it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
