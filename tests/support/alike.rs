//! Is a sound in a recording, whole, and where?
#![allow(dead_code, reason = "each test file uses a part of it")]

/// First and last sample of what is spoken, by its loudness.
pub fn spoken(sound: &[f32]) -> (usize, usize) {
    let first = sound.iter().position(|sample| sample.abs() > 0.02).unwrap();
    let last = sound
        .iter()
        .rposition(|sample| sample.abs() > 0.02)
        .unwrap();
    (first, last)
}

/// How alike `sound` and `clip` are when `sound` begins at `shift` in it: 1 for the same but for its loudness.
pub fn likeness(sound: &[f32], clip: &[f32], shift: i64) -> f64 {
    let (mut product, mut a, mut b) = (0.0, 0.0, 0.0);
    for (at, &left) in sound.iter().enumerate() {
        let right = usize::try_from(at as i64 + shift)
            .ok()
            .and_then(|at| clip.get(at))
            .copied()
            .unwrap_or_default();
        product += f64::from(left) * f64::from(right);
        a += f64::from(left) * f64::from(left);
        b += f64::from(right) * f64::from(right);
    }
    if a * b > 0.0 {
        product / (a * b).sqrt()
    } else {
        0.0
    }
}

/// Where `sound` begins in `clip` (negative: before it), by the best likeness, and that likeness.
pub fn align(sound: &[f32], clip: &[f32]) -> (i64, f64) {
    const STEP: usize = 80;
    let best = |range: std::ops::Range<i64>, like: &dyn Fn(i64) -> f64| {
        range
            .map(|shift| (shift, like(shift)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap()
    };
    // First by the loudness of every 5 ms, then sample by sample around the best.
    let loudness = |samples: &[f32]| -> Vec<f32> {
        let sums: Vec<f32> = samples
            .chunks(STEP)
            .map(|chunk| chunk.iter().map(|sample| sample.abs()).sum())
            .collect();
        let mean = sums.iter().sum::<f32>() / sums.len() as f32;
        sums.into_iter().map(|sum| sum - mean).collect()
    };
    let (rough_sound, rough_clip) = (loudness(sound), loudness(clip));
    let reach = rough_clip.len().max(rough_sound.len()) as i64;
    let (near, _) = best(-reach..reach, &|shift| {
        likeness(&rough_sound, &rough_clip, shift)
    });
    let near = near * STEP as i64;
    best(near - 480..near + 480, &|shift| {
        likeness(sound, clip, shift)
    })
}
