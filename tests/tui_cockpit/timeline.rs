//! The timeline: one line for an instruction, filters, details, and pages of a long log.

use sayso::client::stream::StreamItem;
use sayso::model::{Cursor, Event, EventKind, Problem};
use sayso::tui::message::{Effect, Message, Outcome};
use sayso::tui::model::Subject;
use sayso::tui::model::timeline::{LIMIT, PAGE};
use serde_json::json;

use super::support::*;

fn cursor(seq: u64) -> Cursor {
    Cursor {
        epoch: "e".into(),
        seq,
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

/// The rows of the timeline on the screen.
fn rows(desk: &mut Desk) -> String {
    let text = desk.text();
    text.lines()
        .filter(|row| row.trim_start().starts_with("14:"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_timeline_is_bounded_and_keeps_older_rows_in_sight() {
    let mut desk = Desk::new(80, 24);
    for at in 0..LIMIT + 500 {
        let event = desk.event_of(EventKind::Notice, json!({"message": format!("note {at}")}));
        desk.take(Message::Stream(StreamItem::Event(event.into())));
    }
    assert_eq!(desk.model.timeline.len(), LIMIT);
    let last = LIMIT + 499;
    assert!(rows(&mut desk).contains(&format!("note {last}")));
    desk.press("3 PgUp PgUp");
    let seen = rows(&mut desk);
    assert!(!seen.contains(&format!("note {last}")), "{seen}");
    for _ in 0..5 {
        desk.event(EventKind::Notice, json!({"message": "newer"}));
    }
    let without_the_count = |rows: &str| {
        rows.lines()
            .filter(|row| row.contains("note"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        without_the_count(&seen),
        without_the_count(&rows(&mut desk)),
        "what is being read stays"
    );
    desk.press("Esc Esc");
    assert!(rows(&mut desk).contains("newer"), "{}", desk.text());
}

#[test]
fn the_history_comes_before_what_happened_since_and_nothing_is_doubled() {
    let mut desk = Desk::new(80, 40);
    let events: Vec<_> = (0..10)
        .map(|at| desk.event_of(EventKind::Notice, json!({"message": format!("note {at}")})))
        .collect();
    for event in &events[6..] {
        desk.take(Message::Stream(StreamItem::Event(event.clone().into())));
    }
    desk.done(Outcome::History(events[..8].to_vec()));
    assert_eq!(desk.model.timeline.len(), 10);
    let text = rows(&mut desk);
    let at = |note: &str| text.find(note).unwrap_or_else(|| panic!("{note}: {text}"));
    assert!(at("note 4") < at("note 7") && at("note 7") < at("note 9"));
}

#[test]
fn probes_that_say_the_same_are_one_row() {
    let mut desk = Desk::new(80, 24);
    for _ in 0..4 {
        desk.event(
            EventKind::Health,
            json!({"ok": true, "status": 200, "ms": 1, "message": "ok"}),
        );
    }
    desk.event(
        EventKind::Health,
        json!({"ok": false, "status": 500, "ms": 1, "message": "no"}),
    );
    let rows = rows(&mut desk);
    assert!(
        rows.contains("✓ health 200 ok (4 times)") && rows.contains("✗ health 500 no"),
        "{rows}"
    );
}
