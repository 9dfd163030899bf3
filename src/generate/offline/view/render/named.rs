//! What a router puts into a view with a name: `<router-view name="footer">`.

use super::*;
use crate::generate::offline::site::pages::component_file;

impl Render<'_> {
    /// The component that the route of the shown page names for a view: `components: { default: Home, footer: Footer }`.
    pub(super) fn named_view(&self, view: &str, env: &Env) -> Option<Val> {
        let app = self.eval.app?;
        let site = self.eval.site;
        let page = match self.eval.name("$page", env) {
            Some(Val::File(page)) => Some(page.path.clone()),
            _ => None,
        };
        let scripts = site.under(&app.root).filter(|path| {
            [".js", ".ts"].iter().any(|end| path.ends_with(end))
                && site
                    .text(path)
                    .is_some_and(|text| text.contains("vue-router") && text.contains("components"))
        });
        for path in scripts {
            let Some(doc) = site.doc(path) else { continue };
            for node in &doc.nodes {
                let Some(views) = node
                    .children
                    .first()
                    .filter(|_| node.kind == Kind::Pair && node.name == "components")
                else {
                    continue;
                };
                let file = |name: &str| component_file(site, app, &doc, doc.get(*views, name)?);
                if let Some(found) = file(view)
                    && (page.is_none() || file("default") == page)
                {
                    return site.doc(&found).map(Val::File);
                }
            }
        }
        None
    }
}
