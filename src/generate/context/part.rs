//! A file as it is shown: whole, or the parts around what the words name.

use std::fmt::Write as _;

/// Files up to this many bytes are shown whole.
const WHOLE: usize = 24 << 10;

/// Lines shown before and after a line that matters.
const AROUND: usize = 40;

/// The beginning of a text, cut at a line.
pub fn front(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    match text[..end].rfind('\n') {
        Some(line) => &text[..line],
        None => &text[..end],
    }
}

/// The text to show in at most `room` bytes; `None` when not even a part is worth it.
pub fn of(text: &str, tokens: &[String], room: usize) -> Option<String> {
    if text.len() <= WHOLE.min(room) {
        return Some(text.to_owned());
    }
    if room < 1_024 {
        return None;
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut keep = vec![false; lines.len()];
    let mut any = false;
    for (at, line) in lines.iter().enumerate() {
        let lower = line.to_lowercase();
        if tokens.iter().any(|token| lower.contains(token.as_str())) {
            any = true;
            let from = at.saturating_sub(AROUND);
            let to = (at + AROUND + 1).min(lines.len());
            keep[from..to].fill(true);
        }
    }
    if !any {
        let to = (2 * AROUND).min(lines.len());
        keep[..to].fill(true);
    }
    let most = room.min(WHOLE);
    let mut out = String::new();
    let mut at = 0;
    while at < lines.len() {
        if keep[at] {
            if out.len() + lines[at].len() > most {
                break;
            }
            out.push_str(lines[at]);
            at += 1;
            continue;
        }
        let gap = keep[at..].iter().take_while(|kept| !**kept).count();
        let _ = writeln!(
            out,
            "[lines {} to {} of {} are not shown]",
            at + 1,
            at + gap,
            lines.len()
        );
        at += gap;
    }
    if at < lines.len() {
        let _ = writeln!(out, "[lines {} to {} are not shown]", at + 1, lines.len());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_shown_around_what_is_named() {
        let text: String = (1..=2_000)
            .map(|n| {
                if n == 900 {
                    "<h2>Opening hours</h2>\n".to_owned()
                } else {
                    format!("<p>line {n} of filler text</p>\n")
                }
            })
            .collect();
        let shown = of(&text, &["opening".to_owned()], 100_000).unwrap();
        assert!(
            shown.starts_with("[lines 1 to 859 of 2000 are not shown]"),
            "{}",
            &shown[..60]
        );
        assert!(
            shown.contains("Opening hours")
                && shown.contains("line 940")
                && !shown.contains("line 941 ")
        );
        assert_eq!(of("short", &[], 100), Some("short".to_owned()));
        assert_eq!(of(&text, &[], 100), None);
    }

    #[test]
    fn a_text_is_cut_at_a_line() {
        assert_eq!(front("one\ntwo\nthree", 9), "one\ntwo");
        assert_eq!(front("\u{fc}\u{fc}\u{fc}", 3), "\u{fc}");
    }
}
