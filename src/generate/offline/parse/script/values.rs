//! Values: objects, arrays, literals and what they are called.

use super::*;

impl Script<'_> {
    pub(super) fn pattern(&mut self, parent: NodeId, node: TsNode<'_>) -> Pattern {
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
    pub(super) fn named(&mut self, parent: NodeId, name: &str, node: TsNode<'_>) -> Ex {
        let pair = self.pair(parent, name, node);
        self.ex(pair, node)
    }

    pub(super) fn function(&mut self, parent: NodeId, node: TsNode<'_>) -> Ex {
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

    pub(super) fn body(&mut self, parent: NodeId, block: TsNode<'_>, func: &mut Func) {
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
    pub(super) fn class(&mut self, parent: NodeId, node: TsNode<'_>) -> Ex {
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
    pub(super) fn ex(&mut self, parent: NodeId, node: TsNode<'_>) -> Ex {
        if self.depth > 120 {
            return self.other(node);
        }
        self.depth += 1;
        let ex = self.ex_inner(parent, node);
        self.depth -= 1;
        ex
    }

    pub(super) fn ex_inner(&mut self, parent: NodeId, node: TsNode<'_>) -> Ex {
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
            "subscript_expression" => match self.subscript(parent, node) {
                Some(kind) => make(kind),
                None => self.other(node),
            },
            "call_expression" | "new_expression" => match self.call(parent, node) {
                Some(kind) => make(kind),
                None => self.other(node),
            },
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
                super::super::markup::jsx(self.doc, parent, node, self.base),
            )),
            _ => self.other(node),
        }
    }

    /// `object[index]`; a constant key is a member like any other.
    fn subscript(&mut self, parent: NodeId, node: TsNode<'_>) -> Option<ExKind> {
        let object = node.child_by_field_name("object")?;
        let index = node.child_by_field_name("index")?;
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
            return Some(ExKind::Member(Box::new(object), key));
        }
        let index = self.ex(parent, index);
        Some(ExKind::Index(Box::new(object), Box::new(index)))
    }

    /// `function(arguments)`, `new Class(arguments)`; not a tagged template.
    fn call(&mut self, parent: NodeId, node: TsNode<'_>) -> Option<ExKind> {
        let callee = node
            .child_by_field_name("function")
            .or_else(|| node.child_by_field_name("constructor"))?;
        let callee = self.ex(parent, callee);
        let mut arguments = Vec::new();
        if let Some(list) = node.child_by_field_name("arguments") {
            if list.kind() == "template_string" {
                return None;
            }
            for argument in children(list).into_iter().filter(TsNode::is_named) {
                if argument.kind() != "comment" {
                    arguments.push(self.ex(parent, argument));
                }
            }
        }
        Some(ExKind::Call(Box::new(callee), arguments))
    }

    pub(super) fn template(&mut self, parent: NodeId, node: TsNode<'_>) -> Ex {
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
}
