//! The gate: is there speech in a clip at all?
//!
//! Recognisers invent words for silence and noise, so nothing reaches one without passing here. The detector reports
//! speech late (about 180 ms after its onset), so it accepts or rejects whole clips and never trims one.

use earshot::Detector;

use super::seconds;

/// Samples the detector judges at a time: 16 ms.
pub const FRAME: usize = 256;

/// Score above which a frame counts as voiced.
pub const VOICED: f32 = 0.5;

/// Voiced frames in a row that make speech; a click or a breath has fewer.
pub const RUN: usize = 3;

/// Clips are scaled to this peak first: the detector misses speech far below it.
const PEAK: f32 = 0.9;

/// Below this peak (−64 dBFS) there is only a converter's own noise, which scaling would turn into a roar.
const FLOOR: f32 = 0.000_6;

/// What the detector found in a clip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Frames in the clip.
    pub frames: usize,
    /// Voiced frames.
    pub voiced: usize,
    /// The longest run of voiced frames.
    pub longest: usize,
    /// The first voiced frame of a run that is speech.
    pub first: usize,
    /// The frame after the last voiced one of such a run.
    pub end: usize,
}

impl Activity {
    /// True when there is speech.
    pub fn speech(&self) -> bool {
        self.longest >= RUN
    }

    /// Seconds from the first voiced frame to the last; 0 without speech.
    pub fn seconds(&self) -> f64 {
        seconds((self.end - self.first) * FRAME)
    }
}

/// Looks for speech in `samples` (16 kHz mono). About 0.4 ms for a second of sound.
pub fn listen(samples: &[f32]) -> Activity {
    let peak = samples
        .iter()
        .fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    let mut activity = Activity {
        frames: samples.len() / FRAME,
        ..Activity::default()
    };
    if peak < FLOOR {
        return activity;
    }
    let gain = PEAK / peak;
    let mut detector = Box::new(Detector::default());
    let mut run = 0;
    let mut frame = [0.0; FRAME];
    for (at, chunk) in samples.chunks_exact(FRAME).enumerate() {
        for (scaled, sample) in frame.iter_mut().zip(chunk) {
            *scaled = (sample * gain).clamp(-1.0, 1.0);
        }
        if detector.predict_f32(&frame) <= VOICED {
            run = 0;
            continue;
        }
        run += 1;
        activity.voiced += 1;
        activity.longest = activity.longest.max(run);
        if run >= RUN {
            if activity.end == 0 {
                activity.first = at + 1 - run;
            }
            activity.end = at + 1;
        }
    }
    activity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_hum_and_clicks_are_no_speech() {
        assert!(!listen(&[]).speech());
        assert!(!listen(&[0.0; 32_000]).speech());
        let hum: Vec<f32> = (0..48_000)
            .map(|at| (at as f32 * 50.0 * std::f32::consts::TAU / 16_000.0).sin() * 0.2)
            .collect();
        assert!(!listen(&hum).speech());
        let mut clicks = vec![0.0; 48_000];
        for at in (3_000..48_000).step_by(7_000) {
            clicks[at] = 0.8;
            clicks[at + 1] = -0.6;
        }
        assert!(!listen(&clicks).speech());
    }

    #[test]
    fn converter_noise_is_not_scaled_up_to_speech() {
        let noise: Vec<f32> = (0..48_000u32).map(|at| if at.wrapping_mul(2_654_435_761) & 64 == 0 { 1.0 } else { -1.0 } / 32_768.0).collect();
        assert_eq!(listen(&noise).voiced, 0);
    }

    #[test]
    fn an_activity_knows_its_length() {
        let activity = Activity {
            frames: 100,
            voiced: 50,
            longest: 20,
            first: 10,
            end: 60,
        };
        assert!((activity.seconds() - 0.8).abs() < 1e-9);
        assert_eq!(Activity::default().seconds(), 0.0);
    }
}
