//! What goes into the recorder's core, and what comes out.

use std::time::Duration;

use crate::model::Problem;
use crate::voice::VoiceEvent;

/// What happens to the recorder.
#[derive(Debug)]
pub enum Input {
    /// Begin a clip.
    Press,
    /// Begin a clip that ends by itself when nobody speaks any more.
    Start,
    /// End it.
    Release,
    /// Drop it.
    Cancel,
    /// From now on, or no longer, make a clip of whatever somebody says.
    Listen(bool),
    /// Another microphone is wanted.
    Changed,
    /// Close the microphone and drop what is being recorded.
    Close,
    /// The microphone of this generation is open.
    Opened {
        /// Which opening.
        generation: u64,
        /// Samples a second.
        rate: u32,
        /// Its name.
        device: String,
    },
    /// Samples from it.
    Samples {
        /// Which opening.
        generation: u64,
        /// One channel.
        samples: Vec<f32>,
    },
    /// It could not be opened, or is gone.
    Lost {
        /// Which opening.
        generation: u64,
        /// Why.
        problem: Problem,
    },
    /// The system's default microphone is another one now.
    DefaultChanged {
        /// Which opening.
        generation: u64,
    },
    /// The deadline has come.
    Tick,
}

/// What the recorder has to do.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// Open the microphone in the background.
    Open {
        /// Which opening this is; what comes from others is stale.
        generation: u64,
    },
    /// Close it.
    Close,
    /// Tell.
    Event(VoiceEvent),
    /// Judge and save a clip, then tell.
    Finish(Clip),
}

/// The sound of a finished take.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// Its pieces in order, each with its rate; more than one if the microphone was lost in between.
    pub pieces: Vec<(u32, Vec<f32>)>,
    /// How long the key was held.
    pub hold: Duration,
    /// The microphone.
    pub device: String,
    /// True when nobody asked for it: it was said while the recorder listened.
    pub overheard: bool,
}
