//! A scripted Vercel.
//!
//! It follows Vercel's SDK (github.com/vercel/sdk: paths and bodies) and what its command line does
//! (github.com/vercel/vercel, packages/client and packages/cli): `POST /v2/files` by digest, `POST /v13/deployments` with
//! `missing_files`, states QUEUED to READY, `GET /v3/deployments/{id}/events` as newline-delimited JSON with a last
//! `alias-assigned`, `lastAliasRequest` after promote and rollback, `autoAssignCustomDomains` false after a rollback.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::response::Response;
use sayso::deploy::{VercelOptions, VercelTarget};
use serde_json::{Value, json};

use super::described;
use super::rig::{health, pace, secrets, token};
use super::service::{Script, Seen, Service, page, reply, vercel_error};

pub const PROJECT: &str = "prj_1";

/// One deployment there.
#[derive(Clone, Debug)]
pub struct Deployment {
    pub id: String,
    pub body: Value,
    /// The states that the next reads answer; the last one stays.
    pub states: Vec<Value>,
    pub page: String,
    pub at: i64,
}

#[derive(Default)]
pub struct World {
    pub files: HashSet<String>,
    pub deployments: Vec<Deployment>,
    /// What the states of a new deployment are.
    pub plan: Vec<Value>,
    /// The event stream's chunks; each connection gets those that are left.
    pub events: Vec<Bytes>,
    /// Connections to the stream stay open at the end.
    pub hold: bool,
    /// The deployment that production's address leads to.
    pub live: Option<String>,
    /// What production answers whatever it leads to.
    pub production: Option<(u16, String)>,
    pub pinned: bool,
    /// Names the project's last alias request.
    pub request: Value,
    /// What a request's job status goes through.
    pub jobs: Vec<&'static str>,
    pub checks: Value,
    /// What the token says of itself; null when it may not ask.
    pub token: Value,
    pub contents: BTreeMap<String, String>,
    /// Requests that Vercel's SDK does not know.
    pub complaints: Vec<String>,
}

pub struct Vercel {
    pub base: String,
    pub world: Mutex<World>,
    /// When the stream said that the aliases are assigned.
    pub said: Arc<Mutex<Option<Instant>>>,
}

impl Vercel {
    pub fn new(base: &str) -> Self {
        let world = World {
            plan: states(&["QUEUED", "INITIALIZING", "BUILDING", "READY", "LIVE"]),
            jobs: vec!["pending", "in-progress", "succeeded"],
            ..World::default()
        };
        Self {
            base: base.to_owned(),
            world: Mutex::new(world),
            said: Arc::default(),
        }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// A deployment that was made there, and is live.
    pub fn made_there(&self, id: &str, page: &str, extra: Value) {
        let mut body = json!({"target": "production", "meta": {"githubCommitSha": format!("commit-of-{id}")}, "creator": {"username": "ada"}});
        merge(&mut body, &extra);
        let mut world = self.world();
        let at = 1_700_000_000_000 + world.deployments.len() as i64 * 1000;
        world.deployments.push(Deployment {
            id: id.to_owned(),
            body,
            states: states(&["LIVE"]),
            page: page.to_owned(),
            at,
        });
        world.live = Some(id.to_owned());
    }

    fn show(&self, world: &mut World, id: &str, step: bool) -> Value {
        let base = &self.base;
        let live = {
            let deployment = world
                .deployments
                .iter_mut()
                .find(|one| one.id == id)
                .unwrap();
            let mut value = json!({
                "id": id, "uid": id, "url": format!("{base}/d/{id}"), "createdAt": deployment.at, "created": deployment.at,
                "inspectorUrl": format!("{base}/inspect/{id}"),
                "alias": [base], "meta": deployment.body["meta"], "target": deployment.body["target"],
                "creator": deployment.body["creator"],
            });
            merge(&mut value, &deployment.states[0]);
            if step && deployment.states.len() > 1 {
                deployment.states.remove(0);
            }
            value
        };
        if live["aliasAssigned"].as_bool() == Some(true)
            && live["target"] == "production"
            && !world.pinned
        {
            let newest = world.deployments.last().is_some_and(|one| one.id == id);
            if newest {
                world.live = Some(id.to_owned());
            }
        }
        live
    }

    fn create(&self, request: &Seen) -> Response {
        let body = request.json();
        let mut world = self.world();
        if body["name"].as_str().is_none_or(str::is_empty) {
            return reply(400, &vercel_error("bad_request", "name is required"));
        }
        let mut text = String::new();
        if let Some(files) = body["files"].as_array() {
            let mut missing: Vec<&str> = files
                .iter()
                .filter_map(|file| file["sha"].as_str())
                .collect();
            missing.retain(|sha| !world.files.contains(*sha));
            missing.sort_unstable();
            missing.dedup();
            if !missing.is_empty() {
                return reply(
                    400,
                    &json!({"error": {"code": "missing_files", "message": "Missing files", "missing": missing}}),
                );
            }
            for file in files.iter().filter(|file| file["file"] == "index.html") {
                text = match (file["sha"].as_str(), file["data"].as_str()) {
                    (Some(sha), _) => world.contents[sha].clone(),
                    (_, Some(data)) => data.to_owned(),
                    _ => String::new(),
                };
            }
        } else if body["gitSource"]["sha"].is_string() {
            text = format!("page of {}", body["gitSource"]["sha"]);
        } else if let Some(id) = body["deploymentId"].as_str() {
            let old = world.deployments.iter().find(|one| one.id == id);
            let Some(old) = old else {
                return reply(404, &vercel_error("not_found", "no such deployment"));
            };
            text = old.page.clone();
        }
        let id = format!("dpl_{}", world.deployments.len() + 1);
        let states = world.plan.clone();
        let at = jiff::Timestamp::now().as_millisecond();
        world.deployments.push(Deployment {
            id: id.clone(),
            body,
            states,
            page: text,
            at,
        });
        let shown = self.show(&mut world, &id, false);
        reply(200, &shown)
    }

    fn events(&self) -> Response {
        let (chunks, hold) = {
            let mut world = self.world();
            (std::mem::take(&mut world.events), world.hold)
        };
        let said = Arc::clone(&self.said);
        let stream = futures::stream::unfold(
            (chunks.into_iter(), hold, said),
            |(mut chunks, hold, said)| async move {
                match chunks.next() {
                    Some(chunk) => {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        if chunk.windows(14).any(|window| window == b"alias-assigned") {
                            *said.lock().unwrap() = Some(Instant::now());
                        }
                        Some((Ok::<_, std::io::Error>(chunk), (chunks, hold, said)))
                    }
                    None if hold => futures::future::pending().await,
                    None => None,
                }
            },
        );
        Response::builder()
            .header("content-type", "application/stream+json")
            .body(Body::from_stream(stream))
            .unwrap()
    }

    fn move_to(&self, kind: &str, id: &str) -> Response {
        let mut world = self.world();
        let at = jiff::Timestamp::now().as_millisecond();
        world.request = json!({"type": kind, "toDeploymentId": id, "requestedAt": at, "jobStatus": world.jobs[0]});
        reply(201, &Value::Null)
    }

    fn project(&self) -> Response {
        let mut world = self.world();
        let status = world.request["jobStatus"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let at = world.jobs.iter().position(|job| *job == status);
        let answer = json!({"id": PROJECT, "autoAssignCustomDomains": !world.pinned, "lastAliasRequest": world.request});
        if let Some(next) = at.and_then(|at| world.jobs.get(at + 1).copied()) {
            world.request["jobStatus"] = json!(next);
            if next == "succeeded" {
                world.live = world.request["toDeploymentId"].as_str().map(str::to_owned);
                world.pinned = world.request["type"] == "rollback";
            }
        }
        reply(200, &answer)
    }
}

impl Script for Vercel {
    fn answer(&self, request: &Seen) -> Response {
        let parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        // The site itself, as visitors see it.
        match parts.as_slice() {
            [""] => {
                let world = self.world();
                if let Some((status, text)) = &world.production {
                    return page(*status, text);
                }
                let live = world
                    .deployments
                    .iter()
                    .find(|one| Some(&one.id) == world.live.as_ref());
                return live.map_or_else(|| page(404, "NOT_FOUND"), |one| page(200, &one.page));
            }
            ["d", id] | ["d", id, ""] => {
                let world = self.world();
                let one = world.deployments.iter().find(|one| one.id == *id);
                return one.map_or_else(|| page(404, "NOT_FOUND"), |one| page(200, &one.page));
            }
            _ => {}
        }
        if request.header("authorization") != Some(&format!("Bearer {}", super::rig::CANARY)) {
            return reply(401, &vercel_error("forbidden", "Not authorized"));
        }
        // What only Vercel's command line sends, and the list that an older service has.
        let of_its_own = |text: &String| {
            text.ends_with("no parameter format") || text.starts_with("GET /v6/deployments")
        };
        let mut complaints = described::complaints("vercel-api.json", request);
        complaints.retain(|text| !of_its_own(text));
        self.world().complaints.extend(complaints);
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["v2", "files"]) => {
                use sha1::{Digest, Sha1};
                let digest: String = Sha1::digest(&request.body)
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                if request.header("x-vercel-digest") != Some(&digest) {
                    return reply(
                        400,
                        &vercel_error("api-upload-digest", "the digest is wrong"),
                    );
                }
                let mut world = self.world();
                world.contents.insert(
                    digest.clone(),
                    String::from_utf8_lossy(&request.body).into_owned(),
                );
                world.files.insert(digest);
                reply(200, &json!({}))
            }
            ("POST", ["v13", "deployments"]) => self.create(request),
            ("GET", ["v13", "deployments", name]) => {
                let mut world = self.world();
                let host = self.base.trim_start_matches("http://");
                let id = if *name == host {
                    world.live.clone().unwrap_or_default()
                } else {
                    (*name).to_owned()
                };
                if !world.deployments.iter().any(|one| one.id == id) {
                    return reply(404, &vercel_error("not_found", "Deployment not found"));
                }
                let step = *name != host;
                let shown = self.show(&mut world, &id, step);
                reply(200, &shown)
            }
            ("GET", ["v7", "deployments"]) => {
                let mut world = self.world();
                let ids: Vec<String> = world
                    .deployments
                    .iter()
                    .rev()
                    .map(|one| one.id.clone())
                    .collect();
                let rows: Vec<Value> = ids
                    .iter()
                    .map(|id| self.show(&mut world, id, false))
                    .collect();
                reply(200, &json!({ "deployments": rows, "pagination": {} }))
            }
            ("GET", ["v3", "deployments", _, "events"]) => self.events(),
            ("PATCH", ["v12", "deployments", id, "cancel"]) => {
                let mut world = self.world();
                let one = world
                    .deployments
                    .iter_mut()
                    .find(|one| one.id == *id)
                    .unwrap();
                if ["READY", "ERROR", "CANCELED"]
                    .contains(&one.states[0]["readyState"].as_str().unwrap())
                {
                    return reply(400, &vercel_error("bad_request", "it is over"));
                }
                one.states = states(&["CANCELED"]);
                reply(200, &json!({}))
            }
            ("GET", ["v1", "deployments", _, "checks"]) => reply(200, &self.world().checks),
            ("GET", ["v2", "user"]) => reply(200, &json!({"user": {"username": "ada"}})),
            ("GET", ["v5", "user", "tokens", "current"]) => match &self.world().token {
                Value::Null => reply(403, &vercel_error("forbidden", "Not authorized")),
                token => reply(200, &json!({ "token": token })),
            },
            ("GET", ["v9", "projects", _]) => self.project(),
            ("POST", ["v10", "projects", _, "promote", id]) => self.move_to("promote", id),
            ("POST", ["v1", "projects", _, "rollback", id]) => self.move_to("rollback", id),
            _ => reply(404, &vercel_error("not_found", &request.line())),
        }
    }
}

pub fn merge(into: &mut Value, from: &Value) {
    for (key, value) in from.as_object().into_iter().flatten() {
        into[key] = value.clone();
    }
}

/// `readyState`s; `LIVE` is READY with aliases assigned.
pub fn states(words: &[&str]) -> Vec<Value> {
    let state = |word: &&str| match *word {
        "LIVE" => {
            json!({"readyState": "READY", "aliasAssigned": true, "readySubstate": "PROMOTED"})
        }
        "STAGED" => {
            json!({"readyState": "READY", "aliasAssigned": false, "readySubstate": "STAGED"})
        }
        word => json!({"readyState": word, "aliasAssigned": false}),
    };
    words.iter().map(state).collect()
}

pub fn line(value: Value) -> Bytes {
    Bytes::from(format!("{value}\n"))
}

pub struct Rig {
    pub service: Service<Vercel>,
    pub target: Arc<VercelTarget>,
    pub state: tempfile::TempDir,
}

/// Every request that was sent is one that Vercel's own SDK knows.
impl Drop for Rig {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let complaints = std::mem::take(&mut self.service.script.world().complaints);
            assert!(complaints.is_empty(), "{complaints:?}");
        }
    }
}

pub async fn rig() -> Rig {
    rig_with(|_| {}).await
}

pub async fn rig_with(change: impl FnOnce(&mut VercelOptions)) -> Rig {
    let service = Service::start(Vercel::new).await;
    let state = tempfile::tempdir().unwrap();
    let mut options = options(&service.url, state.path());
    change(&mut options);
    let target = VercelTarget::open(options).unwrap();
    Rig {
        service,
        target,
        state,
    }
}

pub fn options(url: &url::Url, state: &std::path::Path) -> VercelOptions {
    VercelOptions {
        base: url.clone(),
        token: token(),
        environment: "production".to_owned(),
        project: PROJECT.to_owned(),
        team: Some("team_1".to_owned()),
        place: "production".to_owned(),
        git: false,
        repository: Some(("ada".to_owned(), "shop".to_owned())),
        url: None,
        bypass: None,
        time_limit: Duration::from_secs(30),
        health: health(),
        state_dir: state.to_owned(),
        secrets: secrets(),
        pace: pace(),
    }
}
