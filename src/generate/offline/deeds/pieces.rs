//! A text that stands in several pieces: the one piece in which the old and the new wording differ.

use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::find::names::contains_words;
use crate::generate::offline::find::text::Scope;
use crate::generate::offline::find::{Finder, Hit, Seen, unique};
use crate::generate::offline::text::folded;
use crate::generate::offline::view::Piece;

/// Finds where `old` is shown by several literals of which `new` changes exactly one: that literal and its new text.
pub fn changed(
    finder: &Finder<'_>,
    phrase: &Phrase,
    scope: &Scope,
    old: &str,
    new: &str,
) -> Option<(Hit, String)> {
    let wanted = folded(old);
    let mut found: Vec<(Hit, String)> = Vec::new();
    for view in &scope.views {
        for id in view.below(0) {
            let node = &view.nodes[id];
            if !node.text.is_empty() || node.children.len() < 2 {
                continue;
            }
            let texts = view.texts(id);
            if texts.len() < 2
                || texts.len() > 12
                || !contains_words(&folded(&view.shown(id)), &wanted)
            {
                continue;
            }
            // The innermost element that shows it.
            let inner = node
                .children
                .iter()
                .any(|child| contains_words(&folded(&view.shown(*child)), &wanted));
            if inner {
                continue;
            }
            let mut pieces: Vec<(Hit, String)> = Vec::new();
            for text in texts {
                for piece in &view.nodes[text].text {
                    let Piece::Lit(doc, lit) = piece else {
                        continue;
                    };
                    let seen = Seen {
                        view: view.clone(),
                        at: text,
                        attr: None,
                    };
                    let placed = scope.places.iter().all(|place| {
                        let hit = Hit::whole(doc, *lit, vec![seen.clone()]);
                        crate::generate::offline::find::names::in_place(
                            finder,
                            place,
                            &hit,
                            Some(&seen),
                        )
                        .is_some()
                    });
                    if placed {
                        pieces.push((Hit::whole(doc, *lit, vec![seen]), doc.text(*lit)));
                    }
                }
            }
            found.extend(differing(&pieces, old, new));
        }
    }
    let mut hits: Vec<Hit> = found.iter().map(|(hit, _)| hit.clone()).collect();
    unique(&mut hits);
    let _ = phrase;
    (hits.len() == 1).then(|| found.remove(0))
}

/// Of pieces whose texts together hold `old`, the only one that differs in `new`, with its new text.
fn differing(pieces: &[(Hit, String)], old: &str, new: &str) -> Option<(Hit, String)> {
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (old, new) = (squeeze(old), squeeze(new));
    for (at, (hit, text)) in pieces.iter().enumerate() {
        // Where the wording says the piece stands: its own text, with the rest before and after it.
        for (start, _) in old.match_indices(text.as_str()) {
            let (before, after) = (
                old[..start].trim_end(),
                old[start + text.len()..].trim_start(),
            );
            let joined = |parts: &[(Hit, String)]| {
                squeeze(
                    &parts
                        .iter()
                        .map(|(_, text)| text.as_str())
                        .collect::<Vec<_>>()
                        .join(" "),
                )
            };
            let front = joined(&pieces[..at]);
            let back = joined(&pieces[at + 1..]);
            let fits = folded(&front).ends_with(&folded(before))
                && folded(&back).starts_with(&folded(after));
            if !fits || (before.is_empty() && after.is_empty()) {
                continue;
            }
            let Some(middle) = new
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
            else {
                continue;
            };
            let middle = middle.trim();
            if !middle.is_empty() && middle != text {
                return Some((hit.clone(), middle.to_owned()));
            }
        }
    }
    None
}
