//! HTML and what is like it: template languages, Vue, Svelte, Astro and JSX.

mod attributes;

mod jsx;

use std::sync::Arc;

use tree_sitter::Node as TsNode;

use super::template::{self, Tag};
use super::{Grammar, children, control, parse_front, script, style, tree};
use crate::generate::offline::doc::{Doc, Ex, ExKind, Kind, Lang, NodeId, Span};
use crate::generate::offline::text::{self, Host};

/// Elements that have no content and no end tag.
pub const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// Parses a whole file.
pub fn parse(doc: &mut Doc) {
    let start = if doc.lang == Lang::Html {
        parse_front(doc)
    } else {
        0
    };
    let whole = start..doc.src.len();
    fragment(doc, 0, whole);
}

/// Parses markup in `span` below `parent`.
pub fn fragment(doc: &mut Doc, parent: NodeId, span: Span) {
    let src = doc.src.clone();
    let Some(text) = src.get(span.clone()) else {
        return;
    };
    let (grammar, host) = match doc.lang {
        Lang::Vue => (Grammar::Vue, Host::Mustache),
        Lang::Svelte => (Grammar::Svelte, Host::Braced),
        Lang::Astro => (Grammar::Astro, Host::Braced),
        _ => (Grammar::Html, Host::Html),
    };
    let (masked, tags) = if grammar == Grammar::Html {
        template::mask(text)
    } else {
        (text.to_owned(), Vec::new())
    };
    // In HTML itself a name means the same in any case.
    let masked = if doc.lang == Lang::Html {
        masked
    } else {
        super::tags::mask(&masked)
    };
    let host = if tags.is_empty() {
        host
    } else {
        Host::Mustache
    };
    let Some(tree) = tree(grammar, &masked) else {
        return;
    };
    let mut markup = Markup {
        doc,
        base: span.start,
        tags,
        host,
        depth: 0,
    };
    markup.content(parent, span, &children(tree.root_node()));
}

/// Adds a JSX element below `parent`; `base` is where the script's text begins in the file.
pub fn jsx(doc: &mut Doc, parent: NodeId, node: TsNode<'_>, base: usize) -> NodeId {
    let mut markup = Markup {
        doc,
        base,
        tags: Vec::new(),
        host: Host::Braced,
        depth: 0,
    };
    markup.jsx_element(parent, node)
}

struct Markup<'d> {
    doc: &'d mut Doc,
    base: usize,
    tags: Vec<Tag>,
    host: Host,
    depth: usize,
}

impl Markup<'_> {
    fn span(&self, node: TsNode<'_>) -> Span {
        let start = self.base.wrapping_add(node.start_byte());
        let end = self.base.wrapping_add(node.end_byte());
        start.min(self.doc.src.len())..end.min(self.doc.src.len())
    }

    fn raw(&self, node: TsNode<'_>) -> String {
        self.doc.raw(self.span(node)).to_owned()
    }

    /// The content in `span`: the nodes that matter, and the text between them.
    fn content(&mut self, parent: NodeId, span: Span, nodes: &[TsNode<'_>]) {
        if self.depth > 200 {
            return;
        }
        self.depth += 1;
        let mut flat = Vec::new();
        self.flatten(nodes, &mut flat);
        let mut at = span.start;
        let mut open = vec![parent];
        for (node, is_void) in flat {
            let node_span = if is_void {
                self.void_span(node)
            } else {
                self.element_span(node)
            };
            if node_span.end <= at {
                continue;
            }
            self.gap(&mut open, at..node_span.start.max(at));
            let target = *open.last().unwrap_or(&parent);
            self.structure(target, node, node_span.clone(), is_void);
            at = node_span.end;
        }
        self.gap(&mut open, at..span.end.max(at));
        self.depth -= 1;
    }

    /// Lists the nodes that are more than text; what a grammar puts inside a void element comes after it.
    fn flatten<'t>(&self, nodes: &[TsNode<'t>], out: &mut Vec<(TsNode<'t>, bool)>) {
        for node in nodes {
            match node.kind() {
                "element" => {
                    let name = tag_node(*node)
                        .map(|tag| self.raw(tag))
                        .filter(|name| self.doc.lang == Lang::Html || !super::tags::component(name))
                        .map(|name| name.to_lowercase())
                        .unwrap_or_default();
                    if VOID.contains(&name.as_str()) {
                        out.push((*node, true));
                        let rest: Vec<TsNode<'t>> = children(*node).into_iter().skip(1).collect();
                        self.flatten(&rest, out);
                    } else {
                        out.push((*node, false));
                    }
                }
                "script_element" | "style_element" | "template_element" | "comment" | "doctype"
                | "interpolation" | "expression" | "html_interpolation" | "frontmatter"
                | "html_tag" | "render_tag" | "const_tag" | "debug_tag" | "if_statement"
                | "each_statement" | "await_statement" | "key_statement" | "snippet_statement"
                | "else_block" | "else_if_block" | "then_block" | "catch_block" | "if_start"
                | "if_end" | "each_start" | "each_end" | "else_start" | "else_if_start"
                | "key_start" | "key_end" | "snippet_start" | "snippet_end" | "await_start"
                | "await_end" | "then_start" | "catch_start" | "erroneous_end_tag" | "end_tag"
                | "start_tag" | "self_closing_tag" => out.push((*node, false)),
                "ERROR" | "document" | "fragment" => self.flatten(&children(*node), out),
                _ => {}
            }
        }
    }

    fn void_span(&self, node: TsNode<'_>) -> Span {
        match node.child(0) {
            Some(start) => self.span(start),
            None => self.span(node),
        }
    }

    /// From start tag to end tag; without an end tag, to the last of its content.
    fn element_span(&self, node: TsNode<'_>) -> Span {
        let span = self.span(node);
        if node.kind() != "element" {
            return span;
        }
        let closed = children(node)
            .last()
            .is_some_and(|last| matches!(last.kind(), "end_tag" | "self_closing_tag"));
        if closed {
            span
        } else {
            span.start..span.start + self.doc.raw(span.clone()).trim_end().len()
        }
    }

    /// Text between nodes, with the template tags in it.
    fn gap(&mut self, open: &mut Vec<NodeId>, span: Span) {
        if span.is_empty() {
            return;
        }
        let base = self.base;
        let tags: Vec<Tag> = self
            .tags
            .iter()
            .filter(|tag| tag.span.start + base >= span.start && tag.span.end + base <= span.end)
            .map(|tag| Tag {
                span: tag.span.start + base..tag.span.end + base,
                code: tag.code.start + base..tag.code.end + base,
                output: tag.output,
            })
            .collect();
        let mut at = span.start;
        for tag in tags {
            let target = *open.last().unwrap_or(&0);
            self.doc.add_text(target, at..tag.span.start, self.host);
            control::tag(self.doc, open, &tag);
            at = tag.span.end;
        }
        let target = *open.last().unwrap_or(&0);
        self.doc.add_text(target, at..span.end, self.host);
    }

    fn structure(&mut self, parent: NodeId, node: TsNode<'_>, span: Span, is_void: bool) {
        match node.kind() {
            "element" | "script_element" | "style_element" | "template_element" => {
                self.element(parent, node, span, is_void);
            }
            "frontmatter" => {
                let text = self.doc.raw(span.clone());
                let from = span.start + 3.min(text.len());
                let to = (span.end.saturating_sub(3)).max(from);
                script::parse(self.doc, parent, from..to, false);
            }
            "interpolation" => {
                let inner = self.inner(&span, 2, 2);
                self.expr(parent, span, inner);
            }
            "expression" => {
                let inner = self.inner(&span, 1, 1);
                self.expr(parent, span, inner);
            }
            "html_tag" | "render_tag" => {
                let raw = self.doc.raw(span.clone());
                let skip = raw
                    .find(char::is_whitespace)
                    .unwrap_or(raw.len().saturating_sub(1));
                let inner = self.inner(&span, skip, 1);
                self.expr(parent, span, inner);
            }
            "html_interpolation" => self.astro_expr(parent, node, span),
            "if_statement" | "key_statement" | "await_statement" | "snippet_statement"
            | "else_block" | "else_if_block" | "then_block" | "catch_block" => {
                let name = node.kind().split('_').next().unwrap_or("if");
                let block = self.doc.add(
                    parent,
                    Kind::Block,
                    name,
                    span.clone(),
                    span.clone(),
                    Host::None,
                );
                self.content(block, span, &children(node));
            }
            "each_statement" => {
                let block = self.doc.add(
                    parent,
                    Kind::Block,
                    "for",
                    span.clone(),
                    span.clone(),
                    Host::None,
                );
                if let Some(start) = children(node)
                    .into_iter()
                    .find(|child| child.kind() == "each_start")
                {
                    let raws: Vec<Span> = children(start)
                        .into_iter()
                        .filter(|child| child.kind() == "svelte_raw_text")
                        .map(|child| self.span(child))
                        .collect();
                    if let [items, item, ..] = raws.as_slice() {
                        let iterable = script::expression(self.doc, block, items.clone());
                        let ex = control::each(iterable, self.doc.raw(item.clone()), span.clone());
                        self.doc.nodes[block].ex = Some(Arc::new(ex));
                    }
                }
                self.content(block, span, &children(node));
            }
            _ => {}
        }
    }

    fn inner(&self, span: &Span, front: usize, back: usize) -> Span {
        let start = (span.start + front).min(span.end);
        start..span.end.saturating_sub(back).max(start)
    }

    fn expr(&mut self, parent: NodeId, span: Span, inner: Span) -> NodeId {
        let id = self
            .doc
            .add(parent, Kind::Expr, "", span, inner.clone(), Host::None);
        let ex = script::expression(self.doc, id, inner);
        self.doc.nodes[id].ex = Some(Arc::new(ex));
        id
    }

    fn astro_expr(&mut self, parent: NodeId, node: TsNode<'_>, span: Span) {
        let inner = self.inner(&span, 1, 1);
        let before = self.doc.nodes.len();
        let id = self.expr(parent, span, inner.clone());
        let elements: Vec<TsNode<'_>> = children(node)
            .into_iter()
            .filter(|child| child.kind() == "element")
            .collect();
        let seen = self.doc.nodes[before..]
            .iter()
            .any(|node| node.kind == Kind::Element);
        if !elements.is_empty() && !seen {
            // Not quite JSX (an unclosed `<br>`, an HTML comment): at least its elements are read.
            for element in elements {
                let span = self.element_span(element);
                self.structure(id, element, span, false);
            }
        }
    }

    fn element(&mut self, parent: NodeId, node: TsNode<'_>, span: Span, is_void: bool) {
        let parts = children(node);
        let Some(start) = parts
            .iter()
            .find(|part| matches!(part.kind(), "start_tag" | "self_closing_tag"))
        else {
            return;
        };
        let start = *start;
        let name = tag_node(node).map(|tag| self.raw(tag)).unwrap_or_default();
        let start_span = self.span(start);
        let end = parts
            .last()
            .filter(|last| last.kind() == "end_tag")
            .map_or(span.end, |end| self.span(*end).start);
        let inner = if is_void || start.kind() == "self_closing_tag" {
            start_span.end..start_span.end
        } else {
            start_span.end..end
        };
        let id = self
            .doc
            .add(parent, Kind::Element, &name, span, inner.clone(), self.host);
        for attribute in children(start) {
            self.attribute(id, attribute);
        }
        if inner.is_empty() {
            return;
        }
        match node.kind() {
            "style_element" => style::parse(self.doc, id, inner),
            "script_element" => match self.doc.lang {
                Lang::Vue | Lang::Svelte => {
                    let typed = self
                        .doc
                        .attr_text(id, "lang")
                        .is_some_and(|lang| lang.starts_with("ts"));
                    script::parse(self.doc, 0, inner, typed);
                }
                _ => {}
            },
            _ => {
                let content: Vec<TsNode<'_>> = parts
                    .into_iter()
                    .filter(|part| part.id() != start.id() && part.kind() != "end_tag")
                    .collect();
                self.content(id, inner, &content);
            }
        }
    }
}

fn tag_node(node: TsNode<'_>) -> Option<TsNode<'_>> {
    let start = children(node)
        .into_iter()
        .find(|part| matches!(part.kind(), "start_tag" | "self_closing_tag"))?;
    children(start)
        .into_iter()
        .find(|part| part.kind() == "tag_name" || part.kind().ends_with("_tag_name"))
}

/// The text of `span` without white space at its ends is all there is between two tags.
pub fn only_text(doc: &Doc, element: NodeId) -> bool {
    let node = doc.node(element);
    let inner = text::trim(node.host, &doc.src, node.inner.clone());
    node.children
        .iter()
        .any(|child| doc.node(*child).kind == Kind::Text && doc.node(*child).inner == inner)
}

#[cfg(test)]
mod tests {
    use super::super::parse as parse_file;
    use super::*;

    fn outline(doc: &Doc, id: NodeId) -> String {
        let node = doc.node(id);
        let inside: Vec<String> = node
            .children
            .iter()
            .map(|child| outline(doc, *child))
            .collect();
        match node.kind {
            Kind::Text => format!("'{}'", doc.text(id)),
            Kind::Expr => format!("({})", doc.raw(node.inner.clone()).trim()),
            Kind::Attr => format!("@{}={}", node.name, inside.join("")),
            Kind::Block => format!("%{}[{}]", node.name, inside.join(" ")),
            Kind::Element | Kind::Pair => format!("{}[{}]", node.name, inside.join(" ")),
            Kind::Root => inside.join(" "),
            Kind::Scalar => format!("\"{}\"", doc.text(id)),
            _ => format!("{:?}[{}]", node.kind, inside.join(" ")),
        }
    }

    fn read(path: &str, text: &str) -> String {
        let lang = super::super::lang(path).expect("a language");
        outline(&parse_file(path, lang, Arc::from(text)), 0)
    }

    #[test]
    fn html_with_void_and_unclosed_elements() {
        assert_eq!(
            read(
                "a.html",
                "<ul class=x><li>one<br>two &amp; <img src=\"a.png\" alt=\"A b\"> three<li>four</ul><p>five"
            ),
            "ul[@class='x' li['one' br[] 'two &' img[@src='a.png' @alt='A b'] 'three'] li['four']] p['five']"
        );
    }

    #[test]
    fn templates_in_html() {
        assert_eq!(
            read(
                "a.html",
                "<h1>{{ page.title }}</h1>{% for p in posts %}<a href=\"{{ p.url }}x\">Read {{ p.t }}</a>{% endfor %}"
            ),
            "h1[(page.title)] %for[a[@href=(p.url)'x' 'Read' (p.t)]]"
        );
    }

    #[test]
    fn components_of_each_kind() {
        assert_eq!(
            read(
                "a.vue",
                "<template><p v-for=\"p in ps\">Hi {{ p.name }}<br> x</p><Button :title=\"'More'\" @click=\"a\" /></template>"
            ),
            "template[p[@v-for= 'Hi' (p.name) br[] 'x'] Button[@title=('More')]]"
        );
        assert_eq!(
            read(
                "a.svelte",
                "{#if a}<h1 class=\"x {y}\">con {a}</h1>{:else}<p>b</p>{/if}{#each xs as x}<li>{x.n}</li>{/each}"
            ),
            "%if[h1[@class='x'(y) 'con' (a)] %else[p['b']]] %for[li[(x.n)]]"
        );
        assert_eq!(
            read(
                "a.astro",
                "---\nconst a = 'b';\n---\n<L t=\"x\" z={1}>{a && <p>Hi {a}</p>}<Fragment slot=\"s\">Free <i>x</i></Fragment></L>"
            ),
            "a[\"b\"] L[@t='x' @z=(1) (a && <p>Hi {a}</p>) Fragment[@slot='s' 'Free' i['x']]]"
        );
        assert_eq!(
            read(
                "a.jsx",
                "const A = () => <h1 className=\"x\">Ideas & Concepts{\" \"}<b>{t}</b></h1>;"
            ),
            "A[h1[@className='x' 'Ideas & Concepts' (\" \") b[(t)]]]"
        );
    }
}
