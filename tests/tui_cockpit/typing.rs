//! Writing into the line: what is typed is text and nothing else, and none of it is lost.

use sayso::model::{EventKind, Problem};
use sayso::tui::message::{Effect, Message, Outcome};
use sayso::tui::model::Focus;
use serde_json::json;

use super::support::*;

#[test]
fn typing_never_acts() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    desk.event(
        EventKind::Intent,
        json!({"text": "deploy that", "reading": "deploy",
               "question": {"text": "Deploy 1a2b3c4 to production?", "heard": "deploy that", "act": "deploy"}}),
    );
    desk.press("Tab");
    for c in (' '..='~').chain(['é', '日']) {
        let effects = desk.stroke(
            &if c == ' ' {
                "Space".into()
            } else {
                c.to_string()
            },
            sayso::tui::keys::Stroke::Press,
        );
        desk.draw();
        assert_eq!(effects, [], "{c:?}");
        assert_eq!(desk.model.focus, Focus::Input);
    }
    assert!(desk.model.line.text().ends_with("}~é日"));
}

#[test]
fn a_paste_is_written_and_never_sent() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&headline());
    let effects = desk.take(Message::Paste("d\r\nchange the title\nyes\n".into()));
    assert_eq!(effects, []);
    assert_eq!(desk.model.focus, Focus::Input);
    assert_eq!(desk.model.line.text(), "d  change the title yes ");
    let effects = desk.press("Enter");
    assert_eq!(effects, [Effect::Submit("d  change the title yes ".into())]);
}

#[test]
fn enter_in_the_text_sends_and_does_not_approve_what_comes_of_it() {
    let mut desk = Desk::new(80, 24);
    desk.press("Tab");
    assert_eq!(desk.press("Enter"), [], "an empty text is not sent");
    desk.write("change the headline");
    // Two quick presses: the second one must not meet a proposal that was never looked at.
    assert_eq!(
        desk.stroke("Enter", sayso::tui::keys::Stroke::Press).len(),
        1
    );
    let event = desk.event_of(
        EventKind::Proposal,
        serde_json::to_value(headline()).unwrap(),
    );
    desk.take(Message::Stream(sayso::client::stream::StreamItem::Event(
        event.into(),
    )));
    assert_eq!(desk.stroke("Enter", sayso::tui::keys::Stroke::Press), []);
}

#[test]
fn what_could_not_be_sent_is_not_lost() {
    let mut desk = Desk::new(80, 24);
    desk.press("Tab");
    desk.write("change the headline");
    desk.press("Enter");
    desk.done(Outcome::Submitted(
        "change the headline".into(),
        Err(Problem::new(503, "unreachable", "the server is away")),
    ));
    assert_eq!(desk.model.line.text(), "change the headline");
    assert!(
        desk.text().contains("not sent: the server is away"),
        "{}",
        desk.text()
    );
}
