//! A site on a server, and people with tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::{Method, RequestBuilder, Response};
use sayso::config::{Layer, load_layers};
use sayso::deploy::DeployTarget;
use sayso::model::Event;
use sayso::pipeline::{Conductor, Setup};
use sayso::server::{Running, ServerOptions, serve};
use sayso::vcs::git::Git;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::stage::{self, Folder, Replace, options, wait_for};
use crate::support::{TOKEN, http};

/// Makes a token with the server's own; the answer's JSON.
pub async fn token(base: &str, body: &Value) -> Value {
    let request = http()
        .post(format!("{base}/api/tokens"))
        .bearer_auth(TOKEN)
        .json(body);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{body}");
    answer.json().await.unwrap()
}

/// The token of somebody called as their role.
pub async fn of_role(base: &str, role: &str) -> String {
    let made = token(base, &json!({ "name": role, "role": role })).await;
    made["token"].as_str().unwrap().to_owned()
}

/// A server on a repository of one page, with two environments.
pub struct Team {
    pub conductor: Arc<Conductor>,
    pub running: Running,
    shutdown: CancellationToken,
    _site: tempfile::TempDir,
    _state: tempfile::TempDir,
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Team {
    /// With the configuration `text`.
    pub async fn new(text: &str) -> Self {
        let site = stage::site(&[
            ("index.html", "<h1>one</h1>\n"),
            ("about.html", "<p>one</p>\n"),
        ]);
        let state = tempfile::tempdir().unwrap();
        let config = load_layers(&[Layer {
            name: "sayso.toml".into(),
            text: text.into(),
        }])
        .unwrap();
        let names = config.environments().unwrap().into_iter();
        let targets: BTreeMap<String, Arc<dyn DeployTarget>> = names
            .map(|one| {
                let folder = Folder::new(&state.path().join(&one.name));
                (one.name, folder as Arc<dyn DeployTarget>)
            })
            .collect();
        let conductor = Conductor::open(Setup {
            log: stage::log(state.path()),
            config,
            repo: Arc::new(Git::open_with(site.path(), options()).await.unwrap()),
            generators: vec![Arc::new(Replace)],
            transcriber: None,
            targets,
            recordings: state.path().join("recordings"),
            notices: None,
        })
        .await
        .unwrap();
        let shutdown = CancellationToken::new();
        let running = serve(
            Arc::clone(&conductor),
            ServerOptions::local(TOKEN, "Ada"),
            shutdown.clone(),
        )
        .await
        .unwrap();
        Self {
            conductor,
            running,
            shutdown,
            _site: site,
            _state: state,
        }
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.running.addr)
    }

    /// Somebody with a token of their own.
    pub async fn person(&self, name: &str, role: &str, rooms: Value) -> Person {
        let made = token(
            &self.base(),
            &json!({ "name": name, "role": role, "rooms": rooms }),
        )
        .await;
        Person {
            base: self.base(),
            token: made["token"].as_str().unwrap().to_owned(),
            id: made["id"].as_str().unwrap().to_owned(),
        }
    }

    /// Whose server it is.
    pub fn owner(&self) -> Person {
        Person {
            base: self.base(),
            token: TOKEN.to_owned(),
            id: String::new(),
        }
    }

    pub fn events(&self) -> Vec<Event> {
        self.conductor.log().read(0, 10_000).unwrap()
    }
}

/// Who asks.
pub struct Person {
    base: String,
    pub token: String,
    pub id: String,
}

impl Person {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        http()
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.request(Method::POST, path)
            .json(&body)
            .send()
            .await
            .unwrap()
    }

    /// Says something, and waits for what comes of it: the instruction.
    pub async fn say(&self, words: &str) -> Value {
        let answer = self
            .post("/api/voice-to-code", json!({ "prompt": words }))
            .await;
        assert_eq!(answer.status(), 202, "{words}");
        let accepted: Value = answer.json().await.unwrap();
        let path = format!(
            "/api/instructions/{}",
            accepted["instruction"].as_str().unwrap()
        );
        wait_for(words, async || {
            let now: Value = self.get(&path).await.json().await.unwrap();
            let moving = [
                "received",
                "transcribing",
                "understanding",
                "proposing",
                "acting",
            ];
            (!moving.contains(&now["state"].as_str().unwrap())).then_some(now)
        })
        .await
    }

    /// Proposes a change of the page; the proposal's id.
    pub async fn propose(&self, words: &str) -> String {
        let said = self.say(words).await;
        assert_eq!(said["state"], "proposed", "{said}");
        said["proposal"].as_str().unwrap().to_owned()
    }
}

/// The problem of an answer that must have `status`.
pub async fn problem(answer: Response, status: u16) -> Value {
    let url = answer.url().clone();
    let got = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap_or_default();
    assert_eq!(got, status, "{url}: {body}");
    assert!(body["hint"].is_string(), "{url}: {body}");
    body
}
