//! Against aimock: the services as they are when all goes well, and their usual faults.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Bench, CANARY, PAGE, edit, no_key_in};

const DEADLINE: Duration = Duration::from_secs(40);

/// The stand-in, with its answers.
pub struct Double {
    child: Child,
    pub url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Double {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Double {
    pub fn start(fixtures: &Value) -> Option<Self> {
        let services = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/services");
        let program = services.join("node_modules/@copilotkit/aimock/dist/cli.js");
        if !program.is_file() {
            println!(
                "SKIPPED: the package @copilotkit/aimock is not installed: scripts/setup.sh test"
            );
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fixtures.json");
        std::fs::write(&file, json!({ "fixtures": fixtures }).to_string()).unwrap();
        for _ in 0..10 {
            // The port may be taken by somebody else before it is used: then the next one.
            let port = std::net::TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let mut child = Command::new("node")
                .arg(&program)
                .args([
                    "-h",
                    "127.0.0.1",
                    "--log-level",
                    "warn",
                    "-p",
                    &port.to_string(),
                    "-f",
                ])
                .arg(&file)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("node runs");
            let began = Instant::now();
            while began.elapsed() < DEADLINE && child.try_wait().unwrap().is_none() {
                if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Some(Self {
                        child,
                        url: format!("http://127.0.0.1:{port}"),
                        _folder: folder,
                    });
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("the stand-in did not start");
    }

    /// What was asked of it.
    fn journal(&self) -> Vec<Value> {
        let address = self.url.trim_start_matches("http://");
        let text = get(address, "/__aimock/journal");
        let value: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        match value {
            Value::Array(list) => list,
            mut other => match other["entries"].take() {
                Value::Array(list) => list,
                _ => panic!("{text}"),
            },
        }
    }
}

fn get(address: &str, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// An answer to words that hold `said`.
fn answers(said: &str, arguments: &Value) -> Value {
    json!({
        "match": { "userMessage": said },
        "response": { "toolCalls": [{ "name": "propose_edit", "arguments": arguments.to_string() }] },
        "chunkSize": 7,
    })
}

#[test]
fn each_service_makes_the_change_and_is_told_no_more_than_it_needs() {
    let calm = edit(
        "index.html",
        "<h1>Hello there</h1>",
        "<h1 class=\"calm\">Hello there</h1>",
    );
    let Some(double) = Double::start(&json!([answers("look calmer", &calm)])) else {
        return;
    };
    let files = [
        ("index.html", PAGE),
        ("AGENTS.md", "Use the word garden."),
        (".env", "TOKEN=secret-of-the-site"),
    ];
    let bench = Bench::new(&double.url, &files);
    for engine in ["auto", "anthropic", "openai", "gemini", "compatible"] {
        let said = bench.say(engine, "make the homepage look calmer");
        assert_eq!(said.code, Some(0), "{engine}: {}", said.all);
        let proposal = said.proposal();
        let patch = proposal["patch"].as_str().unwrap();
        assert!(
            patch.contains("+<h1 class=\"calm\">Hello there</h1>"),
            "{engine}: {patch}"
        );
        let wanted = if engine == "auto" {
            "anthropic"
        } else {
            engine
        };
        assert_eq!(proposal["engine"], wanted);
        assert_eq!(proposal["title"], "Soften the heading");
        assert!(
            proposal["notes"].to_string().contains("tokens read"),
            "{proposal}"
        );
        assert!(
            proposal["notes"].to_string().contains("index.html"),
            "{proposal}"
        );
        assert!(!said.all.contains(CANARY), "{engine}");
    }
    let journal = double.journal();
    assert_eq!(journal.len(), 5);
    for request in &journal {
        let text = request.to_string();
        assert!(
            text.contains("Use the word garden."),
            "the site's own guide is honoured"
        );
        assert!(
            !text.contains("secret-of-the-site"),
            "secrets stay out of prompts"
        );
    }
    no_key_in(bench.home.path());
}

#[test]
fn a_plain_change_asks_nobody() {
    let Some(double) = Double::start(&json!([])) else {
        return;
    };
    let bench = Bench::new(&double.url, &[("index.html", PAGE)]);
    let said = bench.say("auto", "change the headline to Good morning");
    assert_eq!(said.proposal()["engine"], "offline", "{}", said.all);
    let ambiguous = [(
        "index.html",
        "<h1>A</h1>\n<a href=\"/a\">Read more</a>\n<a href=\"/b\">Read more</a>\n",
    )];
    let bench = Bench::new(&double.url, &ambiguous);
    let said = bench.say("auto", "change the link Read more to Go on");
    assert_eq!(
        said.error()["reason"],
        "ambiguous",
        "the person chooses, not a model: {}",
        said.all
    );
    assert!(double.journal().is_empty());
}

#[test]
fn an_answer_that_does_not_fit_goes_back_with_the_reason() {
    let wrong = edit("index.html", "<h1>Hello  there</h1>", "<h1>Hi</h1>");
    let right = edit("index.html", "<h1>Hello there</h1>", "<h1>Hi</h1>");
    let fixtures = json!([
        answers("Nothing was changed, because of this", &right),
        answers("feel warmer", &wrong)
    ]);
    let Some(double) = Double::start(&fixtures) else {
        return;
    };
    let bench = Bench::new(&double.url, &[("index.html", PAGE)]);
    let said = bench.say("anthropic", "make the page feel warmer");
    let patch = said.proposal()["patch"].as_str().unwrap().to_owned();
    assert!(patch.contains("+<h1>Hi</h1>"), "{patch}");
    assert!(said.notices().contains("goes back"), "{}", said.all);
    let journal = double.journal();
    assert_eq!(journal.len(), 2);
    assert!(
        journal[1].to_string().contains("line 2 is nearest"),
        "{}",
        journal[1]
    );
}

#[test]
fn an_answer_that_never_fits_is_given_up_and_nothing_is_made() {
    let wrong = edit("index.html", "not in the file", "x");
    let Some(double) = Double::start(&json!([answers("", &wrong)])) else {
        return;
    };
    let bench = Bench::new(&double.url, &[("index.html", PAGE)]);
    let said = bench.say("openai", "make the page feel warmer");
    assert_eq!(said.code, Some(1), "{}", said.all);
    assert!(
        said.error()["message"]
            .to_string()
            .contains("does not occur"),
        "{}",
        said.all
    );
    assert_eq!(double.journal().len(), 3, "asked once and given back twice");
}

#[test]
fn a_busy_service_is_asked_again_and_a_wrong_key_is_not() {
    let calm = edit("index.html", "<h1>Hello there</h1>", "<h1>Hi</h1>");
    let mut busy = answers("busy", &calm);
    busy["match"]["sequenceIndex"] = json!(0);
    busy["response"] =
        json!({ "error": { "message": "Overloaded", "type": "overloaded_error" }, "status": 529 });
    let mut key = answers("wrong key", &calm);
    key["response"] = json!({ "error": { "message": "invalid x-api-key", "type": "authentication_error" }, "status": 401 });
    let Some(double) = Double::start(&json!([busy, key, answers("busy", &calm)])) else {
        return;
    };
    let bench = Bench::new(&double.url, &[("index.html", PAGE)]);
    let said = bench.say("anthropic", "make the busy page nicer");
    assert_eq!(said.code, Some(0), "{}", said.all);
    assert!(
        said.notices().contains("Overloaded; trying again"),
        "{}",
        said.all
    );
    let said = bench.say("anthropic", "the wrong key makes it nicer");
    assert_eq!(said.code, Some(1), "{}", said.all);
    assert!(
        said.error()["hint"].to_string().contains("key"),
        "{}",
        said.all
    );
    assert_eq!(double.journal().len(), 3);
}

#[test]
fn what_the_repository_says_does_not_widen_what_may_be_written() {
    let sly = json!({
        "note": "Change the heading",
        "cannot": "",
        "edits": [{ "file": "index.html", "old": "<h1>Hello there</h1>", "new": "<h1>Hi</h1>" }],
        "new_files": [{ "file": ".github/workflows/x.yml", "content": "on: push\n" }],
        "delete_files": [],
    });
    let outside = json!({
        "note": "x", "cannot": "", "edits": [], "delete_files": [],
        "new_files": [{ "file": "../outside.txt", "content": "x" }],
    });
    let fixtures = json!([answers("nicer", &sly), answers("warmer", &outside)]);
    let Some(double) = Double::start(&fixtures) else {
        return;
    };
    let bench = Bench::new(&double.url, &[("index.html", PAGE)]);
    let said = bench.say("anthropic", "make the heading nicer");
    let proposal = said.proposal();
    assert!(
        proposal["warnings"]
            .to_string()
            .contains(".github/workflows/x.yml"),
        "{proposal}"
    );
    let decisions: Vec<(&str, &str)> = proposal["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            (
                file["path"].as_str().unwrap(),
                file["hunks"][0]["decision"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        decisions,
        [
            (".github/workflows/x.yml", "rejected"),
            ("index.html", "accepted")
        ]
    );
    let said = bench.say("anthropic", "make the heading warmer");
    assert_eq!(said.code, Some(1), "{}", said.all);
    assert!(
        said.error()["message"]
            .to_string()
            .contains("leaves the site"),
        "{}",
        said.all
    );
    assert!(
        !bench
            .site
            .path()
            .parent()
            .unwrap()
            .join("outside.txt")
            .exists()
    );
}

#[test]
fn an_answer_that_is_cut_in_the_middle_is_none() {
    let calm = edit("index.html", "<h1>Hello there</h1>", "<h1>Hi</h1>");
    let mut cut = answers("nicer", &calm);
    cut["latency"] = json!(20);
    cut["truncateAfterChunks"] = json!(5);
    let Some(double) = Double::start(&json!([cut])) else {
        return;
    };
    let bench = Bench::new(&double.url, &[("index.html", PAGE)]);
    for engine in ["anthropic", "openai", "compatible"] {
        let said = bench.say(engine, "make the heading nicer");
        assert_eq!(said.code, Some(1), "{engine}: {}", said.all);
        assert!(
            said.error()["message"].to_string().contains("broke off"),
            "{engine}: {}",
            said.all
        );
    }
}

#[test]
fn a_large_change_is_planned_first_and_only_what_is_wanted_is_asked_for() {
    let pages = ["a.html", "b.html", "c.html", "d.html", "e.html"];
    let files: Vec<(&str, &str)> = pages.iter().map(|page| (*page, PAGE)).collect();
    let line = |file: &&str| json!({ "file": file, "what": "a darker heading" });
    let mut plan = edit("a.html", "", "");
    plan["edits"] = json!([]);
    plan["plan"] = pages.iter().map(line).collect();
    let one = |file: &&str| json!({ "file": file, "old": "Hello there", "new": "Hello" });
    let mut edits = plan.clone();
    edits["plan"] = json!([]);
    edits["edits"] = pages.iter().map(one).collect();
    let wanted = answers("The person wants exactly this", &edits);
    let Some(double) = Double::start(&json!([wanted, answers("darker", &plan)])) else {
        return;
    };
    let bench = Bench::new(&double.url, &files);
    // Nobody is there to say yes: nothing is made, and the model is not asked any further.
    let said = bench.say("anthropic", "make everything look darker");
    assert_eq!(said.code, Some(3), "{}", said.all);
    assert_eq!(double.journal().len(), 1);
    let question = said
        .events
        .iter()
        .find(|event| event["data"]["question"]["act"] == "plan");
    let plan = &question.unwrap()["data"]["question"]["plan"];
    assert_eq!(plan.as_array().unwrap().len(), 5);
    assert_eq!(plan[4]["what"], "a darker heading");
    let args = [
        "say",
        "--engine",
        "anthropic",
        "--action",
        "preview",
        "--json",
        "--yes",
        "make it darker",
    ];
    let said = super::Said::of(bench.command(&args).output().unwrap());
    assert_eq!(
        said.proposal()["files"].as_array().unwrap().len(),
        5,
        "{}",
        said.all
    );
    let journal = double.journal();
    assert_eq!(journal.len(), 3);
    assert!(
        journal[2].to_string().contains("e.html: a darker heading"),
        "{}",
        journal[2]
    );
}
