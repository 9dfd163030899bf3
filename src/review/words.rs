//! Which words of a changed line changed, for display.

use std::ops::Range;

use similar::{Algorithm, DiffTag, capture_diff_slices, diff_ratio};
use unicode_segmentation::UnicodeSegmentation;

use crate::model::{Hunk, LineTag};

/// Beyond this, marking words costs more than it tells.
const MAX_LINES: usize = 200;
const MAX_BYTES: usize = 64 * 1024;

/// Share of words in common below which a line counts as new rather than changed.
const MIN_RATIO: f32 = 0.3;

/// For each line of the hunk, the byte ranges of its `text` that changed against the other side.
///
/// Empty for context, and for lines that have so little in common with the other side that all of them is new.
pub fn changed(hunk: &Hunk) -> Vec<Vec<Range<usize>>> {
    let mut spans = vec![Vec::new(); hunk.lines.len()];
    let mut at = 0;
    while at < hunk.lines.len() {
        let run = |from: usize, tag: LineTag| {
            from..from
                + hunk.lines[from..]
                    .iter()
                    .take_while(|line| line.tag == tag)
                    .count()
        };
        let deleted = run(at, LineTag::Delete);
        let inserted = run(deleted.end, LineTag::Insert);
        if inserted.end == at {
            at += 1;
            continue;
        }
        mark(hunk, deleted, inserted.clone(), &mut spans);
        at = inserted.end;
    }
    spans
}

fn mark(
    hunk: &Hunk,
    deleted: Range<usize>,
    inserted: Range<usize>,
    spans: &mut [Vec<Range<usize>>],
) {
    let text = |range: Range<usize>| -> Vec<&str> {
        hunk.lines[range]
            .iter()
            .map(|line| line.text.as_str())
            .collect()
    };
    let (old, new) = (text(deleted.clone()), text(inserted.clone()));
    let bytes: usize = old.iter().chain(&new).map(|line| line.len()).sum();
    let lines = old.len() + new.len();
    if old.is_empty() || new.is_empty() || lines > MAX_LINES || bytes > MAX_BYTES {
        return;
    }
    // As many lines go as come: the n-th replaces the n-th. Otherwise the words of all are matched at once.
    if old.len() == new.len() {
        for (n, (old, new)) in old.into_iter().zip(new).enumerate() {
            compare(&[old], &[new], deleted.start + n, inserted.start + n, spans);
        }
    } else {
        compare(&old, &new, deleted.start, inserted.start, spans);
    }
}

/// A word with its place: which line, and from which byte on.
type Word<'a> = (usize, usize, &'a str);

fn compare(
    old: &[&str],
    new: &[&str],
    old_line: usize,
    new_line: usize,
    spans: &mut [Vec<Range<usize>>],
) {
    let (old_words, new_words) = (words(old), words(new));
    let old_text: Vec<&str> = old_words.iter().map(|(_, _, word)| *word).collect();
    let new_text: Vec<&str> = new_words.iter().map(|(_, _, word)| *word).collect();
    let ops = capture_diff_slices(Algorithm::Myers, &old_text, &new_text);
    if diff_ratio(&ops, old_words.len(), new_words.len()) < MIN_RATIO {
        return;
    }
    for op in ops.iter().filter(|op| op.tag() != DiffTag::Equal) {
        for (line, at, word) in &old_words[op.old_range()] {
            push(
                &mut spans[old_line + line],
                old[*line],
                *at..at + word.len(),
            );
        }
        for (line, at, word) in &new_words[op.new_range()] {
            push(
                &mut spans[new_line + line],
                new[*line],
                *at..at + word.len(),
            );
        }
    }
}

/// Adds a range; white space alone between two ranges is taken along, so that a changed phrase is one.
fn push(ranges: &mut Vec<Range<usize>>, line: &str, range: Range<usize>) {
    match ranges.last_mut() {
        Some(last) if line[last.end..range.start].trim().is_empty() => last.end = range.end,
        _ => ranges.push(range),
    }
}

fn words<'a>(lines: &[&'a str]) -> Vec<Word<'a>> {
    lines
        .iter()
        .enumerate()
        .flat_map(|(n, line)| {
            line.split_word_bound_indices()
                .map(move |(at, word)| (n, at, word))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Content, ProposedFile};
    use crate::review::diff;

    fn marked(before: &str, after: &str) -> Vec<(String, Vec<String>)> {
        let hunk = diff::hunks(&ProposedFile {
            path: "x".into(),
            before: Content::text(before),
            after: Content::text(after),
            mode_before: 0o100_644,
            mode_after: 0o100_644,
            hunks: Vec::new(),
        })
        .remove(0);
        let spans = changed(&hunk);
        assert_eq!(spans.len(), hunk.lines.len());
        hunk.lines
            .iter()
            .zip(spans)
            .filter(|(line, _)| line.tag != LineTag::Context)
            .map(|(line, ranges)| {
                let words = ranges
                    .into_iter()
                    .map(|range| line.text[range].to_owned())
                    .collect();
                (line.text.clone(), words)
            })
            .collect()
    }

    #[test]
    fn only_the_changed_words_are_marked() {
        let found = marked(
            "<p>x</p>\n<h1>Welcome to our site</h1>\n",
            "<p>x</p>\n<h1>Welcome to 3000 Studios</h1>\n",
        );
        assert_eq!(found[0].1, ["our site"]);
        assert_eq!(found[1].1, ["3000 Studios"]);
    }

    #[test]
    fn lines_are_paired_in_order_and_multibyte_text_is_sliced_well() {
        let found = marked(
            "<p>schöne grüße an alle</p>\n<p>zwei drei</p>\n",
            "<p>schöne Grüße an alle</p>\n<p>zwei vier</p>\n",
        );
        assert_eq!(found[0].1, ["grüße"]);
        assert_eq!(found[1].1, ["drei"]);
        assert_eq!(found[2].1, ["Grüße"]);
        assert_eq!(found[3].1, ["vier"]);
    }

    #[test]
    fn wholly_different_lines_and_pure_insertions_are_not_marked() {
        assert!(
            marked("abc\n", "<h1>Something else</h1>\n")
                .iter()
                .all(|(_, w)| w.is_empty())
        );
        assert!(
            marked("a\n", "a\nnew line\n")
                .iter()
                .all(|(_, words)| words.is_empty())
        );
    }
}
