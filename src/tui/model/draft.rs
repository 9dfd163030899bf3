//! What a model is still writing.

use crate::model::InstructionId;

/// A change that a model is still writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The instruction that it is for.
    pub instruction: InstructionId,
    /// Who writes.
    pub engine: String,
    /// What it does, as far as is known.
    pub title: String,
    /// The diff so far, without its file headers' noise: `path`, then lines that begin with `+`, `-` or a blank.
    pub lines: Vec<String>,
}
