//! What a recipe must know of a site.

use crate::generate::offline::site::{App, Framework, Site as Kept};

/// A site as recipes see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Its kind, as variants name it.
    pub kind: &'static str,
    /// Its kind for people.
    pub label: &'static str,
    /// Its folder: empty, or ending in `/`.
    pub root: String,
    /// `src/` where the site keeps its code there, else empty.
    pub src: String,
}

/// Packages that make a site what it is, the surest first.
const PACKAGES: [(&str, &str, &str); 12] = [
    ("next", "next", "Next.js"),
    ("@sveltejs/kit", "sveltekit", "SvelteKit"),
    ("astro", "astro", "Astro"),
    ("nuxt", "nuxt", "Nuxt"),
    ("@docusaurus/core", "docusaurus", "Docusaurus"),
    ("@nestjs/core", "nest", "NestJS"),
    ("express", "express", "Express"),
    ("@11ty/eleventy", "eleventy", "Eleventy"),
    ("vue", "vue", "Vue"),
    ("svelte", "svelte", "Svelte"),
    ("react", "react", "React"),
    ("preact", "react", "React"),
];

/// Looks at a site: the one nearest to the root of the repository.
pub fn look(site: &Kept) -> Site {
    let mut packages: Vec<&String> = site
        .all
        .iter()
        .filter(|path| {
            (*path == "package.json" || path.ends_with("/package.json"))
                && !path.contains("node_modules/")
        })
        .collect();
    packages.sort_by_key(|path| (path.matches('/').count(), path.as_str()));
    for path in packages {
        let Some(package) = site
            .text(path)
            .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        else {
            continue;
        };
        let uses = |name: &str| {
            ["dependencies", "devDependencies"]
                .iter()
                .any(|group| package[*group].get(name).is_some())
        };
        if let Some((_, kind, label)) = PACKAGES.iter().find(|(name, ..)| uses(name)) {
            let root = path.strip_suffix("package.json").unwrap_or_default();
            return with(site, kind, label, root);
        }
    }
    let mut apps: Vec<&App> = site.apps.iter().collect();
    apps.sort_by_key(|app| (app.root.matches('/').count(), app.root.as_str()));
    match apps.first() {
        Some(app) => {
            let (kind, label) = match app.framework {
                Framework::Hugo => ("hugo", "Hugo"),
                Framework::Jekyll => ("jekyll", "Jekyll"),
                Framework::Eleventy => ("eleventy", "Eleventy"),
                Framework::Next => ("next", "Next.js"),
                Framework::Astro => ("astro", "Astro"),
                Framework::Svelte => ("sveltekit", "SvelteKit"),
                Framework::Nuxt => ("nuxt", "Nuxt"),
                Framework::Docusaurus => ("docusaurus", "Docusaurus"),
                Framework::React => ("react", "React"),
                Framework::Vue => ("vue", "Vue"),
                Framework::Plain => ("html", "plain HTML"),
            };
            with(site, kind, label, &app.root)
        }
        None => with(site, "html", "plain HTML", ""),
    }
}

fn with(site: &Kept, kind: &'static str, label: &'static str, root: &str) -> Site {
    let src = format!("{root}src/");
    let inside = match kind {
        // Pages and routes say where the code is; a folder `src` alone does not.
        "next" => ["app/", "pages/"]
            .iter()
            .any(|folder| site.under(&format!("{src}{folder}")).next().is_some()),
        "express" => site.under(&src).next().is_some(),
        "html" => false,
        _ => true,
    };
    Site {
        kind,
        label,
        root: root.to_owned(),
        src: if inside {
            "src/".to_owned()
        } else {
            String::new()
        },
    }
}
