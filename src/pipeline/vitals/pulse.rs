//! What the answers of one environment mean, one after the other. Pure: the clock is the caller's.

use std::time::{Duration, Instant};

use crate::deploy::health::HealthOptions;
use crate::model::ReleaseId;

/// The longest pause after a bad answer: whether it was a hiccup is known soon.
const AGAIN: Duration = Duration::from_secs(2);

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Well, as before.
    Well,
    /// Well for as long as a new release is watched.
    Proven,
    /// Well again.
    Back,
    /// The first bad answer.
    FirstBad,
    /// One more.
    Bad,
    /// So many in a row that something must be done.
    Fell,
}

/// What is known of the release that is live.
#[derive(Debug, Default)]
pub struct Pulse {
    release: Option<ReleaseId>,
    /// Bad answers in a row.
    bad: u32,
    /// When something was done about it.
    acted: Option<Instant>,
    /// Until when it is watched.
    until: Option<Instant>,
}

impl Pulse {
    /// Looks at what is live now; true when it is another release than before, of which nothing is known yet.
    pub fn meet(&mut self, live: Option<&ReleaseId>) -> bool {
        if self.release.as_ref() == live {
            return false;
        }
        *self = Self {
            release: live.cloned(),
            ..Self::default()
        };
        true
    }

    /// The release is watched until then.
    pub fn watch(&mut self, until: Instant) {
        self.until = Some(until);
    }

    /// The release that is live.
    pub fn release(&self) -> Option<&ReleaseId> {
        self.release.as_ref()
    }

    /// How long to wait for the next question; `None` when there is none to ask.
    pub fn pause(&self, options: &HealthOptions, now: Instant) -> Option<Duration> {
        self.release.as_ref()?;
        let usual = Some(options.interval).filter(|interval| !interval.is_zero());
        if let Some(until) = self.until {
            let step = options.watch / options.probes.max(1);
            let step = step.min(until.saturating_duration_since(now));
            let step = if self.bad > 0 { step.min(AGAIN) } else { step };
            return Some(step.max(Duration::from_millis(1)));
        }
        match self.bad {
            0 => usual,
            _ => usual.map(|usual| usual.min(AGAIN)),
        }
    }

    /// Takes an answer.
    pub fn beat(&mut self, ok: bool, options: &HealthOptions, now: Instant) -> Beat {
        if ok {
            let was_bad = std::mem::take(&mut self.bad) > 0;
            self.acted = None;
            if self.until.is_some_and(|until| now >= until) {
                self.until = None;
                return Beat::Proven;
            }
            return if was_bad { Beat::Back } else { Beat::Well };
        }
        self.bad = self.bad.saturating_add(1);
        // One that stays unwell is tried again after the cool-down, and so is the person.
        let rests = self
            .acted
            .is_some_and(|acted| now.saturating_duration_since(acted) < options.cooldown);
        if self.bad >= options.failures.max(1) && !rests {
            self.acted = Some(now);
            self.until = None;
            return Beat::Fell;
        }
        match self.bad {
            1 => Beat::FirstBad,
            _ => Beat::Bad,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> HealthOptions {
        HealthOptions {
            interval: Duration::from_secs(20),
            watch: Duration::from_secs(10),
            probes: 5,
            failures: 3,
            cooldown: Duration::from_secs(600),
            ..HealthOptions::default()
        }
    }

    fn at(start: Instant, second: u64) -> Instant {
        start + Duration::from_secs(second)
    }

    fn pulse() -> Pulse {
        let mut pulse = Pulse::default();
        assert!(pulse.meet(Some(&"rel_1".into())));
        assert!(!pulse.meet(Some(&"rel_1".into())));
        pulse
    }

    #[test]
    fn so_many_bad_answers_in_a_row_and_no_fewer() {
        let (options, now) = (options(), Instant::now());
        let mut pulse = pulse();
        // It flaps: never three in a row.
        for (ok, beat) in [
            (true, Beat::Well),
            (false, Beat::FirstBad),
            (false, Beat::Bad),
            (true, Beat::Back),
            (false, Beat::FirstBad),
            (false, Beat::Bad),
            (true, Beat::Back),
            (false, Beat::FirstBad),
            (false, Beat::Bad),
            (false, Beat::Fell),
            (false, Beat::Bad),
        ] {
            assert_eq!(pulse.beat(ok, &options, now), beat);
        }
    }

    #[test]
    fn what_stays_unwell_is_taken_up_again_after_the_cool_down() {
        let (options, now) = (options(), Instant::now());
        let mut pulse = pulse();
        let beats: Vec<Beat> = [0, 2, 4, 24, 603, 604, 605]
            .map(|second| pulse.beat(false, &options, at(now, second)))
            .into();
        use Beat::{Bad, Fell, FirstBad};
        assert_eq!(beats, [FirstBad, Bad, Fell, Bad, Bad, Fell, Bad]);
    }

    #[test]
    fn a_new_release_is_watched_to_the_end_and_then_proven_once() {
        let (options, now) = (options(), Instant::now());
        let mut pulse = pulse();
        pulse.watch(at(now, 10));
        assert_eq!(pulse.pause(&options, now), Some(Duration::from_secs(2)));
        assert_eq!(pulse.beat(true, &options, at(now, 8)), Beat::Well);
        assert_eq!(pulse.beat(true, &options, at(now, 10)), Beat::Proven);
        assert_eq!(pulse.beat(true, &options, at(now, 12)), Beat::Well);
        assert_eq!(pulse.pause(&options, at(now, 12)), Some(options.interval));
        // One that falls is not proven by a good answer later.
        pulse.meet(Some(&"rel_2".into()));
        pulse.watch(at(now, 30));
        for second in [20, 21, 22] {
            pulse.beat(false, &options, at(now, second));
        }
        assert_eq!(pulse.beat(true, &options, at(now, 40)), Beat::Back);
    }

    #[test]
    fn another_release_begins_anew_and_nothing_live_is_not_asked() {
        let (options, now) = (options(), Instant::now());
        let mut pulse = pulse();
        pulse.beat(false, &options, now);
        pulse.beat(false, &options, now);
        assert_eq!(pulse.pause(&options, now), Some(AGAIN));
        assert!(pulse.meet(Some(&"rel_2".into())));
        assert_eq!(pulse.beat(false, &options, now), Beat::FirstBad);
        assert!(pulse.meet(None));
        assert_eq!(pulse.pause(&options, now), None);
        let off = HealthOptions {
            interval: Duration::ZERO,
            ..options
        };
        pulse.meet(Some(&"rel_3".into()));
        assert_eq!(pulse.pause(&off, now), None);
        pulse.watch(at(now, 10));
        assert!(pulse.pause(&off, now).is_some());
    }
}
