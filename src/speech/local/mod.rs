//! Moonshine on this machine, through ONNX Runtime: offline, one thread, a few hundredths of a second a sentence.
//!
//! The sound of a whole clip goes into the model in one call; the publisher's own splitting by pauses costs words.
//! Only clips longer than [`pieces::LONGEST`] are cut, because the decoder begins to loop on them.

mod ahead;
pub mod ending;
pub mod files;
mod fit;
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

use self::ahead::Ahead;
use self::files::{KINDS, Kind, ModelFiles};
use self::judge::Verdict;
use self::model::{Encoded, Greedy, Model};

use super::{Fit, Transcriber, Transcript};
use crate::model::Problem;
use crate::model::api::SpeechStatus;
use crate::voice::{self, gate, wav};

/// A reading that scores less, and less for each token, is tried again in another way.
const SURE: f32 = -1.5;
const SURE_TOKEN: f32 = -0.25;

/// One that scores less even so is tried a third time.
const GARBLED: f32 = -3.5;
const GARBLED_TOKEN: f32 = -0.5;

/// Seconds up to which a clip is read a third time, and a second time.
const SHORT: f64 = 2.3;
const LONG: f64 = 12.0;

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
    /// What the latest look at an unfinished clip read.
    ahead: Option<Ahead>,
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
                let draft = loaded.ahead.as_ref().filter(|_| piece.start == 0);
                let draft = draft.map_or(&[][..], |ahead| ahead.tokens(samples));
                let last = read(&mut loaded.model, &samples[piece], draft)?;
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
                    ahead: None,
                })
            }
        };
        self.inner.loaded.store(true, Ordering::Relaxed);
        work(loaded)
    }
}

/// Reads a clip. A reading that is not sure of itself is compared with those of the same sound shifted and slowed,
/// and the likeliest is taken. Each further reading takes as long as the first, so only what is very doubtful and short
/// gets a third. A `draft` of the words saves time and changes nothing.
fn read(model: &mut Model, samples: &[f32], draft: &[u32]) -> Result<Last, Problem> {
    let mut best = decode(model, samples, samples, draft)?;
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
        let again = decode(model, samples, &varied, &best.reading.tokens)?;
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

fn decode(
    model: &mut Model,
    clip: &[f32],
    samples: &[f32],
    draft: &[u32],
) -> Result<Last, Problem> {
    let mut encoded = model.encode(samples)?;
    let reading = model.greedy(&mut encoded, draft)?;
    Ok(Last {
        clip: fingerprint(clip),
        encoded,
        reading,
    })
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
