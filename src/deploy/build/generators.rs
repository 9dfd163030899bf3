//! Site generators that are programs of their own.
//!
//! Where a generator writes absolute addresses, it is told to write them from the root: a release is looked at on
//! this machine, whatever domain its settings name.

use super::{Folder, Plan, clean};

fn generator(label: &str, command: &str, output: &str, hint: &'static str) -> Plan {
    Plan {
        label: label.to_owned(),
        command: Some(command.to_owned()),
        outputs: vec![output.to_owned()],
        hint: Some(hint),
        ..Plan::default()
    }
}

/// The value of `name = "value"` or `name: value` in a settings file, whatever the case of the name.
fn setting(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(['=', ':'])?;
        let key = key.trim().trim_matches('"');
        let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
        (key.eq_ignore_ascii_case(name) && !value.is_empty()).then(|| value.to_owned())
    })
}

const HUGO_FILES: [&str; 6] = [
    "hugo.toml",
    "hugo.yaml",
    "hugo.yml",
    "hugo.json",
    "config/_default/hugo.toml",
    "config/_default/config.toml",
];

const HUGO_HINT: &str = "make sure that `hugo` builds the site; a theme must be part of the repository, not a submodule";

/// Hugo: its own settings file, or the older name with a base address in it.
pub(super) fn hugo(folder: &dyn Folder) -> Option<Plan> {
    let file = HUGO_FILES
        .into_iter()
        .find(|file| folder.has(file))
        .or_else(|| {
            let older = ["config.toml", "config.yaml", "config.yml"];
            let folders = ["content", "layouts", "themes", "archetypes"];
            older.into_iter().find(|file| {
                folder
                    .text(file)
                    .is_some_and(|text| setting(&text, "baseURL").is_some())
                    && folders.iter().any(|name| folder.has(name))
            })
        })?;
    let text = folder.text(file).unwrap_or_default();
    let output =
        setting(&text, "publishDir").map_or_else(|| "public".to_owned(), |dir| clean(&dir));
    Some(generator(
        "Hugo",
        "hugo --gc --baseURL /",
        &output,
        HUGO_HINT,
    ))
}

/// A Hugo theme with a site that shows it.
pub(super) fn hugo_theme(folder: &dyn Folder) -> Option<Plan> {
    if !folder.has("theme.toml") || !folder.has("exampleSite") {
        return None;
    }
    let command = "cd exampleSite && hugo --gc --baseURL / --themesDir ../.. --theme \"$(basename \"$(cd .. && pwd)\")\"";
    Some(generator(
        "Hugo theme",
        command,
        "exampleSite/public",
        HUGO_HINT,
    ))
}

/// Jekyll: `_config.yml` beside its folders or a Gemfile that names it.
pub(super) fn jekyll(folder: &dyn Folder) -> Option<Plan> {
    let config = folder
        .text("_config.yml")
        .or_else(|| folder.text("_config.yaml"))?;
    let gems = folder.text("Gemfile");
    let names_it = gems.as_ref().is_some_and(|gems| {
        gems.contains("jekyll") || gems.contains("github-pages") || gems.contains("gemspec")
    });
    if !names_it
        && !["_layouts", "_posts", "_includes"]
            .iter()
            .any(|name| folder.has(name))
    {
        return None;
    }
    let output =
        setting(&config, "destination").map_or_else(|| "_site".to_owned(), |dir| clean(&dir));
    let (install, command) = if names_it {
        (
            Some("bundle install".to_owned()),
            "bundle exec jekyll build --baseurl \"\"",
        )
    } else {
        (None, "jekyll build --baseurl \"\"")
    };
    let hint = "make sure that `jekyll build` works";
    Some(Plan {
        install,
        ..generator("Jekyll", command, &output, hint)
    })
}

/// Zola: `config.toml` with `base_url` (Hugo writes `baseURL`).
pub(super) fn zola(folder: &dyn Folder) -> Option<Plan> {
    let text = folder
        .text("config.toml")
        .or_else(|| folder.text("zola.toml"))?;
    setting(&text, "base_url")?;
    let output =
        setting(&text, "output_dir").map_or_else(|| "public".to_owned(), |dir| clean(&dir));
    Some(generator(
        "Zola",
        "zola build --base-url /",
        &output,
        "make sure that `zola build` works",
    ))
}

/// MkDocs.
pub(super) fn mkdocs(folder: &dyn Folder) -> Option<Plan> {
    let text = folder
        .text("mkdocs.yml")
        .or_else(|| folder.text("mkdocs.yaml"))?;
    let output = setting(&text, "site_dir").map_or_else(|| "site".to_owned(), |dir| clean(&dir));
    Some(generator(
        "MkDocs",
        "mkdocs build",
        &output,
        "make sure that `mkdocs build` works",
    ))
}

/// mdBook.
pub(super) fn mdbook(folder: &dyn Folder) -> Option<Plan> {
    let text = folder.text("book.toml")?;
    let output = setting(&text, "build-dir").map_or_else(|| "book".to_owned(), |dir| clean(&dir));
    Some(generator(
        "mdBook",
        "mdbook build",
        &output,
        "make sure that `mdbook build` works",
    ))
}

/// Pelican.
pub(super) fn pelican(folder: &dyn Folder) -> Option<Plan> {
    let text = folder.text("pelicanconf.py")?;
    let output =
        setting(&text, "OUTPUT_PATH").map_or_else(|| "output".to_owned(), |dir| clean(&dir));
    Some(generator(
        "Pelican",
        "pelican content",
        &output,
        "make sure that `pelican content` works",
    ))
}

/// Lume, or any Deno site with a task for it.
pub(super) fn lume(folder: &dyn Folder) -> Option<Plan> {
    let text = folder
        .text("deno.json")
        .or_else(|| folder.text("deno.jsonc"))?;
    if !text.contains("\"build\"") {
        return None;
    }
    Some(generator(
        "Deno",
        "deno task build",
        "_site",
        "make sure that `deno task build` works",
    ))
}

/// Sphinx, with its sources where its quick start puts them.
pub(super) fn sphinx(folder: &dyn Folder) -> Option<Plan> {
    let source = ["docs/source", "docs", "source"].into_iter().find(|dir| {
        folder.has(&format!("{dir}/conf.py")) && folder.has(&format!("{dir}/index.rst"))
    })?;
    let command = format!("sphinx-build -b html {source} _build/html");
    Some(generator(
        "Sphinx",
        &command,
        "_build/html",
        "make sure that `sphinx-build` works",
    ))
}
