//! The npm package `emulate`, stateful stand-ins for GitHub and Vercel that nobody of this project wrote, run by one
//! node child for as long as the value lives.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// A token that the stand-ins know, of the user `ada`, with every right.
pub const TOKEN: &str = "ghp_ada000000000000000000000000000000000";

/// How often a start is tried: another process may take a port between the look for it and its use.
const TRIES: usize = 10;

/// The two services.
pub struct Services {
    /// Address of GitHub's API, without a slash at the end.
    pub github: String,
    /// Address of Vercel's API, without a slash at the end.
    pub vercel: String,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Services {
    /// The services with the user `ada` and an empty-but-for-its-readme repository `ada/site`; `None`, said on
    /// standard output, where the package is not installed.
    pub fn start() -> Option<Self> {
        Self::seeded(&seed(&["site"]))
    }

    /// The services with a seed of one's own.
    pub fn seeded(seed: &Value) -> Option<Self> {
        if !folder().join("node_modules/emulate").is_dir() {
            println!("SKIPPED: the package emulate is not installed: scripts/setup.sh test");
            return None;
        }
        (0..TRIES).find_map(|_| Self::try_start(seed)).or_else(|| {
            panic!("the emulators of GitHub and Vercel did not start");
        })
    }

    fn try_start(seed: &Value) -> Option<Self> {
        let mut child = Command::new("node")
            .arg("emulate.mjs")
            .current_dir(folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        // From here on its end is waited for, whatever happens: see `drop`.
        let mut services = Self {
            github: String::new(),
            vercel: String::new(),
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().expect("it is piped")),
            child,
        };
        let input = services.input.as_mut().expect("it is piped");
        writeln!(input, "{seed}").ok()?;
        let mut line = String::new();
        // A process that lost its port has ended: its output is empty.
        if services.output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let addresses: Value = serde_json::from_str(&line).ok()?;
        addresses["github"]
            .as_str()?
            .clone_into(&mut services.github);
        addresses["vercel"]
            .as_str()?
            .clone_into(&mut services.vercel);
        Some(services)
    }

    /// Brings back what was there at the start.
    pub fn reset(&mut self) {
        let input = self.input.as_mut().expect("it runs");
        writeln!(input, "reset").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "done");
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // Its input's end would end it too; it must not outlive the test while connections are open.
        self.input.take();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A seed with the user `ada`, her token, and public repositories of hers with a readme on `main`.
pub fn seed(repositories: &[&str]) -> Value {
    let repositories: Vec<Value> = repositories
        .iter()
        .map(|name| {
            json!({
                "owner": "ada", "name": name, "auto_init": true, "default_branch": "main",
            })
        })
        .collect();
    json!({
        "tokens": { TOKEN: { "login": "ada", "scopes": ["repo", "workflow"] } },
        "github": {
            "users": [{ "login": "ada", "name": "Ada Lovelace", "email": "ada@example.com" }],
            "repos": repositories,
        },
        "vercel": {
            "users": [{ "username": "ada", "name": "Ada Lovelace", "email": "ada@example.com" }],
            "projects": [{ "name": "site" }],
        },
    })
}

/// Where the node side of it lies.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/services")
}

/// What was started is not waited for longer than this.
pub const DEADLINE: Duration = Duration::from_secs(30);
