//! Colours for source text, by the kinds of the nodes of its syntax tree. Pure; slow for a long text, so it is never
//! called while a frame is drawn.

use std::ops::Range;

use tree_sitter::{Language, Node, Parser, Tree};

use super::model::painting::{PaintedLine, Role, Token};

/// A text with its tree, and the trees of what is embedded in it.
pub struct Source {
    /// Offset in the whole text and tree of each part; the whole comes first.
    parts: Vec<(usize, Tree)>,
    /// First byte of each line.
    lines: Vec<usize>,
}

/// Which grammar reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grammar {
    Html,
    Vue,
    Svelte,
    Astro,
    Tsx,
    TypeScript,
    JavaScript,
    Css,
    Scss,
    Json,
    Yaml,
    Toml,
    Markdown,
}

impl Grammar {
    fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (_, ending) = name.rsplit_once('.')?;
        Some(match ending.to_ascii_lowercase().as_str() {
            "html" | "htm" | "xhtml" | "njk" | "liquid" | "nunjucks" | "ejs" | "hbs" | "svg"
            | "xml" => Self::Html,
            "vue" => Self::Vue,
            "svelte" => Self::Svelte,
            "astro" => Self::Astro,
            "tsx" => Self::Tsx,
            "ts" | "mts" | "cts" => Self::TypeScript,
            "js" | "jsx" | "mjs" | "cjs" => Self::JavaScript,
            "css" | "pcss" | "postcss" => Self::Css,
            "scss" | "less" => Self::Scss,
            "json" | "jsonc" | "json5" | "webmanifest" => Self::Json,
            "yaml" | "yml" => Self::Yaml,
            "toml" => Self::Toml,
            "md" | "mdx" | "markdown" => Self::Markdown,
            _ => return None,
        })
    }

    fn language(self) -> Language {
        match self {
            Self::Html => tree_sitter_html::LANGUAGE.into(),
            Self::Vue => tree_sitter_vue_next::LANGUAGE.into(),
            Self::Svelte => tree_sitter_svelte_ng::LANGUAGE.into(),
            Self::Astro => tree_sitter_astro_next::LANGUAGE.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::Css => tree_sitter_css::LANGUAGE.into(),
            Self::Scss => tree_sitter_scss::language(),
            Self::Json => tree_sitter_json::LANGUAGE.into(),
            Self::Yaml => tree_sitter_yaml::LANGUAGE.into(),
            Self::Toml => tree_sitter_toml_ng::LANGUAGE.into(),
            Self::Markdown => tree_sitter_md::LANGUAGE.into(),
        }
    }

    fn tree(self, text: &str) -> Option<Tree> {
        let mut parser = Parser::new();
        parser.set_language(&self.language()).ok()?;
        parser.parse(text, None)
    }
}

impl Source {
    /// Reads `text`; `None` when the path tells no language that is known.
    pub fn new(path: &str, text: &str) -> Option<Self> {
        let grammar = Grammar::of(path)?;
        let whole = grammar.tree(text)?;
        let mut inner = Vec::new();
        if matches!(
            grammar,
            Grammar::Html | Grammar::Vue | Grammar::Svelte | Grammar::Astro
        ) {
            embedded(whole.root_node(), text, 0, &mut inner);
        }
        let mut parts = vec![(0, whole)];
        for (range, grammar) in inner {
            if let Some(part) = text.get(range.clone())
                && let Some(tree) = grammar.tree(part)
            {
                parts.push((range.start, tree));
            }
        }
        let feeds = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0)
            .chain(feeds.map(|(at, _)| at + 1))
            .collect();
        Some(Self { parts, lines })
    }

    /// The colours of some lines of `text`, which is the text that this was made of.
    pub fn lines(&self, text: &str, wanted: Range<usize>) -> Vec<PaintedLine> {
        let end = wanted.end.min(self.lines.len());
        let wanted = wanted.start.min(end)..end;
        let bounds = |line: usize| {
            let from = self.lines[line];
            let to = self.lines.get(line + 1).map_or(text.len(), |next| next - 1);
            from..to
        };
        if wanted.is_empty() {
            return Vec::new();
        }
        let range = bounds(wanted.start).start..bounds(wanted.end - 1).end;
        let mut found: Vec<(Range<usize>, Role)> = Vec::new();
        for (offset, tree) in &self.parts {
            let mut own = Vec::new();
            walk(&mut vec![tree.root_node()], *offset, &range, &mut own);
            if *offset > 0 {
                // What is embedded tells more than the text around it.
                let inner = tree.root_node().byte_range();
                let inner = inner.start + offset..inner.end + offset;
                found.retain(|(at, _)| at.end <= inner.start || at.start >= inner.end);
            }
            found.extend(own);
        }
        found.sort_by_key(|(at, _)| at.start);
        wanted
            .map(|line| {
                let bounds = bounds(line);
                let from = found.partition_point(|(at, _)| at.end <= bounds.start);
                let mut last = bounds.start;
                let mut tokens = Vec::new();
                for (at, role) in &found[from..] {
                    if at.start >= bounds.end {
                        break;
                    }
                    let (from, to) = (at.start.max(last), at.end.min(bounds.end));
                    if from < to {
                        tokens.push(Token {
                            from: small(from - bounds.start),
                            to: small(to - bounds.start),
                            role: *role,
                        });
                        last = to;
                    }
                }
                PaintedLine {
                    len: small(bounds.len()),
                    tokens,
                }
            })
            .collect()
    }
}

fn small(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Deeper trees are not followed: the program's stack is not for the taking.
const DEEPEST: usize = 400;

/// Scripts and styles in a page.
fn embedded(node: Node<'_>, text: &str, depth: usize, into: &mut Vec<(Range<usize>, Grammar)>) {
    if depth > DEEPEST {
        return;
    }
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        let grammar = match (child.kind(), node.kind()) {
            ("frontmatter_js_block", _) => Some(Grammar::TypeScript),
            ("raw_text", "style_element") if opens_with(node, text, "scss") => Some(Grammar::Scss),
            ("raw_text", "style_element") => Some(Grammar::Css),
            ("raw_text", "script_element") if opens_with(node, text, "\"ts") => {
                Some(Grammar::TypeScript)
            }
            ("raw_text", "script_element") => Some(Grammar::JavaScript),
            _ => None,
        };
        match grammar {
            Some(grammar) => into.push((child.byte_range(), grammar)),
            None => embedded(child, text, depth + 1, into),
        }
    }
}

/// True when the opening tag of an element holds `what`.
fn opens_with(element: Node<'_>, text: &str, what: &str) -> bool {
    let tag = element.child(0).map(|tag| tag.byte_range());
    tag.and_then(|range| text.get(range))
        .is_some_and(|tag| tag.contains(what))
}

/// The roles below the last node of `path`, which leads there from the root. A tree finds the parent of a node only by
/// looking for it from the root on, through all lines of a long text: so the way is kept.
fn walk<'t>(
    path: &mut Vec<Node<'t>>,
    offset: usize,
    range: &Range<usize>,
    into: &mut Vec<(Range<usize>, Role)>,
) {
    let Some((&node, parents)) = path.split_last() else {
        return;
    };
    let own = node.start_byte() + offset..node.end_byte() + offset;
    if own.end <= range.start || own.start >= range.end || path.len() > DEEPEST {
        return;
    }
    if let Some(role) = role(node, parents) {
        into.push((own, role));
        return;
    }
    let mut cursor = node.walk();
    // A node may have as many children as a text has lines: those before the block are skipped at once.
    let first = range.start.saturating_sub(offset);
    if cursor.goto_first_child_for_byte(first).is_none() {
        return;
    }
    loop {
        let child = cursor.node();
        if child.start_byte() + offset >= range.end {
            break;
        }
        path.push(child);
        walk(path, offset, range, into);
        path.pop();
        if !cursor.goto_next_sibling() {
            break;
        }
    }
}

/// What a node is, where all of it is one thing.
fn role(node: Node<'_>, parents: &[Node<'_>]) -> Option<Role> {
    let kind = node.kind();
    if !node.is_named() {
        let word = kind.len() > 1 && kind.bytes().all(|byte| byte.is_ascii_alphabetic());
        return (word && node.child_count() == 0).then_some(Role::Keyword);
    }
    Some(match kind {
        "comment" | "html_comment" | "line_comment" | "block_comment" | "js_comment" => {
            Role::Comment
        }
        "tag_name"
        | "erroneous_end_tag_name"
        | "component_name"
        | "class_name"
        | "id_name"
        | "type_identifier"
        | "predefined_type"
        | "nesting_selector"
        | "universal_selector"
        | "atx_heading"
        | "setext_heading"
        | "tag" => Role::Name,
        "attribute_name"
        | "property_name"
        | "property_identifier"
        | "feature_name"
        | "shorthand_property_identifier"
        | "directive_name"
        | "bare_key"
        | "variable_name" => Role::Attribute,
        // A key looks like a string in data; its place tells.
        "string"
        | "string_scalar"
        | "quoted_key"
        | "double_quote_scalar"
        | "single_quote_scalar"
        | "plain_scalar"
            if is_key(node, parents) =>
        {
            Role::Attribute
        }
        "string"
        | "string_value"
        | "quoted_attribute_value"
        | "attribute_value"
        | "template_string"
        | "double_quote_scalar"
        | "single_quote_scalar"
        | "block_scalar"
        | "code_span"
        | "fenced_code_block"
        | "indented_code_block"
        | "link_destination"
        | "string_scalar"
        | "regex" => Role::String,
        "number" | "integer" | "float" | "integer_value" | "float_value" | "color_value"
        | "true" | "false" | "null" | "undefined" | "boolean" | "null_scalar"
        | "boolean_scalar" | "integer_scalar" | "float_scalar" | "plain_value" | "local_date" => {
            Role::Number
        }
        "at_keyword" | "important" | "doctype" | "this" | "super" => Role::Keyword,
        "identifier"
            if parents.last().is_some_and(|parent| {
                matches!(
                    parent.kind(),
                    "jsx_opening_element" | "jsx_closing_element" | "jsx_self_closing_element"
                )
            }) =>
        {
            Role::Name
        }
        _ => return None,
    })
}

/// True for the key of a pair in JSON and YAML.
fn is_key(node: Node<'_>, parents: &[Node<'_>]) -> bool {
    let mut at = node;
    for parent in parents.iter().rev() {
        match parent.kind() {
            "pair" | "block_mapping_pair" | "flow_pair" => {
                return parent
                    .child_by_field_name("key")
                    .is_some_and(|key| key.id() == at.id());
            }
            "flow_node" | "block_node" | "plain_scalar" => at = *parent,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The coloured pieces of a text, line by line.
    fn painted(path: &str, text: &str) -> Vec<(String, Role)> {
        let source = Source::new(path, text).unwrap();
        let lines = source.lines(text, 0..usize::MAX);
        let raw: Vec<&str> = text.split('\n').collect();
        assert_eq!(lines.len(), raw.len());
        let mut out = Vec::new();
        for (line, raw) in lines.iter().zip(raw) {
            assert_eq!(line.len as usize, raw.len());
            for token in &line.tokens {
                let piece = &raw[token.from as usize..token.to as usize];
                out.push((piece.to_owned(), token.role));
            }
        }
        out
    }

    fn has(found: &[(String, Role)], piece: &str, role: Role) {
        assert!(
            found.contains(&(piece.to_owned(), role)),
            "{piece} as {role:?} in {found:?}"
        );
    }

    #[test]
    fn every_language_has_its_colours() {
        let page = "<!-- note -->\n<h1 class=\"big\">Hi</h1>\n<style>\np { color: #fff }\n</style>\n<script>const x = 'a';</script>\n";
        let found = painted("index.html", page);
        has(&found, "<!-- note -->", Role::Comment);
        has(&found, "h1", Role::Name);
        has(&found, "class", Role::Attribute);
        has(&found, "\"big\"", Role::String);
        has(&found, "color", Role::Attribute);
        has(&found, "#fff", Role::Number);
        has(&found, "const", Role::Keyword);
        has(&found, "'a'", Role::String);
        has(
            &painted("a.json", "{\"k\": [\"v\", 1, true]}"),
            "\"k\"",
            Role::Attribute,
        );
        has(
            &painted("a.json", "{\"k\": [\"v\", 1, true]}"),
            "\"v\"",
            Role::String,
        );
        has(
            &painted("a.yaml", "key: 1\nother: \"x\"\n"),
            "key",
            Role::Attribute,
        );
        has(
            &painted("a.yaml", "key: 1\nother: \"x\"\n"),
            "1",
            Role::Number,
        );
        has(
            &painted("a.toml", "key = 1 # why\n"),
            "key",
            Role::Attribute,
        );
        has(
            &painted("a.scss", "$a: 1px;\n.b { color: red }\n"),
            "color",
            Role::Attribute,
        );
        has(
            &painted("a.ts", "type A = string; // c\n"),
            "// c",
            Role::Comment,
        );
        has(
            &painted("a.jsx", "const a = <Card title=\"x\" />;"),
            "Card",
            Role::Name,
        );
        has(&painted("a.md", "# Title\n\ntext\n"), "# Title", Role::Name);
        has(
            &painted("a.vue", "<template><p :a=\"b\">x</p></template>\n"),
            "p",
            Role::Name,
        );
        has(
            &painted("a.svelte", "<p class=\"x\">{y}</p>\n"),
            "p",
            Role::Name,
        );
        has(
            &painted("a.astro", "---\nconst a = 1;\n---\n<p>{a}</p>\n"),
            "p",
            Role::Name,
        );
        assert!(Source::new("a.bin", "x").is_none());
    }

    #[test]
    fn a_block_has_the_colours_that_the_whole_has() {
        let text: String = (0..300)
            .map(|n| format!("<li class=\"n{n}\">été {n}</li>\n"))
            .collect();
        let source = Source::new("list.html", &text).unwrap();
        let whole = source.lines(&text, 0..usize::MAX);
        assert_eq!(source.lines(&text, 100..140), whole[100..140]);
        assert_eq!(source.lines(&text, 500..600), []);
    }
}
