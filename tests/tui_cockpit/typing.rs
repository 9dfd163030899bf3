//! Writing into the line: what is typed is text and nothing else, and none of it is lost.

use sayso::config::Config;
use sayso::model::api::SiteWords;
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
    assert_eq!(effects, [Effect::LoadWords], "asked for, not sent");
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

#[test]
fn what_is_suggested_is_taken_by_tab_by_right_or_word_by_word() {
    let mut desk = Desk::new(80, 24);
    assert_eq!(desk.press("Tab"), [Effect::LoadWords]);
    desk.done(Outcome::Words(Ok(SiteWords {
        phrases: vec!["deploy that".into()],
        names: vec!["about us".into(), "Plan a visit".into()],
    })));
    desk.write("make the plan");
    assert!(
        desk.text().contains("make the plan a visit"),
        "{}",
        desk.text()
    );
    assert!(desk.text().contains("complete"), "{}", desk.text());
    assert_eq!(desk.press("Ctrl+Right"), []);
    assert_eq!(desk.model.line.text(), "make the plan a");
    desk.press("Tab");
    assert_eq!(desk.model.line.text(), "make the plan a visit");
    // Nothing more to take: Tab goes back, and the text stays.
    desk.press("Tab");
    assert_eq!(desk.model.focus, Focus::Cockpit);
    assert_eq!(desk.press("Tab"), [], "the words of this head are there");
    desk.press("Ctrl+U");
    desk.write("Depl");
    desk.press("Right");
    assert_eq!(desk.model.line.text(), "Deploy that");
    // Only at the end of the text: in the middle the cursor moves.
    desk.press("Home");
    desk.press("Right");
    assert_eq!(desk.model.line.before(), "D");
}

#[test]
fn what_is_suggested_is_never_sent_untaken() {
    let mut desk = Desk::new(80, 24);
    desk.press("Tab");
    desk.write("change the headline to Hi");
    desk.press("Enter");
    desk.press("Tab");
    desk.write("change");
    assert!(desk.text().contains("change the headline to Hi"));
    assert_eq!(desk.press("Enter"), [Effect::Submit("change".into())]);
}

#[test]
fn without_colours_brackets_tell_what_is_only_suggested() {
    let mut desk = Desk::with(&Config::default(), true, 80, 24);
    desk.connect();
    desk.press("Tab");
    desk.write("comm");
    assert!(desk.text().contains("comm["), "{}", desk.text());
}
