//! Against a server on a socket: what it is sent, and what is made of its answers.

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
