//! Bringing the working tree along after a commit, file by file, never over a person's own lines.
//!
//! A file is replaced only while it still is what the base had; lines the person changed meanwhile are merged
//! when they lie elsewhere, and otherwise left alone.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::time::Duration;

use crate::model::Problem;

use super::Git;
use super::changes::{Blob, LINK, RawChange};
use super::index::Staged;
use super::place::{self, Placed};
use super::run::Call;
use super::work::Work;

/// Smudge filters (large-file storage) may have to fetch.
const FILTER_LIMIT: Duration = Duration::from_secs(300);

/// How often a file is looked at again that changes while it is being replaced.
const TRIES: usize = 3;

/// What is to be done about a file.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Nothing.
    Done,
    /// Nothing, though the commit has it differently: the person's own work is there.
    Kept,
    /// It goes.
    Remove,
    /// It becomes as committed.
    Write,
    /// Lines of both.
    Merge,
    /// Only the executable bit.
    Mode,
}

impl Git {
    /// Brings the files of a commit along. Returns the paths that were kept.
    pub(super) async fn update_worktree(
        &self,
        changes: &[RawChange],
        staged: &HashMap<String, Staged>,
        work: &HashMap<String, Work>,
    ) -> Result<Vec<String>, Problem> {
        let mut kept = Vec::new();
        // What goes, goes first: a file may make room for a folder of its name, or the other way round.
        let (going, coming): (Vec<_>, Vec<_>) =
            changes.iter().partition(|change| change.after.is_none());
        let any_gone = !going.is_empty();
        for change in going.into_iter().chain(coming) {
            let state = work.get(&change.path).cloned().unwrap_or(Work::Missing);
            let again = any_gone && state == Work::Blocked && change.after.is_some();
            let state = if again {
                self.work_state(&change.path).await?
            } else {
                state
            };
            if !self.bring(change, staged.get(&change.path), state).await? {
                kept.push(change.path.clone());
            }
        }
        Ok(kept)
    }

    /// Brings one file along; false when it was kept. A file that changes under our hands is looked at again.
    async fn bring(
        &self,
        change: &RawChange,
        staged: Option<&Staged>,
        mut work: Work,
    ) -> Result<bool, Problem> {
        for _ in 0..TRIES {
            let placed = match step(change, staged, &work) {
                Step::Done => return Ok(true),
                Step::Kept => return Ok(false),
                Step::Remove => place::remove(self.root(), &change.path, work.seen()),
                Step::Mode => match &change.after {
                    Some(blob) => self.set_mode(&change.path, blob, &work).await?,
                    None => return Ok(true),
                },
                Step::Write => match &change.after {
                    Some(blob) => self.write(change, blob, &work).await?,
                    None => return Ok(true),
                },
                Step::Merge => match self.merge_into(change, &work).await? {
                    Some(placed) => placed,
                    None => return Ok(false),
                },
            };
            match placed.map_err(|error| unwritable(&change.path, &error))? {
                Placed::Done => return Ok(true),
                Placed::Moved => work = self.work_state(&change.path).await?,
            }
        }
        Ok(false)
    }

    async fn set_mode(
        &self,
        path: &str,
        blob: &Blob,
        work: &Work,
    ) -> Result<io::Result<Placed>, Problem> {
        if !self.file_modes().await {
            return Ok(Ok(Placed::Done));
        }
        Ok(place::set_executable(
            &self.root().join(path),
            is_program(blob),
            work.seen(),
        ))
    }

    async fn write(
        &self,
        change: &RawChange,
        blob: &Blob,
        work: &Work,
    ) -> Result<io::Result<Placed>, Problem> {
        let target = self.root().join(&change.path);
        if blob.mode == LINK {
            let bytes = self
                .object(&blob.oid, u64::MAX)
                .await?
                .and_then(|object| object.bytes);
            let link = String::from_utf8(bytes.unwrap_or_default()).map_err(Problem::internal)?;
            return Ok(place::link(
                &self.shared.git_dir,
                &target,
                &link,
                work.seen(),
            ));
        }
        let bytes = self.smudged(&change.path, &blob.oid).await?;
        let executable = self.executable(change, work).await;
        Ok(place::file(
            &self.shared.git_dir,
            &target,
            &bytes,
            executable,
            work.seen(),
        ))
    }

    /// The executable bit to set, if any: where the commit changes it and the person has not.
    async fn executable(&self, change: &RawChange, work: &Work) -> Option<bool> {
        let wanted = is_program(change.after.as_ref()?);
        let free = match (work, &change.before) {
            (Work::File { executable, .. }, Some(before)) => {
                *executable == is_program(before) && *executable != wanted
            }
            _ => wanted,
        };
        (free && self.file_modes().await).then_some(wanted)
    }

    /// Merges the committed lines into the person's file; `None` when they overlap.
    ///
    /// The merge is of the files as they lie in the working tree, so that not a byte of the person's own lines
    /// (their line endings, say) changes.
    async fn merge_into(
        &self,
        change: &RawChange,
        work: &Work,
    ) -> Result<Option<io::Result<Placed>>, Problem> {
        let (Some(before), Some(after)) = (&change.before, &change.after) else {
            return Ok(None);
        };
        let target = self.root().join(&change.path);
        let ours = fs::read(&target).map_err(|error| unwritable(&change.path, &error))?;
        let (base, theirs) = tokio::join!(
            self.smudged(&change.path, &before.oid),
            self.smudged(&change.path, &after.oid)
        );
        let Some(merged) = self.merge(&ours, &base?, &theirs?).await? else {
            return Ok(None);
        };
        let executable = self.executable(change, work).await;
        if merged == ours {
            // It has the committed lines already.
            return match executable {
                Some(_) => Ok(Some(self.set_mode(&change.path, after, work).await?)),
                None => Ok(Some(Ok(Placed::Done))),
            };
        }
        Ok(Some(place::file(
            &self.shared.git_dir,
            &target,
            &merged,
            executable,
            work.seen(),
        )))
    }

    /// A blob as it lies in the working tree: line endings and filters applied.
    async fn smudged(&self, path: &str, oid: &str) -> Result<Vec<u8>, Problem> {
        let path = format!("--path={path}");
        let call = Call::new(["cat-file", "--filters", &path, oid]).limit(FILTER_LIMIT);
        Ok(self.run(call).await?.checked()?.stdout)
    }
}

fn unwritable(path: &str, error: &io::Error) -> Problem {
    Problem::internal(format!(
        "the commit is on the branch, but {path} could not be brought up to date: {error}"
    ))
    .hint(format!(
        "see to the file's permissions, then: git restore -- {path}"
    ))
}

fn is_program(blob: &Blob) -> bool {
    blob.mode & 0o111 != 0
}

fn step(change: &RawChange, staged: Option<&Staged>, work: &Work) -> Step {
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    if *work == Work::Missing && Staged::is_skipped(staged) {
        return Step::Done;
    }
    // The bit is ours to change where it still is as in the base.
    let wants_mode = || match (work, before, after) {
        (Work::File { executable, .. }, Some(before), Some(after)) => {
            *executable == is_program(before) && is_program(before) != is_program(after)
        }
        _ => false,
    };
    if work.is(after) {
        return if wants_mode() { Step::Mode } else { Step::Done };
    }
    if work.is(before) {
        return match (before, after, staged) {
            // The person took it out of the index and kept the file: it is theirs alone now.
            (_, None, None) => Step::Done,
            (_, None, Some(_)) => Step::Remove,
            // They staged a file of that name and removed it again.
            (None, Some(_), Some(_)) => Step::Kept,
            (_, Some(_), _) => Step::Write,
        };
    }
    match (work, before, after) {
        (Work::File { .. }, Some(before), Some(after))
            if before.mode != LINK && after.mode != LINK =>
        {
            match (before.oid == after.oid, wants_mode()) {
                (true, true) => Step::Mode,
                (true, false) => Step::Done,
                (false, _) => Step::Merge,
            }
        }
        _ => Step::Kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vcs::git::work::Seen;

    const FILE: u32 = 0o100_644;

    fn blob(oid: &str) -> Option<Blob> {
        Some(Blob {
            mode: FILE,
            oid: oid.into(),
        })
    }

    fn file(oid: &str) -> Work {
        let seen = Seen {
            len: 0,
            modified: None,
            identity: (0, 0),
        };
        Work::File {
            oid: oid.into(),
            executable: false,
            seen,
        }
    }

    fn staged(oid: &str) -> Option<Staged> {
        blob(oid).map(|blob| Staged::Entry {
            blob,
            skipped: false,
            assumed: false,
        })
    }

    fn decide(
        before: Option<Blob>,
        after: Option<Blob>,
        staged: Option<Staged>,
        work: &Work,
    ) -> Step {
        step(
            &RawChange {
                path: "x".into(),
                before,
                after,
            },
            staged.as_ref(),
            work,
        )
    }

    #[test]
    fn a_file_as_in_the_base_is_replaced_and_one_as_committed_left() {
        assert_eq!(
            decide(blob("a"), blob("b"), staged("a"), &file("a")),
            Step::Write
        );
        assert_eq!(
            decide(blob("a"), blob("b"), staged("a"), &file("b")),
            Step::Done
        );
        assert_eq!(decide(None, blob("b"), None, &Work::Missing), Step::Write);
        assert_eq!(
            decide(blob("a"), None, staged("a"), &file("a")),
            Step::Remove
        );
        assert_eq!(
            decide(blob("a"), None, staged("a"), &Work::Missing),
            Step::Done
        );
    }

    #[test]
    fn what_the_person_made_is_merged_or_kept() {
        assert_eq!(
            decide(blob("a"), blob("b"), staged("a"), &file("mine")),
            Step::Merge
        );
        assert_eq!(
            decide(blob("a"), blob("b"), staged("a"), &Work::Missing),
            Step::Kept
        );
        assert_eq!(decide(None, blob("b"), None, &file("mine")), Step::Kept);
        assert_eq!(
            decide(blob("a"), None, staged("a"), &file("mine")),
            Step::Kept
        );
        assert_eq!(decide(blob("a"), None, None, &file("a")), Step::Done);
        assert_eq!(
            decide(None, blob("b"), staged("x"), &Work::Missing),
            Step::Kept
        );
        assert_eq!(
            decide(blob("a"), blob("b"), staged("a"), &Work::Blocked),
            Step::Kept
        );
    }

    #[test]
    fn a_change_of_mode_alone_leaves_the_lines_alone() {
        let program = Some(Blob {
            mode: 0o100_755,
            oid: "a".into(),
        });
        for lines in ["a", "mine"] {
            assert_eq!(
                decide(blob("a"), program.clone(), staged("a"), &file(lines)),
                Step::Mode
            );
        }
    }

    #[test]
    fn a_sparse_file_stays_away() {
        let skipped = blob("a").map(|blob| Staged::Entry {
            blob,
            skipped: true,
            assumed: false,
        });
        assert_eq!(
            decide(blob("a"), blob("b"), skipped, &Work::Missing),
            Step::Done
        );
    }
}
