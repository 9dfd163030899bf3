//! The pages of each site, by its framework's conventions.

mod generators;
mod routed;

use generators::{eleventy, hugo, jekyll};
pub use routed::component_file;
use routed::routed;

use std::collections::HashSet;

use super::super::doc::{Doc, Kind};
use super::{App, Framework, Site, data_root, folder, stem};

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// The site it belongs to.
    pub app: usize,
    /// Its address, e.g. `/about`; parameters stay in brackets.
    pub route: String,
    /// The file that is its content.
    pub file: String,
    /// True for posts, documents and other entries of a collection.
    pub entry: bool,
}

/// All pages of all sites.
pub fn pages(site: &Site) -> Vec<Page> {
    let mut out = Vec::new();
    for (at, app) in site.apps.iter().enumerate() {
        let nested: Vec<&str> = site
            .apps
            .iter()
            .filter(|other| other.root.len() > app.root.len() && other.root.starts_with(&app.root))
            .map(|other| other.root.as_str())
            .collect();
        let own = |path: &str| !nested.iter().any(|root| path.starts_with(root));
        let mut found: Vec<(String, String, bool)> = match app.framework {
            Framework::Plain => plain(site, app),
            Framework::Next => next(site, app),
            Framework::React => react(site, app),
            Framework::Vue => vue(site, app),
            Framework::Nuxt => nuxt(files_router(
                site,
                app,
                &["pages/", "app/pages/", "src/pages/"],
                &[".vue"],
                &["content/"],
            )),
            Framework::Svelte => svelte(site, app),
            Framework::Astro => files_router(
                site,
                app,
                &["src/pages/"],
                &[".astro", ".md", ".mdx", ".html"],
                &["src/content/", "src/data/", "content/"],
            ),
            Framework::Docusaurus => files_router(
                site,
                app,
                &["src/pages/"],
                &[".tsx", ".jsx", ".js", ".ts", ".md", ".mdx"],
                &["docs/", "blog/", "community/"],
            ),
            Framework::Hugo => hugo(site, app),
            Framework::Jekyll => jekyll(site, app),
            Framework::Eleventy => eleventy(site, app),
        };
        found.retain(|(_, file, _)| own(file));
        let mut seen = HashSet::new();
        for (route, file, entry) in found {
            if seen.insert(file.clone()) {
                out.push(Page {
                    app: at,
                    route,
                    file,
                    entry,
                });
            }
        }
    }
    out
}

fn join(parts: &[&str]) -> String {
    let joined = parts
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join("/");
    format!("/{joined}")
}

/// `about/index.html` → `/about`.
fn file_route(inside: &str) -> String {
    let bare = inside.rsplit_once('/').map_or("", |(front, _)| front);
    let name = inside.rsplit('/').next().unwrap_or(inside);
    let name = name.split('.').next().unwrap_or(name);
    let mut parts: Vec<&str> = bare
        .split('/')
        .filter(|part| !(part.starts_with('(') && part.ends_with(')')))
        .collect();
    if name != "index" && name != "_index" {
        parts.push(name);
    }
    join(&parts)
}

fn plain(site: &Site, app: &App) -> Vec<(String, String, bool)> {
    site.under(&app.root)
        .filter(|path| path.ends_with(".html") || path.ends_with(".htm"))
        .filter(|path| super::detect::generated(site, path).is_none())
        .map(|path| {
            let inside = &path[app.root.len()..];
            let inside = ["public/", "src/", "www/", "html/"]
                .iter()
                .find_map(|part| inside.strip_prefix(part))
                .unwrap_or(inside);
            let route = if inside == "template.html" {
                "/".to_owned()
            } else {
                file_route(inside)
            };
            (route, path.to_owned(), false)
        })
        .collect()
}

fn next(site: &Site, app: &App) -> Vec<(String, String, bool)> {
    let mut out = Vec::new();
    for base in ["app/", "src/app/"] {
        let base = format!("{}{base}", app.root);
        for path in site.under(&base) {
            let name = path.rsplit('/').next().unwrap_or(path);
            let page =
                matches!(stem(name), "page" | "not-found" | "error") && !name.ends_with(".css");
            if page {
                let inside = folder(&path[base.len()..]).trim_end_matches('/');
                let mut parts: Vec<&str> = inside
                    .split('/')
                    .filter(|part| {
                        let group = part.starts_with('(') && part.ends_with(')');
                        !(group || part.starts_with('@'))
                    })
                    .collect();
                match stem(name) {
                    "not-found" => parts.push("404"),
                    "error" => parts.push("error"),
                    _ => {}
                }
                out.push((join(&parts), path.to_owned(), false));
            }
        }
    }
    for base in ["pages/", "src/pages/"] {
        let base = format!("{}{base}", app.root);
        for path in site.under(&base) {
            let inside = &path[base.len()..];
            let code = [".tsx", ".jsx", ".js", ".ts", ".mdx", ".md"]
                .iter()
                .any(|extension| path.ends_with(extension));
            let special = matches!(stem(path), "_app" | "_document") || inside.starts_with("api/");
            if code && !special {
                let route = file_route(inside).replace("/_error", "/error");
                out.push((route, path.to_owned(), false));
            }
        }
    }
    for base in [
        "content/",
        "posts/",
        "data/blog/",
        "src/content/",
        "_posts/",
        "blog/",
        "data/",
    ] {
        entries(site, &format!("{}{base}", app.root), &mut out);
    }
    out
}

/// `1.index.md`, `2.about/3.team.md`: the numbers of Nuxt Content only give the order.
fn without_numbers(inside: &str) -> String {
    inside
        .split('/')
        .map(|part| match part.split_once('.') {
            Some((number, rest))
                if !number.is_empty()
                    && number.chars().all(|c| c.is_ascii_digit())
                    && rest.contains('.') =>
            {
                rest
            }
            Some((number, rest))
                if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) =>
            {
                rest
            }
            _ => part,
        })
        .collect::<Vec<_>>()
        .join("/")
}

fn entries(site: &Site, base: &str, out: &mut Vec<(String, String, bool)>) {
    for path in site.under(base) {
        if [".md", ".mdx", ".markdown"]
            .iter()
            .any(|extension| path.ends_with(extension))
        {
            let inside = without_numbers(&path[base.len()..]);
            out.push((file_route(&inside), path.to_owned(), true));
        }
    }
}

fn react(site: &Site, app: &App) -> Vec<(String, String, bool)> {
    let mut out = Vec::new();
    routed(site, app, &mut out);
    let gatsby = site
        .all
        .iter()
        .any(|path| path.starts_with(&format!("{}gatsby-config", app.root)));
    let home = [
        "src/App",
        "src/app",
        "App",
        "src/app/App",
        "src/components/App",
        "src/App/index",
        "src/main",
        "src/index",
        "src/Main",
    ];
    let entry = home.iter().find_map(|name| {
        [".tsx", ".jsx", ".js", ".ts"]
            .iter()
            .map(|end| format!("{}{name}{end}", app.root))
            .find(|path| site.has(path))
    });
    if !out.iter().any(|(route, ..)| route == "/")
        && let Some(entry) = entry
    {
        out.push(("/".to_owned(), entry, false));
    }
    for base in ["src/pages/", "src/views/", "src/screens/", "pages/"] {
        let base = format!("{}{base}", app.root);
        for path in site.under(&base) {
            let code = [".tsx", ".jsx", ".js", ".mdx", ".md"]
                .iter()
                .any(|extension| path.ends_with(extension));
            if code && !out.iter().any(|(_, file, _)| file == path) {
                let route = file_route(&path[base.len()..]).to_lowercase();
                let route = route.trim_end_matches("page").to_owned();
                let route = if matches!(
                    route.as_str(),
                    "/home" | "/homepage" | "/landing" | "/main" | ""
                ) {
                    "/".to_owned()
                } else {
                    route
                };
                out.push((route, path.to_owned(), false));
            }
        }
    }
    if gatsby {
        entries(site, &format!("{}content/", app.root), &mut out);
    }
    out
}

fn vue(site: &Site, app: &App) -> Vec<(String, String, bool)> {
    let mut out = Vec::new();
    routed(site, app, &mut out);
    for base in ["src/views/", "src/pages/", "views/", "pages/"] {
        let base = format!("{}{base}", app.root);
        for path in site.under(&base) {
            if path.ends_with(".vue") && !out.iter().any(|(_, file, _)| file == path) {
                let route = file_route(&path[base.len()..]).to_lowercase();
                let route = route
                    .strip_suffix("view")
                    .or(route.strip_suffix("page"))
                    .unwrap_or(&route)
                    .to_owned();
                out.push((
                    if route == "/home" {
                        "/".to_owned()
                    } else {
                        route
                    },
                    path.to_owned(),
                    false,
                ));
            }
        }
    }
    let entry = ["src/App.vue", "App.vue"].map(|name| format!("{}{name}", app.root));
    if !out.iter().any(|(route, ..)| route == "/")
        && let Some(entry) = entry.into_iter().find(|path| site.has(path))
    {
        out.push(("/".to_owned(), entry, false));
    }
    out
}

fn svelte(site: &Site, app: &App) -> Vec<(String, String, bool)> {
    let mut out = Vec::new();
    let base = format!("{}src/routes/", app.root);
    for path in site.under(&base) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let error = name.starts_with("+error.");
        if (name.starts_with("+page.") && !name.ends_with(".js") && !name.ends_with(".ts")) || error
        {
            let mut route = file_route(&path[base.len()..])
                .replace("/+page", "")
                .replace("/+error", "/error");
            if route.is_empty() {
                route = "/".to_owned();
            }
            out.push((route, path.to_owned(), false));
        }
    }
    if out.is_empty() {
        let app_file = format!("{}src/App.svelte", app.root);
        if site.has(&app_file) {
            out.push(("/".to_owned(), app_file, false));
        }
    }
    for base in [
        "src/content/",
        "content/",
        "src/posts/",
        "posts/",
        "src/lib/posts/",
        "src/lib/content/",
        "src/lib/blog/",
    ] {
        entries(site, &format!("{}{base}", app.root), &mut out);
    }
    out
}

fn files_router(
    site: &Site,
    app: &App,
    bases: &[&str],
    ends: &[&str],
    collections: &[&str],
) -> Vec<(String, String, bool)> {
    let mut out = Vec::new();
    for base in bases {
        let base = format!("{}{base}", app.root);
        for path in site.under(&base) {
            if ends.iter().any(|end| path.ends_with(end))
                && !path[base.len()..]
                    .split('/')
                    .any(|part| part.starts_with('_'))
            {
                out.push((file_route(&path[base.len()..]), path.to_owned(), false));
            }
        }
    }
    if out.is_empty() {
        for name in ["app.vue", "app/app.vue", "src/app.vue"] {
            let path = format!("{}{name}", app.root);
            if site.has(&path) {
                out.push(("/".to_owned(), path, false));
            }
        }
    }
    for error in ["error.vue", "app/error.vue", "layouts/error.vue"] {
        let path = format!("{}{error}", app.root);
        if site.has(&path) {
            out.push(("/error".to_owned(), path, false));
        }
    }
    for base in collections {
        entries(site, &format!("{}{base}", app.root), &mut out);
    }
    out
}

/// Content at the top of a Nuxt site is its pages; what lies in folders are entries.
fn nuxt(mut found: Vec<(String, String, bool)>) -> Vec<(String, String, bool)> {
    let files: Vec<String> = found
        .iter()
        .filter(|(_, file, _)| file.ends_with(".vue"))
        .map(|(route, ..)| route.clone())
        .collect();
    for (route, file, entry) in &mut found {
        let top = file
            .rsplit("content/")
            .next()
            .is_some_and(|inside| !inside.contains('/'));
        if *entry && top && !files.contains(route) {
            *entry = false;
        }
    }
    // A shell without pages of its own shows the content.
    if found
        .iter()
        .any(|(route, file, _)| route == "/" && file.ends_with(".md"))
    {
        found.retain(|(route, file, _)| !(route == "/" && file.ends_with("app.vue")));
    }
    found
}

/// The title in a page's front matter: document node of the value.
pub fn front_title(doc: &Doc) -> Option<usize> {
    let front = doc.front.or_else(|| data_root(doc))?;
    ["title", "Title", "heading"]
        .iter()
        .find_map(|key| doc.get(front, key))
        .filter(|id| doc.node(*id).kind == Kind::Scalar)
}
