//! Push-to-talk, by holding and by pressing twice.

use std::time::Duration;

use sayso::config::{Config, TalkMode};
use sayso::model::{EventKind, Problem};
use sayso::tui::keys::Stroke;
use sayso::tui::message::{Effect, Message};
use sayso::tui::model::{Phase, TalkBy};
use sayso::tui::voice_port::MicEvent;
use serde_json::json;

use super::support::*;

fn clip() -> Message {
    Message::Mic(MicEvent::Clip {
        path: "/state/clip.wav".into(),
        seconds: 2.6,
        speech: 2.1,
    })
}

fn level(ms: u64) -> Message {
    Message::Mic(MicEvent::Level {
        rms_db: -24.0,
        peak_db: -9.0,
        elapsed: Duration::from_millis(ms),
    })
}

/// A cockpit in a terminal that reports releases.
fn holding() -> Desk {
    let mut desk = Desk::new(80, 24);
    desk.take(Message::Keyboard(true));
    desk
}

fn recording(mut desk: Desk, key: &str) -> Desk {
    // Where nobody holds a key, silence ends it.
    let begin = match desk.model.talk.by {
        TalkBy::Hold => Effect::Press,
        TalkBy::Toggle => Effect::Start,
    };
    assert_eq!(desk.press(key), [begin]);
    desk.take(Message::Mic(MicEvent::Opening));
    desk.take(Message::Mic(MicEvent::Recording));
    assert_eq!(desk.model.talk.phase, Phase::Recording);
    desk
}

#[test]
fn holding_records_until_the_key_is_released() {
    for key in ["F5", "Space"] {
        let mut desk = recording(holding(), key);
        assert!(
            desk.text().contains("hold") || desk.text().contains("release"),
            "{}",
            desk.text()
        );
        // However the terminal tells a repeat, it is none of our business.
        assert_eq!(desk.stroke(key, Stroke::Repeat), []);
        assert_eq!(desk.stroke("F5", Stroke::Repeat), []);
        assert_eq!(
            desk.stroke("j", Stroke::Release),
            [],
            "another key's release"
        );
        assert_eq!(desk.stroke(key, Stroke::Release), [Effect::Release]);
        assert_eq!(desk.stroke(key, Stroke::Release), []);
        assert_eq!(
            desk.take(clip()),
            [Effect::SendClip("/state/clip.wav".into())]
        );
        assert!(
            desk.text().contains("sending the recording"),
            "{}",
            desk.text()
        );
    }
}

#[test]
fn a_held_space_bar_repeats_as_presses_and_keeps_recording() {
    let mut desk = recording(holding(), "Space");
    for _ in 0..40 {
        assert_eq!(desk.stroke("Space", Stroke::Press), []);
    }
    assert_eq!(desk.model.talk.phase, Phase::Recording);
}

#[test]
fn a_second_press_of_a_function_key_ends_a_recording_whose_release_was_lost() {
    let mut desk = recording(holding(), "F5");
    assert_eq!(desk.stroke("F5", Stroke::Press), [Effect::Release]);
}

#[test]
fn pressing_twice_records_where_releases_are_not_reported() {
    for key in ["F5", "Space"] {
        let mut desk = Desk::new(80, 24);
        desk.take(Message::Keyboard(false));
        assert!(
            desk.text().contains("F5/Space start/stop"),
            "{}",
            desk.text()
        );
        let mut desk = recording(desk, key);
        assert_eq!(desk.stroke(key, Stroke::Repeat), [], "a repeat is no press");
        assert_eq!(desk.press(key), [Effect::Release]);
        assert_eq!(desk.press(key), [], "it is being finished");
    }
}

#[test]
fn the_setting_decides_over_what_the_terminal_says() {
    for (mode, reported, by) in [
        (TalkMode::Hold, false, TalkBy::Hold),
        (TalkMode::Toggle, true, TalkBy::Toggle),
        (TalkMode::Auto, true, TalkBy::Hold),
        (TalkMode::Auto, false, TalkBy::Toggle),
    ] {
        let mut config = Config::default();
        config.voice.mode = mode;
        let mut desk = Desk::with(&config, false, 80, 24);
        desk.take(Message::Keyboard(reported));
        assert_eq!(desk.model.talk.by, by, "{mode:?} {reported}");
    }
}

#[test]
fn a_release_that_was_seen_proves_that_releases_are_reported() {
    let mut desk = Desk::new(80, 24);
    desk.take(Message::Keyboard(false));
    desk.press("j");
    desk.stroke("j", Stroke::Release);
    assert_eq!(desk.model.talk.by, TalkBy::Hold);
    // In the middle of a recording nothing changes: it ends the way it began.
    let mut desk = recording(Desk::new(80, 24), "F5");
    assert_eq!(desk.stroke("F5", Stroke::Release), []);
    assert_eq!(desk.model.talk.phase, Phase::Recording);
    assert_eq!(desk.press("F5"), [Effect::Release]);
}

#[test]
fn escape_throws_the_recording_away_and_what_comes_late_is_not_sent() {
    let mut desk = recording(holding(), "F5");
    assert_eq!(desk.press("Esc"), [Effect::CancelRecording]);
    assert_eq!(desk.stroke("F5", Stroke::Release), []);
    assert_eq!(desk.take(clip()), []);
}

#[test]
fn enter_ends_a_recording_and_approves_nothing() {
    let mut desk = holding();
    desk.propose(&headline());
    let mut desk = recording(desk, "F5");
    assert_eq!(desk.press("Enter"), [Effect::Release]);
    for key in ["d", "x", "c", "s", "q"] {
        let mut desk = recording(holding(), "F5");
        assert_eq!(desk.press(key), [], "{key}");
    }
}

#[test]
fn losing_the_focus_ends_a_recording() {
    let mut desk = recording(holding(), "Space");
    assert_eq!(desk.take(Message::Focus(false)), [Effect::Release]);
    assert!(desk.text().contains("lost the focus"));
    assert_eq!(
        desk.take(clip()),
        [Effect::SendClip("/state/clip.wav".into())]
    );
}

#[test]
fn the_longest_length_ends_a_recording() {
    let mut desk = recording(holding(), "F5");
    assert_eq!(desk.take(Message::Mic(MicEvent::Limit)), []);
    assert_eq!(desk.stroke("F5", Stroke::Release), []);
    assert_eq!(
        desk.take(clip()),
        [Effect::SendClip("/state/clip.wav".into())]
    );
}

#[test]
fn what_cannot_be_heard_is_said() {
    for (event, words) in [
        (MicEvent::NoSpeech, "no speech heard"),
        (MicEvent::TooShort, "too short to hold a word: hold the key"),
        (
            MicEvent::Failed(Problem::internal("no input device").hint("plug one in")),
            "microphone: no input device (plug one in)",
        ),
    ] {
        let mut desk = recording(holding(), "F5");
        desk.stroke("F5", Stroke::Release);
        assert_eq!(desk.take(Message::Mic(event)), []);
        assert!(desk.text().contains(words), "{}", desk.text());
        assert_eq!(desk.press("F5"), [Effect::Press], "and one can try again");
    }
}

#[test]
fn without_microphone_or_model_the_reason_is_given() {
    let mut desk = Desk::new(80, 24);
    desk.model.settings.microphone = false;
    assert_eq!(desk.press("F5"), []);
    assert!(
        desk.text().contains("no microphone in this session"),
        "{}",
        desk.text()
    );
    let mut desk = Desk::new(80, 24);
    desk.model.site.speech.ready = false;
    desk.model.site.speech.message = "run `sayso speech install`".into();
    assert_eq!(desk.press("F5"), [Effect::LoadStatus(Duration::ZERO)]);
    assert!(
        desk.text().contains("run `sayso speech install`"),
        "{}",
        desk.text()
    );
}

#[test]
fn a_question_can_be_answered_by_voice() {
    let mut desk = holding();
    desk.event(
        EventKind::Intent,
        json!({"text": "x", "question": {"text": "Sure?", "heard": "x", "act": "deploy"}}),
    );
    let mut desk = recording(desk, "Space");
    assert_eq!(desk.stroke("Space", Stroke::Release), [Effect::Release]);
}

#[test]
fn in_the_text_space_is_a_space_and_f5_talks() {
    let mut desk = holding();
    desk.press("Tab");
    desk.write("a b");
    assert_eq!(desk.model.line.text(), "a b");
    assert_eq!(desk.press("F5"), [Effect::Press]);
    assert!(desk.text().contains("insert"), "{}", desk.text());
    desk.stroke("F5", Stroke::Release);
    assert_eq!(
        desk.take(clip()),
        [Effect::Dictate("/state/clip.wav".into())]
    );
    assert_eq!(desk.model.line.text(), "a b", "what was written stays");
    desk.press("Left");
    desk.take(Message::Mic(MicEvent::Words(Ok("blue".into()))));
    assert_eq!(desk.model.line.text(), "a blue b", "at the cursor");
    desk.take(Message::Mic(MicEvent::Words(Ok("late".into()))));
    assert_eq!(
        desk.model.line.text(),
        "a blue b",
        "nobody asked for these words"
    );
}

#[test]
fn the_meter_is_drawn_a_few_times_a_second_and_not_at_all_without_motion() {
    let mut desk = recording(holding(), "F5");
    let drawn = |desk: &mut Desk| {
        let mut drawn = 0;
        for ms in (0..1_000).step_by(10) {
            desk.now += Duration::from_millis(10);
            desk.take(level(ms));
            drawn += i32::from(std::mem::take(&mut desk.model.dirty));
        }
        drawn
    };
    desk.draw();
    let moving = drawn(&mut desk);
    assert!((8..=12).contains(&moving), "{moving}");
    assert!(desk.text().contains("REC  0.9 s"), "{}", desk.text());
    desk.model.settings.motion = false;
    desk.draw();
    assert_eq!(drawn(&mut desk), 0);
    assert!(desk.text().contains("good level"), "{}", desk.text());
}

#[test]
fn the_header_says_when_the_microphone_is_open() {
    let mut desk = recording(holding(), "F5");
    assert!(desk.text().lines().next().unwrap().contains("● mic"));
    desk.stroke("F5", Stroke::Release);
    desk.take(clip());
    assert!(desk.text().lines().next().unwrap().contains("mic open"));
    desk.now += Duration::from_secs(61);
    desk.take(Message::Wake);
    assert!(
        !desk.text().lines().next().unwrap().contains("mic"),
        "{}",
        desk.text()
    );
}
