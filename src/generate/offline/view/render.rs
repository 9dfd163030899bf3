//! From a page's file to its view.

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
        return View::new(Vec::new(), Some(number));
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

    /// Sites that are one page with a shell: the HTML file, the root component, the page in its outlet.
    fn single(&mut self, page: &Page, content: Val) {
        let Some(app) = self.eval.app else { return };
        let site = self.eval.site;
        for shell in ["index.html", "public/index.html", "src/index.html"] {
            if let Some(shell) = site.doc(&format!("{}{shell}", app.root)) {
                let roots = shell.nodes[0].children.clone();
                self.nodes_of(&shell, &roots, &Frame::module(&shell), 0);
                break;
            }
        }
        let Val::File(doc) = &content else { return };
        let shells: &[&str] = match app.framework {
            Framework::Nuxt => &["app.vue", "app/app.vue", "src/app.vue"],
            Framework::Vue => &["src/App.vue", "App.vue"],
            _ => &["src/App.tsx", "src/App.jsx", "src/App.js", "App.js"],
        };
        let shell = shells
            .iter()
            .find_map(|name| site.doc(&format!("{}{name}", app.root)))
            .filter(|shell| shell.path != page.file);
        let mut slots = Named::from([("$page".to_owned(), content.clone())]);
        if app.framework == Framework::Nuxt {
            let named = doc.nodes.iter().find_map(|node| {
                let value = (node.kind == Kind::Pair && node.name == "layout")
                    .then(|| node.children.first().copied())
                    .flatten()?;
                (doc.node(value).kind == Kind::Scalar).then(|| doc.text(value))
            });
            let layout = named.unwrap_or_else(|| "default".to_owned());
            let found = ["layouts/", "app/layouts/", "src/layouts/"]
                .iter()
                .find_map(|base| site.doc(&format!("{}{base}{layout}.vue", app.root)));
            if let Some(layout) = found {
                match shell {
                    Some(shell) => {
                        slots.insert("$layout".to_owned(), Val::File(layout));
                        self.file(&shell, Named::new(), slots, 0);
                    }
                    None => {
                        slots.insert("default".to_owned(), content);
                        self.file(&layout, Named::new(), slots, 0);
                    }
                }
                return;
            }
        }
        let outlet = shell.as_ref().is_some_and(|shell| {
            [
                "router-view",
                "RouterView",
                "NuxtPage",
                "nuxt-page",
                "Outlet",
            ]
            .iter()
            .any(|name| shell.src.contains(&format!("<{name}")))
        });
        match shell {
            Some(shell) if outlet => self.file(&shell, Named::new(), slots, 0),
            Some(shell) if app.framework == Framework::React && shell.src.contains("<Route") => {
                self.file(&shell, Named::new(), slots, 0);
            }
            _ => self.file(doc, Named::new(), Named::new(), 0),
        }
    }

    /// Renders a file as a component with properties and content.
    pub(super) fn file(&mut self, doc: &Arc<Doc>, props: Named, slots: Named, parent: ViewId) {
        match doc.lang {
            Lang::Script => {
                let Some(function) = self
                    .eval
                    .exported(doc, "default")
                    .or_else(|| self.entry(doc))
                else {
                    return;
                };
                self.call(&function, props, slots, doc, parent);
            }
            Lang::Json | Lang::Yaml | Lang::Toml | Lang::Css | Lang::Scss => {}
            _ => {
                let env = self.component_env(doc, props, slots);
                let roots = doc.nodes[0].children.clone();
                // An MDX or Markdown page of Astro names its layout.
                self.nodes_of(doc, &roots, &env, parent);
            }
        }
    }

    /// The element a start file renders (`createRoot(…).render(<App/>)`), or a component that has the file's name.
    fn entry(&self, doc: &Arc<Doc>) -> Option<Val> {
        let env = Frame::module(doc);
        let stem = crate::generate::offline::site::stem(&doc.path);
        let named = doc
            .bindings
            .keys()
            .find(|name| name.eq_ignore_ascii_case(stem))
            .cloned();
        if let Some(name) = named {
            return self.eval.name(&name, &env);
        }
        let element = (0..doc.nodes.len()).find(|id| doc.nodes[*id].kind == Kind::Element)?;
        Some(Val::Markup(doc.clone(), vec![element], env))
    }

    fn call(
        &mut self,
        function: &Val,
        props: Named,
        slots: Named,
        usage: &Arc<Doc>,
        parent: ViewId,
    ) {
        match function {
            Val::Func(doc, func, env) => {
                let mut props = props;
                if let Some(children) = slots.get("default") {
                    props
                        .entry("children".to_owned())
                        .or_insert_with(|| children.clone());
                }
                let page = slots.get("$page").cloned();
                let props = Val::Map(Arc::new(props));
                let bound = self.eval.bind(doc, func, env, vec![props.clone()]);
                let mut vars = bound.vars.clone();
                vars.insert(
                    "this".to_owned(),
                    Val::Map(Arc::new(HashMap::from([(
                        "props".to_owned(),
                        props.clone(),
                    )]))),
                );
                vars.insert("props".to_owned(), props);
                if let Some(page) = page {
                    vars.insert("$page".to_owned(), page);
                }
                let env = Arc::new(Frame {
                    doc: doc.clone(),
                    vars,
                    func: Some(func.clone()),
                    with: Vec::new(),
                    parent: Some(env.clone()),
                });
                for ex in &func.returns {
                    let value = self.eval.eval(ex, &env);
                    if !matches!(value, Val::Gap(..)) {
                        self.value(&value, doc, 0, parent);
                    }
                }
            }
            Val::File(doc) => self.file(doc, props, slots, parent),
            other => {
                let other = other.clone();
                self.value(&other, usage, 0, parent);
            }
        }
    }

    /// The scope inside a single-file component.
    fn component_env(&mut self, doc: &Arc<Doc>, props: Named, slots: Named) -> Env {
        let mut vars: Named = HashMap::new();
        for (name, value) in &slots {
            vars.insert(format!("slot {name}"), value.clone());
        }
        if let Some(page) = slots.get("$page") {
            vars.insert("$page".to_owned(), page.clone());
        }
        if let Some(layout) = slots.get("$layout") {
            vars.insert("$layout".to_owned(), layout.clone());
        }
        if let Some(children) = slots.get("default") {
            vars.insert("children".to_owned(), children.clone());
        }
        let map = Val::Map(Arc::new(props.clone()));
        vars.insert("$props".to_owned(), map.clone());
        vars.insert("props".to_owned(), map.clone());
        let mut with = Vec::new();
        match doc.lang {
            Lang::Astro => {
                vars.insert(
                    "Astro".to_owned(),
                    Val::Map(Arc::new(HashMap::from([("props".to_owned(), map)]))),
                );
            }
            Lang::Vue | Lang::Svelte => {
                vars.extend(props);
                if doc.lang == Lang::Vue {
                    let inner = Arc::new(Frame {
                        doc: doc.clone(),
                        vars: vars.clone(),
                        func: None,
                        with: Vec::new(),
                        parent: Some(Frame::module(doc)),
                    });
                    with = self.vue_options(doc, &inner);
                }
            }
            _ => {
                vars.extend(props);
            }
        }
        let module = Frame::module(doc);
        Arc::new(Frame {
            doc: doc.clone(),
            vars,
            func: None,
            with,
            parent: Some(module),
        })
    }

    /// What a Vue component's options add to its template's scope.
    fn vue_options(&self, doc: &Arc<Doc>, env: &Env) -> Vec<Val> {
        let Some(default) = doc.bindings.get("default") else {
            return Vec::new();
        };
        let options = self.eval.eval(default, env);
        let mut out = Vec::new();
        for name in ["data", "setup", "asyncData", "computed"] {
            let Some(value) = self.eval.get(&options, name) else {
                continue;
            };
            let value = if matches!(value, Val::Func(..)) {
                self.eval.invoke(&value, Vec::new())
            } else {
                value
            };
            if name == "computed" {
                if let Val::Data(doc, id, env) = &value {
                    let mut map = Named::new();
                    for pair in &doc.node(*id).children {
                        let node = doc.node(*pair);
                        if let Some(child) = node.children.first() {
                            let function = self.eval.node(doc, *child, env);
                            if let Val::Func(fdoc, func, fenv) = &function {
                                let with: Vec<Val> = out.clone();
                                let scope = Arc::new(Frame {
                                    doc: fdoc.clone(),
                                    vars: HashMap::new(),
                                    func: None,
                                    with,
                                    parent: Some(fenv.clone()),
                                });
                                let scoped = Val::Func(fdoc.clone(), func.clone(), scope);
                                map.insert(
                                    node.name.clone(),
                                    self.eval.invoke(&scoped, Vec::new()),
                                );
                            }
                        }
                    }
                    out.push(Val::Map(Arc::new(map)));
                }
            } else {
                out.push(value);
            }
        }
        // Defaults of properties.
        if let Some(Val::Data(pdoc, id, penv)) = self.eval.get(&options, "props") {
            let mut map = Named::new();
            for pair in &pdoc.node(id).children {
                let node = pdoc.node(*pair);
                if let Some(child) = node.children.first()
                    && pdoc.node(*child).kind == Kind::Object
                    && let Some(default) = self
                        .eval
                        .get(&Val::Data(pdoc.clone(), *child, penv.clone()), "default")
                {
                    map.insert(node.name.clone(), default);
                }
            }
            out.push(Val::Map(Arc::new(map)));
        }
        out
    }

    pub(super) fn nodes_of(&mut self, doc: &Arc<Doc>, ids: &[NodeId], env: &Env, parent: ViewId) {
        if self.depth > 70 || self.nodes.len() > NODES || !self.eval.spend() {
            return;
        }
        self.depth += 1;
        let mut env = env.clone();
        for id in ids {
            let node = &doc.nodes[*id];
            match node.kind {
                Kind::Text => self.text(parent, doc, *id, vec![Piece::Lit(doc.clone(), *id)]),
                Kind::Element => self.element(doc, *id, &env, parent),
                Kind::Expr if node.name == "assign" => {
                    if let Some(ExKind::Call(_, arguments)) = node.ex.as_deref().map(|ex| &ex.kind)
                        && let [name, value] = arguments.as_slice()
                        && let ExKind::Name(name) = &name.kind
                    {
                        let value = self.lookup(value, &env);
                        env = Frame::inner(&env, HashMap::from([(name.clone(), value)]));
                    }
                }
                Kind::Expr => self.expr(doc, *id, &env, parent),
                Kind::Block => self.block(doc, *id, &env, parent),
                // One file on its own: elements of a script are below its names.
                Kind::Pair | Kind::Object | Kind::Array | Kind::Scalar if self.shallow => {
                    self.nodes_of(doc, &node.children.clone(), &env, parent);
                }
                _ => {}
            }
        }
        self.depth -= 1;
    }

    /// The value of an expression; names a template language knows come last.
    fn lookup(&self, ex: &crate::generate::offline::doc::Ex, env: &Env) -> Val {
        let value = self.eval.eval(ex, env);
        if !matches!(value, Val::Gap(..)) {
            return value;
        }
        let Some(app) = self.eval.app else {
            return value;
        };
        if let ExKind::Any(parts) = &ex.kind {
            return self
                .eval
                .alternatives(parts, ex, env, |part| self.lookup(part, env));
        }
        let mut path = Vec::new();
        let mut at = ex;
        loop {
            match &at.kind {
                ExKind::Member(object, key) => {
                    path.push(key.clone());
                    at = object;
                }
                ExKind::Name(name) => {
                    let mut found = context::global(&self.eval, app, &self.page, name);
                    if name == "." && found.is_none() {
                        found = Some(Val::Context(Context::HugoPage(self.page.clone())));
                    }
                    let Some(mut found) = found else { return value };
                    for key in path.iter().rev() {
                        match self.eval.get(&found, key) {
                            Some(next) => found = next,
                            None => return value,
                        }
                    }
                    return found;
                }
                _ => return value,
            }
        }
    }

    fn expr(&mut self, doc: &Arc<Doc>, id: NodeId, env: &Env, parent: ViewId) {
        let node = &doc.nodes[id];
        let Some(ex) = node.ex.clone() else {
            self.text(
                parent,
                doc,
                id,
                vec![Piece::Gap(doc.clone(), node.span.clone())],
            );
            return;
        };
        if let ExKind::Call(callee, arguments) = &ex.kind
            && let ExKind::Name(name) = &callee.kind
            && (name == "include" || name == "partial")
            && let Some(ExKind::Name(file)) = arguments.first().map(|argument| &argument.kind)
        {
            if !self.shallow {
                self.include(doc, id, file, env, parent);
            }
            return;
        }
        if self.shallow {
            let children = node.children.clone();
            let before = self.nodes.len();
            self.nodes_of(doc, &children, env, parent);
            for child in children {
                if doc.nodes[child].kind == Kind::Scalar {
                    self.text(parent, doc, child, vec![Piece::Lit(doc.clone(), child)]);
                }
            }
            if self.nodes.len() == before {
                self.text(
                    parent,
                    doc,
                    id,
                    vec![Piece::Gap(doc.clone(), node.span.clone())],
                );
            }
            return;
        }
        // `{{ content }}`, `{{ .Content }}`, `<slot/>` by name.
        let raw = doc.raw(node.inner.clone()).trim();
        let content = match raw.split('|').next().unwrap_or_default().trim() {
            "content" => self.eval.name("content", env),
            ".Content" => self.eval.name("$content", env),
            "children" | "children()" | "children?.()" => self.eval.name("children", env),
            _ => None,
        };
        let value = content.unwrap_or_else(|| self.lookup(&ex, env));
        self.value(&value, doc, id, parent);
    }

    fn include(&mut self, doc: &Arc<Doc>, id: NodeId, file: &str, env: &Env, parent: ViewId) {
        let Some(app) = self.eval.app else { return };
        let Some(path) = resolve::template(self.eval.site, app, &doc.path, file) else {
            return;
        };
        let Some(target) = self.eval.site.doc(&path) else {
            return;
        };
        let name = crate::generate::offline::site::stem(&path).to_owned();
        let extends = doc.nodes[id].name == "extends";
        let holder = if extends {
            parent
        } else {
            self.push(parent, &name, true, doc, id)
        };
        let mut params = Named::new();
        for attr in doc.nodes[id].children.clone() {
            if doc.nodes[attr].kind == Kind::Attr {
                let value = doc.nodes[attr].children.first().map(|child| {
                    match (&doc.nodes[*child].kind, &doc.nodes[*child].ex) {
                        (Kind::Expr, Some(ex)) => self.lookup(ex, env),
                        _ => self.eval.node(doc, *child, env),
                    }
                });
                if let Some(value) = value {
                    params.insert(doc.nodes[attr].name.clone(), value);
                }
            }
        }
        let mut vars = params.clone();
        vars.insert("include".to_owned(), Val::Map(Arc::new(params)));
        if extends {
            for (name, block) in self.blocks(doc) {
                let nodes = doc.nodes[block].children.clone();
                vars.insert(
                    format!("block {}", name.trim()),
                    Val::Markup(doc.clone(), nodes, env.clone()),
                );
            }
        }
        let inner = Arc::new(Frame {
            doc: target.clone(),
            vars,
            func: None,
            with: Vec::new(),
            parent: Some(env.clone()),
        });
        let roots = target.nodes[0].children.clone();
        self.nodes_of(&target, &roots, &inner, holder);
    }

    fn block(&mut self, doc: &Arc<Doc>, id: NodeId, env: &Env, parent: ViewId) {
        let node = &doc.nodes[id];
        let children = node.children.clone();
        match node.ex.as_deref().map(|ex| &ex.kind) {
            Some(ExKind::Name(name)) if node.name == "block" => {
                let name = format!("block {}", name.split('"').next().unwrap_or(name).trim());
                match self.eval.name(&name, env) {
                    Some(Val::Markup(doc, nodes, inner)) if !nodes.contains(&id) => {
                        self.nodes_of(&doc, &nodes, &inner, parent)
                    }
                    _ => self.nodes_of(doc, &children, env, parent),
                }
            }
            Some(ExKind::Call(callee, arguments)) if !self.shallow => {
                let with = matches!(&callee.kind, ExKind::Name(name) if name == "with");
                if with {
                    if let [name, value] = arguments.as_slice()
                        && let ExKind::Name(name) = &name.kind
                    {
                        let value = self.lookup(value, env);
                        let inner = Frame::inner(env, HashMap::from([(name.clone(), value)]));
                        self.nodes_of(doc, &children, &inner, parent);
                    }
                    return;
                }
                if let [iterable, function] = arguments.as_slice() {
                    let items = self.lookup(iterable, env);
                    let function = self.eval.eval(function, env);
                    self.repeat(&items, &function, env, |render, inner| {
                        render.nodes_of(doc, &children, inner, parent)
                    });
                }
            }
            _ => self.nodes_of(doc, &children, env, parent),
        }
    }

    /// Runs `body` once for every item with the loop's names bound; once without when the items are not known.
    fn repeat(
        &mut self,
        items: &Val,
        function: &Val,
        env: &Env,
        mut body: impl FnMut(&mut Self, &Env),
    ) {
        let Val::Func(fdoc, func, _) = function else {
            body(self, env);
            return;
        };
        match self.eval.items(items) {
            Some(items) => {
                for item in items {
                    let inner = self.eval.bind(fdoc, func, env, vec![item]);
                    // The loop's scope is the template's, with the loop's names.
                    let inner = Frame::inner(env, inner.vars.clone());
                    body(self, &inner);
                }
            }
            None => {
                let gap = Val::Gap(env.doc.clone(), 0..0);
                let inner = self.eval.bind(fdoc, func, env, vec![gap]);
                let inner = Frame::inner(env, inner.vars.clone());
                body(self, &inner);
            }
        }
    }

    /// Puts a value into the page.
    pub(super) fn value(&mut self, value: &Val, doc: &Arc<Doc>, id: NodeId, parent: ViewId) {
        if self.depth > 70 || self.nodes.len() > NODES {
            return;
        }
        self.depth += 1;
        match value {
            Val::Lit(..) | Val::Text(_) | Val::Gap(..) => {
                let pieces = self.eval.pieces(value, doc, &doc.nodes[id].span);
                self.text(parent, doc, id, pieces);
            }
            Val::List(items) => {
                for item in items.clone() {
                    self.value(&item, doc, id, parent);
                }
            }
            Val::Markup(mdoc, nodes, env)
                if nodes.is_empty() && env.vars.contains_key("$inner") =>
            {
                let value = Val::Markup(mdoc.clone(), Vec::new(), env.clone());
                self.nested(&value, parent);
            }
            Val::Markup(mdoc, nodes, env) => {
                self.nodes_of(&mdoc.clone(), &nodes.clone(), &env.clone(), parent)
            }
            Val::File(file) => self.file(&file.clone(), Named::new(), Named::new(), parent),
            Val::Data(ddoc, did, _) if ddoc.node(*did).kind == Kind::Array => {
                for item in self.eval.items(value).unwrap_or_default() {
                    self.value(&item, doc, id, parent);
                }
            }
            _ => {}
        }
        self.depth -= 1;
    }

    fn element(&mut self, doc: &Arc<Doc>, id: NodeId, env: &Env, parent: ViewId) {
        let node = &doc.nodes[id];
        // `v-for` repeats its element.
        let looped = doc
            .attr(id, "v-for")
            .and_then(|attr| doc.nodes[attr].ex.clone());
        if let Some(ex) = looped
            && !self.shallow
            && let ExKind::Call(_, arguments) = &ex.kind
            && let [iterable, function] = arguments.as_slice()
        {
            let items = self.lookup(iterable, env);
            let function = self.eval.eval(function, env);
            self.repeat(&items, &function, env, |render, inner| {
                render.one_element(doc, id, inner, parent)
            });
            return;
        }
        let _ = node;
        self.one_element(doc, id, env, parent);
    }

    fn one_element(&mut self, doc: &Arc<Doc>, id: NodeId, env: &Env, parent: ViewId) {
        let node = doc.nodes[id].clone();
        let name = node.name.as_str();
        let content: Vec<NodeId> = node
            .children
            .iter()
            .copied()
            .filter(|child| doc.nodes[*child].kind != Kind::Attr)
            .collect();
        match name {
            "" | "Fragment" | "React.Fragment" | "template" | "svelte:fragment" | "client-only"
            | "ClientOnly" | "Suspense" | "React.StrictMode" | "StrictMode" | "BrowserRouter"
            | "Router" | "HashRouter" | "ContentSlot" => {
                match self.set_content(doc, id, env) {
                    Some(value) => self.value(&value, doc, id, parent),
                    None => self.nodes_of(doc, &content, env, parent),
                }
                return;
            }
            "slot" if !self.shallow => {
                let slot = doc
                    .attr_text(id, "name")
                    .unwrap_or_else(|| "default".to_owned());
                match self.eval.name(&format!("slot {slot}"), env) {
                    Some(value) => self.value(&value, doc, id, parent),
                    None => self.nodes_of(doc, &content, env, parent),
                }
                return;
            }
            "router-view" | "RouterView" | "NuxtPage" | "nuxt-page" | "Outlet" | "Routes"
            | "Switch" | "Nuxt" | "nuxt" | "nuxt-child" | "NuxtChild"
                if !self.shallow =>
            {
                let inner = self
                    .eval
                    .name("$page", env)
                    .or_else(|| self.eval.name("slot default", env));
                if let Some(value) = inner {
                    self.value(&value, doc, id, parent);
                    return;
                }
            }
            "NuxtLayout" | "nuxt-layout" if !self.shallow => {
                if let Some(Val::File(layout)) = self.eval.name("$layout", env) {
                    let inner = Val::Markup(doc.clone(), content, env.clone());
                    let mut slots = Named::from([("default".to_owned(), inner)]);
                    if let Some(page) = self.eval.name("$page", env) {
                        slots.insert("$page".to_owned(), page);
                    }
                    self.file(&layout, Named::new(), slots, parent);
                    return;
                }
            }
            _ => {}
        }
        let looks_component = name.starts_with(char::is_uppercase)
            || name.contains('.')
            || (name.contains('-') && matches!(doc.lang, Lang::Vue));
        if looks_component
            && !self.shallow
            && let Some(component) = self.component(doc, name, env)
        {
            let holder = self.push(parent, name, true, doc, id);
            let (props, slots) = self.properties(doc, id, &content, env);
            self.nodes[holder].attrs = self.attributes(doc, id, env);
            let before = self.nodes.len();
            self.call(&component, props, slots, doc, holder);
            // What was put inside it is there, even when how it is shown cannot be followed.
            let inner = doc.nodes[id].inner.clone();
            let shown = self.nodes[before..].iter().any(|node| {
                node.doc.path == doc.path && inner.contains(&node.doc.node(node.node).span.start)
            });
            if !shown {
                self.nodes_of(doc, &content, env, holder);
            }
            return;
        }
        let holder = self.push(parent, name, looks_component, doc, id);
        self.nodes[holder].attrs = self.attributes(doc, id, env);
        if matches!(name, "style" | "script" | "svg") {
            return;
        }
        match self.set_content(doc, id, env) {
            Some(value) => self.value(&value, doc, id, holder),
            None if content.is_empty() && !self.shallow => {
                // `<button {...props} />` shows the children among its properties.
                let (props, _) = self.properties(doc, id, &content, env);
                if let Some(children) = props.get("children").cloned() {
                    self.value(&children, doc, id, holder);
                }
            }
            None => self.nodes_of(doc, &content, env, holder),
        }
    }

    /// `set:html`, `v-html`, `v-text`, `dangerouslySetInnerHTML`.
    fn set_content(&self, doc: &Arc<Doc>, id: NodeId, env: &Env) -> Option<Val> {
        for name in [
            "set:html",
            "set:text",
            "v-html",
            "v-text",
            "dangerouslySetInnerHTML",
        ] {
            let Some(attr) = doc.attr(id, name) else {
                continue;
            };
            let Some(child) = doc.nodes[attr].children.first() else {
                continue;
            };
            let value = self.eval.node(doc, *child, env);
            let value = if name == "dangerouslySetInnerHTML" {
                self.eval.get(&value, "__html").unwrap_or(value)
            } else {
                value
            };
            return Some(value);
        }
        None
    }

    fn component(&self, doc: &Arc<Doc>, name: &str, env: &Env) -> Option<Val> {
        let value = if let Some((object, member)) = name.split_once('.') {
            self.eval.get(&self.eval.name(object, env)?, member)
        } else {
            let pascal: String = name
                .split('-')
                .map(|part| {
                    part[..1.min(part.len())].to_uppercase() + part.get(1..).unwrap_or_default()
                })
                .collect();
            self.eval
                .name(name, env)
                .or_else(|| self.eval.name(&pascal, env))
        };
        if let Some(value) =
            value.filter(|value| matches!(value, Val::Func(..) | Val::File(_) | Val::Markup(..)))
        {
            return Some(value);
        }
        let imported = doc.imports.iter().any(|import| import.local == name);
        if imported {
            return None;
        }
        let app = self.eval.app?;
        let path = resolve::component(self.eval.site, app, name)?;
        self.eval.site.doc(&path).map(Val::File)
    }

    /// The properties and the content a component is given.
    fn properties(
        &self,
        doc: &Arc<Doc>,
        id: NodeId,
        content: &[NodeId],
        env: &Env,
    ) -> (Named, Named) {
        let mut props = Named::new();
        for child in &doc.nodes[id].children {
            let attr = &doc.nodes[*child];
            if attr.kind != Kind::Attr {
                continue;
            }
            let value = match attr.children.as_slice() {
                [one] => match (&doc.nodes[*one].kind, &doc.nodes[*one].ex) {
                    (Kind::Expr, Some(ex)) => self.lookup(ex, env),
                    _ => self.eval.node(doc, *one, env),
                },
                [] => Val::Gap(doc.clone(), attr.span.clone()),
                parts => Val::Text(
                    parts
                        .iter()
                        .flat_map(|part| {
                            self.eval.pieces(
                                &self.eval.node(doc, *part, env),
                                doc,
                                &doc.nodes[*part].span,
                            )
                        })
                        .collect(),
                ),
            };
            if attr.name == "..." || attr.name == "v-bind" {
                match &value {
                    Val::Map(map) => {
                        props.extend(map.iter().map(|(key, value)| (key.clone(), value.clone())))
                    }
                    Val::Data(ddoc, did, denv) => {
                        for pair in &ddoc.node(*did).children {
                            let pair = ddoc.node(*pair);
                            if let Some(child) = pair.children.first() {
                                props.insert(pair.name.clone(), self.eval.node(ddoc, *child, denv));
                            }
                        }
                    }
                    _ => {}
                }
                continue;
            }
            let camel = camel(&attr.name);
            props.insert(camel, value);
        }
        let mut slots = Named::new();
        let mut rest = Vec::new();
        for child in content {
            let node = &doc.nodes[*child];
            let named = (node.kind == Kind::Element).then(|| {
                doc.attr_text(*child, "slot").or_else(|| {
                    node.children.iter().find_map(|attr| {
                        let attr = &doc.nodes[*attr];
                        let name = (attr.kind == Kind::Attr).then_some(attr.name.as_str())?;
                        name.strip_prefix('#')
                            .or_else(|| name.strip_prefix("v-slot:"))
                            .map(str::to_owned)
                    })
                })
            });
            match named.flatten() {
                Some(slot) => {
                    slots.insert(slot, Val::Markup(doc.clone(), vec![*child], env.clone()));
                }
                None => rest.push(*child),
            }
        }
        if !rest.is_empty() {
            slots.insert(
                "default".to_owned(),
                Val::Markup(doc.clone(), rest, env.clone()),
            );
        }
        (props, slots)
    }

    fn attributes(&self, doc: &Arc<Doc>, id: NodeId, env: &Env) -> Vec<(String, Vec<Piece>)> {
        let mut out = Vec::new();
        for child in &doc.nodes[id].children {
            let attr = &doc.nodes[*child];
            if attr.kind != Kind::Attr || attr.name == "..." {
                continue;
            }
            let mut pieces = Vec::new();
            for part in &attr.children {
                let node = &doc.nodes[*part];
                match (&node.kind, &node.ex) {
                    (Kind::Expr, Some(ex)) if !self.shallow => {
                        pieces.extend(self.eval.pieces(&self.lookup(ex, env), doc, &node.span));
                    }
                    (Kind::Expr, _) => pieces.push(Piece::Gap(doc.clone(), node.span.clone())),
                    _ => pieces.push(Piece::Lit(doc.clone(), *part)),
                }
            }
            out.push((attr.name.clone(), pieces));
        }
        out
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
