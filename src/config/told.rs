//! `[notify]` and `[health]` of one layer, checked where the mistake can still be named with its line.

use toml::{Table, Value};

use crate::model::news::Topic;

/// What is wrong with a layer's text, and in which line that stands.
///
/// # Errors
/// The first mistake.
pub(super) fn check(text: &str) -> Result<(), (String, Option<usize>)> {
    // What is no TOML is told by whoever reads it next; so is a value of the wrong kind.
    let Ok(table) = text.parse::<Table>() else {
        return Ok(());
    };
    let at = |path: &[&str]| {
        let mut value = table.get(*path.first()?)?;
        for key in &path[1..] {
            value = value.get(key)?;
        }
        Some(value)
    };
    for channel in ["terminal", "desktop", "webhook"] {
        for topic in texts(at(&["notify", channel, "events"])) {
            if !Topic::ALL.iter().any(|known| known.as_str() == topic) {
                let known = Topic::ALL.map(Topic::as_str).join(", ");
                return Err((
                    format!("[notify.{channel}] there is no event {topic:?}; there are: {known}"),
                    line_of(text, topic),
                ));
            }
        }
    }
    for path in [&["notify", "webhook", "urls"][..], &["deploy", "webhooks"]] {
        for address in texts(at(path)) {
            let known = url::Url::parse(address);
            if !known.is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
                let place = path.join(".");
                return Err((
                    format!(
                        "{place}: {address:?} is no address: write it whole, as in https://example.org/hook"
                    ),
                    line_of(text, address),
                ));
            }
        }
    }
    let environments = table.get("environment").and_then(Value::as_array);
    let healths = environments
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.get("health"))
        .chain(table.get("health"));
    for health in healths {
        let header = health.get("header").and_then(Value::as_str).unwrap_or("");
        let name = header.split(':').next().unwrap_or("").trim();
        if !header.trim().is_empty() && http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err((
                format!(
                    "health.header: {name:?} cannot be the name of a header: write \"x-version\" or \"x-version: 12\""
                ),
                line_of(text, header),
            ));
        }
        let path = health.get("path").and_then(Value::as_str).unwrap_or("/");
        if !path.starts_with('/') || path.starts_with("//") {
            return Err((
                format!(
                    "health.path: {path:?} is not a path: write it from the root of the site, as in /health.html"
                ),
                line_of(text, path),
            ));
        }
    }
    Ok(())
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let values = value.and_then(Value::as_array).into_iter().flatten();
    values.filter_map(Value::as_str)
}

/// The line, counted from 1, in which a text stands in quotes.
fn line_of(text: &str, wanted: &str) -> Option<usize> {
    let quoted = |line: &str| {
        ['"', '\'']
            .iter()
            .any(|q| line.contains(&format!("{q}{wanted}{q}")))
    };
    text.lines().position(quoted).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, load_layers};

    fn problem(text: &str) -> String {
        let layer = Layer {
            name: "sayso.toml".into(),
            text: text.into(),
        };
        load_layers(&[layer]).unwrap_err().detail
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, line, words) in [
            (
                "[notify.desktop]\nevents = [\n  \"live\",\n  \"faild\",\n]",
                "line 4",
                "no event \"faild\"",
            ),
            (
                "[notify.webhook]\nurls = [\"example.org/hook\"]",
                "line 2",
                "is no address",
            ),
            (
                "[deploy]\nwebhooks = [\"ftp://x\"]",
                "line 2",
                "is no address",
            ),
            (
                "[health]\n\nheader = \"x version\"",
                "line 3",
                "name of a header",
            ),
            (
                "[[environment]]\nname = \"a\"\n[environment.health]\npath = \"//evil.example\"",
                "line 4",
                "is not a path",
            ),
        ] {
            let problem = problem(text);
            assert!(
                problem.contains(line) && problem.contains(words),
                "{problem}"
            );
        }
    }

    #[test]
    fn what_is_right_is_taken() {
        let layer = Layer {
            name: "sayso.toml".into(),
            text: "[notify.webhook]\nurls = [\"https://example.org/hook\"]\nevents = [\"rolled back\"]".into(),
        };
        let config = load_layers(&[layer]).unwrap();
        assert_eq!(
            config.notify.webhook.events,
            [crate::model::news::Topic::RolledBack]
        );
        assert!(!config.notify.terminal.events.is_empty());
    }
}
