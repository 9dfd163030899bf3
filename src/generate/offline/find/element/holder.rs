//! The element that goes with a text, and the record an element is made from.

use super::*;

/// The element that is removed with a text: the link, the button, the list item around it, the record in data.
pub fn holder(hit: &Hit, role: Option<Role>) -> Option<(Arc<Doc>, NodeId)> {
    let doc = &hit.doc;
    // A text in a list of texts stands for itself.
    if doc.node(hit.node).kind == Kind::Scalar
        && doc.node(doc.node(hit.node).parent).kind == Kind::Array
    {
        return Some((doc.clone(), hit.node));
    }
    if doc.node(hit.node).kind == Kind::Scalar {
        let record = doc.ancestors(hit.node).find(|up| {
            doc.node(*up).kind == Kind::Object && doc.node(doc.node(*up).parent).kind == Kind::Array
        });
        let pairs = record
            .map(|record| doc.node(record).children.len())
            .unwrap_or_default();
        // What a record says besides its name is no reason to remove all of it.
        let whole = !matches!(
            role,
            Some(
                Role::Paragraph
                    | Role::Tagline
                    | Role::Text
                    | Role::Heading
                    | Role::Headline
                    | Role::Title
                    | Role::Price
                    | Role::Label
            )
        );
        if let Some(record) = record
            && pairs <= 8
            && whole
        {
            return Some((doc.clone(), record));
        }
    }
    let wanted: &[&str] = match role {
        Some(Role::Link | Role::MenuItem) => &[
            "a",
            "Link",
            "NuxtLink",
            "nuxt-link",
            "router-link",
            "RouterLink",
            "NavLink",
            "Nav.Link",
            "button",
            "HashLink",
            "ScrollLink",
            "AnchorLink",
        ],
        Some(Role::Button) => &[
            "button",
            "a",
            "Button",
            "Link",
            "router-link",
            "NuxtLink",
            "input",
        ],
        Some(Role::Paragraph | Role::Tagline | Role::Text) => &["p", "div", "span", "li"],
        Some(Role::Heading | Role::Headline | Role::Title) => &["h1", "h2", "h3", "h4", "h5", "h6"],
        Some(Role::ListItem) => &["li"],
        Some(Role::Cell) => &["tr"],
        _ => &[],
    };
    let mut chosen: Option<NodeId> = None;
    for up in doc.ancestors(hit.node) {
        let node = doc.node(up);
        if node.kind != Kind::Element {
            if matches!(node.kind, Kind::Object | Kind::Array | Kind::Pair) {
                break;
            }
            continue;
        }
        let fits = if wanted.is_empty() {
            chosen.is_none()
        } else {
            wanted.contains(&node.name.as_str())
        };
        if fits && chosen.is_none() {
            chosen = Some(up);
            continue;
        }
        // A list item that holds nothing else goes with it.
        if let Some(inner) = chosen {
            let alone = node
                .children
                .iter()
                .filter(|child| !matches!(doc.node(**child).kind, Kind::Attr))
                .all(|child| *child == inner);
            if alone && matches!(node.name.as_str(), "li" | "dd" | "span") {
                chosen = Some(up);
                continue;
            }
            break;
        }
    }
    chosen.map(|node| (doc.clone(), node))
}

/// The one of several like it that an element is in: the card around its heading.
pub(super) fn item_around(doc: &Doc, node: NodeId) -> Option<NodeId> {
    let class = |id: NodeId| {
        doc.attr_text(id, "class")
            .or_else(|| doc.attr_text(id, "className"))
    };
    let text = |name: &str| {
        matches!(
            name,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "p" | "span" | "a" | "time" | "strong" | "em"
        )
    };
    std::iter::once(node)
        .chain(doc.ancestors(node))
        .filter(|at| doc.node(*at).kind == Kind::Element)
        .take_while(|at| !matches!(doc.node(*at).name.as_str(), "body" | "main" | "html"))
        .find(|at| {
            let this = doc.node(*at);
            let siblings = &doc.node(this.parent).children;
            let alike = siblings.iter().filter(|other| {
                let other_node = doc.node(**other);
                other_node.kind == Kind::Element
                    && other_node.name == this.name
                    && class(**other) == class(*at)
            });
            alike.count() > 1
        })
        // Headings and texts in a row have no element of their own around what belongs together.
        .filter(|at| !text(&doc.node(*at).name))
}

/// The record whose values an element shows.
pub(super) fn record_of(view: &View, id: ViewId) -> Option<(Arc<Doc>, NodeId)> {
    use crate::generate::offline::view::Piece;
    view.texts(id)
        .iter()
        .flat_map(|text| &view.nodes[*text].text)
        .find_map(|piece| {
            let Piece::Lit(doc, node) = piece else {
                return None;
            };
            let record = doc.ancestors(*node).find(|up| {
                doc.node(*up).kind == Kind::Object
                    && doc.node(doc.node(*up).parent).kind == Kind::Array
            })?;
            Some((doc.clone(), record))
        })
}

/// "the third project": the nth of the one list in data that is called so.
pub(super) fn nth_record(
    finder: &Finder<'_>,
    words: &[String],
    scope: &Scope,
    ordinal: i32,
) -> Option<(Arc<Doc>, NodeId)> {
    use crate::generate::offline::doc::ExKind;
    let called = |name: &str| {
        let parts = words_of(name);
        !words.is_empty()
            && parts.len() <= words.len() + 1
            && words
                .iter()
                .all(|word| parts.iter().any(|part| equal(part, word)))
    };
    let mut lists: Vec<(Arc<Doc>, NodeId)> = Vec::new();
    let mut files = finder.data_files(scope);
    files.retain(|path| finder.has_values(path));
    for path in files {
        let Some(doc) = finder.site.doc(&path) else {
            continue;
        };
        let bound = doc.bindings.iter().filter_map(|(name, ex)| match ex.kind {
            ExKind::Node(id) if called(name) => Some(id),
            _ => None,
        });
        let paired = doc.nodes.iter().enumerate().filter_map(|(at, node)| {
            let list = node.children.first().copied()?;
            // `testimonials: { items: […] }`
            let plain = matches!(node.name.as_str(), "items" | "list" | "entries" | "all");
            let outer = || {
                doc.ancestors(at)
                    .map(|up| doc.node(up))
                    .find(|up| up.kind == Kind::Pair)
                    .is_some_and(|up| called(&up.name))
            };
            (node.kind == Kind::Pair && (called(&node.name) || plain && outer())).then_some(list)
        });
        let mut own: Vec<NodeId> = bound.chain(paired).collect();
        own.retain(|id| doc.node(*id).kind == Kind::Array && doc.node(*id).children.len() > 1);
        own.sort_unstable();
        own.dedup();
        lists.extend(own.into_iter().map(|id| (doc.clone(), id)));
    }
    let [(doc, list)] = lists.as_slice() else {
        return None;
    };
    let items = &doc.node(*list).children;
    let at = if ordinal > 0 {
        usize::try_from(ordinal - 1).ok()?
    } else {
        items.len().checked_sub(1)?
    };
    let item = items.get(at).copied()?;
    matches!(doc.node(item).kind, Kind::Object | Kind::Scalar).then(|| (doc.clone(), item))
}
