//! JavaScript and TypeScript, with or without JSX: imports, named values, and the literals and elements in them.

mod markup;
mod values;

use std::collections::HashMap;
use std::sync::Arc;

use tree_sitter::Node as TsNode;

use super::{Grammar, children, tree};
use crate::generate::offline::doc::{Doc, Ex, ExKind, Func, Import, Kind, NodeId, Pattern, Span};
use crate::generate::offline::text::Host;

/// Parses a script in `span` below `parent`; `typed` for TypeScript without JSX.
pub fn parse(doc: &mut Doc, parent: NodeId, span: Span, typed: bool) {
    let src = doc.src.clone();
    let Some(text) = src.get(span.clone()) else {
        return;
    };
    let grammar = if typed { Grammar::Ts } else { Grammar::Tsx };
    let Some(tree) = tree(grammar, text) else {
        return;
    };
    let mut script = Script {
        doc,
        base: span.start,
        depth: 0,
    };
    let mut scope = HashMap::new();
    for child in children(tree.root_node()) {
        script.statement(parent, child, &mut scope, true);
    }
    script.doc.bindings.extend(scope);
}

/// Parses the expression in `span`; the nodes it holds are added below `parent`.
pub fn expression(doc: &mut Doc, parent: NodeId, span: Span) -> Ex {
    let other = Ex {
        kind: ExKind::Other,
        span: span.clone(),
    };
    let src = doc.src.clone();
    let Some(text) = src.get(span.clone()) else {
        return other;
    };
    // In brackets an object is an object and not a block.
    let wrapped = format!("({text}\n)");
    let Some(tree) = tree(Grammar::Tsx, &wrapped) else {
        return other;
    };
    let Some(statement) = tree.root_node().child(0) else {
        return other;
    };
    let Some(inner) = statement.named_child(0) else {
        return other;
    };
    // The opening bracket shifts everything by one byte to the right.
    let mut script = Script {
        doc,
        base: span.start.wrapping_sub(1),
        depth: 0,
    };
    script.ex(parent, inner)
}

struct Script<'d> {
    doc: &'d mut Doc,
    base: usize,
    depth: usize,
}

impl Script<'_> {
    fn span(&self, node: TsNode<'_>) -> Span {
        // The bracket put around an expression lies before the text; what is in it does not.
        let start = self.base.wrapping_add(node.start_byte());
        let end = self.base.wrapping_add(node.end_byte());
        start.min(self.doc.src.len())..end.min(self.doc.src.len())
    }

    fn raw(&self, node: TsNode<'_>) -> String {
        self.doc.raw(self.span(node)).to_owned()
    }

    fn other(&self, node: TsNode<'_>) -> Ex {
        Ex {
            kind: ExKind::Other,
            span: self.span(node),
        }
    }

    fn statement(
        &mut self,
        parent: NodeId,
        node: TsNode<'_>,
        scope: &mut HashMap<String, Ex>,
        top: bool,
    ) {
        match node.kind() {
            "import_statement" => self.import(node),
            "export_statement" => self.export(parent, node, scope, top),
            "lexical_declaration" | "variable_declaration" => {
                for child in children(node)
                    .into_iter()
                    .filter(|child| child.kind() == "variable_declarator")
                {
                    let Some(name) = child.child_by_field_name("name") else {
                        continue;
                    };
                    let value = child.child_by_field_name("value");
                    let label = if name.kind() == "identifier" {
                        self.raw(name)
                    } else {
                        String::new()
                    };
                    let pair = self.pair(parent, &label, child);
                    let ex = match value {
                        Some(value) => self.ex(pair, value),
                        None => self.other(child),
                    };
                    self.bind(pair, name, ex, scope);
                }
            }
            "function_declaration" | "generator_function_declaration" => {
                let name = node
                    .child_by_field_name("name")
                    .map(|name| self.raw(name))
                    .unwrap_or_default();
                let pair = self.pair(parent, &name, node);
                let func = self.function(pair, node);
                let name = if name.is_empty() {
                    "default".to_owned()
                } else {
                    name
                };
                scope.insert(name, func);
            }
            "class_declaration" | "class" => {
                let name = node
                    .child_by_field_name("name")
                    .map(|name| self.raw(name))
                    .unwrap_or_default();
                let pair = self.pair(parent, &name, node);
                let ex = self.class(pair, node);
                scope.insert(
                    if name.is_empty() {
                        "default".to_owned()
                    } else {
                        name
                    },
                    ex,
                );
            }
            "expression_statement" => {
                let Some(inner) = node.named_child(0) else {
                    return;
                };
                if inner.kind() == "assignment_expression" {
                    self.assignment(parent, inner, scope);
                } else if top {
                    let pair = self.pair(parent, "", inner);
                    self.ex(pair, inner);
                }
            }
            "labeled_statement" => {
                // Svelte's `$: name = value`.
                for child in children(node) {
                    self.statement(parent, child, scope, top);
                }
            }
            "ERROR" => {
                for child in children(node) {
                    self.statement(parent, child, scope, top);
                }
            }
            _ => {}
        }
    }

    /// What a module exports, under its name or as `default`.
    fn export(
        &mut self,
        parent: NodeId,
        node: TsNode<'_>,
        scope: &mut HashMap<String, Ex>,
        top: bool,
    ) {
        let source = node.child_by_field_name("source");
        let default = children(node).iter().any(|child| child.kind() == "default");
        for child in children(node) {
            match child.kind() {
                "export_clause" => self.export_clause(child, source, scope),
                "lexical_declaration" | "variable_declaration" => {
                    self.statement(parent, child, scope, top)
                }
                "function_declaration" | "generator_function_declaration" | "class_declaration" => {
                    self.statement(parent, child, scope, top);
                    if default {
                        let name = child.child_by_field_name("name").map(|name| self.raw(name));
                        if let Some(found) = name.and_then(|name| scope.get(&name).cloned()) {
                            scope.insert("default".into(), found);
                        }
                    }
                }
                kind if default && child.is_named() && kind != "comment" && kind != "decorator" => {
                    let pair = self.pair(parent, "default", child);
                    let ex = self.ex(pair, child);
                    scope.insert("default".into(), ex);
                }
                _ => {}
            }
        }
    }

    /// `name = value`, `module.exports = value`.
    fn assignment(&mut self, parent: NodeId, node: TsNode<'_>, scope: &mut HashMap<String, Ex>) {
        let left = node
            .child_by_field_name("left")
            .map(|left| self.raw(left))
            .unwrap_or_default();
        let Some(right) = node.child_by_field_name("right") else {
            return;
        };
        let name = match left.as_str() {
            "module.exports" | "exports.default" => "default".to_owned(),
            other => other
                .trim_start_matches("exports.")
                .trim_start_matches("module.")
                .to_owned(),
        };
        let pair = self.pair(parent, &name, node);
        let ex = self.ex(pair, right);
        scope.insert(name, ex);
    }

    fn pair(&mut self, parent: NodeId, name: &str, node: TsNode<'_>) -> NodeId {
        let span = self.span(node);
        self.doc
            .add(parent, Kind::Pair, name, span.clone(), span, Host::None)
    }

    fn import(&mut self, node: TsNode<'_>) {
        let Some(source) = node.child_by_field_name("source") else {
            return;
        };
        let source = self
            .raw(source)
            .trim_matches(|c| c == '"' || c == '\'')
            .to_owned();
        let span = self.span(node);
        let mut found: Vec<(String, String)> = Vec::new();
        for clause in children(node)
            .into_iter()
            .filter(|child| child.kind() == "import_clause")
        {
            for part in children(clause) {
                match part.kind() {
                    "identifier" => found.push((self.raw(part), "default".into())),
                    "namespace_import" => {
                        if let Some(name) = part.named_child(0) {
                            found.push((self.raw(name), "*".into()));
                        }
                    }
                    "named_imports" => {
                        for one in children(part)
                            .into_iter()
                            .filter(|one| one.kind() == "import_specifier")
                        {
                            let Some(name) = one.child_by_field_name("name") else {
                                continue;
                            };
                            let local = one.child_by_field_name("alias").unwrap_or(name);
                            found.push((self.raw(local), self.raw(name)));
                        }
                    }
                    _ => {}
                }
            }
        }
        if found.is_empty() {
            found.push((String::new(), String::new()));
        }
        for (local, name) in found {
            self.doc.imports.push(Import {
                local,
                name,
                source: source.clone(),
                span: span.clone(),
            });
        }
    }

    fn export_clause(
        &mut self,
        node: TsNode<'_>,
        source: Option<TsNode<'_>>,
        scope: &mut HashMap<String, Ex>,
    ) {
        for one in children(node)
            .into_iter()
            .filter(|one| one.kind() == "export_specifier")
        {
            let Some(name) = one.child_by_field_name("name") else {
                continue;
            };
            let alias = one.child_by_field_name("alias").unwrap_or(name);
            let (name, alias) = (self.raw(name), self.raw(alias));
            if let Some(source) = source {
                let source = self
                    .raw(source)
                    .trim_matches(|c| c == '"' || c == '\'')
                    .to_owned();
                let local = format!("export {alias}");
                self.doc.imports.push(Import {
                    local: local.clone(),
                    name,
                    source,
                    span: self.span(one),
                });
                scope.insert(
                    alias,
                    Ex {
                        kind: ExKind::Name(local),
                        span: self.span(one),
                    },
                );
            } else if name != alias {
                scope.insert(
                    alias,
                    Ex {
                        kind: ExKind::Name(name),
                        span: self.span(one),
                    },
                );
            }
        }
    }

    fn bind(&mut self, parent: NodeId, name: TsNode<'_>, ex: Ex, scope: &mut HashMap<String, Ex>) {
        match name.kind() {
            "identifier" => {
                scope.insert(self.raw(name), ex);
            }
            "object_pattern" => {
                let Pattern::Object(keys, rest) = self.pattern(parent, name) else {
                    return;
                };
                for (key, local, default) in keys {
                    let member = Ex {
                        span: ex.span.clone(),
                        kind: ExKind::Member(Box::new(ex.clone()), key),
                    };
                    let value = match default {
                        Some(default) => Ex {
                            span: ex.span.clone(),
                            kind: ExKind::Any(vec![member, default]),
                        },
                        None => member,
                    };
                    scope.insert(local, value);
                }
                if let Some(rest) = rest {
                    scope.insert(rest, ex);
                }
            }
            "array_pattern" => {
                let Pattern::Array(names) = self.pattern(parent, name) else {
                    return;
                };
                let Some(Some(local)) = names.first() else {
                    return;
                };
                // Only the first: the state of `useState` and its like.
                let span = ex.span.clone();
                let start = Ex {
                    span: span.clone(),
                    kind: ExKind::Member(Box::new(ex.clone()), "[0]".into()),
                };
                let set = names.get(1).cloned().flatten();
                let later = set.and_then(|set| self.state_set(&set, &span));
                let value = match later {
                    Some(later) => Ex {
                        span,
                        kind: ExKind::Any(vec![later, start]),
                    },
                    None => start,
                };
                scope.insert(local.clone(), value);
            }
            _ => {}
        }
    }

    /// `setData(JsonData)`: the name a state is set to, when it is set to one.
    fn state_set(&self, set: &str, span: &Span) -> Option<Ex> {
        let src = &self.doc.src;
        let mut found: Option<String> = None;
        for (at, call) in src.match_indices(&format!("{set}(")) {
            let argument = src[at + call.len()..]
                .split(')')
                .next()
                .unwrap_or_default()
                .trim();
            let name =
                argument.starts_with(char::is_uppercase) || argument.contains(char::is_uppercase);
            let plain = !argument.is_empty()
                && argument
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '_' || c == '$');
            if plain
                && name
                && self
                    .doc
                    .imports
                    .iter()
                    .any(|import| import.local == argument)
            {
                found = Some(argument.to_owned());
            }
        }
        found.map(|name| Ex {
            kind: ExKind::Name(name),
            span: span.clone(),
        })
    }
}
