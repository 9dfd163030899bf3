//! How well phrases fit a clip, by the scores of the decoder.

use super::model::{Beginning, Encoded, Model};
use super::{Loaded, Local, fingerprint, pieces, read};
use crate::model::Problem;
use crate::speech::Fit;
use crate::voice::{self, gate};

/// Phrases that go through the decoder side by side.
const TOGETHER: usize = 8;

/// Phrases that are followed to their end before it is known which are hopeless.
const LEADING: usize = 6;

/// Phrases that are followed to their end besides those that are near by their words.
const PROMISING: usize = 6;

/// Phrases whose tokens are kept.
const MOST_KNOWN: usize = 4_000;

/// Phrases that score by this much less than the best are not compared any further.
const FAR_BEHIND: f32 = 14.0;

impl Local {
    /// How well each of `phrases` fits `samples` (16 kHz mono, at most [`pieces::LONGEST`] seconds are regarded).
    /// Blocks. Right after [`Local::hear`] of the same samples it is a matter of a few milliseconds.
    ///
    /// # Errors
    /// As [`Local::hear`].
    pub fn fit(&self, samples: &[f32], phrases: &[String]) -> Result<Fit, Problem> {
        self.search(samples, phrases, &[])
    }

    /// [`Local::fit`] of the phrases `near` and of those `others` whose beginnings fit; the rest of them score −∞.
    ///
    /// # Errors
    /// As [`Local::hear`].
    pub fn search(
        &self,
        samples: &[f32],
        near: &[String],
        others: &[String],
    ) -> Result<Fit, Problem> {
        let samples = &samples[..samples.len().min(pieces::LONGEST * voice::RATE as usize)];
        let speech = gate::listen(samples).seconds();
        self.with(|loaded| {
            let clip = fingerprint(samples);
            let mut last = match loaded.last.take().filter(|last| last.clip == clip) {
                Some(last) => last,
                None => read(&mut loaded.model, samples, &[])?,
            };
            let tokens = loaded.tokens_of(near.iter().chain(others));
            let (scores, order) =
                follow(&mut loaded.model, &mut last.encoded, &tokens, near, others)?;
            let least = match others {
                [] => f32::NEG_INFINITY,
                _ => best(&scores) - FAR_BEHIND,
            };
            let nothing = loaded.silence(&tokens, &order, |at| scores[at] >= least)?;
            let evidence = loaded.model.evidence(&last.reading)?;
            let own = last.reading.score;
            loaded.last = Some(last);
            Ok(Fit {
                own,
                evidence,
                phrases: scores,
                nothing,
                speech,
            })
        })
    }
}

impl Loaded {
    /// The tokens of phrases, as the model writes them.
    fn tokens_of<'a>(&mut self, phrases: impl Iterator<Item = &'a String>) -> Vec<Vec<u32>> {
        if self.tokens.len() > MOST_KNOWN {
            self.tokens.clear();
            self.nothing.clear();
        }
        let encode = |phrase: &String| match self.tokens.get(phrase) {
            Some(tokens) => tokens.clone(),
            None => {
                let tokens = self.model.tokens().encode(&written(phrase));
                self.tokens.insert(phrase.clone(), tokens.clone());
                tokens
            }
        };
        phrases.map(encode).collect()
    }

    /// What the phrases at `order` score when nobody speaks. Of those that are not `hopeful` only what is known is told.
    fn silence(
        &mut self,
        tokens: &[Vec<u32>],
        order: &[usize],
        hopeful: impl Fn(usize) -> bool,
    ) -> Result<Vec<f32>, Problem> {
        let unknown: Vec<Vec<u32>> = order
            .iter()
            .filter(|&&at| hopeful(at))
            .filter(|&&at| !self.nothing.contains_key(&tokens[at]))
            .map(|&at| tokens[at].clone())
            .collect();
        for group in unknown.chunks(TOGETHER) {
            let scores = self.model.score_silence(group)?;
            self.nothing.extend(group.iter().cloned().zip(scores));
        }
        let mut nothing = vec![0.0; tokens.len()];
        for &at in order {
            nothing[at] = self.nothing.get(&tokens[at]).copied().unwrap_or_default();
        }
        Ok(nothing)
    }
}

/// The scores of phrases (`tokens`: those of `near`, then those of `others`), and the places of those that were followed
/// to their ends.
fn follow(
    model: &mut Model,
    encoded: &mut Encoded,
    tokens: &[Vec<u32>],
    near: &[String],
    others: &[String],
) -> Result<(Vec<f32>, Vec<usize>), Problem> {
    let mut scores = vec![f32::NEG_INFINITY; tokens.len()];
    let begins = match others {
        // Of a few phrases all is asked for.
        [] => Vec::new(),
        _ => model.beginnings(encoded, tokens, near.len())?,
    };
    let mut order = promising(&begins, near, others);
    order.extend(0..near.len());
    let bound = |at: usize| begins.get(at).map_or(0.0, |begin| begin.score);
    // The likeliest first: what is then hopeless by its beginning is not followed to its end.
    order.sort_by(|&a, &b| bound(b).total_cmp(&bound(a)));
    let mut rest = order.split_off(order.len().min(LEADING));
    let mut leading = std::mem::take(&mut order);
    for _ in 0..2 {
        // Those of about one length go together: shorter ones are filled up.
        leading.sort_by_key(|&at| tokens[at].len());
        for group in leading.chunks(TOGETHER) {
            let some: Vec<Vec<u32>> = group.iter().map(|&at| tokens[at].clone()).collect();
            for (&at, score) in group.iter().zip(model.score(encoded, &some)?) {
                scores[at] = score;
            }
        }
        order.append(&mut leading);
        let best = best(&scores);
        leading = std::mem::take(&mut rest);
        if !others.is_empty() {
            leading.retain(|&at| bound(at) >= best - FAR_BEHIND);
        }
    }
    Ok((scores, order))
}

fn best(scores: &[f32]) -> f32 {
    scores.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// The places (behind those of `near`) of the `others` whose beginnings fit best.
fn promising(begins: &[Beginning], near: &[String], others: &[String]) -> Vec<usize> {
    let mut found: Vec<usize> = (near.len()..begins.len())
        .filter(|&at| begins[at].followed)
        .collect();
    found.sort_by(|&a, &b| begins[b].score.total_cmp(&begins[a].score));
    found.truncate(PROMISING);
    found.retain(|&at| !near.contains(&others[at - near.len()]));
    found
}

/// A phrase as the model writes it: with a capital and a full stop or question mark.
fn written(phrase: &str) -> String {
    let phrase = phrase.trim();
    let mut letters = phrase.chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    let asks = ["what", "where", "how", "is ", "are ", "who", "when", "why"];
    let end = match phrase.chars().last() {
        Some('.' | '?' | '!') => "",
        _ if asks
            .iter()
            .any(|word| phrase.to_lowercase().starts_with(word)) =>
        {
            "?"
        }
        _ => ".",
    };
    first.to_uppercase().chain(letters).collect::<String>() + end
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn phrases_are_written_as_the_model_writes() {
        for (phrase, text) in [
            ("commit that", "Commit that."),
            ("what changed", "What changed?"),
            ("is it live", "Is it live?"),
            ("Yes!", "Yes!"),
            ("", ""),
        ] {
            assert_eq!(written(phrase), text);
        }
    }
}
