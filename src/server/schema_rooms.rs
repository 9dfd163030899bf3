//! The schemas of rooms.

use serde_json::{Value, json};

use super::schema::{base64, count, object, or_null, request, text, time};

/// What is sent to a room over plain HTTP, what it answers, and the history of a proposal.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let bytes = || json!({ "type": "string", "contentEncoding": "base64" });
    let step = || [("number", count()), ("at", time()), ("author", text())];
    let mut texts = step().to_vec();
    texts.push((
        "files",
        json!({ "type": "object", "additionalProperties": { "type": "string" } }),
    ));
    vec![
        (
            "RoomSync",
            request(&[
                ("state_vector?", base64()),
                ("update?", base64()),
                ("awareness?", base64()),
                (
                    "session?",
                    json!({ "type": ["string", "null"], "pattern": "^[!-~]{1,64}$" }),
                ),
                ("seen?", or_null(text())),
                (
                    "wait?",
                    json!({ "type": ["integer", "null"], "minimum": 0 }),
                ),
            ]),
        ),
        (
            "RoomSynced",
            object(&[
                ("update?", bytes()),
                ("state_vector", bytes()),
                ("awareness", bytes()),
                ("revision", text()),
                ("denied?", text()),
            ]),
        ),
        ("HistoryStep", object(&step())),
        ("HistoryTexts", object(&texts)),
    ]
}
