//! Adding something new: a paragraph, a heading, a component.

use std::sync::Arc;

use crate::generate::offline::ask::lexicon::equal;
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::ask::{Said, Side, Spot};
use crate::generate::offline::components;
use crate::generate::offline::doc::{Doc, Kind, Lang, NodeId};
use crate::generate::offline::find::text::{Scope, describe};
use crate::generate::offline::find::{Finder, element, not_found};
use crate::generate::offline::plan::{Edit, Plan, indent, line_end};
use crate::generate::offline::text::{Host, encode};
use crate::model::{Refusal, RefusalReason};

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
    let mut target = what.clone();
    if let Some(of) = &place.of {
        target.places.extend(of.places.iter().cloned());
    }
    let of_page = place.of.as_ref().is_some_and(|of| {
        let place = crate::generate::offline::ask::Place {
            words: of.words.clone(),
            quoted: of.quoted.clone(),
            ..Default::default()
        };
        matches!(
            finder.pages(&place),
            crate::generate::offline::find::page::Pages::Some(_)
        )
    });
    let anywhere = place.side == Side::Anywhere;
    if (anywhere || of_page)
        && let Some(of) = &place.of
    {
        // "to the about page", "at the end of the about page", "to the footer"
        target.places.push(crate::generate::offline::ask::Place {
            words: of.words.clone(),
            quoted: of.quoted.clone(),
            ..Default::default()
        });
    }
    let scope = finder.scope(&target)?;
    let is = |nouns: &[&str]| {
        what.words
            .iter()
            .any(|word| nouns.iter().any(|noun| equal(noun, word)))
    };
    let piece = if is(&["paragraph", "sentence", "text", "line", "note"]) {
        Piece::Element("p")
    } else if is(&["heading", "subheading", "headline", "title"])
        && components::find(finder.site, &what.words).is_none()
    {
        Piece::Element("h2")
    } else {
        match components::find(finder.site, &what.words) {
            Some((name, template)) => {
                if let Some(word) = components::unmet(finder.site, &name, &what.words) {
                    return Err(Refusal::new(
                        RefusalReason::Unclear,
                        format!("{name} is a component that is known, but \u{201c}{word}\u{201d} says more than it has"),
                    )
                    .hint(format!("add the {} alone, then change its texts", name.replace('-', " "))));
                }
                Piece::Template(name, template)
            }
            None => {
                return Err(Refusal::new(
                    RefusalReason::Unclear,
                    format!("{} is no component that is known", describe(what)),
                )
                .hint(format!(
                    "known are: {}",
                    components::names(finder.site).join(", ")
                )));
            }
        }
    };
    // A section without a heading would be nothing.
    let says = matches!(&piece, Piece::Element(_))
        || matches!(&piece, Piece::Template(name, _) if name == "section");
    if says && text.is_none() {
        return Err(Refusal::new(
            RefusalReason::ValueMissing,
            format!("what should the new {} say?", describe(what)),
        )
        .hint("say it with \"saying\" and the text"));
    }
    let anchor = anchor(finder, &scope, place, &piece)?;
    let edit = splice(finder, &anchor, &piece, what, text, link)?;
    let mut plan = Plan {
        title: format!("Add {}", describe(what)),
        ..Plan::default()
    };
    plan.notes.push(format!(
        "{}:{}",
        edit.path,
        anchor.doc.line(edit.span.start)
    ));
    if let Piece::Template(name, _) = &piece {
        plan.notes
            .push(format!("made from the component \u{201c}{name}\u{201d}"));
    }
    plan.edits.push(edit);
    Ok(plan)
}

enum Piece {
    Element(&'static str),
    Template(String, String),
}

struct Anchor {
    doc: Arc<Doc>,
    node: NodeId,
    side: Side,
}

fn anchor(
    finder: &Finder<'_>,
    scope: &Scope,
    place: &Spot,
    piece: &Piece,
) -> Result<Anchor, Refusal> {
    if let Some(of) = &place.of
        && !matches!(place.side, Side::Anywhere)
    {
        let as_place = crate::generate::offline::ask::Place {
            words: of.words.clone(),
            quoted: of.quoted.clone(),
            ..Default::default()
        };
        let whole_page = of
            .words
            .iter()
            .all(|word| matches!(word.as_str(), "page" | "site" | "homepage"))
            && of.quoted.is_empty()
            || matches!(
                finder.pages(&as_place),
                crate::generate::offline::find::page::Pages::Some(_)
            );
        if !whole_page {
            let (doc, node) = element::one(finder, of).or_else(|refusal| {
                let hit = finder.locate(of).map_err(|_| refusal)?;
                element::holder(&hit, of.role().map(|(role, ..)| role))
                    .ok_or_else(|| not_found(format!("there is no {}", describe(of))))
            })?;
            return Ok(Anchor {
                doc,
                node,
                side: place.side,
            });
        }
    }
    // Within a named element: at its end.
    if !scope.places.is_empty() {
        let words: Vec<String> = scope
            .places
            .iter()
            .flat_map(|place| place.words.clone())
            .collect();
        for view in &scope.views {
            if let Some(id) = element::named(view, &words).first() {
                let mut at = *id;
                while view.nodes[at].component {
                    match view.nodes[at]
                        .children
                        .iter()
                        .find(|child| view.nodes[**child].text.is_empty())
                    {
                        Some(child) => at = *child,
                        None => break,
                    }
                }
                let node = &view.nodes[at];
                if !view.nodes[at].component {
                    return Ok(Anchor {
                        doc: node.doc.clone(),
                        node: node.node,
                        side: Side::End,
                    });
                }
            }
        }
        return Err(not_found(format!("there is no {}", words.join(" "))));
    }
    let page = scope
        .views
        .iter()
        .find_map(|view| {
            view.page
                .filter(|page| scope.paged || finder.site.pages()[*page].route == "/")
        })
        .ok_or_else(|| not_found("there is no page to add it to"))?;
    let file = &finder.site.pages()[page].file;
    let Some(doc) = finder.site.doc(file) else {
        return Err(not_found(format!("{file} cannot be read")));
    };
    let start = matches!(place.side, Side::Start)
        || matches!(piece, Piece::Template(name, _) if matches!(name.as_str(), "hero" | "banner"));
    container(&doc, start).ok_or_else(|| not_found(format!("{file} has no place for it")))
}

/// Where a new section goes in a page's own file: behind its last section, before its footer.
fn container(doc: &Arc<Doc>, start: bool) -> Option<Anchor> {
    if doc.lang == Lang::Markdown {
        let blocks: Vec<NodeId> = doc.nodes[0]
            .children
            .iter()
            .copied()
            .filter(|id| doc.node(*id).kind == Kind::Element)
            .collect();
        let node = if start { blocks.first() } else { blocks.last() };
        return node.map(|node| Anchor {
            doc: doc.clone(),
            node: *node,
            side: if start { Side::Before } else { Side::After },
        });
    }
    let sections = |id: NodeId| -> Vec<NodeId> {
        doc.node(id)
            .children
            .iter()
            .copied()
            .filter(|child| {
                let child = doc.node(*child);
                child.kind == Kind::Element
                    && !matches!(
                        child.name.as_str(),
                        "script" | "style" | "link" | "meta" | "title" | "head"
                    )
            })
            .collect()
    };
    // `<main>` if there is one; else the element that holds the most sections.
    let elements: Vec<NodeId> = (0..doc.nodes.len())
        .filter(|id| doc.node(*id).kind == Kind::Element)
        .collect();
    let main = elements
        .iter()
        .copied()
        .find(|id| doc.node(*id).name == "main" && !sections(*id).is_empty());
    let body = elements
        .iter()
        .copied()
        .find(|id| doc.node(*id).name == "body");
    let shape = |id: &NodeId| {
        let inside = sections(*id);
        inside
            .iter()
            .filter(|child| {
                let name = &doc.node(**child).name;
                matches!(
                    name.as_str(),
                    "section" | "header" | "footer" | "main" | "article"
                ) || name.starts_with(char::is_uppercase)
            })
            .count()
    };
    let busiest = elements
        .iter()
        .copied()
        .filter(|id| shape(id) > 1)
        .max_by_key(|id| (shape(id), usize::MAX - doc.node(*id).span.start));
    let top: Vec<NodeId> = doc.nodes[0]
        .children
        .iter()
        .copied()
        .filter(|id| {
            doc.node(*id).kind == Kind::Element
                && !matches!(
                    doc.node(*id).name.as_str(),
                    "script" | "style" | "svelte:head"
                )
        })
        .collect();
    let holder = main.or(busiest).or(body);
    let children = match holder {
        Some(holder) => sections(holder),
        None => top,
    };
    let foot = |id: &NodeId| {
        let name = doc.node(*id).name.to_lowercase();
        name.contains("footer") || name.contains("scroll") || name == "script"
    };
    let head = |id: &NodeId| {
        let name = doc.node(*id).name.to_lowercase();
        name.contains("nav") || name.contains("header") || name == "head"
    };
    let node = if start {
        children
            .iter()
            .find(|id| !head(id))
            .copied()
            .map(|node| (node, Side::Before))
    } else {
        children
            .iter()
            .rev()
            .find(|id| !foot(id))
            .copied()
            .map(|node| (node, Side::After))
    };
    match (node, holder) {
        (Some((node, side)), _) => Some(Anchor {
            doc: doc.clone(),
            node,
            side,
        }),
        (None, Some(holder)) => Some(Anchor {
            doc: doc.clone(),
            node: holder,
            side: Side::End,
        }),
        _ => None,
    }
}

fn splice(
    finder: &Finder<'_>,
    anchor: &Anchor,
    piece: &Piece,
    what: &Phrase,
    text: Option<&Said>,
    link: Option<&str>,
) -> Result<Edit, Refusal> {
    let doc = &anchor.doc;
    let node = doc.node(anchor.node);
    if node.kind != Kind::Element {
        return Err(Refusal::new(
            RefusalReason::Mixed,
            "that place is made from data; say the component it should stand next to",
        )
        .candidates(vec![crate::generate::offline::find::candidate(
            doc,
            node.span.clone(),
        )]));
    }
    let eol = line_end(&doc.src);
    let lead = indent(&doc.src, node.span.start).to_owned();
    let inside = matches!(anchor.side, Side::Start | Side::End);
    let step = if doc.src.contains("\n\t") { "\t" } else { "  " };
    let indent = if inside {
        format!("{lead}{step}")
    } else {
        lead.clone()
    };
    let markdown = doc.lang == Lang::Markdown && node.host == Host::Markdown;
    let body = match piece {
        Piece::Element(tag) => {
            let said = text
                .map(|text| text.text.trim().to_owned())
                .unwrap_or_default();
            let host = if markdown { Host::Markdown } else { node.host };
            let (written, _) = encode(host, &said, "").unwrap_or((said.clone(), false));
            if markdown {
                if *tag == "h2" {
                    format!("## {written}")
                } else {
                    written
                }
            } else {
                let like = alike_element(doc, anchor.node, tag);
                format!("{indent}<{tag}{like}>{written}</{tag}>")
            }
        }
        Piece::Template(_, template) => {
            let mut values: Vec<(&str, String)> = Vec::new();
            // "add an image images/shop.jpg": its file is among the words.
            let file = what
                .said
                .split_whitespace()
                .find(|word| super::image::is_image(word));
            if let Some(file) = file.filter(|_| link.is_none()) {
                values.push(("link", file.to_owned()));
            }
            if let Some(text) = text {
                let host = if doc.lang == Lang::Script {
                    Host::Braced
                } else {
                    Host::Html
                };
                let (written, _) =
                    encode(host, text.text.trim(), "").unwrap_or((text.text.clone(), false));
                values.push(("title", written.clone()));
                values.push(("text", written));
            }
            if let Some(link) = link {
                values.push(("link", link.to_owned()));
            }
            let tailwind = components::tailwind(finder.site);
            let indent = if markdown { "" } else { indent.as_str() };
            components::write(template, doc.lang, tailwind, &values, indent, eol)
        }
    };
    let path = doc.path.clone();
    let gap = if markdown {
        format!("{eol}{eol}")
    } else {
        eol.to_owned()
    };
    Ok(match anchor.side {
        Side::Before | Side::Up => {
            let start = doc.src[..node.span.start]
                .rfind('\n')
                .map_or(0, |at| at + 1);
            let start = if doc.src[start..node.span.start].trim().is_empty() {
                start
            } else {
                node.span.start
            };
            Edit {
                path,
                span: start..start,
                text: format!("{body}{gap}"),
            }
        }
        Side::Start => {
            let at = node.inner.start;
            Edit {
                path,
                span: at..at,
                text: format!("{eol}{body}"),
            }
        }
        Side::End => {
            let inner = &doc.src[node.inner.clone()];
            let at = node.inner.start + inner.trim_end().len();
            let tail = if inner.trim_end().len() == inner.len() {
                format!("{eol}{lead}")
            } else {
                String::new()
            };
            Edit {
                path,
                span: at..at,
                text: format!("{eol}{body}{tail}"),
            }
        }
        _ => {
            let at = node.span.end;
            Edit {
                path,
                span: at..at,
                text: format!("{gap}{body}"),
            }
        }
    })
}

/// The class of a sibling of the same kind: a new paragraph looks like its neighbours.
fn alike_element(doc: &Doc, near: NodeId, tag: &str) -> String {
    let parent = doc.node(near).parent;
    let mut sources = vec![near];
    sources.extend(doc.node(parent).children.iter().copied());
    sources.extend(doc.node(near).children.iter().copied());
    let like = sources
        .into_iter()
        .find(|id| doc.node(*id).kind == Kind::Element && doc.node(*id).name == tag);
    let Some(like) = like else {
        return String::new();
    };
    ["class", "className"]
        .iter()
        .find_map(|name| doc.attr(like, name))
        .map(|attr| format!(" {}", doc.raw(doc.node(attr).span.clone())))
        .unwrap_or_default()
}
