//! A release moves on to an environment without being built anew.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Conductor;
use super::deploy::{about, start_event};
use super::records::Change;
use crate::deploy::PromoteRequest;
use crate::deploy::estimate::Estimator;
use crate::model::api::{Promote, Synced};
use crate::model::{Deployment, DeploymentState, EventKind, Problem};

/// A promotion that its process did not survive is not begun again by itself: as a deployment it would build anew.
const ONCE: u32 = u32::MAX;

impl Conductor {
    /// Makes a release live in `environment` that was built before.
    ///
    /// # Errors
    /// `not-found` for an unknown environment or when `from` serves nothing; `bad-request` when neither a release nor an
    /// environment is named.
    pub async fn promote(
        self: &Arc<Self>,
        environment: &str,
        promote: Promote,
        actor: &str,
    ) -> Result<Synced, Problem> {
        let environment = self.environment(Some(environment))?.to_owned();
        let from = match &promote.from {
            Some(from) => {
                let from = self.environment(Some(from))?;
                let live = self.target(from)?.live(from).ok_or_else(|| {
                    Problem::not_found(format!("{from} serves nothing that could be promoted"))
                        .hint(format!("deploy to {from} first"))
                })?;
                Some((from.to_owned(), live))
            }
            None => None,
        };
        let release = promote
            .release
            .or_else(|| from.as_ref().map(|(_, live)| live.release.clone()));
        let Some(release) = release else {
            return Err(Problem::bad_request("it is not said what is to be promoted")
                .hint("name a release (`sayso deployments` lists them), or the environment that it comes from"));
        };
        let commit = match &from {
            Some((_, live)) => live.commit.clone(),
            None => self
                .targets
                .iter()
                .flat_map(|(name, target)| target.releases(name))
                .find(|known| known.id == release)
                .map_or(String::new(), |known| known.commit),
        };
        let mut deployment = self.new_deployment(&commit, &environment, false, actor, None)?;
        deployment.attempts = ONCE;
        deployment.state = DeploymentState::Running;
        let id = deployment.id.clone();
        Change::new()
            .event(start_event(&deployment))
            .deployment(&deployment)?
            .store(&self.log)
            .await?;
        let request = PromoteRequest {
            id: id.clone(),
            environment,
            release: Some(release),
            from: from.map(|(from, _)| from),
        };
        let cancel = CancellationToken::new();
        self.running().insert(id.to_string(), cancel.clone());
        let conductor = Arc::clone(self);
        self.tasks.spawn(async move {
            let id = deployment.id.clone();
            let result = conductor.drive_promotion(deployment, request, cancel).await;
            conductor.running().remove(id.as_str());
            if let Err(problem) = result {
                tracing::error!(%problem, %id, "a promotion's end could not be stored");
            }
        });
        Ok(Synced {
            commit,
            deployment: Some(id),
        })
    }

    async fn drive_promotion(
        &self,
        mut deployment: Deployment,
        request: PromoteRequest,
        cancel: CancellationToken,
    ) -> Result<(), Problem> {
        let target = Arc::clone(self.target(&deployment.environment)?);
        let from = request.from.clone();
        let (reports, received) = mpsc::unbounded_channel();
        let estimator = Estimator::ordered(&[], target.stages());
        let work = target.promote(request, reports, cancel);
        let (result, told) = tokio::join!(work, self.tell(&mut deployment, received, estimator));
        told?;
        match result {
            Ok(deployed) => {
                let data = json!({
                    "from": from,
                    "to": deployment.environment,
                    "release": deployed.release,
                });
                let event = about(&deployment, EventKind::Promote, &deployment.actor, data);
                Change::new().event(event).store(&self.log).await?;
                // What a promotion took says nothing about the next deployment.
                let deployed = crate::deploy::Deployed {
                    stages: std::collections::BTreeMap::new(),
                    ..deployed
                };
                self.complete(deployment, deployed).await
            }
            Err(failure) => self.failed(deployment, failure).await,
        }
    }
}
