//! Through the real program, as a person has it.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use serde_json::Value;

use super::hub::Hub;
use super::relay::Act;
use super::vcs_support::{Site, env};

pub struct Person<'a> {
    hub: &'a Hub,
    site: &'a Site,
    folder: &'a Path,
}

impl<'a> Person<'a> {
    pub fn new(hub: &'a Hub, site: &'a Site) -> Self {
        Self {
            hub,
            site,
            folder: &site.root,
        }
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let home = self.site.home();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sayso"));
        command
            .args(args)
            .current_dir(self.folder)
            .envs(env(home))
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("SAYSO_HEALTH__WATCH", "0s")
            .env("SAYSO_VCS__COMMIT", "github")
            .env("SAYSO_GITHUB__API", &self.hub.relay.url)
            .env("GITHUB_PAT", &self.hub.token)
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
            .env("RUST_LOG", "trace")
            .env_remove("SAYSO_FAILPOINT")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", both(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn events(&self) -> Vec<Value> {
        let text = self.done(&["events", "--json"]);
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

pub fn both(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_commit_and_a_deployment_with_a_clone() {
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
    let person = Person::new(&hub, &site);
    site.write("index.html", "<h1>New</h1>\n");
    person.done(&["commit", "--yes", "-m", "A new headline"]);
    assert_eq!(hub.head(), site.head());
    assert_eq!(hub.messages()[0], "A new headline");
    assert_eq!(site.status(), "");
    person.done(&[
        "say",
        "Change the headline to Hello there",
        "--action",
        "deploy",
        "--yes",
    ]);
    assert_eq!(hub.head(), site.head());
    assert_eq!(hub.read("index.html"), "<h1>Hello there</h1>\n");
    let events = person.events();
    assert!(
        events
            .iter()
            .any(|event| event["type"] == "deploy_complete"),
        "{events:#?}"
    );
    hub.relay.assert_described();
}

#[test]
fn everything_without_a_clone() {
    let Some(hub) = Hub::new() else { return };
    hub.rival(
        &[
            ("index.html", "<h1>Old</h1>\n"),
            ("style.css", "h1 { color: red }\n"),
        ],
        "Files",
    );
    let site = Site::without_git();
    let person = Person {
        hub: &hub,
        site: &site,
        folder: site.home(),
    };
    let name = hub.full_name();
    person.done(&[
        "-C",
        &name,
        "say",
        "Change the headline to Hello there",
        "--action",
        "deploy",
        "--yes",
    ]);
    assert_eq!(hub.read("index.html"), "<h1>Hello there</h1>\n");
    let status = person.done(&["-C", &name, "status"]);
    assert!(status.contains(&hub.head()[..7]), "{status}");
    // The same by configuration, outside of any repository.
    let output = person
        .command(&["redeploy", "--yes"])
        .env("SAYSO_GITHUB__REPOSITORY", &name)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", both(&output));
    hub.relay.assert_described();
}

#[test]
fn several_processes_at_once_lose_nothing_and_double_nothing() {
    const PEOPLE: usize = 5;
    let Some(hub) = Hub::new() else { return };
    let first = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
    let sites: Vec<Site> = (0..PEOPLE).map(|_| hub.copy(&first)).collect();
    let mut running = Vec::new();
    for (n, site) in sites.iter().enumerate() {
        site.write(&format!("page-{n}.html"), format!("<p>{n}</p>\n"));
        let title = format!("Page {n}");
        running.push(
            Person::new(&hub, site)
                .command(&["commit", "--yes", "-m", &title])
                .env_remove("RUST_LOG")
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        );
    }
    for process in running {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", both(&output));
    }
    for n in 0..PEOPLE {
        assert_eq!(hub.count(&format!("Page {n}")), 1);
        assert_eq!(hub.read(&format!("page-{n}.html")), format!("<p>{n}</p>\n"));
    }
    assert_eq!(hub.messages().len(), PEOPLE + 1);
    for site in &sites {
        assert_eq!(site.status(), "");
    }
}

#[test]
fn lines_that_somebody_else_changed_are_a_conflict() {
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n"), ("mine.txt", "one\n")]);
    let person = Person::new(&hub, &site);
    let theirs = hub.rival(&[("index.html", "<h1>Theirs</h1>\n")], "Theirs");
    site.write("mine.txt", "two\n");
    let output = person.run(&[
        "say",
        "Change the headline to Mine",
        "--action",
        "commit",
        "--yes",
        "--json",
    ]);
    assert_eq!(output.status.code(), Some(3), "{}", both(&output));
    assert!(both(&output).contains("index.html"), "{}", both(&output));
    assert_eq!(hub.head(), theirs);
    assert_eq!(site.read("mine.txt"), "two\n");
}

#[test]
fn the_four_services_by_their_names() {
    let Some(hub) = Hub::new() else { return };
    let page = |title: &str| format!("<h1>{title}</h1>\n");
    let site = hub.clone_of(&[
        ("index.html", &page("Old")),
        ("about.html", &page("About")),
        ("menu.html", &page("Menu")),
    ]);
    let person = Person::new(&hub, &site);
    let count =
        |events: &[Value], kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    site.write("index.html", page("One"));
    person.done(&["instant-sync", "--yes", "-m", "Instant"]);
    let events = person.events();
    assert_eq!(
        (count(&events, "commit"), count(&events, "deploy_complete")),
        (1, 1)
    );
    site.write("index.html", page("Two"));
    person.done(&["quick-commit", "--yes", "-m", "Quick"]);
    let events = person.events();
    assert_eq!(
        (count(&events, "commit"), count(&events, "deploy_complete")),
        (2, 1)
    );
    person.done(&["force-redeploy", "--yes"]);
    person.done(&["force-redeploy", "--yes"]);
    let events = person.events();
    assert_eq!(
        (count(&events, "commit"), count(&events, "deploy_complete")),
        (2, 3)
    );
    for words in [
        "change the headline on the about page to Who we are",
        "change the headline on the menu page to What we cook",
    ] {
        person.done(&["say", words, "--action", "preview"]);
    }
    person.done(&["batch-sync", "--yes", "-m", "Both"]);
    assert_eq!(hub.messages()[..3], ["Both", "Quick", "Instant"]);
    assert_eq!(hub.read("about.html"), page("Who we are"));
    assert_eq!(hub.read("menu.html"), page("What we cook"));
    assert_eq!(count(&person.events(), "deploy_complete"), 4);
    assert_eq!(hub.head(), site.head());
    assert_eq!(site.status(), "");
}

#[test]
fn a_webhook_of_the_stand_in_reaches_the_running_server_once() {
    const SECRET: &str = "of the webhook";
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
    let person = Person::new(&hub, &site);
    let log = site.home().join("serve.log");
    let mut serve = Ends(
        person
            .command(&["serve"])
            .env("GITHUB_WEBHOOK_SECRET", SECRET)
            .env_remove("RUST_LOG")
            .stdout(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap(),
    );
    let said = || std::fs::read_to_string(&log).unwrap();
    let mut url = None;
    wait("it serves", || {
        assert!(
            serve.0.try_wait().unwrap().is_none(),
            "it ended: {}",
            said()
        );
        url = said()
            .lines()
            .find_map(|line| Some(line.strip_prefix("API")?.trim().to_owned()));
        url.is_some()
    });
    let url = format!("{}/api/webhooks/github", url.unwrap().trim_end_matches('/'));
    let own = |path: &str| format!("/repos/{}{path}", hub.full_name());
    let hook = |secret: &str| {
        serde_json::json!({ "active": true, "events": ["push"], "config": {
            "url": url, "content_type": "json", "secret": secret,
        } })
    };
    // One that signs with another secret: what it brings is refused.
    for secret in [SECRET, "another one"] {
        hub.ask("POST", &own("/hooks"), Some(hook(secret)));
    }
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode("new\n");
    let body = serde_json::json!({ "message": "From the page", "content": text });
    hub.ask("PUT", &own("/contents/new.html"), Some(body));
    let head = hub.head();
    let notices = || -> Vec<Value> {
        let events = person.events().into_iter();
        events
            .filter(|event| event["type"] == "notice" && event["data"]["source"] == "github")
            .collect()
    };
    wait("the push is told", || !notices().is_empty());
    let told = notices();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["data"]["kind"], "push");
    assert_eq!(told[0]["data"]["commit"], head);
    assert!(
        told[0]["data"]["message"]
            .as_str()
            .unwrap()
            .contains(&head[..7])
    );
}

/// A process that ends with the test.
struct Ends(std::process::Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !holds() {
        assert!(
            std::time::Instant::now() < deadline,
            "waited in vain: {what}"
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[cfg(feature = "failpoints")]
#[test]
fn a_process_killed_at_any_step_is_finished_by_the_next() {
    for place in [
        "commit.journaled",
        "commit.landed",
        "commit.ref",
        "commit.worktree",
        "commit.finished",
    ] {
        let Some(hub) = Hub::new() else { return };
        let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
        let person = Person::new(&hub, &site);
        site.write("index.html", "<h1>New</h1>\n");
        let output = person
            .command(&["commit", "--yes", "-m", "A new headline"])
            .env("SAYSO_FAILPOINT", place)
            .output()
            .unwrap();
        assert!(!output.status.success(), "{place}: {}", both(&output));
        person.done(&["status"]);
        assert_eq!(hub.count("A new headline"), 1, "{place}");
        assert_eq!(hub.head(), site.head(), "{place}");
        assert_eq!(site.status(), "", "{place}");
    }
}

#[test]
fn a_wait_for_a_limit_is_in_the_timeline() {
    let Some(hub) = Hub::new() else { return };
    let hub = Arc::clone(&hub);
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
    let person = Person::new(&hub, &site);
    let limit = Act::Answer(
        429,
        vec![("retry-after", "1".into())],
        super::relay::refusal("slow down"),
    );
    hub.relay.rule("POST", "/git/commits", limit);
    site.write("index.html", "<h1>New</h1>\n");
    person.done(&["commit", "--yes", "-m", "A new headline"]);
    let told = person
        .events()
        .into_iter()
        .filter(|event| event["type"] == "notice")
        .any(|event| {
            event["data"]["message"]
                .as_str()
                .unwrap_or_default()
                .contains("1 s")
        });
    assert!(told);
}
