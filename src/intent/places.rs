//! The names of what is on the site: pages by their files, sections by their ids.

use crate::model::FileTree;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A page.
    Page,
    /// A part of a page.
    Section,
}

/// A page or a part of one, as people call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name in spoken words: `about us`.
    pub name: String,
    /// Its address on the site: `/about-us.html`, `/#opening-hours`.
    pub address: String,
    /// Which of both.
    pub kind: Kind,
}

/// Pages named at most; of more, the phrases begin to sound alike.
const MOST_PAGES: usize = 120;

/// Sections named at most.
const MOST_SECTIONS: usize = 60;

/// Pages whose sections are looked for.
const READ: usize = 12;

/// A larger page is not read for its sections, in bytes.
const LARGEST: u64 = 200_000;

/// Words in a name that anybody would say.
const MOST_WORDS: usize = 4;

/// Folders that hold a site's pages, by generator.
const ROOTS: &[&str] = &[
    "src/pages/",
    "src/routes/",
    "src/app/",
    "src/content/",
    "src/",
    "pages/",
    "app/",
    "content/",
    "public/",
    "static/",
    "docs/",
    "site/",
    "www/",
];

/// Folders that hold no pages.
const PARTS: &[&str] = &[
    "components",
    "layouts",
    "includes",
    "partials",
    "templates",
    "node_modules",
    "vendor",
    "test",
    "tests",
    "api",
    "assets",
    "themes",
];

/// The pages and sections of the site in `tree`. A file that cannot be read has no sections.
pub fn places(tree: &dyn FileTree) -> Vec<Place> {
    let mut pages: Vec<(Place, &str, u64)> = tree
        .files()
        .iter()
        .filter_map(|file| {
            Some((
                page(&file.path)?,
                file.path.as_str(),
                file.size.unwrap_or(0),
            ))
        })
        .collect();
    // Those near the root are named more often, and their names win.
    pages.sort_by_key(|(place, path, _)| (path.matches('/').count(), place.name != "home"));
    pages.truncate(MOST_PAGES);
    let mut sections = Vec::new();
    let readable = pages
        .iter()
        .filter(|(_, path, size)| path.ends_with(".html") && *size <= LARGEST);
    for (place, path, _) in readable.take(READ) {
        let Ok(Some(bytes)) = tree.read(path) else {
            continue;
        };
        for id in ids(&String::from_utf8_lossy(&bytes)) {
            let Some(name) = spoken(id) else { continue };
            if sections.len() < MOST_SECTIONS
                && !sections.iter().any(|other: &Place| other.name == name)
            {
                sections.push(Place {
                    name,
                    address: format!("{}#{id}", place.address),
                    kind: Kind::Section,
                });
            }
        }
    }
    let mut places: Vec<Place> = pages.into_iter().map(|(place, ..)| place).collect();
    places.append(&mut sections);
    places
}

/// The page that the file at `path` becomes, when it becomes one.
fn page(path: &str) -> Option<Place> {
    let (stem, kind) = path.rsplit_once('.')?;
    let routed = matches!(kind, "tsx" | "jsx" | "ts" | "js" | "svelte" | "vue");
    if !routed && !matches!(kind, "html" | "htm" | "md" | "mdx" | "astro" | "njk") {
        return None;
    }
    let root = ROOTS.iter().find(|root| stem.starts_with(**root));
    let below = root.map_or(stem, |root| &stem[root.len()..]);
    let mut parts: Vec<&str> = below.split('/').collect();
    let last = parts.pop()?;
    let hidden = |part: &&str| part.starts_with(['_', '.', '[', '(', '$']) || PARTS.contains(part);
    if parts.iter().any(hidden) || hidden(&last) {
        return None;
    }
    // A program's file is a page only where a router looks for pages.
    let routes = root.is_some_and(|root| root.contains("pages/")) && routed;
    let named = matches!(last, "page" | "+page") && routed;
    if routed && !routes && !named {
        return None;
    }
    // A repository's own papers are no pages.
    if kind == "md" && (root.is_none() || last.chars().all(|c| c.is_uppercase() || c == '_')) {
        return None;
    }
    let index = named || matches!(last, "index" | "_index" | "README");
    if !index {
        parts.push(last);
    }
    let name = parts
        .last()
        .map_or(Some("home".to_owned()), |last| spoken(last))?;
    let folder = parts.join("/");
    let address = match (kind, index) {
        _ if folder.is_empty() => "/".to_owned(),
        ("html" | "htm", false) => format!("/{folder}.{kind}"),
        _ => format!("/{folder}/"),
    };
    Some(Place {
        name,
        address,
        kind: Kind::Page,
    })
}

/// A file's name or an id as people say it; `None` for what nobody says.
fn spoken(name: &str) -> Option<String> {
    let mut out = String::new();
    let mut before = ' ';
    for letter in name.chars() {
        if matches!(letter, '-' | '_' | '.' | ' ') {
            out.push(' ');
        } else {
            if letter.is_uppercase() && before.is_lowercase() {
                out.push(' ');
            }
            out.extend(letter.to_lowercase());
        }
        before = letter;
    }
    let words: Vec<&str> = out.split_whitespace().collect();
    let sayable = !words.is_empty()
        && words.len() <= MOST_WORDS
        && words
            .iter()
            .all(|word| word.chars().all(char::is_alphabetic) && word.len() < 20)
        && out.trim().len() > 2;
    sayable.then(|| words.join(" "))
}

/// The ids of the elements of an HTML page that hold others, in their order.
fn ids(html: &str) -> Vec<&str> {
    const HOLDERS: &[&str] = &[
        "section", "div", "header", "footer", "nav", "main", "article", "aside", "form", "h1",
        "h2", "h3",
    ];
    html.split('<')
        .filter_map(|tag| {
            let (tag, _) = tag.split_once('>')?;
            let (name, attributes) = tag.split_once(char::is_whitespace)?;
            if !HOLDERS.contains(&name.to_ascii_lowercase().as_str()) {
                return None;
            }
            let at = attributes.find("id=")?;
            if at > 0 && !attributes[..at].ends_with(char::is_whitespace) {
                return None;
            }
            let value = &attributes[at + 3..];
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            value[1..].split(quote).next()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MemoryTree;

    #[test]
    fn pages_are_named_by_their_files() {
        for (path, expected) in [
            ("index.html", Some(("home", "/"))),
            ("about.html", Some(("about", "/about.html"))),
            ("docs/about-us.html", Some(("about us", "/about-us.html"))),
            ("shop/index.html", Some(("shop", "/shop/"))),
            ("src/pages/ourTeam.astro", Some(("our team", "/ourTeam/"))),
            ("app/pricing/page.tsx", Some(("pricing", "/pricing/"))),
            ("pages/contact.tsx", Some(("contact", "/contact/"))),
            (
                "content/posts/first-light.md",
                Some(("first light", "/posts/first-light/")),
            ),
            ("README.md", None),
            ("src/components/Button.tsx", None),
            ("src/main.ts", None),
            ("_includes/header.html", None),
            ("posts/2024-01-02-x.html", None),
            ("style.css", None),
        ] {
            let place = page(path);
            let found = place
                .as_ref()
                .map(|place| (place.name.as_str(), place.address.as_str()));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn sections_are_named_by_their_ids() {
        let tree = MemoryTree::new([
            (
                "index.html",
                "<section id=\"opening-hours\"><h2 id='team'>x</h2><a id=\"link\">y</a>\
                 <div data-id=\"no\"></div><div id=\"x1\"></div></section>",
            ),
            ("about.html", "<section id=\"team\"></section>"),
        ]);
        let places = places(&tree);
        let named: Vec<(&str, &str)> = places
            .iter()
            .map(|place| (place.name.as_str(), place.address.as_str()))
            .collect();
        assert_eq!(
            named,
            [
                ("home", "/"),
                ("about", "/about.html"),
                ("opening hours", "/#opening-hours"),
                ("team", "/#team"),
            ]
        );
    }
}
