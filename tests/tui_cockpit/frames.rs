//! Pictures of the main states with their styles, at the sizes people have. A picture that changes is looked at:
//! `cargo insta review`.

use std::time::Duration;

use sayso::config::Config;
use sayso::model::EventKind;
use sayso::tui::message::Message;
use sayso::tui::voice_port::MicEvent;
use serde_json::json;

use super::support::*;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 12)];

/// Takes a picture of the state that `reach` leads to, at each size.
fn pictures(name: &str, reach: impl Fn(&mut Desk)) {
    for (width, height) in SIZES {
        let mut desk = Desk::new(width, height);
        reach(&mut desk);
        picture(&format!("{name}_{width}x{height}"), &mut desk);
    }
}

fn picture(name: &str, desk: &mut Desk) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let dump = desk.dump();
    settings.bind(|| insta::assert_snapshot!(format!("tui_{name}"), dump));
}

#[test]
fn before_anything_is_known() {
    for (width, height) in SIZES {
        picture(
            &format!("start_{width}x{height}"),
            &mut Desk::bare(width, height),
        );
    }
}

#[test]
fn nothing_to_do() {
    pictures("idle", |_| {});
}

#[test]
fn a_proposal() {
    pictures("proposal", |desk| desk.propose(&headline()));
}

#[test]
fn a_hunk_left_out() {
    pictures("left_out", |desk| {
        desk.propose(&three_hunks());
        desk.press("n s");
    });
}

#[test]
fn recording() {
    pictures("recording", |desk| {
        desk.take(Message::Keyboard(true));
        desk.press("F5");
        desk.take(Message::Mic(MicEvent::Recording));
        for at in 0..40 {
            let level = -60.0 + (at as f32 * 7.0) % 55.0;
            desk.take(Message::Mic(MicEvent::Level {
                rms_db: level,
                peak_db: level + 4.0,
                elapsed: Duration::from_millis(at * 60),
            }));
        }
    });
}

#[test]
fn writing() {
    pictures("writing", |desk| {
        desk.press("Tab");
        desk.write("change the headline on the start page to Welcome to 3000 Studios, please");
    });
}

#[test]
fn deploying() {
    pictures("deploying", |desk| {
        desk.propose(&headline());
        desk.press("Enter");
        desk.event(
            EventKind::Approved,
            json!({"hunks": ["aaaaaaaaaaaa"], "action": "deploy", "message": "m"}),
        );
        desk.event(
            EventKind::Commit,
            json!({"commit": "abcdef0123", "branch": "main", "message": "Change the headline", "files": ["index.html"], "output": ""}),
        );
        desk.event(
            EventKind::DeployStart,
            json!({"target": "local", "commit": "abcdef0123", "force": false}),
        );
        desk.event(
            EventKind::DeployProgress,
            json!({"percent": 62, "stage": "build", "message": "npm run build", "eta_ms": 3_200}),
        );
        desk.now += Duration::from_millis(700);
    });
}

#[test]
fn live() {
    pictures("live", |desk| {
        desk.event(
            EventKind::DeployStart,
            json!({"target": "local", "commit": "abcdef0123", "force": false}),
        );
        desk.event(
            EventKind::DeployComplete,
            json!({"url": "http://127.0.0.1:4000/", "release": "rel_1", "commit": "abcdef0123", "total_ms": 620,
                   "stages": {"queue": 1, "fetch": 20, "build": 410, "upload": 60, "activate": 4, "verify": 90}}),
        );
    });
}

#[test]
fn failed() {
    pictures("failed", |desk| {
        desk.event(
            EventKind::DeployStart,
            json!({"target": "local", "commit": "abcdef0123", "force": false}),
        );
        desk.event(
            EventKind::DeployError,
            json!({"stage": "build", "message": "npm run build ended with 1", "hint": "run it by hand to see all of it",
                   "log_tail": ["> site@1.0.0 build", "Error: Cannot find module 'left-pad'"]}),
        );
    });
}

#[test]
fn refused() {
    pictures("refused", |desk| {
        desk.press("Tab");
        desk.write("rename the button");
        desk.press("Enter");
        desk.event(
            EventKind::Error,
            json!({"message": "Two buttons fit equally well.", "hint": "Say which page you mean.", "reason": "ambiguous",
                   "candidates": [{"file": "about.html", "line": 4, "text": "<a class=\"button\">Contact</a>"},
                                  {"file": "index.html", "line": 12, "text": "<a class=\"button\">Contact us</a>"}]}),
        );
    });
}

#[test]
fn a_question() {
    pictures("question", |desk| {
        desk.event(
            EventKind::Intent,
            json!({"text": "roll back", "intent": {"kind": "control", "control": "rollback", "phrase": "roll back", "exact": true},
                   "reading": "roll back",
                   "question": {"text": "Take 9f8e7d6 off production and go back to 5a5a5a5?", "heard": "roll back", "act": "rollback"}}),
        );
    });
}

#[test]
fn confirming_a_deployment() {
    pictures("confirm", |desk| {
        desk.propose(&headline());
        desk.press("d");
    });
}

#[test]
fn the_keys() {
    pictures("help", |desk| {
        desk.press("?");
    });
}

#[test]
fn without_colours() {
    let mut desk = Desk::with(&Config::default(), true, 80, 24);
    desk.connect();
    desk.propose(&three_hunks());
    desk.press("n s");
    picture("no_color_80x24", &mut desk);
}
