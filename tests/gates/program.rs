//! Through the real program: a process that is killed, and the file that `sayso init` writes.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::stage::{self, git, site, wait_for, write};

/// A site, its state, and the program on it.
pub struct Bench {
    pub site: tempfile::TempDir,
    state: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            site: site(&[("index.html", "<h1>one</h1>\n")]),
            state: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.state.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        stage::sayso(self.site.path(), self.state.path(), args)
    }

    pub fn sayso(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn spawn(&self, args: &[&str]) -> Child {
        self.command(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn status(&self) -> Value {
        let output = self.sayso(&["status", "--json"]);
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    fn events(&self) -> Vec<Value> {
        let output = self.sayso(&["events", "--json"]);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn commit(site: &Path, text: &str) -> String {
    write(site, "index.html", &format!("<h1>{text}</h1>\n"));
    git(site, &["commit", "-qam", text]);
    git(site, &["rev-parse", "HEAD"]).trim().to_owned()
}

/// What a killed server was at: a deployment that was built, and one that waited for its turn.
struct Killed {
    running: Value,
    queued: Value,
    /// The commit of the one that waited.
    newest: String,
    /// The configuration.
    text: String,
}

async fn killed(bench: &Bench) -> Killed {
    let (block, builds) = (bench.path("block"), bench.path("builds"));
    let build = format!(
        "echo $SAYSO_ENVIRONMENT >> {}; while [ -e {} ]; do sleep 0.05; done; mkdir -p out && cp index.html out/",
        builds.display(),
        block.display()
    );
    std::fs::write(&block, "").unwrap();
    let text = format!("[build]\ncommand = \"{build}\"\noutput = \"out\"\n");
    std::fs::write(bench.site.path().join("sayso.toml"), &text).unwrap();
    let mut server = bench.spawn(&["serve"]);
    wait_for("the server", async || {
        let output = bench.sayso(&["status", "--json"]);
        output.status.success().then_some(())
    })
    .await;
    let mut first = bench.spawn(&["deploy", "--yes"]);
    wait_for("the build", async || builds.exists().then_some(())).await;
    let newest = commit(bench.site.path(), "two");
    let mut second = bench.spawn(&["deploy", "--yes"]);
    let locked = wait_for("the queue", async || {
        let status = bench.status();
        let production = status["environments"][0].clone();
        production["queued"].is_object().then_some(production)
    })
    .await;
    assert_eq!(locked["lock"]["owner"], "Ada");

    server.kill().unwrap(); // SIGKILL
    server.wait().unwrap();
    for client in [&mut first, &mut second] {
        // Whoever followed it hears no more; one of them may have become the server in its place.
        let _ = client.kill();
        client.wait().unwrap();
    }
    std::fs::remove_file(&block).unwrap();
    Killed {
        running: locked["lock"]["deployment"].clone(),
        queued: locked["queued"]["deployment"].clone(),
        newest,
        text,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_that_began_meanwhile_holds_what_was_queued_and_not_what_ran() {
    let bench = Bench::new();
    let killed = killed(&bench).await;
    let config = |more: &str| {
        let text = format!(
            "{}[[environment]]\nname = \"production\"\n{more}\n",
            killed.text
        );
        std::fs::write(bench.site.path().join("sayso.toml"), text).unwrap();
    };
    config("freeze = [\"2001-01-01 - 2999-01-01\"]");
    let status = wait_for("the end of what ran", async || {
        let status = bench.status();
        (status["deployments"][0]["state"] == "waiting").then_some(status)
    })
    .await;
    assert_eq!(status["deployments"][0]["id"], killed.queued);
    assert!(status["deployments"][0]["gate"]["frozen_until"].is_string());
    assert!(
        status["environments"][0].get("lock").is_none(),
        "nobody is at it: {status}"
    );
    assert_ne!(status["live"][0]["commit"], killed.newest.as_str());
    config("");
    bench.status();
    let status = bench.status();
    assert_eq!(status["live"][0]["commit"], killed.newest.as_str());
    let events = bench.events();
    let ends: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "deploy_complete")
        .map(|event| &event["deployment"])
        .collect();
    assert_eq!(ends, [&killed.running, &killed.queued]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_leaves_no_lock_and_what_was_queued_comes_after_what_ran() {
    let bench = Bench::new();
    let Killed {
        running,
        queued,
        newest,
        ..
    } = &killed(&bench).await;

    // The next start takes up both, in their order, and ends when they have ended.
    bench.status();
    let status = bench.status();
    assert_eq!(status["deployments"], serde_json::json!([]));
    let production = &status["environments"][0];
    assert!(
        production.get("lock").is_none() && production.get("queued").is_none(),
        "{production}"
    );
    assert_eq!(status["live"][0]["commit"], newest.as_str());
    let events = bench.events();
    let ends: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "deploy_complete")
        .map(|event| &event["deployment"])
        .collect();
    assert_eq!(ends, [running, queued]);
    let starts = events
        .iter()
        .filter(|event| event["type"] == "deploy_start");
    assert_eq!(starts.count(), 2, "each began once");
}

/// The power is cut right after the request is stored, and right after the yes is.
#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_no_request_and_no_yes() {
    for (boundary, waits) in [("deploy.stored", true), ("deploy.approved", false)] {
        let bench = Bench::new();
        let text = "[[environment]]\nname = \"production\"\napproval = \"ask\"\n";
        std::fs::write(bench.site.path().join("sayso.toml"), text).unwrap();
        let cut = bench
            .command(&["deploy", "--yes"])
            .env("SAYSO_FAILPOINT", boundary)
            .output()
            .unwrap();
        assert_eq!(cut.status.signal(), Some(6), "{boundary}: {cut:?}");
        // The next start goes on from there, and ends when that has ended.
        bench.status();
        let status = bench.status();
        if waits {
            assert_eq!(status["deployments"][0]["state"], "waiting", "{boundary}");
            assert_eq!(status["live"], serde_json::json!([]), "{boundary}");
            let output = bench.sayso(&["approve", "--yes"]);
            assert!(output.status.success(), "{boundary}: {output:?}");
        }
        let status = bench.status();
        assert_eq!(status["deployments"], serde_json::json!([]), "{boundary}");
        assert_eq!(status["live"].as_array().unwrap().len(), 1, "{boundary}");
        let events = bench.events();
        for kind in ["approved", "deploy_start", "deploy_complete"] {
            let told = events.iter().filter(|event| event["type"] == kind);
            assert_eq!(told.count(), 1, "{boundary}: {kind}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn init_writes_three_environments_that_work() {
    let bench = Bench::new();
    let site = bench.site.path();
    // Not told to, it makes no branch and says how.
    let output = bench.sayso(&["init", "--environments", "three"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && said.contains("git branch develop main"),
        "{said}"
    );
    assert_eq!(
        git(site, &["branch", "--format=%(refname:short)"]),
        "main\n"
    );
    std::fs::remove_file(site.join("sayso.toml")).unwrap();
    let output = bench.sayso(&["init", "--environments", "three", "--yes"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        git(site, &["branch", "--format=%(refname:short)"]),
        "develop\nmain\nstaging\n"
    );
    // A person's own branch is as it was.
    assert_eq!(git(site, &["symbolic-ref", "--short", "HEAD"]), "main\n");
    let status = bench.status();
    let names: Vec<&str> = status["environments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["production", "sandbox", "staging"]);
    assert_eq!(status["environment"], "sandbox");
    git(site, &["checkout", "-q", "develop"]);
    let tip = commit(site, "two");
    let output = bench.sayso(&["deploy", "--yes"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let output = bench.sayso(&["promote", "sandbox", "staging", "--yes"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Staging leads to production by itself, where somebody must say yes.
    let status = bench.status();
    assert_eq!(status["deployments"][0]["state"], "waiting", "{status}");
    let output = bench.sayso(&["approve", "--yes"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let status = bench.status();
    let live = status["live"].as_array().unwrap();
    assert_eq!(live.len(), 3);
    assert!(
        live.iter().all(|live| live["commit"] == tip.as_str()),
        "{live:?}"
    );
    let releases: std::collections::BTreeSet<&str> = live
        .iter()
        .map(|live| live["release"].as_str().unwrap())
        .collect();
    assert_eq!(releases.len(), 1, "one release, made once");
    // Where there is a file already, nothing is written.
    let output = bench.sayso(&["init", "--environments", "one"]);
    assert_eq!(output.status.code(), Some(4));
}
