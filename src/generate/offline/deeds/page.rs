//! Adding a page.

use crate::generate::offline::ask::Said;
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::Kind;
use crate::generate::offline::find::Finder;
use crate::generate::offline::plan::Plan;
use crate::generate::offline::site::{App, Framework, Site, folder};
use crate::generate::offline::text::{Host, encode};
use crate::model::{Refusal, RefusalReason};

/// Adds a page of that name, by the conventions of the site.
///
/// # Errors
/// When it has no name, is there already, or the site has no pages of its own files.
pub fn plan(finder: &Finder<'_>, what: &Phrase, text: Option<&Said>) -> Result<Plan, Refusal> {
    // "an about page", "a page about our team"
    let about = what
        .said
        .to_lowercase()
        .find("page about ")
        .map(|at| &what.said[at + "page about ".len()..]);
    let name = match (text, about) {
        (Some(text), _) => text.text.trim().to_owned(),
        (None, Some(about)) => about.trim().to_owned(),
        (None, None) => {
            let words: Vec<&str> = what
                .words
                .iter()
                .map(String::as_str)
                .filter(|word| !matches!(*word, "page" | "new"))
                .collect();
            words.join(" ")
        }
    };
    if name.is_empty() {
        return Err(Refusal::new(
            RefusalReason::ValueMissing,
            "what should the new page be called?",
        )
        .hint("say: add a page called 'Services'"));
    }
    let slug: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect::<String>()
        .split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    if slug.is_empty() {
        return Err(Refusal::new(
            RefusalReason::ValueMissing,
            "the name of the page has no letters",
        ));
    }
    let title = {
        let mut chars = name.chars();
        chars
            .next()
            .map(|first| first.to_uppercase().collect::<String>() + chars.as_str())
            .unwrap_or_default()
    };
    let Some(app) = finder.site.apps.first() else {
        return Err(Refusal::new(
            RefusalReason::NotFound,
            "there is no site here to add a page to",
        ));
    };
    let (path, content) = file(finder.site, app, &slug, &title).ok_or_else(|| {
        Refusal::new(
            RefusalReason::Unclear,
            format!(
                "pages of a {} site are made in code here; no file makes one by itself",
                app.framework.name()
            ),
        )
        .hint("add the component and its route by hand, or with another engine")
    })?;
    if finder.site.has(&path) {
        return Err(Refusal::new(
            RefusalReason::Ambiguous,
            format!("{path} exists already"),
        ));
    }
    let mut plan = Plan {
        title: format!("Add the page \u{201c}{title}\u{201d}"),
        ..Plan::default()
    };
    plan.notes.push(format!(
        "{path}: a {} page at /{slug}",
        app.framework.name()
    ));
    plan.files.push((path, content));
    Ok(plan)
}

fn file(site: &Site, app: &App, slug: &str, title: &str) -> Option<(String, String)> {
    let root = &app.root;
    let html = encode(Host::Html, title, "").map(|(text, _)| text)?;
    let braced = encode(Host::Braced, title, "").map(|(text, _)| text)?;
    let yaml = encode(Host::YamlPlain, title, "").map(|(text, _)| text)?;
    let component: String = slug
        .split('-')
        .map(|part| part[..1].to_uppercase() + &part[1..])
        .collect();
    let typed = site.has(&format!("{root}tsconfig.json"));
    let jsx = if typed { "tsx" } else { "jsx" };
    let under = |part: &str| site.under(&format!("{root}{part}")).next().is_some();
    Some(match app.framework {
        Framework::Plain => {
            let index = site
                .pages()
                .iter()
                .find(|page| page.route == "/")
                .map(|page| page.file.clone())?;
            (
                format!("{}{slug}.html", folder(&index)),
                plain(site, &index, &html),
            )
        }
        Framework::Next if under("app/") || under("src/app/") => {
            let base = if under("src/app/") {
                "src/app/"
            } else {
                "app/"
            };
            (
                format!("{root}{base}{slug}/page.{jsx}"),
                react(&component, &braced),
            )
        }
        Framework::Next => {
            let base = if under("src/pages/") {
                "src/pages/"
            } else {
                "pages/"
            };
            (
                format!("{root}{base}{slug}.{jsx}"),
                react(&component, &braced),
            )
        }
        Framework::Svelte if under("src/routes/") => (
            format!("{root}src/routes/{slug}/+page.svelte"),
            format!(
                "<svelte:head>\n\t<title>{braced}</title>\n</svelte:head>\n\n<h1>{braced}</h1>\n"
            ),
        ),
        Framework::Nuxt => {
            let base = if under("app/pages/") {
                "app/pages/"
            } else {
                "pages/"
            };
            (
                format!("{root}{base}{slug}.vue"),
                format!("<template>\n  <main>\n    <h1>{html}</h1>\n  </main>\n</template>\n"),
            )
        }
        Framework::Astro => (
            format!("{root}src/pages/{slug}.astro"),
            astro(site, app, &braced)?,
        ),
        Framework::Hugo => {
            // The front matter is written as that of the pages beside it.
            let toml = site
                .under(&format!("{root}content/"))
                .find(|path| path.ends_with(".md"))
                .and_then(|path| site.text(path))
                .is_some_and(|text| text.starts_with("+++"));
            let content = if toml {
                let quoted = encode(Host::Json, title, "").map(|(text, _)| text)?;
                format!("+++\ntitle = \"{quoted}\"\n+++\n")
            } else {
                format!("---\ntitle: {yaml}\n---\n")
            };
            (format!("{root}content/{slug}.md"), content)
        }
        Framework::Jekyll => {
            let layout =
                if site.has(&format!("{}_layouts/page.html", app.input)) || app.theme.is_none() {
                    "page"
                } else {
                    "default"
                };
            (
                format!("{}{slug}.md", app.input),
                format!("---\nlayout: {layout}\ntitle: {yaml}\npermalink: /{slug}/\n---\n"),
            )
        }
        Framework::Eleventy => (
            format!("{}{slug}.md", app.input),
            format!("---\ntitle: {yaml}\n---\n"),
        ),
        Framework::Docusaurus => (
            format!("{root}src/pages/{slug}.md"),
            format!("---\ntitle: {yaml}\n---\n\n# {title}\n"),
        ),
        _ => return None,
    })
}

fn react(component: &str, title: &str) -> String {
    format!(
        "export default function {component}() {{\n  return (\n    <main>\n      <h1>{title}</h1>\n    </main>\n  );\n}}\n"
    )
}

/// A page with the head of the home page: its style sheets and settings, its own title.
fn plain(site: &Site, index: &str, title: &str) -> String {
    let mut head = String::new();
    if let Some(doc) = site.doc(index) {
        for node in &doc.nodes {
            let kept = match node.name.as_str() {
                "link" => {
                    doc.raw(node.span.clone()).contains("stylesheet")
                        || doc.raw(node.span.clone()).contains("icon")
                }
                "meta" => {
                    let raw = doc.raw(node.span.clone());
                    raw.contains("charset") || raw.contains("viewport")
                }
                _ => false,
            };
            if node.kind == Kind::Element && kept {
                head.push_str(&format!("  {}\n", doc.raw(node.span.clone())));
            }
        }
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n{head}  <title>{title}</title>\n</head>\n<body>\n  <main>\n    <h1>{title}</h1>\n  </main>\n</body>\n</html>\n"
    )
}

/// A page in the layout another page uses.
fn astro(site: &Site, app: &App, title: &str) -> Option<String> {
    let page = site
        .pages()
        .iter()
        .find(|page| page.file.starts_with(&app.root) && page.file.ends_with(".astro"))?;
    let doc = site.doc(&page.file)?;
    let import = doc
        .imports
        .iter()
        .find(|import| import.local.to_lowercase().contains("layout"));
    Some(match import {
        Some(import) => format!(
            "---\n{}\n---\n\n<{name} title=\"{title}\">\n  <h1>{title}</h1>\n</{name}>\n",
            doc.raw(import.span.clone()),
            name = import.local,
        ),
        None => format!(
            "---\n---\n\n<html lang=\"en\">\n  <head>\n    <title>{title}</title>\n  </head>\n  <body>\n    <h1>{title}</h1>\n  </body>\n</html>\n"
        ),
    })
}
