//! WAV in, words out.
//!
//! A [`Transcriber`] is one recogniser. `local` runs Moonshine on this machine; others come as new files.

pub mod choice;
pub mod fallback;
pub mod install;
pub mod local;
pub mod openai;
pub mod partial;
pub mod wake;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::model::Problem;
use crate::model::api::SpeechStatus;

/// A word of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// The word as written, punctuation included.
    pub text: String,
    /// How likely it was said, given the words before it: 0 to 1.
    pub certainty: f32,
}

/// What a recogniser heard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    /// The words; empty when no speech was heard.
    pub text: String,
    /// Seconds of sound.
    pub seconds: f64,
    /// Milliseconds spent (the model's loading not counted).
    pub millis: u64,
    /// The recogniser's name.
    pub engine: &'static str,
    /// True when the text should not be trusted (token cap reached, only symbols).
    pub doubtful: bool,
    /// The words of [`Transcript::text`] one by one; none when the recogniser tells no certainty.
    pub words: Vec<Word>,
    /// What people should know about how it came about, e.g. that another recogniser was asked.
    pub note: Option<String>,
}

/// How well known phrases fit a clip. Scores are natural logarithms of probabilities.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The score of what was read freely. A phrase within a few of it is as good a reading.
    pub own: f32,
    /// By how much the free reading is likelier with the clip than when nobody speaks.
    pub evidence: f32,
    /// The scores of the phrases, in their order.
    pub phrases: Vec<f32>,
    /// What the same phrases score when nobody speaks: how readily they are written without any reason.
    pub nothing: Vec<f32>,
    /// Seconds of speech in the clip.
    pub speech: f64,
}

/// A recogniser.
#[async_trait]
pub trait Transcriber: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Whether it is ready, and what to do if not. Cheap: no model is loaded for it.
    fn status(&self) -> SpeechStatus;

    /// Begins loading in the background, so that the first call is as fast as later ones.
    fn warm(&self);

    /// Loads now and returns when that is done; at once when it was loaded before.
    ///
    /// # Errors
    /// When the engine is missing or cannot be loaded.
    async fn ready(&self) -> Result<(), Problem>;

    /// Transcribes a 16-bit PCM or float WAV file of any rate and channel count.
    ///
    /// # Errors
    /// A [`Problem`] when the file is no sound, the engine is missing, or it fails.
    /// Silence is no error: the text is then empty.
    async fn transcribe(&self, wav: &Path) -> Result<Transcript, Problem>;

    /// How well each of `phrases` (as people say them, without punctuation) fits the clip; `None` when this recogniser
    /// cannot tell. Cheap right after [`Transcriber::transcribe`] of the same file.
    ///
    /// # Errors
    /// As [`Transcriber::transcribe`].
    async fn fit(&self, _wav: &Path, _phrases: &[String]) -> Result<Option<Fit>, Problem> {
        Ok(None)
    }

    /// [`Transcriber::fit`] of the phrases `near` and, after them, `others`, of which only those are followed whose
    /// beginnings fit the clip: the rest score −∞. So a table of hundreds is searched at the cost of a few.
    ///
    /// # Errors
    /// As [`Transcriber::transcribe`].
    async fn search(
        &self,
        wav: &Path,
        near: &[String],
        _others: Arc<[String]>,
    ) -> Result<Option<Fit>, Problem> {
        self.fit(wav, near).await
    }

    /// A quick look at what `samples` (16 kHz mono), the beginning of a clip that is still being spoken, say so far.
    /// `None` when there is nothing to show. Never loads a model, never keeps another call waiting, and gives up once
    /// `stop` is true.
    ///
    /// # Errors
    /// When the engine fails.
    async fn glance(
        &self,
        _samples: Vec<f32>,
        _stop: Arc<AtomicBool>,
    ) -> Result<Option<String>, Problem> {
        Ok(None)
    }

    /// How well each of `texts` (as people say them) fits `samples` (16 kHz mono); `None` when this recogniser cannot
    /// tell.
    ///
    /// # Errors
    /// When the engine fails.
    async fn compare(
        &self,
        _samples: Vec<f32>,
        _texts: Vec<String>,
    ) -> Result<Option<Fit>, Problem> {
        Ok(None)
    }

    /// The words of the clip being transcribed, as far as they have come, for recognisers that send them one by one.
    fn hearing(&self) -> Option<watch::Receiver<String>> {
        None
    }
}
