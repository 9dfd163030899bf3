//! Changing where a link leads.

use std::sync::Arc;

use crate::generate::offline::ask::Said;
use crate::generate::offline::ask::lexicon::{Role, equal, words_of};
use crate::generate::offline::ask::parse::is_address;
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::{Doc, Kind, NodeId};
use crate::generate::offline::find::text::{Scope, describe};
use crate::generate::offline::find::{
    Finder, Hit, Seen, ambiguous, names, not_found, role, unique,
};
use crate::generate::offline::plan::Plan;
use crate::generate::offline::text::folded;
use crate::generate::offline::view::{Piece, View, ViewId};
use crate::model::{Refusal, RefusalReason};

/// Attributes and keys that hold an address.
pub const TARGETS: &[&str] = &["href", "to", "url", "link", "src", "path"];

/// Points a link at `value`.
///
/// # Errors
/// A refusal.
pub fn plan(finder: &Finder<'_>, target: &Phrase, value: Option<&Said>) -> Result<Plan, Refusal> {
    let scope = finder.scope(target)?;
    let found = finder.chosen(links(finder, target, &scope), Hit::candidate);
    let Some(value) = value.filter(|value| !value.text.trim().is_empty()) else {
        return Err(Refusal::new(
            RefusalReason::ValueMissing,
            format!("where should {} lead?", describe(target)),
        )
        .hint("say it again with \"to\" and the address")
        .candidates(found.iter().map(Hit::candidate).collect()));
    };
    match found.as_slice() {
        [] => Err(not_found(format!("there is no {}", describe(target)))),
        [hit] => {
            let old = hit.doc.text(hit.node);
            let new = address(finder, &old, &value.text, value.quoted)?;
            let mut plan =
                super::set::write(hit, &new, &format!("the target of {}", describe(target)))?;
            plan.title = format!("Point {} at {new}", describe(target));
            Ok(plan)
        }
        _ => Err(ambiguous(&describe(target), &found)),
    }
}

/// The address as it should be written: "github.com/x" where the old one had a scheme gets it too.
fn address(finder: &Finder<'_>, old: &str, new: &str, quoted: bool) -> Result<String, Refusal> {
    let new = new.trim().trim_end_matches('.');
    if is_address(new) {
        let bare = !new.contains("://")
            && !new.starts_with(['/', '#', '.'])
            && !new.starts_with("mailto:")
            && !new.starts_with("tel:");
        if bare && (old.contains("://") || !finder.site.has(new)) && !new.ends_with(".html") {
            let scheme = old
                .split("://")
                .next()
                .filter(|scheme| *scheme == "http" || *scheme == "https")
                .unwrap_or("https");
            return Ok(format!("{scheme}://{new}"));
        }
        return Ok(new.to_owned());
    }
    if role::looks_email(new) {
        return Ok(format!("mailto:{new}"));
    }
    // A page by its name.
    let place = crate::generate::offline::ask::Place::new(new);
    if let crate::generate::offline::find::page::Pages::Some(pages) = finder.pages(&place)
        && let [page] = pages.as_slice()
    {
        return Ok(finder.site.pages()[*page].route.clone());
    }
    if quoted && !new.contains(char::is_whitespace) {
        return Ok(new.to_owned());
    }
    Err(Refusal::new(
        RefusalReason::ValueMissing,
        format!("{new:?} is no address and no page of this site"),
    )
    .hint("say a path such as /about, or a full address"))
}

/// The addresses of the links a phrase means.
pub fn links(finder: &Finder<'_>, target: &Phrase, scope: &Scope) -> Vec<Hit> {
    let role = Phrase {
        words: scope.words.clone(),
        ..target.clone()
    }
    .role();
    let (mods, name): (Vec<String>, String) = match (target.quoted.first(), role) {
        (Some(quoted), _) => (Vec::new(), quoted.clone()),
        (
            None,
            Some((Role::Link | Role::Button | Role::MenuItem | Role::Logo | Role::Image, at, _)),
        ) => (scope.words[..at].to_vec(), scope.words[..at].join(" ")),
        _ => (scope.words.clone(), scope.words.join(" ")),
    };
    // By its text.
    let mut best: Vec<Hit> = Vec::new();
    if !name.is_empty() {
        let mut ranked: Vec<(u8, Hit)> = Vec::new();
        for (hit, level) in finder.texts(&name, scope) {
            for target in targets_of(&hit) {
                let placed = scope.places.iter().all(|place| {
                    target
                        .seen
                        .iter()
                        .any(|seen| names::in_place(finder, place, &hit, Some(seen)).is_some())
                        || (target.seen.is_empty()
                            && names::in_place(finder, place, &hit, None).is_some())
                });
                if placed {
                    ranked.push((level, target));
                }
            }
        }
        let top = ranked
            .iter()
            .map(|(level, _)| *level)
            .max()
            .unwrap_or_default();
        best = ranked
            .into_iter()
            .filter(|(level, _)| *level == top)
            .map(|(_, hit)| hit)
            .collect();
        // A word in a longer text is no better than a label or a key that is just the name.
        if top == 1 && target.quoted.is_empty() {
            let (rank, named) = by_name(finder, &mods, scope);
            if rank > 2 {
                best.extend(named);
            }
        }
        unique(&mut best);
    }
    if best.is_empty() {
        best = by_name(finder, &mods, scope).1;
    }
    // "the footer link": the words only say where.
    if best.is_empty() && !mods.is_empty() && target.quoted.is_empty() {
        let place = crate::generate::offline::ask::Place {
            words: mods.clone(),
            ..Default::default()
        };
        let inside = Scope {
            places: scope.places.iter().cloned().chain([place]).collect(),
            ..scope.clone()
        };
        best = by_name(finder, &[], &inside).1;
    }
    if let Some(ordinal) = target.ordinal
        && let Ok(at) = usize::try_from(ordinal - 1)
    {
        best = best.into_iter().skip(at).take(1).collect();
    }
    best
}

/// The address that belongs to a text: its link's, or the one beside it in its record.
fn targets_of(hit: &Hit) -> Vec<Hit> {
    let mut out = Vec::new();
    for seen in &hit.seen {
        for id in seen.view.up(seen.at).take(6) {
            if (role::is_link(&seen.view, id) || seen.view.nodes[id].component)
                && let Some(found) = target_of(&seen.view, id)
            {
                out.push(found);
                break;
            }
            if matches!(
                seen.view.nodes[id].tag.as_str(),
                "nav" | "section" | "body" | "footer" | "header"
            ) {
                break;
            }
        }
    }
    if out.is_empty()
        && let Some(value) = role::link_value(&hit.doc, hit.node)
        && hit.doc.node(value).kind == Kind::Scalar
    {
        out.push(Hit::whole(&hit.doc, value, hit.seen.clone()));
    }
    out
}

/// The literal address of a link element.
pub fn target_of(view: &Arc<View>, id: ViewId) -> Option<Hit> {
    for name in TARGETS {
        let Some((_, pieces)) = view.nodes[id].attrs.iter().find(|(known, _)| known == name) else {
            continue;
        };
        if let [Piece::Lit(doc, node)] = pieces.as_slice() {
            let seen = Seen {
                view: view.clone(),
                at: id,
                attr: Some((*name).to_owned()),
            };
            return Some(Hit::whole(doc, *node, vec![seen]));
        }
        return None;
    }
    None
}

/// Links without that text: by key, by label, by where they lead ("the GitHub link").
fn by_name(finder: &Finder<'_>, mods: &[String], scope: &Scope) -> (u8, Vec<Hit>) {
    let words: Vec<String> = mods
        .iter()
        .filter(|word| !names::idle(word))
        .cloned()
        .collect();
    let joined = words.concat();
    let mut ranked: Vec<(u8, Hit)> = Vec::new();
    let consider = |rank: u8, hit: Hit, seen: Option<&Seen>, ranked: &mut Vec<(u8, Hit)>| {
        let placed = scope
            .places
            .iter()
            .all(|place| names::in_place(finder, place, &hit, seen).is_some());
        if placed {
            ranked.push((rank, hit));
        }
    };
    for view in &scope.views {
        for id in view.below(0) {
            if !role::is_link(view, id) {
                continue;
            }
            let Some(hit) = target_of(view, id) else {
                continue;
            };
            let seen = Seen {
                view: view.clone(),
                at: id,
                attr: None,
            };
            if words.is_empty() {
                consider(1, hit, Some(&seen), &mut ranked);
                continue;
            }
            let label = ["aria-label", "title"]
                .iter()
                .filter_map(|name| view.attr(id, name))
                .collect::<Vec<_>>()
                .join(" ");
            let below: String = view
                .below(id)
                .iter()
                .flat_map(|at| {
                    ["alt", "aria-label", "name", "title"]
                        .iter()
                        .filter_map(|name| view.attr(*at, name))
                        .collect::<Vec<_>>()
                })
                .collect::<Vec<_>>()
                .join(" ");
            let says = |text: &str| {
                words.iter().all(|word| {
                    words_of(text).iter().any(|part| equal(part, word))
                        || folded(text).contains(&joined)
                })
            };
            // An icon says where a link leads: `<i class="fa fa-github">`, `<GitHubIcon />`, `<use href="#github">`.
            let icons: String = std::iter::once(id)
                .chain(view.below(id))
                .filter(|at| *at == id || view.texts(*at).is_empty())
                .flat_map(|at| {
                    let node = &view.nodes[at];
                    let mut names: Vec<String> = ["class", "className", "icon", "data-icon"]
                        .iter()
                        .filter_map(|name| view.attr(at, name))
                        .collect();
                    if node.tag == "use" {
                        names.extend(view.attr(at, "href").or(view.attr(at, "xlink:href")));
                    }
                    if node.component && at != id {
                        names.push(node.tag.clone());
                    }
                    names
                })
                .collect::<Vec<_>>()
                .join(" ");
            let leads = hit.doc.text(hit.node).to_lowercase();
            let host = leads
                .split("://")
                .nth(1)
                .unwrap_or(&leads)
                .split('/')
                .next()
                .unwrap_or_default()
                .to_owned();
            let pictured = view.texts(id).is_empty()
                && words.iter().all(|word| {
                    icons.split_whitespace().any(|name| {
                        let parts = words_of(name);
                        parts.iter().any(|part| equal(part, word)) || parts.concat() == joined
                    })
                });
            if says(&label) || says(&below) || pictured {
                consider(3, hit, Some(&seen), &mut ranked);
            } else if !joined.is_empty() && host.contains(&joined) {
                consider(2, hit, Some(&seen), &mut ranked);
            }
        }
    }
    if !joined.is_empty() {
        let files: Vec<String> = if scope.paged {
            finder.page_files(scope)
        } else {
            finder
                .site
                .files
                .iter()
                .filter(|path| finder.content_file(path))
                .cloned()
                .collect()
        };
        for path in files {
            let Some(doc) = finder.site.doc(&path) else {
                continue;
            };
            for node in 0..doc.nodes.len() {
                if let Some(rank) = data_address(&doc, node, &words, &joined) {
                    let hit = Hit::whole(&doc, node, finder.seen(&doc, node, &scope.views));
                    let seen = hit.seen.first().cloned();
                    consider(rank, hit, seen.as_ref(), &mut ranked);
                }
            }
        }
    }
    let top = ranked
        .iter()
        .map(|(rank, _)| *rank)
        .max()
        .unwrap_or_default();
    let mut hits: Vec<Hit> = ranked
        .into_iter()
        .filter(|(rank, _)| *rank == top)
        .map(|(_, hit)| hit)
        .collect();
    unique(&mut hits);
    (top, hits)
}

/// An address in data that a name fits: by its own key, or by the name in its record.
fn data_address(doc: &Doc, node: NodeId, words: &[String], joined: &str) -> Option<u8> {
    if doc.node(node).kind != Kind::Scalar || crate::generate::offline::find::imported(doc, node) {
        return None;
    }
    let value = doc.text(node);
    if !is_address(&value) {
        return None;
    }
    let pair = doc.node(doc.node(node).parent);
    if pair.kind != Kind::Pair {
        return None;
    }
    let key = words_of(&pair.name);
    if key.concat() == joined
        || words
            .iter()
            .all(|word| key.iter().any(|part| equal(part, word)))
    {
        return Some(3);
    }
    if !TARGETS.contains(&pair.name.as_str()) {
        return None;
    }
    let record = doc.node(pair.parent);
    let outer = doc.node(record.parent);
    if outer.kind == Kind::Pair && words_of(&outer.name).concat() == joined {
        return Some(3);
    }
    let named = record.children.iter().any(|sibling| {
        let sibling = doc.node(*sibling);
        sibling.children.first().is_some_and(|value| {
            *value != node && doc.node(*value).kind == Kind::Scalar && {
                let text = folded(&doc.text(*value));
                words_of(&text).concat() == joined
            }
        })
    });
    named.then_some(3)
}
