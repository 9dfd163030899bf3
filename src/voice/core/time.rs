//! What time alone brings about: what is given up, closed, or tried again.

use std::time::{Duration, Instant};

use super::take::Take;
use super::{Core, LISTENING_RETRY, Mic, OPENING, RETRYING};
use crate::voice::diagnose;
use crate::voice::track::Track;

/// How long an open microphone may take to its first sample; Bluetooth needs up to three seconds.
const FIRST: Duration = Duration::from_secs(5);

/// How long one that has sent samples may send none, if its usual pauses are short.
const STALL: Duration = Duration::from_secs(1);

/// The same, however long its usual pauses are.
const LONGEST_STALL: Duration = Duration::from_secs(5);

/// Beyond the tail, how long to wait for samples of it that are late.
const LATE: Duration = Duration::from_millis(400);

impl Core {
    /// When [`Input::Tick`](super::Input::Tick) is due, if nothing else happens.
    pub fn deadline(&self) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        let mut at = |moment: Option<Instant>| {
            next = match (next, moment) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        };
        if let Mic::Opening { since } = self.mic {
            at(since.checked_add(OPENING));
        }
        match &self.take {
            Some(take) => {
                if let Some((since, retry)) = take.lost {
                    let waiting = matches!(self.mic, Mic::Closed);
                    at(Some(if waiting { retry } else { since + RETRYING }));
                }
                at(take
                    .released
                    .and_then(|released| released.checked_add(self.late())));
                at(self
                    .silence(take)
                    .and_then(|(since, patience)| since.checked_add(patience)));
            }
            None if self.listening => {
                if matches!(self.mic, Mic::Closed) {
                    at(self.idle_since.checked_add(LISTENING_RETRY));
                }
            }
            None if matches!(self.mic, Mic::Open { .. }) => {
                at(self.idle_since.checked_add(self.options.warm))
            }
            None => {}
        }
        next
    }

    /// Whatever time alone brings about.
    pub(super) fn tick(&mut self, now: Instant) {
        if let Mic::Opening { since } = self.mic
            && now.duration_since(since) >= OPENING
        {
            self.lost(diagnose::hung(OPENING), now);
        }
        let Some(take) = &self.take else {
            let warm = self.idle_since.checked_add(self.options.warm);
            let idle = !self.listening
                && matches!(self.mic, Mic::Open { .. })
                && warm.is_some_and(|warm| now >= warm);
            let again = self.idle_since.checked_add(LISTENING_RETRY);
            if self.listening
                && matches!(self.mic, Mic::Closed)
                && again.is_some_and(|again| now >= again)
            {
                self.open(now);
            }
            // Another default was chosen meanwhile: the next press opens that one, with its ring filled.
            if self.stale && matches!(self.mic, Mic::Open { .. }) {
                self.close();
                if !idle {
                    self.open(now);
                }
            } else if idle {
                self.close();
            }
            return;
        };
        if let Some((since, retry)) = take.lost {
            if now.duration_since(since) >= RETRYING {
                self.finish(now);
            } else if now >= retry && matches!(self.mic, Mic::Closed) {
                self.open(now);
            }
            return;
        }
        let late = take
            .released
            .and_then(|released| released.checked_add(self.late()));
        if late.is_some_and(|late| now >= late) {
            self.finish(now);
            return;
        }
        if let Some((since, patience)) = self.silence(take)
            && now.duration_since(since) >= patience
        {
            let problem = diagnose::stuck(&self.device, now.duration_since(since));
            self.lost(problem, now);
        }
    }

    /// Since when an open microphone has sent nothing to the take, and how long that is borne.
    fn silence(&self, take: &Take) -> Option<(Instant, Duration)> {
        let Mic::Open { since, .. } = self.mic else {
            return None;
        };
        let track = self.track.as_ref()?;
        match track.heard() {
            Some(heard) => Some((heard.max(take.pressed), stall(track))),
            None => Some((since.max(take.pressed), FIRST)),
        }
    }

    /// How long after a release to wait for the last samples.
    fn late(&self) -> Duration {
        let usual = self
            .track
            .as_ref()
            .map_or(Duration::ZERO, |track| track.gap() + track.gap() / 2);
        self.options.after + LATE.max(usual.min(LONGEST_STALL))
    }
}

/// How long a microphone with this track may send nothing.
pub(super) fn stall(track: &Track) -> Duration {
    STALL.max(track.gap() * 3).min(LONGEST_STALL)
}
