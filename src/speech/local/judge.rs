//! Did somebody say that, or did the recogniser make it up?
//!
//! For sound without speech the model falls back on what people often say ("You", "Thank you for watching.").
//! What gives it away is that silence would have said the same: the words are hardly likelier with the sound than
//! without it. That difference of logarithms, the *evidence*, was measured on 350 spoken clips, 150 of them in noise
//! of 20, 10 and 5 dB, and 500 clips of hum, hiss, clicks and music: speech has 10 and more, noise less than 9 for
//! anything that is not obviously wrong otherwise. Only single answers ("Yes.") have less, and are clear instead.

use super::model::Greedy;

/// Evidence that proves speech.
const PROOF: f32 = 9.5;

/// Evidence that proves speech in spite of a bad score.
const DOUBTFUL_PROOF: f32 = 14.0;

/// Evidence that is enough for a clear answer.
const ANSWER_PROOF: f32 = 5.5;

/// Score above which an answer is clear.
const CLEAR: f32 = -1.2;

/// Score a token below which a reading is little more than a guess.
const GUESS: f32 = -0.95;

/// From so many tokens on with a score of at least [`PLAIN`] each, a reading needs no proof.
const LONG: usize = 10;

/// See [`LONG`].
const PLAIN: f32 = -0.6;

/// Words that are often said alone and are too likely to be proved by evidence alone.
const ANSWERS: [&str; 9] = [
    "yes", "no", "yeah", "yep", "nope", "ok", "okay", "sure", "stop",
];

/// What a reading is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Said.
    Said,
    /// Said, but perhaps not like that.
    Doubtful,
    /// Nobody said it.
    Invented,
}

/// Judges the reading `text`; `evidence` is asked for only when it matters, as it costs a pass of the decoder.
///
/// # Errors
/// Those of `evidence`.
pub fn judge<E>(
    text: &str,
    greedy: &Greedy,
    evidence: impl FnOnce() -> Result<f32, E>,
) -> Result<Verdict, E> {
    if is_no_text(text) {
        return Ok(Verdict::Invented);
    }
    let each = greedy.score / (greedy.tokens.len() + 1) as f32;
    let doubtful = greedy.capped || each < GUESS;
    let verdict = if doubtful {
        Verdict::Doubtful
    } else {
        Verdict::Said
    };
    if greedy.tokens.len() >= LONG && each > PLAIN {
        return Ok(verdict);
    }
    let evidence = evidence()?;
    let word = text
        .trim_matches(|letter: char| !letter.is_alphanumeric())
        .to_lowercase();
    let answer =
        ANSWERS.contains(&word.as_str()) && greedy.score >= CLEAR && evidence >= ANSWER_PROOF;
    let proof = if doubtful { DOUBTFUL_PROOF } else { PROOF };
    Ok(if evidence >= proof || answer {
        verdict
    } else {
        Verdict::Invented
    })
}

/// Symbols, lone fillers, and scripts that an English model writes only when it is lost.
fn is_no_text(text: &str) -> bool {
    let bare = text.trim_matches(|letter: char| !letter.is_alphanumeric());
    let letters = || bare.chars().filter(|letter| letter.is_alphabetic());
    let foreign = letters().filter(|letter| *letter as u32 > 0x24f).count();
    bare.is_empty()
        || text.contains('♪')
        || bare.eq_ignore_ascii_case("you")
        || bare.eq_ignore_ascii_case("the")
        || foreign * 2 > letters().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str, tokens: usize, score: f32, evidence: f32) -> Verdict {
        let greedy = Greedy {
            tokens: vec![5; tokens],
            score,
            ..Greedy::default()
        };
        judge::<()>(text, &greedy, || Ok(evidence)).unwrap()
    }

    #[test]
    fn what_silence_would_say_too_is_invented() {
        assert_eq!(
            verdict("Thank you for watching.", 5, -2.5, 1.2),
            Verdict::Invented
        );
        assert_eq!(verdict("No.", 2, -1.44, 5.4), Verdict::Invented);
        assert_eq!(verdict("Thanks.", 2, -0.93, 8.7), Verdict::Invented);
        assert_eq!(
            verdict("You know, I'm just going to say that.", 12, -18.4, 7.4),
            Verdict::Invented
        );
    }

    #[test]
    fn what_the_sound_alone_explains_was_said() {
        assert_eq!(verdict("Commit that.", 4, -0.4, 22.0), Verdict::Said);
        assert_eq!(verdict("No.", 2, -0.9, 5.9), Verdict::Said);
        assert_eq!(verdict("Yes.", 2, -0.4, 6.5), Verdict::Said);
        assert_eq!(verdict("Stop.", 2, -0.7, 10.9), Verdict::Said);
    }

    #[test]
    fn a_guess_is_doubtful() {
        assert_eq!(verdict("Maybe that way.", 4, -4.9, 15.2), Verdict::Doubtful);
        assert_eq!(verdict("No more than", 3, -5.0, 11.7), Verdict::Invented);
        let capped = Greedy {
            tokens: vec![5; 20],
            capped: true,
            score: -3.0,
            ..Greedy::default()
        };
        assert_eq!(
            judge::<()>("Oh, oh, oh,", &capped, || Ok(20.0)),
            Ok(Verdict::Doubtful)
        );
    }

    #[test]
    fn symbols_fillers_and_foreign_scripts_are_no_text() {
        for text in [
            "",
            " ",
            "♪♪♪",
            "You",
            "you.",
            "The",
            "...",
            "你好啊啊?",
            "이이이",
        ] {
            assert!(is_no_text(text), "{text:?}");
        }
        for text in [
            "Yes.",
            "You can",
            "The end",
            "555 0142",
            "Café crème",
            "über uns",
        ] {
            assert!(!is_no_text(text), "{text:?}");
        }
    }

    #[test]
    fn a_long_plain_reading_needs_no_proof() {
        let greedy = Greedy {
            tokens: vec![5; 12],
            score: -2.0,
            ..Greedy::default()
        };
        assert_eq!(
            judge("Change the headline", &greedy, || Err("asked")),
            Ok(Verdict::Said)
        );
    }
}
