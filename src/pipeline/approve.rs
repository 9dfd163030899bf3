//! From an approval to a commit, with a journal: a crash at any point is finished or dropped, never doubled.

mod accepted;
mod told;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub(super) use accepted::accepted;
use accepted::{content_at, select};
use told::{commit_event, told};

use super::Conductor;
use super::control::short;
use super::gate::Asking;
use super::records::{self, Change, Journal};
use super::rights;
use crate::model::api::{Approval, Approved, Synced};
use crate::model::{
    Action, Content, Decision, Deployment, DeploymentState, EventKind, Identity, InstructionId,
    InstructionState, NewEvent, Problem, Proposal, ProposalId, ProposalState, ProposedFile,
    failpoint, merge, proposal_room,
};
use crate::review;
use crate::vcs::{CommitRequest, Committed, Prepared};

/// Times a commit is put onto a branch that moved meanwhile.
pub(super) const STALE: u32 = 20;

/// Between two questions whether a commit arrived.
const ASK_AGAIN: Duration = Duration::from_secs(5);

impl Conductor {
    /// Commits what was accepted of a proposal and, when asked, begins the deployment.
    ///
    /// # Errors
    /// `forbidden` for who may not go so far; `not-found`; `conflict` when the proposal is not open, changed since it was reviewed, or its lines were
    /// changed on the branch; `nothing-accepted`; the repository's own (`hook-failed`, `identity-missing` …).
    pub async fn approve(
        self: &Arc<Self>,
        id: &ProposalId,
        approval: Approval,
        by: &Identity,
    ) -> Result<Approved, Problem> {
        let conductor = Arc::clone(self);
        let (id, by) = (id.clone(), by.clone());
        // In a task: a caller that hangs up must not stop half-way what was approved.
        let task = self.tasks.spawn(async move {
            let done = conductor.approve_one(&id, approval, &by).await;
            if done.is_err() {
                conductor.reopen_room(&id);
            }
            done
        });
        task.await.map_err(Problem::internal)?
    }

    async fn approve_one(
        self: &Arc<Self>,
        id: &ProposalId,
        approval: Approval,
        by: &Identity,
    ) -> Result<Approved, Problem> {
        let actor = by.actor.as_str();
        let _one_at_a_time = self.reviewing.lock().await;
        let settled = self.settle_room(id, true).await?;
        // The repository is asked while the proposal, which may be megabytes, is read.
        let read = async { self.open_one(id) };
        let (standing, proposal) = tokio::join!(self.repo.standing(), read);
        let (mut standing, mut proposal) = (standing?, proposal?);
        self.as_reviewed(&approval, &proposal, settled.as_ref())?;
        if let Some(accepted) = &approval.hunks {
            select(&mut proposal, accepted)?;
        }
        let action = match approval.action.unwrap_or(proposal.action) {
            Action::Preview => Action::Commit,
            action => action,
        };
        let (role, what) = rights::role_for(action);
        by.may_in(&proposal_room(id.as_str()), role, what)
            .map_err(|problem| match action {
                Action::Deploy => problem.hint(
                    "approve it up to a commit (`action: commit`, `sayso commit`), and ask a deployer to deploy it",
                ),
                _ => problem,
            })?;
        let environment = self
            .environment(approval.environment.as_deref())?
            .to_owned();
        if action == Action::Deploy {
            self.may_follow(&environment, &proposal.branch)?;
        }
        let message = approval.message.unwrap_or_else(|| proposal.title.clone());
        let mut altered = approval.hunks.is_some();
        for attempt in 0.. {
            if attempt > 0 {
                standing = self.repo.standing().await?;
            }
            if standing.head != proposal.base {
                self.move_to(&mut proposal, &standing.head, actor).await?;
                altered = true;
            }
            let commit = Commit {
                files: accepted(&proposal)?,
                message: message.clone(),
                action,
                environment: environment.clone(),
                base: proposal.base.clone(),
                branch: proposal.branch.clone(),
                again: attempt < STALE,
                altered,
            };
            match self.commit(vec![proposal.clone()], commit, actor).await {
                // Somebody was faster: onto the new head, where that changes nothing of what was approved.
                Err(problem) if problem.is("stale-base") && attempt < STALE => {}
                done => {
                    return done.map(|synced| Approved {
                        commit: synced.commit,
                        deployment: synced.deployment,
                    });
                }
            }
        }
        Err(Problem::conflict(
            "the branch moves faster than a commit can be made",
        ))
    }

    pub(super) fn open_one(&self, id: &ProposalId) -> Result<Proposal, Problem> {
        let proposal = records::proposal(&self.log, id)?;
        match proposal.state {
            ProposalState::Open => Ok(proposal),
            ProposalState::Committing => Err(Problem::conflict(format!(
                "proposal {id} is being committed"
            ))),
            ProposalState::Committed => Err(Problem::conflict(format!(
                "proposal {id} was committed as {}",
                short(proposal.commit.as_deref().unwrap_or_default())
            ))),
            ProposalState::Rejected => {
                Err(Problem::conflict(format!("proposal {id} was rejected")))
            }
        }
    }

    /// The branch moved since the proposal was made. Where none of its files changed, the base moves silently:
    /// what is committed is the same to the byte. Else the changes are merged and must be reviewed again.
    pub(super) async fn move_to(
        &self,
        proposal: &mut Proposal,
        head: &str,
        actor: &str,
    ) -> Result<(), Problem> {
        let tree = self.repo.tree(head).await?;
        let mut touched = false;
        for file in &mut proposal.files {
            let now = content_at(tree.as_ref(), &file.path)?;
            if now == file.before {
                continue;
            }
            touched = true;
            let texts = (file.before.as_text(), now.as_text(), file.after.as_text());
            let merged = match texts {
                (Some(base), Some(ours), Some(theirs)) => merge::merge(base, ours, theirs).ok(),
                _ => None,
            };
            let Some(text) = merged else {
                return Err(Problem::conflict(format!(
                    "{} was changed on {} in the lines that this proposal changes",
                    file.path, proposal.branch
                ))
                .hint("reject the proposal and say the change again"));
            };
            file.before = now;
            file.after = Content::text(text);
            file.hunks = review::diff::hunks(file);
        }
        proposal.base = head.to_owned();
        if !touched {
            return Ok(());
        }
        proposal.files.retain(|file| file.before != file.after);
        self.update(proposal.clone(), actor).await?;
        Err(
            Problem::conflict("the branch moved: the proposal was merged with what is new")
                .hint("look at it again, then approve it"),
        )
    }

    /// Makes the commit: object, journal, branch, events; then the deployment's record in the same
    /// transaction, so that an approved deployment is never forgotten.
    pub(super) async fn commit(
        self: &Arc<Self>,
        mut proposals: Vec<Proposal>,
        commit: Commit,
        actor: &str,
    ) -> Result<Synced, Problem> {
        let began = Instant::now();
        let request = CommitRequest {
            base: commit.base,
            branch: commit.branch,
            message: commit.message.clone(),
            files: commit.files,
        };
        let (output, mut lines) = mpsc::unbounded_channel();
        let prepared = self.prepare(&proposals, &request, output).await;
        let mut printed = Vec::new();
        while let Ok(line) = lines.try_recv() {
            printed.push(line);
        }
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(problem) if problem.is("stale-base") && commit.again => return Err(problem),
            Err(problem) => {
                let data = json!({
                    "message": problem.detail,
                    "hint": problem.hint,
                    "type": problem.kind,
                    "output": printed,
                });
                let event = NewEvent::new(EventKind::Error, "sayso", data)
                    .proposal(proposals.first().map(|proposal| &proposal.id))
                    .instruction(
                        proposals
                            .first()
                            .and_then(|proposal| proposal.instruction.as_ref()),
                    );
                Change::new().event(event).store(&self.log).await?;
                return Err(problem);
            }
        };
        let journal = Journal {
            proposals: proposals
                .iter()
                .map(|proposal| proposal.id.clone())
                .collect(),
            prepared,
            message: commit.message,
            action: commit.action,
            environment: commit.environment,
            actor: actor.to_owned(),
            files: request.files.iter().map(|file| file.path.clone()).collect(),
        };
        let mut change = Change::new().journal(&journal)?;
        for proposal in &mut proposals {
            proposal.state = ProposalState::Committing;
            proposal.updated_at = Timestamp::now();
            let hunks: Vec<&str> = proposal
                .files
                .iter()
                .flat_map(|file| &file.hunks)
                .filter(|hunk| hunk.decision == Decision::Accepted)
                .map(|hunk| hunk.id.as_str())
                .collect();
            let data = json!({
                "hunks": hunks,
                "action": commit.action,
                "message": journal.message,
                "version": proposal.version,
            });
            let event = NewEvent::new(EventKind::Approved, actor, data)
                .instruction(proposal.instruction.as_ref())
                .proposal(Some(&proposal.id));
            change = change.event(event);
            change = if commit.altered {
                change.proposal(proposal)?
            } else {
                change.proposal_step(proposal)?
            };
        }
        change.store(&self.log).await?;
        failpoint::reach("commit.journaled");
        self.finish_with(journal, proposals, began, commit.again)
            .await
    }

    /// The first half of a commit, which nothing has been changed by: a word of the person stops it.
    async fn prepare(
        &self,
        proposals: &[Proposal],
        request: &CommitRequest,
        output: mpsc::UnboundedSender<String>,
    ) -> Result<Prepared, Problem> {
        let first = proposals.first().map(|proposal| proposal.id.as_str());
        let key = format!("{COMMITTING}{}", first.unwrap_or_default());
        let cancel = CancellationToken::new();
        self.running().insert(key.clone(), cancel.clone());
        let prepared = tokio::select! {
            () = cancel.cancelled() => Err(Problem::new(409, "canceled", "the commit was stopped")
                .hint("nothing was committed; the proposal is open")),
            prepared = self.repo.prepare(request, output) => prepared,
        };
        self.running().remove(&key);
        prepared
    }

    /// Whether a commit arrived is not known: asks until it is.
    fn ask_again(self: &Arc<Self>, journal: Journal, began: Instant) {
        let conductor = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(ASK_AGAIN).await;
            if let Some(conductor) = conductor.upgrade() {
                let commit = journal.prepared.commit.clone();
                // Boxed: it asks again by itself where it must.
                let again = Box::pin(conductor.finish_commit(journal, began, true));
                if let Err(problem) = again.await {
                    tracing::info!(%problem, commit, "a commit was asked about again");
                }
            }
        });
    }

    /// The second half of a commit, also run after a crash.
    pub(super) async fn finish_commit(
        self: &Arc<Self>,
        journal: Journal,
        began: Instant,
        again: bool,
    ) -> Result<Synced, Problem> {
        let ids = journal.proposals.iter();
        let proposals: Result<Vec<_>, _> = ids.map(|id| records::proposal(&self.log, id)).collect();
        let proposals = proposals?;
        self.finish_with(journal, proposals, began, again).await
    }

    /// The same with the proposals as they are stored.
    async fn finish_with(
        self: &Arc<Self>,
        journal: Journal,
        mut proposals: Vec<Proposal>,
        began: Instant,
        again: bool,
    ) -> Result<Synced, Problem> {
        let asked = format!("asked-{}", journal.prepared.commit);
        let finished = self.repo.finish(&journal.prepared).await;
        if !matches!(&finished, Err(problem) if problem.is("outcome-unknown")) {
            self.running().remove(&asked);
        }
        let committed = match finished {
            Ok(committed) => committed,
            // It is neither made nor not made: the journal keeps it, now and for the next start.
            Err(problem) if problem.is("outcome-unknown") => {
                if !self.running().contains_key(&asked) {
                    self.running().insert(asked, CancellationToken::new());
                    let data = told(&problem);
                    let event = NewEvent::new(EventKind::Error, "sayso", data)
                        .proposal(proposals.first().map(|proposal| &proposal.id));
                    Change::new().event(event).store(&self.log).await?;
                }
                self.ask_again(journal, began);
                return Err(problem);
            }
            Err(problem) => {
                let quiet = problem.is("stale-base") && again;
                self.not_committed(&journal, proposals, &problem, quiet)
                    .await?;
                return Err(problem);
            }
        };
        failpoint::reach("commit.finished");
        let mut change = Change::new().journal_done(&journal.prepared.commit);
        let mut event = commit_event(&journal, &committed, began);
        if let Some(first) = proposals.first() {
            event = event
                .instruction(first.instruction.as_ref())
                .proposal(Some(&first.id));
        }
        change = change.event(event);
        if let Some(problem) = &committed.trouble {
            let event = NewEvent::new(EventKind::Error, "sayso", told(problem))
                .proposal(proposals.first().map(|proposal| &proposal.id));
            change = change.event(event);
        }
        let mut deployment = None;
        if journal.action == Action::Deploy {
            let instruction = proposals
                .first()
                .and_then(|proposal| proposal.instruction.as_ref());
            let (with, begun) = self
                .approved_deployment(change, &journal, &committed, instruction)
                .await?;
            change = with;
            deployment = Some(begun);
        }
        for proposal in &mut proposals {
            proposal.state = ProposalState::Committed;
            proposal.commit = Some(committed.commit.clone());
            proposal.updated_at = Timestamp::now();
            change = change.proposal_step(proposal)?;
            if let Some(id) = &proposal.instruction {
                let mut instruction = records::instruction(&self.log, id)?;
                if !instruction.state.is_final() {
                    instruction.state = InstructionState::Done;
                    instruction.deployment = deployment.as_ref().map(|d| d.id.clone());
                    instruction.updated_at = Timestamp::now();
                    change = change.instruction(&instruction)?;
                }
            }
        }
        change.store(&self.log).await?;
        failpoint::reach("commit.stored");
        let id = deployment.as_ref().map(|deployment| deployment.id.clone());
        match deployment {
            Some(waits) if waits.state == DeploymentState::Waiting => self.hold(&waits),
            Some(deployment) => self.enqueue(deployment).await?,
            None => {}
        }
        Ok(Synced {
            commit: committed.commit,
            deployment: id,
        })
    }

    /// A commit was not made and nothing was moved: the proposals are open again, and the commit object is left to git's
    /// own clean-up. `quiet`: it is tried again, so that nobody need know.
    async fn not_committed(
        &self,
        journal: &Journal,
        proposals: Vec<Proposal>,
        problem: &Problem,
        quiet: bool,
    ) -> Result<(), Problem> {
        let mut change = Change::new().journal_done(&journal.prepared.commit);
        for mut proposal in proposals {
            proposal.state = ProposalState::Open;
            proposal.updated_at = Timestamp::now();
            change = change.proposal_step(&proposal)?;
            if !quiet {
                let event = NewEvent::new(EventKind::Error, "sayso", told(problem))
                    .instruction(proposal.instruction.as_ref())
                    .proposal(Some(&proposal.id));
                change = change.event(event);
            }
        }
        change.store(&self.log).await?;
        Ok(())
    }

    /// The deployment of a commit that was approved up to it; `change` with its beginning.
    async fn approved_deployment(
        &self,
        mut change: Change,
        journal: &Journal,
        committed: &Committed,
        instruction: Option<&InstructionId>,
    ) -> Result<(Change, Deployment), Problem> {
        let mut deployment = self.new_deployment(
            &committed.commit,
            &journal.environment,
            false,
            &journal.actor,
            instruction,
        )?;
        // A freeze that began only now holds it back: what was approved is not forgotten.
        let begins = self.admit(&mut deployment, Asking::ByItself).await?;
        change = change.event(begins).deployment(&deployment)?;
        if deployment.state == DeploymentState::Waiting {
            change = self.supersede_waiting(change, &deployment)?;
        }
        Ok((change, deployment))
    }
}

/// What is to be committed.
pub(super) struct Commit {
    pub(super) files: Vec<ProposedFile>,
    pub(super) message: String,
    pub(super) action: Action,
    pub(super) environment: String,
    pub(super) base: String,
    pub(super) branch: String,
    /// It is tried again when the branch has moved, so that this is not worth an event.
    pub(super) again: bool,
    /// The proposals are not to the letter what is stored of them.
    pub(super) altered: bool,
}

/// What a commit that can be stopped is called among what runs.
pub(super) const COMMITTING: &str = "commit-";
