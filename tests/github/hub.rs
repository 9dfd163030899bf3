//! A repository on the stand-in, seen from the other side: what is really there.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use sayso::config::Secret;
use sayso::vcs::git::Git;
use sayso::vcs::github::{Account, Address, Cache, Cloned, Remote};
use serde_json::{Value, json};

use super::emulate_support::{Services, seed};
use super::relay::Relay;
use super::vcs_support::Site;

static SERVICES: LazyLock<Option<Mutex<Services>>> =
    LazyLock::new(|| Services::seeded(&seed(&[])).map(Mutex::new));

/// A repository `ada/site…` of its own, behind a relay.
pub struct Hub {
    pub relay: Relay,
    pub name: String,
    pub token: String,
    github: String,
}

impl Hub {
    /// `None` where the stand-in is not installed.
    pub fn new() -> Option<Arc<Self>> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let github = SERVICES.as_ref()?.lock().unwrap().github.clone();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let hub = Self {
            relay: Relay::to(&github),
            name: format!("site{count}"),
            // Limits are counted by token there.
            token: format!("ghp_canary{count}"),
            github,
        };
        hub.ask(
            "POST",
            "/user/repos",
            Some(json!({ "name": hub.name, "auto_init": true })),
        );
        Some(Arc::new(hub))
    }

    pub fn full_name(&self) -> String {
        format!("ada/{}", self.name)
    }

    pub fn account(&self) -> Account {
        Account {
            address: Address::parse(&self.full_name()).unwrap(),
            api: self.relay.url.clone(),
            token: Secret::new(&self.token),
            patience: Duration::from_secs(5),
        }
    }

    pub async fn remote(&self, cache: &Path, signed: bool) -> Remote {
        let cache = Cache::new(cache.to_owned());
        Remote::open(self.account(), "", signed, cache)
            .await
            .unwrap()
    }

    pub fn cloned(&self, git: Git, signed: bool) -> Cloned {
        let cache = Cache::new(git.root().join("../cache"));
        Cloned::new(git, "origin", self.account(), signed, cache).unwrap()
    }

    /// Asks the stand-in itself, past the relay; the body.
    pub fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, body) = self.try_ask(method, path, body);
        assert!(status < 300, "{method} {path}: {status} {body}");
        body
    }

    pub fn try_ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let (url, token, method) = (
            format!("{}{path}", self.github),
            self.token.clone(),
            method.to_owned(),
        );
        // A thread of its own: callers may be inside a runtime.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let _ = rustls::crypto::ring::default_provider().install_default();
                let client = reqwest::Client::builder().no_proxy().build().unwrap();
                let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
                let mut request = client
                    .request(method, url)
                    .header("user-agent", "tests")
                    .header("authorization", format!("Bearer {token}"));
                if let Some(body) = body {
                    request = request
                        .header("content-type", "application/json")
                        .body(body.to_string());
                }
                let response = request.send().await.unwrap();
                let status = response.status().as_u16();
                let text = response.text().await.unwrap();
                (status, serde_json::from_str(&text).unwrap_or(Value::Null))
            })
        })
        .join()
        .unwrap()
    }

    fn own(&self, path: &str) -> String {
        format!("/repos/{}{path}", self.full_name())
    }

    pub fn head(&self) -> String {
        let found = self.ask("GET", &self.own("/git/ref/heads/main"), None);
        found["object"]["sha"].as_str().unwrap().to_owned()
    }

    pub fn tree(&self) -> String {
        let commit = self.ask(
            "GET",
            &self.own(&format!("/git/commits/{}", self.head())),
            None,
        );
        commit["tree"]["sha"].as_str().unwrap().to_owned()
    }

    /// Path, mode and id of every file at the head.
    pub fn files(&self) -> Vec<(String, String, String)> {
        let route = self.own(&format!("/git/trees/{}?recursive=1", self.tree()));
        let found = self.ask("GET", &route, None);
        let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
        found["tree"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["type"] != "tree")
            .map(|entry| (text(entry, "path"), text(entry, "mode"), text(entry, "sha")))
            .collect()
    }

    pub fn read(&self, path: &str) -> String {
        use base64::Engine;
        let files = self.files();
        let (.., sha) = files
            .iter()
            .find(|(at, ..)| at == path)
            .unwrap_or_else(|| panic!("{path}"));
        let blob = self.ask("GET", &self.own(&format!("/git/blobs/{sha}")), None);
        let packed: String = blob["content"]
            .as_str()
            .unwrap()
            .split_whitespace()
            .collect();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(packed)
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Messages from the head down.
    pub fn messages(&self) -> Vec<String> {
        let mut messages = Vec::new();
        let mut next = Some(self.head());
        while let Some(sha) = next {
            let commit = self.ask("GET", &self.own(&format!("/git/commits/{sha}")), None);
            messages.push(commit["message"].as_str().unwrap().trim_end().to_owned());
            next = commit["parents"][0]["sha"].as_str().map(str::to_owned);
        }
        messages
    }

    pub fn count(&self, message: &str) -> usize {
        self.messages()
            .iter()
            .filter(|known| *known == message)
            .count()
    }

    /// Somebody else commits: these files on top of the head; the commit.
    pub fn rival(&self, files: &[(&str, &str)], message: &str) -> String {
        let head = self.head();
        let entries: Vec<Value> = files
            .iter()
            .map(|(path, text)| json!({ "path": path, "mode": "100644", "type": "blob", "content": text }))
            .collect();
        let body = json!({ "base_tree": self.tree(), "tree": entries });
        let tree = self.ask("POST", &self.own("/git/trees"), Some(body))["sha"].clone();
        let body = json!({ "message": message, "tree": tree, "parents": [head] });
        let made = self.ask("POST", &self.own("/git/commits"), Some(body));
        let commit = made["sha"].as_str().unwrap().to_owned();
        self.point(&commit);
        commit
    }

    /// Puts the branch onto any commit.
    pub fn point(&self, commit: &str) {
        let body = json!({ "sha": commit, "force": true });
        self.ask("PATCH", &self.own("/git/refs/heads/main"), Some(body));
    }

    pub fn delete_branch(&self) {
        self.try_ask("DELETE", &self.own("/git/refs/heads/main"), None);
    }

    /// A clone of a site with these files; the stand-in has the same commit.
    pub fn clone_of(&self, files: &[(&str, &str)]) -> Site {
        let site = Site::with(files.iter().copied());
        let entries: Vec<Value> = files
            .iter()
            .map(|(path, text)| json!({ "path": path, "mode": "100644", "type": "blob", "content": text }))
            .collect();
        let tree = self.ask(
            "POST",
            &self.own("/git/trees"),
            Some(json!({ "tree": entries })),
        );
        let person = json!({ "name": "Ada Lovelace", "email": "ada@example.com", "date": "2026-01-02T03:04:05Z" });
        let body = json!({
            "message": "Start\n", "tree": tree["sha"], "parents": [],
            "author": person, "committer": person,
        });
        let commit = self.ask("POST", &self.own("/git/commits"), Some(body));
        assert_eq!(commit["sha"], site.head(), "both have the same commit");
        self.point(&site.head());
        let address = format!("https://github.com/{}.git", self.full_name());
        site.git(["remote", "add", "origin", &address]);
        site
    }

    /// The same clone once more, in another folder.
    pub fn copy(&self, site: &Site) -> Site {
        let copy = Site::without_git();
        copy.git_in(
            copy.home(),
            &[
                "clone",
                "-q",
                site.root.to_str().unwrap(),
                copy.root.to_str().unwrap(),
            ],
        )
        .unwrap();
        copy.git(["config", "user.name", "Grace Hopper"]);
        copy.git(["config", "user.email", "grace@example.com"]);
        let address = format!("https://github.com/{}.git", self.full_name());
        copy.git(["remote", "set-url", "origin", &address]);
        copy
    }
}
