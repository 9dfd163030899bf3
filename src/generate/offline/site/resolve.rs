//! From an import, an include or a link to a file.

use super::{App, Framework, Site, folder};

const EXTENSIONS: &[&str] = &[
    "",
    ".tsx",
    ".ts",
    ".jsx",
    ".js",
    ".mjs",
    ".vue",
    ".svelte",
    ".astro",
    ".json",
    ".yaml",
    ".yml",
    ".toml",
    ".mdx",
    ".md",
    ".css",
    ".scss",
    "/index.tsx",
    "/index.ts",
    "/index.jsx",
    "/index.js",
    "/index.vue",
    "/index.svelte",
    "/index.json",
];

/// `a/../b` as `b`; `None` when it leaves the repository.
pub fn normal(path: &str) -> Option<String> {
    let mut out: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                out.pop()?;
            }
            part => out.push(part),
        }
    }
    Some(out.join("/"))
}

fn existing(site: &Site, path: &str) -> Option<String> {
    let path = normal(path)?;
    EXTENSIONS
        .iter()
        .map(|extension| format!("{path}{extension}"))
        .find(|path| site.has(path))
}

/// The file an import in `from` names.
pub fn import(site: &Site, app: Option<&App>, from: &str, source: &str) -> Option<String> {
    let source = source.split('?').next().unwrap_or(source);
    if source.starts_with("./") || source.starts_with("../") || source == "." || source == ".." {
        return existing(site, &format!("{}{source}", folder(from)));
    }
    let app = app?;
    let root = &app.root;
    for (alias, target) in &app.aliases {
        if let Some(rest) = source.strip_prefix(alias.as_str())
            && (alias.ends_with('/') || rest.is_empty() || alias.is_empty())
            && let Some(found) = existing(site, &format!("{target}{rest}"))
        {
            return Some(found);
        }
    }
    let usual: &[(&str, &[&str])] = &[
        ("@/", &["src/", "", "app/"]),
        ("~/", &["src/", "", "app/"]),
        ("@@/", &[""]),
        ("~~/", &[""]),
        ("$lib/", &["src/lib/"]),
        ("@site/", &[""]),
        ("#/", &["src/", ""]),
        ("/", &["", "src/", "public/"]),
        ("@", &["src/", ""]),
        ("~", &["src/", ""]),
        ("", &["src/", ""]),
    ];
    usual.iter().find_map(|(prefix, folders)| {
        let rest = source.strip_prefix(prefix)?;
        folders
            .iter()
            .find_map(|folder| existing(site, &format!("{root}{folder}{rest}")))
    })
}

/// The component a tag names when no import does (Nuxt, and plugins that import by themselves).
pub fn component(site: &Site, app: &App, tag: &str) -> Option<String> {
    let wanted = squash(tag);
    let extensions: &[&str] = match app.framework {
        Framework::Nuxt | Framework::Vue => &[".vue"],
        Framework::Svelte => &[".svelte"],
        Framework::Astro => &[".astro"],
        _ => &[".tsx", ".jsx", ".js"],
    };
    let mut found: Option<(usize, String)> = None;
    for path in site.under(&app.root) {
        let Some(at) = path.find("components/") else {
            continue;
        };
        let Some(bare) = extensions
            .iter()
            .find_map(|extension| path.strip_suffix(extension))
        else {
            continue;
        };
        let inside = &bare[at + "components/".len()..];
        let name = inside.rsplit('/').next().unwrap_or(inside);
        // `home/Hero.vue` answers to HomeHero, and, in most set-ups, to Hero.
        let rank = if squash(inside) == wanted {
            0
        } else if squash(name) == wanted {
            1
        } else {
            continue;
        };
        if found.as_ref().is_none_or(|(best, _)| rank < *best) {
            found = Some((rank, path.to_owned()));
        }
    }
    found.map(|(_, path)| path)
}

fn squash(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The template an include, layout or partial names.
pub fn template(site: &Site, app: &App, from: &str, name: &str) -> Option<String> {
    let name = name.trim_start_matches("./").trim_start_matches('/');
    let mut folders: Vec<String> = Vec::new();
    let roots = [app.root.as_str(), app.theme.as_deref().unwrap_or_default()];
    match app.framework {
        Framework::Hugo => {
            for root in roots {
                for part in [
                    "layouts/partials/",
                    "layouts/_partials/",
                    "layouts/",
                    "layouts/_default/",
                    "layouts/_shortcodes/",
                    "layouts/shortcodes/",
                ] {
                    folders.push(format!("{root}{part}"));
                }
            }
        }
        Framework::Eleventy => {
            for part in [
                "_includes/",
                "_includes/layouts/",
                "_layouts/",
                "",
                "../_includes/",
            ] {
                folders.push(format!("{}{part}", app.input));
            }
            for part in [
                "_includes/",
                "_includes/layouts/",
                "_layouts/",
                "src/_includes/",
                "src/_layouts/",
                "",
            ] {
                folders.push(format!("{}{part}", app.root));
            }
        }
        _ => {
            for root in [&app.input, &app.root] {
                for part in ["_includes/", "_layouts/", ""] {
                    folders.push(format!("{root}{part}"));
                }
            }
        }
    }
    folders.push(folder(from).to_owned());
    let extensions = [
        "", ".html", ".njk", ".liquid", ".md", ".hbs", ".ejs", ".webc",
    ];
    folders.iter().find_map(|folder| {
        extensions.iter().find_map(|extension| {
            normal(&format!("{folder}{name}{extension}"))
                .filter(|path| site.has(path) && super::super::parse::lang(path).is_some())
        })
    })
}
