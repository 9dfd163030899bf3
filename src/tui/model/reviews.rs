//! The proposals that wait for a person, the decisions on their way to the server, and how to take them back.

use std::collections::VecDeque;

use super::review::Review;
use crate::model::api::{Decide, EditText, ProposalView};
use crate::model::{Decision, Hunk, ProposalId};

/// Review decisions that can be taken back.
const STEPS: usize = 1_000;

/// A decision that the server does not know yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Deciding {
    /// The proposal.
    pub proposal: ProposalId,
    /// What was decided on what.
    pub decide: Decide,
}

/// What was decided on a hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The hunk.
    pub hunk: String,
    /// Taken or left out.
    pub decision: Decision,
    /// Lines left out of it.
    pub left_out: Vec<usize>,
}

impl Mark {
    /// The mark of a hunk.
    pub fn of(hunk: &Hunk) -> Self {
        Self {
            hunk: hunk.id.clone(),
            decision: hunk.decision,
            left_out: hunk.left_out.clone(),
        }
    }
}

/// A review decision that can be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Hunks or lines were taken or left out.
    Decided {
        /// The proposal.
        proposal: ProposalId,
        /// What it was, for people.
        what: String,
        /// How it was before.
        before: Vec<Mark>,
        /// How it was after.
        after: Vec<Mark>,
    },
    /// A text was edited.
    Edited {
        /// The proposal.
        proposal: ProposalId,
        /// The file.
        path: String,
        /// The proposed text before.
        before: String,
        /// The proposed text after.
        after: String,
    },
    /// A text was edited together with others, in these steps of the shared document.
    Shared {
        /// The proposal.
        proposal: ProposalId,
        /// The file.
        path: String,
        /// How many steps could be taken back before it.
        from: usize,
        /// And after it.
        to: usize,
    },
    /// All of it was rejected.
    Rejected {
        /// The proposal.
        proposal: ProposalId,
    },
}

impl Step {
    /// The proposal that it is about.
    pub fn proposal(&self) -> &ProposalId {
        match self {
            Step::Decided { proposal, .. }
            | Step::Edited { proposal, .. }
            | Step::Shared { proposal, .. }
            | Step::Rejected { proposal } => proposal,
        }
    }
}

/// Everything that waits for a person, in the order it came.
#[derive(Clone, Debug, Default)]
pub struct Reviews {
    open: Vec<Review>,
    current: usize,
    /// Decisions on their way, the first one sent already.
    pub deciding: VecDeque<Deciding>,
    /// Decisions that can be taken back, the newest last.
    pub undo: Vec<Step>,
    /// Decisions that were taken back, the newest last.
    pub redo: Vec<Step>,
    /// The text before an edit that is under way, with the edit's proposal and file; `true` when undoing led to it.
    pub editing: Option<(ProposalId, String, String, bool)>,
}

impl Reviews {
    /// Number of open proposals.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// All, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Review> {
        self.open.iter()
    }

    /// The one on the screen.
    pub fn current(&self) -> Option<&Review> {
        self.open.get(self.current)
    }

    /// The one on the screen.
    pub fn current_mut(&mut self) -> Option<&mut Review> {
        self.open.get_mut(self.current)
    }

    /// Place of the one on the screen, from 0.
    pub fn place(&self) -> usize {
        self.current
    }

    /// The one called `id`.
    pub fn find(&mut self, id: &ProposalId) -> Option<&mut Review> {
        self.open.iter_mut().find(|review| review.id() == id)
    }

    /// The one called `id`.
    pub fn get(&self, id: &ProposalId) -> Option<&Review> {
        self.open.iter().find(|review| review.id() == id)
    }

    /// Decisions on `id` that are on their way.
    pub fn pending(&self, id: &ProposalId) -> u32 {
        let pending = self
            .deciding
            .iter()
            .filter(|deciding| deciding.proposal == *id);
        u32::try_from(pending.count()).unwrap_or(u32::MAX)
    }

    /// Takes a proposal, or a newer form of one; an older form changes nothing. Decisions on their way still show.
    pub fn put(&mut self, view: ProposalView) {
        let id = view.proposal.id.clone();
        let Some(known) = self.open.iter_mut().find(|review| *review.id() == id) else {
            self.open.push(Review::new(view));
            return;
        };
        if known.version() > view.proposal.version {
            return;
        }
        known.replace(view);
        for Deciding { decide, .. } in self
            .deciding
            .iter()
            .filter(|deciding| deciding.proposal == id)
        {
            known.decide(&decide.hunks, decide.lines.as_deref(), decide.decision);
        }
    }

    /// Puts the proposal `id` on the screen.
    pub fn show(&mut self, id: &ProposalId) {
        if let Some(at) = self.open.iter().position(|review| review.id() == id) {
            self.current = at;
        }
    }

    /// Steps to the next or previous one.
    pub fn step(&mut self, forward: bool) {
        let count = self.open.len();
        if count > 0 {
            self.current = (self.current + if forward { 1 } else { count - 1 }) % count;
        }
    }

    /// Drops the proposal `id`; true when it was there.
    pub fn close(&mut self, id: &ProposalId) -> bool {
        let Some(at) = self.open.iter().position(|review| review.id() == id) else {
            return false;
        };
        self.open.remove(at);
        if self.current > at {
            self.current -= 1;
        }
        self.current = self.current.min(self.open.len().saturating_sub(1));
        self.deciding.retain(|deciding| deciding.proposal != *id);
        if !self.is_rejected(id) {
            self.forget(id);
        }
        if self.editing.as_ref().is_some_and(|(of, ..)| of == id) {
            self.editing = None;
        }
        true
    }

    /// Notes that the person rejects the proposal `id`, which can be taken back.
    pub fn reject(&mut self, id: &ProposalId) {
        if !self.is_rejected(id) && self.get(id).is_some() {
            self.did(Step::Rejected {
                proposal: id.clone(),
            });
        }
    }

    /// True while the last that was done with the proposal `id` is that it was rejected.
    pub fn is_rejected(&self, id: &ProposalId) -> bool {
        let last = self.undo.iter().rev().find(|step| step.proposal() == id);
        matches!(last, Some(Step::Rejected { .. }))
    }

    /// The rejection of `id` did not come to pass.
    pub fn not_rejected(&mut self, id: &ProposalId) {
        let rejected = |step: &Step| matches!(step, Step::Rejected { proposal } if proposal == id);
        self.undo.retain(|step| !rejected(step));
    }

    /// Nothing that was decided on the proposal `id` can be taken back any more.
    pub fn forget(&mut self, id: &ProposalId) {
        self.undo.retain(|step| step.proposal() != id);
        self.redo.retain(|step| step.proposal() != id);
    }

    /// Makes the open proposals those of `views`; what is known keeps its place and scroll.
    pub fn sync(&mut self, views: Vec<ProposalView>) {
        let shown = self.current().map(|review| review.id().clone());
        let gone: Vec<ProposalId> = self
            .open
            .iter()
            .map(|review| review.id().clone())
            .filter(|id| !views.iter().any(|view| view.proposal.id == *id))
            .collect();
        for id in gone {
            self.close(&id);
        }
        for view in views {
            self.put(view);
        }
        match shown.filter(|id| self.open.iter().any(|review| review.id() == id)) {
            Some(id) => self.show(&id),
            None => self.current = self.open.len().saturating_sub(1),
        }
    }

    /// Notes a decision that can be taken back; what was taken back before it is forgotten.
    pub fn did(&mut self, step: Step) {
        if self.undo.len() == STEPS {
            self.undo.remove(0);
        }
        self.undo.push(step);
        self.redo.clear();
    }
}

/// The decisions that lead to `marks`.
pub fn towards(marks: &[Mark]) -> Vec<Decide> {
    let mut out = Vec::new();
    for decision in [Decision::Accepted, Decision::Rejected] {
        let hunks: Vec<String> = marks
            .iter()
            .filter(|mark| mark.decision == decision)
            .map(|mark| mark.hunk.clone())
            .collect();
        if !hunks.is_empty() {
            out.push(Decide {
                hunks,
                lines: None,
                decision,
            });
        }
    }
    for mark in marks.iter().filter(|mark| !mark.left_out.is_empty()) {
        out.push(Decide {
            hunks: vec![mark.hunk.clone()],
            lines: Some(mark.left_out.clone()),
            decision: Decision::Rejected,
        });
    }
    out
}

/// The request that stores `text` as the proposed text of a file.
pub fn store(review: &Review, path: &str, text: String) -> EditText {
    EditText {
        path: path.to_owned(),
        text,
        version: review.version(),
    }
}
