//! Making the commit object: hooks and signature as the person's configuration says, no branch moved.

use std::io::Write;
use std::path::PathBuf;

use tokio::sync::mpsc::UnboundedSender;

use super::changes::{head, scratch_index};
use super::run::Runner;
use super::{CommitRequest, Git, Prepared};
use crate::model::{Content, Problem, ProposedFile, failpoint};

/// Files in git's folder that say an operation waits to be finished, and what it is called.
const IN_PROGRESS: [(&str, &str); 6] = [
    ("MERGE_HEAD", "merge"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
];

/// See [`Repository::prepare`](crate::vcs::Repository::prepare).
pub async fn prepare(
    git: &Git,
    request: &CommitRequest,
    output: UnboundedSender<String>,
) -> Result<Prepared, Problem> {
    if let Some((_, name)) = IN_PROGRESS
        .iter()
        .find(|(file, _)| git.git_dir.join(file).exists())
    {
        return Err(
            Problem::conflict(format!("a {name} is in progress in this repository"))
                .hint(format!("finish or abort the {name} with git first")),
        );
    }
    check_head(git, request).await?;
    let settings = Settings::read(git).await?;
    let scratch = scratch_index(git)?;
    let index = git
        .runner
        .with("GIT_INDEX_FILE", &scratch.path().join("index"));
    if !request.base.is_empty() {
        index
            .run(&["read-tree", &request.base])
            .await?
            .checked("read-tree")?;
    }
    stage(&index, scratch.path(), &request.files).await?;
    let mut said = Vec::new();
    said.extend(settings.hook(&index, "pre-commit", &[], &output).await?);
    // After the hook: it may have formatted what is staged, and that is then what the person wants.
    let tree = index
        .run(&["write-tree"])
        .await?
        .checked("write-tree")?
        .text();
    if !request.base.is_empty() {
        let base = git
            .runner
            .run(&["rev-parse", &format!("{}^{{tree}}", request.base)])
            .await?;
        if base.text() == tree {
            return Err(Problem::new(
                422,
                "nothing-to-commit",
                "nothing would change",
            ));
        }
    }
    let message = scratch.path().join("message");
    write(&message, clean(&request.message).as_bytes())?;
    let file = message.to_string_lossy().into_owned();
    said.extend(
        settings
            .hook(&index, "prepare-commit-msg", &[&file, "message"], &output)
            .await?,
    );
    said.extend(
        settings
            .hook(&index, "commit-msg", &[&file], &output)
            .await?,
    );
    let text = std::fs::read_to_string(&message).map_err(Problem::internal)?;
    let text = clean(&text);
    if text.is_empty() {
        return Err(Problem::new(
            422,
            "empty-message",
            "the commit message is empty",
        ));
    }
    write(&message, text.as_bytes())?;
    let mut args = vec!["commit-tree", "-F", &file];
    if settings.sign {
        args.push("-S");
    }
    if !request.base.is_empty() {
        args.extend(["-p", &request.base]);
    }
    args.push(&tree);
    let made = git.runner.run(&args).await?;
    if !made.ok() {
        let problem = made.problem("commit-tree");
        let unknown = [
            "tell me who you are",
            "empty ident name",
            "no email was given",
            "unable to auto-detect",
        ];
        if unknown.iter().any(|words| problem.detail.contains(words)) {
            return Err(identity_missing());
        }
        if settings.sign {
            return Err(Problem::new(422, "signing-failed", problem.detail).hint(
                "commits are signed by your git configuration (commit.gpgsign); check the key",
            ));
        }
        return Err(problem);
    }
    failpoint::reach("commit.prepared");
    Ok(Prepared {
        commit: made.text(),
        base: request.base.clone(),
        branch: request.branch.clone(),
        output: said,
    })
}

/// See [`Git::identity`].
pub async fn identity(git: &Git) -> Result<String, Problem> {
    let output = git.runner.run(&["var", "GIT_COMMITTER_IDENT"]).await?;
    if !output.ok() {
        return Err(identity_missing());
    }
    let text = output.text();
    // "Name <mail> seconds zone"
    Ok(text
        .rfind('>')
        .map_or(text.clone(), |end| text[..=end].to_owned()))
}

fn identity_missing() -> Problem {
    Problem::new(422, "identity-missing", "git does not know who you are").hint(
        "git config --global user.name \"Your Name\" && git config --global user.email you@example.org",
    )
}

async fn check_head(git: &Git, request: &CommitRequest) -> Result<(), Problem> {
    if request.branch.is_empty() {
        return Err(
            Problem::conflict("HEAD is detached: there is no branch to commit to")
                .hint("check out a branch with git first"),
        );
    }
    let (symbolic, current) = tokio::join!(
        git.runner.run(&["symbolic-ref", "--quiet", "HEAD"]),
        head(git)
    );
    let on = symbolic?.text();
    if on != format!("refs/heads/{}", request.branch) {
        return Err(Problem::conflict(format!(
            "the branch {} is no longer checked out",
            request.branch
        ))
        .hint("check it out again, or say the change again on this branch"));
    }
    if current? != request.base {
        return Err(stale(&request.branch));
    }
    Ok(())
}

/// The branch is not where it was.
pub fn stale(branch: &str) -> Problem {
    Problem::new(
        409,
        "stale-base",
        format!("the branch {branch} moved meanwhile; nothing was changed"),
    )
    .hint("look at the proposal again, then approve it")
}

/// Puts the files into the index, by as few processes as there can be.
async fn stage(
    index: &Runner,
    scratch: &std::path::Path,
    files: &[ProposedFile],
) -> Result<(), Problem> {
    let mut paths = String::new();
    for (nth, file) in files.iter().enumerate() {
        if let Content::Text { text } = &file.after {
            let blob = scratch.join(format!("blob-{nth}"));
            write(&blob, text.as_bytes())?;
            paths.push_str(&blob.to_string_lossy());
            paths.push('\n');
        }
    }
    let mut oids = Vec::new();
    if !paths.is_empty() {
        // Byte for byte: what was approved is what a blob holds, so no filter may touch it.
        let args = ["hash-object", "-w", "--no-filters", "--stdin-paths"];
        let output = index
            .run_with(&args, paths.as_bytes())
            .await?
            .checked("hash-object")?;
        oids = output.text().lines().map(str::to_owned).collect();
    }
    let mut oids = oids.into_iter();
    let mut info = Vec::new();
    for file in files {
        let (mode, oid) = match &file.after {
            Content::Absent => (0, "0".repeat(40)),
            Content::Binary { oid, .. } => (file.mode_after, oid.clone()),
            Content::Text { .. } => {
                let oid = oids
                    .next()
                    .ok_or_else(|| Problem::internal("git hash-object said too little"))?;
                (file.mode_after, oid)
            }
        };
        info.extend(format!("{mode:o} {oid}\t{}\0", file.path).into_bytes());
    }
    index
        .run_with(
            &["update-index", "--add", "--replace", "-z", "--index-info"],
            &info,
        )
        .await?
        .checked("update-index")?;
    Ok(())
}

/// What of the person's configuration matters for a commit.
pub struct Settings {
    hooks: PathBuf,
    /// Commits are to be signed.
    pub sign: bool,
}

impl Settings {
    /// Reads them by one process.
    pub async fn read(git: &Git) -> Result<Self, Problem> {
        let output = git
            .runner
            .run(&[
                "config",
                "--null",
                "--get-regexp",
                r"^(core\.hookspath|commit\.gpgsign)$",
            ])
            .await?;
        let mut settings = Self {
            hooks: git.common_dir.join("hooks"),
            sign: false,
        };
        // Later entries win, as with git itself.
        for entry in String::from_utf8_lossy(&output.stdout).split('\0') {
            let (key, value) = entry.split_once('\n').unwrap_or((entry, "true"));
            match key {
                "core.hookspath" => {
                    let path = match value.strip_prefix("~/") {
                        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
                        None => PathBuf::from(value),
                    };
                    settings.hooks = git.root.join(path);
                }
                "commit.gpgsign" => {
                    settings.sign = matches!(
                        value.to_ascii_lowercase().as_str(),
                        "true" | "yes" | "on" | "1"
                    );
                }
                _ => {}
            }
        }
        Ok(settings)
    }

    /// Runs a hook if there is one; returns its lines.
    ///
    /// # Errors
    /// `hook-failed` with its last lines.
    pub async fn hook(
        &self,
        runner: &Runner,
        name: &str,
        args: &[&str],
        output: &UnboundedSender<String>,
    ) -> Result<Vec<String>, Problem> {
        if !executable(&self.hooks.join(name)) {
            return Ok(Vec::new());
        }
        let mut command = vec!["hook", "run", "--ignore-missing", name];
        if !args.is_empty() {
            command.push("--");
            command.extend(args);
        }
        let (status, lines) = runner.stream(&command, output).await?;
        if status.success() {
            return Ok(lines);
        }
        let tail = lines
            .iter()
            .rev()
            .take(20)
            .rev()
            .cloned()
            .collect::<Vec<_>>()
            .join("\n");
        Err(Problem::new(
            422,
            "hook-failed",
            format!("the {name} hook refused the commit ({status}): {tail}"),
        )
        .hint("correct what the hook names and approve again; nothing was committed"))
    }
}

#[cfg(unix)]
fn executable(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn executable(path: &std::path::Path) -> bool {
    path.is_file()
}

fn write(path: &std::path::Path, bytes: &[u8]) -> Result<(), Problem> {
    std::fs::File::create(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|error| Problem::internal(format!("{}: {error}", path.display())))
}

/// The message as `git stripspace` leaves it: no trailing blanks, no runs of empty lines, one final line feed.
fn clean(message: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in message.lines().map(str::trim_end) {
        if !(line.is_empty() && lines.last().is_none_or(|last| last.is_empty())) {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    if lines.is_empty() {
        String::new()
    } else {
        format!("{}\n", lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cleaned_as_git_cleans_them() {
        assert_eq!(clean("\n\na  \n\n\nb\n\n"), "a\n\nb\n");
        assert_eq!(clean(" \n\t\n"), "");
    }
}
