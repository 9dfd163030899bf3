//! A page as a visitor sees it, every text of it leading back to the bytes it is written in.
//!
//! A [`View`] is made by following components, layouts, includes, properties, loops and data files without running
//! anything. What cannot be followed stays a [`Piece::Gap`], never a guess.

pub mod context;
pub mod eval;
pub mod naming;
pub mod render;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::doc::{Doc, NodeId, Span};

/// A place in a view's arena.
pub type ViewId = usize;

/// A part of a text.
#[derive(Clone, Debug)]
pub enum Piece {
    /// A literal: the node that holds it.
    Lit(Arc<Doc>, NodeId),
    /// Something computed: where it is written.
    Gap(Arc<Doc>, Span),
}

/// An element, component or text of a page.
#[derive(Clone, Debug)]
pub struct ViewNode {
    /// The parent; the root is its own.
    pub parent: ViewId,
    /// The children, in order.
    pub children: Vec<ViewId>,
    /// Tag of an element, name of a component, empty for text.
    pub tag: String,
    /// True for a component or include: its children are what it renders.
    pub component: bool,
    /// The file it is written in.
    pub doc: Arc<Doc>,
    /// The node it is written as.
    pub node: NodeId,
    /// Attributes with their values.
    pub attrs: Vec<(String, Vec<Piece>)>,
    /// The text, for text.
    pub text: Vec<Piece>,
    /// True for a text that is one of several a condition chooses from, or that a loop repeats.
    pub repeated: bool,
}

/// A page.
#[derive(Clone, Debug)]
pub struct View {
    /// The arena; the first node is the root.
    pub nodes: Vec<ViewNode>,
    /// The page's number in the site, when it is one.
    pub page: Option<usize>,
    /// Where each literal is shown.
    index: Index,
    /// What each node is called, once somebody asked.
    named: Vec<OnceLock<naming::Names>>,
}

/// From a file and a node in it to the places that show it, and the attribute that does.
type Index = HashMap<String, HashMap<NodeId, Vec<(ViewId, Option<String>)>>>;

impl View {
    /// A view of `nodes`.
    pub fn new(nodes: Vec<ViewNode>, page: Option<usize>) -> Self {
        let named = nodes.iter().map(|_| OnceLock::new()).collect();
        Self {
            nodes,
            page,
            index: Index::new(),
            named,
        }
    }

    /// What an element or component is called.
    pub fn names(&self, id: ViewId) -> &naming::Names {
        self.named[id].get_or_init(|| naming::read(self, id))
    }

    /// The view with its literals indexed.
    #[must_use]
    pub fn indexed(mut self) -> Self {
        let mut index = Index::new();
        let mut note = |piece: &Piece, at: ViewId, attr: Option<&str>| {
            if let Piece::Lit(doc, node) = piece {
                if !index.contains_key(&doc.path) {
                    index.insert(doc.path.clone(), HashMap::new());
                }
                if let Some(file) = index.get_mut(&doc.path) {
                    file.entry(*node)
                        .or_default()
                        .push((at, attr.map(str::to_owned)));
                }
            }
        };
        for (at, node) in self.nodes.iter().enumerate() {
            for piece in &node.text {
                note(piece, at, None);
            }
            for (name, pieces) in &node.attrs {
                for piece in pieces {
                    note(piece, at, Some(name));
                }
            }
        }
        self.index = index;
        self
    }

    /// Where a literal is shown.
    pub fn places(&self, doc: &Doc, node: NodeId) -> Vec<(ViewId, Option<String>)> {
        self.index
            .get(&doc.path)
            .and_then(|file| file.get(&node))
            .cloned()
            .unwrap_or_default()
    }

    /// Whether anything of a file is on the page.
    pub fn shows(&self, path: &str) -> bool {
        self.index.contains_key(path)
    }

    /// The files whose literals are on the page.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.index.keys().map(String::as_str)
    }

    /// Every literal on the page with its places.
    pub fn literals(&self) -> Vec<(Arc<Doc>, NodeId, ViewId, Option<String>)> {
        let mut out = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            for piece in &node.text {
                if let Piece::Lit(doc, id) = piece {
                    out.push((doc.clone(), *id, at, None));
                }
            }
            for (name, pieces) in &node.attrs {
                for piece in pieces {
                    if let Piece::Lit(doc, id) = piece {
                        out.push((doc.clone(), *id, at, Some(name.clone())));
                    }
                }
            }
        }
        out
    }

    /// Nodes from `id` up to the root, nearest first.
    pub fn up(&self, id: ViewId) -> impl Iterator<Item = ViewId> + '_ {
        let mut at = Some(id);
        std::iter::from_fn(move || {
            let here = at?;
            at = (here != 0).then(|| self.nodes[here].parent);
            Some(here)
        })
    }

    /// Nodes below `id`, in document order.
    pub fn below(&self, id: ViewId) -> Vec<ViewId> {
        let mut out = Vec::new();
        let mut stack: Vec<ViewId> = self.nodes[id].children.iter().rev().copied().collect();
        while let Some(at) = stack.pop() {
            out.push(at);
            stack.extend(self.nodes[at].children.iter().rev());
        }
        out
    }

    /// The texts at and below `id`, in order.
    pub fn texts(&self, id: ViewId) -> Vec<ViewId> {
        let mut out: Vec<ViewId> = self
            .below(id)
            .into_iter()
            .filter(|at| !self.nodes[*at].text.is_empty())
            .collect();
        if !self.nodes[id].text.is_empty() {
            out.insert(0, id);
        }
        out
    }

    /// What a reader sees at `id`; computed parts are `…`.
    pub fn shown(&self, id: ViewId) -> String {
        let mut out = String::new();
        for text in self.texts(id) {
            for piece in &self.nodes[text].text {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
                match piece {
                    Piece::Lit(doc, node) => out.push_str(&doc.text(*node)),
                    Piece::Gap(..) => out.push('…'),
                }
            }
        }
        out.trim().to_owned()
    }

    /// The literal value of an attribute.
    pub fn attr(&self, id: ViewId, name: &str) -> Option<String> {
        let (_, pieces) = self.nodes[id]
            .attrs
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Lit(doc, node) => {
                    out.push_str(&doc.text(*node));
                    out.push(' ');
                }
                // A class of a CSS module goes by its own name: `className={styles.hero}`.
                Piece::Gap(doc, span) if matches!(name, "class" | "className") => {
                    if let Some(class) = module_class(doc.raw(span.clone())) {
                        out.push_str(class);
                        out.push(' ');
                    }
                }
                Piece::Gap(..) => {}
            }
        }
        Some(out.trim().to_owned())
    }
}

/// The class in `styles.hero` or `styles["hero"]`.
fn module_class(code: &str) -> Option<&str> {
    let code = code
        .trim()
        .trim_start_matches('{')
        .trim_end_matches('}')
        .trim();
    let (object, rest) = code.split_at(code.find(['.', '['])?);
    let module = !object.is_empty()
        && object
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    let class = rest
        .trim_start_matches(['.', '[', '"', '\'', '`'])
        .trim_end_matches([']', '"', '\'', '`']);
    let plain = !class.is_empty()
        && class
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    (module
        && plain
        && matches!(
            object,
            "styles" | "style" | "css" | "classes" | "s" | "cx" | "$style"
        ))
    .then_some(class)
}

#[cfg(test)]
mod tests {
    use super::module_class;

    #[test]
    fn classes_of_css_modules() {
        assert_eq!(module_class("{styles.hero}"), Some("hero"));
        assert_eq!(module_class("styles['hero-title']"), Some("hero-title"));
        assert_eq!(module_class("props.className"), None);
        assert_eq!(module_class("`a ${b}`"), None);
    }
}
