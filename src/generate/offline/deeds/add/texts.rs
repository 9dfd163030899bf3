//! Adding to a list of plain texts in data.

use super::*;

/// Adds a text to a list of plain texts in data: `features: ["One person", "Unlimited"]`.
pub(super) fn plain_text(
    finder: &Finder<'_>,
    what: &Phrase,
    text: Option<&Said>,
    place: &Spot,
) -> Result<Option<Plan>, Refusal> {
    let Some(text) =
        text.filter(|_| matches!(place.side, Side::Anywhere | Side::End | Side::Start))
    else {
        return Ok(None);
    };
    let mut places = what.places.clone();
    if let Some(of) = &place.of {
        places.extend(of.places.iter().cloned());
        places.insert(
            0,
            Place {
                words: of.words.clone(),
                quoted: of.quoted.clone(),
                ordinal: of.ordinal,
                ..Place::default()
            },
        );
    }
    if places.is_empty() {
        return Ok(None);
    }
    let target = Phrase {
        places,
        ..Phrase::default()
    };
    let scope = finder.scope(&target)?;
    let mut lists: Vec<(usize, Arc<Doc>, NodeId)> = Vec::new();
    for path in finder.page_files(&scope) {
        let Some(doc) = finder.site.doc(&path) else {
            continue;
        };
        for list in 0..doc.nodes.len() {
            if !record::plain_list(&doc, list) {
                continue;
            }
            let last = doc.node(list).children[doc.node(list).children.len() - 1];
            let shown = finder.seen(&doc, last, &scope.views);
            if !shown
                .iter()
                .any(|seen| seen.view.page.is_some() && seen.attr.is_none())
            {
                continue;
            }
            let hit = Hit::whole(&doc, last, shown.clone());
            let mut far = 0;
            let placed = scope.places.iter().all(|place| {
                let bound = doc.bindings.iter().any(|(name, ex)| {
                    ex.span.start <= doc.node(list).span.start
                        && doc.node(list).span.end <= ex.span.end
                        && place.words.iter().all(|word| equal(name, word))
                });
                if bound {
                    return true;
                }
                let nearest = shown
                    .iter()
                    .filter_map(|seen| names::in_place(finder, place, &hit, Some(seen)))
                    .min();
                far += nearest.unwrap_or_default();
                nearest.is_some()
            });
            let known = lists
                .iter()
                .any(|(_, known, at)| known.path == doc.path && *at == list);
            if placed && !known {
                lists.push((far, doc.clone(), list));
            }
        }
    }
    let nearest = lists.iter().map(|(far, ..)| *far).min();
    lists.retain(|(far, ..)| Some(*far) == nearest);
    let [(_, doc, list)] = lists.as_slice() else {
        return Ok(None);
    };
    let items = &doc.node(*list).children;
    let (anchor, side) = match place.side {
        Side::Start => (items[0], Side::Before),
        _ => (items[items.len() - 1], Side::After),
    };
    let model = doc.node(anchor);
    let raw = doc.raw(model.inner.clone());
    let Some((written, quotes)) = encode(model.host, text.text.trim(), raw) else {
        return Ok(None);
    };
    let copy = if quotes {
        written
    } else {
        let (open, close) = (
            doc.raw(model.span.start..model.inner.start),
            doc.raw(model.inner.end..model.span.end),
        );
        format!("{open}{written}{close}")
    };
    let edit = beside(doc, anchor, side, &copy, true);
    let mut plan = Plan {
        title: format!("Add \u{201c}{}\u{201d}", text.text.trim()),
        ..Plan::default()
    };
    plan.notes.push(format!(
        "{}:{}: beside \u{201c}{}\u{201d} in its list",
        doc.path,
        doc.line(edit.span.start),
        doc.text(anchor)
    ));
    plan.edits.push(edit);
    Ok(Some(plan))
}
