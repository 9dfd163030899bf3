//! The embedded local host as a target of deployments.

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{LocalTarget, deploy, finish};
use crate::deploy::health::Probe;
use crate::deploy::{
    DeployFailure, DeployRequest, DeployTarget, Deployed, PromoteRequest, Report, Retreat,
};
use crate::model::{
    DeploymentId, DeploymentState, LiveRelease, Problem, Progress, ReleaseId, ReleaseInfo,
};

#[async_trait]
impl DeployTarget for LocalTarget {
    fn name(&self) -> &'static str {
        "local"
    }

    fn announce(&self, environment: &str, progress: &Progress, state: DeploymentState) {
        if let Ok(environment) = self.inner.environment(environment) {
            environment.front.announce(progress, state);
        }
    }

    async fn deploy(
        &self,
        request: DeployRequest,
        reports: mpsc::UnboundedSender<Report>,
        cancel: CancellationToken,
    ) -> Result<Deployed, DeployFailure> {
        let DeployRequest {
            id,
            environment,
            source,
            force,
        } = request;
        let run = self.begin(id, environment, reports);
        let token = run.cancel.clone();
        let work = deploy::deploy(run, source, force);
        finish(self.inner.clone(), work, token, cancel).await
    }

    fn promotes(&self) -> bool {
        true
    }

    async fn promote(
        &self,
        request: PromoteRequest,
        reports: mpsc::UnboundedSender<Report>,
        cancel: CancellationToken,
    ) -> Result<Deployed, DeployFailure> {
        let run = self.begin(request.id.clone(), request.environment.clone(), reports);
        let token = run.cancel.clone();
        let work = deploy::promote(run, request);
        finish(self.inner.clone(), work, token, cancel).await
    }

    async fn rollback(
        &self,
        environment: &str,
        to: Option<&ReleaseId>,
    ) -> Result<LiveRelease, Problem> {
        let (inner, name, to) = (self.inner.clone(), environment.to_owned(), to.cloned());
        tokio::spawn(async move { inner.rollback(&name, to.as_ref()).await })
            .await
            .map_err(Problem::internal)?
    }

    fn releases(&self, environment: &str) -> Vec<ReleaseInfo> {
        self.inner
            .environment(environment)
            .map(|environment| environment.pointer().infos())
            .unwrap_or_default()
    }

    fn live(&self, environment: &str) -> Option<LiveRelease> {
        self.inner.environment(environment).ok()?.live()
    }

    async fn reconcile(&self, environment: &str, id: &DeploymentId) -> Option<Deployed> {
        let (inner, name, id) = (self.inner.clone(), environment.to_owned(), id.clone());
        tokio::spawn(async move { inner.reconcile(&name, &id).await })
            .await
            .ok()?
    }

    async fn look(&self, environment: &str) -> Option<Probe> {
        self.probe(environment).await
    }

    fn local(&self) -> Option<&LocalTarget> {
        Some(self)
    }

    fn watching(&self, environment: &str) -> bool {
        let environment = self.inner.environment(environment);
        environment.is_ok_and(|environment| environment.pointer().on_trial())
    }

    fn proven(&self, environment: &str, release: &ReleaseId) -> bool {
        let Ok(environment) = self.inner.environment(environment) else {
            return false;
        };
        let pointer = environment.pointer();
        pointer.entry(release).is_some_and(|entry| entry.proven)
    }

    async fn retreat(&self, environment: &str, release: &ReleaseId, reason: &str) -> Retreat {
        let (inner, name) = (self.inner.clone(), environment.to_owned());
        let (release, reason) = (release.clone(), reason.to_owned());
        // To its end, even when nobody waits for it any more.
        let work = tokio::spawn(async move {
            match inner.environment(&name) {
                Ok(environment) => inner.retreat(environment, &release, &reason, false).await,
                Err(problem) => Retreat::Stays(problem.detail),
            }
        });
        work.await
            .unwrap_or_else(|error| Retreat::Stays(format!("it ended unexpectedly: {error}")))
    }
}
