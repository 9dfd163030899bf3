//! Following a draft: the tokens of an earlier look at the same sound, confirmed side by side instead of one after the
//! other.
//!
//! This is speculative decoding (Leviathan, Kalman, Matias: "Fast Inference from Transformers via Speculative
//! Decoding", 2023) in its greedy form: only tokens that the model finds the likeliest itself are taken, so a draft
//! saves steps and decides nothing.

use ort::value::{DynValue, Tensor};

use super::{Encoded, First, Greedy, Model, failed, inputs, largest, log_probability, missing};
use crate::model::Problem;

/// A reading in the making.
pub(super) struct Course {
    /// The tokens so far, with the score of the next one in.
    pub reading: Greedy,
    /// The token that follows, and the natural logarithm of its probability.
    pub next: u32,
    pub likely: f32,
    /// What the decoder keeps of its own tokens, one for each of [`Model::pasts`]; `None`: as the first step made it.
    grown: Vec<Option<DynValue>>,
}

impl Course {
    /// The path after the decoder's `first` step.
    pub fn new(first: &First) -> Self {
        let next = largest(&first.logits);
        let likely = log_probability(&first.logits, next);
        let reading = Greedy {
            score: likely,
            ..Greedy::default()
        };
        Self {
            reading,
            next,
            likely,
            grown: first.cache.iter().map(|_| None).collect(),
        }
    }

    /// Puts the next token onto the path; `next` comes behind it.
    fn step(&mut self, next: u32, likely: f32) {
        self.reading.tokens.push(self.next);
        self.reading.each.push(self.likely);
        self.reading.score += likely;
        (self.next, self.likely) = (next, likely);
    }
}

impl Model {
    /// Goes on along `tokens`, the first of which is the next one of the path, for as long as each is the likeliest: one
    /// step of the decoder for all of them.
    ///
    /// # Errors
    /// When the runtime fails.
    pub(super) fn advance(
        &mut self,
        path: &mut Course,
        encoded: &Encoded,
        tokens: &[u32],
    ) -> Result<(), Problem> {
        let first = encoded.first.as_ref().ok_or_else(|| missing("logits"))?;
        let ids: Vec<i64> = tokens.iter().copied().map(i64::from).collect();
        let cache: Vec<&DynValue> = path
            .grown
            .iter()
            .zip(&first.cache)
            .map(|(new, old)| new.as_ref().unwrap_or(old))
            .collect();
        let inputs = inputs(&self.pasts, encoded, (1, &ids), Some(&cache))?;
        let mut outputs = self.decoder.run(inputs).map_err(failed)?;
        let logits = outputs.get("logits").ok_or_else(|| missing("logits"))?;
        let (_, logits) = logits.try_extract_tensor::<f32>().map_err(failed)?;
        let (width, before) = (logits.len() / tokens.len(), path.reading.tokens.len());
        for (at, row) in logits.chunks_exact(width).enumerate() {
            let next = largest(row);
            path.step(next, log_probability(row, next));
            if tokens.get(at + 1) != Some(&next) {
                break;
            }
        }
        let now = path.reading.tokens.len();
        for (slot, past) in path
            .grown
            .iter_mut()
            .zip(&self.pasts)
            .filter(|(_, past)| past.grows)
        {
            let whole = outputs
                .remove(&past.output)
                .ok_or_else(|| missing(&past.output))?;
            // The token that begins every sequence is kept, too.
            *slot = Some(if now - before == tokens.len() {
                whole
            } else {
                beginning(&whole, now + 1)?
            });
        }
        Ok(())
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
