//! The four services: `instant_sync`, `batch_sync`, `quick_commit`, `force_redeploy`.

use std::sync::Arc;

use super::Conductor;
use super::gate::Asking;
use super::records;
use super::rights::DEPLOYING;
use crate::model::api::{SyncRequest, Synced};
use crate::model::{Action, Identity, Problem, ProposalState, Role};

impl Conductor {
    /// Commit and deploy in one flow: the open proposal, else the working tree's changes.
    ///
    /// # Errors
    /// As `approve`; `nothing-to-commit`.
    pub async fn instant_sync(
        self: &Arc<Self>,
        request: SyncRequest,
        by: &Identity,
    ) -> Result<Synced, Problem> {
        self.sync(request, true, by).await
    }

    /// Several proposals (all open ones when none are named) as one commit and one deployment.
    ///
    /// # Errors
    /// As `approve`; `conflict` when two change the same lines.
    pub async fn batch_sync(
        self: &Arc<Self>,
        request: SyncRequest,
        by: &Identity,
    ) -> Result<Synced, Problem> {
        by.may(Role::Deployer, DEPLOYING)?;
        let ids: Vec<_> = if request.proposals.is_empty() {
            records::open_proposals(&self.log)?
                .into_iter()
                .filter(|proposal| proposal.state == ProposalState::Open)
                .map(|proposal| proposal.id)
                .collect()
        } else {
            request.proposals
        };
        if ids.is_empty() {
            return Err(Problem::new(
                422,
                "nothing-to-commit",
                "no proposal is open",
            ));
        }
        self.batch(
            ids.into_iter().map(|id| (id, None)).collect(),
            request.message,
            Action::Deploy,
            request.environment,
            by,
        )
        .await
    }

    /// Commit without deploying.
    ///
    /// # Errors
    /// As `approve`; `nothing-to-commit`.
    pub async fn quick_commit(
        self: &Arc<Self>,
        request: SyncRequest,
        by: &Identity,
    ) -> Result<Synced, Problem> {
        self.sync(request, false, by).await
    }

    /// Deploys the current state again, as a new release even when the same tree is live.
    ///
    /// # Errors
    /// As `deploy`.
    pub async fn force_redeploy(
        self: &Arc<Self>,
        request: SyncRequest,
        by: &Identity,
    ) -> Result<Synced, Problem> {
        self.deploy(request, true, by).await
    }

    /// Deploys the tip of the branch that the environment follows, or the commit of it that is asked for; `force` makes a
    /// new release even when the same tree is live.
    ///
    /// # Errors
    /// `nothing-to-deploy` on a branch without commits; `not-found` for an unknown environment or branch, and for a commit
    /// that the branch lacks; `frozen`.
    pub async fn deploy(
        self: &Arc<Self>,
        request: SyncRequest,
        force: bool,
        by: &Identity,
    ) -> Result<Synced, Problem> {
        by.may(Role::Deployer, DEPLOYING)?;
        let environment = self.environment(request.environment.as_deref())?.to_owned();
        let standing = self.repo.standing().await?;
        if standing.head.is_empty() {
            return Err(
                Problem::new(422, "nothing-to-deploy", "the branch has no commit yet")
                    .hint("commit something first: `sayso commit`"),
            );
        }
        let commit = match request.commit {
            None => self.tip_for(&environment, &standing.head).await?,
            Some(commit) => {
                let own = self.own_branch(&environment);
                let branch = own.unwrap_or(&standing.branch);
                if !self.repo.contains(branch, &commit).await? {
                    let what = super::control::short(&commit);
                    return Err(Problem::not_found(format!(
                        "{branch}, which {environment} follows, has no commit {what}"
                    ))
                    .hint("give the whole id of a commit that is on the branch"));
                }
                commit
            }
        };
        let deployment = self
            .begin_deployment(
                &commit,
                &environment,
                force,
                &by.actor,
                None,
                Asking::person(request.during_freeze),
            )
            .await?;
        Ok(Synced {
            commit,
            deployment: Some(deployment.id),
        })
    }
}
