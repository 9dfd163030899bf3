//! What an element or component of a page is called.

use super::{View, ViewId};
use crate::generate::offline::ask::lexicon::{alike, equal, words_of};

/// Names of the surroundings of a place, each with how far out it is.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Words of elements, components, keys, files and addresses.
    pub words: Vec<String>,
    /// The same names in one piece ("jobtitle").
    pub joined: Vec<String>,
}

impl Names {
    /// Takes in the names of another place.
    pub fn merge(&mut self, other: &Self) {
        self.joined.extend(other.joined.iter().cloned());
        for word in &other.words {
            if !self.words.contains(word) {
                self.words.push(word.clone());
            }
        }
    }

    /// Takes in a name.
    pub fn add(&mut self, name: &str) {
        let words = words_of(name);
        if words.is_empty() || words.len() > 6 {
            return;
        }
        self.joined.push(words.concat());
        for word in words {
            if word.len() > 1 && !self.words.contains(&word) {
                self.words.push(word);
            }
        }
    }

    /// Whether a word is one of the names.
    pub fn has(&self, word: &str) -> bool {
        // As the name of a place, a header is no heading.
        if word == "header" {
            return self
                .words
                .iter()
                .chain(&self.joined)
                .any(|name| matches!(name.as_str(), "header" | "topbar" | "masthead" | "appbar"));
        }
        self.words.iter().any(|name| alike(name, word))
            || self.joined.iter().any(|name| equal(name, word))
    }

    /// Whether two neighbouring words are one name ("job title" is `jobtitle`).
    pub fn has_joined(&self, words: &[String]) -> bool {
        // "to" is not among the words of a place.
        if let [call, action] = words
            && (call.as_str(), action.as_str()) == ("call", "action")
            && self
                .joined
                .iter()
                .any(|name| name == "cta" || name.contains("calltoaction"))
        {
            return true;
        }
        let joined = words.concat();
        self.joined
            .iter()
            .any(|name| name.contains(&joined) && joined.len() > 4)
    }
}

/// Prefixes of utility classes, which name looks and not things.
const UTILITY: &[&str] = &[
    "text",
    "bg",
    "border",
    "flex",
    "grid",
    "p",
    "px",
    "py",
    "pt",
    "pb",
    "pl",
    "pr",
    "m",
    "mx",
    "my",
    "mt",
    "mb",
    "ml",
    "mr",
    "w",
    "h",
    "min",
    "max",
    "gap",
    "space",
    "items",
    "justify",
    "self",
    "col",
    "row",
    "order",
    "rounded",
    "shadow",
    "font",
    "leading",
    "tracking",
    "hover",
    "focus",
    "dark",
    "sm",
    "md",
    "lg",
    "xl",
    "2xl",
    "z",
    "top",
    "left",
    "right",
    "bottom",
    "inset",
    "absolute",
    "relative",
    "fixed",
    "sticky",
    "block",
    "inline",
    "hidden",
    "overflow",
    "transition",
    "duration",
    "ease",
    "opacity",
    "cursor",
    "object",
    "whitespace",
    "list",
    "underline",
    "uppercase",
    "lowercase",
    "capitalize",
    "container",
    "ring",
    "from",
    "to",
    "via",
    "scale",
    "translate",
    "rotate",
    "transform",
    "animate",
    "d",
    "g",
    "offset",
    "align",
    "float",
    "btn",
    "table",
    "divide",
    "place",
    "content",
    "line",
    "sr",
    "not",
    "group",
    "peer",
    "antialiased",
];

/// The names of one element or component of a page.
pub fn of_node(view: &View, id: ViewId, out: &mut Names) {
    out.merge(view.names(id));
}

/// The same, from its tag and attributes.
pub(super) fn read(view: &View, id: ViewId) -> Names {
    let mut names = Names::default();
    let out = &mut names;
    let node = &view.nodes[id];
    if node.text.is_empty() {
        let tag = node.tag.as_str();
        match tag {
            "nav" | "footer" | "header" | "aside" | "form" | "table" | "button" | "main"
            | "figure" | "blockquote" | "dialog" | "article" | "label" | "select" | "address" => {
                out.add(tag)
            }
            "ul" | "ol" | "li" | "dl" => out.add("list"),
            "a" => out.add("link"),
            "img" => out.add("image"),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => out.add("heading"),
            "video" | "iframe" | "audio" => out.add(tag),
            _ if node.component => {
                out.add(tag.rsplit('.').next().unwrap_or(tag));
            }
            _ => {}
        }
        for name in [
            "id",
            "aria-label",
            "name",
            "role",
            "data-section",
            "data-testid",
        ] {
            if let Some(value) = view.attr(id, name)
                && value.split_whitespace().count() <= 4
            {
                out.add(&value);
            }
        }
        for name in ["class", "className"] {
            for class in view.attr(id, name).unwrap_or_default().split_whitespace() {
                let first = class.split('-').next().unwrap_or_default();
                let looks = class.contains([':', '[', '/']) || UTILITY.contains(&first);
                if !looks {
                    out.add(class);
                }
            }
        }
    }
    names
}
