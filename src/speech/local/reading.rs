//! From tokens to words with their certainty.

use super::model::Greedy;
use super::tokens::Tokens;
use crate::speech::Word;

/// The words of `reading`. A word is as certain as all its tokens together: their probabilities multiplied.
pub fn words(tokens: &Tokens, reading: &Greedy) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut sums: Vec<f32> = Vec::new();
    let mut text = String::new();
    for (count, likely) in (1..=reading.tokens.len()).zip(&reading.each) {
        // A token may be a part of a letter, so what it adds shows only in the text of all tokens so far.
        let now = tokens.decode(&reading.tokens[..count]);
        let begins = now.split_whitespace().count();
        if begins > words.len() {
            words.push(Word {
                text: String::new(),
                certainty: 0.0,
            });
            sums.push(0.0);
        }
        if let Some(sum) = sums.last_mut() {
            *sum += likely;
        }
        text = now;
    }
    for ((word, sum), written) in words.iter_mut().zip(sums).zip(text.split_whitespace()) {
        written.clone_into(&mut word.text);
        word.certainty = sum.exp().clamp(0.0, 1.0);
    }
    words
}
