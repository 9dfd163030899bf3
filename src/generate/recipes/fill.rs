//! Filling in templates: `%{name}`, or `%{name:how}` with `pascal`, `camel`, `kebab`, `json`, `html`.
//!
//! A name that nobody knows stays as it stands: templates are programs, and theirs are their own.

use std::collections::BTreeMap;

/// The template with its values.
pub fn fill(template: &str, values: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find("%{") {
        out.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        let known = inner.find('}').and_then(|end| {
            let (name, how) = inner[..end].split_once(':').unwrap_or((&inner[..end], ""));
            let value = values.get(name)?;
            Some((end, shaped(value, how)?))
        });
        match known {
            Some((end, value)) => {
                out.push_str(&value);
                rest = &inner[end + 1..];
            }
            None => {
                out.push_str("%{");
                rest = inner;
            }
        }
    }
    out.push_str(rest);
    out
}

fn shaped(value: &str, how: &str) -> Option<String> {
    let words = || {
        value
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
    };
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first: String = letters
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .collect();
        first + letters.as_str()
    };
    Some(match how {
        "" => value.to_owned(),
        "pascal" => words().map(capital).collect(),
        "camel" => words()
            .enumerate()
            .map(|(at, word)| {
                if at == 0 {
                    word.to_lowercase()
                } else {
                    capital(word)
                }
            })
            .collect(),
        "kebab" => words().map(str::to_lowercase).collect::<Vec<_>>().join("-"),
        "json" => serde_json::Value::from(value).to_string(),
        "html" => value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_filled_in_and_others_stay() {
        let values = BTreeMap::from([("name".to_owned(), "big news & more".to_owned())]);
        let filled = fill(
            "%{name:pascal} %{name:camel} %{name:kebab} %{name:json} %{name:html} %{x} {{y}} 5%{",
            &values,
        );
        assert_eq!(
            filled,
            "BigNewsMore bigNewsMore big-news-more \"big news & more\" big news &amp; more %{x} {{y}} 5%{"
        );
    }
}
