//! What the mouse does: the wheel scrolls what is under it, a click selects, a click on what is selected opens it, and a
//! click on a hint of the footer does what its key does.

use super::{Turn, WHEEL};
use crate::tui::message::Mouse;
use crate::tui::model::{Focus, Overlay, Pane};
use crate::tui::panes::{footer, help, outbox, people, queue};
use crate::tui::view::layout::{self, Plan};

impl Turn<'_> {
    pub(super) fn mouse(&mut self, mouse: Mouse) {
        let plan = layout::plan(self.m);
        let (x, y) = match mouse {
            Mouse::Click(x, y) | Mouse::Drag(x, y) | Mouse::Up(x, y) | Mouse::Down(x, y) => (x, y),
        };
        if self.m.overlay.is_some() {
            let by = match mouse {
                Mouse::Up(..) => -1,
                Mouse::Down(..) => 1,
                Mouse::Click(..) => return self.click_overlay(x, y, &plan),
                Mouse::Drag(..) => return,
            };
            if self.m.overlay == Some(Overlay::Details) {
                return self.scroll_details(by * WHEEL as i64);
            }
            return self.move_overlay(by);
        }
        if matches!(mouse, Mouse::Click(..)) && plan.footer.contains((x, y).into()) {
            return self.click_footer(x, &plan);
        }
        if self.m.editing.is_some() {
            return;
        }
        if !matches!(mouse, Mouse::Drag(..)) {
            self.stop_following();
        }
        if self.m.full_view() {
            return self.mouse_in_review(mouse, &plan);
        }
        if let (Mouse::Click(..), true) = (mouse, plan.tabs.contains((x, y).into())) {
            if let Some(pane) = crate::tui::panes::header::tab_at(self.m, plan.tabs, x) {
                self.m.pane = pane;
            }
            return;
        }
        let Some(pane) = plan.pane_at(x, y) else {
            return;
        };
        match mouse {
            Mouse::Click(..) => self.click(pane, &plan, y),
            Mouse::Drag(..) => {}
            Mouse::Up(..) => self.scroll(pane, -(WHEEL as i64), &plan),
            Mouse::Down(..) => self.scroll(pane, WHEEL as i64, &plan),
        }
    }

    fn click(&mut self, pane: Pane, plan: &Plan, y: u16) {
        self.m.pane = pane;
        self.m.board.filter = self
            .m
            .board
            .filter
            .take()
            .filter(|_| pane == Pane::Timeline);
        match pane {
            Pane::Say => self.focus_input(),
            Pane::Timeline | Pane::Deploy => {
                self.m.focus = Focus::Cockpit;
                self.click_list(pane, plan, y);
            }
            Pane::Proposal => {
                self.m.focus = Focus::Cockpit;
                if self.m.card.is_some() {
                    return;
                }
                let body = plan.proposal_body();
                let Some(review) = self.m.reviews.current_mut() else {
                    return;
                };
                let at = usize::from(y.saturating_sub(body.y));
                if body.contains((body.x, y).into())
                    && let Some(hunk) = review.hunk_at(at)
                {
                    review.selected = hunk;
                    review.cursor = review.rows().heading(hunk).unwrap_or(review.cursor);
                }
            }
        }
    }

    /// A click on a hint does what its key does.
    fn click_footer(&mut self, x: u16, plan: &Plan) {
        let Some(command) = footer::command_at(self.m, plan.footer, x) else {
            return;
        };
        let key = self.m.settings.keymap.shown(self.m.context(), command);
        if let Some(key) = key {
            self.command(command, key);
        }
    }

    /// A click into a list selects, a second one runs; a click beside it closes it.
    fn click_overlay(&mut self, x: u16, y: u16, plan: &Plan) {
        let at = (x, y).into();
        let (frame, hit) = match &self.m.overlay {
            Some(Overlay::Menu(menu)) => (
                help::frame(plan.area),
                help::entry_at(self.m, menu, plan.area, y),
            ),
            Some(Overlay::Queue(selected)) => (
                queue::frame(self.m, plan.area),
                queue::row_at(self.m, *selected, plan.area, y),
            ),
            Some(Overlay::People(_)) => (
                people::frame(self.m, plan.area),
                people::row_at(self.m, plan.area, y),
            ),
            Some(Overlay::Outbox(_)) => (
                outbox::frame(self.m, plan.area),
                outbox::row_at(self.m, plan.area, y),
            ),
            // What asks is answered by its keys, which the footer has too.
            _ if plan.footer.contains(at) => return self.click_footer(x, plan),
            _ => return,
        };
        if !frame.contains(at) {
            if plan.footer.contains(at) {
                return self.click_footer(x, plan);
            }
            match self.m.overlay {
                Some(Overlay::Menu(_)) => self.close_menu(),
                _ => self.m.overlay = None,
            }
            return;
        }
        let Some(hit) = hit else { return };
        match &mut self.m.overlay {
            Some(Overlay::Menu(menu)) if menu.at == hit => self.run_entry(),
            Some(Overlay::Menu(menu)) => menu.at = hit,
            Some(Overlay::Queue(selected)) if *selected == hit => self.show_picked(),
            Some(Overlay::Queue(selected)) => *selected = hit,
            Some(Overlay::People(selected)) if *selected == hit => self.follow(),
            Some(Overlay::People(selected) | Overlay::Outbox(selected)) => *selected = hit,
            _ => {}
        }
    }
}
