//! Where recipes stand: built in, in the site, beside the person's configuration.

use std::collections::BTreeMap;
use std::path::Path;

use super::read::Recipe;
use crate::model::FileTree;

/// The folder of a site's own recipes.
const SITE: &str = ".sayso/recipes/";

/// The largest file of a recipe, in bytes.
const LARGEST: u64 = 256 << 10;

/// Files of one recipe.
const MOST: usize = 100;

macro_rules! built_in {
    ($($name:literal: [$($file:literal),* $(,)?]),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../assets/recipes/", $name, "/recipe.toml")),
            &[$(($file, include_str!(concat!("../../../assets/recipes/", $name, "/", $file)))),*])),*]
    };
}

type BuiltIn = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// The recipes that are compiled in.
const BUILT_IN: &[BuiltIn] = built_in! {
    "contact-form": [
        "contact.ts", "next-route.ts", "next-page.tsx", "next-form.tsx", "svelte-server.ts", "svelte-page.svelte",
        "astro-page.astro", "express.mjs", "express.cjs", "nest-controller.ts", "nest-module.ts",
    ],
    "dark-mode": [
        "theme.css", "theme.js", "toggle.tsx", "Toggle.svelte", "Toggle.astro",
    ],
    "realtime": [
        "events.ts", "hub.ts", "client.ts", "stream.ts", "next-route.ts", "next-hook.ts", "svelte-server.ts",
        "svelte-store.ts", "astro-endpoint.ts", "express.mjs", "express.cjs", "express-client.js",
        "nest-controller.ts", "nest-module.ts",
    ],
    "sitemap": [
        "sitemap.xml", "robots.txt", "next-sitemap.ts", "next-robots.ts", "svelte-server.ts", "astro-endpoint.ts",
    ],
};

/// A recipe, or the name of one that cannot be read and why.
pub type Shelved = Result<Recipe, (String, String)>;

/// All recipes, each name once.
pub fn all(tree: &dyn FileTree, own: Option<&Path>) -> Vec<Shelved> {
    let mut out: Vec<Shelved> = site(tree);
    let rest = own.map(person).unwrap_or_default();
    for recipe in rest.into_iter().chain(built_in()) {
        let known = out.iter().any(|one| name(one) == name(&recipe));
        if !known {
            out.push(recipe);
        }
    }
    out.sort_by(|a, b| name(a).cmp(name(b)));
    out
}

fn name(one: &Shelved) -> &str {
    match one {
        Ok(recipe) => &recipe.name,
        Err((name, _)) => name,
    }
}

fn built_in() -> Vec<Shelved> {
    let read = |(name, toml, files): &BuiltIn| {
        let templates = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        Recipe::read(name, "built in", toml, templates).map_err(|why| ((*name).to_owned(), why))
    };
    BUILT_IN.iter().map(read).collect()
}

fn site(tree: &dyn FileTree) -> Vec<Shelved> {
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for entry in tree.files() {
        let Some((name, file)) = entry
            .path
            .strip_prefix(SITE)
            .and_then(|rest| rest.split_once('/'))
        else {
            continue;
        };
        let files = found.entry(name.to_owned()).or_default();
        if entry.mode == 0o120_000
            || files.len() >= MOST
            || entry.size.is_some_and(|size| size > LARGEST)
        {
            continue;
        }
        if let Ok(Some(bytes)) = tree.read(&entry.path)
            && let Ok(text) = std::str::from_utf8(&bytes)
        {
            files.insert(file.to_owned(), text.to_owned());
        }
    }
    found
        .into_iter()
        .map(|(name, files)| one(&name, "this site", files))
        .collect()
}

fn person(folder: &Path) -> Vec<Shelved> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if !entry.path().is_dir() {
            continue;
        }
        let mut files = BTreeMap::new();
        for file in std::fs::read_dir(entry.path())
            .into_iter()
            .flatten()
            .flatten()
        {
            let small = file
                .metadata()
                .is_ok_and(|found| found.is_file() && found.len() <= LARGEST);
            if small
                && files.len() < MOST
                && let Ok(text) = std::fs::read_to_string(file.path())
            {
                files.insert(file.file_name().to_string_lossy().into_owned(), text);
            }
        }
        out.push(one(&name, "your own", files));
    }
    out
}

fn one(name: &str, origin: &'static str, mut files: BTreeMap<String, String>) -> Shelved {
    let Some(toml) = files.remove("recipe.toml") else {
        return Err((name.to_owned(), "recipe.toml is missing".to_owned()));
    };
    Recipe::read(name, origin, &toml, files).map_err(|why| (name.to_owned(), why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_can_be_read() {
        for one in built_in() {
            let recipe = one.unwrap_or_else(|(name, why)| panic!("{name}: {why}"));
            assert!(!recipe.about.is_empty() && !recipe.variants.is_empty());
            let used: Vec<&String> = recipe
                .variants
                .iter()
                .flat_map(|variant| &variant.file)
                .map(|file| &file.from)
                .collect();
            for template in recipe.templates.keys() {
                assert!(
                    used.contains(&template),
                    "{}: {template} is not used",
                    recipe.name
                );
            }
        }
    }
}
