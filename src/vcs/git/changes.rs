//! What changed, as the files of a proposal: in the working tree, or in a commit.

use std::io;

use super::Git;
use super::tree::Reader;
use crate::model::{Content, Problem, ProposedFile};

/// Text larger than this is shown as a binary file is: by name and size.
const MAX_TEXT: usize = 2 * 1024 * 1024;

const SUBMODULE: u32 = 0o160_000;

/// One side of a changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// git mode, 0 when absent.
    pub mode: u32,
    /// Blob id, empty when absent.
    pub oid: String,
}

/// A changed path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The path.
    pub path: String,
    /// Before.
    pub before: Side,
    /// After.
    pub after: Side,
}

/// The working tree's changes against the head, staged, unstaged and untracked (ignored files are not).
pub async fn working(git: &Git, paths: &[String]) -> Result<Vec<ProposedFile>, Problem> {
    // A copy of the person's index, brought up to the working tree: what `git add --all` would commit, with
    // the same filters, but nothing of theirs is touched.
    let scratch = scratch_index(git)?;
    let index = scratch.path().join("index");
    let runner = git.runner.with("GIT_INDEX_FILE", &index);
    let head = head(git).await?;
    if paths.is_empty() {
        match std::fs::copy(git.git_dir.join("index"), &index) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Problem::internal(format!(
                    "git's index cannot be read: {error}"
                )));
            }
        }
    } else if !head.is_empty() {
        runner
            .run(&["read-tree", &head])
            .await?
            .checked("read-tree")?;
    }
    let mut args = vec!["add", "--all", "--"];
    if paths.is_empty() {
        args.push(".");
    }
    args.extend(paths.iter().map(String::as_str));
    runner.run(&args).await?.checked("add")?;
    let against = if head.is_empty() {
        empty_tree(git).await?
    } else {
        head
    };
    let listing = runner
        .run(&[
            "diff-index",
            "--cached",
            "--raw",
            "-z",
            "--no-renames",
            "--no-abbrev",
            &against,
        ])
        .await?
        .checked("diff-index")?;
    files(git, raw(&listing.stdout)).await
}

/// What `commit` changed against its first parent.
pub async fn of_commit(git: &Git, commit: &str) -> Result<Vec<ProposedFile>, Problem> {
    files(git, between(git, None, commit).await?).await
}

/// The paths that differ between `base` (the first parent when `None`; empty for nothing) and `commit`.
pub async fn between(git: &Git, base: Option<&str>, commit: &str) -> Result<Vec<Changed>, Problem> {
    let mut args = vec![
        "diff-tree",
        "-r",
        "-z",
        "--raw",
        "--no-renames",
        "--no-abbrev",
    ];
    let empty;
    match base {
        None => args.extend(["--no-commit-id", "--root", "-m", "--first-parent", commit]),
        Some("") => {
            empty = empty_tree(git).await?;
            args.extend([empty.as_str(), commit]);
        }
        Some(base) => args.extend([base, commit]),
    }
    let listing = git.runner.run(&args).await?.checked("diff-tree")?;
    Ok(raw(&listing.stdout))
}

/// The commit at HEAD; empty on a branch without commits.
pub async fn head(git: &Git) -> Result<String, Problem> {
    let output = git
        .runner
        .run(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
        .await?;
    Ok(if output.ok() {
        output.text()
    } else {
        String::new()
    })
}

/// A folder for an index of our own, beside the real one: on the same file system, and where git looks.
pub fn scratch_index(git: &Git) -> Result<tempfile::TempDir, Problem> {
    tempfile::Builder::new()
        .prefix("sayso-")
        .tempdir_in(&git.git_dir)
        .map_err(|error| {
            Problem::internal(format!(
                "{} cannot be written: {error}",
                git.git_dir.display()
            ))
        })
}

/// The id of the empty tree (it depends on the repository's hash function).
async fn empty_tree(git: &Git) -> Result<String, Problem> {
    let output = git
        .runner
        .run(&["hash-object", "-t", "tree", "--stdin", "-w"])
        .await?;
    Ok(output.checked("hash-object")?.text())
}

/// The raw format: `:<mode> <mode> <oid> <oid> <status>` NUL `<path>` NUL.
fn raw(listing: &[u8]) -> Vec<Changed> {
    let mut changed = Vec::new();
    let mut records = listing.split(|byte| *byte == 0);
    while let (Some(meta), Some(path)) = (records.next(), records.next()) {
        let (Ok(meta), Ok(path)) = (std::str::from_utf8(meta), std::str::from_utf8(path)) else {
            continue;
        };
        let mut fields = meta.trim_start_matches(':').split(' ');
        let mut mode = || {
            fields
                .next()
                .and_then(|m| u32::from_str_radix(m, 8).ok())
                .unwrap_or(0)
        };
        let modes = (mode(), mode());
        let mut oid = |mode: u32| {
            let oid = fields.next().unwrap_or_default();
            if mode == 0 {
                String::new()
            } else {
                oid.to_owned()
            }
        };
        let before = Side {
            mode: modes.0,
            oid: oid(modes.0),
        };
        let after = Side {
            mode: modes.1,
            oid: oid(modes.1),
        };
        if before.mode != SUBMODULE && after.mode != SUBMODULE {
            changed.push(Changed {
                path: path.to_owned(),
                before,
                after,
            });
        }
    }
    changed
}

async fn files(git: &Git, changed: Vec<Changed>) -> Result<Vec<ProposedFile>, Problem> {
    let mut reader = Reader::new(git);
    let read = move || {
        changed
            .into_iter()
            .map(|changed| {
                Ok(ProposedFile {
                    before: content(&mut reader, &changed.before)?,
                    after: content(&mut reader, &changed.after)?,
                    mode_before: changed.before.mode,
                    mode_after: changed.after.mode,
                    path: changed.path,
                    hunks: Vec::new(),
                })
            })
            .collect::<io::Result<Vec<_>>>()
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(Problem::internal)?
        .map_err(Problem::internal)
}

fn content(reader: &mut Reader, side: &Side) -> io::Result<Content> {
    if side.mode == 0 {
        return Ok(Content::Absent);
    }
    let bytes = reader.blob(&side.oid)?;
    Ok(match std::str::from_utf8(&bytes) {
        Ok(text) if bytes.len() <= MAX_TEXT && !bytes.contains(&0) => Content::text(text),
        _ => Content::Binary {
            oid: side.oid.clone(),
            size: bytes.len() as u64,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_raw_format_is_read() {
        let old = "1".repeat(40);
        let zero = "0".repeat(40);
        let listing =
            format!(":100644 000000 {old} {zero} D\0a b.html\0:160000 160000 {old} {old} M\0sub\0");
        let changed = raw(listing.as_bytes());
        assert_eq!(changed.len(), 1, "submodules are left out");
        assert_eq!(changed[0].path, "a b.html");
        assert_eq!(
            changed[0].before,
            Side {
                mode: 0o100_644,
                oid: old
            }
        );
        assert_eq!(
            changed[0].after,
            Side {
                mode: 0,
                oid: String::new()
            }
        );
    }
}
