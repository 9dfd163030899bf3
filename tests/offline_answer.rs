//! A refusal that lists places, answered by the next instruction: through the program, across two processes.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<head><title>Inn</title></head>\n<body>\n<main>\n\
<h1>The Old Inn</h1>\n<a class=\"button\" href=\"#room\">Book now</a>\n<p>Twelve rooms.</p>\n\
<a class=\"button\" href=\"#table\">Book now</a>\n</main>\n</body>\n</html>\n";

fn git(folder: &Path, args: &[&str]) {
    let done = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
        .args(args)
        .output()
        .expect("git runs");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

fn say(home: &Path, site: &Path, words: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sayso"));
    for name in [
        "XDG_STATE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
    ] {
        command.env(name, home.join(name));
    }
    command
        .arg("-C")
        .arg(site)
        .args([
            "say", "--engine", "offline", "--action", "preview", "--json", words,
        ])
        .stdin(Stdio::null())
        .output()
        .expect("sayso runs")
}

fn event(output: &Output, kind: &str) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|event| event["type"] == kind)
        .unwrap_or_else(|| {
            panic!(
                "no {kind} event in:\n{text}{}",
                String::from_utf8_lossy(&output.stderr)
            )
        })
}

#[test]
fn the_next_instruction_chooses() {
    let home = tempfile::tempdir().expect("a folder");
    let site = home.path().join("inn");
    std::fs::create_dir(&site).expect("a folder");
    std::fs::write(site.join("index.html"), PAGE).expect("a file");
    git(&site, &["init", "--quiet"]);
    git(&site, &["add", "--all"]);
    git(&site, &["commit", "--quiet", "-m", "The site"]);
    let said = |words: &str| say(home.path(), &site, words);

    // Nothing was asked before: a number alone changes nothing.
    let proposes =
        |words: &str| String::from_utf8_lossy(&said(words).stdout).contains("\"proposal\",");
    assert!(!proposes("the second one"));

    let refused = said("rename the book now button to Reserve");
    assert_eq!(refused.status.code(), Some(3));
    let error = event(&refused, "error");
    assert_eq!(error["data"]["reason"], "ambiguous");
    let lines: Vec<u64> = error["data"]["candidates"]
        .as_array()
        .expect("candidates")
        .iter()
        .filter_map(|place| place["line"].as_u64())
        .collect();
    assert_eq!(lines, [7, 9]);

    let answered = said("the second one");
    assert_eq!(answered.status.code(), Some(0));
    let patch = event(&answered, "proposal")["data"]["patch"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(
        patch.contains("-<a class=\"button\" href=\"#table\">Book now</a>"),
        "{patch}"
    );
    assert!(
        patch.contains("+<a class=\"button\" href=\"#table\">Reserve</a>"),
        "{patch}"
    );
    let taken = patch
        .lines()
        .filter(|line| line.starts_with('-') && !line.starts_with("---"))
        .count();
    assert_eq!(taken, 1, "{patch}");

    // The list was used up.
    assert!(!proposes("the first one"));
}

#[test]
fn processes_beside_each_other_all_get_their_answer() {
    let (home, site) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(site.path().join("index.html"), PAGE).unwrap();
    git(site.path(), &["init", "-q", "-b", "main"]);
    git(site.path(), &["add", "."]);
    git(site.path(), &["commit", "-qm", "Begin"]);
    // One of them serves the project for the others, and is done at some time.
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..6)
            .map(|at| {
                let (home, site) = (home.path(), site.path());
                scope.spawn(move || say(home, site, &format!("change the headline to Inn {at}")))
            })
            .collect();
        for (at, one) in all.into_iter().enumerate() {
            let output = one.join().unwrap();
            assert!(
                output.status.success(),
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            let patch = event(&output, "proposal")["data"]["patch"].to_string();
            assert!(patch.contains(&format!("Inn {at}")), "{patch}");
        }
    });
}
