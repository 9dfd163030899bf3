//! What happens to a release after its deployment: told by the embedded host, written into the log.

use std::sync::{Arc, Weak};

use serde_json::json;
use tokio::sync::mpsc;

use super::Conductor;
use super::records::Change;
use super::vitals::{self, Histories};
use crate::deploy::LocalNotice;
use crate::events::EventLog;
use crate::model::{EventKind, NewEvent, Problem};

/// Writes notices into the log until the host is gone, and lets what follows from them happen.
pub(super) async fn listen(
    conductor: Weak<Conductor>,
    log: EventLog,
    histories: Arc<Histories>,
    mut notices: mpsc::UnboundedReceiver<LocalNotice>,
) {
    while let Some(notice) = notices.recv().await {
        let after = notice.clone();
        if let Err(problem) = record(&log, &histories, notice).await {
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

async fn record(log: &EventLog, histories: &Histories, notice: LocalNotice) -> Result<(), Problem> {
    let change = match notice {
        LocalNotice::Health {
            environment,
            release,
            probe,
        } => {
            histories.add(&environment, &release, &probe);
            // A good answer of many says nothing new; a bad one belongs into the story.
            if probe.ok {
                return Ok(());
            }
            Change::new().event(vitals::bad(log, &environment, &release, &probe)?)
        }
        LocalNotice::Watched {
            environment,
            release,
        } => Change::new().event(vitals::watched(log, &environment, &release)?),
        LocalNotice::RolledBack {
            environment,
            from,
            to,
            reason,
        } => vitals::taken_back(log, &environment, &from, &to, &reason)?,
        LocalNotice::Unwell {
            environment,
            release,
            reason,
            hint,
        } => vitals::still_unwell(log, &environment, &release, &reason, &hint)?,
    };
    change.store(log).await.map(drop)
}
