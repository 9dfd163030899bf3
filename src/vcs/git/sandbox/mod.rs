//! Commits of the working tree to a branch of their own, beside a person's work: their branch, index, stash and HEAD
//! are not touched, and of the working tree nothing is written.
//!
//! Each look is made with an index file of our own, so git itself says what changed, honours `.gitignore`, runs clean
//! filters and stores symlinks and modes. What was taken last is kept as a tree under a ref of this working tree
//! ([`seen_ref`]): what differs from it is the person's, whatever happened to the branch meanwhile.

mod index;
mod look;
mod merge;
mod refs;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::Git;
use super::changes::{Blob, RawChange};
use super::run::Call;
use crate::model::Problem;

pub use merge::{Clash, Joined, Side};
pub use refs::SandboxCommit;

/// A file that differs from what was taken last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Its path.
    pub path: String,
    /// Where it was before, for one that moved.
    pub from: Option<String>,
    /// What became of it.
    pub kind: TouchedKind,
    /// Its blob before; empty when it is new.
    pub before: String,
    /// Its blob now; empty when it is gone.
    pub oid: String,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TouchedKind {
    /// It is new.
    Added,
    /// Its content is another.
    Changed,
    /// It is gone.
    Removed,
    /// It has another name; perhaps another content too.
    Moved,
    /// Only its mode is another, or it became a link or a file.
    Mode,
}

/// The working tree as it is now, stored as a tree; nothing has been committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The commit at the sandbox branch; empty when there is none.
    pub tip: String,
    /// The commit that is checked out; empty on a branch without commits.
    pub head: String,
    /// The branch that is checked out; empty when HEAD is detached.
    pub branch: String,
    /// The tree that was taken last; that of HEAD before the first time.
    pub base: String,
    /// The tree of the working tree now.
    pub tree: String,
    /// What differs between the two.
    pub touched: Vec<Touched>,
    /// Files that could not be read, and why: they are as in `base`.
    pub unreadable: Vec<(String, String)>,
    /// Files that changed while they were read, again and again: they are as in `base`.
    pub moving: Vec<String>,
}

/// Looks at a working tree and commits to the sandbox branch. One at a time for each repository.
pub struct Sandbox {
    git: Git,
    branch: String,
    folder: tempfile::TempDir,
    /// The tree that our index was last filled with; `None` before the first time and after a failure.
    filled: Mutex<Option<String>>,
}

/// What the folder of our index is called, with the process's number after it.
const FOLDER: &str = "sayso-sandbox-";

impl Sandbox {
    /// A sandbox on `branch`. What earlier processes left of theirs is cleared away.
    ///
    /// # Errors
    /// `config` when `branch` is no name of a branch; when git's folder cannot be written.
    pub async fn open(git: Git, branch: &str) -> Result<Self, Problem> {
        let call = Call::new(["check-ref-format", "--branch", branch]);
        if branch.starts_with('-') || git.run(call).await?.code != 0 {
            return Err(Problem::new(
                422,
                "config",
                format!("[watch] branch: {branch:?} is no name of a branch"),
            )
            .hint("take one such as \"sandbox\" or \"ada/sandbox\""));
        }
        clear(&git.shared.git_dir);
        let folder = tempfile::Builder::new()
            .prefix(&format!("{FOLDER}{}-", std::process::id()))
            .tempdir_in(&git.shared.git_dir)
            .map_err(|error| {
                Problem::internal(format!("git's folder cannot be written: {error}"))
                    .hint("see to its permissions, and to the space on the disk")
            })?;
        Ok(Self {
            git,
            branch: branch.to_owned(),
            folder,
            filled: Mutex::new(None),
        })
    }

    /// The repository.
    pub fn git(&self) -> &Git {
        &self.git
    }

    /// The branch.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// The operation that is half way through in this working tree (`rebase`, `merge` …): its files are not the
    /// person's then.
    pub fn under_way(&self) -> Option<&'static str> {
        self.git.operation()
    }

    fn index(&self) -> PathBuf {
        self.folder.path().join("index")
    }
}

impl Git {
    /// git's own folder for this working tree.
    pub fn git_dir(&self) -> &Path {
        &self.shared.git_dir
    }

    /// Files that git tracks though `patterns` or a `.gitignore` leave them out.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub async fn tracked_though_ignored(&self, patterns: &[&str]) -> Result<Vec<String>, Problem> {
        let mut call = Call::new(["ls-files", "-z", "-c", "-i", "--exclude-standard"]);
        for pattern in patterns {
            call = call.args(["-x", pattern]);
        }
        let output = self.run(call).await?.checked()?;
        let text = |path: &[u8]| String::from_utf8(path.to_vec()).ok();
        Ok(output.records().filter_map(text).collect())
    }
}

/// The ref that holds the tree which was taken last from this working tree.
fn seen_ref(branch: &str) -> String {
    format!("refs/worktree/sayso/seen/{branch}")
}

/// Clears away folders of processes that are gone.
fn clear(git_dir: &Path) {
    let Ok(entries) = std::fs::read_dir(git_dir) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(FOLDER)) else {
            continue;
        };
        let pid = rest
            .split('-')
            .next()
            .and_then(|pid| pid.parse::<i32>().ok());
        if pid.is_some_and(|pid| !lives(pid)) {
            // Not removed: then by the next start.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(unix)]
fn lives(pid: i32) -> bool {
    rustix::process::Pid::from_raw(pid).is_some_and(|pid| {
        !matches!(
            rustix::process::test_kill_process(pid),
            Err(rustix::io::Errno::SRCH)
        )
    })
}

#[cfg(not(unix))]
fn lives(_: i32) -> bool {
    true
}

/// A change as people are told of it.
fn touched(change: &RawChange) -> Touched {
    let kind = match (&change.before, &change.after) {
        (None, _) => TouchedKind::Added,
        (_, None) => TouchedKind::Removed,
        (Some(before), Some(after)) if before.oid == after.oid => TouchedKind::Mode,
        _ => TouchedKind::Changed,
    };
    let oid = |blob: &Option<Blob>| blob.as_ref().map_or(String::new(), |blob| blob.oid.clone());
    Touched {
        path: change.path.clone(),
        from: None,
        kind,
        before: oid(&change.before),
        oid: oid(&change.after),
    }
}
