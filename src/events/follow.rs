//! Following the log: pages from disk until the end is reached, then the live tail, back to disk after falling
//! behind. No event is skipped or given twice.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::EventLog;
use crate::model::{Event, Problem};

/// Events read from disk at a time.
const PAGE: usize = 500;

/// What a follower gives next.
pub type Followed = Result<Arc<Event>, Problem>;

/// A reader of the log that waits at its end.
pub struct Follower {
    log: EventLog,
    last: u64,
    pending: VecDeque<Arc<Event>>,
    tail: broadcast::Receiver<Arc<Event>>,
    /// True while the disk may hold events that `tail` does not.
    behind: bool,
}

impl Follower {
    pub(super) fn new(log: EventLog, after: u64) -> Self {
        // Subscribed before the first read: what is appended in between comes twice and is dropped once.
        let tail = log.inner.live.tail.subscribe();
        Self {
            log,
            last: after,
            pending: VecDeque::new(),
            tail,
            behind: true,
        }
    }

    /// The next event; waits for it. Safe to drop half-way.
    pub async fn next(&mut self) -> Followed {
        loop {
            if let Some(event) = self.pending.pop_front() {
                self.last = event.seq;
                return Ok(event);
            }
            if self.behind {
                let page = self.log.read(self.last, PAGE)?;
                self.behind = page.len() == PAGE;
                self.pending.extend(page.into_iter().map(Arc::new));
                continue;
            }
            match self.tail.recv().await {
                Ok(event) if event.seq <= self.last => {}
                Ok(event) if event.seq == self.last + 1 => {
                    self.last = event.seq;
                    return Ok(event);
                }
                Ok(_) | Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => {
                    return Err(Problem::internal("the event log was closed"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{EventKind, NewEvent};
    use crate::store::Store;

    #[tokio::test]
    async fn a_follower_that_falls_behind_misses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("sayso.db")).unwrap();
        let log = EventLog::open(store, "site").unwrap();
        let notices = |n: usize| -> Vec<NewEvent> {
            (0..n)
                .map(|i| NewEvent::new(EventKind::Notice, "a", json!(i)))
                .collect()
        };
        log.append(notices(700), vec![]).await.unwrap();
        let mut follower = log.follow(100);
        assert_eq!(follower.next().await.unwrap().seq, 101);
        // More than the live tail holds, while the follower does not read.
        for _ in 0..3 {
            log.append(notices(1000), vec![]).await.unwrap();
        }
        for expected in 102..=3700 {
            assert_eq!(follower.next().await.unwrap().seq, expected);
        }
    }
}
