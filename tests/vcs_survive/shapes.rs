//! Files that are more than bytes under a plain name: odd names, links, modes, marks, filters.

use std::fs;
use std::os::unix::fs::symlink;

use sayso::model::Content;
use sayso::vcs::Repository;

use super::vcs_support::*;
use super::{PAGE, site};

#[tokio::test]
async fn odd_names_work() {
    let names = [
        "a b.html",
        "-n",
        "q\"uote'.html",
        "über/ñ 日本.html",
        "back\\slash",
        "*.html",
        ":(top)x",
        "new\nline",
        "\"quoted\"",
        "tab\there",
    ];
    let site = Site::new();
    for name in names {
        site.write(name, lines(20));
    }
    site.commit_all("Start");
    for name in names {
        site.edit(name, "line 18\n", "mine\n");
    }
    let git = site.open().await;
    let tree = git.tree(&site.head()).await.unwrap();
    let mut files = Vec::new();
    for name in names {
        assert_eq!(
            tree.read(name).unwrap().as_deref(),
            Some(lines(20).as_bytes()),
            "{name:?}"
        );
        let after = lines(20).replace("line 3\n", "three\n");
        files.push(file(name, Content::text(lines(20)), Content::text(after)));
    }
    let done = site.commit(files).await.unwrap();
    assert!(done.kept.is_empty(), "{:?}", done.kept);
    for name in names {
        let expected = lines(20)
            .replace("line 3\n", "three\n")
            .replace("line 18\n", "mine\n");
        assert_eq!(site.read(name), expected, "{name:?}");
    }
    let paths: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(git.dirty(&paths).await.unwrap(), paths);

    let left = site.changes().await;
    assert_eq!(left.len(), names.len());
    site.commit(left).await.unwrap();
    assert_eq!(site.status(), "");
}

#[tokio::test]
async fn symlinks_are_files_of_their_own_and_never_followed() {
    let site = site();
    symlink("style.css", site.path("link")).unwrap();
    site.commit_all("A link");
    let mut change = file("link", Content::text("style.css"), Content::text(PAGE));
    (change.mode_before, change.mode_after) = (LINK, LINK);
    let done = site.commit(vec![change]).await.unwrap();
    assert!(done.kept.is_empty());
    assert_eq!(
        fs::read_link(site.path("link")).unwrap().to_str(),
        Some(PAGE)
    );
    assert_eq!(site.status(), "");

    // A folder that the person replaced by a link to elsewhere.
    site.write("docs/a.html", "a\n");
    site.commit_all("Docs");
    let outside = site.home().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("a.html"), "a\n").unwrap();
    fs::remove_dir_all(site.path("docs")).unwrap();
    symlink(&outside, site.path("docs")).unwrap();
    let files = vec![
        file("docs/a.html", Content::text("a\n"), Content::text("b\n")),
        file("docs/new.html", Content::Absent, Content::text("new\n")),
    ];
    let done = site.commit(files).await.unwrap();
    assert_eq!(done.kept, ["docs/a.html", "docs/new.html"]);
    assert_eq!(fs::read_to_string(outside.join("a.html")).unwrap(), "a\n");
    assert!(!outside.join("new.html").exists());
}

#[tokio::test]
async fn modes_follow_unless_the_person_changed_them() {
    let site = site();
    let text = site.committed("run.sh");
    let mut change = file("run.sh", Content::text(&*text), Content::text(&*text));
    change.mode_after = PROGRAM;
    site.write("run.sh", "#!/bin/sh\necho mine\n");
    let done = site.commit(vec![change]).await.unwrap();
    assert!(done.kept.is_empty());
    assert_eq!(site.read("run.sh"), "#!/bin/sh\necho mine\n");
    let mode = |path: &str| {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(site.path(path)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("run.sh"), 0o755);
    assert!(!site.git(["diff"]).contains("old mode"));

    site.chmod("style.css", 0o755);
    site.chmod("about.html", 0o600);
    let files = vec![
        site.replace("style.css", "body", "html"),
        site.replace("about.html", "line 2\n", "2\n"),
    ];
    let done = site.commit(files).await.unwrap();
    assert!(done.kept.is_empty());
    assert_eq!((mode("style.css"), mode("about.html")), (0o755, 0o600));
    assert!(site.git(["diff", "style.css"]).contains("new mode 100755"));
}

#[tokio::test]
async fn files_and_folders_change_places() {
    let site = Site::with([("page/index.html", "x\n"), ("about", "y\n")]);
    let files = vec![
        file("about", Content::text("y\n"), Content::Absent),
        file("about/index.html", Content::Absent, Content::text("y\n")),
        file("page", Content::Absent, Content::text("x\n")),
        file("page/index.html", Content::text("x\n"), Content::Absent),
    ];
    let done = site.commit(files).await.unwrap();
    assert!(done.kept.is_empty());
    assert_eq!(site.status(), "");
    assert_eq!(
        (site.read("about/index.html"), site.read("page")),
        ("y\n".into(), "x\n".into())
    );
}

#[tokio::test]
async fn sparse_and_assumed_files_keep_their_marks() {
    let site = site();
    site.git(["update-index", "--skip-worktree", PAGE]);
    site.git(["update-index", "--assume-unchanged", "about.html"]);
    fs::remove_file(site.path(PAGE)).unwrap();
    let files = vec![
        site.replace(PAGE, "line 20\n", "LINE 20\n"),
        site.replace("about.html", "line 2\n", "2\n"),
    ];
    let done = site.commit(files).await.unwrap();
    assert!(done.kept.is_empty());
    assert!(!site.path(PAGE).exists());
    assert_eq!(site.status(), "");
    let marks = site.git(["ls-files", "-v", PAGE, "about.html"]);
    assert_eq!(marks, "h about.html\nS index.html\n");
}

#[tokio::test]
async fn filters_run_both_ways() {
    let site = Site::new();
    site.git(["config", "filter.shout.clean", "tr A-Z a-z"]);
    site.git(["config", "filter.shout.smudge", "tr a-z A-Z"]);
    site.write(".gitattributes", "*.txt filter=shout\n");
    site.write("note.txt", lines(30).to_uppercase());
    site.commit_all("Start");
    assert_eq!(site.committed("note.txt"), lines(30));
    site.edit("note.txt", "LINE 25\n", "MINE\n");
    let done = site
        .commit(vec![site.replace("note.txt", "line 5\n", "five\n")])
        .await
        .unwrap();
    assert!(done.kept.is_empty());
    let expected = lines(30).to_uppercase().replace("LINE 25\n", "MINE\n");
    assert_eq!(
        site.read("note.txt"),
        expected.replace("LINE 5\n", "FIVE\n")
    );
    // What would be committed is shown, not what lies on the disk.
    let changes = site.changes().await;
    assert!(changes[0].after.as_text().unwrap().contains("mine\n"));
}
