//! The model itself: sound to hidden states, hidden states to tokens, and the score of given tokens.
//!
//! Shapes: `N` samples at 16 kHz give `T` states, about 41 a second. The decoder keeps what it computed for earlier
//! tokens (`past_key_values.*`), so each further token costs one small step.

use std::fs;
use std::path::Path;

use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, Tensor, TensorRef};

use super::files::ModelFiles;
use super::runtime;
use super::tokens::{BEGIN, END, Tokens};
use crate::model::Problem;
use crate::voice::{self, RATE};

/// Silence appended to every clip, in samples (300 ms): without it one clip in twenty loops.
const TAIL: usize = RATE as usize * 3 / 10;

/// Tokens a second that speech never exceeds; more is a loop.
const TOKENS_PER_SECOND: f64 = 6.5;

/// Tokens that even the shortest clip may have: a tight "Commit that." needs five in half a second.
const FEWEST_TOKENS: usize = 12;

/// The loaded model.
pub struct Model {
    encoder: Session,
    decoder: Session,
    tokens: Tokens,
    pasts: Vec<Past>,
}

/// One of the tensors that the decoder hands to its next step.
struct Past {
    /// Name as an input.
    input: String,
    /// Name as an output.
    output: String,
    /// True for those of the decoder's own tokens, which grow with each step; the others stay as the first step made them.
    grows: bool,
    /// Its shape with no tokens: `[1, heads, 0, width]`.
    empty: [usize; 4],
}

/// A clip after the encoder.
pub struct Encoded {
    hidden: DynValue,
    mask: Vec<i64>,
    seconds: f64,
}

impl Encoded {
    /// Seconds of sound, without the appended silence.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }
}

/// What the decoder found the likeliest, token by token.
#[derive(Clone, Debug, PartialEq)]
pub struct Greedy {
    /// The tokens, without the one that ends them.
    pub tokens: Vec<u32>,
    /// True when it did not end by itself: not to be trusted.
    pub capped: bool,
}

impl Model {
    /// Loads the model. Takes a third of a second.
    ///
    /// # Errors
    /// When a file is missing or damaged, or the runtime refuses it.
    pub fn load(files: &ModelFiles) -> Result<Self, Problem> {
        let vocabulary = fs::read(&files.vocabulary).map_err(|error| {
            Problem::internal(format!(
                "cannot read {}: {error}",
                files.vocabulary.display()
            ))
        })?;
        let tokens = Tokens::read(&vocabulary)?;
        let encoder = session(&files.runtime, &files.encoder)?;
        let decoder = session(&files.runtime, &files.decoder)?;
        let pasts = decoder
            .inputs()
            .iter()
            .filter(|input| input.name().starts_with("past_key_values."))
            .map(|input| {
                let shape = input
                    .dtype()
                    .tensor_shape()
                    .map(|shape| shape.to_vec())
                    .unwrap_or_default();
                let size = |at: usize| {
                    shape
                        .get(at)
                        .and_then(|&size| usize::try_from(size).ok())
                        .unwrap_or(1)
                };
                Past {
                    input: input.name().to_owned(),
                    output: input.name().replacen("past_key_values", "present", 1),
                    grows: input.name().contains(".decoder."),
                    empty: [1, size(1), 0, size(3)],
                }
            })
            .collect();
        Ok(Self {
            encoder,
            decoder,
            tokens,
            pasts,
        })
    }

    /// The vocabulary.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Runs the encoder over `samples` (16 kHz mono, −1 to 1), which may be empty.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn encode(&mut self, samples: &[f32]) -> Result<Encoded, Problem> {
        let mut sound = Vec::with_capacity(samples.len() + TAIL);
        sound.extend_from_slice(samples);
        sound.resize(samples.len() + TAIL, 0.0);
        let length = sound.len();
        let mask = vec![1i64; length];
        let inputs = ort::inputs![
            "input_values" => Tensor::from_array(([1, length], sound)).map_err(failed)?,
            "attention_mask" => TensorRef::from_array_view(([1, length], &mask[..])).map_err(failed)?,
        ];
        let mut outputs = self.encoder.run(inputs).map_err(failed)?;
        let hidden = outputs
            .remove("last_hidden_state")
            .ok_or_else(|| missing("last_hidden_state"))?;
        drop(outputs);
        Ok(Encoded {
            hidden,
            mask,
            seconds: voice::seconds(samples.len()),
        })
    }

    /// The likeliest next token, again and again, until the end or the cap.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn greedy(&mut self, encoded: &Encoded) -> Result<Greedy, Problem> {
        let cap = ((encoded.seconds * TOKENS_PER_SECOND).ceil() as usize).max(FEWEST_TOKENS);
        let mut tokens: Vec<u32> = Vec::new();
        let mut cache: Vec<DynValue> = Vec::new();
        while tokens.len() < cap {
            let last = [i64::from(tokens.last().copied().unwrap_or(BEGIN))];
            let first = cache.is_empty();
            let inputs = inputs(&self.pasts, encoded, &last, (!first).then_some(&cache))?;
            let mut outputs = self.decoder.run(inputs).map_err(failed)?;
            let next = {
                let logits = outputs.get("logits").ok_or_else(|| missing("logits"))?;
                let (_, logits) = logits.try_extract_tensor::<f32>().map_err(failed)?;
                largest(logits)
            };
            if next == END {
                return Ok(Greedy {
                    tokens,
                    capped: false,
                });
            }
            tokens.push(next);
            let mut kept = Vec::with_capacity(self.pasts.len());
            for past in &self.pasts {
                let value = outputs
                    .remove(&past.output)
                    .ok_or_else(|| missing(&past.output))?;
                kept.push(value);
            }
            if first {
                cache = kept;
            } else {
                // Later steps return nothing of use for the encoder's part.
                for ((old, new), past) in cache.iter_mut().zip(kept).zip(&self.pasts) {
                    if past.grows {
                        *old = new;
                    }
                }
            }
        }
        Ok(Greedy {
            tokens,
            capped: true,
        })
    }

    /// The natural logarithm of the probability that the clip says exactly `tokens` and then ends,
    /// from one pass with the decoder forced along them (teacher forcing).
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn score(&mut self, encoded: &Encoded, tokens: &[u32]) -> Result<f32, Problem> {
        let ids: Vec<i64> = std::iter::once(BEGIN)
            .chain(tokens.iter().copied())
            .map(i64::from)
            .collect();
        let inputs = inputs(&self.pasts, encoded, &ids, None)?;
        let outputs = self.decoder.run(inputs).map_err(failed)?;
        let logits = outputs.get("logits").ok_or_else(|| missing("logits"))?;
        let (_, logits) = logits.try_extract_tensor::<f32>().map_err(failed)?;
        let wanted = tokens.iter().copied().chain(std::iter::once(END));
        let rows = logits.chunks_exact(logits.len() / ids.len());
        Ok(rows
            .zip(wanted)
            .map(|(row, token)| log_probability(row, token))
            .sum())
    }
}

/// Opens a model file: one thread, no spinning, as the person's own build needs the other cores.
fn session(library: &Path, file: &Path) -> Result<Session, Problem> {
    let environment = runtime::environment(library)?;
    let damaged = |why: String| {
        Problem::new(
            503,
            "speech-model",
            format!("cannot load {}: {why}", file.display()),
        )
        .hint("run `sayso speech install` again")
    };
    Session::builder(&environment)
        .and_then(|builder| {
            Ok(builder
                .with_intra_threads(1)?
                .with_intra_op_spinning(false)?)
        })
        .and_then(|mut builder| builder.commit_from_file(file))
        .map_err(|error| damaged(error.to_string()))
}

/// The decoder's inputs for the tokens `ids`: after the kept state of earlier steps, or from the beginning.
fn inputs<'a>(
    pasts: &'a [Past],
    encoded: &'a Encoded,
    ids: &'a [i64],
    cache: Option<&'a Vec<DynValue>>,
) -> Result<Vec<(&'a str, SessionInputValue<'a>)>, Problem> {
    let mut inputs: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(pasts.len() + 4);
    inputs.push((
        "input_ids",
        TensorRef::from_array_view(([1, ids.len()], ids))
            .map_err(failed)?
            .into(),
    ));
    inputs.push(("encoder_hidden_states", (&encoded.hidden).into()));
    let mask =
        TensorRef::from_array_view(([1, encoded.mask.len()], &encoded.mask[..])).map_err(failed)?;
    inputs.push(("encoder_attention_mask", mask.into()));
    let branch = Tensor::from_array(([1], vec![cache.is_some()])).map_err(failed)?;
    inputs.push(("use_cache_branch", branch.into()));
    for (at, past) in pasts.iter().enumerate() {
        let value: SessionInputValue<'_> = match cache.and_then(|cache| cache.get(at)) {
            Some(value) => value.into(),
            None => Tensor::from_array((past.empty, Vec::<f32>::new()))
                .map_err(failed)?
                .into(),
        };
        inputs.push((&past.input, value));
    }
    Ok(inputs)
}

/// The place of the largest value.
fn largest(logits: &[f32]) -> u32 {
    let mut best = (0, f32::NEG_INFINITY);
    for (at, &value) in (0u32..).zip(logits) {
        if value > best.1 {
            best = (at, value);
        }
    }
    best.0
}

/// The log-softmax of `row` at `token`.
fn log_probability(row: &[f32], token: u32) -> f32 {
    let Some(&value) = row.get(token as usize) else {
        return f32::NEG_INFINITY;
    };
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = row.iter().map(|&logit| (logit - most).exp()).sum();
    value - most - sum.ln()
}

fn failed(error: ort::Error) -> Problem {
    Problem::internal(format!("speech recognition failed: {error}"))
}

fn missing(output: &str) -> Problem {
    Problem::internal(format!("the speech model has no output {output}"))
        .hint("run `sayso speech install` again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one() {
        let row = [1.0, 3.0, -2.0, 0.5];
        let sum: f32 = (0..4).map(|token| log_probability(&row, token).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5);
        assert_eq!(log_probability(&row, 9), f32::NEG_INFINITY);
        assert_eq!(largest(&row), 1);
    }
}
