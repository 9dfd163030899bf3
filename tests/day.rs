//! A scripted day through the real program: twenty edits, two conflicts, one failing check, one bad release, one rollback,
//! one promotion by two people. In the evening every commit, release and event is accounted for.
#![cfg(unix)]

mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use stage::{git, read, site, write};

const PAGE: &str = "<!doctype html>\n<html>\n<body>\n<main>\n<h1>Dawn</h1>\n<hr>\n<img src=\"oven.jpg\" alt=\"The oven\">\n<hr>\n<p>Bread and rolls.</p>\n</main>\n</body>\n</html>\n";

const CONFIG: &str = r#"
[deploy]
environment = "staging"
[health]
expect = "</main>"
[[check]]
name = "lint"
run = "if grep -n BROKEN index.html; then exit 1; fi"
[[environment]]
name = "staging"
checks = ["lint", "secrets", "size"]
[[environment]]
name = "production"
checks = ["lint", "secrets"]
approval = "two people"
"#;

struct Day {
    site: tempfile::TempDir,
    state: tempfile::TempDir,
    edits: usize,
    /// Whose token the program is run with, if not the person's whose machine it is.
    token: Option<String>,
}

impl Day {
    fn new() -> Self {
        Self {
            site: site(&[("index.html", PAGE), ("sayso.toml", CONFIG)]),
            state: tempfile::tempdir().unwrap(),
            edits: 0,
            token: None,
        }
    }

    fn sayso(&self, args: &[&str]) -> Output {
        stage::sayso(self.site.path(), self.state.path(), args)
            .envs(self.token.iter().map(|token| ("SAYSO_TOKEN", token)))
            .env_remove("ANTHROPIC_API_KEY")
            .env_remove("OPENAI_API_KEY")
            .env_remove("GOOGLE_GEMINI_API_KEY")
            .output()
            .unwrap()
    }

    /// Runs the program, which must end with `code`; what it said on stderr.
    fn ends(&self, code: i32, args: &[&str]) -> String {
        let output = self.sayso(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let shown = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?}: {said}\n{shown}"
        );
        said
    }

    fn json(&self, args: &[&str]) -> Vec<Value> {
        let output = self.sayso(args);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn path(&self) -> &Path {
        self.site.path()
    }

    fn head(&self) -> String {
        git(self.path(), &["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// An edit by words, committed.
    fn say(&mut self, headline: &str) {
        let words = format!("change the headline to {headline}");
        self.ends(0, &["say", "--yes", "--action", "commit", &words]);
        assert!(read(self.path(), "index.html").contains(&format!("<h1>{headline}</h1>")));
        self.edits += 1;
    }

    /// An edit by hand, committed through the program.
    fn hand(&mut self, old: &str, new: &str) {
        self.change(old, new);
        self.ends(
            0,
            &["commit", "--yes", "-m", &format!("{old} becomes {new}")],
        );
        self.edits += 1;
    }

    fn change(&self, old: &str, new: &str) {
        let text = read(self.path(), "index.html");
        assert!(text.contains(old), "{old} is not in {text}");
        write(self.path(), "index.html", &text.replacen(old, new, 1));
    }

    /// Somebody else commits, past the program.
    fn elsewhere(&self, old: &str, new: &str) -> String {
        self.change(old, new);
        git(
            self.path(),
            &["commit", "-qam", &format!("elsewhere: {new}")],
        );
        self.head()
    }

    /// A change that is proposed and stays open.
    fn propose(&self, headline: &str) {
        let words = format!("change the headline to {headline}");
        self.ends(0, &["say", "--action", "preview", &words]);
    }

    fn live(&self, environment: &str) -> Option<Value> {
        let status = self.json(&["status", "--json"]).remove(0);
        let live = status["live"].as_array().unwrap().clone();
        live.into_iter()
            .find(|live| live["environment"] == environment)
    }

    fn is(&self, name: &str) {
        git(self.path(), &["config", "user.name", name]);
    }
}

fn of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["type"] == kind)
        .collect()
}

#[test]
fn a_whole_day_is_accounted_for() {
    let mut day = Day::new();
    let mut others = vec![day.head()];

    // Morning: six edits, the first release, to production by two people.
    for n in 1..=6 {
        day.say(&format!("Morning {n}"));
    }
    day.ends(0, &["deploy", "--yes"]);
    let first = day.live("staging").unwrap();
    assert_eq!(first["commit"], day.head().as_str());
    let said = day.ends(3, &["promote", "staging", "production", "--yes"]);
    assert_eq!(said, "", "it waits, and that is no mistake");
    assert_eq!(day.live("production"), None);
    let said = day.ends(3, &["approve", "--yes"]);
    assert!(said.contains("Ada has approved this already"), "{said}");
    // Another name over the same token is nobody else.
    day.is("Grace");
    let said = day.ends(3, &["approve", "--yes"]);
    assert!(said.contains("Ada has approved this already"), "{said}");
    assert!(said.contains("sayso token create"), "{said}");
    day.is("Ada");
    let made = [
        "token", "create", "--role", "deployer", "--name", "Grace", "--json",
    ];
    let made = day.json(&made).remove(0);
    day.token = Some(made["token"].as_str().unwrap().to_owned());
    day.ends(0, &["approve", "--yes"]);
    day.token = None;
    assert_eq!(
        day.live("production").unwrap()["release"],
        first["release"],
        "the very same release"
    );

    // A check fails: nothing moves until it is mended.
    day.hand("Bread and rolls.", "BROKEN bread");
    let said = day.ends(1, &["deploy", "--yes"]);
    assert!(
        said.contains("BROKEN bread"),
        "the check's last lines: {said}"
    );
    assert_eq!(day.live("staging").unwrap()["release"], first["release"]);
    day.hand("BROKEN bread", "Bread, rolls, cake.");
    day.ends(0, &["deploy", "--yes"]);

    // The first conflict: the same line was changed elsewhere. Nothing is overwritten; it is dropped and said again.
    day.propose("Noon");
    others.push(day.elsewhere("<h1>Morning 6</h1>", "<h1>Lunch</h1>"));
    let said = day.ends(3, &["commit", "--yes"]);
    assert!(said.contains("was changed on main"), "{said}");
    assert!(read(day.path(), "index.html").contains("<h1>Lunch</h1>"));
    day.ends(0, &["say", "--yes", "reject"]);
    day.say("Noon");
    // The second one: another line of the same file. It is merged, looked at again, and taken.
    day.propose("Afternoon");
    others.push(day.elsewhere("Bread, rolls, cake.", "Bread, rolls, pie."));
    let said = day.ends(3, &["commit", "--yes"]);
    assert!(said.contains("merged"), "{said}");
    day.ends(0, &["commit", "--yes"]);
    day.edits += 1;
    let page = read(day.path(), "index.html");
    assert!(
        page.contains("<h1>Afternoon</h1>") && page.contains("pie."),
        "{page}"
    );
    day.ends(0, &["deploy", "--yes"]);
    let good = day.live("staging").unwrap();

    // A bad release: it is not what visitors should see, and they never do.
    day.hand("</main>", "");
    day.ends(1, &["deploy", "--yes"]);
    assert_eq!(day.live("staging").unwrap()["release"], good["release"]);
    day.hand("</body>", "</main>\n</body>");

    // The evening: the rest of the edits, a last release, and back from it.
    while day.edits < 20 {
        day.say(&format!("Evening {}", day.edits));
    }
    day.ends(0, &["deploy", "--yes"]);
    assert_eq!(day.live("staging").unwrap()["commit"], day.head().as_str());
    day.ends(0, &["rollback", "--yes"]);
    assert_eq!(day.live("staging").unwrap()["release"], good["release"]);

    account(&day, &others);
}

/// Every commit, release and event has its place.
fn account(day: &Day, others: &[String]) {
    let events = day.json(&["events", "--json"]);
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], at + 1, "no event is lost");
    }

    // Commits: those of the program, each told once, and those of others, and nothing else.
    let text = git(day.path(), &["rev-list", "HEAD"]);
    let all: BTreeSet<&str> = text.lines().collect();
    let told: Vec<&str> = of(&events, "commit")
        .iter()
        .map(|event| event["data"]["commit"].as_str().unwrap())
        .collect();
    assert_eq!(told.len(), 20, "twenty edits");
    let known: BTreeSet<&str> = told
        .iter()
        .copied()
        .chain(others.iter().map(String::as_str))
        .collect();
    assert_eq!(
        known.len(),
        told.len() + others.len(),
        "no commit is told twice"
    );
    assert_eq!(known, all);
    assert_eq!(
        of(&events, "rejected").len(),
        1,
        "the change that was in conflict"
    );
    assert_eq!(
        git(day.path(), &["status", "--porcelain"]),
        "",
        "nothing is left lying around"
    );

    // Deployments: each that began has exactly one end.
    let mut ends: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in &events {
        let (Some(id), Some(kind)) = (event["deployment"].as_str(), event["type"].as_str()) else {
            continue;
        };
        let ends = ends.entry(id).or_default();
        if ["deploy_complete", "deploy_error", "canceled"].contains(&kind) {
            ends.push(kind);
        }
    }
    assert!(ends.values().all(|ends| ends.len() == 1), "{ends:?}");
    let starts = of(&events, "deploy_start");
    assert_eq!(starts.len(), ends.len(), "each that ended had begun");
    let (live, failed) = (of(&events, "deploy_complete"), of(&events, "deploy_error"));
    assert_eq!(
        (live.len(), failed.len()),
        (5, 2),
        "four releases, one of them twice; a check, a bad release"
    );
    assert_eq!(failed[0]["data"]["stage"], "check");
    assert_eq!(failed[1]["data"]["stage"], "activate");
    let checks = of(&events, "check");
    let lint: Vec<bool> = checks
        .iter()
        .filter(|event| event["data"]["name"] == "lint")
        .map(|event| event["data"]["ok"].as_bool().unwrap())
        .collect();
    assert_eq!(lint.iter().filter(|ok| !**ok).count(), 1);
    let kept = checks
        .iter()
        .filter(|event| event["data"]["kept"].is_string());
    assert_eq!(
        kept.count(),
        1,
        "the tree that went to production was not checked again"
    );

    // Releases: what went live is what is kept, and each is known by the deployment that made it.
    let made: BTreeSet<&str> = live
        .iter()
        .map(|event| event["data"]["release"].as_str().unwrap())
        .collect();
    assert_eq!(made.len(), 4);
    let listed = day.json(&["deployments", "--json"]).remove(0);
    let kept: BTreeSet<&str> = listed["releases"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|environment| environment["releases"].as_array().unwrap())
        .map(|release| release["id"].as_str().unwrap())
        .collect();
    assert_eq!(kept, made);

    // The promotion: two people, in the order in which they said yes.
    let promoted = of(&events, "promote");
    assert_eq!(promoted.len(), 1);
    let names: Vec<&str> = promoted[0]["data"]["approvals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|given| given["actor"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Ada", "Grace"]);
    // The way back.
    let back = of(&events, "rollback");
    assert_eq!(back.len(), 1);
    assert_eq!(back[0]["data"]["automatic"], false);
    assert_eq!(back[0]["data"]["from"], live[4]["data"]["release"]);
    assert_eq!(back[0]["data"]["to"], live[3]["data"]["release"]);
}
