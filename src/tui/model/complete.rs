//! What the text being written may go on as: what was said before, phrases that are known, and the names of what is on
//! the site.

use super::{Focus, Model};
use crate::model::api::SiteWords;
use crate::tui::keymap::spoken;

/// Letters from which on a phrase is suggested, and those of a name: fewer fit too much.
const LETTERS: usize = 2;
const OF_NAME: usize = 3;

/// Words of a name that may stand there already.
const WORDS: usize = 4;

/// What was sent before, looked through from the newest.
const BEFORE: usize = 100;

/// What the text in the line may go on as; what of it is there already is not in it. Only at the end of the text, while an
/// instruction is written.
pub fn suggestion(model: &Model) -> Option<String> {
    let line = &model.line;
    let typed = line.text();
    let writing = model.focus == Focus::Input && !model.wording_now();
    if !writing || line.before().len() != typed.len() {
        return None;
    }
    rest(typed, line.history(), &model.words).map(str::to_owned)
}

/// The likeliest rest of `typed`.
fn rest<'a>(typed: &str, history: &'a [String], words: &'a SiteWords) -> Option<&'a str> {
    if typed.trim_start().chars().count() < LETTERS {
        return None;
    }
    let before = history.iter().rev().take(BEFORE).map(String::as_str);
    let ours = spoken::phrases().map(|text| -> &'a str { text });
    let known = words.phrases.iter().map(String::as_str).chain(ours);
    let mut before = before.filter_map(|text| behind(text, typed));
    before
        .next()
        .or_else(|| shortest(known, typed))
        .or_else(|| name(typed, &words.names))
}

/// The rest of the name whose beginning stands at the end of `typed`; the more of it is there, the better.
fn name<'a>(typed: &str, names: &'a [String]) -> Option<&'a str> {
    let starts = typed
        .char_indices()
        .rev()
        .filter(|(at, letter)| {
            let before = typed[..*at].chars().next_back();
            letter.is_alphanumeric() && before.is_none_or(char::is_whitespace)
        })
        .map(|(at, _)| at)
        .take(WORDS);
    let starts: Vec<usize> = starts.collect();
    let long = starts
        .into_iter()
        .rev()
        .filter(|at| typed[*at..].chars().count() >= OF_NAME);
    long.into_iter()
        .find_map(|at| shortest(names.iter().map(String::as_str), &typed[at..]))
}

/// The shortest rest of those `texts` that begin with `typed`; of equals the first.
fn shortest<'a>(texts: impl Iterator<Item = &'a str>, typed: &str) -> Option<&'a str> {
    texts
        .filter_map(|text| behind(text, typed))
        .min_by_key(|rest| rest.len())
}

/// What of `text` comes behind `typed`, in small letters or large ones; `None` when it begins otherwise or ends there.
fn behind<'a>(text: &'a str, typed: &str) -> Option<&'a str> {
    let mut rest = text.chars();
    for letter in typed.chars() {
        let other = rest.next()?;
        if other != letter && !other.to_lowercase().eq(letter.to_lowercase()) {
            return None;
        }
    }
    let rest = rest.as_str();
    (!rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> SiteWords {
        SiteWords {
            phrases: ["deploy that now", "deploy that", "commit that"]
                .map(String::from)
                .into(),
            names: ["about us", "about", "opening hours", "Plan a visit"]
                .map(String::from)
                .into(),
        }
    }

    fn says(typed: &str) -> Option<String> {
        let history = ["change the footer to red", "change the headline to Hi"].map(String::from);
        rest(typed, &history, &words()).map(str::to_owned)
    }

    #[test]
    fn what_was_said_before_goes_before_phrases_and_names() {
        assert_eq!(says("change the f").as_deref(), Some("ooter to red"));
        assert_eq!(
            says("Change the").as_deref(),
            Some(" headline to Hi"),
            "the newest"
        );
        assert_eq!(says("dep").as_deref(), Some("loy that"), "the shortest");
        assert_eq!(says("deploy that").as_deref(), Some(" now"));
        assert_eq!(says("d"), None);
        assert_eq!(says(""), None);
    }

    #[test]
    fn names_are_completed_at_the_end_of_any_sentence() {
        assert_eq!(says("add a form on the abo").as_deref(), Some("ut"));
        assert_eq!(says("add a form on the about").as_deref(), Some(" us"));
        assert_eq!(says("make the plan a v").as_deref(), Some("isit"));
        assert_eq!(says("make the opening hours bold"), None);
        assert_eq!(says("make the o"), None, "a letter is nothing to go by");
    }
}
