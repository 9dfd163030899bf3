//! Reading and deciding a proposal.

use super::Turn;
use crate::model::api::Approval;
use crate::model::{Action, Content, Decision, ProposalId};
use crate::tui::message::{EditRequest, Effect};
use crate::tui::model::{Deciding, Tone};
use crate::tui::view::layout;

impl Turn<'_> {
    /// Approves the proposal on the screen, if it has been on the screen in this very version.
    pub(super) fn approve(&mut self, action: Option<Action>) {
        let Some(review) = self.m.review() else {
            if self.m.card.is_none() {
                self.say(
                    Tone::Plain,
                    "nothing waits for an approval; say or type what should change",
                );
            } else {
                // The answer on the screen is no proposal: Enter puts it away and shows what is behind.
                self.m.card = None;
            }
            return;
        };
        let id = review.id().clone();
        let action = action.unwrap_or_else(|| self.m.approve_action(review));
        if self.m.seen.proposal.as_ref() != Some(&(id.clone(), review.version())) {
            return;
        }
        if self.m.busy.proposal.is_some() {
            self.say(Tone::Plain, "one moment: the last answer is on its way");
            return;
        }
        if review.accepted().is_empty() && review.count() > 0 {
            self.say(
                Tone::Warn,
                "every hunk is left out: take one (s), or reject the proposal (x)",
            );
            return;
        }
        let version = review.version();
        let pending = self.m.reviews.pending(&id);
        if pending > 0 {
            self.m.busy.approve_after = Some((id, action, version.saturating_add(pending)));
            return;
        }
        self.send_approval(id, action);
    }

    pub(super) fn send_approval(&mut self, id: ProposalId, action: Action) {
        let Some(review) = self.m.reviews.find(&id) else {
            return;
        };
        let approval = Approval {
            hunks: Some(review.accepted()),
            action: Some(action),
            message: None,
            environment: None,
            version: Some(review.version()),
        };
        self.begin_work("committing");
        self.m.busy.proposal = Some(id.clone());
        self.out.push(Effect::Approve(id, approval));
    }

    pub(super) fn reject(&mut self) {
        let Some(review) = self.m.review() else {
            if self.m.card.take().is_none() {
                self.say(Tone::Plain, "nothing waits to be rejected");
            }
            return;
        };
        let id = review.id().clone();
        let unseen = self.m.seen.proposal.as_ref().map(|(seen, _)| seen) != Some(&id);
        if unseen || self.m.busy.proposal.is_some() {
            return;
        }
        self.m.busy.proposal = Some(id.clone());
        self.out.push(Effect::Reject(id));
    }

    pub(super) fn toggle_hunk(&mut self) {
        if self.m.card.is_some() || self.m.busy.proposal.is_some() {
            return;
        }
        let Some(review) = self.m.reviews.current_mut() else {
            return;
        };
        let Some((_, hunk)) = review.current() else {
            return;
        };
        let decision = match hunk.decision {
            Decision::Accepted => Decision::Rejected,
            Decision::Rejected => Decision::Accepted,
        };
        let deciding = Deciding {
            proposal: review.id().clone(),
            hunk: hunk.id.clone(),
            decision,
        };
        review.decide(&deciding.hunk, decision);
        // The person changed their mind about what the approval that waits would take.
        self.m.busy.approve_after = None;
        self.m.reviews.deciding.push_back(deciding);
        if self.m.reviews.deciding.len() == 1 {
            self.send_decision();
        }
    }

    /// Sends the oldest decision that the server does not know; each waits for the one before it.
    pub(super) fn send_decision(&mut self) {
        if let Some(next) = self.m.reviews.deciding.front() {
            let effect = Effect::Decide(next.proposal.clone(), next.hunk.clone(), next.decision);
            self.out.push(effect);
        }
    }

    pub(super) fn step_hunk(&mut self, forward: bool) {
        let height = usize::from(layout::plan(self.m).proposal_body().height);
        if self.m.card.is_some() {
            return;
        }
        if let Some(review) = self.m.reviews.current_mut() {
            let to = if forward {
                Some(review.selected + 1)
            } else {
                review.selected.checked_sub(1)
            };
            if let Some(to) = to {
                review.select(to, height);
            }
        }
    }

    pub(super) fn step_proposal(&mut self, forward: bool) {
        if self.m.card.take().is_none() {
            self.m.reviews.step(forward);
        }
        if self.m.reviews.is_empty() {
            self.say(Tone::Plain, "no proposal waits");
        }
    }

    pub(super) fn edit(&mut self) {
        let Some(review) = self.m.review() else {
            self.say(Tone::Plain, "no proposal to edit");
            return;
        };
        let Some((file, hunk)) = review.current() else {
            self.say(Tone::Plain, "the proposal has no text to edit");
            return;
        };
        let Content::Text { text } = &file.after else {
            let path = file.path.clone();
            self.say(Tone::Warn, format!("{path} has no text to edit"));
            return;
        };
        let request = EditRequest {
            proposal: review.id().clone(),
            version: review.version(),
            path: file.path.clone(),
            text: text.clone(),
            line: hunk.new_start.max(1),
        };
        self.out.push(Effect::Edit(request));
    }

    /// Puts the instruction back into the line, to be said in other words.
    pub(super) fn revise(&mut self) {
        let heard = self.m.heard.as_ref();
        let review = self.m.review();
        let instruction = review.and_then(|review| review.view.proposal.instruction.clone());
        let words = heard
            .filter(|heard| review.is_none() || heard.instruction == instruction)
            .map(|heard| heard.text.clone());
        let revising = review.map(|review| review.id().clone());
        if words.is_none() && revising.is_none() {
            self.say(Tone::Plain, "nothing to try again");
            return;
        }
        if let Some(words) = words {
            self.m.line.remember(&words);
            // What the person was writing is not overwritten; Up brings the words.
            if self.m.line.text().is_empty() {
                self.m.line.set(&words);
            }
        }
        self.m.revising = revising;
        self.focus_input();
    }
}
