//! Removing an element, a component or an entry of data.

use std::collections::HashMap;
use std::sync::Arc;

use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::{Doc, Kind, Lang, NodeId, Span};
use crate::generate::offline::find::text::describe;
use crate::generate::offline::find::{Finder, candidate, element};
use crate::generate::offline::plan::{Edit, Plan, lines};
use crate::model::{Refusal, RefusalReason};

/// Removes what `target` means.
///
/// # Errors
/// A refusal.
pub fn plan(finder: &Finder<'_>, target: &Phrase) -> Result<Plan, Refusal> {
    let (mut doc, mut node) = element::one(finder, target)?;
    // All that a component shows goes with the component.
    let scope = finder.scope(target)?;
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
    plan.edits.extend(cut(&doc, node)?);
    Ok(plan)
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
                span.start..span.end + comma + 1
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
                whole && !removed.contains(&at) && !statement.contains(&at)
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
