//! The model itself: sound to hidden states, hidden states to tokens, and the score of given tokens.
//!
//! Shapes: `N` samples at 16 kHz give `T` states, about 41 a second. The decoder keeps what it computed for earlier
//! tokens (`past_key_values.*`), so each further token costs one small step.

mod draft;
mod search;
mod silence;

pub use search::Beginning;

use draft::Course;

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

/// Samples of what nobody speaks in (2 s).
const NOTHING: usize = RATE as usize * 2;

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
    /// Two seconds of silence and of hiss: what the model says when nobody does.
    nothing: Vec<Encoded>,
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
    first: Option<First>,
}

/// The decoder's step on the token that begins every sequence: the same for whatever follows.
struct First {
    logits: Vec<f32>,
    /// One for each of [`Model::pasts`].
    cache: Vec<DynValue>,
}

impl Encoded {
    /// Seconds of sound, without the appended silence.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }
}

/// What the decoder found the likeliest, token by token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Greedy {
    /// The tokens, without the one that ends them.
    pub tokens: Vec<u32>,
    /// True when it did not end by itself: not to be trusted.
    pub capped: bool,
    /// The natural logarithm of its probability, end included.
    pub score: f32,
    /// The natural logarithm of each token's probability, given those before it.
    pub each: Vec<f32>,
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
        let mut model = Self {
            encoder,
            decoder,
            tokens,
            pasts,
            nothing: Vec::new(),
        };
        for samples in [vec![0.0; NOTHING], hiss(NOTHING)] {
            let mut encoded = model.encode(&samples)?;
            model.begin(&mut encoded)?;
            model.nothing.push(encoded);
        }
        Ok(model)
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
        let seconds = voice::seconds(samples.len());
        Ok(Encoded {
            hidden,
            mask,
            seconds,
            first: None,
        })
    }

    /// The likeliest next token, again and again, until the end or the cap. A `draft` of what comes out, if there is
    /// one, saves the steps of the tokens that are in it.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn greedy(&mut self, encoded: &mut Encoded, draft: &[u32]) -> Result<Greedy, Problem> {
        self.greedy_while(encoded, draft, || true)
    }

    /// The same as long as `go` says so; what was cut off by it counts as capped.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn greedy_while(
        &mut self,
        encoded: &mut Encoded,
        draft: &[u32],
        go: impl Fn() -> bool,
    ) -> Result<Greedy, Problem> {
        let cap = ((encoded.seconds * TOKENS_PER_SECOND).ceil() as usize).max(FEWEST_TOKENS);
        self.begin(encoded)?;
        let first = encoded.first.as_ref().ok_or_else(|| missing("logits"))?;
        let mut path = Course::new(first);
        let draft = &draft[..draft.len().min(cap - 1)];
        // One token is found as quickly without a draft.
        if draft.len() > 1 && draft[0] == path.next {
            self.advance(&mut path, encoded, draft)?;
        }
        while path.next != END {
            if path.reading.tokens.len() + 1 >= cap || !go() {
                path.reading.tokens.push(path.next);
                path.reading.each.push(path.likely);
                path.reading.capped = true;
                break;
            }
            let next = [path.next];
            self.advance(&mut path, encoded, &next)?;
        }
        Ok(path.reading)
    }

    /// For each of `phrases` (tokens) the natural logarithm of the probability that the clip says exactly that and
    /// then ends, with the decoder forced along it (teacher forcing). An empty phrase is as likely as silence.
    ///
    /// All of one call go through the decoder side by side, so a further phrase costs a fraction of the first. Best
    /// with phrases of about one length, as they are filled up to the longest.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn score(
        &mut self,
        encoded: &mut Encoded,
        phrases: &[Vec<u32>],
    ) -> Result<Vec<f32>, Problem> {
        self.begin(encoded)?;
        let first = encoded.first.as_ref().ok_or_else(|| missing("logits"))?;
        let longest = phrases.iter().map(Vec::len).max().unwrap_or_default();
        let begin =
            |phrase: &[u32]| log_probability(&first.logits, phrase.first().copied().unwrap_or(END));
        if longest == 0 {
            return Ok(phrases.iter().map(|phrase| begin(phrase)).collect());
        }
        let count = phrases.len();
        let mut ids = Vec::with_capacity(count * longest);
        for phrase in phrases {
            ids.extend(phrase.iter().copied().map(i64::from));
            ids.extend(std::iter::repeat_n(i64::from(END), longest - phrase.len()));
        }
        let cache = side_by_side(first, count)?;
        let cache: Vec<&DynValue> = cache.iter().collect();
        let inputs = inputs(&self.pasts, encoded, (count, &ids), Some(&cache))?;
        let outputs = self.decoder.run(inputs).map_err(failed)?;
        let logits = outputs.get("logits").ok_or_else(|| missing("logits"))?;
        let (_, logits) = logits.try_extract_tensor::<f32>().map_err(failed)?;
        let width = logits.len() / ids.len();
        let blocks = logits.chunks_exact(width * longest);
        let score = |(phrase, block): (&Vec<u32>, &[f32])| {
            let wanted = phrase.iter().copied().skip(1).chain(std::iter::once(END));
            let rest: f32 = block
                .chunks_exact(width)
                .zip(wanted)
                .map(|(row, token)| log_probability(row, token))
                .sum();
            if phrase.is_empty() {
                begin(phrase)
            } else {
                begin(phrase) + rest
            }
        };
        Ok(phrases.iter().zip(blocks).map(score).collect())
    }

    /// Makes the first step, once for a clip.
    fn begin(&mut self, encoded: &mut Encoded) -> Result<(), Problem> {
        if encoded.first.is_some() {
            return Ok(());
        }
        let ids = [i64::from(BEGIN)];
        let inputs = inputs(&self.pasts, encoded, (1, &ids), None)?;
        let mut outputs = self.decoder.run(inputs).map_err(failed)?;
        let logits = outputs.get("logits").ok_or_else(|| missing("logits"))?;
        let logits = logits
            .try_extract_tensor::<f32>()
            .map_err(failed)?
            .1
            .to_vec();
        let mut cache = Vec::with_capacity(self.pasts.len());
        for past in &self.pasts {
            cache.push(
                outputs
                    .remove(&past.output)
                    .ok_or_else(|| missing(&past.output))?,
            );
        }
        drop(outputs);
        encoded.first = Some(First { logits, cache });
        Ok(())
    }
}

/// Noise of all frequencies, always the same.
fn hiss(count: usize) -> Vec<f32> {
    let mut seed = 1u32;
    let next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((seed >> 8) as f32 / 8_388_608.0 - 1.0) * 0.05
    };
    std::iter::repeat_with(next).take(count).collect()
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

/// The decoder's inputs for `ids` (so many rows of tokens, in one line): after the kept state of earlier steps, or
/// from the beginning.
fn inputs<'a>(
    pasts: &'a [Past],
    encoded: &'a Encoded,
    (rows, ids): (usize, &'a [i64]),
    cache: Option<&[&'a DynValue]>,
) -> Result<Vec<(&'a str, SessionInputValue<'a>)>, Problem> {
    let mut inputs: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(pasts.len() + 4);
    let ids = TensorRef::from_array_view(([rows, ids.len() / rows], ids)).map_err(failed)?;
    inputs.push(("input_ids", ids.into()));
    inputs.push(("encoder_hidden_states", (&encoded.hidden).into()));
    let mask =
        TensorRef::from_array_view(([1, encoded.mask.len()], &encoded.mask[..])).map_err(failed)?;
    inputs.push(("encoder_attention_mask", mask.into()));
    let branch = Tensor::from_array(([1], vec![cache.is_some()])).map_err(failed)?;
    inputs.push(("use_cache_branch", branch.into()));
    for (at, past) in pasts.iter().enumerate() {
        let value: SessionInputValue<'_> = match cache.and_then(|cache| cache.get(at)) {
            Some(&value) => value.into(),
            None => Tensor::from_array((past.empty, Vec::<f32>::new()))
                .map_err(failed)?
                .into(),
        };
        inputs.push((&past.input, value));
    }
    Ok(inputs)
}

/// The kept state of the first step, once for each of `count` rows.
fn side_by_side(first: &First, count: usize) -> Result<Vec<DynValue>, Problem> {
    let mut cache = Vec::with_capacity(first.cache.len());
    for value in &first.cache {
        let (shape, data) = value.try_extract_tensor::<f32>().map_err(failed)?;
        let mut shape = shape.to_vec();
        shape[0] = count as i64;
        cache.push(
            Tensor::from_array((shape, data.repeat(count)))
                .map_err(failed)?
                .into_dyn(),
        );
    }
    Ok(cache)
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
    value - normaliser(row)
}

/// What the log-softmax of `row` takes off each of its values.
fn normaliser(row: &[f32]) -> f32 {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = row.iter().map(|&logit| exp(logit - most)).sum();
    most + sum.ln()
}

/// e to the power of `x` for `x` from −87 to 0, to four digits. The library's own is called once for each of the
/// 32,768 values of a row; this one the compiler does eight at a time.
fn exp(x: f32) -> f32 {
    /// 1.5 × 2²³: adding it leaves the nearest whole number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let twos = x.max(-87.0) * std::f32::consts::LOG2_E;
    let rounded = twos + ROUND;
    let part = (twos - (rounded - ROUND)) * std::f32::consts::LN_2;
    let power = f32::from_bits(
        (rounded
            .to_bits()
            .wrapping_sub(ROUND.to_bits())
            .wrapping_add(127))
            << 23,
    );
    power * (1.0 + part * (1.0 + part * (0.5 + part * (1.0 / 6.0 + part * (1.0 / 24.0)))))
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
    fn the_quick_exponential_is_right() {
        for step in 0..8_700 {
            let x = -(step as f32) / 100.0;
            let (quick, exact) = (exp(x), x.exp());
            assert!(
                (quick - exact).abs() <= exact * 1e-4,
                "{x}: {quick} {exact}"
            );
        }
        assert!(exp(-1e30) < 1e-30);
    }

    #[test]
    fn probabilities_sum_to_one() {
        let row = [1.0, 3.0, -2.0, 0.5];
        let sum: f32 = (0..4).map(|token| log_probability(&row, token).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5);
        assert_eq!(log_probability(&row, 9), f32::NEG_INFINITY);
        assert_eq!(largest(&row), 1);
    }
}
