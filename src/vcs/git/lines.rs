//! Whether one side of a file has the changed lines of another already.

use std::collections::HashMap;

use similar::{Algorithm, DiffTag, capture_diff_slices};

/// Lines that came and lines that went, each with how often.
type Changed<'a> = (HashMap<&'a [u8], usize>, HashMap<&'a [u8], usize>);

/// Whether every line that `wanted` adds to or takes from `base` has been added or taken by `side` too.
///
/// Asked where a merge fails: among repeated lines two diffs may pair the same change with different lines, and
/// a change that sits right beside a person's own counts as an overlap even when both are in place already.
pub(super) fn contains(base: &[u8], side: &[u8], wanted: &[u8]) -> bool {
    let (base, side, wanted) = (split(base), split(side), split(wanted));
    let (added, removed) = changed(&base, &wanted);
    let (side_added, side_removed) = changed(&base, &side);
    within(&added, &side_added) && within(&removed, &side_removed)
}

fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

fn changed<'a>(base: &[&'a [u8]], side: &[&'a [u8]]) -> Changed<'a> {
    let (mut added, mut removed) = (HashMap::new(), HashMap::new());
    for op in capture_diff_slices(Algorithm::Myers, base, side) {
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
    use super::contains;

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
}
