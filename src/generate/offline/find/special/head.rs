//! What Next.js puts into the head of a page: the metadata of the page and of the layouts around it.

use super::*;
use crate::generate::offline::site::folder;
use crate::generate::offline::view::eval::{Eval, Val};

impl Finder<'_> {
    /// A value of a page's exported metadata; for the home page also that of the layouts around it.
    pub(super) fn metadata(&self, page: usize, view: &Arc<View>, key: &str) -> Option<Hit> {
        let info = &self.site.pages()[page];
        let app = &self.site.apps[info.app];
        if app.framework != Framework::Next {
            return None;
        }
        let mut files = vec![info.file.clone()];
        if info.route == "/" {
            let mut at = folder(&info.file).to_owned();
            loop {
                files.extend(
                    ["tsx", "jsx", "js", "ts"]
                        .iter()
                        .map(|end| format!("{at}layout.{end}"))
                        .filter(|path| self.site.has(path)),
                );
                if at.is_empty() || at == app.root {
                    break;
                }
                at = folder(at.trim_end_matches('/')).to_owned();
            }
        }
        let eval = Eval::new(self.site, Some(app));
        files.iter().find_map(|path| {
            let doc = self.site.doc(path)?;
            let metadata = eval.exported(&doc, "metadata")?;
            let value = eval.get(&metadata, key)?;
            let value = match eval.get(&value, "default") {
                Some(inner @ Val::Lit(..)) => inner,
                _ => value,
            };
            let Val::Lit(doc, node) = value else {
                return None;
            };
            Some(Hit::whole(
                &doc,
                node,
                self.seen(&doc, node, std::slice::from_ref(view)),
            ))
        })
    }

    /// What a page gives its layout or head component: `<Layout description="…">`.
    pub(super) fn layout_value(&self, page: usize, view: &Arc<View>, key: &str) -> Option<Hit> {
        let doc = self.site.doc(&self.site.pages()[page].file)?;
        let mut found = (0..doc.nodes.len()).filter_map(|id| {
            let node = doc.node(id);
            let name = node.name.to_lowercase();
            let frame = node.kind == Kind::Element
                && node.name.starts_with(char::is_uppercase)
                && ([
                    "seo", "head", "helmet", "meta", "metadata", "nextseo", "base",
                ]
                .contains(&name.as_str())
                    || name.ends_with("layout"));
            let value = *doc
                .node(doc.attr(id, key).filter(|_| frame)?)
                .children
                .first()?;
            (doc.node(value).kind == Kind::Text).then_some(value)
        });
        let value = found.next()?;
        found.next().is_none().then(|| {
            Hit::whole(
                &doc,
                value,
                self.seen(&doc, value, std::slice::from_ref(view)),
            )
        })
    }
}
