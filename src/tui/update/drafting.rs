//! A model at work: what it tells, and the change as it is being written.

use super::Turn;
use crate::model::Event;
use crate::tui::message::Effect;
use crate::tui::model::{Draft, Tone};
use crate::tui::text;

impl Turn<'_> {
    /// A step of the instruction that the person waits for; other people's are in the timeline only.
    pub(super) fn step(&mut self, event: &Event) {
        let mine = self.m.work.as_ref().is_some_and(|work| {
            work.instruction.is_none() || work.instruction == event.instruction
        });
        if !mine {
            return;
        }
        let say = |key: &str| event.data[key].as_str().unwrap_or_default();
        let message = text::clean_prose(say("message"));
        // What waits for a decision stays in sight.
        if !self.m.reviews.is_empty() {
            self.say(Tone::Plain, message);
            return;
        }
        let before = self.m.draft.take();
        self.m.card = None;
        self.m.draft = event.instruction.clone().map(|instruction| Draft {
            instruction,
            engine: text::clean_prose(say("engine")),
            title: message,
            lines: match event.data["draft"].as_str() {
                Some(patch) => lines(patch),
                None => before.map(|draft| draft.lines).unwrap_or_default(),
            },
        });
    }

    /// Stops what is being written in sight; true when there was something.
    pub(super) fn stop_draft(&mut self) -> bool {
        let Some(draft) = self.m.draft.as_ref().filter(|_| self.m.reviews.is_empty()) else {
            return false;
        };
        self.out
            .push(Effect::StopInstruction(draft.instruction.clone()));
        true
    }
}

/// The lines of a patch that a person reads.
fn lines(patch: &str) -> Vec<String> {
    let mut out = Vec::new();
    for line in patch.lines() {
        if let Some(path) = line.strip_prefix("+++ ") {
            out.push(path.strip_prefix("b/").unwrap_or(path).to_owned());
        } else if line.starts_with(['+', '-', ' ']) && !line.starts_with("--- ") {
            out.push(line.to_owned());
        }
    }
    out
}
