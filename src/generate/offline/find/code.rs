//! Values that no visitor reads: classes, colours, addresses. "Change X from A to B".

use super::text::{Scope, describe};
use super::{Finder, Hit, ambiguous, candidate, not_found};
use crate::generate::offline::ask::lexicon::alike;
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::Span;
use crate::generate::offline::plan::Plan;
use crate::model::Refusal;

/// Replaces the one `from` that stands at what `target` means.
///
/// # Errors
/// When it stands nowhere, or in several places.
pub fn replace(
    finder: &Finder<'_>,
    target: &Phrase,
    scope: &Scope,
    from: &str,
    to: &str,
    texts: Vec<Hit>,
) -> Result<Plan, Refusal> {
    let to = to.trim().trim_end_matches('.');
    let mut all: Vec<(String, Span)> = Vec::new();
    let files: Vec<String> = if scope.paged {
        with_styles(finder, scope)
    } else {
        source_files(finder)
    };
    for path in files {
        let Some(text) = finder.site.text(&path) else {
            continue;
        };
        for (at, _) in text.match_indices(from) {
            let token = |c: Option<char>| {
                c.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '#' | ':' | '/')))
            };
            let before = text[..at].chars().next_back();
            let after = text[at + from.len()..].chars().next();
            if token(before) && token(after.filter(|c| *c != ':' && *c != '/')) {
                all.push((path.clone(), at..at + from.len()));
            }
        }
    }
    let what = describe(target);
    let make = |path: &str, span: &Span| {
        let mut plan = Plan::one(
            format!("Change {what} from {from} to {to}"),
            path,
            span.clone(),
            to.to_owned(),
        );
        plan.notes.push(format!("{path}: the one {from} there"));
        plan
    };
    // At the element itself, or around it.
    let named = finder
        .locate(&Phrase {
            places: Vec::new(),
            ..target.clone()
        })
        .ok();
    if let Some(hit) = &named {
        for seen in &hit.seen {
            let mut known: Option<(String, Span)> = None;
            for id in seen.view.up(seen.at).take(5) {
                let node = &seen.view.nodes[id];
                let span = node.doc.node(node.node).span.clone();
                let inside: Vec<&(String, Span)> = all
                    .iter()
                    .filter(|(path, at)| {
                        *path == node.doc.path && at.start >= span.start && at.end <= span.end
                    })
                    .collect();
                match inside.as_slice() {
                    [] => {}
                    [one] => {
                        known = Some((*one).clone());
                        break;
                    }
                    _ => break,
                }
            }
            if let Some((path, span)) = known {
                return Ok(make(&path, &span));
            }
        }
    }
    let all = finder.chosen(all, |(path, span)| {
        finder.site.doc(path).map_or_else(
            || crate::model::Candidate {
                file: path.clone(),
                line: 0,
                text: String::new(),
            },
            |doc| candidate(&doc, span.clone()),
        )
    });
    match all.as_slice() {
        [] if texts.len() > 1 => Err(ambiguous(&what, &texts)),
        [] => Err(not_found(format!("{from} stands nowhere at {what}"))),
        [(path, span)] => Ok(make(path, span)),
        _ => {
            // The words of the target say which: a property, a selector, a name in the same line or declaration.
            let near: Vec<&(String, Span)> = all
                .iter()
                .filter(|(path, span)| {
                    let Some(text) = finder.site.text(path) else {
                        return false;
                    };
                    let start = text[..span.start].rfind(['{', ';', '<', '}']).unwrap_or(0);
                    let end = text[span.end..]
                        .find([';', '}', '>'])
                        .map_or(text.len(), |found| span.end + found);
                    let around: Vec<String> =
                        super::super::ask::lexicon::words_of(&text[start..end]);
                    scope
                        .words
                        .iter()
                        .filter(|word| !super::names::idle(word))
                        .any(|word| around.iter().any(|near| alike(near, word)))
                })
                .collect();
            if let [(path, span)] = near.as_slice() {
                return Ok(make(path, span));
            }
            let candidates = all
                .iter()
                .filter_map(|(path, span)| {
                    finder
                        .site
                        .doc(path)
                        .map(|doc| candidate(&doc, span.clone()))
                })
                .take(12)
                .collect();
            Err(Refusal::new(
                crate::model::RefusalReason::Ambiguous,
                format!("{from} stands in {} places", all.len()),
            )
            .candidates(candidates))
        }
    }
}

/// The files of a site a person writes.
pub fn source_files(finder: &Finder<'_>) -> Vec<String> {
    let make = || written_files(finder);
    match finder.pointed {
        Some(_) => make(),
        None => finder.site.sources(make).to_vec(),
    }
}

fn written_files(finder: &Finder<'_>) -> Vec<String> {
    finder
        .site
        .files
        .iter()
        .filter(|path| super::super::parse::lang(path).is_some())
        .filter(|path| finder.content_file(path) || style_file(path))
        .filter(|path| super::super::site::detect::generated(finder.site, path).is_none())
        .filter(|path| {
            !path.ends_with(".css") || !finder.site.text(path).is_some_and(|text| compiled(&text))
        })
        .cloned()
        .collect()
}

/// Whether a style sheet says of itself that a tool wrote it: the banner of Tailwind's compiler, or the map to its sources.
fn compiled(text: &str) -> bool {
    let start = text.len().min(200);
    let end = text.len().saturating_sub(200);
    let part = |range: std::ops::Range<usize>| text.as_bytes().get(range).unwrap_or_default();
    let holds = |bytes: &[u8], mark: &str| {
        bytes
            .windows(mark.len())
            .any(|window| window == mark.as_bytes())
    };
    holds(part(0..start), "! tailwindcss v")
        || holds(part(end..text.len()), "/*# sourceMappingURL=")
}

/// Whether a file is a style sheet or configures one.
pub fn style_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    [".css", ".scss", ".less", ".pcss"]
        .iter()
        .any(|end| path.ends_with(end))
        || name.starts_with("tailwind.config.")
        || name == "theme.json"
}

fn with_styles(finder: &Finder<'_>, scope: &Scope) -> Vec<String> {
    let mut files = finder.page_files(scope);
    files.extend(
        finder
            .site
            .files
            .iter()
            .filter(|path| style_file(path))
            .cloned(),
    );
    files
}
