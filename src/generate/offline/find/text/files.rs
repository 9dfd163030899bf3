//! Which files hold what people see of a site.

use super::*;

/// How the names of files begin that are a tool's.
const TOOLS: &[&str] = &[
    "package.",
    "frontmatter.json",
    "pagefind.",
    "lighthouserc",
    "contentlayer.config",
    "velite.config",
    "content.config",
    "next-sitemap.config",
    "sentry.",
    "prettier.config",
    "stylelint.config",
    "drizzle.config",
    "biome.json",
    "deno.json",
    "nx.json",
    "lerna.json",
    "firebase.json",
    "composer.json",
    "bower.json",
    "wrangler",
    "commitlint",
    "cspell",
    "knip.json",
    "tslint",
    "pnpm-",
    "site.webmanifest",
    "package.json",
    "tsconfig",
    "jsconfig",
    ".eslintrc",
    "eslint.config",
    "postcss.config",
    "babel.config",
    ".babelrc",
    "vite.config",
    "webpack",
    "jest.config",
    "vitest",
    "tailwind.config",
    "next.config",
    "svelte.config",
    "components.json",
    ".prettierrc",
    "netlify.toml",
    "vercel.json",
    "renovate",
    "lint-staged",
    "turbo.json",
    "cypress",
    "playwright",
    "gulpfile",
    "gruntfile",
    "rollup.config",
    "docker-compose",
    ".stylelintrc",
    "browserslist",
    "cargo.toml",
];

/// The names of files that are written for machines.
const MACHINES: &[&str] = &[
    "feed",
    "atom",
    "rss",
    "sitemap",
    "robots",
    "manifest",
    "browserconfig",
    "htaccess",
];

impl Finder<'_> {
    /// Whether a file is part of a site as a person sees it.
    pub fn content_file(&self, path: &str) -> bool {
        match self.pointed {
            Some(pointed) => path == pointed,
            None => self.site.content(|path| self.written(path)).contains(path),
        }
    }

    /// Whether a file is served as it is beside the pages that a framework makes: its documentation of old, its data.
    fn served(&self, path: &str) -> bool {
        use crate::generate::offline::site::Framework;
        let Some(app) = self.site.app(path).map(|app| &self.site.apps[app]) else {
            return false;
        };
        let made = !matches!(
            app.framework,
            Framework::Plain | Framework::React | Framework::Vue
        );
        let inside = &path[app.root.len()..];
        made && ["static/", "public/"]
            .iter()
            .any(|part| inside.starts_with(part))
            && [".html", ".json", ".md", ".js"]
                .iter()
                .any(|end| path.ends_with(end))
    }

    /// Whether a script is minified: nobody writes lines of that length.
    fn squeezed(&self, path: &str) -> bool {
        let script = [".js", ".mjs", ".cjs"]
            .iter()
            .any(|end| path.ends_with(end));
        let large = |size: u64| size > 2_000;
        script
            && self.site.size(path).is_none_or(large)
            && self.site.text(path).is_some_and(|text| {
                let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
                text.len() / lines > 400
            })
    }

    /// Whether a file is written by hand and shown to people.
    fn written(&self, path: &str) -> bool {
        if parse::lang(path).is_none() || detect::generated(self.site, path).is_some() {
            return false;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        // What shows or tests a component is no page's.
        if [".story.", ".stories.", ".test.", ".spec.", ".cy."]
            .iter()
            .any(|mark| name.contains(mark))
        {
            return false;
        }
        let lower = name.to_ascii_lowercase();
        let hidden = path
            .split('/')
            .rev()
            .skip(1)
            .any(|part| part.starts_with('.') && part.len() > 1 && part != ".vitepress");
        let own = hidden
            && self.site.apps.iter().any(|app| {
                let inside = app.root.split('/').any(|part| part.starts_with('.'));
                inside && path.starts_with(&app.root)
            });
        if TOOLS.iter().any(|start| lower.starts_with(start))
            || (lower.starts_with('.') && !lower.starts_with(".vitepress"))
            || (hidden && !own)
            || self.squeezed(path)
            || self.served(path)
        {
            return false;
        }
        if path.ends_with(".css") || path.ends_with(".scss") || path.ends_with(".less") {
            return false;
        }
        // What a release of the documentation said stays as it was.
        if ["versioned_docs/", "versioned_sidebars/"]
            .iter()
            .any(|folder| path.contains(folder))
        {
            return false;
        }
        // Feeds, maps and manifests are written for machines.
        if MACHINES.contains(&stem(path))
            || path.contains("/feed/")
            || path.starts_with("feed/")
            || name.contains(".xml")
        {
            return false;
        }
        self.site.apps.is_empty()
            || self.site.apps.iter().any(|app| {
                path.starts_with(&app.root)
                    || app
                        .theme
                        .as_ref()
                        .is_some_and(|theme| path.starts_with(theme.as_str()))
            })
    }
}
