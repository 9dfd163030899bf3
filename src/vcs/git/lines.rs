//! Whether one side of a file has the changed lines of another already.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices_deadline};

/// Bytes up to which a file is looked at here.
const LIMIT: usize = 4 * 1024 * 1024;

/// After this time a diff is finished coarsely rather than well.
const PATIENCE: Duration = Duration::from_millis(500);

/// Lines that came and lines that went, each with how often.
type Changed<'a> = (HashMap<&'a [u8], usize>, HashMap<&'a [u8], usize>);

/// Whether `wanted` is `base` with some of the changes that `side` made to it: what comes of committing a part of
/// a file's changes. Then the side has the wanted change to the letter, and no merge could tell it better.
pub(super) fn is_part(base: &[u8], side: &[u8], wanted: &[u8]) -> bool {
    if base.len().max(side.len()).max(wanted.len()) > LIMIT {
        return false;
    }
    let (base, side, wanted) = (split(base), split(side), split(wanted));
    // The places in `wanted` that can be reached, change by change taken or left.
    let mut reached = HashSet::from([0]);
    for op in ops(&base, &side) {
        let left = &base[op.old_range()];
        let taken = &side[op.new_range()];
        let mut next = HashSet::new();
        for at in reached {
            for lines in [left, taken] {
                if wanted[at..].starts_with(lines) {
                    next.insert(at + lines.len());
                }
            }
        }
        reached = next;
    }
    reached.contains(&wanted.len())
}

/// Whether every line that `wanted` adds to or takes from `base` has been added or taken by `side` too.
///
/// Asked where a merge fails: a change that sits right beside a person's own counts as an overlap even when
/// both are in place already.
pub(super) fn contains(base: &[u8], side: &[u8], wanted: &[u8]) -> bool {
    if base.len().max(side.len()).max(wanted.len()) > LIMIT {
        return false;
    }
    let (base, side, wanted) = (split(base), split(side), split(wanted));
    let (added, removed) = changed(&base, &wanted);
    let (side_added, side_removed) = changed(&base, &side);
    within(&added, &side_added) && within(&removed, &side_removed)
}

/// The same way of finding changes that a review has, so that its pieces are found again.
fn ops(base: &[&[u8]], side: &[&[u8]]) -> Vec<DiffOp> {
    let deadline = Some(Instant::now() + PATIENCE);
    capture_diff_slices_deadline(Algorithm::Histogram, base, side, deadline)
}

fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

fn changed<'a>(base: &[&'a [u8]], side: &[&'a [u8]]) -> Changed<'a> {
    let (mut added, mut removed) = (HashMap::new(), HashMap::new());
    for op in ops(base, side) {
        if op.tag() == DiffTag::Equal {
            continue;
        }
        for line in &base[op.old_range()] {
            *removed.entry(*line).or_insert(0) += 1;
        }
        for line in &side[op.new_range()] {
            *added.entry(*line).or_insert(0) += 1;
        }
    }
    (added, removed)
}

fn within(part: &HashMap<&[u8], usize>, whole: &HashMap<&[u8], usize>) -> bool {
    part.iter()
        .all(|(line, count)| whole.get(line).is_some_and(|there| there >= count))
}

#[cfg(test)]
mod tests {
    use super::{contains, is_part};

    const BASE: &[u8] = b"one\ntwo\nthree\n";

    #[test]
    fn a_change_with_more_beside_it_is_contained() {
        let wanted = b"one\nTWO\nthree\n";
        assert!(contains(BASE, b"one\nTWO\nand my own\nthree\n", wanted));
        assert!(contains(BASE, b"ONE\nTWO\nthree", wanted));
        assert!(contains(BASE, wanted, wanted));
    }

    #[test]
    fn another_change_of_the_same_line_is_not() {
        let wanted = b"one\nTWO\nthree\n";
        assert!(!contains(BASE, b"one\nmine\nthree\n", wanted));
        assert!(!contains(BASE, b"one\nthree\n", wanted));
        assert!(!contains(BASE, BASE, wanted));
        assert!(!contains(BASE, b"one\ntwo\nTWO\nthree\n", wanted));
    }

    #[test]
    fn a_part_of_the_changes_is_known_among_repeated_lines() {
        // One line that stands once holds the diff in place, whatever repeats around it.
        let base = b"a\nb\nonce\na\nb\n";
        let side = b"x\nb\nonce\na\nb\nb\n";
        assert!(is_part(base, side, b"x\nb\nonce\na\nb\n"));
        assert!(is_part(base, side, b"a\nb\nonce\na\nb\nb\n"));
        assert!(is_part(base, side, side) && is_part(base, side, base));
        assert!(!is_part(base, side, b"x\nb\nonce\na\n"));
        assert!(!is_part(base, side, b"y\nb\nonce\na\nb\n"));
    }
}
