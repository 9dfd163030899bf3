//! How loud it is.

use std::time::Duration;

/// What silence is drawn as, in dB: quieter than any converter's noise.
pub const SILENCE: f32 = -120.0;

/// A moment's loudness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Root mean square over the moment, in dB of full scale (0 loudest, [`SILENCE`] none).
    pub rms_db: f32,
    /// The largest sample of the moment, in dB of full scale.
    pub peak_db: f32,
    /// How long the clip is so far.
    pub elapsed: Duration,
}

/// Gathers samples until they make a moment.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    squares: f64,
    peak: f32,
    count: usize,
}

impl Meter {
    /// Adds samples; returns `(rms_db, peak_db)` once there are at least `moment` of them, and begins anew.
    pub fn add(&mut self, samples: &[f32], moment: usize) -> Option<(f32, f32)> {
        for &sample in samples {
            self.squares += f64::from(sample) * f64::from(sample);
            self.peak = self.peak.max(sample.abs());
        }
        self.count += samples.len();
        if self.count < moment.max(1) {
            return None;
        }
        let rms = (self.squares / self.count as f64).sqrt() as f32;
        let peak = self.peak;
        *self = Self::default();
        Some((decibels(rms), decibels(peak)))
    }
}

/// An amplitude (0 to 1) in dB of full scale, never below [`SILENCE`].
pub fn decibels(amplitude: f32) -> f32 {
    (20.0 * amplitude.log10()).max(SILENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_is_zero_and_nothing_is_silence() {
        let mut meter = Meter::default();
        assert_eq!(meter.add(&[1.0; 10], 20), None);
        assert_eq!(meter.add(&[-1.0; 10], 20), Some((0.0, 0.0)));
        let (rms, peak) = meter.add(&[0.1; 20], 20).unwrap();
        assert!((rms + 20.0).abs() < 0.01 && (peak + 20.0).abs() < 0.01);
        assert_eq!(meter.add(&[0.0; 20], 20), Some((SILENCE, SILENCE)));
    }
}
