//! Things that are known by their role alone: the headline, the hero.

mod copyright;
mod facts;
mod head;
mod hero;
mod own_title;
mod parts;
mod settings;

pub use hero::{first_heading, headline, hero, in_hero};
use hero::{library_hero, property_of, seo_value, slot_of};

use super::Seen;
use super::role::is_heading;
use crate::generate::offline::view::{View, ViewId};

use std::sync::Arc;

use super::text::Scope;
use super::{Finder, Hit, candidate, not_found};
use crate::generate::offline::ask::lexicon::{Role, equal, words_of};
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::{Doc, Kind, Lang, NodeId};
use crate::generate::offline::site::{Framework, pages::front_title};
use crate::generate::offline::text::folded;
use crate::generate::offline::view::Piece;
use crate::model::{Candidate, Refusal, RefusalReason};

/// The pieces of a text, as candidates.
pub fn pieces_of(view: &View, id: ViewId) -> Vec<Candidate> {
    let mut out = Vec::new();
    for text in view.texts(id) {
        for piece in &view.nodes[text].text {
            let found = match piece {
                Piece::Lit(doc, node) => candidate(doc, doc.node(*node).span.clone()),
                Piece::Gap(doc, span) => candidate(doc, span.clone()),
            };
            if !out.contains(&found) {
                out.push(found);
            }
        }
    }
    if out.is_empty() {
        let node = &view.nodes[id];
        out.push(candidate(&node.doc, node.doc.node(node.node).span.clone()));
    }
    out
}

impl Finder<'_> {
    /// Roles with rules of their own. `None` when the general rules apply.
    ///
    /// # Errors
    /// When what is meant is clear and cannot be changed as asked.
    pub fn special(
        &self,
        role: Role,
        mods: &[String],
        phrase: &Phrase,
        scope: &Scope,
    ) -> Result<Option<Vec<Hit>>, Refusal> {
        match role {
            Role::Headline
                if mods.iter().all(|word| {
                    matches!(word.as_str(), "hero" | "main" | "page" | "site" | "website")
                }) && scope.places.iter().all(|place| {
                    place
                        .words
                        .iter()
                        .all(|word| matches!(word.as_str(), "hero" | "top"))
                }) =>
            {
                self.headline_of(scope).map(Some)
            }
            Role::Heading
                if mods.is_empty()
                    && scope.places.is_empty()
                    && phrase.ordinal.is_none()
                    && scope.paged =>
            {
                self.headline_of(scope).map(Some)
            }
            Role::Tagline if mods.iter().all(|word| word == "hero") && scope.places.is_empty() => {
                self.tagline(mods, phrase, scope)
            }
            Role::Title => self.title(mods, phrase, scope),
            Role::MetaDescription => self.meta_description(scope).map(Some),
            Role::CopyrightYear => self.copyright(true, scope).map(Some),
            // "the copyright holder" is a part of the notice that has no bounds of its own.
            Role::Copyright
                if scope.words.iter().any(|word| {
                    matches!(word.as_str(), "holder" | "owner" | "name" | "company")
                }) =>
            {
                let keyed = self.by_key(&scope.words, phrase, scope);
                if keyed.len() == 1 {
                    return Ok(Some(keyed));
                }
                let notice = self.copyright(false, scope)?;
                Err(Refusal::new(
                    RefusalReason::Mixed,
                    "the holder is part of the copyright notice; say the words to change in quotes",
                )
                .candidates(notice.iter().map(Hit::candidate).collect()))
            }
            Role::Copyright => {
                let keyed = self.by_key(&scope.words, phrase, scope);
                if keyed.len() == 1 {
                    return Ok(Some(keyed));
                }
                self.copyright(false, scope).map(Some)
            }
            Role::Alt => self.alt(mods, phrase, scope),
            Role::Text => self.all_text(mods, phrase, scope),
            Role::Button if matches!(mods, [word] if word == "submit") => self.submit(scope),
            _ => Ok(None),
        }
    }

    /// The views a request without a page means when it speaks of "the headline": the home page.
    fn home(&self, scope: &Scope) -> Vec<Arc<View>> {
        if scope.paged && scope.views.len() < 2 {
            return scope.views.clone();
        }
        let home: Vec<Arc<View>> = scope
            .views
            .iter()
            .filter(|view| {
                view.page
                    .is_some_and(|page| self.site.pages()[page].route == "/")
            })
            .cloned()
            .collect();
        if home.is_empty() && scope.paged {
            scope.views.clone()
        } else if home.is_empty() {
            scope.views.iter().take(1).cloned().collect()
        } else {
            home
        }
    }

    fn headline_of(&self, scope: &Scope) -> Result<Vec<Hit>, Refusal> {
        let mut out = Vec::new();
        let mut missing = Vec::new();
        for view in self.home(scope) {
            match headline(&view) {
                Some(id) => {
                    let hit = sole_text(&view, id, "the headline")?;
                    // What a template puts on every page is not this page's own.
                    if self.shared(&view, &hit) {
                        missing.push(hit.candidate());
                    } else {
                        out.push(hit);
                    }
                }
                None => {
                    let given = library_hero(&view)
                        .and_then(|hero| property_of(&view, hero, &["title", "headline"]));
                    if let Some(hit) = given {
                        out.push(hit);
                        continue;
                    }
                    // A heading component without an `h1`: what it shows is the headline, if it is plain.
                    if let Some(page) = view.page {
                        missing.push(candidate_of_page(self, page));
                    }
                    if let Some(id) = lead_text(&view) {
                        let pieces: Vec<&Piece> = view.nodes[id].text.iter().collect();
                        if pieces.len() > 1 {
                            return Err(mixed("the headline", &view, id));
                        }
                        missing.extend(pieces_of(&view, id));
                    }
                }
            }
        }
        super::unique(&mut out);
        if out.is_empty() {
            return Err(not_found("the page has no headline").candidates(missing));
        }
        Ok(out)
    }
}

/// The one literal an element shows.
///
/// # Errors
/// When it shows several, or something computed.
pub fn sole_text(view: &Arc<View>, id: ViewId, what: &str) -> Result<Hit, Refusal> {
    let mut found: Vec<(Arc<Doc>, NodeId, ViewId)> = Vec::new();
    for text in view.texts(id) {
        for piece in &view.nodes[text].text {
            match piece {
                // The space that `{title + " "}` ends with is nothing to change.
                Piece::Lit(doc, node) if doc.text(*node).trim().is_empty() => {}
                Piece::Lit(doc, node) => {
                    if !found
                        .iter()
                        .any(|(known, at, _)| known.path == doc.path && at == node)
                    {
                        found.push((doc.clone(), *node, text));
                    }
                }
                Piece::Gap(..) => return Err(mixed(what, view, id)),
            }
        }
    }
    match found.as_slice() {
        [(doc, node, at)] => {
            let seen = Seen {
                view: view.clone(),
                at: *at,
                attr: None,
            };
            Ok(Hit::whole(doc, *node, vec![seen]))
        }
        [] => {
            let node = &view.nodes[id];
            Err(
                not_found(format!("{what} shows no text")).candidates(vec![candidate(
                    &node.doc,
                    node.doc.node(node.node).span.clone(),
                )]),
            )
        }
        _ => Err(mixed(what, view, id)),
    }
}

fn mixed(what: &str, view: &View, id: ViewId) -> Refusal {
    let only_gaps = view.texts(id).iter().all(|text| {
        view.nodes[*text]
            .text
            .iter()
            .all(|piece| matches!(piece, Piece::Gap(..)))
    });
    let mut candidates = pieces_of(view, id);
    let node = &view.nodes[id];
    let own = candidate(&node.doc, node.doc.node(node.node).span.clone());
    if !candidates.contains(&own) {
        candidates.push(own);
    }
    let (reason, message) = if only_gaps {
        (
            RefusalReason::NotFound,
            format!("{what} is filled in by the template, and no literal for it is set"),
        )
    } else {
        (
            RefusalReason::Mixed,
            format!("{what} is put together from several pieces; say which piece to change"),
        )
    };
    Refusal::new(reason, message)
        .hint("name the piece by its text, in quotes")
        .candidates(candidates)
}

/// The first text of a page's content, for pages without headings.
fn lead_text(view: &View) -> Option<ViewId> {
    view.below(0).into_iter().find(|id| {
        !view.nodes[*id].text.is_empty()
            && !view.up(*id).any(|up| {
                matches!(
                    view.nodes[up].tag.as_str(),
                    "nav" | "footer" | "head" | "aside" | "noscript" | "title"
                )
            })
    })
}

fn candidate_of_page(finder: &Finder<'_>, page: usize) -> Candidate {
    let file = finder.site.pages()[page].file.clone();
    let text = finder
        .site
        .text(&file)
        .map(|text| {
            text.lines()
                .next()
                .unwrap_or_default()
                .trim()
                .chars()
                .take(200)
                .collect()
        })
        .unwrap_or_default();
    Candidate {
        file,
        line: 1,
        text,
    }
}
