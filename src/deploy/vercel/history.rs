//! What Vercel itself knows: deployments made on its page or by a push, and what became of ours.

use std::collections::BTreeMap;

use super::Inner;
use super::cause::hint;
use super::seen::{Phase, Seen, address, best_alias};
use crate::deploy::remote::track::Track;
use crate::deploy::{Deployed, Elsewhere};
use crate::model::{DeploymentId, DeploymentState, Problem, ReleaseId};

/// How many deployments are looked at.
const NEWEST: u32 = 20;

impl Inner {
    /// After a crash: `Some` when the deployment is live, and our own probe finds it.
    pub(super) async fn reconcile(&self, id: &DeploymentId) -> Option<Deployed> {
        if let Some(known) = self.memory.made_by(id) {
            return Some(Deployed {
                release: known.release,
                url: known.url,
                stages: known.stages,
            });
        }
        let remote = self.memory.begun(id)?.remote;
        let seen = match remote {
            Some(remote) => self.deployment(&remote).await.ok()?,
            None => self.find(id).await.ok().flatten()?,
        };
        let live = seen.phase == Phase::Ready && (!self.production() || seen.alias_assigned);
        if !live || seen.alias_error.is_some() {
            // Still at work, or failed: the deployment is begun again, and follows this one.
            return None;
        }
        let (reports, _) = tokio::sync::mpsc::unbounded_channel();
        let mut track = Track::new(
            reports,
            tokio_util::sync::CancellationToken::new(),
            self.options.secrets.clone(),
        );
        let url = self.verify(&seen, None, &mut track).await.ok()?;
        self.now_live(&seen, &url, Some(id.clone()), BTreeMap::new());
        Some(Deployed {
            release: ReleaseId::from(seen.id.as_str()),
            url,
            stages: BTreeMap::new(),
        })
    }

    /// The newest deployments of this environment, as Vercel lists them.
    pub(super) async fn elsewhere(&self) -> Result<Vec<Elsewhere>, Problem> {
        let all = self
            .list(NEWEST)
            .await
            .map_err(|fault| fault.problem("Vercel's deployments cannot be read", &hint))?;
        let here: Vec<Seen> = all.into_iter().filter(|seen| self.is_here(seen)).collect();
        if self.production()
            && let Some(id) = self.current(&here).await
            && let Some(seen) = here.iter().find(|seen| seen.id == id)
            && self
                .memory
                .current()
                .is_none_or(|known| known.release.as_str() != id)
        {
            let url = self
                .known_url()
                .or_else(|| best_alias(&seen.aliases).map(|alias| address(alias)));
            let url = url.unwrap_or_else(|| address(&seen.url));
            let ours = seen.ours.as_deref().map(DeploymentId::from);
            self.now_live(seen, &url, ours, BTreeMap::new());
        }
        Ok(here.iter().map(|seen| self.listed(seen)).collect())
    }

    fn is_here(&self, seen: &Seen) -> bool {
        match self.options.place.as_str() {
            "production" => seen.target == "production",
            "preview" => seen.target != "production" && seen.custom.is_empty(),
            slug => seen.custom == slug,
        }
    }

    fn listed(&self, seen: &Seen) -> Elsewhere {
        let production = self.production();
        let (state, message) = match &seen.phase {
            Phase::Ready if seen.checks_failed() => {
                (DeploymentState::Failed, "its checks failed".to_owned())
            }
            Phase::Ready if !production || seen.alias_assigned => {
                (DeploymentState::Live, "live".to_owned())
            }
            Phase::Ready if seen.substate == "STAGED" => (
                DeploymentState::Failed,
                "built, but not live: it waits to be promoted".to_owned(),
            ),
            Phase::Ready => (
                DeploymentState::Running,
                "is built; its addresses are being assigned".to_owned(),
            ),
            Phase::Error => (
                DeploymentState::Failed,
                match seen.error.message.as_str() {
                    "" => "the build failed".to_owned(),
                    message => message.to_owned(),
                },
            ),
            Phase::Canceled | Phase::Deleted => {
                (DeploymentState::Canceled, "canceled on Vercel".to_owned())
            }
            Phase::Blocked => (DeploymentState::Failed, "blocked by Vercel".to_owned()),
            Phase::Queued => (
                DeploymentState::Queued,
                "waits in Vercel's queue".to_owned(),
            ),
            Phase::Building | Phase::Other(_) => {
                (DeploymentState::Running, "builds on Vercel".to_owned())
            }
        };
        let url = best_alias(&seen.aliases)
            .filter(|_| production)
            .unwrap_or(&seen.url);
        Elsewhere {
            release: ReleaseId::from(seen.id.as_str()),
            ours: seen.ours.as_deref().map(DeploymentId::from),
            commit: seen.commit.clone(),
            actor: if seen.creator.is_empty() {
                "Vercel".to_owned()
            } else {
                seen.creator.clone()
            },
            url: address(url),
            state,
            message: self.options.secrets.clean(&message),
            at: seen.created.unwrap_or_else(jiff::Timestamp::now),
            ended: seen.ready,
        }
    }
}
