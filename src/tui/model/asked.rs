//! What the server asks.

use crate::model::{InstructionId, Question};

/// A question of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenQuestion {
    /// The instruction that asks.
    pub instruction: InstructionId,
    /// What it asks.
    pub question: Question,
    /// The selected line of its plan.
    pub at: usize,
}
