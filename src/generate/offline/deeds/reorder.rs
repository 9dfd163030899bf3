//! Moving one thing, swapping two.

use std::sync::Arc;

use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::ask::{Side, Spot};
use crate::generate::offline::doc::{Doc, Kind, NodeId, Span};
use crate::generate::offline::find::text::describe;
use crate::generate::offline::find::{Finder, candidate, element, not_found};
use crate::generate::offline::plan::{Edit, Plan, lines};
use crate::model::{Refusal, RefusalReason};

/// Moves `target` to `place`.
///
/// # Errors
/// A refusal.
pub fn plan(finder: &Finder<'_>, target: &Phrase, place: &Spot) -> Result<Plan, Refusal> {
    // "move Contact before About in the nav": both are there.
    let shared = match &place.of {
        Some(of) if target.places.is_empty() && !of.places.is_empty() => Some(Phrase {
            places: of.places.clone(),
            ..target.clone()
        }),
        _ => None,
    };
    let target = shared.as_ref().unwrap_or(target);
    let (mut doc, mut node) = element::one(finder, target)?;
    let mut beside = None;
    if let Some(of) = &place.of {
        let (other, anchor) = element::one(finder, of)?;
        // Two components are moved where both are used.
        let scope = finder.scope(target)?;
        let outer = finder.scope(of)?;
        let (ours, theirs) = (
            finder.outwards(&scope, &doc, node),
            finder.outwards(&outer, &other, anchor),
        );
        let common = ours.iter().find_map(|one| {
            let near = |two: &&(Arc<Doc>, NodeId)| one.0.path == two.0.path;
            theirs
                .iter()
                .find(near)
                .map(|two| (one.clone(), two.clone()))
        });
        if let Some((one, two)) = common {
            (doc, node) = one;
            beside = Some(two);
        } else {
            beside = Some((other, anchor));
        }
    }
    let node = entry(&doc, node);
    let siblings = siblings(&doc, node);
    let at = siblings
        .iter()
        .position(|id| *id == node)
        .unwrap_or_default();
    let (anchor, side) = match (&place.of, place.side) {
        (Some(of), side) => {
            let Some((other, anchor)) = beside else {
                return Err(not_found(format!("there is no {}", describe(of))));
            };
            if other.path != doc.path {
                return Err(Refusal::new(
                    RefusalReason::OutOfScope,
                    format!(
                        "{} and {} are in different files",
                        describe(target),
                        describe(of)
                    ),
                )
                .candidates(vec![
                    candidate(&doc, doc.node(node).span.clone()),
                    candidate(&other, other.node(anchor).span.clone()),
                ]));
            }
            let heading = matches!(
                doc.node(anchor).name.as_str(),
                "h1" | "h2" | "h3" | "h4" | "h5" | "h6"
            );
            let anchor = if heading {
                section_of(&doc, anchor, node)
            } else {
                entry(&doc, anchor)
            };
            (anchor, side)
        }
        (None, Side::Up) => (
            *at.checked_sub(1)
                .and_then(|at| siblings.get(at))
                .ok_or_else(|| not_found("it is the first already"))?,
            Side::Before,
        ),
        (None, Side::Down) => (
            *siblings
                .get(at + 1)
                .ok_or_else(|| not_found("it is the last already"))?,
            Side::After,
        ),
        (None, Side::Start) => (siblings[0], Side::Before),
        (None, _) => (siblings[siblings.len() - 1], Side::After),
    };
    if anchor == node {
        return Err(not_found("it is there already"));
    }
    // Neighbours change places; anything else goes over the neighbours between.
    let order = arranged(&doc, node, anchor, side, &siblings)?;
    let mut plan = Plan {
        title: format!("Move {}", describe(target)),
        ..Plan::default()
    };
    plan.notes.push(format!(
        "{}:{}",
        doc.path,
        doc.line(doc.node(node).span.start)
    ));
    plan.edits = order;
    Ok(plan)
}

/// Swaps two things.
///
/// # Errors
/// A refusal.
pub fn swap(finder: &Finder<'_>, a: &Phrase, b: &Phrase) -> Result<Plan, Refusal> {
    let mut first = a.clone();
    if first.places.is_empty() {
        first.places.clone_from(&b.places);
    }
    let (doc, one) = element::one(finder, &first)?;
    let (other, two) = element::one(finder, b)?;
    let (one, two) = (entry(&doc, one), entry(&other, two));
    let named = a.role().is_none() && b.role().is_none() && doc.path == other.path;
    let (one, two) = match (named, rows(&doc, one, two)) {
        (true, Some(rows)) => rows,
        _ => (one, two),
    };
    let (a_span, b_span) = (tight(&doc, one), tight(&other, two));
    if doc.path == other.path && (a_span.start < b_span.end && b_span.start < a_span.end) {
        return Err(
            Refusal::new(RefusalReason::Ambiguous, "one of them is part of the other")
                .candidates(vec![candidate(&doc, a_span), candidate(&other, b_span)]),
        );
    }
    if doc.node(one).kind != other.node(two).kind {
        return Err(
            Refusal::new(RefusalReason::Mixed, "they are not of one kind")
                .candidates(vec![candidate(&doc, a_span), candidate(&other, b_span)]),
        );
    }
    let mut plan = Plan {
        title: format!("Swap {} and {}", describe(a), describe(b)),
        ..Plan::default()
    };
    let (a_text, b_text) = (
        doc.raw(a_span.clone()).to_owned(),
        other.raw(b_span.clone()).to_owned(),
    );
    plan.edits.push(Edit {
        path: doc.path.clone(),
        span: a_span,
        text: b_text,
    });
    plan.edits.push(Edit {
        path: other.path.clone(),
        span: b_span,
        text: a_text,
    });
    Ok(plan)
}

fn tight(doc: &Doc, node: NodeId) -> Span {
    let span = doc.node(node).span.clone();
    span.start..span.start + doc.raw(span.clone()).trim_end().len()
}

/// The list item or record that is moved with what stands in it.
fn entry(doc: &Doc, node: NodeId) -> NodeId {
    if doc.node(node).kind == Kind::Object {
        return node;
    }
    let parent = doc.node(node).parent;
    let only = |id: NodeId| {
        doc.node(id)
            .children
            .iter()
            .filter(|child| doc.node(**child).kind != Kind::Attr)
            .count()
            == 1
    };
    if doc.node(parent).kind == Kind::Element
        && matches!(doc.node(parent).name.as_str(), "li" | "dd")
        && only(parent)
    {
        return parent;
    }
    node
}

/// The rows or list entries that two things stand for, which are called by what stands first in them: "swap the espresso and the
/// flat white" takes their prices along.
fn rows(doc: &Doc, one: NodeId, two: NodeId) -> Option<(NodeId, NodeId)> {
    let around = |node: NodeId| {
        std::iter::once(node)
            .chain(doc.ancestors(node))
            .take(4)
            .find(|id| matches!(doc.node(*id).name.as_str(), "tr" | "li"))
    };
    let (a, b) = (around(one)?, around(two)?);
    let content = |row: NodeId| {
        doc.node(row).children.iter().copied().find(|child| {
            let child = doc.node(*child);
            child.kind != Kind::Attr
                && !(child.kind == Kind::Text && doc.raw(child.span.clone()).trim().is_empty())
        })
    };
    let leads = |row: NodeId, node: NodeId| {
        row == node
            || content(row)
                .is_some_and(|first| first == node || doc.ancestors(node).any(|up| up == first))
    };
    let beside = a != b && doc.node(a).parent == doc.node(b).parent;
    (beside && leads(a, one) && leads(b, two)).then_some((a, b))
}

/// The section beside `node` that a heading belongs to; the heading itself when there is none.
fn section_of(doc: &Doc, heading: NodeId, node: NodeId) -> NodeId {
    let parent = doc.node(node).parent;
    if doc.node(heading).parent == parent {
        return heading;
    }
    doc.ancestors(heading)
        .find(|up| doc.node(*up).parent == parent && *up != node)
        .unwrap_or(heading)
}

fn siblings(doc: &Doc, node: NodeId) -> Vec<NodeId> {
    let kind = doc.node(node).kind;
    doc.node(doc.node(node).parent)
        .children
        .iter()
        .copied()
        .filter(|id| doc.node(*id).kind == kind)
        .collect()
}

/// The siblings from one to the other, in their new order: each takes the place of another, what is between stays.
fn arranged(
    doc: &Arc<Doc>,
    node: NodeId,
    anchor: NodeId,
    side: Side,
    siblings: &[NodeId],
) -> Result<Vec<Edit>, Refusal> {
    let at = |id: NodeId| siblings.iter().position(|known| *known == id);
    let (Some(from), Some(to)) = (at(node), at(anchor)) else {
        return elsewhere(doc, node, anchor, side);
    };
    let target = match side {
        Side::Before | Side::Start | Side::Up => {
            if from < to {
                to - 1
            } else {
                to
            }
        }
        _ => {
            if from < to {
                to
            } else {
                to + 1
            }
        }
    };
    let (low, high) = (from.min(target), from.max(target));
    let mut order: Vec<NodeId> = siblings[low..=high].to_vec();
    let moved = order.remove(from - low);
    order.insert(target - low, moved);
    let mut edits = Vec::new();
    for (slot, id) in siblings[low..=high].iter().zip(&order) {
        if slot != id {
            edits.push(Edit {
                path: doc.path.clone(),
                span: tight(doc, *slot),
                text: doc.raw(tight(doc, *id)).to_owned(),
            });
        }
    }
    if edits.is_empty() {
        return Err(not_found("it is there already"));
    }
    Ok(edits)
}

/// A move to another parent: cut and inserted with its lines.
fn elsewhere(
    doc: &Arc<Doc>,
    node: NodeId,
    anchor: NodeId,
    side: Side,
) -> Result<Vec<Edit>, Refusal> {
    let span = tight(doc, node);
    let target = tight(doc, anchor);
    if doc.node(node).kind != Kind::Element
        || span.contains(&target.start)
        || target.contains(&span.start)
    {
        return Err(Refusal::new(RefusalReason::Mixed, "it cannot stand there")
            .candidates(vec![candidate(doc, span), candidate(doc, target)]));
    }
    let eol = crate::generate::offline::plan::line_end(&doc.src);
    let lead = crate::generate::offline::plan::indent(&doc.src, target.start).to_owned();
    let text = doc.raw(span.clone()).to_owned();
    let cut = Edit {
        path: doc.path.clone(),
        span: lines(&doc.src, &span),
        text: String::new(),
    };
    let insert = if matches!(side, Side::Before | Side::Start | Side::Up) {
        Edit {
            path: doc.path.clone(),
            span: target.start..target.start,
            text: format!("{text}{eol}{lead}"),
        }
    } else {
        Edit {
            path: doc.path.clone(),
            span: target.end..target.end,
            text: format!("{eol}{lead}{text}"),
        }
    };
    Ok(vec![cut, insert])
}
