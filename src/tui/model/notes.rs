//! What people mark and say in a proposal, as its diff shows it: marked characters, notes below their lines, and the
//! cursors of others.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::review::Review;
use super::team::Room;
use crate::client::room::replica::Thread;
use crate::model::room::Comment;

/// What is written in the line: a note, an answer to one, or a new text of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noting {
    /// The room.
    pub proposal: crate::model::ProposalId,
    /// What becomes of it.
    pub what: NotingWhat,
    /// What stood in the line before.
    pub draft: String,
}

/// What becomes of a note that is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotingWhat {
    /// A new thread about a line of a file; no file: about the proposal.
    New {
        /// The file.
        file: String,
        /// The line on the proposed side.
        line: Option<usize>,
    },
    /// An answer in the thread of this comment.
    Answer(String),
    /// Another text of this comment.
    Change(String),
}

/// A part of a line that somebody marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shade {
    /// The highlight.
    pub id: String,
    /// Who marked it.
    pub author: String,
    /// Index of the file.
    pub file: usize,
    /// The line on the proposed side.
    pub line: usize,
    /// Characters of the line.
    pub chars: Range<usize>,
    /// The colour by name.
    pub colour: String,
}

impl Shade {
    /// The letter that stands for the colour, so that nobody has to see it.
    pub fn letter(&self) -> char {
        letter(&self.colour)
    }
}

/// The letter that stands for a colour: its first, in lower case, but for grey; the letters of people are capitals.
pub fn letter(colour: &str) -> char {
    match colour {
        "grey" => 'x',
        name => name.chars().next().unwrap_or('m').to_ascii_lowercase(),
    }
}

/// A line of what was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The comment.
    pub id: String,
    /// The first comment of its thread.
    pub thread: String,
    /// Index of the file; none for the proposal as a whole, or a file that is not in it.
    pub file: Option<usize>,
    /// The line on the proposed side; none for the whole.
    pub line: Option<usize>,
    /// Who said it.
    pub author: String,
    /// What it says, with what a person needs around it.
    pub text: String,
    /// An answer.
    pub answer: bool,
    /// The thread is done with.
    pub resolved: bool,
}

/// Somebody else's cursor, or a line that they have selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Index of the file.
    pub file: usize,
    /// The line on the proposed side.
    pub line: usize,
    /// The letter of the person.
    pub letter: char,
    /// The colour of the person.
    pub colour: &'static str,
    /// The cursor; else only selected.
    pub cursor: bool,
}

/// What a diff shows of others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    /// Marked characters, by file and line.
    pub shades: Vec<Shade>,
    /// What was said, in the order in which it is shown.
    pub notes: Vec<Note>,
    /// Cursors.
    pub pins: Vec<Pin>,
}

impl Annotations {
    /// The marked parts of a line.
    pub fn shades_of(&self, file: usize, line: u32) -> impl Iterator<Item = &Shade> {
        let line = line as usize;
        let shades = self.shades.iter();
        shades.filter(move |shade| line > 0 && shade.file == file && shade.line == line)
    }

    /// Who is on a line: a cursor before what is only selected.
    pub fn pin_of(&self, file: usize, line: u32) -> Option<&Pin> {
        let line = line as usize;
        let here = self
            .pins
            .iter()
            .filter(|pin| line > 0 && pin.file == file && pin.line == line);
        here.max_by_key(|pin| pin.cursor)
    }
}

/// The marks and notes of `room` for `review`.
pub fn of_room(review: &Review, room: &Room) -> (Vec<Shade>, Vec<Note>) {
    let files = &review.view.proposal.files;
    let file_of = |path: &str| files.iter().position(|file| file.path == path);
    let mut shades = Vec::new();
    for marked in room.replica.marks() {
        let Some(file) = file_of(&marked.highlight.file) else {
            continue;
        };
        let (from, to) = (marked.from, marked.to);
        // A mark that ends at the start of a line ends with the line before.
        let last = if to.1 == 0 && to.0 > from.0 {
            to.0 - 1
        } else {
            to.0
        };
        for line in from.0..=last.min(from.0 + LINES) {
            let begin = if line == from.0 { from.1 } else { 0 };
            let end = if line == to.0 { to.1 } else { usize::MAX };
            shades.push(Shade {
                id: marked.highlight.id.clone(),
                author: marked.highlight.author.clone(),
                file,
                line,
                chars: begin..end,
                colour: marked.highlight.colour.clone(),
            });
        }
    }
    shades.sort_by_key(|shade| (shade.file, shade.line, shade.chars.start));
    let mut notes = Vec::new();
    for thread in room.replica.threads() {
        let file = file_of(&thread.first.file);
        notes.extend(lines(&thread, file));
    }
    (shades, notes)
}

/// Lines of one mark that are shown; more is no mark but the whole file.
const LINES: usize = 2_000;

/// A thread as lines; one that is done with is one line.
fn lines(thread: &Thread, file: Option<usize>) -> Vec<Note> {
    let first = &thread.first;
    let note = |comment: &Comment, text: String, answer: bool| Note {
        id: comment.id.clone(),
        thread: first.id.clone(),
        file,
        line: thread.line,
        author: comment.author.clone(),
        text,
        answer,
        resolved: first.resolved,
    };
    let said = |comment: &Comment| {
        let changed = if comment.updated == comment.created {
            ""
        } else {
            " (changed)"
        };
        format!("{}: {}{changed}", comment.author, comment.text)
    };
    // A file that is not part of the proposal, or a file as a whole, is named.
    let place = match (file, thread.line) {
        (Some(_), _) => String::new(),
        (None, _) if first.file.is_empty() => String::new(),
        (None, Some(line)) => format!("{}:{line} ", first.file),
        (None, None) => format!("{} ", first.file),
    };
    if first.resolved {
        let more = match thread.answers.len() {
            0 => String::new(),
            1 => " (1 answer)".to_owned(),
            many => format!(" ({many} answers)"),
        };
        return vec![note(first, format!("{place}{}{more}", said(first)), false)];
    }
    let mut lines = vec![note(first, format!("{place}{}", said(first)), false)];
    let answers = thread.answers.iter();
    lines.extend(answers.map(|comment| note(comment, said(comment), true)));
    lines
}

impl Review {
    /// Shows what others mark and say; what is in sight stays where it is.
    pub fn annotate(&mut self, annotations: Annotations) {
        if self.annotations == annotations {
            return;
        }
        let same_rows = self.annotations.notes == annotations.notes;
        self.annotations = annotations;
        if !same_rows {
            self.rows_again();
        }
    }

    /// The file and the line on the proposed side that a row stands for: its own, else that of the nearest line.
    pub fn spot(&self, row: usize) -> Option<(usize, usize)> {
        let file = self.rows().row(row).file()?;
        let line = |at: usize| {
            let same = self.rows().row(at).file() == Some(file);
            let number = self.rows().numbers(at).1;
            (same && number > 0).then_some(number as usize)
        };
        if let Some(line) = line(row) {
            return Some((file, line));
        }
        let below = (row + 1..self.rows().len())
            .take_while(|at| self.rows().row(*at).file() == Some(file))
            .find_map(line);
        let above = (0..row)
            .rev()
            .take_while(|at| self.rows().row(*at).file() == Some(file))
            .find_map(|at| line(at).map(|line| line + 1));
        // A heading stands for what follows it, and what was removed for what came in its place.
        below.or(above).map(|line| (file, line))
    }

    /// The row that shows a line on the proposed side, or the nearest one before it.
    pub fn row_of(&self, path: &str, line: usize) -> Option<usize> {
        let files = &self.view.proposal.files;
        let file = files.iter().position(|file| file.path == path)?;
        let from = self.rows().file_heading(file)?;
        let mut best = from;
        for at in from..self.rows().len() {
            let row = self.rows().row(at);
            if row.file() != Some(file) {
                break;
            }
            let number = self.rows().numbers(at).1 as usize;
            if number > 0 && number <= line {
                best = at;
            }
        }
        Some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_has_a_letter_of_its_own() {
        let letters: std::collections::BTreeSet<char> = crate::model::room::COLOURS
            .iter()
            .map(|(name, _)| letter(name))
            .collect();
        assert_eq!(letters.len(), 8, "{letters:?}");
        assert_eq!(letter(""), 'm');
    }
}
