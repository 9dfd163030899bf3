//! Pictures of the review and the lists with their styles, at the sizes people have and in each theme. A picture that
//! changes is looked at: `cargo insta review`.

use sayso::config::{Config, Toggle};
use sayso::model::EventKind;

use super::review::real;
use super::support::*;

const SIZES: [(u16, u16); 4] = [(40, 12), (80, 24), (120, 40), (250, 80)];
/// Themes; the last is the usual one with signs of ASCII only.
const THEMES: [&str; 5] = ["auto", "dark", "light", "no-color", "ascii"];

/// Takes a picture of what `reach` leads to: in the usual theme at each size, in the others at one.
fn pictures(name: &str, reach: impl Fn(&mut Desk)) {
    for theme in THEMES {
        for (width, height) in SIZES {
            if theme != "auto" && (width, height) != (80, 24) {
                continue;
            }
            let mut config = Config::default();
            if theme == "ascii" {
                config.ui.ascii = Toggle::On;
            } else {
                config.ui.theme = theme.into();
            }
            let mut desk = Desk::with(&config, false, width, height);
            desk.connect();
            reach(&mut desk);
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path("../snapshots");
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            let dump = desk.dump();
            let theme = if theme == "auto" {
                String::new()
            } else {
                format!("_{theme}")
            };
            settings.bind(|| {
                insta::assert_snapshot!(format!("tui_{name}{theme}_{width}x{height}"), dump)
            });
        }
    }
}

#[test]
fn the_full_view() {
    pictures("review", |desk| {
        desk.propose(&real("list.html", 60));
        desk.press("f n j j j");
    });
}

#[test]
fn old_beside_new() {
    pictures("review_sides", |desk| {
        desk.propose(&real("list.html", 60));
        desk.press("f t n j j j");
    });
}

#[test]
fn lines_selected_and_left_out() {
    pictures("review_lines", |desk| {
        desk.propose(&three_hunks());
        desk.press("f j j v x n v j j");
    });
}

#[test]
fn a_hunk_being_edited() {
    pictures("review_edit", |desk| {
        desk.propose(&real("list.html", 60));
        desk.press("f n e");
        desk.write("<!-- here -->");
    });
}

#[test]
fn what_goes_where() {
    pictures("summary", |desk| {
        desk.propose(&three_hunks());
        desk.press("f n s Enter");
    });
}

#[test]
fn what_waits() {
    pictures("queue", |desk| {
        desk.propose(&headline());
        let mut other = three_hunks();
        other.proposal.id = "pro_2".into();
        desk.event(EventKind::Proposal, serde_json::to_value(&other).unwrap());
        desk.press("b B");
    });
}

#[test]
fn something_looked_for() {
    pictures("palette", |desk| {
        desk.propose(&headline());
        desk.press("Ctrl+P");
        desk.write("hunk");
        desk.press("Down");
    });
}
