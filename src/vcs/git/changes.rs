//! Changes as proposals have them: of the working tree against HEAD, and of a commit against its parent.
//!
//! Text is always in the form git stores (line endings and filters undone), so that what is shown is what
//! would be committed.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::model::{Content, Problem, ProposedFile};

use super::run::Call;
use super::status::Change;
use super::{Git, Object};

/// Bytes up to which a file is shown as text; larger ones are handled like binary files.
pub const TEXT_LIMIT: u64 = 1024 * 1024;

/// Clean filters (large-file storage) copy whole files.
const FILTER_LIMIT: Duration = Duration::from_secs(300);

pub(super) const LINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;

/// One line of `git diff-tree`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawChange {
    /// Path from the root.
    pub path: String,
    /// Mode and blob before; `None` when absent.
    pub before: Option<Blob>,
    /// Mode and blob after; `None` when absent.
    pub after: Option<Blob>,
}

/// A blob in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blob {
    /// git mode.
    pub mode: u32,
    /// Object id.
    pub oid: String,
}

impl RawChange {
    /// Submodules are not ours to show or to write.
    pub fn is_submodule(&self) -> bool {
        [&self.before, &self.after]
            .into_iter()
            .flatten()
            .any(|blob| blob.mode == SUBMODULE)
    }
}

/// A file of the working tree on its way to a proposal.
struct Pending {
    path: String,
    before: Option<Blob>,
    work: Option<WorkFile>,
}

/// What a path of the working tree holds, so far as is known.
enum WorkFile {
    /// The blob is known: the index has it, and the working tree is the same.
    Stored(Blob),
    /// A symlink to this text.
    Link(Vec<u8>),
    /// A file to be looked at.
    File { mode: u32, raw: Option<Vec<u8>> },
}

impl Git {
    /// The working tree's changes against HEAD, without hunks, sorted by path.
    pub(super) async fn changes_in_worktree(
        &self,
        paths: &[String],
    ) -> Result<Vec<ProposedFile>, Problem> {
        let snapshot = self.look(paths).await?;
        let mut grouped: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for entry in &snapshot.entries {
            if entry.change == Change::Unmerged {
                return Err(
                    Problem::conflict(format!("{} has unresolved conflicts", entry.path))
                        .hint("resolve them and `git add` the file first"),
                );
            }
            grouped.entry(&entry.path).or_default().push(&entry.change);
        }
        let file_modes = self.file_modes().await;
        let mut pending = Vec::new();
        for (path, changes) in grouped {
            // Asked for by name, or many names at once: the list may hold more than was asked for.
            if !paths.is_empty()
                && !paths
                    .iter()
                    .any(|asked| asked == path || within(asked, path))
            {
                continue;
            }
            pending.extend(gather(self.root(), path, &changes, file_modes));
        }
        let known = pending.iter().map(|file| file.before.clone()).collect();
        let (after, before) = tokio::join!(self.contents(&pending), self.contents_of(known));
        let mut files = Vec::new();
        let sides = after?.into_iter().zip(before?);
        for (pending, ((after, mode_after), before)) in pending.into_iter().zip(sides) {
            let mode_before = pending.before.map_or(0, |blob| blob.mode);
            if before != after || mode_before != mode_after {
                let path = pending.path;
                let hunks = Vec::new();
                files.push(ProposedFile {
                    path,
                    before,
                    after,
                    mode_before,
                    mode_after,
                    hunks,
                });
            }
        }
        Ok(files)
    }

    /// What `commit` changed against its first parent, without hunks, sorted by path.
    pub(super) async fn changes_in_commit(
        &self,
        commit: &str,
    ) -> Result<Vec<ProposedFile>, Problem> {
        let parent = match self.object(commit, u64::MAX).await? {
            Some(object) if object.kind == "commit" => {
                let bytes = object.bytes.unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes);
                let header = text.split("\n\n").next().unwrap_or_default();
                header
                    .lines()
                    .find_map(|line| line.strip_prefix("parent "))
                    .map(str::to_owned)
            }
            _ => return Err(Problem::not_found(format!("there is no commit {commit}"))),
        };
        self.files_between(parent.as_deref().unwrap_or_default(), commit)
            .await
    }

    /// What differs between the files of two commits, without hunks, sorted by path.
    pub(super) async fn files_between(
        &self,
        from: &str,
        to: &str,
    ) -> Result<Vec<ProposedFile>, Problem> {
        let mut changes = self.between(from, to).await?;
        changes.retain(|change| !change.is_submodule());
        let blobs = changes
            .iter()
            .flat_map(|change| [change.before.clone(), change.after.clone()]);
        let mut contents = self.contents_of(blobs.collect()).await?.into_iter();
        let mut next = || contents.next().unwrap_or(Content::Absent);
        let files = changes.into_iter().map(|change| ProposedFile {
            before: next(),
            after: next(),
            mode_before: change.before.map_or(0, |blob| blob.mode),
            mode_after: change.after.map_or(0, |blob| blob.mode),
            path: change.path,
            hunks: Vec::new(),
        });
        Ok(files.collect())
    }

    /// The paths that differ between two commits; an empty `from` is the empty tree.
    pub(super) async fn between(&self, from: &str, to: &str) -> Result<Vec<RawChange>, Problem> {
        let from = if from.is_empty() {
            self.empty_tree()
        } else {
            from
        };
        let call = Call::new(["diff-tree", "-r", "-z", "--raw", "--no-renames", from, to]);
        let output = self.run(call).await?.checked()?;
        Ok(raw_changes(output.records()))
    }

    /// Blobs as content, in their order.
    async fn contents_of(&self, blobs: Vec<Option<Blob>>) -> Result<Vec<Content>, Problem> {
        let objects = self.shared.objects.clone();
        let read = move || {
            let read = |blob: Option<Blob>| {
                let Some(Blob { oid, .. }) = blob else {
                    return Ok(Content::Absent);
                };
                let object = objects.read(&oid, TEXT_LIMIT).map_err(Problem::internal)?;
                object.map(content).ok_or_else(|| lacking(&oid))
            };
            blobs.into_iter().map(read).collect()
        };
        // All in one turn: a task for each of hundreds costs more than what it reads.
        let done = tokio::task::spawn_blocking(read).await;
        done.map_err(Problem::internal)?
    }

    /// A blob as content.
    async fn content(&self, blob: &Blob) -> Result<Content, Problem> {
        let object = self.object(&blob.oid, TEXT_LIMIT).await?;
        object.map(content).ok_or_else(|| lacking(&blob.oid))
    }

    /// The content and mode of each file as git would store it. Nothing is written to the object store but
    /// what cannot be shown from the file itself: binary files, and text that a filter changes.
    async fn contents(&self, pending: &[Pending]) -> Result<Vec<(Content, u32)>, Problem> {
        let to_hash: Vec<&str> = pending
            .iter()
            .filter(|file| matches!(&file.work, Some(WorkFile::File { raw: Some(_), .. })))
            .map(|file| file.path.as_str())
            .collect();
        let ids: HashMap<&str, String> = to_hash
            .iter()
            .copied()
            .zip(self.hash_files(&to_hash, false).await?)
            .collect();
        let as_it_is = |file: &Pending| match &file.work {
            Some(WorkFile::File { raw: Some(raw), .. }) => {
                let stored = ids.get(file.path.as_str())?;
                if *stored == self.blob_id(raw) {
                    text(raw.clone())
                } else {
                    None
                }
            }
            Some(WorkFile::Link(target)) => text(target.clone()),
            _ => None,
        };
        let shown: Vec<Option<String>> = pending.iter().map(as_it_is).collect();
        let to_store: Vec<&str> = pending
            .iter()
            .zip(&shown)
            .filter(|(file, text)| {
                text.is_none() && matches!(&file.work, Some(WorkFile::File { .. }))
            })
            .map(|(file, _)| file.path.as_str())
            .collect();
        let stored: HashMap<&str, String> = to_store
            .iter()
            .copied()
            .zip(self.hash_files(&to_store, true).await?)
            .collect();

        let mut contents = Vec::with_capacity(pending.len());
        for (file, shown) in pending.iter().zip(shown) {
            let content = match (&file.work, shown) {
                (None, _) => (Content::Absent, 0),
                (Some(WorkFile::Stored(blob)), _) => (self.content(blob).await?, blob.mode),
                (Some(WorkFile::Link(_)), Some(text)) => (Content::Text { text }, LINK),
                (Some(WorkFile::Link(_)), None) => {
                    return Err(Problem::new(
                        422,
                        "unreadable-link",
                        format!("the target of the symlink {} is not UTF-8", file.path),
                    ));
                }
                (Some(WorkFile::File { mode, .. }), Some(text)) => (Content::Text { text }, *mode),
                (Some(WorkFile::File { mode, .. }), None) => {
                    let oid = stored.get(file.path.as_str()).cloned().unwrap_or_default();
                    let blob = Blob { mode: *mode, oid };
                    (self.content(&blob).await?, *mode)
                }
            };
            contents.push(content);
        }
        Ok(contents)
    }

    /// The blob ids that git would give these files of the working tree, in order; with `write`, the blobs
    /// are stored too.
    pub(super) async fn hash_files(
        &self,
        paths: &[&str],
        write: bool,
    ) -> Result<Vec<String>, Problem> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let mut names = String::new();
        for path in paths {
            names.push_str(&super::quoted(path));
            names.push('\n');
        }
        // Whether line endings survive the way back is the person's business at `git add`, not ours to refuse.
        let mut call = Call::new(["-c", "core.safecrlf=false", "hash-object", "--stdin-paths"]);
        if write {
            call = call.args(["-w"]);
        }
        let call = call.stdin(names).limit(FILTER_LIMIT);
        let output = self.run(call).await?.checked()?;
        let ids: Vec<String> = output.text().lines().map(str::to_owned).collect();
        if ids.len() == paths.len() {
            Ok(ids)
        } else {
            Err(Problem::internal(
                "git hash-object gave an answer that does not fit",
            ))
        }
    }
}

fn within(folder: &str, path: &str) -> bool {
    path.strip_prefix(folder.trim_end_matches('/'))
        .is_some_and(|rest| rest.starts_with('/'))
}

/// Brings together what `git status` says of one path and what lies there.
fn gather(root: &Path, path: &str, changes: &[&Change], file_modes: bool) -> Option<Pending> {
    let untracked = changes.iter().any(|change| **change == Change::Untracked);
    let tracked = changes.iter().find_map(|change| match change {
        Change::Tracked { .. } => Some(*change),
        _ => None,
    });
    let mut before = None;
    let mut work = None;
    if let Some(Change::Tracked {
        work: state,
        mode_head,
        mode_index,
        mode_work,
        head,
        index,
    }) = tracked
    {
        if [*mode_head, *mode_index, *mode_work].contains(&SUBMODULE) {
            return None;
        }
        if *mode_head != 0 {
            before = Some(Blob {
                mode: *mode_head,
                oid: head.clone(),
            });
        }
        if *state == b'.' && *mode_index != 0 {
            work = Some(WorkFile::Stored(Blob {
                mode: *mode_index,
                oid: index.clone(),
            }));
        } else if *mode_work != 0 {
            work = look_at(root, path, Some(*mode_work), file_modes);
        }
    }
    // Taken out of the index but still there, and not ignored: it is compared with HEAD all the same.
    if untracked && work.is_none() {
        work = look_at(root, path, None, file_modes);
    }
    Some(Pending {
        path: path.to_owned(),
        before,
        work,
    })
}

/// `mode` is what git says it is, which knows of `core.fileMode` and `core.symlinks`.
fn look_at(root: &Path, path: &str, mode: Option<u32>, file_modes: bool) -> Option<WorkFile> {
    let place = root.join(path);
    let meta = fs::symlink_metadata(&place).ok()?;
    if meta.is_symlink() {
        return fs::read_link(&place)
            .ok()
            .map(|target| WorkFile::Link(target.into_os_string().into_encoded_bytes()));
    }
    if !meta.is_file() {
        return None;
    }
    let executable = file_modes && is_executable(&meta);
    let mode = mode.unwrap_or(if executable { 0o100_755 } else { 0o100_644 });
    let raw = if meta.len() <= TEXT_LIMIT {
        fs::read(&place).ok()
    } else {
        None
    };
    // Nothing that could be text is worth the hash: it goes to the store right away.
    let raw = raw.filter(|raw| is_text(raw));
    Some(WorkFile::File { mode, raw })
}

#[cfg(unix)]
pub(super) fn is_executable(meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    // The owner's bit alone, as git has it.
    meta.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
pub(super) fn is_executable(_: &fs::Metadata) -> bool {
    false
}

/// A NUL is what git goes by too, in the first 8,000 bytes; here anywhere, since a terminal shows the rest.
fn is_text(bytes: &[u8]) -> bool {
    !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok()
}

fn content(object: Object) -> Content {
    match object.bytes.map(text) {
        Some(Some(text)) => Content::Text { text },
        _ => Content::Binary {
            oid: object.oid,
            size: object.size,
        },
    }
}

fn lacking(oid: &str) -> Problem {
    Problem::internal(format!("the repository lacks the object {oid}"))
        .hint("run `git fsck`, or fetch what a partial clone left out")
}

fn text(bytes: Vec<u8>) -> Option<String> {
    if bytes.contains(&0) {
        None
    } else {
        String::from_utf8(bytes).ok()
    }
}

/// Reads `git diff-tree --raw -z`: `:mode mode id id status`, then the path.
fn raw_changes<'a>(records: impl Iterator<Item = &'a [u8]>) -> Vec<RawChange> {
    let mut changes = Vec::new();
    let mut records = records;
    while let Some(meta) = records.next() {
        let Some(path) = records.next() else { break };
        let (Ok(meta), Ok(path)) = (std::str::from_utf8(meta), std::str::from_utf8(path)) else {
            continue;
        };
        let words: Vec<&str> = meta.trim_start_matches(':').split(' ').collect();
        let [mode_before, mode_after, before, after, _] = words[..] else {
            continue;
        };
        let blob = |mode: &str, oid: &str| {
            let mode = u32::from_str_radix(mode, 8)
                .ok()
                .filter(|mode| *mode != 0)?;
            Some(Blob {
                mode,
                oid: oid.to_owned(),
            })
        };
        changes.push(RawChange {
            path: path.to_owned(),
            before: blob(mode_before, before),
            after: blob(mode_after, after),
        });
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_changes_are_read() {
        let text = ":100644 000000 aaa 000 D\0gone.html\0:000000 100755 000 bbb A\0run me\0";
        let found = raw_changes(text.as_bytes().split(|b| *b == 0).filter(|r| !r.is_empty()));
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[0].before,
            Some(Blob {
                mode: 0o100_644,
                oid: "aaa".into()
            })
        );
        assert_eq!(found[0].after, None);
        assert_eq!(found[1].path, "run me");
        assert_eq!(
            found[1].after,
            Some(Blob {
                mode: 0o100_755,
                oid: "bbb".into()
            })
        );
    }

    #[test]
    fn folders_hold_what_is_below_them() {
        assert!(within("docs", "docs/a.md") && within("docs/", "docs/a.md"));
        assert!(!within("docs", "docs2/a.md"));
    }
}
