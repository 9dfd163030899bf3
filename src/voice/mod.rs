//! The microphone: capture, pre-roll, level, voice activity, resampling, WAV files.
//!
//! The one format that leaves this room is sound at [`RATE`], one channel, −1 to 1. What recognises words in it
//! lives in `speech`; what draws the level lives in the cockpit.
//!
//! ```text
//! press, release ──► recorder (a thread) ──► core (pure: when to open, what belongs to the clip)
//!                        ▲      │                      │
//!            samples, loss      └──► events            └──► finish: gate, WAV, the last N kept
//!                        │
//!                       mic (a thread of its own, as opening may block for seconds)
//! ```

mod core;
pub mod diagnose;
mod ear;
mod finish;
pub mod gate;
pub mod level;
mod mic;
pub mod monitor;
pub mod probe;
mod recorder;
pub mod resample;
pub mod shelf;
pub mod sounds;
pub mod speaker;
#[cfg(unix)]
pub mod stderr;
mod track;
pub mod wav;

use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use gate::Activity;
pub use level::Level;
pub use mic::{MicInfo, list as microphones};
pub use recorder::{Events, Recorder};

use crate::model::Problem;

/// Samples a second of all sound that leaves this room.
pub const RATE: u32 = 16_000;

/// Seconds that `samples` at [`RATE`] last.
pub fn seconds(samples: usize) -> f64 {
    samples as f64 / f64::from(RATE)
}

/// How to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceOptions {
    /// The microphone: its id or a part of its name; `None` follows the system's default.
    pub device: Option<String>,
    /// The folder for recordings.
    pub recordings: PathBuf,
    /// How many recordings are kept.
    pub keep: usize,
    /// Days after which a recording is removed; 0 for never.
    pub keep_days: u32,
    /// True when sounds are played: they are taken out of clips again.
    pub sounds: bool,
    /// How much from before the press belongs to a clip. 150 ms lost at the front lose every command.
    pub before: Duration,
    /// How much from after the release belongs to a clip.
    pub after: Duration,
    /// The longest clip.
    pub limit: Duration,
    /// How long nobody must speak for a clip to end that ends by itself ([`Recorder::start`]).
    pub silence: Duration,
    /// How long the microphone stays open after a clip; zero closes it at once.
    pub warm: Duration,
}

impl VoiceOptions {
    /// The measured defaults, with recordings in `recordings`.
    pub fn new(recordings: impl Into<PathBuf>) -> Self {
        Self {
            device: None,
            recordings: recordings.into(),
            keep: 20,
            keep_days: 0,
            sounds: false,
            before: Duration::from_millis(300),
            after: Duration::from_millis(250),
            limit: Duration::from_secs(30),
            silence: Duration::from_millis(1_200),
            warm: Duration::from_secs(60),
        }
    }
}

/// What a [`Recorder`] tells.
#[derive(Clone, Debug, PartialEq)]
pub enum VoiceEvent {
    /// A clip was begun, but the microphone is not open yet: nothing is being recorded.
    Opening,
    /// The microphone is open (and may record nothing: it is kept warm).
    Opened {
        /// Its name.
        device: String,
        /// From the order to open it to its first readiness.
        took: Duration,
    },
    /// Samples of the clip are arriving.
    Recording {
        /// When the clip's key was pressed, or the first sample arrived if that was later.
        since: Instant,
    },
    /// How loud it is, about fifteen times a second while recording.
    Level(Level),
    /// A second of exact zeros: the microphone is muted, or this program may not hear it.
    Muted,
    /// The microphone was lost in the middle of a clip; what was recorded is kept, and it is being opened again.
    Interrupted(Problem),
    /// The longest clip was reached; it ends here.
    Limit,
    /// A clip with speech in it.
    Clip {
        /// The WAV file.
        path: PathBuf,
        /// Its length.
        seconds: f64,
        /// Seconds of speech in it.
        speech: f64,
    },
    /// What somebody said while the recorder was told to listen ([`Recorder::listen`]). It is not kept.
    Overheard {
        /// The sound at [`RATE`], one channel; empty when it was no speech after all.
        sound: Vec<f32>,
    },
    /// A clip in which nobody speaks.
    NoSpeech {
        /// Its length.
        seconds: f64,
    },
    /// The key was only tapped.
    TooShort,
    /// The clip was dropped as asked.
    Canceled,
    /// There is no clip, and why.
    Failed(Problem),
    /// The microphone was closed.
    Closed,
}
