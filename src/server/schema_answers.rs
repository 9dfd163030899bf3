//! The schemas of answers.

use serde_json::{Value, json};

use super::schema::{count, flag, many, object, of, one_of, text, time};

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
            "SiteWords",
            object(&[("phrases", many(text())), ("names", many(text()))]),
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
