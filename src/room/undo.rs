//! Taking back what was written here, and nothing of what others wrote: the undo manager of Yjs, which knows both by the
//! origin of a change.

use yrs::undo::{Options, UndoManager};
use yrs::{Doc, MapRef, ReadTxn as _, Transact as _};

use super::document::{DocError, RoomDoc};

/// The origin of what is written here.
pub(super) const HERE: &str = "here";

/// Changes within this time are one step, as in other editors of Yjs (milliseconds).
const TOGETHER: u64 = 500;

/// What is remembered of a document: its own changes of texts, in steps.
#[derive(Debug)]
pub(super) struct Undo(UndoManager<()>);

impl Undo {
    /// Remembers what is written into `files` from now on.
    pub(super) fn new(doc: &Doc, files: &MapRef) -> Self {
        let mut manager = UndoManager::with_options(Options {
            capture_timeout_millis: TOGETHER,
            tracked_origins: [HERE.into()].into(),
            ..Options::default()
        });
        manager.expand_scope(doc, files);
        Self(manager)
    }
}

impl RoomDoc {
    /// Remembers what is written here into texts from now on, so that it can be taken back.
    pub fn remember(&mut self) {
        if self.undo.is_none() {
            self.undo = Some(Undo::new(&self.doc, &self.files));
        }
    }

    /// Steps that can be taken back.
    pub fn steps(&self) -> usize {
        let undo = self.undo.as_ref();
        undo.map_or(0, |undo| undo.0.undo_stack().len())
    }

    /// What is written next is a step of its own.
    pub fn separate(&mut self) {
        if let Some(undo) = &mut self.undo {
            undo.0.reset();
        }
    }

    /// Takes the last step back; the update that tells of it, none when nothing is left of that step, or there is none.
    ///
    /// # Errors
    /// When the document is broken.
    pub fn take_back(&mut self) -> Result<Option<Vec<u8>>, DocError> {
        self.step(true)
    }

    /// Does again what was taken back last.
    ///
    /// # Errors
    /// When the document is broken.
    pub fn do_again(&mut self) -> Result<Option<Vec<u8>>, DocError> {
        self.step(false)
    }

    fn step(&mut self, back: bool) -> Result<Option<Vec<u8>>, DocError> {
        self.guarded(|document| {
            let before = document.doc.transact().state_vector();
            let undo = document.undo.as_mut()?;
            let changed = if back {
                undo.0.undo_blocking()
            } else {
                undo.0.redo_blocking()
            };
            // A step that only deletes is no news in the state vector: the difference names every deletion.
            changed.then(|| document.doc.transact().encode_diff_v1(&before))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two copies of one text, the first of which remembers.
    fn pair(text: &str) -> (RoomDoc, RoomDoc) {
        let mut other = RoomDoc::with_client(2);
        other.set_text("a", text).unwrap();
        let mut here = RoomDoc::with_client(1);
        here.remember();
        here.apply(&other.state()).unwrap();
        (here, other)
    }

    fn tell(to: &mut RoomDoc, update: Option<Vec<u8>>) {
        to.apply(&update.expect("something to tell")).unwrap();
    }

    #[test]
    fn only_what_was_written_here_is_taken_back() {
        let (mut here, mut other) = pair("The inn has rooms.\n");
        assert_eq!(here.steps(), 0, "what others wrote is no step");
        let mine = here
            .set_text("a", "The old inn has twelve rooms.\n")
            .unwrap();
        tell(&mut other, mine);
        // Somebody writes into the same words meanwhile.
        let theirs = other
            .set_text("a", "The old inn has twelve cosy rooms!\n")
            .unwrap();
        tell(&mut here, theirs);
        assert_eq!(here.steps(), 1);
        let back = here.take_back().unwrap();
        tell(&mut other, back);
        for doc in [&here, &other] {
            assert_eq!(doc.text("a").unwrap(), "The inn has cosy rooms!\n");
        }
        assert_eq!(here.take_back().unwrap(), None, "nothing is left");
        let again = here.do_again().unwrap();
        tell(&mut other, again);
        for doc in [&here, &other] {
            assert_eq!(
                doc.text("a").unwrap(),
                "The old inn has twelve cosy rooms!\n"
            );
        }
    }

    #[test]
    fn what_was_deleted_comes_back_and_steps_are_kept_apart() {
        let (mut here, mut other) = pair("one two three");
        for text in ["one three", "three", "three four"] {
            here.separate();
            let update = here.set_text("a", text).unwrap();
            tell(&mut other, update);
        }
        assert_eq!(here.steps(), 3);
        for text in ["three", "one three", "one two three"] {
            let update = here.take_back().unwrap();
            tell(&mut other, update);
            assert_eq!(here.text("a").unwrap(), text);
            assert_eq!(other.text("a").unwrap(), text);
        }
        // Whoever writes anew has nothing to do again.
        here.do_again().unwrap();
        here.separate();
        here.set_text("a", "five").unwrap();
        assert_eq!(here.do_again().unwrap(), None);
    }

    #[test]
    fn a_document_that_does_not_remember_takes_nothing_back() {
        let mut doc = RoomDoc::with_client(1);
        doc.set_text("a", "text").unwrap();
        doc.separate();
        assert_eq!(doc.steps(), 0);
        assert_eq!(doc.take_back().unwrap(), None);
        assert_eq!(doc.do_again().unwrap(), None);
    }

    #[test]
    fn what_others_took_away_is_no_step_any_more() {
        let (mut here, mut other) = pair("text");
        let mine = here.set_text("a", "text and more").unwrap();
        tell(&mut other, mine);
        let theirs = other.set_text("a", "").unwrap();
        tell(&mut here, theirs);
        assert_eq!(here.take_back().unwrap(), None);
        assert_eq!(here.text("a").unwrap(), "");
        // The file itself goes, too.
        let theirs = other.remove_file("a").unwrap();
        tell(&mut here, theirs);
        assert_eq!(here.take_back().unwrap(), None);
        assert!(!here.is_broken());
    }
}
