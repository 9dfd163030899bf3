//! Removing an element, a component or an entry of data.

use std::collections::HashMap;
use std::sync::Arc;

use crate::generate::offline::ask::lexicon::{Role, equal};
use crate::generate::offline::ask::phrase::{Phrase, strip_article};
use crate::generate::offline::doc::{Doc, Kind, Lang, NodeId, Span};
use crate::generate::offline::find::text::{Scope, describe};
use crate::generate::offline::find::{Finder, candidate, element};
use crate::generate::offline::plan::{Edit, Plan, lines};
use crate::generate::offline::text::{Host, folded};
use crate::model::{Refusal, RefusalReason};

/// Removes what `target` means.
///
/// # Errors
/// A refusal.
pub fn plan(finder: &Finder<'_>, target: &Phrase) -> Result<Plan, Refusal> {
    let scope = finder.scope(target)?;
    if let Some((doc, span)) = written_section(&scope, target) {
        let mut plan = Plan::one(
            format!("Remove {}", describe(target)),
            &doc.path,
            span.clone(),
            String::new(),
        );
        plan.notes
            .push(format!("{}:{}", doc.path, doc.line(span.start)));
        return Ok(plan);
    }
    let (mut doc, mut node) = match element::one(finder, target) {
        Ok(found) => found,
        Err(refusal) => {
            if refusal.reason == RefusalReason::Ambiguous
                && let Some((doc, nodes)) = super::several::of(finder, target)
            {
                return all_of(target, &doc, &nodes);
            }
            pictured(finder, target, &scope).ok_or(refusal)?
        }
    };
    if let Some(item) = item_of(&doc, node, target) {
        node = item;
    }
    // All that a component shows goes with the component.
    if doc.node(node).kind == Kind::Element {
        let used = finder.used_at(&scope, &doc, node);
        match used.as_slice() {
            [] => {}
            [(user, at)] => (doc, node) = (user.clone(), *at),
            _ => {
                return Err(Refusal::new(
                    RefusalReason::Ambiguous,
                    format!("{} is used in {} places", describe(target), used.len()),
                )
                .hint("say on which page")
                .candidates(
                    used.iter()
                        .map(|(doc, node)| candidate(doc, doc.node(*node).span.clone()))
                        .collect(),
                ));
            }
        }
    }
    let mut plan = Plan {
        title: format!("Remove {}", describe(target)),
        ..Plan::default()
    };
    plan.notes.push(format!(
        "{}:{}",
        doc.path,
        doc.line(doc.node(node).span.start)
    ));
    for part in with_control(&doc, node) {
        plan.edits.extend(cut(&doc, part)?);
    }
    Ok(plan)
}

/// Several things side by side.
fn all_of(target: &Phrase, doc: &Arc<Doc>, nodes: &[NodeId]) -> Result<Plan, Refusal> {
    let mut plan = Plan {
        title: format!("Remove {}", describe(target)),
        ..Plan::default()
    };
    for node in nodes {
        let at = doc.node(*node).span.start;
        plan.notes.push(format!("{}:{}", doc.path, doc.line(at)));
        plan.edits.extend(cut(doc, *node)?);
    }
    Ok(plan)
}

/// A link that is known by where it leads or by its icon alone: its element, and the list item that is only for it.
fn pictured(finder: &Finder<'_>, target: &Phrase, scope: &Scope) -> Option<(Arc<Doc>, NodeId)> {
    let role = target.role().map(|(role, ..)| role);
    if !matches!(role, Some(Role::Link | Role::MenuItem)) {
        return None;
    }
    let found = super::link::links(finder, target, scope);
    let [hit] = found.as_slice() else { return None };
    let doc = &hit.doc;
    let mut node = doc
        .ancestors(hit.node)
        .find(|up| doc.node(*up).kind == Kind::Element)?;
    let parent = doc.node(node).parent;
    let only = doc
        .node(parent)
        .children
        .iter()
        .all(|child| *child == node || doc.node(*child).kind == Kind::Attr);
    if only && doc.node(parent).name == "li" {
        node = parent;
    }
    Some((doc.clone(), node))
}

/// The list item around a link that holds nothing else than the words the link was named by: `Instagram <a>@me</a>`.
fn item_of(doc: &Doc, node: NodeId, target: &Phrase) -> Option<NodeId> {
    if doc.node(node).kind != Kind::Element || !matches!(doc.node(node).name.as_str(), "a" | "Link")
    {
        return None;
    }
    let mut below = node;
    for up in doc.ancestors(node).take(2) {
        let this = doc.node(up);
        let named = |child: &NodeId| {
            let beside = doc.node(*child);
            match beside.kind {
                Kind::Attr => true,
                Kind::Text => folded(&doc.text(*child))
                    .split(|c: char| !c.is_alphanumeric())
                    .filter(|word| !word.is_empty())
                    .all(|word| target.words.iter().any(|said| said == word)),
                _ => *child == below,
            }
        };
        if this.kind != Kind::Element || !this.children.iter().all(named) {
            return None;
        }
        if this.name == "li" {
            return Some(up);
        }
        below = up;
    }
    None
}

/// A field of a form is its control and its label: both go, and what held nothing but them.
fn with_control(doc: &Doc, node: NodeId) -> Vec<NodeId> {
    const CONTROLS: &[&str] = &["input", "select", "textarea"];
    let this = doc.node(node);
    let labels = |label: NodeId| {
        ["for", "htmlFor"]
            .iter()
            .find_map(|name| doc.attr_text(label, name))
    };
    let is_label = this.kind == Kind::Element && this.name == "label";
    let is_control = this.kind == Kind::Element && CONTROLS.contains(&this.name.as_str());
    if !is_label && !is_control {
        return vec![node];
    }
    let parent = doc.node(this.parent);
    let beside: Vec<NodeId> = parent
        .children
        .iter()
        .copied()
        .filter(|child| doc.node(*child).kind != Kind::Attr)
        .collect();
    let other = beside.iter().copied().find(|other| {
        let element = doc.node(*other);
        let fits = if is_label {
            CONTROLS.contains(&element.name.as_str())
        } else {
            element.name == "label"
        };
        let (label, control) = if is_label {
            (node, *other)
        } else {
            (*other, node)
        };
        fits && *other != node
            && element.kind == Kind::Element
            && labels(label).is_some_and(|id| doc.attr_text(control, "id") == Some(id))
    });
    let Some(other) = other else {
        return vec![node];
    };
    let alone = beside.iter().all(|child| {
        *child == node
            || *child == other
            || doc.node(*child).name == "br"
            || (doc.node(*child).kind == Kind::Text && doc.text(*child).trim().is_empty())
    });
    if alone && matches!(parent.name.as_str(), "div" | "li" | "p" | "span") {
        return vec![this.parent];
    }
    vec![node, other]
}

/// A section of a written page: its heading and all up to the next of the same rank.
fn written_section(scope: &Scope, target: &Phrase) -> Option<(Arc<Doc>, Span)> {
    let last = scope.words.last()?;
    if !["section", "part", "chapter"]
        .iter()
        .any(|noun| equal(noun, last))
    {
        return None;
    }
    let wanted = match target.quoted.first() {
        Some(quoted) => folded(quoted),
        None => {
            let said = strip_article(scope.said.trim());
            folded(&said[..said.rfind(' ')?])
        }
    };
    let rank = |name: &str| {
        let digit = name.strip_prefix('h')?.parse::<u8>().ok()?;
        (1..=6).contains(&digit).then_some(digit)
    };
    let mut found: Vec<(Arc<Doc>, NodeId)> = Vec::new();
    for view in &scope.views {
        for id in view.below(0) {
            let node = &view.nodes[id];
            let heading = node.doc.lang == Lang::Markdown
                && node.text.is_empty()
                && rank(&node.tag).is_some_and(|rank| rank > 1)
                && !node
                    .doc
                    .raw(node.doc.node(node.node).span.clone())
                    .starts_with('<');
            if heading
                && folded(&view.shown(id)) == wanted
                && !found
                    .iter()
                    .any(|(doc, at)| doc.path == node.doc.path && *at == node.node)
            {
                found.push((node.doc.clone(), node.node));
            }
        }
    }
    let [(doc, heading)] = found.as_slice() else {
        return None;
    };
    let own = doc.node(*heading);
    let end = doc
        .nodes
        .iter()
        .filter(|node| {
            node.kind == Kind::Element
                && node.span.start > own.span.start
                && rank(&node.name).is_some_and(|next| Some(next) <= rank(&own.name))
        })
        .map(|node| node.span.start)
        .min();
    let line = |at: usize| doc.src[..at].rfind('\n').map_or(0, |found| found + 1);
    let start = line(own.span.start);
    Some(match end {
        Some(end) => (doc.clone(), start..line(end)),
        None => {
            // The last one: the empty lines before it go, the end of the file stays.
            let kept = doc.src[..start].trim_end().len();
            let eol = doc.src[kept..].find('\n').map_or(start, |at| kept + at + 1);
            (doc.clone(), eol.min(start)..doc.src.len())
        }
    })
}

/// The splices that take a node out, with what is left without use.
///
/// # Errors
/// When it cannot stand without it.
pub fn cut(doc: &Arc<Doc>, node: NodeId) -> Result<Vec<Edit>, Refusal> {
    let this = doc.node(node);
    let mut edits = Vec::new();
    let span = match this.kind {
        Kind::Object | Kind::Scalar if doc.node(this.parent).kind == Kind::Array => {
            record_span(doc, node)
        }
        Kind::Element | Kind::Expr => {
            let parent = doc.node(this.parent);
            // The only child of a return or a branch leaves a hole that code cannot have.
            if doc.lang == Lang::Script && parent.kind != Kind::Element {
                if parent.kind == Kind::Expr && doc.node(parent.parent).kind == Kind::Element {
                    parent.span.clone()
                } else {
                    return Err(Refusal::new(RefusalReason::Mixed, "it is all that its component shows; remove the component where it is used instead")
                        .candidates(vec![candidate(doc, this.span.clone())]));
                }
            } else {
                this.span.clone()
            }
        }
        _ => this.span.clone(),
    };
    edits.push(Edit {
        path: doc.path.clone(),
        span: lines(&doc.src, &span),
        text: String::new(),
    });
    if this.kind == Kind::Element {
        edits.extend(unused_imports(doc, node));
    }
    Ok(edits)
}

/// A record of a list with its comma, or its table.
fn record_span(doc: &Doc, node: NodeId) -> Span {
    let span = doc.node(node).span.clone();
    match doc.lang {
        Lang::Toml | Lang::Yaml => {
            let start = doc.src[..span.start].rfind('\n').map_or(0, |at| at + 1);
            // The dash of a YAML item stands before it.
            start..span.end
        }
        _ => {
            let rest = &doc.src[span.end..];
            let comma = rest.len() - rest.trim_start().len();
            if rest[comma..].starts_with(',') {
                let end = span.end + comma + 1;
                // Within a line, the space before the next one goes too.
                let line = doc.src[..span.start].rfind('\n').map_or(0, |at| at + 1);
                let first = doc.src[line..span.start].trim().is_empty();
                let spaces = doc.src[end..].len() - doc.src[end..].trim_start_matches(' ').len();
                let ends = doc.src[end + spaces..].starts_with(['\n', '\r']);
                span.start..if first || ends { end } else { end + spaces }
            } else {
                // The last one: the comma before it goes.
                let before = doc.src[..span.start].trim_end();
                if before.ends_with(',') {
                    before.len() - 1..span.end
                } else {
                    span
                }
            }
        }
    }
}

/// Whether what stands at `at` is text and not code.
fn told(doc: &Doc, at: usize) -> bool {
    doc.nodes.iter().any(|node| {
        matches!(node.kind, Kind::Text | Kind::Scalar)
            && node.host != Host::Bare
            && node.inner.contains(&at)
    })
}

/// Imports that only the removed element used.
fn unused_imports(doc: &Arc<Doc>, node: NodeId) -> Vec<Edit> {
    let removed = doc.node(node).span.clone();
    let mut names: HashMap<String, bool> = HashMap::new();
    let mut within = vec![node];
    within.extend(doc.descendants(node));
    for id in within {
        let node = doc.node(id);
        if node.kind == Kind::Element {
            names.insert(
                node.name.split('.').next().unwrap_or_default().to_owned(),
                true,
            );
        }
    }
    let mut edits = Vec::new();
    let mut statements: Vec<Span> = Vec::new();
    for import in &doc.imports {
        if !statements.contains(&import.span) {
            statements.push(import.span.clone());
        }
    }
    for statement in statements {
        let locals: Vec<&str> = doc
            .imports
            .iter()
            .filter(|import| import.span == statement)
            .map(|import| import.local.as_str())
            .collect();
        if locals.is_empty() || !locals.iter().any(|local| names.contains_key(*local)) {
            continue;
        }
        let used_elsewhere = |local: &str| {
            doc.src.match_indices(local).any(|(at, found)| {
                let word = |c: Option<char>| {
                    c.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == '$'))
                };
                let whole = word(doc.src[..at].chars().next_back())
                    && word(doc.src[at + found.len()..].chars().next());
                whole && !removed.contains(&at) && !statement.contains(&at) && !told(doc, at)
            })
        };
        if locals
            .iter()
            .all(|local| names.contains_key(*local) && !used_elsewhere(local))
        {
            edits.push(Edit {
                path: doc.path.clone(),
                span: lines(&doc.src, &statement),
                text: String::new(),
            });
        }
    }
    edits
}
