//! The phrase that wakes: is it at the front of what was overheard, and where does the instruction after it begin?

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Transcriber;
use crate::voice::RATE;

/// How much of the front is read to look for the phrase.
const FRONT: usize = RATE as usize * 7 / 2;

/// How unlike the phrase what was heard may be: letters that differ, over all letters.
const UNLIKE: f64 = 0.34;

/// How unlike the instruction its sound may read when cut out.
const UNLIKE_REST: f64 = 0.4;

/// No phrase is shorter (seconds × samples), nor is what follows it.
const SHORTEST: usize = RATE as usize * 3 / 10;

/// How far apart places to cut are looked for, and how much sound tells how quiet a place is.
const STEP: usize = RATE as usize / 20;

/// Places that are tried, quietest first.
const TRIES: usize = 14;

/// What was overheard.
#[derive(Debug, PartialEq)]
pub enum Overheard {
    /// The phrase was not at its front.
    Nothing,
    /// The phrase, and nothing after it.
    Phrase,
    /// The phrase, and an instruction, which begins at this sample.
    Instruction(usize),
}

/// Looks for `phrase` at the front of `sound` (16 kHz mono).
pub async fn listen(phrase: &str, sound: &[f32], speech: &dyn Transcriber) -> Overheard {
    let read = async |sound: &[f32]| {
        let look = speech.glance(sound.to_vec(), Arc::new(AtomicBool::new(false)));
        look.await.ok().flatten().unwrap_or_default()
    };
    let front = read(&sound[..sound.len().min(FRONT)]).await;
    let Some(count) = phrase_at(phrase, &front) else {
        return Overheard::Nothing;
    };
    let whole = if sound.len() > FRONT {
        read(sound).await
    } else {
        front
    };
    let rest: Vec<&str> = whole.split_whitespace().skip(count).collect();
    let rest = letters(&rest.join(" "));
    if rest.is_empty() {
        return Overheard::Phrase;
    }
    let mut best = (UNLIKE_REST, None);
    for cut in places(sound) {
        let unlike = distance(&letters(&read(&sound[cut..]).await), &rest);
        if unlike < best.0 {
            best = (unlike, Some(cut));
        }
        if unlike == 0.0 {
            break;
        }
    }
    // Nothing is sent that might begin with the phrase, or lack its own beginning: it is asked for again.
    best.1.map_or(Overheard::Phrase, Overheard::Instruction)
}

/// How many words at the front of `text` are the phrase.
fn phrase_at(phrase: &str, text: &str) -> Option<usize> {
    let wanted = letters(phrase);
    let usual = phrase.split_whitespace().count();
    let words: Vec<&str> = text.split_whitespace().collect();
    // "Sayso" may be heard as "say so", and "hey sayso" as "heysayso".
    (1..=usual + 2)
        .filter(|count| *count <= words.len() && !wanted.is_empty())
        .map(|count| {
            (
                distance(&letters(&words[..count].join(" ")), &wanted),
                count,
            )
        })
        .filter(|(unlike, _)| *unlike <= UNLIKE)
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, count)| count)
}

fn letters(text: &str) -> String {
    let letters = text.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn distance(a: &str, b: &str) -> f64 {
    1.0 - strsim::normalized_levenshtein(a, b)
}

/// Where the phrase may end: the quietest places near the front, earliest first among equals.
fn places(sound: &[f32]) -> Vec<usize> {
    let last = sound.len().saturating_sub(SHORTEST).min(FRONT);
    let mut quiet: Vec<(f32, usize)> = (SHORTEST..last)
        .step_by(STEP)
        .map(|at| {
            let around = &sound[at - STEP / 2..(at + STEP / 2).min(sound.len())];
            (around.iter().map(|sample| sample * sample).sum(), at)
        })
        .collect();
    quiet.sort_by(|a, b| a.0.total_cmp(&b.0));
    quiet.into_iter().take(TRIES).map(|(_, at)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phrase_is_found_however_it_is_written() {
        for (text, count) in [
            ("Hey, Sayso.", Some(2)),
            ("Hey say so, deploy that.", Some(3)),
            ("Hey, so, so. Change the headline.", Some(3)),
            ("Change the headline.", None),
            ("Hey there, how are you?", None),
            ("", None),
        ] {
            assert_eq!(phrase_at("hey sayso", text), count, "{text}");
        }
        assert_eq!(phrase_at("", "anything"), None);
    }

    #[test]
    fn quiet_places_are_tried_first() {
        let mut sound = vec![0.3; 32_000];
        sound[11_500..13_500].fill(0.0);
        let places = places(&sound);
        assert!((11_500..13_500).contains(&places[0]), "{places:?}");
        assert!(places.len() <= TRIES);
        assert!(super::places(&[0.0; 100]).is_empty());
    }
}
