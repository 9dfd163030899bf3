//! Template tags, expressions and components, followed to what they show.

use super::*;

impl<'s> Render<'s> {
    pub(super) fn block(&mut self, doc: &Arc<Doc>, id: NodeId, env: &Env, parent: ViewId) {
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
    pub(super) fn repeat(
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
    pub(in super::super) fn value(
        &mut self,
        value: &Val,
        doc: &Arc<Doc>,
        id: NodeId,
        parent: ViewId,
    ) {
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

    pub(super) fn element(&mut self, doc: &Arc<Doc>, id: NodeId, env: &Env, parent: ViewId) {
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

    pub(super) fn one_element(&mut self, doc: &Arc<Doc>, id: NodeId, env: &Env, parent: ViewId) {
        let node = doc.nodes[id].clone();
        let name = node.name.as_str();
        let content: Vec<NodeId> = node
            .children
            .iter()
            .copied()
            .filter(|child| doc.nodes[*child].kind != Kind::Attr)
            .collect();
        match name {
            // What a component of a library is given to show under a name: the name says what it is.
            "template" if parent != 0 && named_slot(doc, id).is_some() => {
                let holder = self.push(parent, name, false, doc, id);
                self.nodes[holder].attrs = self.attributes(doc, id, env);
                self.nodes_of(doc, &content, env, holder);
                return;
            }
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
                if let Some(view) = doc.attr_text(id, "name").filter(|name| name != "default") {
                    if let Some(value) = self.named_view(&view, env) {
                        self.value(&value, doc, id, parent);
                    }
                    return;
                }
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

    /// `set:html`, `v-html`, `v-text`, `dangerouslySetInnerHTML`, and what shows a text of a content collection.
    pub(super) fn set_content(&self, doc: &Arc<Doc>, id: NodeId, env: &Env) -> Option<Val> {
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
        if matches!(doc.nodes[id].name.as_str(), "MDC" | "ContentRenderer") {
            let attr = doc.attr(id, "value")?;
            let value = self.eval.node(doc, *doc.nodes[attr].children.first()?, env);
            return match &value {
                // The body of a document, whose front matter is its value.
                Val::Data(of, front, _) if of.front == Some(*front) => Some(Val::File(of.clone())),
                Val::Lit(..) | Val::Text(_) => Some(value),
                _ => None,
            };
        }
        None
    }

    pub(super) fn component(&self, doc: &Arc<Doc>, name: &str, env: &Env) -> Option<Val> {
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
    pub(super) fn properties(
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

    pub(super) fn attributes(
        &self,
        doc: &Arc<Doc>,
        id: NodeId,
        env: &Env,
    ) -> Vec<(String, Vec<Piece>)> {
        let mut out = Vec::new();
        for child in &doc.nodes[id].children {
            let attr = &doc.nodes[*child];
            if attr.kind != Kind::Attr || attr.name == "..." {
                continue;
            }
            if attr.name == "v-bind" && !self.shallow {
                self.spread(doc, &attr.children, env, &mut out);
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

    /// `v-bind="link"`: the texts of a record as attributes.
    fn spread(
        &self,
        doc: &Arc<Doc>,
        parts: &[NodeId],
        env: &Env,
        out: &mut Vec<(String, Vec<Piece>)>,
    ) {
        let Some(part) = parts.first() else { return };
        let value = match &doc.nodes[*part].ex {
            Some(ex) => self.lookup(ex, env),
            None => self.eval.node(doc, *part, env),
        };
        let Val::Data(data, record, inner) = value else {
            return;
        };
        for pair in &data.node(record).children {
            let pair = data.node(*pair);
            let Some(child) = pair.children.first() else {
                continue;
            };
            if pair.kind == Kind::Pair {
                let value = self.eval.node(&data, *child, &inner);
                if let Val::Lit(..) = value {
                    let pieces = self.eval.pieces(&value, &data, &pair.span);
                    out.push((pair.name.clone(), pieces));
                }
            }
        }
    }
}

/// The slot a `<template>` fills.
pub(super) fn named_slot(doc: &Doc, id: NodeId) -> Option<&str> {
    doc.nodes[id].children.iter().find_map(|attr| {
        let attr = &doc.nodes[*attr];
        let name = (attr.kind == Kind::Attr).then_some(attr.name.as_str())?;
        name.strip_prefix('#')
            .or_else(|| name.strip_prefix("v-slot:"))
    })
}
