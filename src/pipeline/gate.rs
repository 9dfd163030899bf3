//! What a deployment must pass before it has a turn: freeze windows and approvals.
//!
//! What waits is a stored deployment like any other: it survives a restart, is listed, and can be stopped. It was asked for
//! over a certain release of its environment; when that serves something else, it is over.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::approval::{self, Verdict};
use super::deploy::{about, release, start_event};
use super::gate_words::{subject, told, words};
use super::records::{self, Change};
use super::{Conductor, compare};
use crate::config::{Config, Environment, freeze};
use crate::model::api::{ApproveDeployment, CommitLine, FileChange};
use crate::model::{
    ApprovalRule, Deployment, DeploymentId, DeploymentState, EnvironmentStatus, EventKind, Gate,
    Identity, LiveRelease, NewEvent, Problem, Role, failpoint,
};

/// Files listed with what waits.
const FILES: usize = 100;
/// Commits listed with what waits.
const COMMITS: usize = 20;

/// What is set for each environment.
pub(super) type Rules = BTreeMap<String, Environment>;

/// The environments of `config` by name.
///
/// # Errors
/// `config` when they make no sense.
pub(super) fn rules(config: &Config) -> Result<Rules, Problem> {
    let all = config.environments()?.into_iter();
    Ok(all.map(|one| (one.name.clone(), one)).collect())
}

/// How a deployment is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// By a person: a freeze window refuses it.
    Now,
    /// By a person who knows that a freeze window is open.
    DuringFreeze,
    /// By itself: a freeze window holds it back until it ends.
    ByItself,
}

impl Asking {
    /// A person's request, with or without the word about freeze windows.
    pub(super) fn person(during_freeze: bool) -> Self {
        if during_freeze {
            Self::DuringFreeze
        } else {
            Self::Now
        }
    }
}

impl Conductor {
    /// When nothing new goes to `environment` until.
    pub(super) fn frozen(&self, environment: &str) -> Option<jiff::Zoned> {
        self.rules.get(environment)?.freeze.until(Timestamp::now())
    }

    /// Refuses what a person asks for while nothing new should go to `environment`.
    ///
    /// # Errors
    /// `frozen`.
    pub(super) fn not_frozen(&self, environment: &str) -> Result<(), Problem> {
        match self.frozen(environment) {
            None => Ok(()),
            Some(until) => Err(Problem::new(
                409,
                "frozen",
                format!(
                    "{environment} is frozen: nothing new goes to it until {}",
                    freeze::told(&until)
                ),
            )
            .hint("wait until then; where it must be, --during-freeze lets it through and the log says so")),
        }
    }

    /// Refuses what a commit to `branch` may not do: go to an environment that follows another one, or that is frozen.
    ///
    /// # Errors
    /// `other-branch`, `frozen`.
    pub(super) fn may_follow(&self, environment: &str, branch: &str) -> Result<(), Problem> {
        if let Some(follows) = self.own_branch(environment)
            && follows != branch
        {
            let own = self.rules.values().find(|other| other.branch == branch);
            let hint = match own {
                Some(own) => format!(
                    "deploy to {} (--env {}), then promote it; or commit only",
                    own.name, own.name
                ),
                None => format!("commit only, and bring it to {follows} yourself"),
            };
            return Err(Problem::new(
                409,
                "other-branch",
                format!(
                    "{environment} follows the branch {follows}, and this commit goes to {branch}"
                ),
            )
            .hint(hint));
        }
        self.not_frozen(environment).map_err(|problem| {
            problem.hint(
                "commit only, and deploy it then; where it must be: `sayso deploy --during-freeze`",
            )
        })
    }

    /// The commit that a deployment to `environment` takes; `head` is that of the branch checked out.
    ///
    /// # Errors
    /// `not-found` when the branch that it follows is not there.
    pub(super) async fn tip_for(&self, environment: &str, head: &str) -> Result<String, Problem> {
        match self.own_branch(environment) {
            Some(branch) => self.repo.tip(branch).await,
            None => Ok(head.to_owned()),
        }
    }

    /// The branch of its own that an environment follows; `None`: the one that is checked out.
    pub(super) fn own_branch(&self, environment: &str) -> Option<&str> {
        let branch = self.rules.get(environment)?.branch.as_str();
        (!branch.is_empty()).then_some(branch)
    }

    /// Decides whether a new deployment waits, and returns the event that tells of its beginning.
    ///
    /// # Errors
    /// `frozen`.
    pub(super) async fn admit(
        &self,
        deployment: &mut Deployment,
        asking: Asking,
    ) -> Result<NewEvent, Problem> {
        let environment = deployment.environment.clone();
        let frozen = self.frozen(&environment);
        let mut held = None;
        match (&frozen, asking) {
            (None, _) => {}
            (Some(_), Asking::Now) => self.not_frozen(&environment)?,
            (Some(until), Asking::DuringFreeze) => {
                deployment.during_freeze = Some(until.timestamp())
            }
            (Some(until), Asking::ByItself) => held = Some(until.timestamp()),
        }
        let rule = self.rules.get(&environment);
        let rule = rule.map_or(ApprovalRule::None, |rules| rules.approval);
        if rule == ApprovalRule::None && held.is_none() {
            return Ok(start_event(deployment));
        }
        let gate = self.gate_of(deployment, rule, held).await?;
        Ok(held_by(deployment, gate))
    }

    /// What stands before a deployment, with what it would change.
    pub(super) async fn gate_of(
        &self,
        deployment: &Deployment,
        rule: ApprovalRule,
        frozen_until: Option<Timestamp>,
    ) -> Result<Gate, Problem> {
        let environment = &deployment.environment;
        let live = self.target(environment)?.live(environment);
        let difference = self.difference(live.as_ref(), &deployment.commit).await;
        Ok(Gate {
            rule,
            given: Vec::new(),
            over: live.as_ref().map(|live| live.release.clone()),
            since: live.map(|live| live.commit),
            changed: difference.0.len(),
            files: difference.0.into_iter().take(FILES).collect(),
            commits: difference.1,
            frozen_until,
        })
    }

    /// Stores a new deployment that was admitted, in the place of an older one that waits, and gives it its turn.
    pub(super) async fn begin_admitted(
        self: &Arc<Self>,
        deployment: Deployment,
        event: NewEvent,
    ) -> Result<(), Problem> {
        let mut lanes = self.lanes.lock().await;
        let mut change = Change::new().event(event).deployment(&deployment)?;
        if deployment.state == DeploymentState::Waiting {
            change = self.supersede_waiting(change, &deployment)?;
        }
        change.store(&self.log).await?;
        failpoint::reach("deploy.stored");
        if deployment.state == DeploymentState::Waiting {
            self.hold(&deployment);
            return Ok(());
        }
        self.take_turn(&mut lanes, deployment).await
    }

    /// Ends the deployments that wait for the same environment in favour of `newer`.
    pub(super) fn supersede_waiting(
        &self,
        mut change: Change,
        newer: &Deployment,
    ) -> Result<Change, Problem> {
        for older in records::open_deployments(&self.log)? {
            let same = older.environment == newer.environment && older.id != newer.id;
            if same && older.state == DeploymentState::Waiting {
                let reason = format!("{} by {} takes its place", newer.id, newer.actor);
                change = self.dropped(change, &older.id, reason, "sayso")?;
            }
        }
        Ok(change)
    }

    /// A yes to a deployment that waits.
    ///
    /// # Errors
    /// `not-found`; `conflict` when it does not wait; `moved`, `same-person`, `frozen`.
    pub async fn approve_deployment(
        self: &Arc<Self>,
        id: &DeploymentId,
        approval: ApproveDeployment,
        by: &Identity,
    ) -> Result<Deployment, Problem> {
        by.may(Role::Deployer, "approving a deployment")?;
        let actor = by.actor.as_str();
        let mut lanes = self.lanes.lock().await;
        let mut deployment = records::deployment(&self.log, id)?;
        let waits = deployment.state == DeploymentState::Waiting;
        let Some(mut gate) = deployment.gate.clone().filter(|_| waits) else {
            return Err(
                Problem::conflict(format!("deployment {id} does not wait for approval"))
                    .hint("`sayso status` lists what does"),
            );
        };
        let environment = deployment.environment.clone();
        let live = self.target(&environment)?.live(&environment);
        let verdict = approval::yes(
            &mut gate,
            by,
            Timestamp::now(),
            approval.expected.as_ref(),
            live.as_ref().map(|live| &live.release),
            &environment,
        );
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(problem) => {
                // What it was asked over is gone: nobody can approve it any more.
                if problem.is("moved")
                    && let Some(reason) = self.outdated(&deployment)
                {
                    let change = self.dropped(Change::new(), id, reason, "sayso")?;
                    change.store(&self.log).await?;
                }
                return Err(problem);
            }
        };
        let frozen = self.frozen(&environment);
        if let (Verdict::Go, Some(until)) = (&verdict, &frozen) {
            if approval.during_freeze {
                deployment.during_freeze = Some(until.timestamp());
            } else if deployment.during_freeze.is_none() && gate.frozen_until.is_none() {
                return self.not_frozen(&environment).map(|()| deployment);
            }
        }
        let held = frozen.filter(|_| deployment.during_freeze.is_none());
        gate.frozen_until = held.map(|until| until.timestamp());
        let go = verdict == Verdict::Go && gate.frozen_until.is_none();
        let event = about(
            &deployment,
            EventKind::Approved,
            actor,
            told(&deployment, &gate),
        );
        let mut change = Change::new().event(event);
        deployment.progress.message = words(&gate);
        deployment.gate = Some(gate);
        if go {
            change = change.event(release(&mut deployment));
        }
        change.deployment(&deployment)?.store(&self.log).await?;
        failpoint::reach("deploy.approved");
        if go {
            self.take_turn(&mut lanes, deployment.clone()).await?;
        }
        Ok(deployment)
    }

    /// Ends what waits and was asked for over something that is not there any more: because of what happened to
    /// `environment`.
    pub(super) async fn expire(&self, environment: &str) -> Result<(), Problem> {
        let _turns = self.lanes.lock().await;
        let mut change = Change::new();
        let mut any = false;
        for waiting in records::open_deployments(&self.log)? {
            let concerned = waiting.environment == environment
                || waiting
                    .promotion
                    .as_ref()
                    .is_some_and(|promotion| promotion.from.as_deref() == Some(environment));
            if waiting.state == DeploymentState::Waiting
                && concerned
                && let Some(reason) = self.outdated(&waiting)
            {
                change = self.dropped(change, &waiting.id, reason, "sayso")?;
                any = true;
            }
        }
        if any {
            change.store(&self.log).await?;
        }
        Ok(())
    }

    /// Why a deployment may not go any more: its environment, or the one that its release comes from, moved.
    pub(super) fn outdated(&self, deployment: &Deployment) -> Option<String> {
        let environment = &deployment.environment;
        let live = self.targets.get(environment)?.live(environment);
        let live = live.map(|live| live.release);
        let over = match (&deployment.gate, &deployment.promotion) {
            (Some(gate), _) => &gate.over,
            (None, Some(promotion)) => &promotion.over,
            (None, None) => return None,
        };
        if *over != live {
            return Some(approval::moved(environment, over.as_ref(), live.as_ref()).detail);
        }
        let promotion = deployment.promotion.as_ref()?;
        let from = promotion.from.as_ref()?;
        // One that has begun is not stopped because the next one has arrived behind it.
        if deployment.state != DeploymentState::Waiting {
            return None;
        }
        let now = self.targets.get(from)?.live(from).map(|live| live.release);
        if now.as_ref() == Some(&promotion.release) {
            return None;
        }
        let now = now.map_or_else(|| "nothing".to_owned(), |now| now.0);
        Some(format!(
            "{from} serves {now} by now, and this was about {}",
            promotion.release
        ))
    }

    /// The files and commits that `commit` has over what is live.
    async fn difference(
        &self,
        live: Option<&LiveRelease>,
        commit: &str,
    ) -> (Vec<FileChange>, Vec<CommitLine>) {
        let Some(live) = live.filter(|live| !live.commit.is_empty() && !commit.is_empty()) else {
            return Default::default();
        };
        let (files, commits) = tokio::join!(
            self.repo.changes_between(&live.commit, commit),
            self.repo.commits_between(&live.commit, commit, COMMITS)
        );
        let mut files = files.unwrap_or_else(|problem| {
            tracing::warn!(%problem, "what a deployment changes is not known");
            Vec::new()
        });
        let files = files.iter_mut().map(compare::counted).collect();
        (files, commits.unwrap_or_default())
    }

    /// Every environment: what is set for it, who is at it, what waits for it.
    pub(super) async fn environments_now(&self) -> Result<Vec<EnvironmentStatus>, Problem> {
        let lanes = self.lanes.lock().await;
        let open = records::open_deployments(&self.log)?;
        let mut all = Vec::new();
        for (name, target) in &self.targets {
            let lane = lanes.get(name);
            let waiting = open.iter().filter(|deployment| {
                deployment.environment == *name && deployment.state == DeploymentState::Waiting
            });
            let mut status = EnvironmentStatus {
                name: name.clone(),
                target: target.name().to_owned(),
                frozen_until: self.frozen(name).map(|until| until.timestamp()),
                lock: lane.and_then(|lane| self.lock_of(lane.at()?, lane.since())),
                queued: lane.and_then(|lane| self.lock_of(lane.next()?, None)),
                waiting: waiting
                    .filter_map(|waiting| self.lock_of(&waiting.id, None))
                    .collect(),
                ..EnvironmentStatus::default()
            };
            if let Some(rules) = self.rules.get(name) {
                status.branch.clone_from(&rules.branch);
                status.url.clone_from(&rules.url);
                status.approval = rules.approval;
                status.checks.clone_from(&rules.checks);
                status.promote_to.clone_from(&rules.promote_to);
            }
            all.push(status);
        }
        Ok(all)
    }
}

/// Makes a deployment wait at its gate, and tells so.
pub(super) fn held_by(deployment: &mut Deployment, gate: Gate) -> NewEvent {
    deployment.state = DeploymentState::Waiting;
    deployment.progress.message = words(&gate);
    let mut data = told(deployment, &gate);
    data["message"] = json!(format!(
        "{} {}",
        subject(deployment),
        deployment.progress.message
    ));
    data["waits"] = json!(true);
    let event = about(deployment, EventKind::Notice, &deployment.actor, data);
    deployment.gate = Some(gate);
    event
}
