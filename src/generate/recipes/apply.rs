//! Follows a recipe on a site: new files and small edits, checked before anybody sees them.

use std::collections::BTreeMap;

use regex::Regex;

use super::fill::fill;
use super::read::{Edit, Recipe, Variant};
use super::site::Site;
use super::words;
use crate::generate::edits::path::{Ignored, checked};
use crate::generate::offline::site::{Framework, Site as Kept};
use crate::generate::{FileChange, Generated};
use crate::model::api::{RecipeInfo, RecipeQuestion};
use crate::model::{FileTree, Refusal, RefusalReason};

/// A refusal of a recipe.
pub fn refused(message: impl Into<String>) -> Refusal {
    Refusal::new(RefusalReason::OutOfScope, message)
}

/// What the recipe does on this site.
///
/// # Errors
/// Why it has nothing for it.
pub fn variant<'r>(recipe: &'r Recipe, site: &Site, kept: &Kept) -> Result<&'r Variant, Refusal> {
    let paths = places(site);
    let there = |path: &String| kept.has(&fill(path, &paths));
    let mut lacking = None;
    for variant in &recipe.variants {
        if !variant.kinds.iter().any(|kind| kind == site.kind) {
            continue;
        }
        if let Some(lack) = variant.needs.iter().find(|path| !there(path)) {
            lacking = lacking.or(Some(fill(lack, &paths)));
            continue;
        }
        if variant.lacks.iter().any(there) {
            continue;
        }
        if let Some(why) = &variant.not_here {
            return Err(refused(why.clone()));
        }
        return Ok(variant);
    }
    let name = &recipe.name;
    Err(match lacking {
        Some(file) => refused(format!(
            "the recipe {name} for {} needs {file}, which the site does not have",
            site.label
        )),
        None => {
            let mut kinds: Vec<&str> = recipe
                .variants
                .iter()
                .filter(|variant| variant.not_here.is_none())
                .flat_map(|variant| variant.kinds.iter().map(String::as_str))
                .collect();
            kinds.sort_unstable();
            kinds.dedup();
            refused(format!(
                "the recipe {name} has nothing for {} sites",
                site.label
            ))
            .hint(format!("it is for: {}", kinds.join(", ")))
        }
    })
}

/// A recipe as it is listed.
pub fn info(recipe: &Recipe, site: &Site, kept: &Kept) -> RecipeInfo {
    let here = variant(recipe, site, kept);
    let mut defaults = BTreeMap::new();
    let questions: Vec<RecipeQuestion> = recipe
        .questions
        .iter()
        .map(|question| {
            if let Some(default) = &question.default {
                defaults.insert(question.name.clone(), default.clone());
            }
            RecipeQuestion {
                name: question.name.clone(),
                ask: question.ask.clone(),
                default: question.default.clone(),
                choices: question.choices.clone(),
            }
        })
        .collect();
    for question in &questions {
        defaults.entry(question.name.clone()).or_default();
    }
    RecipeInfo {
        name: recipe.name.clone(),
        title: recipe.title.clone(),
        about: recipe.about.clone(),
        origin: recipe.origin.to_owned(),
        say: recipe.say.first().map(|say| format!("add {say}")),
        words: words::command(&recipe.name, &defaults, false),
        files: here
            .as_ref()
            .map(|variant| {
                let paths = places(site);
                let files = variant.file.iter();
                files.map(|file| fill(&file.path, &paths)).collect()
            })
            .unwrap_or_default(),
        site: site.label.to_owned(),
        finish: recipe.finish.is_some(),
        not_here: here.err().map(|refusal| refusal.message),
        questions,
    }
}

/// The answers, with what the recipe takes where none is given.
fn answers(
    recipe: &Recipe,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Refusal> {
    if let Some(unknown) = given
        .keys()
        .find(|name| !recipe.questions.iter().any(|one| one.name == **name))
    {
        let names: Vec<&str> = recipe
            .questions
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        return Err(
            refused(format!("the recipe {} asks no {unknown:?}", recipe.name))
                .hint(format!("it asks: {}", names.join(", "))),
        );
    }
    let mut values = BTreeMap::new();
    for question in &recipe.questions {
        let given = given
            .get(&question.name)
            .filter(|value| !value.trim().is_empty());
        let Some(value) = given.or(question.default.as_ref()) else {
            let words = words::command(
                &recipe.name,
                &BTreeMap::from([(question.name.clone(), "…".to_owned())]),
                false,
            );
            return Err(
                Refusal::new(RefusalReason::ValueMissing, question.ask.clone())
                    .hint(format!("say or type: {words}")),
            );
        };
        let value = value.trim();
        let choices = &question.choices;
        if !choices.is_empty() && !choices.iter().any(|choice| choice == value) {
            return Err(
                refused(format!("{} cannot be {value:?}", question.name)).hint(format!(
                    "{}: {}",
                    question.ask,
                    choices.join(", ")
                )),
            );
        }
        if let Some(pattern) = &question.pattern
            && Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|known| !known.is_match(value))
        {
            return Err(refused(format!("{} cannot be {value:?}", question.name))
                .hint(format!("{} It looks like {pattern}", question.ask)));
        }
        values.insert(question.name.clone(), value.to_owned());
    }
    Ok(values)
}

fn places(site: &Site) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("root".to_owned(), site.root.clone()),
        ("src".to_owned(), site.src.clone()),
        ("code".to_owned(), format!("{}{}", site.root, site.src)),
    ])
}

/// Follows the recipe.
///
/// # Errors
/// A refusal with its reason: an answer is missing, a file is there already, a place is not found.
pub fn apply(
    recipe: &Recipe,
    given: &BTreeMap<String, String>,
    site: &Site,
    kept: &Kept,
    tree: &dyn FileTree,
) -> Result<Generated, Refusal> {
    let variant = variant(recipe, site, kept)?;
    let mut values = answers(recipe, given)?;
    values.extend(places(site));
    if let Some(address) = values.get("address") {
        let base = address.trim_end_matches('/').to_owned();
        values.insert("base".to_owned(), base);
    }
    if let Some(path) = values.get("path") {
        let up = "../".repeat(path.matches('/').count());
        values.insert("up".to_owned(), up);
    }
    values.insert("pages".to_owned(), routes(site, kept).join("\n"));
    values.insert("routes".to_owned(), route_lines(site, kept));
    values.insert("locs".to_owned(), locations(site, kept, &values));
    let mut made = Generated {
        title: fill(&recipe.title, &values),
        notes: vec![format!(
            "by the recipe {} ({}), for {}",
            recipe.name, recipe.origin, site.label
        )],
        ..Generated::default()
    };
    let ignored = Ignored::of(tree);
    for file in &variant.file {
        if let Some(question) = &file.only_if
            && values.get(question).map(String::as_str) != Some("yes")
        {
            continue;
        }
        let path =
            checked(&fill(&file.path, &values)).map_err(|fault| refused(fault.to_string()))?;
        if tree.entry(&path).is_some() {
            return Err(refused(format!("{path} is there already"))
                .hint("the recipe writes over nothing: rename or remove that file first, or say the change in your own words"));
        }
        if ignored.covers(&path) {
            return Err(refused(format!(
                "{path} would be left out of the commit: .gitignore names it"
            )));
        }
        let text = fill(&recipe.templates[&file.from], &values);
        made.files.push(FileChange {
            path,
            after: Some(text),
        });
    }
    for edit in &variant.edit {
        change(edit, &values, kept, &mut made)?;
    }
    made.notes
        .extend(variant.notes.iter().map(|note| fill(note, &values)));
    Ok(made)
}

/// Makes one edit, in one file or in all pages.
fn change(
    edit: &Edit,
    values: &BTreeMap<String, String>,
    kept: &Kept,
    made: &mut Generated,
) -> Result<(), Refusal> {
    let by_hand = |made: &mut Generated, why: String| match &edit.by_hand {
        Some(what) => {
            made.warnings.push(format!("{why}: {}", fill(what, values)));
            Ok(())
        }
        None => Err(refused(why)),
    };
    let files: Vec<String> = if edit.files == ["pages"] {
        pages(kept)
    } else if edit.files == ["heads"] {
        heads(kept, values.get("root").map_or("", String::as_str))
    } else {
        let wanted = edit.files.iter().map(|file| fill(file, values));
        wanted.filter(|file| kept.has(file)).take(1).collect()
    };
    if files.is_empty() {
        let wanted: Vec<String> = edit.files.iter().map(|file| fill(file, values)).collect();
        return by_hand(made, format!("there is no {}", wanted.join(" or ")));
    }
    let root = values.get("root").map_or("", String::as_str);
    for path in files {
        // From a page back to the root of the site, wherever that is served.
        let inside = path.strip_prefix(root).unwrap_or(&path);
        let home = "../".repeat(inside.matches('/').count());
        let text = fill(&edit.text.replace("%{home}", &home), values);
        let known = made.files.iter().position(|file| file.path == path);
        let before = match known.and_then(|at| made.files[at].after.clone()) {
            Some(text) => text,
            None => match kept.text(&path) {
                Some(text) => text.to_string(),
                None => continue,
            },
        };
        let unless = edit.unless.as_ref().map(|unless| fill(unless, values));
        if unless.is_some_and(|unless| before.contains(&unless)) {
            continue;
        }
        match put(&before, edit, &text, values) {
            Ok(after) => match known {
                Some(at) => made.files[at].after = Some(after),
                None => made.files.push(FileChange {
                    path,
                    after: Some(after),
                }),
            },
            Err(why) => by_hand(made, format!("{path}: {why}"))?,
        }
    }
    Ok(())
}

/// The text with the edit's own in its place.
fn put(
    before: &str,
    edit: &Edit,
    text: &str,
    values: &BTreeMap<String, String>,
) -> Result<String, String> {
    // The file's own line ends.
    let text = if before.contains("\r\n") {
        text.replace("\r\n", "\n").replace('\n', "\r\n")
    } else {
        text.to_owned()
    };
    let once = |anchor: &str| {
        let anchor = fill(anchor, values);
        let mut found = before.match_indices(&anchor);
        match (found.next(), found.next()) {
            (Some((at, _)), None) => Ok((at, at + anchor.len())),
            (None, _) => Err(format!("{anchor:?} does not occur")),
            (Some(_), Some(_)) => Err(format!("{anchor:?} occurs more than once")),
        }
    };
    let tag = |anchor: &str| {
        let (at, end) = once(anchor)?;
        let close = before[end..]
            .find('>')
            .ok_or_else(|| format!("{anchor:?} is not closed"))?;
        let _ = at;
        Ok::<usize, String>(end + close)
    };
    let at = if let Some(anchor) = &edit.before {
        once(anchor)?.0
    } else if let Some(anchor) = &edit.after {
        once(anchor)?.1
    } else if let Some(anchor) = &edit.after_tag {
        tag(anchor)? + 1
    } else if let Some(anchor) = &edit.into_tag {
        tag(anchor)?
    } else {
        usize::from(before.starts_with('\u{feff}')) * '\u{feff}'.len_utf8()
    };
    Ok(format!("{}{text}{}", &before[..at], &before[at..]))
}

/// The HTML pages of the site that are whole pages.
fn pages(kept: &Kept) -> Vec<String> {
    let mut out: Vec<String> = kept
        .pages()
        .iter()
        .filter(|page| kept.apps[page.app].framework == Framework::Plain)
        .map(|page| page.file.clone())
        .filter(|file| kept.text(file).is_some_and(|text| text.contains("</head>")))
        .collect();
    out.sort();
    out.dedup();
    out
}

/// The files below `root` that hold the head of pages: layouts, templates.
fn heads(kept: &Kept, root: &str) -> Vec<String> {
    let kinds = [".astro", ".html", ".njk", ".liquid"];
    kept.files
        .iter()
        .filter(|path| path.starts_with(root) && kinds.iter().any(|kind| path.ends_with(kind)))
        .filter(|path| kept.text(path).is_some_and(|text| text.contains("</head>")))
        .cloned()
        .collect()
}

/// The addresses of the site's pages that have one of their own (none with parameters), sorted.
fn routes(site: &Site, kept: &Kept) -> Vec<String> {
    let mut out: Vec<String> = kept
        .pages()
        .iter()
        .filter(|page| page.file.starts_with(&site.root))
        .map(|page| match kept.apps[page.app].framework {
            // A file as it is has its own name for an address.
            Framework::Plain => {
                let inside = page.file.strip_prefix(&site.root).unwrap_or(&page.file);
                format!("/{}", inside.strip_suffix("index.html").unwrap_or(inside))
            }
            _ => page.route.clone(),
        })
        .filter(|route| !route.contains(['[', '*', ':', '#']) && !route.contains("404"))
        .collect();
    if out.is_empty() {
        out.push("/".to_owned());
    }
    out.sort();
    out.dedup();
    out
}

/// The addresses as lines of a list in JavaScript.
fn route_lines(site: &Site, kept: &Kept) -> String {
    let lines: Vec<String> = routes(site, kept)
        .iter()
        .map(|route| format!("  {},", serde_json::Value::from(route.as_str())))
        .collect();
    lines.join("\n")
}

/// The addresses as entries of a sitemap.
fn locations(site: &Site, kept: &Kept, values: &BTreeMap<String, String>) -> String {
    let address = values
        .get("address")
        .map_or("", |address| address.trim_end_matches('/'));
    let lines: Vec<String> = routes(site, kept)
        .iter()
        .map(|route| {
            let whole = format!("{address}{route}");
            let whole = whole.replace('&', "&amp;").replace(' ', "%20");
            format!("  <url><loc>{whole}</loc></url>")
        })
        .collect();
    lines.join("\n")
}
