//! The sound of one opened microphone: a ring while nobody records, a growing line while somebody does, and the
//! clock that says which sample belongs to which moment.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A jump of the clock beyond this is sound that was lost, not jitter. Seconds.
const JUMP: f64 = 0.25;

/// How fast the clock follows a slower card, in seconds a chunk.
const DRIFT: f64 = 0.000_05;

/// Sound of one microphone since it was opened. Positions count its samples from 0.
pub struct Track {
    rate: u32,
    samples: VecDeque<f32>,
    /// Position of the oldest sample that is kept.
    start: u64,
    /// When the newest samples arrived.
    heard: Option<Instant>,
    /// The longest pause between two arrivals.
    gap: Duration,
    opened: Instant,
    /// Seconds after `opened` at which sample 0 was taken.
    offset: f64,
}

impl Track {
    /// A track at `rate` samples a second of a microphone that was opened now.
    pub fn new(rate: u32, now: Instant) -> Self {
        Self {
            rate: rate.max(1),
            samples: VecDeque::new(),
            start: 0,
            heard: None,
            gap: Duration::ZERO,
            opened: now,
            offset: 0.0,
        }
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// When the newest samples arrived.
    pub fn heard(&self) -> Option<Instant> {
        self.heard
    }

    /// The longest pause there was between two arrivals.
    pub fn gap(&self) -> Duration {
        self.gap
    }

    /// Position of the oldest sample that is kept.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Position after the newest sample.
    pub fn end(&self) -> u64 {
        self.start + self.samples.len() as u64
    }

    /// Adds samples that arrived now.
    pub fn push(&mut self, samples: &[f32], now: Instant) {
        self.samples.extend(samples);
        // The newest sample is as old as the way from the card to here. The fastest way seen tells the clock best.
        let offset = now.saturating_duration_since(self.opened).as_secs_f64()
            - self.end() as f64 / f64::from(self.rate);
        if self.heard.is_none() || offset < self.offset || offset - self.offset > JUMP {
            self.offset = offset;
        } else {
            self.offset += (offset - self.offset).min(DRIFT);
        }
        if let Some(heard) = self.heard.replace(now) {
            self.gap = self.gap.max(now.duration_since(heard));
        }
    }

    /// The position of the sample taken at `moment`; beyond [`Track::end`] for one that has not arrived.
    pub fn position(&self, moment: Instant) -> u64 {
        let since = if moment >= self.opened {
            (moment - self.opened).as_secs_f64()
        } else {
            -(self.opened - moment).as_secs_f64()
        };
        ((since - self.offset).max(0.0) * f64::from(self.rate)).round() as u64
    }

    /// How many samples last `time`.
    pub fn count(&self, time: Duration) -> u64 {
        (time.as_secs_f64() * f64::from(self.rate)).round() as u64
    }

    /// Drops everything but the last `time`.
    pub fn keep_last(&mut self, time: Duration) {
        let extra = self.samples.len().saturating_sub(self.count(time) as usize);
        self.samples.drain(..extra);
        self.start += extra as u64;
    }

    /// A copy of the samples from one position to another, as far as they are here.
    pub fn copy(&self, from: u64, until: u64) -> Vec<f32> {
        let from = from.clamp(self.start, self.end());
        let until = until.clamp(from, self.end());
        self.samples
            .range((from - self.start) as usize..(until - self.start) as usize)
            .copied()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_moment_finds_its_sample_in_spite_of_jitter() {
        let opened = Instant::now();
        let mut track = Track::new(16_000, opened);
        // Chunks of 20 ms that are taken from 5 ms on and arrive up to 9 ms late.
        for at in 0..100u64 {
            let late = (at * 7) % 10;
            track.push(&[0.0; 320], opened + ms(5 + (at + 1) * 20 + late));
        }
        let position = track.position(opened + ms(1_005));
        assert!(position.abs_diff(16_000) < 16 * 6, "{position}");
        assert_eq!(track.position(opened), 0);
    }

    #[test]
    fn lost_sound_moves_the_clock() {
        let opened = Instant::now();
        let mut track = Track::new(16_000, opened);
        track.push(&[0.0; 1_600], opened + ms(100));
        track.push(&[0.0; 1_600], opened + ms(1_200));
        assert_eq!(track.position(opened + ms(1_200)), 3_200);
    }

    #[test]
    fn a_ring_keeps_its_last_part_and_its_positions() {
        let opened = Instant::now();
        let mut track = Track::new(1_000, opened);
        for at in 0..20u64 {
            let chunk: Vec<f32> = (0..100).map(|step| (at * 100 + step) as f32).collect();
            track.push(&chunk, opened + ms((at + 1) * 100));
            track.keep_last(ms(500));
        }
        assert_eq!((track.start(), track.end()), (1_500, 2_000));
        assert_eq!(track.copy(1_700, 1_703), [1_700.0, 1_701.0, 1_702.0]);
        assert_eq!(track.copy(0, 1_502), [1_500.0, 1_501.0]);
        assert!(track.copy(2_000, 9_000).is_empty());
    }
}
