//! The host's own few pages, for when a release has none.

use axum::body::Body;
use axum::response::Response;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};

use super::answer::RELEASE;
use super::site::{Site, header};

/// A page of the host; never kept by a browser.
fn page(status: StatusCode, title: &str, text: &str, script: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;\
         margin:20vh auto;padding:0 1rem}}h1{{font-size:1.25rem}}</style></head>\
         <body><h1>{title}</h1><p>{text}</p>{script}</body></html>\n"
    );
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Before the first deployment. `script` makes the page reload when there is one.
pub(super) fn nothing_live(environment: &str, script: &str) -> Response {
    let text = format!(
        "Nothing has been deployed to {environment} yet. This page reloads when something is."
    );
    page(
        StatusCode::SERVICE_UNAVAILABLE,
        "Nothing is live yet",
        &text,
        script,
    )
}

/// No such file.
pub(super) fn not_found(site: Option<&Site>) -> Response {
    let mut response = page(
        StatusCode::NOT_FOUND,
        "Not found",
        "There is nothing at this address in the live release.",
        "",
    );
    if let Some(site) = site {
        response.headers_mut().insert(RELEASE, site.header.clone());
    }
    response
}

/// A file of the release is gone or damaged on disk.
pub(super) fn unreadable(site: &Site) -> Response {
    let mut response = page(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Cannot be read",
        "A file of the live release cannot be read from the disk. Deploy again, or roll back.",
        "",
    );
    response.headers_mut().insert(RELEASE, site.header.clone());
    response
}

/// The request named another host than this machine.
pub(super) fn misdirected() -> Response {
    page(
        StatusCode::MISDIRECTED_REQUEST,
        "Wrong host",
        "This server answers to localhost and 127.0.0.1 only.",
        "",
    )
}

/// The same page has another address. Browsers must not remember it: the next release may differ.
pub(super) fn redirect(site: &Site, to: &str, query: Option<&str>) -> Response {
    let to = match query {
        Some(query) => header(&format!("{to}?{query}")),
        None => header(to),
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let headers = response.headers_mut();
    headers.insert(LOCATION, to);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(RELEASE, site.header.clone());
    response
}

/// Only reading is possible.
pub(super) fn read_only(options: bool) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = if options {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::METHOD_NOT_ALLOWED
    };
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    response
}
