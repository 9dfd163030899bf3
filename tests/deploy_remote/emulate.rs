//! The real program against a stand-in for Vercel that nobody of this project wrote.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use axum::response::Response;
use serde_json::{Value, json};

use super::emulate_support::{Services, TOKEN};
use super::service::{Script, Seen, Service, page};

/// The stand-in serves no sites: here is one that is another one at each look.
#[derive(Default)]
struct Site(Mutex<u32>);

impl Script for Site {
    fn answer(&self, _request: &Seen) -> Response {
        let mut count = self.0.lock().unwrap();
        *count += 1;
        page(200, &format!("page {count}"))
    }
}

/// Runs the program in `home` on the site there; returns what it printed.
fn sayso(home: &Path, vercel: &str, args: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sayso"))
        .args(args)
        .current_dir(home.join("site"))
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_STATE_HOME", home.join("state"))
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("XDG_DATA_HOME", home.join("data"))
        .env("VERCEL_API_URL", vercel)
        .env("VERCEL_TOKEN", TOKEN)
        .env("VERCEL_PROJECT_ID", "site")
        .env_remove("VERCEL_ORG_ID")
        .output()
        .unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!text.contains(TOKEN), "{text}");
    (output.status.success(), text)
}

fn events(text: &str, kind: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["type"] == kind)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_deploys_to_a_stand_in_for_vercel() {
    let Some(services) = Services::start() else {
        return;
    };
    let site = Service::start(|_| Site::default()).await;
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("site");
    std::fs::create_dir(&folder).unwrap();
    let git = |args: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
            .args(args)
            .current_dir(&folder)
            .env("HOME", home.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    std::fs::write(folder.join("index.html"), "<h1>Hello</h1>").unwrap();
    std::fs::write(folder.join("style.css"), "h1{}").unwrap();
    let settings = format!(
        "[deploy]\ntarget = \"vercel\"\n[deploy.vercel]\nurl = \"{}\"\n",
        site.url
    );
    std::fs::write(folder.join("sayso.toml"), settings).unwrap();
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "first"]);

    let vercel = services.vercel.clone();
    let (root, api) = (home.path().to_owned(), vercel.clone());
    let (good, text) =
        tokio::task::spawn_blocking(move || sayso(&root, &api, &["deploy", "--yes", "--json"]))
            .await
            .unwrap();
    assert!(good, "{text}");
    let complete = &events(&text, "deploy_complete")[0];
    assert_eq!(complete["data"]["url"], site.url.as_str());
    assert_eq!(complete["data"]["commit"], git(&["rev-parse", "HEAD"]));

    // The stand-in has it, with our id.
    let release = complete["data"]["release"].as_str().unwrap();
    let http = super::support::http();
    let there: Value = http
        .get(format!("{vercel}/v13/deployments/{release}"))
        .bearer_auth(TOKEN)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(there["meta"]["saysoDeployment"], complete["deployment"]);
    assert_eq!(there["target"], "production");

    // Made there by somebody else: it is listed here by the next run that looks.
    let made = http
        .post(format!("{vercel}/v13/deployments"))
        .bearer_auth(TOKEN)
        .json(&json!({"name": "site", "target": "production"}))
        .send()
        .await
        .unwrap();
    assert!(made.status().is_success());
    let (root, api) = (home.path().to_owned(), vercel.clone());
    let (good, text) =
        tokio::task::spawn_blocking(move || sayso(&root, &api, &["deploy", "--yes", "--json"]))
            .await
            .unwrap();
    assert!(good, "{text}");
    let (root, api) = (home.path().to_owned(), vercel);
    let (good, text) =
        tokio::task::spawn_blocking(move || sayso(&root, &api, &["deployments", "--json"]))
            .await
            .unwrap();
    assert!(good, "{text}");
    assert!(text.matches("\"vercel\"").count() >= 2, "{text}");

    // The token is nowhere on the disk: not in the log, not in the database, not in what is remembered.
    let mut folders = vec![home.path().to_owned()];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                read += 1;
                let token = TOKEN.as_bytes();
                assert!(
                    !bytes.windows(token.len()).any(|window| window == token),
                    "{}",
                    path.display()
                );
            }
        }
    }
    assert!(read > 10, "{read} files");
}
