//! The process is killed at every step of a save's way; the next start loses nothing and does nothing twice.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::stage::{self, git, read, write};
use crate::support::{own, shared, show};

/// Every step that a save passes.
const STEPS: [&str; 7] = [
    "sandbox.indexed",
    "sandbox.prepared",
    "sandbox.journaled",
    "sandbox.ref",
    "sandbox.stored",
    "sandbox.pushed",
    "deploy.switched",
];

fn sayso(site: &Path, state: &Path, args: &[&str], failpoint: &str) -> Output {
    stage::sayso(site, state, args)
        .env("SAYSO_FAILPOINT", failpoint)
        .output()
        .unwrap()
}

fn events(site: &Path, state: &Path) -> Vec<Value> {
    let output = sayso(site, state, &["events", "--json"], "");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_crash_at_any_step_is_taken_up_by_the_next_start() {
    for step in STEPS {
        let (folder, site, _) = shared(&[("index.html", "<h1>one</h1>\n")]);
        let bare = folder.path().join("origin.git");
        let state = tempfile::tempdir().unwrap();
        let state = state.path();
        write(&site, "index.html", "<h1>two</h1>\n");
        write(&site, "new.html", "<h1>new</h1>\n");
        let before = own(&site);
        let crash = sayso(&site, state, &["watch", "--once"], step);
        assert_eq!(crash.status.signal(), Some(6), "{step}: {crash:?}");
        assert_eq!(own(&site), before, "{step}");

        let again = sayso(&site, state, &["watch", "--once"], "");
        let code = again.status.code();
        // What was done already is not done again: then there may be nothing left to do.
        assert!(code == Some(0) || code == Some(4), "{step}: {again:?}");
        assert_eq!(own(&site), before, "{step}");
        let count = git(&site, &["rev-list", "--count", "main..sandbox"]);
        assert_eq!(count.trim(), "1", "{step}: committed twice, or not at all");
        let tip = git(&site, &["rev-parse", "sandbox"]);
        assert_eq!(
            git(&bare, &["rev-parse", "sandbox"]),
            tip,
            "{step}: not pushed"
        );
        assert_eq!(
            show(&site, "sandbox", "index.html"),
            Some(read(&site, "index.html"))
        );
        let all = events(&site, state);
        let of = |kind: &str| -> Vec<&Value> {
            let events = all.iter().filter(|event| event["type"] == kind);
            events
                .filter(|event| event["data"]["commit"] == tip.trim())
                .collect()
        };
        assert_eq!(of("commit").len(), 1, "{step}: {all:#?}");
        assert_eq!(of("deploy_complete").len(), 1, "{step}: {all:#?}");
        let third = sayso(&site, state, &["watch", "--once"], "");
        assert_eq!(third.status.code(), Some(4), "{step}: {third:?}");
    }
}
