//! What is a repository, and reading what is committed.

use std::fs;
use std::path::Path;
use std::process::Command;

use sayso::model::Content;
use sayso::vcs::Repository;
use sayso::vcs::git::{Git, Options};

use super::vcs_support::*;
use super::{PAGE, change, site};

#[tokio::test]
async fn linked_worktrees_and_subfolders_are_repositories_too() {
    let site = site();
    site.write("docs/a.html", "a\n");
    site.commit_all("Docs");
    let git = site.open_at(&site.path("docs")).await.unwrap();
    assert_eq!(git.root(), site.root);
    assert_eq!(
        site.open_at(&site.path("docs/a.html"))
            .await
            .unwrap()
            .root(),
        site.root
    );

    let linked = site.home().join("linked tree");
    site.git([
        "worktree",
        "add",
        "-q",
        "-b",
        "feature",
        linked.to_str().unwrap(),
    ]);
    fs::write(linked.join("mine.html"), "mine").unwrap();
    let git = site.open_at(&linked).await.unwrap();
    let mut request = site.request(vec![change(&site)]);
    request.branch = "feature".into();
    let prepared = prepare(&git, request).await.unwrap();
    git.finish(&prepared).await.unwrap();
    let status = site.git_in(&linked, &["status", "--porcelain"]).unwrap();
    assert_eq!(status, "?? mine.html\n");
    assert!(
        fs::read_to_string(linked.join(PAGE))
            .unwrap()
            .contains("LINE 20")
    );
    assert_eq!(site.status(), "");
    assert!(!site.read(PAGE).contains("LINE 20"));
}

#[tokio::test]
async fn what_is_no_repository_is_named_so() {
    let site = site();
    let kind = async |folder: &Path| site.open_at(folder).await.err().unwrap();
    assert!(kind(site.home()).await.is("no-repository"));
    assert!(kind(&site.home().join("gone")).await.is("not-found"));
    assert!(kind(&site.path(".git")).await.is("bare-repository"));
    let bare = site.home().join("bare.git");
    site.git(["init", "-q", "--bare", bare.to_str().unwrap()]);
    assert!(kind(&bare).await.is("bare-repository"));
    let options = Options {
        env: vec![("PATH".into(), "/nonexistent".into())],
        ..Options::default()
    };
    let problem = Git::open_with(&site.root, options).await.err().unwrap();
    assert!(problem.is("git-missing"), "{problem}");
    let mut env = env(site.home());
    env.push(("GIT_TEST_ASSUME_DIFFERENT_OWNER".into(), "1".into()));
    let problem = Git::open_with(
        &site.root,
        Options {
            env,
            ..Options::default()
        },
    )
    .await
    .err()
    .unwrap();
    assert!(problem.is("unsafe-repository"), "{problem}");
}

#[tokio::test]
async fn commits_are_listed_read_and_laid_out() {
    let site = Site::new();
    site.write(".gitattributes", "*.txt text eol=crlf\n");
    site.write("a.txt", "a\r\nb\r\n");
    site.write("b/run.sh", "#!/bin/sh\n");
    site.chmod("b/run.sh", 0o755);
    std::os::unix::fs::symlink("a.txt", site.path("link")).unwrap();
    let first = site.commit_all("First");
    site.write("picture.png", b"\0\x01");
    fs::remove_file(site.path("a.txt")).unwrap();
    let second = site.commit_all("Second | with \"signs\"\n\nBody");
    // The person's own files have no say in how a commit is laid out.
    site.write(".gitattributes", "");
    site.write("a.txt", "mine");

    let git = site.open().await;
    let tree = git.tree(&first).await.unwrap();
    let listed: Vec<_> = tree
        .files()
        .iter()
        .map(|f| (f.path.as_str(), f.mode))
        .collect();
    assert_eq!(
        listed,
        [
            (".gitattributes", FILE),
            ("a.txt", FILE),
            ("b/run.sh", PROGRAM),
            ("link", LINK)
        ]
    );
    assert_eq!(
        tree.id(),
        site.git(["rev-parse", &format!("{first}^{{tree}}")]).trim()
    );
    assert_eq!(tree.read("a.txt").unwrap().as_deref(), Some(&b"a\nb\n"[..]));
    assert_eq!(tree.entry("a.txt").unwrap().size, Some(4));
    assert!(tree.read("none").unwrap().is_none());
    assert!(git.tree(&"1".repeat(40)).await.is_err());

    let folder = tempfile::tempdir().unwrap();
    let source = git.source(&first).await.unwrap();
    assert_eq!(
        (source.commit(), source.tree()),
        (first.as_str(), tree.id())
    );
    source.export(folder.path()).unwrap();
    assert_eq!(
        fs::read(folder.path().join("a.txt")).unwrap(),
        b"a\r\nb\r\n"
    );
    assert_eq!(
        fs::read_link(folder.path().join("link")).unwrap().to_str(),
        Some("a.txt")
    );
    let mode = fs::metadata(folder.path().join("b/run.sh"))
        .unwrap()
        .permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o111,
        0o111
    );
    assert!(!folder.path().join(".git").exists());
    assert_eq!(site.read("a.txt"), "mine");

    let log = git.log(10).await.unwrap();
    let titles: Vec<_> = log.iter().map(|entry| entry.title.as_str()).collect();
    assert_eq!(titles, ["Second | with \"signs\"", "First"]);
    assert_eq!(
        (log[0].commit.as_str(), log[0].author.as_str()),
        (&*second, "Ada Lovelace")
    );
    assert_eq!(log[0].time, 1_767_323_045);
    assert_eq!(git.title(&second).await.unwrap(), "Second | with \"signs\"");
    assert!(
        git.title(&"1".repeat(40))
            .await
            .unwrap_err()
            .is("not-found")
    );

    let changed = git.changes_of(&second).await.unwrap();
    assert_eq!(changed[0].before, Content::text("a\nb\n"));
    assert_eq!((changed[0].mode_before, changed[0].mode_after), (FILE, 0));
    assert!(matches!(changed[1].after, Content::Binary { size: 2, .. }));
    assert!(git.contains("main", &first).await.unwrap());
    assert!(!git.contains("none", &first).await.unwrap());
    assert!(!git.contains("main", &"1".repeat(40)).await.unwrap());
}

#[tokio::test]
async fn a_merge_shows_its_change_against_the_first_parent() {
    let site = site();
    site.git(["switch", "-q", "-c", "other"]);
    site.write("theirs.html", "theirs\n");
    site.commit_all("Theirs");
    site.git(["switch", "-q", "main"]);
    site.write("ours.html", "ours\n");
    site.commit_all("Ours");
    site.git(["merge", "-q", "--no-edit", "other"]);
    let changed = site.open().await.changes_of(&site.head()).await.unwrap();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].path, "theirs.html");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_reader_survives_its_process() {
    let site = site();
    let git = site.open().await;
    let tree = git.tree(&site.head()).await.unwrap();
    assert!(tree.read(PAGE).unwrap().is_some());
    let reader = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|proc| {
            fs::read_link(proc.join("cwd")).is_ok_and(|folder| folder == site.root)
                && fs::read_to_string(proc.join("cmdline"))
                    .is_ok_and(|line| line.contains("cat-file"))
        });
    let pid = reader.expect("a kept git cat-file");
    Command::new("kill")
        .arg("-9")
        .arg(pid.file_name().unwrap())
        .status()
        .unwrap();
    assert!(tree.read("about.html").unwrap().is_some());
}
