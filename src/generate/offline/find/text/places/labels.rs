//! Texts known by what they are called or labelled.

use super::*;

impl Finder<'_> {
    /// The one text of the one element that is called just so: `<p class="intro">`.
    pub(super) fn by_class(&self, scope: &Scope) -> Vec<Hit> {
        let words = meaningful_or_all(&scope.words);
        let mut hits = Vec::new();
        if words.is_empty() || words.len() > 3 {
            return hits;
        }
        for view in &scope.views {
            for id in super::super::super::element::called(view, &words) {
                let texts = view.texts(id);
                let pieces: Vec<(&Piece, _)> = texts
                    .iter()
                    .flat_map(|text| view.nodes[*text].text.iter().map(|piece| (piece, *text)))
                    .collect();
                let [(Piece::Lit(doc, node), at)] = pieces.as_slice() else {
                    continue;
                };
                let seen = Seen {
                    view: view.clone(),
                    at: *at,
                    attr: None,
                };
                let hit = Hit::whole(doc, *node, vec![seen]);
                if self.rank(&hit, 3, None, &[], &scope.places).is_some() {
                    hits.push(hit);
                }
            }
        }
        unique(&mut hits);
        hits
    }

    /// E-mail addresses in the middle of texts: "Email ada@example.org".
    pub(super) fn within(&self, scope: &Scope) -> Vec<Hit> {
        let mut hits = Vec::new();
        for view in &scope.views {
            for (doc, node, at, attr) in view.literals() {
                let inner = doc.node(node).inner.clone();
                if attr.is_some() || !readable(&doc, node) || !doc.raw(inner.clone()).contains('@')
                {
                    continue;
                }
                let raw = doc.raw(inner.clone());
                let other = |c: char| c.is_whitespace() || "<>()[],;:|\"".contains(c);
                for (sign, _) in raw.match_indices('@') {
                    let front = raw[..sign]
                        .char_indices()
                        .rev()
                        .find(|(_, c)| other(*c))
                        .map_or(0, |(at, c)| at + c.len_utf8());
                    let back = raw[sign..].find(other).map_or(raw.len(), |at| sign + at);
                    let address = raw[front..back].trim_end_matches('.');
                    if !role::looks_email(address) {
                        continue;
                    }
                    let start = inner.start + front;
                    let seen = Seen {
                        view: view.clone(),
                        at,
                        attr: None,
                    };
                    let hit = Hit {
                        span: start..start + address.len(),
                        whole: false,
                        ..Hit::whole(&doc, node, vec![seen])
                    };
                    if self.rank(&hit, 3, None, &[], &scope.places).is_some() {
                        hits.push(hit);
                    }
                }
            }
        }
        unique(&mut hits);
        hits
    }

    /// The value a label stands before: the other text of a pair, or the next key of its record.
    pub(super) fn labelled(&self, label: &Hit) -> Option<Hit> {
        let doc = &label.doc;
        let pair = doc.node(doc.node(label.node).parent);
        if pair.kind == Kind::Pair {
            let value = [
                "value",
                "text",
                "content",
                "info",
                "detail",
                "description",
                "data",
            ]
            .iter()
            .find_map(|key| doc.get(pair.parent, key))
            .filter(|value| *value != label.node && doc.node(*value).kind == Kind::Scalar)?;
            return Some(Hit::whole(doc, value, self.seen(doc, value, &[])));
        }
        for seen in &label.seen {
            let view = &seen.view;
            for id in view.up(seen.at).skip(1).take(4) {
                let node = &view.nodes[id];
                let heading = role::is_heading(view, id);
                if heading
                    || matches!(
                        node.tag.as_str(),
                        "nav"
                            | "section"
                            | "footer"
                            | "header"
                            | "body"
                            | "ul"
                            | "a"
                            | "button"
                            | "form"
                    )
                {
                    break;
                }
                let texts = view.texts(id);
                if texts.len() < 2 {
                    continue;
                }
                let pieces: Vec<&Piece> = texts
                    .iter()
                    .flat_map(|text| &view.nodes[*text].text)
                    .collect();
                if let [Piece::Lit(first, at), Piece::Lit(second, value)] = pieces.as_slice()
                    && first.path == doc.path
                    && *at == label.node
                {
                    return Some(Hit::whole(
                        second,
                        *value,
                        self.seen(second, *value, std::slice::from_ref(view)),
                    ));
                }
                break;
            }
        }
        None
    }
}
