//! Changing how something looks.

mod notation;

use notation::{in_theme, infer, tags, take_theme, utility, write};

use std::sync::Arc;

use crate::generate::offline::ask::lexicon::{STOP, alike};
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
use crate::generate::offline::text::Host;
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
    let words: Vec<String> = scope
        .words
        .iter()
        .filter(|word| !STOP.contains(&word.as_str()))
        .cloned()
        .collect();
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
            property
                .rsplit('-')
                .next()
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
    match found.as_slice() {
        [] => Err(not_found(format!(
            "no rule sets the {} of {}",
            property,
            describe(&target)
        ))
        .candidates(places_of(finder, &scope, &words))),
        [hit] => write(finder, hit, property, &value.text, &describe(&target)),
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
    for view in &scope.views {
        for id in elements(finder, view, target, scope, words)? {
            let mut declared = finder.declared(view, id, &properties);
            declared.retain(|one| in_theme(dark, theme(&one.doc, one.node)) || dark == Theme::Any);
            if dark == Theme::Any {
                let plain = |one: &Declared| theme(&one.doc, one.node) != Theme::Dark;
                if declared.iter().any(plain) {
                    declared.retain(plain);
                }
            }
            if declared.iter().any(|one| !one.conditional) {
                declared.retain(|one| !one.conditional);
            }
            // The most specific rule is the one that is seen; of equals, the last.
            let Some(top) = declared.iter().map(|one| one.weight).max() else {
                classes.extend(own_styles(view, id, property));
                continue;
            };
            if let Some(winner) = declared
                .into_iter()
                .filter(|one| one.weight == top)
                .next_back()
            {
                found.extend(follow(finder, &winner, words, dark));
            }
        }
    }
    unique(&mut found);
    unique(&mut classes);
    if found.is_empty() {
        found = classes;
    }
    // The same rule dressed by its selector alone, when no page shows the element.
    if found.is_empty() {
        found = by_selector(finder, words, &properties, dark);
    }
    Ok(found)
}

/// A declaration more for the one rule that is written for the elements meant.
fn declare(
    finder: &Finder<'_>,
    target: &Phrase,
    scope: &Scope,
    words: &[String],
    property: &str,
    value: &str,
) -> Result<Option<Plan>, Refusal> {
    let mut rules: Vec<(Arc<Doc>, NodeId)> = Vec::new();
    for view in &scope.views {
        for id in elements(finder, view, target, scope, words)? {
            let own = |rule: &&Ruling| {
                let by_tag = matches!(words, [word] if tags(word).contains(&rule.subject.as_str()));
                !rule.conditional && (by_tag || rule.subject.is_empty())
            };
            let fitting = finder.rules(view, id);
            let Some(top) = fitting.iter().filter(own).map(|rule| rule.weight).max() else {
                continue;
            };
            let winner = fitting.iter().filter(own).rfind(|rule| rule.weight == top);
            if let Some(rule) = winner
                && !rules
                    .iter()
                    .any(|(doc, node)| doc.path == rule.doc.path && *node == rule.node)
            {
                rules.push((rule.doc.clone(), rule.node));
            }
        }
    }
    let [(doc, rule)] = rules.as_slice() else {
        return Ok(None);
    };
    let Some(last) = doc
        .node(*rule)
        .children
        .iter()
        .copied()
        .rfind(|child| doc.node(*child).kind == Kind::Decl)
    else {
        return Ok(None);
    };
    let span = doc.node(last).span.clone();
    let rest = &doc.src[span.end..];
    let closed = doc.raw(span.clone()).ends_with(';');
    let gap = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let semicolon = rest[gap..].starts_with(';');
    let end = if closed {
        span.end
    } else if semicolon {
        span.end + gap + 1
    } else {
        span.end
    };
    let line = doc.src[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let alone = doc.src[line..span.start].trim().is_empty();
    let separator = if alone {
        format!(
            "{}{}",
            crate::generate::offline::plan::line_end(&doc.src),
            &doc.src[line..span.start]
        )
    } else {
        " ".to_owned()
    };
    let lead = if closed || semicolon { "" } else { ";" };
    let mut plan = Plan::one(
        format!(
            "Set the {} of {} to {value}",
            property.replace('-', " "),
            describe(target)
        ),
        &doc.path,
        end..end,
        format!("{lead}{separator}{property}: {value};"),
    );
    plan.notes.push(format!(
        "{}:{}: {} did not say",
        doc.path,
        doc.line(span.start),
        doc.node(*rule).name
    ));
    Ok(Some(plan))
}

/// The elements of a page a phrase means.
fn elements(
    finder: &Finder<'_>,
    view: &Arc<View>,
    target: &Phrase,
    scope: &Scope,
    words: &[String],
) -> Result<Vec<ViewId>, Refusal> {
    let placed = |id: ViewId| {
        let node = &view.nodes[id];
        let hit = Hit {
            doc: node.doc.clone(),
            node: node.node,
            span: 0..0,
            whole: true,
            part: false,
            seen: Vec::new(),
        };
        let seen = crate::generate::offline::find::Seen {
            view: view.clone(),
            at: id,
            attr: None,
        };
        scope
            .places
            .iter()
            .all(|place| names::in_place(finder, place, &hit, Some(&seen)).is_some())
    };
    if !target.quoted.is_empty() {
        let hits = finder.find_all(target, scope)?;
        return Ok(hits
            .iter()
            .flat_map(|hit| hit.seen.iter())
            .filter(|seen| Arc::ptr_eq(&seen.view, view))
            .map(|seen| holder(view, seen.at))
            .collect());
    }
    if words.is_empty() {
        return Ok(view
            .below(0)
            .into_iter()
            .filter(|id| matches!(view.nodes[*id].tag.as_str(), "html" | "body"))
            .collect());
    }
    if let [word] = words {
        if matches!(word.as_str(), "headline" | "heading" | "title")
            && (scope.paged || word == "headline")
        {
            // All headings of that rank: a page may choose between two.
            let all: Vec<ViewId> = view
                .below(0)
                .into_iter()
                .filter(|id| view.nodes[*id].tag == "h1" && placed(*id))
                .collect();
            if !all.is_empty() {
                return Ok(all);
            }
            return Ok(special::headline(view)
                .or_else(|| special::first_heading(view))
                .into_iter()
                .collect());
        }
        let button = alike(word, "button");
        let by_tag: Vec<ViewId> = view
            .below(0)
            .into_iter()
            .filter(|id| {
                let tag = tags(word).contains(&view.nodes[*id].tag.as_str());
                let dressed = button && !view.nodes[*id].component && role::is_button(view, *id);
                (tag || dressed) && placed(*id)
            })
            .collect();
        if !by_tag.is_empty() {
            return Ok(by_tag);
        }
    }
    // "the hero button": the first words say where.
    if words.len() > 1 {
        let (last, front) = (&words[words.len() - 1], &words[..words.len() - 1]);
        // "the primary button": a kind of button by its class.
        if alike(last, "button") {
            let kind: Vec<ViewId> = view
                .below(0)
                .into_iter()
                .filter(|id| {
                    let classes = ["class", "className"]
                        .iter()
                        .filter_map(|name| view.attr(*id, name))
                        .collect::<Vec<_>>()
                        .join(" ");
                    let parts = crate::generate::offline::ask::lexicon::words_of(&classes);
                    role::is_button(view, *id)
                        && !view.nodes[*id].component
                        && front.iter().all(|word| parts.contains(word))
                        && placed(*id)
                })
                .collect();
            if !kind.is_empty() {
                return Ok(kind);
            }
        }
        if !tags(last).is_empty() {
            let place = Place {
                words: front.to_vec(),
                ..Place::default()
            };
            let inner = Scope {
                places: vec![place],
                words: vec![last.clone()],
                ..scope.clone()
            };
            let inside: Vec<ViewId> =
                elements(finder, view, target, &inner, std::slice::from_ref(last))?;
            if !inside.is_empty() {
                return Ok(inside);
            }
        }
    }
    let named: Vec<ViewId> = element::named(view, words)
        .into_iter()
        .filter(|id| placed(*id))
        .take(1)
        .collect();
    if !named.is_empty() {
        return Ok(named.into_iter().map(|id| solid(view, id)).collect());
    }
    if words.iter().all(|word| alike(word, "hero")) {
        return Ok(special::hero(view)
            .into_iter()
            .map(|id| solid(view, id))
            .collect());
    }
    // "the get started button": by its text.
    let hits = finder.find_all(target, scope).unwrap_or_default();
    if hits.len() == 1 {
        return Ok(hits[0]
            .seen
            .iter()
            .filter(|seen| Arc::ptr_eq(&seen.view, view))
            .map(|seen| holder(view, seen.at))
            .collect());
    }
    Ok(Vec::new())
}

/// A component stands for the element it renders first.
fn solid(view: &View, id: ViewId) -> ViewId {
    let mut at = id;
    while view.nodes[at].component {
        match view.nodes[at].children.iter().find(|child| {
            view.nodes[**child].text.is_empty()
                && !matches!(view.nodes[**child].tag.as_str(), "script" | "style")
        }) {
            Some(child) => at = *child,
            None => break,
        }
    }
    at
}

/// The element around a text: the button or link if it is one's label.
fn holder(view: &View, at: ViewId) -> ViewId {
    view.up(at)
        .take(4)
        .find(|id| {
            role::is_button(view, *id) && !view.nodes[*id].component || role::is_link(view, *id)
        })
        .unwrap_or(view.nodes[at].parent)
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

/// Rules whose subject is what the words name.
fn by_selector(
    finder: &Finder<'_>,
    words: &[String],
    properties: &[&str],
    dark: Theme,
) -> Vec<Hit> {
    use crate::generate::offline::find::style::{Selector, selectors};
    let mut out = Vec::new();
    for doc in finder.style_docs(None) {
        for (rule, node) in doc.nodes.iter().enumerate() {
            if node.kind != Kind::Rule || !in_theme(dark, theme(&doc, rule)) {
                continue;
            }
            let fits = selectors(&doc, rule)
                .iter()
                .filter_map(|text| Selector::parse(text))
                .any(|selector| {
                    let subject = selector.subject();
                    !selector.state()
                        && match words {
                            [word] => {
                                subject.len() == 1
                                    && (tags(word).contains(&subject[0].as_str())
                                        || subject[0] == *word)
                            }
                            _ => false,
                        }
                });
            if fits {
                for child in &node.children {
                    let decl = doc.node(*child);
                    if decl.kind == Kind::Decl && properties.contains(&decl.name.as_str()) {
                        let declared = Declared {
                            doc: doc.clone(),
                            node: *child,
                            weight: (0, 0, 0),
                            conditional: false,
                        };
                        out.extend(follow(finder, &declared, words, dark));
                    }
                }
            }
        }
    }
    out
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
            if this.kind == Kind::Pair && (this.name == camel || this.name == property) {
                if let Some(value) = this
                    .children
                    .first()
                    .filter(|value| doc.node(**value).kind == Kind::Scalar)
                {
                    out.push(Hit::whole(doc, *value, Vec::new()));
                }
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

/// The elements meant, when no rule was found for them.
fn places_of(finder: &Finder<'_>, scope: &Scope, words: &[String]) -> Vec<crate::model::Candidate> {
    let _ = finder;
    let mut out = Vec::new();
    for view in &scope.views {
        for id in element::named(view, words).into_iter().take(1) {
            let node = &view.nodes[id];
            let found = candidate(&node.doc, node.doc.node(node.node).span.clone());
            if !out.contains(&found) {
                out.push(found);
            }
        }
    }
    out.truncate(4);
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
