//! GitHub Actions as a target of deployments.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::ActionsTarget;
use crate::deploy::health::Probe;
use crate::deploy::remote::memory::Memory;
use crate::deploy::remote::track::Track;
use crate::deploy::{
    DeployFailure, DeployRequest, DeployTarget, Deployed, Elsewhere, Report, remote,
};
use crate::model::{DeploymentId, LiveRelease, Problem, ReleaseId, ReleaseInfo, Stage};

#[async_trait]
impl DeployTarget for ActionsTarget {
    fn name(&self) -> &'static str {
        "github_actions"
    }

    fn stages(&self) -> [Stage; 6] {
        use Stage::{Activate, Build, Fetch, Queue, Upload, Verify};
        [Fetch, Queue, Build, Upload, Activate, Verify]
    }

    async fn deploy(
        &self,
        request: DeployRequest,
        reports: mpsc::UnboundedSender<Report>,
        cancel: CancellationToken,
    ) -> Result<Deployed, DeployFailure> {
        let inner = Arc::clone(&self.inner);
        let mut track = Track::new(reports, cancel, inner.options.secrets.clone());
        remote::apart(async move { inner.deploy(request, &mut track).await }).await
    }

    async fn rollback(
        &self,
        _environment: &str,
        to: Option<&ReleaseId>,
    ) -> Result<LiveRelease, Problem> {
        let (inner, to) = (Arc::clone(&self.inner), to.cloned());
        tokio::spawn(async move { inner.rollback(to).await })
            .await
            .map_err(Problem::internal)?
    }

    fn releases(&self, _environment: &str) -> Vec<ReleaseInfo> {
        self.inner.memory.infos()
    }

    fn live(&self, _environment: &str) -> Option<LiveRelease> {
        self.inner.memory.live()
    }

    async fn reconcile(&self, _environment: &str, id: &DeploymentId) -> Option<Deployed> {
        self.inner.reconcile(id).await
    }

    async fn elsewhere(&self, _environment: &str) -> Result<Option<Vec<Elsewhere>>, Problem> {
        self.inner.elsewhere().await.map(Some)
    }

    async fn look(&self, _environment: &str) -> Option<Probe> {
        let url = self.inner.options.url.as_ref()?;
        Some(self.inner.probe.look(url).await.probe)
    }

    fn memory(&self) -> Option<&Memory> {
        Some(&self.inner.memory)
    }

    fn nudge(&self) {
        self.inner.nudge.notify_waiters();
    }
}
