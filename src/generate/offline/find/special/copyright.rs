//! The copyright notice, and the year in it.

use std::ops::Range;

use super::*;

/// What was found of a notice.
#[derive(Default)]
struct Found {
    hits: Vec<Hit>,
    /// Code that computes the year.
    computed: Vec<Candidate>,
}

impl Finder<'_> {
    /// The copyright notice, or its year.
    pub(super) fn copyright(&self, year: bool, scope: &Scope) -> Result<Vec<Hit>, Refusal> {
        let notices = notices(scope);
        let mut found = Found::default();
        for (view, around) in &notices {
            found.shown(view, *around, year);
        }
        super::super::unique(&mut found.hits);
        if year && !found.computed.is_empty() {
            return Err(computed(found.computed)
                .hint("replace the computation in the code when it should be a fixed year"));
        }
        if !year && let Some((view, around)) = notices.iter().find(|(view, at)| pieced(view, *at)) {
            return Err(mixed("the copyright notice", view, *around));
        }
        if found.hits.is_empty() {
            self.unseen_notices(year, &mut found);
            if !found.computed.is_empty() {
                return Err(computed(found.computed));
            }
        }
        super::super::unique(&mut found.hits);
        if found.hits.is_empty() {
            return Err(no_notice(scope));
        }
        Ok(found.hits)
    }

    /// Data and code that hold the notice, though no page shows it in a way that can be followed.
    fn unseen_notices(&self, year: bool, found: &mut Found) {
        let files: Vec<String> = self
            .site
            .files
            .iter()
            .filter(|path| self.content_file(path))
            .cloned()
            .collect();
        for path in files {
            let Some(doc) = self.site.doc(&path) else {
                continue;
            };
            for node in 0..doc.nodes.len() {
                let this = doc.node(node);
                if !matches!(this.kind, Kind::Scalar | Kind::Text)
                    || !super::super::readable(&doc, node)
                {
                    continue;
                }
                let footer = path.to_lowercase().contains("footer")
                    || doc.ancestors(node).any(|up| {
                        doc.node(up).name.to_lowercase().contains("footer")
                            || doc.node(up).name.to_lowercase().contains("copyright")
                    });
                if footer && is_notice(&doc.text(node)) {
                    found.unseen(&doc, node, year);
                }
            }
        }
    }
}

impl Found {
    /// Takes the notice in the element `around` of a page.
    fn shown(&mut self, view: &Arc<View>, around: ViewId, year: bool) {
        for text in view.texts(around) {
            for piece in &view.nodes[text].text {
                match piece {
                    Piece::Gap(doc, span) if year && computes_date(&followed(doc, span)) => {
                        note(&mut self.computed, candidate(doc, definition(doc, span)));
                    }
                    Piece::Lit(doc, node) => {
                        let seen = Seen {
                            view: view.clone(),
                            at: text,
                            attr: None,
                        };
                        if year {
                            self.year(doc, *node, vec![seen]);
                        } else if is_notice(&doc.text(*node)) {
                            self.hits.push(Hit::whole(doc, *node, vec![seen]));
                        }
                    }
                    Piece::Gap(..) => {}
                }
            }
        }
    }

    /// Takes the notice in the literal `node`, which no page is known to show.
    fn unseen(&mut self, doc: &Arc<Doc>, node: NodeId, year: bool) {
        let around = doc.node(doc.node(node).parent);
        // `<time>{YEAR}</time> © Me`: the year may be deeper in what stands beside.
        let beside = around.children.iter().any(|id| {
            std::iter::once(*id).chain(doc.descendants(*id)).any(|id| {
                doc.node(id).kind == Kind::Expr
                    && computes_date(&followed(doc, &doc.node(id).inner))
            })
        });
        if year && (beside || computes_date(doc.raw(around.span.clone()))) {
            note(&mut self.computed, candidate(doc, around.span.clone()));
        } else if year {
            self.year(doc, node, Vec::new());
        } else {
            self.hits.push(Hit::whole(doc, node, Vec::new()));
        }
    }

    fn year(&mut self, doc: &Arc<Doc>, node: NodeId, seen: Vec<Seen>) {
        if let Some(span) = year_in(doc, node) {
            self.hits.push(Hit {
                doc: doc.clone(),
                node,
                span,
                whole: false,
                part: false,
                seen,
            });
        }
    }
}

/// The elements with a notice as a text of theirs.
fn notices(scope: &Scope) -> Vec<(Arc<View>, ViewId)> {
    let mut out = Vec::new();
    for view in &scope.views {
        for id in view.below(0) {
            let node = &view.nodes[id];
            if node.text.is_empty() || view.up(id).any(|up| view.nodes[up].tag == "head") {
                continue;
            }
            let notice = node.text.iter().any(|piece| match piece {
                Piece::Lit(doc, node) => is_notice(&doc.text(*node)),
                Piece::Gap(..) => false,
            });
            if notice {
                out.push((view.clone(), node.parent));
            }
        }
    }
    out
}

/// Whether the text of an element is put together from several pieces.
fn pieced(view: &View, at: ViewId) -> bool {
    let texts = view.texts(at);
    let gap = |piece: &Piece| matches!(piece, Piece::Gap(..));
    texts.len() > 1
        || texts
            .iter()
            .any(|text| view.nodes[*text].text.iter().any(gap))
}

/// The refusal for a year that changes by itself.
fn computed(candidates: Vec<Candidate>) -> Refusal {
    Refusal::new(
        RefusalReason::Computed,
        "the year is computed when the page is made, so it changes by itself",
    )
    .candidates(candidates)
}

/// The refusal where there is no notice: for a footer that computes a year without a sign before it, or for none.
fn no_notice(scope: &Scope) -> Refusal {
    let mut footers: Vec<Candidate> = Vec::new();
    for view in &scope.views {
        for id in super::super::element::named(view, &["footer".to_owned()]) {
            for text in view.texts(id) {
                for piece in &view.nodes[text].text {
                    if let Piece::Gap(doc, span) = piece
                        && computes_date(&followed(doc, span))
                    {
                        return computed(vec![candidate(doc, definition(doc, span))]);
                    }
                }
            }
            let node = &view.nodes[id];
            note(
                &mut footers,
                candidate(&node.doc, node.doc.node(node.node).span.clone()),
            );
        }
    }
    let message = if footers.is_empty() {
        "the site has no footer and no copyright notice"
    } else {
        "the footer has no copyright notice"
    };
    not_found(message).candidates(footers)
}

/// Whether a text is a copyright notice.
fn is_notice(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains('©')
        || lower.contains("copyright")
        || lower.contains("(c) ")
        || lower.contains("all rights reserved")
}

/// The year in a literal: its bytes.
fn year_in(doc: &Doc, node: NodeId) -> Option<Range<usize>> {
    let inner = doc.node(node).inner.clone();
    let raw = doc.raw(inner.clone());
    let bytes = raw.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes[at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 4 && (raw[at..].starts_with("19") || raw[at..].starts_with("20")) {
            found.push(inner.start + at..inner.start + at + 4);
        }
        at += digits.max(1);
    }
    // "2019–2023": the last is the one that moves.
    found.pop()
}

/// The code of a gap, with what the names in it stand for in the same file.
fn followed(doc: &Doc, span: &Range<usize>) -> String {
    let code = doc.raw(span.clone()).to_owned();
    let mut out = code.clone();
    for word in code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')) {
        if word.is_empty() {
            continue;
        }
        if let Some(bound) = doc.bindings.get(word) {
            out.push(' ');
            out.push_str(doc.raw(bound.span.clone()));
        }
        for (id, node) in doc.nodes.iter().enumerate() {
            if node.kind == Kind::Pair && node.name == word && id != 0 {
                let raw = doc.raw(node.span.clone());
                if raw.len() < 200 {
                    out.push(' ');
                    out.push_str(raw);
                }
            }
        }
    }
    out
}

/// Where a gap's value is computed.
fn definition(doc: &Doc, span: &Range<usize>) -> Range<usize> {
    let code = doc.raw(span.clone());
    if computes_date(code) {
        return span.clone();
    }
    for word in code.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
        for node in &doc.nodes {
            if node.kind == Kind::Pair
                && node.name == word
                && !word.is_empty()
                && computes_date(doc.raw(node.span.clone()))
            {
                return node.span.clone();
            }
        }
    }
    span.clone()
}

fn note(list: &mut Vec<Candidate>, found: Candidate) {
    if !list.contains(&found) {
        list.push(found);
    }
}

/// Code that computes the year or a date.
fn computes_date(code: &str) -> bool {
    let lower = code.to_lowercase();
    [
        "getfullyear",
        "new date",
        "now.",
        "now |",
        "now.format",
        "% year",
        "%y",
        "currentyear",
        "current_year",
        "site.time",
        "date:",
        "dayjs",
        "moment(",
        ".year",
        "todate",
        "year()",
    ]
    .iter()
    .any(|mark| lower.contains(mark))
        || matches!(
            lower.trim().trim_matches(|c| "{}% ".contains(c)),
            "year" | "currentyear"
        )
}
