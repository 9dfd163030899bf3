//! A deployment whose turn it is: its checks, then its target.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Conductor;
use super::records::{self, Change};
use crate::deploy::estimate::Estimator;
use crate::deploy::{DeployRequest, PromoteRequest};
use crate::model::{Deployment, DeploymentState, Problem, Stage};

/// Earlier deployments among which those to the same environment are looked for: others, and those made elsewhere, stand
/// between them.
const HISTORY: usize = 60;

/// What a target is asked to do.
enum Work {
    Deploy(DeployRequest),
    Promote(PromoteRequest),
}

impl Conductor {
    /// Drives a stored deployment, whose turn it is, in a task of its own.
    pub(super) fn run_deployment(self: &Arc<Self>, deployment: Deployment) {
        let cancel = CancellationToken::new();
        self.running()
            .insert(deployment.id.to_string(), cancel.clone());
        let conductor = Arc::clone(self);
        self.tasks.spawn(async move {
            let (id, environment) = (deployment.id.clone(), deployment.environment.clone());
            let (driver, record) = (Arc::clone(&conductor), deployment.clone());
            // A task within the task: should it come to a sudden end, the environment is free all the same.
            let driven = tokio::spawn(async move { driver.drive_deployment(record, cancel).await });
            let result = match driven.await {
                Ok(result) => result,
                Err(error) => {
                    let problem = Problem::internal(format!("it ended unexpectedly: {error}"))
                        .hint("look at what is live, then deploy again");
                    conductor.deployment_failed(deployment, problem).await
                }
            };
            conductor.running().remove(id.as_str());
            if let Err(problem) = result {
                tracing::error!(%problem, %id, "a deployment's end could not be stored");
            }
            conductor.leave(&environment, &id).await;
        });
    }

    async fn drive_deployment(
        self: &Arc<Self>,
        mut deployment: Deployment,
        cancel: CancellationToken,
    ) -> Result<(), Problem> {
        let target = Arc::clone(self.target(&deployment.environment)?);
        deployment.state = DeploymentState::Running;
        deployment.attempts += 1;
        // Stored before it begins, so that attempts are counted however the process ends.
        Change::new()
            .deployment(&deployment)?
            .store(&self.log)
            .await?;
        if let Some(why) = self.outdated(&deployment) {
            let problem =
                Problem::conflict(why).hint("look at what it changes now, then ask for it again");
            return self.deployment_failed(deployment, problem).await;
        }
        let work = match self.work_of(&deployment).await {
            Ok(work) => work,
            Err(problem) => return self.deployment_failed(deployment, problem).await,
        };
        let (reports, received) = mpsc::unbounded_channel();
        let record = deployment.clone();
        let checked_then_done = async {
            let checked = self.check(&record, &reports, &cancel).await?;
            let deployed = match work {
                Work::Deploy(request) => target.deploy(request, reports, cancel).await,
                Work::Promote(request) => target.promote(request, reports, cancel).await,
            };
            deployed.map(|mut deployed| {
                // What a promotion took says nothing about the next deployment.
                if record.is_moved() {
                    deployed.stages.clear();
                } else {
                    deployed.stages.extend(checked.map(|ms| (Stage::Check, ms)));
                }
                deployed
            })
        };
        let estimator = self.estimator(&deployment, target.stages())?;
        let (result, told) = tokio::join!(
            checked_then_done,
            self.tell(&mut deployment, received, estimator)
        );
        told?;
        match result {
            Ok(deployed) => self.complete(deployment, deployed).await,
            Err(failure) => self.failed(deployment, failure).await,
        }
    }

    /// What the target is asked to do.
    async fn work_of(&self, deployment: &Deployment) -> Result<Work, Problem> {
        let (id, environment) = (deployment.id.clone(), deployment.environment.clone());
        if let Some(promotion) = deployment.promotion.as_ref().filter(|moved| !moved.anew) {
            return Ok(Work::Promote(PromoteRequest {
                id,
                environment,
                release: Some(promotion.release.clone()),
                from: promotion.from.clone(),
                expected: Some(promotion.over.clone()),
            }));
        }
        Ok(Work::Deploy(DeployRequest {
            id,
            environment,
            source: self.repo.source(&deployment.commit).await?,
            force: deployment.force,
        }))
    }

    /// What is expected of a deployment, from earlier ones like it.
    fn estimator(&self, deployment: &Deployment, stages: [Stage; 6]) -> Result<Estimator, Problem> {
        let checks = self
            .rules
            .get(&deployment.environment)
            .is_some_and(|rules| !rules.checks.is_empty());
        let order = checks.then_some(Stage::Check).into_iter().chain(stages);
        if deployment.is_moved() {
            return Ok(Estimator::ordered(&[], order));
        }
        let history = records::deployments(&self.log, HISTORY)?
            .into_iter()
            .filter(|earlier| {
                earlier.state == DeploymentState::Live
                    && earlier.environment == deployment.environment
                    && earlier.target == deployment.target
                    && !earlier.stages.is_empty()
            })
            .map(|earlier| earlier.stages)
            .rev() // oldest first
            .collect::<Vec<_>>();
        Ok(Estimator::ordered(&history, order))
    }
}
