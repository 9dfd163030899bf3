//! Words for the cockpit itself: shown as understood, stopped by Esc, never an instruction.

use std::time::Duration;

use sayso::model::api::{Accepted, Decide};
use sayso::model::{Decision, EventKind};
use sayso::tui::message::{Effect, Message, Outcome};
use sayso::tui::model::Pane;
use sayso::tui::voice_port::MicEvent;
use serde_json::json;

use super::support::*;

/// Records `words`, which the server knows as a phrase of this cockpit.
fn say(desk: &mut Desk, words: &str, phrase: &str, answer_first: bool) -> Vec<Effect> {
    desk.press("F5");
    desk.take(Message::Mic(MicEvent::Recording));
    desk.press("F5");
    desk.take(Message::Mic(MicEvent::Clip {
        path: "/clip.wav".into(),
        seconds: 1.0,
        speech: 1.0,
    }));
    let accepted = Outcome::ClipSent(Ok(Accepted {
        instruction: "ins_1".into(),
    }));
    let event =
        json!({"text": words, "command": phrase, "reading": format!("for the cockpit: {phrase}")});
    let mut effects = Vec::new();
    if answer_first {
        effects.extend(desk.done(accepted));
        desk.event(
            EventKind::Transcript,
            json!({"text": words, "engine": "local"}),
        );
        effects.extend(desk.event(EventKind::Intent, event));
    } else {
        desk.event(
            EventKind::Transcript,
            json!({"text": words, "engine": "local"}),
        );
        effects.extend(desk.event(EventKind::Intent, event));
        effects.extend(desk.done(accepted));
    }
    desk.draw();
    effects
}

fn after(desk: &mut Desk, ms: u64) -> Vec<Effect> {
    desk.now += Duration::from_millis(ms);
    let effects = desk.take(Message::Wake);
    desk.draw();
    effects
}

#[test]
fn what_is_harmless_is_done_at_once_and_shown() {
    for answer_first in [true, false] {
        let mut desk = Desk::new(100, 30);
        desk.propose(&three_hunks());
        assert_eq!(say(&mut desk, "Next hunk.", "next hunk", answer_first), []);
        assert_eq!(
            desk.model.reviews.current().unwrap().selected,
            1,
            "{answer_first}"
        );
        assert!(
            desk.text().contains("“Next hunk.”: next hunk"),
            "{}",
            desk.text()
        );
        say(
            &mut desk,
            "Show the timeline",
            "show the timeline",
            answer_first,
        );
        assert_eq!(desk.model.pane, Pane::Timeline);
        say(
            &mut desk,
            "open the review",
            "open the review",
            answer_first,
        );
        assert!(desk.model.full_view());
        say(&mut desk, "side by side", "side by side", answer_first);
        assert!(desk.model.sides);
        say(
            &mut desk,
            "close the review",
            "close the review",
            answer_first,
        );
        assert!(!desk.model.full_view());
    }
}

#[test]
fn what_decides_waits_a_moment_and_esc_stops_it() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&three_hunks());
    assert_eq!(
        say(&mut desk, "reject this hunk", "reject this hunk", true),
        []
    );
    let text = desk.text();
    assert!(
        text.contains("reject this hunk") && text.contains("Esc stops it"),
        "{text}"
    );
    assert_eq!(after(&mut desk, 500), []);
    assert_eq!(desk.press("Esc"), []);
    assert!(
        desk.text().contains("stopped: “reject this hunk”"),
        "{}",
        desk.text()
    );
    assert_eq!(after(&mut desk, 5_000), []);
    say(&mut desk, "reject this hunk", "reject this hunk", true);
    let decide = Decide {
        hunks: vec!["bbbbbbbbbbbb".into()],
        lines: None,
        decision: Decision::Rejected,
    };
    assert_eq!(
        after(&mut desk, 1_600),
        [Effect::Decide("pro_1".into(), decide)]
    );
}

#[test]
fn words_said_in_another_cockpit_move_nothing_here() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&three_hunks());
    let mut event = desk.event_of(
        EventKind::Intent,
        json!({"text": "next hunk", "command": "next hunk", "reading": "for the cockpit: next hunk"}),
    );
    event.instruction = Some("ins_9".into());
    desk.stream(event);
    assert_eq!(desk.model.reviews.current().unwrap().selected, 0);
}

#[test]
fn typed_words_are_for_the_cockpit_only_when_they_are_exactly_its_own() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&three_hunks());
    desk.press("Tab");
    desk.write("next hunk");
    assert_eq!(desk.press("Enter"), []);
    assert_eq!(desk.model.reviews.current().unwrap().selected, 1);
    desk.press("Tab");
    desk.write("change the next hunk to blue");
    assert_eq!(
        desk.press("Enter"),
        [Effect::Submit("change the next hunk to blue".into())]
    );
}

#[test]
fn what_cannot_be_done_says_why() {
    let mut desk = Desk::new(100, 30);
    say(&mut desk, "accept this hunk", "accept this hunk", true);
    assert!(desk.text().contains("no proposal waits"), "{}", desk.text());
    assert!(desk.model.spoken.is_none());
}
