//! What is asked for while the server is away: kept first, sent once and in order, an approval never for something else
//! than what was seen.

use std::time::Duration;

use sayso::client::outbox::{Asked, Queued};
use sayso::client::stream::{Connection, StreamItem};
use sayso::model::Problem;
use sayso::model::api::{Accepted, Status};
use sayso::tui::message::{Effect, Message, Outcome};
use sayso::tui::model::{Confirm, Overlay};

use super::support::*;

/// A cockpit on a server elsewhere, connected.
fn remote(width: u16, height: u16) -> Desk {
    let mut desk = Desk::bare(width, height);
    desk.model.settings.taking.remote = true;
    desk.model.settings.taking.keeps = true;
    desk.model.team.outbox = sayso::client::outbox::Outbox::new("ins_0".into());
    desk.connect();
    desk
}

fn connection(desk: &mut Desk, connection: Connection) -> Vec<Effect> {
    desk.take(Message::Stream(StreamItem::Connection(connection)))
}

fn away(desk: &mut Desk) {
    let reason = "the connection was closed".to_owned();
    let waiting = Connection::Waiting {
        reason,
        retry_ms: 4_000,
    };
    connection(desk, waiting);
    desk.draw();
}

/// The server is back, and its state was loaded.
fn back(desk: &mut Desk, status: Status) -> Vec<Effect> {
    let effects = connection(desk, Connection::Streaming);
    assert!(
        effects.contains(&Effect::LoadStatus(Duration::ZERO)),
        "{effects:?}"
    );
    let effects = desk.done(Outcome::Status(Ok(status)));
    desk.draw();
    effects
}

fn sent(effects: &[Effect]) -> Vec<Queued> {
    let sent = effects.iter().filter_map(|effect| match effect {
        Effect::Send(queued) => Some(queued.clone()),
        _ => None,
    });
    sent.collect()
}

fn say(desk: &mut Desk, words: &str) -> Vec<Effect> {
    desk.press("Tab");
    desk.write(words);
    desk.press("Enter")
}

fn accepted(key: &str) -> Outcome {
    let accepted = Accepted {
        instruction: "ins_9".into(),
    };
    Outcome::Sent(key.into(), Ok(Some(accepted)))
}

fn unreachable() -> Problem {
    Problem::new(503, "unreachable", "the Sayso server cannot be reached")
}

#[test]
fn an_instruction_is_sent_under_a_key_and_forgotten_when_it_was_taken() {
    let mut desk = remote(80, 24);
    let effects = say(&mut desk, "make it blue");
    let sent = sent(&effects);
    assert_eq!(sent.len(), 1, "{effects:?}");
    assert_eq!(
        sent[0].asked,
        Asked::Instruction {
            words: "make it blue".into()
        }
    );
    let key = sent[0].key.clone();
    let effects = desk.done(accepted(&key));
    assert_eq!(effects, [Effect::Forget(key)]);
    assert!(desk.model.team.outbox.is_empty());
    assert_eq!(
        desk.model.work.as_ref().unwrap().instruction,
        Some("ins_9".into())
    );
}

#[test]
fn while_the_server_is_away_instructions_are_kept_and_go_out_in_order_and_once() {
    let mut desk = remote(80, 24);
    away(&mut desk);
    let header = desk.text().lines().next().unwrap().to_owned();
    assert!(header.ends_with("reconnecting in 4 s"), "{header}");
    let mut keys = Vec::new();
    for words in ["one", "two"] {
        let effects = say(&mut desk, words);
        assert_eq!(sent(&effects), []);
        let kept = effects.iter().find_map(|effect| match effect {
            Effect::Keep(queued) => Some(queued.key.clone()),
            _ => None,
        });
        keys.push(kept.expect("on disk"));
    }
    assert_eq!(desk.model.work, None, "nothing is under way");
    let screen = desk.text();
    let header = screen.lines().next().unwrap();
    assert!(header.contains("2 waiting reconnecting"), "{header}");
    assert!(
        screen.contains("kept, and sent when it is back"),
        "{screen}"
    );
    let first = sent(&back(&mut desk, status()));
    assert_eq!(first.len(), 1, "one after the other");
    assert_eq!(first[0].key, keys[0]);
    // It fails on the way: the same again, under the same key.
    away(&mut desk);
    desk.done(Outcome::Sent(keys[0].clone(), Err(unreachable())));
    let again = sent(&back(&mut desk, status()));
    assert_eq!(again, first);
    let effects = desk.done(accepted(&keys[0]));
    assert_eq!(effects[0], Effect::Forget(keys[0].clone()));
    assert_eq!(sent(&effects)[0].key, keys[1]);
    desk.done(accepted(&keys[1]));
    assert!(desk.model.team.outbox.is_empty());
    let header = desk.text().lines().next().unwrap().to_owned();
    assert!(!header.contains("waiting"), "{header}");
}

#[test]
fn what_an_earlier_run_kept_goes_first() {
    let mut desk = Desk::bare(80, 24);
    desk.model.settings.taking.remote = true;
    desk.model.settings.taking.keeps = true;
    desk.model.team.outbox = sayso::client::outbox::Outbox::new("ins_5".into());
    let kept = Queued {
        key: "ins_1-0001".into(),
        asked: Asked::Instruction {
            words: "earlier".into(),
        },
    };
    desk.take(Message::OutboxKept(vec![kept.clone()]));
    assert!(desk.text().contains("1 waiting"));
    let effects = desk.done(Outcome::Status(Ok(status())));
    assert_eq!(sent(&effects), [kept]);
}

#[test]
fn what_waits_is_listed_and_can_be_dropped() {
    let mut desk = remote(80, 24);
    away(&mut desk);
    say(&mut desk, "one");
    say(&mut desk, "two");
    desk.press("O j");
    let screen = desk.text();
    assert!(screen.contains("Waiting to be sent: 2"), "{screen}");
    assert!(screen.contains("“two”"), "{screen}");
    let effects = desk.press("x");
    assert!(matches!(&effects[0], Effect::Forget(_)), "{effects:?}");
    let left: Vec<String> = desk
        .model
        .team
        .outbox
        .iter()
        .map(|queued| queued.asked.words())
        .collect();
    assert_eq!(left, ["“one”"]);
    desk.press("x");
    assert_eq!(desk.model.overlay, None);
    // What was written can be had again.
    desk.press("Tab Up");
    assert_eq!(desk.model.line.text(), "one");
}

#[test]
fn a_refusal_is_no_reason_to_send_it_again() {
    let mut desk = remote(80, 24);
    let key = sent(&say(&mut desk, "x"))[0].key.clone();
    let refused = Problem::new(422, "invalid", "the prompt is too long");
    let effects = desk.done(Outcome::Sent(key.clone(), Err(refused)));
    assert_eq!(effects, [Effect::Forget(key)]);
    assert!(desk.text().contains("too long"));
    assert_eq!(
        desk.model.line.text(),
        "x",
        "nothing that was written is lost"
    );
}

#[test]
fn an_approval_that_waited_is_sent_when_nothing_changed() {
    let mut desk = remote(120, 40);
    desk.propose(&headline());
    away(&mut desk);
    let effects = desk.press("Enter");
    assert_eq!(sent(&effects), []);
    assert!(matches!(&effects[0], Effect::Keep(_)), "{effects:?}");
    let mut now = status();
    now.cursor.seq = desk.seq;
    now.proposals = vec![headline()];
    let sent = sent(&back(&mut desk, now));
    let Asked::Approval { approval, .. } = &sent[0].asked else {
        panic!("{sent:?}");
    };
    assert_eq!(approval.version, Some(1));
    desk.done(Outcome::Sent(sent[0].key.clone(), Ok(None)));
    assert!(desk.model.reviews.is_empty());
}

#[test]
fn an_approval_that_waited_is_asked_about_when_the_proposal_changed() {
    for look in [true, false] {
        let mut desk = remote(120, 40);
        desk.propose(&headline());
        away(&mut desk);
        desk.press("Enter");
        let mut now = status();
        now.cursor.seq = desk.seq;
        let mut changed = headline();
        changed.proposal.version = 2;
        now.proposals = vec![changed];
        let effects = back(&mut desk, now);
        assert_eq!(sent(&effects), []);
        assert!(matches!(
            desk.model.overlay,
            Some(Overlay::Confirm(Confirm::Again(..)))
        ));
        let screen = desk.text();
        assert!(screen.contains("Look at it again?"), "{screen}");
        let effects = desk.press(if look { "y" } else { "n" });
        assert_eq!(sent(&effects), [], "the old approval is never sent");
        assert!(desk.model.team.outbox.is_empty());
        assert_eq!(desk.model.full_view(), look);
    }
}

#[test]
fn an_approval_of_what_is_closed_by_then_is_dropped_and_the_next_thing_sent() {
    let mut desk = remote(120, 40);
    desk.propose(&headline());
    away(&mut desk);
    desk.press("Enter");
    say(&mut desk, "and another thing");
    let mut now = status();
    now.cursor.seq = desk.seq;
    let effects = back(&mut desk, now);
    let sent = sent(&effects);
    assert_eq!(sent.len(), 1);
    assert!(matches!(sent[0].asked, Asked::Instruction { .. }));
    assert!(desk.text().contains("is not open any more"));
}

#[test]
fn a_decision_on_a_hunk_waits_too_and_still_shows() {
    let mut desk = remote(120, 40);
    desk.propose(&three_hunks());
    let effects = desk.press("s");
    assert!(matches!(&effects[0], Effect::Decide(..)), "{effects:?}");
    away(&mut desk);
    desk.done(Outcome::Decided("pro_1".into(), Err(unreachable())));
    assert_eq!(desk.model.reviews.deciding.len(), 1);
    assert!(desk.text().contains("[ ] hunk 1 of 3"));
    let mut now = status();
    now.cursor.seq = desk.seq;
    now.proposals = vec![three_hunks()];
    let effects = back(&mut desk, now);
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Decide(..))),
        "{effects:?}"
    );
}

#[test]
fn in_a_cockpit_with_its_own_server_nothing_is_queued() {
    let mut desk = Desk::new(80, 24);
    assert_eq!(say(&mut desk, "x"), [Effect::Submit("x".into())]);
    desk.press("O");
    assert!(desk.text().contains("nothing waits to be sent"));
}

#[test]
fn the_seconds_to_the_next_attempt_are_counted_down() {
    let mut desk = remote(80, 24);
    away(&mut desk);
    let mut seen = Vec::new();
    for _ in 0..6 {
        let header = desk.text().lines().next().unwrap().to_owned();
        let words = header.rsplit("  ").next().unwrap().trim().to_owned();
        seen.push(words);
        let Some(at) = sayso::tui::motion::next(&desk.model, desk.now) else {
            break;
        };
        desk.now = at;
        desk.take(Message::Wake);
    }
    for want in [
        "reconnecting in 4 s",
        "reconnecting in 3 s",
        "reconnecting in 1 s",
        "reconnecting",
    ] {
        assert!(seen.iter().any(|words| words == want), "{want}: {seen:?}");
    }
    // With nothing that moves nothing is counted, and nobody wakes up for it.
    desk.model.settings.motion = false;
    assert!(
        desk.text()
            .lines()
            .next()
            .unwrap()
            .ends_with("reconnecting")
    );
}
