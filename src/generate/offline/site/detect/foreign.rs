//! Files that are not written by hand for this site: dependencies, tools, build output.

use super::*;

/// Files that are not the site's own source: dependencies, vendored libraries, minified code, tests, repository papers.
pub fn foreign(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let mut parts: Vec<&str> = lower.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    let folders = [
        "node_modules",
        "bower_components",
        "vendor",
        "vendors",
        "third_party",
        "third-party",
        ".git",
        ".github",
        ".husky",
        ".vscode",
        ".idea",
        ".cache",
        ".next",
        ".nuxt",
        ".output",
        ".svelte-kit",
        ".astro",
        ".docusaurus",
        ".vercel",
        ".netlify",
        ".jekyll-cache",
        "__tests__",
        "__mocks__",
        "__snapshots__",
        "cypress",
        "e2e",
        "playwright",
        ".storybook",
        "archetypes",
        "coverage",
        ".yarn",
        "_site",
        "__pycache__",
    ];
    if parts.iter().any(|part| folders.contains(part)) {
        return true;
    }
    let ends = [
        ".min.css",
        ".min.js",
        ".min.mjs",
        ".bundle.js",
        ".map",
        "-lock.json",
        ".lock",
        "-lock.yaml",
        ".test.js",
        ".test.ts",
        ".test.jsx",
        ".test.tsx",
        ".spec.js",
        ".spec.ts",
        ".spec.jsx",
        ".spec.tsx",
        ".stories.js",
        ".stories.tsx",
        ".stories.jsx",
        ".stories.ts",
        ".stories.mdx",
        ".d.ts",
        ".gemspec",
    ];
    if ends.iter().any(|end| name.ends_with(end)) {
        return true;
    }
    let stem = name.split('.').next().unwrap_or(name);
    // A copy somebody keeps beside the file: "data copy.json", "index.html.bak".
    let kept = stem.ends_with(" copy") || stem.contains(" copy ") || stem.ends_with(" (1)");
    if kept || [".bak", ".orig", ".old"].iter().any(|end| name.ends_with(end)) {
        return true;
    }
    let papers = [
        "readme",
        "license",
        "licence",
        "changelog",
        "contributing",
        "code_of_conduct",
        "code-of-conduct",
        "security",
        "history",
        "authors",
        "contributors",
        "codeowners",
        "upgrading",
        "pull_request_template",
        "issue_template",
    ];
    let page_folder = |part: &&str| {
        matches!(
            *part,
            "pages" | "content" | "docs" | "app" | "routes" | "views"
        )
    };
    if papers.contains(&stem)
        && (name.ends_with(".md") || name.ends_with(".markdown") || name.ends_with(".txt"))
        && !parts.iter().any(page_folder)
    {
        return true;
    }
    let styles = [".css", ".scss", ".less", ".js"]
        .iter()
        .any(|end| name.ends_with(end));
    let libraries = [
        "bootstrap",
        "font-awesome",
        "fontawesome",
        "jquery",
        "normalize",
        "animate",
        "swiper",
        "slick",
        "owl.carousel",
        "owl",
        "magnific-popup",
        "lightbox",
        "nivo-lightbox",
        "popper",
        "aos",
        "glightbox",
        "modernizr",
        "flexslider",
        "foundation",
        "bulma",
        "tailwindcss",
        "materialize",
        "uikit",
        "semantic",
        "simple-line-icons",
        "ionicons",
        "themify-icons",
        "fontello",
        "icofont",
        "flaticon",
    ];
    let vendored = |part: &str| {
        libraries.iter().any(|library| {
            part == *library
                || part.strip_prefix(library).is_some_and(|rest| {
                    rest.starts_with(['-', '.', '@'])
                        && rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit())
                })
        })
    };
    styles
        && (libraries.contains(&stem)
            || parts
                .iter()
                .any(|part| vendored(part) || *part == "font-awesome"))
}

/// When `path` is build output, the folder it was built into.
pub fn generated(site: &Site, path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    for (at, part) in parts.iter().enumerate().take(parts.len().saturating_sub(1)) {
        let front = parts[..at]
            .iter()
            .map(|part| format!("{part}/"))
            .collect::<String>();
        let beside = |name: &str| {
            site.all
                .iter()
                .any(|known| known.starts_with(&format!("{front}{name}/")))
        };
        let output = match *part {
            "dist" | "build" | "out" | "_site" | ".output" | "_build" | "target" => {
                [
                    "src",
                    "source",
                    "app",
                    "pug",
                    "templates",
                    "content",
                    "pages",
                    "views",
                    "layouts",
                ]
                .iter()
                .any(|name| beside(name))
                    || site.has(&format!("{front}package.json"))
            }
            "public" | "docs" => {
                // Both are often written by hand; only a source that makes the same file gives them away.
                let name = parts.last().copied().unwrap_or_default();
                let stem = name.split('.').next().unwrap_or(name);
                name.ends_with(".html")
                    && ["src/", "source/", "views/", "templates/", "pug/"]
                        .iter()
                        .any(|dir| {
                            site.all.iter().any(|known| {
                                known.starts_with(&format!("{front}{dir}"))
                                    && ["pug", "jade", "hbs", "ejs", "njk", "haml"].iter().any(
                                        |ext| {
                                            known.rsplit('/').next()
                                                == Some(&format!("{stem}.{ext}"))
                                        },
                                    )
                            })
                        })
                    || *part == "public"
                        && site
                            .apps
                            .iter()
                            .any(|app| app.root == front && app.framework == Framework::Hugo)
            }
            _ => false,
        };
        if output {
            return Some(format!("{front}{part}/"));
        }
    }
    None
}
