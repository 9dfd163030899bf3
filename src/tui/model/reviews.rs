//! The proposals that wait for a person, and the decisions on their way to the server.

use std::collections::VecDeque;

use super::review::Review;
use crate::model::api::ProposalView;
use crate::model::{Decision, ProposalId};

/// A decision that the server does not know yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deciding {
    /// The proposal.
    pub proposal: ProposalId,
    /// The hunk.
    pub hunk: String,
    /// What was decided.
    pub decision: Decision,
}

/// Everything that waits for a person, in the order it came.
#[derive(Clone, Debug, Default)]
pub struct Reviews {
    open: Vec<Review>,
    current: usize,
    /// Decisions on their way, the first one sent already.
    pub deciding: VecDeque<Deciding>,
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
        for deciding in self
            .deciding
            .iter()
            .filter(|deciding| deciding.proposal == id)
        {
            known.decide(&deciding.hunk, deciding.decision);
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
        true
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
}
