//! `sayso approve`: what waits for a yes before it goes to an environment.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::embed::Session;
use super::wait::Watcher;
use super::{Exit, Place, print};
use crate::client::Client;
use crate::model::api::{ApproveDeployment, Status};
use crate::model::{Deployment, DeploymentId, DeploymentState, Problem};

/// Arguments of `sayso approve`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The deployment or promotion (default: the one that waits; `sayso status` lists them).
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// What waits for this environment.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Say no: it is not done.
    #[arg(long)]
    decline: bool,
    /// Show the whole difference to what is live before the question.
    #[arg(long)]
    diff: bool,
    /// Approve without asking.
    #[arg(long, short)]
    yes: bool,
    /// Although the environment is frozen now; the log says so.
    #[arg(long)]
    during_freeze: bool,
    /// One JSON event a line, and nothing else, on stdout.
    #[arg(long)]
    pub json: bool,
}

/// How a person says yes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Consent {
    /// Without a question.
    pub yes: bool,
    /// For a program.
    pub json: bool,
    /// With the whole difference.
    pub diff: bool,
    /// Although the environment is frozen.
    pub during_freeze: bool,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = approve(&session, &args).await;
    session.close().await;
    result
}

async fn approve(session: &Session, args: &Args) -> Result<Exit, Problem> {
    let client = &session.client;
    let status = client.status().await?;
    let id = match (&args.id, one_that_waits(&status, args.env.as_deref())?) {
        (Some(id), _) => DeploymentId::from(id.as_str()),
        (None, Some(id)) => id,
        (None, None) => {
            if !args.json {
                print::line("nothing waits for approval");
            }
            return Ok(Exit::Nothing);
        }
    };
    if args.decline {
        let declined = client.cancel(&id).await?;
        if !args.json {
            print::line(&format!(
                "{id}: {}",
                print::clean(&declined.progress.message)
            ));
        }
        return Ok(Exit::Done);
    }
    let mut watcher = Watcher::new(client, status.cursor, args.json);
    let consent = Consent {
        yes: args.yes,
        json: args.json,
        diff: args.diff,
        during_freeze: args.during_freeze,
    };
    let waits = client.deployment(&id).await?;
    if waits.state != DeploymentState::Waiting {
        return Err(
            Problem::conflict(format!("deployment {id} does not wait for approval"))
                .hint("`sayso status` lists what does"),
        );
    }
    see_through(client, &mut watcher, &id, consent).await
}

/// The deployment that waits; an error when there are several.
fn one_that_waits(
    status: &Status,
    environment: Option<&str>,
) -> Result<Option<DeploymentId>, Problem> {
    let mut waiting = status.deployments.iter().filter(|deployment| {
        deployment.state == DeploymentState::Waiting
            && environment.is_none_or(|name| deployment.environment == name)
    });
    let (first, second) = (waiting.next(), waiting.next());
    match (first, second) {
        (Some(first), Some(second)) => Err(Problem::new(
            400,
            "usage",
            format!(
                "several wait: {} ({}), {} ({}) …",
                first.id, first.environment, second.id, second.environment
            ),
        )
        .hint("name one: sayso approve ID, or --env NAME")),
        (first, _) => Ok(first.map(|first| first.id.clone())),
    }
}

/// Whether who deploys to `environment` is asked with the difference, so that no other question is needed.
pub fn is_asked_later(status: &Status, environment: &str) -> bool {
    let rules = status
        .environments
        .iter()
        .find(|one| one.name == environment);
    rules.is_some_and(|rules| rules.approval.needed() > 0)
}

/// Follows a deployment to its end; one that waits for approval is shown with what it changes, and approved first.
pub async fn see_through(
    client: &Client,
    watcher: &mut Watcher,
    id: &DeploymentId,
    consent: Consent,
) -> Result<Exit, Problem> {
    let deployment = client.deployment(id).await?;
    let waits = deployment.state == DeploymentState::Waiting;
    let Some(gate) = deployment.gate.clone().filter(|_| waits) else {
        return watcher.deployment(id).await;
    };
    if !consent.json {
        show(&deployment);
        if consent.diff
            && let Some(over) = &gate.over
        {
            let to = deployment.promotion.as_ref();
            let to = to.map_or(deployment.commit.as_str(), |moved| moved.release.as_str());
            let comparison = client.compare(over.as_str(), to).await?;
            print::diff(&comparison.patch);
        }
    }
    if gate.missing() == 0 && !consent.during_freeze {
        return Ok(Exit::Refused);
    }
    let what = format!("Approve this for {}?", deployment.environment);
    if !consent.yes {
        match if consent.json {
            None
        } else {
            print::ask(&what)
        } {
            Some(true) => {}
            Some(false) => {
                eprintln!("it waits: `sayso approve {id}`, or `sayso approve {id} --decline`");
                return Ok(Exit::Refused);
            }
            None => {
                return Err(Problem::new(403, "refused", format!("{id} waits for approval")).hint(
                    "no terminal to ask on: `sayso approve --yes` approves it; it is still waiting",
                ));
            }
        }
    }
    let approval = ApproveDeployment {
        expected: gate.over,
        during_freeze: consent.during_freeze,
    };
    let now = client.approve_deployment(id, &approval).await?;
    if now.state == DeploymentState::Waiting {
        if !consent.json {
            print::line(&format!(
                "approved; it {}",
                print::clean(&now.progress.message)
            ));
        }
        return Ok(Exit::Refused);
    }
    watcher.deployment(id).await
}

/// Shows what waits: what it is, who asked, and what it changes.
fn show(deployment: &Deployment) {
    let Some(gate) = &deployment.gate else {
        return;
    };
    let what = match &deployment.promotion {
        Some(promotion) => format!("promote {}", promotion.release),
        None => "deploy".to_owned(),
    };
    let commit = deployment.commit.get(..7).unwrap_or("?");
    print::line(&format!(
        "{}  {what} (commit {commit}) to {}, asked for by {} at {}",
        deployment.id,
        deployment.environment,
        print::clean(&deployment.actor),
        clock(deployment.started_at)
    ));
    match (&gate.over, &gate.since) {
        (Some(over), since) => print::line(&format!(
            "  over {over} (commit {}): {} files differ",
            since
                .as_deref()
                .and_then(|since| since.get(..7))
                .unwrap_or("?"),
            gate.changed
        )),
        (None, _) => print::line("  nothing is live there yet"),
    }
    for commit in &gate.commits {
        print::line(&format!(
            "  {} {}: {}",
            commit.commit.get(..7).unwrap_or_default(),
            print::clean(&commit.author),
            print::clean(&commit.title)
        ));
    }
    for file in &gate.files {
        print::line(&format!(
            "  {:>6} {:>6}  {}",
            format!("+{}", file.added),
            format!("-{}", file.removed),
            print::clean(&file.path)
        ));
    }
    if gate.changed > gate.files.len() {
        print::line(&format!("  … and {} more", gate.changed - gate.files.len()));
    }
    for given in &gate.given {
        print::line(&format!(
            "  approved by {} at {}",
            print::clean(&given.actor),
            clock(given.at)
        ));
    }
    print::line(&format!("  {}", print::clean(&deployment.progress.message)));
}

fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}
