//! Repairs: broken links, missing alternative texts, misspelled words.

mod leads;
use leads::{Leads, leads, repair};

mod spelling;

use std::sync::Arc;

use crate::generate::offline::ask::lexicon::equal;
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::{Kind, NodeId};
use crate::generate::offline::find::text::{Scope, describe};
use crate::generate::offline::find::{Finder, Hit, Seen, names, not_found, role, unique};
use crate::generate::offline::plan::{Edit, Plan};
use crate::generate::offline::site::{Framework, folder, resolve};
use crate::generate::offline::view::View;
use crate::model::{Refusal, RefusalReason};

/// Repairs what `target` means.
///
/// # Errors
/// A refusal: nothing is broken, or how to repair it was not said.
pub fn plan(finder: &Finder<'_>, target: &Phrase) -> Result<Plan, Refusal> {
    let scope = finder.scope(target)?;
    let is = |noun: &str| scope.words.iter().any(|word| equal(word, noun));
    if is("alt") {
        return missing_alt(finder, &scope);
    }
    if is("link") || is("anchor") || is("url") {
        return links(
            finder,
            &scope,
            scope
                .words
                .iter()
                .any(|word| matches!(word.as_str(), "links" | "anchors" | "urls")),
        );
    }
    if is("typo") || is("spelling") || is("misspelling") || is("mistake") {
        return spelling::plan(finder, target, &scope);
    }
    Err(Refusal::new(
        RefusalReason::ValueMissing,
        format!(
            "what is wrong with {}, and what should it be?",
            describe(target)
        ),
    )
    .hint("say what it should become"))
}

fn links(finder: &Finder<'_>, scope: &Scope, many: bool) -> Result<Plan, Refusal> {
    let mut broken: Vec<Hit> = Vec::new();
    let mut holders: Vec<Hit> = Vec::new();
    let mut sound: Vec<Hit> = Vec::new();
    for view in &scope.views {
        for id in view.below(0) {
            if !role::is_link(view, id) {
                continue;
            }
            let Some(hit) = super::link::target_of(view, id) else {
                continue;
            };
            let seen = Seen {
                view: view.clone(),
                at: id,
                attr: None,
            };
            if !scope
                .places
                .iter()
                .all(|place| names::in_place(finder, place, &hit, Some(&seen)).is_some())
            {
                continue;
            }
            match leads(finder, view, &hit) {
                Leads::Nowhere => broken.push(hit),
                Leads::Placeholder => holders.push(hit),
                Leads::Somewhere => sound.push(hit),
            }
        }
    }
    // Lists of links in data, as far as no page shows them in a way that can be followed.
    for path in finder
        .site
        .files
        .iter()
        .filter(|path| !scope.paged && finder.content_file(path))
    {
        let Some(doc) = finder.site.doc(path) else {
            continue;
        };
        for node in 0..doc.nodes.len() {
            let pair = doc.node(doc.node(node).parent);
            if doc.node(node).kind != Kind::Scalar
                || pair.kind != Kind::Pair
                || !matches!(pair.name.as_str(), "href" | "to")
            {
                continue;
            }
            let hit = Hit::whole(&doc, node, Vec::new());
            if doc.text(node) == "#"
                && scope
                    .places
                    .iter()
                    .all(|place| names::in_place(finder, place, &hit, None).is_some())
            {
                holders.push(hit);
            }
        }
    }
    for hits in [&mut broken, &mut holders, &mut sound] {
        unique(hits);
    }
    let broken = finder.chosen(broken, Hit::candidate);
    if broken.is_empty() {
        if !holders.is_empty() {
            return Err(Refusal::new(
                RefusalReason::ValueMissing,
                "the only suspicious links are placeholders (#) whose target is not known",
            )
            .hint("say where they should lead")
            .candidates(holders.iter().map(Hit::candidate).take(12).collect()));
        }
        return Err(
            not_found("no link there is broken: every one leads somewhere")
                .candidates(sound.iter().map(Hit::candidate).take(12).collect()),
        );
    }
    let mut edits = Vec::new();
    let mut notes = Vec::new();
    let mut open = Vec::new();
    for hit in &broken {
        match repair(finder, hit) {
            Some(address) => {
                notes.push(format!(
                    "{}:{}: {} becomes {address}",
                    hit.doc.path,
                    hit.doc.line(hit.span.start),
                    hit.doc.text(hit.node)
                ));
                edits.push(Edit {
                    path: hit.doc.path.clone(),
                    span: hit.span.clone(),
                    text: address,
                });
            }
            None => open.push(hit.clone()),
        }
    }
    if !open.is_empty() && (edits.is_empty() || !many) {
        return Err(Refusal::new(
            RefusalReason::ValueMissing,
            "where the broken link should lead is not clear",
        )
        .hint("say \"point it at\" and the address")
        .candidates(open.iter().map(Hit::candidate).collect()));
    }
    if edits.len() > 1 && !many {
        return Err(crate::generate::offline::find::ambiguous(
            "the broken link",
            &broken,
        ));
    }
    let title = if edits.len() == 1 {
        "Fix the broken link".to_owned()
    } else {
        format!("Fix {} broken links", edits.len())
    };
    Ok(Plan {
        title,
        notes,
        edits,
        ..Plan::default()
    })
}

/// Images without an alternative text get one from their file's name.
fn missing_alt(finder: &Finder<'_>, scope: &Scope) -> Result<Plan, Refusal> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut notes = Vec::new();
    let mut open = Vec::new();
    for view in &scope.views {
        for id in view.below(0) {
            let node = &view.nodes[id];
            if node.tag != "img" || node.attrs.iter().any(|(name, _)| name == "alt") {
                continue;
            }
            let doc = &node.doc;
            if doc
                .node(node.node)
                .children
                .iter()
                .any(|child| doc.node(*child).name == "...")
            {
                continue;
            }
            if !names::placed(finder, &scope.places, view, id) {
                continue;
            }
            let src: Option<(NodeId, String)> = doc
                .attr(node.node, "src")
                .map(|attr| (attr, doc.attr_text(node.node, "src").unwrap_or_default()));
            let Some((attr, source)) = src else { continue };
            let words = crate::generate::offline::ask::lexicon::words_of(
                crate::generate::offline::site::stem(&source),
            );
            let real: Vec<String> = words
                .into_iter()
                .filter(|word| word.len() > 2 && word.chars().all(char::is_alphabetic))
                .collect();
            if real.is_empty() {
                open.push(crate::generate::offline::find::candidate(
                    doc,
                    doc.node(node.node).span.clone(),
                ));
                continue;
            }
            let mut text = real.join(" ");
            if let Some(first) = text.get(..1) {
                text = first.to_uppercase() + &text[1..];
            }
            let end = doc.node(attr).span.end;
            let edit = Edit {
                path: doc.path.clone(),
                span: end..end,
                text: format!(" alt=\"{text}\""),
            };
            if !edits.contains(&edit) {
                notes.push(format!("{}:{}: alt=\"{text}\"", doc.path, doc.line(end)));
                edits.push(edit);
            }
        }
    }
    if edits.is_empty() {
        if !open.is_empty() {
            return Err(Refusal::new(
                RefusalReason::ValueMissing,
                "what the image shows is not known",
            )
            .candidates(open));
        }
        return Err(not_found("every image has an alternative text"));
    }
    Ok(Plan {
        title: format!("Add {} alternative texts", edits.len()),
        notes,
        edits,
        ..Plan::default()
    })
}

#[cfg(test)]
mod tests {
    use super::leads::nearest;

    #[test]
    fn a_mistyped_address_has_one_neighbour() {
        assert_eq!(
            nearest("abuot", ["about", "contact"].into_iter()).as_deref(),
            Some("about")
        );
        assert_eq!(nearest("pricing", ["about", "contact"].into_iter()), None);
        assert_eq!(nearest("post-3", ["post-1", "post-2"].into_iter()), None);
    }
}
