//! `GET /matrix`: the status page, one file without any part from elsewhere.

use std::sync::LazyLock;

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{IntoResponse, Redirect};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

const PAGE: &str = include_str!("../../assets/web/matrix.html");

/// Only the page's own script and style run; it speaks to this server and nobody else; nobody frames it.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let script = hash(between(PAGE, "<script>", "</script>"));
    let style = hash(between(PAGE, "<style>", "</style>"));
    format!(
        "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

pub(super) async fn page() -> impl IntoResponse {
    (
        [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CONTENT_SECURITY_POLICY, POLICY.as_str()),
            (REFERRER_POLICY, "no-referrer"),
        ],
        PAGE,
    )
}

pub(super) async fn home() -> Redirect {
    Redirect::to("/matrix")
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> &'a str {
    text.split_once(open)
        .and_then(|(_, rest)| rest.split_once(close))
        .map_or("", |(inner, _)| inner)
}

fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stands_alone() {
        for tag in ["script", "style"] {
            assert_eq!(
                PAGE.matches(&format!("<{tag}")).count(),
                1,
                "one {tag}, for its hash"
            );
            assert!(!between(PAGE, &format!("<{tag}>"), &format!("</{tag}>")).is_empty());
        }
        // Text of events must stay text.
        for risky in [
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
            " style=\"",
            "onclick=",
        ] {
            assert!(!PAGE.contains(risky), "{risky}");
        }
        assert!(!PAGE.contains("https://") && !PAGE.contains("//cdn"));
    }
}
