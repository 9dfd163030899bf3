//! Finding the one text that a phrase means.

mod scope;

mod absent;
mod files;
mod places;
mod ranks;

use std::sync::Arc;

use super::names::{around, explain, heading_before, idle, in_place};
use super::page::Pages;
use super::role::{self, fit};
use super::{Finder, Hit, Seen, ambiguous, not_found, readable, unique};
use crate::generate::offline::ask::lexicon::{GENERIC, RECORD, Role, alike, equal};
use crate::generate::offline::ask::phrase::{Phrase, Place};
use crate::generate::offline::doc::{Doc, Kind, NodeId};
use crate::generate::offline::parse;
use crate::generate::offline::site::{detect, folder, stem};
use crate::generate::offline::text::{self, folded};
use crate::generate::offline::view::{Piece, View};
use crate::model::{Refusal, RefusalReason};

/// A phrase with its pages settled.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The pages looked at.
    pub views: Vec<Arc<View>>,
    /// True when the request named a page.
    pub paged: bool,
    /// The pages' numbers, when it did.
    pub pages: Vec<usize>,
    /// The places that are no pages.
    pub places: Vec<Place>,
    /// The words of the phrase without those for pages.
    pub words: Vec<String>,
    /// The same as said.
    pub said: String,
    /// What the pages were called, for messages.
    pub called: String,
}

/// How well a hit fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// 3 the whole text, 2 all but punctuation, 1 part of it.
    text: u8,
    /// 1 when it is seen on a page or is data, 0 in a file no page shows.
    reach: u8,
    /// 1 for text, 0 for the value of an attribute.
    visible: u8,
    role: u8,
    /// Smaller is nearer; kept negative so that greater is better.
    near: i64,
}

impl Finder<'_> {
    /// The texts that are `wanted`, or hold it: hits with how much of the text they are.
    pub fn texts(&self, wanted: &str, scope: &Scope) -> Vec<(Hit, u8)> {
        let folded_wanted = folded(wanted);
        let core = trim_marks(&folded_wanted);
        let joined = squash(&folded_wanted);
        let mut out = Vec::new();
        if core.is_empty() {
            return out;
        }
        // A plain word that every text with the wanted words in it shows.
        let sure = folded_wanted
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.is_ascii() && word.len() > 1)
            .max_by_key(|word| word.len())
            .filter(|_| joined.len() > 4 && folded_wanted.contains(' ') || joined.len() < 5)
            .unwrap_or_default();
        let mut visit = |doc: &Arc<Doc>, node: NodeId, seen: &dyn Fn() -> Vec<Seen>| {
            let this = doc.node(node);
            let raw = doc.raw(this.inner.clone());
            if !has_word(raw, sure) {
                return;
            }
            let spans = text::find(this.host, raw, wanted);
            let shown = folded(&doc.text(node));
            let level = if shown == folded_wanted {
                3
            } else if trim_marks(&shown) == core && !core.is_empty() {
                2
            } else if joined.len() > 4 && squash(&shown) == joined {
                // "signup" for "Sign up": spelled together or apart.
                2
            } else if !spans.is_empty() {
                1
            } else {
                return;
            };
            if !readable(doc, node) || super::technical(doc, node) {
                return;
            }
            // A part of a name in code ("about.md", "menu-item") is not a text.
            let code = !shown.contains(' ') && shown.contains(['.', '/', '_', '-', '#']);
            if level == 1 && code && !core.contains(['.', '/', '_', '-', '#', '@']) {
                return;
            }
            let seen = seen();
            if level >= 2 {
                let mut hit = Hit::whole(doc, node, seen);
                // What was said without its full stop leaves the full stop.
                if level == 2
                    && let [span] = spans.as_slice()
                {
                    hit.span = this.inner.start + span.start..this.inner.start + span.end;
                    hit.whole = false;
                }
                out.push((hit, level));
            } else {
                for span in spans {
                    let span = this.inner.start + span.start..this.inner.start + span.end;
                    out.push((
                        Hit {
                            doc: doc.clone(),
                            node,
                            span,
                            whole: false,
                            part: true,
                            seen: seen.clone(),
                        },
                        level,
                    ));
                }
            }
        };
        if scope.paged {
            let mut known = std::collections::HashSet::new();
            for view in &scope.views {
                for (doc, node, ..) in view.literals() {
                    if known.insert((doc.path.clone(), node)) {
                        visit(&doc, node, &|| self.seen(&doc, node, &scope.views));
                    }
                }
            }
            // Literals of the page's own files that could not be followed.
            for path in self.page_files(scope) {
                let Some(doc) = self.site.doc(&path) else {
                    continue;
                };
                for node in 0..doc.nodes.len() {
                    if matches!(doc.node(node).kind, Kind::Text | Kind::Scalar)
                        && known.insert((path.clone(), node))
                    {
                        visit(&doc, node, &|| self.seen(&doc, node, &scope.views));
                    }
                }
            }
        } else {
            for path in self.files_with(&folded_wanted) {
                let Some(doc) = self.site.doc(&path) else {
                    continue;
                };
                for node in 0..doc.nodes.len() {
                    if matches!(doc.node(node).kind, Kind::Text | Kind::Scalar) {
                        visit(&doc, node, &|| self.seen(&doc, node, &scope.views));
                    }
                }
            }
        }
        out
    }

    /// The files of the pages in scope: what they show, and the page's own.
    pub fn page_files(&self, scope: &Scope) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for view in &scope.views {
            if let Some(page) = view.page {
                let own = self.site.pages()[page].file.clone();
                let beside = folder(&own).to_owned();
                out.push(own);
                // `+page.js` and its like beside the page.
                for name in ["+page.js", "+page.ts", "+page.server.js", "+page.server.ts"] {
                    let path = format!("{beside}{name}");
                    if self.site.has(&path) {
                        out.push(path);
                    }
                }
            }
            out.extend(view.files().map(str::to_owned));
        }
        out.sort();
        out.dedup();
        out
    }

    /// The files a person may mean, that hold the longest word of a text.
    pub fn files_with(&self, folded_text: &str) -> Vec<String> {
        let words: Vec<&str> = folded_text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let longest = words
            .iter()
            .copied()
            .max_by_key(|word| word.chars().count())
            .unwrap_or_default();
        // Plain words stand in the file as they are; others may be written as entities or escapes.
        let plain = |word: &&&str| word.is_ascii() && word.len() > 1;
        let files: Vec<&String> = self
            .site
            .files
            .iter()
            .filter(|path| self.content_file(path))
            .collect();
        self.site.fold_ahead(&files);
        let found: Vec<String> = files
            .into_iter()
            .filter(|path| {
                self.site.folded(path).is_some_and(|text| {
                    let spelled = !longest.is_ascii() && text.contains(['&', '\\']);
                    (spelled || text.contains(longest))
                        && words.iter().filter(plain).all(|word| text.contains(word))
                })
            })
            .cloned()
            .collect();
        self.site.parse_ahead(&found);
        found
    }
}

/// Whether a plain word may stand in a text: regardless of case, and of entities and escapes.
fn has_word(raw: &str, word: &str) -> bool {
    let (raw, word) = (raw.as_bytes(), word.as_bytes());
    word.is_empty()
        || raw.contains(&b'&')
        || raw.contains(&b'\\')
        || raw
            .windows(word.len())
            .any(|part| part.eq_ignore_ascii_case(word))
}

fn no_page(finder: &Finder<'_>, name: &str) -> Refusal {
    let name = name.trim_end_matches(" page");
    let routes: Vec<String> = finder
        .site
        .pages()
        .iter()
        .filter(|page| !page.entry)
        .take(12)
        .map(|page| page.route.clone())
        .collect();
    not_found(format!(
        "there is no {name} page; the pages are {}",
        routes.join(", ")
    ))
    .hint(format!("say \"add a {name} page\" to make one"))
}

/// Words that carry meaning of their own.
fn meaningful(words: &[String]) -> Vec<String> {
    words
        .iter()
        .filter(|word| {
            !idle(word) && !crate::generate::offline::ask::lexicon::STOP.contains(&word.as_str())
        })
        .cloned()
        .collect()
}

fn meaningful_or_all(words: &[String]) -> Vec<String> {
    words
        .iter()
        .filter(|word| !crate::generate::offline::ask::lexicon::STOP.contains(&word.as_str()))
        .cloned()
        .collect()
}

/// Whether a value's key is exactly these words.
fn key_takes(doc: &Doc, node: NodeId, words: &[String]) -> bool {
    use crate::generate::offline::ask::lexicon::{alike, equal, words_of};
    let Some(key) = role::key(doc, node) else {
        return false;
    };
    let parts = words_of(&key);
    if parts.concat() == words.concat() {
        return true;
    }
    match (parts.as_slice(), words) {
        ([part], [word]) => alike(part, word),
        (parts, words) => {
            parts.len() == words.len()
                && parts.iter().zip(words).all(|(part, word)| {
                    // "footer note" is `footNote`, "image source" is `imgSource`.
                    let short = part.len() > 3 && word.starts_with(part.as_str());
                    equal(part, word) || (short && alike(part, word))
                })
        }
    }
}

/// Whether a value's key is these very words, not others that mean the same.
pub(in crate::generate::offline::find) fn key_is_just(
    doc: &Doc,
    node: NodeId,
    words: &[String],
) -> bool {
    use crate::generate::offline::ask::lexicon::{equal, words_of};
    role::key(doc, node).is_some_and(|key| {
        let parts = words_of(&key);
        let tail = words.len().checked_sub(parts.len()).map(|at| &words[at..]);
        parts.concat() == words.concat()
            || tail.is_some_and(|tail| parts.iter().zip(tail).all(|(part, word)| equal(part, word)))
    })
}

/// Whether a literal is a property that a component is given: `<Hero text="…" />`.
fn given(doc: &Doc, node: NodeId) -> bool {
    let attr = doc.node(doc.node(node).parent);
    let owner = doc.node(attr.parent);
    doc.node(node).kind == Kind::Text
        && attr.kind == Kind::Attr
        && owner.kind == Kind::Element
        && (owner.name.starts_with(char::is_uppercase) || owner.name.contains('-'))
}

/// Whether a text is a few stressed words within a longer one: `the <em>intro</em> of a page`.
fn stressed(hit: &Hit) -> bool {
    let doc = &hit.doc;
    let parent = doc.node(doc.node(hit.node).parent);
    parent.kind == Kind::Element
        && matches!(parent.name.as_str(), "em" | "strong" | "i" | "b" | "code")
        && doc.node(parent.parent).children.iter().any(|other| {
            let other = doc.node(*other);
            other.kind == Kind::Text && !doc.raw(other.inner.clone()).trim().is_empty()
        })
}

/// Whether a text is what a component shows whose own markup says nothing of what it is: `<UButton>Buy</UButton>`.
fn of_component(hit: &Hit) -> bool {
    let doc = &hit.doc;
    let around = doc
        .ancestors(hit.node)
        .map(|up| doc.node(up))
        .find(|up| up.kind == Kind::Element);
    doc.node(hit.node).kind == Kind::Text
        && around.is_some_and(|up| up.name.starts_with(char::is_uppercase) || up.name.contains('-'))
}

/// Whether a hit fills a role well enough to be known by its text and role.
fn strong(role: Role, hit: &Hit) -> bool {
    let options: Vec<Option<&Seen>> = if hit.seen.is_empty() {
        vec![None]
    } else {
        hit.seen.iter().map(Some).collect()
    };
    options.into_iter().any(|seen| {
        fit(role, hit, seen) >= 2
            || (matches!(role, Role::Text | Role::Button | Role::Name) && fit(role, hit, seen) >= 1)
    })
}

/// Without punctuation at the ends.
fn trim_marks(text: &str) -> String {
    text.trim_matches(|c: char| !c.is_alphanumeric() && !"$€£#%&+@".contains(c))
        .to_owned()
}

/// `said` without its first `count` content words.
fn skip_words(said: &str, count: usize, words: &[String]) -> String {
    let mut left = count;
    let mut rest = said.trim();
    // An article at the front is not counted.
    if let (Some(first), Some(front)) = (words.first(), rest.split_whitespace().next())
        && !front
            .to_lowercase()
            .trim_matches(|c: char| !c.is_alphanumeric() && c != '/')
            .eq(first)
    {
        rest = crate::generate::offline::ask::phrase::strip_article(rest);
    }
    while left > 0 {
        let Some(at) = rest.find(char::is_whitespace) else {
            return String::new();
        };
        rest = rest[at..].trim_start();
        left -= 1;
    }
    rest.to_owned()
}

/// The words as they were said, when they begin `said`.
fn front_words(said: &str, words: &str) -> String {
    let bare = crate::generate::offline::ask::phrase::strip_article(said.trim());
    let count = words.split(' ').count();
    let front: Vec<&str> = bare.split_whitespace().take(count).collect();
    let joined = front.join(" ");
    if folded(&joined) == folded(words) {
        joined
    } else {
        words.to_owned()
    }
}

fn nth(hits: Vec<Hit>, ordinal: i32) -> Vec<Hit> {
    // Only hits of one view have an order a person sees.
    let mut ordered = hits;
    let page = |hit: &Hit| hit.seen.first().map(|seen| seen.view.page);
    if let Some(first) = ordered.first().map(page) {
        ordered.retain(|hit| page(hit) == first);
    }
    ordered.sort_by_key(|hit| hit.seen.first().map(|seen| seen.at));
    let at = if ordinal > 0 {
        usize::try_from(ordinal - 1).unwrap_or(usize::MAX)
    } else {
        ordered.len().wrapping_sub(1)
    };
    ordered.into_iter().nth(at).into_iter().collect()
}

/// The phrase for a message.
pub fn describe(phrase: &Phrase) -> String {
    let quoted = phrase
        .quoted
        .iter()
        .map(|text| format!("\u{201c}{text}\u{201d}"))
        .collect::<Vec<_>>()
        .join(" ");
    let mut said = phrase.said.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(ordinal) = phrase.ordinal {
        said = match ordinal {
            -1 => format!("last {said}"),
            number => format!("{said} number {number}"),
        };
    }
    match (quoted.as_str(), said.as_str()) {
        ("", said) => said.to_owned(),
        (quoted, "") => format!("text {quoted}"),
        (quoted, said) => format!("{said} {quoted}"),
    }
}

/// Letters and digits alone.
fn squash(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Whether a key holds something that is nobody's business.
pub fn secret(key: &str) -> bool {
    let words = crate::generate::offline::ask::lexicon::words_of(key);
    let joined = words.concat();
    words.iter().any(|word| {
        matches!(
            word.as_str(),
            "secret" | "password" | "passwd" | "token" | "credential" | "credentials"
        )
    }) || joined.contains("apikey")
        || joined.contains("privatekey")
        || joined.contains("accesskey")
}
