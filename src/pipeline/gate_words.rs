//! What is said of a deployment that waits before its environment.

use serde_json::{Value, json};

use super::control::short;
use crate::model::{Deployment, Gate};

/// What a deployment is, in words.
pub(super) fn subject(deployment: &Deployment) -> String {
    match &deployment.promotion {
        Some(promotion) => format!(
            "the promotion of {} to {}",
            promotion.release, deployment.environment
        ),
        None => format!(
            "the deployment of {} to {}",
            short(&deployment.commit),
            deployment.environment
        ),
    }
}

/// What is waited for, in words.
pub(super) fn words(gate: &Gate) -> String {
    let approval = match (gate.missing(), gate.given.len()) {
        (0, _) => None,
        (1, 0) => Some("waits for approval".to_owned()),
        (1, _) => {
            let given: Vec<&str> = gate
                .given
                .iter()
                .map(|given| given.actor.as_str())
                .collect();
            Some(format!(
                "waits for a second person ({} approved)",
                given.join(", ")
            ))
        }
        (missing, _) => Some(format!("waits for the approval of {missing} people")),
    };
    let held = gate
        .frozen_until
        .map(|until| format!("is held back by a freeze until {until}"));
    let both: Vec<String> = approval.into_iter().chain(held).collect();
    if both.is_empty() {
        return "may go".to_owned();
    }
    both.join(", and ")
}

/// What an event says of a gate: who, when, and what differs since what is live.
pub(super) fn told(deployment: &Deployment, gate: &Gate) -> Value {
    let promotion = deployment.promotion.as_ref();
    json!({
        "action": if promotion.is_some() { "promote" } else { "deploy" },
        "environment": deployment.environment,
        "rule": gate.rule,
        "approvals": gate.given,
        "missing": gate.missing(),
        "release": promotion.map(|promotion| &promotion.release),
        "commit": deployment.commit,
        "over": gate.over,
        "since": gate.since,
        "changed": gate.changed,
        "files": gate.files.iter().map(|file| &file.path).collect::<Vec<_>>(),
        "frozen_until": gate.frozen_until,
    })
}
