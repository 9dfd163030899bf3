//! A real repository in a temporary folder, apart from the machine's own git settings.

#![allow(dead_code)] // Each test file uses its part.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sayso::model::{Content, Decision, Problem, ProposedFile};
use sayso::review::{diff, select};
use sayso::vcs::git::{Git, Options};
use sayso::vcs::{CommitRequest, Committed, Prepared, Repository};
use tempfile::TempDir;
use tokio::sync::mpsc;

pub const FILE: u32 = 0o100_644;
pub const PROGRAM: u32 = 0o100_755;
pub const LINK: u32 = 0o120_000;

/// A repository with a working tree.
pub struct Site {
    pub folder: TempDir,
    pub root: PathBuf,
}

/// Everything of a person's that a commit must not disturb.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    pub status: String,
    pub staged: String,
    pub files: BTreeMap<String, (String, Vec<u8>)>,
}

/// The environment every git process of a test runs in.
pub fn env(home: &Path) -> Vec<(String, String)> {
    [
        ("HOME", home.to_str().unwrap()),
        ("XDG_CONFIG_HOME", home.to_str().unwrap()),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z"),
        ("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z"),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

impl Site {
    /// An empty repository on the branch `main`.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("site");
        fs::create_dir(&root).unwrap();
        let site = Self { folder, root };
        site.git(["init", "-q", "-b", "main"]);
        site.git(["config", "user.name", "Ada Lovelace"]);
        site.git(["config", "user.email", "ada@example.com"]);
        site
    }

    /// A repository with these files committed.
    pub fn with<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let site = Self::new();
        for (path, text) in files {
            site.write(path, text);
        }
        site.commit_all("Start");
        site
    }

    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    /// Runs git as the person would; panics when it fails.
    pub fn git<const N: usize>(&self, args: [&str; N]) -> String {
        self.git_in(&self.root, &args)
            .unwrap_or_else(|error| panic!("git {args:?}: {error}"))
    }

    pub fn git_in(&self, folder: &Path, args: &[&str]) -> Result<String, String> {
        let output = Command::new("git")
            .args(args)
            .current_dir(folder)
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .envs(env(self.home()))
            .output()
            .unwrap();
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let place = self.path(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, bytes).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        String::from_utf8(fs::read(self.path(path)).unwrap()).unwrap()
    }

    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, text.replacen(from, to, 1));
    }

    #[cfg(unix)]
    pub fn chmod(&self, path: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn hook(&self, name: &str, script: &str) {
        self.write(
            &format!(".git/hooks/{name}"),
            format!("#!/bin/sh\n{script}\n"),
        );
        self.chmod(&format!(".git/hooks/{name}"), 0o755);
    }

    pub fn commit_all(&self, message: &str) -> String {
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "--allow-empty", "-m", message]);
        self.head()
    }

    pub fn head(&self) -> String {
        self.git(["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// A file as committed.
    pub fn committed(&self, path: &str) -> String {
        self.git(["show", &format!("HEAD:{path}")])
    }

    pub fn staged(&self) -> String {
        self.git(["diff", "--cached", "--no-renames"])
    }

    pub fn status(&self) -> String {
        self.git([
            "--no-optional-locks",
            "status",
            "--porcelain=v1",
            "--no-renames",
            "-uall",
        ])
    }

    pub fn state(&self) -> State {
        let mut files = BTreeMap::new();
        collect(&self.root, &self.root, &mut files);
        State {
            status: self.status(),
            staged: self.staged(),
            files,
        }
    }

    pub async fn open(&self) -> Git {
        self.open_at(&self.root).await.unwrap()
    }

    pub async fn open_at(&self, folder: &Path) -> Result<Git, Problem> {
        Git::open_with(
            folder,
            Options {
                env: env(self.home()),
                ..Options::default()
            },
        )
        .await
    }

    /// A proposal that replaces text in a file, as the head has it.
    pub fn replace(&self, path: &str, from: &str, to: &str) -> ProposedFile {
        let before = self.committed(path);
        assert!(before.contains(from), "{path} has no {from:?}");
        let after = before.replacen(from, to, 1);
        file(path, Content::text(before), Content::text(after))
    }

    /// Commits these files on the head of `main`.
    pub async fn commit(&self, files: Vec<ProposedFile>) -> Result<Committed, Problem> {
        let git = self.open().await;
        let prepared = prepare(&git, self.request(files)).await?;
        git.finish(&prepared).await
    }

    pub fn request(&self, files: Vec<ProposedFile>) -> CommitRequest {
        let base = self.git_in(&self.root, &["rev-parse", "-q", "--verify", "HEAD"]);
        CommitRequest {
            base: base.unwrap_or_default().trim().to_owned(),
            branch: "main".into(),
            message: "Change the headline".into(),
            files,
        }
    }

    /// What "commit that" does: the working tree's changes, with hunks.
    pub async fn changes(&self) -> Vec<ProposedFile> {
        let mut files = self.open().await.working_changes(&[]).await.unwrap();
        for file in &mut files {
            file.hunks = diff::hunks(file);
        }
        files
    }
}

pub async fn prepare(git: &Git, request: CommitRequest) -> Result<Prepared, Problem> {
    let (send, _lines) = mpsc::unbounded_channel();
    git.prepare(&request, send).await
}

/// A file of a proposal, with hunks.
pub fn file(path: &str, before: Content, after: Content) -> ProposedFile {
    let mode = |content: &Content| if content.is_absent() { 0 } else { FILE };
    let mut file = ProposedFile {
        path: path.into(),
        mode_before: mode(&before),
        mode_after: mode(&after),
        before,
        after,
        hunks: Vec::new(),
    };
    file.hunks = diff::hunks(&file);
    file
}

/// The files with only these hunks (by index, over all files) accepted.
pub fn only(mut files: Vec<ProposedFile>, wanted: &[usize]) -> Vec<ProposedFile> {
    let ids: Vec<String> = files
        .iter()
        .flat_map(|file| &file.hunks)
        .map(|hunk| hunk.id.clone())
        .collect();
    let wanted: Vec<String> = wanted.iter().map(|at| ids[*at].clone()).collect();
    for hunk in files.iter_mut().flat_map(|file| &mut file.hunks) {
        if !wanted.contains(&hunk.id) {
            hunk.decision = Decision::Rejected;
        }
    }
    files.iter().filter_map(select::accepted).collect()
}

/// `line 1` … `line n`.
pub fn lines(count: usize) -> String {
    (1..=count).map(|n| format!("line {n}\n")).collect()
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, (String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let place = entry.unwrap().path();
        let meta = fs::symlink_metadata(&place).unwrap();
        let name = place
            .strip_prefix(root)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if name == ".git" {
            continue;
        }
        if meta.is_dir() {
            collect(root, &place, files);
        } else if meta.is_symlink() {
            let target = fs::read_link(&place)
                .unwrap()
                .into_os_string()
                .into_encoded_bytes();
            files.insert(name, ("link".into(), target));
        } else {
            let mode = format!("{:?}", meta.permissions());
            files.insert(name, (mode, fs::read(&place).unwrap()));
        }
    }
}
