//! The schemas of what answers are made of.

use serde_json::{Value, json};

use super::schema::{count, flag, many, object, of, one_of, text, time};
use crate::model::EventKind;

type Named = (&'static str, Value);

/// What answers are made of.
pub(super) fn parts() -> impl Iterator<Item = Named> {
    of_events()
        .into_iter()
        .chain(of_instructions())
        .chain(of_proposals())
        .chain(of_deployments())
        .chain(of_environments())
}

/// The log.
fn of_events() -> Vec<Named> {
    let kinds: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
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
    ]
}

/// What a person asked for.
fn of_instructions() -> Vec<Named> {
    vec![(
        "Instruction",
        object(&[
            ("id", text()),
            ("actor", text()),
            ("bearer?", of("Bearer")),
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
                    (
                        "plan?",
                        many(object(&[
                            ("file", text()),
                            ("what", text()),
                            ("kept", flag()),
                        ])),
                    ),
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
    )]
}

/// What is proposed.
fn of_proposals() -> Vec<Named> {
    let side = |kind: &str, fields: &[(&str, Value)]| {
        let mut all = vec![("kind", json!({ "const": kind }))];
        all.extend_from_slice(fields);
        object(&all)
    };
    vec![
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
                ("left_out?", many(count())),
            ]),
        ),
    ]
}

/// What goes to an environment, and what stands before it.
fn of_deployments() -> Vec<Named> {
    vec![
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
                        "waiting",
                        "queued",
                        "running",
                        "live",
                        "failed",
                        "canceled",
                        "rolled_back",
                        "unknown",
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
                            one_of(&[
                                "queue", "check", "fetch", "build", "upload", "activate", "verify",
                            ]),
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
                ("gate?", of("Gate")),
                (
                    "promotion?",
                    object(&[
                        ("release", text()),
                        ("from?", text()),
                        ("over?", text()),
                        ("anew?", flag()),
                        ("automatic?", flag()),
                    ]),
                ),
                ("during_freeze?", time()),
                ("started_at", time()),
                ("ended_at?", time()),
            ]),
        ),
        ("ApprovalRule", one_of(&["none", "ask", "two people"])),
        (
            "Gate",
            object(&[
                ("rule", of("ApprovalRule")),
                (
                    "given",
                    many(object(&[
                        ("actor", text()),
                        ("token?", text()),
                        ("at", time()),
                    ])),
                ),
                ("over?", text()),
                ("since?", text()),
                ("files", many(of("FileChange"))),
                ("changed", count()),
                ("commits", many(of("CommitLine"))),
                ("frozen_until?", time()),
            ]),
        ),
        (
            "FileChange",
            object(&[("path", text()), ("added", count()), ("removed", count())]),
        ),
        (
            "Lock",
            object(&[("deployment", text()), ("owner", text()), ("since", time())]),
        ),
    ]
}

/// What an environment is and serves.
fn of_environments() -> Vec<Named> {
    vec![
        (
            "EnvironmentStatus",
            object(&[
                ("name", text()),
                ("target", text()),
                ("branch?", text()),
                ("url?", text()),
                ("approval", of("ApprovalRule")),
                ("checks?", many(text())),
                ("promote_to?", text()),
                ("frozen_until?", time()),
                ("lock?", of("Lock")),
                ("queued?", of("Lock")),
                ("waiting?", many(of("Lock"))),
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
        ("Received", object(&[("new", flag())])),
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
