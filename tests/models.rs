//! Changes made by language models, through the real program: against the npm package `@copilotkit/aimock`, which speaks all
//! four APIs and which nobody of this project wrote, and against a small server for what it does not send.
#![cfg(unix)]

mod stage;

#[path = "models/agent.rs"]
mod agent;
#[path = "models/doubles.rs"]
mod doubles;
#[path = "models/judge.rs"]
mod judge;
#[path = "models/mutated.rs"]
mod mutated;
#[path = "models/opencode.rs"]
mod opencode;
#[path = "models/stream.rs"]
mod stream;
#[path = "models/versions.rs"]
mod versions;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use stage::site;

/// A key that must never be seen again.
const CANARY: &str = "canary-5d1f0c";

/// A site and the folders of a person.
struct Bench {
    site: tempfile::TempDir,
    home: tempfile::TempDir,
}

const PAGE: &str = "<html><body>\n<h1>Hello there</h1>\n<p>Some text.</p>\n</body></html>\n";

impl Bench {
    /// The site, with all services at `url`.
    fn new(url: &str, files: &[(&str, &str)]) -> Self {
        let text = format!(
            "[generate.anthropic]\nurl = \"{url}\"\n[generate.openai]\nurl = \"{url}/v1\"\n[generate.gemini]\nurl = \"{url}\"\n\
             [generate.compatible]\nurl = \"{url}/v1\"\nmodel = \"local\"\n"
        );
        Self::with(&text, files)
    }

    /// The site, with this configuration of the person's.
    fn with(config: &str, files: &[(&str, &str)]) -> Self {
        let bench = Self {
            site: site(files),
            home: tempfile::tempdir().unwrap(),
        };
        let folder = bench.home.path().join("config/sayso");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), config).unwrap();
        bench
    }

    /// Adds to the person's configuration.
    fn configure(&self, text: &str) {
        use std::io::Write;
        let path = self.home.path().join("config/sayso/config.toml");
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = stage::sayso(self.site.path(), self.home.path(), args);
        command
            .env("ANTHROPIC_API_KEY", CANARY)
            .env("OPENAI_API_KEY", CANARY)
            .env("GOOGLE_GEMINI_API_KEY", CANARY)
            .env("NO_PROXY", "127.0.0.1");
        command
    }

    fn say(&self, engine: &str, words: &str) -> Said {
        Said::of(
            self.command(&[
                "say", "--engine", engine, "--action", "preview", "--json", words,
            ])
            .output()
            .unwrap(),
        )
    }
}

/// What a run printed.
struct Said {
    code: Option<i32>,
    events: Vec<Value>,
    all: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        Self {
            code: output.status.code(),
            events: out
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect(),
            all: format!("{out}\n{err}"),
        }
    }

    fn proposal(&self) -> &Value {
        let found = self.events.iter().find(|event| event["type"] == "proposal");
        &found.unwrap_or_else(|| panic!("no proposal in {}", self.all))["data"]
    }

    fn error(&self) -> &Value {
        let found = self.events.iter().find(|event| event["type"] == "error");
        &found.unwrap_or_else(|| panic!("no error in {}", self.all))["data"]
    }

    fn notices(&self) -> String {
        let all = self.events.iter().filter(|event| event["type"] == "notice");
        all.map(|event| event["data"]["message"].to_string())
            .collect()
    }
}

/// The arguments of a call that replaces one text.
fn edit(file: &str, old: &str, new: &str) -> Value {
    json!({
        "note": "Soften the heading",
        "cannot": "",
        "edits": [{ "file": file, "old": old, "new": new }],
        "new_files": [],
        "delete_files": [],
    })
}

/// No file below `folder` holds the key.
fn no_key_in(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            no_key_in(&path);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let held = bytes
                .windows(CANARY.len())
                .any(|window| window == CANARY.as_bytes());
            assert!(!held, "{}", path.display());
        }
    }
}
