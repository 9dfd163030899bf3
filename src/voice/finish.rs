//! A finished take becomes a file, or the reason why not.

use jiff::Timestamp;

use super::core::{Clip, TAP};
use super::{VoiceEvent, VoiceOptions, diagnose, gate, resample, seconds, shelf, sounds};
use crate::model::Problem;

/// Seconds of exact zeros that mean a muted microphone rather than a short silence.
const MUTED: f64 = 1.0;

/// The clip's sound at 16 kHz, its pieces one after the other.
///
/// # Errors
/// When a piece has a rate that no sound has.
pub fn join(clip: Clip) -> Result<Vec<f32>, Problem> {
    let mut sound = Vec::new();
    for (rate, piece) in clip.pieces {
        sound.extend(resample::to_16k(piece, rate)?);
    }
    Ok(sound)
}

/// Judges a clip and saves it when somebody speaks in it.
pub fn finish(clip: Clip, options: &VoiceOptions, now: Timestamp) -> VoiceEvent {
    let (hold, device, overheard) = (clip.hold, clip.device.clone(), clip.overheard);
    let mut sound = match join(clip) {
        Ok(sound) => sound,
        Err(problem) => return VoiceEvent::Failed(problem),
    };
    if options.sounds {
        sounds::remove(&mut sound);
    }
    let length = seconds(sound.len());
    let activity = gate::listen(&sound);
    if overheard {
        let sound = if activity.speech() { sound } else { Vec::new() };
        return VoiceEvent::Overheard { sound };
    }
    if !activity.speech() {
        return if length >= MUTED && sound.iter().all(|&sample| sample == 0.0) {
            VoiceEvent::Failed(diagnose::muted(&device))
        } else if hold < TAP {
            VoiceEvent::TooShort
        } else {
            VoiceEvent::NoSpeech { seconds: length }
        };
    }
    let kept = shelf::Keep {
        count: options.keep,
        days: options.keep_days,
    };
    match shelf::put(&options.recordings, kept, &sound, now) {
        Ok(path) => VoiceEvent::Clip {
            path,
            seconds: length,
            speech: activity.seconds(),
        },
        Err(error) => {
            let folder = options.recordings.display();
            let problem =
                Problem::internal(format!("cannot save the recording in {folder}: {error}"));
            VoiceEvent::Failed(problem.hint("make room, or choose another folder for the state"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ended(pieces: Vec<(u32, Vec<f32>)>, hold: u64) -> VoiceEvent {
        let folder = tempfile::tempdir().unwrap();
        let clip = Clip {
            pieces,
            hold: Duration::from_millis(hold),
            device: "Mic".to_owned(),
            overheard: false,
        };
        finish(
            clip,
            &VoiceOptions::new(folder.path()),
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn silence_zeros_and_taps_are_told_apart() {
        let hiss: Vec<f32> = (0..32_000u32)
            .map(|at| if at % 7 == 0 { 1e-4 } else { -1e-4 })
            .collect();
        assert_eq!(
            ended(vec![(16_000, hiss.clone())], 1_500),
            VoiceEvent::NoSpeech { seconds: 2.0 }
        );
        assert_eq!(ended(vec![(16_000, hiss)], 100), VoiceEvent::TooShort);
        match ended(vec![(16_000, vec![0.0; 32_000])], 1_500) {
            VoiceEvent::Failed(problem) => assert!(problem.is("microphone-muted"), "{problem}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn speech_in_pieces_of_different_rates_is_saved_as_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/voice/demo.wav");
        let said = super::super::wav::read(file.as_ref()).unwrap();
        let (first, second) = said.split_at(20_000);
        let slower: Vec<f32> = second.chunks(2).map(|two| two[0]).collect();
        let folder = tempfile::tempdir().unwrap();
        let clip = Clip {
            pieces: vec![(16_000, first.to_vec()), (8_000, slower)],
            hold: Duration::from_secs(3),
            device: "Mic".to_owned(),
            overheard: false,
        };
        match finish(
            clip,
            &VoiceOptions::new(folder.path()),
            Timestamp::UNIX_EPOCH,
        ) {
            VoiceEvent::Clip {
                path,
                seconds: length,
                speech,
            } => {
                assert!((length - seconds(said.len())).abs() < 0.01);
                assert!(speech > 1.0 && speech < length);
                assert!(path.starts_with(folder.path()));
            }
            other => panic!("{other:?}"),
        }
    }
}
