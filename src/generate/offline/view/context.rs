//! What template languages offer by name: `site`, `page`, `.Site.Params`, data folders.

use std::sync::Arc;

use super::eval::{Eval, Frame, Val};
use crate::generate::offline::doc::Doc;
use crate::generate::offline::site::{App, Framework, data_root, pages, stem};

/// A name with keys of its own.
#[derive(Clone, Debug)]
pub enum Context {
    /// Jekyll's `site`.
    JekyllSite,
    /// A page: its front matter.
    Page(Arc<Doc>),
    /// Hugo's page (`.`).
    HugoPage(Arc<Doc>),
    /// Hugo's `.Site`.
    HugoSite,
    /// A folder of data files.
    Data(String),
    /// Astro's global: the properties of a component.
    Astro,
}

impl Context {
    /// The value under `key`.
    pub fn get(&self, eval: &Eval<'_>, key: &str) -> Option<Val> {
        let app = eval.app?;
        match self {
            Self::JekyllSite => {
                if key == "data" {
                    return Some(Val::Context(Self::Data(format!("{}_data/", app.input))));
                }
                config(eval, app)
                    .into_iter()
                    .find_map(|config| eval.get(&config, key))
            }
            Self::Page(doc) => front(doc).and_then(|front| eval.get(&front, key)),
            Self::HugoPage(doc) => match key {
                "Site" | "site" => Some(Val::Context(Self::HugoSite)),
                "Params" | "params" => front(doc),
                "Page" | "page" | "context" | "Root" | "root" => Some(Val::Context(self.clone())),
                "Title" | "LinkTitle" => {
                    front(doc)
                        .and_then(|front| eval.get(&front, key))
                        .or_else(|| {
                            // The home page of a site without one is titled like the site.
                            front(doc)
                                .is_none()
                                .then(|| Self::HugoSite.get(eval, "Title"))
                                .flatten()
                        })
                }
                _ => front(doc).and_then(|front| eval.get(&front, key)),
            },
            Self::HugoSite => match key {
                "Data" | "data" => {
                    let own = format!("{}data/", app.root);
                    let theme = app.theme.as_ref().map(|theme| format!("{theme}data/"));
                    let has = eval.site.under(&own).next().is_some();
                    Some(Val::Context(Self::Data(if has {
                        own
                    } else {
                        theme.unwrap_or(own)
                    })))
                }
                "Params" | "params" => {
                    let file = default_config(eval, app, &["params"]).into_iter().next();
                    config(eval, app)
                        .into_iter()
                        .find_map(|config| eval.get(&config, "params"))
                        .or(file)
                }
                "Menus" | "menus" => {
                    let file = default_config(eval, app, &["menus", "menu", "menus.en"])
                        .into_iter()
                        .next();
                    config(eval, app)
                        .into_iter()
                        .find_map(|config| {
                            eval.get(&config, "menu")
                                .or_else(|| eval.get(&config, "menus"))
                                .or_else(|| {
                                    let language =
                                        eval.get(&eval.get(&config, "languages")?, "en")?;
                                    eval.get(&language, "menu")
                                        .or_else(|| eval.get(&language, "menus"))
                                })
                        })
                        .or(file)
                }
                _ => config(eval, app).into_iter().find_map(|config| {
                    eval.get(&config, key).or_else(|| {
                        let language = eval.get(&eval.get(&config, "languages")?, "en")?;
                        eval.get(&language, key)
                    })
                }),
            },
            Self::Data(folder) => {
                for extension in ["yaml", "yml", "json", "toml", "js", "mjs", "cjs", "ts"] {
                    if let Some(doc) = eval.site.doc(&format!("{folder}{key}.{extension}")) {
                        let value = eval.exported(&doc, "default")?;
                        return Some(if matches!(value, Val::Func(..)) {
                            eval.invoke(&value, Vec::new())
                        } else {
                            value
                        });
                    }
                }
                let below = format!("{folder}{key}/");
                eval.site.under(&below).next()?;
                Some(Val::Context(Self::Data(below)))
            }
            Self::Astro => None,
        }
    }
}

/// A document's front matter.
pub fn front(doc: &Arc<Doc>) -> Option<Val> {
    let node = doc.front?;
    Some(Val::Data(doc.clone(), node, Frame::module(doc)))
}

/// The site's configuration, as values.
pub fn config(eval: &Eval<'_>, app: &App) -> Vec<Val> {
    let names: &[&str] = match app.framework {
        Framework::Jekyll => &["_config.yml", "_config.yaml", "_config.toml"],
        Framework::Hugo => &[
            "hugo.toml",
            "hugo.yaml",
            "hugo.yml",
            "hugo.json",
            "config.toml",
            "config.yaml",
            "config.yml",
            "config.json",
            "config/_default/hugo.toml",
            "config/_default/config.toml",
            "config/_default/hugo.yaml",
            "config/_default/config.yaml",
            "config/_default/languages.en.toml",
        ],
        _ => &[],
    };
    names
        .iter()
        .filter_map(|name| eval.site.doc(&format!("{}{name}", app.root)))
        .filter_map(|doc| {
            data_root(&doc).map(|root| Val::Data(doc.clone(), root, Frame::module(&doc)))
        })
        .collect()
}

fn default_config(eval: &Eval<'_>, app: &App, names: &[&str]) -> Vec<Val> {
    let base = format!("{}config/_default/", app.root);
    eval.site
        .under(&base)
        .filter(|path| {
            names.iter().any(|name| {
                stem(path) == *name || path[base.len()..].starts_with(&format!("{name}."))
            })
        })
        .filter_map(|path| eval.site.doc(path))
        .filter_map(|doc| {
            data_root(&doc).map(|root| Val::Data(doc.clone(), root, Frame::module(&doc)))
        })
        .collect()
}

/// A name every template of `app` knows.
pub fn global(eval: &Eval<'_>, app: &App, page: &Arc<Doc>, name: &str) -> Option<Val> {
    match (app.framework, name) {
        (Framework::Jekyll, "site") => Some(Val::Context(Context::JekyllSite)),
        (Framework::Jekyll, "page") => Some(Val::Context(Context::Page(page.clone()))),
        (Framework::Hugo, "." | "$") => Some(Val::Context(Context::HugoPage(page.clone()))),
        (Framework::Hugo, "site") => Some(Val::Context(Context::HugoSite)),
        (Framework::Hugo, "hugo") => None,
        (Framework::Eleventy, name) => {
            let own = front(page).and_then(|front| eval.get(&front, name));
            own.or_else(|| {
                [
                    format!("{}_data/", app.input),
                    format!("{}_data/", app.root),
                    format!("{}src/_data/", app.root),
                ]
                .into_iter()
                .find_map(|folder| Context::Data(folder).get(eval, name))
            })
        }
        _ => None,
    }
}

/// The title of a page by its front matter.
pub fn title(doc: &Arc<Doc>) -> Option<Val> {
    pages::front_title(doc).map(|id| Val::Lit(doc.clone(), id))
}
