//! What is there again after the cockpit was left.

use sayso::model::Decision;
use sayso::tui::message::{Effect, Outcome};
use sayso::tui::model::{Focus, Pane};
use sayso::tui::session::Saved;

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
