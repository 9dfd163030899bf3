//! "the social links": a plural that means all of several things side by side; "the main button": one of several.

use std::sync::Arc;

use crate::generate::offline::ask::lexicon::{Role, singular, words_of};
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::{Doc, Kind, NodeId};
use crate::generate::offline::find::text::describe;
use crate::generate::offline::find::{Finder, Hit, candidate, element, role};
use crate::model::{Refusal, RefusalReason};

/// What a plural means when one thing alone is not it: all of the things that stand side by side, or what holds nothing but them.
/// `None` where they stand apart: then a person says which.
pub fn of(finder: &Finder<'_>, target: &Phrase) -> Option<(Arc<Doc>, Vec<NodeId>)> {
    let last = target.words.last()?;
    if singular(last) == last || target.ordinal.is_some() || !target.quoted.is_empty() {
        return None;
    }
    let scope = finder.scope(target).ok()?;
    let found = element::all(finder, target, &scope).ok()?;
    let (doc, _) = found.first()?;
    let doc = doc.clone();
    if found.len() < 2 || found.iter().any(|(other, _)| other.path != doc.path) {
        return None;
    }
    // A list entry that holds nothing else goes with what it holds.
    let mut nodes: Vec<NodeId> = found.iter().map(|(_, node)| whole(&doc, *node)).collect();
    nodes.dedup();
    let parent = doc.node(nodes[0]).parent;
    let beside = nodes
        .iter()
        .all(|node| doc.node(*node).parent == parent && doc.node(*node).kind == Kind::Element);
    if !beside {
        return None;
    }
    let holder = doc.node(parent);
    let only = holder.kind == Kind::Element
        && matches!(
            holder.name.as_str(),
            "ul" | "ol" | "div" | "p" | "nav" | "span"
        )
        && content(&doc, parent).eq(nodes.iter().copied());
    Some((doc.clone(), if only { vec![parent] } else { nodes }))
}

/// The children of an element that show something.
fn content(doc: &Doc, node: NodeId) -> impl Iterator<Item = NodeId> {
    doc.node(node).children.iter().copied().filter(|child| {
        let child = doc.node(*child);
        child.kind != Kind::Attr
            && !(child.kind == Kind::Text && doc.raw(child.span.clone()).trim().is_empty())
    })
}

fn whole(doc: &Doc, node: NodeId) -> NodeId {
    let parent = doc.node(node).parent;
    if doc.node(parent).name == "li" && content(doc, parent).eq([node]) {
        parent
    } else {
        node
    }
}

/// "the main button" where there are several, and the one that was found is not called so: which is the main one is for a person
/// to say.
pub fn main_one(target: &Phrase, said: Option<Role>, hit: &Hit) -> Option<Refusal> {
    const MAIN: &[&str] = &["main", "primary", "cta"];
    let main = target.words.iter().any(|word| word == "main");
    if said != Some(Role::Button) || !main || !target.quoted.is_empty() || target.ordinal.is_some()
    {
        return None;
    }
    let seen = hit.seen.first()?;
    let view = &seen.view;
    let is_button = |id: &usize| role::is_button(view, *id) && !view.nodes[*id].component;
    let named = view.up(seen.at).find(is_button).is_some_and(|button| {
        ["class", "className", "id"]
            .iter()
            .filter_map(|name| view.attr(button, name))
            .flat_map(|value| words_of(&value))
            .any(|word| MAIN.contains(&word.as_str()))
    });
    let buttons: Vec<usize> = view.below(0).into_iter().filter(is_button).collect();
    (!named && buttons.len() > 1).then(|| {
        let mut candidates: Vec<_> = buttons
            .iter()
            .map(|id| {
                let node = &view.nodes[*id];
                candidate(&node.doc, node.doc.node(node.node).span.clone())
            })
            .collect();
        candidates.dedup();
        Refusal::new(
            RefusalReason::Ambiguous,
            format!(
                "{} could be any of {} buttons",
                describe(target),
                buttons.len()
            ),
        )
        .hint("say which one, by its number or its text")
        .candidates(candidates)
    })
}
