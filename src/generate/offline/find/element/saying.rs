//! Elements by the words they show, and sections by their heading.

use super::*;

/// The sections that have just these words as their heading: "our team section".
pub(super) fn headed(finder: &Finder<'_>, words: &[String], scope: &Scope) -> Found {
    let mut found: Found = Vec::new();
    let Some((last, name)) = words.split_last() else {
        return found;
    };
    if last != "section" || name.is_empty() {
        return found;
    }
    for view in &scope.views {
        let says = |id: ViewId| {
            let heading = view
                .below(id)
                .into_iter()
                .find(|at| role::is_heading(view, *at));
            let shown = heading.map(|heading| folded(&view.shown(heading)));
            let shown: Vec<&str> = shown
                .as_deref()
                .unwrap_or_default()
                .split(|c: char| !c.is_alphanumeric() && c != '\'')
                .filter(|word| !word.is_empty() && !STOP.contains(word))
                .collect();
            shown.len() == name.len() && shown.iter().zip(name).all(|(a, b)| equal(a, b))
        };
        let fitting: Vec<ViewId> = view
            .below(0)
            .into_iter()
            .filter(|id| {
                view.nodes[*id].tag == "section"
                    && says(*id)
                    && names::placed(finder, &scope.places, view, *id)
            })
            .collect();
        for id in &fitting {
            let node = &view.nodes[*id];
            let inner = fitting
                .iter()
                .any(|other| other != id && view.up(*other).any(|up| up == *id));
            let once = || places_of(view, &node.doc, node.node).count() == 1;
            if !inner && once() {
                push(&mut found, &node.doc, node.node);
            }
        }
    }
    found
}

/// Elements by the words they show.
pub(super) fn by_saying(finder: &Finder<'_>, words: &[String], scope: &Scope, found: &mut Found) {
    let kinds: &[(&[&str], &[&str])] = &[
        (
            &["step", "item", "bullet", "point", "entry", "line"],
            &["li"],
        ),
        (
            &["paragraph", "text", "sentence", "note"],
            &["p", "blockquote"],
        ),
        (
            &["card", "tile", "box", "plan", "post"],
            &["article", "div", "li", "section"],
        ),
        (
            &["section", "part", "block", "area"],
            &["section", "article", "div"],
        ),
        (&["row"], &["tr", "div"]),
        (
            &["heading", "headline"],
            &["h1", "h2", "h3", "h4", "h5", "h6"],
        ),
        (&["image", "picture", "photo"], &["img"]),
    ];
    let kind = kinds.iter().find(|(nouns, _)| {
        words
            .iter()
            .any(|word| nouns.iter().any(|noun| equal(noun, word)))
    });
    let Some((nouns, tags)) = kind else { return };
    let rest: Vec<&String> = words
        .iter()
        .filter(|word| {
            !nouns.iter().any(|noun| equal(noun, word))
                && !matches!(word.as_str(), "about" | "regarding" | "mentioning" | "list")
        })
        .collect();
    if rest.is_empty() {
        return;
    }
    let section = tags.contains(&"section");
    for view in &scope.views {
        let mut fitting: Vec<ViewId> = Vec::new();
        for id in view.below(0) {
            let node = &view.nodes[id];
            if !tags.contains(&node.tag.as_str()) {
                continue;
            }
            let shown = if section {
                // A section is known by its heading.
                let heading = view
                    .below(id)
                    .into_iter()
                    .find(|at| role::is_heading(view, *at));
                match heading {
                    Some(heading) => folded(&view.shown(heading)),
                    None => continue,
                }
            } else {
                folded(&view.shown(id))
            };
            if !rest.iter().all(|word| names::contains_words(&shown, word)) {
                continue;
            }
            if names::placed(finder, &scope.places, view, id) {
                fitting.push(id);
            }
        }
        // The innermost that says it.
        let innermost: Vec<ViewId> = fitting
            .iter()
            .copied()
            .filter(|id| {
                !fitting
                    .iter()
                    .any(|other| other != id && view.up(*other).any(|up| up == *id))
            })
            .collect();
        for id in innermost {
            let node = &view.nodes[id];
            let times = |doc: &Doc, at: NodeId| places_of(view, doc, at).count();
            if times(&node.doc, node.node) < 2 {
                push(found, &node.doc, node.node);
                continue;
            }
            // One element that stands for several: the component's use, or the record it is made from.
            let user = super::super::lift::user_of(view, id)
                .map(|user| &view.nodes[user])
                .filter(|user| times(&user.doc, user.node) < 2);
            match (user, record_of(view, id)) {
                (Some(user), _) => push(found, &user.doc, user.node),
                (None, Some((doc, record))) => push(found, &doc, record),
                (None, None) => push(found, &node.doc, node.node),
            }
        }
    }
}
