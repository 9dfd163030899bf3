//! The process ends on the spot at every boundary of a commit; a repeat of the second step brings everything to
//! where it would have been, and nothing is ever committed twice.
#![cfg(all(unix, feature = "failpoints"))]

mod vcs_support;

use std::fs;
use std::path::Path;
use std::process::Command;

use sayso::model::{Content, ProposedFile};
use sayso::vcs::git::{Git, Options};
use sayso::vcs::{Prepared, Repository};
use vcs_support::*;

/// A repository with about every kind of uncommitted work in it, and a change to commit.
fn scene() -> (Site, Vec<ProposedFile>) {
    let site = Site::with([
        ("clean.html", lines(20).as_str()),
        ("staged.html", lines(40).as_str()),
        ("overlap.html", lines(20).as_str()),
        ("gone.html", "gone\n"),
        ("untracked by choice.html", "kept\n"),
        ("run.sh", "#!/bin/sh\n"),
        ("other.html", "other\n"),
    ]);
    site.edit("staged.html", "line 2\n", "staged\n");
    site.git(["add", "staged.html"]);
    site.edit("staged.html", "line 38\n", "unstaged\n");
    site.edit("overlap.html", "line 3\n", "mine\n");
    site.write(".git/info/exclude", "untracked by choice.html\n");
    site.git(["rm", "-q", "--cached", "untracked by choice.html"]);
    site.edit("other.html", "other", "mine");
    site.write("draft.html", "draft");
    site.chmod("run.sh", 0o755);
    let files = vec![
        site.replace("clean.html", "line 3\n", "LINE 3\n"),
        file("gone.html", Content::text("gone\n"), Content::Absent),
        file("new/page.html", Content::Absent, Content::text("new\n")),
        site.replace("overlap.html", "line 3\n", "LINE 3\n"),
        site.replace("staged.html", "line 20\n", "LINE 20\n"),
        file(
            "untracked by choice.html",
            Content::text("kept\n"),
            Content::Absent,
        ),
    ];
    (site, files)
}

/// Makes the commit in a process of its own, which ends at `point`; true when it came to the end.
fn run(site: &Site, files: &[ProposedFile], point: &str) -> bool {
    let request = site.request(files.to_vec());
    let job = (request.base, request.files);
    fs::write(
        site.home().join("job.json"),
        serde_json::to_vec(&job).unwrap(),
    )
    .unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "the_process_that_ends",
            "--include-ignored",
            "--test-threads=1",
        ])
        .env("SAYSO_FAILPOINT", point)
        .env("SAYSO_TEST_SITE", &site.root)
        .output()
        .unwrap()
        .status
        .success()
}

fn prepared(site: &Site) -> Option<Prepared> {
    let bytes = fs::read(site.home().join("prepared.json")).ok()?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
#[ignore = "run in a process of its own by the tests below"]
async fn the_process_that_ends() {
    let Some(root) = std::env::var_os("SAYSO_TEST_SITE") else {
        return;
    };
    let root = Path::new(&root);
    let home = root.parent().unwrap();
    let options = Options {
        env: env(home),
        ..Options::default()
    };
    let git = Git::open_with(root, options).await.unwrap();
    let (base, files) = serde_json::from_slice(&fs::read(home.join("job.json")).unwrap()).unwrap();
    let request = sayso::vcs::CommitRequest {
        base,
        branch: "main".into(),
        message: "Change the headline".into(),
        files,
    };
    let prepared = prepare(&git, request).await.unwrap();
    fs::write(
        home.join("prepared.json"),
        serde_json::to_vec(&prepared).unwrap(),
    )
    .unwrap();
    git.finish(&prepared).await.unwrap();
}

#[tokio::test]
async fn ended_before_the_branch_moves_nothing_has_happened() {
    let (site, files) = scene();
    let (state, head) = (site.state(), site.head());
    assert!(!run(&site, &files, "commit.prepared"));
    assert_eq!((site.state(), site.head()), (state, head));
    assert!(prepared(&site).is_none());
    assert!(run(&site, &files, "none"));
    assert_eq!(site.git(["rev-list", "--count", "HEAD"]), "2\n");
}

#[tokio::test]
async fn ended_later_a_repeat_brings_everything_to_where_it_would_be() {
    let (straight, files) = scene();
    let before = straight.state();
    assert!(run(&straight, &files, "none"));
    let expected = straight.state();
    assert_ne!(expected, before);
    assert!(straight.path("untracked by choice.html").exists());
    assert_eq!(
        expected.status,
        " M other.html\n M overlap.html\n M run.sh\nMM staged.html\n?? draft.html\n"
    );
    let points = ["commit.ref", "commit.worktree", "commit.index"];
    for (n, point) in points.into_iter().enumerate() {
        let (site, files) = scene();
        let head = site.head();
        assert!(!run(&site, &files, point), "{point} was not reached");
        let prepared = prepared(&site).unwrap();
        assert_eq!(site.head(), prepared.commit, "{point}");
        assert_eq!(prepared.base, head);
        assert_eq!(site.state() == expected, n == 2, "{point}");

        let git = site.open().await;
        assert!(git.contains("main", &prepared.commit).await.unwrap());
        for _ in 0..2 {
            let done = git.finish(&prepared).await.unwrap();
            assert_eq!(done.kept, ["overlap.html"], "{point}");
            assert_eq!(site.state(), expected, "{point}");
        }
        assert_eq!(site.git(["rev-list", "--count", "HEAD"]), "2\n");
        // Nothing of ours is left lying about in git's folder.
        let left = fs::read_dir(site.path(".git")).unwrap().flatten();
        assert!(
            left.into_iter()
                .all(|e| !e.file_name().to_string_lossy().contains("sayso"))
        );
    }
}

#[tokio::test]
async fn a_change_of_the_working_tree_survives_too() {
    let (straight, _) = scene();
    let changes = only(straight.changes().await, &[0, 3, 4]);
    assert!(run(&straight, &changes, "none"));
    let expected = straight.state();
    for point in ["commit.ref", "commit.worktree", "commit.index"] {
        let (site, _) = scene();
        let files = site.files();
        assert!(!run(&site, &changes, point));
        let done = site
            .open()
            .await
            .finish(&prepared(&site).unwrap())
            .await
            .unwrap();
        assert!(done.kept.is_empty(), "{point}: {:?}", done.kept);
        assert_eq!(site.files(), files, "{point}");
        assert_eq!(site.state(), expected, "{point}");
    }
}
