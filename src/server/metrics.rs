//! `GET /metrics`: figures in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::{App, blocking};
use crate::model::DeploymentState;

/// What the server counts itself.
#[derive(Default)]
pub(super) struct Counters {
    /// Answers by class: 1xx to 5xx.
    answers: [AtomicU64; 5],
    waiting: AtomicU64,
}

impl Counters {
    /// Counts an answer.
    pub(super) fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5);
        self.answers[class - 1].fetch_add(1, Relaxed);
    }

    /// Counts a reader of event pages until the guard is dropped.
    pub(super) fn waiting(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Relaxed);
        Waiting(&self.waiting)
    }
}

/// One reader of event pages.
pub(super) struct Waiting<'a>(&'a AtomicU64);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

pub(super) async fn show(State(app): State<App>) -> impl IntoResponse {
    let deployments = blocking(&app, |conductor| conductor.deployments()).await;
    let mut text = Text::default();
    text.family("sayso_build_info", "gauge", "The program that runs.");
    let version = concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    text.sample("sayso_build_info", version, 1);
    text.family("sayso_events_total", "counter", "Events in the log, ever.");
    text.sample("sayso_events_total", "", app.conductor.log().head().seq);
    // Left out rather than shown as nothing when they cannot be read.
    if let Ok(list) = deployments {
        text.family(
            "sayso_deployments",
            "gauge",
            "Deployments in the history, by state.",
        );
        let mut states: BTreeMap<&str, u64> = [
            (DeploymentState::Waiting, 0),
            (DeploymentState::Queued, 0),
            (DeploymentState::Running, 0),
            (DeploymentState::Live, 0),
            (DeploymentState::Failed, 0),
            (DeploymentState::Canceled, 0),
            (DeploymentState::RolledBack, 0),
            (DeploymentState::Unknown, 0),
        ]
        .map(|(state, n)| (label(state), n))
        .into();
        for deployment in &list.deployments {
            *states.entry(label(deployment.state)).or_default() += 1;
        }
        for (state, n) in states {
            text.sample("sayso_deployments", &format!("{{state=\"{state}\"}}"), n);
        }
    }
    text.family("sayso_stream_clients", "gauge", "Open event streams.");
    let open = app
        .max_streams
        .saturating_sub(app.streams.available_permits());
    text.sample("sayso_stream_clients", "", open as u64);
    text.family(
        "sayso_poll_clients",
        "gauge",
        "Calls that read or wait for event pages.",
    );
    text.sample("sayso_poll_clients", "", app.counters.waiting.load(Relaxed));
    text.family(
        "sayso_http_responses_total",
        "counter",
        "Answers, by class of status.",
    );
    for (n, count) in app.counters.answers.iter().enumerate() {
        let class = format!("{{class=\"{}xx\"}}", n + 1);
        text.sample("sayso_http_responses_total", &class, count.load(Relaxed));
    }
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, kind)], text.0)
}

fn label(state: DeploymentState) -> &'static str {
    match state {
        DeploymentState::Waiting => "waiting",
        DeploymentState::Queued => "queued",
        DeploymentState::Running => "running",
        DeploymentState::Live => "live",
        DeploymentState::Failed => "failed",
        DeploymentState::Canceled => "canceled",
        DeploymentState::RolledBack => "rolled_back",
        DeploymentState::Unknown => "unknown",
    }
}

/// The exposition format, line by line. Writing to a string does not fail.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &str, value: u64) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}
