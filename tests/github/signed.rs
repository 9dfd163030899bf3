//! Commits that GitHub makes and signs itself. The stand-in knows no GraphQL: the one mutation is made of its parts here,
//! with the rules that GitHub documents.

use std::sync::Arc;

use base64::Engine;
use futures::FutureExt;
use sayso::model::Content;
use sayso::vcs::Repository;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::clone::commit;
use super::hub::Hub;
use super::relay::Act;
use super::remote;
use super::vcs_support::file;

const TITLE: &str = "Change the headline";

/// `createCommitOnBranch`, on the stand-in.
fn mutation(hub: &Hub, body: &Value) -> Value {
    let input = &body["variables"]["input"];
    assert!(
        body["query"]
            .as_str()
            .unwrap()
            .contains("createCommitOnBranch")
    );
    assert_eq!(input["branch"]["repositoryNameWithOwner"], hub.full_name());
    let own = |path: &str| format!("/repos/{}{path}", hub.full_name());
    let stale = json!({ "data": { "createCommitOnBranch": null }, "errors": [
        { "type": "STALE_DATA", "path": ["createCommitOnBranch"], "message": "Expected branch to point to …" },
    ] });
    if input["expectedHeadOid"] != hub.head() {
        return stale;
    }
    let changes = &input["fileChanges"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut entries: Vec<Value> = Vec::new();
    for addition in changes["additions"].as_array().unwrap() {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(text(&addition["contents"]))
            .unwrap();
        entries.push(json!({
            "path": addition["path"], "mode": "100644", "type": "blob",
            "content": String::from_utf8(bytes).unwrap(),
        }));
    }
    for deletion in changes["deletions"].as_array().unwrap() {
        entries.push(
            json!({ "path": deletion["path"], "mode": "100644", "type": "blob", "sha": null }),
        );
    }
    let tree = hub.ask(
        "POST",
        &own("/git/trees"),
        Some(json!({ "base_tree": hub.tree(), "tree": entries })),
    );
    let headline = text(&input["message"]["headline"]);
    let made = hub.ask(
        "POST",
        &own("/git/commits"),
        Some(json!({ "message": headline, "tree": tree["sha"], "parents": [hub.head()] })),
    );
    let patch = json!({ "sha": made["sha"], "force": false });
    match hub
        .try_ask("PATCH", &own("/git/refs/heads/main"), Some(patch))
        .0
    {
        200 => json!({ "data": { "createCommitOnBranch": { "commit": { "oid": made["sha"] } } } }),
        _ => stale,
    }
}

fn serve(hub: &Arc<Hub>, times: usize) {
    let other = Arc::clone(hub);
    let act = Act::Own(Arc::new(move |body| {
        let answer = mutation(&other, &body);
        async move { answer }.boxed()
    }));
    hub.relay.nth("POST", "/graphql", 0, times, act);
}

#[tokio::test]
async fn github_makes_the_commit_and_the_clone_takes_it_over() {
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n"), ("gone.txt", "gone\n")]);
    serve(&hub, usize::MAX);
    let repo = hub.cloned(site.open().await, true);
    hub.relay.take();
    let files = vec![
        site.replace("index.html", "Old", "New"),
        file("gone.txt", Content::text("gone\n"), Content::Absent),
    ];
    let done = commit(&repo, &site, files).await.unwrap();
    let sent = hub.relay.take();
    assert!(sent.len() <= 5, "{sent:#?}");
    assert_eq!(done.trouble, None);
    assert_eq!(
        (done.commit.clone(), done.commit),
        (site.head(), hub.head())
    );
    assert_eq!(site.status(), "");
    assert_eq!(hub.count(TITLE), 1);
}

#[tokio::test]
async fn a_lost_answer_does_not_make_a_second_commit() {
    for cloned in [true, false] {
        let Some(hub) = Hub::new() else { return };
        let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
        let other = Arc::clone(&hub);
        // It is done, and the answer is a bad gateway's.
        let act = Act::Own(Arc::new(move |body| {
            mutation(&other, &body);
            async { json!({ "message": "Something went wrong" }) }.boxed()
        }));
        hub.relay.rule("POST", "/graphql", act);
        serve(&hub, usize::MAX);
        let done = if cloned {
            let repo = hub.cloned(site.open().await, true);
            commit(&repo, &site, vec![site.replace("index.html", "Old", "New")]).await
        } else {
            let cache = tempfile::tempdir().unwrap();
            let repo = hub.remote(cache.path(), true).await;
            let change = remote::change("index.html", "<h1>Old</h1>\n", "<h1>New</h1>\n");
            remote::commit(&repo, vec![change]).await
        };
        assert_eq!(done.unwrap().commit, hub.head());
        assert_eq!(hub.count(TITLE), 1);
    }
}

#[tokio::test]
async fn a_stale_head_is_seen_though_the_answer_is_200() {
    let Some(hub) = Hub::new() else { return };
    let cache = tempfile::tempdir().unwrap();
    let repo = hub.remote(cache.path(), true).await;
    serve(&hub, usize::MAX);
    let change = file("a.html", Content::Absent, Content::text("a\n"));
    let request = remote::request(&repo, vec![change]).await;
    let (send, _lines) = mpsc::unbounded_channel();
    let prepared = repo.prepare(&request, send).await.unwrap();
    let theirs = hub.rival(&[("b.html", "b\n")], "Theirs");
    let problem = repo.finish(&prepared).await.unwrap_err();
    assert!(problem.is("stale-base"), "{problem}");
    assert_eq!(hub.head(), theirs);
}

#[tokio::test]
async fn a_restart_finds_the_commit_that_was_made() {
    let Some(hub) = Hub::new() else { return };
    let cache = tempfile::tempdir().unwrap();
    let repo = hub.remote(cache.path(), true).await;
    serve(&hub, usize::MAX);
    let change = file("a.html", Content::Absent, Content::text("a\n"));
    let request = remote::request(&repo, vec![change]).await;
    let (send, _lines) = mpsc::unbounded_channel();
    let prepared = repo.prepare(&request, send).await.unwrap();
    let done = repo.finish(&prepared).await.unwrap();
    let theirs = hub.rival(&[("b.html", "b\n")], "Theirs");
    // Another process, which knows nothing but what was prepared.
    let other = hub.remote(cache.path(), true).await;
    let again = other.finish(&prepared).await.unwrap();
    assert_eq!(again.commit, done.commit);
    assert_eq!(hub.head(), theirs);
    assert_eq!(hub.count(TITLE), 1);
}

#[tokio::test]
async fn what_github_cannot_sign_is_refused_before_it_is_sent() {
    let Some(hub) = Hub::new() else { return };
    let cache = tempfile::tempdir().unwrap();
    let repo = hub.remote(cache.path(), true).await;
    serve(&hub, usize::MAX);
    let mut program = file("run.sh", Content::Absent, Content::text("#!/bin/sh\n"));
    program.mode_after = 0o100_755;
    let problem = remote::commit(&repo, vec![program]).await.unwrap_err();
    assert!(
        problem.is("unsignable") && problem.detail.contains("run.sh"),
        "{problem}"
    );
}
