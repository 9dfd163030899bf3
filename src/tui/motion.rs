//! The one place that moves. Nothing ticks: the state says when the next picture is due, or that none is.

use std::time::Duration;

use super::model::{Model, Moment};

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
    ]
    .into_iter()
    .flatten()
    .min()
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
