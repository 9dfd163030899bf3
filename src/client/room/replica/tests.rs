//! Tests of a copy: two of them that tell each other everything, or not yet.

use super::*;

const PAGE: &str = "<h1>Hello</h1>\n<p>two 🦀 words</p>\nlast\n";

/// Sends every frame of one to the other until nobody has anything to say.
fn meet(one: &mut Replica, other: &mut Replica) {
    let mut to_other = one.greeting();
    let mut to_one = other.greeting();
    while !to_other.is_empty() || !to_one.is_empty() {
        let answers = |to: &mut Replica, frames: &[Bytes]| -> Vec<Bytes> {
            let taken = frames.iter().map(|frame| to.take(frame, 0).unwrap());
            taken.flat_map(|taken| taken.answers).collect()
        };
        let (one_said, other_said) = (answers(one, &to_one), answers(other, &to_other));
        (to_other, to_one) = (one_said, other_said);
    }
}

fn highlight(id: &str) -> Highlight {
    Highlight {
        id: id.into(),
        file: "index.html".into(),
        from: String::new(),
        to: String::new(),
        colour: "sky".into(),
        author: "Ada".into(),
        created: "2026-11-21T20:00:00Z".into(),
        updated: "2026-11-21T20:00:00Z".into(),
    }
}

fn comment(id: &str, parent: Option<&str>, created: &str) -> Comment {
    Comment {
        id: id.into(),
        parent: parent.map(str::to_owned),
        file: "index.html".into(),
        at: String::new(),
        text: id.into(),
        author: "Ada".into(),
        created: created.into(),
        updated: created.into(),
        resolved: false,
    }
}

#[test]
fn what_is_written_alone_is_merged_when_they_meet_again() {
    let (mut ada, mut bob) = (Replica::new(), Replica::new());
    ada.write("index.html", PAGE).unwrap();
    meet(&mut ada, &mut bob);
    assert_eq!(bob.text("index.html").as_deref(), Some(PAGE));
    // Both write without each other.
    ada.write("index.html", &PAGE.replace("Hello", "Welcome"))
        .unwrap();
    bob.write("index.html", &PAGE.replace("last", "the last"))
        .unwrap();
    meet(&mut ada, &mut bob);
    let both = PAGE.replace("Hello", "Welcome").replace("last", "the last");
    assert_eq!(ada.text("index.html"), Some(both));
    assert_eq!(ada.files(), bob.files());
}

#[test]
fn what_was_kept_by_a_killed_cockpit_reaches_the_others() {
    let (mut ada, mut bob) = (Replica::new(), Replica::new());
    ada.write("index.html", PAGE).unwrap();
    meet(&mut ada, &mut bob);
    ada.write("index.html", &PAGE.replace("two", "three"))
        .unwrap();
    let kept = ada.kept().expect("not known to be with the server");
    drop(ada);
    let mut again = Replica::new();
    again.take_kept(&kept).unwrap();
    meet(&mut again, &mut bob);
    assert!(bob.text("index.html").unwrap().contains("three 🦀 words"));
    assert!(again.kept().is_some());
    // Two silent renewals later the server has it.
    again.renew(15_000);
    again.renew(30_000);
    assert_eq!(again.kept(), None);
    assert!(Replica::new().take_kept(b"no document").is_err());
}

#[test]
fn marks_stay_with_their_words_and_threads_with_their_lines() {
    let (mut ada, mut bob) = (Replica::new(), Replica::new());
    ada.write("index.html", PAGE).unwrap();
    // The crab is two units wide, and one character.
    ada.mark(highlight("a"), (2, 9), (2, 14)).unwrap();
    ada.comment(comment("c", None, "2026-11-21T20:00:01Z"), Some(2))
        .unwrap();
    meet(&mut ada, &mut bob);
    bob.write("index.html", &format!("<!doctype html>\n{PAGE}"))
        .unwrap();
    bob.comment(comment("d", Some("c"), "2026-11-21T20:00:03Z"), None)
        .unwrap();
    bob.comment(comment("e", Some("d"), "2026-11-21T20:00:02Z"), None)
        .unwrap();
    meet(&mut ada, &mut bob);
    let marks = ada.marks();
    assert_eq!((marks[0].from, marks[0].to), ((3, 9), (3, 14)));
    let threads = ada.threads();
    assert_eq!(threads.len(), 1);
    assert_eq!(threads[0].line, Some(3));
    let answers: Vec<_> = threads[0].answers.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(answers, ["e", "d"], "by when they were given");
    // The marked words go, and the mark with them.
    bob.write("index.html", "<!doctype html>\n").unwrap();
    meet(&mut ada, &mut bob);
    assert_eq!(ada.marks(), []);
    bob.uncomment("c").unwrap();
    bob.unmark("a").unwrap();
    meet(&mut ada, &mut bob);
    assert_eq!(ada.threads(), []);
}

#[test]
fn nothing_is_marked_where_nothing_is() {
    let mut ada = Replica::new();
    assert!(ada.mark(highlight("a"), (1, 0), (1, 3)).is_err());
    ada.write("index.html", PAGE).unwrap();
    assert_eq!(
        ada.mark(highlight("a"), (1, 3), (1, 3)),
        Err(DocError::Outside)
    );
    // Beyond the end is the end.
    assert!(ada.mark(highlight("a"), (3, 0), (99, 0)).unwrap().is_some());
    assert_eq!(ada.marks()[0].to, (4, 0));
}

#[test]
fn presence_is_shown_renewed_and_forgotten() {
    let (mut ada, mut bob) = (Replica::new(), Replica::new());
    let mut presence = Presence::default();
    presence.user.name = "Ada".into();
    let frame = ada.show(Some(&presence), 0);
    assert!(bob.take(&frame, 0).unwrap().people);
    assert!(!bob.take(&frame, 0).unwrap().people, "the same again");
    assert_eq!(bob.others()[0].presence.user.name, "Ada");
    let (renewed, _) = ada.renew(15_000);
    assert!(!bob.take(&renewed.unwrap(), 15_000).unwrap().people);
    assert_eq!(bob.renew(44_000), (None, false));
    assert_eq!(bob.renew(46_000), (None, true), "silent for half a minute");
    assert_eq!(bob.others(), []);
    let frame = ada.show(None, 50_000);
    bob.take(&frame, 50_000).unwrap();
    assert!(!bob.alone());
}

#[test]
fn the_caret_of_another_is_where_the_text_says() {
    let (mut ada, mut bob) = (Replica::new(), Replica::new());
    ada.write("index.html", PAGE).unwrap();
    meet(&mut ada, &mut bob);
    let place = ada.place("index.html", 3, 0);
    bob.write("index.html", &format!("\n\n{PAGE}")).unwrap();
    assert_eq!(bob.line_of(&place), 5);
    let unknown = Place {
        file: "other.html".into(),
        at: place.at,
        line: 7,
    };
    assert_eq!(bob.line_of(&unknown), 7);
    assert_eq!(ada.place("none.html", 4, 0).line, 4);
}

#[test]
fn damaged_frames_are_errors_and_change_nothing() {
    let mut ada = Replica::new();
    ada.write("index.html", PAGE).unwrap();
    for frame in [
        &[][..],
        &[9],
        &[0, 2, 4, 128, 194, 215, 47],
        &[1, 4, 128, 194, 215, 47],
    ] {
        assert!(ada.take(frame, 0).is_err(), "{frame:?}");
    }
    assert_eq!(ada.text("index.html").as_deref(), Some(PAGE));
}
