//! "Commit that": the working tree's own changes, shown and committed, whole or in part.
#![cfg(unix)]

mod vcs_support;

use std::fs;
use std::os::unix::fs::symlink;

use sayso::model::{Content, ProposedFile};
use sayso::vcs::Repository;
use vcs_support::*;

fn site() -> Site {
    Site::with([
        ("index.html", lines(40).as_str()),
        ("about.html", lines(20).as_str()),
        ("old.html", "old\n"),
        ("run.sh", "#!/bin/sh\n"),
    ])
}

fn paths(files: &[ProposedFile]) -> Vec<&str> {
    files.iter().map(|file| file.path.as_str()).collect()
}

#[tokio::test]
async fn every_kind_of_change_is_shown_and_committed() {
    let site = site();
    site.edit("index.html", "line 2\n", "staged\n");
    site.git(["add", "index.html"]);
    site.edit("index.html", "line 30\n", "unstaged\n");
    site.edit("about.html", "line 2\n", "unstaged\n");
    site.git(["mv", "old.html", "renamed.html"]);
    site.chmod("run.sh", 0o755);
    site.write("picture.png", b"\x89PNG\0\xff");
    site.write("announced.html", "soon\n");
    site.git(["add", "-N", "announced.html"]);
    site.write("was staged.html", "one\n");
    site.git(["add", "was staged.html"]);
    site.write("was staged.html", "two\n");
    symlink("index.html", site.path("link")).unwrap();
    site.write(".git/info/exclude", "ignored.log\n");
    site.write("ignored.log", "x");
    let files_before = site.state().files;

    let changes = site.changes().await;
    assert_eq!(
        paths(&changes),
        [
            "about.html",
            "announced.html",
            "index.html",
            "link",
            "old.html",
            "picture.png",
            "renamed.html",
            "run.sh",
            "was staged.html",
        ]
    );
    let of = |path: &str| changes.iter().find(|file| file.path == path).unwrap();
    assert_eq!(of("index.html").hunks.len(), 2);
    assert_eq!(
        of("index.html").after,
        Content::text(site.read("index.html"))
    );
    assert_eq!(of("old.html").after, Content::Absent);
    assert_eq!(
        (of("run.sh").mode_before, of("run.sh").mode_after),
        (FILE, PROGRAM)
    );
    assert_eq!(
        (of("link").mode_after, of("link").after.as_text()),
        (LINK, Some("index.html"))
    );
    assert!(matches!(
        of("picture.png").after,
        Content::Binary { size: 6, .. }
    ));
    let status = site.open().await.status().await.unwrap();
    assert_eq!((status.changes, status.branch.as_str()), (9, "main"));
    assert_eq!(status.name, "site");

    let done = site.commit(changes).await.unwrap();
    assert_eq!(done.kept, Vec::<String>::new());
    assert_eq!(site.status(), "");
    assert_eq!(site.state().files, files_before);
    assert!(site.changes().await.is_empty());
    let shown = site.open().await.changes_of(&site.head()).await.unwrap();
    assert_eq!(shown.len(), 9);
    assert_eq!(shown[4].after, Content::Absent);
}

#[tokio::test]
async fn in_part_the_rest_stays_a_change_of_the_same_kind() {
    let site = site();
    site.edit("index.html", "line 2\n", "staged 2\n");
    site.edit("index.html", "line 20\n", "staged 20\n");
    site.git(["add", "index.html"]);
    site.edit("index.html", "line 38\n", "unstaged 38\n");
    site.write("new.html", "new\n");
    let files_before = site.state().files;
    let changes = site.changes().await;
    assert_eq!(
        changes.iter().map(|file| file.hunks.len()).sum::<usize>(),
        4
    );

    // The hunk around line 20 was staged, the one around line 38 was not.
    let done = site.commit(only(changes, &[1, 2])).await.unwrap();
    assert_eq!(done.kept, Vec::<String>::new());
    assert_eq!(site.state().files, files_before);
    let committed = lines(40)
        .replace("line 20\n", "staged 20\n")
        .replace("line 38\n", "unstaged 38\n");
    assert_eq!(site.committed("index.html"), committed);
    let staged = committed.replace("line 2\n", "staged 2\n");
    assert_eq!(site.git(["show", ":index.html"]), staged);
    assert_eq!(site.status(), "M  index.html\n?? new.html\n");
}

#[tokio::test]
async fn an_older_staged_state_gives_way_to_what_was_committed() {
    let site = site();
    site.edit("index.html", "line 2\n", "first try\n");
    site.git(["add", "index.html"]);
    site.edit("index.html", "first try\n", "second try\n");
    let changes = site.changes().await;
    let done = site.commit(changes).await.unwrap();
    assert_eq!(done.kept, Vec::<String>::new());
    assert_eq!(site.status(), "");
    assert!(site.committed("index.html").contains("second try"));
}

#[tokio::test]
async fn a_file_taken_out_of_git_stays_on_the_disk() {
    let site = site();
    site.write(".git/info/exclude", "old.html\n");
    site.git(["rm", "-q", "--cached", "old.html"]);
    let changes = site.changes().await;
    assert_eq!(paths(&changes), ["old.html"]);
    assert_eq!(changes[0].after, Content::Absent);
    let done = site.commit(changes).await.unwrap();
    assert_eq!(done.kept, Vec::<String>::new());
    assert_eq!(site.read("old.html"), "old\n");
    assert_eq!(site.status(), "");
}

#[tokio::test]
async fn what_is_staged_but_not_in_the_files_is_no_change_of_the_working_tree() {
    let site = site();
    site.edit("index.html", "line 2\n", "x\n");
    site.git(["add", "index.html"]);
    site.write("index.html", lines(40));
    site.write("gone.html", "x");
    site.git(["add", "gone.html"]);
    fs::remove_file(site.path("gone.html")).unwrap();
    site.git(["rm", "-q", "--cached", "old.html"]);
    assert!(site.changes().await.is_empty());
    let git = site.open().await;
    let asked = ["index.html", "about.html", "gone.html", "old.html"].map(str::to_owned);
    assert_eq!(
        git.dirty(&asked).await.unwrap(),
        ["index.html", "gone.html", "old.html"]
    );
}

#[tokio::test]
async fn line_endings_are_shown_as_git_would_store_them() {
    let site = Site::new();
    site.write(".gitattributes", "*.html text eol=crlf\n");
    let crlf = lines(20).replace('\n', "\r\n");
    site.write("index.html", &crlf);
    site.commit_all("Start");
    site.edit("index.html", "line 4\r\n", "four\r\n");
    site.write("new.html", "a\r\nb\r\n");
    let changes = site.changes().await;
    assert_eq!(
        changes[0].after,
        Content::text(lines(20).replace("line 4\n", "four\n"))
    );
    assert_eq!(changes[1].after, Content::text("a\nb\n"));
    site.commit(changes).await.unwrap();
    assert_eq!(site.status(), "");
    assert_eq!(site.read("new.html"), "a\r\nb\r\n");
    assert_eq!(site.committed("new.html"), "a\nb\n");
}

#[tokio::test]
async fn only_the_paths_asked_for_are_shown() {
    let site = site();
    site.edit("index.html", "line 2\n", "x\n");
    site.edit("about.html", "line 2\n", "x\n");
    site.write("docs/a.html", "a");
    let git = site.open().await;
    for (asked, expected) in [
        ("about.html", vec!["about.html"]),
        ("docs", vec!["docs/a.html"]),
        ("none", vec![]),
    ] {
        let found = git.working_changes(&[asked.to_owned()]).await.unwrap();
        assert_eq!(paths(&found), expected);
    }
}

#[tokio::test]
async fn looking_writes_nothing() {
    let site = site();
    site.edit("index.html", "line 2\n", "x\n");
    site.write("new.html", "new");
    site.git(["status"]);
    let everything = || {
        let mut all = Vec::new();
        let mut folders = vec![site.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let place = entry.unwrap().path();
                let meta = fs::symlink_metadata(&place).unwrap();
                if meta.is_dir() {
                    folders.push(place);
                } else {
                    all.push((
                        place.clone(),
                        meta.modified().unwrap(),
                        fs::read(place).unwrap(),
                    ));
                }
            }
        }
        all.sort();
        all
    };
    let before = everything();
    let git = site.open().await;
    git.status().await.unwrap();
    git.working_changes(&[]).await.unwrap();
    git.dirty(&["index.html".to_owned()]).await.unwrap();
    git.tree(&site.head()).await.unwrap();
    git.changes_of(&site.head()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    git.source(&site.head())
        .await
        .unwrap()
        .export(folder.path())
        .unwrap();
    assert_eq!(everything(), before);
}

#[tokio::test]
async fn conflicts_are_not_shown_as_changes() {
    let site = site();
    site.git(["switch", "-q", "-c", "other"]);
    site.edit("index.html", "line 2\n", "theirs\n");
    site.commit_all("Theirs");
    site.git(["switch", "-q", "main"]);
    site.edit("index.html", "line 2\n", "ours\n");
    site.commit_all("Ours");
    assert!(site.git_in(&site.root, &["merge", "other"]).is_err());
    let problem = site.open().await.working_changes(&[]).await.unwrap_err();
    assert!(problem.is("conflict"), "{problem}");
    assert_eq!(site.open().await.status().await.unwrap().changes, 1);
}

#[tokio::test]
async fn another_repository_inside_is_left_out() {
    let site = site();
    site.write("index.html", "x\n");
    fs::create_dir(site.path("nested")).unwrap();
    site.git_in(&site.path("nested"), &["init", "-q"]).unwrap();
    site.write("nested/file", "x");
    assert_eq!(paths(&site.changes().await), ["index.html"]);
}

#[tokio::test]
async fn a_huge_file_is_handled_by_its_blob() {
    let site = site();
    site.write("huge.txt", "x\n".repeat(1_000_000));
    let changes = site.changes().await;
    assert!(matches!(
        changes[0].after,
        Content::Binary {
            size: 2_000_000,
            ..
        }
    ));
    site.commit(changes).await.unwrap();
    assert_eq!(site.status(), "");
    assert_eq!(site.committed("huge.txt").len(), 2_000_000);
}
