//! Tests of the document: what people do to it, and that all of them end with the same.

use super::*;
use crate::model::room::{Comment, Highlight};

/// Two documents that have told each other everything.
fn pair() -> (RoomDoc, RoomDoc) {
    let mut one = RoomDoc::with_client(1);
    let other = RoomDoc::with_client(2);
    let update = one.set_text("index.html", "<h1>Hello 🦀 world</h1>\n<p>two</p>\n");
    let mut both = (one, other);
    both.1.apply(&update.unwrap().unwrap()).unwrap();
    both
}

fn meet(one: &mut RoomDoc, other: &mut RoomDoc) {
    let to_other = one.diff(&other.state_vector()).unwrap();
    let to_one = other.diff(&one.state_vector()).unwrap();
    one.apply(&to_one).unwrap();
    other.apply(&to_other).unwrap();
}

fn comment(id: &str, parent: Option<&str>, text: &str) -> Comment {
    Comment {
        id: id.into(),
        parent: parent.map(str::to_owned),
        file: "index.html".into(),
        at: String::new(),
        text: text.into(),
        author: "ada".into(),
        created: "2026-11-21T20:00:00Z".into(),
        updated: "2026-11-21T20:00:00Z".into(),
        resolved: false,
    }
}

#[test]
fn edits_of_two_meet() {
    let (mut one, mut other) = pair();
    one.set_text("index.html", "<h1>Hallo 🦀 world</h1>\n<p>two</p>\n")
        .unwrap();
    other.edit("index.html", 10, 0, " x").unwrap();
    meet(&mut one, &mut other);
    assert_eq!(one.files(), other.files());
    let text = one.text("index.html").unwrap();
    assert!(text.contains("Hallo"), "{text}");
    assert!(text.contains(" x"), "{text}");
    assert_eq!(one.state_vector(), other.state_vector());
}

#[test]
fn only_what_is_new_is_told() {
    let (mut one, mut other) = pair();
    assert_eq!(
        one.set_text("index.html", &one.text("index.html").unwrap()),
        Ok(None)
    );
    let update = one.edit("index.html", 0, 1, "").unwrap().unwrap();
    assert!(other.apply(&update).unwrap().is_some());
    assert_eq!(other.apply(&update), Ok(None));
    assert_eq!(other.apply(&one.state()), Ok(None));
}

#[test]
fn places_outside_of_a_text_are_refused() {
    let (mut one, _) = pair();
    let len = utf16_len(&one.text("index.html").unwrap());
    assert_eq!(
        one.edit("index.html", len + 1, 0, "x"),
        Err(DocError::Outside)
    );
    assert_eq!(
        one.edit("index.html", 0, len + 1, ""),
        Err(DocError::Outside)
    );
    assert_eq!(
        one.edit("index.html", usize::MAX, 2, ""),
        Err(DocError::Outside)
    );
    assert_eq!(
        one.edit("none", 0, 0, "x"),
        Err(DocError::Missing("none".into()))
    );
    assert!(one.position("index.html", len + 1).is_err());
    assert_eq!(
        one.edit("index.html", len, 0, "end").map(|u| u.is_some()),
        Ok(true)
    );
}

#[test]
fn a_position_stays_with_its_words() {
    let (mut one, mut other) = pair();
    let text = one.text("index.html").unwrap();
    let at = utf16_len(text.split("world").next().unwrap());
    let world = one.position("index.html", at).unwrap();
    let end = one.position("index.html", utf16_len(&text)).unwrap();
    assert!(
        world.contains("\"item\":{\"client\":1,\"clock\":"),
        "{world}"
    );
    assert!(end.contains("\"type\":{\"client\":1,"), "{end}");
    other.edit("index.html", 0, 0, "🦀🦀").unwrap();
    meet(&mut one, &mut other);
    assert_eq!(one.resolve("index.html", &world), Some(at + 4));
    assert_eq!(other.resolve("index.html", &world), Some(at + 4));
    assert_eq!(
        other.resolve("index.html", &end),
        Some(utf16_len(&text) + 4)
    );
    for odd in [
        "",
        "{}",
        "null",
        r#"{"item":{"client":1e30,"clock":1},"assoc":0}"#,
        r#"{"item":{"client":18014398509481984,"clock":1},"assoc":0}"#,
        r#"{"item":{"client":1,"clock":4294967295},"assoc":0}"#,
        r#"{"tname":"files","assoc":0}"#,
        r#"{"tname":"none","assoc":-1}"#,
    ] {
        assert_eq!(one.resolve("index.html", odd), None, "{odd}");
    }
    // With all that Yjs itself writes, and the other side.
    let text = one.text("index.html").unwrap();
    let full = world.replacen('{', "{\"type\":{\"client\":1,\"clock\":0},\"new\":1,", 1);
    assert_eq!(
        one.resolve("index.html", &full),
        Some(at + 4),
        "{full} {text}"
    );
}

#[test]
fn marks_are_made_changed_and_taken_away() {
    let (mut one, mut other) = pair();
    let mut mark = Highlight {
        id: "h1".into(),
        file: "index.html".into(),
        from: one.position("index.html", 4).unwrap(),
        to: one.position("index.html", 9).unwrap(),
        colour: "sky".into(),
        author: "ada".into(),
        created: "2026-11-21T20:00:00Z".into(),
        updated: "2026-11-21T20:00:00Z".into(),
    };
    one.put_highlight(&mark).unwrap();
    meet(&mut one, &mut other);
    assert_eq!(other.highlights(), [mark.clone()]);
    // Two people change two fields of it.
    let mut theirs = mark.clone();
    theirs.to = other.position("index.html", 10).unwrap();
    other.put_highlight(&theirs).unwrap();
    mark.colour = "orange".into();
    one.put_highlight(&mark).unwrap();
    meet(&mut one, &mut other);
    assert_eq!(one.highlights(), other.highlights());
    assert_eq!(one.highlights()[0].colour, "orange");
    assert_eq!(one.highlights()[0].to, theirs.to);
    one.remove_highlight("h1").unwrap();
    assert_eq!(
        one.remove_highlight("h1"),
        Err(DocError::Missing("h1".into()))
    );

    let mut first = comment("c1", None, "Why?");
    one.put_comment(&first).unwrap();
    one.put_comment(&comment("c2", Some("c1"), "Because."))
        .unwrap();
    one.put_comment(&comment("c3", Some("c2"), "Ah.")).unwrap();
    one.put_comment(&comment("d1", None, "Else")).unwrap();
    first.resolved = true;
    one.put_comment(&first).unwrap();
    assert!(one.comments()[0].resolved);
    first.resolved = false;
    one.put_comment(&first).unwrap();
    assert!(!one.comments()[0].resolved);
    one.remove_comment("c1").unwrap();
    assert_eq!(one.comments().len(), 1);
    let long = comment("c9", None, &"x".repeat(20_000));
    assert_eq!(one.put_comment(&long), Err(DocError::TooLarge));
}

#[test]
fn what_waits_for_what_never_comes_is_bounded() {
    let mut author = RoomDoc::with_client(5);
    author.set_text("a", "").unwrap();
    let first = author.edit("a", 0, 0, "x").unwrap().unwrap();
    let mut room = RoomDoc::new();
    let chunk = "y".repeat(1000);
    let mut refused = 0;
    for _ in 0..2000 {
        let update = author.edit("a", 0, 0, &chunk).unwrap().unwrap();
        match room.apply(&update) {
            Ok(new) => assert_eq!(new, None),
            Err(error) => {
                assert_eq!(error, DocError::Pending);
                refused += 1;
            }
        }
        assert!(room.state().len() < 100, "what waits is not handed on");
    }
    assert!(refused > 4, "{refused}");
    // Nobody else is held up by it, and he who synchronises anew is whole.
    let mut other = RoomDoc::with_client(6);
    let update = other.set_text("b", "text").unwrap().unwrap();
    assert!(room.apply(&update).unwrap().is_some());
    drop(first);
    room.apply(&author.diff(&room.state_vector()).unwrap())
        .unwrap();
    assert_eq!(room.text("a"), author.text("a"));
    assert!(!room.waits());
}

#[test]
fn a_deletion_shows_in_the_state_vector_where_it_is_counted() {
    let (mut one, mut other) = pair();
    let before = one.state_vector();
    let update = other.edit("index.html", 0, 3, "").unwrap().unwrap();
    assert!(only_deletes(&update));
    assert!(one.apply(&update).unwrap().is_some());
    let same = |a: &[u8], b: &[u8]| RoomDoc::same_state(a, b).unwrap();
    assert!(same(&one.state_vector(), &before));
    let counted = one.count_deletion().unwrap().unwrap();
    assert!(!only_deletes(&counted));
    assert!(!same(&one.state_vector(), &before));
    other.apply(&counted).unwrap();
    assert!(same(&other.state_vector(), &one.state_vector()));
    other.count_deletion().unwrap();
    assert!(!same(&other.state_vector(), &one.state_vector()));
    assert!(RoomDoc::same_state(&before, &[128, 194, 215, 47]).is_err());
}

#[test]
fn merged_updates_lead_to_the_same_and_keep_what_was_deleted_later() {
    let mut author = RoomDoc::with_client(7);
    let mut steps = vec![author.set_text("a", "one").unwrap().unwrap()];
    for text in ["one two", "one two three", "three", "three 🦀", "🦀"] {
        steps.push(author.set_text("a", text).unwrap().unwrap());
    }
    let early = merged(&steps[..3]).unwrap();
    let late = merged(&steps[3..]).unwrap();
    let half = RoomDoc::load([&*early]).unwrap();
    assert_eq!(half.text("a").as_deref(), Some("one two three"));
    let whole = RoomDoc::load([&*early, &*late]).unwrap();
    assert_eq!(whole.text("a").as_deref(), Some("🦀"));
    assert_eq!(whole.state_vector(), author.state_vector());
}

#[test]
fn a_document_is_bounded() {
    let mut doc = RoomDoc::new();
    let half = "x".repeat(MAX_DOCUMENT / 2 + 1);
    doc.set_text("a", &half).unwrap();
    assert_eq!(doc.set_text("b", &half), Err(DocError::TooLarge));
    let mut other = RoomDoc::new();
    let update = other.set_text("c", &half).unwrap().unwrap();
    assert_eq!(doc.apply(&update), Err(DocError::TooLarge));
    // What was deleted makes room again.
    doc.set_text("a", "").unwrap();
    assert!(doc.apply(&update).unwrap().is_some());
}

#[test]
fn odd_things_in_the_maps_are_passed_over() {
    use yrs::{Map as _, Text as _, Transact as _};
    let stranger = yrs::Doc::with_client_id(9);
    let files = stranger.get_or_insert_map("files");
    let marks = stranger.get_or_insert_map("highlights");
    {
        let mut txn = stranger.transact_mut();
        files.insert(&mut txn, "number", 1);
        let text = files.insert(&mut txn, "picture", yrs::TextPrelim::new("ab"));
        text.insert_embed(&mut txn, 1, yrs::Any::from("embedded"));
        marks.insert(&mut txn, "h", "no map");
    }
    let update = yrs::ReadTxn::encode_diff_v1(&stranger.transact(), &yrs::StateVector::default());
    let mut doc = RoomDoc::new();
    doc.apply(&update).unwrap();
    assert_eq!(doc.highlights(), []);
    assert_eq!(doc.text("number"), None);
    assert_eq!(doc.text("picture").as_deref(), Some("ab"));
    assert_eq!(doc.edit("picture", 0, 2, ""), Err(DocError::Outside));
    doc.set_text("picture", "abc").unwrap();
    doc.set_text("number", "1").unwrap();
    assert_eq!(doc.text("picture").as_deref(), Some("abc"));
    assert_eq!(doc.files().len(), 2);
}
