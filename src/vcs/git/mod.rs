//! The local repository, through the git program: so hooks, signing, filters, large-file storage and every
//! setting of the person work as they do in their own shell.
//!
//! What only looks is in `status`, `changes`, `tree` and `source`. A commit is made in two steps: `prepare`
//! makes the object with an index file of its own, `finish` moves the branch by compare-and-swap and then
//! brings `worktree` and `index` along, file by file, never over a person's own lines.

mod changes;
mod compare;
mod finish;
mod hooks;
mod identity;
mod index;
mod lines;
mod message;
mod objects;
mod place;
mod prepare;
mod run;
pub mod sandbox;
mod server;
mod source;
mod status;
mod tree;
mod work;
mod worktree;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OnceCell;
use tokio::sync::mpsc::UnboundedSender;

use crate::model::api::{CommitLine, RepositoryStatus};
use crate::model::{FileTree, Problem, ProposedFile, Source};

use super::{CommitRequest, Committed, Prepared, Repository, Standing};

use objects::{Object, Objects};
use run::{Call, Output, Runner};

pub(crate) use server::Pushed;
pub(in crate::vcs) use server::Sent;

pub use changes::TEXT_LIMIT;

/// How a repository is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Variables for every git process, on top of this process's own.
    pub env: Vec<(String, String)>,
    /// How long a commit waits for another git process that holds the index.
    pub lock_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            env: Vec::new(),
            lock_wait: Duration::from_secs(3),
        }
    }
}

/// A local repository with a working tree. Cheap to clone.
#[derive(Clone)]
pub struct Git {
    shared: Arc<Shared>,
}

struct Shared {
    runner: Runner,
    git_dir: PathBuf,
    lock_wait: Duration,
    objects: Arc<Objects>,
    trees: Mutex<Vec<(String, Arc<tree::GitTree>)>>,
    compared: Mutex<Option<compare::Compared>>,
    file_modes: OnceCell<bool>,
    hook_command: OnceCell<bool>,
    /// Hooks may be set in the configuration (newer git), where no file shows them; known from the last look.
    hooks_in_config: AtomicBool,
    sha256: bool,
}

/// A commit in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its full id.
    pub commit: String,
    /// Who wrote it.
    pub author: String,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
    /// The first line of its message.
    pub title: String,
}

impl Git {
    /// Opens the repository that `path` lies in.
    ///
    /// # Errors
    /// `git-missing`, `no-repository` (404), `bare-repository` (422), `unsafe-repository` (403).
    pub async fn open(path: &Path) -> Result<Self, Problem> {
        Self::open_with(path, Options::default()).await
    }

    /// [`Git::open`] with options.
    ///
    /// # Errors
    /// As for [`Git::open`].
    pub async fn open_with(path: &Path, options: Options) -> Result<Self, Problem> {
        let folder = if path.is_file() {
            path.parent().unwrap_or(path)
        } else {
            path
        };
        let folder = std::path::absolute(folder).map_err(Problem::internal)?;
        if !folder.is_dir() {
            return Err(Problem::not_found(format!(
                "there is no folder {}",
                path.display()
            )));
        }
        let scout = Runner {
            folder: folder.clone(),
            env: options.env.clone(),
        };
        let found = scout
            .run(Call::new([
                "rev-parse",
                "--is-bare-repository",
                "--show-object-format",
                "--absolute-git-dir",
                "--show-toplevel",
            ]))
            .await?;
        let text = found.text();
        let lines: Vec<&str> = text.lines().collect();
        let ([_, format, git_dir, root], 0) = (&lines[..], found.code) else {
            return Err(unopened(&folder, &found, &lines));
        };
        let runner = Runner {
            folder: PathBuf::from(root),
            env: options.env,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                objects: Arc::new(Objects::new(runner.clone())),
                git_dir: PathBuf::from(git_dir),
                lock_wait: options.lock_wait,
                trees: Mutex::new(Vec::new()),
                compared: Mutex::new(None),
                file_modes: OnceCell::new(),
                hook_command: OnceCell::new(),
                hooks_in_config: AtomicBool::new(false),
                sha256: *format == "sha256",
                runner,
            }),
        })
    }

    /// The top of the working tree.
    pub fn root(&self) -> &Path {
        &self.shared.runner.folder
    }

    /// The last `count` commits of the branch that is checked out, newest first; none on an unborn branch.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub async fn log(&self, count: usize) -> Result<Vec<LogEntry>, Problem> {
        let count = format!("-{count}");
        // Not `git log`, whose output depends on the person's settings.
        let call = Call::new(["rev-list", &count, "--no-commit-header"]).args([
            "--format=%H%x1f%an%x1f%ct%x1f%s%x00",
            "HEAD",
            "--",
        ]);
        let output = self.run(call).await?;
        if output.code != 0 && self.head().await?.commit.is_empty() {
            return Ok(Vec::new());
        }
        let output = output.checked()?;
        let entry = |record: &[u8]| {
            let record = String::from_utf8_lossy(record);
            let mut fields = record.trim_start_matches('\n').splitn(4, '\u{1f}');
            Some(LogEntry {
                commit: fields.next().filter(|id| !id.is_empty())?.to_owned(),
                author: fields.next()?.to_owned(),
                time: fields.next()?.parse().ok()?,
                title: fields.next()?.to_owned(),
            })
        };
        Ok(output.records().filter_map(entry).collect())
    }

    /// The first line of a commit's message.
    ///
    /// # Errors
    /// `not-found` when there is no such commit.
    pub async fn title(&self, commit: &str) -> Result<String, Problem> {
        let object = self.object(commit, u64::MAX).await?;
        match object {
            Some(Object {
                kind,
                bytes: Some(bytes),
                ..
            }) if kind == "commit" => Ok(title_of(&bytes)),
            _ => Err(Problem::not_found(format!("there is no commit {commit}"))),
        }
    }

    async fn run(&self, call: Call) -> Result<Output, Problem> {
        self.shared.runner.run(call).await
    }

    /// Reads an object without holding up the runtime.
    async fn object(&self, name: &str, limit: u64) -> Result<Option<Object>, Problem> {
        let (objects, name) = (self.shared.objects.clone(), name.to_owned());
        tokio::task::spawn_blocking(move || objects.read(&name, limit))
            .await
            .map_err(Problem::internal)?
            .map_err(Problem::internal)
    }

    /// The id of a commit's tree.
    async fn tree_id(&self, commit: &str) -> Result<String, Problem> {
        match self.object(&format!("{commit}^{{tree}}"), u64::MAX).await? {
            Some(object) if object.kind == "tree" => Ok(object.oid),
            _ => Err(Problem::not_found(format!("there is no commit {commit}"))),
        }
    }

    fn empty_tree(&self) -> &'static str {
        if self.shared.sha256 {
            "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
        } else {
            "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
        }
    }

    /// The id that means "nothing" in this repository.
    fn no_id(&self) -> String {
        "0".repeat(if self.shared.sha256 { 64 } else { 40 })
    }

    /// The id of these bytes as a blob.
    fn blob_id(&self, bytes: &[u8]) -> String {
        if !self.shared.sha256 {
            return crate::model::tree::blob_hash(bytes);
        }
        use sha2::{Digest, Sha256};
        let mut hasher = Sha256::new();
        hasher.update(format!("blob {}\0", bytes.len()));
        hasher.update(bytes);
        hasher
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Whether the working tree's executable bits mean anything (`core.fileMode`).
    async fn file_modes(&self) -> bool {
        let ask = || async {
            let call = Call::new(["config", "--type=bool", "--get", "core.fileMode"]);
            self.run(call)
                .await
                .is_ok_and(|output| output.text() != "false")
        };
        cfg!(unix) && *self.shared.file_modes.get_or_init(ask).await
    }
}

/// Whether this is a full object id.
fn is_id(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The first line of the message in a raw commit object.
fn title_of(commit: &[u8]) -> String {
    let text = String::from_utf8_lossy(commit);
    let message = text.split_once("\n\n").map_or("", |(_, message)| message);
    message
        .trim_start_matches('\n')
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// A path in the form git's `--stdin-paths` takes: in quotes when it would be read otherwise.
fn quoted(path: &str) -> String {
    if !path.starts_with('"') && !path.contains(['\n', '\r', '\\']) {
        return path.to_owned();
    }
    let mut out = String::from("\"");
    for letter in path.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

fn unopened(folder: &Path, found: &Output, lines: &[&str]) -> Problem {
    let place = folder.display();
    if found.stderr.contains("dubious ownership") {
        return Problem::new(
            403,
            "unsafe-repository",
            format!("the repository at {place} belongs to another user, so git refuses to use it"),
        )
        .hint(format!(
            "if you trust it: git config --global --add safe.directory '{place}'"
        ));
    }
    if lines.first() == Some(&"true") {
        return Problem::new(
            422,
            "bare-repository",
            format!("the repository at {place} is bare: it has no working tree"),
        )
        .hint("start in a clone of it");
    }
    if found.stderr.contains("must be run in a work tree") {
        return Problem::new(
            422,
            "bare-repository",
            format!("{place} is the inside of a repository, not its working tree"),
        )
        .hint("start in the folder that the site's files are in");
    }
    if found.stderr.contains("not a git repository") {
        return Problem::new(
            404,
            "no-repository",
            format!("there is no git repository at {place} or above it"),
        )
        .hint("run `git init` in the site's folder, or start in a folder that has one");
    }
    found.failed()
}

#[async_trait]
impl Repository for Git {
    async fn status(&self) -> Result<RepositoryStatus, Problem> {
        self.overview().await
    }

    async fn standing(&self) -> Result<Standing, Problem> {
        let head = self.head().await?;
        Ok(Standing {
            branch: head.branch,
            head: head.commit,
        })
    }

    async fn tree(&self, commit: &str) -> Result<Arc<dyn FileTree>, Problem> {
        let tree = self.list(commit).await?;
        Ok(tree)
    }

    async fn source(&self, commit: &str) -> Result<Arc<dyn Source>, Problem> {
        self.snapshot(commit).await
    }

    async fn working_changes(&self, paths: &[String]) -> Result<Vec<ProposedFile>, Problem> {
        self.changes_in_worktree(paths).await
    }

    async fn dirty(&self, paths: &[String]) -> Result<Vec<String>, Problem> {
        self.dirty_among(paths).await
    }

    async fn changes_of(&self, commit: &str) -> Result<Vec<ProposedFile>, Problem> {
        self.changes_in_commit(commit).await
    }

    async fn changes_between(&self, from: &str, to: &str) -> Result<Vec<ProposedFile>, Problem> {
        self.files_between(from, to).await
    }

    async fn commits_between(
        &self,
        from: &str,
        to: &str,
        limit: usize,
    ) -> Result<Vec<CommitLine>, Problem> {
        self.history_between(from, to, limit).await
    }

    async fn prepare(
        &self,
        request: &CommitRequest,
        output: UnboundedSender<String>,
    ) -> Result<Prepared, Problem> {
        prepare::prepare(self, request, output).await
    }

    async fn finish(&self, prepared: &Prepared) -> Result<Committed, Problem> {
        finish::finish(self, prepared).await
    }

    async fn tip(&self, branch: &str) -> Result<String, Problem> {
        for place in [
            format!("refs/heads/{branch}"),
            format!("refs/remotes/origin/{branch}"),
        ] {
            let wanted = format!("{place}^{{commit}}");
            let call = Call::new([
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                &wanted,
            ]);
            let output = self.run(call).await?;
            if output.code == 0 {
                return Ok(output.text().trim().to_owned());
            }
        }
        Err(super::no_branch(branch))
    }

    async fn contains(&self, branch: &str, commit: &str) -> Result<bool, Problem> {
        if !is_id(commit) {
            return Ok(false);
        }
        let branch = format!("refs/heads/{branch}");
        let output = self
            .run(Call::new(["merge-base", "--is-ancestor", commit, &branch]))
            .await?;
        match output.code {
            0 => Ok(true),
            1 => Ok(false),
            // No such commit or branch: then it is not in there.
            _ if output.stderr.contains("Not a valid") => Ok(false),
            _ => Err(output.failed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_come_from_the_raw_object() {
        let raw = b"tree 1\nauthor A <a> 1 +0000\n\nChange the headline\n\nBody\n";
        assert_eq!(title_of(raw), "Change the headline");
        assert_eq!(title_of(b"tree 1\n\n"), "");
    }

    #[test]
    fn only_odd_names_are_quoted() {
        assert_eq!(quoted("a b/ü.html"), "a b/ü.html");
        assert_eq!(quoted("mid\"dle"), "mid\"dle");
        assert_eq!(quoted("\"x\"\ny\\"), "\"\\\"x\\\"\\ny\\\\\"");
    }
}
