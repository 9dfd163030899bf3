//! Marks and notes in a proposal: made, changed, answered and taken away in the document that all share.

use super::Turn;
use crate::client::room::replica::Replica;
use crate::model::ProposalId;
use crate::model::room::{COLOURS, Comment, Highlight, colour_of};
use crate::room::DocError;
use crate::tui::model::notes::{Note, Noting, NotingWhat};
use crate::tui::model::rows::DiffRow;
use crate::tui::model::team::clock;
use crate::tui::model::{Confirm, Focus, Pane, Review, Tone};
use crate::tui::text;

/// The longest note, in bytes.
const LONGEST: usize = 8 * 1024;

impl Turn<'_> {
    /// The proposal on the screen, if its room is there to be written in; says so when it is not.
    fn shared(&mut self) -> Option<ProposalId> {
        let Some(review) = self.m.review() else {
            self.say(Tone::Plain, "no proposal waits");
            return None;
        };
        let id = review.id().clone();
        if self.can_note(&id) {
            return Some(id);
        }
        self.say(
            Tone::Plain,
            "one moment: the proposal's notes are being loaded",
        );
        None
    }

    /// True when a proposal's room is there to be written in.
    fn can_note(&self, proposal: &ProposalId) -> bool {
        let room = self.m.team.room_of(proposal);
        // What an earlier run kept can be marked without the server, too.
        room.is_some_and(|room| room.synced || !room.replica.files().is_empty())
    }

    /// Writes in the room of a proposal, and says why when that does not work.
    fn write_in(
        &mut self,
        proposal: &ProposalId,
        write: impl FnOnce(&mut Replica) -> Result<Option<bytes::Bytes>, DocError>,
    ) -> bool {
        let Some((_, room)) = self.m.team.room_of_mut(proposal) else {
            return false;
        };
        match write(&mut room.replica) {
            Ok(frame) => {
                self.wrote(proposal, frame);
                true
            }
            Err(DocError::Outside) => {
                self.say(Tone::Plain, "there is nothing to mark on an empty line");
                false
            }
            Err(DocError::Missing(_)) => {
                self.say(
                    Tone::Plain,
                    "it is not in the proposal any more, or has no text that can be marked",
                );
                false
            }
            Err(error) => {
                self.say(Tone::Bad, error.to_string());
                false
            }
        }
    }

    /// Marks the selected lines, or the line of the cursor; a mark of one's own there gets its next colour.
    pub(super) fn highlight(&mut self) {
        let Some(id) = self.shared() else { return };
        let me = self.m.settings.taking.name.clone();
        let now = clock(self.m, self.now);
        let Some(review) = self.m.reviews.current_mut() else {
            return;
        };
        let anchor = review.anchor.take();
        let own = own_mark(review, &me).filter(|_| anchor.is_none());
        if let Some(mark) = own {
            let marks = self.m.team.room_of(&id).map(|room| room.replica.marks());
            let found = marks.into_iter().flatten().map(|marked| marked.highlight);
            let Some(highlight) = found.into_iter().find(|known| known.id == mark) else {
                return;
            };
            let at = COLOURS
                .iter()
                .position(|(name, _)| *name == highlight.colour);
            let next = COLOURS[at.map_or(0, |at| at + 1) % COLOURS.len()].0;
            let changed = Highlight {
                colour: next.to_owned(),
                updated: now,
                ..highlight
            };
            if self.write_in(&id, |replica| replica.change_mark(&changed)) {
                self.say(Tone::Plain, format!("the mark is {next} now"));
            }
            return;
        }
        let rows = anchor.unwrap_or(review.cursor);
        let (from, to) = (rows.min(review.cursor), rows.max(review.cursor));
        let spots: Vec<(usize, usize)> = (from..=to)
            .filter(|row| is_line(review, *row))
            .filter_map(|row| review.spot(row))
            .collect();
        let Some(&(file, first)) = spots.first() else {
            self.say(Tone::Plain, "put the cursor on a line, or select lines (v)");
            return;
        };
        let last = spots.iter().filter(|(of, _)| *of == file);
        let last = last.map(|(_, line)| *line).max().unwrap_or(first);
        let path = review.view.proposal.files[file].path.clone();
        let seed = self.m.settings.taking.seed.clone();
        let highlight = Highlight {
            id: self.m.team.name(&seed, "mark"),
            file: path,
            from: String::new(),
            to: String::new(),
            colour: colour_of(&me).0.to_owned(),
            author: me,
            created: now.clone(),
            updated: now,
        };
        let ends = ((first, 0), (last, usize::MAX));
        if self.write_in(&id, |replica| replica.mark(highlight, ends.0, ends.1)) {
            let what = if first == last {
                format!("line {first}")
            } else {
                format!("lines {first} to {last}")
            };
            self.say(
                Tone::Plain,
                format!("marked {what}; m: another colour, d: take it away"),
            );
        }
    }

    /// Takes one's own mark or note at the cursor away; a note is asked for.
    pub(super) fn unmark(&mut self) {
        let Some(id) = self.shared() else { return };
        if let Some(note) = self.note_here() {
            if note.author != self.m.settings.taking.name {
                let words = format!("only {} can take this note away", note.author);
                self.say(Tone::Plain, words);
                return;
            }
            let words = text::head(&note.text, 80).to_owned();
            self.ask(Confirm::DropNote(note.id, words));
            return;
        }
        let me = self.m.settings.taking.name.clone();
        let Some(review) = self.m.review() else {
            return;
        };
        let Some(mark) = own_mark(review, &me) else {
            let other = marks_here(review).first().map(|(_, author)| author.clone());
            let words = match other {
                Some(author) => format!("only {author} can take this mark away"),
                None => "no mark of yours is on this line".to_owned(),
            };
            self.say(Tone::Plain, words);
            return;
        };
        if self.write_in(&id, |replica| replica.unmark(&mark)) {
            self.say(Tone::Plain, "the mark is gone");
        }
    }

    /// The note was to be taken away, and the person said yes.
    pub(super) fn drop_note(&mut self, note: &str) {
        let Some(id) = self.shared() else { return };
        if self.write_in(&id, |replica| replica.uncomment(note)) {
            self.say(Tone::Plain, "the note is gone");
        }
    }

    /// Begins to write a note: about the line of the cursor, or as an answer to the note that it is on.
    pub(super) fn note(&mut self) {
        let Some(proposal) = self.shared() else {
            return;
        };
        let Some(review) = self.m.review() else {
            return;
        };
        let (what, about) = match (self.note_here(), review.rows().row(review.cursor)) {
            (Some(note), _) => {
                let about = format!("your answer to {}", note.author);
                (NotingWhat::Answer(note.thread), about)
            }
            (None, DiffRow::File(file)) => {
                let path = review.view.proposal.files[file].path.clone();
                let about = format!("a note about {path}");
                let line = None;
                (NotingWhat::New { file: path, line }, about)
            }
            (None, _) => match review.spot(review.cursor) {
                Some((file, line)) => {
                    let path = review.view.proposal.files[file].path.clone();
                    let about = format!("a note on {path}:{line}");
                    let line = Some(line);
                    (NotingWhat::New { file: path, line }, about)
                }
                None => {
                    let file = String::new();
                    let what = NotingWhat::New { file, line: None };
                    (what, "a note about the proposal".to_owned())
                }
            },
        };
        self.begin_note(proposal, what, "", &about);
    }

    /// Begins to change the words of one's own note.
    pub(super) fn change_note(&mut self) {
        let Some(proposal) = self.shared() else {
            return;
        };
        let Some(note) = self.note_here() else {
            self.say(Tone::Plain, "put the cursor on a note of yours first");
            return;
        };
        if note.author != self.m.settings.taking.name {
            let words = format!("only {} can change this note; M answers it", note.author);
            self.say(Tone::Plain, words);
            return;
        }
        let Some(comment) = self.comment(&proposal, &note.id) else {
            return;
        };
        self.begin_note(
            proposal,
            NotingWhat::Change(note.id),
            &comment.text,
            "your note",
        );
    }

    fn begin_note(&mut self, proposal: ProposalId, what: NotingWhat, words: &str, about: &str) {
        let draft = self.m.line.text().to_owned();
        self.m.line.set(words);
        self.focus_input();
        self.m.team.noting = Some(Noting {
            proposal,
            what,
            draft,
        });
        self.say(
            Tone::Plain,
            format!("write or dictate {about}, then Enter; Esc drops it"),
        );
    }

    /// Takes the line as the note (`keep`) or drops it; `false` when the line holds something else.
    pub(super) fn note_written(&mut self, keep: bool) -> bool {
        let Some(noting) = self.m.team.noting.take() else {
            return false;
        };
        let words = text::head(self.m.line.text().trim(), LONGEST).to_owned();
        let writes = keep && !words.is_empty();
        if writes && !self.can_note(&noting.proposal) {
            if !self.m.loaded || self.m.reviews.get(&noting.proposal).is_some() {
                // It stays in the line until there is something to write it in: after a new start, say.
                self.m.reviews.show(&noting.proposal);
                self.m.team.wanted = true;
                self.m.team.noting = Some(noting);
                self.say(
                    Tone::Plain,
                    "one moment: the proposal's notes are being loaded; then Enter again",
                );
                return true;
            }
            self.m.line.remember(&words);
            self.m.line.set(&noting.draft);
            self.say(
                Tone::Warn,
                "the proposal is closed; what you wrote is one step back in the history",
            );
            return true;
        }
        self.m.line.set(&noting.draft);
        self.m.notice = None;
        self.m.focus = Focus::Cockpit;
        self.m.pane = Pane::Proposal;
        self.m.reviews.show(&noting.proposal);
        self.m.reading = true;
        if !writes {
            return true;
        }
        let now = clock(self.m, self.now);
        let author = self.m.settings.taking.name.clone();
        let seed = self.m.settings.taking.seed.clone();
        let id = self.m.team.name(&seed, "note");
        let fresh = {
            let (text, now) = (words.clone(), now.clone());
            move |file: String, parent: Option<String>| Comment {
                id,
                parent,
                file,
                at: String::new(),
                text,
                author,
                created: now.clone(),
                updated: now,
                resolved: false,
            }
        };
        let done = match noting.what {
            NotingWhat::New { file, line } => {
                let comment = fresh(file, None);
                self.write_in(&noting.proposal, |replica| replica.comment(comment, line))
            }
            NotingWhat::Answer(thread) => {
                let Some(first) = self.comment(&noting.proposal, &thread) else {
                    self.say(Tone::Warn, "the note was taken away meanwhile");
                    return true;
                };
                let comment = Comment {
                    at: first.at,
                    ..fresh(first.file, Some(thread))
                };
                self.write_in(&noting.proposal, |replica| replica.comment(comment, None))
            }
            NotingWhat::Change(id) => {
                let Some(comment) = self.comment(&noting.proposal, &id) else {
                    self.say(Tone::Warn, "the note was taken away meanwhile");
                    return true;
                };
                let changed = Comment {
                    text: words,
                    updated: now,
                    ..comment
                };
                self.write_in(&noting.proposal, |replica| replica.change_comment(&changed))
            }
        };
        if done {
            self.say(Tone::Good, "noted");
        }
        true
    }

    /// The thread of the note at the cursor is done with, or open again.
    pub(super) fn resolve(&mut self) {
        let Some(id) = self.shared() else { return };
        let Some(note) = self.note_here() else {
            self.say(Tone::Plain, "put the cursor on a note first");
            return;
        };
        let Some(first) = self.comment(&id, &note.thread) else {
            return;
        };
        let resolved = !first.resolved;
        let changed = Comment { resolved, ..first };
        if self.write_in(&id, |replica| replica.change_comment(&changed)) {
            let words = if resolved { "done with" } else { "open again" };
            self.say(Tone::Plain, format!("the thread is {words}"));
        }
    }

    /// Goes to the next mark or thread, or to the one before.
    pub(super) fn step_note(&mut self, forward: bool) {
        let height = self.reading_height();
        let Some(review) = self.m.reviews.current_mut() else {
            return;
        };
        let begins = |row: &usize| match review.rows().row(*row) {
            DiffRow::Said(_, at) => {
                let note = review.annotations.notes.get(at);
                note.is_some_and(|note| !note.answer)
            }
            DiffRow::Line(file, ..) | DiffRow::Pair(file, ..) => {
                let line = review.rows().numbers(*row).1;
                let mut here = review.annotations.shades_of(file, line);
                // A mark over several lines is one stop.
                here.any(|shade| {
                    let before = line.saturating_sub(1);
                    let mut above = review.annotations.shades_of(file, before);
                    !above.any(|other| other.id == shade.id)
                })
            }
            _ => false,
        };
        let found = if forward {
            (review.cursor + 1..review.rows().len()).find(begins)
        } else {
            (0..review.cursor).rev().find(begins)
        };
        match found {
            Some(row) => review.go_to(row, height),
            None if forward => self.say(Tone::Plain, "no mark or note below"),
            None => self.say(Tone::Plain, "no mark or note above"),
        }
    }

    /// The note that the cursor is on.
    fn note_here(&self) -> Option<Note> {
        let review = self.m.review()?;
        let DiffRow::Said(_, at) = review.rows().row(review.cursor) else {
            return None;
        };
        review.annotations.notes.get(at).cloned()
    }

    fn comment(&self, proposal: &ProposalId, id: &str) -> Option<Comment> {
        let room = self.m.team.room_of(proposal)?;
        let threads = room.replica.threads().into_iter();
        let all = threads.flat_map(|thread| std::iter::once(thread.first).chain(thread.answers));
        all.into_iter().find(|comment| comment.id == id)
    }
}

/// True for a row that shows a line of text.
fn is_line(review: &Review, row: usize) -> bool {
    matches!(
        review.rows().row(row),
        DiffRow::Line(..) | DiffRow::Pair(..)
    )
}

/// The marks on the line of the cursor, with their authors.
fn marks_here(review: &Review) -> Vec<(String, String)> {
    let row = review.rows().row(review.cursor);
    let Some(file) = row.file().filter(|_| is_line(review, review.cursor)) else {
        return Vec::new();
    };
    let line = review.rows().numbers(review.cursor).1;
    let shades = review.annotations.shades_of(file, line);
    shades
        .map(|shade| (shade.id.clone(), shade.author.clone()))
        .collect()
}

/// The mark of `me` on the line of the cursor.
fn own_mark(review: &Review, me: &str) -> Option<String> {
    let mut here = marks_here(review).into_iter();
    here.find(|(_, author)| author == me).map(|(id, _)| id)
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
    fn a_note_waits_for_its_proposal_and_is_not_lost_with_it() {
        let settings = Settings::new(&Config::default(), false).unwrap();
        let mut model = Model::new(settings, 80, 24);
        model.focus = Focus::Input;
        model.line.set("too loud");
        model.team.noting = Some(Noting {
            proposal: "pro_1".into(),
            what: NotingWhat::Answer("note_1".into()),
            draft: "make it".into(),
        });
        let enter = |model: &mut Model| {
            let enter = Message::Key(Key::plain(Code::Enter), Stroke::Press);
            drop(update(model, Moment::ZERO, enter));
        };
        enter(&mut model);
        assert_eq!(
            model.line.text(),
            "too loud",
            "the server was not heard yet"
        );
        assert!(model.team.noting.is_some() && model.team.wanted);
        model.loaded = true;
        enter(&mut model);
        assert_eq!(model.line.text(), "make it");
        assert_eq!(model.line.history(), ["too loud"]);
        assert_eq!(model.team.noting, None);
    }
}
