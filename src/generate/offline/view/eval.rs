//! Following an expression to the literals it shows.

mod call;

use std::collections::HashMap;
use std::sync::Arc;

use super::Piece;
use super::context::Context;
use crate::generate::offline::doc::{Doc, Ex, ExKind, Func, Kind, Lang, NodeId, Pattern, Span};
use crate::generate::offline::site::{App, Site, data_root, resolve};

/// A value.
#[derive(Clone, Debug)]
pub enum Val {
    /// A scalar.
    Lit(Arc<Doc>, NodeId),
    /// An object or array as it is written.
    Data(Arc<Doc>, NodeId, Env),
    /// Text put together.
    Text(Vec<Piece>),
    /// Values put together: a list, or alternatives.
    List(Vec<Val>),
    /// Markup that is not rendered yet.
    Markup(Arc<Doc>, Vec<NodeId>, Env),
    /// Named values.
    Map(Arc<HashMap<String, Val>>),
    /// A function.
    Func(Arc<Doc>, Arc<Func>, Env),
    /// A component or page by its file.
    File(Arc<Doc>),
    /// All exports of a file.
    Module(Arc<Doc>),
    /// What a template language offers.
    Context(Context),
    /// Not known.
    Gap(Arc<Doc>, Span),
}

/// Names in scope.
pub type Env = Arc<Frame>;

/// One scope.
#[derive(Debug)]
pub struct Frame {
    /// The file whose top-level names are the outermost scope.
    pub doc: Arc<Doc>,
    /// Names with values.
    pub vars: HashMap<String, Val>,
    /// A function's own names, evaluated when asked for.
    pub func: Option<Arc<Func>>,
    /// Objects whose keys are names (`data()` of Vue, the front matter of a template).
    pub with: Vec<Val>,
    /// The scope around it.
    pub parent: Option<Env>,
}

impl Frame {
    /// A file's outermost scope.
    pub fn module(doc: &Arc<Doc>) -> Env {
        Arc::new(Self {
            doc: doc.clone(),
            vars: HashMap::new(),
            func: None,
            with: Vec::new(),
            parent: None,
        })
    }

    /// A scope within `parent`.
    pub fn inner(parent: &Env, vars: HashMap<String, Val>) -> Env {
        Arc::new(Self {
            doc: parent.doc.clone(),
            vars,
            func: None,
            with: Vec::new(),
            parent: Some(parent.clone()),
        })
    }
}

/// Evaluates within one site.
pub struct Eval<'s> {
    /// The repository.
    pub site: &'s Site,
    /// The site.
    pub app: Option<&'s App>,
    depth: std::cell::Cell<usize>,
    steps: std::cell::Cell<usize>,
}

const DEPTH: usize = 60;
const STEPS: usize = 200_000;

impl<'s> Eval<'s> {
    /// An evaluator for files of `app`.
    pub fn new(site: &'s Site, app: Option<&'s App>) -> Self {
        Self {
            site,
            app,
            depth: std::cell::Cell::new(0),
            steps: std::cell::Cell::new(0),
        }
    }

    /// Counts work down; false when there was enough.
    pub fn spend(&self) -> bool {
        self.steps.set(self.steps.get() + 1);
        self.steps.get() < STEPS
    }

    /// The value of `ex`.
    pub fn eval(&self, ex: &Ex, env: &Env) -> Val {
        if self.depth.get() > DEPTH || !self.spend() {
            return Val::Gap(env.doc.clone(), ex.span.clone());
        }
        self.depth.set(self.depth.get() + 1);
        let value = self.step(ex, env);
        self.depth.set(self.depth.get() - 1);
        value
    }

    fn step(&self, ex: &Ex, env: &Env) -> Val {
        let gap = || Val::Gap(env.doc.clone(), ex.span.clone());
        match &ex.kind {
            ExKind::Node(id) => self.node(&env.doc, *id, env),
            ExKind::Concat(parts) => {
                let mut pieces = Vec::new();
                for part in parts {
                    pieces.extend(self.pieces(&self.eval(part, env), &env.doc, &part.span));
                }
                Val::Text(pieces)
            }
            ExKind::Name(name) => self.name(name, env).unwrap_or_else(gap),
            ExKind::Member(object, key) => {
                if let ExKind::Name(name) = &object.kind
                    && name == "this"
                    && key != "props"
                {
                    return self.name(key, env).unwrap_or_else(gap);
                }
                let value = self.eval(object, env);
                match self.get(&value, key) {
                    Some(Val::Gap(..)) | None => gap(),
                    Some(value) => value,
                }
            }
            ExKind::Index(object, index) => {
                let index = self.eval(index, env);
                if let Val::Lit(doc, id) = &index {
                    let key = doc.text(*id);
                    let value = self.eval(object, env);
                    return self.get(&value, &key).unwrap_or_else(gap);
                }
                gap()
            }
            ExKind::Call(callee, arguments) => {
                self.call(callee, arguments, env).unwrap_or_else(gap)
            }
            ExKind::Func(func) => Val::Func(env.doc.clone(), func.clone(), env.clone()),
            ExKind::Any(parts) => self.alternatives(parts, ex, env, |part| self.eval(part, env)),
            ExKind::Spread(inner) => self.eval(inner, env),
            ExKind::Other => gap(),
        }
    }

    /// The value of alternatives: the first that is known. What is not known beside a literal stays a gap, because the
    /// literal may never be shown.
    pub fn alternatives(&self, parts: &[Ex], ex: &Ex, env: &Env, eval: impl Fn(&Ex) -> Val) -> Val {
        let mut known = Vec::new();
        let mut open: Option<Val> = None;
        for part in parts {
            let value = eval(part);
            if !matches!(value, Val::Gap(..)) {
                known.push((
                    value,
                    matches!(part.kind, ExKind::Node(_) | ExKind::Concat(_)),
                ));
            } else if open.is_none() && !self.absent(part, env) {
                open = Some(value);
            }
        }
        if known.is_empty() {
            return Val::Gap(env.doc.clone(), ex.span.clone());
        }
        if !known[0].1 {
            // A value that was followed to its literal wins over its default.
            return known.remove(0).0;
        }
        let literal = matches!(known[0].0, Val::Lit(..) | Val::Text(_));
        if let (Some(open), true) = (open, literal) {
            let span = ex.span.clone();
            let mut pieces = self.pieces(&open, &env.doc, &span);
            for (value, _) in &known {
                pieces.extend(self.pieces(value, &env.doc, &span));
            }
            return Val::Text(pieces);
        }
        if known.len() == 1 {
            return known.remove(0).0;
        }
        Val::List(known.into_iter().map(|(value, _)| value).collect())
    }

    /// Whether an expression is certain to have no value: a property nobody passed.
    fn absent(&self, ex: &Ex, env: &Env) -> bool {
        match &ex.kind {
            ExKind::Member(object, key) => {
                let value = self.eval(object, env);
                matches!(value, Val::Map(_) | Val::Data(..) | Val::Context(_))
                    && self.get(&value, key).is_none()
            }
            ExKind::Name(name) => {
                let mut at = Some(env);
                while let Some(frame) = at {
                    let parameter = frame.func.as_ref().is_some_and(|func| {
                        func.params.iter().any(|pattern| match pattern {
                            Pattern::Object(keys, _) => {
                                keys.iter().any(|(_, local, _)| local == name)
                            }
                            _ => false,
                        })
                    });
                    if parameter {
                        return true;
                    }
                    at = frame.parent.as_ref();
                }
                // A template's name that nothing sets.
                env.doc.lang == Lang::Html
                    || env.doc.bindings.contains_key(name.as_str()) && self.bound_prop(name, env)
            }
            _ => false,
        }
    }

    /// `const { title } = Astro.props` with no `title` passed.
    fn bound_prop(&self, name: &str, env: &Env) -> bool {
        env.doc.bindings.get(name).is_some_and(|ex| match &ex.kind {
            ExKind::Member(..) => self.absent(ex, env),
            _ => false,
        })
    }

    /// A node as a value.
    pub fn node(&self, doc: &Arc<Doc>, id: NodeId, env: &Env) -> Val {
        let node = doc.node(id);
        match node.kind {
            Kind::Scalar | Kind::Text => Val::Lit(doc.clone(), id),
            Kind::Object | Kind::Array => Val::Data(doc.clone(), id, env.clone()),
            Kind::Element => Val::Markup(doc.clone(), vec![id], env.clone()),
            Kind::Expr => match &node.ex {
                Some(ex) => self.eval(ex, env),
                None => Val::Gap(doc.clone(), node.span.clone()),
            },
            _ => Val::Gap(doc.clone(), node.span.clone()),
        }
    }

    /// What a name stands for.
    pub fn name(&self, name: &str, env: &Env) -> Option<Val> {
        let mut at = Some(env);
        while let Some(frame) = at {
            if let Some(value) = frame.vars.get(name) {
                return Some(value.clone());
            }
            if let Some(func) = &frame.func
                && let Some(ex) = func.locals.get(name)
            {
                return Some(self.eval(ex, frame));
            }
            for with in &frame.with {
                if let Some(value) = self.get(with, name) {
                    return Some(value);
                }
            }
            if frame.parent.is_none() {
                // A component's own names see its properties; a module's do not see its caller's.
                let scope = if frame.doc.lang == Lang::Script {
                    frame
                } else {
                    env
                };
                return self.export(&frame.doc, name, scope);
            }
            at = frame.parent.as_ref();
        }
        None
    }

    /// A top-level name of a file.
    fn export(&self, doc: &Arc<Doc>, name: &str, env: &Env) -> Option<Val> {
        if let Some(ex) = doc.bindings.get(name) {
            // A name bound to itself (`export { a }`) would go round in a circle.
            if !matches!(&ex.kind, ExKind::Name(same) if same == name) {
                return Some(self.eval(ex, env));
            }
        }
        let import = doc.imports.iter().find(|import| import.local == name)?;
        let path = resolve::import(self.site, self.app, &doc.path, &import.source)?;
        let target = self.site.doc(&path)?;
        self.exported(&target, &import.name)
    }

    /// An export of a file, followed through re-exports.
    pub fn exported(&self, doc: &Arc<Doc>, name: &str) -> Option<Val> {
        if self.depth.get() > DEPTH {
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let found = self.exported_inner(doc, name);
        self.depth.set(self.depth.get() - 1);
        found
    }

    fn exported_inner(&self, doc: &Arc<Doc>, name: &str) -> Option<Val> {
        match doc.lang {
            Lang::Json | Lang::Yaml | Lang::Toml => {
                let root = data_root(doc)?;
                let env = Frame::module(doc);
                let value = Val::Data(doc.clone(), root, env);
                if name == "default" || name == "*" {
                    Some(value)
                } else {
                    self.get(&value, name)
                }
            }
            Lang::Script => {
                let env = Frame::module(doc);
                if name == "*" {
                    return Some(Val::Module(doc.clone()));
                }
                if let Some(found) = self.export(doc, name, &env) {
                    return Some(found);
                }
                if name == "default" {
                    return None;
                }
                // `export * from`, and CommonJS objects.
                let default = self.export(doc, "default", &env)?;
                self.get(&default, name)
            }
            _ => (name == "default" || name == "*").then(|| Val::File(doc.clone())),
        }
    }

    /// A key of a value.
    pub fn get(&self, value: &Val, key: &str) -> Option<Val> {
        match value {
            Val::Data(doc, id, env) => {
                let node = doc.node(*id);
                if node.kind == Kind::Array {
                    let index: usize = key.trim_matches(|c| c == '[' || c == ']').parse().ok()?;
                    return node
                        .children
                        .get(index)
                        .map(|child| self.node(doc, *child, env));
                }
                let pair = node.children.iter().copied().find(|pair| {
                    let pair = doc.node(*pair);
                    pair.kind == Kind::Pair
                        && (pair.name == key
                            || ((doc.lang != Lang::Script) && pair.name.eq_ignore_ascii_case(key)))
                });
                if let Some(pair) = pair {
                    let child = doc.node(pair).children.first().copied()?;
                    return Some(self.node(doc, child, env));
                }
                for child in &node.children {
                    let child = doc.node(*child);
                    if child.kind == Kind::Expr
                        && let Some(ex) = &child.ex
                        && let Some(found) = self.get(&self.eval(ex, env), key)
                    {
                        return Some(found);
                    }
                }
                // A reference wraps its object.
                (key == "value" || key == "default").then(|| value.clone())
            }
            Val::Map(map) => map.get(key).cloned().or_else(|| {
                let camel: String = key.chars().filter(|c| *c != '-' && *c != '_').collect();
                map.iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(&camel))
                    .map(|(_, value)| value.clone())
            }),
            Val::Module(doc) => self.exported(doc, key),
            Val::Context(context) => context.get(self, key),
            Val::List(items) => {
                if let Ok(index) = key.trim_matches(|c| c == '[' || c == ']').parse::<usize>() {
                    return items.get(index).cloned();
                }
                items.iter().find_map(|item| self.get(item, key))
            }
            Val::Lit(..) | Val::Text(_) | Val::Markup(..) => {
                matches!(key, "value" | "[0]" | "raw" | "default").then(|| value.clone())
            }
            Val::Func(_, func, _) if key == "[0]" && func.params.is_empty() => {
                Some(self.invoke(value, Vec::new()))
            }
            _ => None,
        }
    }

    /// The items of a list.
    pub fn items(&self, value: &Val) -> Option<Vec<Val>> {
        match value {
            Val::Data(doc, id, env) if doc.node(*id).kind == Kind::Array => {
                let mut out = Vec::new();
                for child in doc.node(*id).children.iter().take(400) {
                    let node = doc.node(*child);
                    let value = self.node(doc, *child, env);
                    if node.kind == Kind::Expr
                        && node
                            .ex
                            .as_ref()
                            .is_some_and(|ex| matches!(ex.kind, ExKind::Spread(_)))
                    {
                        out.extend(self.items(&value).unwrap_or_default());
                    } else {
                        out.push(value);
                    }
                }
                Some(out)
            }
            // Go templates, Vue and Liquid loop over mappings too.
            Val::Data(doc, id, env) => Some(
                doc.node(*id)
                    .children
                    .iter()
                    .filter_map(|pair| {
                        doc.node(*pair)
                            .children
                            .first()
                            .map(|child| self.node(doc, *child, env))
                    })
                    .collect(),
            ),
            Val::List(items) => Some(items.clone()),
            _ => None,
        }
    }

    /// A value as text.
    pub fn pieces(&self, value: &Val, doc: &Arc<Doc>, span: &Span) -> Vec<Piece> {
        match value {
            Val::Lit(doc, id) => vec![Piece::Lit(doc.clone(), *id)],
            Val::Text(pieces) => pieces.clone(),
            Val::List(items) => items
                .iter()
                .flat_map(|item| self.pieces(item, doc, span))
                .collect(),
            Val::Gap(doc, span) => vec![Piece::Gap(doc.clone(), span.clone())],
            _ => vec![Piece::Gap(doc.clone(), span.clone())],
        }
    }

    fn plain(&self, value: &Val) -> Option<String> {
        match value {
            Val::Lit(doc, id) => Some(doc.text(*id)),
            _ => None,
        }
    }
}
