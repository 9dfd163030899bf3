//! The one strict form in which a model or an agent proposes a change, and its way to files.
//!
//! An answer is a set of edits: a file, the old text, the new text. The old text must stand in the file exactly once, byte
//! for byte; all edits are made on one snapshot, all of them or none. What does not fit is told back with the place and the
//! nearest line ([`Fault`]), never bent until it fits: formats with lenient matching put changes in wrong places.
//!
//! [`apply`](apply::apply) is pure: it reads a tree and returns files. [`partial`] reads an answer that is still being
//! written, [`blocks`] the form for models without tools.

pub mod apply;
pub mod blocks;
pub mod near;
pub mod partial;
pub mod path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use apply::{Applied, Limits, apply};

/// The name of the tool that takes an answer.
pub const TOOL: &str = "propose_edit";

/// What the tool is for, in the words the model reads.
pub const PURPOSE: &str = "Propose a change to the website's files. `old` must be copied exactly from the file, \
    whitespace included, and must occur in it exactly once: take enough lines around the change. Keep each edit small. \
    All edits apply to the files as they were shown.";

/// A change as a model proposes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// Replacements in files that exist.
    pub edits: Vec<Edit>,
    /// Files to be made, and small files to be written anew.
    pub new_files: Vec<NewFile>,
    /// For a large change, before its edits: the files, and what is to be done in each.
    pub plan: Vec<PlannedFile>,
    /// Files to be removed.
    pub delete_files: Vec<String>,
    /// What the change does, in one line.
    pub note: String,
    /// Why it cannot be done; empty when it can.
    pub cannot: String,
}

/// One replacement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Edit {
    /// Path from the root of the repository.
    pub file: String,
    /// What stands there: exactly once in the file.
    pub old: String,
    /// What shall stand there.
    pub new: String,
}

/// A file with its whole text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewFile {
    /// Path from the root of the repository.
    pub file: String,
    /// The whole text.
    pub content: String,
}

/// A line of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlannedFile {
    /// Path from the root of the repository.
    pub file: String,
    /// What is to be done there.
    pub what: String,
}

/// Why a part of an answer was not taken, in words that both the model and the person can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file it is about; empty for the answer as a whole.
    pub file: String,
    /// What is wrong, where, and what would be right.
    pub why: String,
    /// True when it must not be tried again: a path outside the site, a secret.
    pub grave: bool,
}

impl Fault {
    /// A fault that another try may mend.
    pub fn new(file: &str, why: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            why: why.into(),
            grave: false,
        }
    }

    /// A fault that ends the conversation.
    pub fn grave(file: &str, why: impl Into<String>) -> Self {
        Self {
            grave: true,
            ..Self::new(file, why)
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.file.is_empty() {
            f.write_str(&self.why)
        } else {
            write!(f, "{}: {}", self.file, self.why)
        }
    }
}

/// The JSON schema of [`Answer`], in the subset that all services take: every property required, no others.
pub fn schema() -> Value {
    let text = |what: &str| json!({ "type": "string", "description": what });
    let object = |properties: Value, required: Value| {
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    };
    let edit = object(
        json!({
            "file": text("path from the root of the repository"),
            "old": text("the exact text to replace; occurs exactly once in the file"),
            "new": text("the text in its place"),
        }),
        json!(["file", "old", "new"]),
    );
    let file = object(
        json!({
            "file": text("path from the root of the repository"),
            "content": text("the whole text of the file"),
        }),
        json!(["file", "content"]),
    );
    let planned = object(
        json!({
            "file": text("path from the root of the repository"),
            "what": text("what is to be done there, in one short line"),
        }),
        json!(["file", "what"]),
    );
    object(
        json!({
            "plan": { "type": "array", "items": planned },
            "note": text("what the change does, in one short line, in the imperative"),
            "cannot": text("why the change cannot be made; empty when it is made"),
            "edits": { "type": "array", "items": edit },
            "new_files": { "type": "array", "items": file },
            "delete_files": { "type": "array", "items": { "type": "string" } },
        }),
        json!([
            "plan",
            "note",
            "cannot",
            "edits",
            "new_files",
            "delete_files"
        ]),
    )
}

/// Reads a finished answer: the tool's JSON, JSON in a text, or SEARCH/REPLACE blocks.
///
/// # Errors
/// A fault that says what form is wanted.
pub fn read(text: &str) -> Result<Answer, Fault> {
    let wrong = |why: String| Fault::new("", why);
    let text = text.trim();
    if text.is_empty() {
        return Err(wrong("the answer is empty".into()));
    }
    if text.starts_with('{') {
        return serde_json::from_str(text).map_err(|error| {
            wrong(format!(
                "the answer is not the JSON that is wanted: {error}"
            ))
        });
    }
    if let Some(answer) = fenced(text) {
        return Ok(answer);
    }
    match blocks::read(text) {
        Ok(answer) if answer != Answer::default() => Ok(answer),
        Ok(_) => Err(wrong(format!(
            "the answer holds no edits: call {TOOL}, or answer with SEARCH/REPLACE blocks"
        ))),
        Err(fault) => Err(fault),
    }
}

/// The answer in a fence of a text (```` ```json ````).
fn fenced(text: &str) -> Option<Answer> {
    let (_, after) = text.split_once("```json")?;
    let (inside, _) = after.split_once("\n```")?;
    let value: Value = serde_json::from_str(inside.trim()).ok()?;
    value.get("edits").or_else(|| value.get("new_files"))?;
    serde_json::from_value(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_in_each_of_its_forms() {
        let wanted = Answer {
            edits: vec![Edit {
                file: "index.html".into(),
                old: "<h1>Old</h1>".into(),
                new: "<h1>New</h1>".into(),
            }],
            ..Answer::default()
        };
        let json = r#"{"edits":[{"file":"index.html","old":"<h1>Old</h1>","new":"<h1>New</h1>"}]}"#;
        assert_eq!(read(json), Ok(wanted.clone()));
        assert_eq!(
            read(&format!("Here:\n```json\n{json}\n```\nDone.")),
            Ok(wanted.clone())
        );
        let block =
            "index.html\n<<<<<<< SEARCH\n<h1>Old</h1>\n=======\n<h1>New</h1>\n>>>>>>> REPLACE\n";
        let read_block = read(block).unwrap();
        assert_eq!(read_block.edits[0].old, "<h1>Old</h1>\n");
        assert_eq!(read_block.edits[0].new, "<h1>New</h1>\n");
    }

    #[test]
    fn an_answer_without_edits_is_told_what_is_wanted() {
        assert!(read("").unwrap_err().why.contains("empty"));
        assert!(
            read("I would change the headline.")
                .unwrap_err()
                .why
                .contains(TOOL)
        );
        assert!(read("{\"edits\": 5}").unwrap_err().why.contains("JSON"));
    }

    #[test]
    fn the_schema_names_every_part_of_an_answer() {
        let schema = schema();
        let named: Vec<&str> = schema["required"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let parts = serde_json::to_value(Answer::default()).unwrap();
        for part in parts.as_object().unwrap().keys() {
            assert!(named.contains(&part.as_str()), "{part}");
            assert!(schema["properties"].get(part).is_some(), "{part}");
        }
    }
}
