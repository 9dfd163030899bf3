//! Which recogniser is asked, and why: what `[speech] engine` means on this machine.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use tokio::sync::watch;

use super::fallback::Fallback;
use super::local::Local;
use super::local::files::Kind;
use super::openai::{OpenAi, OpenAiOptions};
use super::{Fit, Transcriber, Transcript};
use crate::model::Problem;
use crate::model::api::SpeechStatus;

/// What is wanted, and what there is to do it with.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// `auto`, `local` or `openai`.
    pub engine: String,
    /// The folder of the models on this machine.
    pub models: PathBuf,
    /// The name of the model on this machine.
    pub model: String,
    /// The server, its model, language, key and vocabulary.
    pub server: OpenAiOptions,
}

/// The recogniser that was chosen. Its status tells why.
pub struct Choice {
    inner: Arc<dyn Transcriber>,
    cloud: bool,
    reason: String,
}

impl Choice {
    /// Chooses. Nothing is loaded and nobody is asked for it.
    ///
    /// # Errors
    /// `config` for an engine or model that does not exist, or when this machine cannot make TLS connections.
    pub fn make(wanted: Wanted) -> Result<Self, Problem> {
        let kind = Kind::named(&wanted.model).map_err(|problem| {
            let hint = problem.hint.unwrap_or_default();
            Problem::new(422, "config", format!("[speech] model: {}", problem.detail)).hint(hint)
        })?;
        let local: Arc<dyn Transcriber> = Arc::new(Local::of_kind(&wanted.models, kind));
        let language = wanted.server.language.clone();
        let (cloud, reason) = match wanted.engine.as_str() {
            "local" => (false, "chosen in [speech] engine".to_owned()),
            "openai" => (true, "chosen in [speech] engine".to_owned()),
            "auto" => auto(&wanted, kind, local.status().ready),
            other => {
                let problem = Problem::new(
                    422,
                    "config",
                    format!("there is no speech engine {other:?}"),
                );
                return Err(problem.hint("[speech] engine takes: auto, local, openai"));
            }
        };
        if !cloud && !language.is_empty() && language != kind.language {
            tracing::warn!(
                "[speech] language is {language}, but the model {} knows {}",
                kind.name,
                kind.called
            );
        }
        let inner = if cloud {
            let server = Arc::new(OpenAi::new(wanted.server)?);
            Arc::new(Fallback::new(server, local))
        } else {
            local
        };
        Ok(Self {
            inner,
            cloud,
            reason,
        })
    }

    /// True when sound goes to a server.
    pub fn cloud(&self) -> bool {
        self.cloud
    }

    /// Why this one.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// Whether `auto` means the server, and why.
fn auto(wanted: &Wanted, kind: &Kind, installed: bool) -> (bool, String) {
    let key = wanted.server.key.is_some();
    let language = &wanted.server.language;
    let speaks = language.is_empty() || language == kind.language;
    match (installed, speaks, key) {
        (true, true, _) => (
            false,
            "auto: installed here, so nothing that is said leaves this machine".to_owned(),
        ),
        (true, false, true) => (
            true,
            format!(
                "auto: the model here knows {} only, and OPENAI_API_KEY is set",
                kind.called
            ),
        ),
        (false, _, true) => (
            true,
            "auto: no model is installed here, and OPENAI_API_KEY is set".to_owned(),
        ),
        (true, false, false) => (
            false,
            format!(
                "auto: without OPENAI_API_KEY only the model here, which knows {} only",
                kind.called
            ),
        ),
        (false, _, false) => (
            false,
            "auto: neither a model is installed here nor is OPENAI_API_KEY set".to_owned(),
        ),
    }
}

#[async_trait]
impl Transcriber for Choice {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn status(&self) -> SpeechStatus {
        let status = self.inner.status();
        let message = format!("{} ({})", status.message, self.reason);
        SpeechStatus { message, ..status }
    }

    fn warm(&self) {
        self.inner.warm();
    }

    async fn ready(&self) -> Result<(), Problem> {
        self.inner.ready().await
    }

    async fn transcribe(&self, wav: &std::path::Path) -> Result<Transcript, Problem> {
        self.inner.transcribe(wav).await
    }

    async fn fit(&self, wav: &std::path::Path, phrases: &[String]) -> Result<Option<Fit>, Problem> {
        self.inner.fit(wav, phrases).await
    }

    async fn search(
        &self,
        wav: &std::path::Path,
        near: &[String],
        others: Arc<[String]>,
    ) -> Result<Option<Fit>, Problem> {
        self.inner.search(wav, near, others).await
    }

    async fn glance(
        &self,
        samples: Vec<f32>,
        stop: Arc<AtomicBool>,
    ) -> Result<Option<String>, Problem> {
        self.inner.glance(samples, stop).await
    }

    async fn compare(&self, samples: Vec<f32>, texts: Vec<String>) -> Result<Option<Fit>, Problem> {
        self.inner.compare(samples, texts).await
    }

    fn hearing(&self) -> Option<watch::Receiver<String>> {
        self.inner.hearing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::openai::Vocabulary;

    fn wanted(engine: &str, key: bool, language: &str) -> Wanted {
        Wanted {
            engine: engine.to_owned(),
            models: PathBuf::from("/nowhere"),
            model: "tiny-en".to_owned(),
            server: OpenAiOptions {
                base: "http://127.0.0.1:9/v1".to_owned(),
                key: key.then(|| "secret".to_owned()),
                model: "whisper-1".to_owned(),
                language: language.to_owned(),
                stream: true,
                vocabulary: Vocabulary::default(),
            },
        }
    }

    #[test]
    fn auto_keeps_sound_here_where_it_can_and_says_why() {
        let english = Kind::named("tiny-en").unwrap();
        for (installed, language, key, cloud, why) in [
            (true, "", true, false, "leaves this machine"),
            (true, "en", true, false, "leaves this machine"),
            (true, "de", true, true, "knows English only"),
            (true, "de", false, false, "without OPENAI_API_KEY"),
            (false, "", true, true, "no model is installed"),
            (false, "", false, false, "neither"),
        ] {
            let (chosen, reason) = auto(&wanted("auto", key, language), english, installed);
            assert_eq!(chosen, cloud, "{reason}");
            assert!(reason.contains(why), "{reason}");
        }
    }

    #[test]
    fn the_status_names_the_reason_and_a_wrong_name_the_right_ones() {
        let choice = Choice::make(wanted("auto", true, "")).unwrap();
        assert_eq!(choice.name(), "openai");
        assert!(choice.status().message.contains("OPENAI_API_KEY is set"));
        let choice = Choice::make(wanted("local", true, "")).unwrap();
        assert_eq!(choice.name(), "moonshine-tiny");
        let problem = Choice::make(wanted("whisper", false, "")).err().unwrap();
        assert!(problem.is("config") && problem.hint.unwrap().contains("openai"));
        let strange = Wanted {
            model: "huge".to_owned(),
            ..wanted("local", false, "")
        };
        let problem = Choice::make(strange).err().unwrap();
        assert!(problem.is("config") && problem.hint.unwrap().contains("base-es"));
    }
}
