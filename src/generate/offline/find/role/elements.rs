//! What an element is: a button, a link, a heading.

use crate::generate::offline::ask::lexicon::words_of;
use crate::generate::offline::view::{View, ViewId};

/// Tags of links in the frameworks.
pub const LINKS: &[&str] = &[
    "a",
    "Link",
    "NuxtLink",
    "nuxt-link",
    "router-link",
    "RouterLink",
    "NavLink",
    "GatsbyLink",
    "AnchorLink",
    "g-link",
    "ScrollLink",
    "HashLink",
];

/// Whether an element is a button or looks like one.
pub fn is_button(view: &View, id: ViewId) -> bool {
    let node = &view.nodes[id];
    let tag = node.tag.as_str();
    if tag == "button" || tag == "summary" || view.attr(id, "role").as_deref() == Some("button") {
        return true;
    }
    if tag == "input" {
        return matches!(
            view.attr(id, "type").as_deref(),
            Some("submit" | "button" | "reset")
        );
    }
    if node.component {
        let words = words_of(tag);
        if words
            .iter()
            .any(|word| matches!(word.as_str(), "button" | "btn" | "cta"))
        {
            return true;
        }
    }
    if LINKS.contains(&tag) || node.component {
        let classes = ["class", "className"]
            .iter()
            .filter_map(|name| view.attr(id, name))
            .collect::<Vec<_>>()
            .join(" ");
        return classes.split_whitespace().any(|class| {
            words_of(class)
                .iter()
                .any(|word| matches!(word.as_str(), "btn" | "button" | "cta" | "buttons"))
        });
    }
    false
}

/// Whether an element is a link.
pub fn is_link(view: &View, id: ViewId) -> bool {
    let node = &view.nodes[id];
    if node.tag == "button" {
        // A button that is dressed as a link of the navigation.
        return ["class", "className"]
            .iter()
            .filter_map(|name| view.attr(id, name))
            .any(|classes| {
                classes
                    .split_whitespace()
                    .any(|class| words_of(class).last().is_some_and(|word| word == "link"))
            });
    }
    LINKS.contains(&node.tag.as_str())
        || node.component && words_of(&node.tag).iter().any(|word| word == "link")
        || (node.component && (view.attr(id, "href").is_some() || view.attr(id, "to").is_some()))
}

/// Whether an element is a heading.
pub fn is_heading(view: &View, id: ViewId) -> bool {
    let tag = &view.nodes[id].tag;
    if tag.len() == 2 && tag.starts_with('h') && tag.as_bytes()[1].is_ascii_digit() {
        return true;
    }
    view.nodes[id].component
        && words_of(tag).iter().any(|word| {
            matches!(
                word.as_str(),
                "title" | "heading" | "headline" | "subheading"
            )
        })
}
