//! A proposal on a base that moved: the same change, on the files as they are now.

use std::fmt;

use crate::model::{Content, Decision, DiffLine, Hunk, LineTag, Problem, ProposedFile};

use super::{diff, merge};

/// A file in the new base commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// What it holds.
    pub content: Content,
    /// Its git mode, 0 when absent.
    pub mode: u32,
}

impl Base {
    /// A file that the new base does not have.
    pub fn absent() -> Self {
        Self {
            content: Content::Absent,
            mode: 0,
        }
    }
}

/// Where the proposal and the new base cannot both be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Path from the root of the repository.
    pub path: String,
    /// Line in the new base, counted from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What happened there.
    pub message: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.path, self.message)
        } else {
            write!(f, "{}:{}: {}", self.path, self.line, self.message)
        }
    }
}

/// The conflicts as one problem for people.
pub fn problem(conflicts: &[Conflict]) -> Problem {
    let places: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
    Problem::new(
        409,
        "rebase-conflict",
        format!(
            "the base moved and changed the same lines: {}",
            places.join("; ")
        ),
    )
    .hint("say the change again: it will be made on the files as they are now")
}

/// Puts `files` onto a new base, of which `base` gives each file.
///
/// Files whose change the new base already has drop out. Hunks are computed anew; one whose changed lines
/// were decided on before keeps that decision, and one that cannot be matched is left out when anything of
/// the file had been left out, so that nothing gets in that was not approved.
///
/// # Errors
/// All conflicts, sorted by file and line; then nothing is rebased.
pub fn onto(
    files: &[ProposedFile],
    base: impl Fn(&str) -> Base,
) -> Result<Vec<ProposedFile>, Vec<Conflict>> {
    let mut moved = Vec::with_capacity(files.len());
    let mut conflicts = Vec::new();
    for file in files {
        match one(file, base(&file.path)) {
            Ok(file) => moved.extend(file),
            Err(found) => conflicts.extend(found),
        }
    }
    if conflicts.is_empty() {
        Ok(moved)
    } else {
        Err(conflicts)
    }
}

fn one(file: &ProposedFile, base: Base) -> Result<Option<ProposedFile>, Vec<Conflict>> {
    if base.content == file.before && base.mode == file.mode_before {
        return Ok(Some(file.clone()));
    }
    let whole = |message: &str| {
        vec![Conflict {
            path: file.path.clone(),
            line: 0,
            message: message.to_owned(),
        }]
    };
    let mode_after = pick(file.mode_before, base.mode, file.mode_after);
    let after = match (&file.before, &base.content, &file.after) {
        (before, now, after) if now == before || now == after => after.clone(),
        (before, now, after) if after == before => now.clone(),
        (Content::Text { text: before }, Content::Text { text: now }, Content::Text { text }) => {
            let merged = merge::merge(before, now, text).map_err(|clashes| {
                clashes
                    .into_iter()
                    .map(|clash| Conflict {
                        path: file.path.clone(),
                        line: clash.ours,
                        message: "the base changed these lines too".to_owned(),
                    })
                    .collect::<Vec<_>>()
            })?;
            Content::Text { text: merged }
        }
        (_, Content::Absent, _) => return Err(whole("the base deleted it")),
        (Content::Absent, ..) => return Err(whole("the base has a file of that name now")),
        (.., Content::Absent) => return Err(whole("the base changed the file to be deleted")),
        _ => return Err(whole("the base changed it too, and it is not text")),
    };
    let Some(mode_after) = mode_after else {
        return Err(whole("the base changed its mode too"));
    };
    if after == base.content && mode_after == base.mode {
        return Ok(None);
    }
    let mut moved = ProposedFile {
        path: file.path.clone(),
        before: base.content,
        after,
        mode_before: base.mode,
        mode_after,
        hunks: Vec::new(),
    };
    diff::refresh(&mut moved);
    carry_decisions(&file.hunks, &mut moved.hunks);
    Ok(Some(moved))
}

/// Three-way choice: `None` when both sides changed it, in different ways.
fn pick(before: u32, now: u32, after: u32) -> Option<u32> {
    if now == before || now == after {
        Some(after)
    } else if after == before {
        Some(now)
    } else {
        None
    }
}

fn carry_decisions(old: &[Hunk], new: &mut [Hunk]) {
    let any_rejected = old.iter().any(|hunk| hunk.decision == Decision::Rejected);
    for hunk in new {
        let twins: Vec<&Hunk> = old
            .iter()
            .filter(|old| changed(old).eq(changed(hunk)))
            .collect();
        hunk.decision = match twins.as_slice() {
            [] if any_rejected => Decision::Rejected,
            [] => Decision::Accepted,
            twins if twins.iter().any(|twin| twin.decision == Decision::Rejected) => {
                Decision::Rejected
            }
            _ => Decision::Accepted,
        };
    }
}

fn changed(hunk: &Hunk) -> impl Iterator<Item = &DiffLine> {
    hunk.lines
        .iter()
        .filter(|line| line.tag != LineTag::Context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: u32 = 0o100_644;

    fn file(before: Content, after: Content) -> ProposedFile {
        let mode = |content: &Content| if content.is_absent() { 0 } else { FILE };
        let mut file = ProposedFile {
            path: "page.html".into(),
            mode_before: mode(&before),
            mode_after: mode(&after),
            before,
            after,
            hunks: Vec::new(),
        };
        diff::refresh(&mut file);
        file
    }

    fn text(content: &str) -> Base {
        Base {
            content: Content::text(content),
            mode: FILE,
        }
    }

    fn forty() -> String {
        (1..=40).map(|n| format!("line {n}\n")).collect()
    }

    #[test]
    fn a_change_elsewhere_is_carried_over() {
        let before = forty();
        let mut change = file(
            Content::text(&*before),
            Content::text(
                before
                    .replace("line 5\n", "five\n")
                    .replace("line 30\n", "thirty\n"),
            ),
        );
        change.hunks[1].decision = Decision::Rejected;
        let now = before.replace("line 18\n", "new\nlines\n");
        let moved = onto(&[change], |_| text(&now)).unwrap().remove(0);
        assert_eq!(moved.before, Content::text(&*now));
        assert_eq!(
            moved.after,
            Content::text(
                now.replace("line 5\n", "five\n")
                    .replace("line 30\n", "thirty\n")
            )
        );
        let decisions: Vec<_> = moved.hunks.iter().map(|hunk| hunk.decision).collect();
        assert_eq!(decisions, [Decision::Accepted, Decision::Rejected]);
        assert_eq!(moved.hunks[1].old_start, 28);
    }

    #[test]
    fn hunks_that_grew_together_stay_out_when_one_was_left_out() {
        let before: String = (1..=19).map(|n| format!("line {n}\n")).collect();
        let mut change = file(
            Content::text(&*before),
            Content::text(
                before
                    .replace("line 5\n", "five\n")
                    .replace("line 15\n", "xv\n"),
            ),
        );
        assert_eq!(change.hunks.len(), 2);
        change.hunks[1].decision = Decision::Rejected;
        let now = before.replace("line 8\nline 9\nline 10\nline 11\n", "");
        let moved = onto(&[change], |_| text(&now)).unwrap().remove(0);
        assert_eq!(moved.hunks.len(), 1);
        assert_eq!(moved.hunks[0].decision, Decision::Rejected);
    }

    #[test]
    fn what_the_base_already_has_drops_out() {
        let change = file(Content::text("a\n"), Content::text("b\n"));
        assert!(onto(&[change], |_| text("b\n")).unwrap().is_empty());
        let deletion = file(Content::text("a\n"), Content::Absent);
        assert!(onto(&[deletion], |_| Base::absent()).unwrap().is_empty());
    }

    #[test]
    fn conflicts_name_file_and_line() {
        let before = forty();
        let change = file(
            Content::text(&*before),
            Content::text(before.replace("line 5\n", "five\n")),
        );
        let now = format!("top\n{}", before.replace("line 5\n", "fünf\n"));
        let conflicts = onto(&[change], |_| text(&now)).unwrap_err();
        assert_eq!(
            conflicts[0].to_string(),
            "page.html:6: the base changed these lines too"
        );
        assert!(problem(&conflicts).is("rebase-conflict"));
    }

    #[test]
    fn files_that_came_or_went_conflict() {
        let added = file(Content::Absent, Content::text("mine\n"));
        assert_eq!(onto(&[added], |_| text("theirs\n")).unwrap_err()[0].line, 0);
        let edited = file(Content::text("a\n"), Content::text("b\n"));
        assert!(onto(&[edited], |_| Base::absent()).is_err());
        let deleted = file(Content::text("a\n"), Content::Absent);
        assert!(onto(&[deleted], |_| text("c\n")).is_err());
    }

    #[test]
    fn modes_merge_like_lines() {
        let mut change = file(Content::text("a\n"), Content::text("a\n"));
        change.mode_after = 0o100_755;
        diff::refresh(&mut change);
        let moved = onto(&[change.clone()], |_| text("new\n"))
            .unwrap()
            .remove(0);
        assert_eq!((moved.mode_before, moved.mode_after), (FILE, 0o100_755));
        assert_eq!(moved.after, Content::text("new\n"));
        let link = Base {
            content: Content::text("a\n"),
            mode: 0o120_000,
        };
        assert!(onto(&[change], |_| link.clone()).is_err());
    }
}
