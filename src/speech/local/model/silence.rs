//! What the model says when nobody does: the measure of every reading.

use super::{Greedy, Model, missing};
use crate::model::Problem;

impl Model {
    /// The natural logarithm of how much likelier `reading` is with its clip than when nobody speaks.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn evidence(&mut self, reading: &Greedy) -> Result<f32, Problem> {
        let mut nothing = std::mem::take(&mut self.nothing);
        let phrase = std::slice::from_ref(&reading.tokens);
        let scores: Result<Vec<_>, _> = nothing
            .iter_mut()
            .map(|encoded| self.score(encoded, phrase))
            .collect();
        self.nothing = nothing;
        let most = scores?
            .into_iter()
            .flatten()
            .fold(f32::NEG_INFINITY, f32::max);
        Ok(reading.score - most)
    }

    /// [`Model::score`] of `phrases` with a clip in which nobody speaks.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn score_silence(&mut self, phrases: &[Vec<u32>]) -> Result<Vec<f32>, Problem> {
        // Taken out meanwhile, as it is scored by the model that holds it.
        let mut nothing = std::mem::take(&mut self.nothing);
        let scores = nothing
            .first_mut()
            .ok_or_else(|| missing("silence"))
            .and_then(|silence| self.score(silence, phrases));
        self.nothing = nothing;
        scores
    }
}
