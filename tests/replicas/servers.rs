//! Three `sayso serve` on one site: they answer alike, and one that is killed is missed by nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::nats::{Nats, free_port};
use crate::rig::Clients;
use crate::stage::{git, git_env, site};

/// How long what must happen may take.
const DEADLINE: Duration = Duration::from_secs(60);
pub const TOKEN: &str = "the-token-of-these-servers";

pub struct Replica {
    command: Command,
    child: Child,
    call: Call,
    _state: tempfile::TempDir,
}

/// The way to a server.
#[derive(Clone)]
pub struct Call {
    http: reqwest::Client,
    pub url: String,
}

impl Replica {
    pub fn start(nats: &Nats, site: &Path, failpoint: &str) -> Self {
        // A second call finds the provider installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (port, state) = (free_port(), tempfile::tempdir().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_sayso"));
        command
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .current_dir(site)
            .envs(git_env())
            .env("XDG_STATE_HOME", state.path().join("state"))
            .env("XDG_CACHE_HOME", state.path().join("cache"))
            .env("XDG_CONFIG_HOME", state.path().join("config"))
            .env("SAYSO_HEALTH__WATCH", "0s")
            .env("SAYSO_EVENTS__BACKEND", "nats")
            .env("SAYSO_EVENTS__URL", nats.url())
            .env("SAYSO_EVENTS__REPLICAS", nats.replicas().to_string())
            .env(
                "SAYSO_EVENTS__ADVERTISE",
                format!("http://127.0.0.1:{port}"),
            )
            .env("SAYSO_TOKEN", TOKEN)
            .env(
                "SAYSO_TOKEN_SECRET",
                "a-secret-of-at-least-thirty-two-characters",
            )
            .env("SAYSO_FAILPOINT", failpoint)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let child = command.spawn().unwrap();
        Self {
            command,
            child,
            call: Call {
                http: reqwest::Client::new(),
                url: format!("http://127.0.0.1:{port}/"),
            },
            _state: state,
        }
    }

    pub fn call(&self) -> Call {
        self.call.clone()
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn ended(&mut self) -> ExitStatus {
        until("the server ends", async || self.child.try_wait().unwrap()).await
    }

    pub fn again(&mut self) {
        self.child = self.command.env("SAYSO_FAILPOINT", "").spawn().unwrap();
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }
}

impl std::ops::Deref for Replica {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl Call {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        key: &str,
    ) -> Option<(StatusCode, Value)> {
        let mut call = self
            .http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(TOKEN)
            .timeout(Duration::from_secs(20));
        if !key.is_empty() {
            call = call.header("Idempotency-Key", key);
        }
        if !body.is_null() {
            call = call.json(body);
        }
        let answer = call.send().await.ok()?;
        let status = answer.status();
        Some((status, answer.json().await.unwrap_or(Value::Null)))
    }

    pub async fn get(&self, path: &str) -> Value {
        until(&format!("GET {path} at {}", self.url), async || {
            let (status, body) = self.ask(Method::GET, path, &Value::Null, "").await?;
            (status == StatusCode::OK).then_some(body)
        })
        .await
    }

    /// Posts until it is answered, as a client does that has a key for what it sends.
    async fn send(&self, path: &str, body: &Value, key: &str) -> Value {
        until(&format!("POST {path} at {}", self.url), async || {
            let (status, body) = self.ask(Method::POST, path, body, key).await?;
            if status == StatusCode::SERVICE_UNAVAILABLE {
                return None;
            }
            assert!(status.is_success(), "{status} {body}");
            Some(body)
        })
        .await
    }

    /// Gives an instruction, once.
    pub async fn post(&self, body: &Value, key: &str) -> Option<(StatusCode, Value)> {
        self.ask(Method::POST, "api/voice-to-code", body, key).await
    }

    pub async fn events(&self) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let page = self
                .get(&format!("api/events?limit=500&after={after}"))
                .await;
            let events = page["events"].as_array().unwrap().clone();
            let Some(last) = events.last() else {
                return all;
            };
            after = last["seq"].as_u64().unwrap();
            all.extend(events);
        }
    }

    /// Waits until it knows who conducts.
    pub async fn conducted(&self) -> String {
        until("somebody conducts", async || {
            Some(self.conductor().await).filter(|url| !url.is_empty())
        })
        .await
    }

    pub async fn conductor(&self) -> String {
        let status = self.get("api/status").await;
        status["conductor"].as_str().unwrap_or_default().to_owned()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // Dead already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < DEADLINE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

fn of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["type"] == kind)
        .collect()
}

/// Waits until all have the same events, and returns them.
pub async fn same(all: &[Call]) -> Vec<Value> {
    until("all have the same events", async || {
        let first = all[0].events().await;
        for other in &all[1..] {
            if other.events().await != first {
                return None;
            }
        }
        Some(first)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conductor_that_is_killed_in_the_midst_of_a_deployment_is_taken_over() {
    let Some(nats) = Nats::start() else { return };
    let site = site(&[("index.html", "<h1>one</h1>\n")]);
    let first = Replica::start(&nats, site.path(), "deploy.built");
    until("the first one conducts", async || {
        (first.conductor().await == first.url).then_some(())
    })
    .await;
    let others = [(); 2].map(|()| Replica::start(&nats, site.path(), ""));
    let [second, third] = others;
    let mut all = [first, second, third];
    for replica in &all {
        until("all know who conducts", async || {
            (replica.conductor().await == all[0].url).then_some(())
        })
        .await;
    }
    // People at all three give instructions, over the change of the conductor.
    let write =
        |name: &str| json!({ "prompt": format!("change one to {name}"), "action": "preview" });
    let mut given: BTreeMap<String, Value> = BTreeMap::new();
    for (n, replica) in all.iter().enumerate() {
        let key = format!("before-{n}");
        let answer = replica.send("api/voice-to-code", &write(&key), &key).await;
        // What was answered is to be found at once, at the server that was asked.
        let id = answer["instruction"].as_str().unwrap().to_owned();
        assert_eq!(
            replica.get(&format!("api/instructions/{id}")).await["id"],
            id.as_str()
        );
        given.insert(key, answer["instruction"].clone());
    }
    // A person's token, made at one, is good at the others, and revoked it is good nowhere.
    let create = json!({ "name": "Bob", "role": "viewer" });
    let made = all[2].send("api/tokens", &create, "").await;
    let who = async |replica: &Replica| {
        let me = reqwest::Client::new().get(format!("{}api/me", replica.url));
        let token = made["token"].as_str().unwrap();
        me.bearer_auth(token)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    for replica in &all {
        until("the token is good", async || {
            (who(replica).await == 200).then_some(())
        })
        .await;
    }
    let id = made["info"]["id"].as_str().or(made["id"].as_str()).unwrap();
    let path = format!("api/tokens/{id}");
    let revoked = all[1].ask(Method::DELETE, &path, &Value::Null, "").await;
    assert_eq!(revoked.unwrap().0, StatusCode::OK);
    for replica in &all {
        until("the token is revoked", async || {
            (who(replica).await == 401).then_some(())
        })
        .await;
    }
    // The deployment ends its server; whether the answer still came does not matter.
    let head = git(site.path(), &["rev-parse", "HEAD"]);
    let _ = all[1]
        .ask(Method::POST, "api/sync/deploy", &json!({}), "")
        .await;
    assert_eq!(all[0].ended().await.signal(), Some(6));
    let [_, second, third] = &all;
    let posts = (0..6).map(|n| {
        let (key, replica) = (
            format!("during-{n}"),
            if n % 2 == 0 { second } else { third },
        );
        let body = write(&key);
        async move {
            let answer = replica.send("api/voice-to-code", &body, &key).await;
            (key, answer["instruction"].clone())
        }
    });
    given.extend(futures::future::join_all(posts).await);
    let live = until("the deployment is live", async || {
        let status = all[1].get("api/status").await;
        let live = status["live"].as_array()?.first()?.clone();
        status["deployments"].as_array()?.is_empty().then_some(live)
    })
    .await;
    assert_eq!(live["commit"], head.trim());
    let now = all[1].conducted().await;
    assert!(now == all[1].url || now == all[2].url, "{now}");
    // The one that was killed comes back, and has what it missed.
    all[0].again();
    let events = same(&all.each_ref().map(Replica::call)).await;
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], at + 1);
    }
    assert_eq!(of(&events, "deploy_start").len(), 1);
    assert_eq!(of(&events, "deploy_complete").len(), 1);
    // Each key led to one instruction, wherever it is sent again.
    let ids: BTreeSet<&str> = given.values().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(ids.len(), given.len());
    let known: BTreeSet<&str> = events
        .iter()
        .filter_map(|event| event["instruction"].as_str())
        .collect();
    assert!(known.is_subset(&ids), "{known:?} {ids:?}");
    for (n, (key, id)) in given.iter().enumerate() {
        let again = all[n % 3].send("api/voice-to-code", &write(key), key).await;
        assert_eq!(again["instruction"], *id, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_the_same_at_every_server_and_go_on_when_one_is_killed() {
    let Some(nats) = Nats::start() else { return };
    let Some(clients) = Clients::start() else {
        return;
    };
    let site = site(&[("index.html", "<h1>one</h1>\n")]);
    let mut all = [(); 3].map(|()| Replica::start(&nats, site.path(), ""));
    let names = ["w0", "w1", "w2"];
    for (name, replica) in names.iter().zip(&all) {
        replica.conducted().await;
        let url = format!(
            "ws://{}",
            replica
                .url
                .trim_end_matches('/')
                .trim_start_matches("http://")
        );
        clients.open(name, &url, "notes", TOKEN).await;
    }
    const PAGE: &str = "page.txt";
    const MARKS: u64 = 40;
    clients
        .until("w0", "it is there", |state| state["synced"] == true)
        .await;
    clients
        .tell("make", "w0", json!({ "path": PAGE, "text": "" }))
        .await;
    for name in names {
        clients.until_text(name, PAGE, "").await;
        let more = json!({ "path": PAGE, "count": MARKS, "every": 50 });
        clients.tell("write", name, more).await;
    }
    let half = |state: &Value| state["written"].as_u64() >= Some(MARKS / 2);
    clients.until("w1", "it writes", half).await;
    // In the midst of the writing the one is killed where the room is.
    let at = all[0].conducted().await;
    let killed = all.iter().position(|replica| replica.url == at).unwrap();
    all[killed].kill();
    all[killed].again();
    for name in names {
        let done = |state: &Value| state["written"] == MARKS && state["synced"] == true;
        clients
            .until(name, "it has written all, and told it", done)
            .await;
    }
    let wanted: BTreeMap<String, usize> = names
        .iter()
        .flat_map(|name| (0..MARKS).map(move |n| (format!("{name}.{n}"), 1)))
        .collect();
    until("all have the same text", async || {
        let mut texts = BTreeSet::new();
        for name in names {
            texts.insert(clients.state(name).await["texts"][PAGE].to_string());
        }
        (texts.len() == 1).then_some(())
    })
    .await;
    let text = clients.state("w0").await["texts"][PAGE].clone();
    let mut marks: BTreeMap<String, usize> = BTreeMap::new();
    for mark in text
        .as_str()
        .unwrap()
        .split(['[', ']'])
        .filter(|mark| !mark.is_empty())
    {
        *marks.entry(mark.to_owned()).or_insert(0) += 1;
    }
    assert_eq!(marks, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conductor_that_slept_too_long_starts_anew_and_follows() {
    let Some(nats) = Nats::start() else { return };
    let site = site(&[("index.html", "<h1>one</h1>\n")]);
    let first = Replica::start(&nats, site.path(), "");
    until("the first one conducts", async || {
        (first.conductor().await == first.url).then_some(())
    })
    .await;
    let second = Replica::start(&nats, site.path(), "");
    second.get("api/status").await;
    first.signal("-STOP");
    let body = json!({ "prompt": "change one to two", "action": "preview" });
    let answer = second.send("api/voice-to-code", &body, "k1").await;
    first.signal("-CONT");
    // As before in its own place, but it hands on what it gets.
    until("it knows who conducts", async || {
        (first.conductor().await == second.url).then_some(())
    })
    .await;
    let again = first.send("api/voice-to-code", &body, "k1").await;
    assert_eq!(again, answer);
    same(&[first.call(), second.call()]).await;
}
