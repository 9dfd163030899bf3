//! Two machines: one with a site, one that only serves what it is sent.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::stage;

pub const HOST_TOKEN: &str = "the-token-for-deployments";

/// Longest wait for a condition, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A home of its own.
pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sayso"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("LANG", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("SAYSO_MODELS", self.path().join("models"))
            .current_dir(self.path());
        for name in ["CONFIG", "STATE", "DATA", "CACHE"] {
            command.env(format!("XDG_{name}_HOME"), self.path().join(name));
        }
        command
    }
}

/// A port that nobody uses now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The machine that serves.
pub struct Host {
    pub home: Home,
    pub port: u16,
    pub settings: Vec<(String, String)>,
    running: Option<Child>,
}

impl Host {
    /// One that is not started yet.
    pub fn new() -> Self {
        let port = free_port();
        let settings = [
            ("SAYSO_SERVER__PORT", port.to_string()),
            ("SAYSO_HEALTH__WATCH", "100ms".into()),
            ("SAYSO_HEALTH__INTERVAL", "0s".into()),
            ("SAYSO_HOST_TOKEN", HOST_TOKEN.into()),
        ];
        Self {
            home: Home::new(),
            port,
            settings: settings
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            running: None,
        }
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Starts it; returns the address that it says.
    pub fn start(&mut self, more: &[(&str, &str)]) -> String {
        let mut child = self
            .home
            .command()
            .args(["serve", "--receive", "shop"])
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        // Whatever else it says must find somebody who reads.
        std::thread::spawn(move || for _ in said.lines() {});
        self.running = Some(child);
        let address = line.trim().strip_prefix("API");
        address
            .unwrap_or_else(|| panic!("{line:?}"))
            .trim()
            .to_owned()
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) {
        let began = Instant::now();
        let mut child = self.running.take().unwrap();
        while child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE, "the host did not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The machine with the site.
pub struct Sender {
    pub home: Home,
    pub site: tempfile::TempDir,
    settings: Vec<(String, String)>,
}

impl Sender {
    /// One with these files, which deploys to the server at `url`.
    pub fn new(files: &[(&str, &str)], url: &str) -> Self {
        let settings = [
            ("SAYSO_DEPLOY__TARGET", "host"),
            ("SAYSO_DEPLOY__HOST__URL", url),
            ("SAYSO_DEPLOY__HOST__PROJECT", "shop"),
            ("SAYSO_HEALTH__INTERVAL", "0s"),
            ("SAYSO_HOST_TOKEN", HOST_TOKEN),
        ];
        Self {
            home: Home::new(),
            site: stage::site(files),
            settings: settings
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        }
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    pub fn commit(&self, path: &str, bytes: &[u8]) {
        let file = self.site.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
        stage::git(self.site.path(), &["add", "-A"]);
        stage::git(self.site.path(), &["commit", "-q", "-m", path]);
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.home.command();
        command
            .args(args)
            .current_dir(self.site.path())
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    pub fn sayso(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Deploys, well or not: the last event, and all of them.
    pub fn deploy(&self) -> (Value, Vec<Value>) {
        last(&self.sayso(&["deploy", "--yes", "--json"]))
    }

    /// Deploys, and it must go live: where it is served.
    pub fn live(&self) -> String {
        let (last, all) = self.deploy();
        assert_eq!(last["type"], "deploy_complete", "{all:#?}");
        last["data"]["url"].as_str().unwrap().to_owned()
    }
}

/// The last event that a program printed, and all of them.
pub fn last(output: &Output) -> (Value, Vec<Value>) {
    let text = String::from_utf8_lossy(&output.stdout);
    let all: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = all.last().cloned();
    let said = String::from_utf8_lossy(&output.stderr);
    (last.unwrap_or_else(|| panic!("no event; {said}")), all)
}

/// The page at `url`.
pub fn fetch(url: &str) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(url).send().await.unwrap();
        answer.text().await.unwrap()
    })
}

/// Bytes that cannot be packed, always the same.
pub fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as u8
    })
    .take(length)
    .collect()
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => open.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found
}
