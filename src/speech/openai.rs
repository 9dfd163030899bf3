//! Any server that speaks OpenAI's transcription API: theirs, or one in the same house.
//!
//! The sound passes the voice-activity gate first: these models invent words for silence even more readily when they
//! are given a vocabulary, and nothing needs to be sent in which nobody speaks.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, StatusCode};
use serde::Deserialize;

use super::{Fit, Transcriber, Transcript};
use crate::model::Problem;
use crate::model::api::SpeechStatus;
use crate::voice::{self, gate, wav};

/// The name of this recogniser.
pub const ENGINE: &str = "openai";

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(20);

/// How long a connection may take; another recogniser may be waiting.
const CONNECT: Duration = Duration::from_secs(4);

/// Where and how to ask.
#[derive(Clone)]
pub struct OpenAiOptions {
    /// The API's address, e.g. `https://api.openai.com/v1`.
    pub base: String,
    /// The key; `None` for servers that want none.
    pub key: Option<String>,
    /// The model, e.g. `whisper-1`.
    pub model: String,
    /// Words that are likely to be said: commands, names of pages and environments.
    pub vocabulary: Vec<String>,
}

// The key never gets into a log.
impl std::fmt::Debug for OpenAiOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenAiOptions")
            .field("base", &self.base)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// A recogniser at the other end of a network.
pub struct OpenAi {
    options: OpenAiOptions,
    client: Client,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: Explanation,
}

#[derive(Deserialize)]
struct Explanation {
    message: String,
}

impl OpenAi {
    /// A recogniser that asks as `options` say.
    ///
    /// # Errors
    /// When this machine cannot make TLS connections.
    pub fn new(options: OpenAiOptions) -> Result<Self, Problem> {
        // Fails only when another part of the program installed one, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .build()
            .map_err(|error| Problem::internal(format!("no HTTPS on this machine: {error}")))?;
        Ok(Self { options, client })
    }

    async fn ask(&self, sound: Vec<u8>) -> Result<String, Problem> {
        let file = Part::bytes(sound)
            .file_name("clip.wav")
            .mime_str("audio/wav")
            .map_err(Problem::internal)?;
        let mut form = Form::new()
            .part("file", file)
            .text("model", self.options.model.clone())
            .text("response_format", "json");
        if !self.options.vocabulary.is_empty() {
            form = form.text("prompt", self.options.vocabulary.join(" "));
        }
        let address = format!(
            "{}/audio/transcriptions",
            self.options.base.trim_end_matches('/')
        );
        let mut request = self.client.post(address).multipart(form);
        if let Some(key) = &self.options.key {
            request = request.bearer_auth(key);
        }
        let response = request
            .send()
            .await
            .map_err(|error| unreachable_server(&self.options.base, &error))?;
        let status = response.status();
        let body = response
            .bytes()
            .await
            .map_err(|error| unreachable_server(&self.options.base, &error))?;
        if status.is_success() {
            let answer: Answer = serde_json::from_slice(&body).map_err(|error| {
                refused(status, &format!("its answer is not understood: {error}"))
            })?;
            return Ok(answer.text.trim().to_owned());
        }
        let said = serde_json::from_slice::<Refusal>(&body).map(|refusal| refusal.error.message);
        Err(refused(
            status,
            said.as_deref().unwrap_or("it gave no reason"),
        ))
    }
}

fn unreachable_server(base: &str, error: &reqwest::Error) -> Problem {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let why = if error.is_timeout() {
        "it did not answer in time".to_owned()
    } else {
        cause.to_string()
    };
    Problem::new(
        502,
        "speech-network",
        format!("cannot reach the speech server {base}: {why}"),
    )
    .hint("check the network, or use the local recogniser (`[speech] engine = \"local\"`)")
}

fn refused(status: StatusCode, why: &str) -> Problem {
    let problem = |kind: &str, hint: &str| {
        Problem::new(
            502,
            kind,
            format!("the speech server refused ({status}): {why}"),
        )
        .hint(hint)
    };
    match status.as_u16() {
        401 | 403 => problem("speech-key", "check the key in OPENAI_API_KEY"),
        429 | 500.. => problem(
            "speech-network",
            "try again later, or use the local recogniser",
        ),
        _ => problem("speech-refused", "check `[speech] model` and `url`"),
    }
}

#[async_trait]
impl Transcriber for OpenAi {
    fn name(&self) -> &'static str {
        ENGINE
    }

    fn status(&self) -> SpeechStatus {
        let message = format!("{} at {}", self.options.model, self.options.base);
        SpeechStatus {
            engine: ENGINE.to_owned(),
            ready: true,
            message,
        }
    }

    fn warm(&self) {}

    async fn ready(&self) -> Result<(), Problem> {
        Ok(())
    }

    async fn transcribe(&self, path: &Path) -> Result<Transcript, Problem> {
        let path = path.to_owned();
        let read = move || -> Result<_, Problem> {
            let samples = wav::read(&path)?;
            let sound = gate::listen(&samples)
                .speech()
                .then(|| wav::encode(&samples));
            Ok((
                voice::seconds(samples.len()),
                sound.transpose().map_err(Problem::internal)?,
            ))
        };
        let (seconds, sound) = tokio::task::spawn_blocking(read)
            .await
            .map_err(Problem::internal)??;
        let mut heard = Transcript {
            text: String::new(),
            seconds,
            millis: 0,
            engine: ENGINE,
            doubtful: false,
        };
        if let Some(sound) = sound {
            let began = Instant::now();
            heard.text = self.ask(sound).await?;
            heard.millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        }
        Ok(heard)
    }
}

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

    /// The transcript names the engine that made it, so whoever shows it can say that it was the second.
    async fn transcribe(&self, path: &Path) -> Result<Transcript, Problem> {
        match self.first.transcribe(path).await {
            Err(problem) if problem.is("speech-network") => {
                tracing::warn!(%problem, "using {} instead", self.second.name());
                self.second.transcribe(path).await.map_err(|second| {
                    let detail = format!("{}; and {}", problem.detail, second.detail);
                    Problem { detail, ..second }
                })
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
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that gives `answer` to one request; returns its address and what it was asked.
    async fn server(answer: String) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut buffer = vec![0; 1 << 16];
            loop {
                let count = stream.read(&mut buffer).await.unwrap();
                request.extend_from_slice(&buffer[..count]);
                let text = String::from_utf8_lossy(&request);
                // The last part is the vocabulary.
                if count == 0 || text.trim_end().ends_with("--") {
                    break;
                }
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            String::from_utf8_lossy(&request).into_owned()
        });
        (base, serving)
    }

    fn http(status: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn ask(base: &str) -> OpenAi {
        let options = OpenAiOptions {
            base: base.to_owned(),
            key: Some("secret".to_owned()),
            model: "whisper-1".to_owned(),
            vocabulary: vec!["Commit that.".to_owned(), "About us".to_owned()],
        };
        assert!(!format!("{options:?}").contains("secret"));
        OpenAi::new(options).unwrap()
    }

    fn yes() -> std::path::PathBuf {
        concat!(env!("CARGO_MANIFEST_DIR"), "/assets/voice/yes.wav").into()
    }

    #[tokio::test]
    async fn the_sound_the_model_and_the_vocabulary_are_sent() {
        let (base, serving) = server(http("200 OK", r#"{"text":" Yes. "}"#)).await;
        let heard = ask(&base).transcribe(&yes()).await.unwrap();
        assert_eq!((heard.text.as_str(), heard.engine), ("Yes.", "openai"));
        let request = serving.await.unwrap();
        assert!(request.starts_with("POST /v1/audio/transcriptions "));
        for wanted in [
            "Bearer secret",
            "whisper-1",
            "Commit that. About us",
            "RIFF",
            "clip.wav",
        ] {
            assert!(request.contains(wanted), "{wanted} is missing");
        }
    }

    #[tokio::test]
    async fn silence_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("silence.wav");
        wav::write(&path, &[0.0; 16_000]).unwrap();
        // Nothing listens there: asking would fail.
        let heard = ask("http://127.0.0.1:9/v1")
            .transcribe(&path)
            .await
            .unwrap();
        assert_eq!(heard.text, "");
    }

    #[tokio::test]
    async fn a_wrong_key_is_said_and_no_reason_to_fall_back() {
        let (base, _serving) = server(http(
            "401 Unauthorized",
            r#"{"error":{"message":"bad key"}}"#,
        ))
        .await;
        let fallback = Fallback::new(Arc::new(ask(&base)), Arc::new(ask("http://127.0.0.1:9/v1")));
        let problem = fallback.transcribe(&yes()).await.unwrap_err();
        assert!(
            problem.is("speech-key") && problem.detail.contains("bad key"),
            "{problem}"
        );
    }

    #[tokio::test]
    async fn the_second_is_asked_when_the_first_is_away() {
        let (base, _serving) = server(http("200 OK", r#"{"text":"Yes."}"#)).await;
        let fallback = Fallback::new(Arc::new(ask("http://127.0.0.1:9/v1")), Arc::new(ask(&base)));
        assert_eq!(fallback.transcribe(&yes()).await.unwrap().text, "Yes.");
    }
}
