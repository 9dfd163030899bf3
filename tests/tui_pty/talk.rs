//! What the terminal can tell of keys, and what the cockpit makes of it.

use super::support::*;

#[test]
fn a_terminal_that_reports_releases_is_held_to_talk() {
    let mut term = Term::ready(&Setup {
        keyboard: true,
        ..Setup::default()
    });
    term.until("hold", |screen| screen.contains("hold F5/Space talk"));
    // F5 goes down, repeats, goes up: as the kitty keyboard protocol writes it.
    term.send("\x1b[15;1:1~");
    term.until("the recording", |screen| {
        screen.contains("REC") && screen.contains("release F5")
    });
    term.send("\x1b[15;1:2~\x1b[15;1:2~");
    term.send("\x1b[15;1:3~");
    term.until("the end of it", |screen| screen.contains("no speech heard"));
    // Space is a plain character on its way down and an escape code on its way up.
    term.send(" ");
    term.until("the recording", |screen| {
        screen.contains("REC") && screen.contains("release Space")
    });
    term.send("   ");
    term.send("\x1b[32;1:3u");
    term.until("the end of it", |screen| screen.contains("no speech heard"));
}

#[test]
fn a_terminal_that_does_not_is_pressed_twice() {
    let mut term = Term::ready(&Setup::default());
    term.until("toggle", |screen| screen.contains("F5/Space start/stop"));
    term.send("\x1b[15~");
    term.until("the recording", |screen| {
        screen.contains("REC") && screen.contains("F5/Space stop")
    });
    term.send("\x1b[15~");
    term.until("the end of it", |screen| screen.contains("no speech heard"));
}

#[test]
fn the_focus_that_goes_ends_the_recording() {
    let mut term = Term::ready(&Setup::default());
    term.send("\x1b[15~");
    term.until("the recording", |screen| screen.contains("REC"));
    term.send("\x1b[O");
    term.until("the end of it", |screen| screen.contains("no speech heard"));
}

#[test]
fn plain_keys_are_left_alone_when_asked_for() {
    let mut term = Term::ready(&Setup {
        keyboard: true,
        env: vec![(sayso::tui::PLAIN_KEYS, "1".into())],
        ..Setup::default()
    });
    term.until("toggle", |screen| screen.contains("F5/Space start/stop"));
    assert!(!term.raw().contains("\x1b[>3u") && !term.raw().contains("\x1b[?u"));
    term.send("q");
    term.ended();
}

#[test]
fn a_terminal_that_answers_nothing_delays_the_first_frame_by_nothing() {
    let mut term = Term::start(&Setup {
        silent: true,
        ..Setup::default()
    });
    // The first frame was written before the question.
    term.until("a frame", |screen| screen.contains("Nothing waits for you"));
    let frame = wait("the question", || {
        term.raw().find("\x1b[c").ok_or_else(String::new)
    });
    assert!(term.raw().find("Nothing waits for you").unwrap() < frame);
    term.send("?");
    term.until("the keys", |screen| screen.contains("Keys: type to find"));
}

#[test]
fn keys_are_understood_as_the_kitty_protocol_writes_them() {
    let mut term = Term::ready(&Setup {
        keyboard: true,
        ..Setup::default()
    });
    term.send("?");
    term.until("the keys", |screen| screen.contains("Keys: type to find"));
    term.send("\x1b[27u");
    term.until("no keys", |screen| !screen.contains("Keys: type to find"));
    term.send("\x1b[99;5u");
    term.until("the warning", |screen| {
        screen.contains("press Ctrl+C again to quit")
    });
    term.send("\x1b[99;5:3u\x1b[99;5u");
    term.ended();
}
