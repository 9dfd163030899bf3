//! Figures about the microphone for `make bench` (the ignored tests, in a release build), and a short run of the same
//! measurement as a test.
#![cfg(target_os = "linux")]

#[path = "support/alike.rs"]
mod alike;
#[path = "support/audio.rs"]
mod audio;
#[path = "support/pulse.rs"]
mod pulse;

use std::path::Path;

use sayso::voice::{Events, Recorder, VoiceEvent, VoiceOptions, wav};

use alike::{align, spoken};
use pulse::{PATIENCE, SINK, Server};

/// Clips of the short run.
const SHORT: usize = 6;

#[test]
fn clips_pressed_at_random_lose_nothing() {
    pulse::run_inside("inside_random");
}

#[test]
#[ignore = "a figure of the benchmark: half an hour"]
fn pressed_at_random() {
    pulse::run_inside("inside_random");
}

/// Numbers that look like chance and are the same in every run.
struct Dice(u64);

impl Dice {
    /// From 0 to `below`.
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

async fn next(events: &mut Events) -> VoiceEvent {
    loop {
        let event = tokio::time::timeout(PATIENCE, events.recv())
            .await
            .expect("no event in time")
            .expect("the recorder ended");
        if !matches!(event, VoiceEvent::Level(_)) {
            return event;
        }
    }
}

async fn clip(events: &mut Events) -> Vec<f32> {
    loop {
        match next(events).await {
            VoiceEvent::Clip { path, .. } => return wav::read(&path).unwrap(),
            VoiceEvent::Recording { .. } | VoiceEvent::Opening | VoiceEvent::Opened { .. } => {}
            other => panic!("no clip: {other:?}"),
        }
    }
}

fn options(folder: &Path) -> VoiceOptions {
    VoiceOptions {
        keep: 2,
        ..VoiceOptions::new(folder.join("recordings"))
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by those above"]
async fn inside_random() {
    let count = std::env::var("SAYSO_BENCH_CLIPS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(SHORT);
    let folder = pulse::folder();
    let server = Server::start(&folder);
    let listener = server.listener();
    let (recorder, mut events) = Recorder::spawn(options(&folder)).unwrap();
    // Warm it: a cold press says «opening» for as long as it loses anything.
    recorder.press();
    while !matches!(next(&mut events).await, VoiceEvent::Recording { .. }) {}
    recorder.cancel();
    while !matches!(next(&mut events).await, VoiceEvent::Canceled) {}

    let seed = std::env::var("SAYSO_BENCH_SEED").ok();
    let mut dice = Dice(seed.and_then(|seed| seed.parse().ok()).unwrap_or(2_026));
    let files = ["demo.wav", "commit.wav", "deploy.wav", "live.wav"].map(audio::recorded);
    let (mut front, mut end, mut middle) = (0, 0, 0);
    for at in 0..count {
        let file = &files[dice.roll(files.len() as u64) as usize];
        let sound = wav::read(file).unwrap();
        let (first, last) = spoken(&sound);
        let said = &sound[first..=last];
        // People press from a moment before they speak until a moment after they began, and let go alike.
        let (late, early) = (dice.roll(3_200), dice.roll(2_400));
        let mut playing = server.play(file, SINK);
        let heard = listener.wait_for_sound();
        listener.wait_until(heard, late);
        recorder.press();
        listener.wait_until(heard, (said.len() as u64).saturating_sub(early));
        recorder.release();
        let got = clip(&mut events).await;
        playing.wait().unwrap();
        let (begins, alike) = align(said, &got);
        let ends = begins + said.len() as i64;
        let lost = (begins < 0, ends > got.len() as i64, alike < 0.9);
        front += usize::from(lost.0);
        end += usize::from(lost.1);
        middle += usize::from(lost.2);
        if lost != (false, false, false) {
            println!(
                "clip {at}: pressed {late} late, released {early} early: {begins}..{ends} of {}, {alike:.3}",
                got.len()
            );
        }
    }
    println!("clips {count} front {front} end {end} middle {middle}");
    assert_eq!((front, end, middle), (0, 0, 0));
}
