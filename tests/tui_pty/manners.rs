//! What the terminal is told beside the picture, and what it tells: clipboard, links, progress, notifications, pastes,
//! sizes, the mouse.

use portable_pty::PtySize;
use serde_json::{Value, json};

use super::support::*;

fn live() -> Value {
    json!([{"environment": "production", "release": "rel_0", "commit": "9f8e7d6c5b4a",
            "url": "http://127.0.0.1:4000/", "since": "2026-11-21T14:03:05Z"}])
}

fn with_live(setup: &Setup) -> Term {
    let mut term = Term::prepared(setup, |asked| {
        asked.status.lock().unwrap()["live"] = live();
    });
    term.until("the live address", |screen| {
        screen.contains("http://127.0.0.1:4000/")
    });
    term
}

fn in_raw(term: &Term, what: &str) {
    wait(what, || {
        let raw = term.raw();
        raw.contains(what).then_some(()).ok_or(raw)
    });
}

fn deployment(term: &Term, seq: u64, kind: &str, data: Value) {
    let fields = json!({"deployment": "dep_1", "environment": "production"});
    term.event(seq, kind, fields, data);
}

#[test]
fn an_address_is_copied_through_the_terminal_and_through_tmux() {
    // "http://127.0.0.1:4000/" in base64.
    let text = "aHR0cDovLzEyNy4wLjAuMTo0MDAwLw==";
    let mut term = with_live(&Setup::default());
    term.send("y");
    in_raw(&term, &format!("\x1b]52;c;{text}\x07"));
    let mut term = with_live(&Setup {
        env: vec![("TMUX", "/nowhere,1,0".into()), ("PATH", "/nowhere".into())],
        ..Setup::default()
    });
    term.send("y");
    in_raw(&term, &format!("\x1bPtmux;\x1b\x1b]52;c;{text}\x07\x1b\\"));
}

#[test]
fn an_address_on_the_screen_is_a_link() {
    let term = with_live(&Setup::default());
    let raw = term.raw();
    let (opened, closed) = ("\x1b]8;;http://127.0.0.1:4000/\x1b\\", "\x1b]8;;\x1b\\");
    assert!(raw.contains(opened), "{raw:?}");
    assert!(raw.rfind(closed) > raw.rfind(opened), "{raw:?}");
}

#[test]
fn the_terminals_own_progress_follows_and_goes_with_the_cockpit() {
    let mut term = Term::ready(&Setup {
        env: vec![("WT_SESSION", "x".into())],
        ..Setup::default()
    });
    deployment(
        &term,
        1,
        "deploy_start",
        json!({"commit": "abc", "force": false}),
    );
    let progress = json!({"percent": 62, "stage": "build", "message": "m"});
    deployment(&term, 2, "deploy_progress", progress);
    in_raw(&term, "\x1b]9;4;1;62\x07");
    term.send("\x03\x03");
    term.ended();
    term.until("the end", |screen| screen.contains("ended: Ok"));
    let raw = term.raw();
    let last = raw.rfind("\x1b]9;4;").unwrap();
    assert!(
        raw[last..].starts_with("\x1b]9;4;0;0\x07"),
        "{:?}",
        &raw[last..]
    );
    let plain = Term::ready(&Setup::default());
    assert!(
        !plain.raw().contains("\x1b]9;4;"),
        "others may take it for a notification"
    );
}

#[test]
fn somebody_who_looks_elsewhere_is_rung_at_and_nobody_else() {
    let complete = || json!({"url": "http://127.0.0.1:4000/", "commit": "abc", "stages": {}});
    // A BEL that ends no OSC sequence.
    let bells = |term: &Term| {
        let raw = term.raw();
        let mut rest = raw.as_str();
        let mut count = 0;
        while let Some(at) = rest.find("\x1b]") {
            count += rest[..at].matches('\x07').count();
            let body = &rest[at + 2..];
            let end = body.find(['\x07', '\x1b']).unwrap_or(body.len());
            rest = body.get(end + 1..).unwrap_or_default();
        }
        count + rest.matches('\x07').count()
    };
    let mut term = Term::ready(&Setup::default());
    deployment(&term, 1, "deploy_complete", complete());
    term.until("live", |screen| screen.contains("LIVE on production"));
    assert_eq!(bells(&term), 0);
    term.send("\x1b[O");
    // The next frame shows that the loss of focus was taken before the event is.
    deployment(&term, 2, "notice", json!({"message": "in between"}));
    term.until("the notice", |screen| screen.contains("in between"));
    deployment(&term, 3, "deploy_complete", complete());
    wait("the bell", || {
        let count = bells(&term);
        (count == 1)
            .then_some(())
            .ok_or_else(|| format!("{count}: {:?}", term.raw()))
    });
    let mut term = Term::ready(&Setup {
        env: vec![("TERM_PROGRAM", "ghostty".into())],
        ..Setup::default()
    });
    term.send("\x1b[O");
    deployment(&term, 1, "notice", json!({"message": "in between"}));
    term.until("the notice", |screen| screen.contains("in between"));
    deployment(&term, 2, "deploy_complete", complete());
    in_raw(
        &term,
        "\x1b]9;LIVE on production: http://127.0.0.1:4000/\x07",
    );
}

#[test]
fn a_paste_of_a_mebibyte_is_one_change_and_sends_nothing() {
    let mut term = Term::ready(&Setup::default());
    let before = std::time::Instant::now();
    term.send("\x1b[200~");
    term.send(&"change it\r".repeat(100_000));
    term.send("\x1b[201~");
    term.until("the note", |screen| {
        screen.contains("only the first part of what was pasted")
    });
    assert!(before.elapsed() < PATIENCE / 2, "{:?}", before.elapsed());
    assert!(
        term.asked
            .calls
            .lock()
            .unwrap()
            .iter()
            .all(|(path, _)| !path.contains("voice-to-code"))
    );
    term.send("\x15");
    term.until("an empty line", |screen| !screen.contains("change it"));
}

#[test]
fn a_storm_of_sizes_ends_in_the_last_one() {
    let mut term = with_live(&Setup::default());
    let size = |cols: u16, rows: u16| PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    };
    for at in 0..300u16 {
        term.resize(size(1 + at * 37 % 260, 1 + at * 13 % 90));
    }
    term.resize(size(132, 43));
    term.until("the whole picture", |screen| {
        let rows: Vec<&str> = screen.lines().collect();
        rows.first().is_some_and(|row| row.contains("studio  main"))
            && screen.contains("Timeline")
            && screen.contains("Deploy")
            && rows.last().is_some_and(|row| row.contains("help"))
    });
    term.send("q");
    term.ended();
    term.until("the end", |screen| screen.contains("ended: Ok"));
}

#[test]
fn the_mouse_brings_panes_to_the_front_and_can_be_given_up() {
    let mut term = Term::ready(&Setup::default());
    term.until("the timeline", |screen| screen.contains("─ Timeline"));
    let row = term
        .screen()
        .lines()
        .position(|row| row.contains("Timeline"))
        .unwrap();
    term.send(&format!("\x1b[<0;5;{}M\x1b[<0;5;{}m", row + 2, row + 2));
    term.until("the timeline in front", |screen| {
        screen.contains("▸ Timeline")
    });
    term.send("\x1b[<65;5;3M");
    term.send("?");
    term.until("the keys", |screen| screen.contains("Keys"));
}

#[test]
fn a_frame_of_the_moving_bar_is_small() {
    let mut term = Term::ready(&Setup::default());
    deployment(
        &term,
        1,
        "deploy_start",
        json!({"commit": "abcdef0123", "force": false}),
    );
    let progress = |percent: u64| json!({"percent": percent, "stage": "build", "message": "npm run build", "eta_ms": 9_000 - percent * 90});
    deployment(&term, 2, "deploy_progress", progress(1));
    term.until("the bar", |screen| screen.contains("1 %"));
    let from = term.raw().len();
    for percent in 2..60 {
        deployment(&term, percent + 1, "deploy_progress", progress(percent));
        let shown = format!("{percent} %");
        term.until("the next percent", |screen| screen.contains(&shown));
    }
    let raw = term.raw();
    let frames: Vec<usize> = raw[from..]
        .split("\x1b[?2026h")
        .skip(1)
        .map(str::len)
        .collect();
    assert!(frames.len() >= 58, "{}", frames.len());
    let most = frames.iter().max().unwrap();
    println!("bytes per frame: at most {most} in {} frames", frames.len());
    assert!(*most <= 300, "{most}: {frames:?}");
}

#[test]
fn what_was_typed_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cockpit.json");
    let setup = || Setup {
        env: vec![(SESSION, file.display().to_string())],
        ..Setup::default()
    };
    let mut term = Term::ready(&setup());
    term.send("\tchange the head");
    wait("the file", || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        text.contains("change the head").then_some(()).ok_or(text)
    });
    let id = term.child.process_id().unwrap().to_string();
    let killed = std::process::Command::new("kill")
        .args(["-s", "KILL", &id])
        .status();
    assert!(killed.unwrap().success());
    term.ended();
    let mut term = Term::ready(&setup());
    term.until("the text", |screen| screen.contains("change the head"));
    term.send("line\x03\x03");
    term.ended();
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .contains("change the headline")
    );
}

#[test]
fn as_lines_nothing_is_drawn_over_and_everything_can_be_done() {
    let mut term = Term::prepared(
        &Setup {
            env: vec![(LINEAR, "1".into())],
            ..Setup::default()
        },
        |_| (),
    );
    term.until("the begin", |screen| {
        screen.contains("Online: studio on main.")
    });
    let accepted = json!({"instruction": "ins_1"});
    term.answer("/api/voice-to-code", accepted);
    term.send("change the headline\r");
    let body = term.call("/api/voice-to-code");
    assert_eq!(body["prompt"], "change the headline");
    let fields = json!({"instruction": "ins_1", "proposal": "pro_1"});
    term.event(1, "proposal", fields, proposal_json(1));
    term.until("the menu", |screen| {
        screen.contains("removed: <h1>Old</h1>") && screen.contains("1 approve it")
    });
    term.send("/reject\r");
    term.call("/api/proposals/pro_1/reject");
    term.send("/quit\r");
    term.ended();
    let raw = term.raw();
    assert!(!raw.contains('\x1b'), "{raw:?}");
}

#[test]
fn as_lines_the_persons_editor_has_the_keyboard_and_gives_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("editor.sh");
    // An editor that reads what is typed for it, as a screen editor does.
    let lines = "#!/bin/sh\necho editing\nread words\necho \"<h1>$words</h1>\" > \"$1\"\n";
    std::fs::write(&script, lines).unwrap();
    let mut term = Term::prepared(
        &Setup {
            env: vec![
                (LINEAR, "1".into()),
                ("EDITOR", format!("sh {}", script.display())),
            ],
            ..Setup::default()
        },
        |_| (),
    );
    term.until("the begin", |screen| {
        screen.contains("Online: studio on main.")
    });
    let fields = json!({"instruction": "ins_1", "proposal": "pro_1"});
    term.event(1, "proposal", fields, proposal_json(1));
    term.until("the menu", |screen| {
        screen.contains("6 edit it in your editor")
    });
    term.answer("/api/proposals/pro_1/edit", {
        let mut edited = proposal_json(2);
        edited["files"][0]["after"]["text"] = json!("<h1>typed for the editor</h1>\n");
        edited
    });
    term.send("/edit\r");
    term.until("the editor", |screen| screen.contains("editing"));
    term.send("typed for the editor\r");
    let body = term.call("/api/proposals/pro_1/edit");
    assert_eq!(body["text"], "<h1>typed for the editor</h1>\n");
    term.until("the end of it", |screen| {
        screen.contains("Your edit is taken.")
    });
    term.send("/quit\r");
    term.ended();
}

#[test]
fn a_light_terminal_gets_colours_that_are_readable_on_it() {
    for (ground, light) in [("rgb:fdfd/f6f6/e3e3", true), ("rgb:1010/1010/1010", false)] {
        let mut term = Term::start(&Setup {
            silent: true,
            ..Setup::default()
        });
        wait("the question", || {
            let raw = term.raw();
            raw.contains("\x1b]11;?\x1b\\").then_some(()).ok_or(raw)
        });
        // Late or in time: the same; nothing of it is taken for a key.
        term.send(&format!("\x1b]11;{ground}\x1b\\\x1b[?62c"));
        term.until("the repository's name", |screen| {
            screen.contains("studio  main")
        });
        // Of the light theme: 24 is its accent.
        let accent = "\x1b[38;5;24";
        if light {
            in_raw(&term, accent);
        }
        term.send("?");
        term.until("the keys", |screen| screen.contains("Keys: type to find"));
        assert_eq!(term.raw().contains(accent), light);
    }
}
