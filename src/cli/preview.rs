//! `sayso preview`: an open proposal, built and served before it is approved.

use std::time::Duration;

use super::embed::Session;
use super::{Exit, Place, print, wiring};
use crate::client::Client;
use crate::model::api::StartPreview;
use crate::model::{Preview, PreviewState, Problem, ProposalId};

/// Between two looks at a build.
const LOOK: Duration = Duration::from_millis(100);

/// Arguments of `sayso preview`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The proposal (default: the newest open one).
    #[arg(value_name = "PROPOSAL")]
    proposal: Option<String>,
    /// Run also what the proposal itself changes about the build (package.json, build settings …).
    #[arg(long)]
    allow: bool,
    /// Open the page in the browser.
    #[arg(long)]
    open: bool,
    /// Write a picture of the page to this file (PNG).
    #[arg(long, value_name = "FILE")]
    picture: Option<std::path::PathBuf>,
    /// End the preview.
    #[arg(long, conflicts_with_all = ["allow", "open", "picture"])]
    end: bool,
    /// Build it, say how that went, and do not go on serving.
    #[arg(long)]
    check: bool,
    /// The preview as JSON, and nothing else, on stdout.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = preview(&session, &args).await;
    // Somebody has to serve it: the process that owns the project, which may be this one.
    if matches!(result, Ok(Exit::Done)) && session.is_owner() && !args.end && !args.check {
        eprintln!("serving; Ctrl+C ends it");
        wiring::interrupted().await;
    }
    session.close().await;
    result
}

async fn preview(session: &Session, args: &Args) -> Result<Exit, Problem> {
    let client = &session.client;
    let id = match &args.proposal {
        Some(id) => ProposalId::from(id.as_str()),
        None => {
            let open = client.status().await?.proposals;
            let newest = open.last().map(|view| view.proposal.id.clone());
            newest.ok_or_else(|| {
                Problem::new(404, "nothing", "no proposal is open")
                    .hint("say a change first: sayso say change the headline to Welcome")
            })?
        }
    };
    if args.end {
        client.end_preview(&id).await?;
        return Ok(Exit::Done);
    }
    let start = StartPreview { allow: args.allow };
    let begun = client.preview(&id, start).await?;
    let preview = settled(client, &id, args.picture.is_some()).await?;
    show(&preview, args.json);
    match preview.state {
        PreviewState::Ready => {}
        // Somebody went on to another version meanwhile: its state is not the answer to this request, and the address
        // goes on serving what was there.
        _ if preview.version != begun.version => {}
        PreviewState::Held => return Ok(Exit::Refused),
        _ => return Ok(Exit::Failed),
    }
    if let Some(file) = &args.picture {
        let bytes = client.preview_picture(&id).await?;
        std::fs::write(file, bytes)
            .map_err(|error| Problem::internal(format!("{}: {error}", file.display())))?;
    }
    if args.open
        && let Err(error) = open::that_detached(&preview.url)
    {
        eprintln!("sayso: no browser was found ({error})");
    }
    Ok(Exit::Done)
}

/// Waits until it is built; `pictured`: and photographed, or known not to be.
async fn settled(client: &Client, id: &ProposalId, pictured: bool) -> Result<Preview, Problem> {
    loop {
        let now = client.preview_of(id).await?;
        let waits = match now.state {
            PreviewState::Building => true,
            PreviewState::Ready => pictured && !now.picture && now.no_picture.is_none(),
            _ => false,
        };
        if !waits {
            return Ok(now);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn show(preview: &Preview, json: bool) {
    if json {
        if let Ok(text) = serde_json::to_string(preview) {
            print::line(&text);
        }
        return;
    }
    match preview.state {
        PreviewState::Ready => print::line(&format!("{}  {}", preview.url, preview.message)),
        _ => {
            eprintln!("sayso: no preview: {}", preview.message);
            for line in &preview.log_tail {
                eprintln!("  {}", crate::model::ansi::strip(line));
            }
            if let Some(hint) = &preview.hint {
                eprintln!("  next: {hint}");
            }
        }
    }
}
