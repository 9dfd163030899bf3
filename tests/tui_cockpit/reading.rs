//! The diff: what is in sight, what stays in sight, and how it moves.

use std::time::Instant;

use sayso::model::{Content, EventKind, LineTag};
use sayso::tui::message::{Effect, Message, Mouse};

use super::support::*;

/// One hunk of many lines.
fn long(lines: usize) -> sayso::model::api::ProposalView {
    let lines = (0..lines)
        .map(|at| {
            line(
                if at % 3 == 0 {
                    LineTag::Insert
                } else {
                    LineTag::Context
                },
                &format!("    <li>entry number {at}</li>"),
            )
        })
        .collect();
    proposal(vec![file(
        "list.html",
        vec![hunk("eeeeeeeeeeee", 1, lines)],
    )])
}

#[test]
fn hunks_are_stepped_through_and_brought_into_sight() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&three_hunks());
    assert_eq!(desk.model.reviews.current().unwrap().selected, 0);
    for (key, selected) in [("p", 0), ("n", 1), ("n", 2), ("n", 2), ("K", 1), ("J", 2)] {
        desk.press(key);
        assert_eq!(
            desk.model.reviews.current().unwrap().selected,
            selected,
            "{key}"
        );
        let text = desk.text();
        assert!(
            text.contains(&format!("▌[x] hunk {} of 3", selected + 1)),
            "{text}"
        );
    }
    assert!(desk.text().contains(" index.html"));
}

#[test]
fn the_name_of_the_file_and_the_actions_never_scroll_away() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&long(200));
    for key in ["PgDn", "PgDn", "Down", "End", "PgUp", "G", "k"] {
        desk.press(key);
        let text = desk.text();
        assert!(text.contains(" list.html"), "{key}: {text}");
        assert!(
            text.contains("Enter: commit to main and deploy to production"),
            "{key}: {text}"
        );
    }
    desk.press("G");
    assert!(desk.text().contains("entry number 199"));
    desk.press("g");
    assert!(
        desk.text()
            .contains("index.html holds the only top heading"),
        "{}",
        desk.text()
    );
}

#[test]
fn a_long_line_is_wrapped_not_clipped() {
    let mut desk = Desk::new(80, 24);
    let text = format!("<p>{}END</p>", "word ".repeat(40));
    let view = proposal(vec![file(
        "index.html",
        vec![hunk("aaaaaaaaaaaa", 9, vec![line(LineTag::Insert, &text)])],
    )]);
    desk.propose(&view);
    assert!(desk.text().contains("END</p>"), "{}", desk.text());
}

#[test]
fn what_is_at_the_top_stays_there_when_the_window_changes() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&long(300));
    desk.press("PgDn PgDn PgDn");
    let top = |desk: &Desk| {
        let review = desk.model.reviews.current().unwrap();
        review.row(&review.pieces()[0])
    };
    let before = top(&desk);
    for (width, height) in [(50, 20), (200, 50), (30, 10), (100, 30)] {
        desk.take(Message::Resize(width, height));
        desk.draw();
        assert_eq!(top(&desk), before, "{width}x{height}");
    }
}

#[test]
fn a_newer_version_keeps_the_place() {
    let mut desk = Desk::new(80, 20);
    desk.propose(&three_hunks());
    desk.press("n n");
    let mut newer = three_hunks();
    newer.proposal.version = 2;
    newer.proposal.files[0].hunks.remove(0);
    desk.event(
        EventKind::ProposalUpdated,
        serde_json::to_value(newer).unwrap(),
    );
    let text = desk.text();
    assert!(
        text.contains("▌[x] hunk 2 of 2") && text.contains(" index.html"),
        "{text}"
    );
}

#[test]
fn every_kind_of_change_is_named() {
    let mut new = file("new.html", vec![]);
    new.before = Content::Absent;
    new.mode_before = 0;
    let mut gone = file("gone.html", vec![]);
    gone.after = Content::Absent;
    gone.mode_after = 0;
    let mut image = file("logo.png", vec![hunk("ffffffffffff", 0, vec![])]);
    image.before = Content::Binary {
        oid: "a".into(),
        size: 12_300,
    };
    image.after = Content::Binary {
        oid: "b".into(),
        size: 900,
    };
    let mut script = file("run.sh", vec![]);
    script.mode_after = 0o100_755;
    let mut bare = line(LineTag::Insert, "no end");
    bare.no_newline = true;
    let tail = file("tail.html", vec![hunk("abababababab", 1, vec![bare])]);
    let mut desk = Desk::new(100, 50);
    desk.propose(&proposal(vec![new, gone, image, script, tail]));
    let text = desk.text();
    for part in [
        "new.html  new file",
        "gone.html  deleted",
        "logo.png  binary file, 12.3 kB → 900 B",
        "run.sh  mode 100644 → 100755",
        "\\ no newline at end of file",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_mouse_scrolls_what_is_under_it_and_selects_hunks() {
    let mut desk = Desk::new(80, 24);
    desk.propose(&three_hunks());
    let at = |desk: &mut Desk, what: &str| {
        let text = desk.text();
        u16::try_from(text.lines().position(|row| row.contains(what)).unwrap()).unwrap()
    };
    let row = at(&mut desk, "hunk 2 of 3");
    desk.take(Message::Mouse(Mouse::Click(10, row)));
    assert!(desk.text().contains("▌[x] hunk 2 of 3"), "{}", desk.text());
    desk.take(Message::Mouse(Mouse::Down(10, row)));
    assert_eq!(desk.model.reviews.current().unwrap().top, 3);
    desk.take(Message::Mouse(Mouse::Up(10, row)));
    assert_eq!(desk.model.reviews.current().unwrap().top, 0);
    let input = at(&mut desk, "type here");
    desk.take(Message::Mouse(Mouse::Click(3, input)));
    desk.write("x");
    assert_eq!(desk.model.line.text(), "x");
}

/// Where `what` is on the screen.
fn place(desk: &mut Desk, what: &str) -> (u16, u16) {
    let text = desk.text();
    let found = text.lines().enumerate().find_map(|(y, row)| {
        let before = &row[..row.find(what)?];
        Some((sayso::tui::text::width(before), y))
    });
    let (x, y) = found.unwrap_or_else(|| panic!("no {what}: {text}"));
    (u16::try_from(x).unwrap(), u16::try_from(y).unwrap())
}

fn click(desk: &mut Desk, what: &str) -> Vec<Effect> {
    let (x, y) = place(desk, what);
    let effects = desk.take(Message::Mouse(Mouse::Click(x + 1, y)));
    desk.draw();
    effects
}

#[test]
fn a_click_on_a_hint_does_what_its_key_does() {
    let mut desk = Desk::new(120, 40);
    desk.propose(&three_hunks());
    click(&mut desk, "f full view");
    assert!(desk.model.full_view());
    click(&mut desk, "Esc back");
    assert!(!desk.model.full_view());
    desk.press("d");
    assert!(desk.text().contains("Deploy main"), "{}", desk.text());
    assert_eq!(click(&mut desk, "Enter yes"), [Effect::Deploy(false)]);
    // Beside the hints there is nothing to click.
    let (_, y) = place(&mut desk, "? help");
    assert_eq!(desk.take(Message::Mouse(Mouse::Click(119, y))), []);
    assert!(desk.model.overlay.is_none());
}

#[test]
fn lists_are_clicked_too_and_a_click_beside_them_closes_them() {
    let mut desk = Desk::new(120, 40);
    desk.propose(&headline());
    desk.press("Ctrl+P");
    desk.write("timeline");
    let entry = "go to the timeline";
    if !desk.text().contains("▌ 3") {
        click(&mut desk, entry);
    }
    assert!(desk.text().contains("▌ 3"), "{}", desk.text());
    click(&mut desk, entry);
    assert_eq!(desk.model.pane, sayso::tui::model::Pane::Timeline);
    let mut other = three_hunks();
    other.proposal.id = "pro_2".into();
    let data = serde_json::to_value(&other).unwrap();
    desk.event(sayso::model::EventKind::Proposal, data);
    for (opens, beside) in [("?", (0, 0)), ("B", (0, 0))] {
        desk.press(opens);
        assert!(desk.model.overlay.is_some(), "{opens}");
        desk.take(Message::Mouse(Mouse::Click(beside.0, beside.1)));
        assert!(desk.model.overlay.is_none(), "{opens}");
    }
    desk.press("B");
    click(&mut desk, "Rename the contact");
    click(&mut desk, "Rename the contact");
    assert!(desk.model.full_view());
    assert_eq!(desk.model.reviews.current().unwrap().id().0, "pro_2");
}

/// The bar for a key press on a 100,000-line diff is 8 ms in a release build; here it is only proved that the work
/// does not grow with the diff.
#[test]
fn a_huge_diff_scrolls_as_fast_as_a_small_one() {
    let time = |lines: usize| {
        let mut desk = Desk::new(120, 40);
        desk.propose(&long(lines));
        let start = Instant::now();
        for _ in 0..20 {
            desk.press("PgDn G g j");
        }
        start.elapsed()
    };
    let (small, huge) = (time(200), time(100_000));
    assert!(
        huge < small * 5 + std::time::Duration::from_millis(50),
        "{small:?} against {huge:?}"
    );
}
