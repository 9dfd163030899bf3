//! The phrase that wakes: is it at the front of what was overheard, and where does the instruction after it begin?

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Transcriber;
use crate::voice::{RATE, gate};

/// How much of the front is read to look for the phrase.
const FRONT: usize = RATE as usize * 7 / 2;

/// How unlike the phrase what was heard may be: letters that differ, over all letters.
const UNLIKE: f64 = 0.34;

/// How unlike it may be written to be compared with its sound.
const UNLIKE_AT_ALL: f64 = 0.75;

/// By how much the phrase may fit the sound worse than what was read freely (a natural logarithm). Of 162 clips of nine
/// synthetic voices that began with another phrase none came nearer than 17.
const GAP: f32 = 13.0;

/// How unlike the instruction its sound may read when cut out: short words are often misheard behind the phrase and
/// right when they stand alone.
const UNLIKE_REST: f64 = 0.6;

/// From here on it reads as well as one could wish: no further place is tried.
const ALIKE: f64 = 0.1;

/// No phrase is shorter (seconds × samples), nor is what follows it.
const SHORTEST: usize = RATE as usize * 3 / 10;

/// How far apart places to cut are looked for, and how much sound tells how quiet a place is.
const STEP: usize = RATE as usize / 40;

/// How long after its beginning speech is noticed.
const LATE: usize = RATE as usize / 5;

/// Places closer than this many steps belong to one pause.
const APART: usize = 3;

/// Places that are tried, the likeliest first.
const TRIES: usize = 10;

/// Seconds that a phrase takes: a start, and each of its letters.
const START: f64 = 0.15;
const LETTER: f64 = 0.065;

/// By how many decibels a place must be quieter to make up for being a second further from where the phrase should end.
const PER_SECOND: f64 = 30.0;

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
    if count.is_none() {
        count = by_sound(phrase, &whole, sound, speech).await;
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
    for cut in places(phrase, sound) {
        let text = read(&sound[cut..]).await;
        let unlike = distance(&letters(&text), &rest);
        // A cut before the phrase leaves all of it.
        if unlike < best.0 && phrase_at(phrase, &text).is_none() {
            best = (unlike, Some(cut));
        }
        if best.0 <= ALIKE {
            break;
        }
    }
    // Nothing is sent that might begin with the phrase, or lack its own beginning: it is asked for again.
    best.1.map_or(Overheard::Phrase, Overheard::Instruction)
}

/// How many words at the front of `text`, which was read freely, are the phrase by the sound of them: it was misheard,
/// but fits as well as what was read.
async fn by_sound(
    phrase: &str,
    text: &str,
    sound: &[f32],
    speech: &dyn Transcriber,
) -> Option<usize> {
    let fronts = fronts(phrase, text, UNLIKE_AT_ALL);
    let words: Vec<&str> = text.split_whitespace().collect();
    let texts: Vec<String> = fronts
        .iter()
        .flat_map(|&(_, count)| {
            let rest = words[count..].join(" ");
            [",", ""].map(|stop| format!("{phrase}{stop} {rest}").trim().to_owned())
        })
        .collect();
    if texts.is_empty() {
        return None;
    }
    let fit = speech.compare(sound.to_vec(), texts).await.ok().flatten()?;
    let fitting = fronts
        .iter()
        .zip(fit.phrases.chunks(2))
        .map(|((_, count), scores)| (scores.iter().copied().fold(f32::MIN, f32::max), *count));
    let (score, count) = fitting.max_by(|a, b| a.0.total_cmp(&b.0))?;
    tracing::debug!(gap = fit.own - score, "the phrase that wakes, by its sound");
    (fit.own - score <= GAP).then_some(count)
}

/// How many words at the front of `text` are the phrase.
fn phrase_at(phrase: &str, text: &str) -> Option<usize> {
    let near = fronts(phrase, text, UNLIKE).into_iter();
    near.min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, count)| count)
}

/// How unlike `phrase` as many words at the front of `text` are, where that is not more than `most`.
fn fronts(phrase: &str, text: &str, most: f64) -> Vec<(f64, usize)> {
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
        .filter(|(unlike, _)| *unlike <= most)
        .collect()
}

fn letters(text: &str) -> String {
    let letters = text.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn distance(a: &str, b: &str) -> f64 {
    1.0 - strsim::normalized_levenshtein(a, b)
}

/// Where the phrase may end: quiet places after somebody began to speak, no two of one pause, those about as late as
/// the phrase is long first.
fn places(phrase: &str, sound: &[f32]) -> Vec<usize> {
    let levels: Vec<f64> = sound
        .chunks(STEP)
        .map(|chunk| {
            let power: f32 = chunk.iter().map(|sample| sample * sample).sum();
            10.0 * (f64::from(power / STEP as f32) + 1e-7).log10()
        })
        .collect();
    // Not by loudness: a phrase may be said far more softly than what follows it.
    let begins = (gate::listen(sound).first * gate::FRAME).saturating_sub(LATE);
    let takes = START + LETTER * letters(phrase).len() as f64;
    let ends = begins as f64 + takes * f64::from(RATE);
    let first = (begins + SHORTEST) / STEP;
    let last = (sound.len().saturating_sub(SHORTEST).min(begins + FRONT)) / STEP;
    let unlikely = |at: usize| {
        let away = ((at * STEP) as f64 - ends).abs() / f64::from(RATE);
        levels[at] + away * PER_SECOND
    };
    let mut likely: Vec<usize> = (first..last.max(first)).collect();
    likely.sort_by(|&a, &b| unlikely(a).total_cmp(&unlikely(b)));
    let mut chosen: Vec<usize> = Vec::new();
    for at in likely {
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
        let places = places("hey computer", &sound);
        assert!(
            places.len() > 3 && places.iter().all(|place| *place > RATE as usize),
            "{places:?}"
        );
    }

    #[test]
    fn quiet_places_are_tried_first() {
        let mut sound = vec![0.3; 48_000];
        sound[27_500..29_500].fill(0.0);
        let places = places("hey computer", &sound);
        assert!((27_500..29_500).contains(&places[0]), "{places:?}");
        assert!(places.len() <= TRIES);
        assert!(super::places("hey", &[0.0; 100]).is_empty());
    }
}
