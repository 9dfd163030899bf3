//! Groups of like things: elements of one parent, or records of one list.

use super::*;

/// A group of like things: elements of one parent, or records of one list.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) doc: Arc<Doc>,
    pub(super) parent: NodeId,
    pub(super) items: Vec<NodeId>,
    /// How many words of the request name it.
    pub(super) named: usize,
}

/// The item to copy: one that is not marked as the current one.
pub(super) fn plain_item(group: &Group, last: bool) -> NodeId {
    let marked = |item: &NodeId| {
        let raw = group.doc.raw(group.doc.node(*item).span.clone());
        raw.contains("active")
            || raw.contains("aria-current")
            || raw.contains("current")
            || raw.contains("btn")
            || raw.contains("button")
    };
    let mut order = group.items.clone();
    if last {
        order.reverse();
    }
    let single = |item: &&NodeId| entry_parts(&group.doc, **item).text.is_some();
    order
        .iter()
        .find(|item| !marked(item) && single(item))
        .or_else(|| order.iter().find(single))
        .or(order.first())
        .copied()
        .unwrap_or_default()
}

/// The entry an element belongs to: the list item or record around it.
pub(super) fn entry_around(doc: &Doc, node: NodeId) -> NodeId {
    if doc.node(node).kind == Kind::Object {
        return node;
    }
    doc.ancestors(node)
        .take(3)
        .find(|up| {
            doc.node(*up).kind == Kind::Element
                && matches!(doc.node(*up).name.as_str(), "li" | "dd")
        })
        .unwrap_or(node)
}

/// The lists in the places of a scope.
pub(super) fn groups(finder: &Finder<'_>, scope: &Scope, words: &[String]) -> Vec<Group> {
    let mut found: HashMap<(String, NodeId), Group> = HashMap::new();
    for view in &scope.views {
        for (doc, node, at, attr) in view.literals() {
            if attr.is_some() || !crate::generate::offline::find::readable(&doc, node) {
                continue;
            }
            let seen = crate::generate::offline::find::Seen {
                view: view.clone(),
                at,
                attr: None,
            };
            let hit = Hit::whole(&doc, node, vec![seen.clone()]);
            let Some(item) = item_of(view, at, &hit) else {
                continue;
            };
            // A link in a sentence is no entry of a list.
            let inline = doc.node(item).kind == Kind::Element
                && !matches!(doc.node(item).name.as_str(), "li" | "dd" | "option")
                && doc
                    .node(doc.node(item).parent)
                    .children
                    .iter()
                    .any(|other| {
                        doc.node(*other).kind == Kind::Text && doc.text(*other).contains(' ')
                    });
            if inline {
                continue;
            }
            let placed = scope
                .places
                .iter()
                .all(|place| names::in_place(finder, place, &hit, Some(&seen)).is_some());
            if !placed {
                continue;
            }
            let parent = doc.node(item).parent;
            let around = names::around(&hit, Some(&seen));
            let named = words
                .iter()
                .filter(|word| around.words.iter().any(|name| equal(name, word)))
                .count()
                * 4
                + words
                    .iter()
                    .filter(|word| around.words.iter().any(|name| alike(name, word)))
                    .count();
            // "the nav" is that of the header before that of the footer.
            let below = around.words.iter().any(|name| name == "footer")
                && !words.iter().any(|word| alike(word, "footer"));
            let named = if below {
                named.saturating_sub(2)
            } else {
                named
            };
            let group = found
                .entry((doc.path.clone(), parent))
                .or_insert_with(|| Group {
                    doc: doc.clone(),
                    parent,
                    items: Vec::new(),
                    named,
                });
            group.named = group.named.max(named);
            if !group.items.contains(&item) {
                group.items.push(item);
            }
        }
    }
    if found.is_empty() {
        data_groups(finder, scope, words, &mut found);
    }
    let mut groups: Vec<Group> = found
        .into_values()
        .filter(|group| !group.items.is_empty())
        .collect();
    for group in &mut groups {
        group
            .items
            .sort_by_key(|item| group.doc.node(*item).span.start);
    }
    groups.sort_by_key(|group| (group.doc.path.clone(), group.parent));
    // A single element is no list, unless nothing better is there.
    if groups.iter().any(|group| group.items.len() > 1) {
        groups.retain(|group| group.items.len() > 1);
    }
    groups
}

/// The entry a text belongs to.
pub(super) fn item_of(view: &Arc<View>, at: ViewId, hit: &Hit) -> Option<NodeId> {
    let doc = &hit.doc;
    if doc.node(hit.node).kind == Kind::Scalar {
        return doc.ancestors(hit.node).find(|up| {
            doc.node(*up).kind == Kind::Object && doc.node(doc.node(*up).parent).kind == Kind::Array
        });
    }
    let mut link = None;
    for up in doc.ancestors(hit.node).take(5) {
        let node = doc.node(up);
        if node.kind != Kind::Element {
            continue;
        }
        if matches!(node.name.as_str(), "li" | "dd" | "option") {
            return Some(up);
        }
        if link.is_none()
            && (role::LINKS.contains(&node.name.as_str())
                || node.name.to_lowercase().contains("link"))
        {
            link = Some(up);
        }
    }
    let _ = (view, at);
    link
}

/// Lists of links in data that no page shows in a way that can be followed.
pub(super) fn data_groups(
    finder: &Finder<'_>,
    scope: &Scope,
    words: &[String],
    found: &mut HashMap<(String, NodeId), Group>,
) {
    for path in finder
        .site
        .files
        .iter()
        .filter(|path| finder.content_file(path))
    {
        let Some(doc) = finder.site.doc(path) else {
            continue;
        };
        for item in 0..doc.nodes.len() {
            let parent = doc.node(item).parent;
            if doc.node(item).kind != Kind::Object || doc.node(parent).kind != Kind::Array {
                continue;
            }
            let parts = entry_parts(&doc, item);
            let (Some(text), Some(_)) = (parts.text, parts.address) else {
                continue;
            };
            let hit = Hit::whole(&doc, text, Vec::new());
            if !scope
                .places
                .iter()
                .all(|place| names::in_place(finder, place, &hit, None).is_some())
            {
                continue;
            }
            let around = names::around(&hit, None);
            let named = words
                .iter()
                .filter(|word| around.words.iter().any(|name| equal(name, word)))
                .count()
                * 4;
            // The outermost list of a menu, not that of one of its drop-downs.
            let depth = doc
                .ancestors(item)
                .filter(|up| doc.node(*up).kind == Kind::Array)
                .count();
            let group = found
                .entry((doc.path.clone(), parent))
                .or_insert_with(|| Group {
                    doc: doc.clone(),
                    parent,
                    items: Vec::new(),
                    named: named + 4_usize.saturating_sub(depth),
                });
            group.items.push(item);
        }
    }
}
