//! How text is written in each host: decoding for reading and matching, encoding for splicing.

use super::doc::Span;

/// How text is written at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// No text of its own.
    None,
    /// Between tags in HTML.
    Html,
    /// Between tags where `{` opens an expression (JSX, Svelte, Astro).
    Braced,
    /// Between tags where `{{` opens an expression (Vue and template languages).
    Mustache,
    /// Markdown.
    Markdown,
    /// An attribute in quotes (the quote).
    Attr(char),
    /// An attribute without quotes.
    AttrBare,
    /// A JavaScript string (the quote).
    Js(char),
    /// Literal text of a template literal.
    Template,
    /// A number, `true`, `false` or `null` in code or data.
    Bare,
    /// A JSON string.
    Json,
    /// An unquoted YAML scalar.
    YamlPlain,
    /// A single-quoted YAML scalar.
    YamlSingle,
    /// A double-quoted YAML scalar.
    YamlDouble,
    /// A folded or literal YAML block.
    YamlBlock,
    /// A TOML basic string.
    TomlBasic,
    /// A TOML literal string.
    TomlLiteral,
    /// A multi-line TOML string.
    TomlMulti,
    /// A value in a style sheet.
    Css,
    /// A link target in Markdown.
    Url,
}

const ENTITIES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("hellip", '…'),
    ("mdash", '—'),
    ("ndash", '–'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("middot", '·'),
    ("bull", '•'),
    ("times", '×'),
    ("euro", '€'),
    ("pound", '£'),
    ("yen", '¥'),
    ("cent", '¢'),
    ("deg", '°'),
    ("rarr", '→'),
    ("larr", '←'),
    ("uarr", '↑'),
    ("darr", '↓'),
    ("check", '✓'),
    ("hearts", '♥'),
    ("star", '☆'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("agrave", 'à'),
    ("aacute", 'á'),
    ("iacute", 'í'),
    ("oacute", 'ó'),
    ("uacute", 'ú'),
    ("ntilde", 'ñ'),
    ("uuml", 'ü'),
    ("ouml", 'ö'),
    ("auml", 'ä'),
    ("Uuml", 'Ü'),
    ("Ouml", 'Ö'),
    ("Auml", 'Ä'),
    ("szlig", 'ß'),
    ("ccedil", 'ç'),
    ("thinsp", '\u{2009}'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("shy", '\u{ad}'),
    ("lbrace", '{'),
    ("rbrace", '}'),
];

fn entity(raw: &str) -> Option<(char, usize)> {
    let end = raw
        .as_bytes()
        .iter()
        .take(12)
        .position(|byte| *byte == b';')?;
    let name = raw.get(1..end)?;
    let char = if let Some(code) = name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
        char::from_u32(u32::from_str_radix(code, 16).ok()?)?
    } else if let Some(code) = name.strip_prefix('#') {
        char::from_u32(code.parse().ok()?)?
    } else {
        ENTITIES.iter().find(|(known, _)| *known == name)?.1
    };
    Some((char, end + 1))
}

fn escape(raw: &str) -> Option<(char, usize)> {
    let next = raw[1..].chars().next()?;
    let hex = |from: usize, to: usize| {
        let code = u32::from_str_radix(raw.get(from..to)?, 16).ok()?;
        Some((char::from_u32(code)?, to))
    };
    match next {
        'n' | 'r' | 't' | '\n' => Some((' ', 2)),
        'x' => hex(2, 4),
        'u' if raw[2..].starts_with('{') => {
            let end = raw.find('}')?;
            Some((
                char::from_u32(u32::from_str_radix(raw.get(3..end)?, 16).ok()?)?,
                end + 1,
            ))
        }
        'u' => hex(2, 6),
        other => Some((other, 1 + other.len_utf8())),
    }
}

/// The characters of `raw` as a person reads them, each with its bytes in `raw`. Runs of white space are one space.
pub fn chars(host: Host, raw: &str) -> Vec<(char, usize, usize)> {
    let entities = matches!(
        host,
        Host::Html
            | Host::Braced
            | Host::Mustache
            | Host::Markdown
            | Host::Attr(_)
            | Host::AttrBare
    );
    let escapes = matches!(
        host,
        Host::Js(_)
            | Host::Template
            | Host::Json
            | Host::YamlDouble
            | Host::TomlBasic
            | Host::TomlMulti
    );
    let mut out: Vec<(char, usize, usize)> = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(c) = raw[at..].chars().next() {
        let rest = &raw[at..];
        let (char, len) = match c {
            '&' if entities => entity(rest).unwrap_or(('&', 1)),
            '\\' if escapes => escape(rest).unwrap_or(('\\', 1)),
            '\\' if host == Host::Markdown => match rest[1..].chars().next() {
                Some(next) if next.is_ascii_punctuation() => (next, 2),
                _ => ('\\', 1),
            },
            '\'' if host == Host::YamlSingle && rest.starts_with("''") => ('\'', 2),
            c => (c, c.len_utf8()),
        };
        let end = at + len;
        if char.is_whitespace() {
            match out.last_mut() {
                Some((' ', _, last)) if *last == at => *last = end,
                _ => out.push((' ', at, end)),
            }
        } else {
            out.push((char, at, end));
        }
        at = end;
    }
    out
}

/// `raw` as a person reads it: decoded, white space collapsed and trimmed.
pub fn decode(host: Host, raw: &str) -> String {
    let text: String = chars(host, raw).into_iter().map(|(c, ..)| c).collect();
    text.trim().to_owned()
}

/// `span` of `src` without surrounding white space (as the host writes it: `&nbsp;` counts).
pub fn trim(host: Host, src: &str, span: Span) -> Span {
    let Some(raw) = src.get(span.clone()) else {
        return span.start..span.start;
    };
    let solid = chars(host, raw);
    let first = solid.iter().find(|(c, ..)| *c != ' ');
    let last = solid.iter().rev().find(|(c, ..)| *c != ' ');
    match (first, last) {
        (Some((_, start, _)), Some((_, _, end))) => span.start + start..span.start + end,
        _ => span.start..span.start,
    }
}

/// A character for comparing: lower case, plain quotes and dashes.
pub fn fold(c: char) -> char {
    match c {
        '’' | '‘' | '`' | '´' => '\'',
        '“' | '”' | '„' | '«' | '»' => '"',
        '–' | '—' | '‑' => '-',
        '\u{a0}' => ' ',
        c => c.to_lowercase().next().unwrap_or(c),
    }
}

/// Text for comparing: folded, white space collapsed and trimmed.
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_whitespace() { ' ' } else { fold(c) };
        if c == ' ' && (out.is_empty() || out.ends_with(' ')) {
            continue;
        }
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    out
}

/// Where `needle` occurs in `raw` as a person reads it: byte ranges in `raw`, whole words at both ends.
pub fn find(host: Host, raw: &str, needle: &str) -> Vec<Span> {
    let needle: Vec<char> = folded(needle).chars().collect();
    let hay = chars(host, raw);
    let mut out = Vec::new();
    if needle.is_empty() || hay.len() < needle.len() {
        return out;
    }
    let folds: Vec<char> = hay.iter().map(|(c, ..)| fold(*c)).collect();
    let mut at = 0;
    while at + needle.len() <= hay.len() {
        let end = at + needle.len();
        let inside = |edge: char, beyond: Option<&char>| {
            edge.is_alphanumeric() && beyond.is_some_and(|c| c.is_alphanumeric())
        };
        if folds[at..end] == needle[..]
            && !inside(folds[at], at.checked_sub(1).and_then(|i| folds.get(i)))
            && !inside(folds[end - 1], folds.get(end))
        {
            out.push(hay[at].1..hay[end - 1].2);
            at = end;
        } else {
            at += 1;
        }
    }
    out
}

/// Writes `value` the way `host` wants it, given the text it replaces. `None` when it cannot be written there.
///
/// The flag says whether the host's quotes must be replaced too (the text then brings its own).
pub fn encode(host: Host, value: &str, old: &str) -> Option<(String, bool)> {
    let bare_ampersand = old
        .char_indices()
        .any(|(at, c)| c == '&' && entity(&old[at..]).is_none());
    let amp = |value: &str| {
        let mut out = String::with_capacity(value.len());
        for (at, c) in value.char_indices() {
            if c == '&' && !bare_ampersand && entity(&value[at..]).is_none() {
                out.push_str("&amp;");
            } else {
                out.push(c);
            }
        }
        out
    };
    let plain = |text: String| Some((text, false));
    // Signs that the text wrote as entities stay entities.
    let kept = |text: String| {
        let text = match ["&apos;", "&#39;"].iter().find(|sign| old.contains(**sign)) {
            Some(sign) => text.replace('\'', sign),
            None => text,
        };
        if old.contains("&quot;") {
            text.replace('"', "&quot;")
        } else {
            text
        }
    };
    match host {
        Host::None => None,
        Host::Html => plain(kept(
            amp(value).replace('<', "&lt;").replace('>', "&gt;"),
        )),
        Host::Mustache => plain(kept(
            amp(value)
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace("{{", "&#123;&#123;")
                .replace("{%", "&#123;%"),
        )),
        Host::Braced => plain(kept(
            amp(value)
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('{', "&#123;")
                .replace('}', "&#125;"),
        )),
        Host::Markdown => {
            let block = value.starts_with(['#', '>', '|'])
                || value.starts_with("- ")
                || value.starts_with("+ ");
            let value = value.replace('<', "&lt;");
            plain(if block { format!("\\{value}") } else { value })
        }
        Host::Attr(quote) => {
            let value = amp(value);
            plain(if quote == '"' {
                value.replace('"', "&quot;")
            } else {
                value.replace('\'', "&#39;")
            })
        }
        Host::AttrBare => {
            let simple = !value.is_empty()
                && !value.contains(|c: char| c.is_whitespace() || "\"'=<>`{}".contains(c));
            if simple {
                plain(amp(value))
            } else {
                Some((format!("\"{}\"", amp(value).replace('"', "&quot;")), true))
            }
        }
        Host::Js(quote) => {
            let value = value
                .replace('\\', "\\\\")
                .replace('\n', "\\n")
                .replace(quote, &format!("\\{quote}"));
            plain(value)
        }
        Host::Template => plain(
            value
                .replace('\\', "\\\\")
                .replace('`', "\\`")
                .replace("${", "\\${"),
        ),
        Host::Bare => {
            let number = value.trim_start_matches(['$', '€', '£']).replace(',', "");
            let same_kind = (old.parse::<f64>().is_ok() && number.parse::<f64>().is_ok())
                || (matches!(old, "true" | "false") && matches!(value, "true" | "false"));
            same_kind.then_some((number, false))
        }
        Host::Json | Host::YamlDouble | Host::TomlBasic => {
            let mut out = String::new();
            for c in value.chars() {
                match c {
                    '"' => out.push_str("\\\""),
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\t' => out.push_str("\\t"),
                    c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
                    c => out.push(c),
                }
            }
            plain(out)
        }
        Host::YamlPlain => {
            if yaml_plain(value) {
                plain(value.to_owned())
            } else if value.contains('\'') || value.contains('\n') {
                encode(Host::YamlDouble, value, "").map(|(text, _)| (format!("\"{text}\""), true))
            } else if value.contains('"') || value.contains('\\') {
                Some((format!("'{value}'"), true))
            } else {
                Some((format!("\"{value}\""), true))
            }
        }
        Host::YamlSingle => (!value.contains('\n')).then(|| (value.replace('\'', "''"), false)),
        Host::TomlLiteral => {
            if value.contains('\'') || value.contains('\n') {
                encode(Host::TomlBasic, value, "").map(|(text, _)| (format!("\"{text}\""), true))
            } else {
                plain(value.to_owned())
            }
        }
        Host::YamlBlock | Host::TomlMulti => {
            (!value.contains('\n') && !value.contains("\"\"\"")).then(|| (value.to_owned(), false))
        }
        Host::Css => (!value.contains(['{', '}', ';', '\n'])).then(|| (value.to_owned(), false)),
        Host::Url => {
            let clean = !value.contains(|c: char| c.is_whitespace() || "()<>".contains(c));
            plain(if clean {
                value.to_owned()
            } else {
                format!("<{}>", value.replace('<', "%3C").replace('>', "%3E"))
            })
        }
    }
}

fn yaml_plain(value: &str) -> bool {
    let first = value.chars().next().unwrap_or(' ');
    let lower = value.to_ascii_lowercase();
    !(value.is_empty()
        || value.trim() != value
        || value.contains(": ")
        || value.contains(" #")
        || value.contains('\n')
        || value.ends_with(':')
        || "-?:,[]{}#&*!|>'\"%@`~".contains(first)
            && !(first == '-' && value.len() > 1 && !value.starts_with("- "))
        || matches!(
            lower.as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "null"
        )
        || value.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_host() {
        assert_eq!(
            decode(Host::Html, "\n  Rock &amp;\n Roll&nbsp;&copy; "),
            "Rock & Roll ©"
        );
        assert_eq!(decode(Host::Js('\''), r"it\'s \u00e9"), "it's é");
        assert_eq!(decode(Host::YamlSingle, "it''s"), "it's");
        assert_eq!(trim(Host::Html, "<i>&nbsp;New Post \n", 3..19), 9..17);
    }

    #[test]
    fn finds_through_entities_and_line_breaks_whole_words_only() {
        let raw = "I&apos;ve\n  worked hard";
        assert_eq!(find(Host::Braced, raw, "i’ve worked"), vec![0..18]);
        assert!(find(Host::Html, "Actions", "action").is_empty());
        assert_eq!(find(Host::Html, "Action!", "action"), vec![0..6]);
    }

    #[test]
    fn writes_for_each_host() {
        let to = |host, value, old| encode(host, value, old).map(|(text, _)| text);
        assert_eq!(
            to(Host::Html, "A & B <c>", "x").as_deref(),
            Some("A &amp; B &lt;c&gt;")
        );
        assert_eq!(
            to(Host::Braced, "A & {b}", "x & y").as_deref(),
            Some("A & &#123;b&#125;")
        );
        assert_eq!(to(Host::Js('\''), "it's", "").as_deref(), Some(r"it\'s"));
        assert_eq!(
            to(Host::Template, "`${x}`", "").as_deref(),
            Some(r"\`\${x}\`")
        );
        assert_eq!(
            to(Host::Json, "a \"b\" \\", "").as_deref(),
            Some(r#"a \"b\" \\"#)
        );
        assert_eq!(
            encode(Host::YamlPlain, "Hello: x", ""),
            Some(("\"Hello: x\"".into(), true))
        );
        assert_eq!(
            encode(Host::YamlPlain, "Hello", ""),
            Some(("Hello".into(), false))
        );
        assert_eq!(
            encode(Host::TomlLiteral, "it's", ""),
            Some(("\"it's\"".into(), true))
        );
        assert_eq!(encode(Host::Bare, "nine", "5"), None);
        assert_eq!(encode(Host::Bare, "$9", "5"), Some(("9".into(), false)));
        assert_eq!(
            encode(Host::AttrBare, "a b", "x"),
            Some(("\"a b\"".into(), true))
        );
    }
}
