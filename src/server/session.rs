//! `/api/session`: a person's token for a cookie, so that the status page need not keep the token.

use std::time::Instant;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::auth::CSRF_HEADER;
use super::extract::Json;
use super::{App, audit, limits};
use crate::model::Problem;

/// The body of `POST /api/session`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    token: String,
}

pub(super) async fn begin(
    State(app): State<App>,
    extensions: Extensions,
    Json(body): Json<SignIn>,
) -> Result<impl IntoResponse, Response> {
    let address = limits::address_of(&extensions);
    let token = body.token.trim();
    if let Some(wait) = app.limits.blocked(address)
        && !app.auth.was_good(token)
    {
        return Err(limits::too_many("wrong tokens from this address", wait));
    }
    let caller = app.auth.bearer(token).map_err(|problem| {
        app.limits.failed(address);
        // There is no header to be asked for here.
        problem.into_response()
    })?;
    if let Some(who) = extensions.get::<audit::Who>() {
        who.is(&caller.identity);
    }
    let cookie = app
        .auth
        .begin(caller, Instant::now())
        .map_err(Problem::into_response)?;
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
