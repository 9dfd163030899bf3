//! From words to readings.

mod verbs;
pub use verbs::PROPERTIES;
use verbs::{LOOK_VERBS, LOOKS, VAGUE, Verb, verb_at};

mod deeds;
mod moves;

use deeds::{add, look, make, point};
use moves::{movement, swap};

mod values;

pub use values::{is_address, property, size, style_value};
use values::{link_of, style_of, throughout};

use super::colors;
use super::lexicon::Role;
use super::phrase::{Phrase, Place, unquote};
use super::{Ask, How, Said, Side, Spot};
use crate::intent::clean::quoted_spans;
use crate::intent::numbers;

/// The readings of a request, best first; empty when it is not understood.
pub fn parse(request: &str) -> Vec<Ask> {
    // A line end in a request is a blank: written into a file it would be one of another kind than the file's own.
    let request = request.replace("\r\n", " ").replace(['\n', '\r'], " ");
    let request = request.trim();
    let text = request.trim_end_matches(['!', '?']).trim();
    let (places, body) = leading_places(text);
    if let Some(mut ask) = values::attribute(&body) {
        with_places(&mut ask, &places);
        return vec![ask];
    }
    if let Some(mut asks) = look(&body) {
        for ask in &mut asks {
            with_places(ask, &places);
        }
        return asks;
    }
    let Some((verb, length)) = verb_at(&body) else {
        return use_as(&body, &places);
    };
    let rest = body[length..].trim();
    let mut asks = match verb {
        Verb::Set => set(rest, &body[..length]),
        Verb::Make => make(rest),
        Verb::Point => point(rest),
        Verb::Add => add(rest),
        Verb::Remove => vec![Ask::Remove(whole(rest))],
        Verb::Hide => vec![Ask::Hide(whole(rest))],
        Verb::Move => movement(rest),
        Verb::Swap => swap(rest),
        Verb::Fix => vec![Ask::Fix(whole(rest))],
    };
    let naming = ["rename", "retitle", "relabel", "call"]
        .iter()
        .any(|word| body[..length].eq_ignore_ascii_case(word));
    let mark = &request[text.len()..];
    for ask in &mut asks {
        with_places(ask, &places);
        if let Ask::Set { target, value, .. } = ask {
            target.naming = naming;
            // A mark at the end of the request ends the new text.
            if let Some(value) = value.as_mut().filter(|value| !value.quoted)
                && !mark.is_empty()
                && text.ends_with(value.text.as_str())
            {
                value.text.push_str(mark.trim());
            }
        }
    }
    asks
}

/// "use 'X' as the headline", "the headline should say X".
fn use_as(body: &str, places: &[Place]) -> Vec<Ask> {
    let lower = body.to_lowercase();
    let mut asks = Vec::new();
    if let Some(rest) = lower.strip_prefix("use ")
        && let Some(at) = outside(&body[4..], " as ").last()
        && rest.len() == body.len() - 4
    {
        let rest = &body[4..];
        asks.push(Ask::Set {
            target: Phrase::new(&rest[at + 4..]),
            from: None,
            value: Some(said(&rest[..*at])),
        });
    }
    for mark in [
        " should say ",
        " should read ",
        " should be ",
        " must say ",
        " needs to say ",
        " says ",
    ] {
        if let Some(at) = outside(body, mark).first().copied() {
            let value = said(&body[at + mark.len()..]);
            let target = Phrase::new(&body[..at]);
            if mark == " should be "
                && let Some(style) = style_of(&body[..at], &value)
            {
                asks.push(style);
            }
            asks.push(Ask::Set {
                target,
                from: None,
                value: Some(value),
            });
            break;
        }
    }
    for ask in &mut asks {
        with_places(ask, places);
    }
    asks
}

/// Adds places to what is asked for.
pub fn with_places(ask: &mut Ask, places: &[Place]) {
    let target = match ask {
        Ask::Set { target, .. }
        | Ask::Link { target, .. }
        | Ask::Style { target, .. }
        | Ask::Attribute { target, .. } => target,
        Ask::Add { what, .. } => what,
        Ask::Remove(target)
        | Ask::Hide(target)
        | Ask::Fix(target)
        | Ask::Move(target, _)
        | Ask::Swap(target, _) => target,
    };
    target.places.extend(places.iter().cloned());
}

/// Places said before the verb: "on the about page, change …".
fn leading_places(text: &str) -> (Vec<Place>, String) {
    let lower = text.to_lowercase();
    let leads = [
        "in ", "on ", "at ", "for ", "inside ", "within ", "under ", "below ", "from ",
    ];
    let spans = quoted_spans(text);
    if lower.len() == text.len()
        && let Some(lead) = leads.iter().find(|lead| lower.starts_with(**lead))
    {
        for (at, _) in text.match_indices(' ') {
            let quoted = spans.iter().any(|(a, b)| (*a..*b).contains(&at));
            let front = text[..at].trim_end_matches([',', ':', ' ']);
            let noun = front.len() > lead.len() + 2;
            if !quoted && noun && verb_at(&text[at + 1..]).is_some() {
                // "make" and "link" are also nouns: what follows a verb has an article, a quote or more words.
                let phrase = Phrase::new(&front[lead.len()..]);
                let mut places = vec![Place::new(&front[lead.len()..])];
                if !phrase.places.is_empty() {
                    places = vec![Place {
                        words: phrase.words,
                        quoted: phrase.quoted,
                        ordinal: phrase.ordinal,
                        path: None,
                    }];
                    places.extend(phrase.places);
                }
                return (places, text[at + 1..].trim().to_owned());
            }
        }
    }
    (Vec::new(), text.to_owned())
}

/// Where `mark` occurs outside quotes.
fn outside(text: &str, mark: &str) -> Vec<usize> {
    let spans = quoted_spans(text);
    let lower = text.to_lowercase();
    if lower.len() != text.len() {
        // A letter whose lower case is longer: positions would not fit.
        return text.match_indices(mark).map(|(at, _)| at).collect();
    }
    let fixed = |at: usize| {
        FIXED.iter().any(|phrase| {
            lower
                .match_indices(phrase)
                .any(|(start, _)| start < at && at + mark.len() <= start + phrase.len())
        })
    };
    lower
        .match_indices(mark)
        .map(|(at, _)| at)
        .filter(|at| {
            !fixed(*at)
                && !spans
                    .iter()
                    .any(|(a, b)| (*a..*b).contains(&(at + 1)) && (*a..*b).contains(at))
        })
        .collect()
}

/// Names of things on a website that hold a word which divides a request elsewhere.
const FIXED: &[&str] = &[
    "call to action",
    "calls to action",
    "back to top",
    "scroll to top",
];

/// A value: in quotes, or the words to the end.
fn said(text: &str) -> Said {
    let text = text.trim();
    if let Some((a, b)) = quoted_spans(text).first().copied()
        && a == 0
        && text[b..]
            .trim()
            .trim_end_matches(['.', '!', ','])
            .is_empty()
    {
        return Said {
            text: unquote(&text[..b]),
            quoted: true,
        };
    }
    Said {
        text: text.to_owned(),
        quoted: false,
    }
}

/// A phrase with nothing behind it.
fn whole(text: &str) -> Phrase {
    Phrase::new(text.trim_end_matches(['.', '!']))
}

/// The value and the places said after it.
fn value_and_places(text: &str) -> Vec<(Option<Said>, Vec<Place>)> {
    let text = text.trim();
    if let Some((0, end)) = quoted_spans(text).first().copied() {
        let rest = text[end..].trim().trim_end_matches('.');
        let value = Some(Said {
            text: unquote(&text[..end]),
            quoted: true,
        });
        if rest.is_empty() {
            return vec![(value, Vec::new())];
        }
        let phrase = Phrase::new(&format!("x {rest}"));
        if phrase.words == ["x"] && !phrase.places.is_empty() {
            return vec![(value, phrase.places)];
        }
        return vec![(
            Some(Said {
                text: text.to_owned(),
                quoted: false,
            }),
            Vec::new(),
        )];
    }
    let plain = text.trim_end_matches(' ');
    let lower = plain.trim_end_matches('.').to_lowercase();
    if VAGUE.contains(&lower.as_str()) || VAGUE[..6].iter().any(|vague| lower.starts_with(vague)) {
        return vec![(None, Vec::new())];
    }
    let whole = (
        Some(Said {
            text: plain.to_owned(),
            quoted: false,
        }),
        Vec::new(),
    );
    // "… to Hello on the about page": the place may belong to the value; it is read as a place first.
    let nouns = [
        "page",
        "footer",
        "nav",
        "navigation",
        "navbar",
        "header",
        "hero",
        "menu",
        "sidebar",
        "homepage",
        "config",
        "section",
        "stylesheet",
        "headline",
        "tagline",
        "subtitle",
    ];
    for mark in [" on the ", " in the ", " in our ", " on our ", " at the "] {
        if let Some(at) = outside(plain, mark).last().copied() {
            let place = plain[at + mark.len()..].trim_end_matches('.');
            let last = place.rsplit(' ').next().unwrap_or_default().to_lowercase();
            if nouns.contains(&last.as_str()) && place.split(' ').count() <= 4 {
                let value = Some(Said {
                    text: plain[..at].to_owned(),
                    quoted: false,
                });
                return vec![(value, vec![Place::new(place)]), whole];
            }
        }
    }
    vec![whole]
}

fn set(rest: &str, verb: &str) -> Vec<Ask> {
    let verb = verb.to_lowercase();
    let mut marks: Vec<&str> = vec![" to say ", " to read ", " to be ", " to ", " into "];
    if verb == "replace" || verb == "swap out" {
        marks = vec![" with ", " by ", " for "];
    }
    if verb == "set" || verb == "call" {
        marks.push(" as ");
    }
    let mut splits: Vec<(usize, usize)> = Vec::new();
    for mark in &marks {
        for at in outside(rest, mark) {
            // "to say Hello" asks for Hello; "to Say hi" asks for just that.
            if mark.len() > 5 && rest.get(at..at + mark.len()) != Some(mark) {
                continue;
            }
            if !splits.iter().any(|(known, _)| *known == at) {
                splits.push((at, mark.len()));
            }
        }
    }
    splits.sort_unstable();
    // A quoted value makes clear where it begins.
    if let Some(split) = splits.iter().rev().find(|(at, length)| {
        rest[at + length..]
            .trim_start()
            .starts_with(['\'', '"', '“', '‘', '«', '`'])
            && quoted_spans(rest)
                .iter()
                .any(|(a, _)| *a >= at + length && rest[at + length..*a].trim().is_empty())
    }) {
        splits = vec![*split];
    }
    let mut asks = Vec::new();
    for (at, length) in &splits {
        let (left, right) = (rest[..*at].trim(), &rest[at + length..]);
        if left.is_empty() || right.trim().is_empty() {
            continue;
        }
        // "replace coffee with tea everywhere"
        if let Some(right) = throughout(right) {
            asks.extend(set_one(
                &format!("{left} everywhere"),
                Some(said(right)),
                &[],
            ));
            continue;
        }
        for (value, places) in value_and_places(right) {
            asks.extend(set_one(left, value, &places));
        }
    }
    if splits.is_empty() {
        // "call the about page 'Studio'"
        if let Some((a, b)) = quoted_spans(rest).last().copied()
            && verb == "call"
            && rest[b..].trim().is_empty()
        {
            return set_one(rest[..a].trim(), Some(said(&rest[a..])), &[]);
        }
        let phrase = whole(rest);
        asks.push(Ask::Set {
            target: phrase,
            from: None,
            value: None,
        });
    }
    asks
}

fn set_one(left: &str, value: Option<Said>, places: &[Place]) -> Vec<Ask> {
    let mut asks = Vec::new();
    let (left, from) = match outside(left, " from ").last().copied() {
        Some(at) if value.is_some() => {
            let said_from = said(&left[at + 6..]);
            // "the link from the footer" is a place.
            let is_place = !said_from.quoted && said_from.text.to_lowercase().starts_with("the ");
            if is_place {
                (left, None)
            } else {
                (&left[..at], Some(said_from))
            }
        }
        _ => (left, None),
    };
    if let Some(value) = &value {
        if let Some(style) = from.is_none().then(|| style_of(left, value)).flatten() {
            asks.push(style);
        }
        let target = Phrase::new(left);
        if let Some(link) = from.is_none().then(|| link_of(&target, value)).flatten() {
            asks.push(link);
        }
    }
    let mut target = Phrase::new(left);
    values::spelled(&mut target);
    asks.push(Ask::Set {
        target,
        from,
        value,
    });
    for ask in &mut asks {
        with_places(ask, places);
    }
    asks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(ask: &Ask) -> Option<&str> {
        match ask {
            Ask::Set { value, .. } | Ask::Link { value, .. } => {
                value.as_ref().map(|value| value.text.as_str())
            }
            Ask::Style { value, .. } => Some(&value.text),
            _ => None,
        }
    }

    #[test]
    fn texts_are_set() {
        let asks = parse("Change the homepage headline to 'Welcome to 3000 Studios'");
        assert_eq!(asks.len(), 1);
        assert!(
            matches!(&asks[0], Ask::Set { target, .. } if target.words == ["homepage", "headline"])
        );
        assert_eq!(value(&asks[0]), Some("Welcome to 3000 Studios"));
        let asks = parse("in the nav rename About to Our story");
        assert!(
            matches!(&asks[0], Ask::Set { target, .. } if target.words == ["about"] && target.places[0].words == ["nav"])
        );
        let asks = parse("change a place to share your knowledge to a place to share ideas");
        assert_eq!(
            asks.iter()
                .map(|ask| value(ask).unwrap_or_default())
                .collect::<Vec<_>>(),
            [
                "share your knowledge to a place to share ideas",
                "a place to share ideas",
                "share ideas",
            ]
        );
        assert_eq!(parse("Change \"Hi, I'm\" to \"Hello, I'm\"").len(), 1);
        let asks = parse("On the about page change the Jekyll link");
        assert_eq!(value(&asks[0]), None);
    }

    #[test]
    fn a_line_end_in_a_request_is_a_blank() {
        let asks = parse("Change the headline to 'Maps\r\ndrawn\nwith ink'");
        assert_eq!(value(&asks[0]), Some("Maps drawn with ink"));
    }

    #[test]
    fn styles_are_told_from_texts() {
        let asks = parse("make the body background navy");
        assert!(
            matches!(&asks[0], Ask::Style { target, property, value } if target.words == ["body"] && property == "background" && value.text == "navy")
        );
        let asks = parse("In the stylesheet, set the h1 font size to 48px");
        assert!(
            matches!(&asks[0], Ask::Style { target, property, .. } if target.words == ["h1"] && property == "font size" && target.places[0].words == ["stylesheet"])
        );
        let asks = parse("On the error page make the heading 6em");
        assert!(
            matches!(&asks[0], Ask::Style { target, value, .. } if target.words == ["heading"] && value.text == "6em")
        );
        let asks = parse("Make the hero's background colour navy");
        assert!(matches!(&asks[0], Ask::Style { target, .. } if target.words == ["hero"]));
        let asks = parse("Change the gradient's first colour from #d53369 to navy");
        assert!(matches!(&asks[0], Ask::Set { from: Some(from), .. } if from.text == "#d53369"));
    }

    #[test]
    fn links_additions_and_removals() {
        let asks = parse("Point the Mozilla Manifesto link at https://www.mozilla.org/about/");
        assert!(
            matches!(&asks[0], Ask::Link { target, .. } if target.words == ["mozilla", "manifesto", "link"])
        );
        let asks = parse("Add a 'Blog' item linking to /blog/ at the end of the main menu");
        assert!(
            matches!(&asks[0], Ask::Add { text: Some(text), link: Some(link), place, .. }
            if text.text == "Blog" && link == "/blog/" && place.side == Side::End)
        );
        assert!(
            matches!(&parse("Remove the Official Blog link from the footer")[0], Ask::Remove(phrase) if phrase.places[0].words == ["footer"])
        );
        assert!(parse("the weather is nice").is_empty());
    }
}
