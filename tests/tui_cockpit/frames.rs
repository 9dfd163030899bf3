//! Pictures of the main states with their styles, at the sizes people have. A picture that changes is looked at:
//! `cargo insta review`.

use std::time::Duration;

use sayso::config::Config;
use sayso::model::EventKind;
use sayso::tui::checkup::Item;
use sayso::tui::message::{Message, Outcome};
use sayso::tui::model::Subject;
use sayso::tui::voice_port::MicEvent;
use serde_json::json;

use super::support::*;

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (40, 12), (250, 80)];

/// Leads a connected cockpit to a state.
pub type Reach = fn(&mut Desk);

/// Takes a picture of the state that `reach` leads to, at each size.
fn pictures(name: &str, reach: Reach) {
    for (width, height) in SIZES {
        let mut desk = Desk::new(width, height);
        reach(&mut desk);
        picture(&format!("{name}_{width}x{height}"), &desk.dump());
    }
}

fn picture(name: &str, dump: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(format!("tui_{name}"), dump));
}

#[test]
fn before_anything_is_known() {
    for (width, height) in SIZES {
        let mut desk = Desk::bare(width, height);
        picture(&format!("start_{width}x{height}"), &desk.dump());
    }
}

/// The states, with a test each that takes their pictures.
macro_rules! states {
    ($($name:ident: $reach:expr;)*) => {
        /// Every state by name.
        const STATES: &[(&str, Reach)] = &[$((stringify!($name), $reach)),*];

        $(#[test]
        fn $name() {
            pictures(stringify!($name), $reach);
        })*
    };
}

states! {
    idle: |_| {};
    proposal: |desk| desk.propose(&headline());
    left_out: |desk| {
        desk.propose(&three_hunks());
        desk.press("n s");
    };
    recording: |desk| {
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
    };
    writing: |desk| {
        desk.press("Tab");
        desk.write("change the headline on the start page to Welcome to 3000 Studios, please");
    };
    deploying: |desk| {
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
    };
    live: |desk| {
        desk.event(
            EventKind::DeployStart,
            json!({"target": "local", "commit": "abcdef0123", "force": false}),
        );
        desk.event(
            EventKind::DeployComplete,
            json!({"url": "http://127.0.0.1:4000/", "release": "rel_1", "commit": "abcdef0123", "total_ms": 620,
                   "stages": {"queue": 1, "fetch": 20, "build": 410, "upload": 60, "activate": 4, "verify": 90}}),
        );
    };
    failed: |desk| {
        desk.event(
            EventKind::DeployStart,
            json!({"target": "local", "commit": "abcdef0123", "force": false}),
        );
        desk.event(
            EventKind::DeployError,
            json!({"stage": "build", "message": "npm run build ended with 1", "hint": "run it by hand to see all of it",
                   "log_tail": ["> site@1.0.0 build", "Error: Cannot find module 'left-pad'"]}),
        );
    };
    refused: |desk| {
        desk.press("Tab");
        desk.write("rename the button");
        desk.press("Enter");
        desk.event(
            EventKind::Error,
            json!({"message": "Two buttons fit equally well.", "hint": "Say which page you mean.", "reason": "ambiguous",
                   "candidates": [{"file": "about.html", "line": 4, "text": "<a class=\"button\">Contact</a>"},
                                  {"file": "index.html", "line": 12, "text": "<a class=\"button\">Contact us</a>"}]}),
        );
    };
    question: |desk| {
        desk.event(
            EventKind::Intent,
            json!({"text": "roll back", "intent": {"kind": "control", "control": "rollback", "phrase": "roll back", "exact": true},
                   "reading": "roll back",
                   "question": {"text": "Take 9f8e7d6 off production and go back to 5a5a5a5?", "heard": "roll back", "act": "rollback"}}),
        );
    };
    confirm: |desk| {
        desk.propose(&headline());
        desk.press("d");
    };
    help: |desk| {
        desk.press("?");
    };
    timeline: |desk| {
        history(desk);
        desk.press("3 k k k");
    };
    timeline_filter: |desk| {
        history(desk);
        desk.press("3 /");
        desk.write("kind:deploy");
    };
    zoomed: |desk| {
        history(desk);
        desk.press("3 z Z");
    };
    deploy_pane: |desk| {
        history(desk);
        desk.press("4");
        desk.done(Outcome::Deployments(Ok(deployments())));
        desk.press("j j");
    };
    deploy_zoomed: |desk| {
        history(desk);
        desk.event(EventKind::DeployStart, json!({"target": "local", "commit": "abcdef0123", "force": false}));
        desk.event(
            EventKind::DeployProgress,
            json!({"percent": 62, "stage": "build", "message": "npm run build", "eta_ms": 3_200}),
        );
        desk.press("4 z");
        desk.done(Outcome::Deployments(Ok(deployments())));
    };
    rollback_here: |desk| {
        desk.press("4");
        desk.done(Outcome::Deployments(Ok(deployments())));
        desk.press("j j R");
    };
    details: |desk| {
        history(desk);
        desk.press("4");
        desk.done(Outcome::Deployments(Ok(deployments())));
        desk.press("Enter");
        let found = deployments().deployments.remove(1);
        desk.done(Outcome::Details(Ok(Subject::Deployment(Box::new(found)))));
    };
    checkup: |desk| {
        desk.press("F2");
        desk.done(Outcome::Checkup(checks()));
    };
    first_start: |desk| {
        desk.model.board.first_start = true;
        desk.done(Outcome::Checkup(checks()));
    };
}

/// Two instructions that went all the way, and one that failed.
fn history(desk: &mut Desk) {
    for (at, words) in ["change the headline", "rename the button", "add a page"]
        .into_iter()
        .enumerate()
    {
        let stages = json!({"queue": 1, "fetch": 20, "build": 410, "upload": 60, "activate": 4, "verify": 90});
        let steps = [
            (
                EventKind::Transcript,
                json!({"text": words, "ms": 96, "engine": "local"}),
            ),
            (
                EventKind::Intent,
                json!({"text": words, "reading": words, "intent": {"kind": "edit"}}),
            ),
            (EventKind::Approved, json!({"action": "deploy"})),
            (
                EventKind::Check,
                json!({"name": "npm test", "ok": true, "ms": 80}),
            ),
            (
                EventKind::Commit,
                json!({"commit": "abcdef0123", "branch": "main", "message": words}),
            ),
            (
                EventKind::DeployStart,
                json!({"commit": "abcdef0123", "force": false}),
            ),
            (
                EventKind::DeployComplete,
                json!({"url": "http://127.0.0.1:4000/", "release": "rel_1", "commit": "abcdef0123", "total_ms": 620,
                       "stages": stages}),
            ),
        ];
        for (kind, data) in steps.into_iter().take(if at == 2 { 6 } else { 7 }) {
            let mut event = desk.event_of(kind, data);
            event.instruction = Some(format!("ins_{at}").as_str().into());
            desk.stream(event);
        }
        if at == 2 {
            let data =
                json!({"stage": "build", "message": "npm run build ended with 1", "log_tail": []});
            let mut event = desk.event_of(EventKind::DeployError, data);
            event.instruction = Some("ins_2".into());
            desk.stream(event);
        }
    }
    desk.press("Esc Esc");
}

fn checks() -> Vec<Item> {
    let item = |name: &str, ok: bool, found: &str| Item {
        name: name.into(),
        ok,
        found: found.into(),
        next: None,
        fix: None,
    };
    vec![
        item("repository", true, "/site on main at 1a2b3c4, 0 changes"),
        item("git identity", true, "Ada <ada@example.org>"),
        item("configuration", true, "no mistakes"),
        Item {
            next: Some("sayso speech install".into()),
            fix: Some("install it".into()),
            ..item("speech model", false, "not installed")
        },
        item("microphone", true, "Built-in (default)"),
    ]
}

/// How a cockpit can look.
fn look(name: &str, width: u16, height: u16) -> Desk {
    let mut config = Config::default();
    match name {
        "ascii" => config.ui.ascii = sayso::config::Toggle::On,
        theme => config.ui.theme = theme.into(),
    }
    let mut desk = Desk::with(&config, false, width, height);
    desk.connect();
    desk
}

/// The styles (or, of ASCII, the text) of every state in a look, in one picture.
#[test]
fn every_state_in_every_look() {
    for name in ["dark", "light", "high-contrast", "no-color", "ascii"] {
        let mut out = String::new();
        for (state, reach) in STATES {
            let mut desk = look(name, 80, 24);
            reach(&mut desk);
            let (buffer, _) = desk.draw();
            let shown = if name == "ascii" {
                text(&buffer)
            } else {
                styles(&buffer)
            };
            out.push_str(&format!("== {state}\n{shown}"));
        }
        picture(&format!("look_{name}_80x24"), &out);
    }
}

#[test]
fn a_look_changes_no_word_and_a_colour_says_nothing_alone() {
    for (width, height) in SIZES {
        for (state, reach) in STATES {
            let mut plain = Desk::new(width, height);
            reach(&mut plain);
            let (usual, _) = plain.draw();
            for name in ["dark", "light", "high-contrast", "no-color", "ascii"] {
                let mut desk = look(name, width, height);
                reach(&mut desk);
                let (buffer, _) = desk.draw();
                if name == "ascii" {
                    let all = buffer.content.iter().all(|cell| cell.symbol().is_ascii());
                    assert!(all, "{state} {width}x{height}\n{}", text(&buffer));
                    continue;
                }
                assert_eq!(
                    text(&usual),
                    text(&buffer),
                    "{state} {width}x{height} {name}"
                );
                if name == "no-color" {
                    let plain =
                        |color: ratatui::style::Color| color == ratatui::style::Color::Reset;
                    let all = buffer
                        .content
                        .iter()
                        .all(|cell| plain(cell.fg) && plain(cell.bg));
                    assert!(all, "{state} {width}x{height} has colours");
                }
            }
        }
    }
}

#[test]
fn without_colours() {
    let mut desk = Desk::with(&Config::default(), true, 80, 24);
    desk.connect();
    desk.propose(&three_hunks());
    desk.press("n s");
    picture("no_color_80x24", &desk.dump());
}
