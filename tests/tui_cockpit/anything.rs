//! Whatever happens, in whatever order, at whatever size: nothing panics, nothing is drawn outside the screen, and
//! nothing is approved that was not on it.

use std::time::Duration;

use proptest::prelude::*;
use sayso::client::stream::{Connection, StreamItem};
use sayso::model::api::ProposalView;
use sayso::model::{Cursor, Decision, EventKind, Problem};
use sayso::tui::keymap::{Context, Keymap};
use sayso::tui::keys::{Key, Stroke};
use sayso::tui::message::{Effect, Message, Mouse, Outcome};
use sayso::tui::model::{Focus, Subject, Tone};
use sayso::tui::voice_port::MicEvent;
use serde_json::json;

use super::support::*;

/// Something that can happen.
#[derive(Clone, Debug)]
enum Step {
    Key(Key, Stroke),
    Text(String),
    Paste(String),
    Mouse(u8, u16, u16),
    Size(u16, u16),
    Focus(bool),
    Keyboard(bool),
    Event(usize, u8),
    Mic(u8),
    Done(u8, bool),
    Connection(u8),
    Time(u64),
    Draw,
}

fn keys() -> Vec<Key> {
    let map = Keymap::new("F5", true).unwrap();
    let mut keys: Vec<Key> = Context::ALL
        .into_iter()
        .flat_map(|context| {
            map.rows(context)
                .flat_map(|row| row.keys.clone())
                .collect::<Vec<_>>()
        })
        .collect();
    keys.extend("zq ä日👩".chars().map(Key::char));
    keys
}

fn step() -> impl Strategy<Value = Step> {
    let stroke = prop_oneof![6 => Just(Stroke::Press), 1 => Just(Stroke::Repeat), 2 => Just(Stroke::Release)];
    let text = "[a-z \u{300}日👩\u{200d}\u{1b}\n\t]{0,12}";
    prop_oneof![
        12 => (prop::sample::select(keys()), stroke).prop_map(|(key, stroke)| Step::Key(key, stroke)),
        1 => text.prop_map(Step::Text),
        1 => text.prop_map(Step::Paste),
        1 => (0u8..3, 0u16..420, 0u16..110).prop_map(|(what, x, y)| Step::Mouse(what, x, y)),
        2 => prop_oneof![(0u16..45, 0u16..14), (0u16..=400, 0u16..=100)].prop_map(|(w, h)| Step::Size(w, h)),
        1 => any::<bool>().prop_map(Step::Focus),
        1 => any::<bool>().prop_map(Step::Keyboard),
        8 => (0..EventKind::ALL.len(), any::<u8>()).prop_map(|(kind, seed)| Step::Event(kind, seed)),
        3 => (0u8..9).prop_map(Step::Mic),
        4 => (0u8..15, any::<bool>()).prop_map(|(what, ok)| Step::Done(what, ok)),
        1 => (0u8..6).prop_map(Step::Connection),
        1 => (0u64..5_000).prop_map(Step::Time),
        6 => Just(Step::Draw),
    ]
}

fn a_proposal(seed: u8) -> ProposalView {
    let mut view = match seed % 6 {
        0 => headline(),
        1 => three_hunks(),
        2 => proposal(Vec::new()),
        3 | 4 => super::review::real("list.html", usize::from(seed)),
        _ => proposal(vec![file("empty.html", Vec::new())]),
    };
    view.proposal.id = format!("pro_{}", seed % 3).as_str().into();
    view.proposal.version = u32::from(seed % 5);
    view.proposal.notes = vec!["日本語 ".repeat(usize::from(seed % 30))];
    if seed.is_multiple_of(7)
        && let Some(hunk) = view
            .proposal
            .files
            .iter_mut()
            .flat_map(|file| &mut file.hunks)
            .next()
    {
        hunk.decision = Decision::Rejected;
    }
    view
}

fn an_event(desk: &mut Desk, kind: usize, seed: u8) -> Message {
    let kind = EventKind::ALL[kind];
    let data = match kind {
        EventKind::Proposal | EventKind::ProposalUpdated if !seed.is_multiple_of(9) => {
            serde_json::to_value(a_proposal(seed)).unwrap()
        }
        EventKind::DeployProgress => {
            json!({"percent": seed % 101, "stage": "build", "message": "m", "eta_ms": u64::from(seed) * 100})
        }
        EventKind::Intent if seed.is_multiple_of(2) => {
            json!({"text": "t", "reading": "r", "question": {"text": "Sure? ".repeat(usize::from(seed % 40)), "heard": "t", "act": "deploy"}})
        }
        _ if seed.is_multiple_of(11) => json!(null),
        _ => {
            json!({"text": "t", "message": "m".repeat(usize::from(seed)), "commit": "abc", "branch": "main", "url": "http://x/",
                       "id": format!("pro_{}", seed % 3), "output": "line\n".repeat(usize::from(seed % 40)), "stage": "build"})
        }
    };
    let mut event = desk.event_of(kind, data);
    event.instruction =
        (!seed.is_multiple_of(3)).then(|| format!("ins_{}", seed % 3).as_str().into());
    if seed.is_multiple_of(5) {
        event.seq = u64::from(seed);
    }
    Message::Stream(StreamItem::Event(event.into()))
}

fn an_outcome(what: u8, ok: bool) -> Outcome {
    let problem = || {
        Problem::new(
            if what.is_multiple_of(2) { 409 } else { 503 },
            "conflict",
            "no",
        )
    };
    let id = || format!("pro_{}", what % 3).as_str().into();
    let view = || {
        if ok {
            Ok(a_proposal(what))
        } else {
            Err(problem())
        }
    };
    match what {
        0 | 1 => {
            let mut status = status();
            status.proposals = (0..what).map(a_proposal).collect();
            status.cursor.seq = u64::from(what) * 40;
            Outcome::Status(if ok { Ok(status) } else { Err(problem()) })
        }
        2 => Outcome::Submitted("words".into(), Err(problem())),
        3 => Outcome::ClipSent(Err(problem())),
        4 => Outcome::Approved(id(), Err(problem())),
        5 => Outcome::Rejected(id(), view()),
        6 | 7 => Outcome::Decided(id(), view()),
        8 => Outcome::Edited(id(), if ok { Ok(None) } else { Err(problem()) }),
        9 => Outcome::Answered("ins_1".into(), Err(problem())),
        10 => Outcome::Synced(Err(problem())),
        11 => Outcome::Deployments(if ok {
            Ok(deployments())
        } else {
            Err(problem())
        }),
        12 => Outcome::Details(if ok {
            Ok(Subject::Deployment(Box::new(
                deployments().deployments[0].clone(),
            )))
        } else {
            Err(problem())
        }),
        13 => Outcome::History(Vec::new()),
        _ => Outcome::Told(Tone::Warn, "careful".into()),
    }
}

fn a_message(desk: &mut Desk, step: &Step) -> Option<Message> {
    Some(match step.clone() {
        Step::Key(key, stroke) => Message::Key(key, stroke),
        Step::Text(text) => {
            for c in text.chars() {
                desk.take(Message::Key(Key::char(c), Stroke::Press));
            }
            return None;
        }
        Step::Paste(text) => Message::Paste(text),
        Step::Mouse(0, x, y) => Message::Mouse(Mouse::Click(x, y)),
        Step::Mouse(1, x, y) => Message::Mouse(Mouse::Up(x, y)),
        Step::Mouse(_, x, y) => Message::Mouse(Mouse::Down(x, y)),
        Step::Size(width, height) => Message::Resize(width, height),
        Step::Focus(focused) => Message::Focus(focused),
        Step::Keyboard(reports) => Message::Keyboard(reports),
        Step::Event(kind, seed) => an_event(desk, kind, seed),
        Step::Mic(what) => Message::Mic(match what {
            0 => MicEvent::Opening,
            1 => MicEvent::Recording,
            2 | 3 => MicEvent::Level {
                rms_db: f32::NEG_INFINITY,
                peak_db: if what == 2 { f32::NAN } else { 3.0 },
                elapsed: Duration::from_secs(u64::from(what) * 1_000),
            },
            4 => MicEvent::Limit,
            5 => MicEvent::Clip {
                path: "/clip.wav".into(),
                seconds: 1.0,
                speech: 1.0,
            },
            6 => MicEvent::NoSpeech,
            7 => MicEvent::Closed,
            _ => MicEvent::Failed(Problem::internal("no")),
        }),
        Step::Done(what, ok) => Message::Done(Box::new(an_outcome(what, ok))),
        Step::Connection(what) => Message::Stream(match what {
            0 => StreamItem::Connection(Connection::Connecting),
            1 => StreamItem::Connection(Connection::Streaming),
            2 => StreamItem::Connection(Connection::Polling),
            3 => StreamItem::Connection(Connection::Closed {
                reason: "x".repeat(300),
            }),
            4 => return Some(Message::StreamEnded),
            _ => StreamItem::Reset(Cursor {
                epoch: "f".into(),
                seq: 0,
            }),
        }),
        Step::Time(ms) => {
            desk.now += Duration::from_millis(ms);
            Message::Wake
        }
        Step::Draw => return None,
    })
}

/// What an effect may only be when a key asked for it, outside the text, with the thing on the screen.
fn consequential(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Approve(..)
            | Effect::ApproveBatch(_)
            | Effect::Answer(_, true)
            | Effect::Deploy(_)
            | Effect::Rollback(_)
            | Effect::RollbackTo(..)
            | Effect::Promote(..)
            | Effect::Stop(_)
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_things_breaks_it(
        (width, height) in (0u16..=400, 0u16..=100),
        connected in prop::bool::weighted(0.9),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut desk = Desk::bare(width, height);
        if connected {
            desk.connect();
        }
        for step in &steps {
            let seen = desk.model.seen.clone();
            let focus = desk.model.focus;
            let waiting = desk.model.busy.approve_after.clone();
            let drawn = if matches!(step, Step::Draw) { desk.draw(); true } else { false };
            let Some(message) = a_message(&mut desk, step) else { continue };
            prop_assert!(!drawn);
            let effects = desk.take(message);
            for effect in effects.iter().filter(|effect| consequential(effect)) {
                let pressed = matches!(step, Step::Key(_, Stroke::Press));
                let decided = matches!(step, Step::Done(..)) && waiting.is_some();
                prop_assert!(pressed || decided, "{effect:?} without a key");
                if pressed && !matches!(effect, Effect::Deploy(_) | Effect::Rollback(_) | Effect::RollbackTo(..) | Effect::Promote(..) | Effect::Stop(_) | Effect::ApproveBatch(_)) {
                    prop_assert_eq!(focus, Focus::Cockpit, "{:?} from the text", effect);
                }
                match effect {
                    Effect::Approve(id, approval) if pressed => {
                        prop_assert_eq!(seen.proposal.clone(), Some((id.clone(), approval.version.unwrap())));
                    }
                    Effect::Answer(id, _) => prop_assert_eq!(seen.question.as_ref(), Some(id)),
                    Effect::Deploy(_) | Effect::Rollback(_) | Effect::RollbackTo(..) | Effect::Promote(..) | Effect::Stop(_) | Effect::ApproveBatch(_) => {
                        prop_assert!(seen.confirm.is_some());
                    }
                    _ => {}
                }
            }
            prop_assert!(desk.model.line.text().is_char_boundary(desk.model.line.before().len()));
        }
        let (buffer, cursor) = desk.draw();
        if let Some(at) = cursor {
            prop_assert!(buffer.area.contains(at));
        }
        prop_assert!(!buffer.content.iter().any(|cell| cell.symbol().chars().any(char::is_control)));
    }
}

/// A decision that was made in the review, and how it ended.
#[derive(Clone, Debug)]
enum Review {
    Keys(Key),
    Stored,
    Reloaded,
    Size(u16, u16),
}

fn review_step() -> impl Strategy<Value = Review> {
    let keys = [
        "j", "k", "n", "N", "]", "[", "g", "G", "PgDn", "PgUp", "a", "x", "s", "A", "X", "v", "u",
        "U", "t", "b",
    ];
    let keys: Vec<Key> = keys.iter().map(|key| key.parse().unwrap()).collect();
    prop_oneof![
        12 => prop::sample::select(keys).prop_map(Review::Keys),
        6 => Just(Review::Stored),
        2 => Just(Review::Reloaded),
        1 => (0u16..200, 0u16..60).prop_map(|(width, height)| Review::Size(width, height)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_shrink_iters: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A server that stores what it is sent has in the end exactly what the screen shows, whatever is pressed and
    /// whenever its answers and its own news come.
    #[test]
    fn no_decision_is_lost(
        lines in 5usize..60,
        steps in prop::collection::vec(review_step(), 1..80),
    ) {
        let mut desk = Desk::new(100, 30);
        let mut server = super::review::real("list.html", lines);
        desk.propose(&server);
        desk.press("f");
        let mut sent: std::collections::VecDeque<Effect> = Default::default();
        let store = |desk: &mut Desk, server: &mut ProposalView, sent: &mut std::collections::VecDeque<Effect>| {
            let Some(Effect::Decide(_, decide)) = sent.pop_front() else { return };
            for hunk in server.proposal.files.iter_mut().flat_map(|file| &mut file.hunks) {
                if decide.hunks.contains(&hunk.id) {
                    hunk.decide(decide.lines.as_deref(), decide.decision);
                }
            }
            server.proposal.version += 1;
            sent.extend(desk.done(Outcome::Decided("pro_1".into(), Ok(server.clone()))));
            desk.draw();
        };
        for step in steps {
            match step {
                Review::Keys(key) => {
                    sent.extend(desk.take(Message::Key(key, Stroke::Press)));
                    desk.draw();
                }
                Review::Stored => store(&mut desk, &mut server, &mut sent),
                Review::Reloaded => {
                    desk.done(Outcome::Proposal(true, Ok(server.clone())));
                }
                Review::Size(width, height) => {
                    desk.take(Message::Resize(width, height));
                    desk.draw();
                }
            }
            prop_assert!(sent.iter().all(|effect| matches!(effect, Effect::Decide(..) | Effect::Repaint)));
            sent.retain(|effect| matches!(effect, Effect::Decide(..)));
        }
        while !sent.is_empty() {
            store(&mut desk, &mut server, &mut sent);
        }
        let marks = |view: &ProposalView| -> Vec<(Decision, Vec<usize>)> {
            let hunks = view.proposal.files.iter().flat_map(|file| &file.hunks);
            hunks.map(|hunk| (hunk.decision, hunk.left_out.clone())).collect()
        };
        prop_assert_eq!(marks(&desk.model.reviews.current().unwrap().view), marks(&server));
    }
}

#[test]
fn every_size_from_nothing_to_huge_is_drawn_in_every_state() {
    type Reach = fn(&mut Desk);
    let states: [(&str, Reach); 12] = [
        ("idle", |_| {}),
        ("proposal", |desk| desk.propose(&three_hunks())),
        ("writing", |desk| {
            desk.press("Tab");
            desk.write("日本語 and more text than fits into a narrow screen");
        }),
        ("help", |desk| {
            desk.press("? G");
        }),
        ("confirm", |desk| {
            desk.press("d");
        }),
        ("review", |desk| {
            desk.propose(&super::review::real("list.html", 90));
            desk.press("f n j v j");
        }),
        ("sides", |desk| {
            desk.propose(&three_hunks());
            desk.press("f t n j");
        }),
        ("editing", |desk| {
            desk.propose(&super::review::real("list.html", 90));
            desk.press("f n e End");
            desk.write("日本語 and more");
        }),
        ("summary", |desk| {
            desk.propose(&three_hunks());
            desk.press("f Enter");
        }),
        ("queue", |desk| {
            desk.propose(&three_hunks());
            desk.press("b B");
        }),
        ("palette", |desk| {
            desk.press("Ctrl+P");
            desk.write("hunk");
        }),
        ("deploying", |desk| {
            desk.event(
                EventKind::DeployStart,
                json!({"commit": "abc", "force": false}),
            );
            desk.event(
                EventKind::DeployProgress,
                json!({"percent": 50, "stage": "build", "message": "m", "eta_ms": 10}),
            );
        }),
    ];
    for (name, reach) in states {
        let mut desk = Desk::new(80, 24);
        reach(&mut desk);
        let small = (0..=30).flat_map(|width| (0..=12).map(move |height| (width, height)));
        let large = [
            (79, 24),
            (80, 9),
            (80, 10),
            (119, 40),
            (120, 5),
            (120, 12),
            (250, 80),
            (400, 100),
            (400, 1),
            (1, 100),
        ];
        for (width, height) in small.chain(large) {
            desk.take(Message::Resize(width, height));
            for pane in ["1", "2", "3", "4"] {
                if name == "idle" || name == "proposal" {
                    desk.press(pane);
                }
                let (buffer, cursor) = desk.draw();
                assert!(
                    cursor.is_none_or(|at| buffer.area.contains(at)),
                    "{name} {width}x{height}"
                );
            }
        }
    }
}
