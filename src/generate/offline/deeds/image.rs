//! Changing which file an image shows.

use crate::generate::offline::ask::Said;
use crate::generate::offline::ask::lexicon::{Role, equal, words_of};
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::Kind;
use crate::generate::offline::find::text::{Scope, describe};
use crate::generate::offline::find::{Finder, Hit, Seen, ambiguous, names, not_found, unique};
use crate::generate::offline::plan::Plan;
use crate::generate::offline::text::folded;
use crate::generate::offline::view::Piece;
use crate::model::Refusal;

/// Whether a value names an image file.
pub fn is_image(value: &str) -> bool {
    let lower = value.trim().trim_end_matches('.').to_lowercase();
    let path = lower.split(['?', '#']).next().unwrap_or(&lower);
    !path.contains(char::is_whitespace)
        && [
            ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".ico",
        ]
        .iter()
        .any(|end| path.ends_with(end))
}

/// Changes the source of the image `target` means.
///
/// # Errors
/// A refusal.
pub fn plan(
    finder: &Finder<'_>,
    target: &Phrase,
    role: Role,
    value: &Said,
) -> Result<Plan, Refusal> {
    let scope = finder.scope(target)?;
    let found = finder.chosen(sources(finder, target, role, &scope), Hit::candidate);
    match found.as_slice() {
        [] => Err(not_found(format!("there is no {}", describe(target)))),
        [hit] => super::set::write(
            hit,
            value.text.trim().trim_end_matches('.'),
            &describe(target),
        ),
        _ => Err(ambiguous(&describe(target), &found)),
    }
}

fn sources(finder: &Finder<'_>, target: &Phrase, role: Role, scope: &Scope) -> Vec<Hit> {
    let nouns = [
        "image", "picture", "photo", "logo", "favicon", "icon", "source", "src", "file",
    ];
    let words: Vec<String> = scope
        .words
        .iter()
        .filter(|word| !names::idle(word) && !nouns.iter().any(|noun| equal(noun, word)))
        .cloned()
        .collect();
    let mut found: Vec<Hit> = Vec::new();
    for view in &scope.views {
        for id in view.below(0) {
            let node = &view.nodes[id];
            let favicon = node.tag == "link"
                && view.attr(id, "rel").is_some_and(|rel| {
                    rel.to_lowercase().contains("icon") && !rel.to_lowercase().contains("apple")
                });
            let image = matches!(
                node.tag.as_str(),
                "img" | "Image" | "NuxtImg" | "nuxt-img" | "StaticImage" | "image"
            );
            let wanted = match role {
                Role::Favicon => favicon,
                _ => image,
            };
            if !wanted {
                continue;
            }
            let name = if favicon { "href" } else { "src" };
            let Some((_, pieces)) = node.attrs.iter().find(|(known, _)| known == name) else {
                continue;
            };
            let [Piece::Lit(doc, lit)] = pieces.as_slice() else {
                continue;
            };
            let seen = Seen {
                view: view.clone(),
                at: id,
                attr: Some(name.to_owned()),
            };
            let hit = Hit::whole(doc, *lit, vec![seen.clone()]);
            let placed = scope
                .places
                .iter()
                .all(|place| names::in_place(finder, place, &hit, Some(&seen)).is_some());
            let own = format!(
                "{} {}",
                view.attr(id, "alt").unwrap_or_default(),
                doc.text(*lit)
            );
            let own_words: Vec<String> = words_of(&own);
            let says = |word: &String| own_words.iter().any(|part| equal(part, word));
            let logo = role != Role::Logo
                || own_words
                    .iter()
                    .any(|part| matches!(part.as_str(), "logo" | "brand"))
                || {
                    let mut around = names::Names::default();
                    for up in view.up(id).take(3) {
                        names::of_node(view, up, &mut around);
                    }
                    around
                        .words
                        .iter()
                        .any(|part| matches!(part.as_str(), "logo" | "brand"))
                };
            let named = words.is_empty()
                || words.iter().all(says)
                || names::explain(finder, &words, &hit, Some(&seen)).is_some();
            let quoted = target
                .quoted
                .iter()
                .all(|text| folded(&own).contains(&folded(text)));
            if placed && logo && named && quoted {
                found.push(hit);
            }
        }
    }
    unique(&mut found);
    if let Some(ordinal) = target.ordinal
        && let Ok(at) = usize::try_from(ordinal - 1)
    {
        found = found.into_iter().skip(at).take(1).collect();
    }
    if found.is_empty() {
        // A key of data: `hero.image`, `logo`, `avatarUrl`.
        for path in finder
            .site
            .files
            .iter()
            .filter(|path| finder.content_file(path))
        {
            let Some(doc) = finder.site.doc(path) else {
                continue;
            };
            for node in 0..doc.nodes.len() {
                let pair = doc.node(doc.node(node).parent);
                if doc.node(node).kind != Kind::Scalar
                    || pair.kind != Kind::Pair
                    || !is_image(&doc.text(node))
                {
                    continue;
                }
                let hit = Hit::whole(&doc, node, Vec::new());
                let key = words_of(&pair.name);
                let fits = match role {
                    Role::Logo => key.iter().any(|word| word == "logo"),
                    Role::Favicon => key.iter().any(|word| word == "favicon"),
                    _ => true,
                };
                let named = names::explain(finder, &words, &hit, None).is_some();
                let placed = scope
                    .places
                    .iter()
                    .all(|place| names::in_place(finder, place, &hit, None).is_some());
                if fits && named && placed {
                    found.push(hit);
                }
            }
        }
        unique(&mut found);
    }
    found
}
