//! Two recognisers: one that is asked first, and one that stands in when that cannot be reached.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Fit, Transcriber, Transcript};
use crate::model::Problem;
use crate::model::api::SpeechStatus;

/// Asks one recogniser, and another when the first cannot be reached.
pub struct Fallback {
    first: Arc<dyn Transcriber>,
    second: Arc<dyn Transcriber>,
}

impl Fallback {
    /// `first`, or `second` when the network fails.
    pub fn new(first: Arc<dyn Transcriber>, second: Arc<dyn Transcriber>) -> Self {
        Self { first, second }
    }
}

#[async_trait]
impl Transcriber for Fallback {
    fn name(&self) -> &'static str {
        self.first.name()
    }

    fn status(&self) -> SpeechStatus {
        let (first, second) = (self.first.status(), self.second.status());
        let message = format!("{}; without it {}", first.message, second.message);
        SpeechStatus {
            ready: first.ready || second.ready,
            message,
            ..first
        }
    }

    fn warm(&self) {
        self.first.warm();
        self.second.warm();
    }

    async fn ready(&self) -> Result<(), Problem> {
        match self.first.ready().await {
            Ok(()) => Ok(()),
            Err(_) => self.second.ready().await,
        }
    }

    /// A transcript of the second says in its note why the first did not make it.
    async fn transcribe(&self, path: &Path) -> Result<Transcript, Problem> {
        match self.first.transcribe(path).await {
            Err(problem) if problem.is("speech-network") => {
                tracing::warn!(%problem, "using {} instead", self.second.name());
                match self.second.transcribe(path).await {
                    Ok(heard) => Ok(Transcript {
                        note: Some(format!(
                            "{}; recognised by {} instead",
                            problem.detail,
                            self.second.name()
                        )),
                        ..heard
                    }),
                    Err(second) => {
                        let detail = format!("{}; and {}", problem.detail, second.detail);
                        Err(Problem { detail, ..second })
                    }
                }
            }
            result => result,
        }
    }

    async fn fit(&self, path: &Path, phrases: &[String]) -> Result<Option<Fit>, Problem> {
        match self.first.fit(path, phrases).await {
            Ok(None) | Err(_) => self.second.fit(path, phrases).await,
            fit => fit,
        }
    }

    async fn search(
        &self,
        path: &Path,
        near: &[String],
        others: Arc<[String]>,
    ) -> Result<Option<Fit>, Problem> {
        match self.first.search(path, near, Arc::clone(&others)).await {
            Ok(None) | Err(_) => self.second.search(path, near, others).await,
            fit => fit,
        }
    }

    async fn glance(
        &self,
        samples: Vec<f32>,
        stop: Arc<AtomicBool>,
    ) -> Result<Option<String>, Problem> {
        // Only what is on this machine is quick and free enough to be asked again and again.
        self.second.glance(samples, stop).await
    }

    async fn compare(&self, samples: Vec<f32>, texts: Vec<String>) -> Result<Option<Fit>, Problem> {
        // What is overheard stays on this machine.
        self.second.compare(samples, texts).await
    }

    fn hearing(&self) -> Option<watch::Receiver<String>> {
        self.first.hearing()
    }
}
