//! What the recorder does, without a microphone: commands, samples and time in; orders and events out.
//!
//! A *take* is a clip in the making. It begins with a press and ends with the release and what is spoken in the
//! short time after it; the limit and a lost microphone end it too. What was recorded is never thrown away because
//! something broke.

mod message;
mod take;
mod time;

use std::time::{Duration, Instant};

pub use message::{Clip, Input, Output};
use take::Take;
use time::stall;

use super::ear::Ear;
use super::track::Track;
use super::{VoiceEvent, VoiceOptions, diagnose};
use crate::model::Problem;

/// What is kept of the past while nobody records.
const RING: Duration = Duration::from_millis(500);

/// How long opening may take before it is given up.
const OPENING: Duration = Duration::from_secs(8);

/// Between two attempts to open a microphone that was lost in the middle of a take.
const RETRY: Duration = Duration::from_millis(250);

/// How long to try.
const RETRYING: Duration = Duration::from_secs(6);

/// What is kept of the past while listening: the detector reports speech up to 400 ms after its onset.
const LISTENING_RING: Duration = Duration::from_millis(1_200);

/// A microphone that is listened to and was lost is opened again after this.
const LISTENING_RETRY: Duration = Duration::from_secs(3);

/// After so much quiet an ear is replaced: how loud it was long ago must not make it deaf.
const FORGET: Duration = Duration::from_secs(20);

/// A hold shorter than this is a slip of the finger, not a wish to speak.
pub const TAP: Duration = Duration::from_millis(300);

enum Mic {
    Closed,
    Opening { since: Instant },
    Open { since: Instant, ordered: Instant },
}

/// The recorder's mind.
pub struct Core {
    options: VoiceOptions,
    generation: u64,
    mic: Mic,
    device: String,
    track: Option<Track>,
    take: Option<Take>,
    /// Where the last clip ended in the current track: its end is not the next one's beginning.
    last_end: u64,
    idle_since: Instant,
    stale: bool,
    listening: bool,
    /// Of the current microphone, while listening and nobody speaks.
    ear: Option<Ear>,
    out: Vec<Output>,
}

impl Core {
    /// A recorder with its microphone closed.
    pub fn new(options: VoiceOptions, now: Instant) -> Self {
        Self {
            options,
            generation: 0,
            mic: Mic::Closed,
            device: "the microphone".to_owned(),
            track: None,
            take: None,
            last_end: 0,
            idle_since: now,
            stale: false,
            listening: false,
            ear: None,
            out: Vec::new(),
        }
    }

    /// Takes in what happened at `now` and returns what to do.
    pub fn handle(&mut self, input: Input, now: Instant) -> Vec<Output> {
        match input {
            Input::Press => self.press(now, false),
            Input::Start => self.press(now, true),
            Input::Release => self.release(now),
            Input::Cancel => self.cancel(now),
            Input::Listen(on) => self.listen(on, now),
            Input::Changed => self.stale = true,
            Input::Close => {
                self.listening = false;
                self.cancel(now);
                self.close();
            }
            Input::Opened {
                generation,
                rate,
                device,
            } if generation == self.generation => {
                self.opened(rate, device, now);
            }
            Input::Samples {
                generation,
                samples,
            } if generation == self.generation => self.samples(&samples, now),
            Input::Lost {
                generation,
                problem,
            } if generation == self.generation => self.lost(problem, now),
            Input::DefaultChanged { generation } if generation == self.generation => {
                self.stale = true
            }
            // From an opening that was given up.
            Input::Opened { .. }
            | Input::Samples { .. }
            | Input::Lost { .. }
            | Input::DefaultChanged { .. } => {}
            Input::Tick => {}
        }
        self.tick(now);
        std::mem::take(&mut self.out)
    }

    /// What the take has recorded so far, for a look while it is being spoken.
    pub fn so_far(&self) -> Option<Clip> {
        let mine = |take: &&Take| take.recording && !take.overheard;
        let take = self.take.as_ref().filter(mine)?;
        let mut pieces = take.pieces.clone();
        if let Some(track) = &self.track {
            pieces.push((track.rate(), track.copy(take.from, track.end())));
        }
        Some(Clip {
            pieces,
            hold: take.pressed.elapsed(),
            device: self.device.clone(),
            overheard: take.overheard,
        })
    }

    fn event(&mut self, event: VoiceEvent) {
        self.out.push(Output::Event(event));
    }

    fn press(&mut self, now: Instant, by_itself: bool) {
        // Whoever is called by the phrase that wakes may be answered in the middle of what follows it.
        let mut spoken = None;
        match &self.take {
            Some(take) if take.overheard => {
                spoken = by_itself.then_some(take.from);
                self.take = None;
            }
            // A repeating key.
            Some(take) if take.released.is_none() => return,
            Some(_) => self.finish(now),
            None => {}
        }
        if self.stale {
            self.close();
        }
        let mut take = Take::new(now, by_itself);
        match (&self.mic, &self.track) {
            (Mic::Open { .. }, Some(track)) => {
                let wanted = track
                    .position(now)
                    .saturating_sub(track.count(self.options.before));
                take.from = spoken.unwrap_or(wanted);
                take.from = take.from.max(track.start()).max(self.last_end);
                take.recording = track
                    .heard()
                    .is_some_and(|heard| now.duration_since(heard) < stall(track));
            }
            (Mic::Closed, _) => self.open(now),
            _ => {}
        }
        let recording = take.recording;
        self.take = Some(take);
        self.event(if recording {
            VoiceEvent::Recording { since: now }
        } else {
            VoiceEvent::Opening
        });
    }

    fn release(&mut self, now: Instant) {
        let after = self.options.after;
        let Some(take) = &mut self.take else { return };
        if take.released.is_some() || take.overheard {
            return;
        }
        take.released = Some(now);
        let hold = now.duration_since(take.pressed);
        let nothing = !take.recording && take.pieces.is_empty();
        if nothing {
            self.take = None;
            self.idle_since = now;
            self.event(if hold < TAP {
                VoiceEvent::TooShort
            } else {
                VoiceEvent::Failed(diagnose::slow(hold))
            });
            return;
        }
        match &self.track {
            Some(track) if take.recording => {
                take.until = Some(track.position(now) + track.count(after))
            }
            _ => self.finish(now),
        }
    }

    fn cancel(&mut self, now: Instant) {
        if self.take.take_if(|take| !take.overheard).is_some() {
            self.idle_since = now;
            self.event(VoiceEvent::Canceled);
        }
    }

    fn listen(&mut self, on: bool, now: Instant) {
        self.listening = on;
        self.ear = None;
        if !on {
            self.take.take_if(|take| take.overheard);
            self.idle_since = now;
        } else if matches!(self.mic, Mic::Closed) && self.take.is_none() {
            self.open(now);
        }
    }

    fn open(&mut self, now: Instant) {
        self.ear = None;
        self.generation += 1;
        self.mic = Mic::Opening { since: now };
        self.track = None;
        self.last_end = 0;
        self.stale = false;
        self.out.push(Output::Open {
            generation: self.generation,
        });
    }

    fn close(&mut self) {
        if matches!(self.mic, Mic::Closed) {
            return;
        }
        self.generation += 1;
        self.mic = Mic::Closed;
        self.track = None;
        self.last_end = 0;
        self.stale = false;
        self.out.push(Output::Close);
        self.event(VoiceEvent::Closed);
    }

    fn opened(&mut self, rate: u32, device: String, now: Instant) {
        let ordered = match self.mic {
            Mic::Opening { since } => since,
            _ => now,
        };
        self.mic = Mic::Open {
            since: now,
            ordered,
        };
        self.track = Some(Track::new(rate, now));
        self.device = device;
        match &mut self.take {
            Some(take) => take.lost = None,
            None => self.idle_since = now,
        }
    }

    fn samples(&mut self, samples: &[f32], now: Instant) {
        let Some(track) = &mut self.track else { return };
        // Open is what delivers: some only begin seconds after they say they did.
        if let (None, Mic::Open { ordered, .. }) = (track.heard(), &self.mic) {
            let took = now.duration_since(*ordered);
            self.out.push(Output::Event(VoiceEvent::Opened {
                device: self.device.clone(),
                took,
            }));
        }
        track.push(samples, now);
        let Some(take) = &mut self.take else {
            if !self.listening {
                track.keep_last(RING.max(self.options.before));
                return;
            }
            track.keep_last(LISTENING_RING);
            let rate = track.rate();
            let ear = self.ear.get_or_insert_with(|| Ear::new(rate));
            ear.hear(samples);
            if ear.quiet() > FORGET {
                self.ear = None;
            } else if ear.spoke() {
                let mut take = Take::new(now, true);
                take.from = track.start().max(self.last_end);
                take.recording = true;
                take.overheard = true;
                take.ear = self.ear.take();
                self.take = Some(take);
            }
            return;
        };
        if take.overheard {
            // Nobody asked for it, so nobody is told how loud it is.
            take.hear(samples, track, &self.options, now);
            if take.until.is_some_and(|until| track.end() >= until) {
                self.finish(now);
            }
            return;
        }
        for event in take.hear(samples, track, &self.options, now) {
            self.out.push(Output::Event(event));
        }
        if take.until.is_some_and(|until| track.end() >= until) {
            self.finish(now);
        }
    }

    fn lost(&mut self, problem: Problem, now: Instant) {
        let was_open = match self.mic {
            Mic::Open { since, .. } => Some(since),
            _ => None,
        };
        self.generation += 1;
        self.mic = Mic::Closed;
        let track = self.track.take();
        self.last_end = 0;
        self.out.push(Output::Close);
        if track.as_ref().is_some_and(|track| track.heard().is_some()) {
            self.event(VoiceEvent::Closed);
        }
        self.take.take_if(|take| take.overheard);
        let Some(take) = &mut self.take else {
            self.idle_since = now;
            return;
        };
        if let Some(track) = track {
            let until = take.until.unwrap_or(u64::MAX);
            let piece = track.copy(take.from, until);
            if !piece.is_empty() {
                take.pieces.push((track.rate(), piece));
            }
        }
        take.from = 0;
        take.until = None;
        take.recording = false;
        take.ear = None;
        if take.released.is_some() {
            self.finish(now);
        } else if take.pieces.is_empty() && was_open.is_some_and(|since| since < take.pressed) {
            // A warm one that died in its sleep: it gets a second chance while the key is held.
            self.open(now);
        } else if take.pieces.is_empty() {
            self.take = None;
            self.idle_since = now;
            self.event(VoiceEvent::Failed(problem));
        } else {
            let since = match take.lost {
                Some((since, _)) => since,
                None => {
                    self.out
                        .push(Output::Event(VoiceEvent::Interrupted(problem)));
                    now
                }
            };
            take.lost = Some((since, now + RETRY));
            if now.duration_since(since) >= RETRYING {
                self.finish(now);
            }
        }
    }

    /// Ends the take with what there is.
    fn finish(&mut self, now: Instant) {
        let Some(mut take) = self.take.take() else {
            return;
        };
        if let Some(track) = &mut self.track
            && take.recording
        {
            let until = take.until.unwrap_or(u64::MAX).min(track.end());
            take.pieces
                .push((track.rate(), track.copy(take.from, until)));
            self.last_end = until;
            track.keep_last(RING.max(self.options.before));
        }
        self.idle_since = now;
        let hold = take.released.unwrap_or(now).duration_since(take.pressed);
        self.out.push(Output::Finish(Clip {
            pieces: take.pieces,
            hold,
            device: self.device.clone(),
            overheard: take.overheard,
        }));
    }
}

#[cfg(test)]
mod tests;
