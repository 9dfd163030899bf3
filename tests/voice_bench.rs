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
use std::time::{Duration, Instant};

use sayso::speech::Transcriber;
use sayso::speech::local::Local;
use sayso::voice::{Events, Recorder, VoiceEvent, VoiceOptions, wav};

use alike::{align, spoken};
use pulse::{PATIENCE, SINK, Server};

/// Clips of the short run.
const DOZEN: usize = 12;

#[test]
fn a_dozen_clips_pressed_at_random_lose_nothing() {
    pulse::run_inside("inside_random");
}

#[test]
#[ignore = "a figure of the benchmark: half an hour"]
fn pressed_at_random() {
    pulse::run_inside("inside_random");
}

#[test]
#[ignore = "a figure of the benchmark: a minute"]
fn armed_and_idle() {
    pulse::run_inside("inside_idle");
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
        .unwrap_or(DOZEN);
    let folder = pulse::folder();
    let server = Server::start(&folder);
    let listener = server.listener();
    let (recorder, mut events) = Recorder::spawn(options(&folder)).unwrap();
    // Warm it: a cold press says «opening» for as long as it loses anything.
    recorder.press();
    while !matches!(next(&mut events).await, VoiceEvent::Recording { .. }) {}
    recorder.cancel();
    while !matches!(next(&mut events).await, VoiceEvent::Canceled) {}

    let mut dice = Dice(2_026);
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

/// Seconds of processor time and MiB of memory of this process.
fn spent() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    // 100 ticks a second on every Linux there is.
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kib: f64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    (ticks / 100.0, kib / 1024.0)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the one above"]
async fn inside_idle() {
    let Some(models) = audio::installed_models() else {
        return;
    };
    let seconds: f64 = std::env::var("SAYSO_BENCH_IDLE")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(20.0);
    let folder = pulse::folder();
    // Nobody listens besides: that would be counted as ours.
    let server = Server::start(&folder);
    let local = Local::new(models);
    local.ready().await.unwrap();
    local
        .transcribe(&audio::recorded("demo.wav"))
        .await
        .unwrap();
    let (recorder, mut events) = Recorder::spawn(VoiceOptions {
        warm: Duration::from_secs(3_600),
        ..options(&folder)
    })
    .unwrap();
    recorder.press();
    while !matches!(next(&mut events).await, VoiceEvent::Recording { .. }) {}
    recorder.cancel();
    while !matches!(next(&mut events).await, VoiceEvent::Canceled) {}
    let quiet = server.listener().count();
    let (before, _) = spent();
    let began = Instant::now();
    // The test's own listener runs in this process: what it takes counts, too, and is little.
    server
        .listener()
        .wait_until(quiet, (seconds.min(15.0) * 16_000.0) as u64);
    let (after, memory) = spent();
    let cpu = (after - before) / began.elapsed().as_secs_f64() * 100.0;
    println!("cpu {cpu:.2} % memory {memory:.0} MiB");
}
