//! The microphone: capture, pre-roll, level, voice activity, resampling, WAV files.
//!
//! The one format that leaves this room is sound at [`RATE`], one channel, −1 to 1. What recognises
//! words in it lives in `speech`; what draws the level lives in the cockpit.

pub mod gate;
pub mod resample;
pub mod wav;

pub use gate::Activity;

/// Samples a second of all sound that leaves this room.
pub const RATE: u32 = 16_000;

/// Seconds that `samples` at [`RATE`] last.
pub fn seconds(samples: usize) -> f64 {
    samples as f64 / f64::from(RATE)
}
