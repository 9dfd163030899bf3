//! A dirty working tree comes through a commit byte for byte: real git, real files.

mod stage;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sayso::model::{Content, Problem, ProposedFile};
use sayso::vcs::git::Git;
use sayso::vcs::{CommitRequest, Committed, Repository};
use stage::{git, read, site, write};

const LINES: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";

async fn open(dir: &Path) -> Git {
    Git::open_with(dir, stage::options()).await.unwrap()
}

/// A change of `path` from what HEAD has to `after`.
fn change(dir: &Path, path: &str, after: Option<&str>) -> ProposedFile {
    let has = std::process::Command::new("git")
        .current_dir(dir)
        .args(["cat-file", "-e", &format!("HEAD:{path}")])
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap()
        .success();
    let before = if has {
        Content::text(git(dir, &["cat-file", "blob", &format!("HEAD:{path}")]))
    } else {
        Content::Absent
    };
    let mode = |content: &Content| if content.is_absent() { 0 } else { 0o100_644 };
    let after = after.map_or(Content::Absent, Content::text);
    ProposedFile {
        path: path.into(),
        mode_before: mode(&before),
        mode_after: mode(&after),
        before,
        after,
        hunks: vec![],
    }
}

async fn commit(dir: &Path, files: Vec<ProposedFile>) -> Result<Committed, Problem> {
    let repo = open(dir).await;
    let status = repo.status().await?;
    let request = CommitRequest {
        base: status.head,
        branch: status.branch,
        message: "a change".into(),
        files,
    };
    let (output, _lines) = tokio::sync::mpsc::unbounded_channel();
    let prepared = repo.prepare(&request, output).await?;
    let first = repo.finish(&prepared).await?;
    // A crash may make the next start finish again: that must change nothing.
    let state = (
        git(dir, &["status", "--porcelain"]),
        git(dir, &["rev-parse", "HEAD"]),
    );
    let again = repo.finish(&prepared).await?;
    assert_eq!(again.commit, first.commit);
    assert_eq!(
        state,
        (
            git(dir, &["status", "--porcelain"]),
            git(dir, &["rev-parse", "HEAD"])
        )
    );
    Ok(first)
}

#[tokio::test]
async fn staged_unstaged_and_untracked_changes_elsewhere_stay_as_they_were() {
    let dir = site(&[
        ("a.txt", LINES),
        ("staged.txt", "s\n"),
        ("edited.txt", "e\n"),
        ("gone.txt", "g\n"),
    ]);
    let dir = dir.path();
    write(dir, "staged.txt", "S\n");
    git(dir, &["add", "staged.txt"]);
    write(dir, "staged.txt", "S2\n");
    write(dir, "edited.txt", "E\r\n");
    write(dir, "new \u{fc} \"x\".txt", "n");
    std::fs::remove_file(dir.join("gone.txt")).unwrap();
    let before = git(dir, &["status", "--porcelain"]);
    let staged = git(dir, &["diff", "--cached"]);
    let unstaged = git(dir, &["diff"]);
    let done = commit(
        dir,
        vec![change(dir, "a.txt", Some("one\n2\n3\n4\n5\n6\n7\n8\n9\n"))],
    )
    .await
    .unwrap();
    assert_eq!(done.kept, Vec::<String>::new());
    assert_eq!(git(dir, &["status", "--porcelain"]), before);
    assert_eq!(git(dir, &["diff", "--cached"]), staged);
    assert_eq!(git(dir, &["diff"]), unstaged);
    assert_eq!(read(dir, "staged.txt"), "S2\n");
    assert_eq!(read(dir, "edited.txt"), "E\r\n");
    assert_eq!(git(dir, &["show", "--format=", "--name-only"]), "a.txt\n");
}

#[tokio::test]
async fn a_file_edited_on_other_lines_takes_the_change_and_keeps_the_edit() {
    let dir = site(&[("a.txt", LINES)]);
    let dir = dir.path();
    write(dir, "a.txt", &LINES.replace("8\n", "EIGHT\n"));
    let done = commit(
        dir,
        vec![change(dir, "a.txt", Some(&LINES.replace("2\n", "two\n")))],
    )
    .await
    .unwrap();
    assert_eq!(done.kept, Vec::<String>::new());
    assert_eq!(
        read(dir, "a.txt"),
        LINES.replace("2\n", "two\n").replace("8\n", "EIGHT\n")
    );
    assert_eq!(
        git(dir, &["show", "HEAD:a.txt"]),
        LINES.replace("2\n", "two\n")
    );
    assert_eq!(git(dir, &["status", "--porcelain"]), " M a.txt\n");
}

#[tokio::test]
async fn a_file_edited_on_the_same_lines_is_left_alone_and_named() {
    let dir = site(&[("a.txt", LINES)]);
    let dir = dir.path();
    let mine = LINES.replace("2\n", "mine\n");
    write(dir, "a.txt", &mine);
    let done = commit(
        dir,
        vec![change(dir, "a.txt", Some(&LINES.replace("2\n", "two\n")))],
    )
    .await
    .unwrap();
    assert_eq!(done.kept, ["a.txt"]);
    assert_eq!(read(dir, "a.txt"), mine);
    assert_eq!(
        git(dir, &["show", "HEAD:a.txt"]),
        LINES.replace("2\n", "two\n")
    );
}

#[tokio::test]
async fn staged_lines_of_the_same_file_stay_staged() {
    let dir = site(&[("a.txt", LINES)]);
    let dir = dir.path();
    write(dir, "a.txt", &LINES.replace("8\n", "EIGHT\n"));
    git(dir, &["add", "a.txt"]);
    commit(
        dir,
        vec![change(dir, "a.txt", Some(&LINES.replace("2\n", "two\n")))],
    )
    .await
    .unwrap();
    assert_eq!(git(dir, &["status", "--porcelain"]), "M  a.txt\n");
    let staged = git(dir, &["diff", "--cached", "-U0"]);
    assert!(
        staged.contains("-8\n+EIGHT\n") && !staged.contains("+two"),
        "{staged}"
    );
    assert!(!staged.contains("-two"), "{staged}");
}

#[tokio::test]
async fn deleted_new_and_colliding_files() {
    let dir = site(&[("deep/er/a.txt", "a\n"), ("b.txt", "b\n"), ("c.txt", "c\n")]);
    let dir = dir.path();
    write(dir, "taken.txt", "mine, untracked\n");
    write(dir, "b.txt", "b, edited\n");
    std::fs::remove_file(dir.join("c.txt")).unwrap();
    let files = vec![
        change(dir, "deep/er/a.txt", None),
        change(dir, "b.txt", None),
        change(dir, "c.txt", Some("C\n")),
        change(dir, "taken.txt", Some("theirs\n")),
        change(dir, "x/y/new.txt", Some("new, no newline")),
    ];
    let done = commit(dir, files).await.unwrap();
    assert_eq!(done.kept, ["b.txt", "c.txt", "taken.txt"]);
    assert!(!dir.join("deep").exists(), "empty folders go, as with git");
    assert_eq!(read(dir, "b.txt"), "b, edited\n");
    assert!(!dir.join("c.txt").exists());
    assert_eq!(read(dir, "taken.txt"), "mine, untracked\n");
    assert_eq!(read(dir, "x/y/new.txt"), "new, no newline");
    assert_eq!(git(dir, &["show", "HEAD:taken.txt"]), "theirs\n");
}

#[tokio::test]
async fn line_endings_of_the_working_tree_are_those_git_would_check_out() {
    let dir = site(&[(".gitattributes", "*.txt text eol=crlf\n")]);
    let dir = dir.path();
    write(dir, "a.txt", &LINES.replace('\n', "\r\n"));
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-qm", "crlf"]);
    assert_eq!(git(dir, &["cat-file", "blob", "HEAD:a.txt"]), LINES);
    commit(
        dir,
        vec![change(dir, "a.txt", Some(&LINES.replace("2\n", "two\n")))],
    )
    .await
    .unwrap();
    assert_eq!(
        read(dir, "a.txt"),
        LINES.replace("2\n", "two\n").replace('\n', "\r\n")
    );
    assert_eq!(git(dir, &["status", "--porcelain"]), "");
    // With an edit of the person's on another line.
    write(
        dir,
        "a.txt",
        &read(dir, "a.txt").replace("8\r\n", "EIGHT\r\n"),
    );
    let next = LINES.replace("2\n", "zwei\n");
    commit(dir, vec![change(dir, "a.txt", Some(&next))])
        .await
        .unwrap();
    assert_eq!(
        read(dir, "a.txt"),
        next.replace("8\n", "EIGHT\n").replace('\n', "\r\n")
    );
}

#[tokio::test]
async fn modes_and_links_follow() {
    let dir = site(&[("run.sh", "#!/bin/sh\n"), ("a.txt", "a\n")]);
    let dir = dir.path();
    let mut script = change(dir, "run.sh", Some("#!/bin/sh\necho\n"));
    script.mode_after = 0o100_755;
    let mut link = change(dir, "link", Some("a.txt"));
    link.mode_after = 0o120_000;
    commit(dir, vec![script, link]).await.unwrap();
    let mode = dir.join("run.sh").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111 & (mode >> 2), "whoever reads may run");
    assert_ne!(mode & 0o100, 0);
    assert_eq!(
        std::fs::read_link(dir.join("link")).unwrap(),
        Path::new("a.txt")
    );
    assert_eq!(git(dir, &["status", "--porcelain"]), "");
    // A mode the person changed without committing stays theirs.
    std::fs::set_permissions(dir.join("a.txt"), std::fs::Permissions::from_mode(0o755)).unwrap();
    commit(
        dir,
        vec![change(dir, "run.sh", Some("#!/bin/sh\necho 2\n"))],
    )
    .await
    .unwrap();
    assert_eq!(git(dir, &["status", "--porcelain"]), " M a.txt\n");
}

#[tokio::test]
async fn nothing_is_written_through_a_link_out_of_the_repository() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "a.txt", "outside\n");
    let dir = site(&[("sub/a.txt", "a\n")]);
    let dir = dir.path();
    std::fs::remove_dir_all(dir.join("sub")).unwrap();
    std::os::unix::fs::symlink(outside.path(), dir.join("sub")).unwrap();
    let done = commit(dir, vec![change(dir, "sub/a.txt", Some("A\n"))])
        .await
        .unwrap();
    assert_eq!(done.kept, ["sub/a.txt"]);
    assert_eq!(read(outside.path(), "a.txt"), "outside\n");
}

#[tokio::test]
async fn a_branch_that_moved_meanwhile_changes_nothing() {
    let dir = site(&[("a.txt", LINES)]);
    let dir = dir.path();
    let repo = open(dir).await;
    let status = repo.status().await.unwrap();
    let request = CommitRequest {
        base: status.head,
        branch: "main".into(),
        message: "late".into(),
        files: vec![change(dir, "a.txt", Some("x\n"))],
    };
    let (output, _lines) = tokio::sync::mpsc::unbounded_channel();
    let prepared = repo.prepare(&request, output.clone()).await.unwrap();
    git(dir, &["commit", "-q", "--allow-empty", "-m", "faster"]);
    let problem = repo.finish(&prepared).await.unwrap_err();
    assert!(problem.is("stale-base"), "{problem}");
    assert_eq!(git(dir, &["log", "-1", "--format=%s"]), "faster\n");
    assert_eq!(read(dir, "a.txt"), LINES);
    assert_eq!(git(dir, &["status", "--porcelain"]), "");
    assert!(
        repo.prepare(&request, output)
            .await
            .unwrap_err()
            .is("stale-base")
    );
}

#[tokio::test]
async fn hooks_run_refuse_and_change_what_is_committed() {
    let dir = site(&[
        ("a.txt", "a\n"),
        (
            "hooks/pre-commit",
            "#!/bin/sh\necho checking\ngrep -q BAD a.txt && exit 1\ngit diff --cached --name-only\n",
        ),
        (
            "hooks/commit-msg",
            "#!/bin/sh\necho 'Ticket: 7' >> \"$1\"\n",
        ),
        ("hooks/post-commit", "#!/bin/sh\necho after\n"),
    ]);
    let dir = dir.path();
    for hook in ["pre-commit", "commit-msg", "post-commit"] {
        std::fs::set_permissions(
            dir.join("hooks").join(hook),
            std::fs::Permissions::from_mode(0o755),
        )
        .unwrap();
    }
    git(dir, &["commit", "-qam", "modes"]);
    git(dir, &["config", "core.hooksPath", "hooks"]);
    let done = commit(dir, vec![change(dir, "a.txt", Some("A\n"))])
        .await
        .unwrap();
    assert_eq!(done.output, ["checking", "a.txt", "after"]);
    assert_eq!(
        git(dir, &["log", "-1", "--format=%B"]),
        "a change\nTicket: 7\n\n"
    );
    write(dir, "a.txt", "BAD\n");
    let head = git(dir, &["rev-parse", "HEAD"]);
    let problem = commit(dir, vec![change(dir, "a.txt", Some("A2\n"))])
        .await
        .unwrap_err();
    assert!(
        problem.is("hook-failed") && problem.detail.contains("checking"),
        "{problem}"
    );
    assert_eq!(git(dir, &["rev-parse", "HEAD"]), head);
    assert_eq!(read(dir, "a.txt"), "BAD\n");
}

#[tokio::test]
async fn commits_are_signed_where_the_person_signs() {
    let keys = tempfile::tempdir().unwrap();
    let key = keys.path().join("key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no ssh-keygen on this machine");
        return;
    }
    let dir = site(&[("a.txt", "a\n")]);
    let dir = dir.path();
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let allowed = keys.path().join("allowed");
    std::fs::write(&allowed, format!("ada@example.org {public}")).unwrap();
    git(dir, &["config", "gpg.format", "ssh"]);
    git(dir, &["config", "user.signingkey", key.to_str().unwrap()]);
    git(
        dir,
        &[
            "config",
            "gpg.ssh.allowedSignersFile",
            allowed.to_str().unwrap(),
        ],
    );
    git(dir, &["config", "commit.gpgsign", "true"]);
    commit(dir, vec![change(dir, "a.txt", Some("A\n"))])
        .await
        .unwrap();
    git(dir, &["verify-commit", "HEAD"]);
}

#[tokio::test]
async fn the_first_commit_of_a_branch_and_states_that_cannot_commit() {
    let dir = site(&[]);
    let dir = dir.path();
    let done = commit(
        dir,
        vec![ProposedFile {
            path: "a.txt".into(),
            before: Content::Absent,
            after: Content::text("a\n"),
            mode_before: 0,
            mode_after: 0o100_644,
            hunks: vec![],
        }],
    )
    .await
    .unwrap();
    assert_eq!(git(dir, &["rev-parse", "main"]).trim(), done.commit);
    assert_eq!(git(dir, &["status", "--porcelain"]), "");
    let same = commit(dir, vec![change(dir, "a.txt", Some("a\n"))])
        .await
        .unwrap_err();
    assert!(same.is("nothing-to-commit"), "{same}");
    std::fs::write(dir.join(".git/MERGE_HEAD"), &done.commit).unwrap();
    let busy = commit(dir, vec![change(dir, "a.txt", Some("b\n"))])
        .await
        .unwrap_err();
    assert!(busy.detail.contains("merge is in progress"), "{busy}");
    std::fs::remove_file(dir.join(".git/MERGE_HEAD")).unwrap();
    git(dir, &["checkout", "-q", "--detach"]);
    let detached = commit(dir, vec![change(dir, "a.txt", Some("b\n"))])
        .await
        .unwrap_err();
    assert!(
        detached.detail.contains("no branch is checked out"),
        "{detached}"
    );
    let nowhere = tempfile::tempdir().unwrap();
    assert!(
        Git::open(nowhere.path())
            .await
            .err()
            .unwrap()
            .is("no-repository")
    );
}

#[tokio::test]
async fn working_changes_are_what_git_add_would_take() {
    let dir = site(&[
        ("a.txt", "a\n"),
        ("b.bin", "b\n"),
        ("gone.txt", "g\n"),
        (".gitignore", "ignored\n"),
    ]);
    let dir = dir.path();
    write(dir, "a.txt", "A\n");
    git(dir, &["add", "a.txt"]);
    write(dir, "a.txt", "AA\n");
    std::fs::write(dir.join("b.bin"), [0, 1, 2]).unwrap();
    std::fs::remove_file(dir.join("gone.txt")).unwrap();
    write(dir, "ignored", "x");
    write(dir, "sub/new file.txt", "new\n");
    let state = git(dir, &["status", "--porcelain"]);
    let repo = open(dir).await;
    let changes = repo.working_changes(&[]).await.unwrap();
    let found: Vec<_> = changes
        .iter()
        .map(|file| (file.path.as_str(), &file.after))
        .collect();
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(found[0], ("a.txt", &Content::text("AA\n")));
    assert!(
        matches!(found[1], ("b.bin", Content::Binary { size: 3, .. })),
        "{found:?}"
    );
    assert_eq!(found[2], ("gone.txt", &Content::Absent));
    assert_eq!(found[3], ("sub/new file.txt", &Content::text("new\n")));
    assert_eq!(
        git(dir, &["status", "--porcelain"]),
        state,
        "looking changes nothing"
    );
    let only = repo.working_changes(&["sub".into()]).await.unwrap();
    assert_eq!(only.len(), 1);
    // Committing them leaves a clean tree, whatever was staged.
    commit(dir, changes).await.unwrap();
    assert_eq!(git(dir, &["status", "--porcelain"]), "");
}
