//! Partial acceptance: the file that results when only some hunks are taken.

use crate::model::{Content, Decision, Hunk, LineTag, ProposedFile};

use super::diff;

/// The hunks are not those of the file's two sides.
struct Foreign;

/// The file with only its accepted hunks: what was rejected is as in the base again, byte for byte.
/// `None` when nothing of it is accepted.
///
/// A change of mode goes along with any accepted hunk; a binary file, a new file, a deleted file is taken
/// whole or not at all, since each is one hunk. The hunks of the result are those accepted, placed anew.
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
    if taken.len() == file.hunks.len() {
        return Ok(Some(file.clone()));
    }
    let (Content::Text { text: before }, Content::Text { .. }) = (&file.before, &file.after) else {
        return Err(Foreign);
    };
    let (text, hunks) = compose(before, &taken)?;
    Ok(Some(ProposedFile {
        after: Content::Text { text },
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
        for line in &hunk.lines {
            if line.tag != LineTag::Insert {
                let there = expected.next().copied().unwrap_or_default();
                if there.strip_suffix('\n').unwrap_or(there) != line.text
                    || there.ends_with('\n') == line.no_newline
                {
                    return Err(Foreign);
                }
            }
            if line.tag != LineTag::Delete {
                text.push_str(&line.text);
                if !line.no_newline {
                    text.push('\n');
                }
            }
        }
        placed.push(Hunk {
            new_start: diff::start(written, hunk.new_lines),
            ..(*hunk).clone()
        });
        written += hunk.new_lines;
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
