//! What the person has seen, and what is under way: neither is done twice, nor before it was on the screen.

use super::Confirm;
use crate::model::{Action, InstructionId, ProposalId, Question};

/// What has been on the screen: only that can be approved or answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The proposal with its version.
    pub proposal: Option<(ProposalId, u32)>,
    /// The server's question.
    pub question: Option<InstructionId>,
    /// That question as it stood there: an agent asks more than once.
    pub asked: Option<Question>,
    /// The cockpit's own question.
    pub confirm: Option<Confirm>,
}

/// What was asked of the server and is not answered yet: it is not asked twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Busy {
    /// An approval or rejection of this proposal.
    pub proposal: Option<ProposalId>,
    /// An approval that waits until the decisions before it are stored, with the version they must lead to at most:
    /// a higher one means that somebody else changed the proposal meanwhile.
    pub approve_after: Option<(ProposalId, Action, u32)>,
    /// An answer to this instruction's question.
    pub question: Option<InstructionId>,
    /// A deployment or rollback that was asked for.
    pub sync: bool,
}
