//! Through the real program: on the state of a project that nobody serves, and on a server.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::stage::{self, site};

struct Bench {
    site: tempfile::TempDir,
    state: tempfile::TempDir,
    server: Option<Child>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

impl Bench {
    fn new() -> Self {
        Self {
            site: site(&[("index.html", "<h1>one</h1>\n")]),
            state: tempfile::tempdir().unwrap(),
            server: None,
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        stage::sayso(self.site.path(), self.state.path(), args)
    }

    /// Runs the program, which must end with `code`; what it wrote to stdout and stderr.
    fn ends(&self, code: i32, args: &[&str]) -> (String, String) {
        said(code, args, &self.command(args).output().unwrap())
    }

    fn json(&self, args: &[&str]) -> Value {
        let all: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let (out, _) = self.ends(0, &all);
        assert_eq!(out.lines().count(), 1, "{out}");
        serde_json::from_str(&out).unwrap()
    }

    /// Starts the server; its address.
    fn serve(&mut self) -> String {
        let mut child = self
            .command(&["serve"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        std::thread::spawn(move || for _ in said.lines() {});
        self.server = Some(child);
        line.trim().strip_prefix("API").unwrap().trim().to_owned()
    }

    /// The state folder of the site's project.
    fn project(&self) -> PathBuf {
        self.project_of(self.site.path().file_name().unwrap().to_str().unwrap())
    }

    /// The state folder of the project that is called `name`.
    fn project_of(&self, name: &str) -> PathBuf {
        let projects = self.state.path().join("state/sayso/projects");
        let mut entries = std::fs::read_dir(projects)
            .unwrap()
            .map(|it| it.unwrap().path());
        entries
            .find(|path| {
                path.file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .starts_with(name)
            })
            .unwrap()
    }
}

fn said(code: i32, args: &[&str], output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}: {err}\n{out}");
    (out, err)
}

#[test]
fn tokens_are_made_where_no_server_runs_and_used_on_one() {
    let mut bench = Bench::new();
    let (out, _) = bench.ends(0, &["token", "list"]);
    assert!(out.contains("sayso token create"), "{out}");
    let create = [
        "token",
        "create",
        "--role",
        "author",
        "--name",
        "Bob",
        "--expires",
        "2d",
    ];
    let (out, err) = bench.ends(0, &create);
    // The token alone is on stdout.
    let bob = out.trim().to_owned();
    assert_eq!(
        (bob.split('.').count(), out.lines().count()),
        (3, 1),
        "{out}"
    );
    assert!(
        err.contains("Bob: author") && err.contains("not shown again"),
        "{err}"
    );
    let keys = bench.project().join("keys.json");
    let mode = std::fs::metadata(&keys).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!bench.site.path().join("keys.json").exists());
    let grace = [
        "token",
        "create",
        "--role",
        "deployer",
        "--name",
        "Grace",
        "--room",
        "proposal:*=viewer",
    ];
    let grace = bench.json(&grace);
    assert_eq!(grace["rooms"]["proposal:*"], "viewer");
    for (args, why) in [
        (
            &["token", "create", "--role", "root", "--name", "x"][..],
            "not a role",
        ),
        (&["token", "create", "--role", "author"], "--name"),
        (
            &[
                "token", "create", "--role", "author", "--name", "x", "--room", "y",
            ],
            "NAME=ROLE",
        ),
        (
            &[
                "token",
                "create",
                "--role",
                "author",
                "--name",
                "x",
                "--expires",
                "long",
            ],
            "--expires",
        ),
    ] {
        let (_, err) = bench.ends(2, args);
        assert!(err.contains(why), "{args:?}: {err}");
    }
    let (_, err) = bench.ends(
        1,
        &[
            "token",
            "create",
            "--role",
            "author",
            "--name",
            "x",
            "--expires",
            "400d",
        ],
    );
    assert!(err.contains("366 days"), "{err}");
    let (_, err) = bench.ends(1, &["token", "list", "--project", "elsewhere"]);
    assert!(err.contains("no project elsewhere"), "{err}");

    // On the server that is started now they are known.
    let url = bench.serve();
    let (out, _) = bench.ends(0, &["token", "list"]);
    assert!(
        out.contains("Bob") && out.contains("viewer in proposal:*"),
        "{out}"
    );
    assert!(!out.contains(&bob));
    let with = |token: &str, args: &[&str]| {
        let mut command = bench.command(args);
        command.env("SAYSO_TOKEN", token);
        command
    };
    // By the server's address from anywhere, or beside it.
    let there = ["--server", url.as_str(), "token", "whoami"];
    let output = with(&bob, &there).output().unwrap();
    let (out, _) = said(0, &there, &output);
    assert!(out.starts_with("Bob: author on"), "{out}");
    let here = ["token", "whoami", "--json"];
    let output = with(&bob, &here).output().unwrap();
    let me: Value = serde_json::from_str(&said(0, &here, &output).0).unwrap();
    assert_eq!(me["actor"], "Bob");
    for args in [
        &["deploy", "--yes"][..],
        &["token", "list"],
        &["token", "audit"],
    ] {
        let output = with(&bob, args).output().unwrap();
        let (_, err) = said(3, args, &output);
        assert!(
            err.contains("needs the role") && err.contains("next:"),
            "{err}"
        );
    }
    let deploy = ["deploy", "--yes"];
    let output = with(grace["token"].as_str().unwrap(), &deploy)
        .output()
        .unwrap();
    said(0, &deploy, &output);

    // Who did what.
    let audit = bench.json(&["token", "audit", "--name", "Bob"]);
    let tried = &audit.as_array().unwrap()[0];
    assert_eq!(
        (&tried["path"], &tried["status"]),
        (&"/api/sync/deploy".into(), &403.into())
    );
    let (out, _) = bench.ends(0, &["token", "audit"]);
    assert!(out.contains("Grace (deployer, tok_"), "{out}");

    // Rotated: old ones stay; revoked: they end.
    let first = bench.json(&["token", "key"]);
    let rotated = bench.json(&["token", "rotate"]);
    assert_ne!(first[0]["id"], rotated["key"]["id"]);
    let output = with(&bob, &here).output().unwrap();
    said(0, &here, &output);
    let (out, _) = bench.ends(0, &["token", "revoke", "Bob"]);
    assert!(out.contains("revoked"), "{out}");
    let output = with(&bob, &here).output().unwrap();
    let (_, err) = said(1, &here, &output);
    assert!(err.contains("was revoked"), "{err}");
    let rotated = bench.json(&["token", "rotate", "--revoke"]);
    assert_eq!(rotated["revoked"], serde_json::json!([grace["id"]]));
    let (out, _) = bench.ends(0, &["token", "list", "--all"]);
    assert_eq!(out.matches("revoked").count(), 2, "{out}");
    bench.ends(1, &["token", "revoke", "Bob"]);
}

#[test]
fn one_server_serves_several_projects_and_a_token_is_for_one_of_them() {
    let mut bench = Bench::new();
    let other = site(&[("index.html", "<h1>other</h1>\n")]);
    let name = |dir: &std::path::Path| dir.file_name().unwrap().to_str().unwrap().to_owned();
    let (first, second) = (name(bench.site.path()), name(other.path()));
    let dir = other.path().to_str().unwrap().to_owned();
    let mut child = bench
        .command(&["serve", "--project", &dir])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    let url = line().strip_prefix("API").unwrap().trim().to_owned();
    let told = [line(), line()].join("\n");
    bench.server = Some(child);
    for name in [&first, &second] {
        let path = sayso::model::token::project_path(name);
        assert!(told.contains(&path), "{told}");
    }
    // Who works in the other folder finds its project there.
    let in_other = |args: &[&str]| {
        let mut command = bench.command(args);
        command.current_dir(other.path());
        said(0, args, &command.output().unwrap()).0
    };
    let me: Value = serde_json::from_str(&in_other(&["token", "whoami", "--json"])).unwrap();
    assert_eq!(me["project"], second.as_str());
    let create = ["token", "create", "--role", "deployer", "--name", "Grace"];
    let grace = in_other(&create).trim().to_owned();
    // A project is named by hand, too.
    let (out, _) = bench.ends(0, &["token", "list", "--project", &second]);
    assert!(out.contains("Grace"), "{out}");
    let (out, _) = bench.ends(0, &["token", "list"]);
    assert!(!out.contains("Grace"), "{out}");
    // Her token opens the one project and not the other, nor its list of tokens.
    let base = format!("{url}projects/{second}");
    let there = |base: &str, token: &str, args: &[&str]| {
        let args: Vec<&str> = ["--server", base].iter().chain(args).copied().collect();
        let mut command = bench.command(&args);
        command.env("SAYSO_TOKEN", token).output().unwrap()
    };
    let whoami = ["token", "whoami"];
    let (out, _) = said(0, &whoami, &there(&base, &grace, &whoami));
    assert!(out.contains(&second), "{out}");
    said(1, &whoami, &there(&url, &grace, &whoami));
    let deploy = ["deploy", "--yes"];
    said(0, &deploy, &there(&base, &grace, &deploy));
    let (out, _) = said(0, &["deployments"], &there(&base, &grace, &["deployments"]));
    assert!(!out.is_empty());
    // Who may see what: the server's own token all, hers one.
    let state = std::fs::read(bench.project_of(&first).join("server.json")).unwrap();
    let owner: Value = serde_json::from_slice(&state).unwrap();
    let list = |token: &str| -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let listed: Value = runtime.block_on(async {
            let request = crate::support::http().get(format!("{base}/api/projects"));
            let answer = request.bearer_auth(token).send().await.unwrap();
            answer.json().await.unwrap()
        });
        let names = listed.as_array().unwrap().iter();
        names
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        list(owner["token"].as_str().unwrap()),
        [first.clone(), second.clone()]
    );
    assert_eq!(list(&grace), [second]);
}
