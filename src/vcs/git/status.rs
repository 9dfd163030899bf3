//! Where the repository stands, and what of it is changed.

use crate::model::Problem;
use crate::model::api::RepositoryStatus;

use super::Git;
use super::run::Call;

/// Above this many bytes of paths on a command line, everything is asked for and filtered here.
const ARGUMENT_BYTES: usize = 64 * 1024;

/// `git status`, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// The branch; empty when HEAD is detached.
    pub branch: String,
    /// The commit at its head; empty on a branch without commits.
    pub head: String,
    /// The changed paths.
    pub entries: Vec<Entry>,
}

/// A changed path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Path from the root.
    pub path: String,
    /// How it is changed.
    pub change: Change,
}

/// How a path is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Not in the index.
    Untracked,
    /// In conflict.
    Unmerged,
    /// In HEAD or the index.
    Tracked {
        /// The working tree against the index: `.` same, `M`, `D`, `T`, `A`.
        work: u8,
        /// Mode in HEAD, 0 when absent.
        mode_head: u32,
        /// Mode in the index, 0 when absent.
        mode_index: u32,
        /// Mode in the working tree, 0 when absent.
        mode_work: u32,
        /// Blob in HEAD.
        head: String,
        /// Blob in the index.
        index: String,
    },
}

impl Git {
    /// Name, branch, head, number of changes.
    pub(super) async fn overview(&self) -> Result<RepositoryStatus, Problem> {
        let snapshot = self.look(&[]).await?;
        let mut paths: Vec<&str> = snapshot
            .entries
            .iter()
            .map(|entry| entry.path.as_str())
            .collect();
        paths.sort_unstable();
        paths.dedup();
        let root = self.root();
        Ok(RepositoryStatus {
            name: root.file_name().map_or_else(
                || root.to_string_lossy().into_owned(),
                |name| name.to_string_lossy().into_owned(),
            ),
            root: root.to_string_lossy().into_owned(),
            branch: snapshot.branch,
            head: snapshot.head,
            changes: paths.len(),
        })
    }

    /// Those of `paths` that differ from HEAD.
    pub(super) async fn dirty_among(&self, paths: &[String]) -> Result<Vec<String>, Problem> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let snapshot = self.look(paths).await?;
        let differs = |path: &&String| snapshot.entries.iter().any(|entry| entry.path == **path);
        Ok(paths.iter().filter(differs).cloned().collect())
    }

    /// `git status` of `paths`; of everything when there are none.
    pub(super) async fn look(&self, paths: &[String]) -> Result<Snapshot, Problem> {
        let none: [&str; 0] = [];
        let mut call = status(Call::new(none));
        if paths.iter().map(String::len).sum::<usize>() < ARGUMENT_BYTES && !paths.is_empty() {
            call = call.args(["--"]).args(paths);
        }
        let output = self.run(call).await?.checked()?;
        Ok(parse(output.records()))
    }

    /// `git status` of everything, with the settings and the index that `call` begins with.
    pub(super) async fn look_from(&self, call: Call) -> Result<Snapshot, Problem> {
        let output = self.run(status(call)).await?.checked()?;
        Ok(parse(output.records()))
    }

    /// The operation that is half way through in this working tree, as git calls it.
    pub(super) fn operation(&self) -> Option<&'static str> {
        [
            ("MERGE_HEAD", "merge"),
            ("rebase-merge", "rebase"),
            ("rebase-apply", "rebase"),
            ("CHERRY_PICK_HEAD", "cherry-pick"),
            ("REVERT_HEAD", "revert"),
        ]
        .into_iter()
        .find(|(file, _)| self.shared.git_dir.join(file).exists())
        .map(|(_, name)| name)
    }
}

fn status(call: Call) -> Call {
    call.args([
        "status",
        "--porcelain=v2",
        "-z",
        "--branch",
        "--no-ahead-behind",
        "--no-renames",
        "--untracked-files=all",
        "--ignore-submodules=all",
    ])
}

/// Reads the records of `--porcelain=v2 -z`. Names that are not UTF-8 are left out.
fn parse<'a>(records: impl Iterator<Item = &'a [u8]>) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let mut records = records;
    while let Some(record) = records.next() {
        // A rename has its old name in a record of its own. We ask for none, but a reader out of step would
        // take names for changes.
        if record.starts_with(b"2 ") {
            let _ = records.next();
        }
        let Ok(record) = std::str::from_utf8(record) else {
            continue;
        };
        if let Some(head) = record.strip_prefix("# branch.oid ") {
            snapshot.head = if head == "(initial)" { "" } else { head }.to_owned();
        } else if let Some(branch) = record.strip_prefix("# branch.head ") {
            snapshot.branch = if branch == "(detached)" { "" } else { branch }.to_owned();
        } else if let Some(entry) = entry(record) {
            snapshot.entries.push(entry);
        }
    }
    snapshot
}

fn entry(record: &str) -> Option<Entry> {
    let found = |path: &str, change| {
        Some(Entry {
            path: path.to_owned(),
            change,
        })
    };
    match record.split_once(' ')? {
        // A trailing slash is another repository inside this one.
        ("?", path) if !path.ends_with('/') => found(path, Change::Untracked),
        ("u", rest) => found(rest.splitn(10, ' ').nth(9)?, Change::Unmerged),
        (kind @ ("1" | "2"), rest) => {
            let fields = if kind == "1" { 8 } else { 9 };
            let words: Vec<&str> = rest.splitn(fields, ' ').collect();
            let mode = |at: usize| u32::from_str_radix(words.get(at).unwrap_or(&""), 8).ok();
            found(
                words.get(fields - 1)?,
                Change::Tracked {
                    work: *words.first()?.as_bytes().get(1)?,
                    mode_head: mode(2)?,
                    mode_index: mode(3)?,
                    mode_work: mode(4)?,
                    head: (*words.get(5)?).to_owned(),
                    index: (*words.get(6)?).to_owned(),
                },
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Snapshot {
        parse(
            text.as_bytes()
                .split(|byte| *byte == 0)
                .filter(|record| !record.is_empty()),
        )
    }

    #[test]
    fn branch_and_changes_are_read() {
        let snapshot = read(
            "# branch.oid abc\0# branch.head main\0\
             1 .M N... 100644 100644 100755 1111 2222 a b.html\0? new file\0? nested/\0\
             u UU N... 100644 100644 100644 100644 1 2 3 both.html\0",
        );
        assert_eq!(
            (snapshot.head.as_str(), snapshot.branch.as_str()),
            ("abc", "main")
        );
        let paths: Vec<_> = snapshot
            .entries
            .iter()
            .map(|entry| entry.path.as_str())
            .collect();
        assert_eq!(paths, ["a b.html", "new file", "both.html"]);
        assert_eq!(
            snapshot.entries[0].change,
            Change::Tracked {
                work: b'M',
                mode_head: 0o100_644,
                mode_index: 0o100_644,
                mode_work: 0o100_755,
                head: "1111".into(),
                index: "2222".into(),
            }
        );
        assert_eq!(snapshot.entries[2].change, Change::Unmerged);
    }

    #[test]
    fn unborn_and_detached_heads_are_empty() {
        let snapshot = read("# branch.oid (initial)\0# branch.head (detached)\0");
        assert_eq!(snapshot, Snapshot::default());
    }

    #[test]
    fn a_rename_does_not_get_the_reader_out_of_step() {
        let snapshot =
            read("2 R. N... 100644 100644 100644 1 1 R100 new.html\0? old.html\0? other.html\0");
        let paths: Vec<_> = snapshot
            .entries
            .iter()
            .map(|entry| entry.path.as_str())
            .collect();
        assert_eq!(paths, ["new.html", "other.html"]);
    }
}
