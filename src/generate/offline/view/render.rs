//! From a page's file to its view.

mod markup;
mod named;
mod template;

use std::collections::HashMap;
use std::sync::Arc;

use super::context::{self, Context};
use super::eval::{Env, Eval, Frame, Val};
use super::{Piece, View, ViewId, ViewNode};
use crate::generate::offline::doc::{Doc, ExKind, Kind, Lang, NodeId};
use crate::generate::offline::site::{Framework, Page, Site, folder, resolve};
use crate::generate::offline::text::Host;

const NODES: usize = 30_000;

/// Renders a page with everything around it.
pub fn page(site: &Site, number: usize, page: &Page) -> View {
    let app = &site.apps[page.app];
    let Some(doc) = site.doc(&page.file) else {
        // A page that cannot be read shows nothing.
        let blank = Arc::new(Doc::new(&page.file, Lang::Html, Arc::from("")));
        let blank = Render::new(Eval::new(site, Some(app)), blank);
        return View::new(blank.nodes, Some(number));
    };
    let mut render = Render::new(Eval::new(site, Some(app)), doc.clone());
    render.page = doc.clone();
    let content = Val::File(doc.clone());
    match app.framework {
        Framework::Jekyll | Framework::Eleventy => render.layered(&doc),
        Framework::Hugo => render.hugo(page, &doc),
        Framework::Next => render.next(page, &doc),
        Framework::Svelte => render.svelte(page, &doc),
        Framework::Vue | Framework::Nuxt | Framework::React => render.single(page, content),
        _ => render.file(&doc, HashMap::new(), HashMap::new(), 0),
    }
    View::new(render.nodes, Some(number))
}

/// Renders one file alone, as it is written.
pub fn alone(site: &Site, doc: &Arc<Doc>) -> View {
    let app = site.app(&doc.path).map(|app| &site.apps[app]);
    let mut render = Render::new(Eval::new(site, app), doc.clone());
    render.shallow = true;
    let roots = doc.nodes[0].children.clone();
    let env = Frame::module(doc);
    render.nodes_of(doc, &roots, &env, 0);
    View::new(render.nodes, None)
}

pub(super) struct Render<'s> {
    pub(super) eval: Eval<'s>,
    pub(super) nodes: Vec<ViewNode>,
    pub(super) page: Arc<Doc>,
    depth: usize,
    /// Components and includes stay closed: one file as it is written.
    shallow: bool,
}

type Named = HashMap<String, Val>;

impl<'s> Render<'s> {
    fn new(eval: Eval<'s>, doc: Arc<Doc>) -> Self {
        let root = ViewNode {
            parent: 0,
            children: Vec::new(),
            tag: String::new(),
            component: false,
            doc: doc.clone(),
            node: 0,
            attrs: Vec::new(),
            text: Vec::new(),
            repeated: false,
        };
        Self {
            eval,
            nodes: vec![root],
            page: doc,
            depth: 0,
            shallow: false,
        }
    }

    fn push(
        &mut self,
        parent: ViewId,
        tag: &str,
        component: bool,
        doc: &Arc<Doc>,
        node: NodeId,
    ) -> ViewId {
        let id = self.nodes.len();
        self.nodes.push(ViewNode {
            parent,
            children: Vec::new(),
            tag: tag.to_owned(),
            component,
            doc: doc.clone(),
            node,
            attrs: Vec::new(),
            text: Vec::new(),
            repeated: false,
        });
        self.nodes[parent].children.push(id);
        id
    }

    fn text(&mut self, parent: ViewId, doc: &Arc<Doc>, node: NodeId, pieces: Vec<Piece>) {
        let blank = |piece: &Piece| match piece {
            Piece::Lit(doc, id) => {
                let text = doc.text(*id);
                let word = matches!(text.as_str(), "true" | "false" | "null");
                text.is_empty() || (word && doc.node(*id).host == Host::Bare)
            }
            Piece::Gap(..) => false,
        };
        if pieces.iter().all(blank) {
            return;
        }
        let id = self.push(parent, "", false, doc, node);
        self.nodes[id].text = pieces;
    }

    /// A page whose layouts are named in front matter.
    fn layered(&mut self, doc: &Arc<Doc>) {
        let app = self.eval.app;
        let mut chain = vec![doc.clone()];
        while chain.len() < 8 {
            let Some(last) = chain.last().cloned() else {
                break;
            };
            let Some(app) = app else { break };
            let named = last
                .front
                .and_then(|front| last.get(front, "layout"))
                .map(|id| last.text(id));
            let named = named.or_else(|| {
                (chain.len() == 1)
                    .then(|| self.default_layout(&last))
                    .flatten()
            });
            let Some(path) =
                named.and_then(|name| resolve::template(self.eval.site, app, &last.path, &name))
            else {
                break;
            };
            match self.eval.site.doc(&path) {
                Some(next) if !chain.iter().any(|known| known.path == next.path) => {
                    chain.push(next)
                }
                _ => break,
            }
        }
        let mut content: Option<Val> = None;
        while let Some(outer) = chain.first().cloned() {
            // Innermost first: each becomes the content of the next.
            chain.remove(0);
            let mut vars = Named::new();
            if let Some(content) = content.take() {
                vars.insert("content".to_owned(), content);
            }
            let with: Vec<Val> = [context::front(doc), context::front(&outer)]
                .into_iter()
                .flatten()
                .collect();
            let env = Arc::new(Frame {
                doc: outer.clone(),
                vars,
                func: None,
                with,
                parent: None,
            });
            if chain.is_empty() {
                let roots = outer.nodes[0].children.clone();
                self.nodes_of(&outer, &roots, &env, 0);
                return;
            }
            content = Some(Val::Markup(
                outer.clone(),
                outer.nodes[0].children.clone(),
                env,
            ));
        }
    }

    /// The layout a page gets without naming one.
    fn default_layout(&self, doc: &Doc) -> Option<String> {
        let app = self.eval.app?;
        if app.framework == Framework::Jekyll {
            return None;
        }
        // Eleventy: `folder/folder.11tydata.js` or `.json` above the page.
        let mut at = folder(&doc.path).to_owned();
        while at.len() >= app.root.len() && !at.is_empty() {
            let name = at
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned();
            for ending in [
                ".11tydata.js",
                ".11tydata.json",
                ".json",
                ".11tydata.cjs",
                ".11tydata.mjs",
            ] {
                if let Some(data) = self.eval.site.doc(&format!("{at}{name}{ending}"))
                    && let Some(value) = self.eval.exported(&data, "default")
                    && let Some(Val::Lit(doc, id)) = self.eval.get(&value, "layout")
                {
                    return Some(doc.text(id));
                }
            }
            at = folder(at.trim_end_matches('/')).to_owned();
        }
        None
    }

    fn hugo(&mut self, page: &Page, doc: &Arc<Doc>) {
        let Some(app) = self.eval.app else { return };
        if !page.file.contains("content/") {
            let blocks = self.blocks(doc);
            return self.hugo_base(doc, blocks, None);
        }
        let section = page
            .route
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let list = page.file.contains("_index.");
        let names: Vec<String> = if page.route == "/" {
            [
                "index",
                "home",
                "_default/home",
                "_default/index",
                "_default/list",
                "list",
            ]
            .map(str::to_owned)
            .to_vec()
        } else if list {
            vec![
                format!("{section}/list"),
                format!("section/{section}"),
                format!("{section}"),
                "_default/section".into(),
                "_default/list".into(),
                "list".into(),
                "section".into(),
            ]
        } else {
            vec![
                format!("{section}/single"),
                format!("page/single"),
                "_default/single".into(),
                "single".into(),
                "page".into(),
            ]
        };
        let roots = [Some(app.root.clone()), app.theme.clone()];
        let layout = roots.iter().flatten().find_map(|root| {
            names
                .iter()
                .find_map(|name| self.eval.site.doc(&format!("{root}layouts/{name}.html")))
        });
        let content = Val::Markup(
            doc.clone(),
            doc.nodes[0].children.clone(),
            Frame::module(doc),
        );
        match layout {
            Some(layout) => {
                let blocks = self.blocks(&layout);
                self.hugo_base(&layout, blocks, Some(content));
            }
            None => {
                let roots = doc.nodes[0].children.clone();
                self.nodes_of(doc, &roots, &Frame::module(doc), 0);
            }
        }
    }

    /// `{{ define "main" }}` blocks of a template.
    fn blocks(&self, doc: &Arc<Doc>) -> Vec<(String, NodeId)> {
        doc.nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.kind == Kind::Block && node.name == "block")
            .filter_map(|(id, node)| match &node.ex.as_ref()?.kind {
                ExKind::Name(name) => Some((name.split('"').next().unwrap_or(name).to_owned(), id)),
                _ => None,
            })
            .collect()
    }

    fn hugo_base(
        &mut self,
        layout: &Arc<Doc>,
        blocks: Vec<(String, NodeId)>,
        content: Option<Val>,
    ) {
        let app = self.eval.app;
        let mut vars = Named::new();
        if let Some(content) = content {
            vars.insert("$content".to_owned(), content);
        }
        let env = Arc::new(Frame {
            doc: layout.clone(),
            vars: vars.clone(),
            func: None,
            with: Vec::new(),
            parent: None,
        });
        let base = app.and_then(|app| {
            [Some(&app.root), app.theme.as_ref()]
                .into_iter()
                .flatten()
                .find_map(|root| {
                    ["layouts/_default/baseof.html", "layouts/baseof.html"]
                        .iter()
                        .find_map(|name| self.eval.site.doc(&format!("{root}{name}")))
                })
        });
        match base.filter(|_| !blocks.is_empty()) {
            Some(base) => {
                for (name, id) in blocks {
                    let nodes = layout.nodes[id].children.clone();
                    vars.insert(
                        format!("block {name}"),
                        Val::Markup(layout.clone(), nodes, env.clone()),
                    );
                }
                let env = Arc::new(Frame {
                    doc: base.clone(),
                    vars,
                    func: None,
                    with: Vec::new(),
                    parent: None,
                });
                let roots = base.nodes[0].children.clone();
                self.nodes_of(&base, &roots, &env, 0);
            }
            None => {
                let roots = layout.nodes[0].children.clone();
                self.nodes_of(layout, &roots, &env, 0);
            }
        }
    }

    fn next(&mut self, page: &Page, doc: &Arc<Doc>) {
        let Some(app) = self.eval.app else { return };
        let site = self.eval.site;
        let router = ["app/", "src/app/"]
            .map(|base| format!("{}{base}", app.root))
            .into_iter()
            .find(|base| page.file.starts_with(base.as_str()));
        let mut value = Val::File(doc.clone());
        if let Some(base) = router {
            let mut at = folder(&page.file).to_owned();
            while at.len() >= base.len() {
                let layout = ["tsx", "jsx", "js", "ts"]
                    .iter()
                    .find_map(|end| site.doc(&format!("{at}layout.{end}")));
                if let Some(layout) = layout {
                    let env = Arc::new(Frame {
                        doc: layout.clone(),
                        vars: HashMap::from([("$inner".to_owned(), value)]),
                        func: None,
                        with: Vec::new(),
                        parent: None,
                    });
                    value = Val::Markup(layout.clone(), Vec::new(), env);
                }
                if at.is_empty() {
                    break;
                }
                at = folder(at.trim_end_matches('/')).to_owned();
            }
            self.nested(&value, 0);
            return;
        }
        let shell = ["pages/_app", "src/pages/_app"].iter().find_map(|name| {
            ["tsx", "jsx", "js"]
                .iter()
                .find_map(|end| site.doc(&format!("{}{name}.{end}", app.root)))
        });
        let code = doc.lang == Lang::Script;
        match shell.filter(|_| code) {
            Some(shell) => {
                let props = Named::from([("Component".to_owned(), Val::File(doc.clone()))]);
                self.file(&shell, props, Named::new(), 0);
            }
            None => self.file(doc, Named::new(), Named::new(), 0),
        }
    }

    /// Layouts around a page, each with the next inside as its children.
    fn nested(&mut self, value: &Val, parent: ViewId) {
        match value {
            Val::Markup(layout, nodes, env) if nodes.is_empty() => {
                let Some(inner) = env.vars.get("$inner").cloned() else {
                    return;
                };
                let slots = Named::from([("default".to_owned(), inner)]);
                self.file(layout, Named::new(), slots, parent);
            }
            Val::File(doc) => self.file(doc, Named::new(), Named::new(), parent),
            _ => {}
        }
    }

    fn svelte(&mut self, page: &Page, doc: &Arc<Doc>) {
        let Some(app) = self.eval.app else { return };
        let site = self.eval.site;
        for shell in ["src/app.html", "index.html"] {
            if let Some(shell) = site.doc(&format!("{}{shell}", app.root)) {
                let roots = shell.nodes[0].children.clone();
                self.nodes_of(&shell, &roots, &Frame::module(&shell), 0);
                break;
            }
        }
        let mut props = Named::new();
        let at = folder(&page.file).to_owned();
        for name in ["+page.js", "+page.ts", "+page.server.js", "+page.server.ts"] {
            if let Some(load) = site.doc(&format!("{at}{name}"))
                && let Some(function) = self.eval.exported(&load, "load")
            {
                props.insert("data".to_owned(), self.eval.invoke(&function, Vec::new()));
            }
        }
        let mut value = Val::Map(Arc::new(props));
        let mut layouts = Vec::new();
        let mut at = at;
        let base = format!("{}src/routes/", app.root);
        while at.len() >= base.len() {
            if let Some(layout) = site.doc(&format!("{at}+layout.svelte")) {
                layouts.push(layout);
            }
            at = folder(at.trim_end_matches('/')).to_owned();
        }
        // Innermost layout first; the page is the content of the first.
        let props = match &value {
            Val::Map(map) => (**map).clone(),
            _ => Named::new(),
        };
        let env = self.component_env(doc, props, Named::new());
        value = Val::Markup(doc.clone(), doc.nodes[0].children.clone(), env);
        for layout in layouts {
            let env = self.component_env(
                &layout,
                Named::new(),
                Named::from([("default".to_owned(), value)]),
            );
            value = Val::Markup(layout.clone(), layout.nodes[0].children.clone(), env);
        }
        self.value(&value, doc, 0, 0);
    }
}

fn camel(name: &str) -> String {
    let mut parts = name.split('-');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut chars = part.chars();
        if let Some(first) = chars.next() {
            out.extend(first.to_uppercase());
            out.push_str(chars.as_str());
        }
    }
    out
}
