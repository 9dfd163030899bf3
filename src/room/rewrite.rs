//! From one text to another in as few edits as people would need, so that the cursors and the marks of others stay where they are.

use std::ops::Range;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use super::place::utf16_len;

/// A longer search for the smallest edit is given up for a coarser one.
const PATIENCE: Duration = Duration::from_millis(200);

/// Regions with more words on a side are replaced as a whole.
const MAX_WORDS: usize = 2000;

/// One edit of a text. Positions and lengths are in UTF-16 units, as Yjs counts them, and of the text before any of the edits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// Where.
    pub at: usize,
    /// How much goes.
    pub delete: usize,
    /// What comes in its place.
    pub insert: String,
}

/// The edits that turn `old` into `new`, the last place first: applied in this order none moves another.
pub fn splices(old: &str, new: &str) -> Vec<Splice> {
    if old == new {
        return Vec::new();
    }
    let deadline = Instant::now() + PATIENCE;
    let old_lines: Vec<&str> = old.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new.split_inclusive('\n').collect();
    let mut found = Vec::new();
    for (old_range, new_range) in regions(&old_lines, &new_lines, deadline) {
        let before: usize = old_lines[..old_range.start].iter().map(|l| l.len()).sum();
        let old_part = old_lines[old_range].concat();
        let new_part = new_lines[new_range].concat();
        let old_words = words(&old_part);
        let new_words = words(&new_part);
        if old_words.len() > MAX_WORDS || new_words.len() > MAX_WORDS {
            push(&mut found, old, before, &old_part, &new_part);
            continue;
        }
        for (old_range, new_range) in regions(&old_words, &new_words, deadline) {
            let within: usize = old_words[..old_range.start].iter().map(|w| w.len()).sum();
            let old_part = old_words[old_range].concat();
            let new_part = new_words[new_range].concat();
            push(&mut found, old, before + within, &old_part, &new_part);
        }
    }
    // Bytes to UTF-16 in one walk.
    let (mut bytes, mut units) = (0, 0);
    for (at, splice) in &mut found {
        units += utf16_len(&old[bytes..*at]);
        bytes = *at;
        splice.at = units;
    }
    found.into_iter().rev().map(|(_, splice)| splice).collect()
}

/// What differs: ranges of both sides, in order.
fn regions(old: &[&str], new: &[&str], deadline: Instant) -> Vec<(Range<usize>, Range<usize>)> {
    let ops = capture_diff_slices_deadline(Algorithm::Myers, old, new, Some(deadline));
    let mut regions: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for op in ops {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (old, new) = (op.old_range(), op.new_range());
        match regions.last_mut() {
            // What is deleted and what comes in its place are one edit.
            Some(last) if last.0.end == old.start && last.1.end == new.start => {
                last.0.end = old.end;
                last.1.end = new.end;
            }
            _ => regions.push((old, new)),
        }
    }
    regions
}

/// Words, and each other character by itself.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut in_word = false;
    for (at, char) in text.char_indices() {
        let is_word = char.is_alphanumeric() || char == '_';
        if at > start && !(is_word && in_word) {
            words.push(&text[start..at]);
            start = at;
        }
        in_word = is_word;
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}

/// Adds the edit at byte `at` without what both sides begin and end with.
fn push(found: &mut Vec<(usize, Splice)>, old: &str, at: usize, from: &str, to: &str) {
    let same = |(a, b): &(char, char)| a == b;
    let head: usize = from
        .chars()
        .zip(to.chars())
        .take_while(same)
        .map(|(c, _)| c.len_utf8())
        .sum();
    let (from, to) = (&from[head..], &to[head..]);
    let tail: usize = from
        .chars()
        .rev()
        .zip(to.chars().rev())
        .take_while(same)
        .map(|(c, _)| c.len_utf8())
        .sum();
    let (from, to) = (&from[..from.len() - tail], &to[..to.len() - tail]);
    debug_assert!(old[at + head..].starts_with(from));
    if !from.is_empty() || !to.is_empty() {
        let splice = Splice {
            at: 0,
            delete: utf16_len(from),
            insert: to.to_owned(),
        };
        found.push((at + head, splice));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn apply(text: &str, splices: &[Splice]) -> String {
        let mut units: Vec<u16> = text.encode_utf16().collect();
        for splice in splices {
            units.splice(
                splice.at..splice.at + splice.delete,
                splice.insert.encode_utf16(),
            );
        }
        String::from_utf16(&units).expect("no pair is split")
    }

    #[test]
    fn two_words_of_a_line_are_two_small_edits() {
        let old = "# One\n\n<h1 class=\"a\">Welcome to the Studio</h1>\nlast\n";
        let new = "# One\n\n<h1 class=\"b\">Welcome to 3000 Studio</h1>\nlast\n";
        let edits = splices(old, new);
        assert_eq!(edits.len(), 2, "{edits:?}");
        assert_eq!((edits[0].delete, edits[0].insert.as_str()), (3, "3000"));
        assert_eq!((edits[1].delete, edits[1].insert.as_str()), (1, "b"));
        assert_eq!(apply(old, &edits), new);
        assert!(edits[0].at > edits[1].at);
    }

    #[test]
    fn positions_count_in_utf16() {
        let edits = splices("🦀🦀 a\n", "🦀🦀 b\n");
        assert_eq!(
            edits,
            [Splice {
                at: 5,
                delete: 1,
                insert: "b".into()
            }]
        );
        assert_eq!(splices("a", "a"), []);
    }

    proptest! {
        #[test]
        fn any_text_becomes_any_other(old in "[ab \n🦀é_.]{0,60}", new in "[ab \n🦀é_.]{0,60}") {
            prop_assert_eq!(apply(&old, &splices(&old, &new)), new);
        }
    }
}
