//! Adding one more of what is already there: a menu entry, a link, a list item. It is made after its neighbour.

mod copy;
use copy::{beside, clone, entry_parts};

mod group;
use group::{entry_around, groups, plain_item};

mod texts;
use texts::plain_text;

use std::collections::HashMap;
use std::sync::Arc;

use crate::generate::offline::ask::lexicon::{Role, alike, equal};
use crate::generate::offline::ask::phrase::{Phrase, Place};
use crate::generate::offline::ask::{Said, Side, Spot};
use crate::generate::offline::doc::{Doc, Kind, Lang, NodeId, Span};
use crate::generate::offline::find::page::Pages;
use crate::generate::offline::find::text::{Scope, describe};
use crate::generate::offline::find::{
    Finder, Hit, candidate, element, names, not_found, record, role,
};
use crate::generate::offline::plan::{Edit, Plan, indent, line_end};
use crate::generate::offline::text::encode;
use crate::generate::offline::view::{Piece, View, ViewId};
use crate::model::{Refusal, RefusalReason};

/// Nouns for an entry of a list.
const ENTRIES: &[&str] = &[
    "item", "entry", "link", "bullet", "point", "tab", "option", "step",
];

/// Keys of a record that hold its text, its address and its rank.
const TEXTS: &[&str] = &[
    "name", "title", "label", "text", "key", "heading", "caption", "question",
];
const RANKS: &[&str] = &["weight", "order", "position", "id", "index", "rank"];

/// Adds what is asked for.
///
/// # Errors
/// A refusal.
pub fn plan(
    finder: &Finder<'_>,
    what: &Phrase,
    text: Option<&Said>,
    link: Option<&str>,
    place: &Spot,
) -> Result<Plan, Refusal> {
    let entry = what
        .words
        .iter()
        .any(|word| ENTRIES.iter().any(|noun| equal(noun, word)));
    // "add 'Dogs welcome' to the list": one more of what is there.
    let entry = entry || (what.words.is_empty() && text.is_some());
    let page = what.words.iter().any(|word| word == "page") && what.places.is_empty();
    if page {
        return super::page::plan(finder, what, text);
    }
    // A question is half of an entry.
    let asks = what.words.last().is_some_and(|word| word == "question") && text.is_some()
        || what
            .words
            .windows(2)
            .any(|pair| equal("faq", &pair[0]) && pair[1] == "question");
    if asks {
        return Err(Refusal::new(
            RefusalReason::ValueMissing,
            "a question needs its answer too, and one sentence cannot say both",
        )
        .hint("add the pair in the file, beside the other questions"));
    }
    // "add Pricing to the menu": a name there is an entry, whatever else is called so.
    let named = into_menu(place).then(|| what.full.trim()).filter(|said| {
        !entry && text.is_none() && what.places.is_empty() && said.starts_with(char::is_uppercase)
    });
    if let Some(name) = named {
        let said = Said {
            text: name.to_owned(),
            quoted: false,
        };
        let link_to = Phrase::new("link");
        return one_more(finder, &link_to, Some(&said), link, place);
    }
    // "add a Projects item to the nav": what is left of its words is its text.
    let named = entry_text(what).filter(|_| entry && text.is_none());
    let mut bare = what.clone();
    if named.is_some() {
        bare.words
            .retain(|word| ENTRIES.iter().any(|noun| equal(noun, word)));
    }
    let (what, text) = match &named {
        Some(_) => (&bare, named.as_ref()),
        None => (what, text),
    };
    if entry && let Some(plan) = plain_text(finder, what, text, place)? {
        return Ok(plan);
    }
    if entry {
        return one_more(finder, what, text, link, place);
    }
    if let Some(refusal) = one_of_many(finder, what, place) {
        return Err(refusal);
    }
    let made = super::insert::plan(finder, what, text, link, place);
    // "add Rust to the skills": no component, but one more of a list that is called so.
    if let Err(refusal) = &made
        && refusal.reason == RefusalReason::Unclear
        && text.is_none()
        && place.side == Side::Anywhere
        && place.of.is_some()
        && what.places.is_empty()
        && !what.full.trim().is_empty()
    {
        let said = Said {
            text: crate::generate::offline::ask::phrase::strip_article(what.full.trim()).to_owned(),
            quoted: false,
        };
        let nothing = Phrase::default();
        let more = match plain_text(finder, &nothing, Some(&said), place) {
            Ok(Some(plan)) => Ok(plan),
            _ => one_more(finder, &nothing, Some(&said), link, place),
        };
        if more.is_ok() {
            return more;
        }
    }
    made
}

/// Whether a place is a menu: what is added to one is an entry of it.
fn into_menu(place: &Spot) -> bool {
    let menu = ["menu", "nav", "navigation", "navbar"];
    place.of.as_ref().is_some_and(|of| {
        of.words
            .last()
            .is_some_and(|last| menu.iter().any(|noun| equal(noun, last)))
    }) && matches!(place.side, Side::Anywhere | Side::Start | Side::End)
}

/// "add a feature called …" where features are listed already: one more takes a value for each of theirs, and never
/// a whole new section.
fn one_of_many(finder: &Finder<'_>, what: &Phrase, place: &Spot) -> Option<Refusal> {
    const NOUNS: &[&str] = &[
        "feature",
        "testimonial",
        "review",
        "plan",
        "tier",
        "member",
        "person",
    ];
    let named = ["called", "named", "titled", "for"];
    let head = what
        .words
        .iter()
        .take_while(|word| !named.contains(&word.as_str()))
        .last()?;
    if !NOUNS.contains(&head.as_str()) {
        return None;
    }
    let mut target = what.clone();
    if let Some(of) = &place.of {
        target.places.extend(of.places.iter().cloned());
    }
    let scope = finder.scope(&target).ok()?;
    let own = |group: &group::Group| {
        let mut around = names::Names::default();
        names::of_data(&group.doc, group.items[0], &mut around);
        let bound = group.doc.bindings.iter().any(|(name, ex)| {
            let list = group.doc.node(group.parent).span.clone();
            ex.span.start <= list.start
                && list.end <= ex.span.end
                && crate::generate::offline::ask::lexicon::words_of(name)
                    .iter()
                    .any(|part| equal(part, head))
        });
        let several = group.doc.node(group.items[0]).children.len() > 1;
        group.items.len() > 1
            && several
            && (bound || around.words.iter().any(|name| equal(name, head)))
    };
    let found: Vec<_> = groups(finder, &scope, std::slice::from_ref(head))
        .into_iter()
        .filter(own)
        .map(|group| {
            let last = group.items[group.items.len() - 1];
            candidate(&group.doc, group.doc.node(last).span.clone())
        })
        .collect();
    (!found.is_empty()).then(|| {
        Refusal::new(
            RefusalReason::ValueMissing,
            format!("a new {head} takes a value for each that the others there have"),
        )
        .hint(format!(
            "copy one in the file, or name the section to add: \"add a {head} section\""
        ))
        .candidates(found)
    })
}

/// The text of an entry that stands before its noun: "a Projects item", "a Blog link".
fn entry_text(what: &Phrase) -> Option<Said> {
    let said = crate::generate::offline::ask::phrase::strip_article(what.full.trim());
    let (front, noun) = said.rsplit_once(' ')?;
    let is_entry = ENTRIES
        .iter()
        .any(|known| equal(known, &noun.to_lowercase()));
    // A name begins with a capital letter; "a menu item" says only what it is.
    let named = front
        .split(' ')
        .all(|word| word.starts_with(char::is_uppercase));
    (is_entry && named && what.quoted.is_empty()).then(|| Said {
        text: front.to_owned(),
        quoted: false,
    })
}

fn one_more(
    finder: &Finder<'_>,
    what: &Phrase,
    text: Option<&Said>,
    link: Option<&str>,
    place: &Spot,
) -> Result<Plan, Refusal> {
    let mut target = what.clone();
    if let Some(of) = &place.of {
        target.places.extend(of.places.iter().cloned());
        if matches!(place.side, Side::Start | Side::End | Side::Anywhere) {
            target.places.insert(
                0,
                Place {
                    words: of.words.clone(),
                    quoted: of.quoted.clone(),
                    ..Place::default()
                },
            );
        }
    }
    let scope = finder.scope(&target)?;
    let Some(text) = text.filter(|text| !text.text.trim().is_empty()) else {
        return Err(Refusal::new(
            RefusalReason::ValueMissing,
            format!("what should the new {} say?", describe(what)),
        )
        .hint("say it with its text in quotes"));
    };
    // Next to another entry: its neighbour shows the way.
    if matches!(place.side, Side::Before | Side::After)
        && let Some(of) = &place.of
    {
        let neighbour = Phrase {
            places: target.places.clone(),
            ..of.clone()
        };
        let menu = what.role().is_some_and(|(role, ..)| role == Role::MenuItem);
        let neighbour = if menu && neighbour.places.is_empty() {
            Phrase {
                places: vec![Place {
                    words: vec!["nav".to_owned()],
                    ..Place::default()
                }],
                ..neighbour
            }
        } else {
            neighbour
        };
        let (doc, node) = element::one(finder, &neighbour)?;
        let item = entry_around(&doc, node);
        return clone(finder, &doc, item, item, place.side, text, link);
    }
    let mut words: Vec<String> = what
        .words
        .iter()
        .filter(|word| !ENTRIES.iter().any(|noun| equal(noun, word)))
        .cloned()
        .collect();
    for place in &scope.places {
        words.extend(place.words.iter().cloned());
    }
    let mut groups = groups(finder, &scope, &words);
    if groups.is_empty() {
        return Err(not_found(format!(
            "there is no list to add {} to",
            describe(what)
        )));
    }
    let named = groups
        .iter()
        .map(|group| group.named)
        .max()
        .unwrap_or_default();
    groups.retain(|group| group.named == named);
    let groups = finder.chosen(groups, |group| {
        candidate(&group.doc, group.doc.node(group.items[0]).span.clone())
    });
    let most = groups
        .iter()
        .map(|group| group.items.len())
        .max()
        .unwrap_or_default();
    if groups.len() > 1
        && groups
            .iter()
            .filter(|group| group.items.len() * 2 > most)
            .count()
            > 1
    {
        let candidates = groups
            .iter()
            .map(|group| candidate(&group.doc, group.doc.node(group.items[0]).span.clone()))
            .collect();
        return Err(Refusal::new(
            RefusalReason::Ambiguous,
            format!("{} lists could take it", groups.len()),
        )
        .hint("say which one, or next to which entry")
        .candidates(candidates));
    }
    let Some(group) = groups.into_iter().max_by_key(|group| group.items.len()) else {
        return Err(not_found("there is no such list"));
    };
    let (model, anchor, side) = match place.side {
        Side::Start => (plain_item(&group, false), group.items[0], Side::Before),
        _ => {
            let last = group.items[group.items.len() - 1];
            (plain_item(&group, true), last, Side::After)
        }
    };
    // A text alone makes no record of several values.
    if what.words.is_empty()
        && group.doc.node(model).kind == Kind::Object
        && group.doc.node(model).children.len() > 2
    {
        return Err(Refusal::new(
            RefusalReason::ValueMissing,
            "the entries there have more than a text; say which list it goes into",
        )
        .candidates(vec![candidate(
            &group.doc,
            group.doc.node(model).span.clone(),
        )]));
    }
    clone(finder, &group.doc, model, anchor, side, text, link)
}

/// Whether a piece is a literal of a file.
pub fn literal_of<'p>(piece: &'p Piece, path: &str) -> Option<&'p NodeId> {
    match piece {
        Piece::Lit(doc, node) if doc.path == path => Some(node),
        _ => None,
    }
}
