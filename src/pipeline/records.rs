//! What the conductor stores: documents and the events that led to them, in one transaction.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::control::Act;
use crate::events::{EventLog, Put};
use crate::generate::Earlier;
use crate::model::{
    Action, Deployment, DeploymentId, Event, Instruction, InstructionId, Intent, NewEvent, Problem,
    Proposal, ProposalId, ProposalState,
};
use crate::vcs::Prepared;

const INSTRUCTION: &str = "instruction";
const PROPOSAL: &str = "proposal";
const PROPOSAL_STEP: &str = "proposal-step";
const DEPLOYMENT: &str = "deployment";
const PREPARED: &str = "prepared";
const ACT: &str = "act";
const SECOND_ACT: &str = "second-act";
const QUICK: &str = "quick-commit";
const KEY: &str = "idempotency-key";
const CHOICES: &str = "choices";
// Names of what is not final, so that a start need not read the whole history.
const OPEN_INSTRUCTION: &str = "open-instruction";
const OPEN_PROPOSAL: &str = "open-proposal";
const OPEN_DEPLOYMENT: &str = "open-deployment";

/// More than a person can have open; a bound for the lists read at start.
const MANY: usize = 10_000;

/// The journal entry of a commit: written after the commit object exists and before the branch moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// The proposal being committed.
    pub proposals: Vec<ProposalId>,
    /// The commit object.
    pub prepared: Prepared,
    /// Its message.
    pub message: String,
    /// How far to go.
    pub action: Action,
    /// The environment to deploy to.
    pub environment: String,
    /// Who approved.
    pub actor: String,
    /// Paths committed.
    pub files: Vec<String>,
}

/// The last commit that a spoken word made without a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quick {
    /// The commit.
    pub commit: String,
    /// The instruction that made it.
    pub instruction: InstructionId,
    /// When.
    pub at: Timestamp,
}

/// What of a proposal moves while it is committed. It is stored beside the proposal, whose files, which may be megabytes,
/// stay as they are; the next time that the whole proposal is stored it goes.
#[derive(Serialize, Deserialize)]
struct Step {
    state: ProposalState,
    commit: Option<String>,
    updated_at: Timestamp,
}

/// A set of events and documents that are stored together.
#[derive(Default)]
pub struct Change {
    events: Vec<NewEvent>,
    puts: Vec<Put>,
}

impl Change {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event.
    pub fn event(mut self, event: NewEvent) -> Self {
        self.events.push(event);
        self
    }

    /// Stores an instruction.
    pub fn instruction(mut self, instruction: &Instruction) -> Result<Self, Problem> {
        let id = instruction.id.as_str();
        self.puts.push(Put::new(INSTRUCTION, id, instruction)?);
        self.puts
            .push(open(OPEN_INSTRUCTION, id, !instruction.state.is_final())?);
        Ok(self)
    }

    /// Stores a proposal.
    pub fn proposal(mut self, proposal: &Proposal) -> Result<Self, Problem> {
        let id = proposal.id.as_str();
        self.puts.push(Put::new(PROPOSAL, id, proposal)?);
        self.puts.push(Put::delete(PROPOSAL_STEP, id));
        self.puts.push(open(OPEN_PROPOSAL, id, is_open(proposal))?);
        Ok(self)
    }

    /// Stores how far a proposal is, which is all that may differ from what is stored of it.
    pub fn proposal_step(mut self, proposal: &Proposal) -> Result<Self, Problem> {
        let id = proposal.id.as_str();
        let step = Step {
            state: proposal.state,
            commit: proposal.commit.clone(),
            updated_at: proposal.updated_at,
        };
        self.puts.push(Put::new(PROPOSAL_STEP, id, &step)?);
        self.puts.push(open(OPEN_PROPOSAL, id, is_open(proposal))?);
        Ok(self)
    }

    /// Stores a deployment.
    pub fn deployment(mut self, deployment: &Deployment) -> Result<Self, Problem> {
        let id = deployment.id.as_str();
        self.puts.push(Put::new(DEPLOYMENT, id, deployment)?);
        self.puts
            .push(open(OPEN_DEPLOYMENT, id, !deployment.state.is_final())?);
        Ok(self)
    }

    /// Stores a deployment that was made elsewhere: it is listed, and nothing of it is ours to finish.
    pub fn foreign(mut self, deployment: &Deployment) -> Result<Self, Problem> {
        let id = deployment.id.as_str();
        self.puts.push(Put::new(DEPLOYMENT, id, deployment)?);
        Ok(self)
    }

    /// Stores any document.
    pub fn put<T: Serialize>(
        mut self,
        kind: &'static str,
        id: &str,
        document: &T,
    ) -> Result<Self, Problem> {
        self.puts.push(Put::new(kind, id, document)?);
        Ok(self)
    }

    /// Removes any document.
    pub fn delete(mut self, kind: &'static str, id: &str) -> Self {
        self.puts.push(Put::delete(kind, id));
        self
    }

    /// Stores the journal entry of a commit.
    pub fn journal(mut self, journal: &Journal) -> Result<Self, Problem> {
        self.puts
            .push(Put::new(PREPARED, &journal.prepared.commit, journal)?);
        Ok(self)
    }

    /// Removes the journal entry of a commit.
    pub fn journal_done(mut self, commit: &str) -> Self {
        self.puts.push(Put::delete(PREPARED, commit));
        self
    }

    /// Stores what an open question is about.
    pub fn act(mut self, id: &InstructionId, act: &Act) -> Result<Self, Problem> {
        self.puts.push(Put::new(ACT, id.as_str(), act)?);
        Ok(self)
    }

    /// Stores what the other reading of an open question is about.
    pub fn second_act(mut self, id: &InstructionId, act: &Act) -> Result<Self, Problem> {
        self.puts.push(Put::new(SECOND_ACT, id.as_str(), act)?);
        Ok(self)
    }

    /// Remembers a commit that was made without a question, in place of the one before.
    pub fn quick(mut self, quick: &Quick) -> Result<Self, Problem> {
        self.puts.push(Put::new(QUICK, "last", quick)?);
        Ok(self)
    }

    /// Removes what a question was about.
    pub fn act_done(mut self, id: &InstructionId) -> Self {
        self.puts.push(Put::delete(ACT, id.as_str()));
        self.puts.push(Put::delete(SECOND_ACT, id.as_str()));
        self
    }

    /// Remembers that the actor may answer a refused instruction with one of its places, or no longer.
    pub fn choices(mut self, actor: &str, of: Option<&InstructionId>) -> Result<Self, Problem> {
        self.puts.push(match of {
            Some(id) => Put::new(CHOICES, actor, id)?,
            None => Put::delete(CHOICES, actor),
        });
        Ok(self)
    }

    /// Remembers which instruction an idempotency key led to.
    pub fn key(mut self, key: &str, id: &InstructionId) -> Result<Self, Problem> {
        self.puts.push(Put::new(KEY, key, id)?);
        Ok(self)
    }

    /// Stores it all; returns the events as they stand in the log.
    pub async fn store(self, log: &EventLog) -> Result<Vec<Event>, Problem> {
        log.append(self.events, self.puts).await
    }
}

fn is_open(proposal: &Proposal) -> bool {
    matches!(
        proposal.state,
        ProposalState::Open | ProposalState::Committing
    )
}

fn open(kind: &'static str, id: &str, open: bool) -> Result<Put, Problem> {
    if open {
        Put::new(kind, id, &id)
    } else {
        Ok(Put::delete(kind, id))
    }
}

/// The instruction `id`.
pub fn instruction(log: &EventLog, id: &InstructionId) -> Result<Instruction, Problem> {
    log.get(INSTRUCTION, id.as_str())?.ok_or_else(|| {
        Problem::not_found(format!("there is no instruction {id}")).hint("see `sayso events`")
    })
}

/// The actor's last request, when it was refused with places to choose from.
pub fn choices(log: &EventLog, actor: &str) -> Result<Option<Earlier>, Problem> {
    let Some(id) = log.get::<InstructionId>(CHOICES, actor)? else {
        return Ok(None);
    };
    let refused = log.get::<Instruction>(INSTRUCTION, id.as_str())?;
    Ok(
        refused.and_then(|refused| match (refused.intent, refused.refusal) {
            (Some(Intent::Edit { request }), Some(refusal)) => Some(Earlier {
                words: request,
                candidates: refusal.candidates,
            }),
            _ => None,
        }),
    )
}

/// The proposal `id`.
pub fn proposal(log: &EventLog, id: &ProposalId) -> Result<Proposal, Problem> {
    let found = log.get_with(PROPOSAL, PROPOSAL_STEP, id.as_str())?;
    found.map(whole).ok_or_else(|| {
        Problem::not_found(format!("there is no proposal {id}")).hint("see GET /api/proposals")
    })
}

/// A proposal as far as it is.
fn whole((mut proposal, step): (Proposal, Option<Step>)) -> Proposal {
    if let Some(step) = step {
        proposal.state = step.state;
        proposal.commit = step.commit;
        proposal.updated_at = step.updated_at;
    }
    proposal
}

/// The deployment `id`.
pub fn deployment(log: &EventLog, id: &DeploymentId) -> Result<Deployment, Problem> {
    log.get(DEPLOYMENT, id.as_str())?.ok_or_else(|| {
        Problem::not_found(format!("there is no deployment {id}")).hint("see `sayso deployments`")
    })
}

/// The newest proposals, newest first.
pub fn proposals(log: &EventLog, limit: usize) -> Result<Vec<Proposal>, Problem> {
    let found = log.list_with(PROPOSAL, PROPOSAL_STEP, limit)?;
    Ok(found.into_iter().map(whole).collect())
}

/// The newest deployments, newest first.
pub fn deployments(log: &EventLog, limit: usize) -> Result<Vec<Deployment>, Problem> {
    log.list(DEPLOYMENT, limit)
}

/// The newest deployments that are older than `before`, newest first.
pub fn deployments_before(
    log: &EventLog,
    before: &DeploymentId,
    limit: usize,
) -> Result<Vec<Deployment>, Problem> {
    log.list_before(DEPLOYMENT, before.as_str(), limit)
}

/// Instructions that are not final, oldest first.
pub fn open_instructions(log: &EventLog) -> Result<Vec<Instruction>, Problem> {
    let mut ids: Vec<InstructionId> = log.list(OPEN_INSTRUCTION, MANY)?;
    ids.reverse();
    ids.iter().map(|id| instruction(log, id)).collect()
}

/// The deployment `id`, if there is one.
pub fn deployment_if_any(log: &EventLog, id: &DeploymentId) -> Result<Option<Deployment>, Problem> {
    log.get(DEPLOYMENT, id.as_str())
}

/// Proposals that wait for a person or are being committed, oldest first.
pub fn open_proposals(log: &EventLog) -> Result<Vec<Proposal>, Problem> {
    let mut ids: Vec<ProposalId> = log.list(OPEN_PROPOSAL, MANY)?;
    ids.reverse();
    ids.iter().map(|id| proposal(log, id)).collect()
}

/// Deployments that are not final, oldest first.
pub fn open_deployments(log: &EventLog) -> Result<Vec<Deployment>, Problem> {
    let mut ids: Vec<DeploymentId> = log.list(OPEN_DEPLOYMENT, MANY)?;
    ids.reverse();
    ids.iter().map(|id| deployment(log, id)).collect()
}

/// Commits that were begun and not ended.
pub fn journals(log: &EventLog) -> Result<Vec<Journal>, Problem> {
    log.list(PREPARED, MANY)
}

/// What the open question of instruction `id` is about.
pub fn act(log: &EventLog, id: &InstructionId) -> Result<Option<Act>, Problem> {
    log.get(ACT, id.as_str())
}

/// What the other reading of the open question of instruction `id` is about.
pub fn second_act(log: &EventLog, id: &InstructionId) -> Result<Option<Act>, Problem> {
    log.get(SECOND_ACT, id.as_str())
}

/// The last commit that was made without a question.
pub fn quick(log: &EventLog) -> Result<Option<Quick>, Problem> {
    log.get(QUICK, "last")
}

/// The newest instructions, newest first.
pub fn instructions(log: &EventLog, limit: usize) -> Result<Vec<Instruction>, Problem> {
    log.list(INSTRUCTION, limit)
}

/// The instruction that `key` led to.
pub fn by_key(log: &EventLog, key: &str) -> Result<Option<InstructionId>, Problem> {
    log.get(KEY, key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Content, ProposedFile};
    use crate::store::Store;

    fn proposal() -> Proposal {
        Proposal {
            files: vec![ProposedFile {
                path: "index.html".into(),
                before: Content::text("a\n"),
                after: Content::text("b\n"),
                mode_before: 0o100_644,
                mode_after: 0o100_644,
                hunks: vec![],
            }],
            ..crate::pipeline::control::tests::proposal()
        }
    }

    #[tokio::test]
    async fn how_far_a_proposal_is_lies_beside_it_until_the_whole_is_stored() {
        let dir = tempfile::tempdir().unwrap();
        let log = EventLog::open(Store::open(&dir.path().join("db")).unwrap(), "site").unwrap();
        let mut now = proposal();
        let kept = |log: &EventLog| {
            let one = super::proposal(log, &"pro_1".into()).unwrap();
            assert_eq!(proposals(log, 9).unwrap(), std::slice::from_ref(&one));
            (one, open_proposals(log).unwrap().len())
        };
        let first = Change::new().proposal(&now).unwrap();
        first.store(&log).await.unwrap();
        for (state, commit, open) in [
            (ProposalState::Committing, None, 1),
            (ProposalState::Open, None, 1),
            (ProposalState::Committed, Some("c".repeat(40)), 0),
        ] {
            (now.state, now.commit, now.updated_at) = (state, commit, Timestamp::now());
            let step = Change::new().proposal_step(&now).unwrap();
            step.store(&log).await.unwrap();
            assert_eq!(kept(&log), (now.clone(), open));
        }
        (now.state, now.title) = (ProposalState::Open, "Another".into());
        let whole = Change::new().proposal(&now).unwrap();
        whole.store(&log).await.unwrap();
        assert_eq!(kept(&log), (now, 1), "an older step counts no more");
    }
}
