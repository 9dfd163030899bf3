//! The list of what works on this machine, and the trial of the microphone in it.

use std::time::Duration;

use sayso::model::Problem;
use sayso::tui::checkup::{Checkup, Item};
use sayso::tui::message::{Effect, Message, Outcome};
use sayso::tui::model::Overlay;
use sayso::tui::voice_port::MicEvent;

use super::support::*;

fn item(name: &str, ok: bool, fix: Option<&str>) -> Item {
    Item {
        name: name.into(),
        ok,
        found: format!("{name} was found"),
        next: (!ok).then(|| format!("mend {name} by hand")),
        fix: fix.map(str::to_owned),
    }
}

fn items() -> Vec<Item> {
    vec![
        item("repository", true, None),
        item("git identity", false, None),
        item("speech", false, Some("install it")),
    ]
}

#[test]
fn what_is_wrong_is_selected_and_mended_where_the_cockpit_can() {
    let mut desk = Desk::new(100, 40);
    assert_eq!(desk.press("F2"), [Effect::Checkup]);
    desk.done(Outcome::Checkup(items()));
    assert!(
        desk.text().contains("2 things need attention."),
        "{}",
        desk.text()
    );
    assert_eq!(desk.press("Enter"), [], "this one is for the person");
    assert!(
        desk.text().contains("mend git identity by hand"),
        "{}",
        desk.text()
    );
    assert_eq!(desk.press("j Enter"), [Effect::Fix("speech".into())]);
    assert_eq!(desk.press("Enter"), [], "once is enough");
    let effects = desk.done(Outcome::Fixed(
        "speech".into(),
        Ok("it is installed".into()),
    ));
    assert_eq!(
        effects,
        [Effect::Checkup, Effect::LoadStatus(Duration::ZERO)]
    );
    desk.done(Outcome::Checkup(vec![item("speech", true, None)]));
    assert!(desk.text().contains("All is well."), "{}", desk.text());
    desk.press("Esc");
    assert_eq!(desk.model.overlay, None);
}

#[test]
fn what_could_not_be_mended_says_why() {
    let mut desk = Desk::new(100, 40);
    desk.press("F2");
    desk.done(Outcome::Checkup(items()));
    desk.press("j Enter");
    let problem = Problem::internal("the disk is full").hint("make room");
    desk.done(Outcome::Fixed("speech".into(), Err(problem)));
    desk.press("Esc");
    let text = desk.text();
    assert!(
        text.contains("speech was not mended: the disk is full"),
        "{text}"
    );
}

#[test]
fn the_microphone_is_tried_and_nothing_of_it_is_sent() {
    let mut desk = Desk::new(100, 40);
    desk.press("F2");
    desk.done(Outcome::Checkup(items()));
    assert!(matches!(
        desk.press("F5")[..],
        [Effect::Press | Effect::Start]
    ));
    desk.take(Message::Mic(MicEvent::Recording));
    desk.take(Message::Mic(MicEvent::Level {
        rms_db: -20.0,
        peak_db: -12.0,
        elapsed: Duration::from_millis(300),
    }));
    assert!(desk.text().contains("━━"), "{}", desk.text());
    assert_eq!(desk.press("F5"), [Effect::Release]);
    let effects = desk.take(Message::Mic(MicEvent::Clip {
        path: "/clip.wav".into(),
        seconds: 1.0,
        speech: 0.8,
    }));
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::SendClip(_))),
        "{effects:?}"
    );
    assert!(
        desk.text().contains("heard you, -12 dB at most"),
        "{}",
        desk.text()
    );
    desk.press("F5");
    desk.take(Message::Mic(MicEvent::Recording));
    desk.press("F5");
    desk.take(Message::Mic(MicEvent::NoSpeech));
    assert!(desk.text().contains("nothing was heard"), "{}", desk.text());
}

#[test]
fn the_first_start_shows_it_until_there_is_something_else_to_see() {
    let mut desk = Desk::bare(100, 40);
    desk.model.board.first_start = true;
    desk.model.board.checkup = Some(Checkup::begin());
    assert!(desk.text().contains("Welcome to Sayso"), "{}", desk.text());
    desk.connect();
    desk.done(Outcome::Checkup(items()));
    assert!(
        desk.text().contains("git identity was found"),
        "{}",
        desk.text()
    );
    assert_eq!(
        desk.model.overlay, None,
        "every key does what it always does"
    );
    desk.propose(&headline());
    let text = desk.text();
    assert!(
        !text.contains("Welcome to Sayso") && text.contains("<h1>Studio</h1>"),
        "{text}"
    );
    desk.press("F2");
    assert_eq!(desk.model.overlay, Some(Overlay::Checkup));
}
