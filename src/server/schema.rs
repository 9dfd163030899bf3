//! JSON schemas of what goes over the wire. A test compares them with what serde really writes and reads.

use serde_json::{Map, Value, json};

use super::{auth, submit};
use crate::model::EventKind;

/// A cursor, a bare sequence number, or nothing.
pub(super) const CURSOR_OR_SEQ: &str = "^([0-9A-Za-z]{1,64}-[0-9]{1,19}|[0-9]{1,19})?$";

/// A list of channels.
pub(super) const CHANNELS: &str = "^((project|proposal|deployment|instruction):[0-9A-Za-z_.-]{1,64}(,(project|proposal|deployment|instruction):[0-9A-Za-z_.-]{1,64}){0,31})?$";

/// A reference to the schema `name`.
pub(super) fn of(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn flag() -> Value {
    json!({ "type": "boolean" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn time() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn many(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// May also be null: serde reads null as absent.
fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema.get("type").cloned() {
        schema["type"] = json!([kind, "null"]);
        return schema;
    }
    json!({ "anyOf": [schema, { "type": "null" }] })
}

/// An object. A name with `?` may be absent.
fn object(fields: &[(&str, Value)]) -> Value {
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
fn request(fields: &[(&str, Value)]) -> Value {
    let mut schema = object(fields);
    schema["additionalProperties"] = false.into();
    schema
}

/// Every schema by name.
pub(super) fn all() -> Value {
    let mut all = Map::new();
    for (name, schema) in requests().into_iter().chain(answers()).chain(parts()) {
        all.insert(name.to_owned(), schema);
    }
    all.into()
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
                        json!({ "type": "string", "contentEncoding": "base64", "description": "A WAV file." }),
                    ),
                ),
                ("action?", of("Action")),
                ("filePath?", or_null(text())),
                ("engine?", or_null(text())),
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
            ]);
            schema["oneOf"] = json!([{ "required": ["audio"] }, { "required": ["prompt"] }]);
            schema
        }),
        ("Answer", request(&[("yes", flag())])),
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
            ]),
        ),
        (
            "Decide",
            request(&[("hunks", many(text())), ("decision", of("Decision"))]),
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
        ("Reject", request(&[("reason?", or_null(text()))])),
        ("Revise", request(&[("prompt", text())])),
        (
            "SyncRequest",
            request(&[
                ("proposals?", many(name())),
                ("message?", or_null(text())),
                ("environment?", or_null(name())),
                ("paths?", many(text())),
            ]),
        ),
        ("Rollback", request(&[("to?", or_null(name()))])),
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

fn answers() -> Vec<(&'static str, Value)> {
    vec![
        ("Accepted", object(&[("instruction", text())])),
        ("Alive", object(&[("status", one_of(&["ok"]))])),
        (
            "Approved",
            object(&[("commit", text()), ("deployment?", text())]),
        ),
        (
            "Synced",
            object(&[("commit", text()), ("deployment?", text())]),
        ),
        (
            "EventPage",
            object(&[
                ("events", many(of("Event"))),
                ("next", of("Cursor")),
                ("reset", flag()),
            ]),
        ),
        (
            "DeploymentList",
            object(&[
                ("deployments", many(of("Deployment"))),
                (
                    "releases",
                    many(object(&[
                        ("environment", text()),
                        ("releases", many(of("ReleaseInfo"))),
                    ])),
                ),
            ]),
        ),
        ("ProposalView", {
            let mut fields = proposal();
            fields.push(("patch", text()));
            object(&fields)
        }),
        (
            "Status",
            object(&[
                ("version", text()),
                ("project", text()),
                (
                    "repository",
                    object(&[
                        ("name", text()),
                        ("root", text()),
                        ("branch", text()),
                        ("head", text()),
                        ("changes", count()),
                    ]),
                ),
                ("environment", text()),
                ("live", many(of("LiveRelease"))),
                (
                    "speech",
                    object(&[("engine", text()), ("ready", flag()), ("message", text())]),
                ),
                ("proposals", many(of("ProposalView"))),
                ("instructions", many(of("Instruction"))),
                ("deployments", many(of("Deployment"))),
                ("cursor", of("Cursor")),
                ("oldest", count()),
            ]),
        ),
        (
            "Problem",
            object(&[
                ("type", text()),
                ("title", text()),
                ("status", count()),
                ("detail", text()),
                ("hint?", text()),
            ]),
        ),
    ]
}

fn proposal() -> Vec<(&'static str, Value)> {
    vec![
        ("id", text()),
        ("instruction?", text()),
        ("version", count()),
        ("kind", one_of(&["edit", "working_tree", "undo"])),
        (
            "state",
            one_of(&["open", "committing", "committed", "rejected"]),
        ),
        ("base", text()),
        ("branch", text()),
        ("title", text()),
        ("notes", many(text())),
        ("warnings", many(text())),
        ("engine", text()),
        ("action", of("Action")),
        ("files", many(of("ProposedFile"))),
        ("commit?", text()),
        ("created_at", time()),
        ("updated_at", time()),
    ]
}

fn parts() -> Vec<(&'static str, Value)> {
    let kinds: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let side = |kind: &str, fields: &[(&str, Value)]| {
        let mut all = vec![("kind", json!({ "const": kind }))];
        all.extend_from_slice(fields);
        object(&all)
    };
    vec![
        ("Action", one_of(&["preview", "commit", "deploy"])),
        ("Decision", one_of(&["accepted", "rejected"])),
        (
            "Cursor",
            json!({ "type": "string", "description": "A place in the log: `<epoch>-<seq>`." }),
        ),
        (
            "Event",
            object(&[
                ("seq", count()),
                ("at", time()),
                ("type", one_of(&kinds)),
                ("project", text()),
                ("instruction?", text()),
                ("proposal?", text()),
                ("deployment?", text()),
                ("environment?", text()),
                ("actor", text()),
                (
                    "data",
                    json!({ "description": "The fields of this type of event." }),
                ),
            ]),
        ),
        (
            "Instruction",
            object(&[
                ("id", text()),
                ("actor", text()),
                ("action", of("Action")),
                (
                    "state",
                    one_of(&[
                        "received",
                        "transcribing",
                        "understanding",
                        "proposing",
                        "proposed",
                        "asking",
                        "acting",
                        "done",
                        "rejected",
                        "refused",
                        "canceled",
                        "failed",
                    ]),
                ),
                ("engine", text()),
                ("text?", text()),
                ("recording?", text()),
                ("file_path?", text()),
                (
                    "intent?",
                    json!({ "type": "object", "description": "What the words were taken for." }),
                ),
                (
                    "question?",
                    object(&[
                        ("text", text()),
                        ("heard", text()),
                        ("act", text()),
                        ("environment?", text()),
                    ]),
                ),
                ("proposal?", text()),
                ("deployment?", text()),
                (
                    "refusal?",
                    object(&[
                        ("reason", text()),
                        ("message", text()),
                        ("hint?", text()),
                        (
                            "candidates",
                            many(object(&[
                                ("file", text()),
                                ("line", count()),
                                ("text", text()),
                            ])),
                        ),
                    ]),
                ),
                ("problem?", of("Problem")),
                ("created_at", time()),
                ("updated_at", time()),
            ]),
        ),
        (
            "ProposedFile",
            object(&[
                ("path", text()),
                ("before", of("Content")),
                ("after", of("Content")),
                ("mode_before", count()),
                ("mode_after", count()),
                ("hunks", many(of("Hunk"))),
            ]),
        ),
        (
            "Content",
            json!({ "oneOf": [
            side("absent", &[]),
            side("text", &[("text", text())]),
            side("binary", &[("oid", text()), ("size", count())]),
        ] }),
        ),
        (
            "Hunk",
            object(&[
                ("id", text()),
                ("old_start", count()),
                ("old_lines", count()),
                ("new_start", count()),
                ("new_lines", count()),
                (
                    "lines",
                    many(object(&[
                        ("tag", one_of(&["context", "delete", "insert"])),
                        ("text", text()),
                        ("no_newline?", flag()),
                    ])),
                ),
                ("decision", of("Decision")),
            ]),
        ),
        (
            "Deployment",
            object(&[
                ("id", text()),
                ("instruction?", text()),
                ("environment", text()),
                ("target", text()),
                ("commit", text()),
                ("release?", text()),
                ("force", flag()),
                (
                    "state",
                    one_of(&[
                        "queued",
                        "running",
                        "live",
                        "failed",
                        "canceled",
                        "rolled_back",
                    ]),
                ),
                (
                    "progress",
                    object(&[
                        (
                            "percent",
                            json!({ "type": "integer", "minimum": 0, "maximum": 100 }),
                        ),
                        (
                            "stage",
                            one_of(&["queue", "fetch", "build", "upload", "activate", "verify"]),
                        ),
                        ("message", text()),
                        ("eta_ms?", count()),
                    ]),
                ),
                ("url?", text()),
                (
                    "stages",
                    json!({ "type": "object", "additionalProperties": count() }),
                ),
                ("problem?", of("Problem")),
                ("log_tail", many(text())),
                ("actor", text()),
                ("started_at", time()),
                ("ended_at?", time()),
            ]),
        ),
        (
            "ReleaseInfo",
            object(&[
                ("id", text()),
                ("commit", text()),
                ("created_at", time()),
                ("files", count()),
                ("bytes", count()),
                ("bad", flag()),
                ("current", flag()),
            ]),
        ),
        (
            "LiveRelease",
            object(&[
                ("environment", text()),
                ("release", text()),
                ("commit", text()),
                ("url", text()),
                ("since", time()),
            ]),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::Serialize;

    use super::*;
    use crate::model::api::{Approval, Rollback, Submission, SyncRequest};
    use crate::model::{Action, LiveRelease, Progress, Stage};

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
            },
        );
        same_fields(
            &all["SyncRequest"],
            SyncRequest {
                proposals: vec![],
                message: text(),
                environment: text(),
                paths: vec![],
            },
        );
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
        let stages = Stage::ALL.map(|stage| Value::from(stage.as_str()));
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
