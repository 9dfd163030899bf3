//! The common tree: what every kind of file is turned into, so that one engine reads them all.
//!
//! A [`Doc`] is an arena of [`Node`]s. Every node knows its bytes; nothing is ever printed from the tree.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::text::{self, Host};

/// A byte range in a file.
pub type Span = Range<usize>;

/// A node's place in its document's arena.
pub type NodeId = usize;

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lang {
    /// HTML, with or without a template language in it.
    Html,
    /// A Vue single-file component.
    Vue,
    /// A Svelte component.
    Svelte,
    /// An Astro component.
    Astro,
    /// JavaScript or TypeScript, with or without JSX.
    Script,
    /// Markdown or MDX.
    Markdown,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// TOML.
    Toml,
    /// CSS.
    Css,
    /// SCSS or Less.
    Scss,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The whole file.
    Root,
    /// An element or component; `name` is the tag. Markdown blocks carry the tag of the HTML they become.
    Element,
    /// An attribute; `name` is its name, children its value parts.
    Attr,
    /// Literal text; `inner` is the text without surrounding white space.
    Text,
    /// An interpolation or expression; `ex` holds it.
    Expr,
    /// Control flow of a template (`{#if}`, `{% for %}` …); children are its content.
    Block,
    /// An object or mapping.
    Object,
    /// An array or sequence.
    Array,
    /// A key with its value as the only child.
    Pair,
    /// A literal value.
    Scalar,
    /// A style rule; `name` is the selector.
    Rule,
    /// A rule with a prelude that holds rules (`@media …`).
    AtRule,
    /// A declaration; `name` is the property, `inner` the value.
    Decl,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Tag, key, selector, property …
    pub name: String,
    /// All of its bytes.
    pub span: Span,
    /// Its content: between the tags, within the quotes, the declaration's value.
    pub inner: Span,
    /// How text is written here.
    pub host: Host,
    /// The parent; the root is its own.
    pub parent: NodeId,
    /// The children, in order.
    pub children: Vec<NodeId>,
    /// The expression of an `Expr` or `Block`.
    pub ex: Option<Arc<Ex>>,
}

/// An expression, as far as it helps to find literals.
#[derive(Clone, Debug)]
pub struct Ex {
    /// What it is.
    pub kind: ExKind,
    /// Its bytes.
    pub span: Span,
}

/// Kinds of expression.
#[derive(Clone, Debug)]
pub enum ExKind {
    /// A literal ([`Kind::Scalar`]), object, array or element.
    Node(NodeId),
    /// Text put together from parts.
    Concat(Vec<Ex>),
    /// A name.
    Name(String),
    /// `object.key`.
    Member(Box<Ex>, String),
    /// `object[key]`.
    Index(Box<Ex>, Box<Ex>),
    /// `callee(arguments)`; filters are calls with their input as the first argument.
    Call(Box<Ex>, Vec<Ex>),
    /// A function.
    Func(Arc<Func>),
    /// Alternatives, any of which may be the value.
    Any(Vec<Ex>),
    /// `...value`.
    Spread(Box<Ex>),
    /// Anything else.
    Other,
}

/// A function: enough to follow what it returns.
#[derive(Clone, Debug, Default)]
pub struct Func {
    /// Parameters.
    pub params: Vec<Pattern>,
    /// Local names and their values.
    pub locals: HashMap<String, Ex>,
    /// What it may return.
    pub returns: Vec<Ex>,
}

/// A parameter.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// A plain name.
    Name(String),
    /// `{ key: local = default, ...rest }`.
    Object(Vec<(String, String, Option<Ex>)>, Option<String>),
    /// `[a, b]`.
    Array(Vec<Option<String>>),
    /// Anything else.
    Other,
}

/// An import of a module, a partial or a data file.
#[derive(Clone, Debug)]
pub struct Import {
    /// The name it has here.
    pub local: String,
    /// The name it has there: `default`, `*`, or an export; empty when imported for its effect.
    pub name: String,
    /// The module as written.
    pub source: String,
    /// The whole statement.
    pub span: Span,
}

/// A parsed file.
#[derive(Clone, Debug)]
pub struct Doc {
    /// Path from the root of the repository.
    pub path: String,
    /// Language.
    pub lang: Lang,
    /// The text.
    pub src: Arc<str>,
    /// The arena; the first node is the root.
    pub nodes: Vec<Node>,
    /// Imports.
    pub imports: Vec<Import>,
    /// Top-level names and their values; `default` is the default export.
    pub bindings: HashMap<String, Ex>,
    /// Front matter, when the file has it.
    pub front: Option<NodeId>,
}

impl Doc {
    /// An empty document of `src`.
    pub fn new(path: &str, lang: Lang, src: Arc<str>) -> Self {
        let root = Node {
            kind: Kind::Root,
            name: String::new(),
            span: 0..src.len(),
            inner: 0..src.len(),
            host: Host::None,
            parent: 0,
            children: Vec::new(),
            ex: None,
        };
        Self {
            path: path.to_owned(),
            lang,
            src,
            nodes: vec![root],
            imports: Vec::new(),
            bindings: HashMap::new(),
            front: None,
        }
    }

    /// Adds a node below `parent`.
    pub fn add(
        &mut self,
        parent: NodeId,
        kind: Kind,
        name: &str,
        span: Span,
        inner: Span,
        host: Host,
    ) -> NodeId {
        let id = self.nodes.len();
        self.nodes.push(Node {
            kind,
            name: name.to_owned(),
            span,
            inner,
            host,
            parent,
            children: Vec::new(),
            ex: None,
        });
        if id != parent {
            self.nodes[parent].children.push(id);
        }
        id
    }

    /// Adds literal text found in `span`, without its surrounding white space; nothing when it is blank.
    pub fn add_text(&mut self, parent: NodeId, span: Span, host: Host) -> Option<NodeId> {
        let inner = text::trim(host, &self.src, span.clone());
        (!inner.is_empty()).then(|| self.add(parent, Kind::Text, "", span, inner, host))
    }

    /// Adds an expression node.
    pub fn add_expr(
        &mut self,
        parent: NodeId,
        kind: Kind,
        name: &str,
        span: Span,
        inner: Span,
        ex: Ex,
    ) -> NodeId {
        let id = self.add(parent, kind, name, span, inner, Host::None);
        self.nodes[id].ex = Some(Arc::new(ex));
        id
    }

    /// The node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// Source text.
    pub fn raw(&self, span: Span) -> &str {
        self.src.get(span).unwrap_or_default()
    }

    /// The node's content as a person reads it: decoded, white space collapsed.
    pub fn text(&self, id: NodeId) -> String {
        let node = &self.nodes[id];
        text::decode(node.host, self.raw(node.inner.clone()))
    }

    /// The line (from 1) of a byte.
    pub fn line(&self, at: usize) -> usize {
        self.src.as_bytes()[..at.min(self.src.len())]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1
    }

    /// Ancestors of a node, nearest first, without the root.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let mut at = id;
        std::iter::from_fn(move || {
            let parent = self.nodes[at].parent;
            if at == 0 || parent == at || parent == 0 {
                return None;
            }
            at = parent;
            Some(at)
        })
    }

    /// The attribute `name` of an element, regardless of case.
    pub fn attr(&self, id: NodeId, name: &str) -> Option<NodeId> {
        self.nodes[id].children.iter().copied().find(|child| {
            let child = &self.nodes[*child];
            child.kind == Kind::Attr && child.name.eq_ignore_ascii_case(name)
        })
    }

    /// The literal value of an attribute, when it is one.
    pub fn attr_text(&self, id: NodeId, name: &str) -> Option<String> {
        let attr = self.attr(id, name)?;
        let value = *self.nodes[attr].children.first()?;
        matches!(self.nodes[value].kind, Kind::Text | Kind::Scalar).then(|| self.text(value))
    }

    /// The value node under `key` of an object.
    pub fn get(&self, object: NodeId, key: &str) -> Option<NodeId> {
        self.nodes[object]
            .children
            .iter()
            .copied()
            .find_map(|pair| {
                let node = &self.nodes[pair];
                (node.kind == Kind::Pair && node.name == key)
                    .then(|| node.children.first().copied())
                    .flatten()
            })
    }

    /// Every node below `id`, depth first, in order.
    pub fn descendants(&self, id: NodeId) -> Vec<NodeId> {
        let mut out = Vec::new();
        let mut stack: Vec<NodeId> = self.nodes[id].children.iter().rev().copied().collect();
        while let Some(at) = stack.pop() {
            out.push(at);
            stack.extend(self.nodes[at].children.iter().rev());
        }
        out
    }
}
