//! What the mouse does: the wheel scrolls what is under it, a click selects, a click on what is selected opens it, and a
//! click on a hint of the footer does what its key does.

use ratatui::buffer::Buffer;

use super::{Turn, WHEEL};
use crate::tui::keymap::Command;
use crate::tui::keys::{Code, Key};
use crate::tui::message::Mouse;
use crate::tui::model::{Focus, Overlay, Pane};
use crate::tui::panes::{checkup, details, footer, help, mics, outbox, people, queue, summary};
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

    /// A click into a list selects, a second one runs; a click beside a list or a page closes it.
    fn click_overlay(&mut self, x: u16, y: u16, plan: &Plan) {
        let at = (x, y).into();
        // How large these two are shows when they are drawn.
        let mut screen = Buffer::empty(plan.area);
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
            Some(Overlay::Mics(mics)) => (
                mics::frame(mics, plan.area),
                mics::row_at(mics, plan.area, y),
            ),
            Some(Overlay::Checkup) => checkup::hit(self.m, plan.area, y),
            Some(Overlay::Summary(of)) => (summary::draw(self.m, of, plan.area, &mut screen), None),
            Some(Overlay::Details) => (details::draw(self.m, plan.area, &mut screen), None),
            // What asks is answered by its keys, which the footer has too.
            _ if plan.footer.contains(at) => return self.click_footer(x, plan),
            _ => return,
        };
        if !frame.contains(at) {
            if plan.footer.contains(at) {
                return self.click_footer(x, plan);
            }
            let close = match self.m.overlay {
                Some(Overlay::Menu(_)) => Command::CloseHelp,
                Some(Overlay::Details) => Command::CloseDetails,
                Some(Overlay::Checkup) => Command::CloseCheckup,
                Some(Overlay::Mics(_)) => Command::CloseMicrophones,
                _ => Command::Back,
            };
            return self.command(close, Key::plain(Code::Esc));
        }
        let Some(hit) = hit else { return };
        match &mut self.m.overlay {
            Some(Overlay::Menu(menu)) if menu.at == hit => self.run_entry(),
            Some(Overlay::Menu(menu)) => menu.at = hit,
            Some(Overlay::Queue(selected)) if *selected == hit => self.show_picked(),
            Some(Overlay::Queue(selected)) => *selected = hit,
            Some(Overlay::People(selected)) if *selected == hit => self.follow(),
            Some(Overlay::People(selected) | Overlay::Outbox(selected)) => *selected = hit,
            Some(Overlay::Mics(mics)) if mics.selected == hit => self.choose_microphone(),
            Some(Overlay::Mics(mics)) => {
                mics.selected = hit;
                mics.moved = true;
            }
            Some(Overlay::Checkup) => match &mut self.m.board.checkup {
                Some(list) if list.selected == hit => self.fix_here(),
                Some(list) => list.selected = hit,
                None => {}
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;
    use crate::config::Config;
    use crate::tui::message::Message;
    use crate::tui::model::{Mics, Model, Moment, Settings};
    use crate::tui::update::update;

    use crate::tui::checkup::{Checkup, Item};
    use crate::tui::message::Effect;
    use crate::tui::voice_port::Device;

    fn model(overlay: Overlay) -> Model {
        let mut model = Model::new(Settings::new(&Config::default(), false).unwrap(), 80, 30);
        model.overlay = Some(overlay);
        model
    }

    fn click(model: &mut Model, x: u16, y: u16) -> Vec<Effect> {
        update(model, Moment::ZERO, Message::Mouse(Mouse::Click(x, y)))
    }

    /// The row of the screen that says `words`.
    fn row(model: &Model, words: &str) -> u16 {
        let mut screen = Buffer::empty(Rect::new(0, 0, model.width, model.height));
        crate::tui::view::draw(model, Moment::ZERO, &mut screen);
        let says = |y: &u16| {
            let line: String = (0..80).map(|x| screen[(x, *y)].symbol()).collect();
            line.contains(words)
        };
        (0..model.height).find(says).unwrap()
    }

    #[test]
    fn the_things_of_the_checkup_are_clicked() {
        let mut model = model(Overlay::Checkup);
        let item = |name: &str, ok: bool| Item {
            name: name.into(),
            ok,
            found: format!("{name} was looked at"),
            next: (!ok).then(|| format!("do something about {name}")),
            fix: (!ok).then(|| "mend it".into()),
        };
        let mut list = Checkup::begin();
        list.put(vec![
            item("git", true),
            item("model", false),
            item("build", false),
        ]);
        model.board.checkup = Some(list);
        let selected = |model: &Model| model.board.checkup.as_ref().unwrap().selected;
        assert_eq!(selected(&model), 1);
        for (words, at) in [
            ("git was looked at", 0),
            ("do something about build", 2),
            ("model was looked at", 1),
            ("build was looked at", 2),
        ] {
            let y = row(&model, words);
            assert_eq!(click(&mut model, 20, y), [], "{words}");
            assert_eq!(selected(&model), at, "{words}");
        }
        let y = row(&model, "this terminal");
        click(&mut model, 20, y);
        assert_eq!(selected(&model), 2, "that is nothing to be mended");
        let y = row(&model, "build was looked at");
        assert_eq!(click(&mut model, 20, y), [Effect::Fix("build".into())]);
    }

    #[test]
    fn a_microphone_is_clicked() {
        let device = |name: &str| Device {
            id: Some(name.into()),
            name: name.into(),
            chosen: false,
            level: None,
            trouble: None,
        };
        let mut model = model(Overlay::Mics(Mics {
            devices: vec![device("Headset"), device("Webcam")],
            ..Mics::default()
        }));
        model.settings.microphone = true;
        let y = row(&model, "Webcam");
        click(&mut model, 20, y);
        assert!(
            matches!(&model.overlay, Some(Overlay::Mics(mics)) if mics.selected == 1 && mics.moved)
        );
        let effects = click(&mut model, 20, y);
        assert!(
            effects.contains(&Effect::ChooseDevice(Some("Webcam".into()))),
            "{effects:?}"
        );
        assert_eq!(model.overlay, None);
    }

    #[test]
    fn a_click_beside_a_list_or_a_page_closes_it() {
        let summary = crate::tui::model::Summary {
            proposal: "pro_1".into(),
            version: 1,
            top: 0,
        };
        for overlay in [
            Overlay::Details,
            Overlay::Checkup,
            Overlay::Mics(Mics::default()),
            Overlay::Summary(summary),
            Overlay::People(0),
        ] {
            let mut model = model(overlay.clone());
            click(&mut model, 0, 0);
            assert_eq!(model.overlay, None, "{overlay:?}");
        }
    }
}
