//! A copy of an entry beside another, and how such entries are separated.

use super::*;

/// Copies an entry with a new text and address, beside another.
pub(super) fn clone(
    finder: &Finder<'_>,
    doc: &Arc<Doc>,
    model: NodeId,
    anchor: NodeId,
    side: Side,
    text: &Said,
    link: Option<&str>,
) -> Result<Plan, Refusal> {
    let node = doc.node(model);
    let span = trimmed(doc, model);
    let mut edits: Vec<Edit> = Vec::new();
    let parts = entry_parts(doc, model);
    let Some(label) = parts.text else {
        return Err(Refusal::new(
            RefusalReason::Mixed,
            "the entries there are put together from several pieces",
        )
        .candidates(vec![candidate(doc, span)]));
    };
    let old = doc.text(label);
    let label_node = doc.node(label);
    let mut say = |at: NodeId, value: &str| -> Result<(), Refusal> {
        let this = doc.node(at);
        let Some((text, quotes)) = encode(this.host, value, doc.raw(this.inner.clone())) else {
            return Err(Refusal::new(
                RefusalReason::Unclear,
                format!("{value:?} cannot be written there"),
            ));
        };
        let span = if quotes {
            this.span.clone()
        } else {
            this.inner.clone()
        };
        edits.push(Edit {
            path: doc.path.clone(),
            span,
            text,
        });
        Ok(())
    };
    let _ = label_node;
    let mut wanted = text.text.trim().to_owned();
    if !text.quoted && old.starts_with(char::is_uppercase) {
        let first = wanted
            .chars()
            .next()
            .map(|c| c.to_uppercase().to_string())
            .unwrap_or_default();
        let skip = wanted.chars().next().map_or(0, char::len_utf8);
        wanted = format!("{first}{}", &wanted[skip..]);
    }
    say(label, &wanted)?;
    if let Some(address) = parts.address {
        let value = match link {
            Some(link) => link.to_owned(),
            None => {
                let words: Vec<String> = crate::generate::offline::ask::phrase::words(&wanted);
                match finder.pages_named(&words) {
                    Pages::Some(pages) if pages.len() == 1 => {
                        finder.site.pages()[pages[0]].route.clone()
                    }
                    _ => {
                        return Err(Refusal::new(
                            RefusalReason::ValueMissing,
                            format!("where should {wanted} lead?"),
                        )
                        .hint("say \"linking to\" and the address"));
                    }
                }
            }
        };
        say(address, &value)?;
    } else if link.is_some() {
        return Err(Refusal::new(
            RefusalReason::Mixed,
            "the entries there have no address of their own",
        )
        .candidates(vec![candidate(doc, span)]));
    }
    for twin in parts.twins {
        say(twin, &wanted)?;
    }
    for key in ["identifier", "slug", "id"] {
        if let Some(value) = doc
            .get(model, key)
            .filter(|value| doc.node(*value).kind == Kind::Scalar)
            && doc.node(value).host != crate::generate::offline::text::Host::Bare
            && parts.address != Some(value)
        {
            let slug: String = wanted
                .to_lowercase()
                .chars()
                .map(|c| if c.is_alphanumeric() { c } else { '-' })
                .collect();
            say(value, slug.trim_matches('-'))?;
        }
    }
    if let Some((rank, value)) = next_rank(doc, anchor, side) {
        let same = same_key(doc, model, &rank);
        if let Some(same) = same {
            say(same, &value.to_string())?;
        }
    }
    // The copy, spliced.
    edits.sort_by_key(|edit| edit.span.start);
    let mut copy = String::new();
    let mut at = span.start;
    for edit in &edits {
        if edit.span.start < at || edit.span.end > span.end {
            continue;
        }
        copy.push_str(&doc.src[at..edit.span.start]);
        copy.push_str(&edit.text);
        at = edit.span.end;
    }
    copy.push_str(&doc.src[at..span.end]);
    if doc.lang == Lang::Markdown && side == Side::After {
        copy = counted_on(&copy, doc.raw(doc.node(anchor).span.clone()));
    }
    let edit = beside(doc, anchor, side, &copy, node.kind == Kind::Object);
    let mut plan = Plan {
        title: format!("Add \u{201c}{wanted}\u{201d}"),
        ..Plan::default()
    };
    plan.notes.push(format!(
        "{}:{}: made after its neighbour \u{201c}{old}\u{201d}",
        doc.path,
        doc.line(edit.span.start)
    ));
    plan.edits.push(edit);
    Ok(plan)
}

/// A numbered item of Markdown with the number after its neighbour's.
pub(super) fn counted_on(copy: &str, before: &str) -> String {
    let number = |text: &str| -> Option<(usize, usize)> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let marked = text[digits..].starts_with(['.', ')']);
        marked.then(|| Some((text[..digits].parse().ok()?, digits)))?
    };
    match (number(copy), number(before)) {
        (Some((_, digits)), Some((last, _))) => format!("{}{}", last + 1, &copy[digits..]),
        _ => copy.to_owned(),
    }
}

/// An item's bytes without the blank lines after it.
pub(super) fn trimmed(doc: &Doc, node: NodeId) -> Span {
    let span = doc.node(node).span.clone();
    let raw = doc.raw(span.clone());
    span.start..span.start + raw.trim_end().len()
}

/// The splice that puts `copy` beside an item, separated as its neighbours are.
pub(super) fn beside(doc: &Doc, anchor: NodeId, side: Side, copy: &str, record: bool) -> Edit {
    let span = trimmed(doc, anchor);
    let siblings: Vec<NodeId> = doc
        .node(doc.node(anchor).parent)
        .children
        .iter()
        .copied()
        .filter(|id| {
            doc.node(*id).kind == doc.node(anchor).kind && !matches!(doc.node(*id).kind, Kind::Attr)
        })
        .collect();
    let eol = line_end(&doc.src);
    let code = record
        && matches!(
            doc.lang,
            Lang::Script
                | Lang::Json
                | Lang::Vue
                | Lang::Svelte
                | Lang::Astro
                | Lang::Html
                | Lang::Markdown
        )
        && (doc.raw(span.clone()).starts_with('{')
            || (doc.node(anchor).kind == Kind::Scalar
                && doc
                    .raw(doc.node(doc.node(anchor).parent).span.clone())
                    .starts_with('[')));
    let dash = record && !code && matches!(doc.lang, Lang::Yaml | Lang::Markdown | Lang::Html) && {
        let start = doc.src[..span.start].rfind('\n').map_or(0, |at| at + 1);
        doc.src[start..span.start].trim_start().starts_with('-')
    };
    let own_line = doc.src[..span.start]
        .rfind('\n')
        .map_or("", |at| &doc.src[at + 1..span.start])
        .trim()
        .trim_start_matches('-')
        .trim()
        .is_empty();
    let lead = if dash {
        let start = doc.src[..span.start].rfind('\n').map_or(0, |at| at + 1);
        doc.src[start..span.start].to_owned()
    } else {
        indent(&doc.src, span.start).to_owned()
    };
    let at = siblings.iter().position(|id| *id == anchor);
    let before = at
        .filter(|at| *at > 0)
        .map(|at| trimmed(doc, siblings[at - 1]).end..span.start);
    let after = at
        .and_then(|at| siblings.get(at + 1))
        .map(|next| span.end..doc.node(*next).span.start);
    let gap = before
        .or(after)
        .map(|gap| doc.raw(gap).trim_start_matches(',').to_owned());
    let separator = match gap {
        Some(gap) if gap.trim().is_empty() && !gap.is_empty() && !dash => gap,
        _ if own_line => format!("{eol}{lead}"),
        _ => " ".to_owned(),
    };
    let path = doc.path.clone();
    match side {
        Side::Before => {
            let comma = if code { "," } else { "" };
            let start = if dash {
                span.start - lead.len()
            } else {
                span.start
            };
            let text = if dash {
                format!("{lead}{copy}{eol}")
            } else {
                format!("{copy}{comma}{separator}")
            };
            Edit {
                path,
                span: start..start,
                text,
            }
        }
        _ => {
            if !code {
                return Edit {
                    path,
                    span: span.end..span.end,
                    text: format!("{separator}{copy}"),
                };
            }
            let rest = &doc.src[span.end..];
            let skip = rest.len() - rest.trim_start().len();
            if rest[skip..].starts_with(',') {
                let end = span.end + skip + 1;
                let last = at == Some(siblings.len().saturating_sub(1));
                let comma = if last || at.is_some() { "," } else { "" };
                Edit {
                    path,
                    span: end..end,
                    text: format!("{separator}{copy}{comma}"),
                }
            } else {
                Edit {
                    path,
                    span: span.end..span.end,
                    text: format!(",{separator}{copy}"),
                }
            }
        }
    }
}

pub(super) struct Parts {
    pub(super) text: Option<NodeId>,
    pub(super) address: Option<NodeId>,
    pub(super) twins: Vec<NodeId>,
}

/// The text and the address of an entry.
pub(super) fn entry_parts(doc: &Doc, item: NodeId) -> Parts {
    let below = doc.descendants(item);
    let scalar = |key: &&str| {
        doc.get(item, key)
            .filter(|value| doc.node(*value).kind == Kind::Scalar)
    };
    if doc.node(item).kind == Kind::Object {
        let text = TEXTS.iter().find_map(&scalar);
        let address = super::super::link::TARGETS
            .iter()
            .chain(&["route", "pageRef", "URL", "HREF"])
            .find_map(scalar);
        return Parts {
            text,
            address,
            twins: Vec::new(),
        };
    }
    let texts: Vec<NodeId> = below
        .iter()
        .copied()
        .filter(|id| {
            doc.node(*id).kind == Kind::Text
                && !doc
                    .ancestors(*id)
                    .take_while(|up| *up != item)
                    .any(|up| doc.node(up).kind == Kind::Attr)
                && doc.node(doc.node(*id).parent).kind != Kind::Attr
        })
        .collect();
    let computed = below.iter().any(|id| {
        doc.node(*id).kind == Kind::Expr && doc.node(doc.node(*id).parent).kind != Kind::Attr
    });
    let [text] = texts.as_slice() else {
        return Parts {
            text: None,
            address: None,
            twins: Vec::new(),
        };
    };
    if computed {
        return Parts {
            text: None,
            address: None,
            twins: Vec::new(),
        };
    }
    let shown = doc.text(*text);
    let (mut address, mut twins) = (None, Vec::new());
    for id in below.iter().copied().chain([item]) {
        let node = doc.node(id);
        if node.kind != Kind::Attr {
            continue;
        }
        let Some(value) = node
            .children
            .first()
            .filter(|value| doc.node(**value).kind == Kind::Text)
        else {
            continue;
        };
        if matches!(node.name.as_str(), "href" | "to" | "src") && address.is_none() {
            address = Some(*value);
        } else if matches!(node.name.as_str(), "aria-label" | "title" | "alt")
            && doc.text(*value) == shown
        {
            twins.push(*value);
        }
    }
    Parts {
        text: Some(*text),
        address,
        twins,
    }
}

/// The rank of a new last entry: one more than the last.
pub(super) fn next_rank(doc: &Doc, anchor: NodeId, side: Side) -> Option<(String, i64)> {
    if side != Side::After || doc.node(anchor).kind != Kind::Object {
        return None;
    }
    let siblings: Vec<NodeId> = doc.node(doc.node(anchor).parent).children.clone();
    if siblings.last() != Some(&anchor) {
        return None;
    }
    RANKS.iter().find_map(|key| {
        let rank = |item: NodeId| -> Option<i64> { doc.text(doc.get(item, key)?).parse().ok() };
        let last = rank(anchor)?;
        let step = siblings
            .len()
            .checked_sub(2)
            .and_then(|at| rank(siblings[at]))
            .map_or(1, |before| last - before);
        Some(((*key).to_owned(), last + step.max(1)))
    })
}

pub(super) fn same_key(doc: &Doc, item: NodeId, key: &str) -> Option<NodeId> {
    doc.get(item, key)
}
