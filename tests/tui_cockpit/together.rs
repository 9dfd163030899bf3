//! With others: what is written together, and what becomes of it without the server.

use std::time::Duration;

use sayso::client::room::{RoomItem, Standing};
use sayso::model::EventKind;
use sayso::tui::keys::Stroke;
use sayso::tui::message::{Effect, Message};

use super::support::Desk;
use super::team::*;

#[test]
fn two_write_in_one_hunk_and_both_see_both() {
    let mut table = Table::proposed(120, 40);
    table.press("f e");
    assert!(table.desk.text().contains("shared as you type"));
    for key in ["W", "O", "W"] {
        let effects = table.desk.stroke(key, Stroke::Press);
        table.hear(&effects);
    }
    let text = table.room.text("index.html").unwrap();
    assert!(text.contains("WOW"), "{text}");
    // Grace writes elsewhere in it at the same time.
    let grace = text.replace("We make", "We all make");
    let frame = table.room.write("index.html", &grace).unwrap();
    table.tell(frame.into_iter().collect());
    let screen = table.desk.text();
    assert!(screen.contains("We all make"), "{screen}");
    let effects = table.desk.stroke("!", Stroke::Press);
    table.hear(&effects);
    let text = table.room.text("index.html").unwrap();
    assert!(
        text.contains("WOW!") && text.contains("We all make"),
        "{text}"
    );
    // What is on the screen is not what would be approved: it has to be looked at first.
    table.press("Ctrl+S Esc");
    let effects = table.press("Enter");
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Approve(..))),
        "{effects:?}"
    );
    assert!(table.desk.text().contains("somebody writes in it"));
    // The server tells the new version; seen, it is approved with what the document had.
    let mut view = page(&text);
    view.proposal.version = 2;
    table.desk.event(
        EventKind::ProposalUpdated,
        serde_json::to_value(&view).unwrap(),
    );
    let effects = table.press("Enter");
    let approval = effects.iter().find_map(|effect| match effect {
        Effect::Approve(_, approval) => Some(approval.clone()),
        _ => None,
    });
    let approval = approval.expect("approved");
    assert_eq!(approval.version, Some(2));
    let vector = approval.state_vector.expect("names what it saw");
    let room = table.desk.model.team.room_of(&"pro_1".into()).unwrap();
    use base64::Engine as _;
    let now = base64::engine::general_purpose::STANDARD.encode(room.replica.state_vector());
    assert_eq!(vector, now);
}

#[test]
fn what_is_written_without_the_server_is_kept_and_sent_on_return() {
    let mut table = Table::proposed(120, 40);
    let waiting = Standing::Waiting {
        reason: "away".into(),
        retry_ms: 1_000,
    };
    let server = table.room.clone();
    table.item(ROOM, RoomItem::Standing(waiting));
    table.desk.press("f e");
    let effects = table.desk.press("H I");
    let kept = effects.iter().rev().find_map(|effect| match effect {
        Effect::KeepRoom(name, Some(state)) if name == ROOM => Some(state.clone()),
        _ => None,
    });
    let kept = kept.expect("on disk");
    assert!(!table.room.text("index.html").unwrap().contains("HI"));
    // Back, in this run …
    table.live(ROOM);
    table.meet();
    assert!(table.room.text("index.html").unwrap().contains("HI"));
    // … or in another one, after this one was killed.
    let mut again = Table::new(120, 40);
    again.desk.propose(&page(AFTER));
    again.desk.take(Message::RoomKept(ROOM.into(), Some(kept)));
    again.room = server;
    again.live(ROOM);
    again.meet();
    assert!(again.room.text("index.html").unwrap().contains("HI"));
    // After a silent quarter of a minute the server has all of it, and nothing is kept.
    again.desk.now += Duration::from_secs(15);
    let effects = again.item(ROOM, RoomItem::Renew);
    assert!(
        effects.contains(&Effect::KeepRoom(ROOM.into(), None)),
        "{effects:?}"
    );
}

#[test]
fn a_room_that_is_closed_for_good_says_why_and_the_rest_works() {
    let mut table = Table::proposed(80, 24);
    let reason =
        "the server closed the room (4403); this token is not allowed in this room".to_owned();
    table.item(PROJECT, RoomItem::Standing(Standing::Closed { reason }));
    table.press("F3");
    let screen = table.desk.text();
    assert!(screen.contains("closed the room (4403)"), "{screen}");
    assert!(screen.contains("this room"), "the whole of it: {screen}");
    table.press("Esc");
    assert_eq!(table.desk.model.overlay, None);
}

#[test]
fn what_was_kept_is_sent_although_another_proposal_is_shown() {
    let mut table = Table::proposed(120, 40);
    let away = Standing::Waiting {
        reason: "away".into(),
        retry_ms: 1_000,
    };
    let server = table.room.clone();
    table.item(ROOM, RoomItem::Standing(away));
    table.desk.press("f e");
    let effects = table.desk.press("H I");
    let kept = effects.iter().rev().find_map(|effect| match effect {
        Effect::KeepRoom(_, state) => state.clone(),
        _ => None,
    });
    // Another proposal comes to the front while the words wait: their room is not left.
    let mut other = page(AFTER);
    other.proposal.id = "pro_2".into();
    table.desk.press("Ctrl+S Esc Esc");
    table.desk.propose(&other);
    let effects = table.desk.press("]");
    let shown = |table: &Table| {
        let review = table.desk.model.review().expect("one is shown");
        review.id().to_string()
    };
    assert_eq!(shown(&table), "pro_2");
    assert!(!effects.contains(&Effect::LeaveRoom(ROOM.into())));
    assert!(table.desk.model.team.rooms.contains_key(ROOM));

    // Killed, and started again: the newer proposal is shown, and the older one's room is joined for the words.
    let mut again = Table::new(120, 40);
    again.desk.take(Message::RoomsKept(vec![
        ROOM.into(),
        "proposal:pro_gone".into(),
    ]));
    again.desk.propose(&page(AFTER));
    again.desk.propose(&other);
    again.desk.press("]");
    assert_eq!(shown(&again), "pro_2");
    let joined: Vec<&str> = again
        .desk
        .model
        .team
        .rooms
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(joined, [PROJECT, ROOM, "proposal:pro_2"]);
    again.desk.take(Message::RoomKept(ROOM.into(), kept));
    again.room = server;
    again.live(ROOM);
    again.meet();
    assert!(again.room.text("index.html").unwrap().contains("HI"));
    // The server has all of it: the room of a proposal that is not shown is left.
    again.desk.now += Duration::from_secs(15);
    let effects = again.item(ROOM, RoomItem::Renew);
    assert!(effects.contains(&Effect::KeepRoom(ROOM.into(), None)));
    assert!(
        effects.contains(&Effect::LeaveRoom(ROOM.into())),
        "{effects:?}"
    );

    // A file that went meanwhile holds nobody in a room.
    let mut third = Table::new(120, 40);
    third.desk.take(Message::RoomsKept(vec![ROOM.into()]));
    third.desk.propose(&page(AFTER));
    third.desk.propose(&other);
    third.desk.press("]");
    let effects = third.desk.take(Message::RoomKept(ROOM.into(), None));
    assert!(
        effects.contains(&Effect::LeaveRoom(ROOM.into())),
        "{effects:?}"
    );
}

#[test]
fn alone_with_the_own_server_there_is_no_room_until_somebody_comes() {
    let mut desk = Desk::new(120, 40);
    desk.connect();
    desk.propose(&page(AFTER));
    assert!(desk.model.team.rooms.is_empty());
    let effects = desk.take(Message::Company);
    for room in [PROJECT, ROOM] {
        let join = Effect::JoinRoom(room.into());
        assert!(effects.contains(&join), "{room}: {effects:?}");
    }
}

#[test]
fn own_words_are_taken_back_and_those_of_others_stay() {
    let mut table = Table::proposed(120, 40);
    table.press("f e");
    table.press("W O W");
    let text = table.room.text("index.html").unwrap();
    assert!(text.contains("WOW"), "{text}");
    // Grace writes beside it.
    let grace = text
        .replace("WOW", "W+OW")
        .replace("We make", "We all make");
    let frame = table.room.write("index.html", &grace).unwrap();
    table.tell(frame.into_iter().collect());
    table.press("Ctrl+U");
    let text = table.room.text("index.html").unwrap();
    assert!(!text.contains("OW") && text.contains('+'), "{text}");
    assert!(text.contains("We all make"), "{text}");
    assert!(table.desk.text().contains("We all make"));
    table.press("Ctrl+U");
    assert!(table.desk.text().contains("nothing was typed yet"));
    table.press("Ctrl+R");
    assert_eq!(table.room.text("index.html").unwrap(), grace);
    // Done with it, the whole edit is one review decision that can be taken back.
    table.press("Esc");
    assert!(table.desk.model.editing.is_none());
    table.press("u");
    let undone = table.room.text("index.html").unwrap();
    assert!(
        !undone.contains("OW") && undone.contains("We all make"),
        "{undone}"
    );
    assert!(
        table
            .desk
            .text()
            .contains("undone: your edit of index.html")
    );
    table.press("U");
    assert_eq!(table.room.text("index.html").unwrap(), grace);
    // Where the room was left meanwhile, nobody knows any more what was whose.
    table.desk.model.team.rooms.clear();
    table.press("u");
    let screen = table.desk.text();
    assert!(
        screen.contains("nothing of the edit of index.html can be undone"),
        "{screen}"
    );
    assert_eq!(table.room.text("index.html").unwrap(), grace);
}

#[test]
fn what_is_typed_alone_is_taken_back_too() {
    let mut desk = Desk::new(120, 40);
    desk.connect();
    desk.propose(&page(AFTER));
    desk.press("f e");
    desk.press("X");
    let typed = |desk: &Desk| desk.model.editing.as_ref().unwrap().text();
    assert!(typed(&desk).contains('X'));
    desk.press("Ctrl+U");
    assert_eq!(typed(&desk), AFTER);
    desk.press("Ctrl+R");
    assert!(typed(&desk).contains('X'));
}
