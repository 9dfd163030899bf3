//! A noun phrase: what is meant, in which places.

use super::lexicon::{self, Role, STOP};
use crate::intent::clean::quoted_spans;

/// A phrase for something on the site.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Phrase {
    /// Texts in quotes.
    pub quoted: Vec<String>,
    /// The words left, in lower case, without stop words at the ends; in order.
    pub words: Vec<String>,
    /// The words as they were said, casing and all.
    pub said: String,
    /// The same with its article, for when it is the text itself.
    pub full: String,
    /// All of it as it was said, without an article.
    pub whole: String,
    /// How many of the places stood in its own words.
    pub own: usize,
    /// True when it is to be renamed: its own text is meant, never the value it labels.
    pub naming: bool,
    /// Places it is said to be in, innermost first.
    pub places: Vec<Place>,
    /// "the second …": counted from 1; -1 is the last.
    pub ordinal: Option<i32>,
}

/// A place: "the about page", "the footer", "the Basic plan".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its words in lower case.
    pub words: Vec<String>,
    /// Texts in quotes.
    pub quoted: Vec<String>,
    /// "the second card".
    pub ordinal: Option<i32>,
    /// The path, when an address was said ("/pricing").
    pub path: Option<String>,
}

/// The words of `text` in lower case, without punctuation at their ends.
pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|word| {
            word.trim_matches(|c: char| {
                !c.is_alphanumeric() && c != '/' && c != '#' && c != '$' && c != '€' && c != '£'
            })
            .replace(['’', '‘'], "'")
            .to_lowercase()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

fn content_words(text: &str) -> Vec<String> {
    words(text)
        .into_iter()
        .filter(|word| !STOP.contains(&word.as_str()))
        .collect()
}

const IN: &[&str] = &[
    "in", "on", "of", "from", "at", "inside", "within", "under", "for", "below",
];

impl Place {
    /// Reads a place.
    pub fn new(text: &str) -> Self {
        let spans = quoted_spans(text);
        let quoted: Vec<String> = spans.iter().map(|(a, b)| unquote(&text[*a..*b])).collect();
        let mut bare = String::new();
        let mut at = 0;
        for (a, b) in &spans {
            bare.push_str(&text[at..*a]);
            bare.push(' ');
            at = *b;
        }
        bare.push_str(&text[at..]);
        let mut words = content_words(&bare.replace("'s ", " ").replace("’s ", " "));
        let path = words
            .iter()
            .position(|word| word.starts_with('/'))
            .map(|at| words.remove(at));
        let ordinal = words.first().and_then(|word| lexicon::ordinal(word));
        if ordinal.is_some() && words.len() > 1 {
            words.remove(0);
            return Self {
                words,
                quoted,
                ordinal,
                path,
            };
        }
        Self {
            words,
            quoted,
            ordinal: None,
            path,
        }
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.quoted.is_empty() && self.path.is_none()
    }
}

/// The text between quotes.
pub fn unquote(text: &str) -> String {
    let mut chars = text.chars();
    chars.next();
    chars.next_back();
    chars.as_str().to_owned()
}

impl Phrase {
    /// Reads a phrase such as "the footer's 'FAQ' link in the second column".
    pub fn new(text: &str) -> Self {
        let text = text.trim().trim_end_matches([',', ':', '.', ';']).trim();
        let mut phrase = Self {
            whole: strip_article(text).to_owned(),
            ..Self::default()
        };
        let mut rest = text.to_owned();
        // Places behind the head, last first: each begins at a preposition outside quotes.
        while let Some((at, end)) = last_preposition(&rest) {
            let place = Place::new(&rest[end..]);
            if place.is_empty() || rest[..at].trim().is_empty() {
                break;
            }
            phrase.places.push(place);
            rest.truncate(at);
        }
        phrase.places.reverse();
        // "the footer's FAQ link": what owns it is a place.
        while let Some((owner, owned)) = possessive(&rest) {
            phrase.places.push(Place::new(&owner));
            rest = owned;
        }
        phrase.own = phrase.places.len();
        let spans = quoted_spans(&rest);
        for (a, b) in &spans {
            phrase.quoted.push(unquote(&rest[*a..*b]));
        }
        let mut bare = String::new();
        let mut at = 0;
        for (a, b) in &spans {
            bare.push_str(&rest[at..*a]);
            bare.push(' ');
            at = *b;
        }
        bare.push_str(&rest[at..]);
        phrase.full = bare.trim().to_owned();
        phrase.said = strip_article(bare.trim()).to_owned();
        let mut all = words(&phrase.said);
        while all
            .first()
            .is_some_and(|word| STOP.contains(&word.as_str()))
            && all.len() > 1
        {
            all.remove(0);
        }
        if all.len() > 1
            && let Some(ordinal) = lexicon::ordinal(&all[0])
        {
            phrase.ordinal = Some(ordinal);
            all.remove(0);
            let skip = phrase.said.find(' ').map_or(0, |at| at + 1);
            phrase.said = phrase.said[skip..].to_owned();
        }
        phrase.words = all;
        phrase
    }

    /// The role named in the words: the role, where its words begin, and how many there are.
    pub fn role(&self) -> Option<(Role, usize, usize)> {
        let mut last: Option<(Role, usize, usize)> = None;
        let mut at = 0;
        while at < self.words.len() {
            if let Some((role, length)) = lexicon::role_at(&self.words[at..]) {
                // The head of an English noun phrase is its last noun ("the menu link text"), unless text follows it.
                last = Some((role, at, length));
                at += length;
            } else {
                at += 1;
            }
        }
        let (role, at, length) = last?;
        if at + length == self.words.len() {
            return Some((role, at, length));
        }
        // "the heading I like building things": the first role word, and its text behind it.
        let first = (0..self.words.len()).find_map(|at| {
            lexicon::role_at(&self.words[at..]).map(|(role, length)| (role, at, length))
        });
        first.filter(|(_, at, _)| *at <= 1)
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.quoted.is_empty() && self.words.iter().all(|word| STOP.contains(&word.as_str()))
    }
}

/// Without a leading article.
pub fn strip_article(text: &str) -> &str {
    for article in [
        "the ", "The ", "a ", "A ", "an ", "An ", "my ", "My ", "our ", "Our ", "that ", "this ",
    ] {
        if let Some(rest) = text.strip_prefix(article) {
            return rest.trim_start();
        }
    }
    text
}

fn last_preposition(text: &str) -> Option<(usize, usize)> {
    let spans = quoted_spans(text);
    let lower = text.to_ascii_lowercase();
    if lower.len() != text.len() {
        return None;
    }
    let mut best: Option<(usize, usize)> = None;
    for word in IN {
        let mark = format!(" {word} ");
        // Marks may share a space: "Sign in in the nav".
        let all =
            (0..lower.len()).filter(|at| lower.as_bytes()[*at..].starts_with(mark.as_bytes()));
        for at in all {
            let end = at + mark.len();
            let quoted = spans.iter().any(|(a, b)| (*a..*b).contains(&(at + 1)));
            // Text that happens to hold a preposition is no place; a place has an article, a quote or a known noun.
            let next = &lower[end..];
            let said = [
                "the ", "our ", "my ", "a ", "an ", "/", "'", "\"", "“", "‘", "each ", "every ",
            ]
            .iter()
            .any(|lead| next.starts_with(lead));
            let known = [
                "page",
                "footer",
                "nav",
                "navigation",
                "header",
                "hero",
                "menu",
                "navbar",
                "sidebar",
                "homepage",
                "home",
                "mobile",
            ]
            .iter()
            .any(|noun| {
                next.split_whitespace().last() == Some(noun) && next.split_whitespace().count() <= 3
            });
            let capital = text[end..].starts_with(char::is_uppercase);
            // "the job title at Shopify": a name behind a noun for a thing says where it is.
            let thing = || {
                let front = words(&lower[..at]);
                lower.starts_with("the ")
                    && (0..front.len()).any(|from| {
                        lexicon::role_at(&front[from..])
                            .is_some_and(|(_, length)| from + length == front.len())
                    })
            };
            let proper =
                capital && (*word == "of" || (matches!(*word, "at" | "for" | "in") && thing()));
            if !quoted && (said || known || proper) && best.is_none_or(|(known, _)| at > known) {
                best = Some((at, end));
            }
        }
    }
    best
}

/// "the footer's FAQ link" as ("the footer", "FAQ link").
fn possessive(text: &str) -> Option<(String, String)> {
    let spans = quoted_spans(text);
    let (at, length) = text
        .match_indices("'s ")
        .map(|(at, found)| (at, found.len()))
        .chain(
            text.match_indices("’s ")
                .map(|(at, found)| (at, found.len())),
        )
        .filter(|(at, _)| !spans.iter().any(|(a, b)| (*a..*b).contains(at)))
        .min()?;
    let owner = text[..at].trim();
    let contraction = [
        "it", "that", "what", "there", "here", "let", "he", "she", "who", "where",
    ]
    .contains(
        &owner
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .to_lowercase()
            .as_str(),
    );
    if contraction || owner.is_empty() || owner.split_whitespace().count() > 5 {
        return None;
    }
    Some((owner.to_owned(), text[at + length..].trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_fall_into_head_quotes_and_places() {
        let phrase = Phrase::new("the 'Sign Up' button in the Basic plan");
        assert_eq!(phrase.quoted, ["Sign Up"]);
        assert_eq!(phrase.words, ["button"]);
        assert_eq!(phrase.places[0].words, ["basic", "plan"]);
        let phrase = Phrase::new("the footer's FAQ link");
        assert_eq!(phrase.words, ["faq", "link"]);
        assert_eq!(phrase.places[0].words, ["footer"]);
        assert_eq!(phrase.role(), Some((Role::Link, 1, 1)));
        let phrase = Phrase::new("the second paragraph on the about page");
        assert_eq!((phrase.ordinal, phrase.words.len()), (Some(2), 1));
        assert_eq!(phrase.places[0].words, ["about", "page"]);
        let phrase = Phrase::new("the heading I like building things");
        assert_eq!(phrase.role(), Some((Role::Heading, 0, 1)));
        let phrase = Phrase::new("a place to share your knowledge");
        assert_eq!(phrase.said, "place to share your knowledge");
    }
}
