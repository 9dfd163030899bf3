//! All microphones at once, with their levels: for a person who looks for the right one.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::core::Input;
use super::level::Meter;
use super::mic::{self, Mic, MicInfo};
use crate::model::Problem;

/// More are listed, but not opened.
const MOST: usize = 12;

/// From one picture of the levels to the next.
const EVERY: Duration = Duration::from_millis(120);

/// A microphone, and how loud it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// The microphone.
    pub info: MicInfo,
    /// The largest sample since the last picture, in dB of full scale; `None` before the first one.
    pub peak_db: Option<f32>,
    /// Why it cannot be heard.
    pub trouble: Option<Problem>,
}

/// Opens all microphones and tells `show` about eight times a second how loud they are, until it returns false.
/// Blocks.
///
/// # Errors
/// When the audio system cannot be reached.
pub fn watch(mut show: impl FnMut(&[Heard]) -> bool) -> Result<(), Problem> {
    let mut heard: Vec<Heard> = mic::list()?
        .into_iter()
        .map(|info| Heard {
            info,
            peak_db: None,
            trouble: None,
        })
        .collect();
    if !show(&heard) {
        return Ok(());
    }
    let (sender, inbox) = mpsc::channel();
    let open = |(place, heard): (usize, &Heard)| {
        let sender = sender.clone();
        let id = heard.info.id.clone();
        mic::open(place as u64, Some(id), move |input| {
            let _ = sender.send(input);
        })
    };
    let _mics: Vec<Mic> = heard.iter().enumerate().take(MOST).map(open).collect();
    let mut meters = vec![(Meter::default(), None::<f32>); heard.len()];
    let mut due = Instant::now() + EVERY;
    loop {
        match inbox.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(Input::Samples {
                generation,
                samples,
            }) => {
                if let Some((meter, peak)) = meters.get_mut(generation as usize)
                    && let Some((_, now)) = meter.add(&samples, 1)
                {
                    *peak = Some(peak.map_or(now, |peak| peak.max(now)));
                }
            }
            Ok(Input::Lost {
                generation,
                problem,
            }) => {
                if let Some(heard) = heard.get_mut(generation as usize) {
                    heard.trouble = Some(problem);
                }
            }
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        if Instant::now() < due {
            continue;
        }
        due = Instant::now() + EVERY;
        for (heard, (_, peak)) in heard.iter_mut().zip(&mut meters) {
            heard.peak_db = peak.take().or(heard.peak_db);
        }
        if !show(&heard) {
            return Ok(());
        }
    }
}
