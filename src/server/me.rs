//! `GET /api/me`: who is calling, and what they may do, so that a page need not offer what would be refused.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::auth::Caller;
use super::schema::{object, one_of, text, time};
use crate::model::Role;

/// The answer.
#[derive(Serialize)]
pub(super) struct Me {
    /// The name, as events tell it.
    actor: String,
    role: Role,
    /// Other roles in rooms, by the room's name or how it begins.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    rooms: BTreeMap<String, Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
}

pub(super) async fn show(caller: Caller) -> axum::Json<Me> {
    let identity = caller.identity;
    axum::Json(Me {
        actor: identity.actor,
        role: identity.role,
        rooms: identity.rooms,
        expires: identity.expires,
    })
}

/// The schema of the answer.
pub(super) fn schema() -> Value {
    let role = || one_of(&Role::ALL.map(Role::as_str));
    object(&[
        ("actor", text()),
        ("role", role()),
        (
            "rooms?",
            json!({ "type": "object", "additionalProperties": role() }),
        ),
        ("expires?", time()),
    ])
}
