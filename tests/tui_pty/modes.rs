//! The state in which the terminal is left, on every way out.

use super::support::*;

/// True when the terminal is as a shell expects it.
fn given_back(term: &Term, cooked: &str) {
    let raw = term.raw();
    term.with(|screen| {
        assert!(
            !screen.alternate_screen(),
            "the alternate screen is still on: {raw:?}"
        );
        assert!(!screen.bracketed_paste(), "bracketed paste is still on");
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    });
    let count = |what: &str| raw.matches(what).count();
    for (on, off) in [
        ("\x1b[?1004h", "\x1b[?1004l"),
        ("\x1b[>3u", "\x1b[<1u"),
        ("\x1b[?2026h", "\x1b[?2026l"),
    ] {
        assert!(
            count(on) <= count(off) && count(on) > 0,
            "{on:?} {} against {off:?} {}",
            count(on),
            count(off)
        );
        assert!(raw.rfind(off) > raw.rfind(on), "{off:?} comes last");
    }
    // The keyboard's flags are taken off the alternate screen's own stack, before that screen is left.
    assert!(raw.rfind("\x1b[<1u") < raw.rfind("\x1b[?1049l"));
    assert_eq!(term.line_settings(), cooked, "the line settings");
}

fn signal(term: &Term, name: &str) {
    let id = term.child.process_id().unwrap().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-s", name, &id])
        .status()
        .unwrap();
    assert!(sent.success());
}

#[test]
fn quitting_gives_it_back() {
    let mut term = Term::start(&Setup::default());
    let cooked = term.cooked.clone();
    term.until("the repository's name", |screen| {
        screen.contains("studio  main")
    });
    assert!(term.with(|screen| screen.alternate_screen()
        && screen.bracketed_paste()
        && screen.hide_cursor()));
    assert_ne!(term.line_settings(), cooked, "it was raw");
    term.send("q");
    term.ended();
    term.until("the end", |screen| screen.contains("ended: Ok"));
    given_back(&term, &cooked);
}

#[test]
fn signals_give_it_back() {
    for name in ["TERM", "HUP", "INT"] {
        let mut term = Term::ready(&Setup::default());
        signal(&term, name);
        term.ended();
        term.until("the end", |screen| screen.contains("ended: Ok"));
        given_back(&term, &term.cooked);
    }
}

#[test]
fn a_panic_gives_it_back_and_is_told_on_the_shells_own_screen() {
    let mut term = Term::ready(&Setup {
        panics: true,
        ..Setup::default()
    });
    term.send("\x1b[15~");
    term.ended();
    term.until("the report", |screen| {
        screen.contains("this microphone panics on purpose")
    });
    let raw = term.raw();
    assert!(
        raw.find("\x1b[?1049l") < raw.find("this microphone panics"),
        "{raw:?}"
    );
    given_back(&term, &term.cooked);
}

#[test]
fn suspending_gives_it_to_the_shell_and_fg_draws_everything_anew() {
    let mut term = Term::ready(&Setup {
        shell: true,
        ..Setup::default()
    });
    for _ in 0..2 {
        let before = term.raw().len();
        term.send("\x1a");
        term.until("the shell", |screen| {
            screen.contains("Stopped") && screen.trim_end().ends_with("SHELL>")
        });
        given_back(&term, &term.cooked);
        assert!(!term.raw()[before..].contains("panicked"));
        term.send("fg\r");
        term.until("the cockpit", |screen| {
            screen.contains("studio  main") && screen.contains("Proposal")
        });
        assert!(term.with(|screen| screen.alternate_screen() && screen.bracketed_paste()));
        term.send("?");
        term.until("the keys", |screen| screen.contains("Keys: type to find"));
        term.send("\x1b");
        term.until("no keys", |screen| !screen.contains("Keys: type to find"));
    }
    term.send("q");
    term.until("the shell", |screen| {
        screen.contains("ended: Ok") && screen.trim_end().ends_with("SHELL>")
    });
    given_back(&term, &term.cooked);
}

#[test]
fn without_a_shell_to_go_back_to_it_stays() {
    let mut term = Term::ready(&Setup::default());
    term.send("\x1a");
    term.until("the reason", |screen| {
        screen.contains("there is no shell to go back to")
    });
}

#[test]
fn what_is_printed_on_fd_2_goes_to_the_log_and_never_to_the_screen() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut term = Term::ready(&Setup {
        log: Some(log.path().to_owned()),
        ..Setup::default()
    });
    term.send("\x1b[15~");
    term.until("the microphone", |screen| screen.contains("● mic"));
    wait("the log", || {
        let text = std::fs::read_to_string(log.path()).unwrap();
        text.contains("a sound library prints on fd 2")
            .then_some(())
            .ok_or(text)
    });
    assert!(!term.raw().contains("a sound library prints"));
    // Esc alone is told from an escape sequence only by waiting; Ctrl+C twice quits at once.
    term.send("\x03\x03");
    term.ended();
    term.until("the end", |screen| screen.contains("ended: Ok"));
}
