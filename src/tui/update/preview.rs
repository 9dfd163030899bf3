//! Showing a proposal as it would look, before it is approved.

use super::Turn;
use super::events::parse;
use crate::model::{Event, Preview, PreviewState, Problem, ProposalId};
use crate::tui::message::Effect;
use crate::tui::model::{Confirm, Tone};
use crate::tui::pictures::{Drawing, Way};

impl Turn<'_> {
    /// Begins the preview of the proposal on the screen; opens the page when it is there already.
    pub(super) fn preview(&mut self) {
        let Some(review) = self.m.reviews.current() else {
            self.say(
                Tone::Plain,
                "no proposal waits, so there is nothing to show",
            );
            return;
        };
        let (id, version) = (review.id().clone(), review.view.proposal.version);
        match self.m.previews.get(&id) {
            Some(preview) if preview.state == PreviewState::Held => {
                let what = preview.message.clone();
                self.ask(Confirm::Preview(id, what));
            }
            Some(preview) if preview.state == PreviewState::Ready && preview.version == version => {
                let url = preview.url.clone();
                self.out.push(Effect::Open(url));
            }
            Some(preview) if preview.state == PreviewState::Building => {
                let words = format!("the preview is being built; it will be at {}", preview.url);
                self.say(Tone::Plain, words);
            }
            _ => {
                self.say(Tone::Plain, "building the preview …");
                self.out.push(Effect::Preview(id, false));
            }
        }
    }

    /// Takes what an event tells of a preview; false when it tells of none.
    pub(super) fn preview_told(&mut self, event: &Event) -> bool {
        let Some(preview) = parse::<Preview>(&event.data["preview"]) else {
            return false;
        };
        let tone = match preview.state {
            PreviewState::Ready => Tone::Good,
            PreviewState::Held => Tone::Warn,
            PreviewState::Failed => Tone::Bad,
            PreviewState::Building | PreviewState::Ended => Tone::Plain,
        };
        let mut words = event.data["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if preview.state == PreviewState::Held {
            words.push_str(" (P asks whether to run it)");
        }
        // A picture that follows is no news.
        if !preview.picture && preview.state != PreviewState::Building {
            self.say(tone, words);
        }
        self.put_preview(preview);
        true
    }

    pub(super) fn put_preview(&mut self, preview: Preview) {
        let (id, version) = (preview.proposal.clone(), preview.version);
        if self.m.previews.put(preview) && self.shows_pictures() {
            self.out.push(Effect::LoadPicture(id, version));
        }
    }

    pub(super) fn put_previews(&mut self, previews: Vec<Preview>) {
        for (id, version) in self.m.previews.replace(previews) {
            if self.shows_pictures() {
                self.out.push(Effect::LoadPicture(id, version));
            }
        }
    }

    fn shows_pictures(&self) -> bool {
        matches!(self.m.settings.pictures, Way::By(_))
    }

    pub(super) fn previewed(&mut self, result: Result<Preview, Problem>) {
        match result {
            Ok(preview) => self.put_preview(preview),
            Err(problem) => self.failed("there is no preview", &problem),
        }
    }

    pub(super) fn pictured(&mut self, id: &ProposalId, version: u32, drawing: Option<Drawing>) {
        // Without a picture there is still the address.
        if let Some(drawing) = drawing {
            self.m.previews.put_picture(id, version, drawing);
        }
    }
}
