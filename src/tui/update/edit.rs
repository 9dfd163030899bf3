//! Changing the proposed text: here, or in the person's own editor.

use super::Turn;
use crate::model::api::{EditText, ProposalView};
use crate::model::{Content, ProposalId};
use crate::tui::message::{EditRequest, Effect};
use crate::tui::model::reviews::Step;
use crate::tui::model::team::room_name;
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
        let room = self.m.team.rooms.get_mut(&room_name(&edit.proposal));
        let Some(room) = room.filter(|room| room.synced) else {
            return;
        };
        room.replica.separate();
        edit.steps = room.replica.steps();
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

    /// Takes back what was typed last in the text that is edited, or types it again. In a text that others write in, too,
    /// it is the person's own words that go.
    pub(super) fn undo_typing(&mut self, back: bool) {
        let Some(edit) = &mut self.m.editing else {
            return;
        };
        self.m.dirty = true;
        let nothing = match back {
            true => "nothing was typed yet",
            false => "nothing was taken back",
        };
        edit.leaving = false;
        if !edit.shared {
            let done = match back {
                true => edit.area.undo(),
                false => edit.area.redo(),
            };
            if !done {
                self.say(Tone::Plain, nothing);
            }
            return;
        }
        let (id, began) = (edit.proposal.clone(), edit.steps);
        if !self.step_shared(&id, back, began) {
            self.say(Tone::Plain, nothing);
        }
    }

    /// Takes a step back in the document of a proposal, with more than `least` before it, or does one again; false when there is
    /// none.
    fn step_shared(&mut self, proposal: &ProposalId, back: bool, least: usize) -> bool {
        let Some((name, room)) = self.m.team.room_of_mut(proposal) else {
            return false;
        };
        let stepped = match back {
            true if room.replica.steps() <= least => Ok(None),
            true => room.replica.take_back(),
            false => room.replica.do_again(),
        };
        match stepped {
            Ok(None) => false,
            Ok(frame) => {
                self.wrote(proposal, frame);
                self.text_changed(&name);
                true
            }
            Err(error) => {
                self.say(Tone::Bad, error.to_string());
                true
            }
        }
    }

    /// Takes back, or does again, an edit that was shared as it was typed; false when the document is not the one in
    /// which it was made.
    pub(super) fn undo_shared(
        &mut self,
        proposal: &ProposalId,
        steps: (usize, usize),
        back: bool,
    ) -> bool {
        let (from, to) = steps;
        let mut any = false;
        loop {
            let now = self
                .m
                .team
                .room_of(proposal)
                .map(|room| room.replica.steps());
            let more = match now {
                Some(now) if back => now > from,
                Some(now) => now < to,
                None => false,
            };
            if !more || !self.step_shared(proposal, back, from) {
                return any;
            }
            any = true;
        }
    }

    /// Ends editing; the edit. What the person wrote in a text that is shared can be taken back from now on.
    fn stop_editing(&mut self) -> Option<HunkEdit> {
        let edit = self.m.editing.take()?;
        if edit.shared
            && let Some((_, room)) = self.m.team.room_of_mut(&edit.proposal)
        {
            room.replica.separate();
            let (from, to) = (edit.steps, room.replica.steps());
            if to > from {
                self.m.reviews.did(Step::Shared {
                    proposal: edit.proposal.clone(),
                    path: edit.path.clone(),
                    from,
                    to,
                });
            }
        }
        Some(edit)
    }

    pub(super) fn save_edit(&mut self) {
        let Some(edit) = self.stop_editing() else {
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
        self.stop_editing();
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
