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
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::speech::fallback::Fallback;

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
            language: "en".to_owned(),
            stream: true,
            vocabulary: Vocabulary::new(vec!["Commit that.".to_owned(), "About us".to_owned()]),
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
            "name=\"language\"\r\n\r\nen",
            "name=\"stream\"\r\n\r\ntrue",
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
        let heard = fallback.transcribe(&yes()).await.unwrap();
        assert_eq!(heard.text, "Yes.");
        let note = heard.note.unwrap();
        assert!(
            note.contains("cannot reach") && note.contains("openai instead"),
            "{note}"
        );
    }

    /// An answer in server-sent events.
    fn streamed(lines: &[&str]) -> String {
        let body: String = lines
            .iter()
            .map(|line| format!("data: {line}\n\n"))
            .collect();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n{body}"
        )
    }

    #[tokio::test]
    async fn words_that_come_one_by_one_are_shown_as_they_come() {
        let (base, _serving) = server(streamed(&[
            r#"{"type":"transcript.text.delta","delta":"Commit"}"#,
            r#"{"type":"something.new","delta":7}"#,
            r#"{"type":"transcript.text.delta","delta":" that."}"#,
            r#"{"type":"transcript.text.done","text":"Commit that."}"#,
            "[DONE]",
        ]))
        .await;
        let asked = ask(&base);
        let mut hearing = asked.hearing().unwrap();
        hearing.mark_unchanged();
        let heard = asked.transcribe(&yes()).await.unwrap();
        assert_eq!(heard.text, "Commit that.");
        assert!(hearing.has_changed().unwrap());
        assert_eq!(*hearing.borrow_and_update(), "Commit that.");
    }

    #[tokio::test]
    async fn half_an_answer_is_none() {
        let (base, _serving) = server(streamed(&[
            r#"{"type":"transcript.text.delta","delta":"Do not"}"#,
        ]))
        .await;
        let problem = ask(&base).transcribe(&yes()).await.unwrap_err();
        assert!(problem.is("speech-network"), "{problem}");
    }

    #[test]
    fn a_vocabulary_grows_without_doubles_and_is_no_longer_than_what_is_read() {
        let vocabulary = Vocabulary::new(vec!["About".to_owned()]);
        vocabulary.add(["About".to_owned(), "Contact".to_owned()]);
        assert_eq!(vocabulary.prompt(), "About Contact");
        vocabulary.add((0..500).map(|at| format!("page{at}")));
        assert!(vocabulary.prompt().len() <= VOCABULARY);
    }
}
