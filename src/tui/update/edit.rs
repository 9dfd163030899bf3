//! Changing the proposed text: here, or in the person's own editor.

use super::Turn;
use crate::model::Content;
use crate::model::api::{EditText, ProposalView};
use crate::tui::message::{EditRequest, Effect};
use crate::tui::model::reviews::Step;
use crate::tui::model::{HunkEdit, Review, Tone, hunk_edit};

impl Turn<'_> {
    /// The file of the selected hunk with its text, and the hunk; says so when there is none to edit.
    fn editable(&mut self) -> Option<(EditRequest, usize)> {
        let Some(review) = self.m.review() else {
            self.say(Tone::Plain, "no proposal to edit");
            return None;
        };
        let Some((file, hunk)) = review.current() else {
            self.say(Tone::Plain, "the proposal has no text to edit");
            return None;
        };
        let Content::Text { text } = &file.after else {
            let path = file.path.clone();
            self.say(Tone::Warn, format!("{path} has no text to edit"));
            return None;
        };
        let request = EditRequest {
            proposal: review.id().clone(),
            version: review.version(),
            path: file.path.clone(),
            text: text.clone(),
            line: hunk.new_start.max(1),
        };
        let lines = hunk.new_lines;
        if self.m.reviews.pending(&request.proposal) > 0 || self.m.busy.proposal.is_some() {
            self.say(Tone::Plain, "one moment: decisions are on their way");
            return None;
        }
        Some((request, lines))
    }

    /// Opens the proposed text in the person's own editor.
    pub(super) fn edit(&mut self) {
        if let Some((request, _)) = self.editable() {
            let (id, path) = (request.proposal.clone(), request.path.clone());
            self.m.reviews.editing = Some((id, path, request.text.clone(), false));
            self.out.push(Effect::Edit(request));
        }
    }

    /// Opens the proposed text of the hunk here.
    pub(super) fn edit_here(&mut self) {
        let Some((request, lines)) = self.editable() else {
            return;
        };
        if lines > hunk_edit::MOST {
            self.say(
                Tone::Warn,
                "this hunk is too long to be edited here: use your editor",
            );
            return;
        }
        let edit = self.m.review().and_then(|review| {
            let (file, hunk) = review.current()?;
            HunkEdit::new(&request.proposal, request.version, file, hunk)
        });
        if edit.is_none() {
            self.say(
                Tone::Warn,
                "this hunk cannot be edited here: use your editor",
            );
        } else {
            self.m.overlay = None;
            self.m.reading = true;
        }
        self.m.editing = edit;
        let Some(edit) = &mut self.m.editing else {
            return;
        };
        let Some(room) = self.m.team.room_of(&edit.proposal) else {
            return;
        };
        if !room.synced {
            return;
        }
        match room.replica.text(&edit.path) {
            Some(text) if text == edit.before() => edit.shared = true,
            Some(_) => {
                self.m.editing = None;
                self.say(Tone::Plain, "one moment: somebody writes in it just now");
            }
            // The document does not have it: it is stored as a whole.
            None => {}
        }
    }

    /// Writes what was typed into the document that all share.
    pub(super) fn share_edit(&mut self) {
        let Some(edit) = self.m.editing.as_ref().filter(|edit| edit.shared) else {
            return;
        };
        let (id, path, text) = (edit.proposal.clone(), edit.path.clone(), edit.text());
        let Some((_, room)) = self.m.team.room_of_mut(&id) else {
            // The proposal is not shared any more: from here on the text is stored as a whole.
            if let Some(edit) = &mut self.m.editing {
                edit.shared = false;
            }
            return;
        };
        match room.replica.write(&path, &text) {
            Ok(frame) => self.wrote(&id, frame),
            Err(error) => self.say(Tone::Bad, error.to_string()),
        }
    }

    pub(super) fn save_edit(&mut self) {
        let Some(edit) = self.m.editing.take() else {
            return;
        };
        if !edit.changed() {
            self.say(Tone::Plain, "nothing was changed");
            return;
        }
        if edit.shared {
            self.say(Tone::Good, "your text is in the proposal");
            return;
        }
        let text = edit.text();
        let current = self.m.reviews.get(&edit.proposal).map(Review::version);
        if current != Some(edit.version) {
            // What was written is not lost: it can be looked at, and copied by hand.
            self.m.editing = Some(edit);
            self.say(
                Tone::Warn,
                "the proposal changed meanwhile: stop editing (Esc twice) and begin again",
            );
            return;
        }
        let (id, path) = (edit.proposal.clone(), edit.path.clone());
        self.m.reviews.editing = Some((id.clone(), path.clone(), edit.before().to_owned(), false));
        let request = EditText {
            path,
            text,
            version: edit.version,
        };
        self.out.push(Effect::EditText(id, request));
    }

    pub(super) fn cancel_edit(&mut self) {
        let Some(edit) = &mut self.m.editing else {
            return;
        };
        if edit.changed() && !edit.leaving && !edit.shared {
            edit.leaving = true;
            self.say(
                Tone::Warn,
                "press Esc again to drop what you changed, Ctrl+S to keep it",
            );
            return;
        }
        self.m.editing = None;
    }

    /// An edited text was taken by the server.
    pub(super) fn edited(&mut self, view: ProposalView) {
        if let Some((id, path, before, undone)) = self.m.reviews.editing.take()
            && id == view.proposal.id
            && !undone
        {
            let file = view.proposal.files.iter().find(|file| file.path == path);
            if let Some(after) = file.and_then(|file| file.after.as_text()) {
                self.m.reviews.did(Step::Edited {
                    proposal: id,
                    path,
                    before,
                    after: after.to_owned(),
                });
            }
        }
        self.m.reviews.put(view);
        self.say(Tone::Good, "your text is in the proposal");
    }

    /// An edited text was not taken.
    pub(super) fn not_edited(&mut self) {
        self.m.reviews.editing = None;
    }
}
