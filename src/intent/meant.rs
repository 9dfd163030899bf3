//! "No, I meant …": what the person corrects, and the corrected request.

use super::phrases::words;

/// How a correction begins, as people say it and as recognisers hear it.
const BEGINNINGS: &[&str] = &[
    "no i meant to",
    "no i meant",
    "no i mean",
    "no i'm meant",
    "no a meant",
    "no i ment",
    "know i meant",
    "now i meant",
    "no no i meant",
    "no sorry i meant",
    "sorry i meant",
    "not that i meant",
    "no i said",
    "no not that i meant",
    "i meant to say",
    "i meant",
];

/// What is meant instead, when `text` corrects what was taken before; lower case, without punctuation.
pub fn correction(text: &str) -> Option<String> {
    let said = words(text).join(" ");
    BEGINNINGS
        .iter()
        .filter_map(|start| said.strip_prefix(start)?.strip_prefix(' '))
        .min_by_key(|rest| rest.len())
        .map(str::to_owned)
}

/// What is meant instead, as it was written: with its capitals and quotes.
pub fn rest(text: &str) -> Option<&str> {
    let count = words(&correction(text)?).len();
    let starts: Vec<usize> = text
        .split_whitespace()
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(|word| word.as_ptr() as usize - text.as_ptr() as usize)
        .collect();
    Some(&text[*starts.get(starts.len().checked_sub(count)?)?..])
}

/// The request `before` with its part replaced by what was meant: "the about page" replaces "the home page" in it.
/// `None` when no part of it is of that kind: `meant` then stands for itself.
pub fn apply(before: &str, meant: &str) -> Option<String> {
    let meant = meant.trim_end_matches(['.', '!', '?', ',']);
    let kind = words(meant).pop()?;
    let spans: Vec<(usize, &str)> = before
        .split(' ')
        .map(|word| (word.as_ptr() as usize - before.as_ptr() as usize, word))
        .collect();
    let bare = |word: &str| words(word).pop().unwrap_or_default();
    // The same kind of thing: "page" for "page" and for "homepage".
    let at = spans.iter().position(|(_, word)| {
        bare(word) == kind || (kind.len() > 3 && bare(word).ends_with(&kind))
    })?;
    if words(meant).len() < 2 {
        return None;
    }
    let starts = |word: &str| {
        matches!(
            bare(word).as_str(),
            "the" | "a" | "an" | "our" | "my" | "this" | "that"
        )
    };
    let first = (at.saturating_sub(3)..at)
        .rev()
        .find(|&word| starts(spans[word].1))
        .unwrap_or(at);
    let (end_at, end) = spans[at];
    let tail = &before[end_at + end.trim_end_matches(|c: char| !c.is_alphanumeric()).len()..];
    let article = words(meant).first().is_some_and(|word| starts(word));
    let head = if article {
        &before[..spans[first].0]
    } else {
        &before[..end_at]
    };
    Some(format!("{head}{meant}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_is_told_from_an_answer_and_from_an_edit() {
        for (text, meant) in [
            ("No, I meant commit that.", Some("commit that")),
            ("no — I meant the About page", Some("the about page")),
            ("I meant deploy that", Some("deploy that")),
            ("Sorry, I meant redeploy.", Some("redeploy")),
            ("No, I meant to commit that.", Some("commit that")),
            ("No.", None),
            ("No thanks.", None),
            ("Change the headline to I meant well", None),
            ("I meant", None),
        ] {
            assert_eq!(correction(text).as_deref(), meant, "{text}");
        }
        assert_eq!(rest("No, I meant the About page."), Some("the About page."));
        assert_eq!(rest("Nothing."), None);
    }

    #[test]
    fn what_was_meant_takes_the_place_of_its_like() {
        for (before, meant, after) in [
            (
                "Change the title of the home page to Our Work.",
                "the about page",
                Some("Change the title of the about page to Our Work."),
            ),
            (
                "Remove the banner from the homepage.",
                "the team page.",
                Some("Remove the banner from the team page."),
            ),
            (
                "Make the hero button blue",
                "the footer button",
                Some("Make the footer button blue"),
            ),
            ("Fix the typo", "make it bold", None),
            ("Fix the typo", "typo", None),
        ] {
            assert_eq!(apply(before, meant).as_deref(), after, "{before} / {meant}");
        }
    }
}
