//! A clip in the making.

use std::time::{Duration, Instant};

use crate::voice::ear::Ear;
use crate::voice::level::{Level, Meter};
use crate::voice::track::Track;
use crate::voice::{VoiceEvent, VoiceOptions};

/// Levels a second.
const LEVELS: u32 = 15;

/// What is left of the silence that ends a clip by itself.
const REST: Duration = Duration::from_millis(400);

/// How long a clip that ends by itself waits for the first word.
const PATIENCE: Duration = Duration::from_secs(8);

/// A clip in the making.
pub struct Take {
    pub pressed: Instant,
    pub released: Option<Instant>,
    /// What earlier microphones of this take recorded, each with its rate.
    pub pieces: Vec<(u32, Vec<f32>)>,
    /// First sample in the current track.
    pub from: u64,
    /// End in the current track, once released.
    pub until: Option<u64>,
    pub recording: bool,
    /// Since when there has been no microphone, and when to try next.
    pub lost: Option<(Instant, Instant)>,
    /// Of the current microphone; only in a take that ends by itself.
    pub ear: Option<Ear>,
    /// True when nobody asked for it: somebody spoke while the recorder listened.
    pub overheard: bool,
    by_itself: bool,
    /// Samples so far that were exactly zero, until the first that was not.
    zeros: Option<u64>,
    meter: Meter,
}

impl Take {
    /// A take that begins now.
    pub fn new(now: Instant, by_itself: bool) -> Self {
        Self {
            pressed: now,
            released: None,
            pieces: Vec::new(),
            from: 0,
            until: None,
            recording: false,
            lost: None,
            ear: None,
            overheard: false,
            by_itself,
            zeros: Some(0),
            meter: Meter::default(),
        }
    }

    /// Takes in `samples`, which are already in `track`, and ends the take if it is long enough.
    pub fn hear(
        &mut self,
        samples: &[f32],
        track: &Track,
        options: &VoiceOptions,
        now: Instant,
    ) -> Vec<VoiceEvent> {
        let mut events = Vec::new();
        if !self.recording {
            self.recording = true;
            if self.pieces.is_empty() {
                events.push(VoiceEvent::Recording { since: now });
            }
        }
        let before: f64 = self
            .pieces
            .iter()
            .map(|(rate, piece)| piece.len() as f64 / f64::from(*rate))
            .sum();
        let here = track.end().saturating_sub(self.from) as f64 / f64::from(track.rate());
        let elapsed = Duration::from_secs_f64(before + here);
        let moment = (track.rate() / LEVELS) as usize;
        if let Some((rms_db, peak_db)) = self.meter.add(samples, moment) {
            events.push(VoiceEvent::Level(Level {
                rms_db,
                peak_db,
                elapsed,
            }));
        }
        events.extend(self.count_zeros(samples, track.rate()));
        if self.released.is_some() {
            return events;
        }
        if elapsed >= options.limit + options.before {
            self.end(now, track.end());
            events.push(VoiceEvent::Limit);
        } else if self.by_itself {
            let rate = track.rate();
            let ear = self.ear.get_or_insert_with(|| Ear::new(rate));
            ear.hear(samples);
            let (spoke, quiet) = (ear.spoke(), ear.quiet());
            if quiet >= if spoke { options.silence } else { PATIENCE } {
                let surplus = track.count(quiet.saturating_sub(REST.max(options.after)));
                self.end(
                    now,
                    track.end().saturating_sub(if spoke { surplus } else { 0 }),
                );
            }
        }
        events
    }

    fn end(&mut self, now: Instant, until: u64) {
        self.released = Some(now);
        self.until = Some(until);
    }

    fn count_zeros(&mut self, samples: &[f32], rate: u32) -> Option<VoiceEvent> {
        let zeros = self.zeros?;
        if samples.iter().any(|&sample| sample != 0.0) {
            self.zeros = None;
            return None;
        }
        let more = zeros + samples.len() as u64;
        self.zeros = Some(more);
        (zeros < u64::from(rate) && more >= u64::from(rate)).then_some(VoiceEvent::Muted)
    }
}
