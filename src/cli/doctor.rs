//! doctor stub
use super::{Exit, Place};
use crate::model::Problem;
/// Arguments of `sayso doctor`.
#[derive(clap::Args, Debug)]
pub struct Args {}
/// Runs the command.
pub async fn run(_place: &Place, _args: Args) -> Result<Exit, Problem> {
    Ok(Exit::Done)
}
