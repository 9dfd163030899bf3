//! How long a key takes to become the bytes of a new frame: a diff of 100,000 lines and 100,000 events, 120×40, the full
//! view and both of its shapes. The bar is 8 ms at the 99th percentile in an optimised build:
//! `cargo test --release --features failpoints --test tui_speed -- --nocapture`.

#[path = "tui_cockpit/support.rs"]
#[allow(
    dead_code,
    reason = "the table of the cockpit's tests has more than this needs"
)]
mod support;

use std::time::{Duration, Instant};

use ratatui::layout::Rect;
use sayso::model::{Content, EventKind};
use sayso::tui::keys::Stroke;
use sayso::tui::message::Message;
use sayso::tui::screen::Screen;
use sayso::tui::view;
use serde_json::json;

use support::*;

const LINES: usize = 100_000;

/// A page whose every fifth block of ten lines changes.
fn huge() -> sayso::model::api::ProposalView {
    let text = |new: bool| -> String {
        (0..LINES)
            .map(|n| {
                let word = if new && n % 50 < 10 { "another" } else { "this" };
                format!("    <li class=\"entry n{n}\"><a href=\"/{n}\">{word} entry, number {n}</a></li>\n")
            })
            .collect()
    };
    let mut file = file("list.html", Vec::new());
    (file.before, file.after) = (Content::text(text(false)), Content::text(text(true)));
    sayso::review::diff::refresh(&mut file);
    // All of it in one hunk, as a rewritten file is, and as many small ones.
    proposal(vec![file])
}

/// The same as one hunk: a file that is new.
fn new_file() -> sayso::model::api::ProposalView {
    let mut view = huge();
    let file = &mut view.proposal.files[0];
    (file.before, file.mode_before) = (Content::Absent, 0);
    sayso::review::diff::refresh(file);
    view
}

/// Presses `keys` one by one; the time of each from the key to the bytes of its frame.
fn times(desk: &mut Desk, keys: &str, rounds: usize) -> Vec<Duration> {
    let mut screen = Screen::default();
    let area = Rect::new(0, 0, desk.model.width, desk.model.height);
    let mut frame = |desk: &mut Desk| {
        let model = &desk.model;
        let bytes = screen
            .frame(area, |buf| view::draw(model, desk.now, buf))
            .unwrap();
        desk.model.dirty = false;
        desk.take(Message::Drawn);
        bytes.len()
    };
    frame(desk);
    let mut times = Vec::new();
    for _ in 0..rounds {
        for key in keys.split(' ') {
            let begun = Instant::now();
            let key: sayso::tui::keys::Key = key.parse().unwrap();
            // As the cockpit does it: what colours the text runs elsewhere.
            let _ = sayso::tui::update::update(
                &mut desk.model,
                desk.now,
                Message::Key(key, Stroke::Press),
            );
            frame(desk);
            times.push(begun.elapsed());
        }
    }
    times
}

fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

#[test]
fn a_key_becomes_a_frame_in_time() {
    // The bar is for an optimised build; an unoptimised one is about ten times as slow.
    let bar = Duration::from_millis(if cfg!(debug_assertions) { 80 } else { 8 });
    for (name, view) in [("many hunks", huge()), ("one hunk", new_file())] {
        let mut desk = Desk::new(120, 40);
        for n in 0..LINES as u64 {
            let mut event =
                desk.event_of(EventKind::Notice, json!({"message": format!("event {n}")}));
            event.instruction = None;
            desk.take(Message::Stream(sayso::client::stream::StreamItem::Event(
                event.into(),
            )));
        }
        desk.propose(&view);
        let reading = "j j j k PgDn PgDn n n n N PgUp G k k g ] [ j v j j Esc";
        desk.press("f");
        let mut unified = times(&mut desk, reading, 20);
        desk.press("t");
        let mut sides = times(&mut desk, reading, 20);
        desk.press("t f");
        let mut pane = times(&mut desk, "j PgDn G g n p k", 20);
        for (shape, times) in [
            ("unified", &mut unified),
            ("side by side", &mut sides),
            ("in its pane", &mut pane),
        ] {
            let (p99, worst) = (p99(times), times[times.len() - 1]);
            println!(
                "{name}, {shape}: p50 {:?}, p99 {p99:?}, worst {worst:?}",
                times[times.len() / 2]
            );
            assert!(p99 <= bar, "{name}, {shape}: {p99:?}");
        }
    }
}
