//! Words for the cockpit itself: shown as they were understood, done at once when harmless, else after a moment in which
//! Esc stops them.

use super::Turn;
use crate::model::Event;
use crate::tui::keymap::{Command, Context, spoken};
use crate::tui::keys::{Code, Key};
use crate::tui::model::available::{is_harmless, why_not};
use crate::tui::model::spoken::GRACE;
use crate::tui::model::{Heard, Moment, Spoken, Tone};

impl Turn<'_> {
    /// The server heard words that this cockpit said it knows.
    pub(super) fn command_heard(&mut self, event: &Event, phrase: &str) {
        let words = event.data["text"].as_str().unwrap_or(phrase).to_owned();
        let mine = self.m.work.as_ref().is_some_and(|work| {
            work.instruction.is_some() && work.instruction == event.instruction
        });
        let Some((command, _)) = spoken::command(phrase) else {
            return;
        };
        if mine {
            self.m.work = None;
            self.understood(&words, command);
        } else {
            // Said in another cockpit, or the answer that says which one is ours is still on its way.
            self.m.said_elsewhere = event.instruction.clone().map(|id| (id, words, command));
        }
    }

    /// The answer to our own recording: what it led to may have come first.
    pub(super) fn ours(&mut self) {
        let mine = self
            .m
            .work
            .as_ref()
            .and_then(|work| work.instruction.clone());
        let said = self.m.said_elsewhere.take();
        if let Some((id, words, command)) = said
            && Some(&id) == mine.as_ref()
        {
            self.m.work = None;
            self.understood(&words, command);
        }
    }

    /// Does what words mean, or waits a moment before it.
    pub(super) fn understood(&mut self, words: &str, command: Command) {
        let name = self.doc(command);
        self.m.heard = Some(Heard {
            instruction: None,
            text: words.to_owned(),
            reading: Some(name.clone()),
            spoken: true,
        });
        if let Some(why) = why_not(self.m, command) {
            self.say(Tone::Plain, format!("“{words}”: {why}"));
            return;
        }
        if is_harmless(command) {
            self.say(Tone::Plain, format!("“{words}”: {name}"));
            self.act(command);
            return;
        }
        let at = self.now + GRACE;
        self.say(Tone::Warn, format!("“{words}”: {name} · Esc stops it"));
        if let Some(notice) = &mut self.m.notice {
            notice.until = at.max(self.now + Moment::from_secs(2));
        }
        self.m.spoken = Some(Spoken {
            words: words.to_owned(),
            command,
            at,
        });
    }

    /// Stops what was said when `key` is Esc; true then.
    pub(super) fn stop_spoken(&mut self, key: Key) -> bool {
        if key != Key::plain(Code::Esc) {
            return false;
        }
        let Some(spoken) = self.m.spoken.take() else {
            return false;
        };
        self.say(Tone::Plain, format!("stopped: “{}”", spoken.words));
        true
    }

    /// Does what was said and waited for long enough.
    pub(super) fn spoken_due(&mut self) {
        let due = self
            .m
            .spoken
            .as_ref()
            .is_some_and(|spoken| spoken.at <= self.now);
        if due && let Some(spoken) = self.m.spoken.take() {
            self.act(spoken.command);
        }
    }

    fn act(&mut self, command: Command) {
        // What asks, or takes what is typed, is dealt with first.
        let calm = matches!(
            self.m.context(),
            Context::Cockpit
                | Context::Timeline
                | Context::Deploy
                | Context::Review
                | Context::Choices
                | Context::Summary
                | Context::Queue
                | Context::Details
                | Context::Input
        );
        if !calm {
            self.say(Tone::Plain, "answer what is on the screen first");
            return;
        }
        self.command(command, Key::char(' '));
    }

    /// What a command does, in the words of the list of keys.
    fn doc(&self, command: Command) -> String {
        let rows = self.m.settings.keymap.all().iter();
        let row = rows.into_iter().find(|row| row.command == command);
        row.map_or_else(|| command.name(), |row| row.doc.to_owned())
    }
}
