//! Words that mean the same on a website.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::{equal, singular};

pub(super) const SAME: &[&[&str]] = &[
    &[
        "nav",
        "navigation",
        "navbar",
        "menu",
        "menus",
        "navigations",
        "topnav",
        "mainnav",
        "sitenav",
    ],
    &["header", "topbar", "masthead"],
    &["footer", "foot", "bottombar"],
    &[
        "hero",
        "jumbotron",
        "banner",
        "masthead",
        "splash",
        "intro",
        "herosection",
        "mainhero",
        "showcase",
    ],
    &["sidebar", "aside"],
    &["phone", "telephone", "tel", "mobile", "phonenumber", "cell"],
    &["email", "mail", "mailto", "emailaddress"],
    &["location", "address", "city", "place", "based", "where"],
    &["price", "cost", "amount", "pricing", "fee"],
    &[
        "subtitle",
        "tagline",
        "subheading",
        "subheadline",
        "slogan",
        "lead",
        "strapline",
        "subhead",
        "motto",
        "byline",
    ],
    &[
        "title", "heading", "headline", "header", "name", "caption", "titles",
    ],
    &[
        "description",
        "desc",
        "summary",
        "text",
        "body",
        "content",
        "excerpt",
        "intro",
        "paragraph",
        "bio",
        "blurb",
        "copy",
    ],
    &["button", "btn", "cta", "action", "actions", "buttons"],
    &["link", "anchor", "url", "href"],
    &["image", "img", "picture", "photo", "avatar", "illustration"],
    &["logo", "brand", "logotype", "branding"],
    &["colour", "color"],
    &["grey", "gray"],
    &["plan", "tier", "package", "pricing"],
    &[
        "job",
        "work",
        "experience",
        "position",
        "employment",
        "role",
        "career",
    ],
    &["company", "organisation", "organization", "employer"],
    &["testimonial", "review", "quote"],
    &["question", "faq", "faqs", "accordion"],
    &["post", "article", "blog", "entry"],
    &["contact", "contacts", "contactus"],
    &["signup", "register", "join"],
    &["login", "signin"],
    &["copyright", "copy", "copyrights", "rights"],
    &["newsletter", "subscribe", "subscription"],
    &[
        "announcement",
        "notice",
        "alert",
        "banner",
        "promo",
        "topbar",
    ],
    &["hours", "openinghours", "opening"],
    &["team", "people", "members", "staff"],
    &["gallery", "portfolio", "photos"],
    &["cards", "card", "tile"],
    &["social", "socials", "socialmedia"],
    &["about", "aboutme", "aboutus"],
    &["list", "ul", "ol"],
    &["form", "forms"],
    &["stylesheet", "css", "style", "styles"],
    &["config", "configuration", "settings"],
    &["home", "homepage", "index", "landing"],
    &["note", "notice", "remark"],
    &["message", "callout", "alert"],
    &["author", "writer", "byline"],
    &["date", "year", "period"],
    &["quote", "blockquote"],
    &["dropdown", "select"],
    &["video", "movie", "clip"],
];

/// Whether two words mean the same thing on a website.
pub fn alike(a: &str, b: &str) -> bool {
    equal(a, b) || groups(a) & groups(b) != 0
}

/// The groups of [`SAME`] that a word is in, as a set of bits.
pub(super) fn groups(word: &str) -> u64 {
    static INDEX: OnceLock<HashMap<&'static str, u64>> = OnceLock::new();
    let index = INDEX.get_or_init(|| {
        let mut index = HashMap::new();
        for (bit, group) in SAME.iter().enumerate() {
            for word in *group {
                *index.entry(root(word)).or_default() |= 1 << bit;
            }
        }
        index
    });
    index.get(root(word)).copied().unwrap_or_default()
}

/// A word without the ending that [`equal`] looks past.
pub(super) fn root(word: &str) -> &str {
    let word = singular(word);
    match word.strip_suffix('y') {
        Some(front) if front.len() > 3 => front,
        _ => word,
    }
}
