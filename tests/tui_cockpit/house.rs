//! The house rules of the cockpit, read off its sources: what lives in one place must not spread.

use std::path::{Path, PathBuf};

fn sources(folder: &Path, into: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            into.push((path, text));
        }
    }
}

/// The files of the cockpit, by their path inside it, without their tests.
fn cockpit() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tui");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 30, "the sources were not found");
    files
        .into_iter()
        .map(|(path, text)| {
            let name = path
                .strip_prefix(&root)
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            let code = text
                .split("#[cfg(test)]")
                .next()
                .unwrap_or_default()
                .to_owned();
            (name, code)
        })
        .collect()
}

/// Fails for every file outside `rooms` that holds one of `words`.
fn only_in(rooms: &[&str], words: &[&str]) {
    let mut found = false;
    for (name, code) in cockpit() {
        let lines = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in lines {
            for word in words.iter().filter(|word| line.contains(**word)) {
                found = true;
                assert!(rooms.contains(&name.as_str()), "{word} in {name}: {line}");
            }
        }
    }
    assert!(found, "{words:?} is nowhere: the rule guards nothing");
}

#[test]
fn the_terminal_library_stays_behind_its_door() {
    only_in(
        &["terminal.rs", "screen.rs", "input.rs", "driver.rs"],
        &["crossterm", "CrosstermBackend"],
    );
}

#[test]
fn colours_live_in_the_theme() {
    only_in(
        &["theme/mod.rs", "theme/ansi.rs", "theme/own.rs"],
        &["Color::", "Modifier::"],
    );
}

#[test]
fn what_moves_lives_in_one_place() {
    only_in(&["motion.rs"], &["⠋", "⠙", "TURN"]);
}

#[test]
fn only_the_edge_has_a_clock_and_talks_to_the_world() {
    only_in(
        &["driver.rs", "probe.rs", "linear/mod.rs"],
        &["Instant::now"],
    );
    only_in(
        &[
            "driver.rs",
            "editor.rs",
            "effects.rs",
            "linear/mod.rs",
            "shared.rs",
        ],
        &["tokio::time", "tokio::spawn", "tokio::process"],
    );
    let pure = ["model/", "update/", "view/", "panes/", "keymap/"];
    for (name, code) in cockpit() {
        let edge = [
            "std::fs",
            "std::io",
            "std::env",
            "tokio",
            "SystemTime",
            "Timestamp::now",
        ];
        if pure.iter().any(|room| name.starts_with(room)) {
            assert!(
                !edge.iter().any(|word| code.contains(word)),
                "{name} is pure"
            );
        }
    }
}

#[test]
fn files_stay_small() {
    for (name, code) in cockpit() {
        assert!(code.lines().count() <= 500, "{name}");
    }
}
