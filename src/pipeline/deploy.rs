//! A deployment from its record to live, failed or stopped, told by events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;

use super::Conductor;
use super::gate::Asking;
use super::records::{self, Change};
use crate::deploy::estimate::Estimator;
use crate::deploy::{DeployFailure, Deployed, Report};
use crate::model::api::Rollback;
use crate::model::{
    Deployment, DeploymentId, DeploymentState, EventKind, Identity, InstructionId, LiveRelease,
    NewEvent, Problem, Progress, Role, Stage, failpoint,
};

/// Between two progress events within a stage: enough for a smooth bar, few enough for a log.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// After so long without a report the bar is looked at again.
const SILENCE: Duration = Duration::from_millis(500);

/// Lines of output kept with a deployment.
const TAIL: usize = 100;

impl Conductor {
    /// A deployment's record; nothing is stored yet.
    pub(super) fn new_deployment(
        &self,
        commit: &str,
        environment: &str,
        force: bool,
        actor: &str,
        instruction: Option<&InstructionId>,
    ) -> Result<Deployment, Problem> {
        let target = self.target(environment)?;
        Ok(Deployment {
            id: DeploymentId::new(),
            instruction: instruction.cloned(),
            environment: environment.to_owned(),
            target: target.name().to_owned(),
            commit: commit.to_owned(),
            release: None,
            force,
            state: DeploymentState::Queued,
            attempts: 0,
            progress: Progress {
                percent: 0,
                stage: Stage::Queue,
                message: "queued".into(),
                eta_ms: None,
            },
            url: None,
            stages: std::collections::BTreeMap::new(),
            problem: None,
            log_tail: Vec::new(),
            actor: actor.to_owned(),
            gate: None,
            promotion: None,
            during_freeze: None,
            started_at: Timestamp::now(),
            ended_at: None,
        })
    }

    /// Stores a deployment and begins it, unless it must wait.
    pub(super) async fn begin_deployment(
        self: &Arc<Self>,
        commit: &str,
        environment: &str,
        force: bool,
        actor: &str,
        instruction: Option<&InstructionId>,
        asking: Asking,
    ) -> Result<Deployment, Problem> {
        let mut deployment = self.new_deployment(commit, environment, force, actor, instruction)?;
        let event = self.admit(&mut deployment, asking).await?;
        self.begin_admitted(deployment.clone(), event).await?;
        Ok(deployment)
    }

    /// Turns a target's reports into events and the bar's position, until the target is done. Reports that
    /// come while an event is being stored are taken together, so that the log never slows a deployment.
    pub(super) async fn tell(
        &self,
        deployment: &mut Deployment,
        mut reports: mpsc::UnboundedReceiver<Report>,
        mut estimator: Estimator,
    ) -> Result<(), Problem> {
        let mut told = Instant::now();
        let mut entered = told;
        let mut fraction = None;
        let mut batch = Vec::new();
        loop {
            // A silent stage (a long build) still takes time: the bar is looked at now and then.
            let received = reports.recv_many(&mut batch, 1000);
            let silent = match tokio::time::timeout(SILENCE, received).await {
                Ok(0) => return Ok(()),
                Ok(_) => false,
                Err(_) => true,
            };
            let mut change = Change::new();
            let mut moved = false;
            if silent {
                let before = deployment.progress.percent;
                let message = deployment.progress.message.clone();
                self.place(deployment, &mut estimator, entered, fraction, message);
                if deployment.progress.percent == before {
                    continue;
                }
                moved = true;
            }
            for report in batch.drain(..) {
                match report {
                    Report::Stage { stage, message } => {
                        entered = Instant::now();
                        fraction = None;
                        deployment.progress.stage = stage;
                        let message = with_usual(message, estimator.usual(stage));
                        self.place(deployment, &mut estimator, entered, fraction, message);
                        change = change.event(progress_event(deployment));
                        moved = false;
                        told = Instant::now();
                    }
                    Report::Fraction { permille, message } => {
                        fraction = Some(f64::from(permille) / 1000.0);
                        self.place(deployment, &mut estimator, entered, fraction, message);
                        moved = true;
                    }
                    Report::Log(line) => {
                        let message = crate::model::ansi::strip(&line).into_owned();
                        self.place(deployment, &mut estimator, entered, fraction, message);
                        if deployment.log_tail.len() == TAIL {
                            deployment.log_tail.remove(0);
                        }
                        deployment.log_tail.push(line);
                        moved = true;
                    }
                    Report::Notice(message) => {
                        let data = json!({ "message": message });
                        change = change.event(about(deployment, EventKind::Notice, "sayso", data));
                    }
                    Report::Health {
                        ok,
                        status,
                        millis,
                        url,
                        message,
                    } => {
                        let data = json!({
                            "ok": ok, "status": status, "ms": millis, "url": url, "message": message,
                        });
                        change = change.event(about(deployment, EventKind::Health, "sayso", data));
                    }
                }
            }
            if moved && told.elapsed() >= PROGRESS_EVERY {
                change = change.event(progress_event(deployment));
                told = Instant::now();
            }
            change.deployment(deployment)?.store(&self.log).await?;
        }
    }

    /// Moves the bar; it never goes back, and 100 is for what is live.
    fn place(
        &self,
        deployment: &mut Deployment,
        estimator: &mut Estimator,
        entered: Instant,
        fraction: Option<f64>,
        message: String,
    ) {
        let stage = deployment.progress.stage;
        let in_stage = u64::try_from(entered.elapsed().as_millis()).unwrap_or(u64::MAX);
        let estimate = estimator.update(stage, in_stage, fraction);
        deployment.progress = Progress {
            percent: estimate.percent.min(99).max(deployment.progress.percent),
            stage,
            message,
            eta_ms: estimate.eta_ms,
        };
        if let Some(target) = self.targets.get(&deployment.environment) {
            target.announce(
                &deployment.environment,
                &deployment.progress,
                deployment.state,
            );
        }
    }

    /// A deployment is live and verified.
    pub(super) async fn complete(
        self: &Arc<Self>,
        mut deployment: Deployment,
        deployed: Deployed,
    ) -> Result<(), Problem> {
        let ended = Timestamp::now();
        deployment.state = DeploymentState::Live;
        deployment.ended_at = Some(ended);
        deployment.release = Some(deployed.release.clone());
        deployment.url = Some(deployed.url.clone());
        deployment.stages = deployed.stages;
        deployment.progress.percent = 100;
        deployment.progress.eta_ms = Some(0);
        deployment.progress.message = "live".into();
        let total = (ended.as_millisecond() - deployment.started_at.as_millisecond()).max(0);
        let data = json!({
            "url": deployed.url,
            "release": deployed.release,
            "commit": deployment.commit,
            "total_ms": total,
            "stages": deployment.stages,
        });
        let event = about(&deployment, EventKind::DeployComplete, "sayso", data);
        let promoted = super::promote::promote_event(&deployment);
        promoted
            .into_iter()
            .fold(Change::new(), Change::event)
            .event(event)
            .deployment(&deployment)?
            .store(&self.log)
            .await?;
        self.announce_end(&deployment);
        self.turned();
        failpoint::reach("deploy.completed");
        self.went_live(&deployment).await
    }

    pub(super) async fn failed(
        &self,
        mut deployment: Deployment,
        failure: DeployFailure,
    ) -> Result<(), Problem> {
        deployment.state = match (failure.canceled, failure.rolled_back) {
            (true, _) => DeploymentState::Canceled,
            (_, true) => DeploymentState::RolledBack,
            _ if failure.unknown => DeploymentState::Unknown,
            _ => DeploymentState::Failed,
        };
        deployment.ended_at = Some(Timestamp::now());
        deployment.progress.stage = failure.stage;
        deployment.progress.message = failure.message.clone();
        deployment.progress.eta_ms = None;
        deployment.log_tail = failure.log_tail.clone();
        let kind = if failure.unknown {
            "outcome-unknown"
        } else {
            "deploy-failed"
        };
        let problem = Problem::new(502, kind, failure.message.clone()).hint(failure.hint.clone());
        deployment.problem = Some(problem);
        let event = if failure.canceled {
            let data = json!({ "stage": failure.stage, "reason": failure.message });
            about(&deployment, EventKind::Canceled, &deployment.actor, data)
        } else {
            let mut data = json!({
                "stage": failure.stage,
                "message": failure.message,
                "hint": failure.hint,
                "log_tail": failure.log_tail,
            });
            if failure.unknown {
                data["unknown"] = json!(true);
            }
            about(&deployment, EventKind::DeployError, "sayso", data)
        };
        Change::new()
            .event(event)
            .deployment(&deployment)?
            .store(&self.log)
            .await?;
        self.announce_end(&deployment);
        Ok(())
    }

    /// A deployment that ended before its target was asked.
    pub(super) async fn deployment_failed(
        &self,
        deployment: Deployment,
        problem: Problem,
    ) -> Result<(), Problem> {
        let failure = DeployFailure {
            stage: deployment.progress.stage,
            message: problem.detail,
            hint: problem.hint.unwrap_or_default(),
            log_tail: deployment.log_tail.clone(),
            canceled: false,
            rolled_back: false,
            unknown: false,
        };
        self.failed(deployment, failure).await
    }

    fn announce_end(&self, deployment: &Deployment) {
        if let Some(target) = self.targets.get(&deployment.environment) {
            target.announce(
                &deployment.environment,
                &deployment.progress,
                deployment.state,
            );
        }
    }

    /// Stops a deployment that has not moved traffic yet.
    ///
    /// # Errors
    /// `not-found`; `conflict` when it is over.
    pub async fn cancel(
        self: &Arc<Self>,
        id: &DeploymentId,
        by: &Identity,
    ) -> Result<Deployment, Problem> {
        by.may(Role::Deployer, "stopping a deployment")?;
        let actor = by.actor.as_str();
        let deployment = records::deployment(&self.log, id)?;
        let over = || Problem::conflict(format!("deployment {id} is over"));
        if deployment.state.is_final() {
            return Err(over());
        }
        {
            // What has no turn yet is over at once.
            let mut lanes = self.lanes.lock().await;
            let lane = lanes.get_mut(&deployment.environment);
            let withdrawn = lane.is_some_and(|lane| lane.withdraw(id));
            let now = records::deployment(&self.log, id)?;
            if withdrawn || now.state == DeploymentState::Waiting {
                let reason = match now.state {
                    DeploymentState::Waiting => format!("{actor} declined it"),
                    _ => format!("{actor} stopped it before its turn"),
                };
                let change = self.dropped(Change::new(), id, reason, actor)?;
                change.store(&self.log).await?;
                return records::deployment(&self.log, id);
            }
        }
        let Some(cancel) = self.running().get(id.as_str()).cloned() else {
            return Err(over());
        };
        tracing::info!(%id, actor, "a deployment is being stopped");
        cancel.cancel();
        // Its own end says what became of it: waiting here makes the answer true.
        let mut follower = self.log.follow(self.log.head().seq);
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let now = records::deployment(&self.log, id)?;
            if now.state.is_final() || Instant::now() > deadline {
                return Ok(now);
            }
            let wait = deadline.saturating_duration_since(Instant::now());
            // Any event may be the one; a time-out only means to look again.
            let _ =
                tokio::time::timeout(wait.min(Duration::from_millis(500)), follower.next()).await;
        }
    }

    /// An environment goes back to an earlier release.
    ///
    /// # Errors
    /// `not-found` when there is no such, or no good earlier release.
    pub async fn rollback(
        self: &Arc<Self>,
        environment: &str,
        rollback: Rollback,
        by: &Identity,
    ) -> Result<LiveRelease, Problem> {
        by.may(Role::Deployer, "going back to an earlier release")?;
        let actor = by.actor.as_str();
        let environment = self.environment(Some(environment))?.to_owned();
        let target = self.target(&environment)?;
        let began = Instant::now();
        let stopped = self.clear_the_way(&environment, actor).await?;
        let from = target.live(&environment).map(|live| live.release);
        let live = target.rollback(&environment, rollback.to.as_ref()).await?;
        self.turned();
        let data = json!({
            "from": from,
            "to": live.release,
            "commit": live.commit,
            "url": live.url,
            "automatic": false,
            "reason": "asked for",
            "ms": u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        let event = NewEvent::new(EventKind::Rollback, actor, data).environment(&environment);
        let mut change = Change::new().event(event);
        if let Some(note) = target.note(&environment) {
            let data = json!({ "message": note });
            change = change
                .event(NewEvent::new(EventKind::Notice, "sayso", data).environment(&environment));
        }
        change.store(&self.log).await?;
        if let Some(stopped) = stopped {
            self.stay_back(stopped, live.clone(), actor);
        }
        self.expire(&environment).await?;
        Ok(live)
    }
}

/// What is being done, and how long this usually takes where that is long enough to be worth saying.
fn with_usual(message: String, usual_ms: Option<u64>) -> String {
    match usual_ms {
        Some(usual @ 2_000..120_000) => format!("{message} · usually {} s", (usual + 500) / 1000),
        Some(usual @ 120_000..) => format!("{message} · usually {} min", (usual + 30_000) / 60_000),
        _ => message,
    }
}

/// Puts `deployment`, which nothing holds any more, into the queue; the event that tells it.
pub(super) fn release(deployment: &mut Deployment) -> NewEvent {
    deployment.state = DeploymentState::Queued;
    deployment.progress.message = "queued".to_owned();
    start_event(deployment)
}

/// The `deploy_start` event.
pub(super) fn start_event(deployment: &Deployment) -> NewEvent {
    let mut data = json!({
        "target": deployment.target,
        "commit": deployment.commit,
        "force": deployment.force,
    });
    if let Some(promotion) = &deployment.promotion {
        data["promotion"] = json!(promotion);
    }
    if let Some(until) = &deployment.during_freeze {
        data["during_freeze"] = json!(until);
    }
    about(deployment, EventKind::DeployStart, &deployment.actor, data)
}

pub(super) fn progress_event(deployment: &Deployment) -> NewEvent {
    about(
        deployment,
        EventKind::DeployProgress,
        "sayso",
        json!(deployment.progress),
    )
}

pub(super) fn about(
    deployment: &Deployment,
    kind: EventKind,
    actor: &str,
    data: serde_json::Value,
) -> NewEvent {
    NewEvent::new(kind, actor, data)
        .instruction(deployment.instruction.as_ref())
        .deployment(Some(&deployment.id))
        .environment(&deployment.environment)
}
