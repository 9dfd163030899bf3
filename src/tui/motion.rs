//! The one place that moves. Nothing ticks: the state says when the next picture is due, or that none is.

use std::time::Duration;

use super::model::{Model, Moment};
use crate::client::stream::Connection;

/// Time between two pictures of what moves.
const FRAME: Duration = Duration::from_millis(100);
/// The pictures of the turning mark.
const TURN: [&str; 8] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧"];
/// The same for terminals without Unicode.
const TURN_ASCII: [&str; 8] = ["|", "/", "-", "\\", "|", "/", "-", "\\"];
/// What stands there when nothing may move.
const STILL: &str = "●";

/// When the screen changes although nothing happens; `None`: never.
pub fn next(model: &Model, now: Moment) -> Option<Moment> {
    let moving = model.settings.motion && (model.work.is_some() || model.deploying().is_some());
    let frame = moving.then(|| now + FRAME);
    let notice = model.notice.as_ref().map(|notice| notice.until);
    let spoken = model.spoken.as_ref().map(|spoken| spoken.at);
    [
        frame,
        notice,
        model.interrupted,
        model.talk.open_until,
        spoken,
        countdown(model, now),
        model.team.due,
    ]
    .into_iter()
    .flatten()
    .min()
}

/// Whether the screen is another one now that a moment has come that was waited for: what only others are told changes
/// nothing here.
pub fn shows(model: &Model, now: Moment) -> bool {
    let moves = model.work.is_some() || model.deploying().is_some();
    if model.settings.motion && moves || countdown(model, now).is_some() {
        return true;
    }
    let notice = model.notice.as_ref().map(|notice| notice.until);
    let spoken = model.spoken.as_ref().map(|spoken| spoken.at);
    let due = [notice, spoken, model.interrupted, model.talk.open_until];
    let shown = due.into_iter().flatten().any(|at| at <= now);
    shown || model.team.due.is_none_or(|due| due > now)
}

/// Seconds to the next attempt to connect, where they are counted.
pub fn seconds_left(model: &Model, now: Moment) -> Option<u64> {
    let Connection::Waiting { retry_ms, .. } = &model.connection else {
        return None;
    };
    if !model.settings.motion {
        return None;
    }
    let at = model.team.since + Duration::from_millis(*retry_ms);
    Some(at.saturating_sub(now).as_millis().div_ceil(1000) as u64)
}

/// When the next of those seconds is over.
fn countdown(model: &Model, now: Moment) -> Option<Moment> {
    let left = seconds_left(model, now).filter(|left| *left > 0)?;
    let Connection::Waiting { retry_ms, .. } = &model.connection else {
        return None;
    };
    let at = model.team.since + Duration::from_millis(*retry_ms);
    Some(
        at.saturating_sub(Duration::from_secs(left - 1))
            .max(now + FRAME),
    )
}

/// The mark of something under way, `elapsed` after it began.
pub fn mark(model: &Model, elapsed: Duration) -> &'static str {
    if !model.settings.motion {
        return STILL;
    }
    let turn = elapsed.as_millis() / FRAME.as_millis();
    TURN[(turn % TURN.len() as u128) as usize]
}

/// How long something takes already, in whole tenths of a second; nothing when nothing may move.
pub fn elapsed(model: &Model, since: Moment, now: Moment) -> Option<String> {
    let passed = now.saturating_sub(since);
    if !model.settings.motion || passed < Duration::from_millis(300) {
        return None;
    }
    let tenths = passed.as_millis() / 100;
    Some(match tenths {
        0..600 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => format!("{}:{:02}", tenths / 600, tenths / 10 % 60),
    })
}

/// What stands for a picture of the turning mark where there is no Unicode.
pub fn ascii(symbol: &str) -> Option<&'static str> {
    let at = TURN.iter().position(|turn| *turn == symbol)?;
    Some(TURN_ASCII[at])
}
