//! Taking only the accepted hunks of a file.

use crate::model::{Content, Decision, LineTag, ProposedFile};

/// The file with only its accepted hunks applied; `None` when nothing of it is accepted.
///
/// Where all hunks are accepted, the proposed content is taken as it is. A mode change belongs to the file, so
/// it comes with the first accepted hunk.
pub fn accepted(file: &ProposedFile) -> Option<ProposedFile> {
    let taken = |decision: Decision| decision == Decision::Accepted;
    if !file.hunks.iter().any(|hunk| taken(hunk.decision)) {
        return None;
    }
    if file.hunks.iter().all(|hunk| taken(hunk.decision)) {
        return Some(file.clone());
    }
    let before = file.before.as_text().unwrap_or_default();
    let lines: Vec<&str> = before.split_inclusive('\n').collect();
    let mut text = String::with_capacity(before.len());
    let mut at = 0;
    for hunk in &file.hunks {
        // `old_start` counts from 1, but from 0 (the line before) where the old side has no lines.
        let start = if hunk.old_lines == 0 {
            hunk.old_start
        } else {
            hunk.old_start - 1
        };
        text.extend(lines.get(at..start).unwrap_or_default().iter().copied());
        at = start + hunk.old_lines;
        if taken(hunk.decision) {
            for line in hunk.lines.iter().filter(|line| line.tag != LineTag::Delete) {
                text.push_str(&line.text);
                if !line.no_newline {
                    text.push('\n');
                }
            }
        } else {
            text.extend(lines.get(start..at).unwrap_or_default().iter().copied());
        }
    }
    text.extend(lines.get(at..).unwrap_or_default().iter().copied());
    let mut chosen = file.clone();
    // Part of a deletion leaves a file, part of a new file is one.
    if file.after.is_absent() {
        chosen.mode_after = file.mode_before;
    }
    chosen.after = Content::text(text);
    chosen.hunks = super::diff::hunks(&chosen);
    Some(chosen)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::review::diff;

    /// A regular file `f.html` with two sides and its hunks.
    pub(crate) fn file(before: &str, after: &str) -> ProposedFile {
        let mut file = ProposedFile {
            path: "f.html".into(),
            before: Content::text(before),
            after: Content::text(after),
            mode_before: 0o100_644,
            mode_after: 0o100_644,
            hunks: Vec::new(),
        };
        file.hunks = diff::hunks(&file);
        file
    }

    #[test]
    fn one_of_two_hunks_leaves_the_other_as_it_was() {
        let before: String = (0..30).map(|n| format!("line {n}\r\n")).collect();
        let after = before
            .replace("line 3\r", "x\r")
            .replace("line 25\r", "y\r");
        let mut both = file(&before, &after);
        both.hunks[0].decision = Decision::Rejected;
        let chosen = accepted(&both).unwrap();
        assert_eq!(
            chosen.after.as_text().unwrap(),
            before.replace("line 25\r", "y\r")
        );
        both.hunks[1].decision = Decision::Rejected;
        assert_eq!(accepted(&both), None);
    }

    fn text() -> impl Strategy<Value = String> {
        (
            prop::collection::vec("[abc]{0,2}(\r)?", 0..40),
            any::<bool>(),
        )
            .prop_map(|(lines, end)| {
                let mut text = lines.join("\n");
                if end && !text.is_empty() {
                    text.push('\n');
                }
                text
            })
    }

    proptest! {
        #[test]
        fn rejecting_all_but_one_by_one_reaches_the_proposed_text(before in text(), after in text()) {
            // Accepting hunk after hunk, each time re-based on what was taken so far, gives the proposed text.
            let mut current = before;
            for _ in 0..100 {
                let mut step = file(&current, &after);
                if step.hunks.is_empty() {
                    break;
                }
                for hunk in step.hunks.iter_mut().skip(1) {
                    hunk.decision = Decision::Rejected;
                }
                current = accepted(&step).unwrap().after.as_text().unwrap().to_owned();
            }
            prop_assert_eq!(current, after);
        }
    }
}
