//! What each folder is built with.

mod foreign;
pub use foreign::{foreign, generated};

use std::collections::BTreeMap;

use super::{Site, folder};

/// A way to build a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framework {
    /// HTML files as they are.
    Plain,
    /// Next.js, app router, pages router or both.
    Next,
    /// React with Vite, Create React App, Gatsby or by hand.
    React,
    /// Vue with or without a router.
    Vue,
    /// Nuxt.
    Nuxt,
    /// SvelteKit, or Svelte alone.
    Svelte,
    /// Astro.
    Astro,
    /// Hugo.
    Hugo,
    /// Jekyll.
    Jekyll,
    /// Eleventy.
    Eleventy,
    /// Docusaurus.
    Docusaurus,
}

impl Framework {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "HTML",
            Self::Next => "Next.js",
            Self::React => "React",
            Self::Vue => "Vue",
            Self::Nuxt => "Nuxt",
            Self::Svelte => "Svelte",
            Self::Astro => "Astro",
            Self::Hugo => "Hugo",
            Self::Jekyll => "Jekyll",
            Self::Eleventy => "Eleventy",
            Self::Docusaurus => "Docusaurus",
        }
    }
}

/// A site in a folder.
#[derive(Clone, Debug)]
pub struct App {
    /// Its folder: empty, or ending in `/`.
    pub root: String,
    /// What builds it.
    pub framework: Framework,
    /// Where its pages are written: Eleventy's input folder, `src/` of most others; below `root`.
    pub input: String,
    /// Import aliases: prefix and folder.
    pub aliases: Vec<(String, String)>,
    /// For a Hugo theme with an example site: the theme's folder.
    pub theme: Option<String>,
}

/// The sites of a repository.
pub fn apps(site: &Site) -> Vec<App> {
    let mut found: BTreeMap<String, Framework> = BTreeMap::new();
    for path in &site.all {
        if foreign(path) {
            continue;
        }
        let root = folder(path).to_owned();
        let name = path.rsplit('/').next().unwrap_or(path);
        let framework = match name {
            "package.json" => package(site, path),
            "hugo.toml" | "hugo.yaml" | "hugo.yml" | "hugo.json" => Some(Framework::Hugo),
            "config.toml" | "config.yaml" | "config.yml" | "config.json" => {
                hugo_config(site, path, &root)
            }
            "_config.yml" | "_config.yaml" | "_config.toml" => {
                let jekyll = ["_layouts/", "_posts/", "_includes/", "_data/"]
                    .iter()
                    .any(|part| site.under(&format!("{root}{part}")).next().is_some());
                let gem = site.has(&format!("{root}Gemfile"));
                let top = ["index.md", "index.html", "index.markdown"]
                    .iter()
                    .any(|name| site.has(&format!("{root}{name}")));
                (jekyll || gem || top && !site.has(&format!("{root}package.json")))
                    .then_some(Framework::Jekyll)
            }
            _ if name.starts_with("next.config.") => Some(Framework::Next),
            _ if name.starts_with("astro.config.") => Some(Framework::Astro),
            _ if name.starts_with("nuxt.config.") => Some(Framework::Nuxt),
            _ if name.starts_with("svelte.config.") => Some(Framework::Svelte),
            _ if name.starts_with("docusaurus.config.") => Some(Framework::Docusaurus),
            ".eleventy.js" => Some(Framework::Eleventy),
            _ if name.starts_with("eleventy.config.") => Some(Framework::Eleventy),
            _ => None,
        };
        if let Some(framework) = framework {
            let (root, framework) = match (root.strip_suffix("config/_default/"), framework) {
                (Some(front), Framework::Hugo) => (front.to_owned(), framework),
                _ => (root, framework),
            };
            // A config file says more than a package that lists many tools.
            let slot = found.entry(root).or_insert(framework);
            if name != "package.json"
                && *slot != framework
                && !(*slot != Framework::Plain && framework == Framework::Jekyll)
            {
                *slot = framework;
            }
        }
    }
    let mut apps: Vec<App> = found
        .into_iter()
        .map(|(root, framework)| app(site, root, framework))
        .collect();
    // A Hugo theme shows itself with an example site: one site, two folders.
    for app in &mut apps {
        if app.framework == Framework::Hugo {
            let parent = folder(app.root.trim_end_matches('/')).to_owned();
            let has_layouts = site
                .under(&format!("{}layouts/", app.root))
                .next()
                .is_some();
            let example = app.root.ends_with("exampleSite/");
            if (!has_layouts || example)
                && site.under(&format!("{parent}layouts/")).next().is_some()
                && app.root != parent
            {
                app.theme = Some(parent);
            } else if let Some(theme) = theme_folder(site, &app.root) {
                app.theme = Some(theme);
            }
        }
    }
    // The theme itself has no pages to show.
    let themes: Vec<String> = apps.iter().filter_map(|app| app.theme.clone()).collect();
    apps.retain(|app| {
        app.framework != Framework::Hugo
            || !themes.contains(&app.root)
            || site
                .under(&format!("{}content/", app.root))
                .next()
                .is_some()
    });
    // Folders of HTML pages that no framework claims.
    let plain: Vec<String> = site
        .files
        .iter()
        .filter(|path| {
            path.ends_with("index.html") || path.ends_with(".html") && !path.contains('/')
        })
        .map(|path| folder(path).to_owned())
        .collect();
    let mut plain_roots: Vec<String> = Vec::new();
    for root in plain {
        let claimed = apps.iter().any(|app| {
            let theme = app
                .theme
                .as_ref()
                .is_some_and(|theme| root.starts_with(theme.as_str()));
            root.starts_with(&app.root) || theme
        }) || plain_roots
            .iter()
            .any(|known| root.starts_with(known.as_str()));
        if !claimed {
            plain_roots.push(root);
        }
    }
    for root in plain_roots {
        apps.push(app(site, root, Framework::Plain));
    }
    apps
}

fn theme_folder(site: &Site, root: &str) -> Option<String> {
    let themes = format!("{root}themes/");
    let first = site
        .under(&themes)
        .find(|path| path.contains("/layouts/"))?;
    let at = first.find("/layouts/")?;
    Some(first[..=at].to_owned())
}

fn package(site: &Site, path: &str) -> Option<Framework> {
    let text = site.text(path)?;
    let json: serde_json::Value = serde_json::from_str(&text).ok()?;
    let has = |name: &str| {
        ["dependencies", "devDependencies", "peerDependencies"]
            .iter()
            .any(|group| json[*group].get(name).is_some())
    };
    let known = [
        ("@docusaurus/core", Framework::Docusaurus),
        ("astro", Framework::Astro),
        ("nuxt", Framework::Nuxt),
        ("nuxt3", Framework::Nuxt),
        ("nuxt-edge", Framework::Nuxt),
        ("next", Framework::Next),
        ("@sveltejs/kit", Framework::Svelte),
        ("@11ty/eleventy", Framework::Eleventy),
        ("gatsby", Framework::React),
        ("vue", Framework::Vue),
        ("svelte", Framework::Svelte),
        ("react", Framework::React),
        ("preact", Framework::React),
    ];
    known
        .iter()
        .find(|(name, _)| has(name))
        .map(|(_, framework)| *framework)
}

fn hugo_config(site: &Site, path: &str, root: &str) -> Option<Framework> {
    let below = |part: &str| {
        site.all
            .iter()
            .any(|path| path.starts_with(&format!("{root}{part}")))
    };
    let root_of_default = root.strip_suffix("config/_default/");
    if root_of_default.is_some() {
        return Some(Framework::Hugo);
    }
    let text = site.text(path)?.to_ascii_lowercase();
    let speaks = text.lines().any(|line| {
        let line = line.trim_start_matches('"');
        ["baseurl", "languagecode", "theme"]
            .iter()
            .any(|key| line.starts_with(key))
    });
    let shaped = ["layouts/", "archetypes/", "themes/", "static/"]
        .iter()
        .any(|part| below(part));
    (speaks && below("content/") && (shaped || text.contains("baseurl"))).then_some(Framework::Hugo)
}

fn app(site: &Site, root: String, framework: Framework) -> App {
    let input = match framework {
        Framework::Eleventy => eleventy_input(site, &root),
        Framework::Jekyll => jekyll_source(site, &root),
        _ => root.clone(),
    };
    let aliases = aliases(site, &root);
    App {
        root,
        framework,
        input,
        aliases,
        theme: None,
    }
}

fn jekyll_source(site: &Site, root: &str) -> String {
    let config = site.text(&format!("{root}_config.yml"));
    let source = config.as_deref().and_then(|text| {
        text.lines()
            .find_map(|line| line.strip_prefix("source:"))
            .map(|value| {
                value
                    .trim()
                    .trim_matches(|c| c == '"' || c == '\'')
                    .trim_start_matches("./")
                    .trim_matches('/')
                    .to_owned()
            })
    });
    match source {
        Some(source) if !source.is_empty() && source != "." => format!("{root}{source}/"),
        _ => root.to_owned(),
    }
}

fn eleventy_input(site: &Site, root: &str) -> String {
    let names = [
        ".eleventy.js",
        "eleventy.config.js",
        "eleventy.config.mjs",
        "eleventy.config.cjs",
        "eleventy.config.ts",
    ];
    for name in names {
        let Some(text) = site.text(&format!("{root}{name}")) else {
            continue;
        };
        let found = ["input:", "setInputDirectory("].iter().find_map(|mark| {
            let rest = &text[text.find(mark)? + mark.len()..];
            let rest = rest.trim_start();
            let quote = rest.chars().next().filter(|c| "\"'`".contains(*c))?;
            let end = rest[1..].find(quote)?;
            Some(rest[1..=end].to_owned())
        });
        if let Some(found) = found {
            let clean = found.trim_start_matches("./").trim_matches('/').to_owned();
            if !clean.is_empty() && clean != "." {
                return format!("{root}{clean}/");
            }
        }
    }
    root.to_owned()
}

/// Import aliases of `tsconfig.json` or `jsconfig.json`, by the text: both allow comments.
fn aliases(site: &Site, root: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for name in ["tsconfig.json", "jsconfig.json", "tsconfig.app.json"] {
        let Some(text) = site.text(&format!("{root}{name}")) else {
            continue;
        };
        let base = text
            .split("\"baseUrl\"")
            .nth(1)
            .and_then(|rest| rest.split('"').nth(1))
            .map(|base| base.trim_start_matches("./").trim_matches('/').to_owned())
            .filter(|base| base != ".")
            .unwrap_or_default();
        let base = if base.is_empty() {
            root.to_owned()
        } else {
            format!("{root}{base}/")
        };
        let Some(paths) = text.split("\"paths\"").nth(1) else {
            if base != root {
                out.push((String::new(), base));
            }
            continue;
        };
        let quoted: Vec<&str> = paths
            .split('}')
            .next()
            .unwrap_or_default()
            .split('"')
            .skip(1)
            .step_by(2)
            .collect();
        for pair in quoted.chunks(2) {
            if let [alias, target] = pair {
                let target = target.trim_start_matches("./").trim_end_matches('*');
                out.push((
                    alias.trim_end_matches('*').to_owned(),
                    format!("{base}{target}"),
                ));
            }
        }
        if !base.is_empty() {
            out.push((String::new(), base));
        }
    }
    out
}
