//! Several proposals as one commit and one deployment. The commit itself is made as for one proposal: journal, branch and
//! events in the same order, so that a crash finishes all of them or none.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Conductor;
use super::approve::{Commit, STALE, accepted};
use super::rights;
use crate::model::api::{BatchApproval, Reviewed, Synced};
use crate::model::{
    Action, Content, Identity, Problem, Proposal, ProposalId, ProposedFile, merge, proposal_room,
};
use crate::review;

/// Proposals that one approval takes at most.
const MOST: usize = 100;

impl Conductor {
    /// Commits what was accepted of several proposals as one commit and, when asked, begins one deployment. Each is
    /// taken in the version that was reviewed.
    ///
    /// # Errors
    /// `bad-request` without proposals or with one named twice; `not-found`; `conflict` when one is not open, changed
    /// since it was reviewed, or two change the same lines; `nothing-accepted`; the repository's own. Nothing is
    /// committed then.
    pub async fn approve_batch(
        self: &Arc<Self>,
        approval: BatchApproval,
        by: &Identity,
    ) -> Result<Synced, Problem> {
        check(&approval.proposals)?;
        let items = approval
            .proposals
            .into_iter()
            .map(|item| (item.proposal, Some(item.version)))
            .collect();
        let action = match approval.action {
            Some(Action::Deploy) => Action::Deploy,
            _ => Action::Commit,
        };
        let conductor = Arc::clone(self);
        let by = by.clone();
        let (message, environment) = (approval.message, approval.environment);
        // In a task: a caller that hangs up must not stop half-way what was approved.
        let task = self.tasks.spawn(async move {
            conductor
                .batch(items, message, action, environment, &by)
                .await
        });
        task.await.map_err(Problem::internal)?
    }

    /// Several proposals as one commit. Where two touch one file, their changes are merged; where they touch the same
    /// lines, nothing is committed.
    pub(super) async fn batch(
        self: &Arc<Self>,
        items: Vec<(ProposalId, Option<u32>)>,
        message: Option<String>,
        action: Action,
        environment: Option<String>,
        by: &Identity,
    ) -> Result<Synced, Problem> {
        let actor = by.actor.as_str();
        let (role, what) = rights::role_for(action);
        for (id, _) in &items {
            by.may_in(&proposal_room(id.as_str()), role, what)?;
        }
        let done = self
            .batch_of(&items, message, action, environment, actor)
            .await;
        if done.is_err() {
            items.iter().for_each(|(id, _)| self.reopen_room(id));
        }
        done
    }

    async fn batch_of(
        self: &Arc<Self>,
        items: &[(ProposalId, Option<u32>)],
        message: Option<String>,
        action: Action,
        environment: Option<String>,
        actor: &str,
    ) -> Result<Synced, Problem> {
        let _one_at_a_time = self.reviewing.lock().await;
        let environment = self.environment(environment.as_deref())?.to_owned();
        if action == Action::Deploy {
            let branch = self.repo.standing().await?.branch;
            self.may_follow(&environment, &branch)?;
        }
        // All are looked at before one is touched.
        let mut proposals = Vec::new();
        for (id, version) in items {
            self.settle_room(id, true).await?;
            let proposal = self.open_one(id)?;
            if version.is_some_and(|seen| seen != proposal.version) {
                return Err(Problem::conflict(format!(
                    "\u{ab}{}\u{bb} changed since it was reviewed",
                    proposal.title
                ))
                .hint("look at it again, then approve the batch"));
            }
            proposals.push(proposal);
        }
        let mut altered = false;
        for attempt in 0.. {
            let head = self.repo.standing().await?;
            for proposal in &mut proposals {
                if head.head != proposal.base {
                    self.move_to(proposal, &head.head, actor).await?;
                    altered = true;
                }
            }
            let mut merged: BTreeMap<String, ProposedFile> = BTreeMap::new();
            for proposal in &proposals {
                for file in accepted(proposal)? {
                    put(&mut merged, file)?;
                }
            }
            let files: Vec<ProposedFile> = merged
                .into_values()
                .filter(|file| file.before != file.after || file.mode_before != file.mode_after)
                .collect();
            let commit = Commit {
                files,
                message: message.clone().unwrap_or_else(|| titles(&proposals)),
                action,
                environment: environment.clone(),
                base: head.head,
                branch: head.branch,
                again: attempt < STALE,
                altered,
            };
            match self.commit(proposals.clone(), commit, actor).await {
                // Somebody was faster: onto the new head, where that changes nothing of what was approved.
                Err(problem) if problem.is("stale-base") && attempt < STALE => {}
                done => return done,
            }
        }
        Err(Problem::conflict(
            "the branch moves faster than a commit can be made",
        ))
    }
}

fn check(items: &[Reviewed]) -> Result<(), Problem> {
    if items.is_empty() {
        return Err(Problem::bad_request("a batch needs proposals"));
    }
    if items.len() > MOST {
        return Err(Problem::bad_request(format!(
            "a batch takes at most {MOST} proposals"
        )));
    }
    for (at, item) in items.iter().enumerate() {
        if items[..at]
            .iter()
            .any(|other| other.proposal == item.proposal)
        {
            return Err(Problem::bad_request(format!(
                "proposal {} is named twice",
                item.proposal
            )));
        }
    }
    Ok(())
}

/// Adds a file to those of the commit, merged with what another proposal does to it.
fn put(merged: &mut BTreeMap<String, ProposedFile>, file: ProposedFile) -> Result<(), Problem> {
    let Some(first) = merged.get_mut(&file.path) else {
        merged.insert(file.path.clone(), file);
        return Ok(());
    };
    if first.after == file.after {
        return Ok(());
    }
    let both = match (
        file.before.as_text(),
        first.after.as_text(),
        file.after.as_text(),
    ) {
        (Some(base), Some(ours), Some(theirs)) => merge::merge(base, ours, theirs).ok(),
        _ => None,
    };
    let Some(text) = both else {
        return Err(Problem::conflict(format!(
            "two of the proposals change the same lines of {}",
            file.path
        ))
        .hint("approve them one after the other"));
    };
    first.after = Content::text(text);
    first.hunks = review::diff::hunks(first);
    Ok(())
}

fn titles(proposals: &[Proposal]) -> String {
    let titles: Vec<&str> = proposals
        .iter()
        .map(|proposal| proposal.title.as_str())
        .collect();
    match titles.as_slice() {
        [one] => (*one).to_owned(),
        many => format!("{} changes\n\n- {}", many.len(), many.join("\n- ")),
    }
}
