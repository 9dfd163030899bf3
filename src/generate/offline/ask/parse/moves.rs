//! Moving a thing, and swapping two.

use super::deeds::spot;
use super::*;

pub(super) fn movement(rest: &str) -> Vec<Ask> {
    let rest = rest.trim_end_matches('.');
    let lower = rest.to_lowercase();
    for (tail, side) in [
        (" up one place", Side::Up),
        (" down one place", Side::Down),
        (" one place up", Side::Up),
        (" one place down", Side::Down),
        (" one up", Side::Up),
        (" one down", Side::Down),
        (" up", Side::Up),
        (" down", Side::Down),
        (" to the top", Side::Start),
        (" to the start", Side::Start),
        (" to the front", Side::Start),
        (" to the beginning", Side::Start),
        (" to the bottom", Side::End),
        (" to the end", Side::End),
        (" first", Side::Start),
        (" last", Side::End),
    ] {
        if lower.ends_with(tail) {
            let target = Phrase::new(&rest[..rest.len() - tail.len()]);
            return vec![Ask::Move(target, Spot { side, of: None })];
        }
    }
    // "move Features up in the menu": the place is where it stands.
    for (mark, side) in [
        (" one place up ", Side::Up),
        (" one place down ", Side::Down),
        (" up one place ", Side::Up),
        (" down one place ", Side::Down),
        (" up ", Side::Up),
        (" down ", Side::Down),
    ] {
        if let Some(at) = outside(rest, mark).last().copied() {
            let tail = &rest[at + mark.len()..];
            let placed = ["in ", "on ", "within ", "inside "]
                .iter()
                .find_map(|lead| tail.strip_prefix(lead));
            if let Some(placed) = placed {
                let mut target = Phrase::new(&rest[..at]);
                target.places.push(Place::new(placed));
                return vec![Ask::Move(target, Spot { side, of: None })];
            }
        }
    }
    let (what, mut place) = spot(rest);
    let Some(of) = place.of.as_ref() else {
        return Vec::new();
    };
    // "to the top of the menu": to the start of the list it is in.
    if matches!(place.side, Side::Start | Side::End) {
        let mut target = Phrase::new(&what);
        target.places.push(Place {
            words: of.words.clone(),
            quoted: of.quoted.clone(),
            ..Place::default()
        });
        target.places.extend(of.places.iter().cloned());
        place.of = None;
        return vec![Ask::Move(target, place)];
    }
    vec![Ask::Move(Phrase::new(&what), place)]
}

/// Whether a word is the plural of a record ("cards", "plans").
fn lists(word: &str) -> bool {
    let noun = super::super::lexicon::singular(word);
    noun != word && super::super::lexicon::RECORD.contains(&noun)
}

/// "swap the menu link and the about link": the one that says Menu is meant, not those of the menu.
fn by_name(phrase: &mut Phrase) {
    let role = super::super::lexicon::role_at(&phrase.words);
    if let [_, noun] = phrase.words.as_slice()
        && phrase.quoted.is_empty()
        && role.is_some_and(|(_, length)| length == 2)
        && let Some((name, _)) = phrase.said.rsplit_once(' ')
    {
        phrase.quoted = vec![name.to_owned()];
        phrase.words = vec![noun.clone()];
    }
}

pub(super) fn swap(rest: &str) -> Vec<Ask> {
    let rest = rest.trim_end_matches('.');
    for mark in [" with ", " and "] {
        if let Some(at) = outside(rest, mark).first().copied() {
            let (mut a, mut b) = (
                Phrase::new(&rest[..at]),
                Phrase::new(&rest[at + mark.len()..]),
            );
            // "the Resume and Portfolio links", "the first and the second card": both are such.
            let counted = b.ordinal.is_some() && a.ordinal.is_none();
            if let Some(last) = b.words.last().cloned()
                && a.role().is_none()
                && (b.words.len() > 1 || counted)
                && (b.role().is_some() || counted || lists(&last))
            {
                if counted
                    && let [word] = a.words.as_slice()
                    && let Some(ordinal) = super::super::lexicon::ordinal(word)
                {
                    a.ordinal = Some(ordinal);
                    a.words.clear();
                    a.said.clear();
                    a.full.clear();
                }
                let noun = super::super::lexicon::singular(&last).to_owned();
                a.words.push(noun.clone());
                a.full = format!("{} {noun}", a.full);
                a.said = format!("{} {noun}", a.said);
                if let Some(word) = b.words.last_mut() {
                    *word = noun;
                }
            }
            for phrase in [&mut a, &mut b] {
                by_name(phrase);
            }
            return vec![Ask::Swap(a, b)];
        }
    }
    if let Some(at) = outside(rest, " for ").first().copied() {
        return set_one(&rest[..at], Some(said(&rest[at + 5..])), &[]);
    }
    Vec::new()
}
