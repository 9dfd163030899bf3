//! Any sampling rate to [`RATE`].

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

use super::RATE;
use crate::model::Problem;

/// Rates that sound cards and files really have, with room to spare.
const RATES: std::ops::RangeInclusive<u32> = 2_000..=768_000;

/// Frames per transform. Longer means a steeper filter; nothing waits for it, as whole clips are converted.
const BLOCK: usize = 1_024;

/// Converts one channel from `rate` to [`RATE`]. The filter's delay is taken out, so times stay as they were.
///
/// # Errors
/// A `bad-request` problem when the rate is none that sound has.
pub fn to_16k(samples: Vec<f32>, rate: u32) -> Result<Vec<f32>, Problem> {
    if rate == RATE || samples.is_empty() {
        return Ok(samples);
    }
    if !RATES.contains(&rate) {
        return Err(Problem::bad_request(format!(
            "{rate} samples a second is no rate that sound has"
        )));
    }
    let mut fft = Fft::<f32>::new_custom(
        rate as usize,
        RATE as usize,
        BLOCK,
        1, // sub-chunks
        1, // channels
        WindowFunction::BlackmanHarris2,
        FixedSync::Input,
    )
    .map_err(|error| Problem::internal(format!("cannot convert from {rate} Hz: {error}")))?;
    let length = samples.len();
    let input = InterleavedSlice::new(&samples, 1, length)
        .map_err(|error| Problem::internal(format!("cannot convert from {rate} Hz: {error}")))?;
    let output = fft
        .process_all(&input, length, None)
        .map_err(|error| Problem::internal(format!("cannot convert from {rate} Hz: {error}")))?;
    Ok(output.take_data())
}

/// Mixes interleaved channels to one by their mean.
pub fn to_mono(interleaved: &[f32], channels: usize) -> Vec<f32> {
    match channels {
        0 | 1 => interleaved.to_vec(),
        _ => interleaved
            .chunks_exact(channels)
            .map(|frame| frame.iter().sum::<f32>() / channels as f32)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of a sine of `hertz` at `rate`.
    fn tone(hertz: f32, rate: u32) -> Vec<f32> {
        (0..rate)
            .map(|at| (at as f32 * hertz * std::f32::consts::TAU / rate as f32).sin() * 0.5)
            .collect()
    }

    #[test]
    fn a_tone_keeps_its_length_pitch_and_place_from_every_rate() {
        for rate in [8_000, 11_025, 22_050, 44_100, 48_000, 96_000] {
            let out = to_16k(tone(400.0, rate), rate).unwrap();
            assert!(
                out.len().abs_diff(16_000) <= 2,
                "{rate}: {} samples",
                out.len()
            );
            let wanted = tone(400.0, RATE);
            // The middle: a filter has edges at both ends.
            let worst = (2_000..14_000)
                .map(|at| (out[at] - wanted[at]).abs())
                .fold(0.0, f32::max);
            // Half a sample of the slowest rate: a block of odd length has its middle between two samples.
            assert!(worst < 0.06, "{rate}: off by {worst}");
        }
    }

    #[test]
    fn what_16_khz_cannot_hold_is_filtered_not_folded() {
        let out = to_16k(tone(11_000.0, 48_000), 48_000).unwrap();
        let loudest = out[1_000..15_000]
            .iter()
            .fold(0.0f32, |a, b| a.max(b.abs()));
        assert!(loudest < 0.01, "{loudest}");
    }

    #[test]
    fn a_rate_that_is_none_is_said_so() {
        assert!(to_16k(vec![0.0; 10], 1).unwrap_err().is("bad-request"));
        assert!(
            to_16k(vec![0.0; 10], 4_000_000_000)
                .unwrap_err()
                .is("bad-request")
        );
    }

    #[test]
    fn any_number_of_channels_becomes_one() {
        let wanted = tone(400.0, 1_000);
        for channels in 1..=8 {
            // In one channel twice as loud, in the next not at all: on average the same.
            let interleaved: Vec<f32> = wanted
                .iter()
                .flat_map(|&sample| {
                    (0..channels).map(move |channel| match (channel % 2, channels % 2) {
                        _ if channel + 1 == channels && channels % 2 == 1 => sample,
                        (0, _) => sample * 2.0,
                        _ => 0.0,
                    })
                })
                .collect();
            let mono = to_mono(&interleaved, channels);
            assert_eq!(mono.len(), wanted.len());
            let off = mono.iter().zip(&wanted).map(|(a, b)| (a - b).abs());
            assert!(off.fold(0.0, f32::max) < 1e-6, "{channels} channels");
        }
    }

    #[test]
    fn channels_are_averaged() {
        assert_eq!(to_mono(&[1.0, 0.0, 0.5, 0.5], 2), [0.5, 0.5]);
        assert_eq!(to_mono(&[1.0, 0.5], 1), [1.0, 0.5]);
    }
}
