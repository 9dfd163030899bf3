//! Problems as HTTP answers: every error of this server is an `application/problem+json` document with a hint.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;

use super::App;
use crate::model::Problem;

/// The media type of RFC 9457.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let status = StatusCode::from_u16(self.status)
            .ok()
            .filter(|status| status.is_client_error() || status.is_server_error())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.status = status.as_u16();
        if self.hint.is_none() {
            self.hint = Some(default_hint(status).to_owned());
        }
        // A struct of strings and a number always serialises.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, MEDIA_TYPE);
        response
    }
}

/// What to do next when the one who made the problem did not say.
fn default_hint(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 | 422 => "compare the request with /api/openapi.json",
        401 => "send the token as `Authorization: Bearer <token>`",
        403 => {
            "use a token and an address that are allowed to do this; GET /api/me says what yours may do"
        }
        404 => "check the address; /api/openapi.json lists what there is",
        405 => "the `Allow` header names the methods of this address",
        409 => "load the newest state and decide again",
        413 => "send less",
        415 => "send the body as `Content-Type: application/json`",
        429 | 503 => "try again in a moment",
        501 => "this server cannot do that; a newer one may",
        _ => "try again; if it stays, look into the server's log",
    }
}

/// The outermost layer: no answer is cached, and none leaves as a bare error, not even after a panic.
pub(super) async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    let outcome = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = outcome.unwrap_or_else(|panic| {
        tracing::error!(message = panic_text(&*panic), "a handler panicked");
        Problem::internal("an unexpected condition inside Sayso ended this request").into_response()
    });
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    if failed && response.headers().get(CONTENT_TYPE) != Some(&MEDIA_TYPE) {
        response = dressed(response);
    }
    app.counters.answered(status);
    response
        .headers_mut()
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response.headers_mut().insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// An error that some library made, as a problem document; headers that mean something are kept.
fn dressed(bare: Response) -> Response {
    let status = bare.status();
    let reason = status.canonical_reason().unwrap_or("error");
    let slug: String = reason
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let mut response = Problem::new(status.as_u16(), &slug, reason).into_response();
    for name in [ALLOW, RETRY_AFTER, WWW_AUTHENTICATE] {
        if let Some(value) = bare.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_with_a_status_that_is_no_error_becomes_500() {
        for status in [0, 200, 302, 999] {
            let response = Problem::new(status, "odd", "odd").into_response();
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        }
        let response = Problem::not_found("nothing").into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[CONTENT_TYPE], MEDIA_TYPE);
    }
}
