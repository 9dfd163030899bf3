//! The sandbox's environment follows its branch: one deployment at a time, the newest commit next.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::super::Conductor;
use super::super::gate::Asking;
use super::super::records;
use super::pass::Worker;
use crate::model::{DeploymentId, DeploymentState, EventKind, Problem};

/// Deployments among which the newest of the environment is looked for.
const RECENT: usize = 60;

/// The end of a deployment may be stored without an event of its own.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What waits for a person does not keep the next commit from taking its place.
fn runs(state: DeploymentState) -> bool {
    !state.is_final() && state != DeploymentState::Waiting
}

impl Worker {
    /// Deploys what is at the branch, unless that was begun before. `None` when there is nothing to do, or one runs: its
    /// end leads here again.
    ///
    /// # Errors
    /// What keeps a deployment from beginning.
    pub(super) async fn deploy(&mut self) -> Result<Option<DeploymentId>, Problem> {
        let tip = self.sandbox.tip().await?;
        if tip.is_empty() {
            return Ok(None);
        }
        let newest = records::deployments(self.log(), RECENT)?
            .into_iter()
            .find(|deployment| deployment.environment == self.environment);
        if let Some(newest) = newest
            && (newest.commit == tip || runs(newest.state))
        {
            return Ok(Some(newest.id).filter(|_| runs(newest.state)));
        }
        let (environment, by) = (&self.environment, Asking::ByItself);
        let begun = self
            .conductor
            .begin_deployment(&tip, environment, false, &self.actor, None, by)
            .await?;
        Ok(Some(begun.id).filter(|_| runs(begun.state)))
    }

    /// The same; what keeps it from beginning is told.
    pub(super) async fn deploy_or_tell(&mut self) -> Option<DeploymentId> {
        match self.deploy().await {
            Ok(id) => id,
            Err(problem) => {
                let data = json!({
                    "message": format!("{} is committed, but not deployed: {}", self.sandbox.branch(), problem.detail),
                    "hint": problem.hint,
                    "type": problem.kind,
                });
                self.tell(EventKind::Error, data).await;
                None
            }
        }
    }
}

impl Conductor {
    /// Waits for the end of a deployment.
    pub(super) async fn deployment_over(self: Arc<Self>, id: DeploymentId) {
        let mut follower = self.log.follow(self.log.head().seq);
        loop {
            match records::deployment(&self.log, &id) {
                Ok(deployment) if runs(deployment.state) => {}
                _ => return,
            }
            // Any event may be the one; a time-out only means to look again.
            let _ = tokio::time::timeout(LOOK_AGAIN, follower.next()).await;
        }
    }
}
