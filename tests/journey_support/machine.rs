//! A machine of the test's own: a home, a site in a fresh repository, and the program as a person would start it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::audio;

/// The page of the site.
pub const PAGE: &str = "<!doctype html>
<html lang=\"en\">
<head>
  <meta charset=\"utf-8\">
  <title>Juniper Lane</title>
</head>
<body>
  <h1>Plants with patience</h1>
  <p>Grown slowly on one acre.</p>
</body>
</html>
";

/// A home, a site and nothing else.
pub struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    /// A fresh one, with one commit in the site's repository.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "site", "run"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let machine = Self { folder };
        std::fs::write(machine.site().join("index.html"), PAGE).unwrap();
        std::fs::write(machine.site().join("notes.txt"), "mine\n").unwrap();
        machine.git(&["init", "-q", "-b", "main"]);
        machine.git(&["config", "user.name", "Ada Lovelace"]);
        machine.git(&["config", "user.email", "ada@example.org"]);
        machine.git(&["add", "index.html"]);
        machine.git(&["commit", "-q", "-m", "The site"]);
        machine
    }

    /// The site's repository.
    pub fn site(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    /// Writes the person's configuration.
    #[allow(dead_code, reason = "not every test changes it")]
    pub fn configure(&self, text: &str) {
        let folder = self.folder.path().join("home/config/sayso");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), text).unwrap();
    }

    /// Where a sound server may have its socket.
    pub fn run(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// Every variable that a program on this machine sees.
    pub fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let home = self.folder.path().join("home");
        let mut all = vec![
            ("PATH", std::env::var_os("PATH").unwrap_or_default().into()),
            ("LANG", "C.UTF-8".into()),
            ("TERM", "xterm-256color".into()),
            ("XDG_CONFIG_HOME", home.join("config")),
            ("XDG_STATE_HOME", home.join("state")),
            ("XDG_DATA_HOME", home.join("data")),
            ("XDG_CACHE_HOME", home.join("cache")),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("SAYSO_MODELS", audio::models()),
            ("HOME", home),
        ];
        all.extend(crate::pulse::environment(&self.run()));
        all
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(self.site())
            .env_clear()
            .envs(self.environment());
        command
    }

    /// What `git` says in the site's repository.
    pub fn git(&self, args: &[&str]) -> String {
        said(self.command("git").args(args).output().unwrap(), args)
    }

    /// What `sayso … --json` says: a second process beside the cockpit, or the only one.
    pub fn sayso(&self, args: &[&str]) -> Value {
        let mut command = self.command(env!("CARGO_BIN_EXE_sayso"));
        let text = said(command.args(args).arg("--json").output().unwrap(), args);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"))
    }

    /// Author and subject of every commit, newest first.
    pub fn log(&self) -> Vec<String> {
        let log = self.git(&["log", "--format=%an <%ae> %s"]);
        log.lines().map(str::to_owned).collect()
    }
}

fn said(output: Output, args: &[&str]) -> String {
    assert!(
        output.status.success(),
        "{args:?}: {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The page at `url`, as any browser gets it.
pub fn fetch(url: &str) -> String {
    // TLS is not spoken here, but the client wants to know who would.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(url).send().await.unwrap();
        let answer = answer.error_for_status().unwrap();
        answer.text().await.unwrap()
    })
}
