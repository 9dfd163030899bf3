//! The schemas of `/api/host`.

use serde_json::{Value, json};

use super::schema::{count, flag, many, object, of, one_of, request, text, time};

/// What one Sayso asks of another, and is answered.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        (
            "HostFile",
            request(&[("path", text()), ("sha256", text()), ("size", count())]),
        ),
        ("HostManifest", request(&[("files", many(of("HostFile")))])),
        (
            "HostContent",
            object(&[("sha256", text()), ("have", count())]),
        ),
        (
            "HostMissing",
            object(&[("missing", many(of("HostContent")))]),
        ),
        (
            "HostRelease",
            request(&[
                ("deployment", text()),
                ("commit", text()),
                ("tree", text()),
                ("recipe", text()),
                ("built", flag()),
                ("force?", flag()),
                ("actor", text()),
                ("files", many(of("HostFile"))),
            ]),
        ),
        (
            "HostPromote",
            request(&[("deployment", text()), ("from", text()), ("actor", text())]),
        ),
        ("HostAccepted", object(&[("deployment", text())])),
        (
            "HostState",
            object(&[
                ("version", text()),
                ("project", text()),
                ("live?", of("LiveRelease")),
                ("releases", many(of("ReleaseInfo"))),
            ]),
        ),
        (
            "HostUnwell",
            request(&[("release", text()), ("reason", text())]),
        ),
        (
            "HostRetreat",
            json!({ "oneOf": [
                object(&[("outcome", one_of(&["returned"])), ("release", text())]),
                object(&[("outcome", one_of(&["moved"]))]),
                object(&[("outcome", one_of(&["stays"])), ("why", text())]),
            ] }),
        ),
        (
            "HealthAnswer",
            object(&[
                ("at", time()),
                ("ok", flag()),
                ("status", count()),
                ("ms", count()),
                ("message?", text()),
            ]),
        ),
    ]
}
