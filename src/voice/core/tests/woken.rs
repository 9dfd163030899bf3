//! Called by the phrase that wakes, in the middle of what is said after it.

use super::*;
use crate::voice::{RATE, wav};

#[test]
fn what_was_begun_before_the_call_was_answered_is_not_lost() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/voice/demo.wav");
    let said = wav::read(file.as_ref()).unwrap();
    let before = vec![0.0; RATE as usize];
    let sound = [&before[..], &said, &vec![0.0; RATE as usize * 4]].concat();
    let zero = Instant::now();
    let mut core = Core::new(VoiceOptions::new("recordings"), zero);
    core.handle(Input::Listen(true), zero);
    let opened = Input::Opened {
        generation: 1,
        rate: RATE,
        device: "Mic".to_owned(),
    };
    core.handle(opened, zero);
    let answered = before.len() + said.len() / 2;
    let (mut now, mut outputs) = (zero, Vec::new());
    for (at, chunk) in sound.chunks(320).enumerate() {
        now += ms(20);
        let samples = Input::Samples {
            generation: 1,
            samples: chunk.to_vec(),
        };
        outputs.extend(core.handle(samples, now));
        if at == answered / 320 {
            outputs.extend(core.handle(Input::Start, now));
        }
    }
    let clips: Vec<&Clip> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Finish(clip) => Some(clip),
            _ => None,
        })
        .collect();
    assert_eq!(clips.len(), 1, "{}", clips.len());
    assert!(!clips[0].overheard);
    let (_, kept) = &clips[0].pieces[0];
    let first = said.iter().position(|sample| sample.abs() > 0.02).unwrap();
    let begins = kept.iter().position(|sample| sample.abs() > 0.02).unwrap();
    assert_eq!(kept[begins..begins + 8_000], said[first..first + 8_000]);
}
