//! Reading, deciding, approving: what may happen, and what must not happen by accident.

use sayso::model::api::{Approval, Approved, Decide};
use sayso::model::{Action, Decision, EventKind, Problem, ProposalState};
use sayso::tui::message::{Effect, Message, Outcome};
use serde_json::json;

use super::support::*;

fn approval(hunks: &[&str], action: Action, version: u32) -> Effect {
    Effect::Approve(
        "pro_1".into(),
        Approval {
            hunks: Some(hunks.iter().map(ToString::to_string).collect()),
            action: Some(action),
            version: Some(version),
            ..Approval::default()
        },
    )
}

#[test]
fn enter_approves_exactly_what_is_on_the_screen() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    assert_eq!(
        desk.press("Enter"),
        [approval(&["aaaaaaaaaaaa"], Action::Deploy, 1)]
    );
    // Not twice.
    assert_eq!(desk.press("Enter"), []);
    assert_eq!(desk.press("x"), []);
}

#[test]
fn nothing_is_approved_before_it_was_drawn() {
    let mut desk = Desk::new(80, 24);
    let event = desk.event_of(
        EventKind::Proposal,
        serde_json::to_value(headline()).unwrap(),
    );
    desk.take(Message::Stream(sayso::client::stream::StreamItem::Event(
        event.into(),
    )));
    assert_eq!(desk.stroke("Enter", sayso::tui::keys::Stroke::Press), []);
    assert_eq!(desk.stroke("x", sayso::tui::keys::Stroke::Press), []);
    desk.draw();
    assert_eq!(desk.press("Enter").len(), 1);
}

#[test]
fn a_new_version_must_be_seen_before_it_is_approved() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    let mut newer = headline();
    newer.proposal.version = 2;
    let event = desk.event_of(
        EventKind::ProposalUpdated,
        serde_json::to_value(newer).unwrap(),
    );
    desk.take(Message::Stream(sayso::client::stream::StreamItem::Event(
        event.into(),
    )));
    assert_eq!(desk.stroke("Enter", sayso::tui::keys::Stroke::Press), []);
    desk.draw();
    assert_eq!(
        desk.press("Enter"),
        [approval(&["aaaaaaaaaaaa"], Action::Deploy, 2)]
    );
}

#[test]
fn a_proposal_that_is_covered_or_on_another_pane_is_not_approved() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    desk.press("B");
    assert_eq!(desk.press("d"), []);
    desk.press("Esc d");
    assert_eq!(desk.press("Esc"), []);
    // On a narrow screen another pane hides it.
    desk.take(Message::Resize(40, 12));
    desk.press("3");
    assert_eq!(desk.press("Enter"), []);
    desk.press("2");
    assert_eq!(desk.press("Enter").len(), 1);
}

#[test]
fn what_the_instruction_asked_for_wins_over_the_setting() {
    let mut desk = Desk::new(80, 24);
    let mut view = headline();
    view.proposal.action = Action::Commit;
    desk.propose(&view);
    assert!(
        desk.text().contains("Enter: commit to main"),
        "{}",
        desk.text()
    );
    assert!(!desk.text().contains("deploy to production"));
    assert_eq!(
        desk.press("Enter"),
        [approval(&["aaaaaaaaaaaa"], Action::Commit, 1)]
    );
}

#[test]
fn c_commits_only_or_asks_for_the_working_tree() {
    let mut desk = Desk::new(80, 24);
    assert_eq!(desk.press("c"), [Effect::Submit("commit that".into())]);
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    assert_eq!(
        desk.press("c"),
        [approval(&["aaaaaaaaaaaa"], Action::Commit, 1)]
    );
}

#[test]
fn decisions_are_stored_one_after_the_other_and_an_approval_waits_for_them() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&three_hunks());
    let leave_out = |hunk: &str| {
        let decide = Decide {
            hunks: vec![hunk.into()],
            lines: None,
            decision: Decision::Rejected,
        };
        Effect::Decide("pro_1".into(), decide)
    };
    let (first, second) = (leave_out("bbbbbbbbbbbb"), leave_out("cccccccccccc"));
    assert_eq!(desk.press("s"), [first]);
    assert_eq!(desk.press("n s"), [], "the first one is still on its way");
    assert_eq!(desk.press("Enter"), [], "the approval waits");
    let mut view = three_hunks();
    view.proposal.version = 2;
    view.proposal.files[0].hunks[0].decision = Decision::Rejected;
    assert_eq!(
        desk.done(Outcome::Decided("pro_1".into(), Ok(view.clone()))),
        [second]
    );
    assert!(
        desk.text().contains("1 of 3 hunks taken"),
        "what is on its way still shows: {}",
        desk.text()
    );
    view.proposal.version = 3;
    view.proposal.files[0].hunks[1].decision = Decision::Rejected;
    assert_eq!(
        desk.done(Outcome::Decided("pro_1".into(), Ok(view))),
        [approval(&["dddddddddddd"], Action::Deploy, 3)]
    );
}

#[test]
fn an_approval_that_waited_is_not_sent_when_somebody_else_changed_the_proposal() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&three_hunks());
    desk.press("s Enter");
    let mut view = three_hunks();
    view.proposal.version = 5;
    assert_eq!(desk.done(Outcome::Decided("pro_1".into(), Ok(view))), []);
    assert!(
        desk.text().contains("the proposal changed meanwhile"),
        "{}",
        desk.text()
    );
}

#[test]
fn leaving_everything_out_is_not_an_approval() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    desk.press("s");
    let mut view = headline();
    view.proposal.version = 2;
    view.proposal.files[0].hunks[0].decision = Decision::Rejected;
    desk.done(Outcome::Decided("pro_1".into(), Ok(view)));
    desk.draw();
    assert_eq!(desk.press("Enter"), []);
    assert!(
        desk.text().contains("every hunk is left out"),
        "{}",
        desk.text()
    );
    assert_eq!(desk.press("x"), [Effect::Reject("pro_1".into())]);
}

#[test]
fn a_decision_that_failed_is_taken_back_from_the_server() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&three_hunks());
    desk.press("s n s");
    let effects = desk.done(Outcome::Decided(
        "pro_1".into(),
        Err(Problem::conflict("too late")),
    ));
    assert_eq!(effects, [Effect::LoadStatus(std::time::Duration::ZERO)]);
    let mut status = status();
    status.cursor.seq = desk.seq;
    status.proposals = vec![three_hunks()];
    desk.done(Outcome::Status(Ok(status)));
    assert!(desk.text().contains(" 3 hunks"), "{}", desk.text());
}

#[test]
fn a_conflict_shows_the_proposal_as_it_is_now() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    desk.press("Enter");
    let effects = desk.done(Outcome::Approved(
        "pro_1".into(),
        Err(Problem::conflict("a newer version exists")),
    ));
    assert_eq!(effects, [Effect::LoadStatus(std::time::Duration::ZERO)]);
    assert!(
        desk.text().contains("not approved: a newer version exists"),
        "{}",
        desk.text()
    );
    assert_eq!(desk.press("Enter").len(), 1, "it can be approved again");
}

#[test]
fn an_approved_proposal_is_gone_whoever_says_so_first() {
    for event_first in [true, false] {
        let mut desk = Desk::new(80, 24);
        desk.propose(&headline());
        desk.press("Enter");
        let approved = Outcome::Approved(
            "pro_1".into(),
            Ok(Approved {
                commit: "abcdef0123".into(),
                deployment: None,
            }),
        );
        let commit = json!({"commit": "abcdef0123", "branch": "main", "message": "Change the headline", "output": "hook: ok"});
        if event_first {
            desk.event(EventKind::Commit, commit);
            desk.done(approved);
        } else {
            desk.done(approved);
            desk.event(EventKind::Commit, commit);
        }
        let text = desk.text();
        assert!(
            text.contains("Committed abcdef0 to main") && text.contains("hook: ok"),
            "{text}"
        );
        assert_eq!(desk.press("Enter"), []);
    }
}

#[test]
fn editing_hands_over_the_file_of_the_selected_hunk() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&three_hunks());
    let effects = desk.press("n n e");
    let [Effect::Edit(request)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (request.path.as_str(), request.line, request.version),
        ("index.html", 12, 1)
    );
    assert_eq!(request.text, "<h1>Welcome to 3000 Studios</h1>\n");
}

#[test]
fn trying_again_takes_the_words_back_and_revises() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    desk.press("r");
    assert_eq!(
        desk.model.line.text(),
        "change the headline to Welcome to 3000 Studios"
    );
    desk.write("!");
    let words = "change the headline to Welcome to 3000 Studios!";
    assert_eq!(
        desk.press("Enter"),
        [Effect::Revise("pro_1".into(), words.into())]
    );
    // Left without sending, the text is a new instruction again.
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    desk.press("r Esc Tab");
    assert!(matches!(&desk.press("Enter")[..], [Effect::Submit(_)]));
}

#[test]
fn another_persons_proposal_waits_and_nothing_jumps() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    let mut other = three_hunks();
    other.proposal.id = "pro_2".into();
    other.proposal.instruction = Some("ins_2".into());
    desk.event(EventKind::Proposal, serde_json::to_value(&other).unwrap());
    let text = desk.text();
    assert!(
        text.contains("Welcome to 3000 Studios") && text.contains("proposal 1 of 2"),
        "{text}"
    );
    desk.press("]");
    assert!(desk.text().contains("proposal 2 of 2"));
    assert!(matches!(&desk.press("Enter")[..], [Effect::Approve(id, _)] if id.as_str() == "pro_2"));
}

#[test]
fn what_somebody_else_asked_for_is_over_with_its_proposal_and_nothing_jumps() {
    for reading in ["", "f"] {
        let mut desk = Desk::new(80, 24);
        desk.propose(&headline());
        desk.press(reading);
        let mut other = three_hunks();
        other.proposal.id = "pro_2".into();
        other.proposal.instruction = Some("ins_2".into());
        for (kind, data) in [
            (
                EventKind::Transcript,
                json!({"text": "tidy up", "ms": 1, "engine": "typed"}),
            ),
            (
                EventKind::Intent,
                json!({"text": "tidy up", "intent": {"kind": "edit", "request": "tidy up"}}),
            ),
            (EventKind::Proposal, serde_json::to_value(&other).unwrap()),
        ] {
            assert_eq!(
                desk.text().contains("looking for the place"),
                kind == EventKind::Proposal,
                "before the {kind}"
            );
            let mut event = desk.event_of(kind, data);
            event.instruction = Some("ins_2".into());
            desk.stream(event);
        }
        let text = desk.text();
        assert!(
            !text.contains("looking for the place") && text.contains("proposal 1 of 2"),
            "{text}"
        );
    }
}

#[test]
fn a_refusal_stands_in_front_with_its_candidates_and_enter_approves_nothing() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    desk.press("Tab");
    desk.write("rename the button");
    desk.press("Enter");
    desk.event(
        EventKind::Error,
        json!({"message": "two buttons fit equally well", "hint": "say which page", "reason": "ambiguous",
               "candidates": [{"file": "about.html", "line": 4, "text": "<a>Contact</a>"},
                              {"file": "index.html", "line": 12, "text": "<a>Contact us</a>"}]}),
    );
    let text = desk.text();
    for part in [
        "two buttons fit equally well",
        "1 about.html:4 <a>Contact</a>",
        "2 index.html:12",
        "say which page",
        "Esc: back to the proposal",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(
        desk.press("Enter"),
        [],
        "Enter puts the refusal away, no more"
    );
    assert!(
        desk.text()
            .contains("Enter: commit to main and deploy to production")
    );
    assert_eq!(desk.press("Enter").len(), 1);
}

#[test]
fn a_rejected_proposal_is_brought_back_with_the_decisions_before() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&three_hunks());
    desk.press("s");
    let mut decided = three_hunks();
    decided.proposal.version = 2;
    decided.proposal.files[0].hunks[0].decision = Decision::Rejected;
    desk.done(Outcome::Decided("pro_1".into(), Ok(decided.clone())));
    assert_eq!(desk.press("x"), [Effect::Reject("pro_1".into())]);
    desk.event(EventKind::Rejected, json!({"id": "pro_1"}));
    let mut closed = decided.clone();
    closed.proposal.state = ProposalState::Rejected;
    desk.done(Outcome::Rejected("pro_1".into(), Ok(closed)));
    assert!(desk.model.reviews.is_empty());
    assert!(desk.text().contains("U brings it back"), "{}", desk.text());
    assert_eq!(desk.press("U"), [Effect::Reopen("pro_1".into())]);
    // Not twice.
    assert_eq!(desk.press("U"), []);
    decided.proposal.version = 3;
    let event = serde_json::to_value(&decided).unwrap();
    desk.event(EventKind::ProposalUpdated, event);
    desk.done(Outcome::Reopened("pro_1".into(), Ok(decided)));
    assert_eq!(desk.model.reviews.len(), 1);
    assert_eq!(desk.model.reviews.current().unwrap().accepted().len(), 2);
    // The decision before it can be taken back too.
    let undone = desk.press("U");
    assert!(matches!(undone[..], [Effect::Decide(..)]), "{undone:?}");
    assert_eq!(desk.model.reviews.current().unwrap().accepted().len(), 3);
    desk.done(Outcome::Decided("pro_1".into(), {
        let mut view = three_hunks();
        view.proposal.version = 4;
        Ok(view)
    }));
    // And both are done again.
    assert!(matches!(desk.press("Ctrl+R")[..], [Effect::Decide(..)]));
    desk.done(Outcome::Decided("pro_1".into(), {
        let mut view = three_hunks();
        view.proposal.version = 5;
        Ok(view)
    }));
    assert_eq!(desk.press("Ctrl+R"), [Effect::Reject("pro_1".into())]);
}

#[test]
fn a_rejection_that_failed_leaves_nothing_to_bring_back() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&headline());
    desk.press("x");
    let problem = Problem::new(503, "offline", "no server");
    desk.done(Outcome::Rejected("pro_1".into(), Err(problem)));
    assert_eq!(desk.model.reviews.len(), 1);
    assert_eq!(desk.press("U"), []);
    assert!(
        desk.text().contains("nothing was decided yet"),
        "{}",
        desk.text()
    );
}

#[test]
fn what_somebody_else_rejected_is_theirs_to_bring_back() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&headline());
    desk.press("Esc");
    desk.event(EventKind::Rejected, json!({"id": "pro_1"}));
    assert!(desk.model.reviews.is_empty());
    assert_eq!(desk.press("U"), []);
}
