//! The timeline, the deployments, and how the screen is divided.

use sayso::client::stream::StreamItem;
use sayso::model::api::{CommitLine, Comparison, FileChange};
use sayso::model::{
    ApprovalRule, Cursor, DeploymentState, EnvironmentStatus, Event, EventKind, Gate, Given,
    HealthAnswer, Problem, Promotion, Vitals,
};
use sayso::tui::message::{Effect, Message, Mouse, Outcome};
use sayso::tui::model::timeline::{LIMIT, PAGE};
use sayso::tui::model::{Overlay, Pane, Subject};
use sayso::tui::view::layout;
use serde_json::json;

use super::support::*;

fn cursor(seq: u64) -> Cursor {
    Cursor {
        epoch: "e".into(),
        seq,
    }
}

/// An instruction from its words to live.
fn whole_way(desk: &mut Desk, instruction: &str, words: &str) {
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
                   "stages": {"queue": 1, "fetch": 20, "build": 410, "upload": 60, "activate": 4, "verify": 90}}),
        ),
    ];
    for (kind, data) in steps {
        let mut event = desk.event_of(kind, data);
        event.instruction = Some(instruction.into());
        desk.stream(event);
    }
}

fn notes(from: u64, to: u64) -> Vec<Event> {
    let mut desk = Desk::bare(80, 24);
    (from..=to)
        .map(|seq| {
            desk.seq = seq - 1;
            let mut event =
                desk.event_of(EventKind::Notice, json!({"message": format!("note {seq}")}));
            event.instruction = None;
            event
        })
        .collect()
}

#[test]
fn an_instruction_is_one_line_until_it_is_opened() {
    let mut desk = Desk::new(100, 40);
    whole_way(&mut desk, "ins_1", "change the headline");
    whole_way(&mut desk, "ins_2", "rename the button");
    desk.press("3 z");
    let text = desk.text();
    assert!(
        text.contains("▸ 14:03:05 ✓ heard “change the headline”"),
        "{text}"
    );
    assert!(
        text.contains("▾ 14:03:05 ✓ heard “rename the button”"),
        "{text}"
    );
    assert!(text.contains(" live "), "{text}");
    // Up to the heading of the first one, which opens.
    desk.press("G");
    desk.press("k k k k k k k k");
    desk.press("Enter");
    let text = desk.text();
    assert!(
        text.contains("▾ 14:03:05 ✓ heard “change the headline”"),
        "{text}"
    );
    assert_eq!(text.matches("approved it").count(), 2, "{text}");
    desk.press("Left");
    assert_eq!(desk.text().matches("approved it").count(), 1);
    desk.press("Z Z");
    let text = desk.text();
    assert!(
        text.contains("▾ 14:03:05 ✓ heard “change the headline”"),
        "{text}"
    );
}

#[test]
fn a_filter_is_written_kept_and_dropped() {
    let mut desk = Desk::new(100, 40);
    whole_way(&mut desk, "ins_1", "change the headline");
    whole_way(&mut desk, "ins_2", "rename the button");
    desk.press("3 z /");
    desk.write("kind:commit headline");
    let text = desk.text();
    assert!(text.contains(" only kind:commit headline"), "{text}");
    assert!(
        text.contains("committed abcdef0 to main: change the headline"),
        "{text}"
    );
    assert!(!text.contains("main: rename the button"), "{text}");
    desk.press("Enter");
    assert_eq!(
        desk.model.timeline.filter().written(),
        "kind:commit headline"
    );
    desk.press("f");
    assert_eq!(
        desk.model.timeline.filter().written(),
        "headline kind:words"
    );
    desk.press("E");
    assert_eq!(
        desk.model.timeline.filter().written(),
        "headline kind:words env:production"
    );
    desk.press("Esc");
    assert!(!desk.model.timeline.filter().is_set());
    desk.press("/");
    desk.write("nothing like it");
    assert!(
        desk.text().contains("nothing of what is loaded passes"),
        "{}",
        desk.text()
    );
    desk.press("Esc");
    assert!(desk.text().contains("rename the button"));
}

#[test]
fn the_keys_of_a_filter_do_nothing_else() {
    let mut desk = Desk::new(100, 40);
    desk.propose(&headline());
    desk.press("3 /");
    let mut effects = Vec::new();
    for key in ["d", "x", "q", "Y", "Enter"] {
        effects.extend(desk.press(key));
    }
    assert_eq!(effects, []);
    assert_eq!(desk.model.timeline.filter().written(), "dxqY");
}

#[test]
fn details_show_the_event_and_the_log_of_its_deployment_in_its_colours() {
    let mut desk = Desk::new(100, 40);
    whole_way(&mut desk, "ins_1", "change the headline");
    desk.press("3 k");
    let seq = desk.seq;
    assert_eq!(desk.press("Enter"), [Effect::LoadEvent(cursor(seq))]);
    let event = desk.event_of(
        EventKind::DeployError,
        json!({"stage": "build", "message": "npm run build ended with 1",
               "log_tail": ["> site@1.0.0 build", "\u{1b}[31mError\u{1b}[0m: Cannot find\u{7} module"]}),
    );
    desk.done(Outcome::Details(Ok(Subject::Event(Box::new(event), None))));
    let dump = desk.dump();
    assert!(dump.contains("npm run build ended with 1"), "{dump}");
    assert!(dump.contains("Error: Cannot find␇ module"), "{dump}");
    assert!(dump.lines().any(|row| row.contains(" red")), "{dump}");
    let copied = desk.press("y");
    assert!(
        matches!(&copied[..], [Effect::Copy(text)] if text.contains("Error: Cannot find␇ module")),
        "{copied:?}"
    );
    desk.press("Esc");
    assert_eq!(desk.model.overlay, None);
}

#[test]
fn what_is_not_kept_any_more_is_told_and_the_page_closes() {
    let mut desk = Desk::new(100, 40);
    whole_way(&mut desk, "ins_1", "change the headline");
    desk.press("3 k Enter");
    desk.done(Outcome::Details(Err(Problem::not_found(
        "the event is not kept any more",
    ))));
    assert_eq!(desk.model.overlay, None);
    assert!(
        desk.text().contains("the event is not kept any more"),
        "{}",
        desk.text()
    );
}

/// A cockpit on a log of `tail` events that has loaded the newest page.
fn long_log(tail: u64) -> Desk {
    let mut desk = Desk::bare(80, 24);
    let mut status = status();
    status.cursor = cursor(tail);
    status.oldest = 1;
    desk.done(Outcome::Status(Ok(status)));
    desk.done(Outcome::History(notes(tail - PAGE + 1, tail)));
    desk.seq = tail;
    desk
}

#[test]
fn older_pages_come_when_somebody_scrolls_to_them_and_memory_stays_bounded() {
    let tail = 100_000;
    let mut desk = long_log(tail);
    assert_eq!(desk.press("3"), [], "nobody looks at older ones yet");
    let mut oldest = tail - PAGE + 1;
    for _ in 0..12 {
        let effects = desk.press("Home");
        let from = oldest - PAGE - 1;
        assert_eq!(effects, [Effect::LoadHistory(cursor(oldest - 1), from)]);
        assert_eq!(desk.press("Home"), [], "one page at a time");
        desk.done(Outcome::History(notes(from + 1, oldest - 1)));
        oldest = from + 1;
        assert!(desk.model.timeline.len() <= LIMIT);
    }
    // To the top of what is there; the page before it is asked for and comes in above, out of sight.
    desk.press("Home");
    assert!(
        desk.text().contains(&format!("note {oldest}")),
        "{}",
        desk.text()
    );
    let from = oldest - PAGE - 1;
    assert_eq!(desk.done(Outcome::History(notes(from + 1, oldest - 1))), []);
    // Back down: what was dropped is asked for again, until the newest is there.
    desk.take(Message::Stream(StreamItem::Event(
        notes(tail + 1, tail + 1).remove(0).into(),
    )));
    let mut asked = 0;
    loop {
        desk.model.timeline.scroll(LIMIT as i64, 3);
        let mut effects = desk.take(Message::Wake);
        if effects.is_empty() {
            break;
        }
        while let [Effect::LoadHistory(until, from)] = &effects[..] {
            asked += 1;
            effects = desk.done(Outcome::History(notes(from + 1, until.seq)));
            assert!(asked < 40 && desk.model.timeline.len() <= LIMIT);
        }
        assert_eq!(effects, []);
    }
    assert!(asked >= 8, "{asked}");
    assert!(
        desk.text().contains(&format!("note {}", tail + 1)),
        "{}",
        desk.text()
    );
}

#[test]
fn following_again_loads_the_newest_page_at_once() {
    let mut desk = long_log(50_000);
    desk.press("3");
    let mut oldest = 50_000 - PAGE + 1;
    for _ in 0..6 {
        desk.press("Home");
        let from = oldest - PAGE - 1;
        desk.done(Outcome::History(notes(from + 1, oldest - 1)));
        oldest = from + 1;
    }
    let effects = desk.press("Esc");
    assert_eq!(
        effects,
        [Effect::LoadHistory(cursor(50_000), 50_000 - PAGE)]
    );
    desk.done(Outcome::History(notes(50_001 - PAGE, 50_000)));
    assert!(desk.text().contains("note 50000"), "{}", desk.text());
    assert!(desk.model.timeline.follows());
}

#[test]
fn a_filter_looks_through_the_pages_and_keeps_what_it_finds() {
    let tail = 30_000;
    let mut desk = long_log(tail);
    let mut effects = desk.press("3 z / 0 0 0 0 Enter");
    let mut calls = 0;
    while let Some(Effect::LoadHistory(until, from)) = effects.first().cloned() {
        calls += 1;
        assert!(calls < 100);
        effects = desk.done(Outcome::History(notes(from + 1, until.seq)));
    }
    // Every ten-thousandth note, from the last to the first, although the window holds far fewer rows.
    let text = desk.text();
    assert!(
        ["note 30000", "note 20000", "note 10000"]
            .iter()
            .all(|note| text.contains(note)),
        "{text}"
    );
    assert!(desk.model.timeline.len() <= LIMIT);
    let effects = desk.press("Esc");
    assert_eq!(
        effects,
        [Effect::LoadHistory(cursor(tail), tail - PAGE)],
        "the rest is loaded again"
    );
}

#[test]
fn a_hole_in_the_history_is_never_papered_over() {
    let mut desk = long_log(5_000);
    desk.press("3 Home");
    // Nothing came: it is not asked for again and again.
    assert_eq!(desk.done(Outcome::History(Vec::new())), []);
    assert_eq!(desk.press("Home"), []);
}

fn with_deployments(width: u16, height: u16) -> Desk {
    let mut desk = Desk::new(width, height);
    whole_way(&mut desk, "ins_1", "change the headline");
    desk.press("4");
    desk.done(Outcome::Deployments(Ok(deployments())));
    desk
}

#[test]
fn the_list_is_loaded_when_somebody_looks_and_again_when_it_changed() {
    let mut desk = Desk::new(80, 24);
    assert_eq!(desk.press("4"), [Effect::LoadDeployments]);
    assert_eq!(desk.press("j"), [], "it is on its way");
    desk.done(Outcome::Deployments(Ok(deployments())));
    assert_eq!(desk.press("j"), []);
    let effects = desk.event(
        EventKind::DeployStart,
        json!({"commit": "abc", "force": false}),
    );
    assert_eq!(effects, [Effect::LoadDeployments]);
}

#[test]
fn the_pane_shows_where_the_time_went_and_how_that_compares() {
    let mut desk = with_deployments(140, 60);
    desk.press("z");
    let text = desk.text();
    for words in [
        "last live: abcdef0 to production",
        "speech",
        "waiting for you",
        "build",
        "0.41 s",
        "voice to live ✓ median",
        "target < 30 s",
        "target 10-15 s",
        "LIVE NOW",
        "failed",
        "was live",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn going_back_to_a_release_of_the_list_asks_first_and_refuses_what_cannot_be() {
    let mut desk = with_deployments(140, 60);
    assert_eq!(desk.press("R"), [], "it is live");
    assert!(
        desk.text().contains("this release is live"),
        "{}",
        desk.text()
    );
    desk.press("j R");
    assert!(desk.text().contains("never went live"), "{}", desk.text());
    desk.press("j R");
    assert!(
        desk.text().contains("go back to 2b2c3d4?"),
        "{}",
        desk.text()
    );
    assert_eq!(
        desk.press("y"),
        [Effect::RollbackTo("production".into(), "rel_2".into())]
    );
    let mut desk = with_deployments(140, 60);
    desk.press("j j j R");
    assert!(desk.text().contains("not kept any more"), "{}", desk.text());
}

#[test]
fn how_the_live_release_has_been_is_drawn_and_said_in_words() {
    let mut vitals = Vitals::new("production");
    for (ok, ms) in [(true, 10), (true, 40), (false, 9), (false, 8)] {
        vitals.add(HealthAnswer {
            at: AT.parse().unwrap(),
            ok,
            status: if ok { 200 } else { 500 },
            ms,
            message: if ok {
                String::new()
            } else {
                "/ answered 500".into()
            },
        });
    }
    vitals.note = Some("sayso rollback goes back now".into());
    let mut told = deployments();
    told.releases[0].health = Some(vitals);
    let mut desk = with_deployments(140, 60);
    desk.done(Outcome::Deployments(Ok(told)));
    let text = desk.text();
    assert!(
        text.contains("✗ ▂▇✗✗ UNWELL, 2 bad answers in a row"),
        "{text}"
    );
    assert!(
        text.contains("next: sayso rollback goes back now"),
        "{text}"
    );
    // A bad answer of what is live makes the list old.
    let data = json!({"ok": false, "release": "rel_4", "message": "/ answered 500"});
    assert_eq!(
        desk.event(EventKind::Health, data),
        [Effect::LoadDeployments]
    );
}

#[test]
fn a_release_of_the_list_is_promoted_after_a_question_and_a_pin_is_in_sight() {
    let mut told = deployments();
    for deployment in &mut told.deployments {
        deployment.target = "vercel".into();
    }
    told.releases[0].note = Some("production is pinned to rel_4 since a rollback".into());
    let mut desk = with_deployments(140, 60);
    desk.done(Outcome::Deployments(Ok(told)));
    assert!(
        desk.text().contains("production is pinned"),
        "{}",
        desk.text()
    );
    assert_eq!(desk.press("P"), []);
    assert!(
        desk.text().contains("this release is live"),
        "{}",
        desk.text()
    );
    desk.press("j P");
    assert!(desk.text().contains("made no release"), "{}", desk.text());
    // One that is not kept here: the place may have it still.
    desk.press("j j P");
    assert!(
        desk.text().contains("Make 1b2c3d4 live on production"),
        "{}",
        desk.text()
    );
    assert_eq!(
        desk.press("y"),
        [Effect::Promote("production".into(), "rel_1".into())]
    );
    let mut desk = with_deployments(140, 60);
    desk.press("j j P");
    assert!(
        desk.text().contains("on the embedded host R"),
        "{}",
        desk.text()
    );
}

#[test]
fn what_waits_before_an_environment_is_approved_or_declined_after_a_question() {
    let mut desk = with_deployments(140, 60);
    assert_eq!(desk.press("A"), []);
    assert!(
        desk.text().contains("nothing waits for approval"),
        "{}",
        desk.text()
    );
    let mut waits = deployments().deployments.remove(0);
    waits.id = "dep_9".into();
    waits.state = DeploymentState::Waiting;
    waits.promotion = Some(Promotion {
        release: "rel_9".into(),
        from: Some("staging".into()),
        over: Some("rel_4".into()),
        anew: false,
        automatic: false,
    });
    waits.gate = Some(Gate {
        rule: ApprovalRule::TwoPeople,
        given: vec![Given {
            actor: "Grace".into(),
            token: None,
            at: AT.parse().unwrap(),
        }],
        over: Some("rel_4".into()),
        since: Some("4b2c3d4e5f60".into()),
        files: vec![FileChange {
            path: "index.html".into(),
            added: 3,
            removed: 1,
        }],
        changed: 1,
        commits: Vec::new(),
        frozen_until: None,
    });
    let mut told = status();
    told.cursor.seq = 1000;
    told.deployments = vec![waits];
    desk.done(Outcome::Status(Ok(told)));
    assert_eq!(desk.press("A"), []);
    for words in [
        "Approve the promotion of rel_9 to production?",
        "Asked for by Ada.",
        "1 files differ from 4b2c3d4",
        "index.html +3 -1",
        "Grace has approved it.",
    ] {
        assert!(desk.text().contains(words), "{words}: {}", desk.text());
    }
    assert_eq!(
        desk.press("y"),
        [Effect::Let("dep_9".into(), Some("rel_4".into()))]
    );
    desk.done(Outcome::Let(Err(Problem::conflict(
        "Ada has approved this already",
    ))));
    assert!(
        desk.text().contains("has approved this already"),
        "{}",
        desk.text()
    );
    desk.press("X");
    assert!(
        desk.text().contains("Decline the promotion"),
        "{}",
        desk.text()
    );
    assert_eq!(desk.press("y"), [Effect::Stop("dep_9".into())]);
}

#[test]
fn a_release_goes_on_to_the_environment_that_comes_next() {
    let mut desk = with_deployments(140, 60);
    let mut told = status();
    told.cursor.seq = 1000;
    told.environments = vec![EnvironmentStatus {
        name: "production".into(),
        target: "local".into(),
        promote_to: Some("archive".into()),
        ..EnvironmentStatus::default()
    }];
    desk.done(Outcome::Status(Ok(told)));
    desk.press("P");
    assert!(
        desk.text().contains("Make 4b2c3d4 live on archive"),
        "{}",
        desk.text()
    );
    assert_eq!(
        desk.press("y"),
        [Effect::Promote("archive".into(), "rel_4".into())]
    );
}

#[test]
fn two_releases_are_compared_older_first() {
    let mut desk = with_deployments(140, 60);
    desk.press("j j");
    assert_eq!(
        desk.press("="),
        [Effect::Compare("dep_2".into(), "dep_4".into())],
        "with what is live"
    );
    desk.done(Outcome::Details(Ok(Subject::Comparison(Box::new(
        Comparison {
            from: "2b2c3d4e5f60718293a4b5c6d7e8f90112233445".into(),
            to: "4b2c3d4e5f60718293a4b5c6d7e8f90112233445".into(),
            commits: vec![CommitLine {
                commit: "4b2c3d4e5f".into(),
                author: "Ada".into(),
                title: "Change the headline".into(),
            }],
            lost: Vec::new(),
            files: vec![FileChange {
                path: "index.html".into(),
                added: 1,
                removed: 1,
            }],
            patch:
                "--- a/index.html\n+++ b/index.html\n@@ -1 +1 @@\n-<h1>Old</h1>\n+<h1>New</h1>\n"
                    .into(),
            truncated: false,
        },
    )))));
    let text = desk.text();
    for words in [
        "From 2b2c3d4 to 4b2c3d4",
        "1 commit more",
        "Change the headline",
        "+<h1>New</h1>",
        "index.html",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    desk.press("Esc m j");
    assert_eq!(
        desk.press("="),
        [Effect::Compare("dep_1".into(), "dep_2".into())],
        "with the marked one"
    );
}

#[test]
fn the_address_of_a_deployment_is_opened_and_copied() {
    let mut desk = with_deployments(140, 60);
    assert_eq!(
        desk.press("o"),
        [Effect::Open("http://127.0.0.1:4000/".into())]
    );
    assert_eq!(
        desk.press("y"),
        [Effect::Copy("http://127.0.0.1:4000/".into())]
    );
    desk.press("j");
    assert_eq!(desk.press("o"), []);
    assert!(desk.text().contains("no address"), "{}", desk.text());
}

#[test]
fn a_zoomed_pane_has_all_of_the_screen_and_gives_it_back() {
    let mut desk = Desk::new(140, 40);
    let before = layout::plan(&desk.model);
    desk.press("3 z");
    let plan = layout::plan(&desk.model);
    assert_eq!((plan.timeline.width, plan.proposal.area()), (140, 0));
    assert!(desk.text().contains("▸3 Timeline"), "{}", desk.text());
    desk.press("2");
    assert_eq!(
        layout::plan(&desk.model).proposal.width,
        140,
        "the one in front"
    );
    desk.press("z");
    assert_eq!(layout::plan(&desk.model), before);
}

#[test]
fn sizes_change_in_steps_within_bounds() {
    for (width, height) in [(80, 24), (100, 50), (140, 40), (250, 80)] {
        let mut desk = Desk::new(width, height);
        for pane in ["1", "2", "3", "4"] {
            desk.press(pane);
            desk.press("0");
            let before = layout::plan(&desk.model);
            for key in ["+", "-"] {
                for _ in 0..40 {
                    desk.press(key);
                    let plan = layout::plan(&desk.model);
                    for pane in Pane::ALL {
                        let area = plan.pane(pane);
                        assert_eq!(area.intersection(plan.area), area, "{pane:?} {area:?}");
                    }
                    assert!(
                        plan.proposal_body().height >= 1,
                        "{width}x{height} {pane} {key}"
                    );
                }
            }
            desk.press("0");
            assert_eq!(layout::plan(&desk.model), before);
        }
    }
}

#[test]
fn the_mouse_selects_opens_and_changes_tabs() {
    let mut desk = Desk::new(60, 24);
    whole_way(&mut desk, "ins_1", "change the headline");
    let plan = layout::plan(&desk.model);
    let at = desk
        .text()
        .lines()
        .nth(usize::from(plan.tabs.y))
        .unwrap()
        .find("3 Time")
        .unwrap();
    desk.take(Message::Mouse(Mouse::Click(
        u16::try_from(at).unwrap() + 1,
        plan.tabs.y,
    )));
    assert_eq!(desk.model.pane, Pane::Timeline);
    let body = layout::plan(&desk.model).timeline_body();
    let rows = desk.text();
    let row = rows
        .lines()
        .position(|row| row.contains("committed abcdef0"))
        .unwrap();
    assert!(body.contains((3, u16::try_from(row).unwrap()).into()));
    let click = Message::Mouse(Mouse::Click(3, u16::try_from(row).unwrap()));
    assert_eq!(desk.take(click.clone()), []);
    assert!(matches!(desk.take(click)[..], [Effect::LoadEvent(_)]));
    assert_eq!(desk.model.overlay, Some(Overlay::Details));
}

#[test]
fn somebody_who_looks_elsewhere_is_told_and_nobody_else() {
    let mut desk = Desk::new(80, 24);
    let live = json!({"url": "http://127.0.0.1:4000/", "commit": "abc", "stages": {}});
    assert_eq!(desk.event(EventKind::DeployComplete, live.clone()), []);
    desk.take(Message::Focus(false));
    assert_eq!(
        desk.event(EventKind::DeployComplete, live),
        [Effect::Notify(
            "LIVE on production: http://127.0.0.1:4000/".into()
        )]
    );
    assert_eq!(desk.event(EventKind::Health, json!({"ok": true})), []);
}
