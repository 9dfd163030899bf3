//! Values: addresses, style properties, sizes.

use super::*;

/// "the FAQ link to /faq.html", "the link target of the logo to /": a change of where a link leads.
pub(super) fn link_of(target: &Phrase, value: &Said) -> Option<Ask> {
    let aims = ["url", "href", "target", "destination"];
    let mut aimed = target.clone();
    // "the link of the Instagram link": what it is of is meant.
    if let ([word], [place, rest @ ..]) = (target.words.as_slice(), target.places.as_slice())
        && (aims.contains(&word.as_str()) || matches!(word.as_str(), "link" | "address"))
        && place.path.is_none()
        && place.ordinal.is_none()
        && place.words.last().is_some_and(|last| {
            matches!(last.as_str(), "link" | "button" | "logo" | "item" | "entry")
        })
    {
        let said = place.words.join(" ");
        aimed = Phrase {
            words: place.words.clone(),
            quoted: place.quoted.clone(),
            said: said.clone(),
            full: said,
            places: rest.to_vec(),
            ..Phrase::default()
        };
        return is_address(&value.text).then(|| Ask::Link {
            target: aimed,
            value: Some(value.clone()),
        });
    }
    let said_aim = aimed
        .words
        .iter()
        .rposition(|word| aims.contains(&word.as_str()));
    if let Some(at) = said_aim {
        aimed.words.remove(at);
        if aimed.words.is_empty() {
            aimed.words.push("link".into());
        }
        let lower = aimed.said.to_lowercase();
        if let Some(found) = aims
            .iter()
            .find_map(|aim| lower.find(aim).map(|at| (at, aim.len())))
        {
            aimed.said.replace_range(found.0..found.0 + found.1, "");
            aimed.said = aimed.said.trim().to_owned();
            aimed.full = aimed.said.clone();
        }
    }
    let is_link = said_aim.is_some()
        || matches!(
            target.role(),
            Some((Role::Link | Role::Button | Role::MenuItem, ..))
        );
    let old_is_address = target.quoted.iter().any(|text| is_address(text));
    (is_link && !old_is_address && is_address(&value.text)).then(|| Ask::Link {
        target: aimed,
        value: Some(value.clone()),
    })
}

/// Whether a value is an address: a URL, a path, an anchor, a host name.
pub fn is_address(text: &str) -> bool {
    let text = text.trim().trim_end_matches('.');
    if text.is_empty() || text.contains(char::is_whitespace) {
        return false;
    }
    let host = |text: &str| {
        let host = text.split(['/', '?', '#']).next().unwrap_or_default();
        let last = host.rsplit('.').next().unwrap_or_default();
        host.contains('.')
            && last.len() >= 2
            && last.chars().all(|c| c.is_ascii_alphabetic())
            && !host.contains('@')
    };
    text.contains("://")
        || ["/", "#", "./", "../", "mailto:", "tel:"]
            .iter()
            .any(|start| text.starts_with(start))
        || host(text)
}

/// Splits "the h1 font size" into "the h1" and the property.
pub fn property(text: &str) -> Option<(String, &'static str, &'static str)> {
    let lower = text.to_lowercase();
    PROPERTIES.iter().find_map(|(words, property)| {
        let front = lower.strip_suffix(words)?;
        (front.is_empty() || front.ends_with([' ', '\'']))
            .then(|| (text[..front.len()].trim().to_owned(), *words, *property))
    })
}

pub(super) fn style_of(left: &str, value: &Said) -> Option<Ask> {
    let bare = left.trim().trim_end_matches([',', ':']);
    // "the background colour of the footer"
    let (front, behind) = match outside(bare, " of ").first().copied() {
        Some(at) => (bare[..at].to_owned(), Some(bare[at + 4..].to_owned())),
        None => (bare.to_owned(), None),
    };
    let (element, words, property) = property(&front).or_else(|| {
        let at = outside(bare, " in ").first().copied()?;
        property(bare[..at].trim())
    })?;
    let text = value.text.trim().trim_end_matches('.').to_owned();
    let fits = style_value(property, &text)?;
    let target = match behind {
        Some(behind) => Phrase::new(&behind),
        None => {
            let element = super::super::phrase::strip_article(&element)
                .trim_end_matches("'s")
                .trim_end_matches("’s")
                .to_owned();
            let mut phrase = Phrase::new(&element);
            // Places behind the property ("the link colour in the footer").
            let places = Phrase::new(bare).places;
            for place in places {
                if !phrase.places.contains(&place) && place.words != phrase.words {
                    phrase.places.push(place);
                }
            }
            phrase
        }
    };
    Some(Ask::Style {
        target,
        property: words.to_owned(),
        value: Said {
            text: fits,
            quoted: value.quoted,
        },
    })
}

/// A value in the words of a style sheet, when it suits the property.
pub fn style_value(property: &str, text: &str) -> Option<String> {
    match property {
        "color" | "background-color" | "border-color" => colors::parse(text).or_else(|| {
            let looks = text.starts_with("var(")
                || text.starts_with("linear-gradient(")
                || text.starts_with('$');
            looks.then(|| text.to_owned())
        }),
        // Free words, but not those of another property ("font" before "size 6em").
        "font-family" | "border" | "box-shadow" | "text-align" => {
            let other = PROPERTIES.iter().any(|(words, _)| {
                text.strip_prefix(words)
                    .is_some_and(|rest| rest.starts_with(' '))
            });
            (!other).then(|| text.to_owned())
        }
        "font-weight" => Some(text.to_owned()).filter(|text| {
            text.parse::<u32>().is_ok()
                || matches!(text.as_str(), "bold" | "normal" | "lighter" | "bolder")
        }),
        _ => size(text),
    }
}

/// A size: `48px`, "forty eight pixels", "1.5", `clamp(…)`.
pub fn size(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(size) = numbers::size(text) {
        return Some(size);
    }
    let number = text.parse::<f64>().is_ok();
    let function = ["calc(", "clamp(", "min(", "max(", "var("]
        .iter()
        .any(|start| text.starts_with(start));
    let list = text.split_whitespace().count() > 1
        && text
            .split_whitespace()
            .all(|part| numbers::size(part).is_some() || part == "0" || part == "auto");
    (number || function || list || text == "auto").then(|| text.to_owned())
}

/// "add the class wide to the hero", "set the width of the hero image to 1200", "open the X link in a new tab".
pub(super) fn attribute(body: &str) -> Option<Ask> {
    let body = body.trim_end_matches('.');
    let lower = body.to_lowercase();
    if lower.len() != body.len() {
        return None;
    }
    let ask = |target: &str, name: &str, value: &str, how: How| {
        let value = said(value).text;
        (!value.is_empty() && !target.trim().is_empty()).then(|| Ask::Attribute {
            target: Phrase::new(target),
            name: name.to_owned(),
            value,
            how,
        })
    };
    for tail in [" in a new tab", " in a new window", " in new tab"] {
        if lower.starts_with("open ") && lower.ends_with(tail) {
            return ask(
                &body[5..body.len() - tail.len()],
                "target",
                "_blank",
                How::Set,
            );
        }
    }
    let after = |leads: &[&str]| {
        leads
            .iter()
            .find(|lead| lower.starts_with(**lead))
            .map(|lead| &body[lead.len()..])
    };
    if let Some(rest) = after(&[
        "add the class ",
        "add class ",
        "add a class ",
        "give the class ",
    ]) {
        let at = outside(rest, " to ").first().copied()?;
        return ask(&rest[at + 4..], "class", &rest[..at], How::Add);
    }
    if let Some(rest) = after(&["remove the class ", "remove class ", "drop the class "]) {
        let at = outside(rest, " from ").first().copied()?;
        return ask(&rest[at + 6..], "class", &rest[..at], How::Take);
    }
    let rest = after(&["set the ", "change the ", "set ", "change "])?;
    for name in ["class", "id", "rel", "lang", "width", "height", "target"] {
        let Some(rest) = rest.strip_prefix(&format!("{name} of ")) else {
            continue;
        };
        let at = outside(rest, " to ").last().copied()?;
        let value = said(&rest[at + 4..]).text;
        // A length with a unit is a style.
        let sized = matches!(name, "width" | "height");
        let attribute = match name {
            "target" => value.starts_with('_'),
            _ => !sized || value.parse::<u32>().is_ok(),
        };
        return if attribute && outside(&rest[..at], " from ").is_empty() {
            ask(&rest[..at], name, &rest[at + 4..], How::Set)
        } else {
            None
        };
    }
    None
}

/// "the text of the about link" is that link: what is set of it is its text.
fn worded(target: &mut Phrase) {
    let text = matches!(target.words.as_slice(), [word] if matches!(word.as_str(), "text" | "wording" | "caption"));
    let Some(place) = target
        .places
        .first()
        .filter(|_| text && target.quoted.is_empty())
    else {
        return;
    };
    let holder = (0..place.words.len()).any(|at| {
        super::super::lexicon::role_at(&place.words[at..]).is_some_and(|(role, length)| {
            at + length == place.words.len()
                && matches!(role, Role::Button | Role::Link | Role::MenuItem)
        })
    });
    if !holder || place.path.is_some() {
        return;
    }
    // As it was said, little words and all: "the text of the Order a set button".
    let lower = target.whole.to_ascii_lowercase();
    let behind = [" of ", " on ", " in "]
        .iter()
        .filter_map(|mark| Some(lower.find(mark)? + mark.len()))
        .min();
    if let Some(rest) = behind.and_then(|at| target.whole.get(at..)) {
        *target = Phrase::new(rest);
    }
}

/// "the word coffee": the word itself is meant, as in quotes.
pub(super) fn spelled(target: &mut Phrase) {
    worded(target);
    let named = target
        .words
        .first()
        .is_some_and(|word| matches!(word.as_str(), "word" | "words" | "phrase" | "term"));
    let Some((_, said)) = target.said.split_once(' ').filter(|_| named) else {
        return;
    };
    if !target.quoted.is_empty() || target.words.len() < 2 {
        return;
    }
    let (said, all) = match throughout(&format!(" {said}")) {
        Some(said) => (said.to_owned(), true),
        None => (said.to_owned(), false),
    };
    target.quoted = vec![said];
    target.words = if all {
        vec!["everywhere".to_owned()]
    } else {
        Vec::new()
    };
    target.said.clear();
    target.full.clear();
}

/// What stands before "everywhere" at the end of a request.
pub(super) fn throughout(text: &str) -> Option<&str> {
    const ENDS: &[&str] = &[
        " everywhere",
        " throughout",
        " throughout the site",
        " throughout the website",
        " on every page",
        " on all pages",
        " on all the pages",
        " across the site",
        " across the whole site",
        " across all pages",
    ];
    let text = text.trim().trim_end_matches('.');
    ENDS.iter().find_map(|end| {
        let at = text.len().checked_sub(end.len())?;
        let fits = text.get(at..)?.eq_ignore_ascii_case(end);
        (fits && !text[..at].trim().is_empty()).then(|| text[..at].trim())
    })
}
