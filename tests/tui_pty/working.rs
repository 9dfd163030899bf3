//! The cockpit in use: writing, pasting, editing, copying, resizing, and doing nothing.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use portable_pty::PtySize;
use serde_json::json;

use super::support::*;

fn open_proposal(asked: &Asked) {
    let mut status = status_json();
    status["proposals"] = json!([proposal_json(1)]);
    status["live"] = json!([{"environment": "production", "release": "rel_0", "commit": "9f8e7d6c5b4a",
                             "url": "http://127.0.0.1:4000/", "since": "2026-11-21T14:00:00Z"}]);
    *asked.status.lock().unwrap() = status;
}

fn reviewing(setup: &Setup) -> Term {
    let mut term = Term::prepared(setup, open_proposal);
    term.until("the proposal", |screen| {
        screen.contains("Enter: commit to main")
    });
    term
}

#[test]
fn written_words_are_handed_in() {
    let mut term = Term::ready(&Setup::default());
    term.answer("/api/voice-to-code", json!({"instruction": "ins_1"}));
    term.send("\tchange the title to dxq\r");
    let body = term.call("/api/voice-to-code");
    assert_eq!(body["prompt"], "change the title to dxq");
}

#[test]
fn a_huge_paste_is_one_insert_and_sends_nothing() {
    let mut term = reviewing(&Setup::default());
    let text = "yes\r\n".repeat(200_000);
    term.send(&format!("\x1b[200~{text}\x1b[201~"));
    term.until("the text", |screen| {
        screen.contains("only the first part of what was pasted is taken")
    });
    let calls: Vec<_> = term
        .asked
        .calls
        .lock()
        .unwrap()
        .iter()
        .map(|(path, _)| path.clone())
        .collect();
    // The history, and what may be said here to suggest how a text goes on: both are only read.
    let reads = ["/api/events", "/api/words"];
    assert!(
        calls.iter().all(|path| reads.contains(&path.as_str())),
        "{calls:?}"
    );
}

#[test]
fn enter_approves_what_the_screen_shows() {
    let mut term = reviewing(&Setup::default());
    term.answer(
        "/api/proposals/pro_1/approve",
        json!({"commit": "abcdef0123"}),
    );
    term.send("\r");
    let body = term.call("/api/proposals/pro_1/approve");
    assert_eq!(
        body,
        json!({"hunks": ["aaaaaaaaaaaa"], "action": "deploy", "version": 1})
    );
}

#[test]
fn the_persons_editor_gets_the_terminal_and_its_text_is_handed_in() {
    let folder = tempfile::tempdir().unwrap();
    let editor = folder.path().join("editor");
    std::fs::write(
        &editor,
        "#!/bin/sh\nprintf 'EDITING %s\\n' \"$1\"\nread answer\nprintf '%s\\n' \"$answer\" >> \"$1\"\n",
    )
    .unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut term = reviewing(&Setup {
        env: vec![("EDITOR", editor.display().to_string())],
        ..Setup::default()
    });
    term.answer("/api/proposals/pro_1/edit", proposal_json(2));
    term.send("e");
    term.until("the editor", |screen| {
        screen.contains("EDITING") && screen.contains("-index.html")
    });
    assert!(!term.with(|screen| screen.alternate_screen()));
    assert_eq!(
        term.line_settings(),
        term.cooked,
        "the editor finds the terminal as the shell left it"
    );
    // Every byte is the editor's: a stream that still listened would eat some of them.
    term.send("typed in the editor\n");
    let body = term.call("/api/proposals/pro_1/edit");
    assert_eq!(
        body,
        json!({"path": "index.html", "text": "<h1>New</h1>\ntyped in the editor\n", "version": 1})
    );
    term.until("the cockpit", |screen| {
        screen.contains("your text is in the proposal")
    });
    assert!(term.with(|screen| screen.alternate_screen()));
    term.send("q");
    term.ended();
}

#[test]
fn an_editor_that_fails_changes_nothing() {
    let mut term = reviewing(&Setup {
        env: vec![("EDITOR", "false".into())],
        ..Setup::default()
    });
    term.send("e");
    term.until("the reason", |screen| {
        screen.contains("your edit was not taken: false ended with")
    });
    assert!(
        !term
            .asked
            .calls
            .lock()
            .unwrap()
            .iter()
            .any(|(path, _)| path.ends_with("/edit"))
    );
}

#[test]
fn the_address_is_copied_through_the_terminal() {
    let mut term = reviewing(&Setup::default());
    term.send("y");
    // base64 of http://127.0.0.1:4000/
    wait("the clipboard", || {
        term.raw()
            .contains("\x1b]52;c;aHR0cDovLzEyNy4wLjAuMTo0MDAwLw==")
            .then_some(())
            .ok_or_else(|| term.raw())
    });
}

#[test]
fn a_storm_of_sizes_ends_in_the_right_picture() {
    let mut term = reviewing(&Setup::default());
    let sizes = [
        (1, 1),
        (400, 100),
        (2, 2),
        (40, 12),
        (79, 5),
        (80, 24),
        (120, 40),
        (10, 30),
        (100, 30),
    ];
    for (cols, rows) in sizes {
        term.resize(PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        });
    }
    term.until("the proposal", |screen| {
        screen.contains("Enter: commit to main and deploy to production")
            && screen.lines().count() == 30
    });
}

#[test]
fn no_color_means_no_colour() {
    let mut term = reviewing(&Setup {
        env: vec![("NO_COLOR", "1".into())],
        ..Setup::default()
    });
    term.send("?");
    term.until("the keys", |screen| screen.contains("Keys: type to find"));
    for ground in ["\x1b[38;", "\x1b[48;", "\x1b[31m", "\x1b[36m"] {
        assert!(!term.raw().contains(ground), "{ground:?}");
    }
}

/// An idle cockpit costs nothing: no thread of it runs at all.
#[test]
#[cfg(target_os = "linux")]
fn an_idle_cockpit_does_not_wake_up() {
    let mut term = reviewing(&Setup::default());
    term.until("the stream", |screen| screen.contains("online"));
    let id = term.child.process_id().unwrap();
    let switches = || -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
        let status =
            tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("status")).ok());
        status
            .flat_map(|status| {
                let line = status
                    .lines()
                    .find(|line| line.starts_with("voluntary_ctxt_switches"))
                    .map(str::to_owned);
                line.and_then(|line| {
                    line.split_whitespace()
                        .last()
                        .and_then(|n| n.parse::<u64>().ok())
                })
            })
            .sum()
    };
    // Whatever the start left to do is over when nothing happened for a while.
    let window = Duration::from_millis(1_500);
    let mut woken = u64::MAX;
    for _ in 0..8 {
        let before = switches();
        std::thread::sleep(window);
        woken = switches() - before;
        if woken == 0 {
            break;
        }
    }
    assert_eq!(woken, 0, "wake-ups in {window:?}");
}

#[test]
fn a_deployment_is_followed_to_the_end() {
    let mut term = Term::ready(&Setup::default());
    let about = json!({"deployment": "dep_1", "environment": "production"});
    term.event(
        1,
        "deploy_start",
        about.clone(),
        json!({"target": "local", "commit": "abcdef0123", "force": false}),
    );
    term.event(
        2,
        "deploy_progress",
        about.clone(),
        json!({"percent": 40, "stage": "build", "message": "npm run build", "eta_ms": 9_000}),
    );
    term.until("the bar", |screen| {
        screen.contains("build") && screen.contains("40 %") && screen.contains("s left")
    });
    // The bar moves by itself; a frame of it is small.
    let before = term.raw().len();
    wait("some frames", || {
        let raw = term.raw();
        let frames = raw[before..].matches("\x1b[?2026l").count();
        (frames >= 5).then_some(()).ok_or(raw[before..].to_owned())
    });
    let raw = term.raw();
    let frames: Vec<usize> = raw[before..]
        .split("\x1b[?2026h")
        .skip(1)
        .map(str::len)
        .collect();
    let largest = frames[..frames.len() - 1].iter().max().unwrap();
    assert!(*largest <= 300, "{frames:?}");
    term.event(
        3,
        "deploy_complete",
        about,
        json!({"url": "http://127.0.0.1:4000/", "release": "rel_1", "commit": "abcdef0123", "total_ms": 620, "stages": {"build": 410}}),
    );
    term.until("LIVE", |screen| {
        screen.contains("✓ LIVE on production in 0.62 s")
    });
    term.send("q");
    term.ended();
}
