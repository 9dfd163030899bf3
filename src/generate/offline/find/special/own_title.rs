//! The title that a page gives itself.

use super::*;

impl Finder<'_> {
    /// A page's own title: front matter, exported metadata, a router's meta, a head component.
    pub(super) fn own_title(&self, page: usize, view: &Arc<View>) -> Option<Hit> {
        let doc = self.site.doc(&self.site.pages()[page].file)?;
        let own = front_title(&doc)
            .filter(|_| doc.front.is_some())
            .or_else(|| in_head(&doc))
            .or_else(|| in_metadata(&doc))
            .or_else(|| of_component(&doc));
        let (doc, node) = match own {
            Some(node) => (doc, node),
            None => self.in_router(page)?,
        };
        let seen = self.seen(&doc, node, std::slice::from_ref(view));
        Some(Hit::whole(&doc, node, seen))
    }

    /// In a router's table: the route's own `meta: { title }` or `title`.
    fn in_router(&self, page: usize) -> Option<(Arc<Doc>, NodeId)> {
        let page = &self.site.pages()[page];
        let app = &self.site.apps[page.app];
        if !matches!(app.framework, Framework::Vue | Framework::React) {
            return None;
        }
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
                if route.as_deref() != Some(page.route.as_str()) {
                    continue;
                }
                let meta = table
                    .get(id, "meta")
                    .and_then(|meta| table.get(meta, "title"));
                let title = meta
                    .or_else(|| table.get(id, "title"))
                    .filter(|value| table.node(*value).kind == Kind::Scalar);
                if let Some(title) = title {
                    return Some((table, title));
                }
            }
        }
        None
    }
}

/// In `<svelte:head>`, `<Head>`, `<Helmet>` of the page itself.
fn in_head(doc: &Doc) -> Option<NodeId> {
    let id = (0..doc.nodes.len()).find(|id| {
        let node = doc.node(*id);
        node.kind == Kind::Element
            && node.name == "title"
            && !doc.ancestors(*id).any(|up| doc.node(up).name == "svg")
    })?;
    let texts: Vec<NodeId> = doc
        .descendants(id)
        .into_iter()
        .filter(|at| matches!(doc.node(*at).kind, Kind::Text | Kind::Scalar | Kind::Expr))
        .collect();
    match texts.as_slice() {
        [one] if doc.node(*one).kind == Kind::Text => Some(*one),
        _ => None,
    }
}

/// `metadata.title`, `useHead({ title })`, `head: { title }`, `definePageMeta({ title })`.
fn in_metadata(doc: &Doc) -> Option<NodeId> {
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
            return Some(value);
        }
    }
    None
}

/// `<SEO title="…">`, `<Layout title="…">` around the page.
fn of_component(doc: &Doc) -> Option<NodeId> {
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
    match props.as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}
