//! Styles: selectors against elements, and colours and sizes known by a name.

mod selector;
use selector::Own;
pub use selector::{Selector, split_list};

use std::sync::Arc;

use super::code::{source_files, style_file};
use super::role::LINKS;
use super::{Finder, Hit, unique};
use crate::generate::offline::ask::colors;
use crate::generate::offline::ask::lexicon::{equal, words_of};
use crate::generate::offline::doc::{Doc, Kind, Lang, NodeId};
use crate::generate::offline::view::{View, ViewId};

/// A declaration that styles something.
#[derive(Clone, Debug)]
pub struct Declared {
    /// The file.
    pub doc: Arc<Doc>,
    /// The declaration.
    pub node: NodeId,
    /// How specific its selector is.
    pub weight: (usize, usize, usize),
    /// Inside `@media` and the like.
    pub conditional: bool,
}

/// A rule of a style sheet, read once.
#[derive(Clone, Debug)]
pub struct Ruled {
    /// The rule.
    pub node: NodeId,
    /// Its selectors, as far as they are followed.
    pub selectors: Vec<Selector>,
    /// How many selectors it lists.
    pub listed: usize,
    /// Inside `@media` and the like.
    pub conditional: bool,
    /// Its declarations.
    pub decls: Vec<NodeId>,
}

impl Ruled {
    /// How specific it is for an element, when it applies.
    fn weight(&self, own: &Own, view: &View, id: ViewId) -> Option<(usize, usize, usize)> {
        self.selectors
            .iter()
            .filter(|selector| !selector.state() && selector.matches_own(own, view, id))
            .map(Selector::weight)
            .max()
    }
}

/// The rules of a file.
pub fn ruled(doc: &Doc) -> Vec<Ruled> {
    doc.nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.kind == Kind::Rule)
        .map(|(rule, node)| {
            let all = selectors(doc, rule);
            Ruled {
                node: rule,
                selectors: all
                    .iter()
                    .filter_map(|text| Selector::parse(text))
                    .collect(),
                listed: all.len(),
                conditional: doc.ancestors(rule).any(|up| {
                    let up = doc.node(up);
                    up.kind == Kind::AtRule && !up.name.starts_with("@layer")
                }),
                decls: node
                    .children
                    .iter()
                    .copied()
                    .filter(|child| doc.node(*child).kind == Kind::Decl)
                    .collect(),
            }
        })
        .collect()
}

/// Whether a kind of file may hold a style block.
fn has_block(path: &str) -> bool {
    [".html", ".vue", ".svelte", ".astro"]
        .iter()
        .any(|end| path.ends_with(end))
}

/// A rule that applies to an element.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// The file.
    pub doc: Arc<Doc>,
    /// The rule.
    pub node: NodeId,
    /// How specific its selector is.
    pub weight: (usize, usize, usize),
    /// The tag it is for, when it names neither a class nor an id.
    pub subject: String,
    /// The classes and ids of its last part.
    pub names: Vec<String>,
    /// Inside `@media` and the like.
    pub conditional: bool,
}

/// The theme a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Always.
    Any,
    /// Dark only.
    Dark,
    /// Light only.
    Light,
}

/// The theme the rules around a node are for.
pub fn theme(doc: &Doc, node: NodeId) -> Theme {
    for up in doc.ancestors(node) {
        let up = doc.node(up);
        if matches!(up.kind, Kind::Rule | Kind::AtRule | Kind::Pair) {
            let words = words_of(&up.name);
            if words
                .iter()
                .any(|word| word == "dark" || word == "darkmode")
            {
                return Theme::Dark;
            }
            if words.iter().any(|word| word == "light") && up.kind != Kind::Pair {
                return Theme::Light;
            }
        }
    }
    Theme::Any
}

/// The full selectors of a rule, those around it taken in.
pub fn selectors(doc: &Doc, rule: NodeId) -> Vec<String> {
    let own: Vec<String> = split_list(&doc.node(rule).name)
        .into_iter()
        .map(str::to_owned)
        .collect();
    let outer = doc
        .ancestors(rule)
        .find(|up| doc.node(*up).kind == Kind::Rule);
    let Some(outer) = outer else { return own };
    let mut out = Vec::new();
    for front in selectors(doc, outer) {
        for back in &own {
            if back.contains('&') {
                out.push(back.replace('&', &front));
            } else {
                out.push(format!("{front} {back}"));
            }
        }
    }
    out
}

impl Finder<'_> {
    /// The files that hold styles, and the components with style blocks.
    pub fn style_docs(&self, view: Option<&View>) -> Vec<Arc<Doc>> {
        let make = || {
            source_files(self)
                .into_iter()
                .filter(|path| {
                    style_file(path)
                        || (has_block(path)
                            && self
                                .site
                                .text(path)
                                .is_some_and(|text| text.contains("<style")))
                })
                .filter_map(|path| self.site.doc(&path))
                .collect()
        };
        let all: Vec<Arc<Doc>> = match self.pointed {
            Some(_) => make(),
            None => self.site.sheets(make).to_vec(),
        };
        // A component's style block counts where the component is shown.
        let shown = |doc: &Arc<Doc>| {
            view.is_none_or(|view| {
                style_file(&doc.path)
                    || view.shows(&doc.path)
                    || view.nodes.iter().any(|node| node.doc.path == doc.path)
            })
        };
        all.into_iter().filter(shown).collect()
    }

    /// The declarations of `properties` that apply to an element.
    pub fn declared(&self, view: &View, id: ViewId, properties: &[&str]) -> Vec<Declared> {
        let own = Own::of(view, id);
        let mut out = Vec::new();
        for doc in self.style_docs(Some(view)) {
            for rule in self.site.rules(&doc).iter() {
                let mut decls = rule
                    .decls
                    .iter()
                    .filter(|decl| properties.contains(&doc.node(**decl).name.as_str()))
                    .peekable();
                if decls.peek().is_none() {
                    continue;
                }
                let Some(weight) = rule.weight(&own, view, id) else {
                    continue;
                };
                for node in decls {
                    out.push(Declared {
                        doc: doc.clone(),
                        node: *node,
                        weight,
                        conditional: rule.conditional,
                    });
                }
            }
        }
        out
    }

    /// The rules that apply to an element, whatever they declare.
    pub fn rules(&self, view: &View, id: ViewId) -> Vec<Ruling> {
        let own = Own::of(view, id);
        let mut out = Vec::new();
        for doc in self.style_docs(Some(view)) {
            for rule in self.site.rules(&doc).iter() {
                // A list of selectors dresses other things too.
                let [selector] = rule.selectors.as_slice() else {
                    continue;
                };
                let Some(weight) = rule.weight(&own, view, id).filter(|_| rule.listed == 1) else {
                    continue;
                };
                let tag = match selector.0.last() {
                    Some((_, last)) if last.ids.is_empty() && last.classes.is_empty() => {
                        if last.tag.is_empty() {
                            "*".to_owned()
                        } else {
                            last.tag.clone()
                        }
                    }
                    _ => String::new(),
                };
                out.push(Ruling {
                    doc: doc.clone(),
                    node: rule.node,
                    weight,
                    names: selector
                        .0
                        .last()
                        .map(|(_, last)| last.ids.iter().chain(&last.classes).cloned().collect())
                        .unwrap_or_default(),
                    subject: tag,
                    conditional: rule.conditional,
                });
            }
        }
        out
    }

    /// Colours and sizes known by a name: custom properties, variables, themes.
    pub fn tokens(&self, wanted: &[String], color: bool) -> Vec<Hit> {
        let mut hits = Vec::new();
        for path in source_files(self) {
            let Some(text) = self.site.folded(&path) else {
                continue;
            };
            if !wanted
                .iter()
                .all(|word| text.contains(word.trim_end_matches('s')))
            {
                continue;
            }
            let Some(doc) = self.site.doc(&path) else {
                continue;
            };
            for (id, node) in doc.nodes.iter().enumerate() {
                let name = match node.kind {
                    Kind::Decl
                        if node.name.starts_with("--")
                            || node.name.starts_with('$')
                            || node.name.starts_with('@') =>
                    {
                        node.name.clone()
                    }
                    // What one element sets on itself is no name that others use.
                    Kind::Scalar if doc.ancestors(id).any(|up| doc.node(up).name == "style") => {
                        continue;
                    }
                    Kind::Scalar => match token_key(&doc, id) {
                        Some(name) => name,
                        None => continue,
                    },
                    _ => continue,
                };
                let value = doc.raw(node.inner.clone());
                let fits = if color {
                    is_color_value(value)
                } else {
                    value.chars().any(|c| c.is_ascii_digit())
                };
                if fits && token_name(&name, wanted) {
                    hits.push(Hit::whole(&doc, id, Vec::new()));
                }
            }
        }
        unique(&mut hits);
        hits
    }

    /// How many declarations use a custom property or variable.
    pub fn uses(&self, name: &str) -> usize {
        let mut count = 0;
        for doc in self.style_docs(None) {
            for node in &doc.nodes {
                if node.kind == Kind::Decl && node.name != name {
                    let value = doc.raw(node.inner.clone());
                    count += usize::from(value.match_indices(name).any(|(at, found)| {
                        !value[at + found.len()..]
                            .starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_')
                    }));
                }
            }
        }
        count
    }

    /// The definitions of a custom property or variable.
    pub fn variable(&self, name: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        for doc in self.style_docs(None) {
            for (id, node) in doc.nodes.iter().enumerate() {
                if node.kind == Kind::Decl && node.name == name {
                    hits.push(Hit::whole(&doc, id, Vec::new()));
                }
            }
        }
        unique(&mut hits);
        hits
    }
}

/// A key of a theme: `colors.primary`, `primaryColor`, `accent: { DEFAULT }`.
fn token_key(doc: &Doc, node: NodeId) -> Option<String> {
    let pair = doc.node(doc.node(node).parent);
    if pair.kind != Kind::Pair {
        return None;
    }
    let outer: Vec<String> = doc
        .ancestors(node)
        .map(|up| doc.node(up))
        .filter(|up| up.kind == Kind::Pair && !up.name.is_empty())
        .map(|up| up.name.clone())
        .collect();
    let name = if matches!(pair.name.as_str(), "DEFAULT" | "default" | "main" | "value")
        && outer.len() > 1
    {
        outer[1].clone()
    } else {
        pair.name.clone()
    };
    let colored = outer.iter().any(|name| {
        words_of(name).iter().any(|word| {
            matches!(
                word.as_str(),
                "color" | "colors" | "colour" | "colours" | "palette" | "theme" | "brand"
            )
        })
    });
    (colored || doc.lang != Lang::Script).then_some(name)
}

/// Whether a variable's name is the wanted words and nothing that changes the meaning.
fn token_name(name: &str, wanted: &[String]) -> bool {
    let parts = words_of(name);
    let fill = [
        "color", "colour", "colors", "clr", "col", "theme", "site", "base", "default", "main",
        "brand", "value", "c",
    ];
    let same = |part: &str, word: &str| {
        equal(part, word)
            || matches!(
                (part, word),
                ("bg", "background")
                    | ("fg", "text")
                    | ("fg", "foreground")
                    | ("foreground", "text")
                    | ("gray", "grey")
                    | ("grey", "gray")
            )
    };
    wanted
        .iter()
        .all(|word| parts.iter().any(|part| same(part, word)))
        && parts.iter().enumerate().all(|(at, part)| {
            wanted.iter().any(|word| same(part, word))
                || fill.contains(&part.as_str())
                || (at == 0 && part.len() <= 3 && parts.len() > 1)
                || (part == "text" && wanted.iter().any(|word| equal(word, "link")))
        })
}

/// Whether a value is one colour in any notation, or the numbers of one.
pub fn is_color_value(value: &str) -> bool {
    let value = value.trim().trim_matches(|c| c == '"' || c == '\'');
    colors::is_color(value) || triplet(value).is_some()
}

/// The numbers of a colour without its function: `142 76% 36%` (true) or `34, 197, 94` (false).
pub fn triplet(value: &str) -> Option<bool> {
    let parts: Vec<&str> = value
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|part| !part.is_empty())
        .collect();
    if parts.len() != 3 {
        return None;
    }
    let hsl = parts[1].ends_with('%') && parts[2].ends_with('%');
    let numbers = parts.iter().all(|part| {
        part.trim_end_matches('%')
            .trim_end_matches("deg")
            .parse::<f64>()
            .is_ok()
    });
    numbers.then_some(hsl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_read_and_weighed() {
        let selector = Selector::parse("#menu.navbar-default > a.active").expect("a selector");
        assert_eq!(selector.weight(), (1, 2, 1));
        assert!(Selector::parse("a:hover").expect("a selector").state());
        assert!(!Selector::parse(":root").expect("a selector").state());
        assert_eq!(split_list("h1, h2:not(.a, .b)"), ["h1", "h2:not(.a, .b)"]);
    }

    #[test]
    fn names_of_variables() {
        let wanted = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(token_name("--color-primary", &wanted("primary")));
        assert!(token_name("--aw-color-primary", &wanted("primary")));
        assert!(!token_name("--primary-foreground", &wanted("primary")));
        assert!(token_name("--text-color-link", &wanted("link")));
        assert!(!token_name("--text-color-link-active", &wanted("link")));
        assert!(token_name("--background-color", &wanted("background")));
        assert_eq!(triplet("142.1 76.2% 36.3%"), Some(true));
        assert_eq!(triplet("34, 197, 94"), Some(false));
    }
}
