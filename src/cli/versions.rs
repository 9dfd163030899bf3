//! `sayso versions`: the versions of a proposal, and the way back to one.

use jiff::tz::TimeZone;

use super::embed::Session;
use super::{Exit, Place, print};
use crate::client::Client;
use crate::model::api::Restore;
use crate::model::{Problem, ProposalId, ProposalState};

/// Arguments of `sayso versions`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The proposal; without it the open one that is newest.
    #[arg(long, value_name = "ID")]
    proposal: Option<String>,
    /// Go back to the version before.
    #[arg(long, conflicts_with_all = ["take", "later"])]
    back: bool,
    /// Go on to the version after.
    #[arg(long, conflicts_with = "take")]
    later: bool,
    /// Take this version back.
    #[arg(long, value_name = "NUMBER")]
    take: Option<u32>,
    /// Show the changes of each version.
    #[arg(long)]
    patch: bool,
    /// One JSON document, and nothing else, on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = work(&session, &args).await;
    session.close().await;
    result
}

/// The proposal that is named; without a name the open one that is newest, else the newest of all.
///
/// # Errors
/// What keeps the proposals from being listed.
pub(super) async fn meant(
    client: &Client,
    named: Option<&str>,
) -> Result<Option<ProposalId>, Problem> {
    if let Some(id) = named {
        return Ok(Some(ProposalId::from(id)));
    }
    let all = client.proposals().await?;
    let open = all
        .iter()
        .find(|view| view.proposal.state == ProposalState::Open);
    Ok(open.or(all.first()).map(|view| view.proposal.id.clone()))
}

async fn work(session: &Session, args: &Args) -> Result<Exit, Problem> {
    let client = &session.client;
    let Some(id) = meant(client, args.proposal.as_deref()).await? else {
        if !args.json {
            print::line("nothing was proposed yet");
        }
        return Ok(Exit::Nothing);
    };
    if args.back || args.later || args.take.is_some() {
        let restore = Restore {
            version: args.take,
            later: args.later,
        };
        let view = client.restore(&id, &restore).await?;
        if args.json {
            print::line(&serde_json::to_string(&view).map_err(Problem::internal)?);
        } else {
            print::line(&format!("back to: {}", print::clean(&view.proposal.title)));
            print::diff(&view.patch);
        }
        return Ok(Exit::Done);
    }
    let versions = client.versions(&id).await?;
    if args.json {
        print::line(&serde_json::to_string(&versions).map_err(Problem::internal)?);
        return Ok(Exit::Done);
    }
    for version in &versions {
        let mark = if version.current { '*' } else { ' ' };
        let at = version.at.to_zoned(TimeZone::system());
        let taken = match version.of == version.number {
            true => String::new(),
            false => format!(" (version {} again)", version.of),
        };
        let words = version.words.as_deref().unwrap_or("edited by hand");
        let words = if taken.is_empty() { words } else { "" };
        print::line(&format!(
            "{mark} {}  {}  {}{taken}  {}  {}",
            version.number,
            at.strftime("%H:%M:%S"),
            print::clean(&version.title),
            version.engine,
            print::clean(words)
        ));
        if args.patch {
            print::diff(&version.patch);
        }
    }
    Ok(if versions.is_empty() {
        Exit::Nothing
    } else {
        Exit::Done
    })
}
