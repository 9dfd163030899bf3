//! `sayso commit`: the open proposal, or the working tree's changes.

use super::approve::{self, Consent};
use super::embed::Session;
use super::wait::Watcher;
use super::{Exit, Place, print};
use crate::model::api::{BatchApproval, Reviewed, Status, SyncRequest};
use crate::model::{Action, Problem, ProposalState};

/// Arguments of `sayso commit`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only these paths of the working tree.
    pub(super) paths: Vec<String>,
    /// The commit message.
    #[arg(long, short)]
    pub(super) message: Option<String>,
    /// All open proposals together, as one commit.
    #[arg(long, conflicts_with = "paths")]
    pub(super) all_proposals: bool,
    /// Deploy the commit, once.
    #[arg(long)]
    pub(super) deploy: bool,
    /// With --deploy: the environment.
    #[arg(long, value_name = "NAME", requires = "deploy")]
    pub(super) env: Option<String>,
    /// Commit without asking.
    #[arg(long, short)]
    pub(super) yes: bool,
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
    if args.all_proposals {
        return commit_all(session, args, &status).await;
    }
    let environment = args.env.as_ref().unwrap_or(&status.environment);
    let then = if args.deploy {
        format!(" and deploy it to {environment}")
    } else {
        String::new()
    };
    let what = match (status.proposals.last(), status.repository.changes) {
        (Some(open), _) if args.paths.is_empty() => {
            if !args.json {
                print::diff(&open.patch);
            }
            format!(
                "Commit «{}» to {}{then}?",
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
        (_, 1) => format!(
            "Commit 1 changed path to {}{then}?",
            status.repository.branch
        ),
        (_, n) => format!(
            "Commit {n} changed paths to {}{then}?",
            status.repository.branch
        ),
    };
    if !confirmed(args, what)? {
        return Ok(Exit::Refused);
    }
    let mut watcher = Watcher::new(client, status.cursor, args.json);
    let request = SyncRequest {
        message: args.message.clone(),
        paths: args.paths.clone(),
        environment: args.env.clone(),
        ..SyncRequest::default()
    };
    let synced = if args.deploy {
        watcher.during(client.instant_sync(&request)).await?
    } else {
        watcher.during(client.quick_commit(&request)).await?
    };
    match synced.deployment {
        Some(deployment) => {
            approve::see_through(client, &mut watcher, &deployment, consent(args)).await
        }
        None => watcher.commit(&synced.commit).await,
    }
}

/// Every open proposal, as it stands in `status`, as one commit.
async fn commit_all(session: &Session, args: &Args, status: &Status) -> Result<Exit, Problem> {
    let client = &session.client;
    let open: Vec<_> = status
        .proposals
        .iter()
        .filter(|view| view.proposal.state == ProposalState::Open)
        .collect();
    if open.is_empty() {
        return Err(Problem::new(
            422,
            "nothing-to-commit",
            "no proposal is open",
        ));
    }
    if !args.json {
        for view in &open {
            print::line(&format!("\u{ab}{}\u{bb}", view.proposal.title));
            print::diff(&view.patch);
        }
    }
    let then = if args.deploy {
        let environment = args.env.as_ref().unwrap_or(&status.environment);
        format!(" and deploy it to {environment}")
    } else {
        String::new()
    };
    let what = format!(
        "Commit {} proposals as one commit to {}{then}?",
        open.len(),
        status.repository.branch
    );
    if !confirmed(args, what)? {
        return Ok(Exit::Refused);
    }
    let mut watcher = Watcher::new(client, status.cursor.clone(), args.json);
    let approval = BatchApproval {
        proposals: open
            .iter()
            .map(|view| Reviewed {
                proposal: view.proposal.id.clone(),
                version: view.proposal.version,
            })
            .collect(),
        action: Some(if args.deploy {
            Action::Deploy
        } else {
            Action::Commit
        }),
        message: args.message.clone(),
        environment: args.env.clone(),
    };
    let synced = watcher.during(client.approve_batch(&approval)).await?;
    match synced.deployment {
        Some(deployment) => {
            approve::see_through(client, &mut watcher, &deployment, consent(args)).await
        }
        None => watcher.commit(&synced.commit).await,
    }
}

/// A deployment may need an approval, which the person was not asked for yet.
fn consent(args: &Args) -> Consent {
    Consent {
        yes: args.yes,
        json: args.json,
        ..Consent::default()
    }
}

/// Whether the person says yes, or said so beforehand.
fn confirmed(args: &Args, what: String) -> Result<bool, Problem> {
    if args.yes {
        return Ok(true);
    }
    match if args.json { None } else { print::ask(&what) } {
        Some(answer) => Ok(answer),
        None => Err(Problem::new(403, "refused", what)
            .hint("no terminal to ask on: use --yes to commit without asking")),
    }
}
