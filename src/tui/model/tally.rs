//! What an approval would take, counted.

use crate::model::{Decision, Hunk, LineTag, ProposedFile};

/// Lines, hunks and files that are taken, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Hunks of which something is taken.
    pub taken: usize,
    /// All hunks.
    pub hunks: usize,
    /// True when lines are left out of a hunk that is taken.
    pub partly: bool,
    /// Files of which something is taken.
    pub files_taken: usize,
    /// Lines that are added and removed by what is taken.
    pub added: usize,
    /// As above.
    pub removed: usize,
}

impl Tally {
    /// Counts.
    pub fn of(files: &[ProposedFile]) -> Self {
        let mut tally = Self::default();
        for file in files {
            let mut any = false;
            for hunk in &file.hunks {
                tally.hunks += 1;
                if hunk.decision == Decision::Accepted {
                    any = true;
                    tally.taken += 1;
                    tally.partly |= !hunk.left_out.is_empty();
                    let (added, removed) = changes(hunk);
                    tally.added += added;
                    tally.removed += removed;
                }
            }
            tally.files_taken += usize::from(any);
        }
        tally
    }
}

/// Lines that a hunk adds and removes, without those that are left out.
pub fn changes(hunk: &Hunk) -> (usize, usize) {
    let count = |tag: LineTag| hunk.lines.iter().filter(|line| line.tag == tag).count();
    let out = |tag: LineTag| {
        let lines = hunk.left_out.iter().filter_map(|at| hunk.lines.get(*at));
        lines.filter(|line| line.tag == tag).count()
    };
    let kept = |tag| count(tag).saturating_sub(out(tag));
    (kept(LineTag::Insert), kept(LineTag::Delete))
}

/// `+12 −3`, for people.
pub fn signed(added: usize, removed: usize) -> String {
    format!("+{added} −{removed}")
}
