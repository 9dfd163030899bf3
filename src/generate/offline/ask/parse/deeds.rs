//! Deeds other than setting a text: make, point, add.

use super::*;

pub(super) fn make(rest: &str) -> Vec<Ask> {
    for mark in [" say ", " read ", " be called "] {
        if let Some(at) = outside(rest, mark).first().copied() {
            return value_and_places(&rest[at + mark.len()..])
                .into_iter()
                .flat_map(|(value, places)| set_one(&rest[..at], value, &places))
                .collect();
        }
    }
    for mark in [
        " link to ",
        " point to ",
        " point at ",
        " go to ",
        " lead to ",
        " links to ",
    ] {
        if let Some(at) = outside(rest, mark).first().copied() {
            return vec![Ask::Link {
                target: Phrase::new(&rest[..at]),
                value: Some(said(&rest[at + mark.len()..])),
            }];
        }
    }
    let bare = rest.trim_end_matches('.');
    // "make the button green in the hero"
    if let Some((Some(value), places)) = value_and_places(bare).into_iter().next()
        && !places.is_empty()
        && !value.quoted
    {
        let mut asks = make(&value.text);
        for ask in &mut asks {
            with_places(ask, &places);
        }
        if asks.iter().any(|ask| matches!(ask, Ask::Style { .. })) {
            return asks;
        }
    }
    // The value is the longest end of the words that is one.
    let cuts: Vec<usize> = outside(bare, " ");
    for at in cuts {
        let (left, value) = (bare[..at].trim(), bare[at + 1..].trim());
        if left.is_empty() || value.is_empty() {
            continue;
        }
        let value_said = said(value);
        if let Some(style) = style_of(left, &value_said) {
            return vec![style];
        }
        let lower = value_said.text.to_lowercase();
        let color = colors::parse(&value_said.text);
        let size = numbers::size(&value_said.text);
        if color.is_some() || size.is_some() || LOOKS.contains(&lower.as_str()) {
            let target = Phrase::new(left);
            return vec![Ask::Style {
                target,
                property: String::new(),
                value: Said {
                    text: color.or(size).unwrap_or(lower),
                    quoted: value_said.quoted,
                },
            }];
        }
    }
    if let Some(at) = outside(rest, " to ").first().copied() {
        return set_one(&rest[..at], Some(said(&rest[at + 4..])), &[]);
    }
    Vec::new()
}

/// "center the headline", "underline the links in the footer": verbs that say a look.
pub(super) fn look(body: &str) -> Option<Vec<Ask>> {
    let (verb, rest) = body.split_once(' ')?;
    let verb = verb.to_lowercase();
    let (_, look) = LOOK_VERBS.iter().find(|(known, _)| *known == verb)?;
    let rest = rest.trim().trim_end_matches('.');
    (!rest.is_empty()).then(|| make(&format!("{rest} {look}")))
}

pub(super) fn point(rest: &str) -> Vec<Ask> {
    let mut asks = Vec::new();
    for mark in [" at ", " to ", " towards ", " over to "] {
        for at in outside(rest, mark) {
            let right = rest[at + mark.len()..].trim();
            for (value, places) in value_and_places(right) {
                let Some(mut value) = value else { continue };
                if !value.quoted {
                    value.text = value.text.trim_end_matches('.').to_owned();
                }
                let mut ask = Ask::Link {
                    target: Phrase::new(&rest[..at]),
                    value: Some(value),
                };
                with_places(&mut ask, &places);
                asks.push(ask);
            }
        }
    }
    if asks.is_empty() {
        asks.push(Ask::Link {
            target: whole(rest),
            value: None,
        });
    }
    // An address is an address.
    asks.sort_by_key(|ask| match ask {
        Ask::Link {
            value: Some(value), ..
        } => !is_address(&value.text),
        _ => true,
    });
    asks
}

pub(super) fn add(rest: &str) -> Vec<Ask> {
    let rest = rest.trim_end_matches('.');
    let mut text = rest.to_owned();
    let mut link = None;
    for mark in [
        " linking to ",
        " that links to ",
        " which links to ",
        " pointing to ",
        " pointing at ",
        " leading to ",
        " going to ",
        " that goes to ",
        " linked to ",
        " with the link ",
        " with link ",
        " with the url ",
    ] {
        if let Some(at) = outside(&text, mark).first().copied() {
            let tail = text[at + mark.len()..].to_owned();
            let address: String = tail
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .trim_matches(|c| c == '\'' || c == '"' || c == ',')
                .to_owned();
            let length = tail.find(char::is_whitespace).unwrap_or(tail.len());
            link = Some(address);
            text = format!("{}{}", &text[..at], &tail[length..]);
            break;
        }
    }
    // "a link to Projects at /projects in the nav"
    if link.is_none()
        && let Some(at) = outside(&text, " at ").into_iter().find(|at| {
            let next = text[at + 4..].split_whitespace().next().unwrap_or_default();
            next.starts_with(['/', '#']) || next.contains("://")
        })
    {
        let tail = text[at + 4..].to_owned();
        let length = tail.find(char::is_whitespace).unwrap_or(tail.len());
        link = Some(tail[..length].trim_matches(['\'', '"', ',']).to_owned());
        text = format!("{}{}", &text[..at], &tail[length..]);
    }
    // A link to an address: "add a link to https://… in the footer".
    if link.is_none()
        && let Some(at) = outside(&text, " to ")
            .into_iter()
            .find(|at| is_address(text[at + 4..].split_whitespace().next().unwrap_or_default()))
    {
        let tail = text[at + 4..].to_owned();
        let length = tail.find(char::is_whitespace).unwrap_or(tail.len());
        link = Some(
            tail[..length]
                .trim_matches(|c| c == '\'' || c == '"')
                .to_owned(),
        );
        text = format!("{}{}", &text[..at], &tail[length..]);
    }
    let mut content = None;
    if let Some((named, rest)) = leads_to(&text) {
        content = Some(said(&named));
        text = rest;
    }
    // In quotes, its text may stand before or after its place.
    for mark in SAYING {
        if let Some(at) = outside(&text, mark).first().copied()
            && let Some((a, b)) = quoted_spans(&text)
                .into_iter()
                .find(|(a, _)| *a >= at + mark.len() && text[at + mark.len()..*a].trim().is_empty())
        {
            content = Some(said(&text[a..b]));
            text = format!("{}{}", &text[..at], &text[b..]);
            break;
        }
    }
    // "at the top of the page saying We moved": the place comes first.
    let (_, early) = spot(&text);
    if content.is_none()
        && early.of.is_some()
        && let Some((at, length)) = SAYING
            .iter()
            .filter_map(|mark| Some((outside(&text, mark).first().copied()?, mark.len())))
            .min()
        && spot(&text[..at]).1.of.is_some()
    {
        content = Some(said(&text[at + length..]));
        text.truncate(at);
    }
    let (text, place) = spot(&text);
    let mut head = text.clone();
    let mut after = Vec::new();
    for mark in SAYING {
        if content.is_some() {
            break;
        }
        if let Some(at) = outside(&text, mark).first().copied() {
            // "saying Hello on the about page"
            if let Some((value, places)) = value_and_places(&text[at + mark.len()..])
                .into_iter()
                .next()
            {
                content = value;
                after = places;
            }
            head.truncate(at);
            break;
        }
    }
    let mut what = Phrase::new(&head);
    what.places.extend(after);
    if content.is_none() && what.quoted.len() == 1 {
        content = Some(Said {
            text: what.quoted.remove(0),
            quoted: true,
        });
    }
    if content.is_none() {
        content = trailing(&mut what);
    }
    vec![Ask::Add {
        what,
        text: content,
        link,
        place,
    }]
}

/// "a heading Opening hours": words with a capital behind the noun are its text.
fn trailing(what: &mut Phrase) -> Option<Said> {
    let (noun, rest) = what.said.split_once(' ')?;
    let takes_text = ["heading", "subheading", "headline", "paragraph", "button"];
    if !takes_text.contains(&noun.to_lowercase().as_str())
        || !rest.starts_with(char::is_uppercase)
        || !what.quoted.is_empty()
    {
        return None;
    }
    let text = Said {
        text: rest.trim().to_owned(),
        quoted: false,
    };
    let noun = noun.to_owned();
    what.words = vec![noun.to_lowercase()];
    what.full.clone_from(&noun);
    what.said = noun;
    Some(text)
}

/// "a link to Projects in the nav": what an entry leads to is its text. The text, and the request without it.
fn leads_to(text: &str) -> Option<(String, String)> {
    const NOUNS: &[&str] = &[
        "link",
        "menu item",
        "menu entry",
        "menu link",
        "nav item",
        "nav link",
        "navigation item",
        "navigation link",
        "entry",
        "tab",
    ];
    let lower = text.to_ascii_lowercase();
    let (start, end) = NOUNS.iter().find_map(|noun| {
        [" to ", " for "].iter().find_map(|mark| {
            let both = format!("{noun}{mark}");
            let at = lower.find(&both)?;
            let front = at == 0 || lower[..at].ends_with(' ');
            let short = lower[..at].split_whitespace().count() < 4;
            (front && short).then_some((at + noun.len(), at + both.len()))
        })
    })?;
    let tail = &text[end..];
    let cut = [
        " in the ",
        " on the ",
        " to the ",
        " in our ",
        " after ",
        " before ",
        " below ",
        " above ",
        " under ",
        " next to ",
        " at the ",
    ]
    .iter()
    .filter_map(|mark| outside(tail, mark).first().copied())
    .min()
    .unwrap_or(tail.len());
    let named = tail[..cut].trim();
    let first = named.split_whitespace().next()?;
    if is_address(first) {
        return None;
    }
    // "a link to the about page" is called as the page is.
    let bare = super::super::phrase::strip_article(named);
    let bare = bare.strip_suffix(" page").unwrap_or(bare);
    let list = lower[end..].starts_with("the ") && bare.len() + 4 == named.len();
    // "a link to the footer" goes there.
    if list && cut == tail.len() {
        return None;
    }
    Some((
        bare.to_owned(),
        format!("{}{}", &text[..start], &tail[cut..]),
    ))
}

/// What leads the text of something new.
const SAYING: &[&str] = &[
    " saying ",
    " that says ",
    " which says ",
    " with the alt text ",
    " with alt text ",
    " with the text ",
    " with text ",
    " reading ",
    " called ",
    " named ",
    " titled ",
    " labelled ",
    " labeled ",
    " with the title ",
    " with the heading ",
    " with the label ",
    " which reads ",
    " that reads ",
];

/// Splits "a paragraph below the hero" into what and where.
pub(super) fn spot(text: &str) -> (String, Spot) {
    let marks: &[(&str, Side)] = &[
        (" at the end of ", Side::End),
        (" at the bottom of ", Side::End),
        (" to the end of ", Side::End),
        (" to the bottom of ", Side::End),
        (" at the start of ", Side::Start),
        (" at the beginning of ", Side::Start),
        (" at the top of ", Side::Start),
        (" to the top of ", Side::Start),
        (" to the start of ", Side::Start),
        (" to the front of ", Side::Start),
        (" to the beginning of ", Side::Start),
        (" at the front of ", Side::Start),
        (" underneath ", Side::After),
        (" below ", Side::After),
        (" beneath ", Side::After),
        (" under ", Side::After),
        (" right after ", Side::After),
        (" after ", Side::After),
        (" next to ", Side::After),
        (" beside ", Side::After),
        (" following ", Side::After),
        (" above ", Side::Before),
        (" right before ", Side::Before),
        (" before ", Side::Before),
        (" in front of ", Side::Before),
    ];
    let mut best: Option<(usize, usize, Side)> = None;
    for (mark, side) in marks {
        if let Some(at) = outside(text, mark).first().copied()
            && best
                .is_none_or(|(known, length, _)| at < known || (at == known && mark.len() > length))
        {
            best = Some((at, mark.len(), *side));
        }
    }
    if let Some((at, length, side)) = best {
        let of = Phrase::new(&text[at + length..]);
        return (text[..at].to_owned(), Spot { side, of: Some(of) });
    }
    // "to the footer", "to the main menu"
    if let Some(at) = outside(text, " to the ").last().copied() {
        let of = Phrase::new(&text[at + 4..]);
        return (
            text[..at].to_owned(),
            Spot {
                side: Side::Anywhere,
                of: Some(of),
            },
        );
    }
    (
        text.to_owned(),
        Spot {
            side: Side::Anywhere,
            of: None,
        },
    )
}
