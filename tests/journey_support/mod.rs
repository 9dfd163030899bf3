//! What a journey needs: a person's machine with a site on it, and a terminal in which the program runs.

pub mod machine;
pub mod terminal;

use std::time::Duration;

/// Longest wait for a condition, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);
