//! Moonshine on this machine, through ONNX Runtime: offline, one thread, a few hundredths of a second a sentence.
//!
//! The sound of a whole clip goes into the model in one call; the publisher's own splitting by pauses costs words.
//! Only clips longer than [`pieces::LONGEST`] are cut, because the decoder begins to loop on them.

pub mod files;
pub mod model;
mod pieces;
pub mod runtime;
pub mod tempo;
pub mod tokens;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;

use self::files::ModelFiles;
use self::model::Model;
use super::{Transcriber, Transcript};
use crate::model::Problem;
use crate::model::api::SpeechStatus;
use crate::voice::{self, gate, wav};

/// The name of this recogniser.
pub const ENGINE: &str = "moonshine-tiny";

/// Speech shorter than this, in seconds, is taken for an accident.
const SHORTEST_SPEECH: f64 = 0.08;

/// The recogniser of this machine. Cheap to make; the model is loaded by [`Transcriber::warm`] or the first call.
#[derive(Clone)]
pub struct Local {
    inner: Arc<Inner>,
}

struct Inner {
    models: PathBuf,
    loaded: AtomicBool,
    model: Mutex<Option<Model>>,
}

impl Local {
    /// A recogniser whose files are in the folder `models`, where `install` puts them.
    pub fn new(models: impl Into<PathBuf>) -> Self {
        let models = models.into();
        Self {
            inner: Arc::new(Inner {
                models,
                loaded: AtomicBool::new(false),
                model: Mutex::new(None),
            }),
        }
    }

    /// What `samples` (16 kHz mono) say. Blocks: call it where blocking is allowed.
    ///
    /// # Errors
    /// When the model is not installed or cannot be run.
    pub fn hear(&self, samples: &[f32]) -> Result<Transcript, Problem> {
        let seconds = voice::seconds(samples.len());
        let silence = Transcript {
            text: String::new(),
            seconds,
            millis: 0,
            engine: ENGINE,
            doubtful: false,
        };
        let activity = gate::listen(samples);
        if !activity.speech() || activity.seconds() < SHORTEST_SPEECH {
            return Ok(silence);
        }
        self.with_model(|model| {
            let started = Instant::now();
            let (mut text, mut doubtful) = (String::new(), false);
            for piece in pieces::cut(samples) {
                let mut encoded = model.encode(&samples[piece])?;
                let heard = model.greedy(&mut encoded)?;
                doubtful |= heard.capped;
                let words = model.tokens().decode(&heard.tokens);
                if !text.is_empty() && !words.is_empty() {
                    text.push(' ');
                }
                text.push_str(words.trim());
            }
            let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            if is_invented(&text) {
                return Ok(Transcript {
                    millis,
                    doubtful: true,
                    ..silence
                });
            }
            Ok(Transcript {
                text,
                millis,
                doubtful,
                ..silence
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
        let mut slot = self
            .inner
            .model
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let model = match &mut *slot {
            Some(model) => model,
            empty => empty.insert(Model::load(&ModelFiles::find(&self.inner.models)?)?),
        };
        self.inner.loaded.store(true, Ordering::Relaxed);
        work(model)
    }
}

/// What the model says about sound that is no speech but passed the gate.
fn is_invented(text: &str) -> bool {
    let bare = text.trim_matches(|letter: char| !letter.is_alphanumeric());
    bare.is_empty() || bare.eq_ignore_ascii_case("you") || bare.eq_ignore_ascii_case("the")
}

#[async_trait]
impl Transcriber for Local {
    fn name(&self) -> &'static str {
        ENGINE
    }

    fn status(&self) -> SpeechStatus {
        let engine = ENGINE.to_owned();
        if self.inner.loaded.load(Ordering::Relaxed) {
            return SpeechStatus {
                engine,
                ready: true,
                message: "loaded".to_owned(),
            };
        }
        match ModelFiles::find(&self.inner.models) {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_lone_fillers_are_invented() {
        for text in ["", " ", "♪♪♪", "You", "you.", "The", "..."] {
            assert!(is_invented(text), "{text:?}");
        }
        for text in ["Yes.", "You can", "The end"] {
            assert!(!is_invented(text), "{text:?}");
        }
    }

    #[test]
    fn silence_needs_no_model() {
        let nowhere = tempfile::tempdir().unwrap();
        let local = Local::new(nowhere.path());
        let heard = local.hear(&vec![0.0; 16_000]).unwrap();
        assert_eq!(
            (heard.text.as_str(), heard.seconds, heard.doubtful),
            ("", 1.0, false)
        );
    }

    #[tokio::test]
    async fn without_a_model_the_next_step_is_named() {
        let nowhere = tempfile::tempdir().unwrap();
        let local = Local::new(nowhere.path());
        assert!(!local.status().ready);
        assert!(local.status().message.contains("sayso speech install"));
        let problem = local.with_model(|_| Ok(())).unwrap_err();
        assert!(problem.is("speech-not-installed"), "{problem}");
    }
}
