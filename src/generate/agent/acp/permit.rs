//! What an agent asks permission for, and how its question is answered. No I/O.

use std::path::Path;

use agent_client_protocol::v1::schema::{
    PermissionOption, PermissionOptionKind, RequestPermissionOutcome, RequestPermissionRequest,
    SelectedPermissionOutcome, ToolCallContent, ToolCallUpdateFields, ToolKind,
};

use super::super::process::line;
use crate::generate::Ask;

/// The kinds of work that can be allowed in the configuration, by their names there and in the protocol.
pub const KINDS: [&str; 9] = [
    "read", "edit", "delete", "move", "search", "execute", "think", "fetch", "other",
];

/// The name of a kind.
pub fn kind(fields: &ToolCallUpdateFields) -> &'static str {
    match fields.kind {
        Some(ToolKind::Read) => "read",
        Some(ToolKind::Edit) => "edit",
        Some(ToolKind::Delete) => "delete",
        Some(ToolKind::Move) => "move",
        Some(ToolKind::Search) => "search",
        Some(ToolKind::Execute) => "execute",
        Some(ToolKind::Think) => "think",
        Some(ToolKind::Fetch) => "fetch",
        _ => "other",
    }
}

/// The question for the person: who, what, where.
pub fn question(program: &str, request: &RequestPermissionRequest, folder: &Path) -> Ask {
    let fields = &request.tool_call.fields;
    let title = line(fields.title.as_deref().unwrap_or_default());
    let what = match kind(fields) {
        "read" => "read",
        "edit" => "edit",
        "delete" => "delete",
        "move" => "move",
        "search" => "search",
        "execute" => "run",
        "fetch" => "fetch from the network",
        _ => "do this",
    };
    let mut parts: Vec<String> = Vec::new();
    if !title.is_empty() {
        parts.push(title);
    }
    let mut add = |part: String| {
        let part = line(&part);
        if !part.is_empty() && !parts.iter().any(|known| known.contains(&part)) {
            parts.push(part);
        }
    };
    // A title may say less than what is really done.
    if let Some(input) = &fields.raw_input {
        for key in ["command", "cmd", "url"] {
            match &input[key] {
                serde_json::Value::String(text) => add(text.clone()),
                serde_json::Value::Array(words) => {
                    let words: Vec<&str> = words.iter().filter_map(|word| word.as_str()).collect();
                    add(words.join(" "));
                }
                _ => {}
            }
        }
    }
    for place in fields.locations.iter().flatten() {
        add(shown(&place.path, folder));
    }
    for content in fields.content.iter().flatten() {
        if let ToolCallContent::Diff(diff) = content {
            add(shown(&diff.path, folder));
        }
    }
    let detail = match parts.is_empty() {
        true => "something it does not name".to_owned(),
        false => parts.join(", "),
    };
    Ask {
        act: Ask::PERMIT,
        text: format!("{program} asks to {what}: {detail}. Allow it?"),
        plan: Vec::new(),
    }
}

/// A path as the site knows it.
fn shown(path: &Path, folder: &Path) -> String {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    inside.display().to_string()
}

/// The answer: the narrowest option of its kind, for this once before for always. An agent that offers none of the kind is
/// told that nothing was chosen.
pub fn answer(options: &[PermissionOption], yes: bool) -> RequestPermissionOutcome {
    use PermissionOptionKind::{AllowAlways, AllowOnce, RejectAlways, RejectOnce};
    let wanted = match yes {
        true => [AllowOnce, AllowAlways],
        false => [RejectOnce, RejectAlways],
    };
    let chosen = wanted
        .iter()
        .find_map(|kind| options.iter().find(|option| option.kind == *kind));
    match chosen {
        Some(option) => RequestPermissionOutcome::Selected(SelectedPermissionOutcome::new(
            option.option_id.clone(),
        )),
        None => RequestPermissionOutcome::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn options(kinds: &[&str]) -> Vec<PermissionOption> {
        let all = kinds
            .iter()
            .map(|kind| json!({ "optionId": kind, "name": "x", "kind": kind }));
        serde_json::from_value(all.collect()).unwrap()
    }

    fn chosen(kinds: &[&str], yes: bool) -> Option<String> {
        match answer(&options(kinds), yes) {
            RequestPermissionOutcome::Selected(selected) => Some(selected.option_id.to_string()),
            _ => None,
        }
    }

    #[test]
    fn the_narrowest_option_of_the_kind_is_taken() {
        let all = ["reject_always", "allow_always", "reject_once", "allow_once"];
        assert_eq!(chosen(&all, true).as_deref(), Some("allow_once"));
        assert_eq!(chosen(&all, false).as_deref(), Some("reject_once"));
        assert_eq!(
            chosen(&["allow_always"], true).as_deref(),
            Some("allow_always")
        );
        assert_eq!(chosen(&["allow_once"], false), None);
    }

    #[test]
    fn a_question_says_what_is_really_done() {
        let request: RequestPermissionRequest = serde_json::from_value(json!({
            "sessionId": "s",
            "toolCall": {
                "toolCallId": "1",
                "title": "Tidy\u{1b}[2J up",
                "kind": "execute",
                "rawInput": { "command": "rm -rf ~" },
                "locations": [{ "path": "/copy/src/a.html" }],
            },
            "options": [],
        }))
        .unwrap();
        let ask = question("opencode", &request, Path::new("/copy"));
        assert_eq!(
            ask.text,
            "opencode asks to run: Tidy up, rm -rf ~, src/a.html. Allow it?"
        );
        assert_eq!(ask.act, Ask::PERMIT);
    }
}
