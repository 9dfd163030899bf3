//! Which of many phrases are worth following to their end: those whose first two tokens fit the clip.
//!
//! The first token's probabilities cost nothing more, as the decoder's first step is the same for all; the second's
//! cost one step for a handful of first tokens side by side. What is garbled as text ("that lie" for "deploy") is
//! still found so.

use super::{Encoded, First, Model, failed, inputs, missing, normaliser, side_by_side};
use crate::model::Problem;
use crate::speech::local::tokens::END;

/// First tokens that are followed.
const FIRSTS: usize = 8;

/// How well the beginning of a phrase fits the clip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beginning {
    /// The natural logarithm of the probability of its first two tokens, or of the first alone: the whole phrase is at
    /// most as likely.
    pub score: f32,
    /// Whether the second token is in it.
    pub followed: bool,
}

impl Model {
    /// How well the beginnings of `phrases` (tokens) fit the clip. The second token is looked at where the first is one
    /// of the likeliest among the phrases from `table` on.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn beginnings(
        &mut self,
        encoded: &mut Encoded,
        phrases: &[Vec<u32>],
        table: usize,
    ) -> Result<Vec<Beginning>, Problem> {
        self.begin(encoded)?;
        let first = encoded.first.as_ref().ok_or_else(|| missing("logits"))?;
        let firsts = likely_firsts(first, phrases.get(table..).unwrap_or_default());
        let norm = normaliser(&first.logits);
        let alone = |phrase: &Vec<u32>| {
            let token = phrase.first().copied().unwrap_or(END);
            let logit = first.logits.get(token as usize);
            Beginning {
                score: logit.map_or(f32::NEG_INFINITY, |logit| logit - norm),
                followed: false,
            }
        };
        let mut found: Vec<Beginning> = phrases.iter().map(alone).collect();
        if firsts.is_empty() {
            return Ok(found);
        }
        let ids: Vec<i64> = firsts.iter().map(|(token, _)| i64::from(*token)).collect();
        let cache = side_by_side(first, firsts.len())?;
        let cache: Vec<_> = cache.iter().collect();
        let inputs = inputs(&self.pasts, encoded, (firsts.len(), &ids), Some(&cache))?;
        let outputs = self.decoder.run(inputs).map_err(failed)?;
        let logits = outputs.get("logits").ok_or_else(|| missing("logits"))?;
        let (_, logits) = logits.try_extract_tensor::<f32>().map_err(failed)?;
        let width = logits.len() / firsts.len();
        let rows: Vec<(&[f32], f32)> = logits
            .chunks_exact(width)
            .map(|row| (row, normaliser(row)))
            .collect();
        for (phrase, beginning) in phrases.iter().zip(&mut found) {
            let row = firsts
                .iter()
                .position(|(token, _)| phrase.first() == Some(token));
            let second = phrase.get(1).copied().unwrap_or(END);
            if let Some((logits, norm)) = row.and_then(|row| rows.get(row))
                && let Some(logit) = logits.get(second as usize)
            {
                beginning.score += logit - norm;
                beginning.followed = true;
            }
        }
        Ok(found)
    }
}

/// The likeliest first tokens of the phrases, with the logarithms of their probabilities.
fn likely_firsts(first: &First, phrases: &[Vec<u32>]) -> Vec<(u32, f32)> {
    let norm = normaliser(&first.logits);
    let mut firsts: Vec<(u32, f32)> = Vec::new();
    for token in phrases.iter().filter_map(|phrase| phrase.first().copied()) {
        if let Some(&logit) = first.logits.get(token as usize)
            && !firsts.iter().any(|(known, _)| *known == token)
        {
            firsts.push((token, logit - norm));
        }
    }
    firsts.sort_by(|a, b| b.1.total_cmp(&a.1));
    firsts.truncate(FIRSTS);
    firsts
}
