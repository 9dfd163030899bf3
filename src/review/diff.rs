//! From two sides of a file to the hunks that a person accepts or leaves out.
//!
//! Lines end at `\n` alone, as in git: a `\r` before it is part of the line, so a change of line endings is
//! a change. Hunks are grouped as git groups them: three lines of context, one hunk where they would touch.

use std::time::{Duration, Instant};

use sha1::{Digest, Sha1};
use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices_deadline, group_diff_ops};

use crate::model::{Content, Decision, DiffLine, Hunk, LineTag, ProposedFile};

/// Lines of unchanged text around a change.
const CONTEXT: usize = 3;

/// After this time a diff is finished coarsely rather than well.
const PATIENCE: Duration = Duration::from_millis(500);

/// The file type bits of a git mode; 0 means the file does not exist.
const TYPE: u32 = 0o170_000;

/// The hunks between the two sides of a file, in order; none when nothing differs.
///
/// A binary file, a pure change of mode, and a file without any line that comes or goes are one hunk with no
/// lines. A file that turns into a symlink (or back) is one hunk that replaces all of it: half a link is no link.
pub fn hunks(file: &ProposedFile) -> Vec<Hunk> {
    let (path, before, after) = (&file.path, &file.before, &file.after);
    let (mode_before, mode_after) = (file.mode_before, file.mode_after);
    if before == after && mode_before == mode_after {
        return Vec::new();
    }
    let whole = || {
        let id = bare_id(path, before, after, mode_before, mode_after);
        vec![Hunk {
            id,
            old_start: 0,
            old_lines: 0,
            new_start: 0,
            new_lines: 0,
            lines: Vec::new(),
            decision: Decision::Accepted,
            left_out: Vec::new(),
        }]
    };
    let (Some(old), Some(new)) = (side(before), side(after)) else {
        return whole();
    };
    let (old, new) = (split(old), split(new));
    if old == new {
        return whole();
    }
    let groups = if changes_type(mode_before, mode_after) {
        vec![vec![DiffOp::Replace {
            old_index: 0,
            old_len: old.len(),
            new_index: 0,
            new_len: new.len(),
        }]]
    } else {
        group_diff_ops(ops(&old, &new), CONTEXT)
    };
    groups
        .iter()
        .filter_map(|group| hunk(path, group, &old, &new))
        .collect()
}

/// Computes the hunks of `file` anew and keeps the decision of every hunk that is still there.
pub fn refresh(file: &mut ProposedFile) {
    let mut fresh = hunks(file);
    for hunk in &mut fresh {
        if let Some(old) = file.hunks.iter().find(|old| old.id == hunk.id) {
            hunk.decision = old.decision;
            hunk.left_out.clone_from(&old.left_out);
        }
    }
    file.hunks = fresh;
}

/// True when the modes are of different kinds of file, such as a regular file and a symlink.
pub(super) fn changes_type(mode_before: u32, mode_after: u32) -> bool {
    mode_before != 0 && mode_after != 0 && mode_before & TYPE != mode_after & TYPE
}

/// The lines of a text, each with its line feed.
pub(super) fn split(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The differences between two lists of lines.
pub(super) fn ops(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    // Histogram anchors on rare lines, which keeps repeated markup (`</div>`) from pairing up across blocks.
    capture_diff_slices_deadline(
        Algorithm::Histogram,
        old,
        new,
        Some(Instant::now() + PATIENCE),
    )
}

/// A side as text, where it has lines: an absent file has none.
fn side(content: &Content) -> Option<&str> {
    match content {
        Content::Absent => Some(""),
        Content::Text { text } => Some(text),
        Content::Binary { .. } => None,
    }
}

fn hunk(path: &str, group: &[DiffOp], old: &[&str], new: &[&str]) -> Option<Hunk> {
    let (first, last) = (group.first()?, group.last()?);
    let old_range = first.old_range().start..last.old_range().end;
    let new_range = first.new_range().start..last.new_range().end;
    let mut lines = Vec::new();
    for op in group {
        if op.tag() == DiffTag::Equal {
            lines.extend(
                old[op.old_range()]
                    .iter()
                    .map(|text| line(LineTag::Context, text)),
            );
        } else {
            lines.extend(
                old[op.old_range()]
                    .iter()
                    .map(|text| line(LineTag::Delete, text)),
            );
            lines.extend(
                new[op.new_range()]
                    .iter()
                    .map(|text| line(LineTag::Insert, text)),
            );
        }
    }
    let mut hunk = Hunk {
        id: String::new(),
        old_start: start(old_range.start, old_range.len()),
        old_lines: old_range.len(),
        new_start: start(new_range.start, new_range.len()),
        new_lines: new_range.len(),
        lines,
        decision: Decision::Accepted,
        left_out: Vec::new(),
    };
    hunk.id = id(path, &hunk);
    Some(hunk)
}

/// The line number of a range as a unified diff has it: of no lines, the line before.
pub(super) fn start(index: usize, lines: usize) -> usize {
    if lines == 0 { index } else { index + 1 }
}

fn line(tag: LineTag, text: &str) -> DiffLine {
    match text.strip_suffix('\n') {
        Some(text) => DiffLine {
            tag,
            text: text.to_owned(),
            no_newline: false,
        },
        None => DiffLine {
            tag,
            text: text.to_owned(),
            no_newline: true,
        },
    }
}

/// The hunk's name: the same as long as path, place in the base and lines are the same. Where it lands on
/// the new side is left out, since that moves with the decisions on hunks above.
fn id(path: &str, hunk: &Hunk) -> String {
    let mut hasher = Sha1::new();
    hasher.update(path);
    hasher.update(format!("\0{} {}\0", hunk.old_start, hunk.old_lines));
    for line in &hunk.lines {
        let sign = match line.tag {
            LineTag::Context => " ",
            LineTag::Delete => "-",
            LineTag::Insert => "+",
        };
        hasher.update(sign);
        hasher.update(&line.text);
        hasher.update(if line.no_newline { "\0" } else { "\n" });
    }
    short(hasher)
}

fn bare_id(
    path: &str,
    before: &Content,
    after: &Content,
    mode_before: u32,
    mode_after: u32,
) -> String {
    let mut hasher = Sha1::new();
    hasher.update(path);
    hasher.update(format!("\0{mode_before:o} {mode_after:o}"));
    for content in [before, after] {
        match content {
            Content::Absent => hasher.update("\0absent"),
            Content::Text { text } => hasher.update(format!("\0text {}\0{text}", text.len())),
            Content::Binary { oid, .. } => hasher.update(format!("\0binary {oid}")),
        }
    }
    short(hasher)
}

fn short(hasher: Sha1) -> String {
    hasher
        .finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: u32 = 0o100_644;

    fn hunks(path: &str, before: &Content, after: &Content, old: u32, new: u32) -> Vec<Hunk> {
        super::hunks(&ProposedFile {
            path: path.into(),
            before: before.clone(),
            after: after.clone(),
            mode_before: old,
            mode_after: new,
            hunks: Vec::new(),
        })
    }

    fn of(before: &str, after: &str) -> Vec<Hunk> {
        hunks(
            "page.html",
            &Content::text(before),
            &Content::text(after),
            FILE,
            FILE,
        )
    }

    fn numbered(range: std::ops::RangeInclusive<usize>) -> String {
        range.map(|n| format!("line {n}\n")).collect()
    }

    #[test]
    fn equal_sides_have_no_hunks() {
        assert!(of("a\n", "a\n").is_empty());
        assert!(hunks("x", &Content::Absent, &Content::Absent, 0, 0).is_empty());
    }

    #[test]
    fn a_change_has_three_lines_of_context() {
        let before = numbered(1..=20);
        let found = of(&before, &before.replace("line 10\n", "line ten\n"));
        assert_eq!(found.len(), 1);
        let hunk = &found[0];
        assert_eq!(
            (
                hunk.old_start,
                hunk.old_lines,
                hunk.new_start,
                hunk.new_lines
            ),
            (7, 7, 7, 7)
        );
        assert_eq!(hunk.lines.len(), 8);
        assert_eq!(hunk.lines[3].text, "line 10");
        assert_eq!(hunk.lines[3].tag, LineTag::Delete);
        assert_eq!(hunk.lines[4].tag, LineTag::Insert);
        assert_eq!(hunk.id.len(), 12);
        assert!(hunk.id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn changes_six_lines_apart_are_one_hunk_and_seven_lines_apart_two() {
        let before = numbered(1..=40);
        let six = before
            .replace("line 10\n", "x\n")
            .replace("line 17\n", "y\n");
        assert_eq!(of(&before, &six).len(), 1);
        let seven = before
            .replace("line 10\n", "x\n")
            .replace("line 18\n", "y\n");
        assert_eq!(of(&before, &seven).len(), 2);
    }

    #[test]
    fn an_id_survives_changes_below_and_above_that_keep_the_base() {
        let before = numbered(1..=40);
        let one = before.replace("line 30\n", "thirty\n");
        let both = one.replace("line 5\n", "five\nand more\n");
        let alone = of(&before, &one).remove(0);
        let among = of(&before, &both).remove(1);
        assert_eq!(alone.id, among.id);
        assert_ne!(alone.new_start, among.new_start);
        assert_ne!(
            alone.id,
            of(&before, &before.replace("line 30\n", "dreißig\n"))[0].id
        );
    }

    #[test]
    fn line_endings_and_a_missing_last_line_feed_are_kept() {
        let found = of("a\r\nb", "a\nb\n");
        let lines: Vec<_> = found[0]
            .lines
            .iter()
            .map(|l| (l.tag, l.text.as_str(), l.no_newline))
            .collect();
        assert_eq!(
            lines,
            [
                (LineTag::Delete, "a\r", false),
                (LineTag::Delete, "b", true),
                (LineTag::Insert, "a", false),
                (LineTag::Insert, "b", false),
            ]
        );
    }

    #[test]
    fn new_deleted_binary_and_mode_only_files_are_one_hunk() {
        let text = Content::text("a\nb\n");
        let added = hunks("x", &Content::Absent, &text, 0, FILE);
        assert_eq!((added[0].old_start, added[0].old_lines), (0, 0));
        assert_eq!((added[0].new_start, added[0].new_lines), (1, 2));
        let gone = hunks("x", &text, &Content::Absent, FILE, 0);
        assert_eq!(
            (gone[0].old_start, gone[0].new_start, gone[0].new_lines),
            (1, 0, 0)
        );
        let binary = Content::Binary {
            oid: "0".repeat(40),
            size: 3,
        };
        let mode = hunks("x", &text, &text, FILE, 0o100_755);
        for found in [
            hunks("x", &text, &binary, FILE, FILE),
            mode,
            hunks("x", &Content::Absent, &Content::text(""), 0, FILE),
        ] {
            assert_eq!(found.len(), 1);
            assert!(found[0].lines.is_empty());
        }
    }

    #[test]
    fn a_file_that_becomes_a_link_is_replaced_whole() {
        let before = numbered(1..=30);
        let after = before
            .replace("line 3\n", "3\n")
            .replace("line 28\n", "28\n");
        let found = hunks(
            "x",
            &Content::text(before),
            &Content::text(after),
            FILE,
            0o120_000,
        );
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].old_lines, found[0].new_lines), (30, 30));
        assert!(
            found[0]
                .lines
                .iter()
                .all(|line| line.tag != LineTag::Context)
        );
    }

    #[test]
    fn refreshing_keeps_decisions() {
        let before = numbered(1..=40);
        let after = before
            .replace("line 5\n", "five\n")
            .replace("line 30\n", "thirty\n");
        let mut file = ProposedFile {
            path: "page.html".into(),
            before: Content::text(&*before),
            after: Content::text(&*after),
            mode_before: FILE,
            mode_after: FILE,
            hunks: of(&before, &after),
        };
        file.hunks[1].decision = Decision::Rejected;
        file.after = Content::text(after.replace("five", "FIVE"));
        refresh(&mut file);
        let decisions: Vec<_> = file.hunks.iter().map(|hunk| hunk.decision).collect();
        assert_eq!(decisions, [Decision::Accepted, Decision::Rejected]);
    }

    #[test]
    fn hopeless_input_is_still_diffed_in_time() {
        let old: String = (0..40_000).map(|n| format!("{}\n", n % 7)).collect();
        let new: String = (0..40_000)
            .map(|n| format!("{}\n", (n * 31) % 11))
            .collect();
        let begun = Instant::now();
        assert!(!of(&old, &new).is_empty());
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "took {:?}",
            begun.elapsed()
        );
    }
}
