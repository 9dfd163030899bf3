//! What several test binaries share: a site in a fresh repository, and a conductor on it.

#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sayso::config::Config;
use sayso::deploy::{DeployFailure, DeployRequest, DeployTarget, Deployed, Report};
use sayso::events::EventLog;
use sayso::generate::{FileChange, Generated, Generator, NotMade, Request};
use sayso::model::{
    DeploymentId, LiveRelease, Problem, Refusal, RefusalReason, ReleaseId, ReleaseInfo, Stage,
};
use sayso::pipeline::{Conductor, Setup};
use sayso::store::Store;
use sayso::vcs::git::{Git, Options};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Longest wait for a condition.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Runs git in `dir`, away from the person's own configuration; returns its output.
pub fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(dir)
        .args(args)
        .envs(git_env())
        .output()
        .expect("git runs");
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// How tests open a repository.
pub fn options() -> Options {
    Options {
        env: git_env(),
        ..Options::default()
    }
}

/// Variables that keep git away from the configuration of whoever runs the tests.
pub fn git_env() -> Vec<(String, String)> {
    [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_SYSTEM", "/dev/null"),
        ("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z"),
        ("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// The real program on the repository at `site`, with the folders of a person below `home`.
pub fn sayso(site: &Path, home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sayso"));
    command
        .args(args)
        .current_dir(site)
        .envs(git_env())
        .env("XDG_STATE_HOME", home.join("state"))
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("SAYSO_HEALTH__WATCH", "0s")
        .env_remove("SAYSO_TOKEN")
        .env_remove("SAYSO_SERVER")
        .stdin(Stdio::null());
    command
}

/// A repository with `files` in one commit on `main`.
pub fn site(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q", "-b", "main"]);
    git(dir.path(), &["config", "user.name", "Ada"]);
    git(dir.path(), &["config", "user.email", "ada@example.org"]);
    for (name, text) in files {
        write(dir.path(), name, text);
    }
    if !files.is_empty() {
        git(dir.path(), &["add", "-A"]);
        git(dir.path(), &["commit", "-q", "-m", "first"]);
    }
    dir
}

/// Writes a file below `dir`.
pub fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Reads a file below `dir`.
pub fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap()
}

/// Waits until `condition` gives a value.
pub async fn wait_for<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(began.elapsed() < DEADLINE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// An engine for tests of the conductor: `FILE: OLD => NEW` replaces the one occurrence of OLD.
pub struct Replace;

#[async_trait]
impl Generator for Replace {
    fn name(&self) -> &'static str {
        "replace"
    }

    async fn generate(&self, request: Request) -> Result<Generated, NotMade> {
        let unclear = || Refusal::new(RefusalReason::Unclear, "not FILE: OLD => NEW");
        let (path, rest) = request.original.split_once(": ").ok_or_else(unclear)?;
        let (old, new) = rest.split_once(" => ").ok_or_else(unclear)?;
        let bytes =
            request.tree.read(path).unwrap().ok_or_else(|| {
                Refusal::new(RefusalReason::NotFound, format!("there is no {path}"))
            })?;
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Ok(Generated {
            title: format!("Change {path}"),
            files: vec![FileChange {
                path: path.into(),
                after: Some(text.replacen(old, new, 1)),
            }],
            ..Generated::default()
        })
    }
}

/// A target that exports the commit into a folder and calls it live. Fails when told to.
pub struct Folder {
    pub dir: PathBuf,
    pub fail: Mutex<Option<String>>,
    live: Mutex<Vec<LiveRelease>>,
}

impl Folder {
    pub fn new(dir: &Path) -> Arc<Self> {
        Arc::new(Self {
            dir: dir.to_path_buf(),
            fail: Mutex::new(None),
            live: Mutex::new(Vec::new()),
        })
    }
}

#[async_trait]
impl DeployTarget for Folder {
    fn name(&self) -> &'static str {
        "folder"
    }

    async fn deploy(
        &self,
        request: DeployRequest,
        reports: mpsc::UnboundedSender<Report>,
        _cancel: CancellationToken,
    ) -> Result<Deployed, DeployFailure> {
        let stage = |stage| Report::Stage {
            stage,
            message: format!("{stage}"),
        };
        reports.send(stage(Stage::Fetch)).unwrap();
        if let Some(message) = self.fail.lock().unwrap().clone() {
            return Err(DeployFailure {
                stage: Stage::Build,
                message,
                hint: "correct it".into(),
                log_tail: vec!["the last line".into()],
                canceled: false,
                rolled_back: false,
                unknown: false,
            });
        }
        let into = self.dir.join(request.id.as_str());
        std::fs::create_dir_all(&into).unwrap();
        request.source.export(&into).unwrap();
        reports.send(stage(Stage::Activate)).unwrap();
        let release = ReleaseId::from(request.id.as_str());
        self.live.lock().unwrap().push(LiveRelease {
            environment: request.environment,
            release: release.clone(),
            commit: request.source.commit().to_owned(),
            url: "http://localhost/".into(),
            since: jiff::Timestamp::now(),
        });
        Ok(Deployed {
            release,
            url: "http://localhost/".into(),
            stages: BTreeMap::from([(Stage::Fetch, 1), (Stage::Activate, 1)]),
        })
    }

    async fn rollback(
        &self,
        _environment: &str,
        to: Option<&ReleaseId>,
    ) -> Result<LiveRelease, Problem> {
        let mut live = self.live.lock().unwrap();
        live.pop();
        let now = live
            .last()
            .cloned()
            .ok_or_else(|| Problem::not_found("no earlier release"))?;
        assert!(to.is_none_or(|to| *to == now.release));
        Ok(now)
    }

    fn releases(&self, _environment: &str) -> Vec<ReleaseInfo> {
        let live = self.live.lock().unwrap();
        live.iter()
            .rev()
            .enumerate()
            .map(|(at, live)| ReleaseInfo {
                id: live.release.clone(),
                commit: live.commit.clone(),
                created_at: live.since,
                files: 0,
                bytes: 0,
                bad: false,
                current: at == 0,
            })
            .collect()
    }

    fn live(&self, _environment: &str) -> Option<LiveRelease> {
        self.live.lock().unwrap().last().cloned()
    }

    async fn reconcile(&self, _environment: &str, _id: &DeploymentId) -> Option<Deployed> {
        None
    }
}

/// A conductor with everything under it.
pub struct Stage0 {
    pub site: tempfile::TempDir,
    pub state: tempfile::TempDir,
    pub conductor: Arc<Conductor>,
    pub target: Arc<Folder>,
}

/// A conductor on a fresh repository with `files`.
pub async fn stage(files: &[(&str, &str)]) -> Stage0 {
    let site = site(files);
    let state = tempfile::tempdir().unwrap();
    let target = Folder::new(&state.path().join("live"));
    let log = log(state.path());
    let conductor = conductor_on(site.path(), log, Arc::clone(&target)).await;
    Stage0 {
        site,
        state,
        conductor,
        target,
    }
}

/// The event log in `dir`.
pub fn log(dir: &Path) -> EventLog {
    EventLog::open(Store::open(&dir.join("sayso.db")).unwrap(), "site").unwrap()
}

/// A conductor on the repository at `site`.
pub async fn conductor_on(site: &Path, log: EventLog, target: Arc<Folder>) -> Arc<Conductor> {
    let recordings = site.join(".git/recordings");
    Conductor::open(Setup {
        log,
        config: Config::default(),
        repo: Arc::new(Git::open_with(site, options()).await.unwrap()),
        generators: vec![Arc::new(Replace)],
        transcriber: None,
        targets: BTreeMap::from([("production".to_owned(), target as Arc<dyn DeployTarget>)]),
        recordings,
        notices: None,
    })
    .await
    .unwrap()
}
