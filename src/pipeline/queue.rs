//! One deployment at a time for each environment, and at most one that waits for its turn.
//!
//! The turns are held in memory; the truth about them is the stored deployments. A start makes the turns anew from those,
//! so that a crash frees an environment as soon as what it was at is known to be over, and not when some time has passed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Conductor;
use super::deploy::{about, progress_event};
use super::records::{self, Change};
use crate::model::{
    Deployment, DeploymentId, DeploymentState, EventKind, LiveRelease, Lock, NewEvent, Problem,
    Stage,
};

/// How long a deployment that was stopped for a rollback is waited for, before the rollback is looked at again.
const STOPS: Duration = Duration::from_secs(30);

/// Who is at one environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lane {
    at: Option<DeploymentId>,
    since: Option<Timestamp>,
    next: Option<DeploymentId>,
}

/// The answer to who asks for a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is at the environment.
    Now,
    /// It waits for `at`, in the place of another one that waited.
    Behind {
        at: DeploymentId,
        instead_of: Option<DeploymentId>,
    },
}

impl Lane {
    /// Asks for a turn. Asking twice is asking once.
    pub(super) fn ask(&mut self, id: &DeploymentId, now: Timestamp) -> Turn {
        match &self.at {
            None => {
                self.at = Some(id.clone());
                self.since = Some(now);
                Turn::Now
            }
            Some(at) if at == id => Turn::Now,
            Some(at) => {
                let before = self.next.replace(id.clone());
                Turn::Behind {
                    at: at.clone(),
                    instead_of: before.filter(|before| before != id),
                }
            }
        }
    }

    /// Who was at the environment leaves; whose turn it is now.
    pub(super) fn leave(&mut self, id: &DeploymentId, now: Timestamp) -> Option<DeploymentId> {
        if self.at.as_ref() != Some(id) {
            return None;
        }
        self.at = self.next.take();
        self.since = self.at.as_ref().map(|_| now);
        self.at.clone()
    }

    /// Takes back a request that waits; false when it does not.
    pub(super) fn withdraw(&mut self, id: &DeploymentId) -> bool {
        let waits = self.next.as_ref() == Some(id);
        if waits {
            self.next = None;
        }
        waits
    }

    /// Who is at the environment.
    pub(super) fn at(&self) -> Option<&DeploymentId> {
        self.at.as_ref()
    }

    /// Since when.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Who is next.
    pub(super) fn next(&self) -> Option<&DeploymentId> {
        self.next.as_ref()
    }
}

/// The lanes of all environments.
pub(super) type Lanes = BTreeMap<String, Lane>;

impl Conductor {
    /// Gives a stored deployment its turn, now or when the one before it is over.
    pub(super) async fn enqueue(self: &Arc<Self>, deployment: Deployment) -> Result<(), Problem> {
        let mut lanes = self.lanes.lock().await;
        self.take_turn(&mut lanes, deployment).await
    }

    /// As [`Self::enqueue`], for who holds the lanes.
    pub(super) async fn take_turn(
        self: &Arc<Self>,
        lanes: &mut Lanes,
        mut deployment: Deployment,
    ) -> Result<(), Problem> {
        let lane = lanes.entry(deployment.environment.clone()).or_default();
        match lane.ask(&deployment.id, Timestamp::now()) {
            Turn::Now => {
                let id = deployment.id.clone();
                let begun = self.begin_or_hold(deployment).await;
                if !matches!(begun, Ok(true)) {
                    lane.leave(&id, Timestamp::now());
                }
                begun?;
            }
            Turn::Behind { at, instead_of } => {
                let before = records::deployment(&self.log, &at)?;
                deployment.state = DeploymentState::Queued;
                deployment.progress.stage = Stage::Queue;
                deployment.progress.message = format!(
                    "waits for {at} of {} to {}",
                    before.actor, before.environment
                );
                let mut change = Change::new()
                    .event(progress_event(&deployment))
                    .deployment(&deployment)?;
                if let Some(old) = instead_of {
                    let reason =
                        format!("{} by {} takes its place", deployment.id, deployment.actor);
                    change = self.dropped(change, &old, reason, "sayso")?;
                }
                change.store(&self.log).await?;
                crate::model::failpoint::reach("deploy.queued");
            }
        }
        Ok(())
    }

    /// A deployment that was at its environment is over: the next one has its turn.
    pub(super) async fn leave(self: &Arc<Self>, environment: &str, id: &DeploymentId) {
        let mut lanes = self.lanes.lock().await;
        let Some(lane) = lanes.get_mut(environment) else {
            return;
        };
        let mut over = id.clone();
        while let Some(next) = lane.leave(&over, Timestamp::now()) {
            match records::deployment(&self.log, &next) {
                Ok(deployment) if !deployment.state.is_final() => {
                    match self.begin_or_hold(deployment).await {
                        Ok(true) => return,
                        Ok(false) => {}
                        Err(problem) => {
                            tracing::error!(%problem, "a queued deployment cannot be held back");
                        }
                    }
                }
                Ok(_) => {}
                Err(problem) => tracing::error!(%problem, "a queued deployment cannot be read"),
            }
            over = next;
        }
    }

    /// Adds the end of a deployment that never had its turn to `change`.
    pub(super) fn dropped(
        &self,
        change: Change,
        id: &DeploymentId,
        reason: String,
        actor: &str,
    ) -> Result<Change, Problem> {
        let mut deployment = records::deployment(&self.log, id)?;
        if deployment.state.is_final() {
            return Ok(change);
        }
        deployment.state = DeploymentState::Canceled;
        deployment.ended_at = Some(Timestamp::now());
        deployment.progress.message.clone_from(&reason);
        deployment.progress.eta_ms = None;
        deployment.problem = Some(Problem::new(409, "canceled", reason.clone()));
        let data = json!({ "stage": deployment.progress.stage, "reason": reason });
        change
            .event(about(&deployment, EventKind::Canceled, actor, data))
            .deployment(&deployment)
    }

    /// Before an environment goes back: what waits for its turn is dropped, and what is at work is stopped unless its
    /// traffic has moved already. Returns what was at work.
    pub(super) async fn clear_the_way(
        self: &Arc<Self>,
        environment: &str,
        actor: &str,
    ) -> Result<Option<DeploymentId>, Problem> {
        let mut lanes = self.lanes.lock().await;
        let Some(lane) = lanes.get_mut(environment) else {
            return Ok(None);
        };
        if let Some(next) = lane.next().cloned() {
            lane.withdraw(&next);
            let reason = format!("{actor} took {environment} back to an earlier release");
            let change = self.dropped(Change::new(), &next, reason, actor)?;
            change.store(&self.log).await?;
        }
        let Some(at) = lane.at().cloned() else {
            return Ok(None);
        };
        let cancel: Option<CancellationToken> = self.running().get(at.as_str()).cloned();
        if let Some(cancel) = cancel {
            tracing::info!(id = %at, actor, "a deployment is stopped for a rollback");
            cancel.cancel();
        }
        Ok(Some(at))
    }

    /// After a rollback: should what was stopped have moved traffic in the same moment, it is taken back again.
    pub(super) fn stay_back(
        self: &Arc<Self>,
        stopped: DeploymentId,
        back: LiveRelease,
        actor: &str,
    ) {
        let (conductor, actor) = (Arc::clone(self), actor.to_owned());
        self.tasks.spawn(async move {
            if let Err(problem) = conductor.stays_back(&stopped, &back, &actor).await {
                tracing::error!(%problem, "whether a rollback lasted is not known");
            }
        });
    }

    async fn stays_back(
        &self,
        stopped: &DeploymentId,
        back: &LiveRelease,
        actor: &str,
    ) -> Result<(), Problem> {
        let environment = &back.environment;
        let mut follower = self.log.follow(self.log.head().seq);
        let waited = tokio::time::timeout(STOPS, async {
            while !records::deployment(&self.log, stopped).is_ok_and(|now| now.state.is_final()) {
                // Any event may be the one; a time-out only means to look again.
                let _ = tokio::time::timeout(Duration::from_millis(250), follower.next()).await;
            }
        });
        let _ = waited.await;
        let over = records::deployment(&self.log, stopped)?;
        let target = self.target(environment)?;
        let live = target.live(environment);
        let raced = live.is_some_and(|live| {
            Some(&live.release) == over.release.as_ref() && live.release != back.release
        });
        if !raced || over.ended_at.is_none_or(|ended| ended < back.since) {
            return Ok(());
        }
        let now = target.rollback(environment, Some(&back.release)).await?;
        let data = json!({
            "from": over.release, "to": now.release, "commit": now.commit, "url": now.url, "automatic": false,
            "reason": format!("{stopped} went live while {actor} went back"),
        });
        let event = NewEvent::new(EventKind::Rollback, actor, data).environment(environment);
        Change::new().event(event).store(&self.log).await?;
        Ok(())
    }

    /// The deployment `id` as people see it before an environment, since `since` or since it was asked for.
    pub(super) fn lock_of(&self, id: &DeploymentId, since: Option<Timestamp>) -> Option<Lock> {
        let deployment = records::deployment(&self.log, id).ok()?;
        Some(Lock {
            deployment: deployment.id,
            owner: deployment.actor,
            since: since.unwrap_or(deployment.started_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> DeploymentId {
        DeploymentId::from(name)
    }

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn ask(lane: &mut Lane, name: &str) -> Turn {
        lane.ask(&id(name), NOW)
    }

    fn leave(lane: &mut Lane, name: &str) -> Option<DeploymentId> {
        lane.leave(&id(name), NOW)
    }

    #[test]
    fn one_at_a_time_and_the_newest_is_next() {
        let mut lane = Lane::default();
        assert_eq!(ask(&mut lane, "a"), Turn::Now);
        let behind = |instead_of: Option<&str>| Turn::Behind {
            at: id("a"),
            instead_of: instead_of.map(id),
        };
        assert_eq!(ask(&mut lane, "b"), behind(None));
        assert_eq!(ask(&mut lane, "c"), behind(Some("b")));
        // Asked again, nothing changes.
        assert_eq!(ask(&mut lane, "c"), behind(None));
        assert_eq!(ask(&mut lane, "a"), Turn::Now);
        assert_eq!((lane.at(), lane.next()), (Some(&id("a")), Some(&id("c"))));
        // Who is not there cannot leave.
        assert_eq!(leave(&mut lane, "b"), None);
        assert_eq!(leave(&mut lane, "a"), Some(id("c")));
        assert_eq!(leave(&mut lane, "a"), None);
        assert_eq!(leave(&mut lane, "c"), None);
        assert_eq!(lane, Lane::default());
        assert_eq!(ask(&mut lane, "d"), Turn::Now);
    }

    #[test]
    fn who_waits_can_go_away() {
        let mut lane = Lane::default();
        ask(&mut lane, "a");
        ask(&mut lane, "b");
        assert!(
            !lane.withdraw(&id("a")),
            "who is at it is stopped, not withdrawn"
        );
        assert!(lane.withdraw(&id("b")));
        assert!(!lane.withdraw(&id("b")));
        assert_eq!(leave(&mut lane, "a"), None);
    }
}
