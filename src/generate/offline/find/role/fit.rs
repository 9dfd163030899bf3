//! How well a hit fills a role where it is seen.

use super::super::names::{self, Names};
use super::{
    data_link, in_nav, is_button, is_heading, is_link, key, looks_address, looks_email,
    looks_phone, looks_price,
};
use crate::generate::offline::ask::lexicon::{Role, words_of};
use crate::generate::offline::doc::{Doc, Kind, Lang, NodeId};
use crate::generate::offline::find::{Hit, Seen};
use crate::generate::offline::view::{View, ViewId};

/// How well a hit fills a role at one of the places where it is seen.
pub fn fit(role: Role, hit: &Hit, seen: Option<&Seen>) -> u8 {
    let place = Place::new(hit, seen);
    // What a component calls itself is shown to nobody.
    let component = hit.doc.path.ends_with(".vue") && place.has_key(&["name"]);
    if component && !listed(hit) {
        return 0;
    }
    let attr = place.attr.as_str();
    match role {
        Role::Headline | Role::Heading => place.heading(),
        Role::Tagline => place.tagline(),
        Role::Title => {
            if place.tag(&["title"]) {
                3
            } else if place.has_key(&["title"]) || place.any(is_heading) || attr == "title" {
                2
            } else {
                u8::from(place.has_key(&["name", "heading", "label"]))
            }
        }
        Role::MetaDescription => u8::from(place.has_key(&["description"])) * 2,
        Role::Paragraph => place.paragraph(),
        Role::Button => place.button(),
        Role::Link => {
            if place.any(is_link) || data_link(hit) {
                3
            } else {
                u8::from(place.any(is_button))
            }
        }
        Role::MenuItem => {
            let item = in_nav(hit, seen)
                && (place.any(is_link)
                    || place.any(is_button)
                    || data_link(hit)
                    || place.has_key(&["key", "label", "name", "title", "text"]));
            u8::from(item) * 3
        }
        Role::Image => u8::from(matches!(attr, "alt" | "src")) * 2,
        Role::Alt => u8::from(attr == "alt" || place.has_key(&["alt"])) * 3,
        Role::Label => {
            if place.tag(&["label", "legend"]) {
                3
            } else if place.has_key(&["label"]) || attr == "label" {
                2
            } else {
                0
            }
        }
        Role::Placeholder => u8::from(attr == "placeholder" || place.has_key(&["placeholder"])) * 3,
        Role::Price => place.price(),
        // An example in an empty field is nobody's address.
        Role::Phone | Role::Email | Role::Address if attr == "placeholder" => 0,
        Role::Phone => place.phone(),
        Role::Email => place.email(),
        Role::Address => place.address(),
        Role::Copyright | Role::CopyrightYear => place.copyright(),
        Role::ListItem => u8::from(place.tag(&["li"])) * 3,
        Role::Cell => u8::from(place.tag(&["td", "th"])) * 3,
        Role::Favicon => 0,
        Role::Logo => {
            let words = ["logo", "brand"];
            u8::from(place.named(&words) || place.has_key(&words)) * 3
        }
        Role::Name => {
            match (place.has_key(&["name"]), place.keys.len()) {
                (true, 1) => 3,
                (true, _) => 2,
                // `<h1 class="name">`
                _ if attr.is_empty() && place.called(&["name", "fullname", "username"]) => 2,
                _ => 1,
            }
        }
        Role::Text => 1,
    }
}

/// A hit at one of the places where it is seen, with what stands around it there.
struct Place<'a> {
    hit: &'a Hit,
    seen: Option<&'a Seen>,
    /// The words of the key that it stands under.
    keys: Vec<String>,
    /// The elements that it belongs to, nearest first.
    near: Vec<ViewId>,
    /// The attribute whose value it is; empty for a text.
    attr: String,
}

impl<'a> Place<'a> {
    fn new(hit: &'a Hit, seen: Option<&'a Seen>) -> Self {
        // A property of a component that a page shows as text is text there.
        let attr = match seen {
            Some(seen) if seen.view.page.is_some() => seen.attr.clone(),
            Some(seen) => seen.attr.clone().or_else(|| attr_name(hit)),
            None => attr_name(hit),
        };
        Self {
            hit,
            seen,
            keys: key_words(hit),
            near: seen.map(chain).unwrap_or_default(),
            attr: attr.unwrap_or_default(),
        }
    }

    fn value(&self) -> String {
        self.hit.doc.text(self.hit.node)
    }

    fn has_key(&self, words: &[&str]) -> bool {
        self.keys.iter().any(|key| words.contains(&key.as_str()))
    }

    /// Whether an element near it passes `test`.
    fn any(&self, test: impl Fn(&View, ViewId) -> bool) -> bool {
        self.seen
            .is_some_and(|seen| self.near.iter().any(|id| test(&seen.view, *id)))
    }

    fn tag(&self, names: &[&str]) -> bool {
        self.any(|view, id| names.contains(&view.nodes[id].tag.as_str()))
    }

    /// Whether an element near it has one of `words` as a class or as its id.
    fn called(&self, words: &[&str]) -> bool {
        self.any(|view, id| {
            ["class", "className", "id"].iter().any(|name| {
                view.attr(id, name)
                    .is_some_and(|value| value.split_whitespace().any(|one| words.contains(&one)))
            })
        })
    }

    /// Whether one of `words` is in the names of an element near it.
    fn named(&self, words: &[&str]) -> bool {
        self.any(|view, id| {
            let mut names = Names::default();
            names::of_node(view, id, &mut names);
            names
                .words
                .iter()
                .any(|word| words.contains(&word.as_str()))
        })
    }

    fn heading(&self) -> u8 {
        // A heading component that shows a heading is not one itself: its eyebrow is none.
        let heading = |view: &View, id: ViewId| {
            is_heading(view, id)
                && !(view.nodes[id].component
                    && view
                        .below(id)
                        .into_iter()
                        .any(|below| is_heading(view, below) && !view.nodes[below].component))
        };
        if self.attr.is_empty() && self.any(heading) {
            3
        } else if self.has_key(&["title", "heading", "headline", "header"])
            && !self.has_key(&["pre", "sub", "over", "meta", "nav", "menu"])
            || matches!(self.attr.as_str(), "title" | "heading" | "headline")
        {
            2
        } else {
            0
        }
    }

    fn tagline(&self) -> u8 {
        if self.has_key(&[
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
        } else if self.named(&[
            "subtitle",
            "tagline",
            "lead",
            "subheading",
            "slogan",
            "subheadline",
        ]) {
            2
        } else {
            u8::from(self.tag(&["p"]))
        }
    }

    fn paragraph(&self) -> u8 {
        if self.tag(&["p"]) {
            3
        } else if self.has_key(&[
            "description",
            "text",
            "body",
            "paragraph",
            "content",
            "desc",
        ]) {
            2
        } else {
            u8::from(self.tag(&["li", "div", "blockquote"]))
        }
    }

    fn button(&self) -> u8 {
        let outer = outer_keys(&self.hit.doc, self.hit.node).iter().any(|key| {
            words_of(key).iter().any(|word| {
                matches!(
                    word.as_str(),
                    "button" | "buttons" | "cta" | "action" | "actions" | "btn"
                )
            })
        });
        if self.any(is_button)
            || (self.attr == "value" && self.tag(&["input"]))
            || outer
            || self.has_key(&["button", "cta", "btn"])
        {
            3
        } else {
            u8::from(self.any(is_link))
        }
    }

    fn price(&self) -> u8 {
        let group = outer_keys(&self.hit.doc, self.hit.node)
            .first()
            .is_some_and(|key| matches!(key.as_str(), "price" | "prices" | "pricing"));
        let looks = looks_price(&self.value());
        if self.keys.len() == 1 && self.has_key(&["price", "cost", "amount"]) || group && looks {
            3
        } else {
            u8::from(looks) * 2
        }
    }

    fn phone(&self) -> u8 {
        let value = self.value();
        let digits = value.chars().filter(char::is_ascii_digit).count();
        let number = digits > 4 && !value.contains(['/', '{']);
        if looks_phone(&value) {
            3
        } else if self.has_key(&["phone", "tel", "telephone", "mobile"])
            && (number || (value.is_empty() && is_plain_data(&self.hit.doc)))
        {
            2
        } else {
            0
        }
    }

    fn email(&self) -> u8 {
        let value = self.value();
        if looks_email(&value) {
            3
        } else if self.has_key(&["email", "mail"])
            && (value.contains('@') || (value.is_empty() && is_plain_data(&self.hit.doc)))
        {
            2
        } else {
            0
        }
    }

    fn address(&self) -> u8 {
        let words = ["address", "location", "street"];
        if self.has_key(&words) || self.tag(&["address"]) {
            3
        } else if self.named(&words) || (self.about_contact() && looks_address(&self.value())) {
            2
        } else {
            0
        }
    }

    /// Whether it is in a footer, in a part about contact, or in a file about it.
    fn about_contact(&self) -> bool {
        let part = self.seen.is_some_and(|seen| {
            seen.view.up(seen.at).any(|id| {
                let mut names = Names::default();
                names::of_node(&seen.view, id, &mut names);
                names.has("footer") || names.has("contact")
            })
        });
        part || {
            let mut names = Names::default();
            names::of_file(&self.hit.doc.path, &mut names);
            names.words.iter().any(|word| word == "contact")
        }
    }

    fn copyright(&self) -> u8 {
        let text = self.value().to_lowercase();
        let signed = text.contains('©') || text.contains("copyright") || text.contains("(c)");
        if signed || self.has_key(&["copyright", "copyrights"]) {
            3
        } else {
            u8::from(text.contains("all rights reserved"))
        }
    }
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

/// Whether a value is in a list of data.
fn listed(hit: &Hit) -> bool {
    let doc = &hit.doc;
    doc.ancestors(hit.node)
        .any(|up| doc.node(up).kind == Kind::Array)
}

/// Whether a file holds nothing but values.
fn is_plain_data(doc: &Doc) -> bool {
    matches!(doc.lang, Lang::Json | Lang::Yaml | Lang::Toml)
}

fn attr_name(hit: &Hit) -> Option<String> {
    let parent = hit.doc.node(hit.node).parent;
    let node = hit.doc.node(parent);
    (node.kind == Kind::Attr).then(|| node.name.clone())
}
