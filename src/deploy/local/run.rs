//! One deployment's bookkeeping: stages and their times, the tail of its output, how it ends.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Inner;
use crate::deploy::health::Probe;
use crate::deploy::{DeployFailure, Report};
use crate::model::{DeploymentId, Stage};

/// Lines of output that a failure carries.
const TAIL: usize = 40;

/// A deployment at work.
pub(super) struct Run {
    pub inner: Arc<Inner>,
    pub id: DeploymentId,
    pub environment: String,
    pub reports: mpsc::UnboundedSender<Report>,
    pub cancel: CancellationToken,
    stages: BTreeMap<Stage, u64>,
    stage: Stage,
    since: Instant,
    tail: VecDeque<String>,
}

impl Run {
    pub fn new(
        inner: Arc<Inner>,
        id: DeploymentId,
        environment: String,
        reports: mpsc::UnboundedSender<Report>,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            inner,
            id,
            environment,
            reports,
            cancel,
            stages: BTreeMap::new(),
            stage: Stage::Queue,
            since: Instant::now(),
            tail: VecDeque::new(),
        }
    }

    /// Begins a stage; the one before it is over.
    pub fn enter(&mut self, stage: Stage, message: impl Into<String>) {
        self.count();
        self.stage = stage;
        self.report(Report::Stage {
            stage,
            message: message.into(),
        });
    }

    /// The milliseconds of each stage so far.
    pub fn stages(&mut self) -> BTreeMap<Stage, u64> {
        self.count();
        self.stages.clone()
    }

    fn count(&mut self) {
        let now = Instant::now();
        let spent = now.duration_since(self.since).as_millis() as u64;
        *self.stages.entry(self.stage).or_default() += spent;
        self.since = now;
    }

    /// A report to whoever listens.
    pub fn report(&self, report: Report) {
        // The deployment goes on when nobody listens.
        let _ = self.reports.send(report);
    }

    /// A line of output.
    pub fn log(&mut self, line: String) {
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line.clone());
        self.report(Report::Log(line));
    }

    /// An answer of the release.
    pub fn health(&mut self, probe: &Probe) {
        self.report(Report::Health {
            ok: probe.ok,
            status: probe.status,
            millis: probe.millis,
            url: probe.url.clone(),
            message: probe.message.clone(),
        });
    }

    /// The failure of the present stage.
    pub fn failure(&self, message: impl Into<String>, hint: impl Into<String>) -> DeployFailure {
        DeployFailure {
            stage: self.stage,
            message: message.into(),
            hint: hint.into(),
            log_tail: self.tail.iter().cloned().collect(),
            canceled: false,
            rolled_back: false,
            unknown: false,
        }
    }

    /// Stopped on request in the present stage.
    pub fn stopped(&self) -> DeployFailure {
        DeployFailure {
            canceled: true,
            ..self.failure(
                format!("the deployment was stopped at stage {}", self.stage),
                "the release before it still serves; deploy again when you are ready",
            )
        }
    }

    /// [`Self::stopped`] when that was asked for.
    pub fn check(&self) -> Result<(), DeployFailure> {
        if self.cancel.is_cancelled() {
            Err(self.stopped())
        } else {
            Ok(())
        }
    }
}
