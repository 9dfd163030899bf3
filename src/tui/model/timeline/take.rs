//! An event becomes a row, or part of one.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{BEFORE, ENVIRONMENTS, Group, Key, NEAR, Row, TEXT, Timeline, place, words};
use crate::model::{Event, EventKind};
use crate::tui::text;

impl Timeline {
    pub(super) fn know(&mut self, environment: &str) {
        if self.environments.len() < ENVIRONMENTS
            && !self.environments.iter().any(|known| known == environment)
        {
            self.environments.push(environment.to_owned());
            self.environments.sort();
        }
    }

    /// Puts an event into the window.
    pub(super) fn take(&mut self, event: &Event) {
        self.newest = event.seq;
        self.tail = self.tail.max(event.seq);
        self.oldest.get_or_insert(event.seq);
        let (tone, said, took) = words::describe(event);
        let text = text::clean_prose(text::head(&said, TEXT));
        if let Some(environment) = &event.environment {
            self.know(&text::clean_prose(text::head(environment, TEXT)));
        }
        let mut row = Row {
            id: event.seq,
            seq: event.seq,
            at: event.at,
            until: event.at,
            clock: clock(event.at, &self.zone),
            kind: event.kind,
            tone,
            passes: self
                .filter
                .passes(event.kind, event.environment.as_deref(), &text),
            text,
            took,
            after: None,
            times: 1,
            environment: event.environment.as_deref().map(Into::into),
            deployment: event.deployment.as_ref().map(|id| id.0.as_str().into()),
        };
        let key = Key::of(event);
        let near = self.groups.len().saturating_sub(NEAR);
        let group = match &key {
            Key::Loose => self.groups.back_mut().filter(|group| group.key == key),
            _ => {
                let groups = self.groups.range_mut(near..).rev();
                groups.into_iter().find(|group| group.key == key)
            }
        };
        match group {
            Some(group) => {
                if fold(group, &row) {
                    return;
                }
                if key != Key::Loose {
                    let before = group.rows.back();
                    row.after = before.and_then(|before| millis_between(before.until, row.at));
                }
                group.rows.push_back(row);
            }
            None => {
                let mut group = Group::new(key, row);
                group.open = place::opened(&self.folds, &group.key);
                self.groups.push_back(group);
            }
        }
        self.count += 1;
    }
}

/// Puts what only goes on into the row that began it: the progress of a deployment, and a probe that says what the
/// one before it said.
fn fold(group: &mut Group, row: &Row) -> bool {
    let last = group.rows.len().saturating_sub(BEFORE);
    let earlier = match row.kind {
        EventKind::DeployProgress if row.deployment.is_some() => {
            let mut rows = group.rows.range_mut(last..).rev();
            rows.find(|earlier| earlier.kind == row.kind && earlier.deployment == row.deployment)
        }
        EventKind::Health => group
            .rows
            .back_mut()
            .filter(|last| last.kind == row.kind && last.tone == row.tone && last.text == row.text),
        _ => None,
    };
    let Some(earlier) = earlier else { return false };
    earlier.seq = row.seq;
    earlier.until = row.until;
    if row.kind == EventKind::DeployProgress {
        earlier.text.clone_from(&row.text);
        earlier.passes = row.passes;
        earlier.took = millis_between(earlier.at, row.at);
    } else {
        earlier.times += 1;
    }
    true
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
