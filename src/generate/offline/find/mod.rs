//! From a phrase to the one place it means, or to the places it may mean.

pub mod code;
pub mod element;
pub mod lift;
pub mod names;
pub mod page;
pub mod record;
pub mod role;
pub mod special;
pub mod style;
pub mod text;

use std::collections::HashSet;
use std::sync::Arc;

use super::doc::{Doc, Kind, NodeId, Span};
use super::site::Site;
use super::text::Host;
use super::view::{View, ViewId};
use crate::model::{Candidate, Refusal, RefusalReason};

/// Where a literal is seen.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The page, or the file alone.
    pub view: Arc<View>,
    /// The text or element in it.
    pub at: ViewId,
    /// The attribute, when it is one's value.
    pub attr: Option<String>,
}

/// A place that may be meant.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The file.
    pub doc: Arc<Doc>,
    /// The node that holds the literal.
    pub node: NodeId,
    /// The bytes that would be replaced.
    pub span: Span,
    /// True when they are all of the literal.
    pub whole: bool,
    /// True when only a part of the text was asked for.
    pub part: bool,
    /// Where it is seen.
    pub seen: Vec<Seen>,
}

impl Hit {
    /// All of a literal.
    pub fn whole(doc: &Arc<Doc>, node: NodeId, seen: Vec<Seen>) -> Self {
        let this = doc.node(node);
        let mut span = this.inner.clone();
        // A piece of a longer text keeps the space towards the next piece.
        let piece = match this.host {
            Host::Template => this.span == this.inner,
            Host::Js(_) => doc.node(this.parent).kind == Kind::Expr,
            _ => false,
        };
        if piece {
            let raw = doc.raw(span.clone());
            let start = span.start + raw.len() - raw.trim_start().len();
            span = start..(span.start + raw.trim_end().len()).max(start);
        }
        Self {
            doc: doc.clone(),
            node,
            span,
            whole: !piece,
            part: false,
            seen,
        }
    }

    /// What tells one place from another.
    pub fn key(&self) -> (String, usize, usize) {
        (self.doc.path.clone(), self.span.start, self.span.end)
    }

    /// The place as it is shown to a person.
    pub fn candidate(&self) -> Candidate {
        candidate(&self.doc, self.span.clone())
    }
}

/// A place as it is shown to a person: the line it is on.
pub fn candidate(doc: &Doc, span: Span) -> Candidate {
    let line = doc.line(span.start);
    let start = doc.src[..span.start.min(doc.src.len())]
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let end = doc.src[start..]
        .find('\n')
        .map_or(doc.src.len(), |at| start + at);
    let shown = &doc.src[start..end];
    // Of a long line, what stands around the place tells it from others.
    let front = shown[..span.start.clamp(start, end) - start]
        .chars()
        .rev()
        .take(80)
        .map(char::len_utf8)
        .sum::<usize>();
    let from = if shown.len() > 200 {
        span.start.clamp(start, end) - start - front
    } else {
        0
    };
    let text: String = shown[from..].trim().chars().take(200).collect();
    Candidate {
        file: doc.path.clone(),
        line,
        text,
    }
}

/// Looks for things in a site.
pub struct Finder<'s> {
    /// The site.
    pub site: &'s Site,
    /// The file the person pointed at.
    pub pointed: Option<&'s str>,
    /// The places the person chose from an earlier list; empty when there was none.
    pub among: &'s [Candidate],
}

/// At most this many pages are looked at as a visitor sees them.
const PAGES: usize = 60;

impl Finder<'_> {
    /// Of equally good places, those that the person chose; all when none of them was chosen.
    pub fn chosen<T>(&self, found: Vec<T>, shown: impl Fn(&T) -> Candidate) -> Vec<T> {
        if self.among.is_empty() || found.len() < 2 {
            return found;
        }
        // The file may have grown since the list was made: then the text tells, not the line.
        let kept = [true, false].iter().find_map(|lines| {
            let same = |a: &Candidate, b: &Candidate| {
                a.file == b.file && a.text == b.text && (!lines || a.line == b.line)
            };
            let kept: Vec<bool> = found
                .iter()
                .map(|one| self.among.iter().any(|known| same(known, &shown(one))))
                .collect();
            kept.contains(&true).then_some(kept)
        });
        let Some(kept) = kept else { return found };
        found
            .into_iter()
            .zip(kept)
            .filter_map(|(one, kept)| kept.then_some(one))
            .collect()
    }

    /// The one literal at the place the person chose, when a refusal named it.
    pub fn chosen_literal(&self, refusal: &Refusal) -> Option<Hit> {
        let [one] = self.among else { return None };
        if !refusal.candidates.contains(one) {
            return None;
        }
        let doc = self.site.doc(&one.file)?;
        let mut found = (0..doc.nodes.len()).filter(|node| {
            readable(&doc, *node)
                && !technical(&doc, *node)
                && candidate(&doc, doc.node(*node).inner.clone()) == *one
        });
        let node = found.next()?;
        found
            .next()
            .is_none()
            .then(|| Hit::whole(&doc, node, self.seen(&doc, node, &[])))
    }

    /// The pages a request without a page is about: all that are not entries of a collection, home first.
    pub fn all_views(&self) -> Vec<Arc<View>> {
        let pages = self.site.pages();
        let mut order: Vec<usize> = (0..pages.len())
            .filter(|page| !pages[*page].entry)
            .collect();
        order.sort_by_key(|page| {
            (
                pages[*page].route != "/",
                pages[*page].route.matches('/').count(),
            )
        });
        order.truncate(PAGES);
        self.site.view_ahead(&order);
        order.into_iter().map(|page| self.site.view(page)).collect()
    }

    /// Where a literal is seen: on the given pages, else in its own file.
    pub fn seen(&self, doc: &Arc<Doc>, node: NodeId, views: &[Arc<View>]) -> Vec<Seen> {
        let mut out = Vec::new();
        for view in views {
            for (at, attr) in view.places(doc, node) {
                out.push(Seen {
                    view: view.clone(),
                    at,
                    attr,
                });
            }
        }
        if out.is_empty() {
            let view = self.site.alone(doc);
            for (at, attr) in view.places(doc, node) {
                out.push(Seen {
                    view: view.clone(),
                    at,
                    attr,
                });
            }
        }
        out
    }
}

/// Removes repeated places; the first of each stays.
pub fn unique(hits: &mut Vec<Hit>) {
    let mut known = HashSet::new();
    hits.retain(|hit| known.insert(hit.key()));
}

/// Two or more places fit equally well.
pub fn ambiguous(what: &str, hits: &[Hit]) -> Refusal {
    let mut candidates: Vec<Candidate> = hits.iter().map(Hit::candidate).collect();
    candidates.dedup();
    Refusal::new(
        RefusalReason::Ambiguous,
        format!("{} places fit {what} equally well", candidates.len()),
    )
    .hint("say which one, by its number, its page or what stands near it")
    .candidates(candidates)
}

/// No place fits.
pub fn not_found(message: impl Into<String>) -> Refusal {
    Refusal::new(RefusalReason::NotFound, message)
        .hint("name it by the text it shows now, in quotes, or by its page")
}

/// Whether a literal is the path of a module that code loads: `import("./card")`, `require("./data")`.
pub fn imported(doc: &Doc, node: NodeId) -> bool {
    let before = doc.src[..doc.node(node).span.start].trim_end();
    ["import(", "require(", "from", "import"]
        .iter()
        .any(|call| before.ends_with(call))
        && doc.node(node).kind == Kind::Scalar
        && matches!(doc.node(node).host, Host::Js(_))
}

/// Whether a literal is something a visitor reads (and not a class, a path or a switch of code).
pub fn readable(doc: &Doc, node: NodeId) -> bool {
    let this = doc.node(node);
    if !matches!(this.kind, Kind::Text | Kind::Scalar) {
        return false;
    }
    for up in doc.ancestors(node) {
        let up = doc.node(up);
        match up.kind {
            Kind::Attr => {
                let name = up.name.to_ascii_lowercase();
                let name = name
                    .trim_start_matches("v-bind:")
                    .trim_start_matches(':')
                    .to_owned();
                let hidden = [
                    "ui",
                    "sx",
                    "classnames",
                    "styles",
                    "class",
                    "classname",
                    "style",
                    "key",
                    "type",
                    "role",
                    "ref",
                    "slot",
                    "for",
                    "htmlfor",
                    "method",
                    "rel",
                    "target",
                    "d",
                    "viewbox",
                    "fill",
                    "stroke",
                    "xmlns",
                    "lang",
                    "charset",
                    "v-if",
                    "v-else-if",
                    "v-show",
                    "v-model",
                    "v-slot",
                    "variant",
                    "size",
                    "as",
                    "layout",
                    "loading",
                    "decoding",
                    "width",
                    "height",
                    "color",
                    "align",
                    "http-equiv",
                    "crossorigin",
                    "integrity",
                    "media",
                    "sizes",
                    "srcset",
                    "class:list",
                    "name",
                    "property",
                    "id",
                    "action",
                    "autocomplete",
                    "tabindex",
                    "itemprop",
                    "itemtype",
                    "onclick",
                ];
                // What is an address on a form is a text on a component: `<Hero action="Find your bike" />`.
                let given = doc.node(up.parent);
                let component = given.kind == Kind::Element
                    && (given.name.starts_with(char::is_uppercase) || given.name.contains('-'));
                let icon = given.name.to_ascii_lowercase().contains("icon");
                if component && !icon && matches!(name.as_str(), "action" | "name" | "media") {
                    return true;
                }
                return !hidden.contains(&name.as_str())
                    && !name.starts_with("data-")
                    && !name.starts_with("aria-hidden");
            }
            Kind::Element if matches!(up.name.as_str(), "style" | "script") => return false,
            Kind::Pair => {
                if matches!(
                    up.name.as_str(),
                    "className" | "class" | "variant" | "icon" | "id" | "classes" | "ui" | "sx"
                ) {
                    return false;
                }
            }
            _ => {}
        }
    }
    true
}

/// Whether a value is read by code alone, by the key it stands under: a layout, an address, a file.
pub fn technical(doc: &Doc, node: NodeId) -> bool {
    let Some(key) = role::key(doc, node) else {
        return false;
    };
    // Groups of a generator's settings that say how it builds, not what it shows.
    let settings = crate::generate::offline::site::stem(&doc.path);
    if matches!(settings, "hugo" | "config" | "_config")
        && doc.ancestors(node).any(|up| {
            let up = doc.node(up);
            up.kind == Kind::Pair
                && matches!(
                    up.name.as_str(),
                    "taxonomies"
                        | "permalinks"
                        | "outputs"
                        | "outputFormats"
                        | "mediaTypes"
                        | "markup"
                        | "module"
                        | "caches"
                        | "minify"
                        | "collections"
                        | "defaults"
                        | "plugins"
                )
        })
    {
        return true;
    }
    // The name of a route is for code, not for visitors.
    let record = doc.node(doc.node(node).parent).parent;
    if key == "name"
        && doc.get(record, "path").is_some()
        && ["component", "components", "redirect"]
            .iter()
            .any(|key| doc.get(record, key).is_some())
    {
        return true;
    }
    let words = crate::generate::offline::ask::lexicon::words_of(&key);
    let last = words.last().map(String::as_str).unwrap_or_default();
    matches!(
        last,
        "layout"
            | "permalink"
            | "template"
            | "type"
            | "slug"
            | "src"
            | "href"
            | "url"
            | "link"
            | "path"
            | "target"
            | "rel"
            | "icon"
            | "id"
            | "date"
            | "weight"
            | "order"
            | "tags"
            | "theme"
            | "image"
            | "img"
            | "to"
            | "file"
            | "ref"
            | "variant"
            | "style"
            | "logo"
            | "lang"
            | "language"
            | "identifier"
            | "parent"
            | "pattern"
            | "pages"
            | "redirect"
            | "alias"
            | "aliases"
    )
}
