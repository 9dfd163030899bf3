//! Partial acceptance: the file that results when only some hunks, or only some of their lines, are taken.

use crate::model::{Content, Decision, DiffLine, Hunk, LineTag, ProposedFile};

use super::diff;

/// The hunks are not those of the file's two sides.
struct Foreign;

/// The file with only its accepted hunks: what was rejected is as in the base again, byte for byte.
/// `None` when nothing of it is accepted.
///
/// A change of mode goes along with any accepted hunk; a binary file is taken whole or not at all. A line that is left
/// out of an accepted hunk is as in the base: not added, or not removed (a deleted file of which a line stays is no
/// longer deleted). The hunks of the result are those accepted, placed anew.
///
/// Should the hunks be of another version of the file, they are computed anew, and what no decision is known of
/// is left out: nothing gets in that was not accepted.
pub fn accepted(file: &ProposedFile) -> Option<ProposedFile> {
    if let Ok(taken) = take(file) {
        return taken;
    }
    let mut fresh = file.clone();
    fresh.hunks = diff::hunks(file);
    for hunk in &mut fresh.hunks {
        let known = file.hunks.iter().find(|old| old.id == hunk.id);
        hunk.decision = known.map_or(Decision::Rejected, |old| old.decision);
        hunk.left_out = known.map_or_else(Vec::new, |old| old.left_out.clone());
    }
    take(&fresh).ok().flatten()
}

fn take(file: &ProposedFile) -> Result<Option<ProposedFile>, Foreign> {
    let taken: Vec<&Hunk> = file
        .hunks
        .iter()
        .filter(|hunk| hunk.decision == Decision::Accepted)
        .collect();
    if taken.is_empty() {
        return Ok(None);
    }
    let partly = taken.iter().any(|hunk| !hunk.left_out.is_empty());
    if taken.len() == file.hunks.len() && !partly {
        return Ok(Some(file.clone()));
    }
    let before = match (&file.before, &file.after) {
        (Content::Text { text }, Content::Text { .. } | Content::Absent) => text.as_str(),
        (Content::Absent, Content::Text { .. }) => "",
        _ => return Err(Foreign),
    };
    let (text, hunks) = compose(before, &taken)?;
    let mode_after = if file.after.is_absent() {
        file.mode_before
    } else {
        file.mode_after
    };
    Ok(Some(ProposedFile {
        after: Content::Text { text },
        mode_after,
        hunks,
        ..file.clone()
    }))
}

fn compose(before: &str, taken: &[&Hunk]) -> Result<(String, Vec<Hunk>), Foreign> {
    let old = diff::split(before);
    let mut text = String::with_capacity(before.len());
    let mut placed = Vec::with_capacity(taken.len());
    let (mut at, mut written) = (0, 0);
    for hunk in taken {
        let first = if hunk.old_lines == 0 {
            hunk.old_start
        } else {
            hunk.old_start.saturating_sub(1)
        };
        let end = first + hunk.old_lines;
        if first < at || end > old.len() {
            return Err(Foreign);
        }
        text.extend(old[at..first].iter().copied());
        written += first - at;

        let mut expected = old[first..end].iter();
        let mut lines = Vec::with_capacity(hunk.lines.len());
        for (n, line) in hunk.lines.iter().enumerate() {
            if line.tag != LineTag::Insert {
                let there = expected.next().copied().unwrap_or_default();
                if there.strip_suffix('\n').unwrap_or(there) != line.text
                    || there.ends_with('\n') == line.no_newline
                {
                    return Err(Foreign);
                }
            }
            let tag = match (line.tag, hunk.takes(n)) {
                (LineTag::Insert, false) => continue,
                (LineTag::Delete, false) => LineTag::Context,
                (tag, _) => tag,
            };
            if tag != LineTag::Delete {
                // A last line without line feed that stays, and is followed by others now, gets one.
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push_str(&line.text);
                if !line.no_newline {
                    text.push('\n');
                }
            }
            lines.push(DiffLine {
                tag,
                ..line.clone()
            });
        }
        let new_lines = lines
            .iter()
            .filter(|line| line.tag != LineTag::Delete)
            .count();
        placed.push(Hunk {
            new_start: diff::start(written, new_lines),
            new_lines,
            lines,
            left_out: Vec::new(),
            ..(*hunk).clone()
        });
        written += new_lines;
        at = end;
    }
    text.extend(old[at..].iter().copied());
    Ok((text, placed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(before: &str, after: &str) -> ProposedFile {
        let mut file = ProposedFile {
            path: "page.html".into(),
            before: Content::text(before),
            after: Content::text(after),
            mode_before: 0o100_644,
            mode_after: 0o100_644,
            hunks: Vec::new(),
        };
        diff::refresh(&mut file);
        file
    }

    fn twenty() -> String {
        (1..=20).map(|n| format!("line {n}\r\n")).collect()
    }

    #[test]
    fn rejected_hunks_are_restored_and_the_rest_is_placed_anew() {
        let before = twenty();
        let after = before
            .replace("line 2\r\n", "2\r\nand\r\n")
            .replace("line 11\r\n", "")
            .replace("line 20\r\n", "20");
        let mut all = file(&before, &after);
        assert_eq!(all.hunks.len(), 3);
        all.hunks[0].decision = Decision::Rejected;
        let some = accepted(&all).unwrap();
        let expected = before
            .replace("line 11\r\n", "")
            .replace("line 20\r\n", "20");
        assert_eq!(some.after, Content::text(expected));
        assert_eq!(some.hunks.len(), 2);
        assert_eq!((some.hunks[0].old_start, some.hunks[0].new_start), (8, 8));
        assert_eq!(some.hunks[0].id, all.hunks[1].id);
    }

    #[test]
    fn a_line_that_is_left_out_is_as_in_the_base() {
        let mut one = file("a\nb\nc\n", "a\nB\nnew\nc\n");
        // a, -b, +B, +new, c
        one.hunks[0].decide(Some(&[3]), Decision::Rejected);
        let some = accepted(&one).unwrap();
        assert_eq!(some.after, Content::text("a\nB\nc\n"));
        assert_eq!((some.hunks[0].new_lines, some.hunks[0].lines.len()), (3, 4));
        one.hunks[0].decide(Some(&[1, 2]), Decision::Rejected);
        assert_eq!(accepted(&one), None, "nothing is left of it");
        one.hunks[0].decide(Some(&[3]), Decision::Accepted);
        assert_eq!(
            accepted(&one).unwrap().after,
            Content::text("a\nb\nnew\nc\n")
        );
    }

    #[test]
    fn lines_of_new_and_deleted_files_and_of_files_without_end_can_be_left_out() {
        let mut new = file("", "one\ntwo\n");
        new.before = Content::Absent;
        new.mode_before = 0;
        diff::refresh(&mut new);
        new.hunks[0].decide(Some(&[0]), Decision::Rejected);
        assert_eq!(accepted(&new).unwrap().after, Content::text("two\n"));

        let mut gone = file("one\ntwo\n", "");
        gone.after = Content::Absent;
        gone.mode_after = 0;
        diff::refresh(&mut gone);
        gone.hunks[0].decide(Some(&[1]), Decision::Rejected);
        let some = accepted(&gone).unwrap();
        assert_eq!(some.after, Content::text("two\n"));
        assert_eq!(some.mode_after, 0o100_644);

        // The old last line stays and another follows: they must not run together.
        let mut tail = file("a\nend", "a\nEND\nmore\n");
        tail.hunks[0].decide(Some(&[1, 2]), Decision::Rejected);
        assert_eq!(
            accepted(&tail).unwrap().after,
            Content::text("a\nend\nmore\n")
        );
    }

    #[test]
    fn all_is_all_and_nothing_is_nothing() {
        let mut one = file("a\n", "b\n");
        assert_eq!(accepted(&one).as_ref(), Some(&one));
        one.hunks[0].decision = Decision::Rejected;
        assert_eq!(accepted(&one), None);
    }

    #[test]
    fn hunks_of_another_text_let_nothing_in_that_was_not_accepted() {
        let before = twenty();
        let after = before.replace("line 2\r", "2").replace("line 19\r", "19");
        let mut file = file(&before, &after);
        file.hunks[1].decision = Decision::Rejected;
        // The base is another by now: the accepted hunk is not to be found in it any more.
        let moved = before.replace("line 3\r", "three\r");
        file.before = Content::text(&*moved);
        assert_eq!(accepted(&file), None);
        file.before = Content::text("short\n");
        assert_eq!(accepted(&file), None);
    }

    #[test]
    fn a_lone_carriage_return_ends_no_line() {
        let before: String = (1..=20).map(|n| format!("a\rline {n}\n")).collect();
        let after = before
            .replace("line 2\n", "2\n")
            .replace("line 19\n", "19\n");
        let mut both = file(&before, &after);
        both.hunks[0].decision = Decision::Rejected;
        assert_eq!(
            accepted(&both).unwrap().after,
            Content::text(before.replace("line 19\n", "19\n"))
        );
    }
}
