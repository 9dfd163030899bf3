//! Following a draft: the tokens of an earlier look at the same sound, confirmed side by side instead of one after the
//! other.
//!
//! This is speculative decoding (Leviathan, Kalman, Matias: "Fast Inference from Transformers via Speculative
//! Decoding", 2023) in its greedy form: only tokens that the model finds the likeliest itself are taken, so a draft
//! saves steps and decides nothing.

use ort::value::{DynValue, Tensor};

use super::{Encoded, Greedy, Model, failed, inputs, largest, log_probability, missing};
use crate::model::Problem;

/// A reading in the making.
#[derive(Default)]
pub(super) struct Path {
    /// The tokens so far, with the score of the next one in.
    pub reading: Greedy,
    /// The token that follows, and the natural logarithm of its probability.
    pub next: u32,
    pub likely: f32,
    /// What the decoder keeps of its own tokens, one for each of [`Model::pasts`]; `None`: as the first step made it.
    pub grown: Vec<Option<DynValue>>,
}

impl Path {
    /// Puts the next token onto the path; `next` comes behind it.
    pub fn step(&mut self, next: u32, likely: f32) {
        self.reading.tokens.push(self.next);
        self.reading.each.push(self.likely);
        self.reading.score += likely;
        (self.next, self.likely) = (next, likely);
    }
}

impl Model {
    /// The beginning of the path, as far as `draft` has it.
    ///
    /// # Errors
    /// When the runtime fails.
    pub(super) fn along(&mut self, encoded: &Encoded, draft: &[u32]) -> Result<Path, Problem> {
        let first = encoded.first.as_ref().ok_or_else(|| missing("logits"))?;
        let next = largest(&first.logits);
        let likely = log_probability(&first.logits, next);
        let mut path = Path {
            next,
            likely,
            grown: self.pasts.iter().map(|_| None).collect(),
            ..Path::default()
        };
        path.reading.score = likely;
        // One token is found as quickly without a draft.
        if draft.len() < 2 || draft[0] != next {
            return Ok(path);
        }
        let ids: Vec<i64> = draft.iter().copied().map(i64::from).collect();
        let cache: Vec<&DynValue> = first.cache.iter().collect();
        let inputs = inputs(&self.pasts, encoded, (1, &ids), Some(&cache))?;
        let mut outputs = self.decoder.run(inputs).map_err(failed)?;
        let logits = outputs.get("logits").ok_or_else(|| missing("logits"))?;
        let (_, logits) = logits.try_extract_tensor::<f32>().map_err(failed)?;
        let width = logits.len() / draft.len();
        for (at, row) in logits.chunks_exact(width).enumerate() {
            let next = largest(row);
            path.step(next, log_probability(row, next));
            if draft.get(at + 1) != Some(&next) {
                break;
            }
        }
        let taken = path.reading.tokens.len();
        for (slot, past) in path
            .grown
            .iter_mut()
            .zip(&self.pasts)
            .filter(|(_, past)| past.grows)
        {
            let whole = outputs
                .remove(&past.output)
                .ok_or_else(|| missing(&past.output))?;
            *slot = Some(if taken == draft.len() {
                whole
            } else {
                beginning(&whole, taken + 1)?
            });
        }
        Ok(path)
    }
}

/// The first `count` places of what the decoder keeps: `[1, heads, places, width]`.
fn beginning(kept: &DynValue, count: usize) -> Result<DynValue, Problem> {
    let (shape, data) = kept.try_extract_tensor::<f32>().map_err(failed)?;
    let [_, heads, places, width] = shape[..] else {
        return Err(missing("a tensor of four dimensions"));
    };
    let (places, width) = (places as usize, width as usize);
    let count = count.min(places);
    let mut part = Vec::with_capacity(heads as usize * count * width);
    for head in data.chunks_exact((places * width).max(1)) {
        part.extend_from_slice(&head[..count * width]);
    }
    let shape = [1, heads as usize, count, width];
    Ok(Tensor::from_array((shape, part))
        .map_err(failed)?
        .into_dyn())
}
