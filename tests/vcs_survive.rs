//! A person's uncommitted work comes through every commit byte for byte.
#![cfg(unix)]

#[path = "vcs_survive/shapes.rs"]
mod shapes;
mod vcs_support;

use std::fs;

use sayso::model::Content;
use sayso::vcs::Repository;
use vcs_support::*;

const PAGE: &str = "index.html";

fn site() -> Site {
    Site::with([
        (PAGE, lines(40).as_str()),
        ("about.html", lines(20).as_str()),
        ("style.css", "body {}\n"),
        ("run.sh", "#!/bin/sh\n"),
    ])
}

#[tokio::test]
async fn a_clean_tree_is_clean_again_with_the_change_in_it() {
    let site = site();
    let change = site.replace(PAGE, "line 20\n", "LINE 20\n");
    let done = site.commit(vec![change]).await.unwrap();
    assert_eq!(done.kept, Vec::<String>::new());
    assert_eq!(done.commit, site.head());
    assert_eq!(site.status(), "");
    assert_eq!(site.read(PAGE), lines(40).replace("line 20\n", "LINE 20\n"));
    assert_eq!(site.committed(PAGE), site.read(PAGE));
    let log = site.git(["log", "-1", "--format=%an <%ae>|%cn|%B"]);
    assert_eq!(
        log,
        "Ada Lovelace <ada@example.com>|Ada Lovelace|Change the headline\n\n"
    );
    let reflog = site.git(["reflog", "-1", "--format=%gs"]);
    assert_eq!(reflog, "commit: Change the headline\n");
    site.git(["fsck", "--strict"]);
}

#[tokio::test]
async fn other_files_keep_every_kind_of_change() {
    let site = site();
    site.edit("about.html", "line 3\n", "staged\n");
    site.git(["add", "about.html"]);
    site.edit("about.html", "line 15\n", "not staged\n");
    site.write("style.css", "body { color: teal }\r\n");
    site.write("draft \"one\".html", "<p>draft</p>");
    site.write("added.html", "added");
    site.git(["add", "added.html"]);
    site.chmod("run.sh", 0o755);
    let before = site.state();

    let change = site.replace(PAGE, "line 20\n", "LINE 20\n");
    let done = site.commit(vec![change]).await.unwrap();
    assert!(done.kept.is_empty());
    let mut after = site.state();
    assert_eq!(
        after.files.remove(PAGE).unwrap().1,
        site.committed(PAGE).as_bytes()
    );
    let mut expected = before;
    expected.files.remove(PAGE);
    assert_eq!(after, expected);
    assert_eq!(
        site.git(["show", "--format=", "--name-only"]),
        "index.html\n"
    );
}

#[tokio::test]
async fn staged_and_unstaged_lines_of_the_same_file_stay_so() {
    let site = site();
    site.edit(PAGE, "line 2\n", "staged 2\n");
    site.git(["add", PAGE]);
    site.edit(PAGE, "line 38\n", "unstaged 38\n");

    let change = site.replace(PAGE, "line 20\n", "LINE 20\n");
    let done = site.commit(vec![change]).await.unwrap();
    assert!(done.kept.is_empty());
    let committed = lines(40).replace("line 20\n", "LINE 20\n");
    let staged = committed.replace("line 2\n", "staged 2\n");
    let worked = staged.replace("line 38\n", "unstaged 38\n");
    assert_eq!(site.committed(PAGE), committed);
    assert_eq!(site.git(["show", &format!(":{PAGE}")]), staged);
    assert_eq!(site.read(PAGE), worked);
    assert_eq!(site.status(), format!("MM {PAGE}\n"));
}

#[tokio::test]
async fn lines_that_overlap_are_left_alone_and_named() {
    let site = site();
    site.edit(PAGE, "line 20\n", "mine 20\n");
    let before = site.state();
    let change = site.replace(PAGE, "line 20\n", "LINE 20\n");
    let done = site.commit(vec![change]).await.unwrap();
    assert_eq!(done.kept, [PAGE]);
    assert_eq!(site.state().files, before.files);
    assert_eq!(
        site.committed(PAGE),
        lines(40).replace("line 20\n", "LINE 20\n")
    );
    assert_eq!(site.status(), format!(" M {PAGE}\n"));
}

#[tokio::test]
async fn a_staged_overlap_is_left_alone_and_named() {
    let site = site();
    site.edit(PAGE, "line 20\n", "mine 20\n");
    site.git(["add", PAGE]);
    let blob = site.git(["rev-parse", &format!(":{PAGE}")]);
    let change = site.replace(PAGE, "line 20\n", "LINE 20\n");
    let done = site.commit(vec![change]).await.unwrap();
    assert_eq!(done.kept, [PAGE]);
    assert_eq!(site.git(["rev-parse", &format!(":{PAGE}")]), blob);
    assert_eq!(site.read(PAGE), lines(40).replace("line 20\n", "mine 20\n"));
    assert_eq!(site.status(), format!("M  {PAGE}\n"));
}

#[tokio::test]
async fn an_edit_between_preparing_and_finishing_is_merged() {
    let site = site();
    let git = site.open().await;
    let change = site.replace(PAGE, "line 20\n", "LINE 20\n");
    let prepared = prepare(&git, site.request(vec![change])).await.unwrap();
    site.edit(PAGE, "line 30\n", "later\n");
    let done = git.finish(&prepared).await.unwrap();
    assert!(done.kept.is_empty());
    let expected = lines(40)
        .replace("line 20\n", "LINE 20\n")
        .replace("line 30\n", "later\n");
    assert_eq!(site.read(PAGE), expected);
}

#[tokio::test]
async fn preparing_touches_nothing() {
    let site = site();
    site.edit("about.html", "line 3\n", "staged\n");
    site.git(["add", "-A"]);
    site.write("new.html", "new");
    let (before, head) = (site.state(), site.head());
    let index = fs::read(site.path(".git/index")).unwrap();
    let git = site.open().await;
    let change = site.replace(PAGE, "line 20\n", "LINE 20\n");
    let prepared = prepare(&git, site.request(vec![change])).await.unwrap();
    assert_eq!((site.state(), site.head()), (before, head));
    assert_eq!(fs::read(site.path(".git/index")).unwrap(), index);
    assert!(!git.contains("main", &prepared.commit).await.unwrap());
    git.finish(&prepared).await.unwrap();
    assert!(git.contains("main", &prepared.commit).await.unwrap());
}

#[tokio::test]
async fn finishing_twice_is_finishing_once() {
    let site = site();
    site.edit(PAGE, "line 2\n", "staged 2\n");
    site.git(["add", PAGE]);
    site.edit(PAGE, "line 38\n", "unstaged 38\n");
    let git = site.open().await;
    let change = site.replace(PAGE, "line 20\n", "LINE 20\n");
    let prepared = prepare(&git, site.request(vec![change])).await.unwrap();
    let first = git.finish(&prepared).await.unwrap();
    let state = site.state();
    let second = git.finish(&prepared).await.unwrap();
    assert_eq!((first, state), (second, site.state()));
    assert_eq!(site.git(["rev-list", "--count", "HEAD"]), "2\n");
}

#[tokio::test]
async fn finishing_again_after_the_person_went_on_undoes_nothing() {
    let site = site();
    let git = site.open().await;
    let change = site.replace(PAGE, "line 20\n", "LINE 20\n");
    let prepared = prepare(&git, site.request(vec![change])).await.unwrap();
    git.finish(&prepared).await.unwrap();
    site.edit(PAGE, "LINE 20\n", "line 20\n");
    site.commit_all("Back again");
    let (state, head) = (site.state(), site.head());
    git.finish(&prepared).await.unwrap();
    assert_eq!((site.state(), site.head()), (state, head));
    site.git(["switch", "-q", "-c", "other"]);
    git.finish(&prepared).await.unwrap();
    assert_eq!(site.status(), "");
}

#[tokio::test]
async fn line_endings_of_the_working_tree_stay() {
    for setting in ["attribute", "autocrlf"] {
        let site = Site::new();
        if setting == "attribute" {
            site.write(".gitattributes", "*.html text eol=crlf\n");
        } else {
            site.git(["config", "core.autocrlf", "true"]);
        }
        let crlf = lines(40).replace('\n', "\r\n");
        site.write(PAGE, &crlf);
        site.write("about.html", &crlf);
        site.commit_all("Start");
        assert_eq!(site.committed(PAGE), lines(40));
        site.edit("about.html", "line 30\r\n", "mine\r\n");

        let files = vec![
            site.replace(PAGE, "line 20\n", "LINE 20\n"),
            site.replace("about.html", "line 10\n", "TEN\nand\n"),
        ];
        let done = site.commit(files).await.unwrap();
        assert!(done.kept.is_empty(), "{setting}");
        assert_eq!(site.read(PAGE), crlf.replace("line 20\r\n", "LINE 20\r\n"));
        assert_eq!(
            site.read("about.html"),
            crlf.replace("line 10\r\n", "TEN\r\nand\r\n")
                .replace("line 30\r\n", "mine\r\n")
        );
        assert_eq!(
            site.committed(PAGE),
            lines(40).replace("line 20\n", "LINE 20\n")
        );
        assert_eq!(site.status(), " M about.html\n");
    }
}

#[tokio::test]
async fn carriage_returns_in_the_repository_are_bytes_like_any_other() {
    let crlf = lines(40).replace('\n', "\r\n");
    let site = Site::with([(PAGE, crlf.as_str())]);
    let done = site
        .commit(vec![site.replace(PAGE, "line 20\r\n", "LINE 20\r\n")])
        .await
        .unwrap();
    assert!(done.kept.is_empty());
    assert_eq!(
        site.committed(PAGE),
        crlf.replace("line 20\r\n", "LINE 20\r\n")
    );
    assert_eq!(site.read(PAGE), site.committed(PAGE));
    assert_eq!(site.status(), "");
}

#[tokio::test]
async fn what_the_person_deleted_stays_deleted() {
    let site = site();
    fs::remove_file(site.path(PAGE)).unwrap();
    let done = site
        .commit(vec![site.replace(PAGE, "line 20\n", "LINE 20\n")])
        .await
        .unwrap();
    assert_eq!(done.kept, [PAGE]);
    assert_eq!(site.status(), format!(" D {PAGE}\n"));
    assert!(site.committed(PAGE).contains("LINE 20"));

    site.git(["rm", "-q", "--cached", "about.html"]);
    let done = site
        .commit(vec![site.replace("about.html", "line 2\n", "2\n")])
        .await
        .unwrap();
    assert_eq!(done.kept, ["about.html"]);
    assert!(site.staged().contains("deleted file"));
}

#[tokio::test]
async fn a_deleted_file_goes_unless_the_person_changed_it() {
    let site = Site::with([
        ("a/b/gone.html", "x\n"),
        ("edited.html", "x\n"),
        (PAGE, "x\n"),
    ]);
    site.write("edited.html", "x\nmine\n");
    let gone = |path| file(path, Content::text("x\n"), Content::Absent);
    let done = site
        .commit(vec![gone("a/b/gone.html"), gone("edited.html")])
        .await
        .unwrap();
    assert_eq!(done.kept, ["edited.html"]);
    assert!(!site.path("a").exists());
    assert_eq!(site.read("edited.html"), "x\nmine\n");
    assert_eq!(site.status(), "?? edited.html\n");
    assert_eq!(
        site.git(["ls-tree", "--name-only", "-r", "HEAD"]),
        format!("{PAGE}\n")
    );
}

#[tokio::test]
async fn an_untracked_file_in_the_way_is_left_as_it_is() {
    let site = site();
    site.write("new.html", "theirs\n");
    site.write("same.html", "same\n");
    let new = |path, text| file(path, Content::Absent, Content::text(text));
    let files = vec![
        new("new.html", "ours\n"),
        new("same.html", "same\n"),
        new("a/b.html", "b"),
    ];
    let done = site.commit(files).await.unwrap();
    assert_eq!(done.kept, ["new.html"]);
    assert_eq!(site.read("new.html"), "theirs\n");
    assert_eq!(site.read("a/b.html"), "b");
    assert_eq!(site.status(), " M new.html\n");
    assert_eq!(site.committed("new.html"), "ours\n");
}

#[tokio::test]
async fn an_unborn_branch_gets_its_first_commit() {
    let site = Site::new();
    site.write("mine.html", "mine");
    site.write("staged.html", "staged");
    site.git(["add", "staged.html"]);
    let git = site.open().await;
    assert_eq!(git.status().await.unwrap().head, "");
    assert_eq!(git.tree("").await.unwrap().files(), []);
    assert_eq!(git.log(5).await.unwrap(), []);
    let new = file(PAGE, Content::Absent, Content::text("<h1>Hi</h1>\n"));
    let done = site.commit(vec![new]).await.unwrap();
    assert!(done.kept.is_empty());
    assert_eq!(
        site.git(["ls-tree", "--name-only", "HEAD"]),
        format!("{PAGE}\n")
    );
    assert_eq!(site.status(), "A  staged.html\n?? mine.html\n");
    assert_eq!(site.read(PAGE), "<h1>Hi</h1>\n");
    assert_eq!(git.log(5).await.unwrap()[0].title, "Change the headline");
    assert_eq!(
        git.changes_of(&site.head()).await.unwrap()[0]
            .after
            .as_text()
            .unwrap()
            .len(),
        12
    );
}
