//! What is being done for the person who waits.

use super::Moment;
use crate::model::InstructionId;

/// Something the server works on because the person asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// What is being done.
    pub what: String,
    /// Since when.
    pub since: Moment,
    /// The instruction, once known.
    pub instruction: Option<InstructionId>,
}
