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
        let engine = text::clean_prose(say("engine"));
        if let Some(work) = self.m.work.as_mut().filter(|_| !engine.is_empty()) {
            work.what = format!("{engine} is at work");
        }
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
            engine,
            title: message,
            lines: match (event.data["draft"].as_str(), event.data["tasks"].as_array()) {
                (Some(patch), _) => lines(patch),
                (None, Some(all)) => tasks(all),
                (None, None) => before.map(|draft| draft.lines).unwrap_or_default(),
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

/// An agent's own plan: what is done, what it is at, what is still to come.
fn tasks(all: &[serde_json::Value]) -> Vec<String> {
    let line = |task: &serde_json::Value| {
        let mark = match task["state"].as_str() {
            Some("done") => "[x]",
            Some("doing") => "[>]",
            _ => "[ ]",
        };
        let what = task["what"].as_str().unwrap_or_default();
        format!("{mark} {}", text::clean_prose(what))
    };
    all.iter().map(line).collect()
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
