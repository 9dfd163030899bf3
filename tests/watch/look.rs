//! What a look at a working tree takes, and that it takes nothing else along.

use std::collections::HashSet;
use std::os::unix::fs::{PermissionsExt, symlink};

use sayso::vcs::git::Git;
use sayso::vcs::git::sandbox::{Look, Sandbox, SandboxCommit, Side, TouchedKind};

use crate::stage::{git, options, site, write};
use crate::support::own;

async fn open(dir: &std::path::Path) -> Sandbox {
    let opened = Git::open_with(dir, options()).await.unwrap();
    Sandbox::open(opened, "sandbox").await.unwrap()
}

async fn look(sandbox: &Sandbox) -> Look {
    let skip = |path: &str| path.ends_with(".tmp");
    sandbox.look(&skip, &HashSet::new()).await.unwrap()
}

fn listed(look: &Look) -> Vec<(String, TouchedKind)> {
    let files = look.touched.iter();
    files.map(|file| (file.path.clone(), file.kind)).collect()
}

async fn commit(sandbox: &Sandbox, look: &Look) -> String {
    let parent = if look.tip.is_empty() {
        &look.head
    } else {
        &look.tip
    };
    let commit = sandbox
        .commit(&look.tree, &[parent], "Saved")
        .await
        .unwrap();
    let made = SandboxCommit {
        commit: commit.clone(),
        branch: "sandbox".into(),
        tip: look.tip.clone(),
        seen: look.tree.clone(),
    };
    sandbox.finish(&made, "saved").await.unwrap();
    // Once more is as once.
    sandbox.finish(&made, "saved").await.unwrap();
    commit
}

#[tokio::test]
async fn everything_saved_is_taken_and_everything_of_the_person_stays() {
    let dir = site(&[
        ("index.html", "one\n"),
        ("gone.html", "gone\n"),
        ("old.html", "a page with enough text to be known again\n"),
        ("run.sh", "#!/bin/sh\n"),
        ("link.txt", "a file\n"),
        ("staged.html", "base\n"),
        (".gitignore", "*.log\n/private/\n"),
    ]);
    let root = dir.path();
    // A stash, something staged that is not in the file any more, something staged and changed again.
    write(root, "index.html", "stashed\n");
    git(root, &["stash", "-q"]);
    write(root, "staged.html", "staged\n");
    git(root, &["add", "staged.html"]);
    write(root, "staged.html", "changed after\n");
    write(root, "index.html", "two\n");
    std::fs::remove_file(root.join("gone.html")).unwrap();
    std::fs::rename(root.join("old.html"), root.join("new.html")).unwrap();
    std::fs::set_permissions(root.join("run.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::remove_file(root.join("link.txt")).unwrap();
    symlink("index.html", root.join("link.txt")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    write(root, "blog/ünï code.html", "new\n");
    write(root, "debug.log", "ignored\n");
    write(root, "private/key.txt", "ignored\n");
    write(root, "scratch.tmp", "left out\n");
    git(root, &["init", "-q", "nested"]);
    write(root, "nested/x.html", "another repository\n");
    let before = own(root);

    let sandbox = open(root).await;
    let first = look(&sandbox).await;
    use TouchedKind as K;
    let expected = [
        ("blog/ünï code.html", K::Added),
        ("dangling", K::Added),
        ("gone.html", K::Removed),
        ("index.html", K::Changed),
        ("link.txt", K::Changed),
        ("new.html", K::Moved),
        ("run.sh", K::Mode),
        ("staged.html", K::Changed),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(path, kind)| ((*path).to_owned(), *kind))
        .collect();
    assert_eq!(listed(&first), expected);
    let made = commit(&sandbox, &first).await;

    assert_eq!(own(root), before, "something of the person's was touched");
    let tree = git(root, &["ls-tree", "-r", &made]);
    assert!(
        tree.contains("120000 blob") && tree.contains("100755 blob"),
        "{tree}"
    );
    assert_eq!(
        git(root, &["show", "sandbox:staged.html"]),
        "changed after\n"
    );
    assert_eq!(git(root, &["show", "sandbox:link.txt"]), "index.html");
    // Nothing is new until something is.
    assert_eq!(listed(&look(&sandbox).await), []);
    write(root, "index.html", "three\n");
    assert_eq!(
        listed(&look(&sandbox).await),
        [("index.html".to_owned(), K::Changed)]
    );
    // Another process knows as much.
    drop(sandbox);
    let sandbox = open(root).await;
    assert_eq!(
        listed(&look(&sandbox).await),
        [("index.html".to_owned(), K::Changed)]
    );
    // And clears away after itself.
    drop(sandbox);
    let left = std::fs::read_dir(root.join(".git")).unwrap().flatten();
    let left: Vec<_> = left
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name.contains("sayso"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_name_in_another_case_is_a_move() {
    let dir = site(&[
        ("about.html", "the page about us, long enough\n"),
        ("x", "x\n"),
    ]);
    let root = dir.path();
    // As on file systems where a name answers in any case. This one is not, so the old name is gone for good.
    git(root, &["config", "core.ignoreCase", "true"]);
    std::fs::rename(root.join("about.html"), root.join("About.html")).unwrap();
    let sandbox = open(root).await;
    let first = look(&sandbox).await;
    assert_eq!(
        listed(&first),
        [("About.html".to_owned(), TouchedKind::Moved)]
    );
    commit(&sandbox, &first).await;
    let names = git(root, &["ls-tree", "-r", "--name-only", "sandbox"]);
    assert_eq!(names, "About.html\nx\n");
}

#[tokio::test]
async fn one_file_that_cannot_be_read_keeps_nobody_back() {
    let dir = site(&[("index.html", "one\n")]);
    let root = dir.path();
    git(root, &["config", "filter.broken.clean", "false"]);
    git(root, &["config", "filter.broken.required", "true"]);
    write(root, ".gitattributes", "*.bad filter=broken\n");
    for n in 0..9 {
        write(root, &format!("page-{n}.html"), "new\n");
    }
    write(root, "picture.bad", "cannot be stored\n");
    let sandbox = open(root).await;
    let first = look(&sandbox).await;
    assert_eq!(first.unreadable.len(), 1, "{:?}", first.unreadable);
    assert_eq!(first.unreadable[0].0, "picture.bad");
    assert_eq!(first.touched.len(), 10, "{:?}", listed(&first));
}

#[tokio::test]
async fn a_file_becomes_a_folder_and_back() {
    let dir = site(&[("blog", "a file\n"), ("news/one.html", "one\n")]);
    let root = dir.path();
    let sandbox = open(root).await;
    std::fs::remove_file(root.join("blog")).unwrap();
    write(root, "blog/one.html", "in a folder\n");
    std::fs::remove_dir_all(root.join("news")).unwrap();
    write(root, "news", "a file\n");
    let first = look(&sandbox).await;
    commit(&sandbox, &first).await;
    let names = git(root, &["ls-tree", "-r", "--name-only", "sandbox"]);
    assert_eq!(names, "blog/one.html\nnews\n");
}

#[tokio::test]
async fn a_folder_becomes_a_link() {
    let dir = site(&[("blog/one.html", "one\n"), ("news/two.html", "two\n")]);
    let root = dir.path();
    std::fs::remove_dir_all(root.join("blog")).unwrap();
    symlink("news", root.join("blog")).unwrap();
    let sandbox = open(root).await;
    let first = look(&sandbox).await;
    assert!(first.unreadable.is_empty(), "{:?}", first.unreadable);
    commit(&sandbox, &first).await;
    let names = git(root, &["ls-tree", "-r", "--name-only", "sandbox"]);
    assert_eq!(names, "blog\nnews/two.html\n");
}

#[tokio::test]
async fn a_branch_without_commits_has_saves_too() {
    let dir = site(&[]);
    write(dir.path(), "index.html", "first\n");
    let sandbox = open(dir.path()).await;
    let first = look(&sandbox).await;
    assert_eq!((first.head.as_str(), first.tip.as_str()), ("", ""));
    let commit = sandbox.commit(&first.tree, &[], "Saved").await.unwrap();
    let made = SandboxCommit {
        commit,
        branch: "sandbox".into(),
        tip: String::new(),
        seen: first.tree,
    };
    sandbox.finish(&made, "saved").await.unwrap();
    assert_eq!(git(dir.path(), &["show", "sandbox:index.html"]), "first\n");
}

/// Both writes within one tick of the file system's clock: neither size nor time tell them apart.
#[tokio::test]
async fn a_file_written_again_at_the_same_time_is_seen() {
    let dir = site(&[("index.html", "one\n")]);
    let root = dir.path();
    // A change of the time is written down by itself, with a time that cannot be set.
    git(root, &["config", "core.trustctime", "false"]);
    let sandbox = open(root).await;
    write(root, "index.html", "two\n");
    let written = std::fs::metadata(root.join("index.html"))
        .and_then(|file| file.modified())
        .unwrap();
    let first = look(&sandbox).await;
    write(root, "index.html", "six\n");
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(root.join("index.html"))
        .unwrap();
    file.set_modified(written).unwrap();
    let second = look(&sandbox).await;
    assert_ne!(first.tree, second.tree);
    assert_eq!(
        git(root, &["show", &format!("{}:index.html", second.tree)]),
        "six\n"
    );
}

#[tokio::test]
async fn a_damaged_index_of_our_own_is_made_anew() {
    let dir = site(&[("index.html", "one\n")]);
    let root = dir.path();
    let sandbox = open(root).await;
    write(root, "index.html", "two\n");
    look(&sandbox).await;
    let own = std::fs::read_dir(root.join(".git"))
        .unwrap()
        .flatten()
        .find(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with("sayso-sandbox")
        })
        .unwrap()
        .path();
    std::fs::write(own.join("index"), "this is no index at all").unwrap();
    std::fs::write(own.join("index.lock"), "").unwrap();
    assert_eq!(look(&sandbox).await.touched.len(), 1);
}

#[tokio::test]
async fn a_branch_that_moved_meanwhile_is_not_overwritten() {
    let dir = site(&[("index.html", "one\n")]);
    let root = dir.path();
    let sandbox = open(root).await;
    write(root, "index.html", "two\n");
    let first = look(&sandbox).await;
    let ours = sandbox
        .commit(&first.tree, &[&first.head], "Saved")
        .await
        .unwrap();
    git(root, &["branch", "sandbox", "main"]);
    let made = SandboxCommit {
        commit: ours,
        branch: "sandbox".into(),
        tip: String::new(),
        seen: first.tree,
    };
    let problem = sandbox.finish(&made, "saved").await.unwrap_err();
    assert!(problem.is("stale-base"), "{problem}");
    assert_eq!(
        git(root, &["rev-parse", "sandbox"]),
        git(root, &["rev-parse", "main"])
    );
}

#[tokio::test]
async fn the_branch_that_is_checked_out_is_refused() {
    let dir = site(&[("index.html", "one\n")]);
    git(dir.path(), &["switch", "-q", "-c", "sandbox"]);
    let sandbox = open(dir.path()).await;
    let problem = sandbox
        .look(&|_: &str| false, &HashSet::new())
        .await
        .unwrap_err();
    assert!(problem.is("sandbox-checked-out"), "{problem}");
    for bad in ["", "-x", "a..b", "a b"] {
        let opened = Git::open_with(dir.path(), options()).await.unwrap();
        assert!(Sandbox::open(opened, bad).await.is_err(), "{bad:?}");
    }
}

/// Two sides of a base, and what both together are.
async fn joined(
    base: &[(&str, &str)],
    ours: &[(&str, Option<&str>)],
    theirs: &[(&str, Option<&str>)],
    favour: Option<Side>,
) -> (Vec<String>, Vec<(String, String)>) {
    let dir = site(base);
    let root = dir.path();
    let side = |files: &[(&str, Option<&str>)]| {
        git(root, &["checkout", "-q", "--detach", "main"]);
        for (name, text) in files {
            match text {
                Some(text) => {
                    if root.join(name).is_dir() {
                        std::fs::remove_dir_all(root.join(name)).unwrap();
                    }
                    write(root, name, text);
                }
                None => std::fs::remove_file(root.join(name)).unwrap(),
            }
        }
        git(root, &["add", "-A"]);
        git(root, &["commit", "-q", "--allow-empty", "-m", "side"]);
        git(root, &["rev-parse", "HEAD"]).trim().to_owned()
    };
    let (ours, theirs) = (side(ours), side(theirs));
    let sandbox = open(root).await;
    let base = git(root, &["rev-parse", "main"]);
    let joined = sandbox
        .join(base.trim(), &ours, &theirs, favour)
        .await
        .unwrap();
    let names = git(root, &["ls-tree", "-r", "--name-only", &joined.tree]);
    let files = names
        .lines()
        .map(|name| {
            let text = git(
                root,
                &["cat-file", "blob", &format!("{}:{name}", joined.tree)],
            );
            (name.to_owned(), text)
        })
        .collect();
    let clashes = joined.clashes.iter();
    (clashes.map(|clash| clash.path.clone()).collect(), files)
}

fn file(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

const PAGE: &str = "a\nb\nc\nd\ne\nf\ng\nh\n";

#[tokio::test]
async fn lines_apart_go_together_and_the_same_lines_clash() {
    let base = [("page", PAGE), ("x", "x\n")];
    let (clashes, files) = joined(
        &base,
        &[("page", Some("A\nb\nc\nd\ne\nf\ng\nh\n"))],
        &[
            ("page", Some("a\nb\nc\nd\ne\nf\ng\nH\n")),
            ("y", Some("y\n")),
        ],
        None,
    )
    .await;
    assert!(clashes.is_empty(), "{clashes:?}");
    let both = [
        file("page", "A\nb\nc\nd\ne\nf\ng\nH\n"),
        file("x", "x\n"),
        file("y", "y\n"),
    ];
    assert_eq!(files, both);

    let ours = [("page", Some("a\nb\nOURS\nd\ne\nf\ng\nh\n"))];
    let theirs = [("page", Some("a\nb\nTHEIRS\nd\ne\nf\ng\nH\n"))];
    let (clashes, _) = joined(&base, &ours, &theirs, None).await;
    assert_eq!(clashes, ["page"]);
    // What is elsewhere in the file is taken from both, whoever wins.
    let (_, files) = joined(&base, &ours, &theirs, Some(Side::Ours)).await;
    assert_eq!(files[0], file("page", "a\nb\nOURS\nd\ne\nf\ng\nH\n"));
    let (_, files) = joined(&base, &ours, &theirs, Some(Side::Theirs)).await;
    assert_eq!(files[0], file("page", "a\nb\nTHEIRS\nd\ne\nf\ng\nH\n"));
}

#[tokio::test]
async fn what_one_side_removed_and_the_other_changed_clashes() {
    let base = [("page", PAGE), ("x", "x\n")];
    let (gone, changed) = ([("page", None)], [("page", Some("new\n"))]);
    for (ours, theirs) in [(&gone, &changed), (&changed, &gone)] {
        let (clashes, _) = joined(&base, ours, theirs, None).await;
        assert_eq!(clashes, ["page"]);
        for side in [Side::Ours, Side::Theirs] {
            let (_, files) = joined(&base, ours, theirs, Some(side)).await;
            let winner = if side == Side::Ours { ours } else { theirs };
            let there = files.iter().any(|(name, _)| name == "page");
            assert_eq!(there, winner[0].1.is_some(), "{side:?}");
        }
    }
    // Both removed it: no clash.
    let (clashes, files) = joined(&base, &gone, &gone, None).await;
    assert!(clashes.is_empty());
    assert_eq!(files, [file("x", "x\n")]);
}

#[tokio::test]
async fn a_file_in_the_place_of_a_folder_clashes() {
    let base = [("x", "x\n")];
    let ours = [("blog", Some("a file\n"))];
    let theirs = [("blog/one.html", Some("in a folder\n"))];
    let (clashes, files) = joined(&base, &ours, &theirs, Some(Side::Ours)).await;
    assert_eq!(clashes, ["blog"]);
    assert_eq!(files, [file("blog", "a file\n"), file("x", "x\n")]);
    let (_, files) = joined(&base, &ours, &theirs, Some(Side::Theirs)).await;
    assert_eq!(
        files,
        [file("blog/one.html", "in a folder\n"), file("x", "x\n")]
    );
}
