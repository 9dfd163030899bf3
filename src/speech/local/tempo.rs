//! Slower speech at the same pitch, for a second opinion on a doubtful clip.
//!
//! Overlapping frames are laid out further apart, each shifted to where it continues the wave of the one before
//! best (WSOLA: Verhelst and Roelands, 1993).

use std::ops::RangeInclusive;

/// Samples of a frame: 32 ms at 16 kHz.
const FRAME: usize = 512;

/// Samples between frames in the result.
const HOP: usize = FRAME / 2;

/// How far a frame may be shifted to fit: 8 ms.
const REACH: usize = 128;

/// Steps of a first look for the best shift: a quarter of a millisecond, a fraction of any wave of a voice that is loud.
const COARSE: usize = 4;

/// `samples` at `tempo` of its speed: 0.9 makes it a ninth longer.
pub fn stretch(samples: &[f32], tempo: f32) -> Vec<f32> {
    let wanted = (samples.len() as f32 / tempo) as usize;
    if samples.len() < FRAME * 2 + REACH || !(0.5..=2.0).contains(&tempo) {
        return samples.to_vec();
    }
    let window: Vec<f32> = (0..FRAME)
        .map(|at| 0.5 - 0.5 * (std::f32::consts::TAU * at as f32 / FRAME as f32).cos())
        .collect();
    let last = samples.len() - FRAME;
    let mut result = vec![0.0; wanted + FRAME];
    let mut taken = 0;
    for (step, place) in (0..wanted).step_by(HOP).enumerate() {
        let ideal = ((place as f32 * tempo) as usize).min(last);
        if step > 0 {
            // What would follow if nothing were stretched; the candidate most like it joins without a break.
            let follows = (taken + HOP).min(last);
            let target = &samples[follows..follows + HOP];
            let range = ideal.saturating_sub(REACH)..=(ideal + REACH).min(last);
            taken = most_like(samples, target, range);
        }
        for (at, gain) in window.iter().enumerate() {
            result[place + at] += samples[taken + at] * gain;
        }
    }
    // The first half frame has no neighbour to overlap with.
    result[..HOP].copy_from_slice(&samples[..HOP]);
    result.truncate(wanted);
    result
}

/// Where in `range` the samples are most like `target`: looked for coarsely, then around the best place.
fn most_like(samples: &[f32], target: &[f32], range: RangeInclusive<usize>) -> usize {
    let like = |at: usize, every: usize| -> f32 {
        let (mut sum, mut step) = (0.0, 0);
        while step < target.len() {
            sum += samples[at + step] * target[step];
            step += every;
        }
        sum
    };
    let best = |places: &mut dyn Iterator<Item = usize>, every: usize| {
        let mut best = (f32::NEG_INFINITY, *range.start());
        for at in places {
            let alike = like(at, every);
            if alike > best.0 {
                best = (alike, at);
            }
        }
        best.1
    };
    let near = best(&mut range.clone().step_by(COARSE), COARSE);
    let from = near.saturating_sub(COARSE).max(*range.start());
    best(&mut (from..=(near + COARSE).min(*range.end())), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_gets_longer_and_keeps_its_pitch_and_loudness() {
        let tone: Vec<f32> = (0..16_000)
            .map(|at| (at as f32 * 0.1).sin() * 0.5)
            .collect();
        let slow = stretch(&tone, 0.85);
        assert!(slow.len().abs_diff(18_823) < 10, "{}", slow.len());
        let crossings = |sound: &[f32]| {
            sound
                .windows(2)
                .filter(|two| two[0] < 0.0 && two[1] >= 0.0)
                .count()
        };
        let (before, after) = (
            crossings(&tone[1_000..13_000]),
            crossings(&slow[1_000..13_000]),
        );
        assert!(before.abs_diff(after) <= 3, "{before} {after}");
        let power = |sound: &[f32]| {
            sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len() as f32
        };
        assert!((power(&tone) / power(&slow) - 1.0).abs() < 0.1);
    }

    #[test]
    fn what_is_too_short_stays() {
        assert_eq!(stretch(&[0.5; 100], 0.9), [0.5; 100]);
        assert!(stretch(&[], 0.9).is_empty());
    }
}
