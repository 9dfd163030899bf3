//! Values of a site's own settings.

use super::*;

impl Finder<'_> {
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
            // What a component calls itself is no setting.
            let component = [".vue", ".svelte", ".astro"]
                .iter()
                .any(|end| path.ends_with(end));
            if component
                || !stems.contains(&stem.as_str())
                || !(self.content_file(path) || stem.contains("config"))
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
