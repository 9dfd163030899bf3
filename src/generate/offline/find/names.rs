//! What the surroundings of a place are called, and whether they explain the words of a request.

use std::sync::Arc;

use super::{Finder, Hit, Seen};
use crate::generate::offline::ask::lexicon::{GENERIC, RECORD, alike};
use crate::generate::offline::ask::phrase::Place;
use crate::generate::offline::doc::{Doc, Kind, NodeId};
use crate::generate::offline::site::stem;
use crate::generate::offline::text::{self, folded};
use crate::generate::offline::view::{View, ViewId};

pub use crate::generate::offline::view::naming::{Names, of_node};

/// The names that the keys around a literal and its file give it.
pub fn of_data(doc: &Doc, node: NodeId, out: &mut Names) {
    for up in doc.ancestors(node) {
        let up = doc.node(up);
        match up.kind {
            Kind::Pair => out.add(&up.name),
            Kind::Attr if !matches!(up.name.as_str(), "content" | "text") => out.add(&up.name),
            _ => {}
        }
    }
    of_file(&doc.path, out);
}

/// The names a path gives to what is in the file.
pub fn of_file(path: &str, out: &mut Names) {
    let name = stem(path);
    if !matches!(
        name,
        "index"
            | "_index"
            | "page"
            | "layout"
            | "default"
            | "app"
            | "App"
            | "main"
            | "data"
            | "+page"
            | "+layout"
    ) {
        out.add(name);
    }
    for part in path.split('/').rev().skip(1).take(3) {
        let plain = matches!(
            part,
            "src"
                | "app"
                | "pages"
                | "components"
                | "content"
                | "data"
                | "layouts"
                | "partials"
                | "_includes"
                | "_layouts"
                | "lib"
                | "public"
                | "static"
                | "assets"
                | "views"
                | "routes"
                | "sections"
                | "ui"
                | "shared"
                | "common"
                | "includes"
                | "_data"
                | "_default"
                | "exampleSite"
                | "widgets"
        );
        if !plain {
            out.add(part);
        }
    }
}

/// The names around a place.
pub fn around(hit: &Hit, seen: Option<&Seen>) -> Names {
    let mut names = Names::default();
    if let Some(seen) = seen {
        for id in seen.view.up(seen.at) {
            of_node(&seen.view, id, &mut names);
            let node = &seen.view.nodes[id];
            if node.component && node.tag.is_empty() {
                of_file(&node.doc.path, &mut names);
            }
        }
        if let Some(attr) = &seen.attr {
            names.add(attr);
        }
    }
    of_data(&hit.doc, hit.node, &mut names);
    names
}

/// Words of a request that need no explanation.
pub fn idle(word: &str) -> bool {
    GENERIC.contains(&word)
}

/// How words are explained: `None` when they are not, else how far away what explains them is.
pub fn explain(
    finder: &Finder<'_>,
    words: &[String],
    hit: &Hit,
    seen: Option<&Seen>,
) -> Option<usize> {
    let names = around(hit, seen);
    let mut open: Vec<String> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let word = &words[at];
        if at + 1 < words.len() && names.has_joined(&words[at..at + 2]) {
            at += 2;
            continue;
        }
        if !idle(word) && !names.has(word) {
            open.push(word.clone());
        }
        at += 1;
    }
    if open.is_empty() {
        return Some(0);
    }
    // What is left may be the text of something near: a card's title, a row's name, a section's heading.
    let mut best: Option<usize> = None;
    let mut consider = |distance: Option<usize>| {
        if let Some(distance) = distance {
            best = Some(best.map_or(distance, |known| known.min(distance)));
        }
    };
    let all: Vec<String> = words.to_vec();
    let named: Vec<String> = open
        .iter()
        .filter(|word| !RECORD.contains(&word.as_str()))
        .cloned()
        .collect();
    for phrase in [&all, &open, &named] {
        if phrase.is_empty() {
            // Only record words are left ("job", "plan"): any record will do.
            if in_record(hit, seen) {
                consider(Some(1));
            }
            continue;
        }
        // Words that the names do not explain must be in the text, all together.
        let text = phrase.join(" ");
        let explained_rest = words.iter().all(|word| {
            phrase.contains(word)
                || idle(word)
                || names.has(word)
                || RECORD.contains(&word.as_str())
        });
        if explained_rest {
            consider(record_sibling(&hit.doc, hit.node, &text));
            if let Some(seen) = seen {
                consider(near_text(seen, hit, &text));
            }
        }
    }
    let _ = finder;
    best.map(|distance| distance + 1)
}

fn in_record(hit: &Hit, seen: Option<&Seen>) -> bool {
    let data = hit.doc.ancestors(hit.node).any(|up| {
        hit.doc.node(up).kind == Kind::Object
            && hit.doc.node(hit.doc.node(up).parent).kind == Kind::Array
    });
    data || seen.is_some_and(|seen| {
        seen.view.up(seen.at).any(|id| {
            let tag = seen.view.nodes[id].tag.to_lowercase();
            matches!(tag.as_str(), "li" | "article" | "tr") || tag.contains("card")
        })
    })
}

/// A value beside this one in the same record: the level at which it was found.
fn record_sibling(doc: &Doc, node: NodeId, phrase: &str) -> Option<usize> {
    let phrase = folded(phrase);
    let mut level = 0;
    for up in doc.ancestors(node) {
        if doc.node(up).kind != Kind::Object {
            continue;
        }
        level += 1;
        let record = doc.node(up);
        let parent = doc.node(record.parent).kind;
        for pair in &record.children {
            let Some(value) = doc.node(*pair).children.first() else {
                continue;
            };
            let value_node = doc.node(*value);
            if value_node.kind == Kind::Scalar
                && *value != node
                && value_node.inner.len() < 120
                && !text::find(value_node.host, doc.raw(value_node.inner.clone()), &phrase)
                    .is_empty()
            {
                return Some(level);
            }
        }
        if parent == Kind::Array && level > 2 {
            break;
        }
    }
    None
}

/// A text near a place on its page: how many texts the smallest element around both holds.
fn near_text(seen: &Seen, hit: &Hit, phrase: &str) -> Option<usize> {
    let view = &seen.view;
    let phrase = folded(phrase);
    let own = hit.key();
    let mut inner = seen.at;
    for id in view.up(seen.at) {
        let node = &view.nodes[id];
        let branch = std::mem::replace(&mut inner, id);
        if node.text.is_empty() {
            let texts = view.texts(id);
            let top = matches!(node.tag.as_str(), "html" | "body" | "main") || id == 0;
            if texts.len() > 80 || !top && sections(view, id) > 1 {
                break;
            }
            let found = texts.iter().copied().find(|text| {
                let shown = shown_text(view, *text);
                shown.chars().count() < 100
                    && contains_words(&folded(&shown), &phrase)
                    && !view.nodes[*text].text.iter().any(|piece| matches!(piece, crate::generate::offline::view::Piece::Lit(doc, node) if (doc.path.as_str(), doc.node(*node).inner.start) == (own.0.as_str(), own.1)))
            });
            if let Some(found) = found.filter(|_| !top) {
                // The name of the card next to it is not this card's.
                return (!next_card(view, id, branch, found)).then_some(texts.len());
            }
            if top {
                break;
            }
        }
    }
    heading_before(seen, &phrase)
}

/// How many parts of a page an element holds, by the headings that begin one: what stands in another part is not near.
fn sections(view: &View, id: ViewId) -> usize {
    let headings = |tag: &str| {
        view.below(id)
            .into_iter()
            .filter(|at| view.nodes[*at].text.is_empty() && view.nodes[*at].tag == tag)
            .count()
    };
    let parts = headings("h2");
    parts + usize::from(parts > 0 && headings("h1") > 0)
}

/// Whether a text stands in another of the like cards that `parent` holds than `branch` is.
fn next_card(view: &View, parent: ViewId, branch: ViewId, text: ViewId) -> bool {
    let children = &view.nodes[parent].children;
    let Some(other) = children
        .iter()
        .copied()
        .find(|child| *child != branch && view.up(text).any(|up| up == *child))
    else {
        return false;
    };
    let (a, b) = (&view.nodes[branch], &view.nodes[other]);
    let looped = a.node == b.node && a.doc.path == b.doc.path;
    let class = |id| {
        view.attr(id, "class")
            .or_else(|| view.attr(id, "className"))
    };
    let alike =
        looped || (a.tag == b.tag && class(branch).is_some() && class(branch) == class(other));
    a.text.is_empty()
        && children.contains(&branch)
        && alike
        && view.texts(branch).len() > 1
        && view.texts(other).len() > 1
}

/// The heading a place stands under, when it holds the phrase.
pub(super) fn heading_before(seen: &Seen, phrase: &str) -> Option<usize> {
    let view = &seen.view;
    let mut heading: Option<(ViewId, String)> = None;
    let mut upper: Option<String> = None;
    for id in view.below(0) {
        let node = &view.nodes[id];
        if id == seen.at {
            break;
        }
        if node.tag.len() == 2
            && node.tag.starts_with('h')
            && node.tag.as_bytes()[1].is_ascii_digit()
        {
            let shown = view.shown(id);
            if node.tag.as_str() <= "h2" {
                upper = Some(shown.clone());
            }
            heading = Some((id, shown));
        }
    }
    let found = heading.is_some_and(|(_, shown)| contains_words(&folded(&shown), phrase))
        || upper.is_some_and(|shown| contains_words(&folded(&shown), phrase));
    found.then_some(100)
}

fn shown_text(view: &View, id: ViewId) -> String {
    view.shown(id)
}

/// Whether `words` stand in `text` as whole words, one after the other.
pub fn contains_words(text: &str, words: &str) -> bool {
    if words.is_empty() {
        return false;
    }
    text.match_indices(words).any(|(at, found)| {
        let before = text[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric());
        let after = text[at + found.len()..]
            .chars()
            .next()
            .is_none_or(|c| !c.is_alphanumeric());
        before && after
    })
}

/// Whether an element of a page is in all of `places`.
pub fn placed(finder: &Finder<'_>, places: &[Place], view: &Arc<View>, id: ViewId) -> bool {
    let node = &view.nodes[id];
    let hit = Hit {
        doc: node.doc.clone(),
        node: node.node,
        span: 0..0,
        whole: true,
        part: false,
        seen: Vec::new(),
    };
    let seen = Seen {
        view: view.clone(),
        at: id,
        attr: None,
    };
    places
        .iter()
        .all(|place| in_place(finder, place, &hit, Some(&seen)).is_some())
}

/// Whether a place explains where a hit is: how far away, `None` when it does not.
pub fn in_place(
    finder: &Finder<'_>,
    place: &Place,
    hit: &Hit,
    seen: Option<&Seen>,
) -> Option<usize> {
    if let Some(ordinal) = place.ordinal
        && !super::element::in_nth(place, ordinal, hit, seen)
    {
        return None;
    }
    let mut distance = 0;
    for quoted in &place.quoted {
        let words: Vec<String> = folded(quoted).split(' ').map(str::to_owned).collect();
        let near = record_sibling(&hit.doc, hit.node, quoted)
            .or_else(|| seen.and_then(|seen| near_text(seen, hit, quoted)))
            .or_else(|| explain(finder, &words, hit, seen))?;
        distance += near;
    }
    if place.words.is_empty() {
        return Some(distance);
    }
    // "in the config" is in a file of settings.
    if place
        .words
        .iter()
        .all(|word| alike(word, "config") || word == "file")
    {
        let path = hit.doc.path.to_lowercase();
        let name = stem(&path);
        let settings = [
            "config", "site", "settings", "metadata", "meta", "hugo", "data",
        ]
        .iter()
        .any(|word| name.contains(word));
        return (settings && hit.doc.front.is_none()).then_some(distance);
    }
    if let Some(found) = explain(finder, &place.words, hit, seen) {
        // "the nav" is that of the header before that of the footer.
        let nav = place
            .words
            .iter()
            .all(|word| idle(word) || alike(word, "nav"));
        let below = nav && around(hit, seen).words.iter().any(|name| name == "footer");
        return Some(distance + found + if below { 60 } else { 0 });
    }
    // A navigation made of page titles: the title in a page's front matter is its entry.
    if place
        .words
        .iter()
        .all(|word| idle(word) || alike(word, "nav"))
        && title_in_menu(finder, hit)
    {
        return Some(distance + 50);
    }
    // "the hero" of a page that calls it something else is the section with its headline.
    if place
        .words
        .iter()
        .all(|word| idle(word) || alike(word, "hero") || word == "top")
        && place.words.iter().any(|word| alike(word, "hero"))
        && let Some(seen) = seen
        && super::special::in_hero(seen)
    {
        return Some(distance);
    }
    if place
        .words
        .iter()
        .any(|word| word == "headline" || word == "heading" || word == "title")
        && let Some(seen) = seen
    {
        let rest: Vec<String> = place
            .words
            .iter()
            .filter(|word| {
                !matches!(
                    word.as_str(),
                    "headline" | "heading" | "title" | "homepage" | "home"
                )
            })
            .cloned()
            .collect();
        let in_heading = super::special::headline(&seen.view)
            .is_some_and(|headline| seen.view.up(seen.at).any(|id| id == headline));
        if in_heading && (rest.is_empty() || explain(finder, &rest, hit, Some(seen)).is_some()) {
            return Some(distance);
        }
    }
    None
}

/// Whether a title in front matter is an entry of the navigation.
pub fn title_in_menu(finder: &Finder<'_>, hit: &Hit) -> bool {
    let Some(front) = hit.doc.front else {
        return false;
    };
    if hit.doc.get(front, "title") != Some(hit.node) {
        return false;
    }
    let Some(app) = finder.site.app(&hit.doc.path) else {
        return false;
    };
    let entry = finder
        .site
        .pages()
        .iter()
        .any(|page| page.file == hit.doc.path && page.entry);
    let menu = ["menu", "menus", "eleventyNavigation", "nav"]
        .iter()
        .any(|key| hit.doc.get(front, key).is_some());
    menu || (!entry && super::role::titles_are_menu(finder.site.apps[app].framework))
}
