//! speech stub
use super::Exit;
use crate::model::Problem;
/// Arguments.
#[derive(clap::Args, Debug)]
pub struct Args {}
/// Runs the command.
pub async fn run(_args: Args) -> Result<Exit, Problem> {
    Ok(Exit::Done)
}
