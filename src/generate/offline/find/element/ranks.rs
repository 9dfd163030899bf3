//! How well the names of an element fit, and counting like elements.

use super::*;

/// How well the names of an element fit; 0 when they do not. The very words count more than words that mean the same,
/// a component more than an id, an id more than a class.
pub(super) fn name_rank(view: &View, id: ViewId, wanted: &[String], _all: &[String]) -> u8 {
    let node = &view.nodes[id];
    // "the voucher form" is a form that is called voucher.
    let tags: &[&str] = match wanted.last().map(String::as_str) {
        Some("form") => &["form"],
        Some("table") => &["table"],
        Some("list") => &["ul", "ol", "dl"],
        Some("image" | "picture" | "photo") => &["img", "picture", "figure"],
        Some("video") => &["video", "iframe"],
        Some("card" | "tile") => &["article", "li", "div"],
        _ => &[],
    };
    let wanted = if wanted.len() > 1 && tags.contains(&node.tag.as_str()) {
        &wanted[..wanted.len() - 1]
    } else {
        wanted
    };
    const FILL: &[&str] = &[
        "app", "site", "the", "my", "main", "page", "home", "wrapper", "widget", "us", "form",
        "card", "cards", "list",
    ];
    // 3 the very words and nothing else, 2 with words that say nothing, 1 with words that mean the same.
    let fits = |parts: &[String], loose: bool| -> u8 {
        if parts.is_empty() {
            return 0;
        }
        let joined = parts.concat() == wanted.concat();
        let very = joined
            || wanted
                .iter()
                .all(|word| parts.iter().any(|part| equal(part, word)));
        let same = very
            || wanted
                .iter()
                .all(|word| parts.iter().any(|part| alike(part, word)));
        let extra = parts
            .iter()
            .filter(|part| {
                !wanted.iter().any(|word| {
                    if very {
                        equal(part, word)
                    } else {
                        alike(part, word)
                    }
                })
            })
            .count();
        let idle = parts
            .iter()
            .filter(|part| PIECES.contains(&part.as_str()) || FILL.contains(&part.as_str()))
            .filter(|part| {
                !wanted.iter().any(|word| {
                    if very {
                        equal(part, word)
                    } else {
                        alike(part, word)
                    }
                })
            })
            .count();
        if joined || (very && extra == 0) {
            4
        } else if very && extra <= idle {
            3
        } else if very && loose && extra == 1 {
            2
        } else if same && extra <= idle {
            1
        } else {
            0
        }
    };
    let score = |fit: u8, kind: u8| if fit == 0 { 0 } else { fit * 4 + kind };
    let mut best = 0;
    if node.component {
        best = best.max(score(
            fits(
                &words_of(node.tag.rsplit('.').next().unwrap_or(&node.tag)),
                true,
            ),
            3,
        ));
    }
    if let Some(value) = view.attr(id, "id") {
        best = best.max(score(fits(&words_of(&value), false), 2));
    }
    let tag = node.tag.as_str();
    let landmark = matches!(
        tag,
        "footer" | "nav" | "header" | "aside" | "form" | "table" | "video" | "iframe" | "main"
    );
    if landmark && wanted.len() == 1 && alike(tag, &wanted[0]) {
        best = best.max(score(if equal(tag, &wanted[0]) { 4 } else { 1 }, 2));
    }
    for name in ["class", "className", "aria-label"] {
        for class in view.attr(id, name).unwrap_or_default().split_whitespace() {
            if !class.contains([':', '[', '/']) {
                best = best.max(score(fits(&words_of(class), false), 1));
            }
        }
    }
    best
}

/// "the fourth testimonial": of the groups of like elements that are named so, the nth of the largest.
pub(super) fn nth_named(view: &View, words: &[String], ordinal: i32) -> Option<ViewId> {
    let wanted: Vec<&String> = words
        .iter()
        .filter(|word| !PIECES.contains(&word.as_str()))
        .collect();
    if wanted.is_empty() {
        return None;
    }
    let named = |id: ViewId| {
        let mut own = Names::default();
        of_node(view, id, &mut own);
        wanted.iter().all(|word| {
            own.words.iter().any(|name| equal(name, word))
                || own.joined.iter().any(|name| equal(name, word))
        })
    };
    let mut groups: Vec<Vec<ViewId>> = Vec::new();
    for id in view.below(0) {
        let mut by_tag: Vec<(String, Vec<ViewId>)> = Vec::new();
        for child in &view.nodes[id].children {
            let node = &view.nodes[*child];
            if !node.text.is_empty()
                || matches!(
                    node.tag.as_str(),
                    "script" | "style" | "br" | "p" | "a" | "span" | "svg"
                )
            {
                continue;
            }
            match by_tag.iter_mut().find(|(tag, _)| *tag == node.tag) {
                Some((_, group)) => group.push(*child),
                None => by_tag.push((node.tag.clone(), vec![*child])),
            }
        }
        for (_, group) in by_tag {
            let own = group.iter().all(|child| named(*child));
            let around = view.up(id).take(3).any(named);
            if group.len() > 1 && (own || around) {
                groups.push(group);
            }
        }
    }
    let most = groups.iter().map(Vec::len).max()?;
    let mut largest = groups.into_iter().filter(|group| group.len() == most);
    let group = largest.next()?;
    if largest.next().is_some() {
        return None;
    }
    let at = if ordinal > 0 {
        usize::try_from(ordinal - 1).ok()?
    } else {
        group.len() - 1
    };
    group.get(at).copied()
}
