//! Pictures of the main states with their styles, at the sizes people have. A picture that changes is looked at:
//! `cargo insta review`.

use std::collections::BTreeMap;
use std::time::Duration;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;
use sayso::config::Config;
use sayso::model::EventKind;
use sayso::model::api::Comparison;
use sayso::tui::checkup::Item;
use sayso::tui::message::{Message, Outcome};
use sayso::tui::model::{Details, Overlay, Subject};
use sayso::tui::voice_port::{Device, MicEvent};
use serde_json::json;

use super::review::real;
use super::support::*;

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (40, 12), (250, 80)];

/// Leads a connected cockpit to a state.
pub type Reach = fn(&mut Desk);

/// Takes a picture of the state that `reach` leads to, at each size.
fn pictures(name: &str, reach: Reach) {
    let mut all = String::new();
    for (width, height) in SIZES {
        let mut desk = Desk::new(width, height);
        reach(&mut desk);
        all.push_str(&format!("== {width}x{height}\n{}", desk.dump()));
    }
    picture(name, &all);
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
    let mut all = String::new();
    for (width, height) in SIZES {
        let mut desk = Desk::bare(width, height);
        all.push_str(&format!("== {width}x{height}\n{}", desk.dump()));
    }
    picture("start", &all);
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
    say_zoomed: |desk| {
        desk.press("1 z");
        desk.write("change the headline");
    };
    event_details: |desk| {
        history(desk);
        desk.press("3 Enter");
        let mut event = desk.event_of(EventKind::DeployError, json!({"stage": "build", "message": "npm run build ended with 1"}));
        event.seq = 1;
        let failed = deployments().deployments.remove(1);
        desk.model.overlay = Some(Overlay::Details);
        desk.model.board.details = Some(Details { subject: Subject::Event(Box::new(event), Some(Box::new(failed))), top: 0 });
    };
    comparison: |desk| {
        desk.press("4");
        desk.done(Outcome::Deployments(Ok(deployments())));
        desk.press("j j =");
        desk.done(Outcome::Details(Ok(Subject::Comparison(Box::new(compared())))));
    };
    microphones: |desk| {
        desk.press("M");
        let device = |name: &str, chosen: bool, level: Option<i16>| Device {
            id: Some(name.into()),
            name: name.into(),
            chosen,
            level,
            trouble: level.is_none().then(|| "in use by another program".into()),
        };
        desk.take(Message::Mic(MicEvent::Devices(vec![
            device("Headset", true, Some(-20)),
            device("Webcam", false, None),
        ])));
    };
    review: |desk| {
        desk.propose(&real("list.html", 60));
        desk.press("f n j j j");
    };
    review_sides: |desk| {
        desk.propose(&real("list.html", 60));
        desk.press("f t n");
    };
    review_lines: |desk| {
        desk.propose(&three_hunks());
        desk.press("f j j v x n v j j");
    };
    review_edit: |desk| {
        desk.propose(&real("list.html", 60));
        desk.press("f n e");
        desk.write("<!-- here -->");
    };
    summary: |desk| {
        desk.propose(&three_hunks());
        desk.press("f n s Enter");
    };
    queue: |desk| {
        desk.propose(&headline());
        let mut other = three_hunks();
        other.proposal.id = "pro_2".into();
        desk.event(EventKind::Proposal, serde_json::to_value(&other).unwrap());
        desk.press("b B");
    };
    palette: |desk| {
        desk.propose(&headline());
        desk.press("Ctrl+P");
        desk.write("hunk");
        desk.press("Down");
    };
}

/// What differs between two releases.
fn compared() -> Comparison {
    serde_json::from_value(json!({
        "from": "2b2c3d4e5f60", "to": "4b2c3d4e5f60",
        "commits": [{"commit": "4b2c3d4e5f60", "author": "Ada", "title": "Change the headline"}], "lost": [],
        "files": [{"path": "index.html", "added": 1, "removed": 1}],
        "patch": "diff --git a/index.html b/index.html\n@@ -1 +1 @@\n-<h1>Old</h1>\n+<h1>New</h1>\n",
        "truncated": false,
    }))
    .unwrap()
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

const LOOKS: [&str; 5] = ["dark", "light", "high-contrast", "no-color", "ascii"];

/// Every state in every look at every size: no word changes, and each look has a picture of what it does change: all
/// of it at the usual size, at the others what each style (of ASCII: each sign) of the usual look became and how often.
#[test]
fn every_state_in_every_look() {
    let mut pictures = LOOKS.map(|_| String::new());
    for (state, reach) in STATES {
        for (width, height) in SIZES {
            let mut plain = Desk::new(width, height);
            reach(&mut plain);
            let (usual, _) = plain.draw();
            for (name, out) in LOOKS.iter().zip(&mut pictures) {
                let mut desk = look(name, width, height);
                reach(&mut desk);
                let (buffer, _) = desk.draw();
                let here = format!("{state} {width}x{height}");
                if *name == "ascii" {
                    let all = buffer.content.iter().all(|cell| cell.symbol().is_ascii());
                    assert!(all, "{here}\n{}", text(&buffer));
                } else {
                    assert_eq!(text(&usual), text(&buffer), "{here} {name}");
                }
                if *name == "no-color" {
                    let plain = |color: Color| color == Color::Reset;
                    let mut cells = buffer.content.iter();
                    assert!(
                        cells.all(|cell| plain(cell.fg) && plain(cell.bg)),
                        "{here} has colours"
                    );
                }
                let shown = match (*name, (width, height)) {
                    ("ascii", (80, 24)) => text(&buffer),
                    ("ascii", _) => changes(&usual, &buffer, |cell| cell.symbol().to_owned()),
                    (_, (80, 24)) => styles(&buffer),
                    _ => changes(&usual, &buffer, |cell| style_name(cell.style())),
                };
                out.push_str(&format!("== {here}\n{shown}"));
            }
        }
    }
    for (name, out) in LOOKS.iter().zip(&pictures) {
        picture(&format!("look_{name}"), out);
    }
}

/// What the cells of one picture became in another, and how many of each.
fn changes(from: &Buffer, to: &Buffer, name: impl Fn(&Cell) -> String) -> String {
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (from, to) in from.content.iter().zip(&to.content) {
        let pair = (name(from), name(to));
        if pair.0 != pair.1 {
            *found.entry(pair).or_default() += 1;
        }
    }
    let found: Vec<String> = found
        .into_iter()
        .map(|((from, to), count)| format!("{from} > {to}: {count}"))
        .collect();
    found.join(", ") + "\n"
}

#[test]
fn without_colours() {
    let mut desk = Desk::with(&Config::default(), true, 80, 24);
    desk.connect();
    desk.propose(&three_hunks());
    desk.press("n s");
    picture("no_color_80x24", &desk.dump());
}
