//! What happened, as rows: bounded, folded, ready to be shown.

use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::model::{Event, EventKind, InstructionId};
use crate::tui::text;

/// Rows kept.
pub const LIMIT: usize = 5_000;
/// Bytes of a row's text.
const TEXT: usize = 400;
/// Rows looked through for the one that a new event continues.
const NEAR: usize = 100;

/// How a row is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// One step of many.
    Plain,
    /// Went well.
    Good,
    /// Failed.
    Bad,
    /// Needs attention.
    Warn,
}

impl Tone {
    /// The mark that says it without colour.
    pub fn mark(self) -> &'static str {
        match self {
            Tone::Plain => "·",
            Tone::Good => "✓",
            Tone::Bad => "✗",
            Tone::Warn => "!",
        }
    }
}

/// A row of the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The event's place in the log; of the newest one, where several are folded into the row.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// When, as shown.
    pub clock: String,
    /// What kind of event.
    pub kind: EventKind,
    /// How to take it.
    pub tone: Tone,
    /// What happened, harmless and in one line.
    pub text: String,
    /// Milliseconds it took by its own account.
    pub took: Option<u64>,
    /// Milliseconds since the instruction's event before it.
    pub after: Option<u64>,
    instruction: Option<InstructionId>,
    deployment: Option<String>,
}

/// The timeline.
#[derive(Clone, Debug)]
pub struct Timeline {
    rows: VecDeque<Row>,
    zone: TimeZone,
    /// Rows between the newest one and the lowest one shown; 0 follows.
    back: usize,
    newest: u64,
    oldest: Option<u64>,
}

impl Timeline {
    /// An empty timeline that shows times in `zone`.
    pub fn new(zone: TimeZone) -> Self {
        Self {
            rows: VecDeque::new(),
            zone,
            back: 0,
            newest: 0,
            oldest: None,
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The newest event taken; events up to it are not taken again.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// The rows for a pane of `height` rows, oldest first, with what lies below them.
    pub fn visible(&self, height: usize) -> (impl Iterator<Item = &Row>, usize) {
        let back = self.back.min(self.rows.len().saturating_sub(height));
        let end = self.rows.len() - back;
        let start = end.saturating_sub(height);
        (self.rows.range(start..end), back)
    }

    /// Scrolls by `rows` (negative: to older ones) in a pane of `height` rows.
    pub fn scroll(&mut self, rows: i64, height: usize) {
        let most = self.rows.len().saturating_sub(height.max(1));
        let back = (self.back.min(most) as i64).saturating_sub(rows);
        self.back = usize::try_from(back).unwrap_or(0).min(most);
    }

    /// Shows the newest row again.
    pub fn follow(&mut self) {
        self.back = 0;
    }

    /// True when the newest row is shown.
    pub fn follows(&self) -> bool {
        self.back == 0
    }

    /// Forgets everything: another log begins.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.back = 0;
        self.newest = 0;
        self.oldest = None;
    }

    /// Takes events from before the ones that are known; others are left out.
    pub fn prepend(&mut self, events: &[Event]) {
        let mut earlier = Timeline::new(self.zone.clone());
        let oldest = self.oldest.unwrap_or(u64::MAX);
        for event in events.iter().filter(|event| event.seq < oldest) {
            earlier.push(event);
        }
        if earlier.is_empty() {
            return;
        }
        self.oldest = earlier.oldest;
        self.newest = self.newest.max(earlier.newest);
        earlier.rows.append(&mut self.rows);
        self.rows = earlier.rows;
        let extra = self.rows.len().saturating_sub(LIMIT);
        self.rows.drain(..extra);
    }

    /// Takes an event; false when it was taken before.
    pub fn push(&mut self, event: &Event) -> bool {
        if event.seq <= self.newest {
            return false;
        }
        self.newest = event.seq;
        self.oldest.get_or_insert(event.seq);
        let (tone, said, took) = describe(event);
        let mut row = Row {
            seq: event.seq,
            at: event.at,
            clock: clock(event.at, &self.zone),
            kind: event.kind,
            tone,
            text: text::clean_prose(text::head(&said, TEXT)),
            took,
            after: None,
            instruction: event.instruction.clone(),
            deployment: event.deployment.as_ref().map(ToString::to_string),
        };
        if self.fold(&row) {
            return true;
        }
        row.after = self.since_the_step_before(&row);
        self.rows.push_back(row);
        // Who looks at older rows keeps them in sight.
        if self.back > 0 {
            self.back += 1;
        }
        if self.rows.len() > LIMIT {
            self.rows.pop_front();
        }
        true
    }

    /// Puts a progress event into the row of the same deployment's last one.
    fn fold(&mut self, row: &Row) -> bool {
        if row.kind != EventKind::DeployProgress || row.deployment.is_none() {
            return false;
        }
        let earlier = self
            .rows
            .iter_mut()
            .rev()
            .take(NEAR)
            .find(|earlier| earlier.kind == row.kind && earlier.deployment == row.deployment);
        let Some(earlier) = earlier else { return false };
        earlier.seq = row.seq;
        earlier.text.clone_from(&row.text);
        earlier.took = millis_between(earlier.at, row.at);
        true
    }

    fn since_the_step_before(&self, row: &Row) -> Option<u64> {
        let instruction = row.instruction.as_ref()?;
        let before = self
            .rows
            .iter()
            .rev()
            .take(NEAR)
            .find(|earlier| earlier.instruction.as_ref() == Some(instruction))?;
        millis_between(before.at, row.at)
    }
}

fn millis_between(from: Timestamp, to: Timestamp) -> Option<u64> {
    u64::try_from(to.as_millisecond() - from.as_millisecond()).ok()
}

fn clock(at: Timestamp, zone: &TimeZone) -> String {
    let time = zone.to_datetime(at).time();
    format!(
        "{:02}:{:02}:{:02}",
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// What an event says, how to take it, and how long it took by its own account.
fn describe(event: &Event) -> (Tone, String, Option<u64>) {
    let data = &event.data;
    let say = |key: &str| data[key].as_str().unwrap_or_default();
    let number = |key: &str| data[key].as_u64();
    let environment = event.environment.as_deref().unwrap_or("the site");
    let mut tone = Tone::Plain;
    let mut took = number("ms");
    let said = match event.kind {
        EventKind::Transcript if say("engine") == "typed" => format!("wrote “{}”", say("text")),
        EventKind::Transcript => format!("heard “{}”", say("text")),
        EventKind::Intent => match data["question"]["text"].as_str() {
            Some(question) => format!("asks: {question}"),
            None => format!("understood: {}", reading(data)),
        },
        EventKind::Proposal => format!("proposed: {} ({})", say("title"), files(data)),
        EventKind::ProposalUpdated => format!("proposal changed: {}", say("title")),
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
            format!("check {} {result}", say("name"))
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
            tone = Tone::Good;
            took = number("total_ms");
            format!("LIVE on {environment}: {}", say("url"))
        }
        EventKind::DeployError => {
            tone = Tone::Bad;
            format!("deployment failed at {}: {}", say("stage"), say("message"))
        }
        EventKind::Health => {
            let ok = data["ok"].as_bool().unwrap_or(false);
            tone = if ok { Tone::Good } else { Tone::Bad };
            match number("status") {
                Some(status) => format!("health {status} {}", say("message")),
                None => format!("health: {}", say("message")),
            }
        }
        EventKind::Promote => format!(
            "{} moved from {} to {}",
            say("release"),
            say("from"),
            say("to")
        ),
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
            tone = Tone::Bad;
            say("message").to_owned()
        }
    };
    (tone, said, took)
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
