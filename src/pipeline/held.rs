//! What a freeze window holds back until it ends.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::Conductor;
use super::deploy::{about, release};
use super::gate::held_by;
use super::gate_words::{subject, words};
use super::records::{self, Change};
use crate::model::{ApprovalRule, Deployment, DeploymentId, DeploymentState, EventKind, Problem};

/// The clock is looked at so often at least: it may jump.
const LOOK: Duration = Duration::from_secs(30);

impl Conductor {
    /// Begins a deployment whose turn has come, unless a freeze began since it was asked for: then it waits for the end of
    /// that. False when it waits. One that was interrupted goes on: it was at the environment before.
    pub(super) async fn begin_or_hold(
        self: &Arc<Self>,
        mut deployment: Deployment,
    ) -> Result<bool, Problem> {
        let may = deployment.attempts > 0 || deployment.during_freeze.is_some();
        let frozen = self.frozen(&deployment.environment).filter(|_| !may);
        let Some(until) = frozen.map(|until| until.timestamp()) else {
            self.run_deployment(deployment);
            return Ok(true);
        };
        let gate = match deployment.gate.take() {
            Some(mut gate) => {
                gate.frozen_until = Some(until);
                gate
            }
            None => {
                self.gate_of(&deployment, ApprovalRule::None, Some(until))
                    .await?
            }
        };
        let event = held_by(&mut deployment, gate);
        let change = Change::new().event(event).deployment(&deployment)?;
        let change = self.supersede_waiting(change, &deployment)?;
        change.store(&self.log).await?;
        self.hold(&deployment);
        Ok(false)
    }

    /// Holds a deployment back until its freeze window ends, if one holds it.
    pub(super) fn hold(self: &Arc<Self>, deployment: &Deployment) {
        let held = deployment
            .gate
            .as_ref()
            .is_some_and(|gate| gate.frozen_until.is_some());
        if held {
            let (conductor, id) = (Arc::downgrade(self), deployment.id.clone());
            tokio::spawn(thaw(conductor, id));
        }
    }

    /// Looks at a held deployment; how long until the next look, `None` when there is nothing more to look for.
    async fn look_at_held(
        self: &Arc<Self>,
        id: &DeploymentId,
    ) -> Result<Option<Duration>, Problem> {
        let mut lanes = self.lanes.lock().await;
        let mut deployment = records::deployment(&self.log, id)?;
        let waits = deployment.state == DeploymentState::Waiting;
        let Some(mut gate) = deployment.gate.clone().filter(|_| waits) else {
            return Ok(None);
        };
        if gate.frozen_until.is_none() {
            return Ok(None);
        }
        if let Some(reason) = self.outdated(&deployment) {
            let change = self.dropped(Change::new(), id, reason, "sayso")?;
            change.store(&self.log).await?;
            return Ok(None);
        }
        if let Some(until) = self.frozen(&deployment.environment) {
            let left = until.timestamp().duration_since(Timestamp::now());
            let left = Duration::try_from(left).unwrap_or_default();
            return Ok(Some(left.clamp(Duration::from_millis(100), LOOK)));
        }
        gate.frozen_until = None;
        let go = gate.missing() == 0;
        let mut change = Change::new();
        deployment.progress.message = words(&gate);
        deployment.gate = Some(gate);
        if go {
            change = change.event(release(&mut deployment));
        } else {
            let data = json!({ "message": format!("{} {}", subject(&deployment), deployment.progress.message) });
            change = change.event(about(&deployment, EventKind::Notice, "sayso", data));
        }
        change.deployment(&deployment)?.store(&self.log).await?;
        if go {
            self.take_turn(&mut lanes, deployment).await?;
        }
        Ok(None)
    }
}

/// Waits for the end of the freeze window that holds deployment `id`.
async fn thaw(conductor: Weak<Conductor>, id: DeploymentId) {
    loop {
        let Some(alive) = conductor.upgrade() else {
            return;
        };
        let wait = match alive.look_at_held(&id).await {
            Ok(Some(wait)) => wait,
            Ok(None) => return,
            Err(problem) => {
                tracing::error!(%problem, %id, "a held deployment cannot be looked at");
                LOOK
            }
        };
        drop(alive);
        tokio::time::sleep(wait).await;
    }
}
