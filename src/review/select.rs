//! Partial acceptance: the file that results when only some hunks are taken.

use crate::model::{Content, Decision, Hunk, LineTag, Problem, ProposedFile};

use super::diff;

/// The file with only its accepted hunks: what was rejected is as in the base again, byte for byte.
/// `None` when nothing of it is accepted.
///
/// A change of mode goes along with any accepted hunk; a binary file, a new file, a deleted file is taken
/// whole or not at all, since each is one hunk. The hunks of the result are those accepted, placed anew.
///
/// # Errors
/// When the hunks are not those of the file's two sides: nothing is guessed then.
pub fn accepted(file: &ProposedFile) -> Result<Option<ProposedFile>, Problem> {
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
        return Err(foreign(file, "only text can be taken in part"));
    };
    let (text, hunks) = compose(file, before, &taken)?;
    Ok(Some(ProposedFile {
        after: Content::Text { text },
        hunks,
        ..file.clone()
    }))
}

/// [`accepted`] over a proposal's files: those with nothing accepted are left out.
///
/// # Errors
/// As for [`accepted`].
pub fn accepted_files(files: &[ProposedFile]) -> Result<Vec<ProposedFile>, Problem> {
    files
        .iter()
        .filter_map(|file| accepted(file).transpose())
        .collect()
}

/// Sets the decision of the hunks named `ids`.
///
/// # Errors
/// `not-found` when an id names no hunk; no decision is changed then.
pub fn decide(
    files: &mut [ProposedFile],
    ids: &[String],
    decision: Decision,
) -> Result<(), Problem> {
    let known = |id: &String| {
        files
            .iter()
            .any(|file| file.hunks.iter().any(|h| h.id == *id))
    };
    if let Some(unknown) = ids.iter().find(|id| !known(id)) {
        return Err(
            Problem::not_found(format!("the proposal has no hunk {unknown}"))
                .hint("load the proposal again: it may have changed"),
        );
    }
    for hunk in files.iter_mut().flat_map(|file| &mut file.hunks) {
        if ids.contains(&hunk.id) {
            hunk.decision = decision;
        }
    }
    Ok(())
}

/// Accepts exactly the hunks named `ids` and rejects all others.
///
/// # Errors
/// `not-found` when an id names no hunk; no decision is changed then.
pub fn accept_only(files: &mut [ProposedFile], ids: &[String]) -> Result<(), Problem> {
    decide(files, ids, Decision::Accepted)?;
    for hunk in files.iter_mut().flat_map(|file| &mut file.hunks) {
        if !ids.contains(&hunk.id) {
            hunk.decision = Decision::Rejected;
        }
    }
    Ok(())
}

fn compose(
    file: &ProposedFile,
    before: &str,
    taken: &[&Hunk],
) -> Result<(String, Vec<Hunk>), Problem> {
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
            return Err(foreign(file, "a hunk lies outside the text"));
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
                    return Err(foreign(file, "a hunk's lines are not in the text"));
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

fn foreign(file: &ProposedFile, why: &str) -> Problem {
    Problem::internal(format!("the hunks of {} do not fit it: {why}", file.path))
        .hint("make the proposal again")
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
        let some = accepted(&all).unwrap().unwrap();
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
        assert_eq!(accepted(&one).unwrap().as_ref(), Some(&one));
        one.hunks[0].decision = Decision::Rejected;
        assert_eq!(accepted(&one).unwrap(), None);
        assert!(accepted_files(&[one]).unwrap().is_empty());
    }

    #[test]
    fn hunks_of_another_text_are_refused() {
        let before = twenty();
        let mut wrong = file(
            &before,
            &before.replace("line 2\r", "2").replace("line 19\r", "19"),
        );
        wrong.hunks[1].decision = Decision::Rejected;
        wrong.before = Content::text(before.replace("line 3\r", "three\r"));
        assert!(accepted(&wrong).unwrap_err().is("internal"));
        wrong.before = Content::text("short\n");
        assert!(accepted(&wrong).unwrap_err().is("internal"));
    }

    #[test]
    fn decisions_are_set_by_id_all_or_none() {
        let before = twenty();
        let after = before.replace("line 2\r", "2").replace("line 19\r", "19");
        let mut files = [file(&before, &after)];
        let ids: Vec<String> = files[0].hunks.iter().map(|hunk| hunk.id.clone()).collect();
        let unknown = vec![ids[0].clone(), "0123456789ab".to_owned()];
        assert!(
            decide(&mut files, &unknown, Decision::Rejected)
                .unwrap_err()
                .is("not-found")
        );
        assert_eq!(files[0].hunks[0].decision, Decision::Accepted);
        accept_only(&mut files, &ids[1..]).unwrap();
        assert_eq!(files[0].hunks[0].decision, Decision::Rejected);
        assert_eq!(files[0].hunks[1].decision, Decision::Accepted);
    }
}
