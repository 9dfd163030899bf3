//! People's own control phrases: `[[phrase]] say = ["ship the beast"] do = "deploy"`.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::model::{Control, Problem};

/// Phrases of a person's own, and what they do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrase {
    /// What is said, each in another way.
    pub say: Vec<String>,
    /// The control: `commit`, `deploy`, `preview` …
    #[serde(rename = "do")]
    pub act: Control,
    /// The environment that a deployment goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The address on the site that `open` opens (`/about.html`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// The part of a layer that is looked at here, with its places in the text.
#[derive(Deserialize)]
struct Layer {
    #[serde(default)]
    phrase: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    say: Spanned<Vec<Spanned<String>>>,
    #[serde(rename = "do")]
    act: Spanned<String>,
    #[serde(default)]
    environment: Option<Spanned<String>>,
    #[serde(default)]
    place: Option<Spanned<String>>,
}

/// Checks the phrases of the layer with the TOML text `text`.
///
/// # Errors
/// The message and the line of the first mistake: an unknown act, no words, an unknown key, the same words twice with
/// different acts, an environment or a place where the act takes none.
pub(super) fn check(text: &str) -> Result<(), (String, Option<usize>)> {
    let layer: Layer = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        (error.message().to_owned(), line)
    })?;
    let mut seen: Vec<(String, &str)> = Vec::new();
    for entry in &layer.phrase {
        let at = |span: std::ops::Range<usize>| Some(line_of(text, span.start));
        let act = entry.act.get_ref();
        let Some(control) = Control::named(act) else {
            let known: Vec<&str> = Control::ALL.map(Control::as_str).into();
            let near = known
                .iter()
                .map(|name| (strsim::damerau_levenshtein(name, act), *name))
                .filter(|(far, _)| *far <= 2)
                .min();
            let guess = near.map_or(String::new(), |(_, name)| {
                format!("; did you mean {name:?}?")
            });
            let message = format!(
                "phrase.do: there is no act {act:?}{guess} (acts: {})",
                known.join(", ")
            );
            return Err((message, at(entry.act.span())));
        };
        if let Some(environment) = &entry.environment
            && !matches!(
                control,
                Control::Deploy | Control::Redeploy | Control::Promote | Control::Rollback
            )
        {
            let message = format!("phrase.environment: {act} goes to no environment");
            return Err((message, at(environment.span())));
        }
        if let Some(place) = &entry.place {
            if !matches!(control, Control::Open | Control::Preview) {
                let message = format!("phrase.place: {act} opens no page");
                return Err((message, at(place.span())));
            }
            if !place.get_ref().starts_with('/') {
                let message = "phrase.place: an address on the site begins with /".to_owned();
                return Err((message, at(place.span())));
            }
        }
        if entry.say.get_ref().is_empty() {
            let message = "phrase.say: there is nothing to say".to_owned();
            return Err((message, at(entry.say.span())));
        }
        for say in entry.say.get_ref() {
            let words = say.get_ref().to_lowercase();
            if !words.chars().any(char::is_alphabetic) {
                let message = format!("phrase.say: {:?} has no words", say.get_ref());
                return Err((message, at(say.span())));
            }
            match seen.iter().find(|(other, _)| *other == words) {
                Some((_, other)) if *other != act => {
                    let message = format!(
                        "phrase.say: {:?} stands for {other:?} already",
                        say.get_ref()
                    );
                    return Err((message, at(say.span())));
                }
                _ => seen.push((words, act)),
            }
        }
    }
    Ok(())
}

/// The line of the byte `at`, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text[..at.min(text.len())].matches('\n').count() + 1
}

impl Phrase {
    /// The environments that `phrases` name and that are not among `known`.
    ///
    /// # Errors
    /// `config` that names the first such environment.
    pub fn check_environments<'a>(
        phrases: &[Phrase],
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(), Problem> {
        for phrase in phrases {
            if let Some(environment) = &phrase.environment
                && !known.clone().any(|name| name == environment)
            {
                let names: Vec<&str> = known.collect();
                return Err(Problem::new(
                    422,
                    "config",
                    format!(
                        "the phrase {:?} names the environment {environment:?}, which is not configured",
                        phrase.say.first().map_or("", String::as_str)
                    ),
                )
                .hint(format!("configured: {}", names.join(", "))));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, line, words) in [
            (
                "\n[[phrase]]\nsay = [\"ship the beast\"]\ndo = \"deplou\"\n",
                4,
                "there is no act \"deplou\"; did you mean \"deploy\"?",
            ),
            ("[[phrase]]\nsay = []\ndo = \"deploy\"", 2, "nothing to say"),
            (
                "[[phrase]]\nsay = [\"go\",\n\"…\"]\ndo = \"deploy\"",
                3,
                "has no words",
            ),
            (
                "[[phrase]]\nsay = [\"go\"]\ndo = \"status\"\nenvironment = \"x\"",
                4,
                "goes to no environment",
            ),
            (
                "[[phrase]]\nsay = [\"go\"]\ndo = \"open\"\nplace = \"about\"",
                4,
                "begins with /",
            ),
            (
                "[[phrase]]\nsay = [\"go\"]\ndo = \"deploy\"\n[[phrase]]\nsay = [\"Go\"]\ndo = \"commit\"",
                5,
                "stands for \"deploy\" already",
            ),
            ("[[phrase]]\nsay = \"go\"\ndo = \"deploy\"", 2, "sequence"),
            ("[[phrase]]\nsaid = [\"go\"]\ndo = \"deploy\"", 2, "said"),
        ] {
            let (message, at) = check(text).unwrap_err();
            assert_eq!(at, Some(line), "{message}");
            assert!(message.contains(words), "{message}");
        }
        assert_eq!(check("[voice]\nkey = \"F5\""), Ok(()));
    }
}
