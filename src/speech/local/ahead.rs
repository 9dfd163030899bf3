//! What was read of a clip while it was being spoken, with which the reading of the whole clip begins.

use crate::voice::RATE;

/// Every so many samples one is kept to know the clip by: twenty-five in a tenth of a second.
const SPARSE: usize = RATE as usize / 250;

/// By how much a sample may differ: the file of a clip has sixteen bits for each.
const ALIKE: f32 = 0.002;

/// The end of an unfinished clip that is not compared (0.1 s): resampling makes it of less than it will have.
const LOOSE: usize = RATE as usize / 10;

/// The beginning of a clip and what it was read as.
pub(super) struct Ahead {
    sound: Vec<f32>,
    tokens: Vec<u32>,
}

impl Ahead {
    /// Of `samples`, which were read as `tokens`.
    pub fn new(samples: &[f32], tokens: Vec<u32>) -> Self {
        let sure = &samples[..samples.len().saturating_sub(LOOSE)];
        Self {
            sound: sure.iter().step_by(SPARSE).copied().collect(),
            tokens,
        }
    }

    /// The tokens, if `samples` are the same clip, grown since; else none.
    pub fn tokens(&self, samples: &[f32]) -> &[u32] {
        let now = samples.iter().step_by(SPARSE);
        let alike = self
            .sound
            .iter()
            .zip(now)
            .filter(|(then, now)| (*then - *now).abs() <= ALIKE);
        if !self.sound.is_empty() && alike.count() == self.sound.len() {
            &self.tokens
        } else {
            &[]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(count: usize, from: f32) -> Vec<f32> {
        (0..count)
            .map(|at| (from + at as f32 * 0.07).sin() * 0.3)
            .collect()
    }

    #[test]
    fn a_clip_that_grew_is_known_again_and_another_is_not() {
        let whole = wave(48_000, 0.0);
        let ahead = Ahead::new(&whole[..32_000], vec![1, 2]);
        let rounded: Vec<f32> = whole
            .iter()
            .map(|s| (s * 32_767.0).round() / 32_768.0)
            .collect();
        assert_eq!(ahead.tokens(&rounded), [1, 2]);
        assert!(ahead.tokens(&wave(48_000, 1.0)).is_empty());
        assert!(
            ahead.tokens(&whole[..16_000]).is_empty(),
            "a shorter clip is another one"
        );
        assert!(Ahead::new(&[], vec![1]).tokens(&whole).is_empty());
    }
}
