//! Elements by what they are called, and "the second card".

mod ranks;
use ranks::{name_rank, nth_named};

mod saying;
use saying::{by_saying, headed};

mod holder;
pub use holder::holder;
use holder::{item_around, nth_record, record_of};

use super::lift::places_of;
use super::names::{Names, of_node};
use super::{Seen, names};
use crate::generate::offline::ask::lexicon::{alike, equal};
use crate::generate::offline::ask::phrase::Place;
use crate::generate::offline::view::{View, ViewId};

/// The elements of a page that are called just so.
pub fn called(view: &View, words: &[String]) -> Vec<ViewId> {
    named(view, words)
        .into_iter()
        .filter(|id| {
            let mut own = Names::default();
            of_node(view, *id, &mut own);
            own.joined.iter().any(|name| *name == words.concat())
        })
        .collect()
}

/// As candidates, the first element of each page that one of `places` names, each once, four at most.
pub fn firsts<'a>(scope: &Scope, places: impl IntoIterator<Item = &'a [String]>) -> Vec<Candidate> {
    let mut out = Vec::new();
    for words in places {
        for view in &scope.views {
            let Some(&id) = named(view, words).first() else {
                continue;
            };
            let node = &view.nodes[id];
            let found = candidate(&node.doc, node.doc.node(node.node).span.clone());
            if !out.contains(&found) {
                out.push(found);
            }
        }
    }
    out.truncate(4);
    out
}

/// The elements of a page that a word names: `card`, `form`, `footer`, `list`.
pub fn named(view: &View, words: &[String]) -> Vec<ViewId> {
    let mut words: Vec<&String> = words.iter().filter(|word| !names::idle(word)).collect();
    // "nav bar", "newsletter box": what is said of the piece counts, not that it is one.
    if words.len() > 1 && words.iter().any(|word| !PIECES.contains(&word.as_str())) {
        words.retain(|word| !PIECES.contains(&word.as_str()));
    }
    if words.is_empty() {
        return Vec::new();
    }
    // "call to action", of which "to" counts for nothing, is written as "cta" too.
    let short = "cta".to_owned();
    if let [call, .., action] = words.as_slice()
        && (call.as_str(), action.as_str()) == ("call", "action")
        && words.len() < 4
    {
        words = vec![&short];
    }
    let fits = |id: ViewId| {
        let mut own = Names::default();
        of_node(view, id, &mut own);
        words.iter().all(|word| {
            own.words.iter().any(|name| alike(name, word))
                || own.joined.iter().any(|name| equal(name, word))
        })
    };
    let mut out: Vec<ViewId> = Vec::new();
    // Banners and heroes are like each other; what is called just so comes first.
    let very = |id: ViewId| {
        let mut own = Names::default();
        of_node(view, id, &mut own);
        words.iter().all(|word| {
            own.words
                .iter()
                .chain(&own.joined)
                .any(|name| equal(name, word))
        })
    };
    let mut below = view.below(0);
    below.retain(|id| {
        !matches!(
            view.nodes[*id].tag.as_str(),
            "head" | "meta" | "title" | "link" | "script" | "style"
        )
    });
    let exact = below
        .iter()
        .any(|id| view.nodes[*id].text.is_empty() && very(*id));
    let fits = |id: ViewId| if exact { very(id) } else { fits(id) };
    for id in below {
        if view.nodes[id].text.is_empty() && fits(id) {
            // Parts of a card are named after it ("card-title"): the outermost is the card.
            let inside = out.iter().any(|known| view.up(id).any(|up| up == *known));
            if !inside {
                out.push(id);
            }
        }
    }
    out
}

/// Whether a place is in the nth of the things a word names.
pub fn in_nth(place: &Place, ordinal: i32, hit: &Hit, seen: Option<&Seen>) -> bool {
    if let Some(seen) = seen {
        if let Some(chosen) = nth_named(&seen.view, &place.words, ordinal) {
            return seen.view.up(seen.at).any(|id| id == chosen);
        }
        let all = named(&seen.view, &place.words);
        if all.len() > 1 {
            let chosen = if ordinal > 0 {
                usize::try_from(ordinal - 1).ok().and_then(|at| all.get(at))
            } else {
                all.last()
            };
            return chosen.is_some_and(|chosen| seen.view.up(seen.at).any(|id| id == *chosen));
        }
    }
    // The nth record of its list.
    let doc = &hit.doc;
    let record = doc.ancestors(hit.node).find(|up| {
        doc.node(*up).kind == Kind::Object && doc.node(doc.node(*up).parent).kind == Kind::Array
    });
    record.is_some_and(|record| {
        let siblings = &doc.node(doc.node(record).parent).children;
        let at = siblings.iter().position(|id| *id == record);
        let wanted = if ordinal > 0 {
            usize::try_from(ordinal - 1).ok()
        } else {
            siblings.len().checked_sub(1)
        };
        at == wanted
    })
}

use std::sync::Arc;

use super::text::{Scope, describe};
use super::{Finder, Hit, candidate, not_found, role};
use crate::generate::offline::ask::lexicon::{RECORD, Role, STOP, singular, words_of};
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::{Doc, Kind, NodeId};
use crate::generate::offline::text::folded;
use crate::model::{Candidate, Refusal, RefusalReason};

/// Nouns that only say that a piece of a page is meant.
pub const PIECES: &[&str] = &[
    "section",
    "banner",
    "block",
    "area",
    "bar",
    "strip",
    "widget",
    "component",
    "module",
    "part",
    "box",
    "panel",
    "element",
    "item",
    "container",
    "row",
    "row",
    "layer",
    "popup",
    "modal",
    "overlay",
];

/// The node of the one element a phrase means: to remove, hide or move it.
///
/// # Errors
/// A refusal when it is none or several.
pub fn one(finder: &Finder<'_>, target: &Phrase) -> Result<(Arc<Doc>, NodeId), Refusal> {
    let scope = finder.scope(target)?;
    let mut found = all(finder, target, &scope)?;
    found.dedup_by(|a, b| a.0.path == b.0.path && a.1 == b.1);
    let mut found = finder.chosen(found, |(doc, node)| {
        candidate(doc, doc.node(*node).span.clone())
    });
    match found.len() {
        0 => Err(not_found(format!("there is no {}", describe(target)))),
        1 => Ok(found.remove(0)),
        _ => {
            let mut candidates: Vec<_> = found
                .iter()
                .map(|(doc, node)| candidate(doc, doc.node(*node).span.clone()))
                .collect();
            candidates.dedup();
            Err(Refusal::new(
                RefusalReason::Ambiguous,
                format!(
                    "{} places fit {} equally well",
                    found.len(),
                    describe(target)
                ),
            )
            .hint("say which one, by its number or what stands near it")
            .candidates(candidates))
        }
    }
}

type Found = Vec<(Arc<Doc>, NodeId)>;

fn push(found: &mut Found, doc: &Arc<Doc>, node: NodeId) {
    if !found
        .iter()
        .any(|(known, at)| known.path == doc.path && *at == node)
    {
        found.push((doc.clone(), node));
    }
}

/// The elements a phrase may mean equally well.
///
/// # Errors
/// A refusal when the words are too vague.
pub fn all(finder: &Finder<'_>, target: &Phrase, scope: &Scope) -> Result<Found, Refusal> {
    let role = Phrase {
        words: scope.words.clone(),
        ..target.clone()
    }
    .role();
    let words: Vec<String> = scope
        .words
        .iter()
        .filter(|word| !STOP.contains(&word.as_str()))
        .cloned()
        .collect();
    // "the prices section": the section with just that heading, whatever else is called so.
    if target.quoted.is_empty() && target.ordinal.is_none() {
        let headed = headed(finder, &words, scope);
        if !headed.is_empty() {
            return Ok(headed);
        }
    }
    let mut found: Found = Vec::new();
    // By a text of its own.
    if !target.quoted.is_empty() || role.is_some() {
        if let Ok(hits) = finder.find_texts(target, scope) {
            for hit in hits {
                if let Some((doc, node)) = holder(&hit, role.map(|(role, ..)| role)) {
                    push(&mut found, &doc, node);
                }
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    if let Some(ordinal) = target.ordinal {
        return counted(finder, target, ordinal, &words, scope);
    }
    if words.is_empty() {
        return Err(Refusal::new(
            RefusalReason::Unclear,
            "it is not clear what is meant",
        ));
    }
    // By its name: a component, a section, an element with that id or class.
    by_name(finder, &words, scope, &mut found);
    if !found.is_empty() {
        return Ok(found);
    }
    // By what it says: a list item, a paragraph, a section with such a heading.
    by_saying(finder, &words, scope, &mut found);
    if !found.is_empty() || !target.quoted.is_empty() {
        return Ok(found);
    }
    // By its name in data, and by its text alone: "the Carols concert", "About".
    by_text(finder, target, &words, scope, &mut found);
    Ok(found)
}

/// The element that is counted: "the second card".
fn counted(
    finder: &Finder<'_>,
    target: &Phrase,
    ordinal: i32,
    words: &[String],
    scope: &Scope,
) -> Result<Found, Refusal> {
    let mut found: Found = Vec::new();
    for view in &scope.views {
        if let Some(id) = nth_named(view, words, ordinal) {
            let node = &view.nodes[id];
            // One element that a loop repeats: its record is what is meant.
            let repeated = places_of(view, &node.doc, node.node).count() > 1;
            if !repeated {
                push(&mut found, &node.doc, node.node);
            } else if let Some(record) = record_of(view, id) {
                push(&mut found, &record.0, record.1);
            }
        }
    }
    if found.is_empty()
        && let Some((doc, node)) = nth_record(finder, words, scope, ordinal)
    {
        push(&mut found, &doc, node);
    }
    if found.is_empty() {
        return Err(not_found(format!(
            "there is no {} to count",
            describe(target)
        )));
    }
    Ok(found)
}

/// Elements by their names: a component, a section, an element with that id or class.
fn by_name(finder: &Finder<'_>, words: &[String], scope: &Scope, found: &mut Found) {
    let named_words: Vec<String> = words
        .iter()
        .filter(|word| !PIECES.contains(&word.as_str()))
        .cloned()
        .collect();
    if named_words.is_empty() {
        return;
    }
    let mut ranked: Vec<(u8, Arc<Doc>, NodeId)> = Vec::new();
    for view in &scope.views {
        for id in view.below(0) {
            let node = &view.nodes[id];
            if !node.text.is_empty()
                || matches!(
                    node.tag.as_str(),
                    "html" | "body" | "head" | "script" | "style" | "link" | "meta"
                )
            {
                continue;
            }
            let rank = name_rank(view, id, &named_words, words);
            if rank == 0 {
                continue;
            }
            let placed = names::placed(finder, &scope.places, view, id);
            // What is inside another that fits is part of it.
            let inside = view.up(id).skip(1).any(|up| {
                view.nodes[up].text.is_empty()
                    && up != 0
                    && name_rank(view, up, &named_words, words) >= rank
            });
            if placed && !inside {
                ranked.push((rank, node.doc.clone(), node.node));
            }
        }
    }
    let top = ranked
        .iter()
        .map(|(rank, ..)| *rank)
        .max()
        .unwrap_or_default();
    for (rank, doc, node) in ranked {
        if rank == top {
            push(found, &doc, node);
        }
    }
}

/// Elements by their names in data, and by their texts alone: "the Carols concert", "About".
fn by_text(
    finder: &Finder<'_>,
    target: &Phrase,
    words: &[String],
    scope: &Scope,
    found: &mut Found,
) {
    let mut hits = finder.named_record(target, scope);
    if hits.is_empty() {
        let plain = Phrase {
            naming: true,
            ..target.clone()
        };
        hits = finder.find_plain(&plain, scope).unwrap_or_default();
        hits.retain(|hit| !hit.part);
    }
    for hit in hits {
        let Some((doc, node)) = holder(&hit, None) else {
            continue;
        };
        // "the post Design in 2022" is all of that post, not its heading alone.
        let shown = folded(&doc.text(hit.node));
        let record = words
            .iter()
            .any(|word| RECORD.contains(&singular(word)) && !names::contains_words(&shown, word));
        if record && doc.node(node).kind == Kind::Element {
            if let Some(item) = item_around(&doc, node) {
                push(found, &doc, item);
            }
        } else {
            push(found, &doc, node);
        }
    }
}
