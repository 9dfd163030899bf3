//! `POST /api/voice-to-code`: words as JSON, or a recording as multipart (or in base64 inside the JSON).

use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::auth::Caller;
use super::extract::{BODY_TIME, Json, idempotency_key, too_large, too_slow};
use super::{App, MAX_AUDIO_BYTES};
use crate::events::Place;
use crate::model::Problem;
use crate::model::api::{Accepted, Submission};

/// Boundaries and the text parts of a multipart body.
const MULTIPART_EXTRA: usize = 64 * 1024;

/// Takes what encoders produce that are careless about the last bits.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Longest text part, in characters.
pub(super) const MAX_TEXT: usize = 16 * 1024;

pub(super) async fn submit(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    let key = idempotency_key(request.headers())?;
    let (submission, audio) = if is_multipart(request.headers()) {
        let read = read_multipart(request, &app);
        tokio::time::timeout(BODY_TIME, read)
            .await
            .map_err(|_| too_slow())??
    } else {
        read_json(request, &app).await?
    };
    if submission.prompt.is_some() == audio.is_some() {
        return Err(invalid("an instruction is either a prompt or audio"));
    }
    let by = &caller.identity;
    let instruction = match &key {
        // Handed on by the queue, where it waits safely for whoever conducts.
        Some(key) if app.conductor.log().place() != Place::Here => {
            let queued = app.conductor.queue(submission, audio.as_ref(), key, by);
            queued.await?
        }
        key => {
            let key = key.as_deref();
            app.conductor.submit(submission, audio, key, by).await?
        }
    };
    let location = format!("{}/api/instructions/{instruction}", app.prefix);
    Ok((
        StatusCode::ACCEPTED,
        [(LOCATION, location)],
        axum::Json(Accepted { instruction }),
    ))
}

fn is_multipart(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .trim_start()
                .to_ascii_lowercase()
                .starts_with("multipart/form-data")
        })
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(422, "invalid", detail)
        .hint("the fields of this body are described in /api/openapi.json")
}

async fn read_json(request: Request, app: &App) -> Result<(Submission, Option<Bytes>), Problem> {
    let Json(mut submission) = Json::<Submission>::from_request(request, app).await?;
    let audio = match submission.audio.take() {
        None => None,
        Some(text) => Some(
            BASE64
                .decode(text.trim())
                .map_err(|error| invalid(format!("audio is not base64: {error}")))?
                .into(),
        ),
    };
    Ok((submission, audio))
}

async fn read_multipart(
    mut request: Request,
    app: &App,
) -> Result<(Submission, Option<Bytes>), Problem> {
    if declared_length(request.headers()).is_some_and(|n| n > MAX_AUDIO_BYTES + MULTIPART_EXTRA) {
        return Err(too_large(MAX_AUDIO_BYTES));
    }
    DefaultBodyLimit::max(MAX_AUDIO_BYTES + MULTIPART_EXTRA).apply(&mut request);
    let mut parts = Multipart::from_request(request, app)
        .await
        .map_err(|rejection| {
            Problem::new(
                rejection.status().as_u16(),
                "multipart",
                rejection.body_text(),
            )
        })?;
    let mut submission = Submission::default();
    let mut audio = None;
    while let Some(field) = parts.next_field().await.map_err(|e| broken(&e))? {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "audio" if audio.is_none() => {
                audio = Some(field.bytes().await.map_err(|e| broken(&e))?);
            }
            "prompt" => submission.prompt = Some(text(field, "prompt").await?),
            "filePath" => submission.file_path = Some(text(field, "filePath").await?),
            "engine" => submission.engine = Some(text(field, "engine").await?),
            "commands" => {
                let lines = text(field, "commands").await?;
                submission.commands = lines.lines().map(str::to_owned).collect();
            }
            "action" => {
                let word = text(field, "action").await?;
                submission.action = serde_json::from_value(word.as_str().into()).map_err(|_| {
                    invalid(format!(
                        "{word:?} is not an action (preview, commit, deploy)"
                    ))
                })?;
            }
            other => {
                return Err(invalid(format!(
                    "the part {other:?} is unknown or comes twice (audio, prompt, action, filePath, engine, commands)"
                )));
            }
        }
    }
    if audio
        .as_ref()
        .is_some_and(|audio| audio.len() > MAX_AUDIO_BYTES)
    {
        return Err(too_large(MAX_AUDIO_BYTES));
    }
    Ok((submission, audio))
}

async fn text(field: Field<'_>, name: &str) -> Result<String, Problem> {
    let bytes = field.bytes().await.map_err(|e| broken(&e))?;
    let text = String::from_utf8(bytes.to_vec())
        .map_err(|_| invalid(format!("the part {name:?} is not UTF-8")))?;
    if text.chars().count() > MAX_TEXT {
        return Err(invalid(format!(
            "the part {name:?} is longer than {MAX_TEXT} characters"
        )));
    }
    Ok(text)
}

fn broken(error: &MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large(MAX_AUDIO_BYTES);
    }
    Problem::new(error.status().as_u16(), "multipart", error.body_text())
        .hint("send multipart/form-data with the parts audio, action and, if you like, filePath")
}
