//! Hiding an element: it stays in the file and is not shown.

use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::{Doc, Kind, NodeId};
use crate::generate::offline::find::text::describe;
use crate::generate::offline::find::{Finder, candidate, element};
use crate::generate::offline::plan::{Edit, Plan};
use crate::model::{Refusal, RefusalReason};

/// Hides what `target` means with the `hidden` attribute.
///
/// # Errors
/// A refusal.
pub fn plan(finder: &Finder<'_>, target: &Phrase) -> Result<Plan, Refusal> {
    let nodes = match element::one(finder, target) {
        Ok((doc, node)) => vec![(doc, node)],
        Err(refusal) => {
            let several = (refusal.reason == RefusalReason::Ambiguous)
                .then(|| super::several::of(finder, target))
                .flatten();
            let (doc, nodes) = several.ok_or(refusal)?;
            nodes.into_iter().map(|node| (doc.clone(), node)).collect()
        }
    };
    let scope = finder.scope(target)?;
    let mut plan = Plan {
        title: format!("Hide {}", describe(target)),
        ..Plan::default()
    };
    for (doc, node) in nodes {
        let (doc, node) = finder.rendered(&scope, &doc, node).unwrap_or((doc, node));
        let at = place(target, &doc, node)?;
        plan.notes.push(format!("{}:{}", doc.path, doc.line(at)));
        plan.edits.push(Edit {
            path: doc.path.clone(),
            span: at..at,
            text: " hidden".to_owned(),
        });
    }
    Ok(plan)
}

/// Where the attribute goes.
///
/// # Errors
/// `Unclear` when it is hidden already, or no element that can be.
fn place(target: &Phrase, doc: &Doc, node: NodeId) -> Result<usize, Refusal> {
    let this = doc.node(node);
    let component = this.name.starts_with(char::is_uppercase)
        || this.name.contains('-')
        || this.name.contains('.');
    let markup = this.kind == Kind::Element
        && !this.name.is_empty()
        && doc.raw(this.span.clone()).starts_with('<');
    if !markup || component {
        return Err(Refusal::new(
            RefusalReason::Unclear,
            format!(
                "{} cannot be hidden where it is used; it can be removed",
                describe(target)
            ),
        )
        .hint("say remove instead of hide")
        .candidates(vec![candidate(doc, this.span.clone())]));
    }
    if doc.attr(node, "hidden").is_some() {
        return Err(Refusal::new(RefusalReason::Unclear, "it is hidden already")
            .candidates(vec![candidate(doc, this.span.clone())]));
    }
    Ok(this.span.start + 1 + this.name.len())
}
