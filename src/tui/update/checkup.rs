//! The list of what works on this machine, and the trial of the microphone in it.

use super::Turn;
use crate::model::Problem;
use crate::tui::checkup::{Checkup, Item, Trial};
use crate::tui::message::Effect;
use crate::tui::model::{Overlay, Tone};
use crate::tui::voice_port::MicEvent;

impl Turn<'_> {
    pub(super) fn open_checkup(&mut self) {
        if self.m.overlay == Some(Overlay::Checkup) {
            return self.close_checkup();
        }
        self.m.overlay = Some(Overlay::Checkup);
        if self.m.board.checkup.is_none() {
            self.look_again();
        }
    }

    pub(super) fn close_checkup(&mut self) {
        self.cancel_recording();
        self.m.overlay = None;
        self.m.board.first_start = false;
    }

    pub(super) fn look_again(&mut self) {
        let list = self.m.board.checkup.get_or_insert_with(Checkup::begin);
        list.looking = true;
        self.out.push(Effect::Checkup);
    }

    pub(super) fn select_check(&mut self, rows: i64) {
        if let Some(list) = &mut self.m.board.checkup {
            let at = (list.selected as i64).saturating_add(rows);
            let most = list.items.len().saturating_sub(1);
            list.selected = usize::try_from(at).unwrap_or(0).min(most);
        }
    }

    /// Mends the selected thing, if the cockpit can; else says what a person can do.
    pub(super) fn fix_here(&mut self) {
        let Some(list) = &mut self.m.board.checkup else {
            return;
        };
        let Some(item) = list.items.get(list.selected).cloned() else {
            return;
        };
        match (&item.fix, item.ok, &list.fixing) {
            (_, _, Some(_)) => self.say(Tone::Plain, "one thing after the other"),
            (_, true, _) => self.say(Tone::Plain, format!("{} is as it should be", item.name)),
            (Some(_), false, None) => {
                list.fixing = Some(item.name.clone());
                self.out.push(Effect::Fix(item.name));
            }
            (None, false, None) => {
                let next = item
                    .next
                    .unwrap_or_else(|| "nothing can be done here".to_owned());
                self.say(Tone::Plain, next);
            }
        }
    }

    pub(super) fn looked(&mut self, items: Vec<Item>) {
        let list = self.m.board.checkup.get_or_insert_with(Checkup::begin);
        list.put(items);
    }

    pub(super) fn fixed(&mut self, name: &str, result: Result<String, Problem>) {
        if let Some(list) = &mut self.m.board.checkup {
            list.fixing = None;
        }
        match result {
            Ok(done) => self.say(Tone::Good, done),
            Err(problem) => self.failed(&format!("{name} was not mended"), &problem),
        }
        self.look_again();
        // The server tells whether speech is ready.
        self.load(0);
    }

    /// What the microphone tells while it is only tried: nothing of it is sent anywhere.
    pub(super) fn trial(&mut self, event: MicEvent) {
        let Some(list) = &mut self.m.board.checkup else {
            return;
        };
        match &event {
            MicEvent::Opening | MicEvent::Recording => {
                list.trial = Trial::Listening;
                list.peak = f32::NEG_INFINITY;
            }
            MicEvent::Level { peak_db, .. } => list.peak = list.peak.max(*peak_db),
            MicEvent::Clip { .. } => list.trial = Trial::Heard(list.peak),
            MicEvent::NoSpeech | MicEvent::TooShort => list.trial = Trial::Silent,
            MicEvent::Failed(_) => list.trial = Trial::None,
            _ => {}
        }
        match event {
            MicEvent::Clip { .. } | MicEvent::NoSpeech | MicEvent::TooShort => {
                self.m.talk.end();
                self.m.dirty = true;
            }
            other => self.mic(other),
        }
    }
}
