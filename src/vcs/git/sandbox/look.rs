//! The working tree as a tree: what changed is stored, and nothing else happens.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::PoisonError;
use std::time::{Duration, SystemTime};

use super::super::Git;
use super::super::changes::RawChange;
use super::super::prepare::OWN_INDEX;
use super::super::run::{Call, Output};
use super::super::status::{Change, Entry};
use super::{Look, Sandbox, Touched, TouchedKind, seen_ref, touched};
use crate::model::{Content, Problem, ProposedFile, failpoint};

/// Clean filters (large-file storage) copy whole files, and a storm is stored in one call.
pub(super) const STORE_LIMIT: Duration = Duration::from_secs(600);

/// Renames are looked for among so many files.
const RENAMES: &str = "-l2000";

/// A file whose time is not older than this before a look is read again by the next one. File times are no finer than the
/// system's clock ticks: who writes a file twice in one, with a look in between, leaves no other trace.
const TICKS: Duration = Duration::from_secs(1);

const SUBMODULE: u32 = 0o160_000;

impl Sandbox {
    /// Stores the working tree as it is now. Paths for which `skip` is true when git does not track them, and those in
    /// `busy`, stay as they were taken last.
    ///
    /// # Errors
    /// `sandbox-checked-out` (409); `disk-full` (507); when the repository cannot be read. Nothing has changed then.
    pub async fn look(
        &self,
        skip: &(dyn Fn(&str) -> bool + Send + Sync),
        busy: &HashSet<String>,
    ) -> Result<Look, Problem> {
        match self.look_once(skip, busy).await {
            Err(problem) if is_broken(&problem) => {
                // Our index is only a memory: it is made anew.
                self.forget();
                let _ = fs::remove_file(self.index());
                let _ = fs::remove_file(self.index().with_extension("lock"));
                self.look_once(skip, busy).await
            }
            looked => looked,
        }
    }

    async fn look_once(
        &self,
        skip: &(dyn Fn(&str) -> bool + Send + Sync),
        busy: &HashSet<String>,
    ) -> Result<Look, Problem> {
        let began = SystemTime::now();
        let (tip, head, base) = self.places().await?;
        self.fill(&base, began).await?;
        let snapshot = self.git.look_from(own(&self.index())).await?;
        if snapshot.branch == self.branch {
            return Err(Problem::new(
                409,
                "sandbox-checked-out",
                format!(
                    "{} is the branch that saves go to, and it is checked out here",
                    self.branch
                ),
            )
            .hint("work on a branch of your own: git switch main; or name another one: [watch] branch"));
        }
        let mut look = Look {
            tip,
            head,
            branch: snapshot.branch,
            base,
            ..Look::default()
        };
        let mut paths: Vec<String> = snapshot
            .entries
            .into_iter()
            .filter(|entry| wanted(entry, skip))
            .map(|entry| entry.path)
            .filter(|path| !busy.contains(path))
            .collect();
        paths.sort_unstable();
        paths.dedup();
        self.store(paths, &mut look).await?;
        failpoint::reach("sandbox.indexed");
        look.tree = self.write_tree().await?;
        self.doubt_since(began);
        look.touched = self.differences(&look.base, &look.tree).await?;
        Ok(look)
    }

    /// Takes files out of a look again: they are as they were taken last.
    ///
    /// # Errors
    /// When the trees cannot be read or written.
    pub async fn hold(&self, look: &mut Look, paths: &[String]) -> Result<(), Problem> {
        self.put_back(&look.base, paths).await?;
        look.tree = self.write_tree().await?;
        look.touched = self.differences(&look.base, &look.tree).await?;
        Ok(())
    }

    /// Files before and after, without hunks; files that are gone are left out.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn contents(&self, touched: &[Touched]) -> Result<Vec<ProposedFile>, Problem> {
        let mut files = Vec::with_capacity(touched.len());
        for file in touched.iter().filter(|file| !file.oid.is_empty()) {
            files.push(ProposedFile {
                path: file.path.clone(),
                before: self.content(&file.before).await?,
                after: self.content(&file.oid).await?,
                mode_before: 0o100_644,
                mode_after: 0o100_644,
                hunks: Vec::new(),
            });
        }
        Ok(files)
    }

    async fn content(&self, oid: &str) -> Result<Content, Problem> {
        if oid.is_empty() {
            return Ok(Content::Absent);
        }
        let Some(object) = self.git.object(oid, super::super::TEXT_LIMIT).await? else {
            return Ok(Content::Absent);
        };
        let text = object.bytes.and_then(|bytes| {
            (!bytes.contains(&0))
                .then(|| String::from_utf8(bytes).ok())
                .flatten()
        });
        Ok(match text {
            Some(text) => Content::Text { text },
            None => Content::Binary {
                oid: object.oid,
                size: object.size,
            },
        })
    }

    /// Tip of the sandbox branch, commit that is checked out, tree that was taken last.
    async fn places(&self) -> Result<(String, String, String), Problem> {
        let tip = self
            .git
            .named(&format!("refs/heads/{}^{{commit}}", self.branch))
            .await?;
        let head = self.git.named("HEAD^{commit}").await?;
        let seen = self.git.named(&seen_ref(&self.branch)).await?;
        let base = match (seen.is_empty(), head.is_empty()) {
            (false, _) => seen,
            (true, false) => self.git.tree_id(&head).await?,
            (true, true) => self.git.empty_tree().to_owned(),
        };
        Ok((tip, head, base))
    }

    /// Fills our index with what was taken last, unless it has it.
    async fn fill(&self, base: &str, began: SystemTime) -> Result<(), Problem> {
        let known = self
            .filled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if known.as_deref() == Some(base) {
            return Ok(());
        }
        let index = self.index();
        // From the person's own index come the file times: without them every file would be read.
        let _ = fs::remove_file(&index);
        let theirs = self.git.shared.git_dir.join("index");
        if fs::copy(&theirs, &index).is_ok()
            && let Ok(written) = fs::metadata(&theirs).and_then(|meta| meta.modified())
        {
            // What git doubted in that index, it doubts in this one.
            date(&index, written);
        }
        let filled = self.on_index(["read-tree", "--reset", base]).await?;
        if filled.code != 0 {
            let _ = fs::remove_file(&index);
            self.on_index(["read-tree", base]).await?.checked()?;
        }
        // What differs is told by the exit code, and no failure.
        self.on_index(["update-index", "-q", "--refresh"]).await?;
        self.doubt_since(began);
        self.remember(base);
        Ok(())
    }

    /// Makes git read files again whose time is not clearly before `began`: it trusts a file's time only where that is
    /// older than the index (git's documentation, "racy-git").
    fn doubt_since(&self, began: SystemTime) {
        if let Some(at) = began.checked_sub(TICKS) {
            date(&self.index(), at);
        }
    }

    /// Our index has this tree, but for what is stored into it next.
    pub(super) fn remember(&self, tree: &str) {
        *self.filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(tree.to_owned());
    }

    fn forget(&self) {
        *self.filled.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) async fn on_index<const N: usize>(
        &self,
        args: [&str; N],
    ) -> Result<Output, Problem> {
        let call = own(&self.index()).args(args).limit(STORE_LIMIT);
        self.git.run(call).await
    }

    async fn write_tree(&self) -> Result<String, Problem> {
        let output = self.on_index(["write-tree"]).await?;
        if let Some(problem) = full(&output) {
            return Err(problem);
        }
        Ok(output.checked()?.text())
    }

    /// What differs between two trees, with moves found.
    pub(super) async fn differences(&self, from: &str, to: &str) -> Result<Vec<Touched>, Problem> {
        if from == to {
            return Ok(Vec::new());
        }
        let call = Call::new(["diff-tree", "-r", "-z", "--raw", "-M", RENAMES, from, to]);
        let output = self.git.run(call).await?.checked()?;
        Ok(with_moves(output.records()))
    }
}

impl Git {
    /// The object that a name stands for; empty when there is none.
    pub(super) async fn named(&self, name: &str) -> Result<String, Problem> {
        let object = self.object(name, 0).await?;
        Ok(object.map_or(String::new(), |object| object.oid))
    }
}

/// Gives a file another time; without it git is only less careful.
fn date(path: &Path, at: SystemTime) {
    let file = fs::OpenOptions::new().write(true).open(path);
    if let Err(error) = file.and_then(|file| file.set_modified(at)) {
        tracing::debug!(%error, "the time of the index of saves cannot be set");
    }
}

/// A call of git on our own index, in which names that differ in case are two.
pub(super) fn own(index: &Path) -> Call {
    Call::new(OWN_INDEX)
        .args(["-c", "core.ignoreCase=false"])
        .index(index)
}

/// Whether an entry of `git status` against our index is a change of the working tree.
fn wanted(entry: &Entry, skip: &(dyn Fn(&str) -> bool + Send + Sync)) -> bool {
    match &entry.change {
        Change::Untracked => !skip(&entry.path),
        Change::Unmerged => false,
        Change::Tracked {
            work,
            mode_head,
            mode_index,
            mode_work,
            ..
        } => *work != b'.' && ![*mode_head, *mode_index, *mode_work].contains(&SUBMODULE),
    }
}

/// Reads `git diff-tree -M --raw -z`: a move has two names.
fn with_moves<'a>(records: impl Iterator<Item = &'a [u8]>) -> Vec<Touched> {
    let mut found = Vec::new();
    let mut records = records;
    let text = |record: Option<&[u8]>| String::from_utf8(record?.to_vec()).ok();
    while let Some(meta) = records.next() {
        let Some(meta) = std::str::from_utf8(meta).ok() else {
            continue;
        };
        let words: Vec<&str> = meta.trim_start_matches(':').split(' ').collect();
        let [mode_before, mode_after, before, after, status] = words[..] else {
            continue;
        };
        let moved = status.starts_with('R');
        let first = text(records.next());
        let second = if moved { text(records.next()) } else { None };
        let Some(first) = first else { continue };
        let blob = |mode: &str, oid: &str| {
            let mode = u32::from_str_radix(mode, 8).ok()?;
            (mode != 0).then(|| super::super::changes::Blob {
                mode,
                oid: oid.to_owned(),
            })
        };
        if moved {
            let Some(path) = second else { continue };
            found.push(Touched {
                path,
                from: Some(first),
                kind: TouchedKind::Moved,
                before: before.to_owned(),
                oid: after.to_owned(),
            });
            continue;
        }
        found.push(touched(&RawChange {
            path: first,
            before: blob(mode_before, before),
            after: blob(mode_after, after),
        }));
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// A disk that is full, if that is what git complains about.
pub(super) fn full(output: &Output) -> Option<Problem> {
    let said = output.stderr.to_lowercase();
    ["no space left", "disk quota exceeded", "file too large"]
        .iter()
        .any(|sign| said.contains(sign))
        .then(disk_full)
}

fn disk_full() -> Problem {
    Problem::new(507, "disk-full", "the disk is full: nothing was committed")
        .hint("make room; your files are as they are, and the next look takes them")
}

/// Whether our index cannot be read.
pub(super) fn is_broken(problem: &Problem) -> bool {
    [
        "index file",
        "bad signature",
        "index uses",
        "unable to read tree",
    ]
    .iter()
    .any(|sign| problem.detail.contains(sign))
        && !problem.is("disk-full")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Touched> {
        with_moves(
            text.as_bytes()
                .split(|byte| *byte == 0)
                .filter(|record| !record.is_empty()),
        )
    }

    #[test]
    fn moves_and_modes_are_told_apart() {
        let found = read(
            ":100644 100644 aaa bbb M\0index.html\0:100644 100644 ccc ccc R100\0old.html\0new.html\0\
             :100644 100755 ddd ddd M\0run.sh\0:000000 100644 000 eee A\0about.html\0\
             :100644 000000 fff 000 D\0gone.html\0",
        );
        let kinds: Vec<_> = found
            .iter()
            .map(|file| (file.path.as_str(), file.kind))
            .collect();
        use TouchedKind as K;
        assert_eq!(
            kinds,
            [
                ("about.html", K::Added),
                ("gone.html", K::Removed),
                ("index.html", K::Changed),
                ("new.html", K::Moved),
                ("run.sh", K::Mode),
            ]
        );
        assert_eq!(found[3].from.as_deref(), Some("old.html"));
        assert_eq!(found[1].oid, "");
    }
}
