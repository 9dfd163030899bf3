//! The microphone as the cockpit sees it. The room that records is adapted to this port, so that the cockpit's tests
//! need no sound hardware.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::Problem;

/// A microphone and what belongs to it. The calls return at once; what comes of them is told by [`MicEvent`]s. Only
/// the first three are needed; what is not done otherwise does nothing.
pub trait Microphone: Send {
    /// Begins a recording, opening the device if it is closed.
    fn press(&mut self);
    /// Ends the recording; a [`MicEvent::Clip`], `NoSpeech`, `TooShort` or `Failed` follows.
    fn release(&mut self);
    /// Throws the recording away; nothing follows.
    fn cancel(&mut self);
    /// Begins a recording that ends by itself when nobody speaks any more.
    fn start(&mut self) {
        self.press();
    }
    /// Reads a recording for the person alone: a [`MicEvent::Words`] follows.
    fn dictate(&mut self, _clip: PathBuf) {}
    /// Plays a recording; once more ends it.
    fn replay(&mut self, _clip: PathBuf) {}
    /// Plays a short sound.
    fn sound(&mut self, _sound: Sound) {}
    /// Begins or ends to tell [`MicEvent::Devices`].
    fn watch_devices(&mut self, _on: bool) {}
    /// Records from the device of this id from now on; `None`: from the system's default.
    fn choose(&mut self, _id: Option<String>) {}
}

/// A short sound, for those who do not look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// A recording begins.
    Start,
    /// A recording has ended.
    Stop,
    /// What was asked for is done.
    Done,
    /// It failed.
    Error,
}

/// A microphone that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What to choose it by; `None` for whatever the system's default is.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// True for the one that is chosen.
    pub chosen: bool,
    /// How loud it is just now in dB of full scale, once it delivers.
    pub level: Option<i16>,
    /// Why it cannot be heard.
    pub trouble: Option<String>,
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
    /// What was said so far, as far as can be told while it is being said.
    Partial(String),
    /// The device delivers nothing but zeros.
    Muted,
    /// The device was lost in the middle of a recording; what was recorded is kept, and it is looked for.
    Interrupted(Problem),
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
    /// What a recording says, for the text that is being written.
    Words(Result<String, Problem>),
    /// Nothing was said.
    NoSpeech,
    /// It was too short to hold a word.
    TooShort,
    /// The device was closed after a while without use.
    Closed,
    /// The microphones there are, with the system's default first.
    Devices(Vec<Device>),
    /// The phrase that wakes is listened for, or not any more.
    Listening(bool),
    /// The phrase was heard, and nothing after it: an instruction follows.
    Woken,
    /// The phrase was heard with an instruction after it, which is this recording.
    Overheard(PathBuf),
    /// Something to say.
    Told(String),
    /// It did not work.
    Failed(Problem),
}
