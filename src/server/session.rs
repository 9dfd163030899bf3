//! `/api/session`: a person's token for a cookie, so that the status page need not keep the token.

use std::time::Instant;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::Deserialize;

use super::App;
use super::auth::CSRF_HEADER;
use super::extract::Json;
use crate::model::Problem;

/// The body of `POST /api/session`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    token: String,
}

pub(super) async fn begin(
    State(app): State<App>,
    Json(body): Json<SignIn>,
) -> Result<impl IntoResponse, Problem> {
    if !app.auth.knows(body.token.trim()) {
        return Err(
            Problem::new(401, "unauthorized", "the token is not accepted")
                .hint("paste the token that `sayso serve --show-token` prints"),
        );
    }
    let cookie = app.auth.begin(Instant::now())?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]))
}

pub(super) async fn end(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    // Without this, a foreign page's form could sign a person out.
    if !headers.contains_key(CSRF_HEADER) {
        return Err(Problem::new(
            403,
            "cookie-not-enough",
            "a session cookie alone does not authorise a change",
        )
        .hint(format!("add the header `{CSRF_HEADER}: 1`")));
    }
    let cookie = app.auth.end(&headers);
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]))
}
