//! The summary before an approval: what goes where, and the message of the commit.

use sayso::model::{Action, EventKind};
use sayso::tui::message::Effect;

use super::review::stored;
use super::support::*;

#[test]
fn the_summary_says_what_goes_where_before_the_one_key() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&three_hunks());
    desk.press("f X");
    stored(&mut desk);
    assert_eq!(desk.press("Enter"), [], "Enter shows the summary");
    let text = desk.text();
    for part in [
        "branch   main (on top of 1a2b3c4)",
        "deploy   to production, http://127.0.0.1:4000/",
        "Rename the contact button",
        "1 of 2, +1 −1",
        "M about.html",
        "left out",
        "M index.html",
        "nothing looks like a secret",
        "health check",
        "uncommitted changes near",
        "Enter: commit and deploy",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let effects = desk.press("Enter");
    let [Effect::Approve(_, approval)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(
        approval.hunks.as_deref(),
        Some(&["dddddddddddd".to_owned()][..])
    );
    assert_eq!(
        (approval.action, approval.version),
        (Some(Action::Deploy), Some(2))
    );
}

#[test]
fn the_commit_message_is_written_or_dictated_in_the_summary() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&three_hunks());
    desk.press("i");
    desk.model.line.set("half a thought");
    desk.press("Esc f Enter m");
    assert!(
        desk.text()
            .contains("commit message › Rename the contact button"),
        "{}",
        desk.text()
    );
    // What is said goes where the cursor is.
    assert!(desk.model.text_field().unwrap().dictate("on the home page"));
    assert_eq!(desk.press("Enter"), [], "nothing is committed yet");
    let own = "Rename the contact button to “Write to us” on the home page";
    assert!(desk.text().contains(own), "{}", desk.text());
    assert_eq!(desk.model.line.text(), "half a thought");
    // Esc leaves the message as it was.
    desk.press("m Ctrl+U Esc");
    let effects = desk.press("Enter");
    let [Effect::Approve(_, approval)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(approval.message.as_deref(), Some(own));
}

#[test]
fn an_empty_commit_message_is_the_proposals_own() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&three_hunks());
    desk.press("f Enter m Ctrl+U Enter");
    assert!(desk.text().contains("Rename the contact button"));
    let effects = desk.press("Enter");
    assert!(
        matches!(&effects[..], [Effect::Approve(_, approval)] if approval.message.is_none()),
        "{effects:?}"
    );
}

#[test]
fn a_summary_of_an_older_version_does_nothing() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&three_hunks());
    desk.press("f Enter");
    let mut newer = three_hunks();
    newer.proposal.version = 2;
    desk.event(
        EventKind::ProposalUpdated,
        serde_json::to_value(newer).unwrap(),
    );
    assert!(desk.text().contains("changed meanwhile"), "{}", desk.text());
    assert_eq!(desk.press("Enter"), []);
    assert!(desk.model.overlay.is_none());
    // Looked at again, it can be approved.
    assert_eq!(desk.press("Enter"), []);
    assert!(
        matches!(&desk.press("c")[..], [Effect::Approve(_, approval)] if approval.action == Some(Action::Commit))
    );
}
