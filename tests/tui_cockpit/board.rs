//! How the screen is divided: panes that are large or small, the mouse, and who is told what happens elsewhere.

use sayso::model::EventKind;
use sayso::tui::message::{Effect, Message, Mouse};
use sayso::tui::model::{Overlay, Pane};
use sayso::tui::view::layout;
use serde_json::json;

use super::support::*;

#[test]
fn a_zoomed_pane_has_all_of_the_screen_and_gives_it_back() {
    let mut desk = Desk::new(140, 40);
    let before = layout::plan(&desk.model);
    desk.press("3 z");
    let plan = layout::plan(&desk.model);
    assert_eq!((plan.timeline.width, plan.proposal.area()), (140, 0));
    assert!(desk.text().contains("▸3 Timeline"), "{}", desk.text());
    desk.press("2");
    assert_eq!(
        layout::plan(&desk.model).proposal.width,
        140,
        "the one in front"
    );
    desk.press("z");
    assert_eq!(layout::plan(&desk.model), before);
}

#[test]
fn sizes_change_in_steps_within_bounds() {
    for (width, height) in [(80, 24), (100, 50), (140, 40), (250, 80)] {
        let mut desk = Desk::new(width, height);
        for pane in ["1", "2", "3", "4"] {
            desk.press(pane);
            desk.press("0");
            let before = layout::plan(&desk.model);
            for key in ["+", "-"] {
                for _ in 0..40 {
                    desk.press(key);
                    let plan = layout::plan(&desk.model);
                    for pane in Pane::ALL {
                        let area = plan.pane(pane);
                        assert_eq!(area.intersection(plan.area), area, "{pane:?} {area:?}");
                    }
                    assert!(
                        plan.proposal_body().height >= 1,
                        "{width}x{height} {pane} {key}"
                    );
                }
            }
            desk.press("0");
            assert_eq!(layout::plan(&desk.model), before);
        }
    }
}

#[test]
fn the_mouse_selects_opens_and_changes_tabs() {
    let mut desk = Desk::new(60, 24);
    whole_way(&mut desk, "ins_1", "change the headline");
    let plan = layout::plan(&desk.model);
    let at = desk
        .text()
        .lines()
        .nth(usize::from(plan.tabs.y))
        .unwrap()
        .find("3 Time")
        .unwrap();
    desk.take(Message::Mouse(Mouse::Click(
        u16::try_from(at).unwrap() + 1,
        plan.tabs.y,
    )));
    assert_eq!(desk.model.pane, Pane::Timeline);
    let body = layout::plan(&desk.model).timeline_body();
    let rows = desk.text();
    let row = rows
        .lines()
        .position(|row| row.contains("committed abcdef0"))
        .unwrap();
    assert!(body.contains((3, u16::try_from(row).unwrap()).into()));
    let click = Message::Mouse(Mouse::Click(3, u16::try_from(row).unwrap()));
    assert_eq!(desk.take(click.clone()), []);
    assert!(matches!(desk.take(click)[..], [Effect::LoadEvent(_)]));
    assert_eq!(desk.model.overlay, Some(Overlay::Details));
}

#[test]
fn somebody_who_looks_elsewhere_is_told_and_nobody_else() {
    let mut desk = Desk::new(80, 24);
    let live = json!({"url": "http://127.0.0.1:4000/", "commit": "abc", "stages": {}});
    assert_eq!(desk.event(EventKind::DeployComplete, live.clone()), []);
    desk.take(Message::Focus(false));
    assert_eq!(
        desk.event(EventKind::DeployComplete, live),
        [Effect::Notify(
            "LIVE on production: http://127.0.0.1:4000/".into()
        )]
    );
    assert_eq!(desk.event(EventKind::Health, json!({"ok": true})), []);
}
