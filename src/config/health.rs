//! `[health]`, and `[notify]`: who is told when something is unwell, and of what else.

use serde::{Deserialize, Serialize};

use super::Span;
use crate::model::news::Topic;

/// Health checks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// The path asked for.
    pub path: String,
    /// The status that is expected; 0 for any from 200 to 299.
    pub status: u16,
    /// Text the page must contain; empty for none.
    pub expect: String,
    /// A header that the answer must carry, `name` or `name: value`; empty for none.
    pub header: String,
    /// A slower answer is not a good one; zero for any.
    pub latency: Span,
    /// A check of one's own, run by the shell; empty for none.
    pub command: String,
    /// How long that may take.
    pub command_timeout: Span,
    /// Good answers in a row before traffic moves.
    pub passes: u32,
    /// For one probe.
    pub timeout: Span,
    /// How long a new release is watched.
    pub watch: Span,
    /// How often what is live is asked; zero for never.
    pub interval: Span,
    /// Bad answers in a row that make it unwell.
    pub failures: u32,
    /// For so long after an automatic return there is no other.
    pub cooldown: Span,
}

/// Whom is told what, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    /// In the terminal, while its window has no focus.
    pub terminal: Told,
    /// On the desktop.
    pub desktop: Told,
    /// Other programs.
    pub webhook: Webhook,
}

/// What is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The events.
    pub events: Vec<Topic>,
}

/// Other programs that are told, each message signed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Their addresses.
    pub urls: Vec<String>,
    /// The events.
    pub events: Vec<Topic>,
}
