//! Nearness of words: how alike two phrases look and sound.

use super::names::environment;
use super::table::{Does, Hit, Phrase, Table};
use crate::model::Control;

/// The largest mean of spelling and sound distance at which a phrase is taken for a known one.
/// At 0.25 no free-form edit was ever taken for a control in the recordings this was tuned on.
const NEAR: f64 = 0.25;

/// What recognisers make of the phrases again and again, and what no one would say about a site.
const MISHEARD: &[(&str, Control, &str)] = &[
    ("deployed", Control::Deploy, "deploy"),
    ("deployed it", Control::Deploy, "deploy it"),
    ("deployed that", Control::Deploy, "deploy that"),
    ("deploying that", Control::Deploy, "deploy that"),
    ("deploy the sight", Control::Deploy, "deploy the site"),
    ("deploy the side", Control::Deploy, "deploy the site"),
    ("deplore the side", Control::Deploy, "deploy the site"),
    ("committed", Control::Commit, "commit it"),
    ("committed that", Control::Commit, "commit that"),
    ("confirmed", Control::Approve, "confirm"),
    ("and do that", Control::Undo, "undo that"),
    (
        "and do the last change",
        Control::Undo,
        "undo the last change",
    ),
    (
        "then do the last change",
        Control::Undo,
        "undo the last change",
    ),
    ("what change", Control::Status, "what changed"),
    ("row it back", Control::Rollback, "roll it back"),
];

/// Ordinary words of edits. A phrase that differs from a known one by such a word was meant as it was said:
/// "make that wide" is not "make that live".
const EDIT_WORDS: &[&str] = &[
    "add",
    "align",
    "alt",
    "animate",
    "article",
    "back",
    "background",
    "banner",
    "big",
    "bigger",
    "black",
    "blog",
    "blue",
    "bold",
    "border",
    "bottom",
    "box",
    "brown",
    "button",
    "card",
    "center",
    "centre",
    "change",
    "color",
    "colour",
    "combine",
    "comment",
    "copy",
    "crop",
    "dark",
    "date",
    "default",
    "delete",
    "down",
    "edit",
    "fade",
    "field",
    "fix",
    "float",
    "font",
    "footer",
    "form",
    "gray",
    "green",
    "grey",
    "header",
    "heading",
    "headline",
    "height",
    "hide",
    "hover",
    "icon",
    "image",
    "in",
    "insert",
    "italic",
    "italics",
    "large",
    "larger",
    "left",
    "light",
    "like",
    "line",
    "link",
    "list",
    "logo",
    "lower",
    "menu",
    "move",
    "narrow",
    "nav",
    "on",
    "open",
    "orange",
    "out",
    "page",
    "password",
    "picture",
    "pink",
    "post",
    "price",
    "purple",
    "red",
    "remove",
    "rename",
    "replace",
    "resize",
    "reverse",
    "right",
    "rotate",
    "round",
    "section",
    "set",
    "shape",
    "show",
    "shrink",
    "small",
    "smaller",
    "sort",
    "style",
    "swap",
    "switch",
    "tall",
    "text",
    "thick",
    "thin",
    "title",
    "top",
    "under",
    "up",
    "video",
    "wide",
    "wider",
    "white",
    "write",
    "yellow",
    "shop",
    "slip",
    "life",
    "love",
    "alive",
    "lime",
    "line",
    "link",
    "site",
];

/// The nearest known phrase, when it is near enough and nothing speaks against it.
pub fn nearest(table: &Table, heard: &str) -> Option<Hit> {
    if heard.is_empty() {
        return None;
    }
    if let Some(hit) = misheard(heard) {
        return Some(hit);
    }
    if let Some(phrase) = nearest_phrase(table, heard) {
        return Some(Hit {
            phrase: phrase.say.clone(),
            does: phrase.does.clone(),
            exact: false,
        });
    }
    let (front, name) = environment(heard)?;
    let phrase = nearest_phrase(table, front)?;
    let control = phrase.does.control;
    let somewhere = matches!(
        control,
        Control::Deploy | Control::Redeploy | Control::Promote | Control::Rollback
    );
    (somewhere && phrase.does.environment.is_none()).then(|| Hit {
        phrase: phrase.say.clone(),
        does: Does {
            environment: Some(name),
            ..control.into()
        },
        exact: false,
    })
}

/// The control that recognisers are known to hear as `heard`.
pub(super) fn misheard(heard: &str) -> Option<Hit> {
    let (_, control, phrase) = MISHEARD.iter().find(|(misheard, ..)| *misheard == heard)?;
    Some(Hit {
        phrase: (*phrase).to_owned(),
        does: (*control).into(),
        exact: false,
    })
}

fn nearest_phrase<'a>(table: &'a Table, heard: &str) -> Option<&'a Phrase> {
    // A single short word is one letter away from many others ("now", "stock", "sure").
    if heard.len() < 6 {
        return None;
    }
    let count = heard.split(' ').count();
    let mut best: Option<(f64, &Phrase)> = None;
    for phrase in table.phrases() {
        let say = &phrase.say;
        // Names of the site that are not there are near to names that are.
        if phrase.surrounded
            || phrase.does.place.is_some()
            || say.len() < 6
            || say.split(' ').count().abs_diff(count) > 1
            || speaks_against(heard, say)
        {
            continue;
        }
        let far = distance(heard, say);
        if far <= NEAR && best.is_none_or(|(least, _)| far < least) {
            best = Some((far, phrase));
        }
    }
    best.map(|(_, phrase)| phrase)
}

/// True when `heard` has a word of an edit that the phrase has not.
pub(super) fn speaks_against(heard: &str, phrase: &str) -> bool {
    let known: Vec<&str> = phrase.split(' ').collect();
    heard
        .split(' ')
        .any(|word| !known.contains(&word) && EDIT_WORDS.contains(&word))
}

/// How far apart two phrases are, 0 (same) to 1: the mean of the distances of spelling and of sound.
pub fn distance(a: &str, b: &str) -> f64 {
    distance_to(a, &sound(a), b, &sound(b))
}

/// [`distance`] of phrases whose sound keys are known.
pub(super) fn distance_to(a: &str, a_sound: &str, b: &str, b_sound: &str) -> f64 {
    let spelling = 1.0 - strsim::normalized_levenshtein(a, b);
    let sound = 1.0 - strsim::normalized_levenshtein(a_sound, b_sound);
    f64::midpoint(spelling, sound)
}

/// A rough English sound key in the manner of metaphone: consonants as heard, vowels only at the start of a word.
pub fn sound(text: &str) -> String {
    text.split(|c: char| !c.is_alphanumeric())
        .map(word_sound)
        .collect()
}

fn word_sound(word: &str) -> String {
    let letters: Vec<char> = word
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect();
    let at = |i: usize| letters.get(i).copied().unwrap_or('\0');
    let vowel = |c: char| "aeiou".contains(c);
    let front = |c: char| "eiy".contains(c);
    let mut out = String::new();
    let mut i = match (at(0), at(1)) {
        ('k' | 'g' | 'p', 'n') | ('w', 'r') | ('a', 'e') => 1,
        _ => 0,
    };
    while i < letters.len() {
        let c = letters[i];
        let (before, next) = (if i > 0 { letters[i - 1] } else { '\0' }, at(i + 1));
        if c == before && c != 'c' && !c.is_ascii_digit() {
            i += 1;
            continue;
        }
        match c {
            'a' | 'e' | 'i' | 'o' | 'u' => {
                if i == 0 {
                    out.push('A');
                }
            }
            'b' => {
                if !(before == 'm' && i + 1 == letters.len()) {
                    out.push('P');
                }
            }
            'c' if next == 'h' => {
                out.push('X');
                i += 1;
            }
            'c' if front(next) => out.push('S'),
            'c' | 'q' => out.push('K'),
            'k' => {
                if before != 'c' {
                    out.push('K');
                }
            }
            'd' if next == 'g' && front(at(i + 2)) => {
                out.push('J');
                i += 1;
            }
            'd' | 't' if next == 'h' && c == 't' => {
                out.push('0');
                i += 1;
            }
            't' if next == 'i' && matches!(at(i + 2), 'o' | 'a') => out.push('X'),
            'd' | 't' => out.push('T'),
            'f' | 'v' => out.push('F'),
            'g' if next == 'h' => {
                if i == 0 {
                    out.push('K');
                }
                i += 1;
            }
            'g' if next == 'n' => {}
            'g' if front(next) => out.push('J'),
            'g' => out.push('K'),
            'h' => {
                if vowel(next) && !"csptg".contains(before) {
                    out.push('H');
                }
            }
            'j' => out.push('J'),
            'p' if next == 'h' => {
                out.push('F');
                i += 1;
            }
            'p' => out.push('P'),
            's' if next == 'h' => {
                out.push('X');
                i += 1;
            }
            's' | 'z' => out.push('S'),
            'w' | 'y' => {
                if vowel(next) && i == 0 {
                    out.push(c.to_ascii_uppercase());
                }
            }
            'x' => out.push_str("KS"),
            'l' | 'm' | 'n' | 'r' => out.push(c.to_ascii_uppercase()),
            other => out.extend(other.to_uppercase()),
        }
        i += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sounds_alike_has_one_key() {
        for (a, b) in [
            ("site", "sight"),
            ("write", "right"),
            ("phone", "fone"),
            ("knight", "night"),
        ] {
            assert_eq!(sound(a), sound(b), "{a} / {b}");
        }
        assert_ne!(sound("blue"), sound("live"));
    }

    #[test]
    fn distance_is_zero_for_the_same_and_at_most_one() {
        assert!(distance("deploy that", "deploy that").abs() < f64::EPSILON);
        assert!(distance("abc", "xyz") <= 1.0);
        assert!(distance("footer link", "foot or link") < 0.3);
    }
}
