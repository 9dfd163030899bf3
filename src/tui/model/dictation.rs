//! The texts that can be dictated into. Whatever is added that a person types into joins here.

use super::line::Line;
use super::menu::Menu;
use super::{Focus, HunkEdit, Model, Overlay};
use crate::tui::text;

/// A text that has the focus.
#[derive(Debug)]
pub enum TextField<'a> {
    /// The line for instructions and revisions.
    Line(&'a mut Line),
    /// What the timeline is filtered by.
    Filter(&'a mut Line),
    /// What is looked for in a list.
    Menu(&'a mut Menu),
    /// The proposed text of a hunk.
    Hunk(&'a mut HunkEdit),
}

impl Model {
    /// The text that has the focus: what is said goes there.
    pub fn text_field(&mut self) -> Option<TextField<'_>> {
        let full = self.full_view();
        match (&mut self.overlay, self.focus) {
            (Some(Overlay::Menu(menu)), _) => Some(TextField::Menu(menu)),
            (Some(_), _) => None,
            (None, _) if self.board.filter.is_some() => {
                self.board.filter.as_mut().map(TextField::Filter)
            }
            (None, Focus::Input) => Some(TextField::Line(&mut self.line)),
            (None, Focus::Cockpit) if full => self.editing.as_mut().map(TextField::Hunk),
            (None, Focus::Cockpit) => None,
        }
    }
}

impl TextField<'_> {
    /// Inserts `words` at the cursor, set off by blanks. False when not all of them fitted.
    pub fn dictate(self, words: &str) -> bool {
        match self {
            Self::Line(line) => line.dictate(words),
            Self::Filter(line) => line.dictate(name(words)),
            Self::Menu(menu) => {
                let fits = menu.filter.dictate(name(words));
                menu.refilter();
                fits
            }
            Self::Hunk(edit) => {
                let ratatui_textarea::DataCursor(row, column) = edit.area.cursor();
                let line = edit.area.lines().get(row).map_or("", String::as_str);
                let blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
                let opens = |c: Option<char>| blank(c) || matches!(c, Some('>' | '"' | '(' | '{'));
                let closes = |c: Option<char>| blank(c) || matches!(c, Some('<' | '"' | ')' | '}'));
                let left = column.checked_sub(1).and_then(|at| line.chars().nth(at));
                let before = if opens(left) { "" } else { " " };
                let after = if closes(line.chars().nth(column)) {
                    ""
                } else {
                    " "
                };
                let words = text::clean_prose(words.trim());
                edit.leaving = false;
                edit.area.insert_str(format!("{before}{words}{after}"))
            }
        }
    }
}

/// Words that look for something: a name is meant, not a sentence.
fn name(words: &str) -> &str {
    words.trim().trim_end_matches(['.', '?', '!'])
}
