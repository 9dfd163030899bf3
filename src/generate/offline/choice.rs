//! Answers to a refusal that listed places: "the second one", "number two", "both", "the one in the footer".

use super::ask;
use super::ask::lexicon::{self, words_of};
use crate::model::Candidate;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The one with this number; -1 is the last.
    Nth(i32),
    /// All of them.
    All,
    /// The one in this line of its file.
    Line(usize),
    /// The one these words tell, as they were said: "in the footer", "on the about page".
    Where(String),
}

const LEADS: &[&str] = &[
    "no ", "yes ", "ok ", "okay ", "well ", "i mean ", "i meant ", "i want ", "take ", "pick ",
    "choose ", "use ", "select ", "go with ", "go for ", "it's ", "it is ", "that's ", "please ",
    "just ", "the ", "that ",
];
const NOUNS: &[&str] = &[
    "one",
    "option",
    "candidate",
    "place",
    "match",
    "entry",
    "result",
    "choice",
    "number",
];
const PREPOSITIONS: &[&str] = &[
    "in ",
    "on ",
    "at ",
    "of ",
    "from ",
    "inside ",
    "within ",
    "under ",
    "near ",
    "above ",
    "below ",
    "with ",
    "that says ",
    "saying ",
    "which says ",
    "by ",
    "for ",
];

/// Reads words as an answer to a list of `count` places; `None` when they are something else.
pub fn read(words: &str, count: usize) -> Option<Choice> {
    let whole = words
        .trim()
        .trim_end_matches(['.', '!', '?', ','])
        .trim_end_matches(" please")
        .trim_end_matches(',')
        .to_owned();
    let mut lower = whole.to_lowercase();
    if lower.len() != whole.len() || lower.len() > 120 {
        return None;
    }
    let mut at = 0;
    while let Some(lead) = LEADS.iter().find(|lead| lower.starts_with(**lead)) {
        at += lead.len();
        lower.drain(..lead.len());
    }
    let rest = lower.trim();
    if ["both", "all", "each", "every"].contains(&rest.split(' ').next().unwrap_or_default()) {
        let tail: Vec<&str> = rest.split(' ').skip(1).collect();
        let plain = tail.iter().all(|word| {
            matches!(
                *word,
                "of" | "them" | "these" | "those" | "one" | "places" | "the"
            ) || crate::intent::numbers::number(word).is_some()
        });
        return plain.then_some(Choice::All);
    }
    if let Some(number) = rest.strip_prefix("line ") {
        return number.trim().parse().ok().map(Choice::Line);
    }
    if let Some(choice) = counted(rest, count) {
        return Some(choice);
    }
    // "the one in the footer", "in the footer", "the footer one"
    let said = &whole[at + lower.len() - lower.trim_start().len()..];
    let of_one = rest
        .strip_prefix("one ")
        .or(rest.strip_prefix("button "))
        .or(rest.strip_prefix("link "))
        .or(rest.strip_prefix("text "));
    let tail = of_one.unwrap_or(rest);
    if PREPOSITIONS.iter().any(|lead| tail.starts_with(lead)) && ask::parse(rest).is_empty() {
        return Some(Choice::Where(said[said.len() - tail.len()..].to_owned()));
    }
    let front = rest.strip_suffix(" one")?;
    let short = !front.is_empty() && front.split(' ').count() <= 4 && ask::parse(&whole).is_empty();
    short.then(|| Choice::Where(format!("in the {}", &said[..front.len()])))
}

/// "second", "the 2nd one", "number two", "#2", "2".
fn counted(rest: &str, count: usize) -> Option<Choice> {
    let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
    let (first, tail) = words.split_first()?;
    if tail
        .iter()
        .all(|word| NOUNS.contains(word) || matches!(*word, "of" | "them" | "these"))
        && tail.len() <= 3
        && let Some(number) = lexicon::ordinal(first)
    {
        return Some(Choice::Nth(number));
    }
    let bare = if NOUNS.contains(first) || matches!(*first, "no" | "nr" | "no." | "nr.") {
        tail.join(" ")
    } else {
        rest.trim_start_matches('#').trim().to_owned()
    };
    let number: i32 = crate::intent::numbers::number(&bare)?.parse().ok()?;
    let listed = usize::try_from(number).is_ok_and(|number| (1..=count.max(1)).contains(&number));
    // "2026" said alone is no number of a list of three.
    (listed || *first != bare.as_str()).then_some(Choice::Nth(number))
}

/// The candidates a number means.
pub fn nth(candidates: &[Candidate], number: i32) -> Option<&Candidate> {
    if number < 0 {
        return candidates.last();
    }
    candidates.get(usize::try_from(number).ok()?.checked_sub(1)?)
}

/// The candidates whose file or text words name: "in Footer.tsx", "on the about page", "that says Buy".
pub fn by_words(candidates: &[Candidate], said: &str) -> Vec<Candidate> {
    let words: Vec<String> = ask::phrase::words(said)
        .into_iter()
        .filter(|word| {
            !lexicon::STOP.contains(&word.as_str())
                && !matches!(word.as_str(), "page" | "file" | "near" | "says")
        })
        .collect();
    if words.is_empty() {
        return Vec::new();
    }
    let joined = words.join(" ");
    let tests: [&dyn Fn(&Candidate) -> bool; 3] = [
        &|found| {
            let file = found.file.to_lowercase();
            words
                .iter()
                .any(|word| word.contains(['.', '/']) && file.ends_with(word.as_str()))
        },
        &|found| {
            let parts: Vec<String> = found.file.split('/').flat_map(words_of).collect();
            words
                .iter()
                .all(|word| parts.iter().any(|part| lexicon::equal(part, word)))
        },
        &|found| super::find::names::contains_words(&super::text::folded(&found.text), &joined),
    ];
    tests
        .iter()
        .map(|test| {
            candidates
                .iter()
                .filter(|found| test(found))
                .cloned()
                .collect::<Vec<_>>()
        })
        .find(|fitting| !fitting.is_empty() && fitting.len() < candidates.len())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_from_requests() {
        for (words, due) in [
            ("the second one", Some(Choice::Nth(2))),
            ("Number two.", Some(Choice::Nth(2))),
            ("2", Some(Choice::Nth(2))),
            ("#3", Some(Choice::Nth(3))),
            ("take the third option please", Some(Choice::Nth(3))),
            ("I mean the 1st", Some(Choice::Nth(1))),
            ("the last one", Some(Choice::Nth(-1))),
            ("option 2", Some(Choice::Nth(2))),
            ("two", Some(Choice::Nth(2))),
            ("both of them", Some(Choice::All)),
            ("all three", Some(Choice::All)),
            ("line 45", Some(Choice::Line(45))),
            (
                "the one in the Footer",
                Some(Choice::Where("in the Footer".into())),
            ),
            (
                "on the about page",
                Some(Choice::Where("on the about page".into())),
            ),
            (
                "the footer one",
                Some(Choice::Where("in the footer".into())),
            ),
            ("change the headline to Hello", None),
            ("in the footer change Imprint to Legal", None),
            ("remove the second card", None),
            ("2026", None),
            ("make it bigger", None),
            ("deploy", None),
            ("", None),
        ] {
            assert_eq!(read(words, 3), due, "{words}");
        }
    }

    #[test]
    fn numbers_and_names_pick_candidates() {
        let at = |file: &str, line, text: &str| Candidate {
            file: file.into(),
            line,
            text: text.into(),
        };
        let list = [
            at("src/Nav.svelte", 40, "Sign up"),
            at("src/routes/register/+page.svelte", 9, "<h1>Sign up</h1>"),
        ];
        assert_eq!(nth(&list, 2), Some(&list[1]));
        assert_eq!(nth(&list, -1), Some(&list[1]));
        assert_eq!((nth(&list, 3), nth(&list, 0)), (None, None));
        assert_eq!(by_words(&list, "on the register page"), [list[1].clone()]);
        assert_eq!(by_words(&list, "in Nav.svelte"), [list[0].clone()]);
        assert_eq!(by_words(&list, "in the footer"), []);
    }
}
