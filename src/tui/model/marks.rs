//! Which words of a changed line changed: worked out for the lines in sight, once each.

use std::collections::HashMap;
use std::ops::Range;

use super::rows::DiffRow;
use crate::model::{Decision, Hunk, LineTag, ProposedFile};
use crate::review::words;

/// Longest run of changed lines, and its longest text, that is compared: a key press must not wait for it.
const LINES: usize = 64;
const BYTES: usize = 8 * 1024;
/// Lines kept.
const KEPT: usize = 4_000;

/// The changed words of lines, as byte ranges of the raw text, by file, hunk and line.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    lines: HashMap<(usize, usize, usize), Vec<Range<usize>>>,
}

impl Marks {
    /// The changed words of a line.
    pub fn of(&self, file: usize, hunk: usize, line: usize) -> &[Range<usize>] {
        self.lines
            .get(&(file, hunk, line))
            .map_or(&[], Vec::as_slice)
    }

    /// Works out the marks of what `row` shows, unless they are known.
    pub fn note(&mut self, files: &[ProposedFile], row: DiffRow) {
        let Some((f, h)) = row.hunk() else { return };
        let hunk = &files[f].hunks[h];
        for line in row.lines().into_iter().flatten() {
            if hunk.lines[line].tag == LineTag::Context || self.lines.contains_key(&(f, h, line)) {
                continue;
            }
            if self.lines.len() >= KEPT {
                self.lines.clear();
            }
            let run = run(hunk, line);
            let text: usize = hunk.lines[run.clone()].iter().map(|l| l.text.len()).sum();
            if run.len() >= LINES || text > BYTES {
                self.lines.insert((f, h, line), Vec::new());
                continue;
            }
            let alone = Hunk {
                id: String::new(),
                lines: hunk.lines[run.clone()].to_vec(),
                decision: Decision::Accepted,
                left_out: Vec::new(),
                ..*hunk
            };
            for (at, ranges) in run.zip(words::changed(&alone)) {
                self.lines.insert((f, h, at), ranges);
            }
        }
    }
}

/// The run of removed and then added lines that `line` belongs to, as far as it is worth looking.
fn run(hunk: &Hunk, line: usize) -> Range<usize> {
    let tag = |at: usize| hunk.lines[at].tag;
    let (mut from, mut to) = (line, line + 1);
    let least = line.saturating_sub(LINES);
    let most = hunk.lines.len().min(line + LINES);
    // Backwards over additions, then over removals: an addition before a removal is another run.
    while from > least {
        match (tag(from - 1), tag(from)) {
            (LineTag::Context, _) | (LineTag::Insert, LineTag::Delete) => break,
            _ => from -= 1,
        }
    }
    while to < most {
        match (tag(to - 1), tag(to)) {
            (_, LineTag::Context) | (LineTag::Insert, LineTag::Delete) => break,
            _ => to += 1,
        }
    }
    from..to
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Content, ProposedFile};
    use crate::review::diff;

    fn files(before: &str, after: &str) -> Vec<ProposedFile> {
        let mut file = ProposedFile {
            path: "x".into(),
            before: Content::text(before),
            after: Content::text(after),
            mode_before: 0o100_644,
            mode_after: 0o100_644,
            hunks: Vec::new(),
        };
        diff::refresh(&mut file);
        vec![file]
    }

    #[test]
    fn marks_of_one_line_are_those_of_the_whole_hunk() {
        let files = files(
            "<a>one</a>\n<b>two</b>\nsame\n",
            "<a>1</a>\n<b>2</b>\nsame\n",
        );
        let whole = words::changed(&files[0].hunks[0]);
        let mut marks = Marks::default();
        marks.note(&files, DiffRow::Line(0, 0, 3));
        for (line, ranges) in whole.iter().enumerate() {
            assert_eq!(marks.of(0, 0, line), ranges, "{line}");
        }
        assert!(whole.iter().any(|ranges| !ranges.is_empty()));
    }

    #[test]
    fn a_wholesale_replacement_costs_nothing() {
        let many = |word: &str| {
            (0..50_000)
                .map(|n| format!("{word} {n}\n"))
                .collect::<String>()
        };
        let files = files("", &many("new"));
        let mut marks = Marks::default();
        let begun = std::time::Instant::now();
        for line in 0..40 {
            marks.note(&files, DiffRow::Line(0, 0, line * 1_000));
        }
        assert!(begun.elapsed() < std::time::Duration::from_millis(100));
        assert!(marks.of(0, 0, 1_000).is_empty());
    }
}
