//! The instruction: what a person said or typed, and how far it has come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Bearer;
use super::id::{DeploymentId, InstructionId, ProposalId};
use super::intent::Intent;
use super::problem::{Problem, Refusal};

/// How far an approved change should go.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Show the diff; touch nothing.
    #[default]
    Preview,
    /// Commit what was approved.
    Commit,
    /// Commit what was approved and deploy it.
    Deploy,
}

/// Where an instruction stands. The last five are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstructionState {
    /// Stored; nothing done yet.
    Received,
    /// Sound is being turned into text.
    Transcribing,
    /// Text is being turned into an intent.
    Understanding,
    /// A generator is at work.
    Proposing,
    /// A proposal is open and waits for a person.
    Proposed,
    /// A yes-or-no question is open (see [`Question`]).
    Asking,
    /// What was confirmed is being carried out.
    Acting,
    /// Carried out.
    Done,
    /// Declined by a person.
    Rejected,
    /// Refused by Sayso: unclear, ambiguous, not found … (see [`Refusal`]).
    Refused,
    /// Stopped by a person.
    Canceled,
    /// Went wrong (see [`Problem`]).
    Failed,
}

impl InstructionState {
    /// True when nothing more will happen to the instruction.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Rejected | Self::Refused | Self::Canceled | Self::Failed
        )
    }
}

/// A line of a plan: a file, and what is to be done in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanLine {
    /// Path from the root of the repository.
    pub file: String,
    /// What is to be done there, in one short line.
    #[serde(default)]
    pub what: String,
    /// False when the person leaves it out.
    #[serde(default = "yes")]
    pub kept: bool,
}

fn yes() -> bool {
    true
}

/// What Sayso asks before it commits, deploys or rolls back. Answered by `yes` or `no`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The whole question as a person reads it, e.g. `Deploy 1a2b3c4 to production?`.
    pub text: String,
    /// What was heard or typed.
    pub heard: String,
    /// One word for the act: `commit`, `deploy`, `redeploy`, `rollback`, `approve`, `undo`; `permit` and `plan` while an
    /// agent or a model is at work; `conflict` when somebody else changed what was saved.
    pub act: String,
    /// The environment it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What is planned, when the question is whether to carry it out. The person may cut it down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plan: Vec<PlanLine>,
    /// The other reading of the words, when two are close: "the second one" takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<Box<Question>>,
}

/// What a person said or typed, with the wanted action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instruction {
    /// Its name.
    pub id: InstructionId,
    /// Who gave it.
    pub actor: String,
    /// The token behind it; absent for the owner of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<Bearer>,
    /// How far it should go once approved.
    pub action: Action,
    /// Where it stands.
    pub state: InstructionState,
    /// The engine asked for (`auto`, `offline`, a provider's name).
    pub engine: String,
    /// The words, typed or transcribed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// File name of the recording in the state folder, when it was spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<String>,
    /// The file the person pointed at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_path: Option<String>,
    /// The proposal that it asks to make otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revises: Option<ProposalId>,
    /// What it was taken for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// The open question, in state `asking`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// The proposal it led to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalId>,
    /// The deployment it led to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentId>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it last moved.
    pub updated_at: Timestamp,
}
