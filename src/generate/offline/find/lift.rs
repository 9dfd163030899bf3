//! From the outermost element of a component to the places where the component is used.

use std::sync::Arc;

use super::Finder;
use super::text::Scope;
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::{Doc, Kind, NodeId};
use crate::generate::offline::view::{View, ViewId, ViewNode};

/// A place in a file.
pub type Place = (Arc<Doc>, NodeId);

impl Finder<'_> {
    /// Where the component is used whose only element this is; nothing when it is no component's outermost.
    pub fn used_at(&self, scope: &Scope, doc: &Arc<Doc>, node: NodeId) -> Vec<Place> {
        let mut out: Vec<Place> = Vec::new();
        for view in &scope.views {
            for id in places_of(view, doc, node) {
                if let Some(user) = user_of(view, id) {
                    let user = &view.nodes[user];
                    let known = out
                        .iter()
                        .any(|(known, at)| known.path == user.doc.path && *at == user.node);
                    if !known {
                        out.push((user.doc.clone(), user.node));
                    }
                }
            }
        }
        out
    }

    /// The same thing seen from further and further out: itself, its component's use, that one's, and so on.
    pub fn outwards(&self, scope: &Scope, doc: &Arc<Doc>, node: NodeId) -> Vec<Place> {
        let mut out = vec![(doc.clone(), node)];
        while out.len() < 6 {
            let (doc, node) = out[out.len() - 1].clone();
            match self.used_at(scope, &doc, node).as_slice() {
                [one] => out.push(one.clone()),
                _ => break,
            }
        }
        out
    }

    /// The element that a component renders first, when it is one and renders for this use alone: what others show too
    /// is not this one's.
    pub fn rendered(&self, scope: &Scope, doc: &Arc<Doc>, node: NodeId) -> Option<Place> {
        for view in &scope.views {
            for id in places_of(view, doc, node) {
                let mut at = id;
                while view.nodes[at].component {
                    let inside: Vec<ViewId> = elements(view, at);
                    match inside.as_slice() {
                        [one] => at = *one,
                        _ => break,
                    }
                }
                let found = &view.nodes[at];
                if at != id && !found.component && self.alone(scope, (doc, node), found) {
                    return Some((found.doc.clone(), found.node));
                }
            }
        }
        None
    }

    /// Whether an element is shown once at most on every page, and only where `user` is.
    fn alone(&self, scope: &Scope, user: (&Doc, NodeId), shown: &ViewNode) -> bool {
        let whole = self.scope(&Phrase::default());
        let views = whole.as_ref().map_or(&scope.views, |whole| &whole.views);
        views.iter().chain(&scope.views).all(|view| {
            let times = places_of(view, &shown.doc, shown.node).count();
            times < 2 && times <= places_of(view, user.0, user.1).count()
        })
    }
}

/// Where an element stands on a page: once for each time that it is shown.
pub fn places_of<'v>(
    view: &'v View,
    doc: &'v Doc,
    node: NodeId,
) -> impl Iterator<Item = ViewId> + 'v {
    view.nodes
        .iter()
        .enumerate()
        .filter(move |(_, shown)| {
            shown.text.is_empty() && shown.node == node && shown.doc.path == doc.path
        })
        .map(|(id, _)| id)
}

/// What an element holds besides code and style.
fn elements(view: &View, id: ViewId) -> Vec<ViewId> {
    view.nodes[id]
        .children
        .iter()
        .copied()
        .filter(|child| !matches!(view.nodes[*child].tag.as_str(), "script" | "style"))
        .collect()
}

/// The use of the component whose only element this is.
pub fn user_of(view: &View, id: ViewId) -> Option<ViewId> {
    let up = view.nodes[id].parent;
    let user = &view.nodes[up];
    let written = user.doc.node(user.node);
    let used = up != id
        && user.component
        && !user.tag.is_empty()
        && written.kind == Kind::Element
        && user.doc.raw(written.span.clone()).starts_with('<')
        && user.doc.path != view.nodes[id].doc.path;
    (used && elements(view, up) == [id]).then_some(up)
}
