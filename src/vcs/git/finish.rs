//! Moving the branch, then bringing index and working tree along without losing a line of the person's.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::changes::{Changed, Side, between};
use super::prepare::{Settings, stale};
use super::tree::Reader;
use super::{Committed, Git, Prepared};
use crate::model::tree::blob_hash;
use crate::model::{Problem, failpoint, merge};

/// How long another git may hold the index before we give up on updating it.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);

const SYMLINK: u32 = 0o120_000;
const EXECUTABLE: u32 = 0o100_755;

/// See [`Repository::finish`](crate::vcs::Repository::finish).
pub async fn finish(git: &Git, prepared: &Prepared) -> Result<Committed, Problem> {
    let reference = format!("refs/heads/{}", prepared.branch);
    let current = resolve(git, &reference).await?;
    let mut committed = Committed {
        commit: prepared.commit.clone(),
        output: prepared.output.clone(),
        kept: Vec::new(),
    };
    let moved = current == prepared.base;
    if moved {
        let old = if prepared.base.is_empty() {
            "0".repeat(prepared.commit.len())
        } else {
            prepared.base.clone()
        };
        let title = git
            .runner
            .run(&["log", "-1", "--format=%s", &prepared.commit])
            .await?
            .text();
        let message = format!("commit: {title}");
        let output = git
            .runner
            .run(&[
                "update-ref",
                "-m",
                &message,
                &reference,
                &prepared.commit,
                &old,
            ])
            .await?;
        if !output.ok() {
            // Whoever was faster decides; the state, not the message, says who that was.
            return if resolve(git, &reference).await? == prepared.base {
                Err(output.problem("update-ref"))
            } else {
                Err(stale(&prepared.branch))
            };
        }
    } else if current != prepared.commit {
        if contains(git, &prepared.branch, &prepared.commit).await? {
            // Finished before, and people went on from there: their working tree is theirs.
            return Ok(committed);
        }
        return Err(stale(&prepared.branch));
    }
    failpoint::reach("commit.ref");
    let on = git
        .runner
        .run(&["symbolic-ref", "--quiet", "HEAD"])
        .await?
        .text();
    if on == reference {
        let changed = between(git, Some(&prepared.base), &prepared.commit).await?;
        let present = cleaned(git, &changed).await?;
        update_index(git, &changed, &present, &mut committed.kept).await?;
        failpoint::reach("commit.index");
        update_files(git, &changed, &present, &mut committed.kept).await?;
        failpoint::reach("commit.worktree");
        // Only the cached file times; a failure costs the next `git status` a moment.
        let _ = git.runner.run(&["update-index", "-q", "--refresh"]).await;
    }
    if moved {
        let (lines, _) = tokio::sync::mpsc::unbounded_channel();
        let settings = Settings::read(git).await?;
        // The commit stands, whatever this hook says.
        match settings.hook(&git.runner, "post-commit", &[], &lines).await {
            Ok(said) => committed.output.extend(said),
            Err(problem) => committed.output.push(problem.detail),
        }
    }
    committed.kept.sort();
    committed.kept.dedup();
    Ok(committed)
}

/// Whether `commit` is at or below the head of `branch`.
pub async fn contains(git: &Git, branch: &str, commit: &str) -> Result<bool, Problem> {
    let reference = format!("refs/heads/{branch}");
    let output = git
        .runner
        .run(&["merge-base", "--is-ancestor", commit, &reference])
        .await?;
    Ok(output.ok())
}

async fn resolve(git: &Git, reference: &str) -> Result<String, Problem> {
    let output = git
        .runner
        .run(&["rev-parse", "--verify", "--quiet", reference])
        .await?;
    Ok(if output.ok() {
        output.text()
    } else {
        String::new()
    })
}

/// The index follows the commit where it stood at the base; what the person staged besides stays staged.
async fn update_index(
    git: &Git,
    changed: &[Changed],
    present: &HashMap<String, String>,
    kept: &mut Vec<String>,
) -> Result<(), Problem> {
    let staged = staged(git).await?;
    let mut reader = Reader::new(git);
    let mut info = Vec::new();
    for file in changed {
        let now = staged.get(&file.path).cloned().unwrap_or(Side {
            mode: 0,
            oid: String::new(),
        });
        if now == file.after {
            continue;
        }
        // Where the file itself is what was committed, nothing of the person's is left to stage: an earlier
        // staged state of it would only look like taking the commit back.
        let whole = present.get(&file.path).map_or("", String::as_str) == file.after.oid;
        let new = if now == file.before || whole {
            file.after.clone()
        } else {
            let sides = (&file.before, &now, &file.after);
            match merged(&mut reader, sides).map_err(Problem::internal)? {
                Some(text) => Side {
                    mode: now.mode,
                    oid: store(git, text.as_bytes()).await?,
                },
                None => {
                    kept.push(file.path.clone());
                    continue;
                }
            }
        };
        let oid = if new.mode == 0 {
            "0".repeat(40)
        } else {
            new.oid
        };
        info.extend(format!("{:o} {oid}\t{}\0", new.mode, file.path).into_bytes());
    }
    if info.is_empty() {
        return Ok(());
    }
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        let args = ["update-index", "--add", "--replace", "-z", "--index-info"];
        let output = git.runner.run_with(&args, &info).await?;
        let locked = String::from_utf8_lossy(&output.stderr).contains("index.lock");
        if output.ok() {
            return Ok(());
        }
        if !locked || Instant::now() > deadline {
            return Err(output.problem("update-index"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The index's entries (conflicted ones count as neither side's).
async fn staged(git: &Git) -> Result<HashMap<String, Side>, Problem> {
    let listing = git
        .runner
        .run(&["ls-files", "--stage", "-z"])
        .await?
        .checked("ls-files")?;
    let mut entries = HashMap::new();
    for record in listing.stdout.split(|byte| *byte == 0) {
        // `<mode> <oid> <stage>` TAB `<path>`
        let Ok(text) = std::str::from_utf8(record) else {
            continue;
        };
        let Some((meta, path)) = text.split_once('\t') else {
            continue;
        };
        let mut fields = meta.split(' ');
        let mode = fields
            .next()
            .and_then(|mode| u32::from_str_radix(mode, 8).ok());
        if let (Some(mode), Some(oid)) = (mode, fields.next()) {
            entries.insert(
                path.to_owned(),
                Side {
                    mode,
                    oid: oid.to_owned(),
                },
            );
        }
    }
    Ok(entries)
}

/// The working tree follows the commit where it stood at the base; the person's own edits are merged with it
/// where they touch other lines, and left alone where they touch the same.
async fn update_files(
    git: &Git,
    changed: &[Changed],
    present: &HashMap<String, String>,
    kept: &mut Vec<String>,
) -> Result<(), Problem> {
    for file in changed {
        let path = git.root.join(&file.path);
        if leads_through_a_link(&git.root, &file.path) {
            kept.push(file.path.clone());
            continue;
        }
        let now = present.get(&file.path).cloned().unwrap_or_default();
        if now == file.after.oid {
            if file.before.mode != file.after.mode && file.after.mode != SYMLINK && !now.is_empty()
            {
                set_executable(&path, file.after.mode == EXECUTABLE)
                    .map_err(|e| unwritable(file, &e))?;
            }
        } else if now == file.before.oid {
            place(git, file, &path).await?;
        } else if !merge_edited(git, file, &path).await? {
            kept.push(file.path.clone());
        }
    }
    Ok(())
}

/// The blob id that each present file would have if it were committed now; empty ids for absent files.
async fn cleaned(git: &Git, changed: &[Changed]) -> Result<HashMap<String, String>, Problem> {
    let mut ids = HashMap::new();
    let mut regular = Vec::new();
    for file in changed {
        let path = git.root.join(&file.path);
        match path.symlink_metadata() {
            Ok(meta) if meta.is_symlink() => {
                let target = std::fs::read_link(&path).map_err(Problem::internal)?;
                ids.insert(
                    file.path.clone(),
                    blob_hash(target.as_os_str().as_encoded_bytes()),
                );
            }
            Ok(meta) if meta.is_file() => regular.push(file.path.clone()),
            // A folder in a file's place is the person's; it is like no blob.
            Ok(_) => drop(ids.insert(file.path.clone(), "folder".into())),
            Err(_) => {}
        }
    }
    for path in regular {
        // One process for each: the batch form cannot take names with a line feed.
        let output = git
            .runner
            .run(&["hash-object", "--", &path])
            .await?
            .checked("hash-object")?;
        ids.insert(path, output.text());
    }
    Ok(ids)
}

/// Writes, replaces or removes the file, as a checkout would.
async fn place(git: &Git, file: &Changed, path: &Path) -> Result<(), Problem> {
    if file.after.mode == 0 {
        std::fs::remove_file(path).map_err(|error| unwritable(file, &error))?;
        // Folders that became empty go, as with git.
        let mut folder = path.parent();
        while let Some(dir) = folder.filter(|dir| *dir != git.root) {
            if std::fs::remove_dir(dir).is_err() {
                break;
            }
            folder = dir.parent();
        }
        return Ok(());
    }
    let bytes = smudged(git, &file.path, &file.after.oid, file.after.mode).await?;
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(|error| unwritable(file, &error))?;
    }
    if file.after.mode == SYMLINK {
        return link(&bytes, path).map_err(|error| unwritable(file, &error));
    }
    replace(path, &bytes, file.after.mode == EXECUTABLE).map_err(|error| unwritable(file, &error))
}

/// Merges the commit's change into the person's edited file. False when that cannot be done without touching
/// their lines; the file is then as it was.
async fn merge_edited(git: &Git, file: &Changed, path: &Path) -> Result<bool, Problem> {
    let regular = |side: &Side| side.mode != 0 && side.mode != SYMLINK;
    let is_file = path.symlink_metadata().is_ok_and(|meta| meta.is_file());
    if !regular(&file.before) || !regular(&file.after) || !is_file {
        return Ok(false);
    }
    // In git's normal form, so that line endings and filters do not look like edits.
    let stored = git
        .runner
        .run(&["hash-object", "-w", "--", &file.path])
        .await?;
    let mine = Side {
        mode: file.after.mode,
        oid: stored.checked("hash-object")?.text(),
    };
    let mut reader = Reader::new(git);
    let Some(text) =
        merged(&mut reader, (&file.before, &mine, &file.after)).map_err(Problem::internal)?
    else {
        return Ok(false);
    };
    let oid = store(git, text.as_bytes()).await?;
    if oid == mine.oid {
        return Ok(true);
    }
    let seen = std::fs::read(path).map_err(|error| unwritable(file, &error))?;
    let bytes = smudged(git, &file.path, &oid, file.after.mode).await?;
    // It may have been saved again while we merged: then it is theirs.
    if std::fs::read(path).map_err(|error| unwritable(file, &error))? != seen {
        return Ok(false);
    }
    replace(path, &bytes, file.after.mode == EXECUTABLE)
        .map_err(|error| unwritable(file, &error))?;
    Ok(true)
}

/// The three-way merge of text blobs; `None` when a side is absent, no text, or the same lines changed.
fn merged(reader: &mut Reader, sides: (&Side, &Side, &Side)) -> io::Result<Option<String>> {
    let mut texts = Vec::new();
    for side in [sides.0, sides.1, sides.2] {
        if side.mode == 0 || side.mode == SYMLINK {
            return Ok(None);
        }
        match String::from_utf8(reader.blob(&side.oid)?.to_vec()) {
            Ok(text) => texts.push(text),
            Err(_) => return Ok(None),
        }
    }
    Ok(merge::merge(&texts[0], &texts[1], &texts[2]).ok())
}

/// Stores a blob as it is.
async fn store(git: &Git, bytes: &[u8]) -> Result<String, Problem> {
    let output = git
        .runner
        .run_with(&["hash-object", "-w", "--stdin", "--no-filters"], bytes)
        .await?;
    Ok(output.checked("hash-object")?.text())
}

/// A blob as a checkout writes it: line endings and filters applied.
async fn smudged(git: &Git, path: &str, oid: &str, mode: u32) -> Result<Vec<u8>, Problem> {
    let named = format!("--path={path}");
    let args: &[&str] = if mode == SYMLINK {
        &["cat-file", "blob", oid]
    } else {
        &["cat-file", "--filters", &named, oid]
    };
    Ok(git.runner.run(args).await?.checked("cat-file")?.stdout)
}

/// Replaces a file whole or not at all, keeping its permissions.
fn replace(path: &Path, bytes: &[u8], executable: bool) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let permissions = path.metadata().ok().map(|meta| meta.permissions());
    let mut file = tempfile::Builder::new()
        .prefix(".sayso-")
        .tempfile_in(dir)?;
    io::Write::write_all(&mut file, bytes)?;
    match permissions {
        Some(permissions) => file.as_file().set_permissions(permissions)?,
        None => new_permissions(file.as_file())?,
    }
    file.persist(path).map_err(|error| error.error)?;
    set_executable(path, executable)
}

#[cfg(unix)]
fn new_permissions(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // The temporary file is private; a checked-out one is as open as the umask allows.
    let umask = rustix::process::umask(rustix::fs::Mode::empty());
    rustix::process::umask(umask);
    file.set_permissions(std::fs::Permissions::from_mode(0o666 & !umask.bits()))
}

#[cfg(not(unix))]
fn new_permissions(_file: &std::fs::File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn set_executable(path: &Path, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata()?.permissions().mode();
    // Whoever may read may run, as git does it.
    let wanted = if executable {
        mode | ((mode & 0o444) >> 2)
    } else {
        mode & !0o111
    };
    if wanted == mode {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(wanted))
}

#[cfg(not(unix))]
fn set_executable(_path: &Path, _executable: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn link(target: &[u8], path: &Path) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(target), path)
}

#[cfg(not(unix))]
fn link(target: &[u8], path: &Path) -> io::Result<()> {
    // Without the right to make links, git itself writes the target as text.
    std::fs::write(path, target)
}

/// True when a folder on the way to `path` is a link: writing there would leave the repository.
fn leads_through_a_link(root: &Path, path: &str) -> bool {
    let mut at = PathBuf::from(root);
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        at.push(part);
        if parts.peek().is_some() && at.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
            return true;
        }
    }
    false
}

fn unwritable(file: &Changed, error: &io::Error) -> Problem {
    Problem::new(
        500,
        "working-tree",
        format!("{} cannot be brought up to the commit: {error}", file.path),
    )
    .hint(format!(
        "the commit stands; bring the file along with `git checkout -- {}`",
        file.path
    ))
}
