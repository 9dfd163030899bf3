//! Writing the message of the next commit in the line, and coming back to the summary with it.

use super::Turn;
use crate::tui::model::wording::Wording;
use crate::tui::model::{Focus, Overlay, Pane, Tone};

impl Turn<'_> {
    /// Puts the message of the summary's commit into the line.
    pub(super) fn write_message(&mut self) {
        if !matches!(self.m.overlay, Some(Overlay::Summary(_))) {
            self.open_summary();
        }
        let Some(Overlay::Summary(of)) = &self.m.overlay else {
            return;
        };
        let proposal = of.proposal.clone();
        let Some(review) = self.m.reviews.get(&proposal) else {
            return;
        };
        let title = review.view.proposal.title.clone();
        let message = self.m.message_of(&proposal).map(str::to_owned);
        let draft = self.m.line.text().to_owned();
        self.m.line.set(message.as_deref().unwrap_or(&title));
        self.m.wording = Some(Wording {
            proposal,
            message,
            draft: Some(draft),
        });
        self.focus_input();
        self.say(
            Tone::Plain,
            "write or dictate the commit's message, then Enter; empty: the proposal's own",
        );
    }

    /// Takes the line as the message (`keep`) or leaves it as it was; `false` when the line holds something else.
    pub(super) fn message_written(&mut self, keep: bool) -> bool {
        let Some(wording) = &mut self.m.wording else {
            return false;
        };
        let Some(draft) = wording.draft.take() else {
            return false;
        };
        if keep {
            let written = self.m.line.text().trim();
            let review = self.m.reviews.get(&wording.proposal);
            let own = review.is_some_and(|review| review.view.proposal.title == written);
            wording.message = (!written.is_empty() && !own).then(|| written.to_owned());
        }
        let proposal = wording.proposal.clone();
        let closed = self.m.loaded && self.m.reviews.get(&proposal).is_none();
        self.m.line.set(&draft);
        self.m.notice = None;
        self.m.focus = Focus::Cockpit;
        self.m.pane = Pane::Proposal;
        if closed {
            // Nothing is committed under it any more, and it must not come back for anything else.
            self.m.wording = None;
            self.say(Tone::Warn, "the proposal is closed; the message is dropped");
            return true;
        }
        self.m.reading = true;
        if !self.m.loaded {
            if keep {
                self.say(Tone::Plain, "kept for the commit");
            }
        } else if self
            .m
            .review()
            .is_some_and(|review| *review.id() == proposal)
        {
            self.open_summary();
        } else {
            self.say(
                Tone::Warn,
                "the proposal is not the one on the screen any more",
            );
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::tui::message::Message;
    use crate::tui::model::Settings;
    use crate::tui::update::update;

    use crate::tui::keys::{Code, Key, Stroke};
    use crate::tui::model::{Model, Moment};

    #[test]
    fn a_message_of_a_closed_proposal_is_no_instruction() {
        let settings = Settings::new(&Config::default(), false).unwrap();
        let mut model = Model::new(settings, 80, 24);
        model.loaded = true;
        model.focus = Focus::Input;
        model.line.set("Rename the button");
        model.wording = Some(Wording {
            proposal: "pro_1".into(),
            message: None,
            draft: Some("make it".into()),
        });
        let enter = Message::Key(Key::plain(Code::Enter), Stroke::Press);
        let effects = update(&mut model, Moment::ZERO, enter);
        let sent = |effect: &crate::tui::message::Effect| {
            use crate::tui::message::Effect as E;
            matches!(effect, E::Submit(_) | E::Revise(..) | E::Approve(..))
        };
        assert!(!effects.iter().any(sent), "{effects:?}");
        assert_eq!(model.line.text(), "make it");
        assert_eq!(model.wording, None);
    }
}
