//! Deployments made elsewhere, on a service's page or by a push, come into the timeline; and what became of ours while
//! nobody looked is learned.

use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::json;

use super::Conductor;
use super::deploy::{about, start_event};
use super::records::{self, Change};
use crate::deploy::{DeployFailure, DeployTarget, Deployed, Elsewhere};
use crate::model::{
    Deployment, DeploymentId, DeploymentState, EventKind, Problem, Progress, Stage,
};

/// That a place was looked at before: what it had then is history, not news.
const LOOKED: &str = "looked-elsewhere";

/// Our deployments among which the release of a listed one is looked for.
const RECENT: usize = 200;

impl Conductor {
    /// Asks every place each `every` what it knows, as long as the conductor lives.
    pub fn look_regularly(self: &Arc<Self>, every: Duration) {
        if every.is_zero() {
            return;
        }
        let conductor = Arc::downgrade(self);
        tokio::spawn(async move {
            let again = |conductor: &Weak<Self>| conductor.upgrade();
            while let Some(conductor) = again(&conductor) {
                conductor.look_elsewhere().await;
                drop(conductor);
                tokio::time::sleep(every).await;
            }
        });
    }

    /// Asks every place what it knows, once.
    pub async fn look_elsewhere(self: &Arc<Self>) {
        let _alone = self.looking.lock().await;
        for (environment, target) in &self.targets {
            if let Err(problem) = self.look_at(environment, target).await {
                // The next look may be answered; a person who deploys is told the same at once.
                tracing::debug!(%problem, environment, "deployments made elsewhere are not known");
            }
        }
    }

    async fn look_at(
        self: &Arc<Self>,
        environment: &str,
        target: &Arc<dyn DeployTarget>,
    ) -> Result<(), Problem> {
        let Some(mut listed) = target.elsewhere(environment).await? else {
            return Ok(());
        };
        let first = self.log.get::<bool>(LOOKED, environment)?.is_none();
        let recent = records::deployments(&self.log, RECENT)?;
        listed.sort_by_key(|listed| listed.at);
        for listed in listed {
            match &listed.ours {
                Some(id) => self.learned(id, listed.clone(), target).await?,
                None => {
                    let id = DeploymentId::derived(
                        u64::try_from(listed.at.as_millisecond()).unwrap_or(0),
                        listed.release.as_str(),
                    );
                    // One of ours under its name there: a promotion, say.
                    let known = recent.iter().any(|deployment| {
                        deployment.release.as_ref() == Some(&listed.release) && deployment.id != id
                    });
                    if !known {
                        self.foreign(id, environment, listed, target, first).await?;
                    }
                }
            }
        }
        if first {
            Change::new()
                .put(LOOKED, environment, &true)?
                .store(&self.log)
                .await?;
        }
        Ok(())
    }

    /// What became of one of ours whose end was not known.
    async fn learned(
        self: &Arc<Self>,
        id: &DeploymentId,
        listed: Elsewhere,
        target: &Arc<dyn DeployTarget>,
    ) -> Result<(), Problem> {
        let Some(deployment) = records::deployment_if_any(&self.log, id)? else {
            return Ok(());
        };
        if deployment.state != DeploymentState::Unknown || !listed.state.is_final() {
            return Ok(());
        }
        if listed.state == DeploymentState::Live {
            let environment = deployment.environment.clone();
            let deployed = match target.reconcile(&environment, id).await {
                Some(deployed) => deployed,
                None => {
                    if !target
                        .look(&environment)
                        .await
                        .is_some_and(|probe| probe.ok)
                    {
                        return Ok(()); // not seen to be live: it stays unknown
                    }
                    Deployed {
                        release: listed.release,
                        url: listed.url,
                        stages: std::collections::BTreeMap::new(),
                    }
                }
            };
            return self.complete(deployment, deployed).await;
        }
        let failure = DeployFailure {
            stage: deployment.progress.stage,
            message: format!("it is known by now: {}", listed.message),
            hint: "the release before it still serves; deploy again".to_owned(),
            log_tail: deployment.log_tail.clone(),
            canceled: listed.state == DeploymentState::Canceled,
            rolled_back: false,
            unknown: false,
        };
        self.failed(deployment, failure).await
    }

    /// A deployment that others made: its beginning and its end are events, once each.
    async fn foreign(
        &self,
        id: DeploymentId,
        environment: &str,
        listed: Elsewhere,
        target: &Arc<dyn DeployTarget>,
        silently: bool,
    ) -> Result<(), Problem> {
        let known = records::deployment_if_any(&self.log, &id)?;
        if known
            .as_ref()
            .is_some_and(|known| known.state == listed.state || known.state.is_final())
        {
            return Ok(());
        }
        let begun = known.is_some();
        let mut deployment = of(id, environment, target.name(), &listed);
        let mut change = Change::new();
        if !begun && !silently {
            let mut event = start_event(&deployment);
            event.data["elsewhere"] = json!(true);
            change = change.event(event);
        }
        let mut probe = None;
        if listed.state == DeploymentState::Live && !silently {
            probe = target.look(environment).await;
        }
        let ended = match (listed.state, &probe) {
            (DeploymentState::Live, Some(probe)) if !probe.ok => {
                deployment.state = DeploymentState::Failed;
                let message = format!("the place says that it is live, but {}", probe.message);
                Some((
                    EventKind::DeployError,
                    json!({
                        "stage": Stage::Verify, "message": message, "hint": "open the address", "log_tail": [],
                    }),
                ))
            }
            (DeploymentState::Live, _) => {
                let ms = listed.ended.map_or(0, |ended| {
                    ended.as_millisecond() - listed.at.as_millisecond()
                });
                deployment.progress.percent = 100;
                Some((
                    EventKind::DeployComplete,
                    json!({
                        "url": listed.url, "release": listed.release, "commit": listed.commit,
                        "total_ms": ms.max(0), "stages": {}, "elsewhere": true, "checked": probe.is_some(),
                    }),
                ))
            }
            (DeploymentState::Failed, _) => Some((
                EventKind::DeployError,
                json!({
                    "stage": deployment.progress.stage, "message": listed.message,
                    "hint": "it was made elsewhere: look there", "log_tail": [],
                }),
            )),
            (DeploymentState::Canceled, _) => Some((
                EventKind::Canceled,
                json!({ "stage": deployment.progress.stage, "reason": listed.message }),
            )),
            _ => None,
        };
        if let Some((kind, data)) = ended
            && !silently
        {
            change = change.event(about(&deployment, kind, &listed.actor, data));
        }
        change.foreign(&deployment)?.store(&self.log).await?;
        Ok(())
    }
}

/// The record of a deployment that others made.
fn of(id: DeploymentId, environment: &str, target: &str, listed: &Elsewhere) -> Deployment {
    let over = listed.state.is_final();
    Deployment {
        id,
        instruction: None,
        environment: environment.to_owned(),
        target: target.to_owned(),
        commit: listed.commit.clone(),
        release: Some(listed.release.clone()),
        force: false,
        state: listed.state,
        attempts: 0,
        progress: Progress {
            percent: if listed.state == DeploymentState::Live {
                100
            } else {
                0
            },
            stage: if over { Stage::Verify } else { Stage::Build },
            message: listed.message.clone(),
            eta_ms: None,
        },
        url: Some(listed.url.clone()),
        stages: std::collections::BTreeMap::new(),
        problem: (listed.state == DeploymentState::Failed)
            .then(|| Problem::new(502, "deploy-failed", listed.message.clone())),
        log_tail: Vec::new(),
        actor: listed.actor.clone(),
        gate: None,
        promotion: None,
        during_freeze: None,
        started_at: listed.at,
        ended_at: listed.ended.filter(|_| over),
    }
}
