//! Any server that speaks OpenAI's transcription API: theirs, or one in the same house.
//!
//! The sound passes the voice-activity gate first: these models invent words for silence even more readily when they
//! are given a vocabulary, and nothing needs to be sent in which nobody speaks.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt;
use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use tokio::sync::watch;

use super::{Transcriber, Transcript};
use crate::model::Problem;
use crate::model::api::SpeechStatus;
use crate::voice::{self, gate, wav};

/// The name of this recogniser.
pub const ENGINE: &str = "openai";

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(20);

/// How long a connection may take; another recogniser may be waiting.
const CONNECT: Duration = Duration::from_secs(4);

/// The longest vocabulary in characters: these models read the last 224 tokens of it and no more.
const VOCABULARY: usize = 800;

/// The longest answer in bytes: far more than anybody says in one clip.
const LONGEST: usize = 1 << 20;

/// Words that are likely to be said. Shared, as more of them become known while the program runs.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary(Arc<RwLock<Vec<String>>>);

impl Vocabulary {
    /// These words.
    pub fn new(words: Vec<String>) -> Self {
        Self(Arc::new(RwLock::new(words)))
    }

    /// Adds `words` to the others.
    pub fn add(&self, words: impl IntoIterator<Item = String>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for word in words {
            if !known.contains(&word) {
                known.push(word);
            }
        }
    }

    /// All of them in one line, as many as are read.
    fn prompt(&self) -> String {
        let mut line = String::new();
        for word in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if line.len() + word.len() >= VOCABULARY {
                break;
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        line
    }
}

/// Where and how to ask.
#[derive(Clone)]
pub struct OpenAiOptions {
    /// The API's address, e.g. `https://api.openai.com/v1`.
    pub base: String,
    /// The key; `None` for servers that want none.
    pub key: Option<String>,
    /// The model, e.g. `whisper-1`.
    pub model: String,
    /// The language that is spoken, as two letters; empty: the server finds out.
    pub language: String,
    /// Whether to ask for words as they are heard.
    pub stream: bool,
    /// Words that are likely to be said: commands, names of pages and environments.
    pub vocabulary: Vocabulary,
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
    /// The words of the clip that is being transcribed, as far as they have come.
    hearing: watch::Sender<String>,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
}

/// One of the events of an answer that comes word by word.
#[derive(Deserialize)]
struct Piece {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    delta: String,
    #[serde(default)]
    text: String,
    error: Option<Explanation>,
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
        Ok(Self {
            options,
            client,
            hearing: watch::Sender::new(String::new()),
        })
    }

    async fn ask(&self, sound: &[u8]) -> Result<String, Problem> {
        match self.ask_once(sound, self.options.stream).await {
            // Servers that do not know how to stream say so; the others ignore the wish.
            Err(problem)
                if self.options.stream
                    && problem.is("speech-refused")
                    && problem.detail.contains("stream") =>
            {
                self.ask_once(sound, false).await
            }
            result => result,
        }
    }

    async fn ask_once(&self, sound: &[u8], stream: bool) -> Result<String, Problem> {
        self.hearing.send_replace(String::new());
        let file = Part::bytes(sound.to_vec())
            .file_name("clip.wav")
            .mime_str("audio/wav")
            .map_err(Problem::internal)?;
        let mut form = Form::new()
            .part("file", file)
            .text("model", self.options.model.clone())
            .text("response_format", "json");
        if !self.options.language.is_empty() {
            form = form.text("language", self.options.language.clone());
        }
        if stream {
            form = form.text("stream", "true");
        }
        let prompt = self.options.vocabulary.prompt();
        if !prompt.is_empty() {
            form = form.text("prompt", prompt);
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
        let streams = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if status.is_success() && streams {
            return self.follow(response).await;
        }
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

    /// Reads an answer that comes word by word (server-sent events) to its end.
    async fn follow(&self, response: Response) -> Result<String, Problem> {
        let status = response.status();
        let mut pieces = response.bytes_stream();
        let (mut waiting, mut text) = (Vec::new(), String::new());
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| unreachable_server(&self.options.base, &error))?;
            waiting.extend_from_slice(&piece);
            if waiting.len() + text.len() > LONGEST {
                return Err(refused(status, "its answer has no end"));
            }
            while let Some(end) = waiting.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = waiting.drain(..=end).collect();
                let Some(data) = line.strip_prefix(b"data:") else {
                    continue;
                };
                // Kinds that are not known are none of ours, whatever their form.
                let Ok(event) = serde_json::from_slice::<Piece>(data) else {
                    continue;
                };
                match event.kind.as_str() {
                    "transcript.text.delta" => {
                        text.push_str(&event.delta);
                        self.hearing.send_replace(text.trim().to_owned());
                    }
                    "transcript.text.done" => return Ok(event.text.trim().to_owned()),
                    "error" => {
                        let why = event.error.map(|error| error.message);
                        return Err(refused(status, why.as_deref().unwrap_or("it failed")));
                    }
                    _ => {}
                }
            }
        }
        // Half a sentence may say the opposite of the whole one.
        Err(Problem::new(
            502,
            "speech-network",
            format!(
                "the speech server {} stopped in the middle of its answer",
                self.options.base
            ),
        )
        .hint("check the network, or use the local recogniser (`[speech] engine = \"local\"`)"))
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
        _ => problem(
            "speech-refused",
            "check `cloud_model`, `language` and `url` of `[speech]`",
        ),
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
            seconds,
            engine: ENGINE,
            ..Transcript::default()
        };
        if let Some(sound) = sound {
            let began = Instant::now();
            heard.text = self.ask(&sound).await?;
            heard.millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        }
        Ok(heard)
    }

    fn hearing(&self) -> Option<watch::Receiver<String>> {
        Some(self.hearing.subscribe())
    }
}

#[cfg(test)]
mod tests;
