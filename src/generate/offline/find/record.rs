//! Records, cells and quotations: things known by what stands beside them.

use std::sync::Arc;

use super::text::{Scope, describe};
use super::{Finder, Hit, element, names, readable, technical};
use crate::generate::offline::ask::lexicon::{RECORD, STOP, equal};
use crate::generate::offline::ask::phrase::{Phrase, Place};
use crate::generate::offline::doc::{Kind, NodeId};
use crate::generate::offline::text::folded;
use crate::generate::offline::view::{Piece, View, ViewId};
use crate::model::{Refusal, RefusalReason};

/// Keys under which a record holds its own name.
pub const NAMES: &[&str] = &[
    "name", "title", "label", "heading", "question", "headline", "text", "caption", "key",
];

impl Finder<'_> {
    /// "the Solo plan", "the Carols concert": the name of the record or card that is called so.
    pub fn named_record(&self, phrase: &Phrase, scope: &Scope) -> Vec<Hit> {
        let Some((noun, front)) = scope.words.split_last() else {
            return Vec::new();
        };
        if front.is_empty() || !front.iter().any(|word| !STOP.contains(&word.as_str())) {
            return Vec::new();
        }
        let said = scope.said.trim();
        let Some(at) = said.rfind(' ') else {
            return Vec::new();
        };
        let text = crate::generate::offline::ask::phrase::strip_article(&said[..at]);
        let exact: Vec<(Hit, u8)> = self
            .texts(text, scope)
            .into_iter()
            .filter(|(hit, level)| *level >= 2 && in_record(hit, noun))
            .collect();
        self.best(exact, None, &[], scope, phrase.ordinal)
    }

    /// The cell of a table in the row that a place names and the column that the words name.
    pub fn cell(&self, scope: &Scope) -> Vec<Hit> {
        let mut out = Vec::new();
        let words: Vec<String> = scope
            .words
            .iter()
            .filter(|word| !STOP.contains(&word.as_str()))
            .cloned()
            .collect();
        for view in &scope.views {
            for table in view.below(0) {
                if view.nodes[table].tag == "table" {
                    out.extend(in_table(view, table, &words, &scope.places));
                }
            }
        }
        super::unique(&mut out);
        out
    }

    /// The text of an element that a phrase names: "the second testimonial", "Ben Okri's quote".
    ///
    /// # Errors
    /// When the element shows several texts.
    pub fn in_element(&self, phrase: &Phrase, scope: &Scope) -> Result<Vec<Hit>, Refusal> {
        // A bare noun may be anything; a number or a place says which.
        if phrase.ordinal.is_none() && scope.places.is_empty() {
            return Ok(Vec::new());
        }
        let Ok(found) = element::all(self, phrase, scope) else {
            return Ok(Vec::new());
        };
        let [(doc, node)] = found.as_slice() else {
            return Ok(Vec::new());
        };
        if doc.node(*node).kind == Kind::Object {
            let values: Vec<Hit> = doc
                .node(*node)
                .children
                .iter()
                .filter_map(|pair| doc.node(*pair).children.first().copied())
                .filter(|value| {
                    doc.node(*value).kind == Kind::Scalar
                        && readable(doc, *value)
                        && !technical(doc, *value)
                })
                .map(|value| Hit::whole(doc, value, self.seen(doc, value, &scope.views)))
                .collect();
            if values.len() < 2 {
                return Ok(values);
            }
            return Err(Refusal::new(
                RefusalReason::Mixed,
                format!(
                    "{} has several values; say which to change",
                    describe(phrase)
                ),
            )
            .hint("say its name, its text or its price …")
            .candidates(values.iter().map(Hit::candidate).collect()));
        }
        let named = |shown: &str| {
            let shown = folded(shown);
            scope.places.iter().any(|place| {
                let words = place.words.join(" ");
                (!words.is_empty() && names::contains_words(&shown, &words))
                    || place.quoted.iter().any(|text| shown == folded(text))
            })
        };
        for view in &scope.views {
            let Some(id) = view.nodes.iter().position(|shown| {
                shown.text.is_empty() && shown.node == *node && shown.doc.path == doc.path
            }) else {
                continue;
            };
            let texts: Vec<ViewId> = view
                .texts(id)
                .into_iter()
                .filter(|text| !named(&view.shown(*text)))
                .collect();
            let pieces: Vec<(&Piece, ViewId)> = texts
                .iter()
                .flat_map(|text| view.nodes[*text].text.iter().map(|piece| (piece, *text)))
                .collect();
            return match pieces.as_slice() {
                [] => Ok(Vec::new()),
                [(Piece::Lit(doc, node), at)] => Ok(vec![Hit::whole(
                    doc,
                    *node,
                    vec![super::Seen {
                        view: view.clone(),
                        at: *at,
                        attr: None,
                    }],
                )]),
                _ => Err(Refusal::new(
                    RefusalReason::Mixed,
                    format!(
                        "{} shows several texts; say which to change",
                        describe(phrase)
                    ),
                )
                .hint("name it by the text it shows now, or by its number")
                .candidates(super::special::pieces_of(view, id))),
            };
        }
        Ok(Vec::new())
    }
}

/// Whether a text is the name of a record, or the heading of a card, that `noun` may be a word for.
fn in_record(hit: &Hit, noun: &str) -> bool {
    let doc = &hit.doc;
    let pair = doc.node(doc.node(hit.node).parent);
    if pair.kind == Kind::Pair {
        let list = doc.node(pair.parent).parent;
        let of_list = doc.node(list).kind == Kind::Array
            && (RECORD.iter().any(|known| equal(known, noun)) || {
                let mut around = names::Names::default();
                names::of_data(doc, list, &mut around);
                around.has(noun) || {
                    let bound = doc.bindings.iter().find(|(_, ex)| {
                        ex.span.start <= doc.node(list).span.start
                            && doc.node(list).span.end <= ex.span.end
                    });
                    bound.is_some_and(|(name, _)| {
                        crate::generate::offline::ask::lexicon::words_of(name)
                            .iter()
                            .any(|part| equal(part, noun))
                    })
                }
            });
        return of_list && NAMES.contains(&pair.name.as_str());
    }
    hit.seen.iter().any(|seen| {
        let view = &seen.view;
        let heading = view
            .up(seen.at)
            .take(3)
            .any(|id| super::role::is_heading(view, id));
        heading
            && view.up(seen.at).skip(1).take(4).any(|id| {
                let mut own = names::Names::default();
                names::of_node(view, id, &mut own);
                own.words.iter().any(|word| equal(word, noun))
            })
    })
}

/// The cells of one table that stand under a heading named by `words`, in a row that all places name.
fn in_table(view: &Arc<View>, table: ViewId, words: &[String], places: &[Place]) -> Vec<Hit> {
    let tagged = |id: ViewId, tags: &[&str]| tags.contains(&view.nodes[id].tag.as_str());
    let rows: Vec<Vec<ViewId>> = view
        .below(table)
        .into_iter()
        .filter(|id| tagged(*id, &["tr"]))
        .map(|row| {
            view.below(row)
                .into_iter()
                .filter(|id| tagged(*id, &["td", "th"]))
                .collect()
        })
        .collect();
    let Some((head, body)) = rows.split_first() else {
        return Vec::new();
    };
    let wanted = words.join(" ");
    let Some(column) = head
        .iter()
        .position(|cell| tagged(*cell, &["th"]) && folded(&view.shown(*cell)) == wanted)
    else {
        return Vec::new();
    };
    let speaking: Vec<&Place> = places
        .iter()
        .filter(|place| !place.words.iter().all(|word| word == "table"))
        .collect();
    if speaking.is_empty() {
        return Vec::new();
    }
    // "the Adult ticket" in a column of tickets is "Adult".
    let titles: Vec<String> = head.iter().map(|cell| folded(&view.shown(*cell))).collect();
    let titled = |word: &String| titles.iter().any(|title| equal(title, word));
    let mut out = Vec::new();
    for (number, row) in body.iter().enumerate() {
        let fits = speaking.iter().all(|place| {
            if let (Some(ordinal), true) = (place.ordinal, place.words.iter().any(|w| w == "row")) {
                return usize::try_from(ordinal)
                    .map_or(number + 1 == body.len(), |nth| nth == number + 1);
            }
            let words: Vec<String> = place
                .words
                .iter()
                .filter(|word| !matches!(word.as_str(), "row" | "line" | "table") && !titled(word))
                .cloned()
                .chain(place.quoted.iter().map(|text| folded(text)))
                .collect();
            !words.is_empty()
                && row.iter().any(|cell| {
                    names::contains_words(&folded(&view.shown(*cell)), &words.join(" "))
                })
        });
        let Some(cell) = row.get(column).filter(|_| fits) else {
            continue;
        };
        let texts = view.texts(*cell);
        let pieces: Vec<(&Piece, ViewId)> = texts
            .iter()
            .flat_map(|text| view.nodes[*text].text.iter().map(|piece| (piece, *text)))
            .collect();
        if let [(Piece::Lit(doc, node), at)] = pieces.as_slice()
            && readable(doc, *node)
            && !technical(doc, *node)
        {
            out.push(Hit::whole(
                doc,
                *node,
                vec![super::Seen {
                    view: view.clone(),
                    at: *at,
                    attr: None,
                }],
            ));
        }
    }
    out
}

/// The list that an element or a value names, when it holds plain texts: `["One person", "Unlimited"]`.
pub fn plain_list(doc: &crate::generate::offline::doc::Doc, list: NodeId) -> bool {
    let this = doc.node(list);
    this.kind == Kind::Array
        && !this.children.is_empty()
        && this
            .children
            .iter()
            .all(|item| doc.node(*item).kind == Kind::Scalar)
}
