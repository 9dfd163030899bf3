//! Another machine as a target of deployments.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::HostTarget;
use crate::deploy::health::Probe;
use crate::deploy::remote::apart;
use crate::deploy::remote::track::Track;
use crate::deploy::{
    DeployFailure, DeployRequest, DeployTarget, Deployed, Elsewhere, PromoteRequest, Report,
    Retreat,
};
use crate::model::{DeploymentId, HealthAnswer, LiveRelease, Problem, ReleaseId, ReleaseInfo};

#[async_trait]
impl DeployTarget for HostTarget {
    fn name(&self) -> &'static str {
        "host"
    }

    async fn deploy(
        &self,
        request: DeployRequest,
        reports: mpsc::UnboundedSender<Report>,
        cancel: CancellationToken,
    ) -> Result<Deployed, DeployFailure> {
        let inner = Arc::clone(&self.inner);
        let mut track = Track::new(reports, cancel, inner.options.secrets.clone());
        apart(async move { inner.deploy(request, &mut track).await }).await
    }

    async fn promote(
        &self,
        request: PromoteRequest,
        reports: mpsc::UnboundedSender<Report>,
        cancel: CancellationToken,
    ) -> Result<Deployed, DeployFailure> {
        let inner = Arc::clone(&self.inner);
        let mut track = Track::new(reports, cancel, inner.options.secrets.clone());
        apart(async move { inner.promote(request, &mut track).await }).await
    }

    async fn rollback(
        &self,
        _environment: &str,
        to: Option<&ReleaseId>,
    ) -> Result<LiveRelease, Problem> {
        let inner = &self.inner;
        let body = json!({ "to": to });
        let live: LiveRelease = inner
            .post(&["rollback"], body)
            .await
            .map_err(|fault| inner.problem(fault, "the host does not go back"))?;
        if let Err(fault) = inner.refresh(false).await {
            tracing::warn!(?fault, "how the host stands is not known");
        }
        Ok(inner.live(live))
    }

    fn releases(&self, _environment: &str) -> Vec<ReleaseInfo> {
        let state = self.inner.cached.get();
        state.map(|state| state.releases).unwrap_or_default()
    }

    fn live(&self, _environment: &str) -> Option<LiveRelease> {
        let live = self.inner.cached.get()?.live?;
        Some(self.inner.live(live))
    }

    async fn reconcile(&self, _environment: &str, id: &DeploymentId) -> Option<Deployed> {
        let deployed = self.inner.became_of(id).await?;
        let _ = self.inner.refresh(false).await;
        Some(deployed)
    }

    async fn elsewhere(&self, _environment: &str) -> Result<Option<Vec<Elsewhere>>, Problem> {
        // The host tells its own people of its deployments; here it only counts what is live.
        let refreshed = self.inner.refresh(true).await;
        refreshed.map_err(|fault| self.inner.problem(fault, "the host cannot be asked"))?;
        Ok(None)
    }

    async fn look(&self, _environment: &str) -> Option<Probe> {
        let inner = &self.inner;
        if let Some(site) = &inner.options.site {
            return Some(inner.probe.look(site).await.probe);
        }
        let live = self.live("")?;
        let began = std::time::Instant::now();
        let answer = inner.get::<HealthAnswer>(&["health"]).await;
        let probe = |ok: bool, status: u16, millis: u64, message: String| Probe {
            ok,
            status,
            millis,
            url: live.url.clone(),
            message,
            settled: false,
        };
        Some(match answer {
            Ok(answer) => {
                let message = match answer.ok {
                    true => "ok".to_owned(),
                    false => answer.message,
                };
                probe(answer.ok, answer.status, answer.ms, message)
            }
            Err(fault) => {
                let millis = began.elapsed().as_millis() as u64;
                let problem = inner.problem(fault, "the host cannot be asked");
                probe(false, 0, millis, problem.detail)
            }
        })
    }

    async fn retreat(&self, _environment: &str, release: &ReleaseId, reason: &str) -> Retreat {
        self.inner.retreat(release, reason).await
    }
}
