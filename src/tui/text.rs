//! Text on its way to the screen: made harmless, measured, fitted and wrapped.
//!
//! What a server or a repository says may hold escape sequences, control characters or direction overrides. They
//! are shown as what they are and never sent to the terminal. Widths are columns, not bytes or characters.

use std::borrow::Cow;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns between tab stops.
const TAB: usize = 4;

/// `text` with nothing in it that a terminal would act on, in one line.
///
/// Tabs become spaces, C0 controls their Unicode pictures (`␛`), C1 controls, direction overrides and other invisible
/// characters `<U+XXXX>`: a reviewer sees that they are there.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    if !text.chars().any(must_go) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut column = 0;
    for c in text.chars() {
        let before = out.len();
        match c {
            '\t' => out.extend(std::iter::repeat_n(' ', TAB - column % TAB)),
            '\u{7f}' => out.push('\u{2421}'),
            c if (c as u32) < 0x20 => {
                out.push(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'));
            }
            c if must_go(c) => out.push_str(&format!("<U+{:04X}>", c as u32)),
            c => out.push(c),
        }
        column += out[before..].width();
    }
    Cow::Owned(out)
}

/// As [`clean`], for prose: runs of whitespace, line feeds among them, become one space.
pub fn clean_prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&clean(word));
    }
    out
}

/// True for what must not reach the terminal, or would be invisible there.
fn must_go(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

/// Columns that `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The first part of `text` that fits into `columns`, with `…` at its end when something was cut.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut used = 0;
    let mut out = String::new();
    for grapheme in text.graphemes(true) {
        let wide = grapheme.width();
        if used + wide > columns - 1 {
            break;
        }
        used += wide;
        out.push_str(grapheme);
    }
    out.push('…');
    Cow::Owned(out)
}

/// At most `limit` bytes of `text`, cut at a character.
pub fn head(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Where to break `text` so that each piece fits into `columns`; at least one piece.
///
/// With `words` breaks are put at spaces where possible (the space is dropped), else anywhere between graphemes.
pub fn wrap(text: &str, columns: usize, words: bool) -> Vec<Range<usize>> {
    let columns = columns.max(1);
    // Every byte is at least as wide as the columns it stands for, but for combining marks and the like: enough to
    // say that a short text fits.
    if text.len() <= columns || text.width() <= columns {
        return std::iter::once(0..text.len()).collect();
    }
    let mut pieces = Vec::new();
    let (mut start, mut used) = (0, 0);
    let mut space: Option<usize> = None;
    for (at, grapheme) in text.grapheme_indices(true) {
        let wide = grapheme.width();
        if used + wide > columns && at > start {
            match space.filter(|space| words && *space > start) {
                Some(space) => {
                    pieces.push(start..space);
                    start = space + 1;
                }
                None => {
                    pieces.push(start..at);
                    start = at;
                }
            }
            used = text[start..at].width();
            space = None;
        }
        if grapheme == " " {
            space = Some(at);
        }
        used += wide;
    }
    pieces.push(start..text.len());
    pieces
}

/// Columns of one character; controls count as nothing.
pub fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// A length of time for people: `80 ms`, `0.62 s`, `12.3 s`, `2:05`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..100 => format!("{ms} ms"),
        100..10_000 => format!("{}.{:02} s", ms / 1000, ms % 1000 / 10),
        10_000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{}:{:02}", ms / 60_000, ms / 1000 % 60),
    }
}

/// A number of bytes for people.
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{}.{} kB", count / 1_000, count % 1_000 / 100),
        _ => format!("{}.{} MB", count / 1_000_000, count % 1_000_000 / 100_000),
    }
}

/// The first seven digits of a commit's id.
pub fn short(commit: &str) -> &str {
    head(commit, 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_terminal_acts_on_survives() {
        let hostile = "a\x1b[2J\u{9b}31m\u{202e}b\x07\u{7f}\r\n";
        let shown = clean(hostile);
        assert_eq!(shown, "a␛[2J<U+009B>31m<U+202E>b␇␡␍␊");
        assert!(!shown.chars().any(|c| c.is_control()));
        assert!(matches!(clean("plain ünïcode ✓ 👩‍👩‍👧"), Cow::Borrowed(_)));
        assert_eq!(clean("\ta\tb"), "    a   b");
        assert_eq!(clean_prose(" two\n\n  words\x1b "), "two words␛");
    }

    #[test]
    fn texts_are_cut_by_columns() {
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(head("añb", 2), "a");
    }

    #[test]
    fn wrapping_loses_nothing_and_respects_the_width() {
        let text = "a long line of plain words, and averyveryverylongone";
        for words in [true, false] {
            for columns in 1..60 {
                let pieces = wrap(text, columns, words);
                assert!(pieces.iter().all(|p| width(&text[p.clone()]) <= columns));
                let kept: String = pieces.iter().map(|p| &text[p.clone()]).collect();
                assert_eq!(kept.replace(' ', ""), text.replace(' ', ""));
                if !words {
                    assert_eq!(kept, text);
                }
            }
        }
        assert_eq!(wrap("", 5, true), vec![0..0]);
        assert_eq!(wrap("日本", 1, false).len(), 2);
    }

    #[test]
    fn times_read_well() {
        let shown = [45, 620, 12_345, 125_000].map(duration);
        assert_eq!(shown, ["45 ms", "0.62 s", "12.3 s", "2:05"]);
    }
}
