//! `/sayso.js` and `/notice`: what a site shows of its own deployments to whoever looks at it.
//!
//! The one stream that needs no token, so it says little: which environment, how it stands, which stage, how many
//! percent. No names, words, paths, commits or addresses. It is off unless the configuration asks for it, and pages of
//! other origins read it only where their origin is listed ([`guard`](super::guard)).
//!
//! One task follows the log; readers get the newest of each environment from memory. So a slow reader skips what is out
//! of date, and thousands of visitors cost no read of the disk.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, Uri};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde::Serialize;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until};
use url::form_urlencoded;

use super::extract::is_name;
use super::{App, blocking, frame};
use crate::model::{Deployment, DeploymentState, Event, EventKind, Problem};

/// The script that a site embeds.
const SCRIPT: &str = include_str!("../../assets/web/sayso.js");

/// Visitors that listen at the same time; they never take the places of those who work here.
const MAX_VISITORS: usize = 2048;

/// Every environment, in the query.
const ALL: &str = "*";

/// A site that keeps what it embeds to itself must be told that this is meant for it.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// How an environment stands, as visitors are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Stand {
    environment: String,
    /// `running`, `live`, `failed`, `canceled` or `rolled_back`.
    state: &'static str,
    stage: String,
    percent: u64,
    /// Which deployment it is about.
    #[serde(skip)]
    deployment: String,
}

/// The newest of each environment, with a number that counts its changes.
type Stands = BTreeMap<String, (u64, Stand)>;

/// What visitors are told, where they are told anything.
pub(super) struct Board {
    stands: watch::Sender<Stands>,
    /// The environment of a visitor that names none.
    usual: String,
    visitors: Arc<Semaphore>,
}

impl Board {
    pub(super) fn new(usual: &str) -> Self {
        Self {
            stands: watch::channel(Stands::new()).0,
            usual: usual.to_owned(),
            visitors: Arc::new(Semaphore::new(MAX_VISITORS)),
        }
    }
}

/// Follows the log for the board, until the server ends.
pub(super) async fn keep(app: App) {
    let Some(board) = &app.notice else { return };
    let after = app.conductor.log().head().seq;
    let open = blocking(&app, |conductor| Ok(conductor.deployments()?.deployments)).await;
    match open {
        Ok(list) => board.stands.send_modify(|stands| {
            let at_work = |one: &&Deployment| one.state == DeploymentState::Running;
            for deployment in list.iter().filter(at_work) {
                put(stands, running(deployment));
            }
        }),
        Err(problem) => tracing::warn!(%problem, "what runs already is not on the notice"),
    }
    let mut follower = app.conductor.log().follow(after);
    loop {
        let next = tokio::select! {
            () = app.shutdown.cancelled() => return,
            next = follower.next() => next,
        };
        match next {
            Ok(event) => {
                let before = event
                    .environment
                    .as_ref()
                    .and_then(|name| Some(board.stands.borrow().get(name)?.1.clone()));
                if let Some(stand) = read(&event, before.as_ref()) {
                    board.stands.send_modify(|stands| put(stands, stand));
                }
            }
            Err(problem) => {
                tracing::error!(%problem, "visitors are told nothing any more");
                return;
            }
        }
    }
}

fn running(deployment: &Deployment) -> Stand {
    Stand {
        environment: deployment.environment.clone(),
        state: "running",
        stage: deployment.progress.stage.to_string(),
        percent: deployment.progress.percent.into(),
        deployment: deployment.id.to_string(),
    }
}

fn put(stands: &mut Stands, stand: Stand) {
    let serial = stands.get(&stand.environment).map_or(0, |(n, _)| *n) + 1;
    stands.insert(stand.environment.clone(), (serial, stand));
}

/// How `event` changes its environment, which stood as `before`.
fn read(event: &Event, before: Option<&Stand>) -> Option<Stand> {
    let environment = event.environment.clone()?;
    let deployment = event
        .deployment
        .as_ref()
        .map(|id| id.as_str().to_owned())
        .unwrap_or_default();
    let at_work = before.filter(|before| before.state == "running");
    let another = at_work.is_some_and(|before| before.deployment != deployment);
    let stage = event.data["stage"].as_str().unwrap_or_default().to_owned();
    let reached = at_work.map_or(0, |before| before.percent);
    let stand = |state, stage: String, percent| {
        Some(Stand {
            environment,
            state,
            stage,
            percent,
            deployment,
        })
    };
    match event.kind {
        // What waits for its turn is told when it has it.
        EventKind::DeployStart if !another => stand("running", "queue".to_owned(), 0),
        EventKind::DeployProgress if !(another && stage == "queue") => {
            let percent = event.data["percent"].as_u64().unwrap_or_default().min(99);
            stand("running", stage, percent)
        }
        EventKind::DeployComplete if !another => stand("live", "verify".to_owned(), 100),
        EventKind::DeployError if !another => stand("failed", stage, reached),
        // Only what was seen to run can be seen to stop.
        EventKind::Canceled if at_work.is_some() && !another => stand("canceled", stage, reached),
        EventKind::Rollback => stand("rolled_back", "activate".to_owned(), 100),
        _ => None,
    }
}

fn off() -> Problem {
    Problem::not_found("this server tells visitors nothing").hint(
        "[server] notice = true in the server's own configuration turns it on, and [server] origins lists the sites",
    )
}

/// `GET /sayso.js`.
pub(super) async fn script(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    app.notice.as_ref().ok_or_else(off)?;
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=300"),
        (RESOURCE_POLICY, "cross-origin"),
    ];
    Ok((headers, SCRIPT))
}

/// `GET /notice`.
pub(super) async fn visit(State(app): State<App>, uri: Uri) -> Result<Response, Response> {
    let board = app.notice.as_ref().ok_or_else(|| off().into_response())?;
    let wanted = wanted(&uri, &board.usual).map_err(Problem::into_response)?;
    let permit = Arc::clone(&board.visitors)
        .try_acquire_owned()
        .map_err(|_| full())?;
    let visitor = Visitor {
        stands: board.stands.subscribe(),
        wanted,
        told: None,
        beat: Instant::now() + app.heartbeat,
        app: app.clone(),
        _permit: permit,
    };
    let body = Body::from_stream(stream::unfold(visitor, |mut visitor| async {
        let bytes = visitor.next().await?;
        Some((Ok::<_, Infallible>(bytes), visitor))
    }));
    Ok((super::stream::HEADERS, body).into_response())
}

/// The environment that is asked for; `None` for all of them.
fn wanted(uri: &Uri, usual: &str) -> Result<Option<String>, Problem> {
    let query = uri.query().unwrap_or_default();
    let named = form_urlencoded::parse(query.as_bytes())
        .find(|(name, value)| name == "environment" && !value.is_empty())
        .map(|(_, value)| value.into_owned());
    match named {
        None => Ok(Some(usual.to_owned())),
        Some(name) if name == ALL => Ok(None),
        Some(name) if is_name(&name) => Ok(Some(name)),
        Some(name) => Err(Problem::bad_request(format!(
            "{name:?} is not the name of an environment"
        ))
        .hint("name one of the server's environments, or * for all of them")),
    }
}

fn full() -> Response {
    let problem = Problem::new(
        503,
        "too-many-visitors",
        format!("{MAX_VISITORS} visitors listen already, which is the limit"),
    );
    ([(RETRY_AFTER, "30")], problem).into_response()
}

/// One visitor's connection.
struct Visitor {
    app: App,
    stands: watch::Receiver<Stands>,
    wanted: Option<String>,
    /// What was told of each environment; `None` before the first word.
    told: Option<BTreeMap<String, u64>>,
    beat: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Visitor {
    /// The next piece of the body; `None` ends it.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.collect() {
                self.beat = Instant::now() + self.app.heartbeat;
                return Some(bytes);
            }
            tokio::select! {
                () = self.app.shutdown.cancelled() => return None,
                changed = self.stands.changed() => changed.ok()?,
                () = sleep_until(self.beat) => {
                    self.beat = Instant::now() + self.app.heartbeat;
                    return Some(frame::BEAT);
                }
            }
        }
    }

    /// What has not been told yet: at first how everything stands, then what changed.
    fn collect(&mut self) -> Option<Bytes> {
        let stands = self.stands.borrow_and_update();
        let wanted = |name: &String| self.wanted.as_ref().is_none_or(|wanted| wanted == name);
        let now = stands.iter().filter(|(name, _)| wanted(name));
        let Some(told) = &mut self.told else {
            self.told = Some(
                now.clone()
                    .map(|(name, (n, _))| (name.clone(), *n))
                    .collect(),
            );
            let all: Vec<&Stand> = now.map(|(_, (_, stand))| stand).collect();
            // Visitors are many and in no hurry.
            let text = format!("retry: 3000\nevent: now\ndata: {}\n\n", json!(all));
            return Some(text.into());
        };
        let mut text = String::new();
        for (name, (serial, stand)) in now {
            if told.insert(name.clone(), *serial) != Some(*serial) {
                text.push_str(&format!("event: notice\ndata: {}\n\n", json!(stand)));
            }
        }
        (!text.is_empty()).then(|| text.into())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::Value;

    use super::*;

    fn event(kind: EventKind, deployment: &str, data: Value) -> Event {
        Event {
            seq: 1,
            at: Timestamp::UNIX_EPOCH,
            kind,
            project: "secret project".into(),
            instruction: None,
            proposal: None,
            deployment: (!deployment.is_empty()).then(|| deployment.into()),
            environment: Some("production".into()),
            actor: "Ada Lovelace".into(),
            data,
        }
    }

    /// The states after each event, as visitors are told them.
    fn play(events: &[Event]) -> Vec<String> {
        let mut before = None;
        let mut told = Vec::new();
        for event in events {
            if let Some(stand) = read(event, before.as_ref()) {
                told.push(format!("{} {} {}", stand.state, stand.stage, stand.percent));
                before = Some(stand);
            }
        }
        told
    }

    fn progress(deployment: &str, stage: &str, percent: u64) -> Event {
        let data = json!({ "stage": stage, "percent": percent, "message": "npm run secret" });
        event(EventKind::DeployProgress, deployment, data)
    }

    #[test]
    fn a_deployment_from_its_start_to_its_end() {
        let start = |id| event(EventKind::DeployStart, id, json!({ "commit": "abc" }));
        let live = |id| event(EventKind::DeployComplete, id, json!({ "url": "http://x" }));
        assert_eq!(
            play(&[
                start("dep_1"),
                progress("dep_1", "build", 40),
                // The next one waits for its turn: nothing of it is told yet, and its being dropped neither.
                start("dep_2"),
                progress("dep_2", "queue", 0),
                event(EventKind::Canceled, "dep_2", json!({ "reason": "x" })),
                start("dep_3"),
                live("dep_1"),
                progress("dep_3", "fetch", 10),
                event(
                    EventKind::DeployError,
                    "dep_3",
                    json!({ "stage": "verify", "message": "secret" })
                ),
                event(EventKind::Canceled, "dep_4", json!({})),
                event(EventKind::Rollback, "", json!({ "to": "rel_1" })),
            ]),
            [
                "running queue 0",
                "running build 40",
                "live verify 100",
                "running fetch 10",
                "failed verify 10",
                "rolled_back activate 100",
            ]
        );
    }

    #[test]
    fn visitors_are_told_four_things_and_nothing_else() {
        let stand = read(&progress("dep_1", "build", 100), None).unwrap();
        assert_eq!(
            json!(stand),
            json!({ "environment": "production", "state": "running", "stage": "build", "percent": 99 })
        );
    }

    #[test]
    fn a_visitor_names_an_environment_or_gets_the_usual_one() {
        let wanted =
            |query: &str| wanted(&format!("/notice?{query}").parse().unwrap(), "production");
        assert_eq!(wanted("").unwrap().as_deref(), Some("production"));
        assert_eq!(
            wanted("environment=staging").unwrap().as_deref(),
            Some("staging")
        );
        assert_eq!(wanted("environment=*").unwrap(), None);
        assert_eq!(wanted("environment=%0a").unwrap_err().status, 400);
    }

    #[test]
    fn the_script_is_small_and_asks_nobody_else() {
        assert!(SCRIPT.len() < 6 * 1024, "{} bytes", SCRIPT.len());
        for risky in [
            "innerHTML",
            "eval(",
            "document.cookie",
            "localStorage",
            "https://",
        ] {
            assert!(!SCRIPT.contains(risky), "{risky}");
        }
    }
}
