//! Things that are known by their role alone: the headline, the hero.

use super::Seen;
use super::role::is_heading;
use crate::generate::offline::view::{View, ViewId};

/// The main heading of a page: the first `h1` outside navigation and footer, else the first heading of its body.
pub fn headline(view: &View) -> Option<ViewId> {
    let h1: Vec<ViewId> = view
        .below(0)
        .into_iter()
        .filter(|id| view.nodes[*id].tag == "h1")
        .collect();
    let inside = |id: ViewId, tags: &[&str]| {
        view.up(id)
            .any(|up| tags.contains(&view.nodes[up].tag.as_str()))
    };
    let classes = |id: ViewId| {
        ["class", "className"]
            .iter()
            .filter_map(|name| view.attr(id, name))
            .collect::<Vec<_>>()
            .join(" ")
    };
    // A heading that only names the site, or that only screen readers meet, gives way to one that visitors see.
    let named = |id: ViewId| {
        view.up(id).take(3).any(|up| {
            let class = classes(up);
            let logo = class.split_whitespace().any(|class| {
                matches!(
                    class,
                    "logo"
                        | "brand"
                        | "navbar-brand"
                        | "site-title"
                        | "sr-only"
                        | "visually-hidden"
                        | "screen-reader-text"
                )
            });
            logo || (view.nodes[up].tag == "a"
                && matches!(
                    view.attr(up, "href").as_deref(),
                    Some("/" | "#" | "index.html")
                ))
        })
    };
    let shown = |id: &ViewId| !view.texts(*id).is_empty();
    let tests: [&dyn Fn(ViewId) -> bool; 4] = [
        &|id| !inside(id, &["nav", "footer", "head", "aside", "dialog"]) && !named(id),
        &|id| !inside(id, &["nav", "footer", "head", "aside", "dialog"]),
        &|id| !inside(id, &["nav", "footer", "head", "dialog"]),
        &|id| !inside(id, &["footer", "head", "dialog"]),
    ];
    tests
        .iter()
        .find_map(|test| h1.iter().copied().find(|id| test(*id) && shown(id)))
        .or_else(|| {
            h1.iter()
                .copied()
                .find(|id| !inside(*id, &["nav", "footer", "head", "dialog"]))
        })
}

/// The first heading of the page, whatever its level.
pub fn first_heading(view: &View) -> Option<ViewId> {
    view.below(0).into_iter().find(|id| {
        is_heading(view, *id)
            && !view.texts(*id).is_empty()
            && !view.up(*id).any(|up| {
                matches!(
                    view.nodes[up].tag.as_str(),
                    "nav" | "footer" | "head" | "aside" | "dialog"
                )
            })
    })
}

/// The section that holds the headline.
pub fn hero(view: &View) -> Option<ViewId> {
    let headline = headline(view).or_else(|| first_heading(view))?;
    let mut best = None;
    for id in view.up(headline).skip(1) {
        let node = &view.nodes[id];
        let tag = node.tag.as_str();
        if matches!(tag, "html" | "body" | "main") || id == 0 {
            break;
        }
        // A section, a header, a component: the outermost that is not the whole page.
        let others = view
            .below(id)
            .iter()
            .filter(|at| view.nodes[**at].tag == "h2")
            .count();
        if others > 1 {
            break;
        }
        if matches!(tag, "section" | "header" | "div") || node.component {
            best = Some(id);
        }
        if matches!(tag, "section" | "header") {
            break;
        }
    }
    best
}

/// Whether a place is in the hero of its page.
pub fn in_hero(seen: &Seen) -> bool {
    hero(&seen.view).is_some_and(|hero| seen.view.up(seen.at).any(|id| id == hero))
}

use std::sync::Arc;

use super::text::Scope;
use super::{Finder, Hit, candidate, not_found};
use crate::generate::offline::ask::lexicon::{Role, equal};
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::{Doc, Kind, NodeId};
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

/// Code that computes the year or a date.
pub fn computes_date(code: &str) -> bool {
    let lower = code.to_lowercase();
    [
        "getfullyear",
        "new date",
        "now.",
        "now |",
        "now.format",
        "% year",
        "%y",
        "currentyear",
        "current_year",
        "site.time",
        "date:",
        "dayjs",
        "moment(",
        ".year",
        "todate",
        "year()",
    ]
    .iter()
    .any(|mark| lower.contains(mark))
        || matches!(
            lower.trim().trim_matches(|c| "{}% ".contains(c)),
            "year" | "currentyear"
        )
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
            Role::CopyrightYear => self.copyright(true, mods, scope).map(Some),
            Role::Copyright => {
                let keyed = self.by_key(&scope.words, phrase, scope);
                if keyed.len() == 1 {
                    return Ok(Some(keyed));
                }
                self.copyright(false, mods, scope).map(Some)
            }
            Role::Alt => self.alt(mods, phrase, scope),
            Role::Text => self.all_text(mods, phrase, scope),
            _ => Ok(None),
        }
    }

    /// The views a request without a page means when it speaks of "the headline": the home page.
    fn home(&self, scope: &Scope) -> Vec<Arc<View>> {
        if scope.paged {
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
        if home.is_empty() {
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
                Some(id) => out.push(sole_text(&view, id, "the headline")?),
                None => {
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

    /// The line below the headline.
    fn tagline(
        &self,
        _mods: &[String],
        _phrase: &Phrase,
        scope: &Scope,
    ) -> Result<Option<Vec<Hit>>, Refusal> {
        let mut keyed: Vec<Hit> = Vec::new();
        let mut found: Vec<Hit> = Vec::new();
        for view in self.home(scope) {
            let Some(hero_id) = hero(&view) else { continue };
            let Some(head) = headline(&view).or_else(|| first_heading(&view)) else {
                continue;
            };
            for id in view.below(hero_id) {
                for piece in &view.nodes[id].text {
                    if let Piece::Lit(doc, node) = piece {
                        let seen = Seen {
                            view: view.clone(),
                            at: id,
                            attr: None,
                        };
                        let hit = Hit::whole(doc, *node, vec![seen.clone()]);
                        if super::role::fit(Role::Tagline, &hit, Some(&seen)) >= 2 {
                            keyed.push(hit);
                        }
                    }
                }
            }
            let after: Vec<ViewId> = view
                .below(hero_id)
                .into_iter()
                .filter(|id| *id > head && !view.up(*id).any(|up| up == head))
                .collect();
            let paragraph = after.into_iter().find(|id| {
                matches!(view.nodes[*id].tag.as_str(), "p" | "h2" | "h3" | "h4")
                    && !view.texts(*id).is_empty()
            });
            if let Some(id) = paragraph {
                found.push(sole_text(&view, id, "the tagline")?);
            }
        }
        super::unique(&mut keyed);
        if keyed.len() == 1 {
            return Ok(Some(keyed));
        }
        super::unique(&mut found);
        Ok((!found.is_empty()).then_some(found))
    }

    /// The title of a page in the browser, of the site, or of an entry.
    fn title(
        &self,
        mods: &[String],
        phrase: &Phrase,
        scope: &Scope,
    ) -> Result<Option<Vec<Hit>>, Refusal> {
        let site_wide = mods
            .iter()
            .any(|word| matches!(word.as_str(), "site" | "website"))
            || scope
                .words
                .iter()
                .any(|word| matches!(word.as_str(), "site" | "website"));
        let rest: Vec<String> = mods
            .iter()
            .filter(|word| {
                !matches!(
                    word.as_str(),
                    "site" | "website" | "browser" | "tab" | "page" | "document" | "meta" | "seo"
                )
            })
            .cloned()
            .collect();
        if site_wide && rest.is_empty() {
            let found = self.site_value(&["title", "name"], scope);
            if !found.is_empty() {
                return Ok(Some(found));
            }
            // Without a configuration, the title in the one HTML file is the site's.
            let mut own = Vec::new();
            for view in self.home(scope) {
                let title = view
                    .below(0)
                    .into_iter()
                    .find(|id| view.nodes[*id].tag == "title");
                if let Some(id) = title {
                    own.push(sole_text(&view, id, "the site title")?);
                }
            }
            super::unique(&mut own);
            let in_markup = own
                .iter()
                .all(|hit| hit.doc.node(hit.node).kind == Kind::Text);
            if !own.is_empty() && in_markup {
                return Ok(Some(own));
            }
            return Ok(Some(self.head_value("title")));
        }
        let said_page = scope.words.iter().any(|word| {
            matches!(
                word.as_str(),
                "page"
                    | "browser"
                    | "tab"
                    | "document"
                    | "site"
                    | "website"
                    | "meta"
                    | "seo"
                    | "tag"
            )
        }) || scope.paged;
        if !rest.is_empty() {
            // "the login page title", "the welcome post's title"
            if scope.words.iter().any(|word| word == "page")
                && let super::page::Pages::Some(pages) = self.pages_named(&rest)
            {
                let views = pages.iter().map(|page| self.site.view(*page)).collect();
                let inner = Scope {
                    views,
                    paged: true,
                    pages,
                    ..scope.clone()
                };
                return self.page_titles(&inner).map(Some);
            }
            return Ok(None);
        }
        if !scope.places.is_empty() || phrase.ordinal.is_some() || !said_page {
            let plain = scope.places.is_empty() && phrase.ordinal.is_none();
            if !plain {
                return Ok(None);
            }
        }
        self.page_titles(scope).map(Some)
    }

    /// The titles of the pages in scope.
    pub fn page_titles(&self, scope: &Scope) -> Result<Vec<Hit>, Refusal> {
        let mut out = Vec::new();
        let mut problem = None;
        for view in self.home(scope) {
            let page = view.page;
            if let Some(page) = page
                && let Some(found) = self.own_title(page, &view)
            {
                out.push(found);
                continue;
            }
            let title = view.below(0).into_iter().rev().find(|id| {
                view.nodes[*id].tag == "title"
                    && !view.texts(*id).is_empty()
                    && !view.up(*id).any(|up| view.nodes[up].tag == "svg")
            });
            match title {
                Some(id) => match sole_text(&view, id, "the page title") {
                    Ok(hit) => out.push(hit),
                    Err(refusal) => problem = Some(refusal),
                },
                None => {
                    let candidates = page
                        .map(|page| vec![candidate_of_page(self, page)])
                        .unwrap_or_default();
                    problem =
                        Some(not_found("the page has no title of its own").candidates(candidates));
                }
            }
        }
        if out.is_empty() {
            out.extend(self.head_value("title"));
        }
        super::unique(&mut out);
        match (out.is_empty(), problem) {
            (true, Some(problem)) => Err(problem),
            _ => Ok(out),
        }
    }

    /// A page's own title: front matter, exported metadata, a router's meta, a head component.
    fn own_title(&self, page: usize, view: &Arc<View>) -> Option<Hit> {
        let info = &self.site.pages()[page];
        let app = &self.site.apps[info.app];
        let doc = self.site.doc(&info.file)?;
        let hit = |doc: &Arc<Doc>, node: NodeId| {
            Some(Hit::whole(
                doc,
                node,
                self.seen(doc, node, std::slice::from_ref(view)),
            ))
        };
        if let Some(id) = front_title(&doc).filter(|_| doc.front.is_some()) {
            return hit(&doc, id);
        }
        // `<svelte:head>`, `<Head>`, `<Helmet>` in the page itself.
        let own = (0..doc.nodes.len()).find(|id| {
            let node = doc.node(*id);
            node.kind == Kind::Element
                && node.name == "title"
                && !doc.ancestors(*id).any(|up| doc.node(up).name == "svg")
        });
        if let Some(id) = own {
            let texts: Vec<NodeId> = doc
                .descendants(id)
                .into_iter()
                .filter(|at| matches!(doc.node(*at).kind, Kind::Text | Kind::Scalar | Kind::Expr))
                .collect();
            if let [one] = texts.as_slice()
                && doc.node(*one).kind == Kind::Text
            {
                return hit(&doc, *one);
            }
        }
        // `metadata.title`, `useHead({ title })`, `head: { title }`, `definePageMeta({ title })`.
        for (id, node) in doc.nodes.iter().enumerate() {
            if node.kind != Kind::Object {
                continue;
            }
            let Some(value) = doc
                .get(id, "title")
                .filter(|value| doc.node(*value).kind == Kind::Scalar)
            else {
                continue;
            };
            let holder = doc.ancestors(id).find_map(|up| {
                let up = doc.node(up);
                (up.kind == Kind::Pair && !up.name.is_empty()).then(|| up.name.clone())
            });
            let before = doc.raw(node.span.start.saturating_sub(40)..node.span.start);
            let head = holder.is_some_and(|name| {
                matches!(
                    name.as_str(),
                    "metadata" | "head" | "metaInfo" | "meta" | "seo" | "frontmatter"
                )
            }) || [
                "useHead(",
                "useSeoMeta(",
                "definePageMeta(",
                "useMeta(",
                "usePageSeo(",
            ]
            .iter()
            .any(|call| before.trim_end().ends_with(call));
            let top = doc
                .ancestors(id)
                .filter(|up| doc.node(*up).kind == Kind::Object)
                .count()
                <= 1;
            if head && top {
                return hit(&doc, value);
            }
        }
        // `<SEO title="…">`, `<Layout title="…">` around the page.
        let mut props: Vec<NodeId> = Vec::new();
        for (id, node) in doc.nodes.iter().enumerate() {
            let names = [
                "layout",
                "seo",
                "head",
                "helmet",
                "meta",
                "metadata",
                "pagelayout",
                "baselayout",
                "nextseo",
            ];
            let lower = node.name.to_lowercase();
            if node.kind == Kind::Element
                && names
                    .iter()
                    .any(|name| lower == *name || lower.ends_with("layout"))
            {
                for name in ["title", "pageTitle", "metaTitle"] {
                    if let Some(attr) = doc.attr(id, name)
                        && let Some(value) = doc.node(attr).children.first()
                        && matches!(doc.node(*value).kind, Kind::Text)
                    {
                        props.push(*value);
                    }
                }
            }
        }
        if let [one] = props.as_slice() {
            return hit(&doc, *one);
        }
        // A router's table: the route's own `meta: { title }` or `title`.
        if matches!(app.framework, Framework::Vue | Framework::React) {
            for path in self.site.under(&app.root) {
                if !(path.ends_with(".js") || path.ends_with(".ts") || path.ends_with("sx")) {
                    continue;
                }
                let Some(text) = self.site.text(path) else {
                    continue;
                };
                if !(text.contains("path:") && text.contains("title")) {
                    continue;
                }
                let table = self.site.doc(path)?;
                for id in 0..table.nodes.len() {
                    if table.node(id).kind != Kind::Object {
                        continue;
                    }
                    let route = table.get(id, "path").map(|value| table.text(value));
                    if route.as_deref() != Some(info.route.as_str()) {
                        continue;
                    }
                    let meta = table
                        .get(id, "meta")
                        .and_then(|meta| table.get(meta, "title"));
                    let title = meta
                        .or_else(|| table.get(id, "title"))
                        .filter(|value| table.node(*value).kind == Kind::Scalar);
                    if let Some(title) = title {
                        return hit(&table, title);
                    }
                }
            }
        }
        None
    }

    /// The title or description that a framework's configuration gives every page (`head: { title }`).
    fn head_value(&self, key: &str) -> Vec<Hit> {
        let mut out = Vec::new();
        for path in &self.site.files {
            let name = path.rsplit('/').next().unwrap_or(path);
            if ![
                "nuxt.config.",
                "app.config.",
                "docusaurus.config.",
                "gridsome.config.",
            ]
            .iter()
            .any(|start| name.starts_with(start))
            {
                continue;
            }
            let Some(doc) = self.site.doc(path) else {
                continue;
            };
            for (id, node) in doc.nodes.iter().enumerate() {
                let named =
                    node.kind == Kind::Pair && matches!(node.name.as_str(), "head" | "config");
                let Some(object) = node
                    .children
                    .first()
                    .filter(|object| named && doc.node(**object).kind == Kind::Object)
                else {
                    continue;
                };
                let _ = id;
                let direct = doc.get(*object, key);
                let meta = doc
                    .get(*object, "meta")
                    .into_iter()
                    .flat_map(|meta| doc.node(meta).children.clone())
                    .find_map(|item| {
                        let name = doc.get(item, "name").or_else(|| doc.get(item, "hid"))?;
                        (doc.text(name) == key)
                            .then(|| doc.get(item, "content"))
                            .flatten()
                    });
                if let Some(value) = direct
                    .or(meta)
                    .filter(|value| doc.node(*value).kind == Kind::Scalar)
                {
                    out.push(Hit::whole(&doc, value, self.seen(&doc, value, &[])));
                }
            }
        }
        super::unique(&mut out);
        out
    }

    /// A value of the site's own configuration.
    pub fn site_value(&self, keys: &[&str], scope: &Scope) -> Vec<Hit> {
        let stems = [
            "site",
            "metadata",
            "config",
            "_config",
            "hugo",
            "sitemetadata",
            "siteconfig",
            "site-config",
            "site.config",
            "constants",
            "seo",
            "settings",
            "docusaurus",
            "nuxt",
            "app",
            "consts",
            "meta",
            "gatsby-config",
            "global",
            "globals",
            "website",
            "info",
            "general",
        ];
        let mut hits: Vec<(usize, usize, Hit)> = Vec::new();
        for path in &self.site.files {
            let stem = super::super::site::stem(path).to_lowercase();
            if !stems.contains(&stem.as_str())
                || !(self.content_file(path) || path.contains("config"))
            {
                continue;
            }
            let Some(doc) = self.site.doc(path) else {
                continue;
            };
            for node in 0..doc.nodes.len() {
                if doc.node(node).kind != Kind::Scalar {
                    continue;
                }
                let pair = doc.node(doc.node(node).parent);
                let Some(rank) = (pair.kind == Kind::Pair)
                    .then(|| {
                        keys.iter().position(|key| {
                            pair.name.eq_ignore_ascii_case(key)
                                || pair.name.eq_ignore_ascii_case(&format!("site{key}"))
                                || pair.name.eq_ignore_ascii_case(&format!("site_{key}"))
                        })
                    })
                    .flatten()
                else {
                    continue;
                };
                let outer: Vec<String> = doc
                    .ancestors(node)
                    .map(|up| doc.node(up))
                    .filter(|up| up.kind == Kind::Pair)
                    .map(|up| up.name.clone())
                    .skip(1)
                    .collect();
                let siteish = outer.iter().all(|name| {
                    let lower = name.to_lowercase();
                    matches!(
                        lower.as_str(),
                        "site"
                            | "default"
                            | "metadata"
                            | "sitemetadata"
                            | "config"
                            | "siteconfig"
                            | "seo"
                            | "meta"
                            | "languages"
                            | "en"
                            | "en-us"
                            | ""
                    ) || lower.starts_with("site")
                });
                let app_config = stem == "app" && path.contains("app.config") && outer.len() == 1;
                if !siteish && !app_config {
                    continue;
                }
                let hit = Hit::whole(&doc, node, self.seen(&doc, node, &[]));
                if scope
                    .places
                    .iter()
                    .all(|place| super::names::in_place(self, place, &hit, None).is_some())
                {
                    hits.push((rank, outer.len(), hit));
                }
            }
        }
        let Some(best) = hits.iter().map(|(rank, depth, _)| (*rank, *depth)).min() else {
            return Vec::new();
        };
        hits.retain(|(rank, depth, _)| (*rank, *depth) == best);
        hits.into_iter().map(|(.., hit)| hit).collect()
    }

    fn meta_description(&self, scope: &Scope) -> Result<Vec<Hit>, Refusal> {
        let mut out = Vec::new();
        let mut candidates = Vec::new();
        for view in self.home(scope) {
            if let Some(page) = view.page
                && let Some(doc) = self.site.doc(&self.site.pages()[page].file)
            {
                let front = doc
                    .front
                    .and_then(|front| doc.get(front, "description"))
                    .filter(|value| doc.node(*value).kind == Kind::Scalar);
                let exported = (0..doc.nodes.len()).find_map(|id| {
                    let node = doc.node(id);
                    (node.kind == Kind::Pair && matches!(node.name.as_str(), "metadata" | "head"))
                        .then(|| node.children.first().copied())
                        .flatten()
                        .filter(|object| doc.node(*object).kind == Kind::Object)
                        .and_then(|object| doc.get(object, "description"))
                        .filter(|value| doc.node(*value).kind == Kind::Scalar)
                });
                if let Some(node) = front.or(exported) {
                    out.push(Hit::whole(
                        &doc,
                        node,
                        self.seen(&doc, node, std::slice::from_ref(&view)),
                    ));
                    continue;
                }
            }
            let meta = view.below(0).into_iter().find(|id| {
                view.nodes[*id].tag == "meta"
                    && view.attr(*id, "name").as_deref() == Some("description")
            });
            let Some(id) = meta else { continue };
            let Some((_, pieces)) = view.nodes[id]
                .attrs
                .iter()
                .find(|(name, _)| name == "content")
            else {
                continue;
            };
            if let [Piece::Lit(doc, node)] = pieces.as_slice() {
                let seen = Seen {
                    view: view.clone(),
                    at: id,
                    attr: Some("content".into()),
                };
                out.push(Hit::whole(doc, *node, vec![seen]));
            } else {
                let node = &view.nodes[id];
                candidates.push(candidate(&node.doc, node.doc.node(node.node).span.clone()));
            }
        }
        super::unique(&mut out);
        if out.is_empty() {
            for values in [
                self.head_value("description"),
                self.site_value(&["description"], scope),
            ] {
                if values.len() == 1 {
                    return Ok(values);
                }
            }
            return Err(not_found("the page has no meta description").candidates(candidates));
        }
        Ok(out)
    }

    /// The copyright notice, or its year.
    fn copyright(&self, year: bool, mods: &[String], scope: &Scope) -> Result<Vec<Hit>, Refusal> {
        let mut out: Vec<Hit> = Vec::new();
        let mut computed: Vec<Candidate> = Vec::new();
        let mut footers: Vec<Candidate> = Vec::new();
        let mut notices: Vec<(Arc<View>, ViewId)> = Vec::new();
        for view in &scope.views {
            for id in super::element::named(view, &["footer".to_owned()]) {
                let node = &view.nodes[id];
                let found = candidate(&node.doc, node.doc.node(node.node).span.clone());
                if !footers.contains(&found) {
                    footers.push(found);
                }
            }
            for id in view.below(0) {
                let node = &view.nodes[id];
                if node.text.is_empty() || view.up(id).any(|up| view.nodes[up].tag == "head") {
                    continue;
                }
                let notice = node.text.iter().any(|piece| match piece {
                    Piece::Lit(doc, node) => is_notice(&doc.text(*node)),
                    Piece::Gap(..) => false,
                });
                if notice {
                    notices.push((view.clone(), view.nodes[id].parent));
                }
            }
        }
        let _ = mods;
        for (view, parent) in &notices {
            for text in view.texts(*parent) {
                for piece in &view.nodes[text].text {
                    match piece {
                        Piece::Gap(doc, span) if year && computes_date(&followed(doc, span)) => {
                            note(&mut computed, candidate(doc, definition(doc, span)));
                        }
                        Piece::Lit(doc, node) => {
                            let shown = doc.text(*node);
                            let seen = Seen {
                                view: view.clone(),
                                at: text,
                                attr: None,
                            };
                            if year {
                                if let Some(span) = year_in(doc, *node) {
                                    out.push(Hit {
                                        doc: doc.clone(),
                                        node: *node,
                                        span,
                                        whole: false,
                                        part: false,
                                        seen: vec![seen],
                                    });
                                }
                            } else if is_notice(&shown) {
                                out.push(Hit::whole(doc, *node, vec![seen]));
                            }
                        }
                        Piece::Gap(..) => {}
                    }
                }
            }
        }
        super::unique(&mut out);
        if year && !computed.is_empty() {
            return Err(Refusal::new(
                RefusalReason::Computed,
                "the year is computed when the page is made, so it changes by itself",
            )
            .hint("replace the computation in the code when it should be a fixed year")
            .candidates(computed));
        }
        if !year {
            for (view, parent) in &notices {
                let texts = view.texts(*parent);
                let gaps = texts.iter().any(|text| {
                    view.nodes[*text]
                        .text
                        .iter()
                        .any(|piece| matches!(piece, Piece::Gap(..)))
                });
                if texts.len() > 1 || gaps {
                    return Err(mixed("the copyright notice", view, *parent));
                }
            }
        }
        if out.is_empty() {
            // Data and code that hold the notice, though no page shows it in a way that can be followed.
            let files: Vec<String> = self
                .site
                .files
                .iter()
                .filter(|path| self.content_file(path))
                .cloned()
                .collect();
            for path in files {
                let Some(doc) = self.site.doc(&path) else {
                    continue;
                };
                for node in 0..doc.nodes.len() {
                    let this = doc.node(node);
                    if !matches!(this.kind, Kind::Scalar | Kind::Text)
                        || !super::readable(&doc, node)
                    {
                        continue;
                    }
                    let footer = path.to_lowercase().contains("footer")
                        || doc.ancestors(node).any(|up| {
                            doc.node(up).name.to_lowercase().contains("footer")
                                || doc.node(up).name.to_lowercase().contains("copyright")
                        });
                    if !footer || !is_notice(&doc.text(node)) {
                        continue;
                    }
                    let siblings = doc.node(this.parent).children.clone();
                    let calc = siblings.iter().any(|id| {
                        doc.node(*id).kind == Kind::Expr
                            && computes_date(doc.raw(doc.node(*id).span.clone()))
                    }) || computes_date(doc.raw(doc.node(this.parent).span.clone()));
                    if year && calc {
                        note(
                            &mut computed,
                            candidate(&doc, doc.node(this.parent).span.clone()),
                        );
                    } else if year {
                        if let Some(span) = year_in(&doc, node) {
                            out.push(Hit {
                                doc: doc.clone(),
                                node,
                                span,
                                whole: false,
                                part: false,
                                seen: Vec::new(),
                            });
                        }
                    } else {
                        out.push(Hit::whole(&doc, node, Vec::new()));
                    }
                }
            }
            if !computed.is_empty() {
                return Err(Refusal::new(
                    RefusalReason::Computed,
                    "the year is computed when the page is made, so it changes by itself",
                )
                .candidates(computed));
            }
        }
        super::unique(&mut out);
        if out.is_empty() {
            // A footer that computes a year without a sign before it.
            for view in &scope.views {
                for id in super::element::named(view, &["footer".to_owned()]) {
                    for text in view.texts(id) {
                        for piece in &view.nodes[text].text {
                            if let Piece::Gap(doc, span) = piece
                                && computes_date(&followed(doc, span))
                            {
                                return Err(Refusal::new(RefusalReason::Computed, "the year is computed when the page is made, so it changes by itself")
                                    .candidates(vec![candidate(doc, definition(doc, span))]));
                            }
                        }
                    }
                }
            }
            let message = if footers.is_empty() {
                "the site has no footer and no copyright notice"
            } else {
                "the footer has no copyright notice"
            };
            return Err(not_found(message).candidates(footers));
        }
        Ok(out)
    }

    /// The text that stands for an image.
    fn alt(
        &self,
        mods: &[String],
        phrase: &Phrase,
        scope: &Scope,
    ) -> Result<Option<Vec<Hit>>, Refusal> {
        let _ = phrase;
        let rest: Vec<String> = mods
            .iter()
            .filter(|word| {
                !equal(word, "image") && !equal(word, "picture") && !equal(word, "photo")
            })
            .cloned()
            .collect();
        let mut out: Vec<Hit> = Vec::new();
        for view in &scope.views {
            for (doc, node, at, attr) in view.literals() {
                let is_alt = attr.as_deref() == Some("alt")
                    || super::role::key(&doc, node).as_deref() == Some("alt");
                if !is_alt {
                    continue;
                }
                let seen = Seen {
                    view: view.clone(),
                    at,
                    attr,
                };
                let hit = Hit::whole(&doc, node, vec![seen.clone()]);
                let alt = folded(&doc.text(node));
                let src = view
                    .attr(at, "src")
                    .map(|src| folded(&src))
                    .unwrap_or_default();
                let by_text = !rest.is_empty()
                    && rest
                        .iter()
                        .all(|word| alt.contains(word.as_str()) || src.contains(word.as_str()));
                // "the alt text of the camera icon": the picture is known by its own words.
                let own = |words: &[String]| {
                    let plain = |word: &&String| {
                        !matches!(
                            word.as_str(),
                            "image" | "picture" | "photo" | "icon" | "logo"
                        )
                    };
                    let words: Vec<&String> = words.iter().filter(plain).collect();
                    !words.is_empty()
                        && words
                            .iter()
                            .all(|word| alt.contains(word.as_str()) || src.contains(word.as_str()))
                };
                let placed = scope.places.iter().all(|place| {
                    own(&place.words)
                        || super::names::in_place(self, place, &hit, Some(&seen)).is_some()
                });
                if placed
                    && (rest.is_empty()
                        || by_text
                        || super::names::explain(self, &rest, &hit, Some(&seen)).is_some())
                {
                    out.push(hit);
                }
            }
        }
        super::unique(&mut out);
        if let Some(ordinal) = phrase.ordinal
            && let Some(at) = usize::try_from(ordinal - 1).ok()
        {
            out = out.into_iter().skip(at).take(1).collect();
        }
        Ok(Some(out))
    }

    /// "the footer text": all the text there is, when it is one.
    fn all_text(
        &self,
        mods: &[String],
        phrase: &Phrase,
        scope: &Scope,
    ) -> Result<Option<Vec<Hit>>, Refusal> {
        if mods.is_empty() && scope.places.is_empty() {
            return Ok(None);
        }
        let keyed = self.by_key(&scope.words, phrase, scope);
        if keyed.len() == 1 {
            return Ok(Some(keyed));
        }
        let mut words: Vec<String> = mods.to_vec();
        words.extend(scope.places.iter().flat_map(|place| place.words.clone()));
        let mut out: Vec<Hit> = Vec::new();
        let mut candidates = Vec::new();
        let mut gap = false;
        for view in &scope.views {
            for id in super::element::named(view, &words).into_iter().take(1) {
                for text in view.texts(id) {
                    for piece in &view.nodes[text].text {
                        match piece {
                            Piece::Lit(doc, node) => {
                                let seen = Seen {
                                    view: view.clone(),
                                    at: text,
                                    attr: None,
                                };
                                let hit = Hit::whole(doc, *node, vec![seen]);
                                candidates.push(hit.candidate());
                                out.push(hit);
                            }
                            Piece::Gap(doc, span) => {
                                gap = true;
                                candidates.push(candidate(doc, span.clone()));
                            }
                        }
                    }
                }
            }
        }
        super::unique(&mut out);
        candidates.dedup();
        let mut shown: Vec<Candidate> = Vec::new();
        for found in candidates {
            if !shown.contains(&found) {
                shown.push(found);
            }
        }
        if gap && out.len() <= 1 {
            return Err(Refusal::new(
                RefusalReason::Mixed,
                "the text there is put together by the template; say which part to change",
            )
            .candidates(shown));
        }
        if out.is_empty() {
            return Ok(None);
        }
        Ok(Some(out))
    }

    /// "Rename the about page": the title in its front matter, or the page's own.
    pub fn page_title(&self, phrase: &Phrase, scope: &Scope) -> Result<Option<Vec<Hit>>, Refusal> {
        let nouns = ["page", "post", "article", "entry", "document", "doc"];
        let Some(at) = scope
            .words
            .iter()
            .position(|word| nouns.contains(&word.as_str()))
        else {
            return Ok(None);
        };
        let mut words: Vec<String> = scope
            .words
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != at)
            .map(|(_, word)| word.clone())
            .collect();
        let ordinals = [
            "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
            "tenth",
        ];
        if let Some(ordinal) = phrase.ordinal
            && let Some(word) = usize::try_from(ordinal - 1)
                .ok()
                .and_then(|at| ordinals.get(at))
        {
            words.insert(0, (*word).to_owned());
        }
        if words.is_empty() {
            return Ok(None);
        }
        let super::page::Pages::Some(pages) = self.pages_named(&words) else {
            return Ok(None);
        };
        let views: Vec<Arc<View>> = pages.iter().map(|page| self.site.view(*page)).collect();
        let inner = Scope {
            views,
            paged: true,
            pages,
            ..scope.clone()
        };
        self.page_titles(&inner).map(Some)
    }
}

/// Whether a text is a copyright notice.
pub fn is_notice(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains('©')
        || lower.contains("copyright")
        || lower.contains("(c) ")
        || lower.contains("all rights reserved")
}

/// The year in a literal: its bytes.
pub fn year_in(doc: &Doc, node: NodeId) -> Option<std::ops::Range<usize>> {
    let inner = doc.node(node).inner.clone();
    let raw = doc.raw(inner.clone());
    let bytes = raw.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes[at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 4 && (raw[at..].starts_with("19") || raw[at..].starts_with("20")) {
            found.push(inner.start + at..inner.start + at + 4);
        }
        at += digits.max(1);
    }
    // "2019–2023": the last is the one that moves.
    found.pop()
}

/// The code of a gap, with what the names in it stand for in the same file.
fn followed(doc: &Doc, span: &std::ops::Range<usize>) -> String {
    let code = doc.raw(span.clone()).to_owned();
    let mut out = code.clone();
    for word in code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')) {
        if word.is_empty() {
            continue;
        }
        if let Some(bound) = doc.bindings.get(word) {
            out.push(' ');
            out.push_str(doc.raw(bound.span.clone()));
        }
        for (id, node) in doc.nodes.iter().enumerate() {
            if node.kind == Kind::Pair && node.name == word && id != 0 {
                let raw = doc.raw(node.span.clone());
                if raw.len() < 200 {
                    out.push(' ');
                    out.push_str(raw);
                }
            }
        }
    }
    out
}

/// Where a gap's value is computed.
fn definition(doc: &Doc, span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let code = doc.raw(span.clone());
    if computes_date(code) {
        return span.clone();
    }
    for word in code.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
        for node in &doc.nodes {
            if node.kind == Kind::Pair
                && node.name == word
                && !word.is_empty()
                && computes_date(doc.raw(node.span.clone()))
            {
                return node.span.clone();
            }
        }
    }
    span.clone()
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

fn note(list: &mut Vec<Candidate>, found: Candidate) {
    if !list.contains(&found) {
        list.push(found);
    }
}
