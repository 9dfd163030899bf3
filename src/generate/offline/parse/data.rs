//! JSON, YAML and TOML.

use tree_sitter::Node as TsNode;

use super::{Grammar, children, tree};
use crate::generate::offline::doc::{Doc, Kind, NodeId, Span};
use crate::generate::offline::text::{self, Host};

/// Parses JSON in `span` below `parent`.
pub fn json(doc: &mut Doc, parent: NodeId, span: Span) {
    let src = doc.src.clone();
    let Some(text) = src.get(span.clone()) else {
        return;
    };
    if let Some(tree) = tree(Grammar::Json, text) {
        for child in children(tree.root_node()) {
            json_value(doc, parent, child, span.start);
        }
    }
}

fn json_value(doc: &mut Doc, parent: NodeId, node: TsNode<'_>, base: usize) {
    let span = node.start_byte() + base..node.end_byte() + base;
    match node.kind() {
        "object" => {
            let object = doc.add(parent, Kind::Object, "", span.clone(), span, Host::None);
            for pair in children(node)
                .into_iter()
                .filter(|child| child.kind() == "pair")
            {
                let (Some(key), Some(value)) = (
                    pair.child_by_field_name("key"),
                    pair.child_by_field_name("value"),
                ) else {
                    continue;
                };
                let name = doc
                    .raw(key.start_byte() + base..key.end_byte() + base)
                    .trim_matches('"')
                    .to_owned();
                let span = pair.start_byte() + base..pair.end_byte() + base;
                let pair = doc.add(object, Kind::Pair, &name, span.clone(), span, Host::None);
                json_value(doc, pair, value, base);
            }
        }
        "array" => {
            let array = doc.add(parent, Kind::Array, "", span.clone(), span, Host::None);
            for child in children(node) {
                json_value(doc, array, child, base);
            }
        }
        "string" => {
            let inner = span.start + 1..span.end.saturating_sub(1).max(span.start + 1);
            doc.add(parent, Kind::Scalar, "", span, inner, Host::Json);
        }
        "number" | "true" | "false" | "null" => {
            doc.add(parent, Kind::Scalar, "", span.clone(), span, Host::Bare);
        }
        _ => {}
    }
}

/// Parses YAML in `span` below `parent`.
pub fn yaml(doc: &mut Doc, parent: NodeId, span: Span) {
    let src = doc.src.clone();
    let Some(text) = src.get(span.clone()) else {
        return;
    };
    if let Some(tree) = tree(Grammar::Yaml, text) {
        yaml_value(doc, parent, tree.root_node(), span.start);
    }
}

fn yaml_value(doc: &mut Doc, parent: NodeId, node: TsNode<'_>, base: usize) {
    let span = node.start_byte() + base..node.end_byte() + base;
    match node.kind() {
        "block_mapping" | "flow_mapping" => {
            let object = doc.add(parent, Kind::Object, "", span.clone(), span, Host::None);
            for pair in children(node) {
                if !matches!(pair.kind(), "block_mapping_pair" | "flow_pair") {
                    continue;
                }
                let Some(key) = pair.child_by_field_name("key") else {
                    continue;
                };
                let raw = doc.raw(key.start_byte() + base..key.end_byte() + base);
                let name = raw.trim_matches(|c| c == '"' || c == '\'').to_owned();
                let span = pair.start_byte() + base..pair.end_byte() + base;
                let pair_id = doc.add(object, Kind::Pair, &name, span.clone(), span, Host::None);
                if let Some(value) = pair.child_by_field_name("value") {
                    yaml_value(doc, pair_id, value, base);
                }
            }
        }
        "block_sequence" | "flow_sequence" => {
            let array = doc.add(parent, Kind::Array, "", span.clone(), span, Host::None);
            for child in children(node) {
                if matches!(
                    child.kind(),
                    "block_sequence_item" | "flow_node" | "flow_pair"
                ) {
                    yaml_value(doc, array, child, base);
                }
            }
        }
        "plain_scalar" => {
            doc.add(
                parent,
                Kind::Scalar,
                "",
                span.clone(),
                span,
                Host::YamlPlain,
            );
        }
        "single_quote_scalar" | "double_quote_scalar" => {
            let host = if node.kind().starts_with('s') {
                Host::YamlSingle
            } else {
                Host::YamlDouble
            };
            let inner = span.start + 1..span.end.saturating_sub(1).max(span.start + 1);
            doc.add(parent, Kind::Scalar, "", span, inner, host);
        }
        "block_scalar" => {
            let first = doc
                .raw(span.clone())
                .find('\n')
                .map_or(span.end, |at| span.start + at + 1);
            let inner = text::trim(Host::YamlBlock, &doc.src, first..span.end);
            doc.add(parent, Kind::Scalar, "", span, inner, Host::YamlBlock);
        }
        _ => {
            for child in children(node) {
                yaml_value(doc, parent, child, base);
            }
        }
    }
}

/// Parses TOML in `span` below `parent`, tables nested as they read.
pub fn toml(doc: &mut Doc, parent: NodeId, span: Span) {
    let src = doc.src.clone();
    let Some(text) = src.get(span.clone()) else {
        return;
    };
    let Some(tree) = tree(Grammar::Toml, text) else {
        return;
    };
    let base = span.start;
    let root = doc.add(parent, Kind::Object, "", span.clone(), span, Host::None);
    for child in children(tree.root_node()) {
        let table = match child.kind() {
            "pair" => {
                toml_pair(doc, root, child, base);
                continue;
            }
            "table" => false,
            "table_array_element" => true,
            _ => continue,
        };
        let span = child.start_byte() + base..child.end_byte() + base;
        let mut path = Vec::new();
        for part in children(child) {
            keys(doc, part, base, &mut path);
            if part.kind() == "]" || part.kind() == "]]" {
                break;
            }
        }
        let Some((last, front)) = path.split_last() else {
            continue;
        };
        let mut at = root;
        for key in front {
            at = step(doc, at, key, &span);
        }
        let target = if table {
            let array = match doc.get(at, last) {
                Some(value) if doc.nodes[value].kind == Kind::Array => value,
                _ => {
                    let pair =
                        doc.add(at, Kind::Pair, last, span.clone(), span.clone(), Host::None);
                    doc.add(
                        pair,
                        Kind::Array,
                        "",
                        span.clone(),
                        span.clone(),
                        Host::None,
                    )
                }
            };
            doc.add(
                array,
                Kind::Object,
                "",
                span.clone(),
                span.clone(),
                Host::None,
            )
        } else {
            step(doc, at, last, &span)
        };
        for pair in children(child)
            .into_iter()
            .filter(|pair| pair.kind() == "pair")
        {
            toml_pair(doc, target, pair, base);
        }
        // A table ends with its last pair: comments after it belong to what follows.
        if table && let Some(last) = doc.nodes[target].children.last().copied() {
            doc.nodes[target].span.end = doc.nodes[last].span.end;
        }
    }
}

/// The object under `key` of `at`, made when it is not there; of an array of tables, its last one.
fn step(doc: &mut Doc, at: NodeId, key: &str, span: &Span) -> NodeId {
    match doc.get(at, key) {
        Some(value) if doc.nodes[value].kind == Kind::Array => {
            doc.nodes[value].children.last().copied().unwrap_or(value)
        }
        Some(value) if doc.nodes[value].kind == Kind::Object => value,
        _ => {
            let pair = doc.add(at, Kind::Pair, key, span.clone(), span.clone(), Host::None);
            doc.add(
                pair,
                Kind::Object,
                "",
                span.clone(),
                span.clone(),
                Host::None,
            )
        }
    }
}

fn keys(doc: &Doc, node: TsNode<'_>, base: usize, out: &mut Vec<String>) {
    match node.kind() {
        "bare_key" => out.push(
            doc.raw(node.start_byte() + base..node.end_byte() + base)
                .to_owned(),
        ),
        "quoted_key" => {
            let raw = doc.raw(node.start_byte() + base..node.end_byte() + base);
            out.push(raw.trim_matches(|c| c == '"' || c == '\'').to_owned());
        }
        "dotted_key" => {
            for child in children(node) {
                keys(doc, child, base, out);
            }
        }
        _ => {}
    }
}

fn toml_pair(doc: &mut Doc, object: NodeId, node: TsNode<'_>, base: usize) {
    let parts = children(node);
    let mut path = Vec::new();
    let Some(first) = parts.first() else { return };
    keys(doc, *first, base, &mut path);
    let Some((last, front)) = path.split_last() else {
        return;
    };
    let span = node.start_byte() + base..node.end_byte() + base;
    let mut at = object;
    for key in front {
        at = step(doc, at, key, &span);
    }
    let pair = doc.add(at, Kind::Pair, last, span.clone(), span, Host::None);
    if let Some(value) = parts.last() {
        toml_value(doc, pair, *value, base);
    }
}

fn toml_value(doc: &mut Doc, parent: NodeId, node: TsNode<'_>, base: usize) {
    let span = node.start_byte() + base..node.end_byte() + base;
    match node.kind() {
        "string" => {
            let raw = doc.raw(span.clone());
            let (host, quote) = if raw.starts_with("\"\"\"") || raw.starts_with("'''") {
                (Host::TomlMulti, 3)
            } else if raw.starts_with('\'') {
                (Host::TomlLiteral, 1)
            } else {
                (Host::TomlBasic, 1)
            };
            let mut inner =
                span.start + quote..span.end.saturating_sub(quote).max(span.start + quote);
            if host == Host::TomlMulti {
                inner = text::trim(host, &doc.src, inner);
            }
            doc.add(parent, Kind::Scalar, "", span, inner, host);
        }
        "integer" | "float" | "boolean" => {
            doc.add(parent, Kind::Scalar, "", span.clone(), span, Host::Bare);
        }
        "array" => {
            let array = doc.add(parent, Kind::Array, "", span.clone(), span, Host::None);
            for child in children(node) {
                toml_value(doc, array, child, base);
            }
        }
        "inline_table" => {
            let object = doc.add(parent, Kind::Object, "", span.clone(), span, Host::None);
            for child in children(node)
                .into_iter()
                .filter(|child| child.kind() == "pair")
            {
                toml_pair(doc, object, child, base);
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
    use crate::generate::offline::doc::Lang;

    fn value(doc: &Doc, path: &[&str]) -> Option<String> {
        let mut at = *doc.nodes[0].children.first()?;
        for key in path {
            at = match key.parse::<usize>() {
                Ok(n) => *doc.nodes[at].children.get(n)?,
                Err(_) => doc.get(at, key)?,
            };
        }
        Some(doc.text(at))
    }

    #[test]
    fn values_are_found_by_their_path() {
        let yaml = "---\nsite:\n  name: Studio # c\n  list:\n    - a: 'it''s'\n    - b\n  flow: {x: [\"y\"]}\n";
        let doc = parse("a.yaml", Lang::Yaml, Arc::from(yaml));
        assert_eq!(value(&doc, &["site", "name"]).as_deref(), Some("Studio"));
        assert_eq!(
            value(&doc, &["site", "list", "0", "a"]).as_deref(),
            Some("it's")
        );
        assert_eq!(
            value(&doc, &["site", "flow", "x", "0"]).as_deref(),
            Some("y")
        );
        let toml = "title = 'x'\n[params.b]\nn = \"1\"\n[[menu.main]]\nname = \"A\"\n[[menu.main]]\nname = \"B\"\n";
        let doc = parse("a.toml", Lang::Toml, Arc::from(toml));
        assert_eq!(value(&doc, &["params", "b", "n"]).as_deref(), Some("1"));
        assert_eq!(
            value(&doc, &["menu", "main", "1", "name"]).as_deref(),
            Some("B")
        );
        let doc = parse(
            "a.json",
            Lang::Json,
            Arc::from("{\"a\": [{\"b\": \"x \\\"y\\\"\"}]}"),
        );
        assert_eq!(value(&doc, &["a", "0", "b"]).as_deref(), Some("x \"y\""));
    }
}
