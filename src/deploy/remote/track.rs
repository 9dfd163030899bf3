//! One deployment's bookkeeping: stages and their times, the tail of its output, how it ends.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::redact::Redactor;
use crate::deploy::health::Probe;
use crate::deploy::{DeployFailure, Report};
use crate::model::{Problem, Stage};

/// Lines of output that a failure carries.
const TAIL: usize = 40;

/// A deployment at work.
pub(crate) struct Track {
    pub cancel: CancellationToken,
    pub redactor: Redactor,
    reports: mpsc::UnboundedSender<Report>,
    stages: BTreeMap<Stage, u64>,
    stage: Stage,
    message: String,
    since: Instant,
    tail: VecDeque<String>,
}

impl Track {
    pub fn new(
        reports: mpsc::UnboundedSender<Report>,
        cancel: CancellationToken,
        redactor: Redactor,
    ) -> Self {
        Self {
            cancel,
            redactor,
            reports,
            stages: BTreeMap::new(),
            stage: Stage::Queue,
            message: String::new(),
            since: Instant::now(),
            tail: VecDeque::new(),
        }
    }

    /// Begins a stage, or says something new about the present one; the one before it is over.
    pub fn enter(&mut self, stage: Stage, message: impl Into<String>) {
        let message = message.into();
        if stage == self.stage && message == self.message {
            return;
        }
        self.count();
        self.stage = stage;
        self.message = message.clone();
        let message = self.redactor.clean(&message);
        self.report(Report::Stage { stage, message });
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

    /// How much of the present stage is done, of 1000.
    pub fn fraction(&self, permille: u16, message: impl Into<String>) {
        self.report(Report::Fraction {
            permille: permille.min(1000),
            message: self.redactor.clean(&message.into()),
        });
    }

    /// A line of output.
    pub fn log(&mut self, line: &str) {
        let line = self.redactor.clean(line);
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line.clone());
        self.report(Report::Log(line));
    }

    /// Something that people should know, beyond the line that is shown now.
    pub fn notice(&self, message: impl Into<String>) {
        self.report(Report::Notice(self.redactor.clean(&message.into())));
    }

    /// An answer of the address.
    pub fn health(&self, probe: &Probe) {
        self.report(Report::Health {
            ok: probe.ok,
            status: probe.status,
            millis: probe.millis,
            url: probe.url.clone(),
            message: self.redactor.clean(&probe.message),
        });
    }

    /// The failure of the present stage.
    pub fn failure(&self, message: impl Into<String>, hint: impl Into<String>) -> DeployFailure {
        DeployFailure {
            stage: self.stage,
            message: self.redactor.clean(&message.into()),
            hint: self.redactor.clean(&hint.into()),
            log_tail: self.tail.iter().cloned().collect(),
            canceled: false,
            rolled_back: false,
            unknown: false,
        }
    }

    /// The end of a deployment of which nobody can say what became of it.
    pub fn unknown(&self, message: impl Into<String>, hint: impl Into<String>) -> DeployFailure {
        DeployFailure {
            unknown: true,
            ..self.failure(message, hint)
        }
    }

    /// A problem as the failure of the present stage.
    pub fn of_problem(&self, problem: Problem) -> DeployFailure {
        self.failure(problem.detail, problem.hint.unwrap_or_default())
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

    /// The last lines of output.
    pub fn tail(&self) -> impl Iterator<Item = &str> {
        self.tail.iter().map(String::as_str)
    }
}
