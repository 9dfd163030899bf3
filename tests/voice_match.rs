//! Commands by their sound, on the recogniser itself: synthetic voices, noise, and sounds without words.
//! Needs the installed model; the spoken parts need espeak-ng, flite and sox.

#[path = "support/audio.rs"]
mod audio;
#[path = "voice_match/speakers.rs"]
mod speakers;
#[path = "voice_match/wordless.rs"]
mod wordless;

use std::sync::OnceLock;

use sayso::intent::sound::{self, Scores};
use sayso::intent::{Table, places};
use sayso::model::{Control, Hearing, Risk, Sureness};
use sayso::speech::local::Local;

/// One recogniser for all tests of this file: the model is loaded once.
fn local() -> Option<&'static Local> {
    static LOCAL: OnceLock<Option<Local>> = OnceLock::new();
    LOCAL
        .get_or_init(|| audio::installed_models().map(Local::new))
        .as_ref()
}

/// The table of an everyday site.
fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let pages = ["index.html", "about.html", "pricing.html"].map(|path| (path, ""));
        let tree = sayso::model::MemoryTree::new(pages);
        Table::new(&[], &["production".to_owned()], &places::places(&tree))
    })
}

/// What `samples` are taken for; nothing where nothing was said or it is no phrase by its length.
fn hear(local: &Local, samples: &[f32]) -> (String, Option<Hearing>) {
    let text = local.hear(samples).unwrap().text;
    let Some(search) = sound::search(table(), &text) else {
        return (text, None);
    };
    let says: Vec<String> = table()
        .phrases()
        .iter()
        .map(|phrase| phrase.say.clone())
        .collect();
    let fit = local.search(samples, &search.near, &says).unwrap();
    let scores = Scores {
        own: fit.own,
        evidence: fit.evidence,
        phrases: &fit.phrases,
        nothing: &fit.nothing,
        speech: fit.speech,
    };
    (text, Some(sound::weigh(table(), &search, &scores)))
}

/// The control that is asked about or done, and whether it is done without a question (as far as that does not depend
/// on the state of the site).
fn act(hearing: Option<&Hearing>) -> Option<(Control, bool)> {
    let hearing = hearing?;
    let control = hearing.readings.first()?.control;
    let at_once = match control.risk() {
        Risk::Harmless => hearing.sure >= Sureness::Likely,
        Risk::Undoable | Risk::Grave => hearing.sure == Sureness::Certain,
    };
    Some((control, at_once))
}

/// Of the phrases of `kind`, spoken by `voices` with noise at `snr` decibels: how many were said, how many were taken
/// for the right act, what was done at once though it was not said, and what was wrongly asked about.
struct Count {
    said: usize,
    right: usize,
    acted: Vec<String>,
    asked: Vec<String>,
}

/// Of `kind`'s phrases, `voices` speak every `every`-th: `make bench` has them all, spoken by a dozen.
fn count(
    local: &Local,
    kind: &str,
    every: usize,
    voices: &[&str],
    snr: Option<u32>,
) -> Option<Count> {
    let mut count = Count {
        said: 0,
        right: 0,
        acted: Vec::new(),
        asked: Vec::new(),
    };
    for (text, wanted) in speakers::phrases(kind).into_iter().step_by(every) {
        for voice in voices {
            let samples = speakers::speak(&text, voice, snr)?;
            let (heard, hearing) = hear(local, &samples);
            count.said += 1;
            let taken = act(hearing.as_ref());
            match taken {
                Some((control, _)) if Some(control) == wanted => count.right += 1,
                Some((control, at_once)) => {
                    let line = format!("{voice}: {text:?}, heard {heard:?}, taken for {control:?}");
                    if at_once {
                        count.acted.push(line);
                    } else {
                        count.asked.push(line);
                    }
                }
                None => {}
            }
        }
    }
    Some(count)
}

const VOICES: [&str; 2] = ["flite slt", "espeak en-us"];

#[test]
fn control_phrases_are_known_in_clean_and_in_noisy_sound() {
    let Some(local) = local() else { return };
    for (snr, every, least) in [
        (None, 3, 0.8),
        (Some(20), 6, 0.5),
        (Some(10), 6, 0.3),
        (Some(5), 6, 0.1),
    ] {
        let voices = if snr.is_none() {
            &VOICES[..]
        } else {
            &VOICES[..1]
        };
        let Some(count) = count(local, "control", every, voices, snr) else {
            return;
        };
        let share = count.right as f64 / count.said as f64;
        println!(
            "noise {snr:?}: {:.1} % of {} right",
            share * 100.0,
            count.said
        );
        println!("  wrongly asked: {:#?}", count.asked);
        assert_eq!(count.acted, [""; 0], "noise {snr:?}: done, but not said");
        assert!(share >= least, "noise {snr:?}: {share}");
        // A wrong question costs a no; more than a few are a nuisance, where one understands at all.
        let nuisance = if snr.is_some() { 3 } else { 15 };
        assert!(
            count.asked.len() * nuisance <= count.said,
            "{:#?}",
            count.asked
        );
    }
}

#[test]
fn edits_are_never_done_as_commands_and_seldom_asked_about() {
    let Some(local) = local() else { return };
    let Some(edits) = count(local, "edit", 3, &VOICES[..1], None) else {
        return;
    };
    assert_eq!((edits.acted, edits.asked), (vec![], vec![]));
    let Some(short) = count(local, "short", 4, &VOICES[..1], None) else {
        return;
    };
    println!(
        "short edits: {} of {} asked about",
        short.asked.len(),
        short.said
    );
    assert_eq!(short.acted, [""; 0], "done, but not said");
    assert!(short.asked.len() * 7 <= short.said, "{:#?}", short.asked);
}

#[test]
fn sounds_without_words_make_no_words_and_no_acts() {
    let Some(local) = local() else { return };
    for (name, samples) in wordless::clips(60) {
        let (text, hearing) = hear(local, &samples);
        assert_eq!(text, "", "{name}");
        assert!(act(hearing.as_ref()).is_none(), "{name}: {hearing:?}");
    }
}

#[test]
fn a_name_of_the_site_is_known_by_its_sound() {
    let Some(local) = local() else { return };
    let Some(samples) = speakers::speak("Open the pricing page", "flite slt", None) else {
        return;
    };
    let (heard, hearing) = hear(local, &samples);
    let best = hearing.and_then(|hearing| hearing.readings.into_iter().next());
    let best = best.unwrap_or_else(|| panic!("heard {heard:?}"));
    assert_eq!(best.place.as_deref(), Some("/pricing.html"));
}
