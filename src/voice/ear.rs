//! Hears while somebody speaks whether they have finished: for clips that end by themselves.

use std::time::Duration;

use earshot::Detector;

use super::RATE;
use super::gate::{FRAME, RUN, VOICED};

/// The loudness that the detector likes.
const PEAK: f32 = 0.9;

/// No scaling beyond this: a quiet room stays quiet.
const LOUDEST_GAIN: f32 = 30.0;

/// A detector that is fed as sound arrives.
pub struct Ear {
    detector: Box<Detector>,
    /// Samples of the source for one at 16 kHz.
    step: f64,
    /// Where the next sample at 16 kHz lies after the last one of the source.
    place: f64,
    last: f32,
    frame: Vec<f32>,
    peak: f32,
    run: usize,
    spoke: bool,
    /// Frames since the last voiced one, or since the beginning.
    quiet: u32,
}

impl Ear {
    /// An ear for sound at `rate`.
    pub fn new(rate: u32) -> Self {
        Self {
            detector: Box::new(Detector::default()),
            step: f64::from(rate) / f64::from(RATE),
            place: 0.0,
            last: 0.0,
            frame: Vec::with_capacity(FRAME),
            peak: 1.0 / LOUDEST_GAIN,
            run: 0,
            spoke: false,
            quiet: 0,
        }
    }

    /// Listens on.
    pub fn hear(&mut self, samples: &[f32]) {
        for &sample in samples {
            self.peak = self.peak.max(sample.abs());
            // Straight lines between samples: too coarse for words, enough for whether there are any.
            while self.place < 1.0 {
                let value = self.last + (sample - self.last) * self.place as f32;
                self.frame.push(value);
                self.place += self.step;
                if self.frame.len() == FRAME {
                    self.judge();
                }
            }
            self.place -= 1.0;
            self.last = sample;
        }
    }

    fn judge(&mut self) {
        let gain = PEAK / self.peak;
        for sample in &mut self.frame {
            *sample = (*sample * gain).clamp(-1.0, 1.0);
        }
        if self.detector.predict_f32(&self.frame) > VOICED {
            self.run += 1;
        } else {
            self.run = 0;
        }
        self.spoke |= self.run >= RUN;
        self.quiet = if self.run > 0 { 0 } else { self.quiet + 1 };
        self.frame.clear();
    }

    /// True once somebody spoke.
    pub fn spoke(&self) -> bool {
        self.spoke
    }

    /// How long nobody has spoken.
    pub fn quiet(&self) -> Duration {
        Duration::from_secs(1) * self.quiet * FRAME as u32 / RATE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::wav;

    #[test]
    fn speech_and_the_silence_after_it_are_heard_at_any_rate() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/voice/demo.wav");
        let said = wav::read(file.as_ref()).unwrap();
        for times in [1, 3] {
            let mut ear = Ear::new(RATE * times);
            let sound: Vec<f32> = said
                .iter()
                .flat_map(|&sample| std::iter::repeat_n(sample, times as usize))
                .collect();
            let (mut spoke_at, mut longest) = (None, Duration::ZERO);
            for (at, chunk) in sound.chunks(320 * times as usize).enumerate() {
                ear.hear(chunk);
                if ear.spoke() {
                    spoke_at.get_or_insert(at);
                    longest = longest.max(ear.quiet());
                }
            }
            assert!(
                spoke_at.is_some_and(|at| (15..50).contains(&at)),
                "{spoke_at:?}"
            );
            assert!(
                longest < Duration::from_millis(700),
                "a pause within the sentence: {longest:?}"
            );
            let before = ear.quiet();
            ear.hear(&vec![0.0; (RATE * times) as usize]);
            assert!(
                ear.quiet() - before > Duration::from_millis(950),
                "{:?}",
                ear.quiet()
            );
        }
    }

    #[test]
    fn a_quiet_room_is_quiet() {
        let mut ear = Ear::new(RATE);
        let hiss: Vec<f32> = (0..32_000u32)
            .map(|at| {
                if at.wrapping_mul(2_654_435_761) & 64 == 0 {
                    2e-4
                } else {
                    -2e-4
                }
            })
            .collect();
        ear.hear(&hiss);
        assert!(!ear.spoke());
        assert!(ear.quiet() > Duration::from_millis(1_900));
    }
}
