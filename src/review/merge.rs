//! Three-way merge of lines (diff3), with git's notion of a conflict: changes of both sides that touch or
//! overlap and are not the same.

use std::ops::Range;

use similar::DiffTag;

use super::diff;

/// A place where both sides changed the same lines in different ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clash {
    /// First line on our side, counted from 1.
    pub ours: usize,
    /// First line of the common base, counted from 1.
    pub base: usize,
}

/// The change of one side: these lines of the base became those lines of the side.
struct Edit {
    base: Range<usize>,
    side: Range<usize>,
}

/// Merges `ours` and `theirs`, both made from `base`.
///
/// # Errors
/// The places where they cannot both be had.
pub(super) fn merge(base: &str, ours: &str, theirs: &str) -> Result<String, Vec<Clash>> {
    let (base, ours, theirs) = (diff::split(base), diff::split(ours), diff::split(theirs));
    let (left, right) = (edits(&base, &ours), edits(&base, &theirs));
    let mut out = String::new();
    let mut clashes = Vec::new();
    let (mut l, mut r, mut at) = (0, 0, 0);
    while l < left.len() || r < right.len() {
        let (left_from, right_from) = (l, r);
        // The cluster: the next edit, and every edit of either side that touches it.
        let first = match (left.get(l), right.get(r)) {
            (Some(a), Some(b)) => a.base.start.min(b.base.start),
            (Some(a), None) => a.base.start,
            (None, Some(b)) => b.base.start,
            (None, None) => break,
        };
        let mut end = first;
        loop {
            if let Some(edit) = left.get(l).filter(|edit| edit.base.start <= end) {
                end = end.max(edit.base.end);
                l += 1;
            } else if let Some(edit) = right.get(r).filter(|edit| edit.base.start <= end) {
                end = end.max(edit.base.end);
                r += 1;
            } else {
                break;
            }
        }
        out.extend(base[at..first].iter().copied());
        let our_lines = &ours[side(&left, left_from..l, first..end)];
        let their_lines = &theirs[side(&right, right_from..r, first..end)];
        if left_from == l {
            out.extend(their_lines.iter().copied());
        } else if right_from == r || our_lines == their_lines {
            out.extend(our_lines.iter().copied());
        } else {
            let ours = side(&left, left_from..l, first..end).start;
            clashes.push(Clash {
                ours: ours + 1,
                base: first + 1,
            });
        }
        at = end;
    }
    out.extend(base[at..].iter().copied());
    if clashes.is_empty() {
        Ok(out)
    } else {
        Err(clashes)
    }
}

fn edits(base: &[&str], side: &[&str]) -> Vec<Edit> {
    diff::ops(base, side)
        .iter()
        .filter(|op| op.tag() != DiffTag::Equal)
        .map(|op| Edit {
            base: op.old_range(),
            side: op.new_range(),
        })
        .collect()
}

/// The lines of a side that stand where `base` was, given which of its `edits` lie in there.
fn side(edits: &[Edit], within: Range<usize>, base: Range<usize>) -> Range<usize> {
    // How far this side is ahead of the base before the first edit of the cluster.
    let before = |index: usize| {
        index
            .checked_sub(1)
            .map_or((0, 0), |last| (edits[last].base.end, edits[last].side.end))
    };
    let (base_end, side_end) = before(within.start);
    let start = side_end + (base.start - base_end);
    let (base_end, side_end) = if within.is_empty() {
        (base.start, start)
    } else {
        before(within.end)
    };
    start..side_end + (base.end - base_end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: &str = "one\ntwo\nthree\nfour\nfive\nsix\n";

    #[test]
    fn changes_apart_are_both_taken() {
        let ours = BASE.replace("one\n", "ONE\nand\n");
        let theirs = BASE.replace("six\n", "SIX");
        assert_eq!(
            merge(BASE, &ours, &theirs).unwrap(),
            "ONE\nand\ntwo\nthree\nfour\nfive\nSIX"
        );
    }

    #[test]
    fn the_same_change_is_taken_once() {
        let same = BASE.replace("three\n", "3\n");
        assert_eq!(merge(BASE, &same, &same).unwrap(), same);
    }

    #[test]
    fn overlapping_and_touching_changes_clash() {
        let ours = BASE.replace("one\n", "0\none\n").replace("three\n", "3\n");
        let clash = merge(BASE, &ours, &BASE.replace("three\n", "drei\n")).unwrap_err();
        assert_eq!(clash, [Clash { ours: 4, base: 3 }]);
        assert!(merge(BASE, &ours, &BASE.replace("four\n", "4\n")).is_err());
    }

    #[test]
    fn different_last_lines_without_line_feed_clash() {
        assert!(merge("a\nb", "a\nb\n", "a\nb\nc").is_err());
    }

    fn lines() -> impl Strategy<Value = String> {
        proptest::collection::vec(0..5u8, 0..14)
            .prop_map(|lines| lines.iter().map(|n| format!("{n}\n")).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn one_sided_and_equal_changes_always_merge(base in lines(), side in lines()) {
            prop_assert_eq!(merge(&base, &side, &base).unwrap(), side.clone());
            prop_assert_eq!(merge(&base, &base, &side).unwrap(), side.clone());
            prop_assert_eq!(merge(&base, &side, &side).unwrap(), side);
        }

        #[test]
        fn the_order_of_sides_does_not_matter(base in lines(), a in lines(), b in lines()) {
            prop_assert_eq!(merge(&base, &a, &b).ok(), merge(&base, &b, &a).ok());
        }
    }
}
