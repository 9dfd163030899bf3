//! Sites with a `package.json`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Folder, Plan, under};
use crate::deploy::manifest::sha256;

/// A tool that builds sites, known by the package it comes in.
struct Framework {
    package: &'static str,
    name: &'static str,
    /// What to run when the site has no script for it.
    command: &'static str,
    /// A script that is better than `build`.
    script: Option<&'static str>,
    outputs: &'static [&'static str],
    nested: bool,
    hint: Option<&'static str>,
}

const fn framework(
    package: &'static str,
    name: &'static str,
    command: &'static str,
    outputs: &'static [&'static str],
) -> Framework {
    Framework {
        package,
        name,
        command,
        script: None,
        outputs,
        nested: false,
        hint: None,
    }
}

/// The tools, those that build on others first (Astro, say, brings Vite along).
const FRAMEWORKS: [Framework; 21] = [
    framework("astro", "Astro", "astro build", &["dist"]),
    Framework {
        hint: Some(
            "set output: \"export\" in next.config, so that Next.js writes static files to out/",
        ),
        ..framework("next", "Next.js", "next build", &["out"])
    },
    Framework {
        script: Some("generate"),
        hint: Some("Nuxt writes static files with `nuxt generate`"),
        ..framework("nuxt", "Nuxt", "nuxt generate", &[".output/public", "dist"])
    },
    framework("@11ty/eleventy", "Eleventy", "eleventy", &["_site"]),
    framework("gatsby", "Gatsby", "gatsby build", &["public"]),
    framework(
        "react-scripts",
        "Create React App",
        "react-scripts build",
        &["build"],
    ),
    Framework {
        hint: Some("use @sveltejs/adapter-static, so that SvelteKit writes static files to build/"),
        ..framework("@sveltejs/kit", "SvelteKit", "vite build", &["build"])
    },
    framework(
        "vitepress",
        "VitePress",
        "vitepress build",
        &[".vitepress/dist", "docs/.vitepress/dist"],
    ),
    framework(
        "vuepress",
        "VuePress",
        "vuepress build",
        &[".vuepress/dist", "docs/.vuepress/dist"],
    ),
    framework(
        "@docusaurus/core",
        "Docusaurus",
        "docusaurus build",
        &["build"],
    ),
    framework("hexo", "Hexo", "hexo generate", &["public"]),
    framework(
        "@vue/cli-service",
        "Vue CLI",
        "vue-cli-service build",
        &["dist"],
    ),
    Framework {
        nested: true,
        ..framework("@angular/core", "Angular", "ng build", &["dist"])
    },
    framework("@builder.io/qwik", "Qwik", "qwik build", &["dist"]),
    framework("preact-cli", "Preact CLI", "preact build", &["build"]),
    framework("ember-cli", "Ember", "ember build", &["dist"]),
    framework(
        "@stencil/core",
        "Stencil",
        "stencil build",
        &["www", "dist"],
    ),
    framework("parcel", "Parcel", "parcel build", &["dist"]),
    framework("vite", "Vite", "vite build", &["dist"]),
    framework("@rsbuild/core", "Rsbuild", "rsbuild build", &["dist"]),
    framework(
        "webpack",
        "webpack",
        "webpack",
        &["dist", "build", "public"],
    ),
];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Package {
    scripts: BTreeMap<String, serde_json::Value>,
    dependencies: BTreeMap<String, serde_json::Value>,
    dev_dependencies: BTreeMap<String, serde_json::Value>,
    package_manager: Option<String>,
    workspaces: Option<serde_json::Value>,
}

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Npm,
    Pnpm,
    Yarn { modern: bool },
    Bun,
}

impl Manager {
    fn name(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::Yarn { .. } => "yarn",
            Self::Bun => "bun",
        }
    }

    fn install(self, locked: bool) -> &'static str {
        match (self, locked) {
            (Self::Npm, true) => "npm ci --no-audit --no-fund",
            (Self::Npm, false) => "npm install --no-audit --no-fund",
            (Self::Pnpm, true) => "pnpm install --frozen-lockfile",
            (Self::Pnpm, false) => "pnpm install --no-frozen-lockfile",
            (Self::Yarn { modern: true }, true) => "yarn install --immutable",
            (Self::Yarn { modern: true }, false) => "yarn install --no-immutable",
            (Self::Yarn { modern: false }, true) => {
                "yarn install --frozen-lockfile --non-interactive"
            }
            (Self::Yarn { modern: false }, false) => "yarn install --non-interactive",
            (Self::Bun, true) => "bun install --frozen-lockfile",
            (Self::Bun, false) => "bun install",
        }
    }

    fn script(self, script: &str) -> String {
        format!("{} run {script}", self.name())
    }

    fn program(self, command: &str) -> String {
        match self {
            Self::Npm => format!("npx --no-install {command}"),
            Self::Pnpm => format!("pnpm exec {command}"),
            Self::Yarn { .. } => format!("yarn run {command}"),
            Self::Bun => format!("bun x --no-install {command}"),
        }
    }
}

/// Where each package manager writes down what it installed.
const LOCKS: [(&str, &str); 6] = [
    ("pnpm", "pnpm-lock.yaml"),
    ("bun", "bun.lock"),
    ("bun", "bun.lockb"),
    ("npm", "package-lock.json"),
    ("npm", "npm-shrinkwrap.json"),
    ("yarn", "yarn.lock"),
];

/// The plan for a site with a `package.json` in `base`; `None` when there is none, or nothing in it builds.
pub(super) fn detect(folder: &dyn Folder, base: &str) -> Option<Plan> {
    let text = folder.text(&under(base, "package.json"))?;
    let package: Package = serde_json::from_str(&text).ok()?;
    let uses = |name: &str| {
        package.dependencies.contains_key(name) || package.dev_dependencies.contains_key(name)
    };
    let framework = FRAMEWORKS.iter().find(|framework| uses(framework.package));
    let (manager, lock) = manager(folder, base, package.package_manager.as_deref());
    let script = framework
        .and_then(|framework| framework.script)
        .into_iter()
        .chain(["build"])
        .find(|script| package.scripts.contains_key(*script));
    let command = match (script, framework) {
        (Some("build"), Some(framework)) if framework.script.is_some() => {
            manager.program(framework.command)
        }
        (Some(script), _) => manager.script(script),
        (None, Some(framework)) => manager.program(framework.command),
        (None, None) => return None,
    };
    let needs_install = !package.dependencies.is_empty() || !package.dev_dependencies.is_empty();
    // Workspaces spread what is installed over many folders: it is installed anew each time.
    let alone = package.workspaces.is_none() && !folder.has(&under(base, "pnpm-workspace.yaml"));
    let dependencies = (needs_install && alone).then(|| {
        let locked = lock
            .and_then(|lock| folder.text(&under(base, lock)))
            .unwrap_or_default();
        let npmrc = folder.text(&under(base, ".npmrc")).unwrap_or_default();
        sha256(format!("{}\n{text}\n{locked}\n{npmrc}", manager.name()).as_bytes())
    });
    let label = framework.map_or("package.json", |framework| framework.name);
    Some(Plan {
        label: format!("{label} with {}", manager.name()),
        base: base.to_owned(),
        install: needs_install.then(|| manager.install(lock.is_some()).to_owned()),
        install_anyway: (needs_install && lock.is_some())
            .then(|| manager.install(false).to_owned()),
        command: Some(command),
        outputs: framework
            .map(|framework| {
                framework
                    .outputs
                    .iter()
                    .map(|output| (*output).to_owned())
                    .collect()
            })
            .unwrap_or_default(),
        nested: framework.is_some_and(|framework| framework.nested),
        dependencies,
        hint: framework.and_then(|framework| framework.hint),
        ..Plan::default()
    })
}

/// True when a package manager complains with this line that the lock file does not fit the package file.
/// People forget to commit it; other hosts install all the same.
pub(crate) fn says_lock_is_stale(line: &str) -> bool {
    const COMPLAINTS: [&str; 5] = [
        "`npm ci` can only install packages when",
        "ERR_PNPM_OUTDATED_LOCKFILE",
        "Your lockfile needs to be updated",
        "The lockfile would have been modified by this install",
        "lockfile had changes, but lockfile is frozen",
    ];
    COMPLAINTS.iter().any(|complaint| line.contains(complaint))
}

/// The package manager the site names, else the one whose lock file is there, else npm; and its lock file.
fn manager(
    folder: &dyn Folder,
    base: &str,
    named: Option<&str>,
) -> (Manager, Option<&'static str>) {
    let there = |lock: &&(&str, &'static str)| folder.has(&under(base, lock.1));
    let named = named.map(|named| named.split_once('@').unwrap_or((named, "")));
    let lock = match named {
        Some((name, _)) => LOCKS.iter().find(|lock| lock.0 == name && there(lock)),
        None => LOCKS.iter().find(there),
    };
    let name = named
        .map(|(name, _)| name)
        .or(lock.map(|lock| lock.0))
        .unwrap_or("npm");
    let manager = match name {
        "pnpm" => Manager::Pnpm,
        "bun" => Manager::Bun,
        "yarn" => {
            let classic = named.is_some_and(|(_, version)| version.starts_with("1."));
            let modern = folder.has(&under(base, ".yarnrc.yml")) || (named.is_some() && !classic);
            Manager::Yarn { modern }
        }
        _ => Manager::Npm,
    };
    (manager, lock.map(|lock| lock.1))
}
