//! JSON schemas of what goes over the wire. A test compares them with what serde really writes and reads.

use serde_json::{Map, Value, json};

use super::{
    auth, schema_answers as answers, schema_host as host, schema_parts as parts,
    schema_rooms as rooms, schema_tokens as tokens, submit,
};

/// A cursor, a bare sequence number, or nothing.
pub(super) const CURSOR_OR_SEQ: &str = "^([0-9A-Za-z]{1,64}-[0-9]{1,19}|[0-9]{1,19})?$";

/// A list of channels.
pub(super) const CHANNELS: &str = "^((presence|project:[*]|(project|proposal|build|deployment|preview|instruction):[0-9A-Za-z_.-]{1,64})(,(presence|project:[*]|(project|proposal|build|deployment|preview|instruction):[0-9A-Za-z_.-]{1,64})){0,31})?$";

/// What may name a thing in a query.
pub(super) const NAME: &str = "^[0-9A-Za-z_.-]{1,64}$";

/// Base 64 with padding.
const BASE64: &str = "^([0-9A-Za-z+/]{4})*([0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?$";

/// A reference to the schema `name`.
pub(super) fn of(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

pub(super) fn flag() -> Value {
    json!({ "type": "boolean" })
}

pub(super) fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

pub(super) fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

pub(super) fn many(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

pub(super) fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// May also be null: serde reads null as absent.
pub(super) fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema.get("type").cloned() {
        schema["type"] = json!([kind, "null"]);
        return schema;
    }
    json!({ "anyOf": [schema, { "type": "null" }] })
}

/// An object. A name with `?` may be absent.
pub(super) fn object(fields: &[(&str, Value)]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, schema) in fields {
        match name.strip_suffix('?') {
            Some(name) => {
                properties.insert(name.to_owned(), schema.clone());
            }
            None => {
                properties.insert((*name).to_owned(), schema.clone());
                required.push(*name);
            }
        }
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// An object that a client sends: a field nobody knows is refused.
pub(super) fn request(fields: &[(&str, Value)]) -> Value {
    let mut schema = object(fields);
    schema["additionalProperties"] = false.into();
    schema
}

/// Every schema by name.
pub(super) fn all() -> Value {
    let mut all = Map::new();
    for (name, schema) in requests()
        .into_iter()
        .chain(answers::answers())
        .chain(parts::parts())
        .chain(host::schemas())
        .chain(tokens::schemas())
        .chain(rooms::schemas())
    {
        all.insert(name.to_owned(), schema);
    }
    all.into()
}

/// Base 64, or null.
pub(super) fn base64() -> Value {
    json!({ "type": ["string", "null"], "contentEncoding": "base64", "pattern": BASE64 })
}

fn requests() -> Vec<(&'static str, Value)> {
    let name = || json!({ "type": "string" });
    vec![
        ("Submission", {
            let mut schema = request(&[
                ("prompt?", or_null(text())),
                (
                    "audio?",
                    or_null(
                        json!({ "type": "string", "contentEncoding": "base64", "pattern": BASE64, "description": "A WAV file." }),
                    ),
                ),
                ("action?", of("Action")),
                ("filePath?", or_null(text())),
                ("engine?", or_null(text())),
                ("commands?", many(text())),
            ]);
            schema["oneOf"] = json!([
                { "required": ["prompt"], "properties": { "prompt": text(), "audio": { "type": "null" } } },
                { "required": ["audio"], "properties": { "audio": text(), "prompt": { "type": "null" } } },
            ]);
            schema
        }),
        ("Recording", {
            let mut schema = request(&[
                (
                    "audio?",
                    json!({ "type": "string", "contentMediaType": "audio/wav", "description": "A WAV file of at most 12 MiB." }),
                ),
                (
                    "prompt?",
                    json!({ "type": "string", "maxLength": submit::MAX_TEXT }),
                ),
                ("action?", of("Action")),
                (
                    "filePath?",
                    json!({ "type": "string", "maxLength": submit::MAX_TEXT }),
                ),
                (
                    "engine?",
                    json!({ "type": "string", "maxLength": submit::MAX_TEXT }),
                ),
                (
                    "commands?",
                    json!({ "type": "string", "maxLength": submit::MAX_TEXT, "description": "Phrases of the sender's own screen, one a line." }),
                ),
            ]);
            schema["oneOf"] = json!([{ "required": ["audio"] }, { "required": ["prompt"] }]);
            schema
        }),
        (
            "Answer",
            request(&[("yes", flag()), ("keep?", or_null(many(count())))]),
        ),
        (
            "Restore",
            request(&[
                (
                    "version?",
                    json!({ "type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX }),
                ),
                ("later?", flag()),
            ]),
        ),
        (
            "Approval",
            request(&[
                ("hunks?", or_null(many(text()))),
                (
                    "action?",
                    json!({ "anyOf": [of("Action"), { "type": "null" }] }),
                ),
                ("message?", or_null(text())),
                ("environment?", or_null(name())),
                (
                    "version?",
                    json!({ "type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX }),
                ),
                ("state_vector?", base64()),
            ]),
        ),
        (
            "BatchApproval",
            request(&[
                (
                    "proposals",
                    many(request(&[
                        ("proposal", name()),
                        (
                            "version",
                            json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
                        ),
                    ])),
                ),
                (
                    "action?",
                    json!({ "anyOf": [of("Action"), { "type": "null" }] }),
                ),
                ("message?", or_null(text())),
                ("environment?", or_null(name())),
            ]),
        ),
        (
            "Decide",
            request(&[
                ("hunks", many(text())),
                ("lines?", or_null(many(count()))),
                ("decision", of("Decision")),
            ]),
        ),
        (
            "EditText",
            request(&[
                ("path", text()),
                ("text", text()),
                (
                    "version",
                    json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
                ),
            ]),
        ),
        (
            "RunRecipe",
            request(&[
                (
                    "set?",
                    json!({ "type": "object", "additionalProperties": { "type": "string" } }),
                ),
                ("alone?", flag()),
                ("action?", of("Action")),
            ]),
        ),
        ("StartPreview", request(&[("allow?", flag())])),
        (
            "WatchRequest",
            request(&[
                ("on?", or_null(flag())),
                ("once?", flag()),
                ("environment?", or_null(text())),
            ]),
        ),
        ("Reject", request(&[("reason?", or_null(text()))])),
        ("Revise", request(&[("prompt", text())])),
        (
            "SyncRequest",
            request(&[
                ("proposals?", many(name())),
                ("message?", or_null(text())),
                ("environment?", or_null(name())),
                ("paths?", many(text())),
                ("during_freeze?", flag()),
                ("commit?", or_null(name())),
            ]),
        ),
        ("Rollback", request(&[("to?", or_null(name()))])),
        (
            "Promote",
            request(&[
                ("release?", or_null(name())),
                ("from?", or_null(name())),
                ("expected?", or_null(name())),
                ("during_freeze?", flag()),
            ]),
        ),
        (
            "ApproveDeployment",
            request(&[("expected?", or_null(name())), ("during_freeze?", flag())]),
        ),
        ("SignIn", {
            let mut schema = request(&[("token", text())]);
            schema["description"] = format!(
                "The answer's cookie reads for {} hours; changes also need the header `{}` and an `Origin`.",
                auth::SESSION.as_secs() / 3600,
                auth::CSRF_HEADER
            ).into();
            schema
        }),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::Serialize;

    use super::*;
    use crate::model::EventKind;
    use crate::model::api::{
        Approval, ApproveDeployment, Promote, Rollback, Submission, SyncRequest,
    };
    use crate::model::room::{HistoryStep, HistoryTexts, RoomSync, RoomSynced};
    use crate::model::{
        Action, ApprovalRule, EnvironmentStatus, Gate, LiveRelease, Lock, Progress, Stage,
    };

    fn names(value: &Value) -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    }

    /// `value`, with every field set, must have exactly the fields of the schema.
    fn same_fields(schema: &Value, value: impl Serialize) {
        let value = serde_json::to_value(value).unwrap();
        assert_eq!(names(&schema["properties"]), names(&value));
    }

    #[test]
    fn schemas_have_the_fields_that_serde_has() {
        let all = all();
        let text = || Some("x".to_owned());
        same_fields(
            &all["Submission"],
            Submission {
                prompt: text(),
                audio: text(),
                action: Action::Deploy,
                file_path: text(),
                engine: text(),
                commands: vec!["next hunk".into()],
            },
        );
        same_fields(
            &all["Approval"],
            Approval {
                hunks: Some(vec![]),
                action: Some(Action::Commit),
                message: text(),
                environment: text(),
                version: Some(1),
                state_vector: text(),
            },
        );
        same_fields(
            &all["RoomSync"],
            RoomSync {
                state_vector: text(),
                update: text(),
                awareness: text(),
                session: text(),
                seen: text(),
                wait: Some(1),
            },
        );
        same_fields(
            &all["RoomSynced"],
            RoomSynced {
                update: text(),
                denied: text(),
                ..RoomSynced::default()
            },
        );
        let step = || HistoryStep {
            number: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            author: "x".into(),
        };
        same_fields(&all["HistoryStep"], step());
        same_fields(
            &all["HistoryTexts"],
            HistoryTexts {
                step: step(),
                files: std::collections::BTreeMap::new(),
            },
        );
        same_fields(
            &all["SyncRequest"],
            SyncRequest {
                proposals: vec![],
                message: text(),
                environment: text(),
                paths: vec![],
                during_freeze: true,
                commit: text(),
            },
        );
        same_fields(
            &all["Promote"],
            Promote {
                release: Some("rel_1".into()),
                from: text(),
                expected: Some("rel_1".into()),
                during_freeze: true,
            },
        );
        same_fields(
            &all["ApproveDeployment"],
            ApproveDeployment {
                expected: Some("rel_1".into()),
                during_freeze: true,
            },
        );
        same_fields(
            &all["Gate"],
            Gate {
                rule: ApprovalRule::Ask,
                given: vec![],
                over: Some("rel_1".into()),
                since: text(),
                files: vec![],
                changed: 0,
                commits: vec![],
                frozen_until: Some(jiff::Timestamp::UNIX_EPOCH),
            },
        );
        let lock = || Lock {
            deployment: "dep_1".into(),
            owner: "x".into(),
            since: jiff::Timestamp::UNIX_EPOCH,
        };
        same_fields(
            &all["EnvironmentStatus"],
            EnvironmentStatus {
                name: "x".into(),
                target: "x".into(),
                branch: "x".into(),
                url: "x".into(),
                approval: ApprovalRule::Ask,
                checks: vec!["x".into()],
                promote_to: text(),
                frozen_until: Some(jiff::Timestamp::UNIX_EPOCH),
                lock: Some(lock()),
                queued: Some(lock()),
                waiting: vec![lock()],
            },
        );
        same_fields(&all["Lock"], lock());
        same_fields(
            &all["Rollback"],
            Rollback {
                to: Some("rel_1".into()),
            },
        );
        same_fields(
            &all["Deployment"]["properties"]["progress"],
            Progress {
                percent: 1,
                stage: Stage::Build,
                message: "x".into(),
                eta_ms: Some(1),
            },
        );
        same_fields(
            &all["LiveRelease"],
            LiveRelease {
                environment: "x".into(),
                release: "rel_1".into(),
                commit: "x".into(),
                url: "x".into(),
                since: jiff::Timestamp::UNIX_EPOCH,
            },
        );
    }

    #[test]
    fn names_of_stages_and_events_are_those_of_the_model() {
        let all = all();
        let stages = Stage::EVERY.map(|stage| Value::from(stage.as_str()));
        let schema = &all["Deployment"]["properties"]["progress"]["properties"]["stage"]["enum"];
        assert_eq!(schema.as_array().unwrap().as_slice(), stages);
        assert_eq!(
            all["Event"]["properties"]["type"]["enum"]
                .as_array()
                .unwrap()
                .len(),
            EventKind::ALL.len()
        );
    }
}
