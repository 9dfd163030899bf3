//! Bringing the person's index along after a commit: what was committed is no longer a staged or unstaged
//! change, and whatever else they had staged stays staged.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use crate::model::Problem;

use super::Git;
use super::changes::{Blob, RawChange};
use super::lines;
use super::run::{Call, Output, index_locked};
use super::work::Work;

/// Above this many bytes of paths on a command line, the whole index is listed and filtered here.
const ARGUMENT_BYTES: usize = 64 * 1024;

/// The file type bits of a mode.
const TYPE: u32 = 0o170_000;

/// What the index has at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Staged {
    /// One entry, as it should be.
    Entry {
        /// The entry.
        blob: Blob,
        /// Left out of the working tree (sparse checkout).
        skipped: bool,
        /// The person promised not to change it.
        assumed: bool,
    },
    /// In conflict.
    Unmerged,
}

impl Staged {
    /// Whether the working tree is not meant to have the file.
    pub fn is_skipped(staged: Option<&Self>) -> bool {
        matches!(staged, Some(Self::Entry { skipped: true, .. }))
    }
}

/// What becomes of an index entry.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// It stays as it is, and that is right.
    Same,
    /// It becomes this.
    Set(Option<Blob>),
    /// The person staged other lines of the file: both are wanted.
    Merge { staged: Blob, mode: u32 },
    /// The person staged something that does not go together with the commit; it stays.
    Kept,
}

impl Git {
    /// What the index has at the paths of these changes; those it has nothing at are left out.
    pub(super) async fn staged(
        &self,
        changes: &[RawChange],
    ) -> Result<HashMap<String, Staged>, Problem> {
        if changes.is_empty() {
            return Ok(HashMap::new());
        }
        let paths: HashSet<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        let mut call = Call::new(["ls-files", "-s", "-v", "-z"]);
        if paths.iter().map(|path| path.len()).sum::<usize>() < ARGUMENT_BYTES {
            call = call.args(["--"]).args(&paths);
        }
        let output = self.run(call).await?.checked()?;
        let entries = output.records().filter_map(parse);
        Ok(entries
            .filter(|(path, _)| paths.contains(path.as_str()))
            .collect())
    }

    /// Sets the entries of the committed files, in one write. Returns the paths that were kept.
    pub(super) async fn update_index(
        &self,
        changes: &[RawChange],
        staged: &HashMap<String, Staged>,
        work: &HashMap<String, Work>,
    ) -> Result<Vec<String>, Problem> {
        let mut kept = Vec::new();
        let mut lines = String::new();
        let (mut skipped, mut assumed) = (String::new(), String::new());
        let none = self.no_id();
        for change in changes {
            let entry = staged.get(&change.path);
            let work = work.get(&change.path).unwrap_or(&Work::Missing);
            let committed = change.after.as_ref();
            // The working tree had exactly the committed content before: the person's own work was what was
            // committed, and an older state of it that does not merge is staged. It gives way, as it does in
            // `git commit <file>`.
            let superseded = work.is(committed) && entry.is_some();
            let set = match next(change, entry) {
                Next::Same => continue,
                Next::Set(blob) => blob,
                Next::Merge { staged, mode } => match self.merged(change, &staged).await? {
                    Some(oid) => Some(Blob { mode, oid }),
                    None if superseded => committed.cloned(),
                    None => {
                        kept.push(change.path.clone());
                        continue;
                    }
                },
                Next::Kept if superseded => committed.cloned(),
                Next::Kept => {
                    kept.push(change.path.clone());
                    continue;
                }
            };
            match set {
                None => lines.push_str(&format!("0 {none}\t{}\0", change.path)),
                Some(blob) => {
                    lines.push_str(&format!("{:o} {}\t{}\0", blob.mode, blob.oid, change.path));
                    if let Some(Staged::Entry {
                        skipped: s,
                        assumed: a,
                        ..
                    }) = entry
                    {
                        for (flag, list) in [(s, &mut skipped), (a, &mut assumed)] {
                            if *flag {
                                list.push_str(&format!("{}\0", change.path));
                            }
                        }
                    }
                }
            }
        }
        self.write_index(&["-z", "--index-info"], &lines).await?;
        // A new entry has no marks; the old one's are put back.
        self.write_index(&["--skip-worktree", "-z", "--stdin"], &skipped)
            .await?;
        self.write_index(&["--assume-unchanged", "-z", "--stdin"], &assumed)
            .await?;
        Ok(kept)
    }

    async fn write_index(&self, args: &[&str], stdin: &str) -> Result<(), Problem> {
        if stdin.is_empty() {
            return Ok(());
        }
        let call = || Call::new(["update-index"]).args(args).stdin(stdin);
        let output = self.patiently(call).await?;
        if output.code == 0 {
            Ok(())
        } else {
            Err(half_way(&output))
        }
    }

    /// The staged lines and the committed ones together, stored; `None` when they overlap.
    async fn merged(&self, change: &RawChange, staged: &Blob) -> Result<Option<String>, Problem> {
        let (Some(before), Some(after)) = (&change.before, &change.after) else {
            return Ok(None);
        };
        let mut sides = Vec::new();
        for blob in [staged, before, after] {
            match self
                .object(&blob.oid, u64::MAX)
                .await?
                .and_then(|object| object.bytes)
            {
                Some(bytes) => sides.push(bytes),
                None => return Ok(None),
            }
        }
        let [ours, base, theirs] = &sides[..] else {
            return Ok(None);
        };
        if lines::is_part(base, ours, theirs) {
            return Ok(Some(staged.oid.clone()));
        }
        let merged = match self.merge(ours, base, theirs).await? {
            Some(merged) => merged,
            None if lines::contains(base, ours, theirs) => return Ok(Some(staged.oid.clone())),
            None => return Ok(None),
        };
        let call = Call::new(["hash-object", "-w", "--stdin", "--no-filters"]).stdin(merged);
        Ok(Some(self.run(call).await?.checked()?.text()))
    }

    /// Three-way merge by git itself; `None` when both sides changed the same lines, or it is not text.
    pub(super) async fn merge(
        &self,
        ours: &[u8],
        base: &[u8],
        theirs: &[u8],
    ) -> Result<Option<Vec<u8>>, Problem> {
        let output = self.merge_file(&[], ours, base, theirs).await?;
        Ok((output.code == 0).then_some(output.stdout))
    }

    /// Three-way merge in which one side's lines are taken where both changed the same.
    pub(super) async fn merge_for(
        &self,
        ours: &[u8],
        base: &[u8],
        theirs: &[u8],
        for_ours: bool,
    ) -> Result<Vec<u8>, Problem> {
        let side = if for_ours { "--ours" } else { "--theirs" };
        let output = self.merge_file(&[side], ours, base, theirs).await?;
        Ok(output.checked()?.stdout)
    }

    async fn merge_file(
        &self,
        options: &[&str],
        ours: &[u8],
        base: &[u8],
        theirs: &[u8],
    ) -> Result<Output, Problem> {
        let scratch = tempfile::tempdir().map_err(Problem::internal)?;
        let mut call = Call::new(["merge-file", "-p", "-q"]).args(options);
        for (name, bytes) in [("ours", ours), ("base", base), ("theirs", theirs)] {
            let file = scratch.path().join(name);
            write(&file, bytes)?;
            call = call.args([file]);
        }
        self.run(call).await
    }
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), Problem> {
    fs::write(file, bytes).map_err(Problem::internal)
}

/// The branch has moved already: say so, since "failed" alone would be taken for "nothing happened".
fn half_way(output: &Output) -> Problem {
    let problem = output.failed();
    if problem.is("index-locked") {
        let mut problem = index_locked();
        problem.detail = format!(
            "the commit is on the branch, but the index could not follow: {}",
            problem.detail
        );
        problem
    } else {
        problem
    }
}

fn next(change: &RawChange, staged: Option<&Staged>) -> Next {
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    let entry = match staged {
        None => None,
        Some(Staged::Entry { blob, .. }) => Some(blob),
        Some(Staged::Unmerged) => return Next::Kept,
    };
    if entry == after {
        return Next::Same;
    }
    if entry == before {
        return Next::Set(after.cloned());
    }
    match (before, entry, after) {
        // An empty entry where HEAD had nothing: a file announced by `git add -N`, or one as empty.
        (None, Some(entry), Some(_)) if is_empty(&entry.oid) => Next::Set(after.cloned()),
        (Some(before), Some(entry), Some(after))
            if [entry.mode, after.mode]
                .iter()
                .all(|mode| mode & TYPE == before.mode & TYPE) =>
        {
            let mode = if entry.mode == before.mode {
                after.mode
            } else {
                entry.mode
            };
            if entry.oid == before.oid {
                Next::Set(Some(Blob {
                    mode,
                    oid: after.oid.clone(),
                }))
            } else if after.oid == before.oid || after.oid == entry.oid {
                Next::Set(Some(Blob {
                    mode,
                    oid: entry.oid.clone(),
                }))
            } else {
                Next::Merge {
                    staged: entry.clone(),
                    mode,
                }
            }
        }
        _ => Next::Kept,
    }
}

/// The id of the empty blob, in both of git's hashes.
fn is_empty(oid: &str) -> bool {
    oid == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
        || oid == "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"
}

/// Reads a record of `git ls-files -s -v -z`: `tag mode id stage`, a tab, the path.
fn parse(record: &[u8]) -> Option<(String, Staged)> {
    let record = std::str::from_utf8(record).ok()?;
    let (meta, path) = record.split_once('\t')?;
    let mut words = meta.split(' ');
    let (tag, mode, oid, stage) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let entry = if stage == "0" {
        Staged::Entry {
            blob: Blob {
                mode: u32::from_str_radix(mode, 8).ok()?,
                oid: oid.to_owned(),
            },
            skipped: tag.eq_ignore_ascii_case("S"),
            assumed: tag.bytes().all(|byte| byte.is_ascii_lowercase()),
        }
    } else {
        Staged::Unmerged
    };
    Some((path.to_owned(), entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: u32 = 0o100_644;
    const PROGRAM: u32 = 0o100_755;

    fn blob(mode: u32, oid: &str) -> Option<Blob> {
        Some(Blob {
            mode,
            oid: oid.into(),
        })
    }

    fn decide(before: Option<Blob>, staged: Option<Blob>, after: Option<Blob>) -> Next {
        let staged = staged.map(|blob| Staged::Entry {
            blob,
            skipped: false,
            assumed: false,
        });
        next(
            &RawChange {
                path: "x".into(),
                before,
                after,
            },
            staged.as_ref(),
        )
    }

    #[test]
    fn an_entry_as_in_the_base_follows_the_commit() {
        let (old, new) = (blob(FILE, "old"), blob(FILE, "new"));
        assert_eq!(
            decide(old.clone(), old.clone(), new.clone()),
            Next::Set(new.clone())
        );
        assert_eq!(decide(None, None, new.clone()), Next::Set(new.clone()));
        assert_eq!(decide(old.clone(), old.clone(), None), Next::Set(None));
        assert_eq!(decide(old, new.clone(), new), Next::Same);
    }

    #[test]
    fn what_is_staged_besides_stays_staged() {
        let (old, new, other) = (blob(FILE, "old"), blob(FILE, "new"), blob(FILE, "other"));
        assert_eq!(
            decide(old.clone(), other.clone(), new.clone()),
            Next::Merge {
                staged: other.clone().unwrap(),
                mode: FILE
            }
        );
        // A staged chmod goes together with committed lines, staged lines with a committed chmod.
        assert_eq!(
            decide(old.clone(), blob(PROGRAM, "old"), new.clone()),
            Next::Set(blob(PROGRAM, "new"))
        );
        assert_eq!(
            decide(old.clone(), other.clone(), blob(PROGRAM, "old")),
            Next::Set(blob(PROGRAM, "other"))
        );
        assert_eq!(decide(old.clone(), None, new.clone()), Next::Kept);
        assert_eq!(decide(old, other.clone(), None), Next::Kept);
        assert_eq!(decide(None, other, new), Next::Kept);
    }

    #[test]
    fn an_announced_file_follows_and_a_conflict_stays() {
        let announced = blob(FILE, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        let new = blob(FILE, "new");
        assert_eq!(decide(None, announced, new.clone()), Next::Set(new.clone()));
        let change = RawChange {
            path: "x".into(),
            before: blob(FILE, "old"),
            after: new,
        };
        assert_eq!(next(&change, Some(&Staged::Unmerged)), Next::Kept);
    }

    #[test]
    fn entries_are_read_with_their_marks() {
        let (path, entry) = parse(b"S 100644 abc 0\ta b.html").unwrap();
        assert_eq!(path, "a b.html");
        assert!(Staged::is_skipped(Some(&entry)));
        assert_eq!(parse(b"M 100644 abc 2\tx").unwrap().1, Staged::Unmerged);
        assert!(matches!(
            parse(b"h 100644 abc 0\tx").unwrap().1,
            Staged::Entry {
                assumed: true,
                skipped: false,
                ..
            }
        ));
    }
}
