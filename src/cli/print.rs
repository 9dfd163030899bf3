//! Events and diffs as lines on a terminal.

use std::io::{IsTerminal, Write};

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::model::{Event, EventKind};

/// Whether stdout takes colours: a terminal, and `NO_COLOR` is not set.
pub fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Prints a line to stdout; a closed pipe is no error.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints an event as one JSON line.
pub fn json(event: &Event) {
    if let Ok(text) = serde_json::to_string(event) {
        line(&text);
    }
}

/// Prints an event as one line of a timeline.
pub fn event(event: &Event) {
    let time = event
        .at
        .to_zoned(TimeZone::system())
        .strftime("%H:%M:%S%.3f")
        .to_string();
    line(&format!(
        "{time}  {:<16} {}",
        event.kind.as_str(),
        summary(event)
    ));
}

/// What an event says, in one line without control characters.
pub fn summary(event: &Event) -> String {
    let data = &event.data;
    let text = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key: &str| data.get(key).and_then(Value::as_u64).unwrap_or_default();
    let words = match event.kind {
        EventKind::Transcript if text("engine") == "typed" => {
            format!("\u{ab}{}\u{bb}", text("text"))
        }
        EventKind::Transcript => format!(
            "\u{ab}{}\u{bb} ({} ms for {:.1} s, {})",
            text("text"),
            number("ms"),
            data.get("seconds")
                .and_then(Value::as_f64)
                .unwrap_or_default(),
            text("engine")
        ),
        EventKind::Intent => match data.pointer("/question/text").and_then(Value::as_str) {
            Some(question) => question.to_owned(),
            None => text("reading").to_owned(),
        },
        EventKind::Proposal | EventKind::ProposalUpdated => {
            let files = data
                .get("files")
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            let noun = if files == 1 { "file" } else { "files" };
            format!("{} ({files} {noun}, {})", text("title"), text("engine"))
        }
        EventKind::Approved => match data.pointer("/question/text").and_then(Value::as_str) {
            Some(question) => format!("yes: {question}"),
            None if event.deployment.is_some() => {
                let more = match number("missing") {
                    0 => String::new(),
                    missing => format!("; {missing} more needed"),
                };
                format!(
                    "{} to {} by {}{more}",
                    text("action"),
                    event.environment.as_deref().unwrap_or_default(),
                    event.actor
                )
            }
            None => format!("{} by {}", text("action"), event.actor),
        },
        EventKind::Rejected => format!("by {} {}", event.actor, text("reason")),
        EventKind::Commit => format!(
            "{} on {}: {} ({} ms)",
            text("commit").get(..7).unwrap_or_default(),
            text("branch"),
            text("message").lines().next().unwrap_or_default(),
            number("ms")
        ),
        EventKind::DeployStart => format!(
            "{} to {} ({})",
            text("commit").get(..7).unwrap_or_default(),
            event.environment.as_deref().unwrap_or_default(),
            text("target")
        ),
        EventKind::DeployProgress => {
            format!(
                "{:>3} % {} {}",
                number("percent"),
                text("stage"),
                text("message")
            )
        }
        // Nobody here has looked at it.
        EventKind::DeployComplete if data["checked"] == false => {
            format!("said to be live, made elsewhere: {}", text("url"))
        }
        EventKind::DeployComplete => format!("LIVE {} ({} ms)", text("url"), number("total_ms")),
        EventKind::DeployError if data["unknown"] == true => {
            format!("unknown, {}: {}", text("stage"), text("message"))
        }
        EventKind::DeployError => format!("{}: {}", text("stage"), text("message")),
        EventKind::Health => {
            format!(
                "{} {} ({} ms) {}",
                number("status"),
                text("url"),
                number("ms"),
                text("message")
            )
        }
        EventKind::Rollback => format!("to {} ({})", text("to"), text("reason")),
        EventKind::Promote => format!("{} to {}", text("from"), text("to")),
        EventKind::Check if data["ok"] == true && !data["kept"].is_null() => {
            format!("{} passed before with these files", text("name"))
        }
        EventKind::Check => {
            let how = if data["ok"] == true {
                "passed"
            } else {
                "FAILED"
            };
            format!(
                "{} {how} ({} ms) {}",
                text("name"),
                number("ms"),
                text("message")
            )
        }
        EventKind::Canceled => text("reason").to_owned(),
        EventKind::Notice | EventKind::Error => text("message").to_owned(),
    };
    clean(words.trim())
}

/// Text from a site, a hook or a server, made safe for a terminal: no escapes, no other controls.
pub fn clean(text: &str) -> String {
    crate::model::ansi::strip(text)
        .chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect()
}

/// Prints a unified diff, coloured on a terminal.
pub fn diff(patch: &str) {
    let colours = colours();
    for text in patch.lines() {
        let text = clean(text);
        let colour = match text.as_bytes().first() {
            Some(b'+') if !text.starts_with("+++") => "32",
            Some(b'-') if !text.starts_with("---") => "31",
            Some(b'@') => "36",
            _ => "",
        };
        if colours && !colour.is_empty() {
            line(&format!("\x1b[{colour}m{text}\x1b[0m"));
        } else {
            line(&text);
        }
    }
}

/// Prints the refusal or failure that an `error` event carries, with its numbered candidates.
pub fn error(data: &Value) {
    let text = |key: &str| data.get(key).and_then(Value::as_str).map(clean);
    let reason = text("reason").map_or(String::new(), |reason| format!("{reason}: "));
    eprintln!("sayso: {reason}{}", text("message").unwrap_or_default());
    for (at, candidate) in data
        .get("candidates")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        let field = |key: &str| {
            candidate
                .get(key)
                .and_then(Value::as_str)
                .map(clean)
                .unwrap_or_default()
        };
        let row = candidate
            .get("line")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        eprintln!("  {}. {}:{row}  {}", at + 1, field("file"), field("text"));
    }
    if let Some(hint) = text("hint") {
        eprintln!("  next: {hint}");
    }
}

/// A plan, before it is asked about.
pub fn plan(lines: &[crate::model::PlanLine]) {
    for (at, one) in lines.iter().enumerate() {
        let left = if one.kept { "" } else { " (left out)" };
        line(&format!(
            "  {} {}: {}{left}",
            at + 1,
            clean(&one.file),
            clean(&one.what)
        ));
    }
}

/// Asks about a plan on the terminal: yes, no, or the numbers of the lines to leave out. The lines that remain; none of
/// them for no. `None` when there is no terminal to ask on.
pub fn ask_plan(question: &str, lines: usize) -> Option<Vec<usize>> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    loop {
        eprint!("{} [y/n, or numbers to leave out] ", clean(question));
        let mut answer = String::new();
        if !matches!(std::io::stdin().read_line(&mut answer), Ok(read) if read > 0) {
            return Some(Vec::new());
        }
        let answer = answer.trim().to_lowercase();
        match answer.as_str() {
            "y" | "yes" => return Some((0..lines).collect()),
            "n" | "no" => return Some(Vec::new()),
            _ => {}
        }
        let split = answer.split([' ', ',']).filter(|part| !part.is_empty());
        let out: Option<Vec<usize>> = split.map(|part| part.parse().ok()).collect();
        if let Some(out) = out.filter(|out| !out.is_empty()) {
            return Some((0..lines).filter(|at| !out.contains(&(at + 1))).collect());
        }
    }
}

/// Asks for a line of text; `None` without a terminal to ask on.
pub fn ask_text(question: &str) -> Option<String> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    eprint!("{} ", clean(question));
    let mut answer = String::new();
    match std::io::stdin().read_line(&mut answer) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(answer.trim().to_owned()),
    }
}

/// Asks a yes-or-no question on the terminal. `None` when there is no terminal to ask on.
pub fn ask(question: &str) -> Option<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    loop {
        eprint!("{} [y/n] ", clean(question));
        let mut answer = String::new();
        match std::io::stdin().read_line(&mut answer) {
            Ok(0) | Err(_) => return Some(false),
            Ok(_) => match answer.trim().to_lowercase().as_str() {
                "y" | "yes" => return Some(true),
                "n" | "no" => return Some(false),
                _ => {}
            },
        }
    }
}
