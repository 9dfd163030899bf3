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
    for view in &scope.views {
        for id in elements(finder, view, target, scope, words)? {
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
