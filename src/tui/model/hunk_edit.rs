//! The proposed text of one hunk while it is edited here.

use std::ops::Range;

use ratatui_textarea::{CursorMove, Input, TextArea};

use crate::model::{Content, Hunk, ProposalId, ProposedFile};
use crate::tui::keys::{Code, Key};

/// A hunk of more lines is edited in an editor.
pub const MOST: usize = 2_000;

/// A hunk being edited.
#[derive(Clone, Debug)]
pub struct HunkEdit {
    /// The proposal.
    pub proposal: ProposalId,
    /// The version that the text is of.
    pub version: u32,
    /// The file.
    pub path: String,
    /// The first line on the proposed side, from 1.
    pub first: usize,
    /// The text.
    pub area: TextArea<'static>,
    /// True once Esc was pressed although something was changed.
    pub leaving: bool,
    before: String,
    bytes: Range<usize>,
    lines: Vec<String>,
    ending: &'static str,
    /// Whether the last line ends with a line feed.
    ended: bool,
}

impl HunkEdit {
    /// An edit of `hunk` in `file`; nothing when the proposed side is no text or does not hold the hunk.
    pub fn new(
        proposal: &ProposalId,
        version: u32,
        file: &ProposedFile,
        hunk: &Hunk,
    ) -> Option<Self> {
        let Content::Text { text } = &file.after else {
            return None;
        };
        let first = if hunk.new_lines == 0 {
            hunk.new_start
        } else {
            hunk.new_start.saturating_sub(1)
        };
        let feeds: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        let start = |line: usize| match line {
            0 => Some(0),
            _ if line <= feeds.len() => Some(feeds[line - 1]),
            _ if line == feeds.len() + 1 => Some(text.len()),
            _ => None,
        };
        let bytes = start(first)?..start(first + hunk.new_lines)?;
        let own = &text[bytes.clone()];
        let ended = own.is_empty() || own.ends_with('\n');
        let ending = if own.contains("\r\n") { "\r\n" } else { "\n" };
        let lines: Vec<String> = own
            .strip_suffix('\n')
            .unwrap_or(own)
            .split('\n')
            .map(|line| match ending {
                "\r\n" => line.strip_suffix('\r').unwrap_or(line),
                _ => line,
            })
            .map(str::to_owned)
            .collect();
        let lines = if own.is_empty() { Vec::new() } else { lines };
        let mut area = TextArea::new(lines.clone());
        area.set_hard_tab_indent(lines.iter().any(|line| line.starts_with('\t')));
        // The cursor begins where the change is.
        let context = hunk
            .lines
            .iter()
            .take_while(|line| line.tag == crate::model::LineTag::Context)
            .count();
        let row = u16::try_from(context.min(lines.len().saturating_sub(1))).unwrap_or(0);
        area.move_cursor(CursorMove::Jump(row, 0));
        Some(Self {
            proposal: proposal.clone(),
            version,
            path: file.path.clone(),
            first: first + 1,
            area,
            leaving: false,
            before: text.clone(),
            bytes,
            lines,
            ending,
            ended,
        })
    }

    /// True when something was changed.
    pub fn changed(&self) -> bool {
        let now = self.area.lines();
        let empty = self.lines.is_empty() && now.len() == 1 && now[0].is_empty();
        !empty && now != self.lines.as_slice()
    }

    /// The whole text of the file before.
    pub fn before(&self) -> &str {
        &self.before
    }

    /// The whole text of the file with the hunk as it is now. An empty text is no line at all.
    pub fn text(&self) -> String {
        let lines = self.area.lines();
        let mut own = String::new();
        if !(lines.len() == 1 && lines[0].is_empty()) {
            own = lines.join(self.ending);
            if self.ended {
                own.push_str(self.ending);
            }
        }
        let (head, tail) = (
            &self.before[..self.bytes.start],
            &self.before[self.bytes.end..],
        );
        if !own.is_empty() && !head.is_empty() && !head.ends_with('\n') {
            own.insert_str(0, self.ending);
        }
        format!("{head}{own}{tail}")
    }

    /// Does what a key does in a text.
    pub fn key(&mut self, key: Key) {
        use ratatui_textarea::Key as K;
        let code = match key.code {
            Code::Char(c) => K::Char(c),
            Code::Enter => K::Enter,
            Code::Tab => K::Tab,
            Code::Backspace => K::Backspace,
            Code::Delete => K::Delete,
            Code::Left => K::Left,
            Code::Right => K::Right,
            Code::Up => K::Up,
            Code::Down => K::Down,
            Code::Home => K::Home,
            Code::End => K::End,
            Code::PageUp | Code::PageDown => {
                for _ in 0..10 {
                    self.area.move_cursor(if key.code == Code::PageUp {
                        CursorMove::Up
                    } else {
                        CursorMove::Down
                    });
                }
                return;
            }
            Code::F(_) | Code::Esc | Code::Insert => return,
        };
        self.leaving = false;
        self.area.input(Input {
            key: code,
            ctrl: key.ctrl,
            alt: key.alt,
            shift: key.shift,
        });
    }

    /// Inserts what was pasted.
    pub fn paste(&mut self, text: &str) {
        self.leaving = false;
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        self.area.insert_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::diff;

    fn edit(before: &str, after: &str) -> HunkEdit {
        let mut file = ProposedFile {
            path: "a.html".into(),
            before: Content::text(before),
            after: Content::text(after),
            mode_before: 0o100_644,
            mode_after: 0o100_644,
            hunks: Vec::new(),
        };
        diff::refresh(&mut file);
        let hunk = file.hunks[0].clone();
        HunkEdit::new(&"pro_1".into(), 1, &file, &hunk).unwrap()
    }

    fn write(edit: &mut HunkEdit, text: &str) {
        for c in text.chars() {
            edit.key(if c == '\n' {
                Key::plain(Code::Enter)
            } else {
                Key::char(c)
            });
        }
    }

    #[test]
    fn only_the_hunk_is_replaced_and_line_endings_stay() {
        let lines = |what: &str| {
            (0..20)
                .map(|n| format!("line {n} {what}\r\n"))
                .collect::<String>()
        };
        let before = lines("");
        let after = before.replace("line 9 ", "nine");
        let mut one = edit(&before, &after);
        assert_eq!(one.text(), after);
        assert!(!one.changed());
        assert_eq!(
            one.area.cursor(),
            (3, 0),
            "the cursor is where the change is"
        );
        write(&mut one, "new\n");
        assert!(one.changed());
        assert_eq!(one.text(), after.replace("nine", "new\r\nnine"));
    }

    #[test]
    fn a_file_without_last_line_feed_an_empty_one_and_a_hunk_of_no_lines() {
        let mut tail = edit("a\nb", "a\nc");
        write(&mut tail, "x");
        assert_eq!(tail.text(), "a\nxc");
        let mut gone = edit("a\nb\nc\n", "");
        assert_eq!(gone.text(), "");
        write(&mut gone, "kept");
        assert_eq!(gone.text(), "kept\n");
        let mut new = edit("", "one\n");
        new.paste("two\r\n");
        assert_eq!(new.text(), "two\none\n");
    }
}
