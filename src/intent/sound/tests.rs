//! Readings of recorded scores: synthetic voices through the recogniser, as its decoder gave them.

use super::*;
use crate::model::Control;

/// A clip: what the recogniser wrote, its score and evidence, seconds of speech, and the scores of phrases with the
/// clip and with silence. What is not listed was far behind.
struct Clip(
    &'static str,
    f32,
    f32,
    f64,
    &'static [(&'static str, f32, f32)],
);

fn hearing(clip: &Clip) -> Hearing {
    let table = Table::builtin();
    let Clip(text, own, evidence, speech, recorded) = clip;
    let search = search(table, text).expect("a short clip");
    let near = search.near.iter().map(|say| (say.as_str(), -40.0));
    // Those that are not near are scored only where they are promising: where they were recorded.
    let others = table
        .phrases()
        .iter()
        .map(|phrase| (phrase.say.as_str(), f32::NEG_INFINITY));
    let (phrases, nothing): (Vec<f32>, Vec<f32>) = near
        .chain(others)
        .map(|(say, missing)| {
            recorded
                .iter()
                .find(|(known, ..)| *known == say)
                .map_or((missing, -25.0), |(_, score, nothing)| (*score, *nothing))
        })
        .unzip();
    let scores = Scores {
        own: *own,
        evidence: *evidence,
        phrases: &phrases,
        nothing: &nothing,
        speech: *speech,
    };
    weigh(table, &search, &scores)
}

const UNDOUBTED: Clip = Clip(
    "Undoubted.",
    -2.14,
    18.8,
    0.68,
    &[
        ("undo it", -5.56, -23.74),
        ("undo that", -4.75, -26.7),
        ("undo", -8.99, -20.19),
        ("undo this", -12.56, -26.04),
        ("sounds good", -17.64, -14.52),
        ("and that", -13.2, -19.55),
        ("on top", -14.9, -17.33),
        ("underline it", -19.9, -24.98),
    ],
);

const SAID: &[(Clip, Control)] = &[
    (UNDOUBTED, Control::Undo),
    (
        Clip(
            "Come it hot.",
            -1.42,
            25.7,
            0.66,
            &[
                ("commit it", -14.34, -23.71),
                ("commit that", -9.27, -27.83),
                ("commit all", -14.67, -28.0),
                ("comment that", -7.71, -22.67),
                ("comment it", -10.91, -19.1),
                ("cut it out", -14.66, -17.46),
            ],
        ),
        Control::Commit,
    ),
    (
        Clip(
            "Don't lie.",
            -0.99,
            15.2,
            0.54,
            &[
                ("don't", -7.38, -13.05),
                ("don't do it", -11.79, -16.36),
                ("do not", -10.07, -14.88),
                ("go live", -3.06, -19.82),
                ("no", -9.29, -10.68),
                ("done", -13.12, -12.49),
            ],
        ),
        Control::Deploy,
    ),
    (
        Clip(
            "They play it again.",
            -3.06,
            19.3,
            0.88,
            &[
                ("deploy it again", -5.49, -30.14),
                ("deploy that again", -14.87, -36.25),
                ("deploy again", -13.14, -27.02),
                ("deploy it", -18.12, -25.85),
                ("do that again", -18.32, -20.58),
            ],
        ),
        Control::Redeploy,
    ),
    (
        Clip(
            "Roll it back.",
            -1.73,
            20.5,
            0.76,
            &[
                ("roll it back", -1.66, -24.4),
                ("roll that back", -7.75, -30.29),
                ("roll this back", -5.69, -28.79),
                ("pull it back", -14.37, -19.81),
            ],
        ),
        Control::Rollback,
    ),
];

const NOT_SAID: &[Clip] = &[
    // "Shape it."
    Clip(
        "Shaded.",
        -0.62,
        21.5,
        0.6,
        &[
            ("ship it", -12.25, -23.54),
            ("status", -14.37, -17.3),
            ("shape it", -4.86, -21.81),
            ("show it", -10.5, -18.62),
        ],
    ),
    // "Go left."
    Clip(
        "Don't left.",
        -1.3,
        18.3,
        0.54,
        &[
            ("don't", -5.41, -13.05),
            ("don't do it", -10.34, -16.36),
            ("go left", -2.8, -22.76),
            ("put it left", -20.01, -25.34),
        ],
    ),
    Clip(
        "Comment that out.",
        -0.61,
        26.9,
        0.88,
        &[
            ("commit that", -15.0, -27.83),
            ("commit them", -15.07, -24.15),
            ("comment that out", -0.6, -27.63),
            ("comment that", -8.99, -22.67),
        ],
    ),
    Clip(
        "Show me a preview card.",
        -0.84,
        35.7,
        1.34,
        &[
            ("show me a preview", -13.65, -30.24),
            ("show me the preview", -18.88, -28.55),
            ("show me that", -14.59, -24.03),
            ("show me a picture", -17.4, -27.87),
        ],
    ),
];

#[test]
fn garbled_commands_are_known_by_their_sound() {
    for (clip, control) in SAID {
        let hearing = hearing(clip);
        let best = hearing.readings.first();
        assert_eq!(
            best.map(|best| best.control),
            Some(*control),
            "{}: {hearing:?}",
            clip.0
        );
    }
}

#[test]
fn edits_that_sound_like_commands_are_no_commands() {
    for clip in NOT_SAID {
        let hearing = hearing(clip);
        assert_eq!(hearing.readings, [], "{}", clip.0);
    }
}

#[test]
fn only_what_fits_as_well_as_the_words_themselves_is_certain() {
    let clear = &SAID[4].0;
    assert_eq!(
        hearing(clear).sure,
        Sureness::Certain,
        "{:?}",
        hearing(clear)
    );
    let garbled = hearing(&SAID[1].0);
    assert_ne!(garbled.sure, Sureness::Certain, "{garbled:?}");
}

#[test]
fn of_two_readings_alike_none_is_likely() {
    // "deploy it" and "deploy it again" fit alike.
    let hearing = hearing(&Clip(
        "The ploy it a gain",
        -3.0,
        19.0,
        0.88,
        &[
            ("deploy it again", -6.0, -28.0),
            ("deploy it", -6.0, -28.0),
            ("do that again", -18.0, -20.0),
        ],
    ));
    let controls: Vec<Control> = hearing.readings.iter().map(|r| r.control).collect();
    assert_eq!(controls.len(), 2, "{hearing:?}");
    assert!(controls.contains(&Control::Deploy) && controls.contains(&Control::Redeploy));
    assert_eq!(hearing.sure, Sureness::Doubtful);
    assert!(hearing.margin < CLOSE);
}

#[test]
fn a_phrase_that_the_speech_is_too_long_for_was_not_said() {
    let Clip(text, own, evidence, _, recorded) = UNDOUBTED;
    let long = Clip(text, own, evidence, 3.9, recorded);
    assert_eq!(hearing(&long).readings, []);
}

#[test]
fn long_clips_are_not_compared_with_phrases() {
    let table = Table::builtin();
    let text = "Change the homepage headline to welcome to three thousand studios.";
    assert_eq!(search(table, text), None);
    assert_eq!(search(table, "…"), None);
    let near = search(table, "deploy it to qa").unwrap().near;
    assert_eq!(near[0], "deploy it to qa", "an environment of any name");
}

#[test]
fn a_no_that_sounds_like_an_undo_is_never_acted_on() {
    let clear = Clip(
        "Don't do that.",
        -0.4,
        24.0,
        0.9,
        &[("don't do that", -0.4, -22.0), ("undo that", -12.0, -26.0)],
    );
    let hearing = hearing(&clear);
    assert_eq!(hearing.readings[0].control, Control::Reject);
    assert_eq!(hearing.sure, Sureness::Doubtful);
}
