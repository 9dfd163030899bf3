//! Questions: the server's and the cockpit's own, and the ways out.

use std::time::Duration;

use sayso::model::{Deployment, EventKind, Instruction, Problem};
use sayso::tui::keys::Stroke;
use sayso::tui::message::{Effect, Message, Outcome};
use serde_json::json;

use super::support::*;

fn ask(desk: &mut Desk) {
    desk.event(
        EventKind::Intent,
        json!({"text": "roll back", "reading": "roll back",
               "question": {"text": "Take 9f8e7d6 off production?", "heard": "roll back", "act": "rollback", "environment": "production"}}),
    );
}

fn start(desk: &mut Desk) {
    desk.event(
        EventKind::DeployStart,
        json!({"target": "local", "commit": "abcdef0123", "force": false}),
    );
}

#[test]
fn a_question_is_answered_once_by_yes_or_no() {
    for (key, yes) in [
        ("Enter", true),
        ("y", true),
        ("n", false),
        ("x", false),
        ("Esc", false),
    ] {
        let mut desk = Desk::new(80, 24);
        ask(&mut desk);
        assert!(
            desk.text().contains("Take 9f8e7d6 off production?"),
            "{}",
            desk.text()
        );
        assert_eq!(
            desk.press(key),
            [Effect::Answer("ins_1".into(), yes)],
            "{key}"
        );
        assert_eq!(desk.press(key), [], "{key}: not twice");
    }
}

#[test]
fn a_question_that_was_not_drawn_is_not_answered() {
    let mut desk = Desk::new(80, 24);
    let event = desk.event_of(
        EventKind::Intent,
        json!({"text": "x", "question": {"text": "Sure?", "heard": "x", "act": "deploy"}}),
    );
    desk.take(Message::Stream(sayso::client::stream::StreamItem::Event(
        event.into(),
    )));
    assert_eq!(desk.stroke("Enter", Stroke::Press), []);
    desk.draw();
    assert_eq!(
        desk.stroke("Enter", Stroke::Press),
        [Effect::Answer("ins_1".into(), true)]
    );
}

#[test]
fn a_question_goes_when_it_was_answered_elsewhere() {
    let mut desk = Desk::new(80, 24);
    ask(&mut desk);
    desk.event(
        EventKind::Canceled,
        json!({"reason": "answered on the phone"}),
    );
    assert!(!desk.text().contains("─ Question ─"), "{}", desk.text());
    let mut desk = Desk::new(80, 24);
    ask(&mut desk);
    desk.press("Enter");
    desk.done(Outcome::Answered(
        "ins_1".into(),
        Err(Problem::conflict("answered already")),
    ));
    assert!(!desk.text().contains("─ Question ─"), "{}", desk.text());
}

#[test]
fn a_question_that_was_open_before_the_start_is_asked() {
    let mut desk = Desk::bare(80, 24);
    let mut status = status();
    let instruction: Instruction = serde_json::from_value(json!({
        "id": "ins_7", "actor": "Ada", "action": "preview", "state": "asking", "engine": "auto",
        "question": {"text": "Deploy 1a2b3c4 to production?", "heard": "deploy", "act": "deploy"},
        "created_at": AT, "updated_at": AT
    }))
    .unwrap();
    status.instructions = vec![instruction];
    desk.done(Outcome::Status(Ok(status)));
    desk.draw();
    assert_eq!(desk.press("y"), [Effect::Answer("ins_7".into(), true)]);
}

#[test]
fn deploying_redeploying_and_going_back_ask_first() {
    for (key, effect, words) in [
        (
            "d",
            Effect::Deploy(false),
            "Deploy main (1a2b3c4) to production?",
        ),
        ("D", Effect::Deploy(true), "Build main (1a2b3c4) again"),
        (
            "R",
            Effect::Rollback("production".into()),
            "Take 9f8e7d6 off production",
        ),
    ] {
        let mut desk = Desk::new(80, 24);
        assert_eq!(desk.press(key), []);
        assert!(desk.text().contains(words), "{}", desk.text());
        assert_eq!(desk.press("n"), []);
        assert!(!desk.text().contains(words));
        desk.press(key);
        assert_eq!(desk.press("Enter"), [effect]);
        assert_eq!(desk.press(key), [], "one at a time");
    }
}

#[test]
fn a_confirmation_typed_ahead_does_not_count() {
    let mut desk = Desk::new(80, 24);
    desk.stroke("d", Stroke::Press);
    assert_eq!(
        desk.stroke("Enter", Stroke::Press),
        [],
        "the question was not on the screen yet"
    );
    desk.draw();
    assert_eq!(desk.stroke("Enter", Stroke::Press), [Effect::Deploy(false)]);
}

#[test]
fn deploying_says_that_the_open_proposal_is_not_part_of_it() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    desk.press("d");
    assert!(desk.text().contains("not part of it"), "{}", desk.text());
    // The key that would approve the proposal now answers the question.
    assert_eq!(desk.press("Enter"), [Effect::Deploy(false)]);
}

#[test]
fn quitting_asks_only_while_a_deployment_runs() {
    let mut desk = Desk::new(80, 24);
    assert_eq!(desk.press("q"), [Effect::Quit]);
    start(&mut desk);
    assert_eq!(desk.press("q"), []);
    assert!(
        desk.text().contains("A deployment is running"),
        "{}",
        desk.text()
    );
    assert_eq!(desk.press("Esc q y"), [Effect::Quit]);
    desk.event(
        EventKind::DeployError,
        json!({"stage": "build", "message": "no", "hint": "", "log_tail": []}),
    );
    assert_eq!(desk.press("q"), [Effect::Quit]);
}

#[test]
fn ctrl_c_quits_when_pressed_twice_in_time_wherever_one_is() {
    for before in ["Esc", "Tab", "?", "d"] {
        let mut desk = Desk::new(80, 24);
        desk.press(before);
        assert_eq!(desk.press("Ctrl+C"), [], "{before}");
        assert_eq!(desk.press("Ctrl+C"), [Effect::Quit], "{before}");
    }
    let mut desk = Desk::new(80, 24);
    desk.press("Ctrl+C");
    desk.now += Duration::from_secs(4);
    desk.take(Message::Wake);
    assert_eq!(desk.press("Ctrl+C"), []);
    assert_eq!(desk.press("j Ctrl+C"), [], "another key in between");
}

#[test]
fn a_running_deployment_can_be_stopped() {
    let mut desk = Desk::new(80, 24);
    assert_eq!(desk.press("X"), []);
    start(&mut desk);
    assert_eq!(desk.press("X y"), [Effect::Stop("dep_1".into())]);
    desk.event(EventKind::Canceled, json!({"reason": "by Ada"}));
}

#[test]
fn keys_that_only_pass_the_word_on() {
    let mut desk = Desk::new(80, 24);
    assert_eq!(
        desk.press("o"),
        [Effect::Open("http://127.0.0.1:4000/".into())]
    );
    assert_eq!(
        desk.press("y"),
        [Effect::Copy("http://127.0.0.1:4000/".into())]
    );
    assert_eq!(desk.press("u"), [Effect::Submit("undo that".into())]);
    assert_eq!(desk.press("Ctrl+Z"), [Effect::Suspend]);
    assert_eq!(desk.press("Ctrl+L"), [Effect::Repaint]);
}

#[test]
fn an_address_that_is_none_is_not_opened() {
    let mut desk = Desk::bare(80, 24);
    let mut status = status();
    status.live[0].url = "file:///etc/passwd".into();
    desk.done(Outcome::Status(Ok(status)));
    assert_eq!(desk.press("o"), []);
    assert_eq!(desk.press("y"), []);
}

#[test]
fn before_the_state_is_known_nothing_is_started() {
    let mut desk = Desk::bare(80, 24);
    for key in ["d", "D", "R", "Enter", "x", "s", "e", "n", "X", "o", "y"] {
        assert_eq!(desk.press(key), [], "{key}");
    }
    assert!(desk.model.overlay.is_none());
}

#[test]
fn escape_leaves_one_passing_thing_at_a_time() {
    let mut desk = Desk::new(80, 24);
    desk.event(EventKind::Error, json!({"message": "it broke"}));
    desk.press("p");
    desk.press("X");
    assert!(desk.text().contains("no deployment is running"));
    desk.press("Esc");
    assert!(!desk.text().contains("no deployment is running"));
    assert!(desk.model.card.is_some());
    desk.press("Esc");
    assert!(desk.model.card.is_none());
}

#[test]
fn a_deployment_that_runs_at_the_start_is_shown() {
    let mut desk = Desk::bare(80, 24);
    let mut status = status();
    let deployment: Deployment = serde_json::from_value(json!({
        "id": "dep_1", "environment": "production", "target": "local", "commit": "abcdef0123", "force": false,
        "state": "running", "attempts": 1, "actor": "Ada", "started_at": AT,
        "progress": {"percent": 40, "stage": "build", "message": "npm run build", "eta_ms": 2_000}
    }))
    .unwrap();
    status.deployments = vec![deployment];
    desk.done(Outcome::Status(Ok(status)));
    let text = desk.text();
    assert!(
        text.contains("build") && text.contains("40 %") && text.contains("~2 s left"),
        "{text}"
    );
    assert_eq!(desk.press("q"), [], "quitting asks");
}

fn planned(desk: &mut Desk) {
    let line = |file: &str, what: &str| json!({"file": file, "what": what, "kept": true});
    desk.event(
        EventKind::Intent,
        json!({"text": "dark mode", "question": {
            "text": "anthropic would change 2 files. Go on?", "heard": "dark mode", "act": "plan",
            "plan": [line("index.html", "a toggle"), line("footer.html", "darker text")],
        }}),
    );
}

#[test]
fn a_plan_is_cut_down_before_it_is_answered() {
    let mut desk = Desk::new(80, 24);
    planned(&mut desk);
    let text = desk.text();
    assert!(text.contains("[x] index.html: a toggle"), "{text}");
    desk.press("2");
    assert!(desk.text().contains("[ ] footer.html"), "{}", desk.text());
    desk.press("k");
    desk.press("t");
    desk.press("t");
    assert_eq!(
        desk.press("Enter"),
        [Effect::AnswerPlan("ins_1".into(), vec![0])]
    );
    assert_eq!(desk.press("Enter"), [], "not twice");
}

#[test]
fn an_agents_second_question_is_not_answered_by_a_key_meant_for_the_first() {
    let mut desk = Desk::new(80, 24);
    let ask = |text: &str| json!({"text": "x", "question": {"text": text, "heard": "x", "act": "permit"}});
    desk.event(EventKind::Intent, ask("May it edit a.html?"));
    assert_eq!(desk.press("y"), [Effect::Answer("ins_1".into(), true)]);
    // The next one comes before the answer to the first has arrived.
    desk.event(
        EventKind::Notice,
        json!({"message": "answered: yes", "answered": true, "engine": "sayso"}),
    );
    let second = desk.event_of(EventKind::Intent, ask("May it run rm?"));
    desk.take(Message::Stream(sayso::client::stream::StreamItem::Event(
        second.into(),
    )));
    assert_eq!(desk.stroke("y", Stroke::Press), [], "it was not drawn yet");
    desk.draw();
    assert!(desk.text().contains("May it run rm?"), "{}", desk.text());
    assert_eq!(desk.press("n"), [Effect::Answer("ins_1".into(), false)]);
}
