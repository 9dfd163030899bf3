//! One line of text with a cursor and a history.

use unicode_segmentation::UnicodeSegmentation;

use crate::tui::keymap::LineCommand;
use crate::tui::text;

/// Longest text in bytes; what is typed or pasted beyond is dropped.
pub const LIMIT: usize = text::PROSE;
/// Lines kept in the history.
const HISTORY: usize = 200;

/// The text being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    /// Byte index, always between graphemes.
    cursor: usize,
    history: Vec<String>,
    /// Place in the history while looking through it; the draft is kept beside it.
    looking: Option<(usize, String)>,
}

impl Line {
    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text before the cursor.
    pub fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Puts `text` in the line, cursor at its end.
    pub fn set(&mut self, text: &str) {
        self.text = clip(&text::clean_prose(text), LIMIT).to_owned();
        self.cursor = self.text.len();
        self.looking = None;
    }

    /// Inserts `text` at the cursor as one change; line feeds and tabs become blanks. False when not all of it fitted.
    pub fn insert(&mut self, text: &str) -> bool {
        let room = LIMIT.saturating_sub(self.text.len());
        // Only as much as can fit is cleaned: a paste may be of any size. Cleaning may lengthen it, so it is cut again.
        let source = text::head(text, room.saturating_add(1));
        let blanks = source.replace(['\r', '\n', '\t'], " ");
        let harmless = text::clean(&blanks);
        let taken = clip(&harmless, room);
        self.text.insert_str(self.cursor, taken);
        self.cursor = self.boundary_at_or_after(self.cursor + taken.len());
        self.looking = None;
        source.len() == text.len() && taken.len() == harmless.len()
    }

    /// Inserts words that were dictated at the cursor, set off by blanks where there are none. False when not all of
    /// them fitted.
    pub fn dictate(&mut self, words: &str) -> bool {
        let blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let before = if blank(self.before().chars().next_back()) {
            ""
        } else {
            " "
        };
        let after = if blank(self.text[self.cursor..].chars().next()) {
            ""
        } else {
            " "
        };
        let words = text::clean_prose(words.trim());
        self.insert(&format!("{before}{words}{after}"))
    }

    /// Takes the text out of the line and puts it into the history.
    pub fn take(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        self.cursor = 0;
        self.looking = None;
        self.remember(&text);
        text
    }

    /// What was sent before, oldest first.
    pub fn history(&self) -> &[String] {
        &self.history
    }

    /// Puts `text` into the history, unless it is blank or the last entry.
    pub fn remember(&mut self, text: &str) {
        if text.trim().is_empty() || self.history.last().is_some_and(|last| last == text) {
            return;
        }
        if self.history.len() == HISTORY {
            self.history.remove(0);
        }
        self.history.push(text.to_owned());
    }

    /// Does what a key asks for.
    pub fn apply(&mut self, command: LineCommand) {
        match command {
            LineCommand::Left => self.cursor = self.previous(),
            LineCommand::Right => self.cursor = self.next(),
            LineCommand::WordLeft => self.cursor = self.word_left(),
            LineCommand::WordRight => self.cursor = self.word_right(),
            LineCommand::Home => self.cursor = 0,
            LineCommand::End => self.cursor = self.text.len(),
            LineCommand::Backspace => self.delete(self.previous(), self.cursor),
            LineCommand::Delete => self.delete(self.cursor, self.next()),
            LineCommand::KillWord => self.delete(self.word_left(), self.cursor),
            LineCommand::KillToStart => self.delete(0, self.cursor),
            LineCommand::KillToEnd => self.delete(self.cursor, self.text.len()),
            LineCommand::Older => self.look(true),
            LineCommand::Newer => self.look(false),
        }
    }

    fn delete(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        // What stood on both sides may join to one grapheme: never leave the cursor inside it.
        self.cursor = self.boundary_at_or_after(from);
        self.looking = None;
    }

    fn look(&mut self, older: bool) {
        let at = match (&self.looking, older) {
            (None, true) => self.history.len().checked_sub(1),
            (None, false) => return,
            (Some((at, _)), true) => Some(at.saturating_sub(1)),
            (Some((at, _)), false) => Some(at + 1),
        };
        let Some(at) = at else { return };
        let draft = match self.looking.take() {
            Some((_, draft)) => draft,
            None => std::mem::take(&mut self.text),
        };
        match self.history.get(at) {
            Some(entry) => {
                self.text.clone_from(entry);
                self.looking = Some((at, draft));
            }
            None => self.text = draft,
        }
        self.cursor = self.text.len();
    }

    fn previous(&self) -> usize {
        self.before()
            .grapheme_indices(true)
            .next_back()
            .map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        let after = &self.text[self.cursor..];
        self.cursor + after.graphemes(true).next().map_or(0, str::len)
    }

    fn word_left(&self) -> usize {
        let before = self.before();
        let kept = before.trim_end_matches(|c: char| !c.is_alphanumeric());
        kept.trim_end_matches(char::is_alphanumeric).len()
    }

    fn word_right(&self) -> usize {
        let after = &self.text[self.cursor..];
        let rest = after
            .trim_start_matches(|c: char| !c.is_alphanumeric())
            .trim_start_matches(char::is_alphanumeric);
        self.text.len() - rest.len()
    }

    fn boundary_at_or_after(&self, at: usize) -> usize {
        self.text
            .grapheme_indices(true)
            .map(|(start, _)| start)
            .find(|start| *start >= at)
            .unwrap_or(self.text.len())
    }
}

/// At most `limit` bytes of `text`, cut between graphemes.
fn clip(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = text
        .grapheme_indices(true)
        .map(|(at, grapheme)| at + grapheme.len())
        .take_while(|end| *end <= limit)
        .last()
        .unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use LineCommand as L;

    fn line(text: &str) -> Line {
        let mut line = Line::default();
        line.insert(text);
        line
    }

    #[test]
    fn editing_moves_by_graphemes_and_words() {
        let mut line = line("add a 👩‍👩‍👧 hero");
        line.apply(L::WordLeft);
        assert_eq!(line.before(), "add a 👩‍👩‍👧 ");
        line.apply(L::Backspace);
        line.apply(L::Backspace);
        assert_eq!(line.text(), "add a hero");
        line.apply(L::KillWord);
        assert_eq!(line.text(), "add hero");
        line.apply(L::Home);
        line.apply(L::WordRight);
        line.apply(L::KillToEnd);
        assert_eq!(line.text(), "add");
        line.apply(L::KillToStart);
        assert_eq!(line.text(), "");
        line.apply(L::Delete);
        line.apply(L::Backspace);
        assert_eq!(line.before(), "");
    }

    #[test]
    fn a_paste_is_one_harmless_line_of_bounded_length() {
        let mut line = Line::default();
        assert!(line.insert("two\r\nlines\x1b[31m"));
        assert_eq!(line.text(), "two  lines␛[31m");
        assert!(!line.insert(&"x".repeat(1 << 20)));
        assert_eq!(line.text().len(), LIMIT);
        assert!(!line.insert("y"));
    }

    #[test]
    fn the_history_keeps_the_draft() {
        let mut line = Line::default();
        for text in ["one", "two", "two", "  "] {
            line.insert(text);
            line.take();
        }
        line.insert("dra");
        line.apply(L::Older);
        assert_eq!(line.text(), "two");
        line.apply(L::Older);
        line.apply(L::Older);
        assert_eq!(line.text(), "one");
        line.apply(L::Newer);
        line.apply(L::Newer);
        assert_eq!(line.text(), "dra");
        line.apply(L::Newer);
        assert_eq!(line.text(), "dra");
    }

    #[test]
    fn dictated_words_are_set_off_by_blanks() {
        let mut line = line("change the footer");
        line.apply(L::WordLeft);
        assert!(line.dictate("blue "));
        assert_eq!(line.text(), "change the blue footer");
        line.apply(L::End);
        line.dictate("now.");
        assert_eq!(line.text(), "change the blue footer now.");
        let mut empty = Line::default();
        empty.dictate("Fix it.");
        assert_eq!(empty.text(), "Fix it.");
    }

    #[test]
    fn joined_graphemes_never_split_the_cursor() {
        let mut line = line("e");
        line.insert("x\u{301}");
        line.apply(L::Left);
        assert_eq!(line.before(), "e");
        line.insert("\u{301}");
        assert!(line.text().is_char_boundary(line.before().len()));
    }
}
