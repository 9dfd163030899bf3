//! What happens to a release after its deployment: told by the embedded host, written into the log.

use std::sync::{Arc, Weak};

use serde_json::json;
use tokio::sync::mpsc;

use super::Conductor;
use super::records::{self, Change};
use crate::deploy::LocalNotice;
use crate::events::EventLog;
use crate::model::{Deployment, DeploymentState, EventKind, NewEvent, Problem, ReleaseId};

/// Earlier deployments among which the one of a release is looked for.
const RECENT: usize = 50;

/// Writes notices into the log until the host is gone, and lets what follows from them happen.
pub(super) async fn listen(
    conductor: Weak<Conductor>,
    log: EventLog,
    mut notices: mpsc::UnboundedReceiver<LocalNotice>,
) {
    while let Some(notice) = notices.recv().await {
        let after = notice.clone();
        if let Err(problem) = record(&log, notice).await {
            tracing::error!(%problem, "what happened to a release could not be stored");
        }
        if let Some(conductor) = conductor.upgrade() {
            follow_up(&conductor, after).await;
        }
    }
}

/// A release that was well goes on; one that was taken back ends what waited for it.
async fn follow_up(conductor: &Arc<Conductor>, notice: LocalNotice) {
    match notice {
        LocalNotice::Watched {
            environment,
            release,
        } => conductor.stays_well(&environment, &release).await,
        LocalNotice::RolledBack { environment, .. } => {
            if let Err(problem) = conductor.expire(&environment).await {
                tracing::error!(%problem, "what waits for an environment cannot be looked at");
            }
        }
        LocalNotice::Health { .. } | LocalNotice::Unwell { .. } => {}
    }
}

/// Writes what the repository has to say into the log until it is gone.
pub async fn relay(log: EventLog, mut told: mpsc::UnboundedReceiver<String>) {
    while let Some(message) = told.recv().await {
        let event = NewEvent::new(EventKind::Notice, "sayso", json!({ "message": message }));
        if let Err(problem) = Change::new().event(event).store(&log).await {
            tracing::error!(%problem, "a word of the repository could not be stored");
        }
    }
}

async fn record(log: &EventLog, notice: LocalNotice) -> Result<(), Problem> {
    match notice {
        // A good answer of many says nothing new; a bad one belongs into the story.
        LocalNotice::Health { probe, .. } if probe.ok => Ok(()),
        LocalNotice::Health {
            environment,
            release,
            probe,
        } => {
            let data = json!({
                "ok": false, "status": probe.status, "ms": probe.millis, "url": probe.url,
                "message": probe.message, "release": release,
            });
            let event = about(log, &release, EventKind::Health, data)?.environment(environment);
            Change::new().event(event).store(log).await.map(drop)
        }
        LocalNotice::Watched {
            environment,
            release,
        } => {
            let data = json!({ "message": format!("{release} was well while it was watched"), "release": release });
            let event = about(log, &release, EventKind::Notice, data)?.environment(environment);
            Change::new().event(event).store(log).await.map(drop)
        }
        LocalNotice::RolledBack {
            environment,
            from,
            to,
            reason,
        } => {
            let data = json!({ "from": from, "to": to, "automatic": true, "reason": reason });
            let event = about(log, &from, EventKind::Rollback, data)?.environment(environment);
            let mut change = Change::new().event(event);
            if let Some(mut deployment) = deployment_of(log, &from)? {
                deployment.state = DeploymentState::RolledBack;
                deployment.problem = Some(Problem::new(502, "unwell", reason));
                change = change.deployment(&deployment)?;
            }
            change.store(log).await.map(drop)
        }
        LocalNotice::Unwell {
            environment,
            release,
            reason,
        } => {
            let data = json!({
                "message": format!("{environment} is unwell: {reason}"),
                "hint": "there is no earlier good release to return to: mend the site and deploy again",
            });
            let event = about(log, &release, EventKind::Error, data)?.environment(environment);
            Change::new().event(event).store(log).await.map(drop)
        }
    }
}

fn about(
    log: &EventLog,
    release: &ReleaseId,
    kind: EventKind,
    data: serde_json::Value,
) -> Result<NewEvent, Problem> {
    let deployment = deployment_of(log, release)?;
    Ok(NewEvent::new(kind, "sayso", data)
        .deployment(deployment.as_ref().map(|deployment| &deployment.id))
        .instruction(
            deployment
                .as_ref()
                .and_then(|deployment| deployment.instruction.as_ref()),
        ))
}

fn deployment_of(log: &EventLog, release: &ReleaseId) -> Result<Option<Deployment>, Problem> {
    let recent = records::deployments(log, RECENT)?;
    Ok(recent
        .into_iter()
        .find(|deployment| deployment.release.as_ref() == Some(release)))
}
