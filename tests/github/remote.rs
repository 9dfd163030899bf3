//! Working on GitHub without a clone.

use sayso::model::{Content, FileTree, Problem, ProposedFile};
use sayso::vcs::github::Remote;
use sayso::vcs::{CommitRequest, Committed, Repository};
use tokio::sync::mpsc;

use super::hub::Hub;
use super::vcs_support::file;

pub async fn request(repo: &Remote, files: Vec<ProposedFile>) -> CommitRequest {
    let status = repo.status().await.unwrap();
    CommitRequest {
        base: status.head,
        branch: status.branch,
        message: "Change the headline".into(),
        files,
    }
}

pub async fn commit(repo: &Remote, files: Vec<ProposedFile>) -> Result<Committed, Problem> {
    let request = request(repo, files).await;
    let (send, _lines) = mpsc::unbounded_channel();
    let prepared = repo.prepare(&request, send).await?;
    repo.finish(&prepared).await
}

pub fn change(path: &str, before: &str, after: &str) -> ProposedFile {
    file(path, Content::text(before), Content::text(after))
}

#[tokio::test]
async fn files_are_read_committed_and_compared_without_a_clone() {
    let Some(hub) = Hub::new() else { return };
    hub.rival(
        &[
            ("index.html", "<h1>Old</h1>\n"),
            ("about/me.html", "<p>me</p>\n"),
        ],
        "Files",
    );
    let cache = tempfile::tempdir().unwrap();
    let repo = hub.remote(cache.path(), false).await;
    let status = repo.status().await.unwrap();
    assert_eq!(
        (status.branch.as_str(), status.head.clone()),
        ("main", hub.head())
    );
    assert_eq!(status.name, hub.name);
    let tree = repo.tree(&status.head).await.unwrap();
    let paths: Vec<&str> = tree.files().iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["README.md", "about/me.html", "index.html"]);
    assert_eq!(read(tree.as_ref(), "index.html"), "<h1>Old</h1>\n");

    hub.relay.take();
    let mut run = file("run.sh", Content::Absent, Content::text("#!/bin/sh\n"));
    run.mode_after = 0o100_755;
    let done = commit(
        &repo,
        vec![
            change("index.html", "<h1>Old</h1>\n", "<h1>New</h1>\n"),
            file(
                "about/me.html",
                Content::text("<p>me</p>\n"),
                Content::Absent,
            ),
            run,
        ],
    )
    .await
    .unwrap();
    let sent = hub.relay.take();
    assert!(sent.len() <= 5, "{sent:#?}");
    assert_eq!(done.commit, hub.head());
    assert_eq!(hub.read("index.html"), "<h1>New</h1>\n");
    let names: Vec<(String, String)> = hub
        .files()
        .into_iter()
        .map(|(path, mode, _)| (path, mode))
        .collect();
    assert!(
        names.contains(&("run.sh".into(), "100755".into())),
        "{names:?}"
    );
    assert!(!names.iter().any(|(path, _)| path.starts_with("about")));

    let changes = repo.changes_of(&done.commit).await.unwrap();
    let paths: Vec<&str> = changes.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["about/me.html", "index.html", "run.sh"]);
    assert_eq!(changes[1].after, Content::text("<h1>New</h1>\n"));
    let lines = repo
        .commits_between(&status.head, &done.commit, 5)
        .await
        .unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].title, "Change the headline");
    assert!(repo.contains("main", &status.head).await.unwrap());

    let out = tempfile::tempdir().unwrap();
    repo.source(&done.commit)
        .await
        .unwrap()
        .export(out.path())
        .unwrap();
    assert_eq!(
        std::fs::read_to_string(out.path().join("index.html")).unwrap(),
        "<h1>New</h1>\n"
    );
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(out.path().join("run.sh"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o111, 0o111);
    hub.relay.assert_described();
}

fn read(tree: &dyn FileTree, path: &str) -> String {
    String::from_utf8(tree.read(path).unwrap().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn what_was_read_once_is_not_asked_for_again() {
    let Some(hub) = Hub::new() else { return };
    hub.rival(
        &[
            ("index.html", "<h1>Old</h1>\n"),
            ("data.bin", "not likely to be read"),
        ],
        "Files",
    );
    let cache = tempfile::tempdir().unwrap();
    let head = hub.head();
    let repo = hub.remote(cache.path(), false).await;
    let tree = repo.tree(&head).await.unwrap();
    // Read from where nothing can be awaited: on this very thread, whose runtime has no other.
    assert_eq!(read(tree.as_ref(), "data.bin"), "not likely to be read");
    hub.relay.take();
    let again = hub.remote(cache.path(), false).await;
    let tree = again.tree(&head).await.unwrap();
    assert_eq!(read(tree.as_ref(), "index.html"), "<h1>Old</h1>\n");
    assert_eq!(read(tree.as_ref(), "data.bin"), "not likely to be read");
    let asked: Vec<String> = hub.relay.take().into_iter().map(|seen| seen.path).collect();
    assert_eq!(asked, [format!("/repos/{}", hub.full_name())]);
}

#[tokio::test]
async fn a_commit_on_an_old_base_is_refused_and_nothing_moves() {
    let Some(hub) = Hub::new() else { return };
    let cache = tempfile::tempdir().unwrap();
    let repo = hub.remote(cache.path(), false).await;
    let request = request(
        &repo,
        vec![file("a.html", Content::Absent, Content::text("a\n"))],
    )
    .await;
    let theirs = hub.rival(&[("b.html", "b\n")], "Theirs");
    let (send, _lines) = mpsc::unbounded_channel();
    let problem = repo.prepare(&request, send).await.unwrap_err();
    assert!(problem.is("stale-base"), "{problem}");
    assert_eq!(hub.head(), theirs);
    // It is seen at once where the branch is now.
    assert_eq!(repo.status().await.unwrap().head, theirs);
}

#[tokio::test]
async fn no_proposal_leaves_the_repository() {
    let Some(hub) = Hub::new() else { return };
    let cache = tempfile::tempdir().unwrap();
    let repo = hub.remote(cache.path(), false).await;
    for path in ["../x", ".git/config", "a//b", ""] {
        let change = file(path, Content::Absent, Content::text("x"));
        let problem = commit(&repo, vec![change]).await.unwrap_err();
        assert!(problem.is("bad-request"), "{path}: {problem}");
    }
}
