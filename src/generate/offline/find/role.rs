//! How well a place fills a role: 3 for certain, 2 likely, 1 possibly, 0 not.

mod elements;
pub use elements::{LINKS, is_button, is_heading, is_link};

mod fit;
pub use fit::fit;

mod looks;
pub use looks::{looks_address, looks_email, looks_phone, looks_price, possible};

use super::{Hit, Seen};
use crate::generate::offline::ask::lexicon::{alike, words_of};
use crate::generate::offline::doc::{Doc, Kind, NodeId};
use crate::generate::offline::site::Framework;
use crate::generate::offline::view::{View, ViewId};

/// The nearest key a literal stands under.
pub fn key(doc: &Doc, node: NodeId) -> Option<String> {
    for up in doc.ancestors(node) {
        let up = doc.node(up);
        match up.kind {
            Kind::Pair | Kind::Attr if !up.name.is_empty() => return Some(up.name.clone()),
            Kind::Array | Kind::Expr | Kind::Pair => {}
            _ => return None,
        }
    }
    None
}

/// Whether a place is in a navigation: that of a site, not the way through the pages of a list or back up.
pub fn in_nav(hit: &Hit, seen: Option<&Seen>) -> bool {
    const WAYS: &[&str] = &[
        "pagination",
        "paginator",
        "pager",
        "breadcrumb",
        "breadcrumbs",
        "toc",
    ];
    let around = super::names::around(hit, seen);
    if around
        .words
        .iter()
        .any(|word| WAYS.contains(&word.as_str()))
    {
        return false;
    }
    let by_page = seen.is_some_and(|seen| {
        seen.view.up(seen.at).any(|id| {
            let mut names = super::names::Names::default();
            super::names::of_node(&seen.view, id, &mut names);
            names.has("nav")
        })
    });
    by_page || {
        let mut names = super::names::Names::default();
        super::names::of_data(&hit.doc, hit.node, &mut names);
        names.has("nav")
    }
}

/// A text beside an address in a record: `{ text: "Blog", href: "/blog" }`.
pub fn data_link(hit: &Hit) -> bool {
    link_value(&hit.doc, hit.node).is_some()
}

/// The address beside a text in its record.
pub fn link_value(doc: &Doc, node: NodeId) -> Option<NodeId> {
    let pair = doc.node(doc.node(node).parent);
    if pair.kind != Kind::Pair {
        return None;
    }
    let record = pair.parent;
    [
        "href", "url", "to", "link", "path", "route", "pageRef", "URL", "HREF",
    ]
    .iter()
    .find_map(|key| doc.get(record, key))
    .filter(|value| *value != node)
}

/// Whether pages of this kind show their titles in the navigation.
pub fn titles_are_menu(framework: Framework) -> bool {
    matches!(
        framework,
        Framework::Jekyll | Framework::Docusaurus | Framework::Nuxt
    )
}

/// Whether a word is another word for a role's key.
pub fn key_is(doc: &Doc, node: NodeId, words: &[String]) -> bool {
    let Some(key) = key(doc, node) else {
        return false;
    };
    let parts = words_of(&key);
    !words.is_empty()
        && words
            .iter()
            .all(|word| parts.iter().any(|part| alike(part, word)))
}

/// Whether words name a role at all.
pub fn fit_possible(words: &[String]) -> bool {
    crate::generate::offline::ask::lexicon::role_at(words).is_some()
}

/// The level of the heading around a place: 1 for `h1`.
pub fn heading_level(view: &View, at: ViewId) -> Option<u8> {
    view.up(at).take(5).find_map(|id| {
        let tag = view.nodes[id].tag.as_bytes();
        (tag.len() == 2 && tag[0] == b'h' && tag[1].is_ascii_digit()).then(|| tag[1] - b'0')
    })
}
