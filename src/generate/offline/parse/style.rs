//! CSS, SCSS and Less.

use tree_sitter::Node as TsNode;

use super::{Grammar, children, front_matter, tree};
use crate::generate::offline::doc::{Doc, Kind, Lang, NodeId, Span};
use crate::generate::offline::text::{self, Host};

/// Parses a style sheet in `span` below `parent`.
pub fn parse(doc: &mut Doc, parent: NodeId, span: Span) {
    let src = doc.src.clone();
    let Some(text) = src.get(span.clone()) else {
        return;
    };
    // Jekyll wants front matter in the style sheets it processes.
    let skip = front_matter(text).map_or(0, |(_, _, end)| end);
    let grammar = if doc.lang == Lang::Scss {
        Grammar::Scss
    } else {
        Grammar::Css
    };
    if let Some(tree) = tree(grammar, &text[skip..]) {
        for child in children(tree.root_node()) {
            rule(doc, parent, child, span.start + skip);
        }
    }
}

fn rule(doc: &mut Doc, parent: NodeId, node: TsNode<'_>, base: usize) {
    let span = node.start_byte() + base..node.end_byte() + base;
    match node.kind() {
        "declaration" => {
            let parts = children(node);
            let Some(name) = parts.first() else { return };
            let property = doc
                .raw(name.start_byte() + base..name.end_byte() + base)
                .to_owned();
            let Some(colon) = parts.iter().find(|part| part.kind() == ":") else {
                return;
            };
            let raw = doc.raw(span.clone());
            let mut end = span.start + raw.trim_end_matches([';', ' ', '\n', '\r', '\t']).len();
            // Not part of the value: what may follow it.
            for tail in ["!important", "!default", "!global"] {
                let value = doc.raw(colon.end_byte() + base..end).trim_end();
                if let Some(front) = value.strip_suffix(tail) {
                    end = colon.end_byte() + base + front.trim_end().len();
                }
            }
            let inner = text::trim(Host::Css, &doc.src, colon.end_byte() + base..end);
            doc.add(parent, Kind::Decl, &property, span, inner, Host::Css);
        }
        "rule_set" | "keyframe_block" => {
            let Some(block) = children(node)
                .into_iter()
                .find(|child| child.kind() == "block")
            else {
                return;
            };
            let head = span.start..block.start_byte() + base;
            let selector = doc
                .raw(head)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            let inner = block.start_byte() + base + 1..(block.end_byte() + base).saturating_sub(1);
            let id = doc.add(parent, Kind::Rule, &selector, span, inner, Host::None);
            for child in children(block) {
                rule(doc, id, child, base);
            }
        }
        "media_statement"
        | "at_rule"
        | "supports_statement"
        | "layer_statement"
        | "container_statement"
        | "mixin_statement"
        | "keyframes_statement"
        | "scope_statement" => {
            let block = children(node)
                .into_iter()
                .find(|child| matches!(child.kind(), "block" | "keyframe_block_list"));
            let Some(block) = block else { return };
            let head = span.start..block.start_byte() + base;
            let prelude = doc
                .raw(head)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            let id = doc.add(
                parent,
                Kind::AtRule,
                &prelude,
                span.clone(),
                span,
                Host::None,
            );
            for child in children(block) {
                rule(doc, id, child, base);
            }
        }
        "ERROR" | "block" | "stylesheet" => {
            for child in children(node) {
                rule(doc, parent, child, base);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::parse;
    use super::*;

    #[test]
    fn values_stand_without_what_follows_them() {
        let css = ":root { --a: #fff !important; }\n@media (x) { .b > h1 { background: url(../x.jpg) center; color: red } }";
        let doc = parse("a.css", Lang::Css, Arc::from(css));
        let decls: Vec<(String, String)> = doc
            .nodes
            .iter()
            .filter(|node| node.kind == Kind::Decl)
            .map(|node| (node.name.clone(), doc.raw(node.inner.clone()).to_owned()))
            .collect();
        assert_eq!(
            decls,
            [
                ("--a", "#fff"),
                ("background", "url(../x.jpg) center"),
                ("color", "red")
            ]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
    }
}
