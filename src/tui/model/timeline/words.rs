//! What an event says, in one line.

use serde_json::Value;

use super::Tone;
use crate::model::{Event, EventKind};
use crate::tui::text;

/// What an event says, how to take it, and how long it took by its own account.
pub(super) fn describe(event: &Event) -> (Tone, String, Option<u64>) {
    let data = &event.data;
    let say = |key: &str| data[key].as_str().unwrap_or_default();
    let number = |key: &str| data[key].as_u64();
    let environment = event.environment.as_deref().unwrap_or("the site");
    let mut tone = Tone::Plain;
    let mut took = number("ms");
    let said = match event.kind {
        EventKind::Transcript if typed(data) => {
            took = None;
            format!("{} wrote “{}”", event.actor, say("text"))
        }
        EventKind::Transcript => format!("heard “{}”", say("text")),
        EventKind::Intent => match data["question"]["text"].as_str() {
            Some(question) => format!("asks: {question}"),
            None => format!("understood: {}", reading(data)),
        },
        EventKind::Proposal => format!("proposed: {} ({})", say("title"), files(data)),
        EventKind::ProposalUpdated => format!("proposal changed: {}", say("title")),
        EventKind::Approved if event.deployment.is_some() => {
            tone = Tone::Good;
            let what = match say("action") {
                "promote" => "promotion",
                _ => "deployment",
            };
            let more = match number("missing") {
                Some(missing @ 1..) => format!("; {missing} more must"),
                _ => String::new(),
            };
            format!("{} approved the {what} to {environment}{more}", event.actor)
        }
        EventKind::Approved => {
            tone = Tone::Good;
            match say("action") {
                "commit" => format!("{} approved it for a commit", event.actor),
                _ => format!("{} approved it", event.actor),
            }
        }
        EventKind::Rejected => {
            tone = Tone::Warn;
            let reason = say("reason");
            let because = if reason.is_empty() { "" } else { ": " };
            format!("{} rejected it{because}{reason}", event.actor)
        }
        EventKind::Check => {
            let ok = data["ok"].as_bool().unwrap_or(false);
            tone = if ok { Tone::Good } else { Tone::Bad };
            let result = if ok { "passed" } else { "failed" };
            let before = if data["kept"].is_string() {
                " before with these files"
            } else {
                ""
            };
            let why = if ok { "" } else { say("message") };
            let colon = if why.is_empty() { "" } else { ": " };
            format!("check {} {result}{before}{colon}{why}", say("name"))
        }
        EventKind::Commit => {
            tone = Tone::Good;
            let (commit, branch) = (text::short(say("commit")), say("branch"));
            format!("committed {commit} to {branch}: {}", say("message"))
        }
        EventKind::DeployStart => {
            let again = if data["force"].as_bool() == Some(true) {
                "again "
            } else {
                ""
            };
            format!(
                "deploying {} {again}to {environment}",
                text::short(say("commit"))
            )
        }
        EventKind::DeployProgress => format!(
            "{} {} % {}",
            say("stage"),
            number("percent").unwrap_or(0),
            say("message")
        ),
        EventKind::DeployComplete => {
            took = number("total_ms");
            let elsewhere = data["elsewhere"].as_bool() == Some(true);
            if data["checked"].as_bool() == Some(false) {
                // Nobody here has looked.
                tone = Tone::Plain;
                format!(
                    "said to be live on {environment}, made elsewhere: {}",
                    say("url")
                )
            } else {
                tone = Tone::Good;
                let made = if elsewhere { ", made elsewhere" } else { "" };
                format!("LIVE on {environment}{made}: {}", say("url"))
            }
        }
        EventKind::DeployError => {
            if data["unknown"].as_bool() == Some(true) {
                tone = Tone::Warn;
                format!("outcome unknown at {}: {}", say("stage"), say("message"))
            } else {
                tone = Tone::Bad;
                format!("deployment failed at {}: {}", say("stage"), say("message"))
            }
        }
        EventKind::Health => {
            let ok = data["ok"].as_bool().unwrap_or(false);
            tone = if ok { Tone::Good } else { Tone::Bad };
            match number("status") {
                Some(status) => format!("health {status} {}", say("message")),
                None => format!("health: {}", say("message")),
            }
        }
        EventKind::Promote => match say("from") {
            "" => format!("{} promoted to {}", say("release"), say("to")),
            from => format!("{} moved from {from} to {}", say("release"), say("to")),
        },
        EventKind::Rollback => {
            tone = Tone::Warn;
            let by = if data["automatic"].as_bool() == Some(true) {
                "by itself "
            } else {
                ""
            };
            format!(
                "{environment} went back {by}to {} {}",
                say("to"),
                say("reason")
            )
        }
        EventKind::Canceled => {
            tone = Tone::Warn;
            format!("stopped {}", say("reason"))
        }
        EventKind::Notice => say("message").to_owned(),
        EventKind::Error => {
            // A refusal has a reason; it is no failure.
            tone = if data["reason"].is_string() {
                Tone::Warn
            } else {
                Tone::Bad
            };
            say("message").to_owned()
        }
    };
    (tone, said, took)
}

/// True when the words of a `transcript` were written, not spoken.
pub fn typed(data: &Value) -> bool {
    data["engine"].as_str() == Some("typed")
}

/// What the words were taken for, in words.
pub fn reading(data: &Value) -> String {
    let told = data["reading"].as_str().filter(|told| !told.is_empty());
    let intent = &data["intent"];
    told.or_else(|| intent["request"].as_str())
        .or_else(|| intent["control"].as_str())
        .unwrap_or("…")
        .to_owned()
}

fn files(data: &Value) -> String {
    match data["files"].as_array().map(Vec::as_slice) {
        Some([only]) => only["path"].as_str().unwrap_or("1 file").to_owned(),
        Some(many) => format!("{} files", many.len()),
        None => "no files".to_owned(),
    }
}
