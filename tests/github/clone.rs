//! Commits with a clone: GitHub and the clone end up with the same.

use sayso::model::{Content, ProposedFile};
use sayso::vcs::{Committed, Repository};
use tokio::sync::mpsc;

use super::hub::Hub;
use super::vcs_support::{LINK, PROGRAM, Site, file};
use sayso::model::Problem;
use serde_json::{Value, json};

/// "Commit that", through GitHub.
pub async fn commit(
    repo: &dyn Repository,
    site: &Site,
    files: Vec<ProposedFile>,
) -> Result<Committed, Problem> {
    let (send, _lines) = mpsc::unbounded_channel();
    let prepared = repo.prepare(&site.request(files), send).await?;
    repo.finish(&prepared).await
}

#[tokio::test]
async fn what_is_committed_is_the_same_here_and_there_to_the_bit() {
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[
        ("index.html", "<h1>Old</h1>\n"),
        ("gone.txt", "gone\n"),
        ("folder/deep.txt", "deep\n"),
        ("run.sh", "#!/bin/sh\n"),
        ("mine.txt", "one\n"),
    ]);
    // A person's own work in progress, which is none of this.
    site.write("mine.txt", "one\ntwo\n");
    site.write("draft.txt", "draft\n");
    site.write("index.html", "<h1>New</h1>\n");
    site.write("logo.png", b"\x89PNG\0\x01\xff");
    site.write("empty.txt", "");
    site.write("with space/ü#?.txt", "odd name\n");
    std::fs::remove_file(site.path("gone.txt")).unwrap();
    std::fs::remove_file(site.path("folder/deep.txt")).unwrap();
    site.chmod("run.sh", 0o755);
    std::os::unix::fs::symlink("index.html", site.path("home.html")).unwrap();
    let files: Vec<ProposedFile> = site
        .changes()
        .await
        .into_iter()
        .filter(|file| file.path != "mine.txt" && file.path != "draft.txt")
        .collect();

    let repo = hub.cloned(site.open().await, false);
    hub.relay.take();
    let done = commit(&repo, &site, files).await.unwrap();

    // Deleted as GitHub documents it, file by file; the folder only because this server keeps it when it is empty.
    let trees: Vec<Value> = hub
        .relay
        .take()
        .into_iter()
        .filter(|seen| seen.method == "POST" && seen.path.ends_with("/git/trees"))
        .map(|seen| seen.body["tree"].clone())
        .collect();
    let folder = json!({ "path": "folder", "mode": "040000", "type": "tree", "sha": null });
    assert_eq!(trees.len(), 2, "{trees:#?}");
    let first = trees[0].as_array().unwrap();
    assert!(
        first.iter().all(|entry| entry["type"] == "blob"),
        "{first:#?}"
    );
    assert_eq!(trees[1], json!([folder]));
    assert_eq!(done.trouble, None);
    assert_eq!(done.commit, site.head());
    assert_eq!(done.commit, hub.head());
    assert_eq!(site.status(), " M mine.txt\n?? draft.txt\n");
    assert_eq!(site.git(["rev-parse", "HEAD^{tree}"]).trim(), hub.tree());
    let files = hub.files();
    let mode = |path: &str| {
        files
            .iter()
            .find(|(at, ..)| at == path)
            .map(|(_, mode, _)| mode.as_str())
    };
    assert_eq!(mode("run.sh"), Some(format!("{PROGRAM:o}").as_str()));
    assert_eq!(mode("home.html"), Some(format!("{LINK:o}").as_str()));
    assert_eq!(mode("gone.txt"), None);
    assert_eq!(mode("folder/deep.txt"), None);
    assert_eq!(hub.read("with space/ü#?.txt"), "odd name\n");
    let known = site.git(["rev-parse", "refs/remotes/origin/main"]);
    assert_eq!(known.trim(), done.commit);
    hub.relay.assert_described();
}

#[tokio::test]
async fn a_commit_of_any_size_takes_a_handful_of_requests() {
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
    let repo = hub.cloned(site.open().await, false);
    for (count, most) in [(1, 5), (20, 5), (200, 8)] {
        hub.relay.take();
        let files = (0..count)
            .map(|n| {
                let text = format!("<p>page {n} of {count}</p>\n").repeat(100);
                file(
                    &format!("{count}/{n}.html"),
                    Content::Absent,
                    Content::text(text),
                )
            })
            .collect();
        let done = commit(&repo, &site, files).await.unwrap();
        assert_eq!(done.commit, hub.head());
        let sent = hub.relay.take();
        assert!(
            sent.len() <= most,
            "{count} files: {} requests: {sent:#?}",
            sent.len()
        );
    }
    assert_eq!(site.status(), "");
    assert_eq!(hub.count("Change the headline"), 3);
    hub.relay.assert_described();
}

#[tokio::test]
async fn large_files_are_sent_in_parts_that_github_takes() {
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
    let repo = hub.cloned(site.open().await, false);
    let files = (0..12)
        .map(|n| {
            let text = format!("{n}\n").repeat(120_000);
            file(&format!("{n}.txt"), Content::Absent, Content::text(text))
        })
        .chain([file(
            "long.txt",
            Content::Absent,
            Content::text("long\n".repeat(200_000)),
        )])
        .collect();
    hub.relay.take();
    let done = commit(&repo, &site, files).await.unwrap();
    assert_eq!(done.commit, hub.head());
    for seen in hub.relay.take() {
        let size = seen.body.to_string().len();
        assert!(
            size < 2_000_000,
            "{} {}: {size} bytes",
            seen.method,
            seen.path
        );
    }
    assert_eq!(site.git(["rev-parse", "HEAD^{tree}"]).trim(), hub.tree());
}

#[tokio::test]
async fn hooks_run_before_anything_is_sent() {
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
    let repo = hub.cloned(site.open().await, false);
    site.hook("pre-commit", "echo no headlines today; exit 1");
    let change = || vec![site.replace("index.html", "Old", "New")];
    hub.relay.take();
    let problem = commit(&repo, &site, change()).await.unwrap_err();
    let sent = hub.relay.take();
    assert!(sent.iter().all(|seen| seen.method == "GET"), "{sent:#?}");
    assert!(
        problem.is("hook-failed") && problem.detail.contains("no headlines"),
        "{problem}"
    );
    site.hook("pre-commit", "exit 0");
    site.hook("commit-msg", "echo 'Signed-off-by: Ada' >> \"$1\"");
    commit(&repo, &site, change()).await.unwrap();
    assert!(hub.messages()[0].contains("Signed-off-by: Ada"));
    assert_eq!(hub.head(), site.head());
}

#[tokio::test]
async fn a_clone_that_is_behind_is_brought_along_with_the_persons_work_kept() {
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[
        ("index.html", "<h1>Old</h1>\n"),
        ("mine.txt", "one\n"),
        ("other.html", "<p>other</p>\n"),
    ]);
    site.write("mine.txt", "one\ntwo\n");
    hub.rival(&[("other.html", "<p>by somebody</p>\n")], "First");
    let theirs = hub.rival(&[("new/page.html", "<p>new</p>\n")], "Second");
    let repo = hub.cloned(site.open().await, false);
    let change = vec![site.replace("index.html", "Old", "New")];

    let problem = commit(&repo, &site, change).await.unwrap_err();
    assert!(problem.is("stale-base"), "{problem}");
    assert_eq!(site.head(), theirs);
    assert_eq!(hub.head(), theirs);
    assert_eq!(site.read("other.html"), "<p>by somebody</p>\n");
    assert_eq!(site.status(), " M mine.txt\n");

    let change = vec![site.replace("index.html", "Old", "New")];
    let done = commit(&repo, &site, change).await.unwrap();
    assert_eq!(
        (done.commit.clone(), done.commit),
        (site.head(), hub.head())
    );
    assert_eq!(site.read("mine.txt"), "one\ntwo\n");
    hub.relay.assert_described();
}

#[tokio::test]
async fn commits_that_only_one_side_has_are_told() {
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
    let repo = hub.cloned(site.open().await, false);
    site.write("local.txt", "local\n");
    site.commit_all("Not pushed");
    let change = || vec![site.replace("index.html", "Old", "New")];
    let before = (site.state(), hub.head());
    let problem = commit(&repo, &site, change()).await.unwrap_err();
    assert!(problem.is("unpushed") && problem.hint.unwrap().contains("git push"));
    hub.rival(&[("x.txt", "x\n")], "Theirs");
    let problem = commit(&repo, &site, change()).await.unwrap_err();
    assert!(problem.is("diverged"), "{problem}");
    assert_eq!(site.state(), before.0);
    assert_eq!(hub.count("Change the headline"), 0);
}

#[tokio::test]
async fn a_commit_that_github_writes_in_its_own_way_is_taken_over() {
    let Some(hub) = Hub::new() else { return };
    let site = hub.clone_of(&[("index.html", "<h1>Old</h1>\n")]);
    // Another zone than GitHub's: the stand-in makes UTC of it, as GitHub tells all times.
    site.git(["config", "user.name", "Grace Hopper"]);
    let env = vec![
        (
            "GIT_AUTHOR_DATE".to_owned(),
            "2026-03-04T05:06:07+0530".to_owned(),
        ),
        (
            "GIT_COMMITTER_DATE".to_owned(),
            "2026-03-04T05:06:07+0530".to_owned(),
        ),
        ("HOME".to_owned(), site.home().to_str().unwrap().to_owned()),
        ("GIT_CONFIG_GLOBAL".to_owned(), "/dev/null".to_owned()),
    ];
    let options = sayso::vcs::git::Options {
        env,
        ..Default::default()
    };
    let git = sayso::vcs::git::Git::open_with(&site.root, options)
        .await
        .unwrap();
    let repo = hub.cloned(git, false);
    let done = commit(&repo, &site, vec![site.replace("index.html", "Old", "New")])
        .await
        .unwrap();
    assert_eq!(done.trouble, None);
    assert_eq!(
        (done.commit.clone(), done.commit),
        (site.head(), hub.head())
    );
    assert_eq!(site.status(), "");
    site.git(["fsck", "--strict", "--no-dangling"]);
}
