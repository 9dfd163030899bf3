//! Pages of the site generators: Hugo, Jekyll, Eleventy.

use super::*;

pub(super) fn hugo(site: &Site, app: &App) -> Vec<(String, String, bool)> {
    let mut out = Vec::new();
    let base = format!("{}content/", app.root);
    for path in site.under(&base) {
        if path.ends_with(".md") || path.ends_with(".html") || path.ends_with(".markdown") {
            let inside = &path[base.len()..];
            let mut route = file_route(inside);
            // `content/en/about.md`: the language is part of the path, not of the page's name.
            if let Some(rest) = route
                .strip_prefix("/en")
                .filter(|rest| rest.is_empty() || rest.starts_with('/'))
            {
                route = if rest.is_empty() {
                    "/".to_owned()
                } else {
                    rest.to_owned()
                };
            }
            // `about.pt-br.md` is the same page in another language.
            let name = inside.rsplit('/').next().unwrap_or(inside);
            if let [_, language, _] = name.split('.').collect::<Vec<_>>().as_slice()
                && *language != "en"
                && language.len() < 8
                && language.split('-').all(|part| part.len() == 2 || part.len() == 4)
                && language.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
            {
                route = format!("/{language}{}", route.trim_end_matches('/'));
            }
            let entry = inside.contains('/') && stem(path) != "_index" && stem(path) != "index";
            out.push((route, path.to_owned(), entry));
        }
    }
    if !out.iter().any(|(route, ..)| route == "/") {
        for root in [Some(&app.root), app.theme.as_ref()].into_iter().flatten() {
            for name in [
                "layouts/index.html",
                "layouts/home.html",
                "layouts/_default/home.html",
                "layouts/_default/list.html",
            ] {
                let path = format!("{root}{name}");
                if site.has(&path) && !out.iter().any(|(route, ..)| route == "/") {
                    out.push(("/".to_owned(), path, false));
                }
            }
        }
    }
    for root in [Some(&app.root), app.theme.as_ref()].into_iter().flatten() {
        let path = format!("{root}layouts/404.html");
        if site.has(&path) && !out.iter().any(|(route, ..)| route == "/404") {
            out.push(("/404".to_owned(), path, false));
        }
    }
    out
}

pub(super) fn front_text(site: &Site, path: &str, key: &str) -> Option<String> {
    let doc = site.doc(path)?;
    let front = doc.front?;
    let value = doc.get(front, key)?;
    (doc.node(value).kind == Kind::Scalar).then(|| doc.text(value))
}

pub(super) fn jekyll(site: &Site, app: &App) -> Vec<(String, String, bool)> {
    let mut out = Vec::new();
    for path in site.under(&app.input) {
        let inside = &path[app.input.len()..];
        let page = [".md", ".html", ".markdown", ".htm"]
            .iter()
            .any(|end| path.ends_with(end));
        let first = inside.split('/').next().unwrap_or_default();
        let hidden = inside.contains('/') && (first.starts_with('_') || first.starts_with('.'));
        let collection = hidden
            && !matches!(
                first,
                "_layouts" | "_includes" | "_data" | "_sass" | "_plugins" | "_drafts" | "_site"
            )
            && !first.starts_with('.');
        let skipped = matches!(
            first,
            "assets" | "script" | "scripts" | "docs" | "spec" | "lib" | "test" | "bin" | "example"
        );
        if !page
            || (hidden && !collection)
            || (skipped
                && inside.contains('/')
                && !collection
                && site.text(path).is_none_or(|text| !text.starts_with("---")))
        {
            continue;
        }
        let permalink = front_text(site, path, "permalink").filter(|link| !link.contains(':'));
        let route = match permalink {
            Some(link) => join(
                &link
                    .trim_matches('/')
                    .trim_end_matches(".html")
                    .split('/')
                    .collect::<Vec<_>>(),
            ),
            None => file_route(inside),
        };
        out.push((route, path.to_owned(), collection));
    }
    out
}

pub(super) fn eleventy(site: &Site, app: &App) -> Vec<(String, String, bool)> {
    let mut out = Vec::new();
    for path in site.under(&app.input) {
        let inside = &path[app.input.len()..];
        let page = [".md", ".njk", ".html", ".liquid", ".hbs", ".11ty.js"]
            .iter()
            .any(|end| path.ends_with(end));
        let hidden = inside
            .split('/')
            .any(|part| part.starts_with('_') || part.starts_with('.'))
            || inside.contains(".xml.");
        if !page || hidden {
            continue;
        }
        let permalink = front_text(site, path, "permalink").filter(|link| !link.contains('{'));
        let route = match permalink {
            Some(link) => file_route(link.trim_start_matches('/').trim_end_matches('/')),
            None => file_route(inside),
        };
        let route = if inside.starts_with("pages/") {
            route.replacen("/pages", "", 1)
        } else {
            route
        };
        let route = if route.is_empty() {
            "/".to_owned()
        } else {
            route
        };
        let entry =
            inside.contains('/') && (path.ends_with(".md")) && !inside.starts_with("pages/");
        out.push((route, path.to_owned(), entry));
    }
    out
}
