//! `sayso completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Exit;
use crate::model::Problem;

/// Arguments of `sayso completions`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The shell.
    shell: Shell,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Exit, Problem> {
    let mut command = super::Args::command();
    clap_complete::generate(args.shell, &mut command, "sayso", &mut std::io::stdout());
    Ok(Exit::Done)
}
