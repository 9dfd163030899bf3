//! Changing how something looks.

mod declare;
use declare::{by_selector, declare, dress};

mod elements;
use elements::{Texts, elements};

mod notation;

use notation::{in_theme, infer, tags, take_theme, utility, write, written};

use std::sync::Arc;

use crate::generate::offline::ask::lexicon::{STOP, alike, equal};
use crate::generate::offline::ask::phrase::{Phrase, Place};
use crate::generate::offline::ask::{Said, colors, parse};
use crate::generate::offline::doc::{Doc, Kind, Lang, NodeId};
use crate::generate::offline::find::style::{
    Declared, Ruling, Theme, is_color_value, theme, triplet,
};
use crate::generate::offline::find::text::{Scope, describe};
use crate::generate::offline::find::{
    Finder, Hit, ambiguous, candidate, element, names, not_found, role, special, unique,
};
use crate::generate::offline::plan::Plan;
use crate::generate::offline::view::{Piece, View, ViewId};
use crate::model::{Refusal, RefusalReason};

/// Words of a theme, not of an element.
const TOKENS: &[&str] = &[
    "primary",
    "secondary",
    "tertiary",
    "accent",
    "brand",
    "highlight",
    "muted",
    "danger",
    "success",
    "warning",
    "info",
    "theme",
    "destructive",
    "surface",
    "foreground",
    "selection",
];

/// Gives `target` the look that `value` says.
///
/// # Errors
/// A refusal.
pub fn plan(
    finder: &Finder<'_>,
    target: &Phrase,
    property: &str,
    value: &Said,
) -> Result<Plan, Refusal> {
    let wanted = parse::PROPERTIES
        .iter()
        .find(|(words, _)| *words == property)
        .map(|(_, name)| *name);
    let mut target = target.clone();
    let dark = take_theme(&mut target);
    // "in the stylesheet" says nothing about where on the page.
    target.places.retain(|place| {
        !place
            .words
            .iter()
            .all(|word| alike(word, "stylesheet") || word == "sheet")
    });
    let scope = finder.scope(&target)?;
    let mut words: Vec<String> = scope
        .words
        .iter()
        .filter(|word| !STOP.contains(&word.as_str()))
        .cloned()
        .collect();
    // "the h2 headings" are the h2.
    if let [rank, noun] = words.as_slice()
        && matches!(rank.as_str(), "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
        && ["heading", "title", "tag", "element"]
            .iter()
            .any(|known| equal(known, noun))
    {
        words.truncate(1);
    }
    let color = colors::is_color(&value.text) || value.text.starts_with("var(");
    let property = match wanted {
        Some(property) => property,
        None => infer(&words, &value.text, color).ok_or_else(|| {
            Refusal::new(
                RefusalReason::ValueMissing,
                format!("which property should become {}?", value.text),
            )
            .hint("say the property: the background colour, the font size …")
        })?,
    };
    let value = &Said {
        text: written(property, &value.text),
        quoted: value.quoted,
    };
    let mut found: Vec<Hit> = Vec::new();
    // "the primary colour" is of the theme; "the primary button" is an element.
    let themed = words.iter().any(|word| TOKENS.contains(&word.as_str()))
        && !words.iter().any(|word| !tags(word).is_empty());
    if color {
        let mut token_words = words.clone();
        if !themed
            && matches!(property, "background-color")
            && (words.is_empty() || dark != Theme::Any)
        {
            token_words.push("background".into());
        }
        let link = words.len() == 1 && alike(&words[0], "link") && property == "color";
        let page = words.is_empty() || (dark != Theme::Any);
        if !token_words.is_empty() && (themed || link || page) {
            found = finder.tokens(&token_words, true);
            found.retain(|hit| in_theme(dark, theme(&hit.doc, hit.node)));
        }
    }
    if found.is_empty() && themed {
        return Err(not_found(format!(
            "there is no {} colour in the styles",
            words.join(" ")
        )));
    }
    if found.is_empty() {
        found = on_elements(finder, &target, &scope, &words, property, dark)?;
    }
    // "the ink colour", "the border radius": a name of the theme that is no word for one.
    if found.is_empty() && (color || words.is_empty()) {
        let named: Vec<String> = if words.is_empty() {
            // "background-color" is named for what it colours, "border-radius" for what it is.
            property
                .strip_suffix("-color")
                .or_else(|| property.rsplit('-').next())
                .map(str::to_owned)
                .into_iter()
                .collect()
        } else {
            words.clone()
        };
        found = finder.tokens(&named, color);
        found.retain(|hit| in_theme(dark, theme(&hit.doc, hit.node)));
    }
    unique(&mut found);
    let found = finder.chosen(found, Hit::candidate);
    if found.is_empty()
        && let Some(plan) = declare(finder, &target, &scope, &words, property, &value.text)?
    {
        return Ok(plan);
    }
    if found.is_empty()
        && let Some(plan) = dress(finder, &target, &scope, &words, property, &value.text)?
    {
        return Ok(plan);
    }
    match found.as_slice() {
        [] => Err(not_found(format!(
            "no rule sets the {} of {}",
            property,
            describe(&target)
        ))
        .candidates(element::firsts(&scope, [words.as_slice()]))),
        [hit] => write(finder, hit, property, &value.text, &describe(&target)),
        all if every(&target) => {
            let mut plan = Plan::default();
            for hit in all {
                let one = write(finder, hit, property, &value.text, &describe(&target))?;
                plan.title = one.title;
                plan.edits.extend(one.edits);
                plan.notes.extend(one.notes);
            }
            Ok(plan)
        }
        _ => Err(ambiguous(
            &format!(
                "the {} of {}",
                property.replace('-', " "),
                describe(&target)
            ),
            &found,
        )),
    }
}

/// "all headings", "both buttons": each of them is meant.
fn every(target: &Phrase) -> bool {
    let first = target.whole.split_whitespace().next().unwrap_or_default();
    ["all", "both", "every", "each"]
        .iter()
        .any(|word| first.eq_ignore_ascii_case(word))
}

/// The declarations that style the elements a phrase means.
fn on_elements(
    finder: &Finder<'_>,
    target: &Phrase,
    scope: &Scope,
    words: &[String],
    property: &str,
    dark: Theme,
) -> Result<Vec<Hit>, Refusal> {
    let properties: Vec<&str> = match property {
        "background-color" => vec!["background-color", "background"],
        "border-color" => vec!["border-color", "border"],
        "font-weight" => vec!["font-weight"],
        other => vec![other],
    };
    let mut found: Vec<Hit> = Vec::new();
    let mut classes: Vec<Hit> = Vec::new();
    // "the link colour" is that of all links: the rule for the bare tag, or what all of them share.
    let generic = scope.places.is_empty()
        && !scope.paged
        && matches!(words, [word] if !tags(word).is_empty() && !matches!(tags(word), ["html", ..] | ["body"] | ["footer"] | ["header"] | ["main"] | ["h1"] | ["button"]));
    if generic {
        let bare = by_selector(finder, words, &properties, dark);
        if !bare.is_empty() {
            return Ok(bare);
        }
    }
    let mut bare = false;
    let texts = Texts::default();
    for view in &scope.views {
        for id in elements(finder, view, target, scope, words, &texts)? {
            let mut declared = finder.declared(view, id, &properties);
            declared.retain(|one| in_theme(dark, theme(&one.doc, one.node)) || dark == Theme::Any);
            if dark == Theme::Any {
                let plain = |one: &Declared| theme(&one.doc, one.node) != Theme::Dark;
                declared.retain(plain);
            }
            if declared.iter().any(|one| !one.conditional) {
                declared.retain(|one| !one.conditional);
            }
            // The most specific rule is the one that is seen; of equals, the last.
            let Some(top) = declared.iter().map(|one| one.weight).max() else {
                let own = own_styles(view, id, property);
                bare |= own.is_empty();
                classes.extend(own);
                continue;
            };
            if let Some(winner) = declared.into_iter().rfind(|one| one.weight == top) {
                found.extend(follow(finder, &winner, words, dark));
            }
        }
    }
    unique(&mut found);
    unique(&mut classes);
    if (generic || every(target)) && bare {
        // Only some of them are dressed: none of those stands for all.
        return Ok(Vec::new());
    }
    if found.is_empty() {
        found = classes;
    }
    // The same rule dressed by its selector alone, when no page shows the element.
    if found.is_empty() {
        found = by_selector(finder, words, &properties, dark);
    }
    Ok(found)
}

/// A declaration, or the variables its value is made of.
fn follow(finder: &Finder<'_>, declared: &Declared, words: &[String], dark: Theme) -> Vec<Hit> {
    let value = declared
        .doc
        .raw(declared.doc.node(declared.node).inner.clone())
        .trim()
        .to_owned();
    let name = value
        .strip_prefix("var(")
        .and_then(|rest| rest.strip_suffix(')'))
        .map(|rest| rest.split(',').next().unwrap_or(rest).trim().to_owned())
        .or_else(|| (value.starts_with('$') && !value.contains(' ')).then(|| value.clone()));
    if let Some(name) = name {
        // A variable that many things share is left alone, unless its name says that it is for this.
        let parts = crate::generate::offline::ask::lexicon::words_of(&name);
        let telling = |part: &String| {
            matches!(
                part.as_str(),
                "bg" | "background"
                    | "link"
                    | "text"
                    | "heading"
                    | "body"
                    | "font"
                    | "size"
                    | "nav"
                    | "header"
                    | "footer"
            ) || words.iter().any(|word| alike(word, part))
        };
        let shared = finder.uses(&name) > 1 && !parts.iter().any(telling);
        if shared {
            return vec![Hit::whole(&declared.doc, declared.node, Vec::new())];
        }
        let mut hits = finder.variable(&name);
        hits.retain(|hit| in_theme(dark, theme(&hit.doc, hit.node)));
        if !hits.is_empty() {
            return hits;
        }
    }
    vec![Hit::whole(&declared.doc, declared.node, Vec::new())]
}

/// What an element sets on itself: an inline style, or a utility class.
fn own_styles(view: &View, id: ViewId, property: &str) -> Vec<Hit> {
    let node = &view.nodes[id];
    let doc = &node.doc;
    let mut out = Vec::new();
    if let Some(attr) = doc.attr(node.node, "style") {
        let camel: String = property
            .split('-')
            .enumerate()
            .map(|(at, part)| {
                if at == 0 {
                    part.to_owned()
                } else {
                    part[..1].to_uppercase() + &part[1..]
                }
            })
            .collect();
        for below in doc.descendants(attr) {
            let this = doc.node(below);
            if this.kind == Kind::Pair
                && (this.name == camel || this.name == property)
                && let Some(value) = this
                    .children
                    .first()
                    .filter(|value| doc.node(**value).kind == Kind::Scalar)
            {
                out.push(Hit::whole(doc, *value, Vec::new()));
            }
            if this.kind == Kind::Text {
                let raw = doc.raw(this.inner.clone());
                let mut at = 0;
                for part in raw.split(';') {
                    if let Some((name, value)) = part.split_once(':')
                        && name.trim() == property
                    {
                        let lead = value.len() - value.trim_start().len();
                        let start = this.inner.start + at + name.len() + 1 + lead;
                        let span = start..start + value.trim().len();
                        out.push(Hit {
                            doc: doc.clone(),
                            node: below,
                            span,
                            whole: false,
                            part: false,
                            seen: Vec::new(),
                        });
                    }
                    at += part.len() + 1;
                }
            }
        }
    }
    if !out.is_empty() {
        return out;
    }
    for (name, pieces) in &node.attrs {
        if !matches!(name.as_str(), "class" | "className") {
            continue;
        }
        for piece in pieces {
            let Piece::Lit(doc, text) = piece else {
                continue;
            };
            let this = doc.node(*text);
            let raw = doc.raw(this.inner.clone());
            for token in raw.split_whitespace() {
                if utility(token, property) {
                    let at = this.inner.start + (token.as_ptr() as usize - raw.as_ptr() as usize);
                    out.push(Hit {
                        doc: doc.clone(),
                        node: *text,
                        span: at..at + token.len(),
                        whole: false,
                        part: false,
                        seen: Vec::new(),
                    });
                }
            }
        }
    }
    out
}

/// Whether a language has style rules of its own.
pub fn is_sheet(lang: Lang) -> bool {
    matches!(lang, Lang::Css | Lang::Scss)
}

#[cfg(test)]
mod tests {
    use super::notation::{color_token, numbers_of, utility_value};

    #[test]
    fn notations_are_kept() {
        assert_eq!(
            numbers_of("navy", true, false).as_deref(),
            Some("240 100% 25.1%")
        );
        assert_eq!(
            numbers_of("#22c55e", false, true).as_deref(),
            Some("34, 197, 94")
        );
        assert_eq!(color_token("#fff url(a.png) no-repeat"), Some((0, 4)));
        assert_eq!(color_token("url(a.png) no-repeat"), None);
        assert_eq!(
            utility_value("bg-indigo-500", "teal").as_deref(),
            Some("bg-teal-500")
        );
        assert_eq!(
            utility_value("bg-indigo-500", "#b00020").as_deref(),
            Some("bg-[#b00020]")
        );
        assert_eq!(
            utility_value("text-4xl", "48px").as_deref(),
            Some("text-[48px]")
        );
    }
}
