//! `sayso commit`: the open proposal, or the working tree's changes.

use super::embed::Session;
use super::wait::Watcher;
use super::{Exit, Place, print};
use crate::model::Problem;
use crate::model::api::SyncRequest;

/// Arguments of `sayso commit`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only these paths of the working tree.
    paths: Vec<String>,
    /// The commit message.
    #[arg(long, short)]
    message: Option<String>,
    /// Commit without asking.
    #[arg(long, short)]
    yes: bool,
    /// One JSON event a line, and nothing else, on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = commit(&session, &args).await;
    session.close().await;
    result
}

async fn commit(session: &Session, args: &Args) -> Result<Exit, Problem> {
    let client = &session.client;
    let status = client.status().await?;
    let what = match (status.proposals.last(), status.repository.changes) {
        (Some(open), _) if args.paths.is_empty() => {
            if !args.json {
                print::diff(&open.patch);
            }
            format!(
                "Commit «{}» to {}?",
                open.proposal.title, open.proposal.branch
            )
        }
        (_, 0) => {
            return Err(Problem::new(
                422,
                "nothing-to-commit",
                "nothing has changed",
            ));
        }
        (_, 1) => format!("Commit 1 changed path to {}?", status.repository.branch),
        (_, n) => format!("Commit {n} changed paths to {}?", status.repository.branch),
    };
    if !args.yes {
        match if args.json { None } else { print::ask(&what) } {
            Some(true) => {}
            Some(false) => return Ok(Exit::Refused),
            None => {
                return Err(Problem::new(403, "refused", what)
                    .hint("no terminal to ask on: use --yes to commit without asking"));
            }
        }
    }
    let mut watcher = Watcher::new(client, status.cursor, args.json);
    let request = SyncRequest {
        message: args.message.clone(),
        paths: args.paths.clone(),
        ..SyncRequest::default()
    };
    let synced = client.quick_commit(&request).await?;
    watcher.commit(&synced.commit).await?;
    Ok(Exit::Done)
}
