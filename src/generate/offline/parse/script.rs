//! JavaScript and TypeScript, with or without JSX: imports, named values, and the literals and elements in them.

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
            "export_statement" => {
                let source = node.child_by_field_name("source");
                let default = children(node).iter().any(|child| child.kind() == "default");
                for child in children(node) {
                    match child.kind() {
                        "export_clause" => self.export_clause(child, source, scope),
                        "lexical_declaration" | "variable_declaration" => {
                            self.statement(parent, child, scope, top)
                        }
                        "function_declaration"
                        | "generator_function_declaration"
                        | "class_declaration" => {
                            self.statement(parent, child, scope, top);
                            if default {
                                let name =
                                    child.child_by_field_name("name").map(|name| self.raw(name));
                                if let Some(found) = name.and_then(|name| scope.get(&name).cloned())
                                {
                                    scope.insert("default".into(), found);
                                }
                            }
                        }
                        kind if default
                            && child.is_named()
                            && kind != "comment"
                            && kind != "decorator" =>
                        {
                            let pair = self.pair(parent, "default", child);
                            let ex = self.ex(pair, child);
                            scope.insert("default".into(), ex);
                        }
                        _ => {}
                    }
                }
            }
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
                    let left = inner
                        .child_by_field_name("left")
                        .map(|left| self.raw(left))
                        .unwrap_or_default();
                    let Some(right) = inner.child_by_field_name("right") else {
                        return;
                    };
                    let name = match left.as_str() {
                        "module.exports" | "exports.default" => "default".to_owned(),
                        other => other
                            .trim_start_matches("exports.")
                            .trim_start_matches("module.")
                            .to_owned(),
                    };
                    let pair = self.pair(parent, &name, inner);
                    let ex = self.ex(pair, right);
                    scope.insert(name, ex);
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

    fn pattern(&mut self, parent: NodeId, node: TsNode<'_>) -> Pattern {
        match node.kind() {
            "identifier" => Pattern::Name(self.raw(node)),
            "required_parameter" | "optional_parameter" => {
                match node.child_by_field_name("pattern") {
                    Some(pattern) => self.pattern(parent, pattern),
                    None => Pattern::Other,
                }
            }
            "assignment_pattern" => match node.child_by_field_name("left") {
                Some(left) => self.pattern(parent, left),
                None => Pattern::Other,
            },
            "object_pattern" => {
                let (mut keys, mut rest) = (Vec::new(), None);
                for part in children(node) {
                    match part.kind() {
                        "shorthand_property_identifier_pattern" => {
                            let name = self.raw(part);
                            keys.push((name.clone(), name, None));
                        }
                        "object_assignment_pattern" => {
                            let Some(left) = part.child_by_field_name("left") else {
                                continue;
                            };
                            let name = self.raw(left);
                            let default = part
                                .child_by_field_name("right")
                                .map(|right| self.named(parent, &name, right));
                            keys.push((name.clone(), name, default));
                        }
                        "pair_pattern" => {
                            let (Some(key), Some(value)) = (
                                part.child_by_field_name("key"),
                                part.child_by_field_name("value"),
                            ) else {
                                continue;
                            };
                            let key = self.raw(key);
                            match value.kind() {
                                "identifier" => keys.push((key, self.raw(value), None)),
                                "assignment_pattern" => {
                                    let Some(left) = value.child_by_field_name("left") else {
                                        continue;
                                    };
                                    let local = self.raw(left);
                                    let default = value
                                        .child_by_field_name("right")
                                        .map(|right| self.named(parent, &key, right));
                                    keys.push((key, local, default));
                                }
                                _ => {}
                            }
                        }
                        "rest_pattern" => rest = part.named_child(0).map(|name| self.raw(name)),
                        _ => {}
                    }
                }
                Pattern::Object(keys, rest)
            }
            "array_pattern" => Pattern::Array(
                children(node)
                    .into_iter()
                    .filter(TsNode::is_named)
                    .map(|part| (part.kind() == "identifier").then(|| self.raw(part)))
                    .collect(),
            ),
            _ => Pattern::Other,
        }
    }

    /// An expression below a pair of its own, so that a default is known by its parameter's name.
    fn named(&mut self, parent: NodeId, name: &str, node: TsNode<'_>) -> Ex {
        let pair = self.pair(parent, name, node);
        self.ex(pair, node)
    }

    fn function(&mut self, parent: NodeId, node: TsNode<'_>) -> Ex {
        let mut func = Func::default();
        let params = node
            .child_by_field_name("parameters")
            .or_else(|| node.child_by_field_name("parameter"));
        if let Some(params) = params {
            if params.kind() == "identifier" {
                func.params.push(Pattern::Name(self.raw(params)));
            } else {
                for param in children(params).into_iter().filter(TsNode::is_named) {
                    if param.kind() != "comment" {
                        let pattern = self.pattern(parent, param);
                        func.params.push(pattern);
                    }
                }
            }
        }
        if let Some(body) = node.child_by_field_name("body") {
            if body.kind() == "statement_block" {
                self.body(parent, body, &mut func);
            } else {
                let ex = self.ex(parent, body);
                func.returns.push(ex);
            }
        }
        Ex {
            kind: ExKind::Func(Arc::new(func)),
            span: self.span(node),
        }
    }

    fn body(&mut self, parent: NodeId, block: TsNode<'_>, func: &mut Func) {
        if self.depth > 60 {
            return;
        }
        self.depth += 1;
        for child in children(block) {
            match child.kind() {
                "return_statement" => {
                    if let Some(value) = child.named_child(0) {
                        let ex = self.ex(parent, value);
                        func.returns.push(ex);
                    }
                }
                "if_statement" | "else_clause" | "statement_block" | "switch_statement"
                | "switch_body" | "switch_case" | "switch_default" | "try_statement"
                | "catch_clause" | "finally_clause" | "for_statement" | "for_in_statement" => {
                    self.body(parent, child, func)
                }
                _ => {
                    let mut locals = std::mem::take(&mut func.locals);
                    self.statement(parent, child, &mut locals, false);
                    func.locals = locals;
                }
            }
        }
        self.depth -= 1;
    }

    /// A class is the function that its `render` is; its other methods and fields are its locals.
    fn class(&mut self, parent: NodeId, node: TsNode<'_>) -> Ex {
        let mut func = Func::default();
        if let Some(body) = node.child_by_field_name("body") {
            for member in children(body) {
                let name = member
                    .child_by_field_name("name")
                    .or_else(|| member.child_by_field_name("property"))
                    .map(|name| self.raw(name))
                    .unwrap_or_default();
                match member.kind() {
                    "method_definition" if name == "render" => {
                        if let Some(block) = member.child_by_field_name("body") {
                            self.body(parent, block, &mut func);
                        }
                    }
                    "public_field_definition" | "field_definition" => {
                        if let Some(value) = member.child_by_field_name("value") {
                            let ex = self.named(parent, &name, value);
                            func.locals.insert(name, ex);
                        }
                    }
                    "method_definition" => {
                        let pair = self.pair(parent, &name, member);
                        let ex = self.function(pair, member);
                        func.locals.insert(name, ex);
                    }
                    _ => {}
                }
            }
        }
        Ex {
            kind: ExKind::Func(Arc::new(func)),
            span: self.span(node),
        }
    }

    /// The expression `node`; literals, objects, arrays and elements in it become nodes below `parent`.
    fn ex(&mut self, parent: NodeId, node: TsNode<'_>) -> Ex {
        if self.depth > 120 {
            return self.other(node);
        }
        self.depth += 1;
        let ex = self.ex_inner(parent, node);
        self.depth -= 1;
        ex
    }

    fn ex_inner(&mut self, parent: NodeId, node: TsNode<'_>) -> Ex {
        let span = self.span(node);
        let make = |kind: ExKind| Ex {
            kind,
            span: span.clone(),
        };
        match node.kind() {
            "string" => {
                let quote = self.doc.raw(span.clone()).chars().next().unwrap_or('"');
                let inner = span.start + 1..span.end.saturating_sub(1).max(span.start + 1);
                make(ExKind::Node(self.doc.add(
                    parent,
                    Kind::Scalar,
                    "",
                    span.clone(),
                    inner,
                    Host::Js(quote),
                )))
            }
            "template_string" => self.template(parent, node),
            "number" | "true" | "false" | "null" => make(ExKind::Node(self.doc.add(
                parent,
                Kind::Scalar,
                "",
                span.clone(),
                span.clone(),
                Host::Bare,
            ))),
            "object" => make(ExKind::Node(self.object(parent, node))),
            "array" => {
                let array = self.doc.add(
                    parent,
                    Kind::Array,
                    "",
                    span.clone(),
                    span.clone(),
                    Host::None,
                );
                for item in children(node).into_iter().filter(TsNode::is_named) {
                    if item.kind() != "comment" {
                        self.value(array, item);
                    }
                }
                make(ExKind::Node(array))
            }
            "identifier" | "this" | "undefined" => make(ExKind::Name(self.raw(node))),
            "member_expression" => {
                let (Some(object), Some(property)) = (
                    node.child_by_field_name("object"),
                    node.child_by_field_name("property"),
                ) else {
                    return self.other(node);
                };
                let object = self.ex(parent, object);
                make(ExKind::Member(Box::new(object), self.raw(property)))
            }
            "subscript_expression" => {
                let (Some(object), Some(index)) = (
                    node.child_by_field_name("object"),
                    node.child_by_field_name("index"),
                ) else {
                    return self.other(node);
                };
                let object = self.ex(parent, object);
                if matches!(index.kind(), "string" | "number") {
                    let key = self
                        .raw(index)
                        .trim_matches(|c| c == '"' || c == '\'')
                        .to_owned();
                    let key = if index.kind() == "number" {
                        format!("[{key}]")
                    } else {
                        key
                    };
                    return make(ExKind::Member(Box::new(object), key));
                }
                let index = self.ex(parent, index);
                make(ExKind::Index(Box::new(object), Box::new(index)))
            }
            "call_expression" | "new_expression" => {
                let callee = node
                    .child_by_field_name("function")
                    .or_else(|| node.child_by_field_name("constructor"));
                let Some(callee) = callee else {
                    return self.other(node);
                };
                let callee = self.ex(parent, callee);
                let mut arguments = Vec::new();
                if let Some(list) = node.child_by_field_name("arguments") {
                    if list.kind() == "template_string" {
                        return self.other(node);
                    }
                    for argument in children(list).into_iter().filter(TsNode::is_named) {
                        if argument.kind() != "comment" {
                            arguments.push(self.ex(parent, argument));
                        }
                    }
                }
                make(ExKind::Call(Box::new(callee), arguments))
            }
            "arrow_function" | "function_expression" | "function" | "function_declaration" => {
                self.function(parent, node)
            }
            "class" => self.class(parent, node),
            "ternary_expression" => {
                let mut parts = Vec::new();
                for field in ["consequence", "alternative"] {
                    if let Some(part) = node.child_by_field_name(field) {
                        parts.push(self.ex(parent, part));
                    }
                }
                make(ExKind::Any(parts))
            }
            "binary_expression" => {
                let operator = node
                    .child_by_field_name("operator")
                    .map(|op| op.kind().to_owned())
                    .unwrap_or_default();
                let (Some(left), Some(right)) = (
                    node.child_by_field_name("left"),
                    node.child_by_field_name("right"),
                ) else {
                    return self.other(node);
                };
                match operator.as_str() {
                    "&&" => self.ex(parent, right),
                    "||" | "??" => {
                        let parts = vec![self.ex(parent, left), self.ex(parent, right)];
                        make(ExKind::Any(parts))
                    }
                    "+" => {
                        let parts = vec![self.ex(parent, left), self.ex(parent, right)];
                        make(ExKind::Concat(parts))
                    }
                    _ => self.other(node),
                }
            }
            "parenthesized_expression"
            | "as_expression"
            | "satisfies_expression"
            | "non_null_expression"
            | "await_expression"
            | "type_assertion"
            | "jsx_expression"
            | "expression_statement" => {
                match node
                    .named_child(0)
                    .filter(|child| child.kind() != "comment")
                {
                    Some(child) => self.ex(parent, child),
                    None => self.other(node),
                }
            }
            "spread_element" => match node.named_child(0) {
                Some(child) => {
                    let inner = self.ex(parent, child);
                    make(ExKind::Spread(Box::new(inner)))
                }
                None => self.other(node),
            },
            "jsx_element" | "jsx_self_closing_element" | "jsx_fragment" => make(ExKind::Node(
                super::markup::jsx(self.doc, parent, node, self.base),
            )),
            _ => self.other(node),
        }
    }

    fn template(&mut self, parent: NodeId, node: TsNode<'_>) -> Ex {
        let span = self.span(node);
        let mut parts = Vec::new();
        let mut at = span.start + 1;
        let end = span.end.saturating_sub(1).max(at);
        let holes: Vec<TsNode<'_>> = children(node)
            .into_iter()
            .filter(|child| child.kind() == "template_substitution")
            .collect();
        let literal = |doc: &mut Doc, from: usize, to: usize, parts: &mut Vec<Ex>| {
            if from < to {
                let id = doc.add(parent, Kind::Scalar, "", from..to, from..to, Host::Template);
                parts.push(Ex {
                    kind: ExKind::Node(id),
                    span: from..to,
                });
            }
        };
        for hole in holes {
            let hole_span = self.span(hole);
            literal(self.doc, at, hole_span.start, &mut parts);
            if let Some(inner) = hole.named_child(0) {
                let ex = self.ex(parent, inner);
                parts.push(ex);
            }
            at = hole_span.end;
        }
        literal(self.doc, at, end, &mut parts);
        if parts.is_empty() {
            let id = self.doc.add(
                parent,
                Kind::Scalar,
                "",
                span.clone(),
                at..end,
                Host::Template,
            );
            return Ex {
                kind: ExKind::Node(id),
                span,
            };
        }
        if let [
            Ex {
                kind: ExKind::Node(id),
                ..
            },
        ] = parts.as_slice()
        {
            self.doc.nodes[*id].span = span.clone();
            return Ex {
                kind: ExKind::Node(*id),
                span,
            };
        }
        Ex {
            kind: ExKind::Concat(parts),
            span,
        }
    }

    fn object(&mut self, parent: NodeId, node: TsNode<'_>) -> NodeId {
        let span = self.span(node);
        let object = self
            .doc
            .add(parent, Kind::Object, "", span.clone(), span, Host::None);
        for member in children(node).into_iter().filter(TsNode::is_named) {
            match member.kind() {
                "pair" => {
                    let (Some(key), Some(value)) = (
                        member.child_by_field_name("key"),
                        member.child_by_field_name("value"),
                    ) else {
                        continue;
                    };
                    let name = self
                        .raw(key)
                        .trim_matches(|c| c == '"' || c == '\'')
                        .to_owned();
                    let pair = self.pair(object, &name, member);
                    self.value(pair, value);
                }
                "shorthand_property_identifier" => {
                    let name = self.raw(member);
                    let pair = self.pair(object, &name, member);
                    let span = self.span(member);
                    let ex = Ex {
                        kind: ExKind::Name(name),
                        span: span.clone(),
                    };
                    self.doc
                        .add_expr(pair, Kind::Expr, "", span.clone(), span, ex);
                }
                "method_definition" => {
                    let name = member
                        .child_by_field_name("name")
                        .map(|name| self.raw(name))
                        .unwrap_or_default();
                    let pair = self.pair(object, &name, member);
                    let span = self.span(member);
                    let expr = self
                        .doc
                        .add(pair, Kind::Expr, "", span.clone(), span, Host::None);
                    let ex = self.function(expr, member);
                    self.doc.nodes[expr].ex = Some(Arc::new(ex));
                }
                "spread_element" => {
                    let span = self.span(member);
                    let expr =
                        self.doc
                            .add(object, Kind::Expr, "...", span.clone(), span, Host::None);
                    let ex = self.ex(expr, member);
                    self.doc.nodes[expr].ex = Some(Arc::new(ex));
                }
                _ => {}
            }
        }
        object
    }

    /// A value of an object or array: the literal itself, or an expression node that holds it.
    fn value(&mut self, parent: NodeId, node: TsNode<'_>) {
        let plain = matches!(
            node.kind(),
            "string" | "number" | "true" | "false" | "null" | "object" | "array"
        );
        if plain {
            self.ex(parent, node);
            return;
        }
        let span = self.span(node);
        let expr = self
            .doc
            .add(parent, Kind::Expr, "", span.clone(), span, Host::None);
        let ex = self.ex(expr, node);
        // `"x" as const`, a template literal without holes and their like are the literal itself.
        if let ExKind::Node(id) = ex.kind
            && self.doc.nodes[expr].children == [id]
            && self.doc.nodes[id].kind != Kind::Element
        {
            self.doc.nodes[id].parent = parent;
            if let Some(slot) = self.doc.nodes[parent]
                .children
                .iter_mut()
                .find(|child| **child == expr)
            {
                *slot = id;
            }
            return;
        }
        self.doc.nodes[expr].ex = Some(Arc::new(ex));
    }
}
