//! Spoken commands: the situation is looked up, the plan is asked about or carried out.

mod situation;

use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;
use serde_json::json;

use super::Conductor;
use super::answer::Answer;
use super::control::{self, Act, Plan, Situation, short};
use super::gate::Asking;
use super::hearing::Understood;
use super::instruct::Stop;
use super::records::{self, Change};
use super::rights;
use crate::intent::{clean, sound};
use crate::model::api::{
    self, Approval, ApproveDeployment, Promote, Reject, Rollback, StartPreview, SyncRequest,
};
use crate::model::{
    Action, Control, DeploymentState, EventKind, Identity, Instruction, InstructionId,
    InstructionState, Intent, NewEvent, Problem, ProposalState, Role, Sureness, failpoint,
};

/// What can be said, for who asks.
const HELP: &str = "say what to change (\u{ab}change the headline to \u{2026}\u{bb}), or: commit that, \
    preview the changes, deploy that, redeploy, promote staging to production, approve the promotion, roll back, undo that, open the about page, show status, stop, yes, no, \
    go back to the version before; \
    \u{ab}no, I meant \u{2026}\u{bb} corrects the last thing";

impl Conductor {
    /// Decides what a command means now; asks, acts, or says that there is nothing to do. `false` when a doubtful
    /// reading comes to nothing here: the words are then better taken for what they say.
    pub(super) async fn control(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        intent: &Intent,
        understood: &Understood,
    ) -> Result<bool, Stop> {
        let Intent::Control {
            control,
            phrase,
            exact,
            environment,
            place,
        } = intent
        else {
            return Ok(false);
        };
        let by = self.giver(instruction)?;
        let environment = match (control, environment) {
            (Control::Promote, None) => self.next_environment().map(str::to_owned),
            _ => environment.clone(),
        };
        let environment = self.environment(environment.as_deref())?.to_owned();
        let status = self.repo.status().await?;
        let waiting = records::open_deployments(&self.log)?
            .into_iter()
            .rev()
            .find(|deployment| deployment.state == DeploymentState::Waiting);
        // What a deployment takes: an environment may follow a branch of its own.
        let head = match control {
            Control::Deploy | Control::Redeploy => self.tip_for(&environment, &status.head).await?,
            _ => status.head.clone(),
        };
        let proposals = records::open_proposals(&self.log)?;
        let mut open = proposals
            .iter()
            .rev()
            .filter(|proposal| proposal.state == ProposalState::Open);
        let opened = open.clone().count();
        let asking = records::open_instructions(&self.log)?
            .into_iter()
            .rev()
            .find_map(|other| Some((other.id.clone(), other.question?)));
        let heard = instruction.text.clone().unwrap_or_default();
        let mut situation = Situation {
            heard: heard.trim(),
            phrase,
            exact: understood
                .spoken
                .map_or(*exact, |sure| sure == Sureness::Certain),
            spoken: understood.spoken,
            place: place.as_deref(),
            open: open.next(),
            opened,
            asking,
            head: &head,
            changes: status.changes,
            environment: &environment,
            previous: self.previous(&environment)?,
            promotes: self.promotes(&environment, phrase),
            waiting: waiting.as_ref(),
            undoable: self.undoable(&status.head)?,
            quick: records::quick(&self.log)?.filter(|quick| quick.commit == status.head),
            // What is said without "deploy" goes no further than whoever says it may go.
            approve_action: match self.config.approve.action {
                Action::Deploy if by.role < Role::Deployer => Action::Commit,
                action => action,
            },
            running: self.running().len() > 1,
        };
        let mut plan = control::plan(*control, &situation);
        let second = understood.hearing.as_ref().and_then(|hearing| {
            let close = hearing.margin < sound::CLOSE;
            hearing.readings.get(1).filter(|_| close)
        });
        if let (Plan::Ask(..), Some(second)) = (&plan, second)
            && let Ok(other) = self.environment(second.environment.as_deref())
        {
            situation.environment = other;
            situation.phrase = &second.phrase;
            situation.place = second.place.as_deref();
            let other = control::plan(second.control, &situation);
            plan = control::choose(plan, other, second.control, &situation);
        }
        let asked = situation.asking.is_some();
        // Asked for nothing would be: the answer could only be no.
        if let Plan::Ask(_, act) | Plan::Do(act) | Plan::Choose(_, act, _) = &plan {
            rights::may(&by, act)?;
        }
        match plan {
            Plan::Ask(question, act) => {
                self.ask(instruction, understood, question, act, None)
                    .await?;
            }
            Plan::Choose(question, act, other) => {
                self.ask(instruction, understood, question, act, Some(other))
                    .await?;
            }
            Plan::Do(act) => {
                instruction.state = InstructionState::Acting;
                let event = self.intent_event(instruction, None, understood);
                self.store(Change::new().event(event), instruction).await?;
                self.act(instruction, act, &environment, &by).await?;
            }
            // What was not clearly a command may be a change, unless its words are the command's or a question is open.
            Plan::Nothing(_)
                if understood.spoken == Some(Sureness::Doubtful)
                    && !asked
                    && !understood.to_the_letter() =>
            {
                return Ok(false);
            }
            Plan::Nothing(message) => {
                instruction.state = InstructionState::Done;
                let event = self.intent_event(instruction, None, understood);
                let notice = NewEvent::new(
                    EventKind::Notice,
                    "sayso",
                    json!({ "message": message, "nothing": true }),
                )
                .instruction(Some(&instruction.id));
                self.store(Change::new().event(event).event(notice), instruction)
                    .await?;
            }
        }
        Ok(true)
    }

    pub(super) async fn ask(
        &self,
        instruction: &mut Instruction,
        understood: &Understood,
        question: crate::model::Question,
        act: Act,
        second: Option<Act>,
    ) -> Result<(), Problem> {
        instruction.state = InstructionState::Asking;
        instruction.question = Some(question.clone());
        let event = self.intent_event(instruction, Some(&question), understood);
        let mut change = Change::new().event(event).act(&instruction.id, &act)?;
        if let Some(second) = second {
            change = change.second_act(&instruction.id, &second)?;
        }
        self.store(change, instruction).await?;
        failpoint::reach("instruction.asking");
        Ok(())
    }

    /// Carries out an act for `by`, who said it or said yes to it, and ends the instruction. Boxed: answering a question leads to acting again.
    pub(super) fn act<'a>(
        self: &'a Arc<Self>,
        instruction: &'a mut Instruction,
        act: Act,
        environment: &'a str,
        by: &'a Identity,
    ) -> BoxFuture<'a, Result<(), Stop>> {
        Box::pin(self.carry_out(instruction, act, environment, by))
    }

    async fn carry_out(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        act: Act,
        environment: &str,
        by: &Identity,
    ) -> Result<(), Stop> {
        rights::may(by, &act)?;
        let actor = by.actor.as_str();
        let mut notice = None;
        match act {
            Act::Answer(id, yes) => {
                let answered = self.answer(&id, yes, by).await?;
                instruction.deployment = answered.deployment;
                instruction.proposal = answered.proposal;
            }
            Act::AnswerSecond(id) => {
                let answered = self.answer_with(&id, Answer::Second, by).await?;
                instruction.deployment = answered.deployment;
                instruction.proposal = answered.proposal;
            }
            Act::CommitAtOnce { proposal, version } => {
                let approval = Approval {
                    action: Some(Action::Commit),
                    version: Some(version),
                    ..Approval::default()
                };
                let approved = self.approve(&proposal, approval, by).await?;
                instruction.proposal = Some(proposal);
                return self.committed_at_once(instruction, approved.commit).await;
            }
            Act::UndoCommit(commit) => {
                let undone = self.undo_commit(instruction, &commit, by).await?;
                notice = Some(format!(
                    "commit {} was taken back by {}",
                    short(&commit),
                    short(&undone)
                ));
            }
            Act::Open(place) => return self.open_place(instruction, &place, environment).await,
            Act::Change(words) => {
                instruction.state = InstructionState::Proposing;
                self.store(Change::new().act_done(&instruction.id), instruction)
                    .await?;
                let request = clean::clean(&words);
                instruction.intent = Some(Intent::Edit {
                    request: request.clone(),
                });
                return self.propose_edit(instruction, request, words, None).await;
            }
            Act::Help => notice = Some(HELP.to_owned()),
            Act::Approve {
                proposal,
                version,
                action,
            } => {
                let approval = Approval {
                    action: Some(action),
                    environment: Some(environment.to_owned()),
                    version: Some(version),
                    ..Approval::default()
                };
                let approved = self.approve(&proposal, approval, by).await?;
                instruction.deployment = approved.deployment;
                instruction.proposal = Some(proposal);
            }
            Act::Reject(proposal) => {
                self.reject(&proposal, Reject::default(), actor).await?;
                instruction.proposal = Some(proposal);
            }
            Act::ProposeChanges(action) => return self.propose_changes(instruction, action).await,
            Act::ProposeUndo(commit) => {
                let began = Instant::now();
                let proposal = self.undo_proposal(instruction, &commit).await?;
                return self.open_proposal(instruction, proposal, began, None).await;
            }
            Act::Show(proposal) => {
                // Where no preview can be made, the proposal is still there to be looked at.
                match self.preview(&proposal, StartPreview::default()).await {
                    Ok(preview) => {
                        notice = Some(format!("the preview will be at {}", preview.url));
                    }
                    Err(problem) => {
                        tracing::info!(%problem, "a proposal is shown without a preview")
                    }
                }
                instruction.proposal = Some(proposal);
            }
            Act::Deploy { commit, force } => {
                let of = Some(&instruction.id);
                let deployment = self
                    .begin_deployment(&commit, environment, force, actor, of, Asking::Now)
                    .await?;
                instruction.deployment = Some(deployment.id);
            }
            Act::Promote {
                from,
                release,
                over,
            } => {
                let promote = Promote {
                    release: Some(release),
                    from: Some(from),
                    expected: over,
                    during_freeze: false,
                };
                let synced = self.promote(environment, promote, by).await?;
                instruction.deployment = synced.deployment;
            }
            Act::Let { deployment, over } => {
                let approval = ApproveDeployment {
                    expected: over,
                    during_freeze: false,
                };
                let now = self.approve_deployment(&deployment, approval, by).await?;
                notice = Some(format!(
                    "{} {}",
                    super::gate_words::subject(&now),
                    now.progress.message
                ));
                instruction.deployment = Some(now.id);
            }
            Act::Decline(deployment) => {
                self.cancel(&deployment, by).await?;
            }
            Act::Rollback(to) => {
                self.rollback(environment, Rollback { to: Some(to) }, by)
                    .await?;
            }
            Act::Status => notice = Some(self.status_words().await?),
            Act::SettleConflict => {}
            Act::Stop => {
                let stopped = self.stop_everything(&instruction.id, by).await;
                notice = Some(if stopped == 1 {
                    "stopped".into()
                } else {
                    format!("{stopped} stopped")
                });
            }
        }
        instruction.state = InstructionState::Done;
        let mut change = Change::new().act_done(&instruction.id);
        if let Some(message) = notice {
            let event = NewEvent::new(EventKind::Notice, "sayso", json!({ "message": message }))
                .instruction(Some(&instruction.id));
            change = change.event(event);
        }
        self.store(change, instruction).await?;
        Ok(())
    }

    /// Proposes what was changed in the working tree.
    async fn propose_changes(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        action: Action,
    ) -> Result<(), Stop> {
        let began = Instant::now();
        let action = action.max(instruction.action);
        let made = self.changes_proposal(Some(instruction), action, &[]);
        if let Some(proposal) = made.await? {
            return self.open_proposal(instruction, proposal, began, None).await;
        }
        instruction.state = InstructionState::Done;
        let data = json!({ "message": "nothing has changed", "nothing": true });
        let event =
            NewEvent::new(EventKind::Notice, "sayso", data).instruction(Some(&instruction.id));
        Ok(self.store(Change::new().event(event), instruction).await?)
    }

    async fn stop_everything(self: &Arc<Self>, but: &InstructionId, by: &Identity) -> usize {
        let mut stopped = 0;
        for instruction in records::open_instructions(&self.log).unwrap_or_default() {
            if instruction.id != *but
                && instruction.state != InstructionState::Proposed
                && self
                    .cancel_instruction(&instruction.id, &by.actor)
                    .await
                    .is_ok()
            {
                stopped += 1;
            }
        }
        self.running().retain(|key, commit| {
            let waits = key.starts_with(super::approve::COMMITTING);
            if waits {
                commit.cancel();
                stopped += 1;
            }
            !waits
        });
        for deployment in records::open_deployments(&self.log).unwrap_or_default() {
            // What waits for approval does not run: it is declined, not stopped.
            if deployment.state != DeploymentState::Waiting
                && self.cancel(&deployment.id, by).await.is_ok()
            {
                stopped += 1;
            }
        }
        stopped
    }

    /// Commits the open proposal or the working tree's changes, and deploys when `deploy`.
    pub(super) async fn sync(
        self: &Arc<Self>,
        request: SyncRequest,
        deploy: bool,
        by: &Identity,
    ) -> Result<api::Synced, Problem> {
        let actor = by.actor.as_str();
        let action = if deploy {
            Action::Deploy
        } else {
            Action::Commit
        };
        let (role, what) = rights::role_for(action);
        by.may(role, what)?;
        let open = records::open_proposals(&self.log)?;
        let newest = open
            .iter()
            .rev()
            .find(|proposal| proposal.state == ProposalState::Open);
        let id = match (request.proposals.as_slice(), newest) {
            ([], Some(proposal)) if request.paths.is_empty() => proposal.id.clone(),
            ([], _) => {
                let proposal = self
                    .changes_proposal(None, action, &request.paths)
                    .await?
                    .ok_or_else(|| Problem::new(422, "nothing-to-commit", "nothing has changed"))?;
                let view = super::propose::view(proposal);
                let event = super::propose::proposal_event(EventKind::Proposal, &view, None, actor);
                Change::new()
                    .event(event)
                    .proposal(&view.proposal)?
                    .store(&self.log)
                    .await?;
                view.proposal.id
            }
            ([id], _) => id.clone(),
            (several, _) => {
                let several = several.iter().map(|id| (id.clone(), None)).collect();
                return self
                    .batch(several, request.message, action, request.environment, by)
                    .await;
            }
        };
        let approval = Approval {
            action: Some(action),
            message: request.message,
            environment: request.environment,
            ..Approval::default()
        };
        let approved = self.approve(&id, approval, by).await?;
        Ok(api::Synced {
            commit: approved.commit,
            deployment: approved.deployment,
        })
    }
}
