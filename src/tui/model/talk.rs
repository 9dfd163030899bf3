//! Push-to-talk: by holding a key where the terminal reports its release, else by pressing it twice.

use std::collections::VecDeque;
use std::time::Duration;

use super::Moment;
use crate::config::TalkMode;
use crate::tui::keys::Code;

/// Levels kept for the meter.
const LEVELS: usize = 48;
/// Least time between two pictures of the meter.
const METER: Duration = Duration::from_millis(90);

/// How a recording is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TalkBy {
    /// By letting go.
    Hold,
    /// By another press.
    Toggle,
}

/// How far a recording is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// None runs.
    #[default]
    Idle,
    /// The key is down; no sound arrives yet.
    Opening,
    /// Sound arrives.
    Recording,
    /// The key is up; the recording is being finished.
    Finishing,
}

/// The state of push-to-talk.
#[derive(Clone, Debug, PartialEq)]
pub struct Talk {
    /// How a recording is ended.
    pub by: TalkBy,
    /// True while nobody decided on hold or toggle and the terminal may still show that it reports releases.
    pub undecided: bool,
    /// How far the recording is.
    pub phase: Phase,
    /// The key that is held, so far as is known.
    pub held: Option<Code>,
    /// Length so far.
    pub elapsed: Duration,
    /// Mean levels in dB below full scale, oldest first.
    pub levels: VecDeque<f32>,
    /// Peak level in dB below full scale.
    pub peak: f32,
    /// True while the device is open.
    pub open: bool,
    /// When the device is taken as closed, if nothing says so before.
    pub open_until: Option<Moment>,
    metered: Option<Moment>,
}

impl Talk {
    /// No recording; hold or toggle as configured. Until the terminal is known, `Auto` means toggle.
    pub fn new(mode: TalkMode) -> Self {
        Self {
            by: match mode {
                TalkMode::Hold => TalkBy::Hold,
                TalkMode::Auto | TalkMode::Toggle => TalkBy::Toggle,
            },
            undecided: mode == TalkMode::Auto,
            phase: Phase::Idle,
            held: None,
            elapsed: Duration::ZERO,
            levels: VecDeque::new(),
            peak: f32::NEG_INFINITY,
            open: false,
            open_until: None,
            metered: None,
        }
    }

    /// True while the key's next meaning is to end a recording.
    pub fn active(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Recording)
    }

    /// Releases are reported, or not: decides what `Auto` means.
    pub fn releases_reported(&mut self, reported: bool) {
        if self.undecided && reported {
            self.by = TalkBy::Hold;
            self.undecided = false;
        }
    }

    /// A recording begins with the key `held`.
    pub fn begin(&mut self, held: Code) {
        self.phase = Phase::Opening;
        self.held = Some(held);
        self.elapsed = Duration::ZERO;
        self.levels.clear();
        self.peak = f32::NEG_INFINITY;
        self.metered = None;
    }

    /// No recording runs any more.
    pub fn end(&mut self) {
        self.phase = Phase::Idle;
        self.held = None;
    }

    /// Notes a level; true when the meter is due to be drawn.
    pub fn level(&mut self, now: Moment, rms: f32, peak: f32, elapsed: Duration) -> bool {
        if self.levels.len() == LEVELS {
            self.levels.pop_front();
        }
        self.levels.push_back(rms);
        self.peak = peak;
        self.elapsed = elapsed;
        let due = self
            .metered
            .is_none_or(|last| now.saturating_sub(last) >= METER);
        if due {
            self.metered = Some(now);
        }
        due
    }

    /// The newest level in words, for those who see no bars move.
    pub fn loudness(&self) -> &'static str {
        match self.levels.back() {
            None => "no sound yet",
            Some(level) if *level < -55.0 => "very quiet",
            Some(_) if self.peak > -1.0 => "too loud",
            Some(level) if *level < -40.0 => "quiet",
            Some(_) => "good level",
        }
    }
}
