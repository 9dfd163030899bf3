//! Cuts what is too long for one call at its quietest places.

use std::ops::Range;

use crate::voice::RATE;

/// Seconds that go into one call. Beyond about a minute the decoder loops.
pub const LONGEST: usize = 30;

/// A piece ends within this many seconds before [`LONGEST`].
const SEARCH: usize = 8;

/// Samples whose energy is compared: 20 ms.
const STEP: usize = RATE as usize / 50;

/// The ranges of `samples` to recognise one by one; one range when it is short enough. None is empty.
pub fn cut(samples: &[f32]) -> Vec<Range<usize>> {
    let longest = LONGEST * RATE as usize;
    let mut pieces = Vec::new();
    let mut start = 0;
    while samples.len() - start > longest {
        let from = start + longest - SEARCH * RATE as usize;
        let quietest = (from..start + longest)
            .step_by(STEP)
            .map(|at| (energy(&samples[at..at + STEP]), at))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map_or(start + longest, |(_, at)| at + STEP / 2);
        pieces.push(start..quietest);
        start = quietest;
    }
    if start < samples.len() {
        pieces.push(start..samples.len());
    }
    pieces
}

fn energy(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_stays_whole() {
        let whole = Range {
            start: 0,
            end: 480_000,
        };
        assert_eq!(cut(&vec![0.1; 480_000]), vec![whole]);
        assert!(cut(&[]).is_empty());
    }

    #[test]
    fn what_is_long_is_cut_in_a_pause_and_nothing_is_lost() {
        let mut samples = vec![0.3; 75 * 16_000];
        for pause in [25, 52] {
            samples[pause * 16_000..pause * 16_000 + 4_000].fill(0.0);
        }
        let pieces = cut(&samples);
        assert_eq!(pieces.len(), 3);
        assert!((25 * 16_000..25 * 16_000 + 4_000).contains(&pieces[0].end));
        assert!((52 * 16_000..52 * 16_000 + 4_000).contains(&pieces[1].end));
        assert_eq!((pieces[0].start, pieces[2].end), (0, samples.len()));
        assert!(pieces.windows(2).all(|two| two[0].end == two[1].start));
    }
}
