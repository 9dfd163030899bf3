//! A person's uncommitted work comes through every commit byte for byte.
#![cfg(unix)]

mod vcs_support;

use std::fs;
use std::os::unix::fs::symlink;

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
