//! The schemas of answers and of their parts.

use serde_json::{Value, json};

use super::schema::{count, flag, many, object, of, one_of, text, time};
use crate::model::EventKind;

/// What calls answer.
pub(super) fn answers() -> Vec<(&'static str, Value)> {
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
                (
                    "presence?",
                    json!({
                        "type": "object",
                        "description": "Who is here, by place: `server` for who follows the events, and rooms.",
                        "additionalProperties": many(object(&[("name", text())])),
                    }),
                ),
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
                        ("note?", text()),
                        ("health?", of("Vitals")),
                    ])),
                ),
            ]),
        ),
        (
            "Vitals",
            object(&[
                ("environment", text()),
                ("release?", text()),
                ("failing", count()),
                ("note?", text()),
                ("answers", many(of("HealthAnswer"))),
            ]),
        ),
        (
            "Comparison",
            object(&[
                ("from", text()),
                ("to", text()),
                ("commits", many(of("CommitLine"))),
                ("lost", many(of("CommitLine"))),
                ("files", many(of("FileChange"))),
                ("patch", text()),
                ("truncated", flag()),
            ]),
        ),
        (
            "CommitLine",
            object(&[("commit", text()), ("author", text()), ("title", text())]),
        ),
        ("ProposalView", {
            let mut fields = proposal();
            fields.push(("patch", text()));
            object(&fields)
        }),
        (
            "Version",
            object(&[
                ("number", count()),
                ("of", count()),
                ("current", flag()),
                ("proposal", text()),
                ("title", text()),
                ("engine", text()),
                ("words?", text()),
                ("actor", text()),
                ("at", time()),
                ("files", many(text())),
                ("patch", text()),
            ]),
        ),
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
                ("environments", many(of("EnvironmentStatus"))),
                ("previews?", many(of("Preview"))),
                ("health?", many(of("Vitals"))),
                ("watch?", of("WatchStatus")),
                ("conductor?", text()),
                ("cursor", of("Cursor")),
                ("oldest", count()),
            ]),
        ),
        (
            "WatchStatus",
            object(&[
                ("on", flag()),
                ("branch", text()),
                ("environment", text()),
                ("message", text()),
                ("waiting?", text()),
                ("commit?", text()),
                ("deployment?", text()),
            ]),
        ),
        (
            "RecipeInfo",
            object(&[
                ("name", text()),
                ("title", text()),
                ("about", text()),
                ("origin", text()),
                ("say?", text()),
                ("words", text()),
                (
                    "questions",
                    many(object(&[
                        ("name", text()),
                        ("ask", text()),
                        ("default?", text()),
                        ("choices?", many(text())),
                    ])),
                ),
                ("site", text()),
                ("files", many(text())),
                ("finish", flag()),
                ("not_here?", text()),
            ]),
        ),
        (
            "Preview",
            object(&[
                ("proposal", text()),
                ("version", count()),
                ("url", text()),
                (
                    "state",
                    one_of(&["building", "ready", "held", "failed", "ended"]),
                ),
                ("message", text()),
                ("hint?", text()),
                ("log_tail?", many(text())),
                ("picture", flag()),
                ("no_picture?", text()),
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

/// What answers are made of.
pub(super) fn parts() -> Vec<(&'static str, Value)> {
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
                ("left_out?", many(count())),
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
