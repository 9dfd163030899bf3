//! Request parts, checked, with every rejection a [`Problem`].

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::auth::{Actor, Caller};
use crate::model::{DeploymentId, InstructionId, Problem, ProposalId, TokenId};

/// How long a body may take to arrive.
pub(super) const BODY_TIME: Duration = Duration::from_secs(60);

/// A JSON body.
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = axum::Json::<Object<T>>::from_request(request, state);
        let body = tokio::time::timeout(BODY_TIME, read)
            .await
            .map_err(|_| too_slow())?;
        Ok(Self(body.map_err(|rejection| bad_json(&rejection))?.0.0))
    }
}

/// What a JSON object says. A struct would be read from an array of its fields' values as well, which is described nowhere.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// A JSON body that may be left out where every field may be.
pub(super) struct OptionalJson<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if is_empty(request.headers()) {
            return Ok(Self(T::default()));
        }
        Json::from_request(request, state)
            .await
            .map(|Json(body)| Self(body))
    }
}

fn is_empty(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH);
    !headers.contains_key(CONTENT_TYPE)
        && !headers.contains_key(TRANSFER_ENCODING)
        && length.is_none_or(|length| length == "0")
}

pub(super) fn too_slow() -> Problem {
    let seconds = BODY_TIME.as_secs();
    Problem::new(
        408,
        "request-timeout",
        format!("the body did not arrive within {seconds} s"),
    )
    .hint("send it again on a faster connection")
}

/// The problem of a body over `limit` bytes.
pub(super) fn too_large(limit: usize) -> Problem {
    Problem::new(
        413,
        "too-large",
        format!("the body is larger than {limit} bytes"),
    )
    .hint("send less; a recording goes as multipart/form-data")
}

fn bad_json(rejection: &JsonRejection) -> Problem {
    let text = rejection.body_text();
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(super::MAX_JSON_BYTES),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(415, "unsupported-media-type", text),
        StatusCode::UNPROCESSABLE_ENTITY => Problem::new(422, "invalid", text)
            .hint("the fields of this body are described in /api/openapi.json"),
        StatusCode::BAD_REQUEST => {
            Problem::bad_request(text).hint("send well-formed JSON in UTF-8")
        }
        status => Problem::new(status.as_u16(), "body", text),
    }
}

/// A type that names something in a path.
pub(super) trait Named: From<String> {
    /// What it names, for messages.
    const WHAT: &'static str;
}

macro_rules! named {
    ($($name:ident: $what:literal),*) => {$(
        impl Named for $name {
            const WHAT: &'static str = $what;
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    )*};
}

named!(InstructionId: "instruction", ProposalId: "proposal", DeploymentId: "deployment", TokenId: "token", Environment: "environment", Recipe: "recipe");

/// The name of an environment.
pub(super) struct Environment(pub(super) String);

/// The name of a recipe.
pub(super) struct Recipe(pub(super) String);

/// The one name in the path.
pub(super) struct Name<T>(pub(super) T);

impl<S: Send + Sync, T: Named> FromRequestParts<S> for Name<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        if is_name(&text) {
            return Ok(Self(T::from(text)));
        }
        let what = T::WHAT;
        Err(Problem::not_found(format!("there is no such {what}"))
            .hint("a name has at most 128 bytes: letters, digits, spaces, `_`, `-` and `.`"))
    }
}

/// True for what can name an instruction, a proposal, a deployment, an environment or a project.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "_-. ".contains(c);
    !text.trim().is_empty() && text.len() <= 128 && text.chars().all(plain)
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Set by `require`; a route without that layer must not fall back to anybody's name.
        parts
            .extensions
            .get()
            .cloned()
            .ok_or_else(|| Problem::new(401, "unauthorized", "this call needs a token"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get()
            .cloned()
            .ok_or_else(|| Problem::new(401, "unauthorized", "this call needs a token"))
    }
}

/// The header `Idempotency-Key`.
///
/// # Errors
/// 400 when it is not 1 to 128 visible ASCII characters.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) => {
            Ok(Some(key.to_owned()))
        }
        _ => Err(Problem::bad_request(
            "the Idempotency-Key is not 1 to 128 visible ASCII characters",
        )
        .hint("send a fresh random identifier, and the same one when you repeat the request")),
    }
}
