//! A release moves on to an environment: the same one where the target can take it over, else its commit. By a person, or by
//! itself after it was well where it was.

use std::sync::Arc;

use serde_json::json;

use super::Conductor;
use super::deploy::about;
use super::gate::Asking;
use super::records;
use crate::model::api::{Promote, Synced};
use crate::model::{
    Deployment, DeploymentState, EventKind, Identity, LiveRelease, NewEvent, Problem, Promotion,
    ReleaseId, Role,
};

impl Conductor {
    /// Makes a release live in `environment` that was built before, or asks for the approvals that this needs.
    ///
    /// # Errors
    /// `not-found` for an unknown environment or when `from` serves nothing; `bad-request` when neither a release nor an
    /// environment is named; `moved` when the environment does not serve what the request expects; `frozen`; `nothing`
    /// when it is live there already.
    pub async fn promote(
        self: &Arc<Self>,
        environment: &str,
        promote: Promote,
        by: &Identity,
    ) -> Result<Synced, Problem> {
        by.may(Role::Deployer, "promoting a release")?;
        let asking = Asking::person(promote.during_freeze);
        self.promote_as(environment, promote, &by.actor, asking)
            .await
    }

    async fn promote_as(
        self: &Arc<Self>,
        environment: &str,
        promote: Promote,
        actor: &str,
        asking: Asking,
    ) -> Result<Synced, Problem> {
        let environment = self.environment(Some(environment))?.to_owned();
        let target = self.target(&environment)?;
        let from = match &promote.from {
            Some(from) => Some(self.served_by(from)?),
            None => None,
        };
        let release = promote
            .release
            .or_else(|| from.as_ref().map(|(_, live)| live.release.clone()));
        let Some(release) = release else {
            return Err(Problem::bad_request("it is not said what is to be promoted")
                .hint("name a release (`sayso deployments` lists them), or the environment that it comes from"));
        };
        let live = target.live(&environment).map(|live| live.release);
        if let Some(expected) = &promote.expected
            && live.as_ref() != Some(expected)
        {
            return Err(super::approval::moved(
                &environment,
                Some(expected),
                live.as_ref(),
            ));
        }
        if live.as_ref() == Some(&release) && from.is_some() {
            return Err(Problem::new(
                422,
                "nothing",
                format!("{environment} serves {release} already"),
            ));
        }
        let (origin, commit) = self.origin_of(&release, from.as_ref());
        // Named by its release alone, it comes from where it is served.
        let served = |name: &String| {
            let live = self.targets.get(name).and_then(|target| target.live(name));
            *name != environment && live.is_some_and(|live| live.release == release)
        };
        let comes_from = match &from {
            Some((from, _)) => Some(from.clone()),
            None => origin.clone().filter(served),
        };
        let same_kind = origin
            .as_ref()
            .and_then(|origin| self.targets.get(origin))
            .is_none_or(|source| source.name() == target.name());
        let anew = !(target.promotes() && same_kind);
        if anew && commit.is_empty() {
            return Err(Problem::new(
                422,
                "nothing-to-deploy",
                format!(
                    "{environment} cannot take {release} over, and which commit it was made from is not known"
                ),
            )
            .hint("deploy a commit instead"));
        }
        let mut deployment = self.new_deployment(&commit, &environment, false, actor, None)?;
        deployment.promotion = Some(Promotion {
            release,
            from: comes_from,
            over: live,
            anew,
            automatic: asking == Asking::ByItself,
        });
        let event = self.admit(&mut deployment, asking).await?;
        let id = deployment.id.clone();
        self.begin_admitted(deployment, event).await?;
        Ok(Synced {
            commit,
            deployment: Some(id),
        })
    }

    fn served_by(&self, from: &str) -> Result<(String, LiveRelease), Problem> {
        let from = self.environment(Some(from))?;
        let live = self.target(from)?.live(from).ok_or_else(|| {
            Problem::not_found(format!("{from} serves nothing that could be promoted"))
                .hint(format!("deploy to {from} first"))
        })?;
        Ok((from.to_owned(), live))
    }

    /// The environment that a release comes from, and the commit that it was made from.
    fn origin_of(
        &self,
        release: &ReleaseId,
        from: Option<&(String, LiveRelease)>,
    ) -> (Option<String>, String) {
        if let Some((from, live)) = from
            && live.release == *release
        {
            return (Some(from.clone()), live.commit.clone());
        }
        let found = self.targets.iter().find_map(|(name, target)| {
            let known = target.releases(name);
            let known = known.into_iter().find(|known| known.id == *release)?;
            Some((Some(name.clone()), known.commit))
        });
        found.unwrap_or_default()
    }

    /// After a deployment went live: what waited for something else is over, and where nothing is watched it goes on.
    pub(super) async fn went_live(
        self: &Arc<Self>,
        deployment: &Deployment,
    ) -> Result<(), Problem> {
        self.expire(&deployment.environment).await?;
        let environment = &deployment.environment;
        let Some(release) = &deployment.release else {
            return Ok(());
        };
        // Where releases are watched, whoever does says when one was well for all of it: the embedded host, or the round
        // that looks at the other places.
        let rules = self.rules.get(environment);
        let health = rules.map_or(&self.config.health, |rules| &rules.health);
        let here = deployment.target == "local" && !health.watch.duration().is_zero();
        let watched = here || self.vitals.watches(environment);
        if !watched || self.target(environment)?.proven(environment, release) {
            self.stays_well(environment, release).await;
        }
        Ok(())
    }

    /// A release was well for as long as it was watched: it goes on to where its environment says, as far as it may.
    pub(super) async fn stays_well(self: &Arc<Self>, environment: &str, release: &ReleaseId) {
        let next = self.rules.get(environment);
        let Some(to) = next.and_then(|rules| rules.promote_to.clone()) else {
            return;
        };
        if let Err(problem) = self.promote_on(environment, release, &to).await {
            tracing::warn!(%problem, environment, %to, "a release does not go on by itself");
            let data = json!({
                "message": format!("{release} does not go on from {environment} to {to}: {}", problem.detail),
                "hint": problem.hint,
            });
            let event = NewEvent::new(EventKind::Error, "sayso", data).environment(&to);
            let told = records::Change::new().event(event).store(&self.log).await;
            if let Err(problem) = told {
                tracing::error!(%problem, "that cannot be told");
            }
        }
    }

    async fn promote_on(
        self: &Arc<Self>,
        environment: &str,
        release: &ReleaseId,
        to: &str,
    ) -> Result<(), Problem> {
        let serves = |name: &str| Some(self.targets.get(name)?.live(name)?.release);
        // Something else may be live by now, or somebody was faster.
        if serves(environment).as_ref() != Some(release) || serves(to).as_ref() == Some(release) {
            return Ok(());
        }
        let asked = records::open_deployments(&self.log)?
            .into_iter()
            .any(|open| {
                open.environment == to
                    && open
                        .promotion
                        .is_some_and(|promotion| promotion.release == *release)
            });
        if asked {
            return Ok(());
        }
        let promote = Promote {
            from: Some(environment.to_owned()),
            ..Promote::default()
        };
        self.promote_as(to, promote, "sayso", Asking::ByItself)
            .await
            .map(drop)
    }
}

/// The `promote` event of a deployment that is live, if it was a promotion.
pub(super) fn promote_event(deployment: &Deployment) -> Option<NewEvent> {
    let promotion = deployment.promotion.as_ref()?;
    debug_assert_eq!(deployment.state, DeploymentState::Live);
    let approvals = deployment.gate.as_ref().map(|gate| &gate.given);
    let data = json!({
        "from": promotion.from,
        "to": deployment.environment,
        "release": deployment.release,
        "over": promotion.over,
        "approvals": approvals,
        "anew": promotion.anew,
        "automatic": promotion.automatic,
    });
    Some(about(
        deployment,
        EventKind::Promote,
        &deployment.actor,
        data,
    ))
}
