//! Short sounds for those who do not look, made here, and taken out of recordings again.
//!
//! A loudspeaker's start sound is heard by the microphone beside it, just where the first word is. So all of them are
//! made of two pure tones, and those two frequencies are filtered out of a clip's first second: speech loses two
//! bands that are far narrower than any of its sounds.

use std::f32::consts::{PI, TAU};

use super::RATE;

/// The two tones in Hz: above what tells vowels apart, and no multiples of each other.
const LOW: f32 = 1_480.0;
const HIGH: f32 = 2_217.0;

/// How loud (−18 dB of full scale).
const LOUD: f32 = 0.125;

/// How much of a clip's front may hold a sound that was played as it began: the pre-roll, the way to the ear and back,
/// the sound and the room's echo of it.
const FRONT: usize = RATE as usize;

/// How narrow the filter is: a tone's frequency over the width of what is lost.
const NARROW: f32 = 9.0;

/// What a sound means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cue {
    /// A recording begins.
    Start,
    /// A recording has ended.
    Stop,
    /// What was asked for is done.
    Done,
    /// It failed.
    Error,
}

/// The sound of `cue` (16 kHz mono), at most a third of a second.
pub fn sound(cue: Cue) -> Vec<f32> {
    let tones: &[(f32, u32)] = match cue {
        Cue::Start => &[(LOW, 50), (HIGH, 60)],
        Cue::Stop => &[(HIGH, 50), (LOW, 60)],
        Cue::Done => &[(LOW, 60), (HIGH, 60), (0.0, 40), (HIGH, 90)],
        Cue::Error => &[(LOW, 90), (0.0, 50), (LOW, 140)],
    };
    tones
        .iter()
        .flat_map(|&(hertz, ms)| tone(hertz, (RATE * ms / 1_000) as usize))
        .collect()
}

/// A tone that swells and fades, so that it does not click.
fn tone(hertz: f32, count: usize) -> Vec<f32> {
    (0..count)
        .map(|at| {
            let swell = (at as f32 / count as f32 * PI).sin();
            (at as f32 * hertz * TAU / RATE as f32).sin() * swell * LOUD
        })
        .collect()
}

/// Takes the sounds out of the front of a clip (16 kHz mono), and leaves the rest as it is.
pub fn remove(clip: &mut [f32]) {
    let length = clip.len().min(FRONT);
    let front = &mut clip[..length];
    let before = front.to_vec();
    for hertz in [LOW, HIGH, LOW, HIGH] {
        notch(front, hertz);
    }
    // Into the untouched part without a step.
    let fade = front.len() / 10;
    let from = front.len() - fade;
    for (at, (now, before)) in front.iter_mut().zip(before).enumerate().skip(from) {
        let part = (at - from) as f32 / fade.max(1) as f32;
        *now = *now * (1.0 - part) + before * part;
    }
}

/// A second-order filter that lets everything pass but `hertz` (R. Bristow-Johnson, Audio EQ Cookbook, "notch").
fn notch(samples: &mut [f32], hertz: f32) {
    let angle = TAU * hertz / RATE as f32;
    let alpha = angle.sin() / (2.0 * NARROW);
    let (b1, a0, a2) = (-2.0 * angle.cos(), 1.0 + alpha, 1.0 - alpha);
    let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
    for sample in samples {
        let x = *sample;
        let y = (x + b1 * x1 + x2 - b1 * y1 - a2 * y2) / a0;
        (x2, x1, y2, y1) = (x1, x, y1, y);
        *sample = y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::{gate, wav};

    fn power(samples: &[f32]) -> f32 {
        samples.iter().map(|sample| sample * sample).sum()
    }

    #[test]
    fn sounds_are_short_soft_and_no_speech() {
        for cue in [Cue::Start, Cue::Stop, Cue::Done, Cue::Error] {
            let sound = sound(cue);
            assert!(sound.len() <= RATE as usize * 3 / 10, "{cue:?}");
            assert!(sound.iter().all(|sample| sample.abs() <= LOUD), "{cue:?}");
            let steps = sound.windows(2).map(|two| (two[1] - two[0]).abs());
            assert!(
                steps.fold(0.0, f32::max) < LOUD,
                "{cue:?} clicks in the middle"
            );
            let around = [vec![0.0; 8_000], sound, vec![0.0; 8_000]].concat();
            // The only one that is played while somebody is about to speak.
            assert!(cue != Cue::Start || !gate::listen(&around).speech());
        }
    }

    #[test]
    fn a_start_sound_is_taken_out_of_the_front_and_the_voice_stays() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/voice/demo.wav");
        let said = wav::read(file.as_ref()).unwrap();
        let cue = sound(Cue::Start);
        // Heard 300 ms after the clip's first sample, a third as loud as it was played.
        let heard: Vec<f32> = (0..RATE as usize * 2)
            .map(|at| at.checked_sub(4_800).and_then(|at| cue.get(at)).copied())
            .map(|sample| sample.unwrap_or_default() / 3.0)
            .collect();
        let mut alone = heard.clone();
        remove(&mut alone);
        let left = 10.0 * (power(&alone) / power(&heard)).log10();
        assert!(left < -15.0, "{left} dB of the sound are left");

        let mut filtered = said.clone();
        remove(&mut filtered);
        assert_eq!(filtered[FRONT..], said[FRONT..]);
        let lost: Vec<f32> = filtered.iter().zip(&said).map(|(a, b)| a - b).collect();
        let lost = power(&lost[..FRONT]) / power(&said[..FRONT]);
        assert!(lost < 0.1, "{lost} of the voice is lost");
    }
}
