//! Checks: `[[check]] name, run, time_limit, files`, and the sizes of the built-in one.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Spanned, Table, Value};

use super::Span;

/// Checks that need no command: the scan for keys and tokens, and the gate of sizes.
pub const BUILT_IN: [&str; 2] = ["secrets", "size"];

/// How long a check may take that says nothing of it.
const TIME_LIMIT: Duration = Duration::from_secs(5 * 60);

/// A command that must end well before something goes to an environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name, by which an environment names it.
    pub name: String,
    /// What the shell runs in a clean checkout of the commit's files.
    pub run: String,
    /// How long it may take.
    #[serde(default = "time_limit")]
    pub time_limit: Span,
    /// It is run only when a file that changed is one of these (as in a `.gitignore`); empty: always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

fn time_limit() -> Span {
    Span(TIME_LIMIT)
}

/// The part of a layer that is looked at here, with its places in the text.
#[derive(Deserialize)]
struct Layer {
    #[serde(default)]
    check: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: Option<Spanned<String>>,
    run: Option<Spanned<String>>,
    #[serde(default)]
    files: Vec<Spanned<String>>,
}

/// Checks the `[[check]]` tables of the layer with the TOML text `text`.
///
/// # Errors
/// The message and the line of the first mistake.
pub(super) fn check(text: &str) -> Result<(), (String, Option<usize>)> {
    let layer: Layer = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        (error.message().to_owned(), line)
    })?;
    let mut seen: Vec<&str> = Vec::new();
    for entry in &layer.check {
        let Some(name) = &entry.name else {
            let line = entry
                .run
                .as_ref()
                .map(|run| line_of(text, run.span().start));
            return Err(("check.name: a check needs a name".to_owned(), line));
        };
        let at = |message: String| Err((message, Some(line_of(text, name.span().start))));
        let known = name.get_ref().as_str();
        let plain = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        if known.is_empty() || known.len() > 64 || !known.chars().all(plain) {
            return at(format!(
                "check.name: {known:?} is no name: letters, digits, `-`, `_` and `.` are"
            ));
        }
        if BUILT_IN.contains(&known) {
            return at(format!(
                "check.name: {known:?} is built in: name it in `checks`, and call this one otherwise"
            ));
        }
        if seen.contains(&known) {
            return at(format!("check.name: {known:?} is described twice"));
        }
        seen.push(known);
        if let Some(run) = &entry.run
            && run.get_ref().trim().is_empty()
        {
            let line = line_of(text, run.span().start);
            return Err((format!("check.run: {known:?} runs nothing"), Some(line)));
        }
        for glob in &entry.files {
            let mut builder = ignore::gitignore::GitignoreBuilder::new("");
            if let Err(error) = builder.add_line(None, glob.get_ref()) {
                let line = line_of(text, glob.span().start);
                return Err((format!("check.files: {error}"), Some(line)));
            }
        }
    }
    Ok(())
}

/// The keys that a `[[check]]` may have, for the check of a layer.
pub(super) fn known() -> Table {
    let keys = ["name", "run", "time_limit", "files"];
    keys.map(|key| (key.to_owned(), Value::String(String::new())))
        .into_iter()
        .collect()
}

/// The line of the byte `at`, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text[..at.min(text.len())].matches('\n').count() + 1
}

/// A number of bytes as people write it: `500KB`, `20MB`, `2GB`; 0 for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl Size {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let unit_at = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_at);
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "" if number == "0" => 1.0,
            "b" => 1.0,
            "kb" | "k" => 1e3,
            "mb" | "m" => 1e6,
            "gb" | "g" => 1e9,
            _ => {
                return Err(format!(
                    "{text:?} is no size: write \"500KB\", \"20MB\" or \"0\" for no limit"
                ));
            }
        };
        let number: f64 = number.parse().map_err(|_| {
            format!("{text:?} is no size: write \"500KB\", \"20MB\" or \"0\" for no limit")
        })?;
        // Whole bytes; what is beyond every disk is as good as no limit.
        Ok(Self((number * factor) as u64))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0;
        for (factor, unit) in [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "KB")] {
            if bytes >= factor {
                let tenths = (bytes * 10).div_ceil(factor);
                return match tenths % 10 {
                    0 => write!(f, "{}{unit}", tenths / 10),
                    rest => write!(f, "{}.{rest}{unit}", tenths / 10),
                };
            }
        }
        match bytes {
            0 => f.write_str("0"),
            bytes => write!(f, "{bytes}B"),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_shown() {
        for (text, bytes) in [
            ("0", 0),
            ("12B", 12),
            ("500KB", 500_000),
            ("1.5 MB", 1_500_000),
            ("2gb", 2_000_000_000),
        ] {
            assert_eq!(Size::parse(text), Ok(Size(bytes)), "{text}");
        }
        for bad in ["", "5", "MB", "-1MB", "5 miles"] {
            assert!(Size::parse(bad).is_err(), "{bad:?}");
        }
        for (bytes, shown) in [
            (0, "0"),
            (999, "999B"),
            (20_000_000, "20MB"),
            (1_550_000, "1.6MB"),
        ] {
            assert_eq!(Size(bytes).to_string(), shown);
        }
    }

    #[test]
    fn mistakes_in_checks_are_named_with_their_line() {
        for (text, line, words) in [
            (
                "\n[[check]]\nname = \"secrets\"\nrun = \"x\"",
                3,
                "built in",
            ),
            ("[[check]]\nrun = \"x\"", 2, "needs a name"),
            ("[[check]]\nname = \"a b\"\nrun = \"x\"", 2, "is no name"),
            ("[[check]]\nname = \"a\"\nrun = \" \"", 3, "runs nothing"),
            (
                "[[check]]\nname = \"a\"\nrun = \"x\"\nfiles = [\"*.css\",\n\"[z-a]\"]",
                5,
                "check.files",
            ),
            (
                "[[check]]\nname = \"a\"\nrun = \"x\"\n[[check]]\nname = \"a\"\nrun = \"y\"",
                5,
                "twice",
            ),
        ] {
            let (message, at) = check(text).unwrap_err();
            assert_eq!(at, Some(line), "{message}");
            assert!(message.contains(words), "{message}");
        }
        assert_eq!(check("[voice]\nkey = \"F5\""), Ok(()));
    }
}
