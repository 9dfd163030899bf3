//! Where an internal address leads, and what a mistyped one is near to.

use super::*;

/// What an internal address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    Somewhere,
    Nowhere,
    Placeholder,
}

pub(super) fn leads(finder: &Finder<'_>, view: &Arc<View>, hit: &Hit) -> Leads {
    let address = hit.doc.text(hit.node);
    let address = address.trim();
    if address == "#" || address == "#!" || address == "javascript:void(0)" || address.is_empty() {
        return Leads::Placeholder;
    }
    if address.contains("://")
        || address.starts_with("//")
        || address.contains(':')
        || address.contains('{')
    {
        return Leads::Somewhere;
    }
    let (path, anchor) = address.split_once('#').unwrap_or((address, ""));
    let path = path.split('?').next().unwrap_or(path);
    if path.is_empty() {
        let known = view.below(0).iter().any(|id| {
            view.attr(*id, "id").as_deref() == Some(anchor)
                || view.attr(*id, "name").as_deref() == Some(anchor)
        });
        // An id may be made where it cannot be followed.
        let made = view.nodes.iter().any(|node| {
            node.attrs.iter().any(|(name, pieces)| {
                name == "id"
                    && pieces.iter().any(|piece| {
                        matches!(piece, crate::generate::offline::view::Piece::Gap(..))
                    })
            })
        });
        return if known || made || anchor == "top" {
            Leads::Somewhere
        } else {
            Leads::Nowhere
        };
    }
    if !exists(finder, hit, path) {
        return Leads::Nowhere;
    }
    let known = anchor.is_empty()
        || anchor == "top"
        || anchors_of(finder, hit, path).is_none_or(|ids| ids.iter().any(|id| id == anchor));
    if known {
        Leads::Somewhere
    } else {
        Leads::Nowhere
    }
}

/// The anchors of the plain page that a path leads to; nothing when they may be made.
pub(super) fn anchors_of(finder: &Finder<'_>, hit: &Hit, path: &str) -> Option<Vec<String>> {
    let site = finder.site;
    let from = if path.starts_with('/') {
        site.app(&hit.doc.path)
            .map(|app| site.apps[app].root.clone())
            .unwrap_or_default()
    } else {
        folder(&hit.doc.path).to_owned()
    };
    let file = resolve::normal(&format!("{from}{}", path.trim_start_matches('/')))?;
    let page = site
        .pages()
        .iter()
        .position(|page| page.file == file && page.file.ends_with(".html"))?;
    if site.apps[site.pages()[page].app].framework != Framework::Plain {
        return None;
    }
    let view = site.view(page);
    Some(
        view.below(0)
            .iter()
            .flat_map(|id| [view.attr(*id, "id"), view.attr(*id, "name")])
            .flatten()
            .collect(),
    )
}

pub(super) fn exists(finder: &Finder<'_>, hit: &Hit, path: &str) -> bool {
    let site = finder.site;
    let clean = path.trim_end_matches('/').trim_end_matches("/index.html");
    let route = if clean.starts_with('/') {
        clean.to_owned()
    } else {
        format!("/{}", clean.trim_start_matches("./"))
    };
    let route = if route == "/" || route.is_empty() {
        "/".to_owned()
    } else {
        route
    };
    let bare = route.trim_end_matches(".html");
    let pages = site.pages();
    let matches_route = |page: &str| {
        if page.contains('[') || page.contains("/:") {
            let a: Vec<&str> = page.split('/').collect();
            let b: Vec<&str> = route.split('/').collect();
            return a.len() == b.len()
                && a.iter().zip(&b).all(|(a, b)| {
                    a == b || a.starts_with('[') || a.starts_with(':') || a.starts_with("@[")
                });
        }
        page.eq_ignore_ascii_case(&route) || page.eq_ignore_ascii_case(bare)
    };
    if pages.iter().any(|page| matches_route(&page.route)) || route == "/" {
        return true;
    }
    let app = site.app(&hit.doc.path).map(|app| &site.apps[app]);
    let root = app.map(|app| app.root.clone()).unwrap_or_default();
    let inside = clean.trim_start_matches('/');
    let folders = [
        "",
        "public/",
        "static/",
        "src/",
        "assets/",
        "content/",
        "exampleSite/static/",
    ];
    let file = folders.iter().any(|folder| {
        let path = format!("{root}{folder}{inside}");
        site.has(&path)
            || site.has(&format!("{path}.html"))
            || site.has(&format!("{path}/index.html"))
            || site
                .all
                .iter()
                .any(|known| known.starts_with(&format!("{path}/")))
    });
    let beside = resolve::normal(&format!("{}{inside}", folder(&hit.doc.path)))
        .is_some_and(|path| site.has(&path) || site.has(&format!("{path}.html")));
    // Pages made from data (tags, posts) are not listed anywhere.
    let made = app.is_some_and(|app| {
        matches!(
            app.framework,
            Framework::Hugo
                | Framework::Jekyll
                | Framework::Eleventy
                | Framework::Docusaurus
                | Framework::Astro
        )
    }) && ![".md", ".mdx", ".html"]
        .iter()
        .any(|end| inside.ends_with(end))
        && (inside.trim_start_matches("./").contains('/')
            || matches!(
                inside,
                "tags" | "categories" | "feed.xml" | "rss.xml" | "sitemap.xml" | "blog" | "posts"
            ));
    file || beside || made
}

/// The one page a mistyped address is near.
pub(super) fn repair(finder: &Finder<'_>, hit: &Hit) -> Option<String> {
    let address = hit.doc.text(hit.node);
    let pages = finder.site.pages();
    if let Some(anchor) = address.strip_prefix('#') {
        let view = hit.seen.first().map(|seen| seen.view.clone())?;
        let ids: Vec<String> = view
            .below(0)
            .iter()
            .filter_map(|id| view.attr(*id, "id"))
            .collect();
        return nearest(anchor, ids.iter().map(String::as_str)).map(|id| format!("#{id}"));
    }
    if let Some((path, anchor)) = address.split_once('#')
        && let Some(ids) = anchors_of(finder, hit, path)
    {
        return nearest(anchor, ids.iter().map(String::as_str)).map(|id| format!("{path}#{id}"));
    }
    // A file of Markdown is named as it lies in the folder.
    if let Some(end) = [".md", ".mdx"].iter().find(|end| address.ends_with(*end)) {
        let (front, name) = address.split_at(address.rfind('/').map_or(0, |at| at + 1));
        let beside = resolve::normal(&format!("{}{front}", folder(&hit.doc.path))).map(|path| {
            if path.is_empty() {
                path
            } else {
                format!("{path}/")
            }
        })?;
        let names: Vec<&str> = finder
            .site
            .under(&beside)
            .filter_map(|path| path[beside.len()..].strip_suffix(end))
            .filter(|name| !name.contains('/'))
            .collect();
        return nearest(name.strip_suffix(end)?, names.into_iter())
            .map(|name| format!("{front}{name}{end}"));
    }
    let html = address.ends_with(".html");
    let wanted = address
        .trim_start_matches("./")
        .trim_start_matches('/')
        .trim_end_matches('/')
        .trim_end_matches(".html")
        .to_lowercase();
    let names: Vec<String> = pages
        .iter()
        .filter(|page| !page.route.contains('['))
        .map(|page| page.route.trim_start_matches('/').to_owned())
        .collect();
    let found = nearest(&wanted, names.iter().map(String::as_str))?;
    let front = &address[..address.len()
        - address
            .trim_start_matches("./")
            .trim_start_matches('/')
            .len()];
    let tail = if address.ends_with('/') {
        "/"
    } else if html {
        ".html"
    } else {
        ""
    };
    Some(format!("{front}{found}{tail}"))
}

/// The one name that `wanted` was meant to be: a slip or two away (letters changed places count as one), and alone so near.
pub(super) fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let mut ranked: Vec<(usize, &str)> = names
        .filter(|name| !name.is_empty())
        .map(|name| (strsim::osa_distance(wanted, &name.to_lowercase()), name))
        .collect();
    ranked.sort_unstable();
    ranked.dedup();
    let (best, name) = *ranked.first()?;
    let clear = ranked.get(1).is_none_or(|(next, _)| *next > best);
    (best <= 2 && best * 3 <= wanted.len().max(3) && clear).then(|| name.to_owned())
}
