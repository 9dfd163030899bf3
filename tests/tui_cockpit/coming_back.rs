//! What is there again after the cockpit was left.

use sayso::model::{Decision, Event, EventKind};
use sayso::tui::message::{Effect, Outcome};
use sayso::tui::model::timeline::Entry;
use sayso::tui::model::{Focus, Pane};
use sayso::tui::session::Saved;
use serde_json::json;

use super::support::*;

/// A fresh cockpit that read what `desk` left behind.
fn again(desk: &Desk) -> Desk {
    let bytes = Saved::of(&desk.model).bytes();
    let mut fresh = Desk::bare(desk.model.width, desk.model.height);
    Saved::read(&bytes).unwrap().restore(&mut fresh.model);
    fresh
}

#[test]
fn the_text_the_panes_and_the_filter_are_there_at_once() {
    let mut desk = Desk::new(100, 40);
    desk.press("3 z + + /");
    desk.write("kind:deployments");
    desk.press("Enter Tab");
    desk.write("change the head");
    let mut fresh = again(&desk);
    assert_eq!(fresh.model.line.text(), "change the head");
    assert_eq!(fresh.model.focus, Focus::Input);
    assert!(fresh.model.board.zoom);
    assert_eq!(fresh.model.board.sizes, desk.model.board.sizes);
    assert_eq!(fresh.model.timeline.filter().written(), "kind:deployments");
    fresh.press("Esc");
    assert_eq!(fresh.model.pane, Pane::Proposal);
    assert_eq!(Saved::of(&again(&desk).model), Saved::of(&desk.model));
}

#[test]
fn the_place_in_the_proposal_is_there_once_the_server_told_it() {
    let mut desk = Desk::new(80, 16);
    desk.propose(&three_hunks());
    desk.press("n n");
    let (selected, top) = {
        let review = desk.model.reviews.current().unwrap();
        (review.selected, review.top)
    };
    assert!(selected == 2 && top > 0);
    let mut fresh = again(&desk);
    // Left again before the server answered, it is still remembered.
    let mut fresh = again(&{
        fresh.draw();
        fresh
    });
    let mut status = status();
    let mut other = headline();
    other.proposal.id = "pro_9".into();
    status.proposals = vec![three_hunks(), other];
    fresh.done(Outcome::Status(Ok(status)));
    let review = fresh.model.reviews.current().unwrap();
    assert_eq!((review.selected, review.top), (selected, top));
    assert_eq!(review.id().0, "pro_1");
}

#[test]
fn a_decision_that_the_server_did_not_take_is_sent_again() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&three_hunks());
    desk.press("s n s");
    let mut fresh = again(&desk);
    let mut status = status();
    let mut view = three_hunks();
    // The first one arrived before the crash.
    view.proposal.files[0].hunks[0].decision = Decision::Rejected;
    status.proposals = vec![view];
    let effects = fresh.done(Outcome::Status(Ok(status)));
    let decided: Vec<_> = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Decide(..)))
        .collect();
    assert_eq!(decided.len(), 1, "{effects:?}");
    let review = fresh.model.reviews.current().unwrap();
    assert_eq!(
        review.accepted().len(),
        1,
        "both are left out on the screen"
    );
}

#[test]
fn a_proposal_that_is_gone_takes_nothing_with_it() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&three_hunks());
    desk.press("s n");
    let mut fresh = again(&desk);
    let effects = fresh.done(Outcome::Status(Ok(status())));
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Decide(..))),
        "{effects:?}"
    );
    assert!(
        fresh.text().contains("Nothing waits for you"),
        "{}",
        fresh.text()
    );
}

/// The log of a long day: two events of each of many instructions.
fn day(desk: &mut Desk, events: u64) -> Vec<Event> {
    let mut out = Vec::new();
    for at in 0..events {
        let data = json!({"text": format!("words {at}"), "ms": 1, "engine": "local"});
        let mut event = desk.event_of(EventKind::Transcript, data);
        event.instruction = Some(format!("ins_{:06}", at / 2).as_str().into());
        out.push(event);
    }
    out
}

/// Answers whatever of `log` is asked for, until nothing is.
fn loaded(desk: &mut Desk, log: &[Event], mut effects: Vec<Effect>) {
    while let Some((until, from)) = effects.iter().find_map(|effect| match effect {
        Effect::LoadHistory(until, from) => Some((until.seq, *from)),
        _ => None,
    }) {
        let wanted = log
            .iter()
            .filter(|event| event.seq > from && event.seq <= until);
        effects = desk.done(Outcome::History(wanted.cloned().collect()));
    }
}

fn opened(desk: &mut Desk, log: &[Event]) {
    let mut status = status();
    status.cursor.seq = log.len() as u64;
    status.oldest = 1;
    let effects = desk.done(Outcome::Status(Ok(status)));
    loaded(desk, log, effects);
}

#[test]
fn the_timeline_is_read_on_where_it_was_left_however_far_back() {
    for pages in [2, 60] {
        let mut desk = Desk::bare(100, 40);
        let log = day(&mut desk, 6_000);
        opened(&mut desk, &log);
        desk.press("3 z k k Left");
        for _ in 0..pages {
            let effects = desk.press("PgUp");
            loaded(&mut desk, &log, effects);
        }
        desk.press("k Right");
        let lines = |desk: &mut Desk| {
            let text = desk.text();
            // What stands around the lines may say something that passes.
            text.lines()
                .skip(3)
                .take(30)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let before = lines(&mut desk);
        let mut fresh = again(&desk);
        fresh.draw();
        assert_eq!(Saved::of(&fresh.model), Saved::of(&desk.model));
        opened(&mut fresh, &log);
        assert_eq!(lines(&mut fresh), before, "{pages} pages back");
        let line = |desk: &Desk| match desk.model.timeline.selected() {
            Some(Entry::Row(row, _)) => row.id,
            Some(Entry::Head(group, _)) => group.rows[0].id,
            None => 0,
        };
        assert_eq!(line(&fresh), line(&desk));
        // Going on from there leads to the newest again.
        let effects = fresh.press("G");
        loaded(&mut fresh, &log, effects);
        assert!(fresh.text().contains("words 5998"), "{}", fresh.text());
    }
}

#[test]
fn another_log_has_no_such_place() {
    let mut desk = Desk::bare(100, 40);
    let log = day(&mut desk, 200);
    opened(&mut desk, &log);
    desk.press("3 z PgUp PgUp k");
    let mut fresh = again(&desk);
    let mut status = status();
    status.cursor.seq = 200;
    status.cursor.epoch = "another".into();
    let effects = fresh.done(Outcome::Status(Ok(status)));
    loaded(&mut fresh, &log, effects);
    assert!(fresh.model.timeline.follows(), "{}", fresh.text());
}

#[test]
fn the_selected_and_the_marked_deployment_are_there_again() {
    let mut desk = Desk::new(120, 40);
    desk.press("4");
    desk.done(Outcome::Deployments(Ok(deployments())));
    desk.press("j m j");
    let mut fresh = again(&desk);
    fresh.connect();
    fresh.done(Outcome::Deployments(Ok(deployments())));
    let place = fresh.model.deploys.place();
    assert_eq!(place, desk.model.deploys.place());
    assert!(place.0.is_some() && place.1.is_some());
}
