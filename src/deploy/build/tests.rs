use std::collections::BTreeMap;

use super::*;

struct Files(BTreeMap<&'static str, &'static str>);

impl Folder for Files {
    fn has(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.0
            .keys()
            .any(|file| *file == path || file.starts_with(&below))
    }

    fn text(&self, path: &str) -> Option<String> {
        self.0.get(path).map(|text| (*text).to_owned())
    }
}

fn detect(files: &[(&'static str, &'static str)]) -> Plan {
    plan(
        &Files(files.iter().copied().collect()),
        &BuildOptions::default(),
    )
}

/// One row of the table: files, label, install, command, first output.
type Row = (
    &'static [(&'static str, &'static str)],
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    Option<&'static str>,
);

const BUILD: &str = r#"{"scripts":{"build":"x"}}"#;

macro_rules! package {
    ($dependency:literal) => {
        concat!(
            r#"{"scripts":{"build":"x"},"devDependencies":{""#,
            $dependency,
            r#"":"1"}}"#
        )
    };
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    (&[("index.html", "")], "static files", None, None, None),
    (&[("index.html", ""), ("package.json", r#"{"name":"x"}"#)], "static files", None, None, None),
    (&[("index.html", ""), ("package.json", "not json")], "static files", None, None, None),
    (&[("package.json", BUILD)], "package.json with npm", None, Some("npm run build"), None),
    (&[("package.json", package!("astro")), ("package-lock.json", "")], "Astro with npm",
        Some("npm ci --no-audit --no-fund"), Some("npm run build"), Some("dist")),
    (&[("package.json", package!("vite"))], "Vite with npm",
        Some("npm install --no-audit --no-fund"), Some("npm run build"), Some("dist")),
    (&[("package.json", package!("vite")), ("npm-shrinkwrap.json", "")], "Vite with npm",
        Some("npm ci --no-audit --no-fund"), Some("npm run build"), Some("dist")),
    (&[("package.json", package!("vite")), ("pnpm-lock.yaml", "")], "Vite with pnpm",
        Some("pnpm install --frozen-lockfile"), Some("pnpm run build"), Some("dist")),
    (&[("package.json", package!("vite")), ("yarn.lock", "")], "Vite with yarn",
        Some("yarn install --frozen-lockfile --non-interactive"), Some("yarn run build"), Some("dist")),
    (&[("package.json", package!("vite")), ("yarn.lock", ""), (".yarnrc.yml", "")], "Vite with yarn",
        Some("yarn install --immutable"), Some("yarn run build"), Some("dist")),
    (&[("package.json", package!("vite")), ("bun.lock", "")], "Vite with bun",
        Some("bun install --frozen-lockfile"), Some("bun run build"), Some("dist")),
    (&[("package.json", package!("vite")), ("bun.lockb", "")], "Vite with bun",
        Some("bun install --frozen-lockfile"), Some("bun run build"), Some("dist")),
    (&[("package.json", package!("react-scripts")), ("package-lock.json", ""), ("yarn.lock", "")],
        "Create React App with npm", Some("npm ci --no-audit --no-fund"), Some("npm run build"), Some("build")),
    (&[("package.json", r#"{"packageManager":"pnpm@9.1.0","scripts":{"build":"x"},"dependencies":{"next":"14"}}"#)],
        "Next.js with pnpm", Some("pnpm install --no-frozen-lockfile"), Some("pnpm run build"), Some("out")),
    (&[("package.json", r#"{"packageManager":"yarn@4.5.0","scripts":{"build":"x"},"dependencies":{"vite":"5"}}"#), ("yarn.lock", "")],
        "Vite with yarn", Some("yarn install --immutable"), Some("yarn run build"), Some("dist")),
    (&[("package.json", r#"{"packageManager":"yarn@1.22.0","scripts":{"build":"x"},"dependencies":{"vite":"5"}}"#), ("yarn.lock", "")],
        "Vite with yarn", Some("yarn install --frozen-lockfile --non-interactive"), Some("yarn run build"), Some("dist")),
    (&[("package.json", r#"{"devDependencies":{"@11ty/eleventy":"3"}}"#)], "Eleventy with npm",
        Some("npm install --no-audit --no-fund"), Some("npx --no-install eleventy"), Some("_site")),
    (&[("package.json", package!("@11ty/eleventy"))], "Eleventy with npm",
        Some("npm install --no-audit --no-fund"), Some("npm run build"), Some("_site")),
    (&[("package.json", r#"{"scripts":{"build":"nuxt build","generate":"nuxt generate"},"dependencies":{"nuxt":"3"}}"#)],
        "Nuxt with npm", Some("npm install --no-audit --no-fund"), Some("npm run generate"), Some(".output/public")),
    (&[("package.json", r#"{"scripts":{"build":"nuxt build"},"dependencies":{"nuxt":"3"}}"#)],
        "Nuxt with npm", Some("npm install --no-audit --no-fund"), Some("npx --no-install nuxt generate"), Some(".output/public")),
    (&[("package.json", package!("gatsby"))], "Gatsby with npm",
        Some("npm install --no-audit --no-fund"), Some("npm run build"), Some("public")),
    (&[("package.json", package!("@sveltejs/kit"))], "SvelteKit with npm",
        Some("npm install --no-audit --no-fund"), Some("npm run build"), Some("build")),
    (&[("package.json", package!("vitepress"))], "VitePress with npm",
        Some("npm install --no-audit --no-fund"), Some("npm run build"), Some(".vitepress/dist")),
    (&[("package.json", package!("@docusaurus/core"))], "Docusaurus with npm",
        Some("npm install --no-audit --no-fund"), Some("npm run build"), Some("build")),
    (&[("package.json", package!("hexo"))], "Hexo with npm",
        Some("npm install --no-audit --no-fund"), Some("npm run build"), Some("public")),
    (&[("package.json", package!("@vue/cli-service"))], "Vue CLI with npm",
        Some("npm install --no-audit --no-fund"), Some("npm run build"), Some("dist")),
    (&[("package.json", package!("@angular/core"))], "Angular with npm",
        Some("npm install --no-audit --no-fund"), Some("npm run build"), Some("dist")),
    (&[("package.json", package!("parcel"))], "Parcel with npm",
        Some("npm install --no-audit --no-fund"), Some("npm run build"), Some("dist")),
    (&[("hugo.toml", "baseURL = 'https://x.example/'")], "Hugo", None, Some("hugo --gc --baseURL /"), Some("public")),
    (&[("hugo.yaml", "publishDir: site")], "Hugo", None, Some("hugo --gc --baseURL /"), Some("site")),
    (&[("config.toml", "baseurl = \"/\""), ("content/a.md", "")], "Hugo", None, Some("hugo --gc --baseURL /"), Some("public")),
    (&[("config/_default/hugo.toml", "")], "Hugo", None, Some("hugo --gc --baseURL /"), Some("public")),
    (&[("config.toml", "baseURL = \"/\""), ("index.html", "")], "static files", None, None, None),
    (&[("config.toml", "base_url = \"/\""), ("content/a.md", ""), ("templates/a.html", "")], "Zola", None,
        Some("zola build --base-url /"), Some("public")),
    (&[("_config.yml", "title: x"), ("_posts/a.md", "")], "Jekyll", None,
        Some("jekyll build --baseurl \"\""), Some("_site")),
    (&[("_config.yml", "title: x"), ("Gemfile", "gem 'jekyll'")], "Jekyll", Some("bundle install"),
        Some("bundle exec jekyll build --baseurl \"\""), Some("_site")),
    (&[("_config.yml", "theme: x"), ("index.html", "")], "static files", None, None, None),
    (&[("mkdocs.yml", "site_name: x")], "MkDocs", None, Some("mkdocs build"), Some("site")),
    (&[("book.toml", "[build]\nbuild-dir = \"html\"")], "mdBook", None, Some("mdbook build"), Some("html")),
    (&[("pelicanconf.py", "SITENAME = 'x'")], "Pelican", None, Some("pelican content"), Some("output")),
    (&[("deno.json", r#"{"tasks":{"build":"x"}}"#)], "Deno", None, Some("deno task build"), Some("_site")),
    (&[("docs/conf.py", ""), ("docs/index.rst", "")], "Sphinx", None,
        Some("sphinx-build -b html docs _build/html"), Some("_build/html")),
    (&[("netlify.toml", "[build]\npublish = \"out/\"\ncommand = \"npm run build-prod\""),
        ("package.json", package!("next")), ("package-lock.json", "")],
        "netlify.toml", Some("npm ci --no-audit --no-fund"), Some("npm run build-prod"), Some("out")),
    (&[("netlify.toml", "[build]\npublish = \"site\""), ("site/index.html", "")], "netlify.toml", None, None, Some("site")),
    (&[("netlify.toml", "[[redirects]]\nfrom = \"/a\""), ("index.html", "")], "static files", None, None, None),
    (&[("netlify.toml", "[build]\n  publish = \"exampleSite/public\"\n  command = \"cd exampleSite && hugo --gc\"")],
        "netlify.toml", None, Some("cd exampleSite && hugo --gc"), Some("exampleSite/public")),
    (&[("vercel.json", r#"{"buildCommand":"make site","outputDirectory":"./www"}"#)], "vercel.json", None,
        Some("make site"), Some("www")),
    (&[("vercel.json", r#"{"cleanUrls":true}"#), ("index.html", "")], "static files", None, None, None),
];

#[test]
fn sites_are_recognised() {
    for (files, label, install, command, output) in TABLE {
        let plan = detect(files);
        let names: Vec<_> = files.iter().map(|(path, _)| *path).collect();
        assert_eq!(plan.label, *label, "{names:?}");
        assert_eq!(plan.install.as_deref(), *install, "{names:?}");
        assert_eq!(plan.command.as_deref(), *command, "{names:?}");
        assert_eq!(
            plan.outputs.first().map(String::as_str),
            *output,
            "{names:?}"
        );
    }
}

#[test]
fn the_persons_word_comes_first() {
    let files = Files(BTreeMap::from([
        ("package.json", package!("astro")),
        ("index.html", ""),
    ]));
    let with = |command: Option<&str>, output: Option<&str>| {
        let options = BuildOptions {
            command: command.map(str::to_owned),
            output: output.map(str::to_owned),
            ..BuildOptions::default()
        };
        plan(&files, &options)
    };
    let own = with(Some("make"), Some("www/"));
    assert_eq!(
        (own.command.as_deref(), own.install.as_deref()),
        (Some("make"), None)
    );
    assert!(own.exact && own.outputs == ["www"]);
    let none = with(Some(""), None);
    assert_eq!((none.command, none.label.as_str()), (None, "static files"));
    let moved = with(None, Some("elsewhere"));
    assert_eq!(
        (moved.command.as_deref(), moved.outputs),
        (Some("npm run build"), vec!["elsewhere".into()])
    );
}

#[test]
fn a_base_folder_is_built_in_and_a_named_output_counts_from_the_root() {
    let files = Files(BTreeMap::from([
        (
            "netlify.toml",
            "[build]\nbase = \"sites/web\"\npublish = \"dist\"",
        ),
        ("sites/web/package.json", package!("vite")),
        ("sites/web/package-lock.json", ""),
    ]));
    let found = plan(&files, &BuildOptions::default());
    assert_eq!(
        (found.base.as_str(), found.command.as_deref()),
        ("sites/web", Some("npm run build"))
    );
    assert_eq!(found.outputs, ["dist"]);
    let options = BuildOptions {
        output: Some("public".into()),
        ..BuildOptions::default()
    };
    assert_eq!(plan(&files, &options).outputs, ["../../public"]);
}

#[test]
fn dependencies_are_the_same_exactly_when_what_names_them_is() {
    let key = |package: &'static str, lock: &'static str| {
        detect(&[("package.json", package), ("package-lock.json", lock)]).dependencies
    };
    assert_eq!(key(package!("vite"), "1"), key(package!("vite"), "1"));
    assert_ne!(key(package!("vite"), "1"), key(package!("vite"), "2"));
    assert_ne!(key(package!("vite"), "1"), key(package!("parcel"), "1"));
    assert_eq!(key(BUILD, "1"), None);
    let spread = detect(&[(
        "package.json",
        r#"{"workspaces":["a"],"scripts":{"build":"x"},"dependencies":{"vite":"1"}}"#,
    )]);
    assert!(spread.install.is_some() && spread.dependencies.is_none());
}

#[test]
fn settings_for_other_hosts_bring_their_variables() {
    let plan = detect(&[(
        "netlify.toml",
        "[build]\ncommand = \"hugo\"\npublish = \"public\"\n[build.environment]\nHUGO_THEME = \"../..\"",
    )]);
    assert_eq!(
        plan.env.get("HUGO_THEME").map(String::as_str),
        Some("../..")
    );
}

#[test]
fn what_a_build_runs_is_known() {
    for path in [
        "package.json",
        "web/package-lock.json",
        "vite.config.ts",
        "astro.config.mjs",
        ".eleventy.js",
        "scripts/build.mjs",
        "build.sh",
        "Makefile",
        "netlify.toml",
        ".npmrc",
        "docs/conf.py",
        "_plugins/x.rb",
    ] {
        assert!(steers(path).is_some(), "{path}");
    }
    for path in [
        "index.html",
        "src/config.ts",
        "src/pages/package.astro",
        "styles/app.css",
        "content/post.md",
        "_config.yml",
        "src/components/Header.tsx",
    ] {
        assert!(steers(path).is_none(), "{path}");
    }
}
