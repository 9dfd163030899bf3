//! The full view of a proposal: cursor, lines, files, undo, editing.

use sayso::model::api::{Decide, ProposalView};
use sayso::model::{Content, Decision, EventKind, LineTag};
use sayso::tui::message::{Effect, Message, Outcome};
use sayso::tui::model::DiffRow;

use super::support::*;

/// One file of `lines` lines in which every tenth line changes, as the server makes it.
pub fn real(path: &str, lines: usize) -> ProposalView {
    let before: String = (0..lines)
        .map(|n| format!("    <li class=\"n{n}\">entry number {n}</li>\n"))
        .collect();
    let after: String = (0..lines)
        .map(|n| match n % 10 {
            5 => format!("    <li class=\"n{n}\">another entry {n}</li>\n"),
            _ => format!("    <li class=\"n{n}\">entry number {n}</li>\n"),
        })
        .collect();
    let mut file = file(path, Vec::new());
    file.before = Content::text(before);
    file.after = Content::text(after);
    sayso::review::diff::refresh(&mut file);
    proposal(vec![file])
}

fn whole(hunks: &[&str], decision: Decision) -> Effect {
    lines(hunks, None, decision)
}

fn lines(hunks: &[&str], lines: Option<&[usize]>, decision: Decision) -> Effect {
    Effect::Decide(
        "pro_1".into(),
        Decide {
            hunks: hunks.iter().map(ToString::to_string).collect(),
            lines: lines.map(<[usize]>::to_vec),
            decision,
        },
    )
}

/// The server stores the decision: the next version.
pub fn stored(desk: &mut Desk) -> Vec<Effect> {
    let mut view = desk.model.reviews.current().unwrap().view.clone();
    view.proposal.version += 1;
    let effects = desk.done(Outcome::Decided("pro_1".into(), Ok(view)));
    desk.draw();
    effects
}

#[test]
fn the_full_view_pins_name_summary_and_actions_and_the_cursor_moves_by_lines() {
    for (width, height) in [(40, 12), (80, 24), (120, 40), (250, 80)] {
        let mut desk = Desk::new(width, height);
        desk.propose(&real("list.html", 400));
        desk.press("f");
        for keys in [
            "j j j",
            "PgDn PgDn",
            "G",
            "k k",
            "g",
            "n n n",
            "t",
            "PgDn",
            "N",
        ] {
            desk.press(keys);
            let text = desk.text();
            let review = desk.model.reviews.current().unwrap();
            let seen = review
                .pieces()
                .iter()
                .any(|piece| piece.row == review.cursor);
            assert!(
                seen,
                "{width}x{height} {keys}: the cursor is out of sight\n{text}"
            );
            assert!(text.contains('▶'), "{width}x{height} {keys}: {text}");
            assert!(
                text.contains("Enter: summary, then commit"),
                "{width}x{height} {keys}: {text}"
            );
            if review.top > 1 {
                assert!(
                    text.contains(" list.html"),
                    "{width}x{height} {keys}: {text}"
                );
            }
            if width >= 80 {
                assert!(text.contains("→ main, then production"), "{keys}: {text}");
            }
        }
    }
}

#[test]
fn lines_are_selected_and_left_out_and_taken_again() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&three_hunks());
    // Heading of hunk 1, context, then the removed line.
    desk.press("f j j v");
    assert!(
        desk.text().contains("leave these lines out"),
        "{}",
        desk.text()
    );
    assert_eq!(
        desk.press("x"),
        [lines(&["bbbbbbbbbbbb"], Some(&[1]), Decision::Rejected)]
    );
    let text = desk.text();
    assert!(
        text.contains("[~] hunk 1 of 3") && text.contains("1 line left out"),
        "{text}"
    );
    assert!(text.contains("-×    <a>Contact</a>"), "{text}");
    assert!(text.contains("3 hunks (in part) · +3 −2"), "{text}");
    stored(&mut desk);
    // Both changed lines are the hunk.
    assert_eq!(
        desk.press("v j x"),
        [whole(&["bbbbbbbbbbbb"], Decision::Rejected)]
    );
    assert!(desk.text().contains("[ ] hunk 1 of 3"), "{}", desk.text());
    stored(&mut desk);
    // Of a hunk that is left out one line is taken: that line alone.
    assert_eq!(
        desk.press("v a"),
        [lines(&["bbbbbbbbbbbb"], Some(&[2]), Decision::Accepted)]
    );
    let hunk = &desk.model.reviews.current().unwrap().view.proposal.files[0].hunks[0];
    assert_eq!(
        (hunk.decision, &hunk.left_out[..]),
        (Decision::Accepted, &[1][..])
    );
    // A selection of context only decides nothing, and Esc ends a selection before it ends the view.
    stored(&mut desk);
    assert_eq!(desk.press("g v Esc"), []);
    assert!(desk.model.full_view());
    desk.press("Esc");
    assert!(!desk.model.full_view());
}

#[test]
fn a_selection_over_two_hunks_decides_both() {
    let mut desk = Desk::new(100, 40);
    desk.propose(&three_hunks());
    desk.press("f v n n");
    let effects = desk.press("x");
    assert_eq!(effects, [whole(&["bbbbbbbbbbbb"], Decision::Rejected)]);
    assert_eq!(
        stored(&mut desk),
        [whole(&["cccccccccccc"], Decision::Rejected)]
    );
    assert_eq!(stored(&mut desk), []);
}

#[test]
fn files_are_stepped_through_and_decided_whole() {
    let mut desk = Desk::new(100, 40);
    desk.propose(&three_hunks());
    desk.press("f ]");
    let row = |desk: &Desk| {
        let review = desk.model.reviews.current().unwrap();
        review.rows().row(review.cursor)
    };
    assert_eq!(row(&desk), DiffRow::File(1));
    desk.press("]");
    assert_eq!(row(&desk), DiffRow::File(1), "there is no file after it");
    desk.press("j j [");
    assert_eq!(
        row(&desk),
        DiffRow::File(1),
        "first to the heading of its own file"
    );
    desk.press("[");
    assert_eq!(row(&desk), DiffRow::File(0));
    // On the heading of a file, a and x mean the file.
    assert_eq!(
        desk.press("x"),
        [whole(&["bbbbbbbbbbbb", "cccccccccccc"], Decision::Rejected)]
    );
    stored(&mut desk);
    assert_eq!(
        desk.press("j j A"),
        [whole(&["bbbbbbbbbbbb", "cccccccccccc"], Decision::Accepted)]
    );
    stored(&mut desk);
    assert_eq!(desk.press("A"), [], "that is so already");
}

#[test]
fn every_decision_can_be_undone_and_done_again() {
    let mut desk = Desk::new(100, 40);
    desk.propose(&three_hunks());
    let decisions = |desk: &Desk| -> Vec<(Decision, Vec<usize>)> {
        let review = desk.model.reviews.current().unwrap();
        review
            .hunks()
            .map(|(_, _, hunk)| (hunk.decision, hunk.left_out.clone()))
            .collect()
    };
    let mut states = vec![decisions(&desk)];
    desk.press("f");
    for keys in ["j j v x", "n n s", "[ [ X", "A", "] a"] {
        desk.press(keys);
        while !desk.model.reviews.deciding.is_empty() {
            stored(&mut desk);
        }
        states.push(decisions(&desk));
    }
    for state in states.iter().rev().skip(1) {
        desk.press("u");
        while !desk.model.reviews.deciding.is_empty() {
            stored(&mut desk);
        }
        assert_eq!(decisions(&desk), *state);
    }
    desk.press("u");
    assert!(
        desk.text().contains("nothing was decided yet"),
        "{}",
        desk.text()
    );
    for state in &states[1..] {
        desk.press("U");
        while !desk.model.reviews.deciding.is_empty() {
            stored(&mut desk);
        }
        assert_eq!(decisions(&desk), *state);
    }
    // What is sent leads the server, wherever it stands, to the same.
    desk.press("u u u u u");
    let mut server = three_hunks();
    server.proposal.files[0].hunks[0].decision = Decision::Rejected;
    while let Some(next) = desk.model.reviews.deciding.front().cloned() {
        for hunk in server
            .proposal
            .files
            .iter_mut()
            .flat_map(|file| &mut file.hunks)
        {
            if next.decide.hunks.contains(&hunk.id) {
                hunk.decide(next.decide.lines.as_deref(), next.decide.decision);
            }
        }
        stored(&mut desk);
    }
    assert!(
        server.proposal.files[0]
            .hunks
            .iter()
            .all(|hunk| hunk.decision == Decision::Accepted)
    );
}

#[test]
fn a_hunk_is_edited_here_and_the_edit_is_undone() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&real("list.html", 40));
    let after = desk.model.reviews.current().unwrap().view.proposal.files[0]
        .after
        .clone();
    let after = after.as_text().unwrap().to_owned();
    desk.press("f n e");
    assert!(desk.text().contains("editing list.html"), "{}", desk.text());
    assert!(desk.draw().1.is_some(), "the cursor is shown");
    desk.write("<!-- q -->");
    assert_eq!(desk.press("q"), [], "letters are text");
    desk.press("Backspace");
    assert_eq!(desk.press("Esc"), []);
    assert!(desk.model.editing.is_some(), "the first Esc asks");
    let effects = desk.press("Ctrl+S");
    let [Effect::EditText(id, edit)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (id.as_str(), edit.path.as_str(), edit.version),
        ("pro_1", "list.html", 1)
    );
    let edited = after.replace(
        "    <li class=\"n15\">another",
        "<!-- q -->    <li class=\"n15\">another",
    );
    assert_eq!(edit.text, edited);
    let mut view = desk.model.reviews.current().unwrap().view.clone();
    view.proposal.version = 2;
    view.proposal.files[0].after = Content::text(edited);
    sayso::review::diff::refresh(&mut view.proposal.files[0]);
    desk.done(Outcome::Edited("pro_1".into(), Ok(Some(view))));
    assert!(desk.text().contains("<!-- q -->"), "{}", desk.text());
    let effects = desk.press("u");
    let [Effect::EditText(_, edit)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((edit.text.as_str(), edit.version), (after.as_str(), 2));
}

#[test]
fn an_edit_is_not_lost_when_the_proposal_changes_meanwhile() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&real("list.html", 40));
    desk.press("f e");
    desk.write("mine");
    let mut newer = real("list.html", 40);
    newer.proposal.version = 2;
    desk.event(
        EventKind::ProposalUpdated,
        serde_json::to_value(newer).unwrap(),
    );
    assert_eq!(desk.press("Ctrl+S"), []);
    assert!(desk.text().contains("mine"), "{}", desk.text());
    desk.press("Esc Esc");
    assert!(desk.model.editing.is_none());
}

#[test]
fn nothing_that_happens_moves_the_view() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&real("list.html", 600));
    desk.press("f PgDn PgDn j j");
    let seen = |desk: &Desk| -> Vec<DiffRow> {
        let review = desk.model.reviews.current().unwrap();
        review
            .pieces()
            .iter()
            .map(|piece| review.row(piece))
            .collect()
    };
    let before = seen(&desk);
    desk.event(EventKind::Notice, serde_json::json!({"message": "hello"}));
    desk.event(
        EventKind::DeployStart,
        serde_json::json!({"commit": "abc", "force": false}),
    );
    let mut other = three_hunks();
    other.proposal.id = "pro_2".into();
    desk.event(EventKind::Proposal, serde_json::to_value(&other).unwrap());
    let mut newer = real("list.html", 600);
    newer.proposal.version = 2;
    desk.event(
        EventKind::ProposalUpdated,
        serde_json::to_value(newer).unwrap(),
    );
    // The bar of the deployment takes a line at the bottom; what is at the top stays.
    assert_eq!(seen(&desk)[0], before[0]);
    assert_eq!(desk.model.reviews.current().unwrap().id().as_str(), "pro_1");
    for (width, height) in [(60, 20), (200, 50), (100, 30)] {
        desk.take(Message::Resize(width, height));
        desk.draw();
        assert_eq!(seen(&desk)[0], before[0], "{width}x{height}");
    }
}

#[test]
fn side_by_side_shows_the_same_and_comes_back_to_the_same_place() {
    let mut desk = Desk::new(120, 30);
    desk.propose(&real("list.html", 300));
    desk.press("f n n n j j j j");
    let at = |desk: &Desk| {
        let review = desk.model.reviews.current().unwrap();
        review.rows().numbers(review.cursor)
    };
    let before = at(&desk);
    desk.press("t");
    let text = desk.text();
    assert!(text.contains('│') && text.contains("one column"), "{text}");
    let row = text
        .lines()
        .find(|row| row.contains("entry number 25"))
        .unwrap();
    assert!(row.contains("another entry 25"), "old beside new: {row}");
    assert!([at(&desk).0, at(&desk).1].contains(&before.0.max(before.1)));
    desk.press("t");
    assert_eq!(at(&desk), before);
    // On a narrow screen there is one column all the same.
    desk.press("t");
    desk.take(Message::Resize(60, 30));
    assert!(!desk.model.reviews.current().unwrap().shape().sides);
    desk.draw();
}

#[test]
fn changed_words_and_colours_are_marked_in_what_is_in_sight() {
    let mut desk = Desk::new(120, 40);
    desk.propose(&real("list.html", 100));
    desk.press("f");
    let dump = desk.dump();
    assert!(dump.contains("reversed"), "the changed words: {dump}");
    assert!(dump.contains("cyan"), "the tags: {dump}");
    let review = desk.model.reviews.current().unwrap();
    let changed = review
        .pieces()
        .iter()
        .filter_map(|piece| match review.row(piece) {
            DiffRow::Line(f, h, l) => Some((f, h, l)),
            _ => None,
        })
        .filter(|(f, h, l)| {
            review.view.proposal.files[*f].hunks[*h].lines[*l].tag != LineTag::Context
        })
        .all(|(f, h, l)| !review.marks.of(f, h, l).is_empty());
    assert!(changed);
}
