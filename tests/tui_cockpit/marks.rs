//! With others: what is marked in a proposal and said about its lines.

use std::time::Duration;

use sayso::model::room::Comment;
use sayso::tui::message::{Message, Mouse};

use super::support::*;
use super::team::*;

#[test]
fn lines_are_marked_recoloured_and_unmarked_by_keys() {
    let mut table = Table::proposed(80, 24);
    table.press("f");
    table.cursor_on("Welcome");
    table.press("m");
    let marks = table.room.marks();
    assert_eq!(marks.len(), 1, "{marks:?}");
    assert_eq!((marks[0].from, marks[0].to), ((2, 0), (2, 18)));
    assert_eq!(marks[0].highlight.author, "Ada Lovelace");
    assert_eq!(marks[0].highlight.created, "2026-11-21T14:03:05Z");
    let first = marks[0].highlight.colour.clone();
    let letter = first.chars().next().unwrap();
    let screen = table.desk.text();
    let line = screen.lines().find(|line| line.contains("Welcome</h1>"));
    assert!(line.unwrap().contains(&format!("{letter}+")), "{screen}");
    table.press("m");
    assert_ne!(table.room.marks()[0].highlight.colour, first);
    table.press("d");
    assert_eq!(table.room.marks(), []);
    // Several lines at once.
    table.press("v j m");
    let marks = table.room.marks();
    assert_eq!((marks[0].from, marks[0].to), ((2, 0), (3, 24)));
    assert!(table.desk.model.reviews.current().unwrap().anchor.is_none());
}

#[test]
fn lines_are_marked_by_the_mouse() {
    let mut table = Table::proposed(80, 24);
    table.press("f");
    let row = |table: &mut Table, text: &str| {
        let screen = table.desk.text();
        let at = screen.lines().position(|line| line.contains(text));
        u16::try_from(at.unwrap()).unwrap()
    };
    let (from, to) = (
        row(&mut table, "Welcome</h1>"),
        row(&mut table, "</header>"),
    );
    table.desk.take(Message::Mouse(Mouse::Click(20, from)));
    table.desk.take(Message::Mouse(Mouse::Drag(22, to)));
    table.desk.draw();
    // The footer's hint does what its key does.
    let footer = table.desk.text().lines().last().unwrap().to_owned();
    let at = u16::try_from(footer.find("m mark").unwrap()).unwrap();
    let effects = table.desk.take(Message::Mouse(Mouse::Click(at, 23)));
    table.hear(&effects);
    let marks = table.room.marks();
    assert_eq!((marks[0].from, marks[0].to), ((2, 0), (4, 9)), "{footer}");
}

#[test]
fn marks_of_others_appear_and_cannot_be_taken_away() {
    let mut table = Table::proposed(80, 24);
    table.press("f");
    let highlight = sayso::model::room::Highlight {
        id: "x".into(),
        file: "index.html".into(),
        from: String::new(),
        to: String::new(),
        colour: "purple".into(),
        author: "Grace".into(),
        created: AT.into(),
        updated: AT.into(),
    };
    let frame = table.room.mark(highlight, (3, 5), (3, 7)).unwrap();
    table.tell(frame.into_iter().collect());
    let screen = table.desk.text();
    let line = screen
        .lines()
        .find(|line| line.contains("We make"))
        .unwrap();
    assert!(line.contains("p "), "{screen}");
    table.cursor_on("We make");
    table.press("d");
    assert!(
        table
            .desk
            .text()
            .contains("only Grace can take this mark away")
    );
    assert_eq!(table.room.marks().len(), 1);
    table.press("g )");
    let review = table.desk.model.reviews.current().unwrap();
    assert_eq!(review.spot(review.cursor), Some((0, 3)));
}

#[test]
fn notes_are_written_answered_changed_resolved_and_taken_away() {
    let mut table = Table::proposed(120, 40);
    table.press("f");
    table.cursor_on("Welcome");
    table.press("M");
    table.desk.write("louder, please");
    table.press("Enter");
    let threads = table.room.threads();
    assert_eq!(threads.len(), 1);
    assert_eq!(threads[0].line, Some(2));
    assert_eq!(threads[0].first.text, "louder, please");
    assert!(table.desk.model.full_view(), "back in the proposal");
    // Grace answers.
    let answer = Comment {
        id: "g".into(),
        parent: Some(threads[0].first.id.clone()),
        text: "with an exclamation mark".into(),
        author: "Grace".into(),
        created: "2026-11-21T15:00:00Z".into(),
        updated: "2026-11-21T15:00:00Z".into(),
        ..threads[0].first.clone()
    };
    let frame = table.room.comment(answer, None).unwrap();
    table.tell(frame.into_iter().collect());
    let screen = table.desk.text();
    let said = |text: &str| screen.lines().position(|line| line.contains(text));
    let (first, second) = (
        said("• Ada Lovelace: louder, please").expect(&screen),
        said("› Grace: with an exclamation mark").expect(&screen),
    );
    assert_eq!(said("<h1>Welcome</h1>").unwrap() + 1, first);
    assert_eq!(first + 1, second);
    // Her words are hers; one's own can be changed and answered.
    table.cursor_on("Grace: with");
    table.press("C");
    assert!(
        table
            .desk
            .text()
            .contains("only Grace can change this note")
    );
    table.press("M");
    table.desk.write("done");
    table.press("Enter");
    assert_eq!(table.room.threads()[0].answers.len(), 2);
    table.cursor_on("louder");
    table.desk.now += Duration::from_secs(60);
    table.press("C");
    table.desk.write(" now");
    table.press("Enter");
    assert_eq!(table.room.threads()[0].first.text, "louder, please now");
    // Done with: one line is left.
    table.press(".");
    let screen = table.desk.text();
    assert!(
        screen.contains("✓ Ada Lovelace: louder, please now (changed) (2 answers)"),
        "{screen}"
    );
    assert!(!screen.contains("exclamation"), "{screen}");
    // Taken away, after a question.
    table.cursor_on("louder");
    table.press("d");
    assert!(table.desk.text().contains("Take this note away?"));
    table.press("y");
    assert_eq!(table.room.threads(), []);
}

#[test]
fn a_note_that_is_dropped_leaves_the_line_as_it_was() {
    let mut table = Table::proposed(120, 40);
    table.press("Tab");
    table.desk.write("my draft");
    table.press("Esc f");
    table.cursor_on("Welcome");
    table.press("M");
    table.desk.write("never mind");
    table.press("Esc");
    assert_eq!(table.room.threads(), []);
    assert_eq!(table.desk.model.line.text(), "my draft");
    assert!(table.desk.model.full_view());
}
