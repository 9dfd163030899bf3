//! What is being done for the person who waits.

use super::Moment;
use crate::model::InstructionId;

/// Something the server works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// What is being done.
    pub what: String,
    /// Since when.
    pub since: Moment,
    /// The instruction, once known.
    pub instruction: Option<InstructionId>,
    /// Asked for here; false for what others asked for, and for what was at work before the cockpit knew.
    pub mine: bool,
}
