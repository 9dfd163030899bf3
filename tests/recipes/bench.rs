//! A site, the folders of a person, and the program.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sayso::client::{Client, Endpoint};
use serde_json::Value;

use crate::stage;

pub const PAGE: &str = "<!doctype html>\n<html>\n<head><title>T</title>\n</head>\n<body>\n<h1>Hello there</h1>\n</body>\n</html>\n";

pub struct Bench {
    pub site: tempfile::TempDir,
    pub home: tempfile::TempDir,
}

impl Bench {
    pub fn new(files: &[(&str, &str)]) -> Self {
        Self {
            site: stage::site(files),
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// A site out of the folder of examples.
    pub fn of(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/sites")
            .join(name);
        let mut files = Vec::new();
        read(&folder, "", &mut files);
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        Self::new(&files)
    }

    pub fn configure(&self, text: &str) {
        let folder = self.home.path().join("config/sayso");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), text).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = stage::sayso(self.site.path(), self.home.path(), args);
        command
            .env("NO_PROXY", "127.0.0.1")
            .env_remove("ANTHROPIC_API_KEY")
            .env_remove("OPENAI_API_KEY")
            .env_remove("GOOGLE_GEMINI_API_KEY");
        command
    }

    pub fn run(&self, args: &[&str]) -> Said {
        let output = self.command(args).output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        Said {
            code: output.status.code(),
            events: out
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect(),
            all: format!("{out}\n{err}"),
        }
    }

    pub fn say(&self, words: &str) -> Said {
        self.run(&["say", "--action", "preview", "--json", words])
    }

    /// The folder that the program keeps for this site.
    pub fn state(&self) -> PathBuf {
        let projects = self.home.path().join("state/sayso/projects");
        let mut found = std::fs::read_dir(projects).unwrap();
        found.next().unwrap().unwrap().path()
    }

    /// A program that goes on serving, and a client of it.
    pub async fn serve(&self, args: &[&str]) -> (Serving, Client) {
        let child = self
            .command(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let serving = Serving(child);
        let client = stage::wait_for("the server", async || {
            let known = std::fs::read(self.state().join("server.json")).ok()?;
            let endpoint: Endpoint = serde_json::from_slice(&known).ok()?;
            let client = Client::new(endpoint).ok()?;
            client.status().await.ok()?;
            Some(client)
        })
        .await;
        (serving, client)
    }
}

fn read(folder: &Path, prefix: &str, into: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{name}/"), into);
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            into.push((name, text));
        }
    }
}

/// A child that ends with the test.
pub struct Serving(pub Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a run printed.
pub struct Said {
    pub code: Option<i32>,
    pub events: Vec<Value>,
    pub all: String,
}

impl Said {
    pub fn proposal(&self) -> &Value {
        let found = self.events.iter().find(|event| event["type"] == "proposal");
        &found.unwrap_or_else(|| panic!("no proposal in {}", self.all))["data"]
    }

    pub fn error(&self) -> &Value {
        let found = self.events.iter().find(|event| event["type"] == "error");
        &found.unwrap_or_else(|| panic!("no error in {}", self.all))["data"]
    }

    pub fn lines(&self, of: &str) -> String {
        let lines = self.proposal()[of].as_array().unwrap().iter();
        lines
            .map(|line| format!("{}\n", line.as_str().unwrap()))
            .collect()
    }

    pub fn paths(&self) -> Vec<String> {
        let files = self.proposal()["files"].as_array().unwrap().iter();
        files
            .map(|file| file["path"].as_str().unwrap().to_owned())
            .collect()
    }

    pub fn patch(&self) -> &str {
        self.proposal()["patch"].as_str().unwrap()
    }
}
