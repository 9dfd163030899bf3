//! Attributes of markup and what their values hold.

use super::*;

impl Markup<'_> {
    pub(super) fn attribute(&mut self, element: NodeId, node: TsNode<'_>) {
        if !matches!(node.kind(), "attribute" | "directive_attribute") {
            return;
        }
        let span = self.span(node);
        let raw = self.doc.raw(span.clone()).to_owned();
        if raw.starts_with('{') {
            // `{name}` and `{...spread}`.
            let inner = self.inner(&span, 1, 1);
            let name = self.doc.raw(inner.clone()).trim().to_owned();
            let name = if name.starts_with("...") {
                "...".to_owned()
            } else {
                name
            };
            let attr = self
                .doc
                .add(element, Kind::Attr, &name, span, inner.clone(), Host::None);
            let inner = if name == "..." {
                inner.start + 3..inner.end
            } else {
                inner
            };
            self.expr(attr, inner.clone(), inner);
            return;
        }
        let eq = raw.find('=');
        let full_name = raw[..eq.unwrap_or(raw.len())].trim().to_owned();
        let bound = full_name.starts_with(':') || full_name.starts_with("v-bind:");
        let directive = full_name.starts_with("v-") && !bound;
        if full_name.starts_with('@')
            || full_name.starts_with("v-on:")
            || full_name.starts_with("on:")
        {
            return;
        }
        let name = full_name
            .trim_start_matches("v-bind:")
            .trim_start_matches(':')
            .to_owned();
        let name = name.split('.').next().unwrap_or_default().to_owned();
        let Some(eq) = eq else {
            let end = span.end..span.end;
            let from = span.end - name.len().min(span.len());
            let attr = self
                .doc
                .add(element, Kind::Attr, &name, span.clone(), end, Host::None);
            // `:page` is short for `:page="page"`.
            if bound && self.doc.lang == Lang::Vue && self.doc.raw(from..span.end) == name {
                self.expr(attr, from..span.end, from..span.end);
            }
            return;
        };
        let lead = raw[eq + 1..].len() - raw[eq + 1..].trim_start().len();
        let value = span.start + eq + 1 + lead..span.end;
        let text = self.doc.raw(value.clone()).to_owned();
        let attr = self.doc.add(
            element,
            Kind::Attr,
            &name,
            span.clone(),
            value.clone(),
            Host::None,
        );
        let (inner, host) = match text.chars().next() {
            Some(quote @ ('"' | '\'')) => (self.inner(&value, 1, 1), Host::Attr(quote)),
            Some('{') => {
                let inner = self.inner(&value, 1, 1);
                self.doc.nodes[attr].inner = inner.clone();
                self.expr(attr, value, inner);
                return;
            }
            Some('`') => {
                self.expr(attr, value.clone(), value);
                return;
            }
            _ => (value.clone(), Host::AttrBare),
        };
        self.doc.nodes[attr].inner = inner.clone();
        if self.doc.lang == Lang::Vue && full_name == "v-for" {
            let code = self.doc.raw(inner.clone()).to_owned();
            let split = [" in ", " of "]
                .iter()
                .find_map(|word| code.find(word).map(|at| (at, at + word.len())));
            if let Some((at, from)) = split {
                let item = code[..at]
                    .trim()
                    .trim_start_matches('(')
                    .trim_end_matches(')')
                    .to_owned();
                let iterable = script::expression(self.doc, attr, inner.start + from..inner.end);
                let ex = control::each(iterable, &item, inner.clone());
                self.doc.nodes[attr].ex = Some(Arc::new(ex));
            }
            return;
        }
        if self.doc.lang == Lang::Vue && (bound || directive || full_name.starts_with('#')) {
            if !full_name.starts_with('#') && !full_name.starts_with("v-slot") {
                self.expr(attr, inner.clone(), inner);
            }
            return;
        }
        self.attribute_value(attr, inner, host, node);
    }

    /// The value of a quoted attribute: literal text with interpolations in it.
    pub(super) fn attribute_value(
        &mut self,
        attr: NodeId,
        inner: Span,
        host: Host,
        node: TsNode<'_>,
    ) {
        let mut holes: Vec<(Span, Span, bool)> = self
            .tags
            .iter()
            .map(|tag| {
                (
                    tag.span.start + self.base..tag.span.end + self.base,
                    tag.code.start + self.base..tag.code.end + self.base,
                    tag.output,
                )
            })
            .filter(|(span, ..)| span.start >= inner.start && span.end <= inner.end)
            .collect();
        if self.doc.lang == Lang::Svelte {
            let mut stack = children(node);
            while let Some(node) = stack.pop() {
                if node.kind() == "expression" {
                    let span = self.span(node);
                    holes.push((span.clone(), self.inner(&span, 1, 1), true));
                } else {
                    stack.extend(children(node));
                }
            }
            holes.sort_by_key(|hole| hole.0.start);
        }
        if holes.is_empty() {
            self.doc
                .add(attr, Kind::Text, "", inner.clone(), inner, host);
            return;
        }
        let mut at = inner.start;
        for (span, code, output) in holes {
            if at < span.start {
                self.doc.add_text(attr, at..span.start, host);
            }
            at = span.end;
            if self.doc.lang == Lang::Svelte {
                self.expr(attr, span, code);
            } else {
                let text = self.doc.raw(code.clone()).to_owned();
                let kind = if output {
                    template::expression(&text, code.clone()).kind
                } else {
                    ExKind::Other
                };
                self.doc
                    .add_expr(attr, Kind::Expr, "", span.clone(), code, Ex { kind, span });
            }
        }
        if at < inner.end {
            self.doc.add_text(attr, at..inner.end, host);
        }
    }
}
