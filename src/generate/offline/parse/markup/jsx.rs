//! Elements and attributes of JSX.

use super::*;

impl Markup<'_> {
    pub(super) fn jsx_element(&mut self, parent: NodeId, node: TsNode<'_>) -> NodeId {
        let span = self.span(node);
        let opening = match node.kind() {
            "jsx_self_closing_element" => node,
            _ => match node
                .child_by_field_name("open_tag")
                .or_else(|| node.child(0))
            {
                Some(opening) => opening,
                None => node,
            },
        };
        let name = opening
            .child_by_field_name("name")
            .map(|name| self.raw(name))
            .unwrap_or_default();
        let parts = children(node);
        let closing = parts
            .last()
            .filter(|last| last.kind() == "jsx_closing_element");
        let inner = match (node.kind(), closing) {
            ("jsx_self_closing_element", _) => span.end..span.end,
            (_, Some(closing)) => self.span(opening).end..self.span(*closing).start,
            _ => self.span(opening).end..span.end,
        };
        let id = self.doc.add(
            parent,
            Kind::Element,
            &name,
            span,
            inner.clone(),
            Host::Braced,
        );
        for attribute in children(opening) {
            self.jsx_attribute(id, attribute);
        }
        if inner.is_empty() || self.depth > 100 {
            return id;
        }
        self.depth += 1;
        let mut at = inner.start;
        for child in parts {
            let child_span = self.span(child);
            if child_span.start < inner.start || child_span.end > inner.end {
                continue;
            }
            match child.kind() {
                "jsx_element" | "jsx_self_closing_element" | "jsx_fragment" => {
                    self.doc.add_text(id, at..child_span.start, Host::Braced);
                    self.jsx_element(id, child);
                }
                "jsx_expression" => {
                    self.doc.add_text(id, at..child_span.start, Host::Braced);
                    let inner = self.inner(&child_span, 1, 1);
                    let empty = children(child)
                        .iter()
                        .all(|part| !part.is_named() || part.kind() == "comment");
                    if !empty {
                        self.expr(id, child_span.clone(), inner);
                    }
                }
                _ => continue,
            }
            at = child_span.end;
        }
        self.doc.add_text(id, at..inner.end, Host::Braced);
        self.depth -= 1;
        id
    }

    pub(super) fn jsx_attribute(&mut self, element: NodeId, node: TsNode<'_>) {
        let span = self.span(node);
        match node.kind() {
            "jsx_expression" => {
                // `{...spread}`
                let attr = self.doc.add(
                    element,
                    Kind::Attr,
                    "...",
                    span.clone(),
                    span.clone(),
                    Host::None,
                );
                let inner = self.inner(&span, 1, 1);
                let raw = self.doc.raw(inner.clone());
                let skip = raw.find("...").map_or(0, |at| at + 3);
                self.expr(attr, span, inner.start + skip..inner.end);
            }
            "jsx_attribute" => {
                let parts = children(node);
                let name = parts
                    .first()
                    .map(|name| self.raw(*name))
                    .unwrap_or_default();
                let value = parts
                    .iter()
                    .skip(1)
                    .find(|part| part.kind() != "=")
                    .copied();
                let Some(value) = value else {
                    self.doc.add(
                        element,
                        Kind::Attr,
                        &name,
                        span.clone(),
                        span.end..span.end,
                        Host::None,
                    );
                    return;
                };
                let value_span = self.span(value);
                let attr = self.doc.add(
                    element,
                    Kind::Attr,
                    &name,
                    span,
                    value_span.clone(),
                    Host::None,
                );
                let inner = self.inner(&value_span, 1, 1);
                if value.kind() == "string" {
                    let quote = self.doc.raw(value_span).chars().next().unwrap_or('"');
                    self.doc.nodes[attr].inner = inner.clone();
                    self.doc.add(
                        attr,
                        Kind::Text,
                        "",
                        inner.clone(),
                        inner,
                        Host::Attr(quote),
                    );
                } else if value.kind() == "jsx_expression" {
                    self.doc.nodes[attr].inner = inner.clone();
                    self.expr(attr, value_span, inner);
                }
            }
            _ => {}
        }
    }
}
