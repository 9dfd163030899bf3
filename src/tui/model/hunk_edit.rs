//! The proposed text of one hunk while it is edited here.

use std::ops::Range;

use ratatui_textarea::{CursorMove, Input, TextArea};

use crate::model::{Content, Hunk, ProposalId, ProposedFile};
use crate::room::splices;
use crate::tui::keys::{Code, Key};

/// A hunk of more lines is edited in an editor.
pub const MOST: usize = 2_000;
/// More edits at a time than this are taken as one.
const EDITS: usize = 50;

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
    /// Each key goes into the document that all share, and what others write appears here.
    pub shared: bool,
    /// Steps of the shared document that could be taken back before this began.
    pub steps: usize,
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
        let (lines, ending, ended) = split(&text[bytes.clone()]);
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
            shared: false,
            steps: 0,
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

    /// Takes the whole text of the file as others made it; the cursor stays with its words. True when that is
    /// something else.
    pub fn take(&mut self, text: &str) -> bool {
        let mut now = self.text();
        if now == text {
            return false;
        }
        let edits = splices(&now, text);
        if edits.len() > EDITS {
            self.take_one(now, text);
            return true;
        }
        // The last one first: none moves another.
        for edit in edits {
            let from = byte_of(&now, edit.at);
            let to = from + byte_of(&now[from..], edit.delete);
            let next = format!("{}{}{}", &now[..from], edit.insert, &now[to..]);
            self.take_one(now, &next);
            now = next;
        }
        true
    }

    /// The same for one edit.
    fn take_one(&mut self, old: String, text: &str) {
        let head: usize = common(old.chars(), text.chars());
        let (a, b) = (&old[head..], &text[head..]);
        let tail: usize = common(a.chars().rev(), b.chars().rev());
        // What goes is `from..to` of the old text; what comes in its place ends at `then`.
        let (from, to, then) = (head, old.len() - tail, text.len() - tail);
        let moved = |at: usize| at + then - to;
        let end = old.len() - (self.before.len() - self.bytes.end);
        let own = self.bytes.start..end.max(self.bytes.start);
        let cursor = own.start + self.offset();
        let own = if to < own.start || (to == own.start && from < to) {
            moved(own.start)..moved(own.end)
        } else if from > own.end || (from == own.end && self.ended) {
            own
        } else {
            own.start.min(from)..moved(own.end.max(to))
        };
        let cursor = match cursor {
            at if at <= from => at,
            at if at >= to => moved(at),
            _ => then,
        };
        let (lines, ending, ended) = split(&text[own.clone()]);
        let mut area = TextArea::new(lines.clone());
        area.set_hard_tab_indent(lines.iter().any(|line| line.starts_with('\t')));
        (self.ending, self.ended) = (ending, ended);
        self.first = text[..own.start].matches('\n').count() + 1;
        self.before = text.to_owned();
        let (row, column) = place(&lines, ending, cursor.saturating_sub(own.start));
        area.move_cursor(CursorMove::Jump(row, column));
        self.bytes = own;
        self.area = area;
    }

    /// Bytes of the text before the cursor.
    fn offset(&self) -> usize {
        let cursor = self.area.cursor();
        let lines = self.area.lines();
        let above = lines.iter().take(cursor.0);
        let above: usize = above.map(|line| line.len() + self.ending.len()).sum();
        let line = lines.get(cursor.0).map_or("", String::as_str);
        above
            + line
                .chars()
                .take(cursor.1)
                .map(char::len_utf8)
                .sum::<usize>()
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

/// A text as lines, how they end, and whether the last one does.
fn split(own: &str) -> (Vec<String>, &'static str, bool) {
    let ended = own.is_empty() || own.ends_with('\n');
    let ending = if own.contains("\r\n") { "\r\n" } else { "\n" };
    if own.is_empty() {
        return (Vec::new(), ending, ended);
    }
    let lines = own
        .strip_suffix('\n')
        .unwrap_or(own)
        .split('\n')
        .map(|line| match ending {
            "\r\n" => line.strip_suffix('\r').unwrap_or(line),
            _ => line,
        });
    (lines.map(str::to_owned).collect(), ending, ended)
}

/// The byte of a place in UTF-16 units.
fn byte_of(text: &str, units: usize) -> usize {
    let mut left = units;
    for (at, c) in text.char_indices() {
        if left == 0 {
            return at;
        }
        left = left.saturating_sub(c.len_utf16());
    }
    text.len()
}

/// Bytes in which two texts begin alike.
fn common(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    let alike = one.zip(other).take_while(|(a, b)| a == b);
    alike.map(|(c, _)| c.len_utf8()).sum()
}

/// The line and the column in characters of a byte of the text that `lines` make.
fn place(lines: &[String], ending: &str, at: usize) -> (u16, u16) {
    let small = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let mut left = at;
    for (row, line) in lines.iter().enumerate() {
        if left <= line.len() {
            let before = line.char_indices().take_while(|(byte, _)| *byte < left);
            return (small(row), small(before.count()));
        }
        left = left.saturating_sub(line.len() + ending.len());
    }
    let last = lines.last().map_or(0, |line| line.chars().count());
    (small(lines.len().saturating_sub(1)), small(last))
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
    fn what_others_write_appears_and_the_cursor_stays_with_its_words() {
        let before: String = (0..20).map(|n| format!("line {n}\n")).collect();
        let after = before.replace("line 9\n", "nine here\n");
        let mut one = edit(&before, &after);
        one.shared = true;
        write(&mut one, "é");
        let mine = one.text();
        assert!(mine.contains("\nénine here\n"));
        // Above the hunk, two lines more.
        let above = format!("new\nlines\n{mine}");
        assert!(one.take(&above));
        assert_eq!(one.text(), above);
        assert_eq!(one.first, 9);
        assert_eq!(one.area.cursor(), (3, 1));
        // In the line itself, before and after the cursor.
        let inside = above.replace("énine here", "+énine there");
        assert!(one.take(&inside));
        assert_eq!(one.text(), inside);
        assert_eq!(one.area.cursor(), (3, 2));
        // Below it.
        let below = format!("{inside}the end\n");
        assert!(one.take(&below));
        assert_eq!(one.text(), below);
        assert_eq!(one.area.cursor(), (3, 2));
        assert!(!one.take(&below), "nothing new");
        // The line goes with the cursor in it, and one writes on.
        let gone = below.replace("+énine there\n", "");
        assert!(one.take(&gone));
        write(&mut one, "x");
        assert!(one.text().contains("line 8\nxline 10\n"), "{}", one.text());
        // All of it goes.
        assert!(one.take(""));
        write(&mut one, "y");
        assert!(one.text().starts_with('y'), "{:?}", one.text());
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
