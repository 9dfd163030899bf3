//! `sayso promote`.

use super::approve::{self, Consent};
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
    /// Promote without asking; where an approval is needed, this is yours.
    #[arg(long, short)]
    yes: bool,
    /// Show the whole difference to what is live before the question about an approval.
    #[arg(long)]
    diff: bool,
    /// Although the environment is frozen now; the log says so.
    #[arg(long)]
    during_freeze: bool,
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
    // What the person knows to be live: a promotion over anything else is refused.
    let live = status.live.iter().find(|live| live.environment == to);
    let mut request = Promote {
        expected: live.map(|live| live.release.clone()),
        during_freeze: args.during_freeze,
        ..Promote::default()
    };
    if is_environment {
        request.from = Some(args.from.clone());
    } else {
        request.release = Some(ReleaseId::from(args.from.as_str()));
    }
    let what = format!("Promote {} to {to}?", args.from);
    if !args.yes && !approve::is_asked_later(&status, &to) {
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
        Some(id) => {
            let consent = Consent {
                yes: args.yes,
                json: args.json,
                diff: args.diff,
                during_freeze: args.during_freeze,
            };
            approve::see_through(client, &mut watcher, &id, consent).await
        }
        None => Ok(Exit::Nothing),
    }
}
