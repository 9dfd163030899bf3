//! Mistakes in what is set for environments, named with their line.

use serde::Deserialize;
use toml::Spanned;

use super::Config;
use super::check::{BUILT_IN, line_of};
use super::freeze::{self, Window};
use crate::model::ApprovalRule;

/// The part of a layer that is looked at here, with its places in the text.
#[derive(Deserialize)]
struct Layer {
    #[serde(default)]
    environment: Vec<Entry>,
    #[serde(default)]
    deploy: Option<Deploy>,
}

#[derive(Deserialize)]
struct Deploy {
    timezone: Option<Spanned<String>>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    name: String,
    branch: Option<Spanned<String>>,
    url: Option<Spanned<String>>,
    #[serde(default)]
    checks: Vec<Spanned<String>>,
    approval: Option<Spanned<String>>,
    promote_to: Option<Spanned<String>>,
    #[serde(default)]
    freeze: Vec<Spanned<String>>,
}

fn read(text: &str) -> Result<Layer, (String, Option<usize>)> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        (error.message().to_owned(), line)
    })
}

/// Checks what a layer with the TOML text `text` says of environments, as far as it stands alone.
///
/// # Errors
/// The message and the line of the first mistake.
pub(super) fn check(text: &str) -> Result<(), (String, Option<usize>)> {
    let layer = read(text)?;
    let wrong = |value: &Spanned<String>, message: String| {
        Err((message, Some(line_of(text, value.span().start))))
    };
    if let Some(zone) = layer
        .deploy
        .as_ref()
        .and_then(|deploy| deploy.timezone.as_ref())
        && let Err(why) = freeze::zone(zone.get_ref())
    {
        return wrong(zone, format!("deploy.timezone: {why}"));
    }
    for entry in &layer.environment {
        if let Some(approval) = &entry.approval
            && ApprovalRule::named(approval.get_ref()).is_none()
        {
            let known = ApprovalRule::ALL.map(|rule| format!("{:?}", rule.as_str()));
            let message = format!(
                "environment.approval: {:?} is none of {}",
                approval.get_ref(),
                known.join(", ")
            );
            return wrong(approval, message);
        }
        for window in &entry.freeze {
            if let Err(why) = Window::parse(window.get_ref()) {
                return wrong(window, format!("environment.freeze: {why}"));
            }
        }
        if let Some(branch) = &entry.branch {
            let name = branch.get_ref();
            let bad = name.starts_with('-')
                || name.contains("..")
                || name
                    .chars()
                    .any(|c| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c));
            if bad {
                return wrong(branch, format!("environment.branch: {name:?} is no branch"));
            }
        }
        if let Some(url) = &entry.url
            && !url.get_ref().is_empty()
        {
            let web = url::Url::parse(url.get_ref());
            if !web.is_ok_and(|web| matches!(web.scheme(), "http" | "https")) {
                let message = format!(
                    "environment.url: {:?} is no web address: write it whole, https://example.org",
                    url.get_ref()
                );
                return wrong(url, message);
            }
        }
    }
    Ok(())
}

/// Checks the names that a layer with the TOML text `text` uses, in the configuration of all layers.
///
/// # Errors
/// The message and the line of the first mistake.
pub(super) fn references(text: &str, config: &Config) -> Result<(), (String, Option<usize>)> {
    let layer = read(text)?;
    let wrong = |value: &Spanned<String>, message: String| {
        Err((message, Some(line_of(text, value.span().start))))
    };
    let named = config.environment.iter().map(|entry| entry.name.as_str());
    let names: Vec<&str> = std::iter::once(config.deploy.environment.as_str())
        .chain(named)
        .collect();
    for entry in &layer.environment {
        for check in &entry.checks {
            let name = check.get_ref().as_str();
            let own = config.check.iter().map(|check| check.name.as_str());
            let known: Vec<&str> = BUILT_IN.into_iter().chain(own).collect();
            if !known.contains(&name) {
                let message = format!(
                    "environment.checks: there is no check {name:?} (there are: {}; describe it as [[check]])",
                    known.join(", ")
                );
                return wrong(check, message);
            }
        }
        let Some(to) = &entry.promote_to else {
            continue;
        };
        let name = to.get_ref().as_str();
        if !names.contains(&name) {
            let message = format!(
                "environment.promote_to: there is no environment {name:?} (there are: {})",
                names.join(", ")
            );
            return wrong(to, message);
        }
        let next = |name: &str| {
            let entry = config.environment.iter().find(|entry| entry.name == name);
            entry.and_then(|entry| entry.promote_to.as_deref())
        };
        let mut at = Some(name);
        for _ in 0..=names.len() {
            match at {
                Some(name) if name == entry.name => {
                    let message = format!(
                        "environment.promote_to: a release of {name:?} would come back to it"
                    );
                    return wrong(to, message);
                }
                Some(name) => at = next(name),
                None => break,
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, load_layers};

    fn load(text: &str) -> Result<super::Config, crate::model::Problem> {
        let name = "sayso.toml".into();
        let text = text.into();
        load_layers(&[Layer { name, text }])
    }

    #[test]
    fn mistakes_before_an_environment_are_named_with_their_line() {
        for (text, line, words) in [
            (
                "approval = \"three\"",
                3,
                "none of \"none\", \"ask\", \"two people\"",
            ),
            (
                "freeze = [\"Fri 16:00 - Mon 08:00\",\n\"weekend\"]",
                4,
                "no freeze window",
            ),
            ("branch = \"a b\"", 3, "no branch"),
            ("url = \"example.org\"", 3, "no web address"),
            ("checks = [\"lint\"]", 3, "there is no check \"lint\""),
            (
                "promote_to = \"prod\"",
                3,
                "there is no environment \"prod\"",
            ),
            ("promote_to = \"x\"", 3, "would come back"),
            (
                "promote_to = \"production\"\n[[environment]]\nname = \"production\"\npromote_to = \"x\"",
                3,
                "would come back",
            ),
            ("[deploy]\ntimezone = \"Mars/Base\"", 4, "no time zone"),
            ("aproval = \"ask\"", 3, "did you mean approval?"),
        ] {
            let problem = load(&format!("[[environment]]\nname = \"x\"\n{text}")).unwrap_err();
            assert!(
                problem.detail.contains(&format!("line {line}")) && problem.detail.contains(words),
                "{text}: {problem}"
            );
        }
        let problem = load("[[check]]\nname = \"a\"\nrum = \"x\"").unwrap_err();
        assert!(problem.detail.contains("did you mean run?"), "{problem}");
    }
}
