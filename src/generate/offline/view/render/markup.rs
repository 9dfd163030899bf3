//! Markup elements, seen as a reader sees them.

use super::*;

impl<'s> Render<'s> {
    /// Sites that are one page with a shell: the HTML file, the root component, the page in its outlet.
    pub(super) fn single(&mut self, page: &Page, content: Val) {
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
    pub(in super::super) fn file(
        &mut self,
        doc: &Arc<Doc>,
        props: Named,
        slots: Named,
        parent: ViewId,
    ) {
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
    pub(super) fn entry(&self, doc: &Arc<Doc>) -> Option<Val> {
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

    pub(super) fn call(
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
    pub(super) fn component_env(&mut self, doc: &Arc<Doc>, props: Named, slots: Named) -> Env {
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
    pub(super) fn vue_options(&self, doc: &Arc<Doc>, env: &Env) -> Vec<Val> {
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

    pub(in super::super) fn nodes_of(
        &mut self,
        doc: &Arc<Doc>,
        ids: &[NodeId],
        env: &Env,
        parent: ViewId,
    ) {
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
    pub(super) fn lookup(&self, ex: &crate::generate::offline::doc::Ex, env: &Env) -> Val {
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

    pub(super) fn expr(&mut self, doc: &Arc<Doc>, id: NodeId, env: &Env, parent: ViewId) {
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
            "content" | "layoutContent" => self.eval.name("content", env),
            ".Content" => self.eval.name("$content", env),
            "children" | "children()" | "children?.()" => self.eval.name("children", env),
            _ => None,
        };
        let value = content.unwrap_or_else(|| self.lookup(&ex, env));
        self.value(&value, doc, id, parent);
    }

    pub(super) fn include(
        &mut self,
        doc: &Arc<Doc>,
        id: NodeId,
        file: &str,
        env: &Env,
        parent: ViewId,
    ) {
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
}
