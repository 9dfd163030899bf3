//! Declarations that are not there yet, and rules known by their selector alone.

use super::*;

/// A declaration more for the one rule that is written for the elements meant.
pub(super) fn declare(
    finder: &Finder<'_>,
    target: &Phrase,
    scope: &Scope,
    words: &[String],
    property: &str,
    value: &str,
) -> Result<Option<Plan>, Refusal> {
    let mut rules: Vec<(Arc<Doc>, NodeId)> = Vec::new();
    let texts = Texts::default();
    for view in &scope.views {
        for id in elements(finder, view, target, scope, words, &texts)? {
            let own = |rule: &&Ruling| {
                let by_tag = matches!(words, [word] if tags(word) == [rule.subject.as_str()])
                    && rule.subject.starts_with('h')
                    && rule.subject.len() == 2;
                let by_name = rule.subject.is_empty()
                    && rule.names.iter().any(|name| {
                        let parts = crate::generate::offline::ask::lexicon::words_of(name);
                        parts.concat() == words.concat()
                            || matches!((parts.as_slice(), words), ([part], [word]) if equal(part, word))
                    });
                let applied = rule
                    .doc
                    .raw(rule.doc.node(rule.node).span.clone())
                    .contains("@apply");
                !rule.conditional && !applied && (by_tag || by_name)
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

/// One class more for the one element meant, where a site's looks are utility classes and none of them sets it.
pub(super) fn dress(
    finder: &Finder<'_>,
    target: &Phrase,
    scope: &Scope,
    words: &[String],
    property: &str,
    value: &str,
) -> Result<Option<Plan>, Refusal> {
    let token = match property {
        "color" => "text-current",
        "background-color" => "bg-current",
        _ => return Ok(None),
    };
    let Some(class) = notation::utility_value(token, value) else {
        return Ok(None);
    };
    if words.is_empty() || !crate::generate::offline::components::tailwind(finder.site) {
        return Ok(None);
    }
    let mut meant: Vec<(Arc<Doc>, NodeId)> = Vec::new();
    let texts = Texts::default();
    for view in &scope.views {
        for id in elements(finder, view, target, scope, words, &texts)? {
            let node = &view.nodes[id];
            let known =
                |(doc, at): &(Arc<Doc>, NodeId)| doc.path == node.doc.path && *at == node.node;
            if !meant.iter().any(known) {
                meant.push((node.doc.clone(), node.node));
            }
        }
    }
    let [(doc, element)] = meant.as_slice() else {
        return Ok(None);
    };
    let attr = doc
        .attr(*element, "class")
        .or_else(|| doc.attr(*element, "className"));
    let Some([classes]) = attr.map(|attr| doc.node(attr).children.as_slice()) else {
        return Ok(None);
    };
    let shown = doc.text(*classes);
    // A text that is cut out of a picture or a gradient has no colour of its own.
    let painted = [
        "text-transparent",
        "bg-clip-text",
        "bg-gradient",
        "bg-linear",
    ]
    .iter()
    .any(|mark| shown.contains(mark));
    if doc.node(*classes).kind != Kind::Text || shown.trim().is_empty() || painted {
        return Ok(None);
    }
    let inner = doc.node(*classes).inner.clone();
    let end = inner.start + doc.raw(inner.clone()).trim_end().len();
    let mut plan = Plan::one(
        format!("Make {} {value}", describe(target)),
        &doc.path,
        end..end,
        format!(" {class}"),
    );
    plan.notes.push(format!(
        "{}:{}: the class {class} is added",
        doc.path,
        doc.line(end)
    ));
    Ok(Some(plan))
}

/// Rules whose subject is what the words name.
pub(super) fn by_selector(
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
