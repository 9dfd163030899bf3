//! The process is killed at every stage boundary; the next start loses nothing and does nothing twice.
#![cfg(all(unix, feature = "failpoints"))]

mod stage;

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use stage::{git, read, site, write};

/// Every boundary that "commit and deploy the working tree" passes.
const BOUNDARIES: [&str; 19] = [
    "instruction.received",
    "instruction.transcribed",
    "proposal.stored",
    "commit.prepared",
    "commit.journaled",
    "commit.ref",
    "commit.index",
    "commit.worktree",
    "commit.finished",
    "commit.stored",
    "deploy.fetched",
    "deploy.built",
    "deploy.written",
    "deploy.renamed",
    "deploy.checked",
    "deploy.pointer",
    "deploy.switched",
    "deploy.verified",
    "deploy.completed",
];

struct Bench {
    site: tempfile::TempDir,
    state: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            site: site(&[("index.html", "<h1>one</h1>\n"), ("kept.txt", "kept\n")]),
            state: tempfile::tempdir().unwrap(),
        }
    }

    fn sayso(&self, args: &[&str], failpoint: &str) -> Output {
        stage::sayso(self.site.path(), self.state.path(), args)
            .env("SAYSO_FAILPOINT", failpoint)
            .output()
            .unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.sayso(args, "");
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn events(&self) -> Vec<Value> {
        let output = self.sayso(&["events", "--json"], "");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn commits(&self) -> usize {
        git(self.site.path(), &["rev-list", "--count", "HEAD"])
            .trim()
            .parse()
            .unwrap()
    }
}

fn of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["type"] == kind)
        .collect()
}

/// Files of every release that is on disk under its final name.
fn releases(state: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![state.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).unwrap().flatten() {
            if entry.path().is_dir() {
                if dir.ends_with("releases") {
                    assert!(
                        entry.path().join("manifest.json").is_file(),
                        "{} is half a release",
                        entry.path().display()
                    );
                    found.push(entry.file_name().to_string_lossy().into_owned());
                } else {
                    dirs.push(entry.path());
                }
            }
        }
    }
    found
}

#[test]
fn a_crash_at_any_boundary_is_taken_up_by_the_next_start() {
    for boundary in BOUNDARIES {
        let bench = Bench::new();
        let first = bench.sayso(&["deploy", "--yes"], "");
        assert!(
            first.status.success(),
            "{}",
            String::from_utf8_lossy(&first.stderr)
        );
        let before = bench.events();
        write(bench.site.path(), "index.html", "<h1>two</h1>\n");
        write(bench.site.path(), "untracked.txt", "mine\n");
        git(
            bench.site.path(),
            &["config", "status.showUntrackedFiles", "all"],
        );

        let crash = bench.sayso(
            &["say", "--action", "deploy", "--yes", "commit that"],
            boundary,
        );
        assert_eq!(crash.status.signal(), Some(6), "{boundary}: {crash:?}");

        // The next start takes up what was cut off, and ends when that has ended.
        bench.json(&["status", "--json"]);
        let status = bench.json(&["status", "--json"]);
        let events = bench.events();
        // No event was lost or renumbered.
        assert_eq!(events[..before.len()], before, "{boundary}");
        for (at, event) in events.iter().enumerate() {
            assert_eq!(event["seq"], at + 1, "{boundary}");
        }
        let approved = of(&events, "approved").len();
        assert!(approved <= 1, "{boundary}");
        assert_eq!(
            bench.commits(),
            1 + approved,
            "{boundary}: what was approved is committed once"
        );
        assert_eq!(of(&events, "commit").len(), approved, "{boundary}");
        if approved == 1 {
            let left = git(bench.site.path(), &["status", "--porcelain"]);
            assert_eq!(
                left,
                "",
                "{boundary}: {}",
                git(bench.site.path(), &["diff"])
                    + &git(bench.site.path(), &["ls-files", "--debug", "-s"])
            );
            assert_eq!(
                git(bench.site.path(), &["show", "HEAD:index.html"]),
                "<h1>two</h1>\n"
            );
            let head = git(bench.site.path(), &["rev-parse", "HEAD"]);
            assert_eq!(status["live"][0]["commit"], head.trim(), "{boundary}");
            // Deployed once more than before, and told once.
            assert_eq!(of(&events, "deploy_complete").len(), 2, "{boundary}");
            assert_eq!(of(&events, "deploy_start").len(), 2, "{boundary}");
        } else {
            assert_eq!(
                git(bench.site.path(), &["status", "--porcelain"]),
                " M index.html\n?? untracked.txt\n",
                "{boundary}"
            );
        }
        // Nothing of the person's changed, and nothing half made is left.
        assert_eq!(
            read(bench.site.path(), "index.html"),
            "<h1>two</h1>\n",
            "{boundary}"
        );
        assert_eq!(
            read(bench.site.path(), "untracked.txt"),
            "mine\n",
            "{boundary}"
        );
        let kept = releases(bench.state.path());
        assert_eq!(kept.len(), 1 + approved, "{boundary}: {kept:?}");
        assert_eq!(status["deployments"], serde_json::json!([]), "{boundary}");

        // What was not approved can still be: nothing is stuck.
        if approved == 0 {
            let again = bench.sayso(&["say", "--action", "deploy", "--yes", "commit that"], "");
            assert!(
                again.status.success(),
                "{boundary}: {}",
                String::from_utf8_lossy(&again.stderr)
            );
            assert_eq!(bench.commits(), 2, "{boundary}");
        }
    }
}
