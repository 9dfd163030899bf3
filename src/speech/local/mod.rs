//! Moonshine on this machine, through ONNX Runtime: offline, one thread, a few hundredths of a second a sentence.
//!
//! The sound of a whole clip goes into the model in one call; the publisher's own splitting by pauses costs words.
//! Only clips longer than [`pieces::LONGEST`] are cut, because the decoder begins to loop on them.

pub mod ending;
pub mod files;
mod glance;
pub mod judge;
pub mod model;
mod pieces;
mod reading;
pub mod runtime;
pub mod tempo;
pub mod tokens;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;

use self::files::{KINDS, Kind, ModelFiles};
use self::judge::Verdict;
use self::model::{Beginning, Encoded, Greedy, Model};

use super::{Fit, Transcriber, Transcript};
use crate::model::Problem;
use crate::model::api::SpeechStatus;
use crate::voice::{self, gate, wav};

/// Phrases that go through the decoder side by side.
const TOGETHER: usize = 8;

/// Phrases that are followed to their end before it is known which are hopeless.
const LEADING: usize = 6;

/// Phrases that are followed to their end besides those that are near by their words.
const PROMISING: usize = 6;

/// Phrases whose tokens are kept.
const MOST_KNOWN: usize = 4_000;

/// A reading that scores less, and less for each token, is tried again in another way.
const SURE: f32 = -1.5;
const SURE_TOKEN: f32 = -0.25;

/// One that scores less even so is tried a third time.
const GARBLED: f32 = -3.5;
const GARBLED_TOKEN: f32 = -0.5;

/// Seconds up to which a clip is read a third time, and a second time.
const SHORT: f64 = 2.3;
const LONG: f64 = 12.0;

/// Phrases that score by this much less than the best are not compared any further.
const FAR_BEHIND: f32 = 14.0;

/// Samples of silence in front of a clip that let the encoder's frames fall elsewhere (70 ms).
const SHIFT: usize = voice::RATE as usize * 7 / 100;

/// The recogniser of this machine. Cheap to make; the model is loaded by [`Transcriber::warm`] or the first call.
#[derive(Clone)]
pub struct Local {
    inner: Arc<Inner>,
}

struct Inner {
    models: PathBuf,
    kind: &'static Kind,
    loaded: AtomicBool,
    slot: Mutex<Option<Loaded>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let slot = self.slot.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = slot.take() {
            match ending::DOOR.enter() {
                Ok(_inside) => drop(loaded),
                // The library is being taken apart; the memory goes with the process.
                Err(_) => std::mem::forget(loaded),
            }
        }
    }
}

struct Loaded {
    model: Model,
    /// The tokens of phrases that were asked for: a table of some hundreds comes again with every clip.
    tokens: HashMap<String, Vec<u32>>,
    /// What phrases (tokens) score when nobody speaks.
    nothing: HashMap<Vec<u32>, f32>,
    /// The last clip, because its words are asked for first and the fit of phrases right after.
    last: Option<Last>,
}

struct Last {
    clip: u64,
    encoded: Encoded,
    reading: Greedy,
}

impl Local {
    /// A recogniser whose files are in the folder `models`, where `install` puts them.
    pub fn new(models: impl Into<PathBuf>) -> Self {
        Self::of_kind(models, &KINDS[0])
    }

    /// The same with another model.
    pub fn of_kind(models: impl Into<PathBuf>, kind: &'static Kind) -> Self {
        let (models, loaded, slot) = (models.into(), AtomicBool::new(false), Mutex::new(None));
        Self {
            inner: Arc::new(Inner {
                models,
                kind,
                loaded,
                slot,
            }),
        }
    }

    /// What `samples` (16 kHz mono) say. Blocks: call it where blocking is allowed.
    ///
    /// # Errors
    /// When the model is not installed or cannot be run.
    pub fn hear(&self, samples: &[f32]) -> Result<Transcript, Problem> {
        let seconds = voice::seconds(samples.len());
        let mut heard = Transcript {
            text: String::new(),
            seconds,
            engine: self.inner.kind.engine,
            ..Transcript::default()
        };
        if !gate::listen(samples).speech() {
            return Ok(heard);
        }
        self.with(|loaded| {
            let started = Instant::now();
            let mut words = Vec::new();
            for piece in pieces::cut(samples) {
                let last = read(&mut loaded.model, &samples[piece])?;
                let model = &mut loaded.model;
                let text = model.tokens().decode(&last.reading.tokens);
                let verdict = if self.inner.kind.language == "en" {
                    judge::judge(&text, &last.reading, || model.evidence(&last.reading))?
                } else if last.reading.capped {
                    // What gives invented text away was measured in English only.
                    Verdict::Doubtful
                } else {
                    Verdict::Said
                };
                heard.doubtful |= verdict != Verdict::Said;
                if verdict != Verdict::Invented {
                    heard
                        .words
                        .extend(reading::words(model.tokens(), &last.reading));
                    words.push(text);
                }
                loaded.last = Some(last);
            }
            heard.text = words.join(" ");
            heard.millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            Ok(heard)
        })
    }

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
                None => read(&mut loaded.model, samples)?,
            };
            let model = &mut loaded.model;
            if loaded.tokens.len() > MOST_KNOWN {
                loaded.tokens.clear();
                loaded.nothing.clear();
            }
            let mut encode = |phrase: &String| match loaded.tokens.get(phrase) {
                Some(tokens) => tokens.clone(),
                None => {
                    let tokens = model.tokens().encode(&written(phrase));
                    loaded.tokens.insert(phrase.clone(), tokens.clone());
                    tokens
                }
            };
            let tokens: Vec<Vec<u32>> = near.iter().chain(others).map(&mut encode).collect();
            let mut scores = vec![f32::NEG_INFINITY; tokens.len()];
            let mut nothing = vec![0.0; tokens.len()];
            let begins = match others {
                // Of a few phrases all is asked for.
                [] => Vec::new(),
                _ => model.beginnings(&mut last.encoded, &tokens, near.len())?,
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
                    for (&at, score) in group.iter().zip(model.score(&mut last.encoded, &some)?) {
                        scores[at] = score;
                    }
                }
                order.append(&mut leading);
                let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                leading = std::mem::take(&mut rest);
                if !others.is_empty() {
                    leading.retain(|&at| bound(at) >= best - FAR_BEHIND);
                }
            }
            let least = match others {
                [] => f32::NEG_INFINITY,
                _ => scores.iter().copied().fold(f32::NEG_INFINITY, f32::max) - FAR_BEHIND,
            };
            let unknown: Vec<Vec<u32>> = order
                .iter()
                .filter(|&&at| scores[at] >= least)
                .filter(|&&at| !loaded.nothing.contains_key(&tokens[at]))
                .map(|&at| tokens[at].clone())
                .collect();
            for group in unknown.chunks(TOGETHER) {
                let scores = model.score_silence(group)?;
                loaded.nothing.extend(group.iter().cloned().zip(scores));
            }
            for &at in &order {
                nothing[at] = loaded.nothing.get(&tokens[at]).copied().unwrap_or_default();
            }
            let evidence = model.evidence(&last.reading)?;
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

    /// Runs `work` with the model, which is loaded first if it is not yet. One caller at a time.
    ///
    /// # Errors
    /// When the model cannot be loaded, or those of `work`.
    pub fn with_model<T>(
        &self,
        work: impl FnOnce(&mut Model) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.with(|loaded| work(&mut loaded.model))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Loaded) -> Result<T, Problem>) -> Result<T, Problem> {
        let _inside = ending::DOOR.enter()?;
        let mut slot = self
            .inner
            .slot
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let loaded = match &mut *slot {
            Some(loaded) => loaded,
            empty => {
                let model = Model::load(&ModelFiles::find_in(
                    &self.inner.models,
                    self.inner.kind.folder,
                )?)?;
                empty.insert(Loaded {
                    model,
                    tokens: HashMap::new(),
                    nothing: HashMap::new(),
                    last: None,
                })
            }
        };
        self.inner.loaded.store(true, Ordering::Relaxed);
        work(loaded)
    }
}

/// Reads a clip. A reading that is not sure of itself is compared with those of the same sound shifted and slowed,
/// and the likeliest is taken. Each further reading takes as long as the first, so only what is very doubtful and short
/// gets a third.
fn read(model: &mut Model, samples: &[f32]) -> Result<Last, Problem> {
    let mut best = decode(model, samples, samples)?;
    let seconds = voice::seconds(samples.len());
    for other in 0..2 {
        let varied = match other {
            0 if seconds < LONG && doubtful(&best.reading, SURE, SURE_TOKEN) => {
                [&vec![0.0; SHIFT], samples].concat()
            }
            1 if seconds < SHORT && doubtful(&best.reading, GARBLED, GARBLED_TOKEN) => {
                tempo::stretch(samples, 0.85)
            }
            _ => break,
        };
        let again = decode(model, samples, &varied)?;
        let better = again.reading.score > best.reading.score && !again.reading.capped;
        if better || (best.reading.capped && !again.reading.capped) {
            best = again;
        }
    }
    Ok(best)
}

/// Whether a reading scores less than `all` together and than `each` of its tokens on average.
fn doubtful(reading: &Greedy, all: f32, each: f32) -> bool {
    let tokens = (reading.tokens.len() + 1) as f32;
    reading.capped || (reading.score < all && reading.score / tokens < each)
}

fn decode(model: &mut Model, clip: &[f32], samples: &[f32]) -> Result<Last, Problem> {
    let mut encoded = model.encode(samples)?;
    let reading = model.greedy(&mut encoded)?;
    Ok(Last {
        clip: fingerprint(clip),
        encoded,
        reading,
    })
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

/// A number that another clip does not have.
fn fingerprint(samples: &[f32]) -> u64 {
    let mut hasher = DefaultHasher::new();
    samples.len().hash(&mut hasher);
    for sample in samples {
        sample.to_bits().hash(&mut hasher);
    }
    hasher.finish()
}

#[async_trait]
impl Transcriber for Local {
    fn name(&self) -> &'static str {
        let Kind { engine, .. } = self.inner.kind;
        engine
    }

    fn status(&self) -> SpeechStatus {
        let engine = self.inner.kind.engine.to_owned();
        if self.inner.loaded.load(Ordering::Relaxed) {
            return SpeechStatus {
                engine,
                ready: true,
                message: "loaded".to_owned(),
            };
        }
        match ModelFiles::find_in(&self.inner.models, self.inner.kind.folder) {
            Ok(_) => SpeechStatus {
                engine,
                ready: true,
                message: "installed".to_owned(),
            },
            Err(problem) => SpeechStatus {
                engine,
                ready: false,
                message: problem.to_string(),
            },
        }
    }

    fn warm(&self) {
        let local = self.clone();
        let spawned = std::thread::Builder::new()
            .name("speech-load".to_owned())
            .spawn(move || {
                if let Err(problem) = local.with_model(|_| Ok(())) {
                    tracing::info!(%problem, "the speech model was not loaded ahead");
                }
            });
        if let Err(error) = spawned {
            tracing::warn!(%error, "cannot load the speech model ahead");
        }
    }

    async fn ready(&self) -> Result<(), Problem> {
        let local = self.clone();
        tokio::task::spawn_blocking(move || local.with_model(|_| Ok(())))
            .await
            .map_err(|error| Problem::internal(format!("the recogniser stopped: {error}")))?
    }

    async fn transcribe(&self, wav: &Path) -> Result<Transcript, Problem> {
        let (local, path) = (self.clone(), wav.to_owned());
        tokio::task::spawn_blocking(move || local.hear(&wav::read(&path)?))
            .await
            .map_err(|error| Problem::internal(format!("the recogniser stopped: {error}")))?
    }

    async fn fit(&self, wav: &Path, phrases: &[String]) -> Result<Option<Fit>, Problem> {
        let (local, path, phrases) = (self.clone(), wav.to_owned(), phrases.to_vec());
        tokio::task::spawn_blocking(move || local.fit(&wav::read(&path)?, &phrases).map(Some))
            .await
            .map_err(|error| Problem::internal(format!("the recogniser stopped: {error}")))?
    }

    async fn compare(&self, samples: Vec<f32>, texts: Vec<String>) -> Result<Option<Fit>, Problem> {
        let local = self.clone();
        tokio::task::spawn_blocking(move || local.fit(&samples, &texts).map(Some))
            .await
            .map_err(|error| Problem::internal(format!("the recogniser stopped: {error}")))?
    }

    async fn glance(
        &self,
        samples: Vec<f32>,
        stop: Arc<AtomicBool>,
    ) -> Result<Option<String>, Problem> {
        let local = self.clone();
        tokio::task::spawn_blocking(move || local.look(&samples, &stop))
            .await
            .map_err(|error| Problem::internal(format!("the recogniser stopped: {error}")))?
    }

    async fn search(
        &self,
        wav: &Path,
        near: &[String],
        others: Arc<[String]>,
    ) -> Result<Option<Fit>, Problem> {
        let (local, path, near) = (self.clone(), wav.to_owned(), near.to_vec());
        tokio::task::spawn_blocking(move || {
            local.search(&wav::read(&path)?, &near, &others).map(Some)
        })
        .await
        .map_err(|error| Problem::internal(format!("the recogniser stopped: {error}")))?
    }
}

#[cfg(test)]
mod tests;
