//! What is in the files that are not shown: headings, ids, and the names that scripts define.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::generate::offline::doc::{Doc, Kind, Lang};
use crate::generate::offline::site::Site;

/// Names of one file.
const NAMES: usize = 12;

/// Files that are parsed for the map: more would cost more than it tells.
const FILES: usize = 150;

/// A line for each file that has names, in at most `room` bytes.
pub fn of(site: &Site, shown: &BTreeSet<String>, room: usize) -> String {
    let mut out = String::new();
    for path in site
        .files
        .iter()
        .filter(|path| !shown.contains(*path))
        .take(FILES)
    {
        let Some(doc) = site.doc(path) else { continue };
        let names = names(&doc);
        if names.is_empty() {
            continue;
        }
        let line = format!("{path}: {}", names.join(", "));
        if out.len() + line.len() >= room {
            break;
        }
        let _ = writeln!(out, "{line}");
    }
    out
}

fn names(doc: &Doc) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut add = |name: String| {
        if !name.is_empty() && out.len() < NAMES && !out.contains(&name) {
            out.push(name);
        }
    };
    if matches!(
        doc.lang,
        Lang::Json | Lang::Yaml | Lang::Toml | Lang::Css | Lang::Scss
    ) {
        return out;
    }
    let mut bound: Vec<&String> = doc
        .bindings
        .keys()
        .filter(|name| *name != "default")
        .collect();
    bound.sort();
    for name in bound {
        add(name.clone());
    }
    for (id, node) in doc.nodes.iter().enumerate() {
        if node.kind != Kind::Element {
            continue;
        }
        if let Some(value) = doc.attr_text(id, "id") {
            add(format!("#{value}"));
        }
        if matches!(node.name.as_str(), "h1" | "h2" | "h3") {
            let text = doc.raw(node.inner.clone());
            let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if !text.contains('<') && text.chars().count() <= 60 {
                add(format!("{} {text}", node.name));
            }
        }
    }
    out
}
