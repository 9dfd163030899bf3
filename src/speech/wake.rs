//! The phrase that wakes: is it at the front of what was overheard, and where does the instruction after it begin?

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Transcriber;
use crate::voice::{RATE, gate};

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

/// How long after its beginning speech is noticed.
const LATE: usize = RATE as usize / 5;

/// Places closer than this many steps belong to one pause.
const APART: usize = 2;

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
    // All of it where that is not too long: a cut in the middle of a word may make nonsense of the front.
    let whole = read(sound).await;
    let mut count = phrase_at(phrase, &whole);
    for front in [FRONT, FRONT * 2 / 3] {
        if count.is_none() && sound.len() > front {
            count = phrase_at(phrase, &read(&sound[..front]).await);
        }
    }
    let Some(count) = count else {
        return Overheard::Nothing;
    };
    let rest: Vec<&str> = whole.split_whitespace().skip(count).collect();
    let rest = letters(&rest.join(" "));
    if rest.is_empty() {
        return Overheard::Phrase;
    }
    let mut best = (UNLIKE_REST, None);
    for cut in places(sound) {
        let text = read(&sound[cut..]).await;
        let unlike = distance(&letters(&text), &rest);
        // A cut before the phrase leaves all of it.
        if unlike < best.0 && phrase_at(phrase, &text).is_none() {
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

/// Where the phrase may end: the quietest places after somebody began to speak, no two of one pause.
fn places(sound: &[f32]) -> Vec<usize> {
    let powers: Vec<f32> = sound
        .chunks(STEP)
        .map(|chunk| chunk.iter().map(|sample| sample * sample).sum())
        .collect();
    // Not by loudness: a phrase may be said far more softly than what follows it.
    let begins = (gate::listen(sound).first * gate::FRAME).saturating_sub(LATE);
    let first = (begins + SHORTEST) / STEP;
    let last = (sound.len().saturating_sub(SHORTEST).min(FRONT)) / STEP;
    let mut quiet: Vec<usize> = (first..last.max(first)).collect();
    quiet.sort_by(|&a, &b| powers[a].total_cmp(&powers[b]));
    let mut chosen: Vec<usize> = Vec::new();
    for at in quiet {
        if chosen.len() < TRIES && chosen.iter().all(|&other| at.abs_diff(other) > APART) {
            chosen.push(at);
        }
    }
    chosen.into_iter().map(|at| at * STEP + STEP / 2).collect()
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
    fn silence_before_a_soft_voice_is_no_place_to_cut() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/voice/demo.wav");
        let said = crate::voice::wav::read(file.as_ref()).unwrap();
        let soft = said.iter().map(|sample| sample * 0.1);
        let silence = std::iter::repeat_n(0.0, RATE as usize);
        let sound: Vec<f32> = silence.chain(soft).chain(said.iter().copied()).collect();
        let places = places(&sound);
        assert!(
            places.len() > 3 && places.iter().all(|place| *place > RATE as usize),
            "{places:?}"
        );
    }

    #[test]
    fn quiet_places_are_tried_first() {
        let mut sound = vec![0.3; 48_000];
        sound[27_500..29_500].fill(0.0);
        let places = places(&sound);
        assert!((27_500..29_500).contains(&places[0]), "{places:?}");
        assert!(places.len() <= TRIES);
        assert!(super::places(&[0.0; 100]).is_empty());
    }
}
