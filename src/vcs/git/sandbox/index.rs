//! The index of our own: files go into it as they are, and out of it again where they must.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use futures::future::BoxFuture;

use super::super::run::{Call, Output};
use super::super::work::Seen;
use super::look::{STORE_LIMIT, full, is_broken, own};
use super::{Look, Sandbox};
use crate::model::{FileTree, Problem};

/// How often a file is read again that changes while it is read.
const TRIES: usize = 3;

impl Sandbox {
    /// Stores these files and puts them into our index.
    pub(super) async fn store(&self, paths: Vec<String>, look: &mut Look) -> Result<(), Problem> {
        if paths.is_empty() {
            return Ok(());
        }
        // Where a link or a file stands in the place of a folder, what was below is gone.
        let root = self.git.root();
        let (mut waiting, gone): (Vec<String>, Vec<String>) = paths
            .iter()
            .cloned()
            .partition(|path| reachable(root, path));
        self.remove(&gone).await?;
        for attempt in 1..=TRIES {
            if waiting.is_empty() {
                break;
            }
            let before: Vec<Option<Seen>> = waiting.iter().map(|path| self.seen(path)).collect();
            look.unreadable.extend(self.add(waiting.clone()).await?);
            waiting = waiting
                .into_iter()
                .zip(before)
                .filter(|(path, before)| self.seen(path) != *before)
                .map(|(path, _)| path)
                .collect();
            if attempt == TRIES && !waiting.is_empty() {
                self.put_back(&look.base, &waiting).await?;
                look.moving = std::mem::take(&mut waiting);
            }
        }
        self.renamed_in_case(&paths).await?;
        look.unreadable.sort_unstable();
        look.unreadable.dedup();
        Ok(())
    }

    async fn remove(&self, paths: &[String]) -> Result<(), Problem> {
        if paths.is_empty() {
            return Ok(());
        }
        let none = self.git.no_id();
        let lines: String = paths
            .iter()
            .map(|path| format!("0 {none}\t{path}\0"))
            .collect();
        let call = own(&self.index())
            .args(["update-index", "-z", "--index-info"])
            .stdin(lines);
        self.git.run(call).await?.checked().map(drop)
    }

    fn seen(&self, path: &str) -> Option<Seen> {
        fs::symlink_metadata(self.git.root().join(path))
            .ok()
            .map(|meta| Seen::of(&meta))
    }

    /// Adds, changes or removes entries as the files are. Returns those that cannot be read, with the reason: one of
    /// them must not keep the others back.
    fn add(&self, paths: Vec<String>) -> BoxFuture<'_, Result<Vec<(String, String)>, Problem>> {
        Box::pin(async move {
            let list = paths.join("\0") + "\0";
            // Nobody else uses it: a lock is a leftover of a call that was ended.
            let _ = fs::remove_file(self.index().with_extension("lock"));
            let call = own(&self.index())
                .args(["-c", "core.safecrlf=false"])
                .args([
                    "update-index",
                    "--add",
                    "--remove",
                    "--replace",
                    "-z",
                    "--stdin",
                ])
                .stdin(list)
                .limit(STORE_LIMIT);
            let output = self.git.run(call).await?;
            if output.code == 0 {
                return Ok(Vec::new());
            }
            if let Some(problem) = full(&output) {
                return Err(problem);
            }
            if is_broken(&output.failed()) {
                return Err(output.failed());
            }
            if let [path] = &paths[..] {
                return Ok(vec![(path.clone(), said(&output))]);
            }
            let mut left = paths;
            let right = left.split_off(left.len() / 2);
            let mut failed = self.add(left).await?;
            failed.extend(self.add(right).await?);
            Ok(failed)
        })
    }

    /// Puts entries back to what `tree` has.
    pub(super) async fn put_back(&self, tree: &str, paths: &[String]) -> Result<(), Problem> {
        let none = self.git.no_id();
        let tree = self.git.list(tree).await?;
        let mut lines = String::new();
        for path in paths {
            match tree.entry(path) {
                Some(entry) => lines.push_str(&format!("{:o} {}\t{path}\0", entry.mode, entry.oid)),
                None => lines.push_str(&format!("0 {none}\t{path}\0")),
            }
        }
        let call = own(&self.index())
            .args(["update-index", "--add", "--replace", "-z", "--index-info"])
            .stdin(lines);
        self.git.run(call).await?.checked().map(drop)
    }

    /// Where names differ in case alone, `git` sees the old name as long as the file system answers to it: an entry
    /// whose name no folder lists any more is gone.
    async fn renamed_in_case(&self, paths: &[String]) -> Result<(), Problem> {
        let asked = Call::new(["config", "--type=bool", "--get", "core.ignoreCase"]);
        if self.git.run(asked).await?.text() != "true" {
            return Ok(());
        }
        let fresh: HashSet<String> = paths.iter().map(|path| path.to_lowercase()).collect();
        let listed = self.on_index(["ls-files", "-z"]).await?.checked()?;
        let gone: Vec<String> = listed
            .records()
            .filter_map(|path| std::str::from_utf8(path).ok())
            .filter(|path| fresh.contains(&path.to_lowercase()))
            .filter(|path| !stands(self.git.root(), path))
            .map(str::to_owned)
            .collect();
        self.remove(&gone).await
    }
}

/// Whether only folders lead to the path.
fn reachable(root: &Path, path: &str) -> bool {
    let mut at = 0;
    while let Some(next) = path[at..].find('/') {
        match fs::symlink_metadata(root.join(&path[..at + next])) {
            Ok(meta) if !meta.is_dir() => return false,
            // Not there at all: git finds that out by itself.
            _ => at += next + 1,
        }
    }
    true
}

/// Whether every part of the path is listed by its folder in exactly this spelling.
fn stands(root: &Path, path: &str) -> bool {
    let mut folder = root.to_path_buf();
    path.split('/').all(|part| {
        let listed = fs::read_dir(&folder).is_ok_and(|entries| {
            entries
                .flatten()
                .any(|entry| entry.file_name().to_str() == Some(part))
        });
        folder.push(part);
        listed
    })
}

/// The lines of git that say why.
fn said(output: &Output) -> String {
    let lines: Vec<&str> = output
        .stderr
        .lines()
        .map(|line| {
            line.trim_start_matches("error: ")
                .trim_start_matches("fatal: ")
        })
        .collect();
    match lines.first() {
        Some(line) => (*line).to_owned(),
        None => format!("git gave no reason (exit {})", output.code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_only_in_its_own_spelling() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("Blog")).unwrap();
        fs::write(folder.path().join("Blog/One.html"), "x").unwrap();
        assert!(stands(folder.path(), "Blog/One.html"));
        assert!(!stands(folder.path(), "blog/One.html"));
        assert!(!stands(folder.path(), "Blog/one.html"));
    }
}
