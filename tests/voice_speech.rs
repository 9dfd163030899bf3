//! The recogniser itself, on real sound. Needs the installed model.

#[path = "support/audio.rs"]
mod audio;

use std::sync::OnceLock;

use hound::{SampleFormat, WavSpec, WavWriter};
use sayso::speech::Transcriber;
use sayso::speech::local::Local;
use sayso::voice::wav;

/// One recogniser for all tests of this file: the model is loaded once.
fn local() -> Option<&'static Local> {
    static LOCAL: OnceLock<Option<Local>> = OnceLock::new();
    LOCAL
        .get_or_init(|| audio::installed_models().map(Local::new))
        .as_ref()
}

#[tokio::test]
async fn the_recorded_voices_are_understood_word_for_word() {
    let Some(local) = local() else { return };
    for (file, said) in [
        ("demo.wav", "Change the headline to welcome to the garden."),
        ("commit.wav", "Commit that."),
        ("deploy.wav", "Deploy that."),
        ("live.wav", "Make it live."),
        ("yes.wav", "Yes."),
    ] {
        let heard = local.transcribe(&audio::recorded(file)).await.unwrap();
        assert_eq!(heard.text, said, "{file}");
        assert!(!heard.doubtful, "{file}");
        assert!(
            heard.seconds > 1.0 && heard.seconds < 4.0,
            "{file}: {} s",
            heard.seconds
        );
    }
}

#[tokio::test]
async fn other_rates_channels_and_formats_are_understood_as_well() {
    let Some(local) = local() else { return };
    let folder = tempfile::tempdir().unwrap();
    let sound = wav::read(&audio::recorded("demo.wav")).unwrap();
    for (rate, channels) in [(8_000u32, 1u16), (44_100, 2), (48_000, 8), (96_000, 1)] {
        let path = folder.path().join("other.wav");
        let spec = WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        let length = sound.len() as u64 * u64::from(rate) / 16_000;
        for at in 0..length {
            // Straight lines between the samples: a poor converter, as some in the world are.
            let place = at as f64 * 16_000.0 / f64::from(rate);
            let (left, part) = (place as usize, place.fract() as f32);
            let right = sound.get(left + 1).copied().unwrap_or_default();
            let value = sound[left] * (1.0 - part) + right * part;
            for _ in 0..channels {
                writer.write_sample(value).unwrap();
            }
        }
        writer.finalize().unwrap();
        let heard = local.transcribe(&path).await.unwrap();
        let words = audio::words(&heard.text);
        assert!(
            words
                .join(" ")
                .ends_with("headline to welcome to the garden"),
            "{rate} Hz, {channels} channels: {}",
            heard.text
        );
    }
}

#[test]
fn noise_makes_no_words_and_short_clips_no_failure() {
    let Some(local) = local() else { return };
    for length in [0, 1, 255, 256, 894, 895, 4_000, 48_000] {
        let silence = vec![0.0; length];
        assert_eq!(local.hear(&silence).unwrap().text, "", "{length} zeros");
        // Past the gate, the model itself must bear any length.
        local
            .with_model(|model| {
                let mut encoded = model.encode(&silence)?;
                model.greedy(&mut encoded, &[]).map(|_| ())
            })
            .unwrap();
    }
    let hum: Vec<f32> = (0..48_000)
        .map(|at| (at as f32 * 0.02).sin() * 0.3)
        .collect();
    assert_eq!(local.hear(&hum).unwrap().text, "");
}

#[test]
fn what_was_said_scores_above_what_was_not() {
    let Some(local) = local() else { return };
    let sound = wav::read(&audio::recorded("commit.wav")).unwrap();
    let scores = local
        .with_model(|model| {
            let mut encoded = model.encode(&sound)?;
            let phrases = ["Commit that.", "Deploy that.", "Yes.", ""]
                .map(|phrase| model.tokens().encode(phrase));
            let together = model.score(&mut encoded, &phrases)?;
            for (phrase, score) in phrases.iter().zip(&together) {
                let alone = model.score(&mut encoded, std::slice::from_ref(phrase))?[0];
                assert!(
                    (alone - score).abs() < 2.0,
                    "alone {alone}, among others {score}"
                );
            }
            let greedy = model.greedy(&mut encoded, &[])?;
            assert!(
                (greedy.score - together[0]).abs() < 0.5,
                "{} {}",
                greedy.score,
                together[0]
            );
            Ok(together)
        })
        .unwrap();
    assert!(
        scores[0] > scores[1] + 5.0 && scores[0] > scores[2] + 5.0,
        "{scores:?}"
    );
}

#[test]
fn words_become_the_tokens_of_the_model() {
    let Some(local) = local() else { return };
    let tokens = local
        .with_model(|model| Ok(model.tokens().encode("Commit that.")))
        .unwrap();
    assert_eq!(tokens, [1876, 277, 393, 29889]);
}

#[test]
fn a_draft_saves_steps_and_decides_nothing() {
    let Some(local) = local() else { return };
    let sound = wav::read(&audio::recorded("demo.wav")).unwrap();
    let (alone, along) = local
        .with_model(|model| {
            let mut encoded = model.encode(&sound)?;
            let alone = model.greedy(&mut encoded, &[])?;
            let right = alone.tokens.clone();
            let (mut wrong, mut longer) = (right.clone(), right.clone());
            wrong[right.len() / 2] = right[0];
            longer.extend_from_slice(&right);
            let drafts = [
                right.clone(),
                right[..right.len() / 2].to_vec(),
                wrong,
                longer,
                vec![right[1], right[0]],
                vec![7; 400],
            ];
            let along = drafts.map(|draft| model.greedy(&mut encoded, &draft));
            Ok((alone, along))
        })
        .unwrap();
    for (at, reading) in along.into_iter().enumerate() {
        let reading = reading.unwrap();
        assert_eq!(reading.tokens, alone.tokens, "draft {at}");
        assert!(!reading.capped, "draft {at}");
        assert_eq!(reading.each.len(), reading.tokens.len(), "draft {at}");
        // Side by side the numbers are rounded together, so that the last digits differ.
        let far = (reading.score - alone.score).abs();
        assert!(
            far < 0.5,
            "draft {at}: {} and {}",
            reading.score,
            alone.score
        );
    }
}
