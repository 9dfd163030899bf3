//! What spoken words were taken for: how well the known phrases fit the sound, how far they are from the recogniser's
//! words, and whether their length fits, together.
//!
//! Pure. The recogniser's scores (natural logarithms of probabilities, with the decoder forced along each phrase) come
//! in, a [`Hearing`] goes out. What tells a command from an edit is less how well it fits than how much better than
//! when nobody speaks: a decoder writes "is it live" by itself more readily than "undo that", and that readiness is
//! taken off. The weights and thresholds come from a calibration: see [`WEIGHTS`].

use super::near;
use super::phrases::SURROUNDED;
use super::rivals;
use super::table::{Does, Phrase, Table};
use crate::model::{Hearing, Reading, Sureness};

/// Known phrases that are scored because of their words.
const NEAREST: usize = 5;

/// Rivals that are scored because of their words.
const RIVALS: usize = 4;

/// Rivals that are scored because they are near to the nearest known phrase.
const NEIGHBOURS: usize = 3;

/// More words than any control phrase has with its politeness: the clip is an edit, and nothing is scored.
const MOST_WORDS: usize = 9;

/// Speech this many times longer or shorter than a phrase takes is not that phrase.
const LENGTH: std::ops::RangeInclusive<f64> = 0.3..=3.0;

/// Seconds that a phrase takes: a start, and each of its letters.
const START: f64 = 0.15;
const LETTER: f64 = 0.065;

/// Certainty from which a reading is asked about.
pub const ASK: f32 = 0.36;

/// The same where the recogniser's words are a short edit letter for letter ("display it").
const ASK_RIVAL: f32 = 0.6;

/// Recognisers write these more readily than "undo that" and "undo it", however clearly those were said: never likely.
const TWINS: [&str; 4] = [
    "don't do that",
    "don't do it",
    "no don't do that",
    "no don't do it",
];

/// Certainty of words that are a known phrase letter for letter, however badly they fit: never less than a question.
const EXACT: f32 = 0.6;

/// Certainty from which a reading is likely, when it is also by [`APART`] likelier than any other: what costs nothing
/// is done.
pub const LIKELY: f32 = 0.93;

/// See [`LIKELY`].
pub const APART: f32 = 0.3;

/// Certainty from which a reading is as good as certain, when it is also by [`CLEAR`] likelier than any other and the
/// recogniser's words are the phrase letter for letter.
pub const CERTAIN: f32 = 0.95;

/// See [`CERTAIN`].
pub const CLEAR: f32 = 0.5;

/// Where the recogniser's words are a phrase letter for letter, another phrase that the sound speaks for this much less
/// (a natural logarithm: a thousand times less) is no other reading of it, however near its letters are.
pub const OUTDONE: f32 = 7.0;

/// Readings of two acts closer than this are both offered.
pub const CLOSE: f32 = 0.2;

/// Weights of what speaks for a phrase, in the order of [`features`], and the constant: a logistic regression over
/// the candidates of 1,877 clips (12 voices of espeak-ng and flite; control phrases, hostile short edits), each judged
/// by weights fitted without its phrase. `scripts/bench/voice.py` measures what comes of them and prints what other
/// thresholds would have given.
const WEIGHTS: ([f32; 9], f32) = (
    [
        -0.261, -0.267, 0.086, -0.126, 0.074, -0.193, -1.097, -0.666, 2.113,
    ],
    -1.934,
);

/// What is asked of the recogniser for one clip.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The words as the table writes them, without what precedes them.
    heard: String,
    /// The known phrases that are near by their words.
    known: Vec<Phrase>,
    /// Phrases to be scored in any case: the known ones, then rivals; as they are said.
    pub near: Vec<String>,
}

/// How well phrases fit a clip.
#[derive(Clone, Copy, Debug)]
pub struct Scores<'a> {
    /// The score of the recogniser's own words.
    pub own: f32,
    /// By how much those words are likelier with the clip than when nobody speaks.
    pub evidence: f32,
    /// The scores of [`Search::near`], then of the table's phrases in their order (−∞: not promising).
    pub phrases: &'a [f32],
    /// What the same phrases score when nobody speaks.
    pub nothing: &'a [f32],
    /// Seconds of speech in the clip; 0 when they are not known.
    pub speech: f64,
}

/// What to ask of the recogniser about a clip that it took for `text`; `None` when that is no control phrase by its
/// length alone.
pub fn search(table: &Table, text: &str) -> Option<Search> {
    let heard = table.normalise(text);
    if heard.is_empty() || heard.split(' ').count() > MOST_WORDS {
        return None;
    }
    let mut known: Vec<Phrase> = Vec::new();
    if let Some(hit) = table.exact(&heard) {
        // An environment of any name may be in it: then it stands in no table.
        known.push(Phrase {
            say: heard.clone(),
            sound: near::sound(&heard),
            does: hit.does,
            surrounded: false,
        });
    }
    let sound = near::sound(&heard);
    let mut all: Vec<(f64, &Phrase)> = table
        .phrases()
        .iter()
        .map(|phrase| {
            (
                near::distance_to(&heard, &sound, &phrase.say, &phrase.sound),
                phrase,
            )
        })
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, phrase) in all.into_iter().take(NEAREST) {
        if !known.iter().any(|other| other.say == phrase.say) {
            known.push(phrase.clone());
        }
    }
    Some(Search::of(heard, known))
}

/// What to ask about the end of a clip, behind words like "no, I meant": `rest` is the text of that end. The beginnings
/// of phrases are not searched there, so the usual ones are scored in any case. The recogniser is asked twice: for the
/// scores of [`Search::after`], and for what the phrases score with silence, without the words before them.
pub fn search_rest(table: &Table, rest: &str) -> Option<Search> {
    let Search {
        heard, mut known, ..
    } = search(table, rest)?;
    for usual in SURROUNDED {
        let missing = !known.iter().any(|phrase| phrase.say == *usual);
        if let Some(phrase) = table.phrases().iter().find(|p| missing && p.say == *usual) {
            known.push(phrase.clone());
        }
    }
    Some(Search::of(heard, known))
}

impl Search {
    fn of(heard: String, known: Vec<Phrase>) -> Self {
        let mut rivals = rivals::nearest(&heard, RIVALS);
        for other in known.first().map_or_else(Vec::new, |nearest| {
            rivals::nearest(&nearest.say, NEIGHBOURS)
        }) {
            if !rivals.contains(&other) {
                rivals.push(other);
            }
        }
        let near = known
            .iter()
            .map(|phrase| phrase.say.clone())
            .chain(rivals.into_iter().map(str::to_owned))
            .collect();
        Self { heard, known, near }
    }

    /// The phrases of [`Search::near`] behind the words `before`.
    pub fn after(&self, before: &str) -> Vec<String> {
        self.near
            .iter()
            .map(|say| format!("{before} {say}"))
            .collect()
    }

    /// The part that the searched words have in `all` that were said, 0 to 1.
    pub fn share(&self, all: &str) -> f32 {
        let count = |text: &str| text.split_whitespace().count() as f32;
        (count(&self.heard) / count(all).max(1.0)).min(1.0)
    }
}

/// What was said, by the scores that came back. No readings: no control.
pub fn weigh(table: &Table, search: &Search, scores: &Scores<'_>) -> Hearing {
    let known = search.known.len();
    let fit = |at: usize| {
        let score = scores.phrases.get(at).copied().unwrap_or(f32::NEG_INFINITY);
        let nothing = scores.nothing.get(at).copied().unwrap_or(0.0);
        (score, nothing)
    };
    let near = search.known.iter().enumerate();
    let found = table
        .phrases()
        .iter()
        .enumerate()
        .map(|(at, phrase)| (search.near.len() + at, phrase));
    let candidates: Vec<Candidate<'_>> = near
        .chain(found)
        .filter_map(|(at, phrase)| {
            let (score, nothing) = fit(at);
            score.is_finite().then(|| Candidate {
                phrase,
                score,
                nothing,
                far: near::distance(&search.heard, &phrase.say),
            })
        })
        .collect();
    let most = |values: &mut dyn Iterator<Item = f32>| values.fold(f32::NEG_INFINITY, f32::max);
    let best = most(&mut candidates.iter().map(|c| c.score - c.nothing));
    let rivals: Vec<(f32, f64)> = (known..search.near.len())
        .map(|at| {
            let (score, nothing) = fit(at);
            (
                score - nothing,
                near::distance(&search.heard, &search.near[at]),
            )
        })
        .collect();
    let others = Others {
        best,
        rival: most(&mut rivals.iter().map(|(evidence, _)| *evidence)),
        rival_far: rivals.iter().map(|(_, far)| *far).fold(1.0, f64::min),
    };
    let ask = if others.rival_far == 0.0 {
        ASK_RIVAL
    } else {
        ASK
    };
    let mut readings: Vec<(Does, Reading)> = Vec::new();
    for candidate in &candidates {
        let reading = read(candidate, &others, search, scores);
        let does = &candidate.phrase.does;
        match readings.iter_mut().find(|(other, _)| other == does) {
            Some((_, other)) if other.certainty < reading.certainty => *other = reading,
            Some(_) => {}
            None => readings.push((does.clone(), reading)),
        }
    }
    let mut readings: Vec<Reading> = readings.into_iter().map(|(_, reading)| reading).collect();
    readings.sort_by(|a, b| b.certainty.total_cmp(&a.certainty));
    let first = readings.first().map_or(0.0, |reading| reading.certainty);
    let second = readings
        .iter()
        .skip(1)
        .find(|other| !outdone(&readings[0], other))
        .map_or(0.0, |reading| reading.certainty);
    let margin = first - second;
    let passed_over = readings
        .first()
        .filter(|best| best.certainty < ask)
        .cloned();
    readings.retain(|reading| reading.certainty >= ask);
    let exact = readings.first().is_some_and(|reading| reading.far == 0.0);
    let twin = readings
        .first()
        .is_some_and(|best| TWINS.contains(&best.phrase.as_str()));
    let sure = if twin {
        Sureness::Doubtful
    } else if exact && first >= CERTAIN && margin >= CLEAR {
        Sureness::Certain
    } else if first >= LIKELY && margin >= APART {
        Sureness::Likely
    } else {
        Sureness::Doubtful
    };
    Hearing {
        words: words(scores.own, &search.heard),
        sure,
        margin,
        readings,
        passed_over,
    }
}

/// Whether the sound decides between what was read to the letter and another phrase of its kind: "deploy that" is no
/// "redeploy that".
fn outdone(best: &Reading, other: &Reading) -> bool {
    best.far == 0.0 && other.gap - best.gap > OUTDONE
}

/// How sure the recogniser is of each of its words on average, 0 to 1.
pub fn words(own: f32, heard: &str) -> f32 {
    let count = heard.split_whitespace().count().max(1);
    (own / (count + 1) as f32).exp().clamp(0.0, 1.0)
}

struct Candidate<'a> {
    phrase: &'a Phrase,
    score: f32,
    nothing: f32,
    far: f64,
}

/// What a candidate is compared with.
struct Others {
    /// The most evidence of any known phrase.
    best: f32,
    /// The most evidence of a rival.
    rival: f32,
    /// The distance of the nearest rival.
    rival_far: f64,
}

fn read(
    candidate: &Candidate<'_>,
    others: &Others,
    search: &Search,
    scores: &Scores<'_>,
) -> Reading {
    let phrase = candidate.phrase;
    let exact = phrase.say == search.heard;
    let values = features(candidate, others, search, scores);
    let (weights, constant) = &WEIGHTS;
    let sum: f32 = weights
        .iter()
        .zip(values)
        .map(|(weight, value)| weight * value)
        .sum();
    let mut certainty = 1.0 / (1.0 + (-(sum + constant)).exp());
    if !exact && !length_fits(&phrase.say, scores.speech) {
        certainty = 0.0;
    }
    if exact {
        certainty = certainty.max(EXACT);
    }
    Reading {
        control: phrase.does.control,
        phrase: phrase.say.clone(),
        environment: phrase.does.environment.clone(),
        place: phrase.does.place.clone(),
        certainty,
        gap: scores.own - candidate.score,
        far: candidate.far as f32,
    }
}

/// What speaks for and against a phrase.
fn features(
    candidate: &Candidate<'_>,
    others: &Others,
    search: &Search,
    scores: &Scores<'_>,
) -> [f32; 9] {
    let evidence = candidate.score - candidate.nothing;
    let rival = (evidence - others.rival).clamp(-8.0, 12.0);
    [
        scores.own - candidate.score,
        candidate.nothing,
        scores.own,
        scores.evidence,
        rival,
        evidence - others.best,
        (candidate.far - others.rival_far) as f32,
        f32::from(u8::from(near::speaks_against(
            &search.heard,
            &candidate.phrase.say,
        ))),
        f32::from(u8::from(candidate.phrase.say == search.heard)),
    ]
}

fn length_fits(phrase: &str, speech: f64) -> bool {
    let letters = phrase.chars().filter(|letter| *letter != ' ').count();
    let takes = START + LETTER * letters as f64;
    speech <= 0.0 || LENGTH.contains(&(speech / takes))
}

#[cfg(test)]
mod tests;
