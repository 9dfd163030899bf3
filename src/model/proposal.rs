//! The proposal: a change as a document that people review before anything happens.

use std::collections::BTreeSet;

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
    /// Changed lines that stay out of a hunk that is accepted for the rest: indices into `lines`, ascending. Empty
    /// for a hunk that is accepted or left out as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<usize>,
}

impl Hunk {
    /// True when the line at `at` goes along with an approval (a line of context goes with its hunk).
    pub fn takes(&self, at: usize) -> bool {
        self.decision == Decision::Accepted && self.left_out.binary_search(&at).is_err()
    }

    /// Records a decision: on the whole hunk, or only on its changed lines among `lines`.
    ///
    /// Taking lines of a hunk that is left out takes these alone; leaving out the last changed line leaves out the
    /// hunk. Indices of context or beyond the end change nothing.
    pub fn decide(&mut self, lines: Option<&[usize]>, decision: Decision) {
        let Some(lines) = lines else {
            self.decision = decision;
            self.left_out.clear();
            return;
        };
        let changed = |at: &usize| {
            let line = self.lines.get(*at);
            line.is_some_and(|line| line.tag != LineTag::Context)
        };
        let all: Vec<usize> = (0..self.lines.len()).filter(changed).collect();
        let mut out: BTreeSet<usize> = match self.decision {
            Decision::Accepted => self.left_out.iter().copied().collect(),
            Decision::Rejected => all.iter().copied().collect(),
        };
        for at in lines.iter().filter(|at| changed(at)) {
            match decision {
                Decision::Accepted => out.remove(at),
                Decision::Rejected => out.insert(*at),
            };
        }
        let nothing_left = !all.is_empty() && out.len() == all.len();
        if all.is_empty() || nothing_left {
            if nothing_left {
                self.decision = Decision::Rejected;
            }
            self.left_out.clear();
        } else {
            self.decision = Decision::Accepted;
            self.left_out = out.into_iter().collect();
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn hunk() -> Hunk {
        let line = |tag| DiffLine {
            tag,
            text: String::new(),
            no_newline: false,
        };
        Hunk {
            id: "a".into(),
            old_start: 1,
            old_lines: 3,
            new_start: 1,
            new_lines: 4,
            lines: vec![
                line(LineTag::Context),
                line(LineTag::Delete),
                line(LineTag::Insert),
                line(LineTag::Insert),
                line(LineTag::Context),
            ],
            decision: Decision::Accepted,
            left_out: Vec::new(),
        }
    }

    #[test]
    fn lines_are_left_out_and_taken_back() {
        let mut hunk = hunk();
        hunk.decide(Some(&[0, 2, 9]), Decision::Rejected);
        assert_eq!(
            (hunk.decision, &hunk.left_out[..]),
            (Decision::Accepted, &[2][..])
        );
        assert!(hunk.takes(1) && !hunk.takes(2) && hunk.takes(3));
        hunk.decide(Some(&[1, 3]), Decision::Rejected);
        assert_eq!(
            (hunk.decision, hunk.left_out.len()),
            (Decision::Rejected, 0)
        );
        hunk.decide(Some(&[3]), Decision::Accepted);
        assert_eq!(
            (hunk.decision, &hunk.left_out[..]),
            (Decision::Accepted, &[1, 2][..])
        );
        hunk.decide(None, Decision::Accepted);
        assert!(hunk.left_out.is_empty());
    }
}
