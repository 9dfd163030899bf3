//! Something that was said to the cockpit itself, on its way to being done.

use super::Moment;
use crate::tui::keymap::Command;

/// How long something that is not harmless waits, so that it can be stopped.
pub const GRACE: Moment = Moment::from_millis(1_500);

/// What was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The words.
    pub words: String,
    /// What they were taken for.
    pub command: Command,
    /// When it is done.
    pub at: Moment,
}
