//! The agent's copy of the site, and what it changed in it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::generate::FileChange;
use crate::generate::edits::path::{Ignored, checked, guarded, secret};
use crate::generate::edits::{Applied, Fault, Limits};
use crate::generate::offline::parse;
use crate::model::FileTree;

const SYMLINK: u32 = 0o120_000;
#[cfg(unix)]
const EXECUTABLE: u32 = 0o100_755;

/// Larger files are not proposed, in bytes.
const LARGEST: u64 = 1 << 20;

/// Folders that tools fill and nobody means to propose.
const SKIPPED: [&str; 3] = [".git", "node_modules", ".venv"];

/// A copy. Gone when this is dropped.
pub(super) struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// Writes a tree's files into a fresh folder, and makes that a repository with one commit.
    pub(super) fn lay_out(tree: &dyn FileTree) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("sayso-agent-").tempdir()?;
        for entry in tree.files() {
            // A path that could leave the copy is not written.
            let Ok(path) = checked(&entry.path) else {
                continue;
            };
            // What an agent reads goes to its model.
            if secret(&path) {
                continue;
            }
            let Some(bytes) = tree.read(&entry.path)? else {
                continue;
            };
            let file = folder.path().join(&path);
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            if entry.mode == SYMLINK {
                continue;
            }
            std::fs::write(&file, &bytes)?;
            #[cfg(unix)]
            if entry.mode == EXECUTABLE {
                use std::os::unix::fs::PermissionsExt;
                std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))?;
            }
        }
        // Agents look at git to see what they changed. Without git they have to do without.
        let commit = [
            "-c",
            "user.name=Sayso",
            "-c",
            "user.email=sayso@localhost",
            "-c",
            "commit.gpgsign=false",
        ];
        let steps: [&[&str]; 3] = [
            &["init", "-q", "-b", "main"],
            &["add", "-A"],
            &["commit", "-q", "--no-verify", "-m", "The site"],
        ];
        for step in steps {
            let mut git = Command::new("git");
            git.args(commit)
                .args(step)
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            // The person's repository is none of its business, wherever Sayso was started.
            for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
                git.env_remove(name);
            }
            if git.status().is_err() {
                break;
            }
        }
        Ok(Self { folder })
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What differs from `tree` now.
    pub(super) fn difference(
        &self,
        tree: &dyn FileTree,
        limits: Limits,
    ) -> Result<Applied, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut applied = Applied::default();
        let mut lines = 0;
        let ignored = Ignored::of(tree);
        let mut there = BTreeSet::new();
        let mut found = Vec::new();
        if let Err(error) = walk(self.folder.path(), String::new(), &mut found) {
            return Err(vec![Fault::new(
                "",
                format!("the copy cannot be read: {error}"),
            )]);
        }
        for (path, file) in found {
            there.insert(path.clone());
            match changed(tree, &ignored, &path, &file) {
                Ok(Some((change, count, broken))) => {
                    lines += count;
                    if broken {
                        applied
                            .warnings
                            .push(format!("{path} has more syntax errors than before"));
                    }
                    applied.files.push(change);
                }
                Ok(None) => {}
                Err(fault) => faults.push(fault),
            }
        }
        for entry in tree.files() {
            if entry.mode != SYMLINK
                && !there.contains(&entry.path)
                && checked(&entry.path).is_ok()
                && !skipped(&entry.path)
                && !secret(&entry.path)
            {
                applied.files.push(FileChange {
                    path: entry.path.clone(),
                    after: None,
                });
            }
        }
        if applied.files.len() > limits.files {
            let count = applied.files.len();
            faults.push(Fault::new(
                "",
                format!(
                    "it changed {count} files; at most {} at a time",
                    limits.files
                ),
            ));
        }
        if lines > limits.lines {
            faults.push(Fault::new(
                "",
                format!(
                    "it changed {lines} lines; at most {} at a time",
                    limits.lines
                ),
            ));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        applied.files.sort_by(|a, b| a.path.cmp(&b.path));
        for file in &applied.files {
            if let Some(what) = guarded(&file.path) {
                applied.warnings.push(format!(
                    "{} is {what}: it is left out until you accept it",
                    file.path
                ));
            }
        }
        Ok(applied)
    }
}

fn skipped(path: &str) -> bool {
    path.split('/').any(|part| SKIPPED.contains(&part))
}

/// All files below a folder: their paths in the site and on the disk.
fn walk(folder: &Path, prefix: String, into: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if SKIPPED.contains(&name) {
            continue;
        }
        let path = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}/{name}")
        };
        // Not through links: they may lead anywhere.
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), path, into)?;
        } else {
            into.push((path, entry.path()));
        }
    }
    Ok(())
}

/// A file that differs: what it became, how many lines that is, and whether it parses worse.
fn changed(
    tree: &dyn FileTree,
    ignored: &Ignored,
    path: &str,
    file: &Path,
) -> Result<Option<(FileChange, usize, bool)>, Fault> {
    let failed = |error: io::Error| Fault::new(path, format!("cannot be read: {error}"));
    let entry = tree.entry(path);
    if entry.is_none() && ignored.covers(path) {
        return Ok(None);
    }
    let data = std::fs::symlink_metadata(file).map_err(failed)?;
    if data.file_type().is_symlink() {
        if entry.is_some_and(|entry| entry.mode == SYMLINK) {
            return Ok(None);
        }
        return Err(Fault::grave(path, "is a symbolic link now"));
    }
    let before = match entry {
        Some(_) => tree.read(path).map_err(failed)?,
        None => None,
    };
    if before
        .as_ref()
        .is_some_and(|before| before.len() as u64 == data.len())
        || data.len() <= LARGEST
    {
        let after = std::fs::read(file).map_err(failed)?;
        if before.as_deref() == Some(after.as_slice()) {
            return Ok(None);
        }
        let path = checked(path)?;
        let after = match String::from_utf8(after) {
            Ok(text) if !text.contains('\0') => text,
            _ => return Err(Fault::new(&path, "is not text: only text can be proposed")),
        };
        let before = before
            .and_then(|bytes| std::str::from_utf8(&bytes).map(str::to_owned).ok())
            .unwrap_or_default();
        let lines = similar::TextDiff::from_lines(before.as_str(), after.as_str())
            .iter_all_changes()
            .filter(|change| change.tag() != similar::ChangeTag::Equal)
            .count();
        let broken =
            !before.is_empty() && parse::errors(&path, &after) > parse::errors(&path, &before);
        return Ok(Some((
            FileChange {
                path,
                after: Some(after),
            },
            lines,
            broken,
        )));
    }
    Err(Fault::new(path, "is larger than 1 MiB"))
}
