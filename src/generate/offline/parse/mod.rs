//! Files into common trees, by tree-sitter.

pub mod control;
pub mod data;
pub mod markdown;
pub mod markup;
pub mod script;
pub mod style;
mod tags;
pub mod template;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use tree_sitter::{Language, Node as TsNode, Parser, Tree};

use super::doc::{Doc, Lang, Span};

/// A grammar, by the name it is kept under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grammar {
    /// HTML.
    Html,
    /// Vue.
    Vue,
    /// Svelte.
    Svelte,
    /// Astro.
    Astro,
    /// JavaScript and TypeScript with JSX.
    Tsx,
    /// TypeScript without JSX.
    Ts,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// TOML.
    Toml,
    /// CSS.
    Css,
    /// SCSS.
    Scss,
    /// Markdown blocks.
    Markdown,
}

impl Grammar {
    fn language(self) -> Language {
        match self {
            Self::Html => tree_sitter_html::LANGUAGE.into(),
            Self::Vue => tree_sitter_vue_next::LANGUAGE.into(),
            Self::Svelte => tree_sitter_svelte_ng::LANGUAGE.into(),
            Self::Astro => tree_sitter_astro_next::LANGUAGE.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::Ts => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            Self::Json => tree_sitter_json::LANGUAGE.into(),
            Self::Yaml => tree_sitter_yaml::LANGUAGE.into(),
            Self::Toml => tree_sitter_toml_ng::LANGUAGE.into(),
            Self::Css => tree_sitter_css::LANGUAGE.into(),
            Self::Scss => tree_sitter_scss::language(),
            Self::Markdown => tree_sitter_md::LANGUAGE.into(),
        }
    }
}

thread_local! {
    static PARSERS: RefCell<HashMap<Grammar, Parser>> = RefCell::new(HashMap::new());
}

/// The syntax tree of `text`; `None` when it is nested too deep, or the grammar cannot be loaded.
pub fn tree(grammar: Grammar, text: &str) -> Option<Tree> {
    PARSERS.with(|parsers| {
        let mut parsers = parsers.borrow_mut();
        let parser = match parsers.entry(grammar) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let mut parser = Parser::new();
                parser.set_language(&grammar.language()).ok()?;
                entry.insert(parser)
            }
        };
        parser.reset();
        parser.parse(text, None).filter(|tree| !too_deep(tree))
    })
}

/// Nothing that people write is nested deeper; what is would cost more stack than a thread has.
const DEEPEST: usize = 250;

fn too_deep(tree: &Tree) -> bool {
    let mut cursor = tree.walk();
    let mut depth = 0_usize;
    loop {
        if cursor.goto_first_child() {
            depth += 1;
            if depth > DEEPEST {
                return true;
            }
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return false;
            }
            depth -= 1;
        }
    }
}

/// The children of a node.
pub fn children<'t>(node: TsNode<'t>) -> Vec<TsNode<'t>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).collect()
}

/// The language of a file by its path; `None` when it is not one the engine reads.
pub fn lang(path: &str) -> Option<Lang> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" | "njk" | "liquid" | "nunjucks" | "ejs" | "hbs" | "handlebars"
        | "mustache" | "xhtml" => Lang::Html,
        "vue" => Lang::Vue,
        "svelte" => Lang::Svelte,
        "astro" => Lang::Astro,
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" => Lang::Script,
        "md" | "mdx" | "markdown" | "mdoc" => Lang::Markdown,
        "json" | "jsonc" | "json5" | "webmanifest" => Lang::Json,
        "yaml" | "yml" => Lang::Yaml,
        "toml" => Lang::Toml,
        "css" | "pcss" | "postcss" => Lang::Css,
        "scss" | "less" => Lang::Scss,
        _ => return None,
    })
}

/// Parses a file.
pub fn parse(path: &str, lang: Lang, src: Arc<str>) -> Doc {
    let mut doc = Doc::new(path, lang, src);
    let whole = 0..doc.src.len();
    match lang {
        Lang::Html | Lang::Vue | Lang::Svelte | Lang::Astro => markup::parse(&mut doc),
        Lang::Script => {
            let typed = [".ts", ".mts", ".cts"]
                .iter()
                .any(|end| path.ends_with(end));
            script::parse(&mut doc, 0, whole, typed);
        }
        Lang::Markdown => markdown::parse(&mut doc),
        Lang::Json => data::json(&mut doc, 0, whole),
        Lang::Yaml => data::yaml(&mut doc, 0, whole),
        Lang::Toml => data::toml(&mut doc, 0, whole),
        Lang::Css | Lang::Scss => style::parse(&mut doc, 0, whole),
    }
    doc
}

/// How many errors the grammar of a file sees in `text`: what a change must never increase.
pub fn errors(path: &str, text: &str) -> usize {
    let grammar = match lang(path) {
        Some(Lang::Html) => Grammar::Html,
        Some(Lang::Vue) => Grammar::Vue,
        Some(Lang::Svelte) => Grammar::Svelte,
        Some(Lang::Astro) => Grammar::Astro,
        Some(Lang::Script) if path.ends_with("ts") => Grammar::Ts,
        Some(Lang::Script) => Grammar::Tsx,
        Some(Lang::Markdown) => Grammar::Markdown,
        Some(Lang::Json) => Grammar::Json,
        Some(Lang::Yaml) => Grammar::Yaml,
        Some(Lang::Toml) => Grammar::Toml,
        Some(Lang::Css) => Grammar::Css,
        Some(Lang::Scss) => Grammar::Scss,
        None => return 0,
    };
    let masked = if grammar == Grammar::Html {
        template::mask(text).0
    } else if matches!(grammar, Grammar::Vue | Grammar::Svelte | Grammar::Astro) {
        tags::mask(text)
    } else {
        text.to_owned()
    };
    let Some(tree) = tree(grammar, &masked) else {
        return 0;
    };
    let mut count = 0;
    let mut stack = vec![tree.root_node()];
    while let Some(node) = stack.pop() {
        if node.is_error() || node.is_missing() {
            count += 1;
        }
        if node.has_error() {
            stack.extend(children(node));
        }
    }
    count
}

/// `---` or `+++` front matter at the start of `text`: (language, content, end of the closing line).
pub fn front_matter(text: &str) -> Option<(Lang, Span, usize)> {
    let start = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let first_end = text[start..].find('\n')? + start + 1;
    let opening = text[start..first_end].trim_end();
    let (mark, lang) = match opening {
        "---" => ("---", Lang::Yaml),
        "---js" | "---javascript" | "---cjs" => ("---", Lang::Script),
        "---json" => ("---", Lang::Json),
        "---toml" => ("---", Lang::Toml),
        "+++" => ("+++", Lang::Toml),
        _ => return None,
    };
    let mut at = first_end;
    for line in text[first_end..].split_inclusive('\n') {
        if line.trim_end() == mark {
            return Some((lang, first_end..at, at + line.len()));
        }
        at += line.len();
    }
    None
}

/// Parses front matter into `doc`; returns where the body begins.
pub fn parse_front(doc: &mut Doc) -> usize {
    let Some((lang, content, end)) = front_matter(&doc.src) else {
        return 0;
    };
    let first = doc.nodes.len();
    match lang {
        Lang::Toml => data::toml(doc, 0, content),
        Lang::Json => data::json(doc, 0, content),
        Lang::Script => script::parse(doc, 0, content, false),
        _ => data::yaml(doc, 0, content),
    }
    doc.front = (first..doc.nodes.len()).find(|id| doc.nodes[*id].kind == super::doc::Kind::Object);
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_too_deep_is_not_read() {
        let deep = ["<div>".repeat(5_000), "</div>".repeat(5_000)].concat();
        assert!(tree(Grammar::Html, &deep).is_none());
        assert_eq!(parse("a.html", Lang::Html, deep.into()).nodes.len(), 1);
        assert!(tree(Grammar::Html, &"<p>a</p>".repeat(5_000)).is_some());
        let json = "[".repeat(20_000);
        assert_eq!(parse("a.json", Lang::Json, json.into()).nodes.len(), 1);
    }

    /// Two grammars that export the same symbol make each other fail silently; a clean sample of each shows it.
    #[test]
    fn every_grammar_parses_a_clean_sample() {
        for (path, text) in [
            (
                "a.html",
                "<!doctype html><p>Hi<br>you <img src=\"a.png\" alt=\"a\"></p><script>let a = 1;</script>",
            ),
            (
                "a.vue",
                "<script>export default {}</script><template><p v-if=\"a\">{{ b }}</p></template>",
            ),
            (
                "a.svelte",
                "<script>let a;</script>{#if a}<p>{a}</p>{/if}<style>a { b: c }</style>",
            ),
            (
                "a.astro",
                "---\nconst a = 1;\n---\n<p class=\"x\">{a}</p>\n<style>a { b: c }</style>",
            ),
            (
                "a.tsx",
                "export default () => <p className=\"x\">Hi {name}</p>;",
            ),
            ("a.ts", "const a = <string>b;"),
            ("a.md", "# Title\n\nText\n"),
            ("a.json", "{\"a\": [1, true]}"),
            ("a.yaml", "a: b\nc:\n  - d\n"),
            ("a.toml", "a = \"b\"\n[c]\nd = 1\n"),
            ("a.css", ":root { --a: #fff; }"),
            ("a.scss", "$a: red; .b { color: $a; &:hover { c: d; } }"),
        ] {
            assert_eq!(errors(path, text), 0, "{path}");
        }
    }
}
