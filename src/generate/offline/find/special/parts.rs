//! Parts of a page that have a name of their own.

use super::*;

impl Finder<'_> {
    /// The line below the headline.
    pub(super) fn tagline(
        &self,
        _mods: &[String],
        _phrase: &Phrase,
        scope: &Scope,
    ) -> Result<Option<Vec<Hit>>, Refusal> {
        let mut keyed: Vec<Hit> = Vec::new();
        let mut found: Vec<Hit> = Vec::new();
        let mut problem = None;
        for view in self.home(scope) {
            if let Some(hero) = library_hero(&view) {
                let parts = ["description", "subtitle", "tagline"];
                if let Some(id) = slot_of(&view, hero, &parts) {
                    found.push(sole_text(&view, id, "the tagline")?);
                    continue;
                }
                if let Some(hit) = property_of(&view, hero, &parts) {
                    found.push(hit);
                    continue;
                }
            }
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
                        if super::super::role::fit(Role::Tagline, &hit, Some(&seen)) >= 2 {
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
                match sole_text(&view, id, "the tagline") {
                    Ok(hit) => found.push(hit),
                    Err(refusal) => problem = problem.or(Some(refusal)),
                }
            }
        }
        super::super::unique(&mut keyed);
        if keyed.len() == 1 {
            return Ok(Some(keyed));
        }
        if let Some(problem) = problem {
            return Err(problem);
        }
        super::super::unique(&mut found);
        Ok((!found.is_empty()).then_some(found))
    }

    /// The title of a page in the browser, of the site, or of an entry.
    pub(super) fn title(
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
            super::super::unique(&mut own);
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
                && let super::super::page::Pages::Some(pages) = self.pages_named(&rest)
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

    /// Whether a literal of a page other than the home page is what the home page shows too, in the site's own
    /// configuration or shell.
    pub(super) fn shared(&self, view: &Arc<View>, hit: &Hit) -> bool {
        let Some(page) = view.page else { return false };
        let pages = self.site.pages();
        if pages[page].route == "/" || hit.doc.path == pages[page].file {
            return false;
        }
        let home = (0..pages.len())
            .find(|at| pages[*at].route == "/" && pages[*at].app == pages[page].app);
        home.is_some_and(|home| {
            self.site
                .view(home)
                .places(&hit.doc, hit.node)
                .iter()
                .any(|(_, attr)| attr.is_none())
        })
    }

    /// The titles of the pages in scope.
    pub fn page_titles(&self, scope: &Scope) -> Result<Vec<Hit>, Refusal> {
        let mut out = Vec::new();
        let mut problem = None;
        for view in self.home(scope) {
            let page = view.page;
            if let Some(page) = page
                && let Some(found) = self
                    .own_title(page, &view)
                    .or_else(|| self.metadata(page, &view, "title"))
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
                    Ok(hit) if self.shared(&view, &hit) => {
                        problem = Some(
                            not_found("the page has no title of its own")
                                .candidates(vec![hit.candidate()]),
                        );
                    }
                    Ok(hit) => out.push(hit),
                    Err(refusal) => problem = Some(refusal),
                },
                None if seo_value(&view, "title").is_some() => {
                    out.extend(seo_value(&view, "title"));
                }
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
        super::super::unique(&mut out);
        match (out.is_empty(), problem) {
            (true, Some(problem)) => Err(problem),
            _ => Ok(out),
        }
    }

    /// A page's own title: front matter, exported metadata, a router's meta, a head component.
    pub(super) fn own_title(&self, page: usize, view: &Arc<View>) -> Option<Hit> {
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
    pub(in crate::generate::offline::find) fn head_value(&self, key: &str) -> Vec<Hit> {
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
        super::super::unique(&mut out);
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
            "appconfig",
            "app-config",
            "sitedata",
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
            let stem = super::super::super::site::stem(path).to_lowercase();
            if !stems.contains(&stem.as_str())
                || !(self.content_file(path) || path.contains("config"))
            {
                continue;
            }
            let Some(doc) = self.site.doc(path) else {
                continue;
            };
            // A page that is called so is no configuration.
            if doc.front.is_some() || doc.lang == Lang::Markdown {
                continue;
            }
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
                    .all(|place| super::super::names::in_place(self, place, &hit, None).is_some())
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
}
