//! Why a change is made where it is made, in a sentence.

use crate::generate::offline::ask::lexicon::Role;
use crate::generate::offline::ask::phrase::Phrase;
use crate::generate::offline::doc::Kind;
use crate::generate::offline::find::{Hit, role};

/// Why the text at `hit` is the one that `target` means.
pub fn told(target: &Phrase, meant: Option<Role>, hit: &Hit) -> String {
    let places: Vec<String> = target
        .places
        .iter()
        .filter(|place| !place.words.is_empty())
        .map(|place| place.words.join(" "))
        .collect();
    let at = if places.is_empty() {
        String::new()
    } else {
        format!(" in the {}", places.join(", "))
    };
    let key = (hit.doc.node(hit.node).kind == Kind::Scalar)
        .then(|| role::key(&hit.doc, hit.node))
        .flatten();
    let what = match (target.quoted.first(), meant, key) {
        (Some(text), ..) => {
            return format!("why there: the one place{at} that says \u{201c}{text}\u{201d}");
        }
        (None, Some(Role::Headline), _) => "the main heading of the page".to_owned(),
        (None, Some(Role::Tagline), _) => "the line below the main heading".to_owned(),
        (None, Some(Role::Title), _) => "the title of the page".to_owned(),
        (None, Some(Role::MetaDescription), _) => "the description for search engines".to_owned(),
        (None, Some(Role::CopyrightYear), _) => "the year of the copyright notice".to_owned(),
        (None, Some(Role::Copyright), _) => "the copyright notice".to_owned(),
        (None, _, Some(key)) => format!("the value of {key}"),
        _ if target.words.is_empty() => "what it means".to_owned(),
        _ => format!(
            "the one text that \u{201c}{}\u{201d} fits",
            target.words.join(" ")
        ),
    };
    if places.is_empty() {
        format!("why there: {what}")
    } else {
        format!("why there: {what}, {}", places.join(", "))
    }
}
