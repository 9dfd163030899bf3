//! Moving through a proposal: hunks, files, lines, the full view.

use super::{Turn, WHEEL};
use crate::tui::message::Mouse;
use crate::tui::model::rows::DiffRow;
use crate::tui::model::{Overlay, Pane, Summary, Tone};
use crate::tui::panes::diff;
use crate::tui::view::layout::{self, Plan};

impl Turn<'_> {
    /// Lines of the window that the proposal is read in.
    pub(super) fn reading_height(&self) -> usize {
        let plan = layout::plan(self.m);
        let body = if self.m.full_view() {
            diff::plan(self.m, &plan).body
        } else {
            plan.proposal_body()
        };
        usize::from(body.height)
    }

    pub(super) fn open_review(&mut self) {
        if self.m.review().is_none() && self.m.card.take().is_none() {
            self.say(Tone::Plain, "no proposal waits");
            return;
        }
        self.m.overlay = None;
        self.m.reading = true;
        self.m.pane = Pane::Proposal;
        let height = self.reading_height();
        if let Some(review) = self.m.reviews.current_mut() {
            let inside = review.rows().row(review.cursor).hunk();
            let place = inside.map(|(file, hunk)| review.place(file, hunk));
            if place != Some(review.selected) {
                review.select(review.selected, height);
            }
        }
    }

    /// Leaves one thing: the selection of lines, a notice, the full view.
    pub(super) fn close_review(&mut self) {
        let review = self.m.reviews.current_mut();
        if review.is_some_and(|review| review.anchor.take().is_some()) {
            return;
        }
        self.m.reading = false;
        self.m.pane = Pane::Proposal;
    }

    pub(super) fn select_lines(&mut self) {
        if !self.m.full_view() {
            self.open_review();
        }
        if let Some(review) = self.m.reviews.current_mut() {
            review.anchor = match review.anchor {
                Some(_) => None,
                None => Some(review.cursor),
            };
        }
    }

    pub(super) fn step_hunk(&mut self, forward: bool) {
        let height = self.reading_height();
        if self.m.card.is_some() {
            return;
        }
        let Some(review) = self.m.reviews.current_mut() else {
            return;
        };
        let at = review.rows().row(review.cursor);
        let inside = at.hunk().is_some() && !matches!(at, DiffRow::Hunk(..));
        let to = match forward {
            true => Some(review.selected + 1),
            // From inside a hunk first to its own heading, as everywhere else.
            false if inside && self.m.reading => Some(review.selected),
            false => review.selected.checked_sub(1),
        };
        if let Some(to) = to {
            review.select(to, height);
        }
    }

    pub(super) fn step_file(&mut self, forward: bool) {
        let height = self.reading_height();
        if self.m.card.is_some() {
            return;
        }
        let Some(review) = self.m.reviews.current_mut() else {
            return;
        };
        let here = review.rows().row(review.cursor);
        let to = match (here.file(), forward) {
            (None, true) => Some(0),
            (None, false) => None,
            (Some(file), true) => Some(file + 1),
            // From inside a file first to its own heading.
            (Some(file), false) if !matches!(here, DiffRow::File(_)) => Some(file),
            (Some(file), false) => file.checked_sub(1),
        };
        if let Some(row) = to.and_then(|file| review.rows().file_heading(file)) {
            review.go_to(row, height);
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

    /// Moves the cursor of the full view by rows, or by pages together with the window.
    pub(super) fn move_cursor(&mut self, by: i64, pages: bool, height: u16) {
        let height = usize::from(height);
        let Some(review) = self.m.reviews.current_mut() else {
            return;
        };
        let last = review.rows().len().saturating_sub(1);
        let place = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
        let moved = place(review.cursor)
            .saturating_add(by)
            .clamp(0, place(last));
        let mut to = usize::try_from(moved).unwrap_or(0);
        if pages {
            let at = review
                .pieces()
                .iter()
                .position(|piece| piece.row == review.cursor);
            let before = (review.top, review.skip);
            review.scroll(by, height);
            if before != (review.top, review.skip) {
                // The cursor keeps its place in the window.
                let piece = at.and_then(|at| review.pieces().get(at));
                to = piece.map_or(review.top, |piece| piece.row);
            } else {
                to = if by < 0 { 0 } else { last };
            }
        }
        review.go_to(to, height);
    }

    pub(super) fn mouse_in_review(&mut self, mouse: Mouse, plan: &Plan) {
        let body = diff::plan(self.m, plan).body;
        let height = usize::from(body.height);
        let wheel = i64::try_from(WHEEL).unwrap_or(1);
        let Some(review) = self.m.reviews.current_mut() else {
            return;
        };
        match mouse {
            Mouse::Click(x, y) if body.contains((x, y).into()) => {
                let at = usize::from(y - body.y);
                if let Some(row) = review.pieces().get(at).map(|piece| piece.row) {
                    review.anchor = None;
                    review.go_to(row, height);
                }
            }
            Mouse::Drag(x, y) if body.contains((x, y).into()) => {
                let at = usize::from(y - body.y);
                if let Some(row) = review.pieces().get(at).map(|piece| piece.row)
                    && row != review.cursor
                {
                    // From where the button went down.
                    let from = review.cursor;
                    review.anchor.get_or_insert(from);
                    review.go_to(row, height);
                }
            }
            Mouse::Click(..) | Mouse::Drag(..) => {}
            Mouse::Up(..) => review.scroll(-wheel, height),
            Mouse::Down(..) => review.scroll(wheel, height),
        }
    }

    /// Shows what will be committed where.
    pub(super) fn open_summary(&mut self) {
        if self.m.busy.proposal.is_some() {
            self.say(Tone::Plain, "one moment: the last answer is on its way");
            return;
        }
        if self.nothing_taken() {
            return;
        }
        let Some(review) = self.m.review() else {
            self.say(Tone::Plain, "no proposal waits");
            return;
        };
        let (proposal, version) = (review.id().clone(), review.version());
        if !self.m.batch.has_seen(&proposal, version) {
            return;
        }
        self.m.overlay = Some(Overlay::Summary(Summary {
            proposal,
            version,
            top: 0,
        }));
    }
}
