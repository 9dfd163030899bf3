//! What events and the loaded state make of the screen.

use std::time::Duration;

use sayso::client::stream::{Connection, StreamItem};
use sayso::model::{Cursor, EventKind, Problem};
use sayso::tui::message::{Effect, Message, Outcome};
use serde_json::json;

use super::support::*;

fn progress(desk: &mut Desk, percent: u8, stage: &str) {
    desk.event(
        EventKind::DeployProgress,
        json!({"percent": percent, "stage": stage, "message": format!("at {stage}"), "eta_ms": 900}),
    );
}

fn start(desk: &mut Desk) {
    desk.event(
        EventKind::DeployStart,
        json!({"target": "local", "commit": "abcdef0123", "force": false}),
    );
}

#[test]
fn the_first_state_begins_the_stream_and_loads_the_history_once() {
    let mut desk = Desk::bare(80, 24);
    let mut status = status();
    let cursor = Cursor {
        epoch: "e".into(),
        seq: 900,
    };
    status.cursor = cursor.clone();
    status.oldest = 850;
    let effects = desk.done(Outcome::Status(Ok(status.clone())));
    assert_eq!(
        effects,
        [
            Effect::Follow(cursor.clone()),
            Effect::LoadHistory(cursor.clone(), 849)
        ]
    );
    assert_eq!(desk.done(Outcome::Status(Ok(status.clone()))), []);
    let mut desk = Desk::bare(80, 24);
    status.oldest = 1;
    let effects = desk.done(Outcome::Status(Ok(status)));
    assert_eq!(effects[1], Effect::LoadHistory(cursor, 0));
}

#[test]
fn without_a_server_it_says_so_and_tries_again() {
    let mut desk = Desk::bare(80, 24);
    let problem = Problem::new(503, "unreachable", "the server is away").hint("start it");
    let effects = desk.done(Outcome::Status(Err(problem)));
    assert_eq!(effects, [Effect::LoadStatus(Duration::from_secs(2))]);
    let text = desk.text();
    assert!(
        text.contains("reconnecting in 2 s") && text.contains("the server is away (start it)"),
        "{text}"
    );
}

#[test]
fn what_was_heard_and_taken_for_are_both_shown() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    let text = desk.text();
    assert!(
        text.contains("heard “change the headline to Welcome to 3000 Studios”"),
        "{text}"
    );
    assert!(text.contains("→ change the headline"), "{text}");
    let mut desk = Desk::new(80, 24);
    desk.event(
        EventKind::Intent,
        json!({"text": "change the title", "intent": {"kind": "edit", "request": "change the title"}, "reading": "change the title"}),
    );
    assert!(
        desk.text().contains("you wrote “change the title”"),
        "{}",
        desk.text()
    );
}

#[test]
fn a_deployment_goes_forward_only_and_ends_live() {
    let mut desk = Desk::new(80, 24);
    start(&mut desk);
    progress(&mut desk, 35, "build");
    assert!(desk.text().contains("35 %"), "{}", desk.text());
    progress(&mut desk, 20, "fetch");
    assert!(desk.text().contains("35 %"), "{}", desk.text());
    progress(&mut desk, 99, "verify");
    assert!(
        desk.text().contains("99 %") && desk.text().contains("~1 s left"),
        "{}",
        desk.text()
    );
    desk.event(
        EventKind::DeployComplete,
        json!({"url": "http://127.0.0.1:4001/", "release": "rel_1", "commit": "abcdef0123", "total_ms": 620,
               "stages": {"fetch": 20, "build": 410, "verify": 90}}),
    );
    let text = desk.text();
    assert!(
        text.contains(
            "✓ LIVE on production in 0.62 s  http://127.0.0.1:4001/  longest: build 0.41 s"
        ),
        "{text}"
    );
    assert!(
        text.contains("fetch 20 ms · build 0.41 s · verify 90 ms"),
        "{text}"
    );
    assert!(
        text.lines()
            .next()
            .unwrap()
            .contains("live abcdef0 http://127.0.0.1:4001/"),
        "{text}"
    );
    assert_eq!(
        desk.press("o"),
        [Effect::Open("http://127.0.0.1:4001/".into())]
    );
}

#[test]
fn a_failed_deployment_says_where_why_and_what_to_do() {
    let mut desk = Desk::new(80, 24);
    start(&mut desk);
    desk.event(
        EventKind::DeployError,
        json!({"stage": "build", "message": "npm run build ended with 1", "hint": "run it by hand", "log_tail": ["a", "Error: no such module"]}),
    );
    let text = desk.text();
    for part in [
        "failed at build",
        "npm run build ended with 1",
        "Error: no such module",
        "run it by hand",
        "✗ production: failed at build",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        text.lines().next().unwrap().contains("live 9f8e7d6"),
        "what was live still is: {text}"
    );
}

#[test]
fn a_failed_deployment_does_not_cover_the_proposal_that_is_being_read() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    let mut event = desk.event_of(
        EventKind::DeployError,
        json!({"stage": "build", "message": "no", "hint": "", "log_tail": []}),
    );
    event.instruction = Some("ins_9".into());
    desk.stream(event);
    let text = desk.text();
    assert!(
        text.contains("Enter: commit to main") && text.contains("deployment failed at build: no"),
        "{text}"
    );
}

#[test]
fn going_back_loads_what_is_live_now() {
    let mut desk = Desk::new(80, 24);
    let effects = desk.event(
        EventKind::Rollback,
        json!({"from": "rel_1", "to": "rel_0", "automatic": true, "reason": "health 500"}),
    );
    assert_eq!(effects, [Effect::LoadStatus(Duration::ZERO)]);
}

#[test]
fn events_that_the_state_contains_are_listed_and_change_nothing() {
    let mut desk = Desk::bare(80, 24);
    let mut status = status();
    status.cursor.seq = 3;
    desk.done(Outcome::Status(Ok(status)));
    desk.event(
        EventKind::Proposal,
        serde_json::to_value(headline()).unwrap(),
    );
    assert!(
        desk.text().contains("Nothing waits for you"),
        "{}",
        desk.text()
    );
    assert!(
        desk.text().contains("proposed: Change the headline"),
        "{}",
        desk.text()
    );
    desk.seq = 3;
    desk.event(
        EventKind::Proposal,
        serde_json::to_value(headline()).unwrap(),
    );
    assert!(
        desk.text().contains("Enter: commit to main"),
        "{}",
        desk.text()
    );
}

#[test]
fn a_state_older_than_the_events_takes_nothing_back() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    desk.done(Outcome::Status(Ok(status())));
    assert!(
        desk.text().contains("Enter: commit to main"),
        "{}",
        desk.text()
    );
}

#[test]
fn another_log_makes_the_cockpit_load_everything_anew() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    let cursor = Cursor {
        epoch: "f".into(),
        seq: 0,
    };
    let effects = desk.take(Message::Stream(StreamItem::Reset(cursor)));
    assert_eq!(effects, [Effect::LoadStatus(Duration::ZERO)]);
    let mut status = status();
    status.repository.branch = "other".into();
    assert_eq!(
        desk.done(Outcome::Status(Ok(status))),
        [],
        "the stream goes on by itself"
    );
    let text = desk.text();
    assert!(
        text.contains("studio  other") && text.contains("Nothing waits for you"),
        "{text}"
    );
    // Its events count from one again.
    desk.seq = 0;
    desk.event(EventKind::Notice, json!({"message": "a new log"}));
    assert!(desk.text().contains("a new log"));
}

#[test]
fn a_state_that_is_loaded_again_moves_nothing_of_what_is_being_read() {
    let mut desk = Desk::new(80, 16);
    desk.propose(&three_hunks());
    desk.press("n n");
    let before = desk.text();
    let mut status = status();
    status.cursor.seq = desk.seq;
    status.proposals = vec![three_hunks()];
    desk.done(Outcome::Status(Ok(status)));
    assert_eq!(desk.text(), before);
}

#[test]
fn coming_back_to_the_window_loads_a_state_that_has_grown_old() {
    let mut desk = Desk::new(80, 24);
    desk.now = Duration::from_secs(60);
    desk.take(Message::Focus(false));
    assert_eq!(
        desk.take(Message::Focus(true)),
        [Effect::LoadStatus(Duration::ZERO)]
    );
    assert_eq!(desk.take(Message::Focus(true)), [], "not twice in a moment");
}

#[test]
fn the_connection_is_told() {
    for (connection, words) in [
        (Connection::Connecting, "connecting"),
        (Connection::Streaming, "online"),
        (Connection::Polling, "online (polling)"),
        (
            Connection::Waiting {
                reason: "refused".into(),
                retry_ms: 500,
            },
            "refused",
        ),
        (
            Connection::Closed {
                reason: "the token is not accepted".into(),
            },
            "the token is not accepted",
        ),
    ] {
        let mut desk = Desk::new(80, 24);
        desk.take(Message::Stream(StreamItem::Connection(connection)));
        assert!(desk.text().contains(words), "{words}: {}", desk.text());
    }
}

#[test]
fn progress_is_one_row_of_the_timeline() {
    let mut desk = Desk::new(80, 24);
    start(&mut desk);
    for percent in 1..=50 {
        progress(&mut desk, percent, "build");
    }
    assert_eq!(desk.model.timeline.len(), 2);
    assert!(
        desk.text().contains("build 50 % at build"),
        "{}",
        desk.text()
    );
}

#[test]
fn what_was_written_is_not_called_heard() {
    let mut desk = Desk::new(80, 24);
    desk.event(
        EventKind::Transcript,
        json!({"text": "change the title", "ms": 0, "engine": "typed"}),
    );
    let text = desk.text();
    assert!(
        text.contains("you wrote “change the title”")
            && text.contains("Ada wrote “change the title”"),
        "{text}"
    );
    assert!(!text.contains("heard"), "{text}");
}

#[test]
fn a_call_that_failed_says_all_it_has_to_say() {
    let mut desk = Desk::new(80, 24);
    desk.press("R y");
    let problem = Problem::conflict("production has no earlier good release to go back to")
        .hint("deploy an earlier commit");
    desk.done(Outcome::RolledBack(Err(problem)));
    let text = desk.text();
    assert!(
        text.contains("did not go back: production has no earlier good release to go back to"),
        "{text}"
    );
    assert!(text.contains("   deploy an earlier commit"), "{text}");
}

#[test]
fn what_the_server_says_cannot_act_on_the_terminal() {
    let evil = "\x1b]52;c;ZXZpbA==\x07\u{9b}2J\u{202e}evil\r\n\x1b[31m";
    let mut desk = Desk::new(120, 40);
    let mut view = headline();
    view.proposal.title = evil.into();
    view.proposal.notes = vec![evil.into()];
    view.proposal.warnings = vec![evil.into()];
    view.proposal.branch = evil.into();
    view.proposal.files[0].path = evil.into();
    view.proposal.files[0].hunks[0].lines[1].text = evil.into();
    desk.propose(&view);
    let mut status = status();
    status.repository.name = evil.into();
    status.repository.branch = evil.into();
    status.repository.head = evil.into();
    status.live[0].url = evil.into();
    status.live[0].commit = evil.into();
    status.environment = evil.into();
    status.live[0].environment = evil.into();
    status.cursor.seq = desk.seq;
    status.proposals = vec![view];
    desk.done(Outcome::Status(Ok(status)));
    let harmless = |desk: &mut Desk| {
        let (buffer, _) = desk.draw();
        for cell in &buffer.content {
            let symbol = cell.symbol();
            assert!(
                !symbol
                    .chars()
                    .any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)),
                "{symbol:?}"
            );
        }
    };
    harmless(&mut desk);
    for kind in EventKind::ALL {
        let mut data = json!({"question": {"text": evil, "heard": evil, "act": evil}, "candidates": [{"file": evil, "line": 1, "text": evil}]});
        for key in [
            "text", "reading", "title", "message", "hint", "stage", "url", "release", "commit",
            "branch", "output", "reason", "name", "from", "to", "action",
        ] {
            data[key] = evil.into();
        }
        let mut event = desk.event_of(kind, data);
        event.actor = evil.into();
        event.environment = Some(evil.into());
        desk.stream(event);
        harmless(&mut desk);
        desk.press("d");
        harmless(&mut desk);
        desk.press("n");
    }
}

#[test]
fn nothing_is_due_while_nothing_happens() {
    let mut desk = Desk::new(80, 24);
    let next = |desk: &Desk| sayso::tui::motion::next(&desk.model, desk.now);
    assert_eq!(next(&desk), None);
    desk.propose(&headline());
    assert_eq!(next(&desk), None, "an open proposal waits in silence");
    start(&mut desk);
    assert_eq!(
        next(&desk),
        Some(Duration::from_millis(100)),
        "a bar moves ten times a second"
    );
    desk.model.settings.motion = false;
    assert_eq!(next(&desk), None, "unless nothing may move");
    desk.model.settings.motion = true;
    let mut stopped = desk.event_of(EventKind::Canceled, json!({"reason": "by Ada"}));
    stopped.deployment = Some("dep_1".into());
    desk.stream(stopped);
    let notice = next(&desk).unwrap();
    assert!(
        notice > Duration::from_secs(1),
        "only the notice goes, once: {notice:?}"
    );
    desk.now = notice;
    desk.take(Message::Wake);
    assert_eq!(next(&desk), None);
}

#[test]
fn a_change_is_seen_while_a_model_writes_it_and_esc_stops_it() {
    let mut desk = Desk::new(100, 30);
    desk.press("Tab");
    desk.write("make the page look calmer");
    desk.press("Enter");
    desk.event(
        EventKind::Transcript,
        json!({"text": "make the page look calmer"}),
    );
    desk.event(
        EventKind::Notice,
        json!({"message": "asking anthropic", "engine": "anthropic"}),
    );
    assert!(
        desk.text().contains("anthropic: asking anthropic"),
        "{}",
        desk.text()
    );
    let patch = "--- a/index.html\n+++ b/index.html\n@@ -1,2 +1,2 @@\n <p>a</p>\n-<h1>One</h1>\n+<h1>Calm</h1>\n";
    desk.event(
        EventKind::Notice,
        json!({"message": "Soften the heading", "engine": "anthropic", "draft": patch, "edits": 1}),
    );
    let text = desk.text();
    assert!(
        text.contains("Soften the heading") && text.contains("+<h1>Calm</h1>"),
        "{text}"
    );
    let effects = desk.press("Esc");
    assert_eq!(effects, [Effect::StopInstruction("ins_1".into())]);
    desk.event(EventKind::Canceled, json!({"reason": "stopped"}));
    assert!(!desk.text().contains("Calm"), "{}", desk.text());
}

#[test]
fn a_draft_of_somebody_else_changes_nothing_on_the_screen() {
    let mut desk = Desk::new(100, 30);
    let patch = "+++ b/index.html\n+<h1>Calm</h1>\n";
    desk.event(
        EventKind::Notice,
        json!({"message": "x", "engine": "openai", "draft": patch, "edits": 1}),
    );
    assert!(!desk.text().contains("Calm"), "{}", desk.text());
}
