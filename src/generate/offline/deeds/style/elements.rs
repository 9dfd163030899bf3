//! The elements a request for a look means.

use std::cell::OnceCell;

use super::*;

/// The texts a phrase means. They are the same for every page that is asked: a site of many pages is searched once.
#[derive(Default)]
pub(super) struct Texts {
    found: OnceCell<Result<Vec<Hit>, Refusal>>,
    /// Those of the last word, when the ones before it say where.
    inside: OnceCell<Box<Texts>>,
}

impl Texts {
    fn of(
        &self,
        finder: &Finder<'_>,
        target: &Phrase,
        scope: &Scope,
    ) -> &Result<Vec<Hit>, Refusal> {
        self.found.get_or_init(|| finder.find_all(target, scope))
    }

    fn inside(&self) -> &Texts {
        self.inside.get_or_init(Box::default)
    }
}

/// The elements of a page a phrase means. `texts` belongs to this phrase and scope.
pub(super) fn elements(
    finder: &Finder<'_>,
    view: &Arc<View>,
    target: &Phrase,
    scope: &Scope,
    words: &[String],
    texts: &Texts,
) -> Result<Vec<ViewId>, Refusal> {
    let placed = |id: ViewId| names::placed(finder, &scope.places, view, id);
    if !target.quoted.is_empty() {
        let hits = texts.of(finder, target, scope).as_ref();
        return Ok(hits
            .map_err(Clone::clone)?
            .iter()
            .flat_map(|hit| hit.seen.iter())
            .filter(|seen| Arc::ptr_eq(&seen.view, view))
            .map(|seen| holder(view, seen.at))
            .collect());
    }
    if words.is_empty() {
        return Ok(view
            .below(0)
            .into_iter()
            .filter(|id| matches!(view.nodes[*id].tag.as_str(), "html" | "body"))
            .collect());
    }
    if let [word] = words {
        if matches!(word.as_str(), "headline" | "heading" | "title")
            && (scope.paged || word == "headline")
        {
            // All headings of that rank: a page may choose between two.
            let all: Vec<ViewId> = view
                .below(0)
                .into_iter()
                .filter(|id| view.nodes[*id].tag == "h1" && placed(*id))
                .collect();
            if !all.is_empty() {
                return Ok(all);
            }
            return Ok(special::headline(view)
                .or_else(|| special::first_heading(view))
                .into_iter()
                .collect());
        }
        let button = alike(word, "button");
        let by_tag: Vec<ViewId> = view
            .below(0)
            .into_iter()
            .filter(|id| {
                let tag = tags(word).contains(&view.nodes[*id].tag.as_str());
                let dressed = button && !view.nodes[*id].component && role::is_button(view, *id);
                (tag || dressed) && placed(*id)
            })
            .collect();
        if !by_tag.is_empty() {
            return Ok(by_tag);
        }
    }
    // "the hero button": the first words say where.
    if words.len() > 1 {
        let (last, front) = (&words[words.len() - 1], &words[..words.len() - 1]);
        // "the primary button": a kind of button by its class.
        if alike(last, "button") {
            let kind: Vec<ViewId> = view
                .below(0)
                .into_iter()
                .filter(|id| {
                    let classes = ["class", "className"]
                        .iter()
                        .filter_map(|name| view.attr(*id, name))
                        .collect::<Vec<_>>()
                        .join(" ");
                    let parts = crate::generate::offline::ask::lexicon::words_of(&classes);
                    role::is_button(view, *id)
                        && !view.nodes[*id].component
                        && front.iter().all(|word| parts.contains(word))
                        && placed(*id)
                })
                .collect();
            if !kind.is_empty() {
                return Ok(kind);
            }
        }
        if !tags(last).is_empty() {
            let place = Place {
                words: front.to_vec(),
                ..Place::default()
            };
            let inner = Scope {
                places: vec![place],
                words: vec![last.clone()],
                ..scope.clone()
            };
            let last = std::slice::from_ref(last);
            let inside: Vec<ViewId> = elements(finder, view, target, &inner, last, texts.inside())?;
            if !inside.is_empty() {
                return Ok(inside);
            }
        }
    }
    let named: Vec<ViewId> = element::named(view, words)
        .into_iter()
        .filter(|id| placed(*id))
        .take(1)
        .collect();
    if !named.is_empty() {
        return Ok(named.into_iter().map(|id| solid(view, id)).collect());
    }
    if words.iter().all(|word| alike(word, "hero")) {
        return Ok(special::hero(view)
            .into_iter()
            .map(|id| solid(view, id))
            .collect());
    }
    // "the get started button": by its text.
    if let Ok([hit]) = texts.of(finder, target, scope).as_deref() {
        return Ok(hit
            .seen
            .iter()
            .filter(|seen| Arc::ptr_eq(&seen.view, view))
            .map(|seen| holder(view, seen.at))
            .collect());
    }
    Ok(Vec::new())
}

/// A component stands for the element it renders first.
pub(super) fn solid(view: &View, id: ViewId) -> ViewId {
    let mut at = id;
    while view.nodes[at].component {
        match view.nodes[at].children.iter().find(|child| {
            view.nodes[**child].text.is_empty()
                && !matches!(view.nodes[**child].tag.as_str(), "script" | "style")
        }) {
            Some(child) => at = *child,
            None => break,
        }
    }
    at
}

/// The element around a text: the button or link if it is one's label.
pub(super) fn holder(view: &View, at: ViewId) -> ViewId {
    view.up(at)
        .take(4)
        .find(|id| {
            role::is_button(view, *id) && !view.nodes[*id].component || role::is_link(view, *id)
        })
        .unwrap_or(view.nodes[at].parent)
}
