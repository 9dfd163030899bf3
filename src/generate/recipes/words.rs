//! Which recipe words ask for, and the answers in them.

use std::collections::BTreeMap;

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The recipe's name, or what people call it.
    pub name: String,
    /// True when the words are "run the recipe …".
    pub explicit: bool,
    /// True when no model shall finish it.
    pub alone: bool,
    /// The answers.
    pub values: BTreeMap<String, String>,
}

/// The words that ask for a recipe with these answers, as [`read`] reads them.
pub fn command(name: &str, values: &BTreeMap<String, String>, alone: bool) -> String {
    let mut words = format!("run the recipe {name}");
    if alone {
        words.push_str(" without a model");
    }
    for (at, (name, value)) in values.iter().enumerate() {
        words.push_str(if at == 0 { " with " } else { ", " });
        words.push_str(&format!(
            "{name}={}",
            serde_json::Value::from(value.as_str())
        ));
    }
    words
}

/// Reads words; `None` when they ask for no recipe in the form of one.
pub fn read(text: &str) -> Option<Asked> {
    let text = text.trim().trim_end_matches(['.', '!']);
    if let Some(asked) = explicit(text) {
        return Some(asked);
    }
    let lower = text.to_lowercase();
    let mut words: Vec<&str> = lower.split_whitespace().collect();
    let polite = ["please", "now", "can", "could", "you", "let's", "lets"];
    while words.first().is_some_and(|word| polite.contains(word)) {
        words.remove(0);
    }
    let verb = *words.first()?;
    match verb {
        "add" | "create" | "build" | "make" | "generate" | "install" | "implement" => {
            words.remove(0);
        }
        "set" if words.get(1) == Some(&"up") => {
            words.drain(..2);
        }
        "give" if words.get(1).is_some_and(|word| ["me", "us"].contains(word)) => {
            words.drain(..2);
        }
        _ => return None,
    }
    if words.last() == Some(&"please") {
        words.pop();
    }
    // "… to the site", "… for my website".
    if words.len() > 3
        && ["site", "website", "app", "project"].contains(&words[words.len() - 1])
        && ["the", "my", "our", "this"].contains(&words[words.len() - 2])
        && ["to", "for", "on", "in"].contains(&words[words.len() - 3])
    {
        words.truncate(words.len() - 3);
    }
    if words
        .first()
        .is_some_and(|word| ["a", "an", "the", "some"].contains(word))
    {
        words.remove(0);
    }
    let name = words.join(" ").replace('-', " ");
    (!name.is_empty()).then(|| Asked {
        name,
        ..Asked::default()
    })
}

fn explicit(text: &str) -> Option<Asked> {
    let mut rest = text;
    let starts = [
        "run the recipe ",
        "run recipe ",
        "use the recipe ",
        "apply the recipe ",
        "follow the recipe ",
        "recipe ",
    ];
    let start = starts.iter().find(|start| {
        rest.get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    })?;
    rest = rest[start.len()..].trim_start();
    let (name, with) = match find(rest, " with ") {
        Some(at) => (&rest[..at], Some(&rest[at + " with ".len()..])),
        None => (rest, None),
    };
    let (name, alone) = match find(name, " without a model") {
        Some(at) => (&name[..at], true),
        None => (name, false),
    };
    let name = name.trim().to_lowercase().replace(' ', "-");
    if name.is_empty() {
        return None;
    }
    Some(Asked {
        name,
        explicit: true,
        alone,
        values: with.map(values).unwrap_or_default(),
    })
}

fn find(text: &str, part: &str) -> Option<usize> {
    text.to_ascii_lowercase().find(part)
}

/// `name=value` or `name="a \"quoted\" value"`, separated by blanks and commas.
fn values(text: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut rest = text.trim();
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches(|c: char| c.is_whitespace() || c == ',');
        let after = after.trim_start();
        let (value, next) = if after.starts_with('"') {
            let mut stream = serde_json::Deserializer::from_str(after).into_iter::<String>();
            match stream.next() {
                Some(Ok(value)) => (value, &after[stream.byte_offset()..]),
                _ => break,
            }
        } else {
            let end = after
                .find(|c: char| c.is_whitespace() || c == ',')
                .unwrap_or(after.len());
            (after[..end].to_owned(), &after[end..])
        };
        if !name.is_empty() && !name.contains(char::is_whitespace) {
            out.insert(name.to_owned(), value);
        }
        rest = next;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_name_a_recipe() {
        for (words, name) in [
            ("add dark mode", "dark mode"),
            ("Please add a sitemap to my site.", "sitemap"),
            ("set up a real-time channel", "real time channel"),
            ("add a realtime channel", "realtime channel"),
        ] {
            let asked = read(words).unwrap();
            assert_eq!(
                (asked.name.as_str(), asked.explicit),
                (name, false),
                "{words}"
            );
        }
        assert_eq!(read("make it blue").unwrap().name, "it blue");
        assert_eq!(read("change the headline to Dark mode"), None);
    }

    #[test]
    fn answers_survive_the_words() {
        let values = BTreeMap::from([
            (
                "title".to_owned(),
                "Ada's \"best\", with = and ,".to_owned(),
            ),
            ("path".to_owned(), "/api/x".to_owned()),
        ]);
        let words = command("contact-form", &values, true);
        let asked = read(&words).unwrap();
        assert_eq!(asked.name, "contact-form");
        assert!(asked.explicit && asked.alone);
        assert_eq!(asked.values, values);
        let typed = read("Run the recipe dark mode with toggle=no, place=header").unwrap();
        assert_eq!(typed.name, "dark-mode");
        assert_eq!(typed.values["toggle"], "no");
        assert_eq!(typed.values["place"], "header");
    }
}
