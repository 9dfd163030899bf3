//! While and after speaking: words so far, certainty, replay, microphones, sounds, the phrase that wakes.

use std::time::Duration;

use sayso::config::Config;
use sayso::model::{EventKind, Problem};
use sayso::tui::keys::Stroke;
use sayso::tui::message::{Effect, Message};
use sayso::tui::model::{Focus, Overlay, Phase};
use sayso::tui::voice_port::{Device, MicEvent, Sound};
use serde_json::json;

use super::support::*;

fn mic(desk: &mut Desk, event: MicEvent) -> Vec<Effect> {
    let effects = desk.take(Message::Mic(event));
    desk.draw();
    effects
}

fn clip() -> MicEvent {
    MicEvent::Clip {
        path: "/state/clip.wav".into(),
        seconds: 2.6,
        speech: 2.1,
    }
}

fn level(ms: u64) -> MicEvent {
    MicEvent::Level {
        rms_db: -24.0,
        peak_db: -9.0,
        elapsed: Duration::from_millis(ms),
    }
}

fn recording(config: &Config) -> Desk {
    let mut desk = Desk::with(config, false, 100, 30);
    desk.connect();
    desk.take(Message::Keyboard(true));
    desk.press("F5");
    mic(&mut desk, MicEvent::Recording);
    desk
}

#[test]
fn words_are_shown_while_they_are_spoken_and_replaced_by_what_was_heard() {
    let mut desk = recording(&Config::default());
    mic(&mut desk, MicEvent::Partial("Change the head".into()));
    assert!(
        desk.text().contains("so far “Change the head…”"),
        "{}",
        desk.text()
    );
    desk.stroke("F5", Stroke::Release);
    mic(&mut desk, clip());
    // A server may send the words one by one meanwhile.
    mic(&mut desk, MicEvent::Partial("Change the headline".into()));
    assert!(
        desk.text().contains("Change the headline…"),
        "{}",
        desk.text()
    );
    desk.event(
        EventKind::Transcript,
        json!({"text": "Change the footer.", "ms": 40, "seconds": 2.6, "engine": "moonshine-tiny",
               "words": [{"text": "Change", "certainty": 0.99}, {"text": "the", "certainty": 0.97},
                         {"text": "footer.", "certainty": 0.31}]}),
    );
    let text = desk.text();
    assert!(!text.contains("so far"), "{text}");
    assert!(
        text.contains("heard “Change the footer.‹31 %?›” 76 %"),
        "{text}"
    );
    assert_eq!(desk.press("E"), [Effect::LoadWords]);
    assert_eq!(
        desk.model.line.text(),
        "Change the footer.",
        "marks are not part of it"
    );
    assert_eq!(
        desk.press("Enter"),
        [Effect::Submit("Change the footer.".into())]
    );
}

#[test]
fn late_words_of_a_recording_that_was_thrown_away_are_not_shown() {
    let mut desk = recording(&Config::default());
    desk.press("Esc");
    mic(&mut desk, MicEvent::Partial("Deploy".into()));
    assert!(!desk.text().contains("so far"), "{}", desk.text());
}

#[test]
fn words_so_far_do_not_outlive_what_they_came_from() {
    for event in [MicEvent::NoSpeech, MicEvent::TooShort] {
        let mut desk = recording(&Config::default());
        mic(&mut desk, MicEvent::Partial("Deploy".into()));
        desk.stroke("F5", Stroke::Release);
        mic(&mut desk, event);
        assert!(!desk.text().contains("so far"), "{}", desk.text());
    }
    let mut desk = recording(&Config::default());
    mic(&mut desk, MicEvent::Partial("Deploy".into()));
    desk.stroke("F5", Stroke::Release);
    mic(&mut desk, clip());
    assert!(desk.text().contains("so far"), "{}", desk.text());
    desk.event(EventKind::Error, json!({"message": "no model"}));
    assert!(!desk.text().contains("so far"), "{}", desk.text());
}

#[test]
fn the_end_of_the_longest_recording_is_counted_down() {
    let mut desk = recording(&Config::default());
    mic(&mut desk, level(12_000));
    assert!(!desk.text().contains("left"), "{}", desk.text());
    desk.now += Duration::from_secs(10);
    mic(&mut desk, level(22_500));
    assert!(desk.text().contains("7 s left"), "{}", desk.text());
}

#[test]
fn with_confirm_what_was_heard_is_sent_by_the_person() {
    let mut config = Config::default();
    config.voice.confirm = true;
    let mut desk = recording(&config);
    desk.stroke("F5", Stroke::Release);
    assert_eq!(
        mic(&mut desk, clip()),
        [Effect::Dictate("/state/clip.wav".into())]
    );
    mic(&mut desk, MicEvent::Words(Ok("Deploy that.".into())));
    assert_eq!(desk.model.focus, Focus::Input);
    assert!(desk.text().contains("Deploy that."), "{}", desk.text());
    assert_eq!(desk.press("Enter"), [Effect::Submit("Deploy that.".into())]);
}

/// Speaks `words` to the desk by holding F5, with a text in focus.
fn dictate(desk: &mut Desk, words: &str) {
    assert_eq!(desk.press("F5"), [Effect::Press]);
    mic(desk, MicEvent::Recording);
    desk.stroke("F5", Stroke::Release);
    assert_eq!(
        mic(desk, clip()),
        [Effect::Dictate("/state/clip.wav".into())]
    );
    mic(desk, MicEvent::Words(Ok(words.into())));
}

#[test]
fn words_go_into_the_hunk_that_is_edited_and_into_what_is_looked_for() {
    let mut desk = Desk::new(120, 40);
    desk.take(Message::Keyboard(true));
    desk.propose(&super::review::real("list.html", 40));
    desk.press("f e");
    assert!(desk.model.editing.is_some(), "{}", desk.text());
    dictate(&mut desk, "in spring");
    let edit = desk.model.editing.as_ref().expect("still being edited");
    assert!(edit.changed());
    assert!(
        edit.area
            .lines()
            .iter()
            .any(|line| line.contains("in spring")),
        "{:?}",
        edit.area.lines()
    );

    let mut desk = Desk::new(120, 40);
    desk.take(Message::Keyboard(true));
    desk.press("Ctrl+P");
    dictate(&mut desk, "Roll back.");
    match &desk.model.overlay {
        Some(Overlay::Menu(menu)) => assert_eq!(menu.filter.text(), "Roll back"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn words_that_cannot_be_read_are_said_so() {
    for (words, said) in [
        (Ok(String::new()), "no speech heard"),
        (
            Err(Problem::internal("no model").hint("install it")),
            "no model (install it)",
        ),
    ] {
        let mut config = Config::default();
        config.voice.confirm = true;
        let mut desk = recording(&config);
        desk.stroke("F5", Stroke::Release);
        mic(&mut desk, clip());
        mic(&mut desk, MicEvent::Words(words));
        assert!(desk.text().contains(said), "{}", desk.text());
        assert_eq!(desk.model.focus, Focus::Cockpit);
    }
}

#[test]
fn the_last_recording_is_played() {
    let mut desk = recording(&Config::default());
    desk.stroke("F5", Stroke::Release);
    mic(&mut desk, clip());
    assert_eq!(desk.press("V"), [Effect::Replay("/state/clip.wav".into())]);
    let mut desk = Desk::new(100, 30);
    assert_eq!(desk.press("V"), []);
    assert!(
        desk.text().contains("nothing was recorded yet"),
        "{}",
        desk.text()
    );
}

#[test]
fn a_recording_ends_by_itself_where_no_key_is_held_unless_that_is_off() {
    let mut config = Config::default();
    for (auto_end, begin) in [(true, Effect::Start), (false, Effect::Press)] {
        config.voice.auto_end = auto_end;
        let mut desk = Desk::with(&config, false, 100, 30);
        desk.connect();
        desk.take(Message::Keyboard(false));
        assert_eq!(desk.press("F5"), [begin]);
        mic(&mut desk, MicEvent::Recording);
        // Whether silence ended it or not: the clip is sent.
        assert_eq!(
            mic(&mut desk, clip()),
            [Effect::SendClip("/state/clip.wav".into())]
        );
        assert_eq!(desk.model.talk.phase, Phase::Idle);
    }
}

fn device(id: Option<&str>, name: &str, chosen: bool, level: Option<i16>) -> Device {
    Device {
        id: id.map(str::to_owned),
        name: name.into(),
        chosen,
        level,
        trouble: None,
    }
}

#[test]
fn a_microphone_is_chosen_by_its_name_and_level() {
    let mut desk = Desk::new(100, 30);
    assert_eq!(desk.press("M"), [Effect::WatchDevices(true)]);
    assert!(desk.text().contains("looking…"), "{}", desk.text());
    let devices = |level| {
        let mut broken = device(Some("c"), "Broken", false, None);
        broken.trouble = Some("in use by another program".into());
        MicEvent::Devices(vec![
            device(None, "the system's default (Headset)", false, Some(-120)),
            device(Some("b"), "Webcam Mic", true, level),
            broken,
        ])
    };
    mic(&mut desk, devices(Some(-12)));
    let text = desk.text();
    assert!(
        text.contains("▸● Webcam Mic") && text.contains("██████████··"),
        "{text}"
    );
    assert!(text.contains("silent"), "{text}");
    desk.press("Down");
    mic(&mut desk, devices(Some(-50)));
    assert!(
        desk.text().contains("▸○ Broken") && desk.text().contains("in use by another program"),
        "{}",
        desk.text()
    );
    assert_eq!(desk.press("Up Up"), []);
    assert_eq!(
        desk.press("Enter"),
        [Effect::ChooseDevice(None), Effect::WatchDevices(false)]
    );
    assert!(
        desk.text()
            .contains("recording from the system's default (Headset)"),
        "{}",
        desk.text()
    );
    // However the list goes away, the microphones are closed.
    for key in ["Esc", "F1"] {
        desk.press("M");
        assert_eq!(desk.press(key), [Effect::WatchDevices(false)], "{key}");
        desk.press("Esc");
    }
}

#[test]
fn sounds_tell_start_stop_success_and_failure_when_they_are_wanted() {
    let mut config = Config::default();
    config.voice.sounds = true;
    let mut desk = Desk::with(&config, false, 100, 30);
    desk.connect();
    desk.take(Message::Keyboard(true));
    desk.press("F5");
    assert_eq!(
        mic(&mut desk, MicEvent::Recording),
        [Effect::Sound(Sound::Start)]
    );
    desk.stroke("F5", Stroke::Release);
    assert_eq!(
        mic(&mut desk, clip()),
        [
            Effect::Sound(Sound::Stop),
            Effect::SendClip("/state/clip.wav".into())
        ]
    );
    let failed = desk.event(EventKind::Error, json!({"message": "not found"}));
    assert!(failed.contains(&Effect::Sound(Sound::Error)), "{failed:?}");
    let done = desk.event(
        EventKind::Commit,
        json!({"commit": "abc", "branch": "main"}),
    );
    assert!(done.contains(&Effect::Sound(Sound::Done)), "{done:?}");
}

#[test]
fn trouble_with_the_microphone_is_told_while_recording() {
    let mut desk = recording(&Config::default());
    mic(&mut desk, MicEvent::Muted);
    assert!(desk.text().contains("is it muted?"), "{}", desk.text());
    mic(
        &mut desk,
        MicEvent::Interrupted(Problem::internal("the sound server is gone")),
    );
    let text = desk.text();
    assert!(
        text.contains("the sound server is gone; what was said is kept"),
        "{text}"
    );
    assert_eq!(desk.model.talk.phase, Phase::Recording);
}

#[test]
fn the_phrase_that_wakes_is_shown_and_begins_a_recording() {
    let mut config = Config::default();
    config.voice.wake = "hey sayso".into();
    let mut desk = Desk::with(&config, false, 100, 30);
    desk.connect();
    mic(&mut desk, MicEvent::Listening(true));
    let header = desk.text().lines().next().unwrap().to_owned();
    assert!(header.contains("listening for “hey sayso”"), "{header}");
    assert_eq!(mic(&mut desk, MicEvent::Woken), [Effect::Start]);
    assert_eq!(desk.model.talk.phase, Phase::Opening);
    // Already recording: the phrase is a part of what is said.
    assert_eq!(mic(&mut desk, MicEvent::Woken), []);
    mic(&mut desk, MicEvent::Recording);
    assert_eq!(desk.press("Esc"), [Effect::CancelRecording]);
    assert_eq!(
        mic(&mut desk, MicEvent::Overheard("/state/heard.wav".into())),
        [Effect::SendClip("/state/heard.wav".into())]
    );
    mic(&mut desk, MicEvent::Listening(false));
    let header = desk.text().lines().next().unwrap().to_owned();
    assert!(!header.contains("listening"), "{header}");
}
