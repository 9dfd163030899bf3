//! After a crash: what was begun is finished or dropped, so that nothing is lost and nothing is done twice.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use super::Conductor;
use super::records::{self, Change};
use crate::model::{DeploymentState, EventKind, InstructionState, NewEvent, Problem};

/// A deployment that ended its process so often is not begun again by itself.
const MAX_ATTEMPTS: u32 = 3;

impl Conductor {
    /// Takes up what an earlier process left unfinished.
    pub(super) async fn recover(self: &Arc<Self>) -> Result<(), Problem> {
        let mut open = records::open_deployments(&self.log)?;
        // Whoever was at an environment has its turn before who waited for it; of those the newest counts.
        open.sort_by_key(|deployment| deployment.state != DeploymentState::Running);
        for deployment in open {
            // One that was taken up before it may have taken its place.
            let deployment = records::deployment(&self.log, &deployment.id)?;
            match deployment.state {
                DeploymentState::Waiting => {
                    if self.targets.contains_key(&deployment.environment) {
                        self.hold(&deployment);
                    } else {
                        let reason = format!(
                            "there is no environment {:?} any more",
                            deployment.environment
                        );
                        let change =
                            self.dropped(Change::new(), &deployment.id, reason, "sayso")?;
                        change.store(&self.log).await?;
                    }
                    continue;
                }
                DeploymentState::Queued
                    if deployment.attempts == 0
                        && self.targets.contains_key(&deployment.environment) =>
                {
                    self.enqueue(deployment).await?;
                    continue;
                }
                state if state.is_final() => continue,
                _ => {}
            }
            let target = self.targets.get(&deployment.environment);
            let live = match target {
                Some(target) => {
                    target
                        .reconcile(&deployment.environment, &deployment.id)
                        .await
                }
                None => None,
            };
            match live {
                Some(deployed) => self.complete(deployment, deployed).await?,
                None if target.is_some() && deployment.attempts < MAX_ATTEMPTS => {
                    self.enqueue(deployment).await?;
                }
                None => {
                    let problem = Problem::internal(crate::model::host::INTERRUPTED)
                        .hint("deploy again: `sayso deploy`");
                    self.deployment_failed(deployment, problem).await?;
                }
            }
        }
        // After those: what a recovered commit deploys is newer than all of them.
        for journal in records::journals(&self.log)? {
            let commit = journal.prepared.commit.clone();
            // A commit that can no longer be made is dropped with an event; that is no reason not to start.
            match self.finish_commit(journal, Instant::now(), false).await {
                Err(problem) if problem.is("outcome-unknown") => {
                    tracing::warn!(%problem, commit, "whether a commit was made is not known yet");
                }
                Err(problem) => {
                    tracing::warn!(%problem, commit, "an interrupted commit was dropped")
                }
                Ok(_) => {}
            }
        }
        for environment in self.targets.keys() {
            self.expire(environment).await?;
        }
        for mut instruction in records::open_instructions(&self.log)? {
            match instruction.state {
                InstructionState::Received
                | InstructionState::Transcribing
                | InstructionState::Understanding
                | InstructionState::Proposing => self.begin(instruction),
                // Confirmed, and cut off before anything was recorded of it: not guessed at, but said.
                InstructionState::Acting => {
                    let id = instruction.id.clone();
                    let data = json!({
                        "message": "Sayso was interrupted before this was done",
                        "hint": "look at the timeline, then say it again",
                    });
                    let event =
                        NewEvent::new(EventKind::Error, "sayso", data).instruction(Some(&id));
                    instruction.state = InstructionState::Failed;
                    instruction.problem = Some(Problem::internal("interrupted before it was done"));
                    self.store(Change::new().event(event).act_done(&id), &mut instruction)
                        .await?;
                }
                // A model or an agent had asked; it is gone, so it is begun again.
                InstructionState::Asking if records::act(&self.log, &instruction.id)?.is_none() => {
                    instruction.question = None;
                    instruction.state = InstructionState::Understanding;
                    self.store(Change::new(), &mut instruction).await?;
                    self.begin(instruction);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
