//! Three-way merge of lines: for a proposal whose base moved, and for a file that a person edited meanwhile.

use similar::{Algorithm, DiffOp, TextDiff};

/// Where both sides changed the same lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// First line of the base concerned, counted from 1.
    pub line: usize,
}

/// A replaced range of the base's lines, with what replaces it.
struct Edit<'a> {
    start: usize,
    end: usize,
    lines: Vec<&'a str>,
}

/// Applies what changed from `base` to `theirs` onto `ours`, line by line.
///
/// The same change on both sides is taken once. Changes that touch or overlap are a conflict: two insertions at
/// one place have no order that a program could know.
///
/// # Errors
/// The first [`Conflict`].
pub fn merge(base: &str, ours: &str, theirs: &str) -> Result<String, Conflict> {
    if base == ours || ours == theirs {
        return Ok(theirs.to_owned());
    }
    if base == theirs {
        return Ok(ours.to_owned());
    }
    let lines: Vec<&str> = base.split_inclusive('\n').collect();
    let mut left = edits(base, ours).into_iter().peekable();
    let mut right = edits(base, theirs).into_iter().peekable();
    let mut merged = String::with_capacity(ours.len().max(theirs.len()));
    let mut at = 0;
    loop {
        let edit = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(a), Some(b)) if a.start == b.start && a.end == b.end && a.lines == b.lines => {
                right.next();
                left.next()
            }
            (Some(a), Some(b)) if a.start <= b.end && b.start <= a.end => {
                return Err(Conflict {
                    line: a.start.min(b.start) + 1,
                });
            }
            (Some(a), Some(b)) if a.start < b.start => left.next(),
            (Some(_), None) => left.next(),
            (_, Some(_)) => right.next(),
        };
        let Some(edit) = edit else { break };
        merged.extend(lines[at..edit.start].iter().copied());
        merged.extend(edit.lines);
        at = edit.end;
    }
    merged.extend(lines[at..].iter().copied());
    Ok(merged)
}

fn edits<'a>(base: &'a str, side: &'a str) -> Vec<Edit<'a>> {
    let new: Vec<&str> = side.split_inclusive('\n').collect();
    let diff = TextDiff::configure()
        .algorithm(Algorithm::Patience)
        .diff_lines(base, side);
    let mut edits: Vec<Edit<'a>> = Vec::new();
    for op in diff.ops() {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (old, new_range) = (op.old_range(), op.new_range());
        let lines = new[new_range].to_vec();
        // A replacement may come as a deletion and an insertion side by side: they are one edit.
        match edits.last_mut() {
            Some(last) if last.end == old.start => {
                last.end = old.end;
                last.lines.extend(lines);
            }
            _ => edits.push(Edit {
                start: old.start,
                end: old.end,
                lines,
            }),
        }
    }
    edits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: &str = "a\nb\nc\nd\ne\nf\n";

    #[test]
    fn changes_of_different_lines_are_both_taken() {
        assert_eq!(
            merge(BASE, "A\nb\nc\nd\ne\nf\n", "a\nb\nc\nd\ne\nF\n").unwrap(),
            "A\nb\nc\nd\ne\nF\n"
        );
    }

    #[test]
    fn the_same_change_is_taken_once() {
        let ours = "a\nB\nc\nd\ne\nf\n";
        assert_eq!(
            merge(BASE, ours, "a\nB\nc\nd\ne\nF\n").unwrap(),
            "a\nB\nc\nd\ne\nF\n"
        );
        assert_eq!(merge(BASE, ours, ours).unwrap(), ours);
    }

    #[test]
    fn changes_of_the_same_lines_conflict() {
        let conflict = merge(BASE, "a\nb\nX\nd\ne\nf\n", "a\nb\nY\nd\ne\nf\n").unwrap_err();
        assert_eq!(conflict.line, 3);
        assert!(
            merge("a\n", "a\nx\n", "a\ny\n").is_err(),
            "two insertions at one place"
        );
    }

    proptest! {
        #[test]
        fn a_merge_with_an_unchanged_side_is_the_other_side(
            base in "([abc]\n){0,20}", side in "([abcd]\n){0,20}",
        ) {
            prop_assert_eq!(merge(&base, &base, &side).unwrap(), side.clone());
            prop_assert_eq!(merge(&base, &side, &base).unwrap(), side);
        }

        #[test]
        fn a_merge_never_depends_on_which_side_is_which(
            base in "([abc]\n){0,12}", ours in "([abcx]\n){0,12}", theirs in "([abcy]\n){0,12}",
        ) {
            prop_assert_eq!(merge(&base, &ours, &theirs), merge(&base, &theirs, &ours));
        }
    }
}
