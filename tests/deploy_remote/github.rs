//! A scripted GitHub: workflows, runs, jobs and steps as its REST description has them (docs.github.com/rest/actions).

use std::sync::{Mutex, MutexGuard};

use axum::body::Body;
use axum::response::Response;
use serde_json::{Value, json};

use super::described;
use super::rig::CANARY;
use super::service::{Script, Seen, page, reply};

pub const HEAD: &str = "0000000000000000000000000000000000000003";

pub struct Run {
    pub id: u64,
    pub attempt: u64,
    pub event: &'static str,
    pub commit: String,
    /// What the next reads show; the last one stays.
    pub shown: Vec<Value>,
    pub jobs: Vec<Value>,
}

#[derive(Default)]
pub struct World {
    pub head: String,
    pub runs: Vec<Run>,
    /// What a new run goes through, and its jobs beside it.
    pub plan: Vec<Value>,
    pub jobs: Vec<Value>,
    /// The answer to a dispatch names the run.
    pub details: bool,
    /// An older service, which does not know the field that asks for it.
    pub old: bool,
    pub log: String,
    /// The address that the workflow's own deployment names.
    pub environment_url: Option<String>,
    /// The address that a newer deployment of the same commit names, made by another run.
    pub other_url: Option<String>,
    pub complaints: Vec<String>,
}

pub struct GitHub {
    pub base: String,
    pub world: Mutex<World>,
}

pub fn status(status: &str, conclusion: Option<&str>) -> Value {
    json!({ "status": status, "conclusion": conclusion })
}

pub fn job(name: &str, how: &Value, steps: &[(&str, &Value)]) -> Value {
    let steps: Vec<Value> = steps
        .iter()
        .map(|(name, how)| {
            json!({"name": name, "status": how["status"], "conclusion": how["conclusion"],
                "started_at": "2026-01-01T00:00:00Z", "completed_at": "2026-01-01T00:00:05Z"})
        })
        .collect();
    json!({"id": 71, "name": name, "status": how["status"], "conclusion": how["conclusion"], "steps": steps})
}

impl GitHub {
    pub fn new(base: &str) -> Self {
        let good = status("completed", Some("success"));
        let world = World {
            head: HEAD.to_owned(),
            plan: vec![
                status("queued", None),
                status("in_progress", None),
                good.clone(),
            ],
            jobs: vec![
                json!([]),
                json!([job(
                    "build",
                    &status("in_progress", None),
                    &[
                        ("npm ci", &good),
                        ("npm run build", &status("in_progress", None))
                    ]
                )]),
                json!([job(
                    "build",
                    &good,
                    &[("npm ci", &good), ("npm run build", &good)]
                )]),
            ],
            details: true,
            environment_url: Some(base.to_owned()),
            ..World::default()
        };
        Self {
            base: base.to_owned(),
            world: Mutex::new(world),
        }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn show(&self, run: &Run) -> Value {
        let mut value = json!({
            "id": run.id, "run_attempt": run.attempt, "event": run.event, "head_sha": run.commit, "head_branch": "main",
            "name": "Deploy", "display_title": "Deploy production", "actor": {"login": "ada"},
            "html_url": format!("{}/runs/{}", self.base, run.id),
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:10Z",
        });
        super::vercel_world::merge(&mut value, &run.shown[0]);
        value
    }

    pub fn add(&self, event: &'static str) -> u64 {
        let mut world = self.world();
        let id = 100 + world.runs.len() as u64;
        let (shown, jobs, commit) = (world.plan.clone(), world.jobs.clone(), world.head.clone());
        world.runs.push(Run {
            id,
            attempt: 1,
            event,
            commit,
            shown,
            jobs,
        });
        id
    }
}

impl Script for GitHub {
    fn answer(&self, request: &Seen) -> Response {
        if request.path.starts_with("/repos/") {
            self.world()
                .complaints
                .extend(described::complaints("github-api.json", request));
        }
        let path = request.path.trim_matches('/').to_owned();
        // The site itself.
        if path.is_empty() {
            return page(200, "the site");
        }
        if path.starts_with("blob/") {
            assert!(
                request.header("authorization").is_none(),
                "another host must not get the token"
            );
            return Response::builder()
                .body(Body::from(self.world().log.clone()))
                .unwrap();
        }
        if request.header("authorization") != Some(&format!("Bearer {CANARY}")) {
            return reply(401, &json!({"message": "Bad credentials"}));
        }
        if path == "repos/ada/shop" {
            return reply(200, &json!({"default_branch": "main"}));
        }
        let Some(rest) = path.strip_prefix("repos/ada/shop/") else {
            return reply(404, &json!({"message": "Not Found"}));
        };
        let parts: Vec<&str> = rest.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["git", "ref", "heads", "main"]) => reply(
                200,
                &json!({"ref": "refs/heads/main", "object": {"sha": self.world().head}}),
            ),
            ("POST", ["actions", "workflows", "deploy.yml", "dispatches"]) => {
                let details = request.json()["return_run_details"] == true;
                if details && self.world().old {
                    return reply(
                        400,
                        &json!({"message": "Invalid request. \"return_run_details\" is not a permitted key."}),
                    );
                }
                let id = self.add("workflow_dispatch");
                if details && self.world().details {
                    reply(
                        200,
                        &json!({"workflow_run_id": id, "run_url": "x", "html_url": "x"}),
                    )
                } else {
                    Response::builder().status(204).body(Body::empty()).unwrap()
                }
            }
            ("GET", ["actions", "workflows", "deploy.yml", "runs"]) => {
                let world = self.world();
                let good = request.query.contains("status=success");
                let runs = world
                    .runs
                    .iter()
                    .rev()
                    .filter(|run| !good || run.shown[0]["conclusion"] == "success");
                let runs: Vec<Value> = runs.map(|run| self.show(run)).collect();
                reply(
                    200,
                    &json!({"total_count": runs.len(), "workflow_runs": runs}),
                )
            }
            ("GET", ["deployments"]) => {
                let mut all = vec![json!({"id": 2}), json!({"id": 1})];
                if self.world().other_url.is_some() {
                    all.insert(0, json!({"id": 3}));
                }
                reply(200, &json!(all))
            }
            ("GET", ["deployments", "3", "statuses"]) => reply(
                200,
                &json!([{"state": "success", "environment_url": self.world().other_url,
                    "log_url": format!("{}/ada/shop/actions/runs/1/job/1", self.base)}]),
            ),
            ("GET", ["deployments", "2", "statuses"]) => reply(
                200,
                &json!([{"state": "in_progress", "environment_url": ""}]),
            ),
            ("GET", ["deployments", "1", "statuses"]) => reply(
                200,
                &json!([{"state": "success", "environment_url": self.world().environment_url,
                    "log_url": format!("{}/ada/shop/actions/runs/100/job/71", self.base)}]),
            ),
            ("GET", ["actions", "jobs", _, "logs"]) => Response::builder()
                .status(302)
                .header(
                    "location",
                    format!("{}/blob/log", self.base.replace("127.0.0.1", "localhost")),
                )
                .body(Body::empty())
                .unwrap(),
            (method, ["actions", "runs", id, rest @ ..]) => {
                let mut world = self.world();
                let Some(run) = world.runs.iter_mut().find(|run| run.id.to_string() == *id) else {
                    return reply(404, &json!({"message": "Not Found"}));
                };
                match (method, rest) {
                    ("GET", []) => {
                        let shown = self.show(run);
                        if run.shown.len() > 1 {
                            run.shown.remove(0);
                            run.jobs.remove(0);
                        }
                        reply(200, &shown)
                    }
                    ("GET", ["jobs"]) => reply(200, &json!({"jobs": run.jobs[0]})),
                    ("POST", ["cancel"]) => {
                        run.shown = vec![status("completed", Some("cancelled"))];
                        run.jobs.truncate(1);
                        reply(202, &json!({}))
                    }
                    ("POST", ["rerun"]) => {
                        run.attempt += 1;
                        run.shown = vec![
                            status("in_progress", None),
                            status("completed", Some("success")),
                        ];
                        run.jobs = vec![json!([]), json!([])];
                        reply(201, &json!({}))
                    }
                    _ => reply(404, &json!({"message": "Not Found"})),
                }
            }
            _ => reply(404, &json!({"message": "Not Found"})),
        }
    }
}
