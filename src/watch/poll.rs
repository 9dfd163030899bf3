//! Looking at every file now and then, where the system tells nothing.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::oneshot;

use super::{How, Options, Rules, Shared, Signal, relative};
use crate::model::Problem;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);

/// A look takes at most this part of the time: large trees are looked at less often.
const SHARE: u32 = 50;

/// By which a change shows.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    modified: Option<SystemTime>,
    length: u64,
    identity: (u64, i64, u32),
}

/// Looks until it is told to stop.
pub(super) fn run(
    options: &Options,
    rules: &Rules,
    shared: &Shared,
    signals: &Receiver<Signal>,
    why: String,
    ready: Option<oneshot::Sender<Result<How, Problem>>>,
) {
    let began = Instant::now();
    let mut known = look(rules);
    let every = options
        .poll
        .unwrap_or_else(|| EVERY.max(began.elapsed() * SHARE));
    let how = How::Looking { every, why };
    match ready {
        Some(ready) => {
            if ready.send(Ok(how)).is_err() {
                return;
            }
        }
        None => shared.noticed_by(how),
    }
    let mut wait = every;
    loop {
        let until = Instant::now() + wait;
        loop {
            match signals.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                // What the system still tells is seen by the next look.
                Ok(Signal::Event(_)) => {}
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        let began = Instant::now();
        rules.forget();
        let now = look(rules);
        let mut changed: Vec<String> = known
            .keys()
            .filter(|path| !now.contains_key(*path))
            .cloned()
            .collect();
        changed.extend(
            now.iter()
                .filter(|(path, mark)| known.get(*path) != Some(mark))
                .map(|(path, _)| path.clone()),
        );
        if !changed.is_empty() {
            shared.changed(changed, false);
        }
        known = now;
        wait = every.max(began.elapsed() * SHARE);
    }
}

fn look(rules: &Rules) -> HashMap<String, Mark> {
    let mut marks = HashMap::new();
    let mut waiting = vec![rules.root().to_path_buf()];
    while let Some(folder) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let place = entry.path();
            let (Ok(kind), Some(path)) = (entry.file_type(), relative(rules.root(), &place)) else {
                continue;
            };
            if kind.is_dir() {
                if rules.enters(&path) && !place.join(".git").exists() {
                    waiting.push(place);
                }
            } else if !rules.ignored(&path, false)
                && let Ok(meta) = fs::symlink_metadata(&place)
            {
                marks.insert(path, mark(&meta));
            }
        }
    }
    marks
}

fn mark(meta: &Metadata) -> Mark {
    Mark {
        modified: meta.modified().ok(),
        length: meta.len(),
        identity: identity(meta),
    }
}

#[cfg(unix)]
fn identity(meta: &Metadata) -> (u64, i64, u32) {
    use std::os::unix::fs::MetadataExt;
    let changed = meta
        .ctime()
        .wrapping_mul(1_000_000_000)
        .wrapping_add(meta.ctime_nsec());
    (meta.ino(), changed, meta.mode())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, i64, u32) {
    (0, 0, 0)
}
