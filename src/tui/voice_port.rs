//! The microphone as the cockpit sees it. The room that records is adapted to this port, so that the cockpit's tests
//! need no sound hardware.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::Problem;

/// A microphone. The calls return at once; what comes of them is told by [`MicEvent`]s.
pub trait Microphone: Send {
    /// Begins a recording, opening the device if it is closed.
    fn press(&mut self);
    /// Ends the recording; a [`MicEvent::Clip`], `NoSpeech`, `TooShort` or `Failed` follows.
    fn release(&mut self);
    /// Throws the recording away; nothing follows.
    fn cancel(&mut self);
}

/// What a microphone tells.
#[derive(Clone, Debug, PartialEq)]
pub enum MicEvent {
    /// The device is being opened.
    Opening,
    /// Samples arrive.
    Recording,
    /// How loud it is.
    Level {
        /// Mean level in dB below full scale (0 is the loudest).
        rms_db: f32,
        /// Peak level in dB below full scale.
        peak_db: f32,
        /// Since the recording began.
        elapsed: Duration,
    },
    /// The longest length was reached; the recording ends by itself.
    Limit,
    /// A recording is ready.
    Clip {
        /// The WAV file.
        path: PathBuf,
        /// Its length.
        seconds: f32,
        /// How much of it is speech, in seconds.
        speech: f32,
    },
    /// Nothing was said.
    NoSpeech,
    /// It was too short to hold a word.
    TooShort,
    /// The device was closed after a while without use.
    Closed,
    /// It did not work.
    Failed(Problem),
}
