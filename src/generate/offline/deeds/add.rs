//! Adding one more of what is already there: a menu entry, a link, a list item. It is made after its neighbour.

use std::collections::HashMap;
use std::sync::Arc;

use crate::generate::offline::ask::lexicon::{Role, alike, equal};
use crate::generate::offline::ask::phrase::{Phrase, Place};
use crate::generate::offline::ask::{Said, Side, Spot};
use crate::generate::offline::doc::{Doc, Kind, Lang, NodeId, Span};
use crate::generate::offline::find::page::Pages;
use crate::generate::offline::find::text::{Scope, describe};
use crate::generate::offline::find::{
    Finder, Hit, candidate, element, names, not_found, record, role,
};
use crate::generate::offline::plan::{Edit, Plan, indent, line_end};
use crate::generate::offline::text::encode;
use crate::generate::offline::view::{Piece, View, ViewId};
use crate::model::{Refusal, RefusalReason};

/// Nouns for an entry of a list.
const ENTRIES: &[&str] = &[
    "item", "entry", "link", "bullet", "point", "tab", "option", "step",
];

/// Keys of a record that hold its text, its address and its rank.
const TEXTS: &[&str] = &[
    "name", "title", "label", "text", "key", "heading", "caption", "question",
];
const RANKS: &[&str] = &["weight", "order", "position", "id", "index", "rank"];

/// Adds what is asked for.
///
/// # Errors
/// A refusal.
pub fn plan(
    finder: &Finder<'_>,
    what: &Phrase,
    text: Option<&Said>,
    link: Option<&str>,
    place: &Spot,
) -> Result<Plan, Refusal> {
    let entry = what
        .words
        .iter()
        .any(|word| ENTRIES.iter().any(|noun| equal(noun, word)));
    // "add 'Dogs welcome' to the list": one more of what is there.
    let entry = entry || (what.words.is_empty() && text.is_some());
    let typo = what.words.iter().any(|word| word == "page") && what.places.is_empty();
    if typo {
        return super::page::plan(finder, what, text);
    }
    if entry && let Some(plan) = plain_text(finder, what, text, place)? {
        return Ok(plan);
    }
    if entry {
        return one_more(finder, what, text, link, place);
    }
    super::insert::plan(finder, what, text, link, place)
}

/// Adds a text to a list of plain texts in data: `features: ["One person", "Unlimited"]`.
fn plain_text(
    finder: &Finder<'_>,
    what: &Phrase,
    text: Option<&Said>,
    place: &Spot,
) -> Result<Option<Plan>, Refusal> {
    let Some(text) =
        text.filter(|_| matches!(place.side, Side::Anywhere | Side::End | Side::Start))
    else {
        return Ok(None);
    };
    let mut places = what.places.clone();
    if let Some(of) = &place.of {
        places.extend(of.places.iter().cloned());
        places.insert(
            0,
            Place {
                words: of.words.clone(),
                quoted: of.quoted.clone(),
                ordinal: of.ordinal,
                ..Place::default()
            },
        );
    }
    if places.is_empty() {
        return Ok(None);
    }
    let target = Phrase {
        places,
        ..Phrase::default()
    };
    let scope = finder.scope(&target)?;
    let mut lists: Vec<(usize, Arc<Doc>, NodeId)> = Vec::new();
    for path in finder.page_files(&scope) {
        let Some(doc) = finder.site.doc(&path) else {
            continue;
        };
        for list in 0..doc.nodes.len() {
            if !record::plain_list(&doc, list) {
                continue;
            }
            let last = doc.node(list).children[doc.node(list).children.len() - 1];
            let shown = finder.seen(&doc, last, &scope.views);
            if !shown
                .iter()
                .any(|seen| seen.view.page.is_some() && seen.attr.is_none())
            {
                continue;
            }
            let hit = Hit::whole(&doc, last, shown.clone());
            let mut far = 0;
            let placed = scope.places.iter().all(|place| {
                let bound = doc.bindings.iter().any(|(name, ex)| {
                    ex.span.start <= doc.node(list).span.start
                        && doc.node(list).span.end <= ex.span.end
                        && place.words.iter().all(|word| equal(name, word))
                });
                if bound {
                    return true;
                }
                let nearest = shown
                    .iter()
                    .filter_map(|seen| names::in_place(finder, place, &hit, Some(seen)))
                    .min();
                far += nearest.unwrap_or_default();
                nearest.is_some()
            });
            let known = lists
                .iter()
                .any(|(_, known, at)| known.path == doc.path && *at == list);
            if placed && !known {
                lists.push((far, doc.clone(), list));
            }
        }
    }
    let nearest = lists.iter().map(|(far, ..)| *far).min();
    lists.retain(|(far, ..)| Some(*far) == nearest);
    let [(_, doc, list)] = lists.as_slice() else {
        return Ok(None);
    };
    let items = &doc.node(*list).children;
    let (anchor, side) = match place.side {
        Side::Start => (items[0], Side::Before),
        _ => (items[items.len() - 1], Side::After),
    };
    let model = doc.node(anchor);
    let raw = doc.raw(model.inner.clone());
    let Some((written, quotes)) = encode(model.host, text.text.trim(), raw) else {
        return Ok(None);
    };
    let copy = if quotes {
        written
    } else {
        let (open, close) = (
            doc.raw(model.span.start..model.inner.start),
            doc.raw(model.inner.end..model.span.end),
        );
        format!("{open}{written}{close}")
    };
    let edit = beside(doc, anchor, side, &copy, true);
    let mut plan = Plan {
        title: format!("Add \u{201c}{}\u{201d}", text.text.trim()),
        ..Plan::default()
    };
    plan.notes.push(format!(
        "{}:{}: beside \u{201c}{}\u{201d} in its list",
        doc.path,
        doc.line(edit.span.start),
        doc.text(anchor)
    ));
    plan.edits.push(edit);
    Ok(Some(plan))
}

/// A group of like things: elements of one parent, or records of one list.
#[derive(Clone, Debug)]
struct Group {
    doc: Arc<Doc>,
    parent: NodeId,
    items: Vec<NodeId>,
    /// How many words of the request name it.
    named: usize,
}

fn one_more(
    finder: &Finder<'_>,
    what: &Phrase,
    text: Option<&Said>,
    link: Option<&str>,
    place: &Spot,
) -> Result<Plan, Refusal> {
    let mut target = what.clone();
    if let Some(of) = &place.of {
        target.places.extend(of.places.iter().cloned());
        if matches!(place.side, Side::Start | Side::End | Side::Anywhere) {
            target.places.insert(
                0,
                Place {
                    words: of.words.clone(),
                    quoted: of.quoted.clone(),
                    ..Place::default()
                },
            );
        }
    }
    let scope = finder.scope(&target)?;
    let Some(text) = text.filter(|text| !text.text.trim().is_empty()) else {
        return Err(Refusal::new(
            RefusalReason::ValueMissing,
            format!("what should the new {} say?", describe(what)),
        )
        .hint("say it with its text in quotes"));
    };
    // Next to another entry: its neighbour shows the way.
    if matches!(place.side, Side::Before | Side::After)
        && let Some(of) = &place.of
    {
        let neighbour = Phrase {
            places: target.places.clone(),
            ..of.clone()
        };
        let menu = what.role().is_some_and(|(role, ..)| role == Role::MenuItem);
        let neighbour = if menu && neighbour.places.is_empty() {
            Phrase {
                places: vec![Place {
                    words: vec!["nav".to_owned()],
                    ..Place::default()
                }],
                ..neighbour
            }
        } else {
            neighbour
        };
        let (doc, node) = element::one(finder, &neighbour)?;
        let item = entry_around(&doc, node);
        return clone(finder, &doc, item, item, place.side, text, link);
    }
    let mut words: Vec<String> = what
        .words
        .iter()
        .filter(|word| !ENTRIES.iter().any(|noun| equal(noun, word)))
        .cloned()
        .collect();
    for place in &scope.places {
        words.extend(place.words.iter().cloned());
    }
    let mut groups = groups(finder, &scope, &words);
    if groups.is_empty() {
        return Err(not_found(format!(
            "there is no list to add {} to",
            describe(what)
        )));
    }
    let named = groups
        .iter()
        .map(|group| group.named)
        .max()
        .unwrap_or_default();
    groups.retain(|group| group.named == named);
    let groups = finder.chosen(groups, |group| {
        candidate(&group.doc, group.doc.node(group.items[0]).span.clone())
    });
    let most = groups
        .iter()
        .map(|group| group.items.len())
        .max()
        .unwrap_or_default();
    if groups.len() > 1
        && groups
            .iter()
            .filter(|group| group.items.len() * 2 > most)
            .count()
            > 1
    {
        let candidates = groups
            .iter()
            .map(|group| candidate(&group.doc, group.doc.node(group.items[0]).span.clone()))
            .collect();
        return Err(Refusal::new(
            RefusalReason::Ambiguous,
            format!("{} lists could take it", groups.len()),
        )
        .hint("say which one, or next to which entry")
        .candidates(candidates));
    }
    let Some(group) = groups.into_iter().max_by_key(|group| group.items.len()) else {
        return Err(not_found("there is no such list"));
    };
    let (model, anchor, side) = match place.side {
        Side::Start => (plain_item(&group, false), group.items[0], Side::Before),
        _ => {
            let last = group.items[group.items.len() - 1];
            (plain_item(&group, true), last, Side::After)
        }
    };
    // A text alone makes no record of several values.
    if what.words.is_empty()
        && group.doc.node(model).kind == Kind::Object
        && group.doc.node(model).children.len() > 2
    {
        return Err(Refusal::new(
            RefusalReason::ValueMissing,
            "the entries there have more than a text; say which list it goes into",
        )
        .candidates(vec![candidate(
            &group.doc,
            group.doc.node(model).span.clone(),
        )]));
    }
    clone(finder, &group.doc, model, anchor, side, text, link)
}

/// The item to copy: one that is not marked as the current one.
fn plain_item(group: &Group, last: bool) -> NodeId {
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
fn entry_around(doc: &Doc, node: NodeId) -> NodeId {
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
fn groups(finder: &Finder<'_>, scope: &Scope, words: &[String]) -> Vec<Group> {
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
fn item_of(view: &Arc<View>, at: ViewId, hit: &Hit) -> Option<NodeId> {
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

/// Copies an entry with a new text and address, beside another.
fn clone(
    finder: &Finder<'_>,
    doc: &Arc<Doc>,
    model: NodeId,
    anchor: NodeId,
    side: Side,
    text: &Said,
    link: Option<&str>,
) -> Result<Plan, Refusal> {
    let node = doc.node(model);
    let span = trimmed(doc, model);
    let mut edits: Vec<Edit> = Vec::new();
    let parts = entry_parts(doc, model);
    let Some(label) = parts.text else {
        return Err(Refusal::new(
            RefusalReason::Mixed,
            "the entries there are put together from several pieces",
        )
        .candidates(vec![candidate(doc, span)]));
    };
    let old = doc.text(label);
    let label_node = doc.node(label);
    let mut say = |at: NodeId, value: &str| -> Result<(), Refusal> {
        let this = doc.node(at);
        let Some((text, quotes)) = encode(this.host, value, doc.raw(this.inner.clone())) else {
            return Err(Refusal::new(
                RefusalReason::Unclear,
                format!("{value:?} cannot be written there"),
            ));
        };
        let span = if quotes {
            this.span.clone()
        } else {
            this.inner.clone()
        };
        edits.push(Edit {
            path: doc.path.clone(),
            span,
            text,
        });
        Ok(())
    };
    let _ = label_node;
    let mut wanted = text.text.trim().to_owned();
    if !text.quoted && old.starts_with(char::is_uppercase) {
        let first = wanted
            .chars()
            .next()
            .map(|c| c.to_uppercase().to_string())
            .unwrap_or_default();
        let skip = wanted.chars().next().map_or(0, char::len_utf8);
        wanted = format!("{first}{}", &wanted[skip..]);
    }
    say(label, &wanted)?;
    if let Some(address) = parts.address {
        let value = match link {
            Some(link) => link.to_owned(),
            None => {
                let words: Vec<String> = crate::generate::offline::ask::phrase::words(&wanted);
                match finder.pages_named(&words) {
                    Pages::Some(pages) if pages.len() == 1 => {
                        finder.site.pages()[pages[0]].route.clone()
                    }
                    _ => {
                        return Err(Refusal::new(
                            RefusalReason::ValueMissing,
                            format!("where should {wanted} lead?"),
                        )
                        .hint("say \"linking to\" and the address"));
                    }
                }
            }
        };
        say(address, &value)?;
    } else if link.is_some() {
        return Err(Refusal::new(
            RefusalReason::Mixed,
            "the entries there have no address of their own",
        )
        .candidates(vec![candidate(doc, span)]));
    }
    for twin in parts.twins {
        say(twin, &wanted)?;
    }
    for key in ["identifier", "slug", "id"] {
        if let Some(value) = doc
            .get(model, key)
            .filter(|value| doc.node(*value).kind == Kind::Scalar)
            && doc.node(value).host != crate::generate::offline::text::Host::Bare
            && parts.address != Some(value)
        {
            let slug: String = wanted
                .to_lowercase()
                .chars()
                .map(|c| if c.is_alphanumeric() { c } else { '-' })
                .collect();
            say(value, slug.trim_matches('-'))?;
        }
    }
    if let Some((rank, value)) = next_rank(doc, anchor, side) {
        let same = same_key(doc, model, &rank);
        if let Some(same) = same {
            say(same, &value.to_string())?;
        }
    }
    // The copy, spliced.
    edits.sort_by_key(|edit| edit.span.start);
    let mut copy = String::new();
    let mut at = span.start;
    for edit in &edits {
        if edit.span.start < at || edit.span.end > span.end {
            continue;
        }
        copy.push_str(&doc.src[at..edit.span.start]);
        copy.push_str(&edit.text);
        at = edit.span.end;
    }
    copy.push_str(&doc.src[at..span.end]);
    if doc.lang == Lang::Markdown && side == Side::After {
        copy = counted_on(&copy, doc.raw(doc.node(anchor).span.clone()));
    }
    let edit = beside(doc, anchor, side, &copy, node.kind == Kind::Object);
    let mut plan = Plan {
        title: format!("Add \u{201c}{wanted}\u{201d}"),
        ..Plan::default()
    };
    plan.notes.push(format!(
        "{}:{}: made after its neighbour \u{201c}{old}\u{201d}",
        doc.path,
        doc.line(edit.span.start)
    ));
    plan.edits.push(edit);
    Ok(plan)
}

/// A numbered item of Markdown with the number after its neighbour's.
fn counted_on(copy: &str, before: &str) -> String {
    let number = |text: &str| -> Option<(usize, usize)> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let marked = text[digits..].starts_with(['.', ')']);
        marked.then(|| Some((text[..digits].parse().ok()?, digits)))?
    };
    match (number(copy), number(before)) {
        (Some((_, digits)), Some((last, _))) => format!("{}{}", last + 1, &copy[digits..]),
        _ => copy.to_owned(),
    }
}

/// An item's bytes without the blank lines after it.
fn trimmed(doc: &Doc, node: NodeId) -> Span {
    let span = doc.node(node).span.clone();
    let raw = doc.raw(span.clone());
    span.start..span.start + raw.trim_end().len()
}

/// The splice that puts `copy` beside an item, separated as its neighbours are.
fn beside(doc: &Doc, anchor: NodeId, side: Side, copy: &str, record: bool) -> Edit {
    let span = trimmed(doc, anchor);
    let siblings: Vec<NodeId> = doc
        .node(doc.node(anchor).parent)
        .children
        .iter()
        .copied()
        .filter(|id| {
            doc.node(*id).kind == doc.node(anchor).kind && !matches!(doc.node(*id).kind, Kind::Attr)
        })
        .collect();
    let eol = line_end(&doc.src);
    let code = record
        && matches!(
            doc.lang,
            Lang::Script
                | Lang::Json
                | Lang::Vue
                | Lang::Svelte
                | Lang::Astro
                | Lang::Html
                | Lang::Markdown
        )
        && (doc.raw(span.clone()).starts_with('{')
            || (doc.node(anchor).kind == Kind::Scalar
                && doc
                    .raw(doc.node(doc.node(anchor).parent).span.clone())
                    .starts_with('[')));
    let dash = record && !code && matches!(doc.lang, Lang::Yaml | Lang::Markdown | Lang::Html) && {
        let start = doc.src[..span.start].rfind('\n').map_or(0, |at| at + 1);
        doc.src[start..span.start].trim_start().starts_with('-')
    };
    let own_line = doc.src[..span.start]
        .rfind('\n')
        .map_or("", |at| &doc.src[at + 1..span.start])
        .trim()
        .trim_start_matches('-')
        .trim()
        .is_empty();
    let lead = if dash {
        let start = doc.src[..span.start].rfind('\n').map_or(0, |at| at + 1);
        doc.src[start..span.start].to_owned()
    } else {
        indent(&doc.src, span.start).to_owned()
    };
    let at = siblings.iter().position(|id| *id == anchor);
    let before = at
        .filter(|at| *at > 0)
        .map(|at| trimmed(doc, siblings[at - 1]).end..span.start);
    let after = at
        .and_then(|at| siblings.get(at + 1))
        .map(|next| span.end..doc.node(*next).span.start);
    let gap = before
        .or(after)
        .map(|gap| doc.raw(gap).trim_start_matches(',').to_owned());
    let separator = match gap {
        Some(gap) if gap.trim().is_empty() && !gap.is_empty() && !dash => gap,
        _ if own_line => format!("{eol}{lead}"),
        _ => " ".to_owned(),
    };
    let path = doc.path.clone();
    match side {
        Side::Before => {
            let comma = if code { "," } else { "" };
            let start = if dash {
                span.start - lead.len()
            } else {
                span.start
            };
            let text = if dash {
                format!("{lead}{copy}{eol}")
            } else {
                format!("{copy}{comma}{separator}")
            };
            Edit {
                path,
                span: start..start,
                text,
            }
        }
        _ => {
            if !code {
                return Edit {
                    path,
                    span: span.end..span.end,
                    text: format!("{separator}{copy}"),
                };
            }
            let rest = &doc.src[span.end..];
            let skip = rest.len() - rest.trim_start().len();
            if rest[skip..].starts_with(',') {
                let end = span.end + skip + 1;
                let last = at == Some(siblings.len().saturating_sub(1));
                let comma = if last || at.is_some() { "," } else { "" };
                Edit {
                    path,
                    span: end..end,
                    text: format!("{separator}{copy}{comma}"),
                }
            } else {
                Edit {
                    path,
                    span: span.end..span.end,
                    text: format!(",{separator}{copy}"),
                }
            }
        }
    }
}

struct Parts {
    text: Option<NodeId>,
    address: Option<NodeId>,
    twins: Vec<NodeId>,
}

/// The text and the address of an entry.
fn entry_parts(doc: &Doc, item: NodeId) -> Parts {
    let below = doc.descendants(item);
    let scalar = |key: &&str| {
        doc.get(item, key)
            .filter(|value| doc.node(*value).kind == Kind::Scalar)
    };
    if doc.node(item).kind == Kind::Object {
        let text = TEXTS.iter().find_map(|key| scalar(key));
        let address = super::link::TARGETS
            .iter()
            .chain(&["pageRef", "URL"])
            .find_map(|key| scalar(key));
        return Parts {
            text,
            address,
            twins: Vec::new(),
        };
    }
    let texts: Vec<NodeId> = below
        .iter()
        .copied()
        .filter(|id| {
            doc.node(*id).kind == Kind::Text
                && !doc
                    .ancestors(*id)
                    .take_while(|up| *up != item)
                    .any(|up| doc.node(up).kind == Kind::Attr)
                && doc.node(doc.node(*id).parent).kind != Kind::Attr
        })
        .collect();
    let computed = below.iter().any(|id| {
        doc.node(*id).kind == Kind::Expr && doc.node(doc.node(*id).parent).kind != Kind::Attr
    });
    let [text] = texts.as_slice() else {
        return Parts {
            text: None,
            address: None,
            twins: Vec::new(),
        };
    };
    if computed {
        return Parts {
            text: None,
            address: None,
            twins: Vec::new(),
        };
    }
    let shown = doc.text(*text);
    let (mut address, mut twins) = (None, Vec::new());
    for id in below.iter().copied().chain([item]) {
        let node = doc.node(id);
        if node.kind != Kind::Attr {
            continue;
        }
        let Some(value) = node
            .children
            .first()
            .filter(|value| doc.node(**value).kind == Kind::Text)
        else {
            continue;
        };
        if matches!(node.name.as_str(), "href" | "to" | "src") && address.is_none() {
            address = Some(*value);
        } else if matches!(node.name.as_str(), "aria-label" | "title" | "alt")
            && doc.text(*value) == shown
        {
            twins.push(*value);
        }
    }
    Parts {
        text: Some(*text),
        address,
        twins,
    }
}

/// The rank of a new last entry: one more than the last.
fn next_rank(doc: &Doc, anchor: NodeId, side: Side) -> Option<(String, i64)> {
    if side != Side::After || doc.node(anchor).kind != Kind::Object {
        return None;
    }
    let siblings: Vec<NodeId> = doc.node(doc.node(anchor).parent).children.clone();
    if siblings.last() != Some(&anchor) {
        return None;
    }
    RANKS.iter().find_map(|key| {
        let rank = |item: NodeId| -> Option<i64> { doc.text(doc.get(item, key)?).parse().ok() };
        let last = rank(anchor)?;
        let step = siblings
            .len()
            .checked_sub(2)
            .and_then(|at| rank(siblings[at]))
            .map_or(1, |before| last - before);
        Some(((*key).to_owned(), last + step.max(1)))
    })
}

fn same_key(doc: &Doc, item: NodeId, key: &str) -> Option<NodeId> {
    doc.get(item, key)
}

/// Whether a piece is a literal of a file.
pub fn literal_of<'p>(piece: &'p Piece, path: &str) -> Option<&'p NodeId> {
    match piece {
        Piece::Lit(doc, node) if doc.path == path => Some(node),
        _ => None,
    }
}

/// Lists of links in data that no page shows in a way that can be followed.
fn data_groups(
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
