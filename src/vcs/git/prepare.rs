//! Making the commit object, with an index file of its own: the person's index, working tree and branches are
//! not touched.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::model::{Content, Problem, ProposedFile, failpoint};
use crate::vcs::{CommitRequest, Prepared, check_path};

use super::hooks::Hooks;
use super::identity::{Head, unnamed};
use super::run::{Call, Output};
use super::{Git, message};

/// A person may have to type a passphrase into their signing program's own window.
const SIGN_LIMIT: Duration = Duration::from_secs(180);

/// From so many files on they are stored as a pack: git itself keeps what it is sent as a pack from there on
/// (`transfer.unpackLimit`).
const MANY: usize = 100;

/// Settings that make no sense for an index that lives for a moment outside of the repository.
pub(super) const OWN_INDEX: [&str; 6] = [
    "-c",
    "core.splitIndex=false",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.untrackedCache=false",
];

/// Makes the commit; see [`crate::vcs::Repository::prepare`].
pub(super) async fn prepare(
    git: &Git,
    request: &CommitRequest,
    live: UnboundedSender<String>,
) -> Result<Prepared, Problem> {
    for file in &request.files {
        check_path(&file.path)?;
    }
    check_idle(git)?;
    // All at once: what is stored in vain when the answer is no, git clears away itself.
    let scratch = tempfile::tempdir().map_err(Problem::internal)?;
    let index = scratch.path().join("index");
    let (head, settings, blobs, base, base_tree) = tokio::join!(
        git.head(),
        git.settings(),
        store(git, scratch.path(), &request.files),
        read_base(git, &request.base, &index),
        base_tree(git, &request.base),
    );
    let (head, settings) = (head?, settings?);
    check_head(&head, request)?;
    if request.files.is_empty() {
        return Err(nothing());
    }
    if message::tidy(&request.message, &settings).trim().is_empty() {
        return Err(no_message());
    }
    base?;
    let (blobs, base_tree) = (blobs?, base_tree?);

    git.shared
        .hooks_in_config
        .store(settings.hooks_in_config, Ordering::Relaxed);
    let mut hooks = Hooks {
        git,
        folder: &head.hooks,
        in_config: settings.hooks_in_config,
        index: Some(&index),
        live,
        output: Vec::new(),
    };
    let any_hook = ["pre-commit", "prepare-commit-msg", "commit-msg"]
        .into_iter()
        .any(|name| hooks.has(name));
    if any_hook {
        git.identity().await?;
        keep_times(git, &request.base, &index).await?;
    }
    fill(git, &index, &request.files, &blobs).await?;

    hooks.run("pre-commit", &[]).await?;
    let tree = git
        .run(own_index(["write-tree"], &index))
        .await?
        .checked()?
        .text();
    if tree == base_tree {
        return Err(nothing());
    }
    let text = edited(&mut hooks, scratch.path(), &request.message).await?;
    let text = message::tidy(&text, &settings);
    if text.trim().is_empty() {
        return Err(no_message());
    }
    let commit = record(git, &tree, &request.base, &text, settings.sign).await?;
    let output = hooks.output;
    failpoint::reach("commit.prepared");
    Ok(Prepared {
        commit,
        base: request.base.clone(),
        branch: request.branch.clone(),
        output,
    })
}

/// Nothing may be half way through: a commit of ours would become part of it.
pub(super) fn check_idle(git: &Git) -> Result<(), Problem> {
    let Some(operation) = git.operation() else {
        return Ok(());
    };
    Err(Problem::new(
        409,
        "operation-in-progress",
        format!("a {operation} is in progress in this repository"),
    )
    .hint(format!(
        "end it with git {operation} --continue or --abort, then approve again"
    )))
}

/// The base must still be where it was, and checked out.
fn check_head(head: &Head, request: &CommitRequest) -> Result<(), Problem> {
    if head.branch.is_empty() {
        return Err(Problem::new(
            409,
            "detached-head",
            "no branch is checked out, so a commit would belong to none",
        )
        .hint("check out a branch: git switch main, or git switch -c a-new-name"));
    }
    if head.branch != request.branch {
        return Err(branch_changed(&head.branch, &request.branch));
    }
    if head.commit != request.base {
        return Err(stale(&request.branch));
    }
    Ok(())
}

pub(super) fn branch_changed(now: &str, then: &str) -> Problem {
    Problem::new(
        409,
        "branch-changed",
        format!("the change is for the branch {then}, but {now} is checked out"),
    )
    .hint(format!("git switch {then}, then approve again"))
}

pub(super) fn stale(branch: &str) -> Problem {
    Problem::new(
        409,
        "stale-base",
        format!("the branch {branch} has moved since the change was made"),
    )
    .hint("the change must be put onto the new head and looked at again")
}

fn nothing() -> Problem {
    Problem::new(
        422,
        "nothing-to-commit",
        "the result is the same as what is committed already",
    )
    .hint("accept at least one piece of the change")
}

fn no_message() -> Problem {
    Problem::new(422, "empty-message", "the commit message is empty")
        .hint("say in one line what the change does")
}

fn own_index<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>, index: &Path) -> Call {
    Call::new(OWN_INDEX).args(args).index(index)
}

/// Stores the text of files as blobs, exactly as given; the ids, in order, `None` for a file that goes.
async fn store(
    git: &Git,
    scratch: &Path,
    files: &[ProposedFile],
) -> Result<Vec<Option<String>>, Problem> {
    let texts: Vec<&str> = files
        .iter()
        .filter_map(|file| file.after.as_text())
        .collect();
    let stored = if texts.len() < MANY {
        one_by_one(git, scratch, &texts).await?
    } else {
        match together(git, &texts).await {
            Ok(stored) => stored,
            Err(problem) => {
                // It is a program of its own, which some leave out of their git.
                tracing::debug!(%problem, "files are not stored together");
                one_by_one(git, scratch, &texts).await?
            }
        }
    };
    if stored.len() != texts.len() {
        return Err(Problem::internal(
            "git gave other ids than it was asked for",
        ));
    }
    let mut stored = stored.into_iter();
    let ids = files.iter().map(|file| match &file.after {
        Content::Absent => None,
        Content::Binary { oid, .. } => Some(oid.clone()),
        Content::Text { .. } => stored.next(),
    });
    Ok(ids.collect())
}

/// As loose objects, which is what a few are best kept as.
async fn one_by_one(git: &Git, scratch: &Path, texts: &[&str]) -> Result<Vec<String>, Problem> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let mut names = String::new();
    for (n, text) in texts.iter().enumerate() {
        let name = scratch.join(format!("blob-{n}"));
        fs::write(&name, text).map_err(Problem::internal)?;
        names.push_str(&super::quoted(&name.to_string_lossy()));
        names.push('\n');
    }
    let call = Call::new(["hash-object", "-w", "--no-filters", "--stdin-paths"]).stdin(names);
    let output = git.run(call).await?.checked()?;
    Ok(output.text().lines().map(str::to_owned).collect())
}

/// As one pack: two files instead of one and a copy for each.
async fn together(git: &Git, texts: &[&str]) -> Result<Vec<String>, Problem> {
    let size: usize = texts.iter().map(|text| text.len() + 64).sum();
    let mut stream = Vec::with_capacity(size);
    for (n, text) in texts.iter().enumerate() {
        let mark = n + 1;
        let head = format!("blob\nmark :{mark}\ndata {}\n", text.len());
        stream.extend_from_slice(head.as_bytes());
        stream.extend_from_slice(text.as_bytes());
        stream.extend_from_slice(format!("\nget-mark :{mark}\n").as_bytes());
    }
    stream.extend_from_slice(b"done\n");
    let call = Call::new([
        "-c",
        "fastimport.unpackLimit=1",
        "fast-import",
        "--quiet",
        "--done",
    ]);
    let output = git.run(call.stdin(stream)).await?.checked()?;
    Ok(output.text().lines().map(str::to_owned).collect())
}

/// Fills our index with the base.
async fn read_base(git: &Git, base: &str, index: &Path) -> Result<(), Problem> {
    if base.is_empty() {
        return Ok(());
    }
    let output = git.run(own_index(["read-tree", base], index)).await?;
    output.checked().map(|_| ())
}

/// Fills our index with the base once more, this time starting from a copy of the person's own: where that agrees
/// with the base it brings file times along, without which a hook would see every file as changed.
async fn keep_times(git: &Git, base: &str, index: &Path) -> Result<(), Problem> {
    let copy = index.with_extension("copy");
    if base.is_empty() || fs::copy(git.shared.git_dir.join("index"), &copy).is_err() {
        return Ok(());
    }
    let output = git
        .run(own_index(["read-tree", "--reset", base], &copy))
        .await?;
    if output.code == 0 {
        fs::rename(copy, index).map_err(Problem::internal)?;
    }
    Ok(())
}

async fn base_tree(git: &Git, base: &str) -> Result<String, Problem> {
    if base.is_empty() {
        Ok(git.empty_tree().to_owned())
    } else {
        git.tree_id(base).await
    }
}

/// Puts the accepted files into our index.
async fn fill(
    git: &Git,
    index: &Path,
    files: &[ProposedFile],
    blobs: &[Option<String>],
) -> Result<(), Problem> {
    let none = git.no_id();
    let (mut gone, mut there) = (String::new(), String::new());
    for (file, blob) in files.iter().zip(blobs) {
        match blob {
            None => gone.push_str(&format!("0 {none}\t{}\0", file.path)),
            Some(oid) => {
                there.push_str(&format!("{:o} {oid}\t{}\0", file.mode_after, file.path));
            }
        }
    }
    // What goes, goes first: a file may make room for a folder of its name.
    let call = own_index(["update-index", "-z", "--index-info"], index).stdin(gone + &there);
    git.run(call).await?.checked().map(|_| ())
}

/// The message after the hooks that may change it.
async fn edited(hooks: &mut Hooks<'_>, scratch: &Path, message: &str) -> Result<String, Problem> {
    if !hooks.has("prepare-commit-msg") && !hooks.has("commit-msg") {
        return Ok(message.to_owned());
    }
    // Not `.git/COMMIT_EDITMSG`: the person may be writing in it this very moment.
    let file: PathBuf = scratch.join("COMMIT_EDITMSG");
    let mut text = message.to_owned();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    fs::write(&file, text).map_err(Problem::internal)?;
    let name = file.clone().into_os_string();
    hooks
        .run(
            "prepare-commit-msg",
            &[name.clone(), OsString::from("message")],
        )
        .await?;
    hooks.run("commit-msg", &[name]).await?;
    let bytes = fs::read(&file).map_err(Problem::internal)?;
    String::from_utf8(bytes).map_err(|_| {
        Problem::new(
            422,
            "hook-failed",
            "a hook left a commit message that is not UTF-8",
        )
    })
}

/// Writes the commit object, signed if the person signs.
async fn record(
    git: &Git,
    tree: &str,
    base: &str,
    message: &str,
    sign: bool,
) -> Result<String, Problem> {
    let mut call = Call::new(["-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree]);
    if !base.is_empty() {
        call = call.args(["-p", base]);
    }
    if sign {
        // No program may ask on the terminal, which is the cockpit's: an agent or a window, or a clear failure.
        call = call
            .args(["-S"])
            .env("SSH_ASKPASS_REQUIRE", "force")
            .limit(SIGN_LIMIT);
    }
    let output = git.run(call.args(["-F", "-"]).stdin(message)).await?;
    if output.code == 0 {
        return Ok(output.text());
    }
    Err(unnamed(
        &output.stderr,
        if sign {
            unsigned(&output)
        } else {
            output.failed()
        },
    ))
}

fn unsigned(output: &Output) -> Problem {
    Problem::new(
        422,
        "signing-failed",
        format!("git could not sign the commit: {}", output.stderr.trim()),
    )
    .hint(
        "check user.signingKey and gpg.format, and that the agent has the key: \
         ssh-add -l, or gpg --list-secret-keys",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        for bad in [
            "",
            "/etc/passwd",
            "a/../../b",
            ".git/config",
            "a/.GIT/x",
            "a//b",
            "a/./b",
        ] {
            assert!(check_path(bad).is_err(), "{bad}");
        }
        for good in ["index.html", "-x", "a b/ü\"\n.html", ".github/x", "..a"] {
            assert!(check_path(good).is_ok(), "{good}");
        }
    }
}
