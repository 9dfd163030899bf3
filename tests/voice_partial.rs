//! Words while they are spoken, their certainty, and the phrase that wakes, with the installed model.

#[path = "support/audio.rs"]
mod audio;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sayso::speech::Transcriber;
use sayso::speech::local::Local;
use sayso::speech::wake::{Overheard, listen};
use sayso::voice::{RATE, wav};

async fn glance(local: &Local, samples: &[f32]) -> Option<String> {
    let go = Arc::new(AtomicBool::new(false));
    local.glance(samples.to_vec(), go).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_is_read_while_it_grows() {
    let Some(models) = audio::installed_models() else {
        return;
    };
    let local = Local::new(models);
    let demo = wav::read(&audio::recorded("demo.wav")).unwrap();
    assert_eq!(
        glance(&local, &demo).await,
        None,
        "a look never loads the model"
    );
    local.ready().await.unwrap();
    let mut longest = 0;
    for tenths in [10, 15, 20, 25] {
        let so_far = &demo[..(RATE as usize * tenths / 10).min(demo.len())];
        let text = glance(&local, so_far).await.unwrap_or_default();
        println!("{tenths} tenths: {text}");
        let words = audio::words(&text);
        assert!(
            words.first().is_none_or(|word| word.starts_with("chang")),
            "{text}"
        );
        assert!(words.len() >= longest, "words go away: {text}");
        longest = words.len();
    }
    assert!(longest >= 4, "{longest} words");
    // Silence is no words, and a look that is told to stop does.
    assert_eq!(glance(&local, &vec![0.0; 32_000]).await, None);
    let stop = Arc::new(AtomicBool::new(true));
    assert_eq!(local.glance(demo.clone(), stop).await.unwrap(), None);
    // Of a long clip only its end is read.
    let long = [vec![0.0; RATE as usize * 12], demo].concat();
    let text = glance(&local, &long).await.unwrap();
    assert!(text.starts_with('…'), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_word_has_its_certainty() {
    let Some(models) = audio::installed_models() else {
        return;
    };
    let local = Local::new(models);
    let heard = local
        .transcribe(&audio::recorded("demo.wav"))
        .await
        .unwrap();
    println!("{:?}", heard.words);
    let words: Vec<&str> = heard.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(words.join(" "), heard.text);
    assert!(
        heard
            .words
            .iter()
            .all(|word| word.certainty > 0.0 && word.certainty <= 1.0)
    );
    let mean = heard.words.iter().map(|word| word.certainty).sum::<f32>() / words.len() as f32;
    assert!(
        mean > 0.7,
        "a clear voice is heard with certainty, not {mean}"
    );
}

/// What `voice` ("flite NAME" or "espeak NAME") says, at 16 kHz.
fn spoken(voice: &str, words: &str) -> Option<Vec<f32>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("said.wav");
    let (engine, name) = voice.split_once(' ').unwrap();
    let made = match engine {
        "flite" => Command::new("flite")
            .args(["-voice", name, "-t", words, "-o"])
            .arg(&file)
            .status(),
        _ => Command::new("espeak-ng")
            .args(["-v", name, words, "-w"])
            .arg(&file)
            .status(),
    };
    match made {
        Ok(status) if status.success() => Some(wav::read(&file).unwrap()),
        _ => {
            println!("SKIPPED: {engine} is not installed");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phrase_that_wakes_is_cut_off_the_instruction() {
    let Some(models) = audio::installed_models() else {
        return;
    };
    let local = Local::new(models);
    local.ready().await.unwrap();
    // As the recorder hands it over: with more than a second from before anybody spoke.
    let (before, after) = (vec![0.0; RATE as usize * 6 / 5], vec![0.0; RATE as usize]);
    for voice in ["flite slt", "flite rms", "espeak en-us", "espeak en-gb"] {
        let hear = async |words: &str| {
            let said = spoken(voice, words)?;
            let sound = [&before[..], &said, &after].concat();
            let heard = listen("hey computer", &sound, &local).await;
            println!("{voice}: {words:?}: {heard:?}");
            Some((sound, heard))
        };
        let Some((_, alone)) = hear("Hey computer.").await else {
            return;
        };
        assert_eq!(alone, Overheard::Phrase, "{voice}");
        // In one breath.
        let words = "Hey computer, change the headline to welcome to the garden.";
        let (sound, heard) = hear(words).await.unwrap();
        let Overheard::Instruction(from) = heard else {
            panic!("{voice}: no instruction was found");
        };
        let rest = audio::words(&local.hear(&sound[from..]).unwrap().text).join(" ");
        assert!(rest.ends_with("welcome to the garden"), "{voice}: {rest}");
        assert!(!rest.contains("computer"), "{voice}: {rest}");
        let (_, other) = hear("The weather is nice today.").await.unwrap();
        assert_eq!(other, Overheard::Nothing, "{voice}");
    }
}
