//! Hunks of a file: line based, three lines of context, grouped as git groups them.

use sha2::{Digest, Sha256};
use similar::{Algorithm, ChangeTag, TextDiff};

use crate::model::{Content, Decision, DiffLine, Hunk, LineTag, ProposedFile};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The hunks of `file`, from its two sides. A binary file or a change of mode alone is one hunk without lines.
pub fn hunks(file: &ProposedFile) -> Vec<Hunk> {
    let texts = (side(&file.before), side(&file.after));
    let (Some(before), Some(after)) = texts else {
        return if file.before == file.after && file.mode_before == file.mode_after {
            Vec::new()
        } else {
            vec![whole(file)]
        };
    };
    let hunks = text_hunks(&file.path, before, after);
    // An empty file that comes or goes, or a mode that changes alone, has no lines but is a change.
    if hunks.is_empty()
        && (file.mode_before != file.mode_after
            || file.before.is_absent() != file.after.is_absent())
    {
        return vec![whole(file)];
    }
    hunks
}

/// The text of a side; an absent file is empty text. `None` for a binary side.
fn side(content: &Content) -> Option<&str> {
    match content {
        Content::Absent => Some(""),
        Content::Text { text } => Some(text),
        Content::Binary { .. } => None,
    }
}

fn whole(file: &ProposedFile) -> Hunk {
    let mut hasher = Sha256::new();
    hasher.update(file.path.as_bytes());
    for (content, mode) in [
        (&file.before, file.mode_before),
        (&file.after, file.mode_after),
    ] {
        let name = match content {
            Content::Absent => "absent",
            Content::Text { text } => text,
            Content::Binary { oid, .. } => oid,
        };
        hasher.update(format!("\0{mode:o}\0{name}"));
    }
    Hunk {
        id: digits(hasher),
        old_start: 0,
        old_lines: 0,
        new_start: 0,
        new_lines: 0,
        lines: Vec::new(),
        decision: Decision::Accepted,
    }
}

fn text_hunks(path: &str, before: &str, after: &str) -> Vec<Hunk> {
    let diff = TextDiff::configure()
        .algorithm(Algorithm::Patience)
        .diff_lines(before, after);
    let mut hunks = Vec::new();
    for group in diff.grouped_ops(CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let old = first.old_range().start..last.old_range().end;
        let new = first.new_range().start..last.new_range().end;
        let mut lines = Vec::new();
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let tag = match change.tag() {
                ChangeTag::Equal => LineTag::Context,
                ChangeTag::Delete => LineTag::Delete,
                ChangeTag::Insert => LineTag::Insert,
            };
            let text = change.value();
            let ended = text.strip_suffix('\n');
            lines.push(DiffLine {
                tag,
                text: ended.unwrap_or(text).to_owned(),
                no_newline: ended.is_none(),
            });
        }
        let mut hasher = Sha256::new();
        hasher.update(format!("{path}\0{}\0", old.start));
        for line in &lines {
            hasher.update(format!("{:?}{}{}\n", line.tag, line.no_newline, line.text));
        }
        hunks.push(Hunk {
            id: digits(hasher),
            // A unified diff counts from 1, but from 0 where a side has no lines.
            old_start: if old.is_empty() {
                old.start
            } else {
                old.start + 1
            },
            old_lines: old.len(),
            new_start: if new.is_empty() {
                new.start
            } else {
                new.start + 1
            },
            new_lines: new.len(),
            lines,
            decision: Decision::Accepted,
        });
    }
    hunks
}

/// The first twelve hex digits of a hash.
fn digits(hasher: Sha256) -> String {
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
    use crate::review::select::tests::file;

    #[test]
    fn near_changes_share_a_hunk_and_far_ones_do_not() {
        let before: String = (0..40).map(|n| format!("line {n}\n")).collect();
        let near = before.replace("line 3\n", "x\n").replace("line 6\n", "y\n");
        assert_eq!(hunks(&file(&before, &near)).len(), 1);
        let far = before
            .replace("line 3\n", "x\n")
            .replace("line 30\n", "y\n");
        assert_eq!(hunks(&file(&before, &far)).len(), 2);
    }

    #[test]
    fn ids_are_the_same_for_the_same_change_only() {
        let a = hunks(&file("a\nb\n", "a\nc\n"));
        assert_eq!(a, hunks(&file("a\nb\n", "a\nc\n")));
        assert_ne!(a[0].id, hunks(&file("a\nb\n", "a\nd\n"))[0].id);
        assert_eq!(a[0].id.len(), 12);
    }

    #[test]
    fn carriage_returns_and_missing_newlines_are_kept() {
        let found = hunks(&file("a\r\nb", "a\r\nc"));
        let lines: Vec<_> = found[0]
            .lines
            .iter()
            .map(|line| (line.text.as_str(), line.no_newline))
            .collect();
        assert_eq!(lines, [("a\r", false), ("b", true), ("c", true)]);
    }

    #[test]
    fn a_mode_change_alone_is_one_hunk() {
        let mut changed = file("a\n", "a\n");
        assert!(hunks(&changed).is_empty());
        changed.mode_after = 0o100_755;
        assert_eq!(hunks(&changed).len(), 1);
    }
}
