//! `GET /matrix`: the status page, one document without any part from elsewhere.
//!
//! Its style and its script are files of their own in `assets/web`, put into the document when it is first asked for. All its
//! addresses are relative, so that it works below any path.

use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// The document, with empty places for the two others.
const FRAME: &str = include_str!("../../assets/web/matrix.html");

const STYLE: &str = include_str!("../../assets/web/matrix.css");

/// The script, in the order in which its parts need one another.
const SCRIPT: [&str; 7] = [
    include_str!("../../assets/web/matrix/base.js"),
    include_str!("../../assets/web/matrix/words.js"),
    include_str!("../../assets/web/matrix/link.js"),
    include_str!("../../assets/web/matrix/now.js"),
    include_str!("../../assets/web/matrix/lists.js"),
    include_str!("../../assets/web/matrix/ask.js"),
    include_str!("../../assets/web/matrix/main.js"),
];

struct Page {
    text: Bytes,
    /// Only the page's own script and style run; it speaks to this server and nobody else; only pages of this server
    /// frame it.
    policy: String,
}

static PAGE: LazyLock<Page> = LazyLock::new(|| {
    let style = format!("\n{STYLE}");
    let script = format!("\n{}", SCRIPT.join("\n"));
    let text = FRAME
        .replacen("<style></style>", &format!("<style>{style}</style>"), 1)
        .replacen(
            "<script></script>",
            &format!("<script>{script}</script>"),
            1,
        );
    let (style, script) = (hash(&style), hash(&script));
    Page {
        text: text.into(),
        policy: format!(
            "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; connect-src 'self'; \
             img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; \
             require-trusted-types-for 'script'"
        ),
    }
});

pub(super) async fn page() -> impl IntoResponse {
    (
        [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CONTENT_SECURITY_POLICY, PAGE.policy.as_str()),
            (REFERRER_POLICY, "no-referrer"),
        ],
        PAGE.text.clone(),
    )
}

pub(super) async fn home() -> impl IntoResponse {
    (StatusCode::SEE_OTHER, [(LOCATION, "matrix")])
}

fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stands_alone() {
        let page = std::str::from_utf8(&PAGE.text).unwrap();
        for tag in ["script", "style"] {
            // One of each, for its hash, and nothing in it that would end it early.
            for part in [format!("<{tag}"), format!("</{tag}")] {
                assert_eq!(page.matches(&part).count(), 1, "{part}");
            }
            assert!(
                !page.contains(&format!("<{tag}></{tag}>")),
                "{tag} is empty"
            );
        }
        let script = page.split_once("<script>").unwrap().1;
        assert!(
            PAGE.policy
                .contains(&hash(script.split_once("</script>").unwrap().0))
        );
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
            assert!(!page.contains(risky), "{risky}");
        }
        assert!(!page.contains("https://") && !page.contains("//cdn"));
        // Below a path of its own, too.
        for absolute in ["\"/api", "`/api", "\"/matrix", "'/api"] {
            assert!(!page.contains(absolute), "{absolute}");
        }
    }

    #[test]
    fn every_place_that_the_script_names_is_in_the_document() {
        let script = SCRIPT.join("\n");
        for call in ["at(\"", "show(\"", "say(\""] {
            for rest in script.split(call).skip(1) {
                let id = rest.split('"').next().unwrap();
                assert!(FRAME.contains(&format!("id=\"{id}\"")), "{id}");
            }
        }
    }
}
