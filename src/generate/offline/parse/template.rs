//! Template languages inside HTML and Markdown: Liquid, Nunjucks, Go templates, Handlebars and EJS.

use crate::generate::offline::doc::{Ex, ExKind, Span};

/// A template tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// All of it, delimiters included.
    pub span: Span,
    /// The code between the delimiters, without trim marks and white space.
    pub code: Span,
    /// True for an output (`{{ x }}`), false for control flow and comments.
    pub output: bool,
}

const PAIRS: &[(&str, &str, bool)] = &[
    ("{{!--", "--}}", false),
    ("{{/*", "*/}}", false),
    ("{{- /*", "*/ -}}", false),
    ("{{{", "}}}", true),
    ("{{<", ">}}", false),
    ("{{%", "%}}", false),
    ("{{", "}}", true),
    ("{%", "%}", false),
    ("{#", "#}", false),
    ("<%=", "%>", true),
    ("<%-", "%>", true),
    ("<%", "%>", false),
];

/// The template tags of `text`, in order.
pub fn tags(text: &str) -> Vec<Tag> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at + 1 < bytes.len() {
        let opens = (bytes[at] == b'{' && matches!(bytes[at + 1], b'{' | b'%' | b'#'))
            || (bytes[at] == b'<' && bytes[at + 1] == b'%');
        let found = opens
            .then(|| PAIRS.iter().find(|(open, ..)| text[at..].starts_with(open)))
            .flatten()
            .and_then(|(open, close, output)| {
                let from = at + open.len();
                let end = text.get(from..)?.find(close)? + from;
                Some((from, end, end + close.len(), *output))
            });
        let Some((from, end, after, output)) = found else {
            at += 1;
            continue;
        };
        let raw = &text[from..end];
        let lead = raw.len() - raw.trim_start_matches(['-', '~', '=']).trim_start().len();
        let code = raw.trim_end().trim_end_matches(['-', '~']).trim_end();
        let code_end = from + code.len().max(lead);
        let word = text[from + lead..code_end]
            .split(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or_default();
        // Go templates write control flow between the same braces.
        let control = matches!(
            word,
            "if" | "else"
                | "end"
                | "range"
                | "with"
                | "define"
                | "block"
                | "template"
                | "partial"
                | "partialCached"
                | "each"
                | "unless"
                | "break"
                | "continue"
                | "return"
        ) && word != "template"
            && !word.starts_with("partial");
        let code_text = &text[from + lead..code_end];
        let assigns =
            code_text.starts_with('$') && (code_text.contains(":=") || code_text.contains(" = "));
        let marks = code_text.starts_with(['#', '/', '!', '>']);
        out.push(Tag {
            span: at..after,
            code: from + lead..code_end,
            output: output && !control && !assigns && !marks,
        });
        at = after;
    }
    out
}

/// `text` with every template tag blanked out byte for byte, so that an HTML grammar reads the rest; and the tags.
pub fn mask(text: &str) -> (String, Vec<Tag>) {
    let tags = tags(text);
    if tags.is_empty() {
        return (text.to_owned(), tags);
    }
    let mut bytes = text.as_bytes().to_vec();
    for tag in &tags {
        // Within a quoted attribute or text a solid filler keeps the token in one piece.
        let filler = if tag.output { b'x' } else { b' ' };
        for byte in &mut bytes[tag.span.clone()] {
            if *byte != b'\n' && *byte != b'\r' {
                *byte = filler;
            }
        }
    }
    (
        String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned()),
        tags,
    )
}

/// The expression in template code: a dotted path with filters, as far as it can be followed.
pub fn expression(code: &str, span: Span) -> Ex {
    let other = || Ex {
        kind: ExKind::Other,
        span: span.clone(),
    };
    let make = |kind: ExKind| Ex {
        kind,
        span: span.clone(),
    };
    let mut parts = code.split('|');
    let head = parts.next().unwrap_or_default().trim();
    let mut words = head.split_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next());
    // Nunjucks: `a or b`.
    if let Some((a, b)) = head.split_once(" or ") {
        let parts = vec![
            expression(a.trim(), span.clone()),
            expression(b.trim(), span.clone()),
        ];
        return make(ExKind::Any(parts));
    }
    let path = match (first, second) {
        // Go: `partial "x.html" .` and `i18n "key"` are known by their words.
        ("partial" | "partialCached" | "template" | "block" | "include", Some(name)) => {
            let name = name.trim_matches(|c| c == '"' || c == '\'');
            return make(ExKind::Call(
                Box::new(make(ExKind::Name("partial".into()))),
                vec![make(ExKind::Name(name.to_owned()))],
            ));
        }
        ("i18n" | "T", Some(name)) => {
            return make(ExKind::Call(
                Box::new(make(ExKind::Name("i18n".into()))),
                vec![make(ExKind::Name(
                    name.trim_matches(|c| c == '"' || c == '\'').to_owned(),
                ))],
            ));
        }
        (
            "markdownify" | "safeHTML" | "safeHtml" | "html" | "plainify" | "htmlEscape" | "title"
            | "humanize",
            Some(_),
        ) => head[first.len()..].trim(),
        (_, None) => first,
        _ => return other(),
    };
    let Some(mut ex) = dotted(path, &span) else {
        return other();
    };
    for filter in parts {
        let name = filter
            .trim()
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .next()
            .unwrap_or_default();
        if name == "default" {
            // What is shown when there is nothing: `default: site.title`, `default(title)`, `default .Title`.
            let argument = filter.trim()[name.len()..]
                .trim_start_matches([':', '(', ' '])
                .trim_end_matches(')')
                .trim();
            if !argument.is_empty() && !argument.starts_with(['"', '\'']) {
                let parts = vec![ex, expression(argument, span.clone())];
                ex = make(ExKind::Any(parts));
            }
            continue;
        }
        let keeps = matches!(
            name,
            "escape"
                | "escape_once"
                | "strip"
                | "strip_html"
                | "safe"
                | "safeHTML"
                | "markdownify"
                | "upcase"
                | "downcase"
                | "capitalize"
                | "upper"
                | "lower"
                | "title"
                | "trim"
                | "normalize_whitespace"
                | "smartify"
                | "default"
                | "htmlSafe"
                | "e"
                | "plainify"
                | "emojify"
                | "striptags"
                | "xml_escape"
                | "nl2br"
        );
        ex = if keeps {
            ex
        } else {
            Ex {
                span: span.clone(),
                kind: ExKind::Call(
                    Box::new(Ex {
                        kind: ExKind::Name(name.to_owned()),
                        span: span.clone(),
                    }),
                    vec![ex],
                ),
            }
        };
    }
    ex
}

/// `a.b.c`, `.Site.Params.x`, `$page.title`.
fn dotted(path: &str, span: &Span) -> Option<Ex> {
    let ok = |c: char| {
        c.is_alphanumeric() || matches!(c, '.' | '_' | '$' | '-' | '[' | ']' | '"' | '\'')
    };
    if path.is_empty() || !path.chars().all(ok) {
        return None;
    }
    let clean = path.replace(['[', '\'', '"'], ".").replace(']', "");
    let mut parts = clean.split('.').filter(|part| !part.is_empty());
    let lead = if path.starts_with('.') { "." } else { "" };
    let mut ex = if lead.is_empty() {
        Ex {
            kind: ExKind::Name(parts.next()?.to_owned()),
            span: span.clone(),
        }
    } else {
        Ex {
            kind: ExKind::Name(".".to_owned()),
            span: span.clone(),
        }
    };
    for part in parts {
        ex = Ex {
            span: span.clone(),
            kind: ExKind::Member(Box::new(ex), part.to_owned()),
        };
    }
    Some(ex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_each_language_are_found_and_told_apart() {
        let text = "{% if a %}{{ page.title | escape }}{{- range .x -}}{{ end }}{# no #}<%= y %>{{ partial \"a.html\" . }}";
        let found: Vec<(&str, bool)> = tags(text)
            .iter()
            .map(|tag| (&text[tag.code.clone()], tag.output))
            .collect();
        assert_eq!(
            found,
            [
                ("if a", false),
                ("page.title | escape", true),
                ("range .x", false),
                ("end", false),
                ("no", false),
                ("y", true),
                ("partial \"a.html\" .", true),
            ]
        );
    }

    #[test]
    fn a_mask_keeps_every_byte_in_its_place() {
        let text = "<a href=\"{{ \"/x\" | url }}\">é {{ a }}</a>";
        let (masked, tags) = mask(text);
        assert_eq!(masked.len(), text.len());
        assert_eq!(tags.len(), 2);
        assert!(masked.starts_with("<a href=\"xxx") && masked.ends_with("</a>"));
    }
}
