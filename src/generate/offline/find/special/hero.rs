//! The head of a page: its headline, and the section that holds it.

use super::*;

/// Whether only those who listen to a page meet an element.
pub(super) fn unseen(view: &View, id: ViewId) -> bool {
    view.up(id).take(3).any(|up| {
        ["class", "className"]
            .iter()
            .filter_map(|name| view.attr(up, name))
            .any(|classes| {
                classes.split_whitespace().any(|class| {
                    matches!(class, "sr-only" | "visually-hidden" | "screen-reader-text")
                })
            })
    })
}

/// The component of a library that is the head of a page: `<UPageHero>`, `<PageHeader>`.
pub(super) fn library_hero(view: &View) -> Option<ViewId> {
    view.below(0).into_iter().find(|id| {
        let node = &view.nodes[*id];
        node.component && {
            let words = words_of(&node.tag);
            let is = |name: &str| words.iter().any(|word| word == name);
            is("hero") || (is("page") && is("header"))
        }
    })
}

/// What such a component is given to show as `part`: the element between its tags.
pub(super) fn slot_of(view: &View, hero: ViewId, parts: &[&str]) -> Option<ViewId> {
    let below = view.below(hero);
    parts.iter().find_map(|part| {
        below.iter().copied().find(|id| {
            let node = &view.nodes[*id];
            node.tag == "template"
                && node.attrs.iter().any(|(name, _)| {
                    let slot = name
                        .strip_prefix('#')
                        .or_else(|| name.strip_prefix("v-slot:"));
                    slot == Some(*part)
                })
        })
    })
}

/// The same as a property: `<UPageHero title="…">`.
pub(super) fn property_of(view: &Arc<View>, hero: ViewId, parts: &[&str]) -> Option<Hit> {
    let (name, pieces) = view.nodes[hero]
        .attrs
        .iter()
        .find(|(name, _)| parts.contains(&name.as_str()))?;
    let [Piece::Lit(doc, node)] = pieces.as_slice() else {
        return None;
    };
    let seen = Seen {
        view: view.clone(),
        at: hero,
        attr: Some(name.clone()),
    };
    Some(Hit::whole(doc, *node, vec![seen]))
}

/// What a page's component for search engines is given: `<NextSeo title={…}>`.
pub(super) fn seo_value(view: &Arc<View>, key: &str) -> Option<Hit> {
    view.below(0).into_iter().find_map(|id| {
        let node = &view.nodes[id];
        let seo = node.component
            && matches!(
                node.tag.to_ascii_lowercase().as_str(),
                "nextseo" | "seo" | "helmet" | "metatags" | "meta" | "head"
            );
        seo.then(|| property_of(view, id, &[key])).flatten()
    })
}

/// The main heading of a page: the first `h1` outside navigation and footer, else the first heading of its body.
pub fn headline(view: &View) -> Option<ViewId> {
    let mut h1: Vec<ViewId> = view
        .below(0)
        .into_iter()
        .filter(|id| view.nodes[*id].tag == "h1")
        .collect();
    if h1.is_empty() {
        return library_hero(view).and_then(|hero| slot_of(view, hero, &["title", "headline"]));
    }
    // When all of them are hidden, visitors take the first heading that they see for it.
    if h1.iter().all(|id| unseen(view, *id)) {
        let shown = view.below(0).into_iter().find(|id| {
            is_heading(view, *id)
                && !view.nodes[*id].component
                && !unseen(view, *id)
                && !view.texts(*id).is_empty()
                && !view.up(*id).any(|up| {
                    matches!(
                        view.nodes[up].tag.as_str(),
                        "nav" | "footer" | "head" | "aside" | "dialog" | "article" | "li"
                    )
                })
        });
        h1.extend(shown);
        if shown.is_some() {
            h1.retain(|id| Some(*id) == shown);
        }
    }
    let inside = |id: ViewId, tags: &[&str]| {
        view.up(id)
            .any(|up| tags.contains(&view.nodes[up].tag.as_str()))
    };
    let classes = |id: ViewId| {
        ["class", "className"]
            .iter()
            .filter_map(|name| view.attr(id, name))
            .collect::<Vec<_>>()
            .join(" ")
    };
    // A heading that only names the site, or that only screen readers meet, gives way to one that visitors see.
    let named = |id: ViewId| {
        view.up(id).take(3).any(|up| {
            let class = classes(up);
            let logo = class.split_whitespace().any(|class| {
                matches!(
                    class,
                    "logo"
                        | "brand"
                        | "navbar-brand"
                        | "site-title"
                        | "sr-only"
                        | "visually-hidden"
                        | "screen-reader-text"
                )
            });
            logo || (view.nodes[up].tag == "a"
                && matches!(
                    view.attr(up, "href").as_deref(),
                    Some("/" | "#" | "index.html")
                ))
        })
    };
    let shown = |id: &ViewId| !view.texts(*id).is_empty();
    let tests: [&dyn Fn(ViewId) -> bool; 4] = [
        &|id| !inside(id, &["nav", "footer", "head", "aside", "dialog"]) && !named(id),
        &|id| !inside(id, &["nav", "footer", "head", "aside", "dialog"]),
        &|id| !inside(id, &["nav", "footer", "head", "dialog"]),
        &|id| !inside(id, &["footer", "head", "dialog"]),
    ];
    tests
        .iter()
        .find_map(|test| h1.iter().copied().find(|id| test(*id) && shown(id)))
        .or_else(|| {
            h1.iter()
                .copied()
                .find(|id| !inside(*id, &["nav", "footer", "head", "dialog"]))
        })
}

/// The first heading of the page, whatever its level.
pub fn first_heading(view: &View) -> Option<ViewId> {
    view.below(0).into_iter().find(|id| {
        is_heading(view, *id)
            && !view.texts(*id).is_empty()
            && !view.up(*id).any(|up| {
                matches!(
                    view.nodes[up].tag.as_str(),
                    "nav" | "footer" | "head" | "aside" | "dialog"
                )
            })
    })
}

/// The section that holds the headline.
pub fn hero(view: &View) -> Option<ViewId> {
    let headline = headline(view).or_else(|| first_heading(view))?;
    let mut best = None;
    for id in view.up(headline).skip(1) {
        let node = &view.nodes[id];
        let tag = node.tag.as_str();
        if matches!(tag, "html" | "body" | "main") || id == 0 {
            break;
        }
        // A section, a header, a component: the outermost that is not the whole page.
        let others = view
            .below(id)
            .iter()
            .filter(|at| view.nodes[**at].tag == "h2")
            .count();
        if others > 1 {
            break;
        }
        if matches!(tag, "section" | "header" | "div") || node.component {
            best = Some(id);
        }
        if matches!(tag, "section" | "header") {
            break;
        }
    }
    best
}

/// Whether a place is in the hero of its page.
pub fn in_hero(seen: &Seen) -> bool {
    hero(&seen.view).is_some_and(|hero| seen.view.up(seen.at).any(|id| id == hero))
}
