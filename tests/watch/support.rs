//! A clone with a remote, a conductor on it that watches, and what is asked of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sayso::config::{Config, EnvironmentTable, Span};
use sayso::deploy::DeployTarget;
use sayso::model::api::{WatchRequest, WatchStatus};
use sayso::model::{Event, EventKind, Identity};
use sayso::pipeline::{Conductor, Setup};
use sayso::vcs::git::Git;

use crate::stage::{self, Folder, git, options, wait_for};

/// What is quick enough for a test: everything is taken at once.
pub fn quick() -> Config {
    let mut config = Config::default();
    config.watch.settle = Span(Duration::ZERO);
    config.watch.batch = Span(Duration::ZERO);
    config.environment = vec![EnvironmentTable {
        name: "sandbox".to_owned(),
        ..EnvironmentTable::default()
    }];
    config
}

/// A person with a clone.
pub struct Desk {
    pub site: PathBuf,
    pub conductor: Arc<Conductor>,
    _state: tempfile::TempDir,
    _site: Option<tempfile::TempDir>,
}

impl Desk {
    /// On a repository of its own.
    pub async fn new(files: &[(&str, &str)], config: Config) -> Self {
        let site = stage::site(files);
        let mut desk = Self::at(site.path(), config).await;
        desk._site = Some(site);
        desk
    }

    /// On the clone at `site`.
    pub async fn at(site: &Path, config: Config) -> Self {
        let site = site.canonicalize().unwrap();
        let state = tempfile::tempdir().unwrap();
        let target = Folder::new(&state.path().join("live"));
        let opened = Git::open_with(&site, options()).await.unwrap();
        let both = |name: &str| {
            (
                name.to_owned(),
                Arc::clone(&target) as Arc<dyn DeployTarget>,
            )
        };
        let conductor = Conductor::open(Setup {
            log: stage::log(state.path()),
            config,
            repo: Arc::new(opened.clone()),
            generators: Vec::new(),
            transcriber: None,
            targets: BTreeMap::from([both("production"), both("sandbox")]),
            recordings: state.path().join("recordings"),
            notices: None,
        })
        .await
        .unwrap();
        conductor.serve_sandbox(opened).await;
        Self {
            site,
            conductor,
            _state: state,
            _site: None,
        }
    }

    pub async fn turn(&self, on: bool) -> WatchStatus {
        let request = WatchRequest {
            on: Some(on),
            ..WatchRequest::default()
        };
        self.conductor
            .watch(request, &Identity::owner("ada"))
            .await
            .unwrap()
    }

    pub async fn once(&self) -> Result<WatchStatus, sayso::model::Problem> {
        let request = WatchRequest {
            once: true,
            ..WatchRequest::default()
        };
        self.conductor.watch(request, &Identity::owner("ada")).await
    }

    pub fn git(&self, args: &[&str]) -> String {
        git(&self.site, args).trim_end().to_owned()
    }

    pub fn write(&self, name: &str, text: &str) {
        stage::write(&self.site, name, text);
    }

    /// A file as the sandbox branch has it; `None` when it has not.
    pub fn sandbox(&self, name: &str) -> Option<String> {
        show(&self.site, "sandbox", name)
    }

    pub fn events(&self) -> Vec<Event> {
        self.conductor.log().read(0, 100_000).unwrap()
    }

    pub fn of(&self, kind: EventKind) -> Vec<Event> {
        let events = self.events().into_iter();
        events.filter(|event| event.kind == kind).collect()
    }

    /// Waits until an event of `kind` says `words`.
    pub async fn told(&self, kind: EventKind, words: &str) -> Event {
        wait_for(words, async || {
            self.of(kind)
                .into_iter()
                .find(|event| event.data.to_string().contains(words))
        })
        .await
    }

    /// Waits until the sandbox branch has `text` in `name`.
    pub async fn until(&self, name: &str, text: &str) {
        wait_for(&format!("{name} with {text:?}"), async || {
            self.sandbox(name).filter(|found| found == text)
        })
        .await;
    }

    /// Titles on the sandbox branch, newest first, without those of `main`.
    pub fn titles(&self) -> Vec<String> {
        let log = self.git(&["log", "--first-parent", "--format=%s", "main..sandbox"]);
        log.lines().map(str::to_owned).collect()
    }
}

/// A file as a branch of the repository at `dir` has it.
pub fn show(dir: &Path, branch: &str, name: &str) -> Option<String> {
    let output = std::process::Command::new("git")
        .current_dir(dir)
        .args(["cat-file", "blob", &format!("{branch}:{name}")])
        .envs(stage::git_env())
        .output()
        .unwrap();
    output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).unwrap())
}

/// Everything of a person's that must stay as it is: HEAD, branch, index, stash, files.
pub fn own(dir: &Path) -> String {
    let mut all = String::new();
    for args in [
        &["rev-parse", "HEAD"][..],
        &["symbolic-ref", "HEAD"],
        &["ls-files", "-s", "-v"],
        &["stash", "list", "--format=%H %gs"],
        &["status", "--porcelain=v2", "--untracked-files=all"],
        &["for-each-ref", "refs/heads/main", "refs/stash"],
    ] {
        all.push_str(&git(dir, args));
    }
    let mut files: Vec<_> = walk(dir);
    files.sort();
    all + &files.join("\n")
}

fn walk(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if entry.file_name() == ".git" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(&path));
        } else {
            let meta = std::fs::symlink_metadata(&path).unwrap();
            let modified = meta.modified().unwrap();
            found.push(format!("{} {} {modified:?}", path.display(), meta.len()));
        }
    }
    found
}

/// A bare repository and two clones of it, each with the site on `main`.
pub fn shared(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let first = stage::site(files);
    let bare = folder.path().join("origin.git");
    git(
        folder.path(),
        &[
            "clone",
            "-q",
            "--bare",
            first.path().to_str().unwrap(),
            "origin.git",
        ],
    );
    let address = format!("file://{}", bare.display());
    let mut clones = Vec::new();
    for (name, person) in [("ada", "Ada"), ("bob", "Bob")] {
        git(folder.path(), &["clone", "-q", &address, name]);
        let clone = folder.path().join(name);
        git(&clone, &["config", "user.name", person]);
        git(&clone, &["config", "user.email", "someone@example.org"]);
        clones.push(clone);
    }
    let bob = clones.pop().unwrap();
    let ada = clones.pop().unwrap();
    (folder, ada, bob)
}
