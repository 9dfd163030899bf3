//! Attributes that are neither a text, a link, an image nor a style: classes, ids, sizes, where a link opens.

use crate::generate::offline::ask::How;
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::{Doc, Kind, Lang, NodeId};
use crate::generate::offline::find::text::describe;
use crate::generate::offline::find::{Finder, candidate, element};
use crate::generate::offline::plan::{Edit, Plan};
use crate::model::{Refusal, RefusalReason};

/// Changes the attribute `name` of the element that `target` means.
///
/// # Errors
/// A refusal.
pub fn plan(
    finder: &Finder<'_>,
    target: &Phrase,
    name: &str,
    value: &str,
    how: How,
) -> Result<Plan, Refusal> {
    let (mut doc, mut node) = element::one(finder, target)?;
    let scope = finder.scope(target)?;
    if let Some((inside, root)) = finder.rendered(&scope, &doc, node) {
        (doc, node) = (inside, root);
    }
    let refuse = |reason: RefusalReason, why: String| {
        Err(Refusal::new(reason, why)
            .candidates(vec![candidate(&doc, doc.node(node).span.clone())]))
    };
    let this = doc.node(node);
    if this.kind != Kind::Element || !doc.raw(this.span.clone()).starts_with('<') {
        return refuse(
            RefusalReason::Mixed,
            format!("{} is no element with attributes", describe(target)),
        );
    }
    let sized = [
        "img", "video", "iframe", "canvas", "svg", "table", "input", "object", "embed", "Image",
        "source",
    ];
    if matches!(name, "width" | "height") && !sized.contains(&this.name.as_str()) {
        return refuse(
            RefusalReason::Unclear,
            format!(
                "a <{}> has no {name} of its own; say it with its unit, as in 300px",
                this.name
            ),
        );
    }
    let sound = value
        .chars()
        .all(|c| c.is_alphanumeric() || "-_:/[]#.%() ,".contains(c));
    if !sound {
        return refuse(
            RefusalReason::Unclear,
            format!("{value:?} is no value of {name}"),
        );
    }
    let written = if name == "class" && doc.lang == Lang::Script {
        "className"
    } else {
        name
    };
    let mut plan = Plan {
        title: match how {
            How::Take => format!("Take {value} from the {name} of {}", describe(target)),
            _ => format!("Set the {name} of {} to {value}", describe(target)),
        },
        ..Plan::default()
    };
    plan.notes.push(format!(
        "{}:{}: <{}>",
        doc.path,
        doc.line(this.span.start),
        this.name
    ));
    let edit = |span: std::ops::Range<usize>, text: String| Edit {
        path: doc.path.clone(),
        span,
        text,
    };
    match (doc.attr(node, written), how) {
        (Some(attr), _) => {
            let literal = doc
                .node(attr)
                .children
                .first()
                .copied()
                .filter(|value| matches!(doc.node(*value).kind, Kind::Text | Kind::Scalar));
            let Some(literal) = literal else {
                return refuse(
                    RefusalReason::Mixed,
                    format!("the {name} there is put together in code"),
                );
            };
            let inner = doc.node(literal).inner.clone();
            let old = doc.raw(inner.clone()).to_owned();
            let has = old.split_whitespace().any(|known| known == value);
            let new = match how {
                How::Set => value.to_owned(),
                How::Add if has => {
                    return refuse(RefusalReason::Unclear, format!("it has {value} already"));
                }
                How::Add => format!("{} {value}", old.trim_end()),
                How::Take if !has => {
                    return refuse(RefusalReason::NotFound, format!("it has no {value}"));
                }
                How::Take => old
                    .split_whitespace()
                    .filter(|known| *known != value)
                    .collect::<Vec<_>>()
                    .join(" "),
            };
            plan.edits.push(edit(inner, new));
        }
        (None, How::Take) => {
            return refuse(RefusalReason::NotFound, format!("it has no {name}"));
        }
        (None, _) => {
            let at = name_end(&doc, node);
            plan.edits
                .push(edit(at..at, format!(" {written}=\"{value}\"")));
        }
    }
    // A page opened in a new tab must not reach back.
    if name == "target" && value == "_blank" && doc.attr(node, "rel").is_none() {
        let at = name_end(&doc, node);
        match plan.edits.last_mut().filter(|edit| edit.span == (at..at)) {
            Some(edit) => edit.text.push_str(" rel=\"noopener\""),
            None => plan
                .edits
                .push(edit(at..at, " rel=\"noopener\"".to_owned())),
        }
    }
    Ok(plan)
}

/// Where attributes of an element end: behind the last one, or behind the tag's name.
fn name_end(doc: &Doc, node: NodeId) -> usize {
    let this = doc.node(node);
    this.children
        .iter()
        .map(|child| doc.node(*child))
        .filter(|child| child.kind == Kind::Attr)
        .map(|child| child.span.end)
        .max()
        .unwrap_or(this.span.start + 1 + this.name.len())
}
