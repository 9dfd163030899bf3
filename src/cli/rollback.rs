//! `sayso rollback`.

use super::embed::Session;
use super::{Exit, Place, print};
use crate::model::api::Rollback;
use crate::model::{Problem, ReleaseId};

/// Arguments of `sayso rollback`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The release to return to (default: the previous good one; `sayso deployments` lists them).
    #[arg(long, value_name = "ID")]
    to: Option<String>,
    /// The environment.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Roll back without asking.
    #[arg(long, short)]
    yes: bool,
    /// The answer as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = rollback(&session, &args).await;
    session.close().await;
    result
}

async fn rollback(session: &Session, args: &Args) -> Result<Exit, Problem> {
    let client = &session.client;
    let status = client.status().await?;
    let environment = args.env.clone().unwrap_or(status.environment);
    let to = args.to.as_deref().unwrap_or("the previous good release");
    let what = format!("Return {environment} to {to}?");
    if !args.yes {
        match if args.json { None } else { print::ask(&what) } {
            Some(true) => {}
            Some(false) => return Ok(Exit::Refused),
            None => {
                return Err(Problem::new(403, "refused", what)
                    .hint("no terminal to ask on: use --yes to roll back without asking"));
            }
        }
    }
    let request = Rollback {
        to: args.to.as_deref().map(ReleaseId::from),
    };
    let live = client.rollback(&environment, &request).await?;
    if args.json {
        print::line(&serde_json::to_string(&live).map_err(Problem::internal)?);
    } else {
        let commit = live.commit.get(..7).unwrap_or_default();
        print::line(&format!(
            "{environment} serves {} (commit {commit}) at {}",
            live.release, live.url
        ));
    }
    Ok(Exit::Done)
}
