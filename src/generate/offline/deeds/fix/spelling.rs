//! Misspelled words, by the dictionary of typos-dict: words that are nothing else, with what they should be.

use std::ops::Range;

use unicase::UniCase;

use super::*;

/// Words that say that misspelled ones are meant, and not which.
const NOUNS: &[&str] = &[
    "typo",
    "spelling",
    "misspelling",
    "mistake",
    "error",
    "word",
];

/// Corrects the misspelled word that is meant, or all of them where several were asked for.
///
/// # Errors
/// A refusal: none is known, or several where one was meant.
pub(super) fn plan(finder: &Finder<'_>, target: &Phrase, scope: &Scope) -> Result<Plan, Refusal> {
    let spelled: Vec<String> = match target.quoted.first() {
        Some(quoted) => quoted.split_whitespace().map(str::to_lowercase).collect(),
        None => scope
            .words
            .iter()
            .filter(|word| !NOUNS.iter().any(|noun| equal(noun, word)))
            .cloned()
            .collect(),
    };
    let many = target.quoted.is_empty()
        && scope.words.iter().any(|word| {
            matches!(
                word.as_str(),
                "typos" | "misspellings" | "mistakes" | "spelling"
            )
        });
    let mut found = misspelled(finder, scope);
    // "the typo milion": that word. Other words say nothing about it ("the obvious typo").
    if spelled.iter().any(|word| correction(word).is_some()) {
        found.retain(|(hit, _)| {
            let old = hit.doc.raw(hit.span.clone()).to_lowercase();
            spelled.contains(&old)
        });
    }
    let found = finder.chosen(found, |(hit, _)| hit.candidate());
    match found.as_slice() {
        [] => Err(not_found("no misspelled word is known there")
            .hint("say it: change 'wrong' to 'right'")),
        [(hit, new)] => Ok(Plan::one(
            format!("Correct {} to {new}", hit.doc.raw(hit.span.clone())),
            &hit.doc.path,
            hit.span.clone(),
            new.clone(),
        )),
        several if many => Ok(Plan {
            title: format!("Correct {} misspelled words", several.len()),
            notes: several
                .iter()
                .map(|(hit, new)| format!("{} to {new}", hit.doc.raw(hit.span.clone())))
                .collect(),
            edits: several
                .iter()
                .map(|(hit, new)| Edit {
                    path: hit.doc.path.clone(),
                    span: hit.span.clone(),
                    text: new.clone(),
                })
                .collect(),
            ..Plan::default()
        }),
        several => {
            let hits: Vec<Hit> = several.iter().map(|(hit, _)| hit.clone()).collect();
            Err(crate::generate::offline::find::ambiguous(
                "the misspelled word",
                &hits,
            ))
        }
    }
}

/// The misspelled words that visitors read, with what they should be.
fn misspelled(finder: &Finder<'_>, scope: &Scope) -> Vec<(Hit, String)> {
    let mut found: Vec<(Hit, String)> = Vec::new();
    for view in &scope.views {
        for (doc, node, at, attr) in view.literals() {
            let read = attr
                .as_deref()
                .is_none_or(|attr| matches!(attr, "alt" | "title" | "placeholder" | "aria-label"));
            if !read
                || !crate::generate::offline::find::readable(&doc, node)
                || crate::generate::offline::find::technical(&doc, node)
            {
                continue;
            }
            let inner = doc.node(node).inner.clone();
            let raw = doc.raw(inner.clone());
            for span in words(raw) {
                let Some(right) = correction(&raw[span.clone()]) else {
                    continue;
                };
                let span = inner.start + span.start..inner.start + span.end;
                let known = |(hit, _): &(Hit, String)| hit.doc.path == doc.path && hit.span == span;
                if found.iter().any(known) {
                    continue;
                }
                let seen = Seen {
                    view: view.clone(),
                    at,
                    attr: attr.clone(),
                };
                let hit = Hit {
                    span,
                    whole: false,
                    part: true,
                    ..Hit::whole(&doc, node, vec![seen.clone()])
                };
                let placed = scope
                    .places
                    .iter()
                    .all(|place| names::in_place(finder, place, &hit, Some(&seen)).is_some());
                if placed {
                    found.push((hit, right));
                }
            }
        }
    }
    found
}

/// The words of a text that are nothing but letters: no parts of addresses, names in code or entities.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_alphabetic(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                start = None;
                let joins = |c: char| c.is_ascii_digit() || "_-/@#&\\\'\u{2019}".contains(c);
                // A full stop within a word is that of an address.
                let before = text[..from].ends_with(joins)
                    || text[..from].ends_with('.')
                        && text[..from - 1].ends_with(char::is_alphanumeric);
                let after =
                    joins(c) || c == '.' && text[at + 1..].starts_with(char::is_alphanumeric);
                if !before && !after {
                    out.push(from..at);
                }
            }
            _ => {}
        }
    }
    out
}

/// The one word that a misspelled one stands for, in its casing.
fn correction(word: &str) -> Option<String> {
    let inner_capital = word.chars().skip(1).any(char::is_uppercase);
    let shouted = word.len() > 1 && word.chars().all(char::is_uppercase);
    // A name in code or of a product is spelled as it likes.
    if word.len() < 3 || inner_capital && !shouted {
        return None;
    }
    let [right] = typos_dict::WORD.find(&UniCase::new(word))? else {
        return None;
    };
    if shouted {
        return Some(right.to_uppercase());
    }
    let mut letters = right.chars();
    Some(
        match (word.starts_with(char::is_uppercase), letters.next()) {
            (true, Some(first)) => first.to_uppercase().chain(letters).collect(),
            _ => (*right).to_owned(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_right_word_is_known_in_its_casing() {
        assert_eq!(correction("milion").as_deref(), Some("million"));
        assert_eq!(correction("Recieve").as_deref(), Some("Receive"));
        assert_eq!(correction("TEH").as_deref(), Some("THE"));
        assert_eq!(correction("teH"), None);
        assert_eq!(correction("bicycle"), None);
    }

    #[test]
    fn parts_of_addresses_and_names_are_no_words() {
        let text = "Write to teh@recieve.com, see wich-way, teh_end or don't &nbsp; stop teh.";
        let found: Vec<&str> = words(text).into_iter().map(|span| &text[span]).collect();
        assert_eq!(found, ["Write", "to", "see", "or", "stop", "teh"]);
    }
}
