//! Deciding a proposal: approving, rejecting, taking and leaving out, undoing.

use super::Turn;
use crate::client::outbox::Asked;
use crate::model::api::{Approval, Decide, ProposalView};
use crate::model::{Action, Decision, Problem, ProposalId};
use crate::tui::keymap::{Command, Context};
use crate::tui::message::Effect;
use crate::tui::model::reviews::{Mark, Step, store, towards};
use crate::tui::model::rows::DiffRow;
use crate::tui::model::{Deciding, Overlay, Pane, Review, Tone};

impl Turn<'_> {
    /// Approves the proposal on the screen, if it has been on the screen in this very version.
    pub(super) fn approve(&mut self, action: Option<Action>) {
        let Some(review) = self.m.review() else {
            self.m.overlay = None;
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
            if matches!(self.m.overlay, Some(Overlay::Summary(_))) {
                self.m.overlay = None;
                self.say(
                    Tone::Warn,
                    "the proposal changed meanwhile: look again, then approve",
                );
            }
            return;
        }
        if self.m.busy.proposal.is_some() {
            self.say(Tone::Plain, "one moment: the last answer is on its way");
            return;
        }
        if self.nothing_taken() || self.waits_already(&id) {
            return;
        }
        let Some(review) = self.m.review() else {
            return;
        };
        if self.written_meanwhile(review) {
            self.m.overlay = None;
            self.say(
                Tone::Warn,
                "somebody writes in it: look at the new lines, then approve",
            );
            return;
        }
        let version = review.version();
        let pending = self.m.reviews.pending(&id);
        self.m.overlay = None;
        self.m.reading = false;
        if pending > 0 {
            self.m.busy.approve_after = Some((id, action, version.saturating_add(pending)));
            return;
        }
        self.send_approval(id, action);
    }

    /// Says so when every hunk is left out; true then.
    pub(super) fn nothing_taken(&mut self) -> bool {
        let tally = self.m.review().map(|review| &review.tally);
        let nothing = tally.is_some_and(|tally| tally.taken == 0 && tally.hunks > 0);
        if nothing {
            self.say(
                Tone::Warn,
                "every hunk is left out: take one (s), or reject the proposal (x)",
            );
        }
        nothing
    }

    pub(super) fn send_approval(&mut self, id: ProposalId, action: Action) {
        let message = self.m.message_of(&id).map(str::to_owned);
        let state_vector = self.m.team.state_vector(&id);
        let keeps = self.keeps();
        let Some(review) = self.m.reviews.find(&id) else {
            return;
        };
        let approval = Approval {
            hunks: Some(review.accepted()),
            action: Some(action),
            message,
            environment: None,
            version: Some(review.version()),
            // The texts of the document were compared with what is on the screen.
            state_vector,
        };
        if keeps {
            let title = review.view.proposal.title.clone();
            let asked = Asked::Approval {
                proposal: id,
                title,
                approval,
            };
            self.enqueue(asked, "committing");
            return;
        }
        self.begin_work("committing");
        self.m.busy.proposal = Some(id.clone());
        self.out.push(Effect::Approve(id, approval));
    }

    pub(super) fn reject(&mut self) {
        let Some(review) = self.m.review() else {
            self.m.overlay = None;
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
        let title = review.view.proposal.title.clone();
        if self.waits_already(&id) {
            return;
        }
        self.m.overlay = None;
        self.m.reviews.reject(&id);
        if self.keeps() {
            let asked = Asked::Rejection {
                proposal: id,
                title,
            };
            self.enqueue(asked, "rejecting");
            return;
        }
        self.m.busy.proposal = Some(id.clone());
        self.out.push(Effect::Reject(id));
    }

    /// The key that brings back what was rejected, as the end of a sentence.
    pub(super) fn way_back(&self) -> String {
        let keymap = &self.m.settings.keymap;
        let key = keymap.shown(Context::Cockpit, Command::UndoDecision);
        key.map_or(String::new(), |key| format!("; {key} brings it back"))
    }

    /// A rejected proposal is open again, or not.
    pub(super) fn reopened(&mut self, id: &ProposalId, result: Result<ProposalView, Problem>) {
        if self.m.busy.proposal.as_ref() == Some(id) {
            self.m.busy.proposal = None;
        }
        match result {
            Ok(view) => {
                self.m.reviews.put(view);
                self.m.reviews.show(id);
                self.m.card = None;
                self.show_pane(Pane::Proposal);
                self.say(Tone::Good, "the proposal waits again");
            }
            Err(problem) => {
                self.m.reviews.forget(id);
                self.failed("the proposal was not opened again", &problem);
            }
        }
    }

    /// The review whose hunks may be decided now.
    fn deciding(&mut self) -> Option<&mut Review> {
        if self.m.card.is_some() || self.m.busy.proposal.is_some() {
            return None;
        }
        self.m.reviews.current_mut()
    }

    pub(super) fn toggle_hunk(&mut self) {
        let Some(review) = self.deciding() else {
            return;
        };
        let Some((_, hunk)) = review.current() else {
            return;
        };
        let decision = match hunk.decision {
            Decision::Accepted => Decision::Rejected,
            Decision::Rejected => Decision::Accepted,
        };
        let what = format!("hunk {}", review.selected + 1);
        let hunks = vec![hunk.id.clone()];
        self.decide(
            what,
            vec![Decide {
                hunks,
                lines: None,
                decision,
            }],
        );
    }

    /// Decides on the selected lines, else on the file whose heading the cursor is on, else on the selected hunk.
    pub(super) fn decide_selected(&mut self, decision: Decision) {
        let full = self.m.full_view();
        let Some(review) = self.deciding() else {
            return;
        };
        if full && let Some(anchor) = review.anchor.take() {
            let ops = selected(review, anchor, decision);
            if ops.is_empty() {
                self.say(Tone::Plain, "no changed line is selected");
            } else {
                self.decide("the selected lines".to_owned(), ops);
            }
            return;
        }
        if full && let DiffRow::File(file) = review.rows().row(review.cursor) {
            return self.decide_file(Some(file), decision);
        }
        let Some((_, hunk)) = review.current() else {
            return;
        };
        let what = format!("hunk {}", review.selected + 1);
        let hunks = vec![hunk.id.clone()];
        self.decide(
            what,
            vec![Decide {
                hunks,
                lines: None,
                decision,
            }],
        );
    }

    /// Decides on a whole file: the one named, else that of the cursor.
    pub(super) fn decide_file(&mut self, file: Option<usize>, decision: Decision) {
        let full = self.m.full_view();
        let Some(review) = self.deciding() else {
            return;
        };
        let cursor = full
            .then(|| review.rows().row(review.cursor).file())
            .flatten();
        let selected = || review.rows().hunk(review.selected).map(|(file, _)| file);
        let Some(file) = file.or(cursor).or_else(selected) else {
            return;
        };
        let file = &review.view.proposal.files[file];
        let what = crate::tui::text::clean(&file.path).into_owned();
        let hunks: Vec<String> = file.hunks.iter().map(|hunk| hunk.id.clone()).collect();
        if hunks.is_empty() {
            return;
        }
        self.decide(
            what,
            vec![Decide {
                hunks,
                lines: None,
                decision,
            }],
        );
    }

    /// Records decisions at once, and sends them one after the other.
    fn decide(&mut self, what: String, ops: Vec<Decide>) {
        let Some(review) = self.deciding() else {
            return;
        };
        let id = review.id().clone();
        let touched = |review: &Review| -> Vec<Mark> {
            let named = |id: &String| ops.iter().any(|op| op.hunks.contains(id));
            let hunks = review.hunks().filter(|(_, _, hunk)| named(&hunk.id));
            hunks.map(|(_, _, hunk)| Mark::of(hunk)).collect()
        };
        let before = touched(review);
        for op in &ops {
            review.decide(&op.hunks, op.lines.as_deref(), op.decision);
        }
        let after = touched(review);
        if before == after {
            self.say(Tone::Plain, format!("{what}: that is so already"));
            return;
        }
        self.m.reviews.did(Step::Decided {
            proposal: id.clone(),
            what,
            before,
            after,
        });
        self.queue(&id, ops);
    }

    fn queue(&mut self, id: &ProposalId, ops: Vec<Decide>) {
        // The person changed their mind about what the approval that waits would take.
        self.m.busy.approve_after = None;
        let idle = self.m.reviews.deciding.is_empty();
        let deciding = &mut self.m.reviews.deciding;
        deciding.extend(ops.into_iter().map(|decide| Deciding {
            proposal: id.clone(),
            decide,
        }));
        if idle {
            self.send_decision();
        }
    }

    /// Sends the oldest decision that the server does not know; each waits for the one before it.
    pub(super) fn send_decision(&mut self) {
        if let Some(next) = self.m.reviews.deciding.front() {
            let effect = Effect::Decide(next.proposal.clone(), next.decide.clone());
            self.out.push(effect);
        }
    }

    /// Takes the last review decision back, or does again what was taken back.
    pub(super) fn undo_decision(&mut self, back: bool) {
        if self.m.busy.proposal.is_some() || self.m.reviews.editing.is_some() {
            self.say(Tone::Plain, "one moment: the last answer is on its way");
            return;
        }
        let reviews = &mut self.m.reviews;
        let from = if back {
            &mut reviews.undo
        } else {
            &mut reviews.redo
        };
        let Some(step) = from.pop() else {
            let what = if back {
                "nothing was decided yet"
            } else {
                "nothing was undone"
            };
            self.say(Tone::Plain, what);
            return;
        };
        let id = step.proposal().clone();
        let pending = reviews.pending(&id) > 0;
        if pending && matches!(step, Step::Edited { .. }) {
            from_again(reviews, back, step);
            self.say(Tone::Plain, "one moment: decisions are on their way");
            return;
        }
        self.m.card = None;
        self.m.reviews.show(&id);
        let word = if back { "undone" } else { "done again" };
        match &step {
            Step::Decided {
                what,
                before,
                after,
                ..
            } => {
                let Some(review) = self.m.reviews.find(&id) else {
                    return;
                };
                let there = |mark: &&Mark| review.hunks().any(|(_, _, hunk)| hunk.id == mark.hunk);
                let marks = if back { before } else { after };
                let marks: Vec<Mark> = marks.iter().filter(there).cloned().collect();
                if marks.is_empty() {
                    self.say(
                        Tone::Plain,
                        format!("{what} is not in the proposal any more"),
                    );
                    return;
                }
                let ops = towards(&marks);
                for op in &ops {
                    review.decide(&op.hunks, op.lines.as_deref(), op.decision);
                }
                self.queue(&id, ops);
                self.say(Tone::Plain, format!("{word}: {what}"));
            }
            Step::Edited {
                path,
                before,
                after,
                ..
            } => {
                let Some(review) = self.m.reviews.find(&id) else {
                    return;
                };
                let text = if back { before } else { after };
                let edit = store(review, path, text.clone());
                self.m.reviews.editing = Some((id.clone(), path.clone(), String::new(), true));
                self.out.push(Effect::EditText(id, edit));
                self.say(Tone::Plain, format!("{word}: the edit of {path}"));
            }
            Step::Shared { path, from, to, .. } => {
                if !self.undo_shared(&id, (*from, *to), back) {
                    self.say(
                        Tone::Plain,
                        format!("nothing of the edit of {path} can be {word} any more"),
                    );
                    return;
                }
                self.say(Tone::Plain, format!("{word}: your edit of {path}"));
            }
            Step::Rejected { .. } => {
                self.m.busy.proposal = Some(id.clone());
                self.m.reading = false;
                self.out.push(if back {
                    Effect::Reopen(id)
                } else {
                    Effect::Reject(id)
                });
            }
        }
        let reviews = &mut self.m.reviews;
        if back {
            reviews.redo.push(step);
        } else {
            reviews.undo.push(step);
        }
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

fn from_again(reviews: &mut crate::tui::model::Reviews, back: bool, step: Step) {
    if back {
        reviews.undo.push(step);
    } else {
        reviews.redo.push(step);
    }
}

/// The decisions on the changed lines between `anchor` and the cursor; all changed lines of a hunk are the hunk.
fn selected(review: &Review, anchor: usize, decision: Decision) -> Vec<Decide> {
    let rows = anchor.min(review.cursor)..=anchor.max(review.cursor);
    let mut ops: Vec<Decide> = Vec::new();
    for at in rows {
        let row = review.rows().row(at);
        let Some((file, hunk)) = row.hunk() else {
            continue;
        };
        let hunk = &review.view.proposal.files[file].hunks[hunk];
        if matches!(row, DiffRow::NoNewline(..)) {
            continue;
        }
        let changed = |line: &usize| hunk.lines[*line].tag != crate::model::LineTag::Context;
        let lines: Vec<usize> = row.lines().into_iter().flatten().filter(changed).collect();
        if lines.is_empty() {
            continue;
        }
        match ops.last_mut().filter(|op| op.hunks[0] == hunk.id) {
            Some(op) => op.lines.get_or_insert_default().extend(lines),
            None => ops.push(Decide {
                hunks: vec![hunk.id.clone()],
                lines: Some(lines),
                decision,
            }),
        }
    }
    for op in &mut ops {
        let lines = op.lines.get_or_insert_default();
        lines.sort_unstable();
        lines.dedup();
        let hunk = review.hunks().find(|(_, _, hunk)| hunk.id == op.hunks[0]);
        let all = hunk.is_some_and(|(_, _, hunk)| {
            let changed =
                |line: &&crate::model::DiffLine| line.tag != crate::model::LineTag::Context;
            hunk.lines.iter().filter(changed).count() == lines.len()
        });
        if all {
            op.lines = None;
        }
    }
    ops
}
