//! Pages of other origins: those of a list may call with a token, and no others.
//!
//! A cookie is nothing that another page may use, so it is taken out of their requests, and answers never say that credentials
//! are allowed. There is no `*`, and `null` (a file, a sandboxed frame) is nobody.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use url::Url;

use super::auth::CSRF_HEADER;
use crate::model::Problem;

/// Methods of the table.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE");

/// Headers of answers that a page may read besides the usual ones.
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after, location, www-authenticate");

/// How long a browser may remember the answer to its question, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The origins whose pages may call.
#[derive(Default)]
pub(super) struct Origins(Vec<String>);

impl Origins {
    /// Those of `[server] origins`.
    ///
    /// # Errors
    /// `config` for what is no origin.
    pub(super) fn new(texts: &[String]) -> Result<Self, Problem> {
        let origins = texts.iter().map(|text| {
            origin(text).ok_or_else(|| {
                Problem::new(
                    422,
                    "config",
                    format!("[server] origins: {text:?} is no origin of a page"),
                )
                .hint(
                    "write scheme, host and, where it is not the usual one, port: https://status.example.org; \
                     there is no * here: name every page that may call",
                )
            })
        });
        Ok(Self(origins.collect::<Result<_, _>>()?))
    }

    /// True when no page of another origin may call.
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True for the origin of a page that may call.
    pub(super) fn allow(&self, text: &str) -> bool {
        origin(text).is_some_and(|origin| self.0.contains(&origin))
    }

    /// Adds to an answer what lets the page at `foreign` read it.
    pub(super) fn mark(&self, response: &mut Response, foreign: Option<HeaderValue>) {
        if self.is_empty() {
            return;
        }
        // Whatever is kept on the way is kept for this origin alone.
        let headers = response.headers_mut();
        headers.append(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = foreign {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

/// The origin that `text` names, as browsers write it.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.path() == "/"
        // `https://a.example/` names a page, and a star names nothing.
        && !text.ends_with('/')
        && !text.contains('*');
    plain.then(|| url.origin().ascii_serialization())
}

/// The answer to a browser that asks before it sends what another page wants to send.
pub(super) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Response> {
    if method != Method::OPTIONS
        || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        || !headers.contains_key(ORIGIN)
    {
        return None;
    }
    let allowed =
        format!("authorization, content-type, idempotency-key, last-event-id, {CSRF_HEADER}");
    let mut response = StatusCode::NO_CONTENT.into_response();
    let answer = response.headers_mut();
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(texts: &[&str]) -> Result<Origins, Problem> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Origins::new(&texts)
    }

    #[test]
    fn an_origin_is_named_exactly_or_not_at_all() {
        let origins = listed(&["https://Status.example.org", "http://localhost:3000"]).unwrap();
        for good in ["https://status.example.org", "http://localhost:3000"] {
            assert!(origins.allow(good), "{good}");
        }
        for bad in [
            "null",
            "",
            "*",
            "http://status.example.org",
            "https://status.example.org:8443",
            "https://status.example.org.evil.example",
            "https://evil.example",
            "https://status.example.org@evil.example",
            "http://localhost",
        ] {
            assert!(!origins.allow(bad), "{bad:?}");
        }
        for bad in [
            "*",
            "null",
            "https://*.example.org",
            "example.org",
            "https://a.example/",
            "https://a.example/b",
            "file:///x",
        ] {
            let refused = listed(&[bad]).err().unwrap();
            assert!(refused.hint.unwrap().contains("no *"), "{bad:?}");
        }
    }

    #[test]
    fn answers_are_for_one_origin_and_never_with_credentials() {
        let origins = listed(&["https://a.example"]).unwrap();
        let mut response = StatusCode::OK.into_response();
        origins.mark(
            &mut response,
            Some(HeaderValue::from_static("https://a.example")),
        );
        let headers = response.headers();
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.example");
        assert_eq!(headers[VARY], "origin");
        assert!(!headers.contains_key("access-control-allow-credentials"));
        let mut own = StatusCode::OK.into_response();
        origins.mark(&mut own, None);
        assert!(!own.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        assert_eq!(own.headers()[VARY], "origin");
        let mut none = StatusCode::OK.into_response();
        Origins::default().mark(&mut none, None);
        assert!(none.headers().is_empty());
    }
}
