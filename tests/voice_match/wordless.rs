//! Sounds in which nobody speaks, made here: always the same ones.

use std::f32::consts::TAU;

const RATE: usize = 16_000;

/// `count` clips of one to three seconds: silence, hum, white and brown noise, clicks, keys, wind, beeps and music.
pub fn clips(count: usize) -> impl Iterator<Item = (String, Vec<f32>)> {
    (0..count).map(|number| {
        let mut dice = Dice((number as u32).wrapping_mul(2_654_435_761).wrapping_add(1));
        let length = RATE + dice.below(2 * RATE);
        let level = [0.003, 0.02, 0.08, 0.25, 0.6][dice.below(5)];
        let (name, mut samples) = match number % 9 {
            0 => ("silence", silence(&mut dice, length)),
            1 => ("hum", hum(&mut dice, length)),
            2 => ("white noise", (0..length).map(|_| dice.either()).collect()),
            3 => ("brown noise", brown(&mut dice, length)),
            4 => ("clicks", clicks(&mut dice, length)),
            5 => ("keys", keys(&mut dice, length)),
            6 => ("wind", wind(&mut dice, length)),
            7 => ("beeps", beeps(&mut dice, length)),
            _ => ("music", music(&mut dice, length)),
        };
        let peak = samples.iter().fold(1e-9f32, |peak, s| peak.max(s.abs()));
        let gain = if name == "silence" { 1.0 } else { level / peak };
        for sample in &mut samples {
            *sample *= gain;
        }
        (format!("{name}, clip {number}"), samples)
    })
}

struct Dice(u32);

impl Dice {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    fn below(&mut self, most: usize) -> usize {
        self.next() as usize % most
    }

    /// 0 to 1.
    fn part(&mut self) -> f32 {
        self.next() as f32 / 16_777_216.0
    }

    /// −1 to 1.
    fn either(&mut self) -> f32 {
        self.part() * 2.0 - 1.0
    }
}

fn silence(dice: &mut Dice, length: usize) -> Vec<f32> {
    let floor = [0.0, 0.000_03, 0.000_3][dice.below(3)];
    (0..length).map(|_| dice.either() * floor).collect()
}

fn hum(dice: &mut Dice, length: usize) -> Vec<f32> {
    let base = [50.0, 60.0, 100.0, 120.0][dice.below(4)];
    let overtones: Vec<f32> = (0..6).map(|_| dice.part()).collect();
    (0..length)
        .map(|at| {
            let time = at as f32 / RATE as f32;
            let tones = overtones.iter().enumerate();
            tones
                .map(|(n, gain)| gain / (n + 1) as f32 * (TAU * base * (n + 1) as f32 * time).sin())
                .sum::<f32>()
                + dice.either() * 0.01
        })
        .collect()
}

fn brown(dice: &mut Dice, length: usize) -> Vec<f32> {
    let mut value = 0.0;
    (0..length)
        .map(|_| {
            value = value * 0.998 + dice.either() * 0.05;
            value
        })
        .collect()
}

/// Short bursts here and there.
fn bursts(dice: &mut Dice, length: usize, every: usize, long: usize) -> Vec<f32> {
    let mut samples = vec![0.0; length];
    let mut at = dice.below(every);
    while at < length {
        let gain = 0.3 + 0.7 * dice.part();
        for step in 0..long.min(length - at) {
            let fade = 1.0 - step as f32 / long as f32;
            samples[at + step] += dice.either() * gain * fade * fade;
        }
        at += every / 2 + dice.below(every);
    }
    samples
}

fn clicks(dice: &mut Dice, length: usize) -> Vec<f32> {
    bursts(dice, length, 4_000, 40)
}

fn keys(dice: &mut Dice, length: usize) -> Vec<f32> {
    bursts(dice, length, 2_600, 400)
}

fn wind(dice: &mut Dice, length: usize) -> Vec<f32> {
    let pace = 0.3 + dice.part();
    brown(dice, length)
        .into_iter()
        .enumerate()
        .map(|(at, sample)| {
            let gust = (TAU * pace * at as f32 / RATE as f32).sin() * 0.5 + 0.6;
            sample * gust
        })
        .collect()
}

fn beeps(dice: &mut Dice, length: usize) -> Vec<f32> {
    let (pitch, on) = (400.0 + 1_600.0 * dice.part(), 1_500 + dice.below(3_000));
    (0..length)
        .map(|at| {
            let sounds = (at / on).is_multiple_of(2);
            if sounds {
                (TAU * pitch * at as f32 / RATE as f32).sin()
            } else {
                0.0
            }
        })
        .collect()
}

/// Chords of a scale with overtones that die away.
fn music(dice: &mut Dice, length: usize) -> Vec<f32> {
    const SCALE: [f32; 8] = [0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0, 12.0];
    let mut samples = vec![0.0; length];
    let beat = 3_000 + dice.below(4_000);
    for start in (0..length).step_by(beat) {
        for _ in 0..3 {
            let pitch = 196.0 * (SCALE[dice.below(8)] / 12.0).exp2();
            for (at, sample) in samples[start..].iter_mut().take(2 * beat).enumerate() {
                let time = at as f32 / RATE as f32;
                let tone: f32 = (1..5)
                    .map(|n| (TAU * pitch * n as f32 * time).sin() / (n * n) as f32)
                    .sum();
                *sample += tone * (-time * 4.0).exp();
            }
        }
    }
    samples
}
