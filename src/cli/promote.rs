//! `sayso promote`.

use super::embed::Session;
use super::wait::Watcher;
use super::{Exit, Place, print};
use crate::model::api::Promote;
use crate::model::{Problem, ReleaseId};

/// Arguments of `sayso promote`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The release (`sayso deployments` lists them), or the environment whose live release it is.
    #[arg(value_name = "RELEASE|ENVIRONMENT")]
    from: String,
    /// The environment that it goes to (default: the default one).
    #[arg(value_name = "TO")]
    to: Option<String>,
    /// Promote without asking.
    #[arg(long, short)]
    yes: bool,
    /// One JSON event a line, and nothing else, on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = promote(&session, &args).await;
    session.close().await;
    result
}

async fn promote(session: &Session, args: &Args) -> Result<Exit, Problem> {
    let client = &session.client;
    let status = client.status().await?;
    let to = args
        .to
        .clone()
        .unwrap_or_else(|| status.environment.clone());
    let listed = client.deployments().await?;
    let is_environment = listed
        .releases
        .iter()
        .any(|environment| environment.environment == args.from);
    let request = if is_environment {
        Promote {
            release: None,
            from: Some(args.from.clone()),
        }
    } else {
        Promote {
            release: Some(ReleaseId::from(args.from.as_str())),
            from: None,
        }
    };
    let what = format!("Promote {} to {to}?", args.from);
    if !args.yes {
        match if args.json { None } else { print::ask(&what) } {
            Some(true) => {}
            Some(false) => return Ok(Exit::Refused),
            None => {
                return Err(Problem::new(403, "refused", what)
                    .hint("no terminal to ask on: use --yes to promote without asking"));
            }
        }
    }
    let mut watcher = Watcher::new(client, status.cursor, args.json);
    let synced = client.promote(&to, &request).await?;
    match synced.deployment {
        Some(id) => watcher.deployment(&id).await,
        None => Ok(Exit::Nothing),
    }
}
