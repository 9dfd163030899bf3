//! `sayso status`.

use super::embed::Session;
use super::{Exit, Place, print};
use crate::model::Problem;

/// Arguments of `sayso status`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The whole status as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Answers of the health checks that are drawn.
const STRIP: usize = 30;

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let status = session.client.status().await;
    session.close().await;
    let status = status?;
    if args.json {
        print::line(&serde_json::to_string(&status).map_err(Problem::internal)?);
        return Ok(Exit::Done);
    }
    let repository = &status.repository;
    let head = repository.head.get(..7).unwrap_or("no commit yet");
    print::line(&format!(
        "repository  {} on {} at {head}",
        repository.name, repository.branch
    ));
    print::line(&format!("changes     {}", repository.changes));
    if status.live.is_empty() {
        print::line("live        nothing yet");
    }
    for live in &status.live {
        let commit = live.commit.get(..7).unwrap_or_default();
        print::line(&format!(
            "live        {} serves {commit} ({}) at {}",
            live.environment, live.release, live.url
        ));
    }
    for vitals in &status.health {
        print::line(&format!(
            "health      {} {} {}",
            vitals.environment,
            vitals.strip(STRIP),
            print::clean(&vitals.words())
        ));
        if let Some(note) = &vitals.note {
            print::line(&format!("            next: {}", print::clean(note)));
        }
    }
    for view in &status.proposals {
        print::line(&format!(
            "proposal    {} {}",
            view.proposal.id,
            print::clean(&view.proposal.title)
        ));
    }
    for deployment in &status.deployments {
        let progress = &deployment.progress;
        print::line(&format!(
            "deploying   {} to {}: {} {} %",
            deployment.commit.get(..7).unwrap_or_default(),
            deployment.environment,
            progress.stage,
            progress.percent
        ));
    }
    print::line(&format!("speech      {}", status.speech.message));
    Ok(Exit::Done)
}
