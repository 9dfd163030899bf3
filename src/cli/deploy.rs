//! `sayso deploy` and `sayso redeploy`.

use super::approve::{self, Consent};
use super::embed::Session;
use super::wait::Watcher;
use super::{Exit, Place, print, wiring};
use crate::model::Problem;
use crate::model::api::SyncRequest;

/// Arguments of `sayso deploy` and `sayso redeploy`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The environment.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Deploy without asking; where an approval is needed, this is yours.
    #[arg(long, short)]
    yes: bool,
    /// Although the environment is frozen now; the log says so.
    #[arg(long)]
    during_freeze: bool,
    /// Keep serving the site until Ctrl+C.
    #[arg(long)]
    serve: bool,
    /// One JSON event a line, and nothing else, on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args, force: bool) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = deploy(&session, &args, force).await;
    if matches!(result, Ok(Exit::Done)) {
        if args.serve {
            wiring::serve_until_interrupted(&session, args.json).await;
        } else if session.is_owner() && !args.json {
            eprintln!(
                "the site is served while Sayso runs: the cockpit, `sayso serve`, or --serve"
            );
        }
    }
    session.close().await;
    result
}

async fn deploy(session: &Session, args: &Args, force: bool) -> Result<Exit, Problem> {
    let client = &session.client;
    let status = client.status().await?;
    if status.repository.head.is_empty() {
        return Err(
            Problem::new(422, "nothing-to-deploy", "the branch has no commit yet")
                .hint("commit something first: `sayso commit`"),
        );
    }
    let environment = args
        .env
        .clone()
        .unwrap_or_else(|| status.environment.clone());
    let verb = if force { "Deploy again" } else { "Deploy" };
    let rules = status
        .environments
        .iter()
        .find(|one| one.name == environment);
    let follows = rules.map_or("", |rules| rules.branch.as_str());
    let head = match follows {
        "" => status
            .repository
            .head
            .get(..7)
            .unwrap_or_default()
            .to_owned(),
        branch => format!("the tip of {branch}"),
    };
    let what = format!("{verb} {head} to {environment}?");
    if !args.yes && !approve::is_asked_later(&status, &environment) {
        match if args.json { None } else { print::ask(&what) } {
            Some(true) => {}
            Some(false) => return Ok(Exit::Refused),
            None => {
                return Err(Problem::new(403, "refused", what)
                    .hint("no terminal to ask on: use --yes to deploy without asking"));
            }
        }
    }
    let mut watcher = Watcher::new(client, status.cursor, args.json);
    let request = SyncRequest {
        environment: Some(environment),
        during_freeze: args.during_freeze,
        ..SyncRequest::default()
    };
    let synced = if force {
        client.force_redeploy(&request).await?
    } else {
        client.deploy(&request).await?
    };
    match synced.deployment {
        Some(id) => {
            let consent = Consent {
                yes: args.yes,
                json: args.json,
                diff: false,
                during_freeze: args.during_freeze,
            };
            approve::see_through(client, &mut watcher, &id, consent).await
        }
        None => Ok(Exit::Nothing),
    }
}
