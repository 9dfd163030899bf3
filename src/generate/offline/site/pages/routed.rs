//! Pages that a router names: tables of routes and `<Route>` elements.

use super::super::resolve;
use super::*;
use crate::generate::offline::doc::{ExKind, NodeId};

/// Pages of a router table: `{ path: "/about", component: About }` and `<Route path="/about" element={<About/>}>`.
pub(super) fn routed(site: &Site, app: &App, out: &mut Vec<(String, String, bool)>) {
    for path in site.under(&app.root) {
        let script = [".js", ".jsx", ".ts", ".tsx"]
            .iter()
            .any(|extension| path.ends_with(extension));
        if !script {
            continue;
        }
        let Some(text) = site.text(path) else {
            continue;
        };
        let routes = text.contains("<Route")
            || text.contains("createRouter")
            || text.contains("VueRouter")
            || text.contains("createBrowserRouter")
            || text.contains("RouteRecordRaw")
            || text.contains("useRoutes")
            || (text.contains("vue-router") && text.contains("new Router("));
        if !routes {
            continue;
        }
        let Some(doc) = site.doc(path) else { continue };
        for (id, node) in doc.nodes.iter().enumerate() {
            let route = match node.kind {
                Kind::Object => doc.get(id, "path").map(|value| doc.text(value)),
                Kind::Element if node.name == "Route" => doc
                    .attr_text(id, "path")
                    .or_else(|| doc.attr(id, "index").map(|_| "/".to_owned())),
                _ => None,
            };
            let Some(route) = route else { continue };
            let Some(file) = routed_file(site, app, &doc, id) else {
                continue;
            };
            let route = if route.starts_with('/') {
                route
            } else {
                format!("/{route}")
            };
            out.push((route, file, false));
        }
    }
}

fn routed_file(site: &Site, app: &App, doc: &Doc, id: usize) -> Option<String> {
    // Of several views of a route, the one without a name is its page.
    if let Some(views) = doc.get(id, "components")
        && doc.node(views).kind == Kind::Object
    {
        let page = doc.get(views, "default")?;
        return component_file(site, app, doc, page);
    }
    // The component by its imported name, or a lazy import within.
    let span = doc.node(id).span.clone();
    let raw = doc.raw(span);
    for at in doc.descendants(id) {
        let node = doc.node(at);
        let name = match (&node.kind, node.ex.as_deref().map(|ex| &ex.kind)) {
            (Kind::Element, _) => node.name.clone(),
            (Kind::Expr, Some(ExKind::Name(name))) => name.clone(),
            _ => continue,
        };
        let import = doc.imports.iter().find(|import| import.local == name);
        if let Some(import) = import
            && let Some(found) = resolve::import(site, Some(app), &doc.path, &import.source)
        {
            return Some(found);
        }
        // `const About = lazy(() => import("./About"))`
        if let Some(found) = lazy(site, app, doc, &name) {
            return Some(found);
        }
    }
    let at = raw.find("import(")? + "import(".len();
    let source = raw[at..].split(['"', '\'', '`']).nth(1)?;
    resolve::import(site, Some(app), &doc.path, source)
}

/// The file of a component that a route names: `Home`, or `() => import("./Home.vue")`.
pub fn component_file(site: &Site, app: &App, doc: &Doc, value: NodeId) -> Option<String> {
    let node = doc.node(value);
    let raw = doc.raw(node.span.clone());
    if let Some(at) = raw.find("import(") {
        let source = raw[at..].split(['"', '\'', '`']).nth(1)?;
        return resolve::import(site, Some(app), &doc.path, source);
    }
    let name = raw.trim();
    let import = doc.imports.iter().find(|import| import.local == name);
    match import {
        Some(import) => resolve::import(site, Some(app), &doc.path, &import.source),
        None => lazy(site, app, doc, name),
    }
}

fn lazy(site: &Site, app: &App, doc: &Doc, name: &str) -> Option<String> {
    let bound = doc.bindings.get(name)?;
    let raw = doc.raw(bound.span.clone());
    let at = raw.find("import(")? + "import(".len();
    let source = raw[at..].split(['"', '\'', '`']).nth(1)?;
    resolve::import(site, Some(app), &doc.path, source)
}
