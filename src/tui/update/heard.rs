//! What was heard or written, and what it was taken for.

use super::Turn;
use super::events::{parse, said};
use crate::model::Event;
use crate::tui::model::timeline::{reading, typed};
use crate::tui::model::{Heard, OpenQuestion};
use crate::tui::text;

impl Turn<'_> {
    pub(super) fn transcript(&mut self, event: &Event) {
        self.m.talk.said(event);
        self.m.heard = Some(Heard {
            instruction: event.instruction.clone(),
            text: said(event, "text").to_owned(),
            reading: None,
            spoken: !typed(&event.data),
        });
        self.m
            .line
            .remember(&text::clean_prose(said(event, "text")));
        self.work_on(event, "understanding");
    }

    pub(super) fn intent(&mut self, event: &Event) {
        let spoken = self
            .m
            .heard
            .as_ref()
            .is_some_and(|heard| heard.spoken && heard.instruction == event.instruction);
        self.m.heard = Some(Heard {
            instruction: event.instruction.clone(),
            text: said(event, "text").to_owned(),
            reading: Some(reading(&event.data)),
            spoken,
        });
        if let Some(phrase) = event.data["command"].as_str() {
            return self.command_heard(event, phrase);
        }
        let question = parse(&event.data["question"]);
        match (question, &event.instruction) {
            (Some(question), Some(instruction)) => {
                self.m.work = None;
                self.close_question(Some(instruction));
                self.m.questions.push_back(OpenQuestion {
                    instruction: instruction.clone(),
                    question,
                    at: 0,
                });
            }
            _ => self.work_on(event, "looking for the place"),
        }
    }
}
