//! Keeps the plan of the house: a room may use rooms on lower floors, never on its own floor or above.

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms and their floors, as in `ARCHITECTURE.md`.
const FLOORS: [(&str, u8); 18] = [
    ("cli", 7),
    ("tui", 6),
    ("server", 6),
    ("client", 5),
    ("pipeline", 5),
    ("speech", 4),
    ("intent", 3),
    ("generate", 4),
    ("review", 4),
    ("vcs", 4),
    ("deploy", 4),
    ("events", 3),
    ("store", 2),
    ("voice", 2),
    ("watch", 2),
    ("room", 2),
    ("config", 2),
    ("model", 1),
];

const LONGEST_FILE: usize = 800;

fn floor(room: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == room)
        .map(|(_, floor)| *floor)
}

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    assert!(files.len() > 50, "the sources were not found");
    files
}

/// Every `crate::room` in a source, whether in a `use` or in the middle of a line.
fn used_rooms(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for line in text.lines() {
        let code = line.split("//").next().unwrap_or_default();
        for part in code.split("crate::").skip(1) {
            let names: String = part.chars().take_while(|c| *c != ';').collect();
            let list = names.strip_prefix('{').map_or_else(
                || vec![names.as_str()],
                |inner| inner.split(',').collect::<Vec<_>>(),
            );
            for name in list {
                let room: String = name
                    .trim()
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                rooms.push(room);
            }
        }
    }
    rooms
}

#[test]
fn rooms_use_only_lower_floors() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in all_sources() {
        let relative = file.strip_prefix(&src).unwrap();
        let room = relative
            .iter()
            .next()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let Some(own) = floor(&room) else {
            assert!(
                ["lib.rs", "main.rs"].contains(&room.as_str()),
                "{} belongs to no room",
                relative.display()
            );
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        for used in used_rooms(&text) {
            if used != room && floor(&used).is_some_and(|floor| floor >= own) {
                wrong.push(format!("{} uses {used}", relative.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "rooms that use their own floor or above:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn files_stay_short() {
    let long: Vec<String> = all_sources()
        .iter()
        .filter_map(|file| {
            let lines = fs::read_to_string(file).unwrap().lines().count();
            (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines", file.display()))
        })
        .collect();
    assert!(
        long.is_empty(),
        "files over {LONGEST_FILE} lines:\n{}",
        long.join("\n")
    );
}

#[test]
fn the_checker_sees_what_it_must() {
    assert_eq!(
        used_rooms("use crate::{model::Event, vcs};"),
        ["model", "vcs"]
    );
    assert_eq!(
        used_rooms("    let x = crate::deploy::run(); // crate::tui"),
        ["deploy"]
    );
}
