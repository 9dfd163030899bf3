//! When changes have settled and are taken together. Pure: moments in, moments out; no clock of its own.
//!
//! - A change is taken when nothing has touched its file for `settle`.
//! - What changes within `batch` is taken together: after one take the next comes no sooner.
//! - A file that is written to without a pause holds up itself, not the others; after `bound` it is taken as it stands.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long is waited for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long nothing must have touched a file.
    pub settle: Duration,
    /// How long changes are gathered: at least so much time is between two takes.
    pub batch: Duration,
    /// How long a file that is written to all the time is waited for.
    pub bound: Duration,
}

/// What is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Files that are still being written to: they are left out, and come later.
    pub busy: Vec<String>,
    /// Files that were written to for as long as is waited: they are taken as they stand.
    pub overdue: Vec<String>,
}

/// A run of changes without a pause.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: Instant,
    last: Instant,
}

impl Run {
    fn touched(&mut self, now: Instant, settle: Duration) {
        if now.saturating_duration_since(self.last) >= settle {
            self.first = now;
        }
        // A moment before the last one says nothing: the clock that counts never goes back.
        self.last = self.last.max(now);
    }

    /// When it may be taken.
    fn ready(&self, pace: &Pace) -> Instant {
        (self.last + pace.settle).min(self.first + pace.bound)
    }
}

/// The changes that wait.
#[derive(Debug)]
pub struct Settle {
    pace: Pace,
    files: BTreeMap<String, Run>,
    /// Changes that nobody can name.
    unnamed: Option<Run>,
    taken: Option<Instant>,
}

impl Settle {
    /// Nothing has changed yet.
    pub fn new(pace: Pace) -> Self {
        Self {
            pace,
            files: BTreeMap::new(),
            unnamed: None,
            taken: None,
        }
    }

    /// These changed; with `all` also more than is named.
    pub fn changed(&mut self, now: Instant, paths: impl IntoIterator<Item = String>, all: bool) {
        let settle = self.pace.settle;
        let fresh = Run {
            first: now,
            last: now,
        };
        for path in paths {
            self.files
                .entry(path)
                .and_modify(|run| run.touched(now, settle))
                .or_insert(fresh);
        }
        if all {
            self.unnamed.get_or_insert(fresh).touched(now, settle);
        }
    }

    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.unnamed.is_none()
    }

    /// How many named files wait.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// When to take what waits; `None` while nothing does.
    pub fn due(&self) -> Option<Instant> {
        let runs = || self.files.values().chain(&self.unnamed);
        let ready = || runs().map(|run| run.ready(&self.pace));
        let (some, every) = (ready().min()?, ready().max()?);
        let oldest = runs().map(|run| run.first).min()?;
        // Who saves now waits no longer than a batch for who is still writing.
        let patience = oldest + self.pace.batch.max(self.pace.settle);
        let due = every.min(some.max(patience));
        Some(match self.taken {
            Some(taken) => due.max(taken + self.pace.batch),
            None => due,
        })
    }

    /// Takes what has settled. What is still being written to goes on waiting.
    pub fn take(&mut self, now: Instant) -> Taken {
        let pace = self.pace;
        let mut taken = Taken::default();
        self.taken = Some(now);
        self.unnamed = None;
        self.files.retain(|path, run| {
            if now.saturating_duration_since(run.last) >= pace.settle {
                return false;
            }
            if now.saturating_duration_since(run.first) >= pace.bound {
                taken.overdue.push(path.clone());
                return false;
            }
            taken.busy.push(path.clone());
            true
        });
        taken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PACE: Pace = Pace {
        settle: Duration::from_secs(3),
        batch: Duration::from_secs(10),
        bound: Duration::from_secs(300),
    };

    fn at(start: Instant, seconds: f64) -> Instant {
        start + Duration::from_secs_f64(seconds)
    }

    fn one(path: &str) -> [String; 1] {
        [path.to_owned()]
    }

    #[test]
    fn one_save_is_taken_when_it_has_settled() {
        let start = Instant::now();
        let mut settle = Settle::new(PACE);
        assert_eq!(settle.due(), None);
        settle.changed(start, one("a"), false);
        settle.changed(at(start, 2.0), one("a"), false);
        assert_eq!(settle.due(), Some(at(start, 5.0)));
        assert_eq!(settle.take(at(start, 5.0)), Taken::default());
        assert!(settle.is_empty() && settle.due().is_none());
    }

    #[test]
    fn saves_close_together_are_one_take() {
        let start = Instant::now();
        let mut settle = Settle::new(PACE);
        settle.changed(start, one("a"), false);
        settle.take(at(start, 3.0));
        // The next one waits until ten seconds have gone by since the last take.
        settle.changed(at(start, 4.0), one("b"), false);
        settle.changed(at(start, 6.0), one("c"), false);
        assert_eq!(settle.due(), Some(at(start, 13.0)));
    }

    #[test]
    fn who_writes_all_the_time_holds_up_nobody_else() {
        let start = Instant::now();
        let mut settle = Settle::new(PACE);
        settle.changed(start, one("page"), false);
        for tick in 0..20 {
            settle.changed(at(start, f64::from(tick) * 0.5), one("movie"), false);
        }
        assert_eq!(settle.due(), Some(at(start, 10.0)));
        let taken = settle.take(at(start, 10.0));
        assert_eq!(taken.busy, ["movie"]);
        // It is written to the end: taken after it has settled, or a batch after the last take.
        settle.changed(at(start, 15.0), one("movie"), false);
        assert_eq!(settle.due(), Some(at(start, 20.0)));
        assert_eq!(settle.take(at(start, 20.0)), Taken::default());
    }

    #[test]
    fn waiting_has_an_end() {
        let start = Instant::now();
        let mut settle = Settle::new(PACE);
        for tick in 0..=320 {
            settle.changed(at(start, f64::from(tick)), one("log"), false);
        }
        assert!(settle.due().unwrap() <= at(start, 320.0));
        assert_eq!(settle.take(at(start, 320.5)).overdue, ["log"]);
        assert!(settle.is_empty());
    }

    #[test]
    fn without_pauses_a_change_is_due_at_once() {
        let start = Instant::now();
        let none = Duration::ZERO;
        let mut settle = Settle::new(Pace {
            settle: none,
            batch: none,
            bound: PACE.bound,
        });
        settle.changed(start, one("a"), false);
        assert_eq!(settle.due(), Some(start));
        assert_eq!(settle.take(start), Taken::default());
    }

    #[test]
    fn a_storm_is_one_take() {
        let start = Instant::now();
        let mut settle = Settle::new(PACE);
        settle.changed(start, (0..1000).map(|n| format!("f{n}")), true);
        settle.changed(at(start, 1.0), [], true);
        assert_eq!(settle.due(), Some(at(start, 4.0)));
        settle.take(at(start, 4.0));
        assert!(settle.is_empty());
    }

    proptest! {
        /// Whatever the clock does, every change is taken, and never later than the bound and a batch allow.
        #[test]
        fn nothing_waits_for_ever(
            steps in proptest::collection::vec((0_u32..40, 0_usize..4, -30_i64..600), 1..60),
        ) {
            let start = Instant::now() + Duration::from_secs(100_000);
            let mut settle = Settle::new(PACE);
            let mut now = start;
            for (repeat, file, jump) in steps {
                // The clock may jump, even back.
                now = if jump < 0 {
                    now - Duration::from_secs(jump.unsigned_abs())
                } else {
                    now + Duration::from_secs(jump.unsigned_abs())
                };
                for _ in 0..=repeat {
                    settle.changed(now, [format!("f{file}")], file == 3);
                }
            }
            let last = now + Duration::from_secs(100_000);
            let mut rounds = 0;
            while let Some(due) = settle.due() {
                prop_assert!(due <= last);
                settle.take(due.max(now));
                now = due.max(now);
                rounds += 1;
                prop_assert!(rounds < 100, "{settle:?}");
            }
            prop_assert!(settle.is_empty());
        }
    }
}
