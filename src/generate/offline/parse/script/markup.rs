//! Markup inside scripts.

use super::*;

impl Script<'_> {
    pub(super) fn object(&mut self, parent: NodeId, node: TsNode<'_>) -> NodeId {
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
    pub(super) fn value(&mut self, parent: NodeId, node: TsNode<'_>) {
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
