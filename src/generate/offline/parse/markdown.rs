//! Markdown and MDX: blocks by tree-sitter, links, images and emphasis within them by a small scanner.

mod settings;

use tree_sitter::Node as TsNode;

use super::template::{self, Tag};
use super::{Grammar, children, control, data, markup, parse_front, script, tree};
use crate::generate::offline::doc::{Doc, Kind, Lang, NodeId, Span};
use crate::generate::offline::text::{self, Host};

/// Parses a whole file.
pub fn parse(doc: &mut Doc) {
    let start = parse_front(doc);
    let src = doc.src.clone();
    let text = &src[start..];
    let Some(tree) = tree(Grammar::Markdown, text) else {
        return;
    };
    let tags = template::tags(text);
    let settings = settings::settings(text, start);
    for (_, yaml) in &settings {
        data::yaml(doc, 0, yaml.clone());
    }
    let mut markdown = Markdown {
        doc,
        base: start,
        tags,
        settings: settings.into_iter().map(|(whole, _)| whole).collect(),
    };
    let root = tree.root_node();
    markdown.blocks(0, &children(root));
}

struct Markdown<'d> {
    doc: &'d mut Doc,
    base: usize,
    tags: Vec<Tag>,
    /// Where settings of components stand.
    settings: Vec<Span>,
}

impl Markdown<'_> {
    fn span(&self, node: TsNode<'_>) -> Span {
        node.start_byte() + self.base..node.end_byte() + self.base
    }

    /// A block's bytes without the line break after it.
    fn tight(&self, node: TsNode<'_>) -> Span {
        let span = self.span(node);
        span.start..span.start + self.doc.raw(span.clone()).trim_end().len()
    }

    fn element(&mut self, parent: NodeId, tag: &str, node: TsNode<'_>) -> NodeId {
        let span = self.tight(node);
        self.doc.add(
            parent,
            Kind::Element,
            tag,
            span.clone(),
            span,
            Host::Markdown,
        )
    }

    fn blocks(&mut self, parent: NodeId, nodes: &[TsNode<'_>]) {
        for node in nodes {
            self.block(parent, *node);
        }
    }

    fn block(&mut self, parent: NodeId, node: TsNode<'_>) {
        let start = self.span(node).start;
        let group = matches!(node.kind(), "section" | "document");
        if !group && self.settings.iter().any(|span| span.contains(&start)) {
            return;
        }
        match node.kind() {
            "section" | "document" => self.blocks(parent, &children(node)),
            "atx_heading" | "setext_heading" => {
                let parts = children(node);
                let level = parts
                    .iter()
                    .find_map(|part| {
                        let digits: String =
                            part.kind().chars().filter(char::is_ascii_digit).collect();
                        (part.kind().contains("marker") || part.kind().contains("underline"))
                            .then_some(digits)
                    })
                    .unwrap_or_else(|| "1".into());
                let id = self.element(parent, &format!("h{level}"), node);
                let content = parts
                    .iter()
                    .find(|part| matches!(part.kind(), "inline" | "paragraph"));
                if let Some(content) = content {
                    let span = self.tight(*content);
                    // A heading's own id (`# Title {#id}`) is not part of its text.
                    let raw = self.doc.raw(span.clone());
                    let end = raw
                        .rfind("{#")
                        .filter(|_| raw.ends_with('}'))
                        .unwrap_or(raw.len());
                    let inner = span.start..span.start + raw[..end].trim_end().len();
                    self.doc.nodes[id].inner = inner.clone();
                    self.inline(id, inner);
                }
            }
            "paragraph" => {
                let span = self.tight(node);
                let raw = self.doc.raw(span.clone());
                let code = self.doc.path.ends_with(".mdx")
                    && (raw.starts_with("import ") || raw.starts_with("export "));
                if code {
                    script::parse(self.doc, parent, span, false);
                } else if self.doc.path.ends_with(".mdx") && raw.starts_with('<') {
                    markup::fragment(self.doc, parent, span);
                } else {
                    let id = self.element(parent, "p", node);
                    self.inline(id, span);
                }
            }
            "list" => {
                let ordered = children(node).iter().any(|item| {
                    children(*item).first().is_some_and(|mark| {
                        mark.kind().contains("dot") || mark.kind().contains("paren")
                    })
                });
                let list = self.element(parent, if ordered { "ol" } else { "ul" }, node);
                for item in children(node)
                    .into_iter()
                    .filter(|item| item.kind() == "list_item")
                {
                    let id = self.element(list, "li", item);
                    let parts = children(item);
                    let mut first = true;
                    for part in &parts {
                        if part.kind() == "paragraph" && first {
                            first = false;
                            let span = self.tight(*part);
                            self.inline(id, span);
                        } else {
                            self.block(id, *part);
                        }
                    }
                }
            }
            "block_quote" => {
                let id = self.element(parent, "blockquote", node);
                self.blocks(id, &children(node));
            }
            "html_block" => {
                let span = self.span(node);
                if self.doc.lang == Lang::Markdown {
                    markup::fragment(self.doc, parent, span);
                }
            }
            "pipe_table" => {
                let table = self.element(parent, "table", node);
                for row in children(node) {
                    let cell = match row.kind() {
                        "pipe_table_header" => "th",
                        "pipe_table_row" => "td",
                        _ => continue,
                    };
                    let tr = self.element(table, "tr", row);
                    for part in children(row)
                        .into_iter()
                        .filter(|part| part.kind() == "pipe_table_cell")
                    {
                        let id = self.element(tr, cell, part);
                        let span = self.tight(part);
                        self.inline(id, span);
                    }
                }
            }
            _ => {}
        }
    }

    /// Text with links, images, emphasis, code, HTML and template tags in it.
    fn inline(&mut self, parent: NodeId, span: Span) {
        let src = self.doc.src.clone();
        let raw = &src[span.clone()];
        let bytes = raw.as_bytes();
        let (mut at, mut literal) = (0, 0);
        while at < bytes.len() {
            let here = span.start + at;
            let tag = self
                .tags
                .iter()
                .find(|tag| tag.span.start + self.base == here)
                .cloned();
            let found: Option<usize> = match bytes[at] {
                b'\\' => {
                    at += 2;
                    continue;
                }
                _ if tag.is_some() => tag
                    .as_ref()
                    .map(|tag| tag.span.end + self.base - span.start),
                b'`' => {
                    let run = bytes[at..].iter().take_while(|byte| **byte == b'`').count();
                    let fence = "`".repeat(run);
                    raw[at + run..].find(&fence).map(|end| at + run + end + run)
                }
                b'!' if bytes.get(at + 1) == Some(&b'[') => {
                    link_end(raw, at + 1).map(|(.., end)| end)
                }
                b'[' => link_end(raw, at).map(|(.., end)| end),
                b'*' | b'_' => emphasis_end(raw, at),
                b'<' => raw[at..].find('>').map(|end| at + end + 1).filter(|_| {
                    bytes
                        .get(at + 1)
                        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'/')
                }),
                b'{' if self.doc.path.ends_with(".mdx") => {
                    raw[at..].find('}').map(|end| at + end + 1)
                }
                _ => None,
            };
            let Some(end) = found.filter(|end| *end <= raw.len() && *end > at) else {
                at += 1;
                while !raw.is_char_boundary(at) {
                    at += 1;
                }
                continue;
            };
            self.doc
                .add_text(parent, span.start + literal..here, Host::Markdown);
            let whole = here..span.start + end;
            match bytes[at] {
                _ if tag.is_some() => {
                    if let Some(tag) = tag {
                        let base = self.base;
                        let tag = Tag {
                            span: tag.span.start + base..tag.span.end + base,
                            code: tag.code.start + base..tag.code.end + base,
                            output: tag.output,
                        };
                        control::tag(self.doc, &mut vec![parent], &tag);
                    }
                }
                b'`' => {
                    let run = bytes[at..].iter().take_while(|byte| **byte == b'`').count();
                    let inner = whole.start + run..whole.end - run;
                    let id = self.doc.add(
                        parent,
                        Kind::Element,
                        "code",
                        whole,
                        inner.clone(),
                        Host::Markdown,
                    );
                    self.doc.add_text(id, inner, Host::Markdown);
                }
                b'!' | b'[' => self.link(parent, raw, at, &span),
                b'*' | b'_' => {
                    let run = bytes[at..]
                        .iter()
                        .take_while(|byte| **byte == bytes[at])
                        .count()
                        .min(2);
                    let inner = whole.start + run..whole.end - run;
                    let tag = if run == 2 { "strong" } else { "em" };
                    let id = self.doc.add(
                        parent,
                        Kind::Element,
                        tag,
                        whole,
                        inner.clone(),
                        Host::Markdown,
                    );
                    self.inline(id, inner);
                }
                b'<' => {
                    let name: String = raw[at + 1..]
                        .chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '-')
                        .collect();
                    let close = format!("</{name}>");
                    let is_void =
                        markup::VOID.contains(&name.as_str()) || raw[at..end].ends_with("/>");
                    let stop = match raw[end..]
                        .find(&close)
                        .filter(|_| !name.is_empty() && !is_void)
                    {
                        Some(found) => end + found + close.len(),
                        None => end,
                    };
                    if !name.is_empty() {
                        markup::fragment(self.doc, parent, here..span.start + stop);
                    }
                    at = stop;
                    literal = stop;
                    continue;
                }
                _ => {
                    let inner = whole.start + 1..whole.end - 1;
                    let id = self
                        .doc
                        .add(parent, Kind::Expr, "", whole, inner.clone(), Host::None);
                    let ex = script::expression(self.doc, id, inner);
                    self.doc.nodes[id].ex = Some(std::sync::Arc::new(ex));
                }
            }
            at = end;
            literal = end;
        }
        self.doc
            .add_text(parent, span.start + literal..span.end, Host::Markdown);
    }

    fn link(&mut self, parent: NodeId, raw: &str, at: usize, span: &Span) {
        let image = raw.as_bytes()[at] == b'!';
        let open = if image { at + 1 } else { at };
        let Some((label, target, end)) = link_end(raw, open) else {
            return;
        };
        let whole = span.start + at..span.start + end;
        let label = span.start + label.start..span.start + label.end;
        let target = target.map(|target| span.start + target.start..span.start + target.end);
        let tag = if image { "img" } else { "a" };
        let id = self.doc.add(
            parent,
            Kind::Element,
            tag,
            whole,
            label.clone(),
            Host::Markdown,
        );
        if let Some(target) = target {
            let name = if image { "src" } else { "href" };
            let attr = self.doc.add(
                id,
                Kind::Attr,
                name,
                target.clone(),
                target.clone(),
                Host::None,
            );
            self.doc
                .add(attr, Kind::Text, "", target.clone(), target, Host::Url);
        }
        if image {
            let attr = self.doc.add(
                id,
                Kind::Attr,
                "alt",
                label.clone(),
                label.clone(),
                Host::None,
            );
            self.doc
                .add(attr, Kind::Text, "", label.clone(), label, Host::Markdown);
        } else {
            self.inline(id, label);
        }
    }
}

/// The parts of `[label](target "title")` or `[label][ref]` that begins at `at`: label, target, end.
fn link_end(raw: &str, at: usize) -> Option<(Span, Option<Span>, usize)> {
    let bytes = raw.as_bytes();
    let (mut depth, mut i) = (0_usize, at);
    let close = loop {
        match bytes.get(i)? {
            b'\\' => i += 1,
            b'[' => depth += 1,
            b']' => {
                depth -= 1;
                if depth == 0 {
                    break i;
                }
            }
            _ => {}
        }
        i += 1;
    };
    let label = at + 1..close;
    match bytes.get(close + 1) {
        Some(b'(') => {
            let (mut depth, mut i) = (0_usize, close + 1);
            let end = loop {
                match bytes.get(i)? {
                    b'\\' => i += 1,
                    b'(' => depth += 1,
                    b')' => {
                        depth -= 1;
                        if depth == 0 {
                            break i;
                        }
                    }
                    _ => {}
                }
                i += 1;
            };
            let inside = close + 2..end;
            let text = &raw[inside.clone()];
            let lead = text.len() - text.trim_start().len();
            let target = text.trim_start();
            let (start, length) = if target.starts_with("{{") || target.starts_with("{%") {
                let end = target
                    .find("}}")
                    .or_else(|| target.find("%}"))
                    .map_or(target.len(), |at| at + 2);
                (0, end)
            } else if target.starts_with('<') {
                (1, target.find('>')?.saturating_sub(1))
            } else {
                (0, target.find(char::is_whitespace).unwrap_or(target.len()))
            };
            let start = inside.start + lead + start;
            Some((label, Some(start..start + length), end + 1))
        }
        Some(b'[') => {
            let end = raw[close + 1..].find(']')? + close + 1;
            Some((label, None, end + 1))
        }
        _ => None,
    }
}

/// The end of an emphasis that begins at `at`.
fn emphasis_end(raw: &str, at: usize) -> Option<usize> {
    let bytes = raw.as_bytes();
    let mark = bytes[at];
    let run = bytes[at..].iter().take_while(|byte| **byte == mark).count();
    if run > 2 || bytes.get(at + run).is_none_or(u8::is_ascii_whitespace) {
        return None;
    }
    if mark == b'_' && at > 0 && bytes[at - 1].is_ascii_alphanumeric() {
        return None;
    }
    let mut i = at + run;
    while i < bytes.len() {
        if bytes[i] == b'\\' {
            i += 2;
            continue;
        }
        if bytes[i] == mark {
            let closing = bytes[i..].iter().take_while(|byte| **byte == mark).count();
            let after = bytes.get(i + closing);
            if closing == run
                && !bytes[i - 1].is_ascii_whitespace()
                && !(mark == b'_' && after.is_some_and(u8::is_ascii_alphanumeric))
            {
                return Some(i + closing);
            }
            i += closing;
            continue;
        }
        i += 1;
    }
    None
}

/// The text of a block without its inline marks, for reading.
pub fn plain(doc: &Doc, id: NodeId) -> String {
    text::decode(Host::Markdown, doc.raw(doc.node(id).inner.clone()))
}

#[cfg(test)]
mod tests;
