//! `sayso status`.

use super::embed::Session;
use super::{Exit, Place, print};
use crate::model::{DeploymentState, EnvironmentStatus, Lock, Problem};

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
    match status.conductor.as_deref() {
        None => {}
        Some("") => print::line("conducted   by no server at the moment"),
        Some(url) => print::line(&format!("conducted   by {}", print::clean(url))),
    }
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
    for environment in &status.environments {
        stands_before(environment);
    }
    for deployment in &status.deployments {
        if deployment.state == DeploymentState::Waiting {
            print::line(&format!(
                "waits       {} for {}: {} (`sayso approve`)",
                deployment.id,
                deployment.environment,
                print::clean(&deployment.progress.message)
            ));
            continue;
        }
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

/// Who is at an environment, who is next, and until when it is frozen.
fn stands_before(environment: &EnvironmentStatus) {
    let name = &environment.name;
    let told = |what: &str, lock: &Lock| {
        let age = jiff::Timestamp::now()
            .duration_since(lock.since)
            .as_secs()
            .max(0);
        print::line(&format!(
            "{what:<11} {name}: {} of {}, for {age} s",
            lock.deployment,
            print::clean(&lock.owner)
        ));
    };
    if let Some(lock) = &environment.lock {
        told("lock", lock);
    }
    if let Some(queued) = &environment.queued {
        told("next", queued);
    }
    if let Some(until) = environment.frozen_until {
        let until = until.to_zoned(jiff::tz::TimeZone::system());
        print::line(&format!(
            "frozen      {name} until {}",
            until.strftime("%a %-d %b %H:%M")
        ));
    }
}
