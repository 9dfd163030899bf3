//! How well a place fills a role: 3 for certain, 2 likely, 1 possibly, 0 not.

mod elements;
pub use elements::{LINKS, is_button, is_heading, is_link};

mod looks;
pub use looks::{looks_address, looks_email, looks_phone, looks_price, possible};

use super::{Hit, Seen};
use crate::generate::offline::ask::lexicon::{Role, alike, words_of};
use crate::generate::offline::doc::{Doc, Kind, NodeId};
use crate::generate::offline::site::Framework;
use crate::generate::offline::view::{View, ViewId};

/// The nearest key a literal stands under.
pub fn key(doc: &Doc, node: NodeId) -> Option<String> {
    for up in doc.ancestors(node) {
        let up = doc.node(up);
        match up.kind {
            Kind::Pair | Kind::Attr if !up.name.is_empty() => return Some(up.name.clone()),
            Kind::Array | Kind::Expr | Kind::Pair => {}
            _ => return None,
        }
    }
    None
}

fn key_words(hit: &Hit) -> Vec<String> {
    key(&hit.doc, hit.node)
        .map(|key| words_of(&key))
        .unwrap_or_default()
}

/// Keys around a literal, nearest first, from the second on.
fn outer_keys(doc: &Doc, node: NodeId) -> Vec<String> {
    let mut out: Vec<String> = doc
        .ancestors(node)
        .map(|up| doc.node(up))
        .filter(|up| up.kind == Kind::Pair)
        .map(|up| up.name.clone())
        .collect();
    if !out.is_empty() {
        out.remove(0);
    }
    out
}

/// Elements from a place outwards that belong to it, nearest first: up to the first block around it.
fn chain(seen: &Seen) -> Vec<ViewId> {
    let mut out = Vec::new();
    for id in seen.view.up(seen.at) {
        let node = &seen.view.nodes[id];
        if !node.text.is_empty() && node.children.is_empty() && id == seen.at {
            continue;
        }
        out.push(id);
        let block = matches!(
            node.tag.as_str(),
            "p" | "h1"
                | "h2"
                | "h3"
                | "h4"
                | "h5"
                | "h6"
                | "td"
                | "th"
                | "section"
                | "article"
                | "nav"
                | "footer"
                | "header"
                | "main"
                | "ul"
                | "ol"
                | "form"
                | "body"
                | "blockquote"
                | "figure"
                | "label"
                | "title"
        );
        if block || out.len() > 6 {
            break;
        }
    }
    out
}

/// Whether a place is in a navigation: that of a site, not the way through the pages of a list or back up.
pub fn in_nav(hit: &Hit, seen: Option<&Seen>) -> bool {
    const WAYS: &[&str] = &[
        "pagination",
        "paginator",
        "pager",
        "breadcrumb",
        "breadcrumbs",
        "toc",
    ];
    let around = super::names::around(hit, seen);
    if around
        .words
        .iter()
        .any(|word| WAYS.contains(&word.as_str()))
    {
        return false;
    }
    let by_page = seen.is_some_and(|seen| {
        seen.view.up(seen.at).any(|id| {
            let mut names = super::names::Names::default();
            super::names::of_node(&seen.view, id, &mut names);
            names.has("nav")
        })
    });
    by_page || {
        let mut names = super::names::Names::default();
        super::names::of_data(&hit.doc, hit.node, &mut names);
        names.has("nav")
    }
}

/// Whether a value is in a list of data.
fn listed(hit: &Hit) -> bool {
    let doc = &hit.doc;
    doc.ancestors(hit.node)
        .any(|up| doc.node(up).kind == Kind::Array)
}

/// How well a hit fills a role at one of the places where it is seen.
pub fn fit(role: Role, hit: &Hit, seen: Option<&Seen>) -> u8 {
    let keys = key_words(hit);
    let has_key = |words: &[&str]| keys.iter().any(|key| words.iter().any(|word| key == word));
    // What a component calls itself is shown to nobody.
    let component = hit.doc.path.ends_with(".vue") && has_key(&["name"]);
    if component && !listed(hit) {
        return 0;
    }
    let value = hit.doc.text(hit.node);
    let view = seen.map(|seen| &seen.view);
    let near: Vec<ViewId> = seen.map(chain).unwrap_or_default();
    let any = |test: &dyn Fn(&View, ViewId) -> bool| {
        view.is_some_and(|view| near.iter().any(|id| test(view, *id)))
    };
    let tag = |names: &[&str]| {
        view.is_some_and(|view| {
            near.iter()
                .any(|id| names.contains(&view.nodes[*id].tag.as_str()))
        })
    };
    // A property of a component that a page shows as text is text there.
    let attr = match seen {
        Some(seen) if seen.view.page.is_some() => seen.attr.clone(),
        Some(seen) => seen.attr.clone().or_else(|| attr_name(hit)),
        None => attr_name(hit),
    }
    .unwrap_or_default();
    let called = |words: &[&str]| {
        view.is_some_and(|view| {
            near.iter().any(|id| {
                ["class", "className", "id"].iter().any(|name| {
                    view.attr(*id, name).is_some_and(|value| {
                        value.split_whitespace().any(|one| words.contains(&one))
                    })
                })
            })
        })
    };
    match role {
        Role::Headline | Role::Heading => {
            // A heading component that shows a heading is not one itself: its eyebrow is none.
            let heading = |view: &View, id: ViewId| {
                is_heading(view, id)
                    && !(view.nodes[id].component
                        && view
                            .below(id)
                            .into_iter()
                            .any(|below| is_heading(view, below) && !view.nodes[below].component))
            };
            if attr.is_empty() && any(&heading) {
                3
            } else if has_key(&["title", "heading", "headline", "header"])
                && !has_key(&["pre", "sub", "over", "meta", "nav", "menu"])
                || matches!(attr.as_str(), "title" | "heading" | "headline")
            {
                2
            } else {
                0
            }
        }
        Role::Tagline => {
            if has_key(&[
                "subtitle",
                "tagline",
                "subheading",
                "subheadline",
                "slogan",
                "motto",
                "lead",
                "subhead",
            ]) {
                3
            } else if view.is_some_and(|view| {
                near.iter().any(|id| {
                    let mut names = super::names::Names::default();
                    super::names::of_node(view, *id, &mut names);
                    names.words.iter().any(|word| {
                        matches!(
                            word.as_str(),
                            "subtitle"
                                | "tagline"
                                | "lead"
                                | "subheading"
                                | "slogan"
                                | "subheadline"
                        )
                    })
                })
            }) {
                2
            } else {
                u8::from(tag(&["p"]))
            }
        }
        Role::Title => {
            if tag(&["title"]) {
                3
            } else if has_key(&["title"]) || any(&is_heading) || attr == "title" {
                2
            } else {
                u8::from(has_key(&["name", "heading", "label"]))
            }
        }
        Role::MetaDescription => {
            if has_key(&["description"]) {
                2
            } else {
                0
            }
        }
        Role::Paragraph => {
            if tag(&["p"]) {
                3
            } else if has_key(&[
                "description",
                "text",
                "body",
                "paragraph",
                "content",
                "desc",
            ]) {
                2
            } else {
                u8::from(tag(&["li", "div", "blockquote"]))
            }
        }
        Role::Button => {
            let data = outer_keys(&hit.doc, hit.node).iter().any(|key| {
                words_of(key).iter().any(|word| {
                    matches!(
                        word.as_str(),
                        "button" | "buttons" | "cta" | "action" | "actions" | "btn"
                    )
                })
            }) || keys
                .iter()
                .any(|key| matches!(key.as_str(), "button" | "cta" | "btn"));
            if any(&is_button)
                || (attr == "value" && any(&|view, id| view.nodes[id].tag == "input"))
                || data
            {
                3
            } else {
                u8::from(any(&is_link))
            }
        }
        Role::Link => {
            if any(&is_link) || data_link(hit) {
                3
            } else {
                u8::from(any(&is_button))
            }
        }
        Role::MenuItem => {
            if in_nav(hit, seen)
                && (any(&is_link)
                    || any(&is_button)
                    || data_link(hit)
                    || has_key(&["key", "label", "name", "title", "text"]))
            {
                3
            } else {
                0
            }
        }
        Role::Image => u8::from(matches!(attr.as_str(), "alt" | "src")) * 2,
        Role::Alt => {
            if attr == "alt" || has_key(&["alt"]) {
                3
            } else {
                0
            }
        }
        Role::Label => {
            if tag(&["label", "legend"]) {
                3
            } else if has_key(&["label"]) || attr == "label" {
                2
            } else {
                0
            }
        }
        Role::Placeholder => {
            if attr == "placeholder" || has_key(&["placeholder"]) {
                3
            } else {
                0
            }
        }
        Role::Price => {
            let group = outer_keys(&hit.doc, hit.node)
                .first()
                .is_some_and(|key| matches!(key.as_str(), "price" | "prices" | "pricing"));
            if keys.len() == 1 && has_key(&["price", "cost", "amount"])
                || group && looks_price(&value)
            {
                3
            } else if looks_price(&value) {
                2
            } else {
                0
            }
        }
        // An example in an empty field is nobody's address.
        Role::Phone | Role::Email | Role::Address if attr == "placeholder" => 0,
        Role::Phone => {
            let digits = value.chars().filter(char::is_ascii_digit).count();
            let number = digits > 4 && !value.contains(['/', '{']);
            if looks_phone(&value) {
                3
            } else if has_key(&["phone", "tel", "telephone", "mobile"])
                && (number || (value.is_empty() && is_plain_data(&hit.doc)))
            {
                2
            } else {
                0
            }
        }
        Role::Email => {
            if looks_email(&value) {
                3
            } else if has_key(&["email", "mail"])
                && (value.contains('@') || (value.is_empty() && is_plain_data(&hit.doc)))
            {
                2
            } else {
                0
            }
        }
        Role::Address => {
            let called = view.is_some_and(|view| {
                near.iter().any(|id| {
                    let mut names = super::names::Names::default();
                    super::names::of_node(view, *id, &mut names);
                    names
                        .words
                        .iter()
                        .any(|word| matches!(word.as_str(), "address" | "location" | "street"))
                })
            });
            let foot = view.is_some_and(|view| {
                seen.is_some_and(|seen| {
                    view.up(seen.at).any(|id| {
                        let mut names = super::names::Names::default();
                        super::names::of_node(view, id, &mut names);
                        names.has("footer") || names.has("contact")
                    })
                })
            });
            let foot = foot || {
                let mut names = super::names::Names::default();
                super::names::of_file(&hit.doc.path, &mut names);
                names.words.iter().any(|word| word == "contact")
            };
            if has_key(&["address", "location", "street"]) || tag(&["address"]) {
                3
            } else if called || (foot && looks_address(&value)) {
                2
            } else {
                0
            }
        }
        Role::Copyright | Role::CopyrightYear => {
            let text = value.to_lowercase();
            let signed = text.contains('©') || text.contains("copyright") || text.contains("(c)");
            if signed || has_key(&["copyright", "copyrights"]) {
                3
            } else {
                u8::from(text.contains("all rights reserved"))
            }
        }
        Role::ListItem => u8::from(tag(&["li"])) * 3,
        Role::Cell => u8::from(tag(&["td", "th"])) * 3,
        Role::Favicon => 0,
        Role::Logo => {
            let named = view.is_some_and(|view| {
                near.iter().any(|id| {
                    let mut names = super::names::Names::default();
                    super::names::of_node(view, *id, &mut names);
                    names
                        .words
                        .iter()
                        .any(|word| matches!(word.as_str(), "logo" | "brand"))
                })
            });
            u8::from(named || has_key(&["logo", "brand"])) * 3
        }
        Role::Name => {
            match (has_key(&["name"]), keys.len()) {
                (true, 1) => 3,
                (true, _) => 2,
                // `<h1 class="name">`
                _ if attr.is_empty() && called(&["name", "fullname", "username"]) => 2,
                _ => 1,
            }
        }
        Role::Text => 1,
    }
}

/// Whether a file holds nothing but values.
fn is_plain_data(doc: &Doc) -> bool {
    use crate::generate::offline::doc::Lang;
    matches!(doc.lang, Lang::Json | Lang::Yaml | Lang::Toml)
}

fn attr_name(hit: &Hit) -> Option<String> {
    let parent = hit.doc.node(hit.node).parent;
    let node = hit.doc.node(parent);
    (node.kind == Kind::Attr).then(|| node.name.clone())
}

/// A text beside an address in a record: `{ text: "Blog", href: "/blog" }`.
pub fn data_link(hit: &Hit) -> bool {
    link_value(&hit.doc, hit.node).is_some()
}

/// The address beside a text in its record.
pub fn link_value(doc: &Doc, node: NodeId) -> Option<NodeId> {
    let pair = doc.node(doc.node(node).parent);
    if pair.kind != Kind::Pair {
        return None;
    }
    let record = pair.parent;
    [
        "href", "url", "to", "link", "path", "route", "pageRef", "URL", "HREF",
    ]
    .iter()
    .find_map(|key| doc.get(record, key))
    .filter(|value| *value != node)
}

/// Whether pages of this kind show their titles in the navigation.
pub fn titles_are_menu(framework: Framework) -> bool {
    matches!(
        framework,
        Framework::Jekyll | Framework::Docusaurus | Framework::Nuxt
    )
}

/// Whether a word is another word for a role's key.
pub fn key_is(doc: &Doc, node: NodeId, words: &[String]) -> bool {
    let Some(key) = key(doc, node) else {
        return false;
    };
    let parts = words_of(&key);
    !words.is_empty()
        && words
            .iter()
            .all(|word| parts.iter().any(|part| alike(part, word)))
}

/// Whether words name a role at all.
pub fn fit_possible(words: &[String]) -> bool {
    crate::generate::offline::ask::lexicon::role_at(words).is_some()
}

/// The level of the heading around a place: 1 for `h1`.
pub fn heading_level(view: &View, at: ViewId) -> Option<u8> {
    view.up(at).take(5).find_map(|id| {
        let tag = view.nodes[id].tag.as_bytes();
        (tag.len() == 2 && tag[0] == b'h' && tag[1].is_ascii_digit()).then(|| tag[1] - b'0')
    })
}
