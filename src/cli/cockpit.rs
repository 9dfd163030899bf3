//! `sayso`: the cockpit on this repository.

use super::{Exit, Place};
use crate::model::Problem;

/// Runs the cockpit.
pub async fn run(_place: &Place) -> Result<Exit, Problem> {
    Err(Problem::new(501, "no-cockpit", "not wired yet"))
}
