//! After an automatic return there is no other for a while, so that two bad releases do not push each other around.
//!
//! Within a process only the monotonic clock counts. Across a restart only the wall clock is there, and it may have been
//! set: one that went back, or was set back, never makes the wait longer than it would have been from the beginning.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The wait of one environment.
#[derive(Debug)]
pub(crate) struct Cooldown {
    length: Duration,
    until: Mutex<Option<Instant>>,
}

impl Cooldown {
    /// A wait of `length`, which began at `returned` in an earlier process.
    pub fn new(length: Duration, returned: Option<Timestamp>) -> Self {
        let left = returned.map(|returned| left(length, returned, Timestamp::now()));
        let until = left
            .filter(|left| !left.is_zero())
            .and_then(|left| Instant::now().checked_add(left));
        Self {
            length,
            until: Mutex::new(until),
        }
    }

    /// How long there will be no automatic return; `None` when there may be one.
    pub fn left(&self) -> Option<Duration> {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until?
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    /// There was an automatic return.
    pub fn begin(&self) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) =
            Instant::now().checked_add(self.length);
    }

    /// How long the wait is, for people.
    pub fn length(&self) -> Duration {
        self.length
    }
}

/// What is left of a wait of `length` that began at `returned`.
fn left(length: Duration, returned: Timestamp, now: Timestamp) -> Duration {
    let passed = now
        .as_millisecond()
        .saturating_sub(returned.as_millisecond());
    // Negative when the clock was set back: then nothing has passed, as far as anybody knows.
    length.saturating_sub(Duration::from_millis(u64::try_from(passed).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_neither_ends_a_wait_nor_makes_it_endless() {
        let length = Duration::from_secs(600);
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        assert_eq!(left(length, at(1000), at(1000)), length);
        assert_eq!(left(length, at(1000), at(1400)), Duration::from_secs(200));
        assert_eq!(left(length, at(1000), at(2000)), Duration::ZERO);
        // Set back by a year: the whole wait again, and no more.
        assert_eq!(left(length, at(40_000_000), at(1000)), length);

        let cooldown = Cooldown::new(length, Some(Timestamp::MAX));
        assert!(cooldown.left().unwrap() <= length);
        let cooldown = Cooldown::new(length, None);
        assert_eq!(cooldown.left(), None);
        cooldown.begin();
        assert!(cooldown.left().is_some());
        let off = Cooldown::new(Duration::ZERO, None);
        off.begin();
        assert_eq!(off.left(), None);
    }
}
