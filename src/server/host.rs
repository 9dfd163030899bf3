//! `/api/host`: another Sayso deploys to an environment that is served here.

use std::io::Read as _;

use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::http::header::CONTENT_ENCODING;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use flate2::read::GzDecoder;

use super::App;
use super::auth::Caller;
use super::extract::{
    BODY_TIME, Environment, Json, Name, OptionalJson, is_name, too_large, too_slow,
};
use crate::model::api::Rollback;
use crate::model::host::{
    HostAccepted, HostContent, HostManifest, HostMissing, HostPromote, HostRelease, HostRetreat,
    HostState, HostUnwell, LENGTH, OFFSET, PIECE,
};
use crate::model::{Deployment, DeploymentId, HealthAnswer, LiveRelease, Problem};

/// The largest list of files: some hundred thousand of them.
pub(super) const MAX_MANIFEST: usize = 64 * 1024 * 1024;

/// The largest piece as it travels; what cannot be compressed grows by a little.
pub(super) const MAX_PIECE: usize = PIECE + 64 * 1024;

type Reply<T> = Result<axum::Json<T>, Problem>;

/// A SHA-256 in the path; the host looks closer at it.
pub(super) struct Digest(String);

impl<S: Send + Sync> FromRequestParts<S> for Digest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        Ok(Self(text))
    }
}

/// An environment and a deployment in the path.
pub(super) struct Both(DeploymentId);

impl<S: Send + Sync> FromRequestParts<S> for Both {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((environment, id)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        if is_name(&environment) && is_name(&id) {
            return Ok(Self(DeploymentId(id)));
        }
        Err(Problem::not_found("there is no such deployment"))
    }
}

pub(super) async fn state(
    State(app): State<App>,
    Name(environment): Name<Environment>,
) -> Reply<HostState> {
    Ok(axum::Json(app.conductor.host_state(&environment.0)?))
}

pub(super) async fn health(
    State(app): State<App>,
    Name(environment): Name<Environment>,
) -> Reply<HealthAnswer> {
    Ok(axum::Json(app.conductor.host_health(&environment.0).await?))
}

pub(super) async fn missing(
    State(app): State<App>,
    Name(environment): Name<Environment>,
    Json(manifest): Json<HostManifest>,
) -> Reply<HostMissing> {
    let missing = app.conductor.host_missing(&environment.0, manifest).await?;
    Ok(axum::Json(missing))
}

pub(super) async fn have(State(app): State<App>, Digest(sha256): Digest) -> Reply<HostContent> {
    let have = app.conductor.host_have(&sha256).await?;
    Ok(axum::Json(HostContent { sha256, have }))
}

pub(super) async fn piece(
    State(app): State<App>,
    Digest(sha256): Digest,
    request: Request,
) -> Reply<HostContent> {
    let headers = request.headers().clone();
    let body = tokio::time::timeout(BODY_TIME, Bytes::from_request(request, &app))
        .await
        .map_err(|_| too_slow())?
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(MAX_PIECE),
            _ => Problem::bad_request(rejection.body_text()).hint("send the piece again"),
        })?;
    let (offset, length) = (number(&headers, OFFSET)?, number(&headers, LENGTH)?);
    let bytes = match headers.get(CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None | Some(b"identity") => body,
        Some(b"gzip") => tokio::task::spawn_blocking(move || unpacked(&body))
            .await
            .map_err(Problem::internal)??,
        Some(_) => {
            return Err(Problem::new(
                415,
                "unsupported-media-type",
                "the piece is compressed in a way that is not known here",
            )
            .hint("use gzip, or send it as it is"));
        }
    };
    let have = app
        .conductor
        .host_piece(&sha256, offset, length, bytes)
        .await?;
    Ok(axum::Json(HostContent { sha256, have }))
}

/// The bytes of a piece; no more than one has, however small they were packed.
fn unpacked(body: &[u8]) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    let mut reader = GzDecoder::new(body).take(PIECE as u64 + 1);
    reader.read_to_end(&mut bytes).map_err(|error| {
        Problem::bad_request(format!("the piece cannot be unpacked: {error}"))
            .hint("send it again: it broke on the way")
    })?;
    if bytes.len() > PIECE {
        return Err(too_large(PIECE));
    }
    Ok(bytes.into())
}

fn number(headers: &HeaderMap, name: &str) -> Result<u64, Problem> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.parse().ok()).ok_or_else(|| {
        Problem::bad_request(format!("the header {name} is missing or no number"))
            .hint("say where in the content the piece begins, and how long the content is")
    })
}

pub(super) async fn release(
    State(app): State<App>,
    Name(environment): Name<Environment>,
    Json(release): Json<HostRelease>,
) -> Result<(StatusCode, axum::Json<HostAccepted>), Problem> {
    let deployment = app.conductor.host_release(&environment.0, release).await?;
    Ok((
        StatusCode::ACCEPTED,
        axum::Json(HostAccepted { deployment }),
    ))
}

pub(super) async fn promote(
    State(app): State<App>,
    Name(environment): Name<Environment>,
    Json(promote): Json<HostPromote>,
) -> Result<(StatusCode, axum::Json<HostAccepted>), Problem> {
    let deployment = app.conductor.host_promote(&environment.0, promote).await?;
    Ok((
        StatusCode::ACCEPTED,
        axum::Json(HostAccepted { deployment }),
    ))
}

pub(super) async fn deployment(State(app): State<App>, Both(id): Both) -> Reply<Deployment> {
    let deployment = super::blocking(&app, move |conductor| conductor.deployment(&id)).await?;
    Ok(axum::Json(deployment))
}

pub(super) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Both(id): Both,
) -> Reply<Deployment> {
    Ok(axum::Json(
        app.conductor.cancel(&id, &caller.identity).await?,
    ))
}

pub(super) async fn rollback(
    State(app): State<App>,
    caller: Caller,
    Name(environment): Name<Environment>,
    OptionalJson(rollback): OptionalJson<Rollback>,
) -> Reply<LiveRelease> {
    // Only what is served here: the token for deployments reaches nothing else.
    app.conductor.host_state(&environment.0)?;
    let live = app
        .conductor
        .rollback(&environment.0, rollback, &caller.identity)
        .await?;
    Ok(axum::Json(live))
}

pub(super) async fn retreat(
    State(app): State<App>,
    Name(environment): Name<Environment>,
    Json(unwell): Json<HostUnwell>,
) -> Reply<HostRetreat> {
    let retreat = app.conductor.host_unwell(&environment.0, unwell).await?;
    Ok(axum::Json(retreat))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_piece_that_unpacks_to_too_much_is_refused_early() {
        let bomb = packed(&vec![0; 64 * 1024 * 1024]);
        assert!(bomb.len() < MAX_PIECE);
        assert_eq!(unpacked(&bomb).unwrap_err().status, 413);
        assert_eq!(unpacked(&packed(b"abc")).unwrap(), "abc");
        assert!(unpacked(b"no gzip").is_err());
        let cut = packed(b"abcdefghijklmnop");
        assert!(unpacked(&cut[..cut.len() - 4]).is_err());
    }
}
