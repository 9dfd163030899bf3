//! Measures the microphone of this machine: what `sayso doctor` tells about it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::core::Input;
use super::level::{self, Meter};
use super::{diagnose, mic};
use crate::model::Problem;

/// How long to wait for the first sample.
const PATIENCE: Duration = Duration::from_secs(6);

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// The microphone's name.
    pub device: String,
    /// Samples a second.
    pub rate: u32,
    /// From the order to open it to its first sample: what a cold press loses.
    pub cold: Duration,
    /// The longest pause between two deliveries: what a warm press waits for at most.
    pub pause: Duration,
    /// The loudest sample, in dB of full scale.
    pub peak_db: f32,
    /// True when every sample was exactly zero: muted or not allowed.
    pub muted: bool,
}

/// Opens the microphone (see [`VoiceOptions::device`](super::VoiceOptions)), listens for `time` and closes it. Blocks.
///
/// # Errors
/// When there is no microphone, it may not be used, is busy, or sends nothing.
pub fn probe(device: Option<String>, time: Duration) -> Result<Probe, Problem> {
    let (sender, inbox) = mpsc::channel();
    let ordered = Instant::now();
    let _mic = mic::open(0, device, move |input| {
        let _ = sender.send((input, Instant::now()));
    });
    let mut result = Probe {
        device: "the microphone".to_owned(),
        rate: 0,
        cold: Duration::ZERO,
        pause: Duration::ZERO,
        peak_db: level::SILENCE,
        muted: true,
    };
    let mut heard: Option<(Instant, Instant)> = None;
    loop {
        let end = heard.map_or(ordered + PATIENCE, |(first, last)| {
            (first + time).min(last + PATIENCE)
        });
        let left = end.saturating_duration_since(Instant::now());
        let (input, at) = match inbox.recv_timeout(left) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout)
                if heard.is_some_and(|(first, _)| first.elapsed() >= time) =>
            {
                return Ok(result);
            }
            Err(_) => return Err(diagnose::stuck(&result.device, PATIENCE)),
        };
        match input {
            Input::Opened { rate, device, .. } => (result.rate, result.device) = (rate, device),
            Input::Lost { problem, .. } => return Err(problem),
            Input::Samples { samples, .. } => {
                result.muted &= samples.iter().all(|&sample| sample == 0.0);
                if let Some((_, peak)) = Meter::default().add(&samples, 1) {
                    result.peak_db = result.peak_db.max(peak);
                }
                let first = match heard {
                    Some((first, last)) => {
                        result.pause = result.pause.max(at.saturating_duration_since(last));
                        first
                    }
                    None => {
                        result.cold = at.saturating_duration_since(ordered);
                        at
                    }
                };
                heard = Some((first, at));
                if at.saturating_duration_since(first) >= time {
                    return Ok(result);
                }
            }
            _ => {}
        }
    }
}
