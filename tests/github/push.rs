//! Pushing with git: the commit stays, whatever becomes of the push.

use sayso::vcs::{Pushing, Repository};

use super::clone::commit;
use super::vcs_support::Site;

fn with_server() -> Site {
    let site = Site::with([("index.html", "<h1>Old</h1>\n")]);
    let server = site.home().join("server.git");
    let server = server.to_str().unwrap();
    site.git_in(site.home(), &["init", "-q", "--bare", "-b", "main", server])
        .unwrap();
    site.git(["remote", "add", "origin", server]);
    site.git(["push", "-q", "origin", "main"]);
    site
}

fn server_head(site: &Site) -> String {
    let server = site.home().join("server.git");
    site.git_in(&server, &["rev-parse", "main"])
        .unwrap()
        .trim()
        .to_owned()
}

#[tokio::test]
async fn a_commit_is_pushed_and_said_to_be() {
    let site = with_server();
    let repo = Pushing::new(site.open().await, "origin");
    let mut told = repo.told().unwrap();
    let done = commit(&repo, &site, vec![site.replace("index.html", "Old", "New")])
        .await
        .unwrap();
    assert_eq!(done.trouble, None);
    assert_eq!(server_head(&site), site.head());
    drop(repo);
    let mut words = Vec::new();
    while let Some(line) = told.recv().await {
        words.push(line);
    }
    assert!(
        words
            .iter()
            .any(|line| line.contains("is pushed to origin")),
        "{words:?}"
    );
}

#[tokio::test]
async fn a_push_that_fails_leaves_the_commit_and_says_why() {
    let site = with_server();
    let other = site.home().join("other");
    let other_name = other.to_str().unwrap();
    site.git_in(
        site.home(),
        &[
            "clone",
            "-q",
            site.home().join("server.git").to_str().unwrap(),
            other_name,
        ],
    )
    .unwrap();
    std::fs::write(other.join("theirs.txt"), "theirs\n").unwrap();
    let identity = ["-c", "user.name=G", "-c", "user.email=g@example.com"];
    site.git_in(&other, &["add", "-A"]).unwrap();
    site.git_in(
        &other,
        &[&identity[..], &["commit", "-q", "-m", "Theirs"]].concat(),
    )
    .unwrap();
    site.git_in(&other, &["push", "-q"]).unwrap();

    let repo = Pushing::new(site.open().await, "origin");
    let done = commit(&repo, &site, vec![site.replace("index.html", "Old", "New")])
        .await
        .unwrap();
    assert_eq!(done.commit, site.head());
    let trouble = done.trouble.unwrap();
    assert!(trouble.is("push-behind"), "{trouble}");
    assert!(trouble.hint.unwrap().contains("git pull --rebase"));

    // A server that refuses, one that is not there, and no server at all.
    site.git(["pull", "-q", "--rebase", "origin", "main"]);
    let hook = site.home().join("server.git/hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\necho no pushes on a Friday >&2\nexit 1\n").unwrap();
    std::process::Command::new("chmod")
        .arg("+x")
        .arg(&hook)
        .status()
        .unwrap();
    let done = commit(
        &repo,
        &site,
        vec![site.replace("index.html", "New", "Newer")],
    )
    .await
    .unwrap();
    let trouble = done.trouble.unwrap();
    assert!(
        trouble.is("push-refused") && trouble.detail.contains("Friday"),
        "{trouble}"
    );

    site.git([
        "remote",
        "set-url",
        "origin",
        "http://ada:canary@127.0.0.1:9/site.git",
    ]);
    let done = commit(
        &repo,
        &site,
        vec![site.replace("index.html", "Newer", "Newest")],
    )
    .await
    .unwrap();
    let trouble = done.trouble.unwrap();
    assert!(trouble.is("push-unreachable"), "{trouble}");
    assert!(!format!("{trouble:?}").contains("canary"), "{trouble:?}");

    site.git(["remote", "remove", "origin"]);
    let done = commit(
        &repo,
        &site,
        vec![site.replace("index.html", "Newest", "Last")],
    )
    .await
    .unwrap();
    assert!(done.trouble.unwrap().is("no-remote"));
    assert_eq!(site.status(), "");
}
