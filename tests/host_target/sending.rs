//! What travels when all goes well.

use std::process::Command;

use crate::relay::Relay;
use crate::world::*;

/// A host behind a relay, and a sender that knows the relay's address.
pub fn pair(files: &[(&str, &str)]) -> (Host, Relay, Sender) {
    let relay = Relay::start();
    let mut host = Host::new();
    let name = format!("[\"{}\"]", relay.addr);
    host.set("SAYSO_SERVER__HOSTS", &name);
    relay.lead_to(host.port);
    let sender = Sender::new(files, &format!("http://{}", relay.addr));
    (host, relay, sender)
}

#[test]
fn only_what_is_missing_travels_and_the_way_back_is_short() {
    let (mut host, relay, sender) = pair(&[
        ("index.html", "<h1>one</h1>"),
        ("about.html", "<h1>about</h1>"),
        ("a/copy.html", "<h1>about</h1>"),
        ("style.css", "body{}"),
        (".env", "SECRET=1"),
    ]);
    host.start(&[]);
    let url = sender.live();
    assert_eq!(fetch(&url), "<h1>one</h1>");
    assert_eq!(fetch(&format!("{url}a/copy.html")), "<h1>about</h1>");
    assert!(!fetch(&format!("{url}.env")).contains("SECRET"));
    // Two pages have the same content, and one file is none of a visitor's.
    assert_eq!(relay.pieces(), 3);

    sender.commit("index.html", b"<h1>two</h1>");
    assert_eq!(sender.live(), url);
    assert_eq!(fetch(&url), "<h1>two</h1>");
    assert_eq!(relay.pieces(), 1);

    // Nothing has changed: nothing is sent, and the same release stays.
    sender.live();
    assert_eq!(relay.pieces(), 0);
    // A redeploy makes a new release of what is there.
    let (again, all) = last(&sender.sayso(&["redeploy", "--yes", "--json"]));
    assert_eq!(again["type"], "deploy_complete", "{all:#?}");
    assert_eq!(relay.pieces(), 0);

    let listed = sender.sayso(&["deployments", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let releases = listed["releases"][0]["releases"].as_array().unwrap();
    assert_eq!(releases.len(), 3, "{releases:#?}");
    let first = releases[2]["id"].as_str().unwrap();
    let back = sender.sayso(&["rollback", "--yes", "--json", "--to", first]);
    assert!(back.status.success(), "{back:?}");
    assert_eq!(fetch(&url), "<h1>one</h1>");
    let status = sender.sayso(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["live"][0]["release"], first);
    assert_eq!(status["live"][0]["url"], url);
}

#[test]
fn a_release_that_the_host_finds_unwell_never_goes_live_there() {
    let (mut host, relay, sender) = pair(&[("index.html", "<h1>good</h1>")]);
    host.set("SAYSO_HEALTH__EXPECT", "good");
    host.start(&[]);
    let url = sender.live();
    sender.commit("index.html", b"<h1>poor</h1>");
    let (last, all) = sender.deploy();
    assert_eq!(last["type"], "deploy_error", "{all:#?}");
    let message = last["data"]["message"].as_str().unwrap();
    assert!(message.contains("\"good\""), "{message}");
    assert_eq!(fetch(&url), "<h1>good</h1>");
    // Another project's server is not written to.
    let mut stranger = Sender::new(&[("index.html", "x")], &format!("http://{}", relay.addr));
    stranger.set("SAYSO_DEPLOY__HOST__PROJECT", "blog");
    let (last, _) = stranger.deploy();
    let message = last["data"]["message"].as_str().unwrap();
    assert!(message.contains("\"shop\", not \"blog\""), "{message}");
    stranger.set("SAYSO_HOST_TOKEN", "some-other-token-of-16");
    let (last, _) = stranger.deploy();
    let hint = last["data"]["hint"].as_str().unwrap();
    assert!(hint.contains("SAYSO_HOST_TOKEN"), "{last}");
}

#[test]
fn a_site_is_built_here_and_promoted_there() {
    let toml = "[[environment]]\nname = \"staging\"\n[build]\ncommand = \"mkdir www && sed s/NAME/world/ page.txt > \
                www/index.html\"\noutput = \"www\"\n";
    let (mut host, relay, sender) = pair(&[("page.txt", "hello NAME"), ("sayso.toml", toml)]);
    let config = host.home.path().join("CONFIG/sayso");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(
        config.join("config.toml"),
        "[[environment]]\nname = \"staging\"\n",
    )
    .unwrap();
    host.start(&[]);
    let (last, all) = last(&sender.sayso(&["deploy", "--yes", "--json", "--env", "staging"]));
    assert_eq!(last["type"], "deploy_complete", "{all:#?}");
    assert_eq!(
        fetch(last["data"]["url"].as_str().unwrap()).trim(),
        "hello world"
    );
    assert_eq!(relay.pieces(), 1);
    let (last, all) =
        crate::world::last(&sender.sayso(&["promote", "staging", "production", "--yes", "--json"]));
    assert_eq!(last["type"], "deploy_complete", "{all:#?}");
    assert_eq!(
        fetch(last["data"]["url"].as_str().unwrap()).trim(),
        "hello world"
    );
    assert_eq!(relay.pieces(), 0);
}

#[test]
fn it_travels_over_tls_and_only_to_who_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        println!("skipped: openssl cannot make a certificate here");
        return;
    }
    let mut host = Host::new();
    host.set("SAYSO_SERVER__TLS_CERT", cert.to_str().unwrap());
    host.set("SAYSO_SERVER__TLS_KEY", key.to_str().unwrap());
    let address = host.start(&[]);
    assert_eq!(address, format!("https://127.0.0.1:{}/", host.port));
    let mut sender = Sender::new(&[("index.html", "<h1>safe</h1>")], &address);
    let (last, _) = sender.deploy();
    assert_eq!(last["type"], "deploy_error", "{last}");
    assert!(
        last["data"]["hint"]
            .as_str()
            .unwrap()
            .contains("certificate"),
        "{last}"
    );
    sender.set("SAYSO_DEPLOY__HOST__CA", cert.to_str().unwrap());
    assert_eq!(fetch(&sender.live()), "<h1>safe</h1>");
    // Programs on the host itself come in beside it.
    let mut status = host.home.command();
    let folder = host.home.path().join("STATE/sayso/received/shop");
    let status = status
        .args(["-C", folder.to_str().unwrap(), "status", "--json"])
        .output()
        .unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["live"][0]["environment"], "production");
}
