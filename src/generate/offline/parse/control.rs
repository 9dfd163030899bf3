//! Control flow, assignments and includes of template languages.

use std::sync::Arc;

use super::template::{self, Tag};
use crate::generate::offline::doc::{Doc, Ex, ExKind, Func, Kind, NodeId, Pattern, Span};
use crate::generate::offline::text::Host;

/// A loop: `each(iterable, (item) => …)`.
pub fn each(iterable: Ex, item: &str, span: Span) -> Ex {
    let item = item.split('(').next().unwrap_or_default().trim();
    let pattern = if let Some(inner) = item.strip_prefix('{') {
        let keys = inner
            .split('}')
            .next()
            .unwrap_or_default()
            .split(',')
            .filter_map(|key| {
                let mut names = key.split(':').map(str::trim);
                let key = names.next().filter(|key| !key.is_empty())?;
                Some((key.to_owned(), names.next().unwrap_or(key).to_owned(), None))
            })
            .collect();
        Pattern::Object(keys, None)
    } else {
        Pattern::Name(item.split(',').next().unwrap_or_default().trim().to_owned())
    };
    let func = Func {
        params: vec![pattern],
        ..Func::default()
    };
    call(
        "each",
        vec![
            iterable,
            Ex {
                kind: ExKind::Func(Arc::new(func)),
                span: span.clone(),
            },
        ],
        span,
    )
}

fn call(name: &str, arguments: Vec<Ex>, span: Span) -> Ex {
    let callee = Ex {
        kind: ExKind::Name(name.to_owned()),
        span: span.clone(),
    };
    Ex {
        kind: ExKind::Call(Box::new(callee), arguments),
        span,
    }
}

fn name(text: &str, span: &Span) -> Ex {
    Ex {
        kind: ExKind::Name(text.to_owned()),
        span: span.clone(),
    }
}

/// Adds what a template tag stands for below the innermost open block, which it may open or close.
pub fn tag(doc: &mut Doc, open: &mut Vec<NodeId>, tag: &Tag) {
    let parent = *open.last().unwrap_or(&0);
    let code = doc.raw(tag.code.clone()).to_owned();
    let span = tag.span.clone();
    let mut words = code.split_whitespace();
    let word = words.next().unwrap_or_default().trim_end_matches(':');
    let rest = code[word.len().min(code.len())..].trim();
    if tag.output {
        let ex = if word == "partial"
            || word == "partialCached"
            || word == "template"
            || word == "block"
        {
            include(rest, &span)
        } else {
            literal(doc, parent, &code, &tag.code)
                .unwrap_or_else(|| template::expression(&code, tag.code.clone()))
        };
        doc.add_expr(parent, Kind::Expr, "", span, tag.code.clone(), ex);
        return;
    }
    match word {
        "include" | "include_relative" | "include_cached" | "render" | "extends" | "layout"
        | "partial" | "partialCached" | "import" => {
            let name = if word == "extends" || word == "layout" {
                "extends"
            } else {
                ""
            };
            let ex = include(rest, &span);
            let id = doc.add_expr(parent, Kind::Expr, name, span, tag.code.clone(), ex);
            parameters(doc, id, &tag.code, rest);
        }
        "template" if rest.starts_with('"') => {
            let ex = include(rest, &span);
            doc.add_expr(parent, Kind::Expr, "", span, tag.code.clone(), ex);
        }
        "for" | "range" => {
            let (item, items) = if word == "for" {
                match rest.split_once(" in ") {
                    Some((item, items)) => (item.trim(), items.trim()),
                    None => ("", rest),
                }
            } else if let Some((names, items)) = rest.split_once(":=") {
                (
                    names.rsplit(',').next().unwrap_or_default().trim(),
                    items.trim(),
                )
            } else {
                (".", rest)
            };
            let items = items.split(" limit:").next().unwrap_or(items);
            let items = items
                .split_whitespace()
                .next_back()
                .filter(|_| word == "range")
                .unwrap_or(items);
            let items = items.trim_end_matches(')');
            let iterable = template::expression(
                items.split_whitespace().next().unwrap_or_default(),
                tag.code.clone(),
            );
            block(
                doc,
                open,
                "for",
                span.clone(),
                Some(each(iterable, item, span)),
            );
        }
        "with" => {
            let (item, value) = match rest.split_once(":=") {
                Some((item, value)) => (item.trim(), value.trim()),
                None => (".", rest),
            };
            let value = template::expression(value, tag.code.clone());
            let ex = call("with", vec![name(item, &span), value], span.clone());
            block(doc, open, "with", span, Some(ex));
        }
        "if" | "unless" | "block" | "define" | "case" | "capture" | "macro" | "call" | "set"
            if word != "set" =>
        {
            let title = if word == "block" || word == "define" {
                "block"
            } else {
                "if"
            };
            let ex = (title == "block").then(|| name(rest.trim_matches('"'), &span));
            block(doc, open, title, span, ex);
        }
        "else" | "elsif" | "elif" | "elseif" | "when" => {}
        "assign" | "set" => {
            let Some((local, value)) = rest.split_once('=') else {
                return;
            };
            let value = literal(doc, parent, value.trim(), &tag.code)
                .unwrap_or_else(|| template::expression(value.trim(), tag.code.clone()));
            let ex = call(
                "assign",
                vec![name(local.trim(), &span), value],
                span.clone(),
            );
            doc.add_expr(parent, Kind::Expr, "assign", span, tag.code.clone(), ex);
        }
        "year" => {
            let ex = Ex {
                kind: ExKind::Other,
                span: span.clone(),
            };
            doc.add_expr(parent, Kind::Expr, "computed", span, tag.code.clone(), ex);
        }
        _ if word.starts_with('$') => {
            let Some((local, value)) = code.split_once('=') else {
                return;
            };
            let local = local.trim().trim_end_matches(':').trim();
            let value = template::expression(value.trim(), tag.code.clone());
            let ex = call("assign", vec![name(local, &span), value], span.clone());
            doc.add_expr(parent, Kind::Expr, "assign", span, tag.code.clone(), ex);
        }
        _ if word.starts_with("end") || word.starts_with('/') => {
            if open.len() > 1
                && let Some(closed) = open.pop()
            {
                doc.nodes[closed].span.end = span.end;
                doc.nodes[closed].inner.end = span.start;
            }
        }
        _ if word.starts_with('#') => block(doc, open, "if", span, None),
        _ => {}
    }
}

fn block(doc: &mut Doc, open: &mut Vec<NodeId>, name: &str, span: Span, ex: Option<Ex>) {
    let parent = *open.last().unwrap_or(&0);
    let id = doc.add(
        parent,
        Kind::Block,
        name,
        span.clone(),
        span.end..span.end,
        Host::None,
    );
    doc.nodes[id].ex = ex.map(Arc::new);
    open.push(id);
}

/// A quoted literal in template code becomes a scalar of its own.
fn literal(doc: &mut Doc, parent: NodeId, code: &str, within: &Span) -> Option<Ex> {
    let quote = code.chars().next().filter(|c| *c == '"' || *c == '\'')?;
    let end = code[1..].find(quote)? + 1;
    let tail = code[end + 1..].trim();
    let at = doc.raw(within.clone()).find(code)? + within.start;
    if !(tail.is_empty() || tail.starts_with('|')) {
        return None;
    }
    let inner = at + 1..at + end;
    let id = doc.add(
        parent,
        Kind::Scalar,
        "",
        at..at + end + 1,
        inner,
        Host::Js(quote),
    );
    Some(Ex {
        kind: ExKind::Node(id),
        span: at..at + end + 1,
    })
}

fn include(rest: &str, span: &Span) -> Ex {
    let quoted = rest.find(['"', '\'']).and_then(|at| {
        let quote = rest[at..].chars().next()?;
        let end = rest[at + 1..].find(quote)?;
        // Liquid writes the file bare; a quote further on belongs to a parameter.
        (!rest[..at].contains('=') && rest[..at].split_whitespace().count() == 0)
            .then(|| &rest[at + 1..at + 1 + end])
    });
    let file = quoted.unwrap_or_else(|| rest.split_whitespace().next().unwrap_or_default());
    call("include", vec![name(file, span)], span.clone())
}

/// `{% include x.html title="A" text=page.text %}`: the parameters become attributes of the include.
fn parameters(doc: &mut Doc, include: NodeId, code: &Span, rest: &str) {
    let Some(offset) = doc.raw(code.clone()).find(rest).map(|at| at + code.start) else {
        return;
    };
    let bytes = rest.as_bytes();
    let mut at = 0;
    while let Some(eq) = rest[at..].find(['=', ':']).map(|found| found + at) {
        let start = rest[..eq]
            .rfind(|c: char| c.is_whitespace() || c == ',')
            .map_or(0, |space| space + 1);
        let key = rest[start..eq].trim().to_owned();
        let from = eq + 1 + (rest[eq + 1..].len() - rest[eq + 1..].trim_start().len());
        let Some(first) = bytes.get(from).copied() else {
            return;
        };
        if first == b'"' || first == b'\'' {
            let Some(end) = rest[from + 1..]
                .find(first as char)
                .map(|end| end + from + 1)
            else {
                return;
            };
            let span = offset + start..offset + end + 1;
            let attr = doc.add(
                include,
                Kind::Attr,
                &key,
                span,
                offset + from..offset + end + 1,
                Host::None,
            );
            let inner = offset + from + 1..offset + end;
            doc.add(
                attr,
                Kind::Text,
                "",
                inner.clone(),
                inner,
                Host::Js(first as char),
            );
            at = end + 1;
        } else {
            let end = rest[from..]
                .find(char::is_whitespace)
                .map_or(rest.len(), |end| end + from);
            let span = offset + start..offset + end;
            let value = offset + from..offset + end;
            let attr = doc.add(include, Kind::Attr, &key, span, value.clone(), Host::None);
            let ex = template::expression(&rest[from..end], value.clone());
            doc.add_expr(attr, Kind::Expr, "", value.clone(), value, ex);
            at = end;
        }
    }
}
