//! The build's events: newline-delimited JSON that may come torn, twice and in any order. Pure.

use std::collections::HashSet;

use serde_json::Value;

use super::seen;

/// A longer line is dropped: it is no event.
const LONGEST: usize = 1024 * 1024;

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Output of the build.
    Output(String),
    /// The aliases are assigned, or could not be.
    Aliases {
        names: Vec<String>,
        error: Option<String>,
    },
    /// The state changed: it is worth looking now.
    State,
}

/// Puts chunks together to events.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
    seen: HashSet<(i64, String)>,
    /// The time of the newest event, in milliseconds: where a new connection goes on.
    pub last: Option<i64>,
}

impl Lines {
    /// The events that `chunk` completes, without those that came before.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<Line> {
        self.rest.extend_from_slice(chunk);
        let mut found = Vec::new();
        while let Some(at) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=at).collect();
            self.take(&line, &mut found);
        }
        if self.rest.len() > LONGEST {
            self.rest.clear();
        }
        found
    }

    /// The connection ended: half a line is none, it comes again.
    pub fn torn(&mut self) {
        self.rest.clear();
    }

    /// Some places answer with one array in place of lines.
    fn take(&mut self, line: &[u8], found: &mut Vec<Line>) {
        match serde_json::from_slice::<Value>(line) {
            Ok(Value::Array(events)) => {
                found.extend(events.iter().filter_map(|event| self.event(event)));
            }
            Ok(event) => found.extend(self.event(&event)),
            // Keep-alives are empty lines.
            Err(_) => {}
        }
    }

    fn event(&mut self, event: &Value) -> Option<Line> {
        let payload = &event["payload"];
        let either = |key: &str| match &event[key] {
            Value::Null => &payload[key],
            value => value,
        };
        let kind = event["type"].as_str()?;
        let date = either("date")
            .as_i64()
            .or_else(|| either("created").as_i64());
        if kind == "alias-assigned" {
            return Some(Line::Aliases {
                names: seen::names(either("alias")),
                error: seen::alias_error(either("aliasError")),
            });
        }
        // A keep-alive has no time.
        let date = date?;
        let serial = match either("serial") {
            Value::String(serial) => serial.clone(),
            Value::Null => either("text").as_str().unwrap_or(kind).to_owned(),
            other => other.to_string(),
        };
        if !self.seen.insert((date, serial)) {
            return None;
        }
        self.last = self.last.max(Some(date));
        match kind {
            "command" | "stdout" | "stderr" | "fatal" => {
                let text = either("text").as_str()?.trim_end();
                (!text.is_empty()).then(|| Line::Output(text.to_owned()))
            }
            "deployment-state" | "exit" => Some(Line::State),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> Line {
        Line::Output(text.to_owned())
    }

    #[test]
    fn torn_lines_are_put_together_and_doubles_told_once() {
        let mut lines = Lines::default();
        let one = br#"{"type":"stdout","date":5,"serial":"a","text":"one"}"#;
        assert_eq!(lines.push(&one[..20]), []);
        assert_eq!(lines.push(&one[20..]), []);
        assert_eq!(lines.push(b"\n\n{\"type\":\"stdout\"}\n"), [output("one")]);
        // The same again, as after a new connection, then an older one that came late.
        assert_eq!(lines.push(one), []);
        assert_eq!(lines.push(b"\n"), []);
        let late = b"{\"type\":\"stderr\",\"payload\":{\"date\":4,\"serial\":\"b\",\"text\":\"late\\n\"}}\n";
        assert_eq!(lines.push(late), [output("late")]);
        assert_eq!(lines.last, Some(5));
    }

    #[test]
    fn half_a_line_at_the_end_is_dropped() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"{\"type\":\"stdout\",\"date\":1,\"te"), []);
        lines.torn();
        assert_eq!(
            lines.push(b"{\"type\":\"stdout\",\"date\":1,\"text\":\"x\"}\n"),
            [output("x")]
        );
    }

    #[test]
    fn aliases_and_states_are_told() {
        let mut lines = Lines::default();
        let text = b"{\"type\":\"deployment-state\",\"created\":9,\"serial\":1}\n\
            {\"type\":\"alias-assigned\",\"alias\":[\"a.org\"],\"aliasError\":null}\nnonsense\n";
        assert_eq!(
            lines.push(text),
            [
                Line::State,
                Line::Aliases {
                    names: vec!["a.org".into()],
                    error: None
                }
            ]
        );
        assert_eq!(
            lines.push(b"[{\"type\":\"stdout\",\"date\":1,\"text\":\"x\"}]\n"),
            [output("x")]
        );
    }
}
