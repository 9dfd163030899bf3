//! Hooks, signing, refusals, locks; in `reading`, reading what is committed.
#![cfg(unix)]

#[path = "vcs_commit/reading.rs"]
mod reading;
mod vcs_support;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use sayso::model::{Content, ProposedFile};
use sayso::vcs::git::{Git, Options};
use sayso::vcs::{CommitRequest, Repository};
use tokio::sync::mpsc;
use vcs_support::*;

const PAGE: &str = "index.html";

fn site() -> Site {
    Site::with([(PAGE, lines(40).as_str()), ("about.html", "about\n")])
}

fn change(site: &Site) -> ProposedFile {
    site.replace(PAGE, "line 20\n", "LINE 20\n")
}

fn logs(site: &Site) -> String {
    fs::read_to_string(site.home().join("log")).unwrap_or_default()
}

#[tokio::test]
async fn many_files_are_one_pack_and_a_few_are_none_each_with_its_exact_bytes() {
    let text = |n: usize| match n {
        0 => String::new(),
        1 => "done\nblob\nget-mark :1\n".to_owned(),
        2 => "no line feed at the end".to_owned(),
        3 => "carriage\r\nreturns\r\n".to_owned(),
        4 => "a mark: \u{feff}\u{0}\u{1f600}\n".to_owned(),
        // The same text twice is one object.
        5 | 6 => "twice\n".to_owned(),
        n => format!("page {n}\n").repeat(20),
    };
    for (count, packs) in [(99, 0), (150, 1)] {
        let site = site();
        let files = (0..count).map(|n| {
            let after = Content::text(&text(n));
            file(&format!("pages/{n}.txt"), Content::Absent, after)
        });
        let done = site.commit(files.collect()).await.unwrap();
        assert_eq!(done.commit, site.head());
        for n in 0..count {
            let there = Command::new("git")
                .args(["cat-file", "blob", &format!("HEAD:pages/{n}.txt")])
                .current_dir(site.path("."))
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(there.stdout).unwrap(), text(n), "{n}");
        }
        site.git(["fsck", "--strict"]);
        let counted = site.git(["count-objects", "-v"]);
        assert!(
            counted.contains(&format!("\npacks: {packs}\n")),
            "{counted}"
        );
    }
}

#[tokio::test]
async fn hooks_run_in_git_s_order_with_what_will_be_committed() {
    let site = site();
    let log = site.home().join("log");
    let log = log.to_str().unwrap();
    site.hook(
        "pre-commit",
        &format!(
            "echo checking; echo 'and more' >&2\n\
             (echo pre-commit; git diff --cached --name-only; git diff --name-only; pwd) >> {log}"
        ),
    );
    site.hook(
        "prepare-commit-msg",
        &format!("echo prepare $2 >> {log}; echo '\n\nSee #1' >> $1"),
    );
    site.hook(
        "commit-msg",
        &format!("echo commit-msg >> {log}; sed -i 's/headline/title/' $1"),
    );
    site.hook(
        "post-commit",
        &format!("echo post-commit $(git log -1 --format=%s) >> {log}"),
    );
    site.edit("about.html", "about", "mine");

    let git = site.open().await;
    let (send, mut lines) = mpsc::unbounded_channel();
    let prepared = git
        .prepare(&site.request(vec![change(&site)]), send)
        .await
        .unwrap();
    assert_eq!(prepared.output, ["checking", "and more"]);
    assert_eq!(lines.recv().await.unwrap(), "checking");
    let done = git.finish(&prepared).await.unwrap();
    assert_eq!(done.output, ["checking", "and more"]);
    assert_eq!(
        site.git(["log", "-1", "--format=%B"]),
        "Change the title\n\nSee #1\n\n"
    );
    // The working tree has not got the change yet, and `about.html` is the person's own.
    assert_eq!(
        logs(&site),
        format!(
            "pre-commit\n{PAGE}\nabout.html\n{PAGE}\n{}\nprepare message\ncommit-msg\n\
             post-commit Change the title\n",
            site.root.display()
        )
    );
    assert_eq!(site.status(), " M about.html\n");
}

#[tokio::test]
async fn a_hook_that_refuses_stops_everything() {
    for hook in ["pre-commit", "commit-msg"] {
        let site = site();
        site.hook(hook, "echo 'line 3: no semicolon' >&2; exit 3");
        site.edit("about.html", "about", "mine");
        let (state, head) = (site.state(), site.head());
        let problem = site.commit(vec![change(&site)]).await.unwrap_err();
        assert!(
            problem.is("hook-failed") && problem.status == 422,
            "{problem:?}"
        );
        assert!(problem.detail.contains("line 3: no semicolon"), "{problem}");
        assert!(problem.detail.contains(hook), "{problem}");
        assert_eq!((site.state(), site.head()), (state, head));
    }
}

#[tokio::test]
async fn what_a_hook_stages_is_part_of_the_commit() {
    let site = site();
    site.hook(
        "pre-commit",
        "blob=$(git show :index.html | tr a-z A-Z | git hash-object -w --stdin)\n\
         git update-index --cacheinfo 100644,$blob,index.html\n\
         echo stamp > stamp.txt; git add stamp.txt",
    );
    let done = site.commit(vec![change(&site)]).await.unwrap();
    assert!(done.kept.is_empty());
    assert_eq!(site.committed(PAGE), lines(40).to_uppercase());
    assert_eq!(site.read(PAGE), lines(40).to_uppercase());
    assert_eq!(site.committed("stamp.txt"), "stamp\n");
    assert_eq!(site.status(), "");
}

#[tokio::test]
async fn hooks_elsewhere_are_found_and_unfit_ones_named() {
    let site = site();
    let hooks = site.home().join("shared-hooks");
    fs::create_dir(&hooks).unwrap();
    site.git(["config", "core.hooksPath", hooks.to_str().unwrap()]);
    site.hook("pre-commit", "exit 1");
    fs::write(hooks.join("pre-commit"), "#!/bin/sh\necho shared\n").unwrap();
    let done = site.commit(vec![change(&site)]).await.unwrap();
    assert_eq!(
        done.output,
        ["the hook pre-commit was skipped: it is not executable"]
    );

    Command::new("chmod")
        .arg("+x")
        .arg(hooks.join("pre-commit"))
        .status()
        .unwrap();
    let again = site.replace(PAGE, "line 1\n", "ONE\n");
    assert_eq!(site.commit(vec![again]).await.unwrap().output, ["shared"]);
}

#[tokio::test]
async fn a_hook_may_leave_a_process_behind() {
    let site = site();
    site.hook("post-commit", "echo begun; sleep 30 &");
    let begun = Instant::now();
    let done = site.commit(vec![change(&site)]).await.unwrap();
    assert_eq!(done.output, ["begun"]);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_dropped_commit_ends_its_hook() {
    let site = site();
    let pid = site.home().join("pid");
    site.hook(
        "pre-commit",
        &format!("echo $$ > {}; exec sleep 300", pid.display()),
    );
    let git = site.open().await;
    let request = site.request(vec![change(&site)]);
    let task = tokio::spawn(async move { prepare(&git, request).await });
    let begun = Instant::now();
    let number = loop {
        let text = fs::read_to_string(&pid).unwrap_or_default();
        if let Some(number) = text.strip_suffix('\n') {
            break number.to_owned();
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the hook did not start"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    task.abort();
    let _ = task.await;
    // Dead, or dead and not yet collected by its parent.
    let stat = format!("/proc/{number}/stat");
    let alive = || fs::read_to_string(&stat).is_ok_and(|text| !text.contains(") Z"));
    while alive() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the hook still runs"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(site.status(), "");
}

#[tokio::test]
async fn commits_are_signed_when_the_person_signs() {
    let site = site();
    let key = site.home().join("key");
    let made = Command::new("ssh-keygen")
        .args([
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-C",
            "ada@example.com",
            "-f",
        ])
        .arg(&key)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        panic!("this test needs ssh-keygen");
    }
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    let signers = site.home().join("signers");
    fs::write(&signers, format!("ada@example.com {public}")).unwrap();
    site.git(["config", "gpg.format", "ssh"]);
    site.git(["config", "user.signingKey", key.to_str().unwrap()]);
    site.git([
        "config",
        "gpg.ssh.allowedSignersFile",
        signers.to_str().unwrap(),
    ]);
    site.git(["config", "commit.gpgSign", "true"]);
    site.commit(vec![change(&site)]).await.unwrap();
    site.git(["verify-commit", "HEAD"]);
    assert_eq!(site.git(["log", "-1", "--format=%G?"]), "G\n");

    fs::remove_file(&key).unwrap();
    let (state, head) = (site.state(), site.head());
    let problem = site
        .commit(vec![site.replace(PAGE, "line 1\n", "ONE\n")])
        .await
        .unwrap_err();
    assert!(problem.is("signing-failed"), "{problem}");
    assert_eq!((site.state(), site.head()), (state, head));
}

#[tokio::test]
async fn nobody_is_no_author() {
    let site = site();
    site.git(["config", "--unset", "user.name"]);
    site.git(["config", "--unset", "user.email"]);
    site.git(["config", "user.useConfigOnly", "true"]);
    for with_hook in [false, true] {
        if with_hook {
            site.hook("pre-commit", "echo ran >> ../log");
        }
        let problem = site.commit(vec![change(&site)]).await.unwrap_err();
        assert!(problem.is("identity-missing"), "{problem}");
        assert!(
            problem
                .hint
                .unwrap()
                .contains("git config --global user.name")
        );
    }
    assert_eq!(logs(&site), "");
}

#[tokio::test]
async fn a_branch_that_moved_is_not_touched() {
    let site = site();
    let git = site.open().await;
    let request = site.request(vec![change(&site)]);
    let prepared = prepare(&git, request.clone()).await.unwrap();
    site.write("about.html", "moved\n");
    site.commit_all("Meanwhile");
    site.edit("about.html", "moved", "mine");
    let (state, head) = (site.state(), site.head());
    for problem in [
        git.finish(&prepared).await.unwrap_err(),
        prepare(&git, request).await.unwrap_err(),
    ] {
        assert!(
            problem.is("stale-base") && problem.status == 409,
            "{problem:?}"
        );
    }
    assert_eq!((site.state(), site.head()), (state, head));
}

#[tokio::test]
async fn another_branch_checked_out_is_not_touched() {
    let site = site();
    let git = site.open().await;
    let request = site.request(vec![change(&site)]);
    let prepared = prepare(&git, request.clone()).await.unwrap();
    site.git(["switch", "-q", "-c", "other"]);
    let (state, main) = (site.state(), site.git(["rev-parse", "main"]));
    for problem in [
        git.finish(&prepared).await.unwrap_err(),
        prepare(&git, request).await.unwrap_err(),
    ] {
        assert!(problem.is("branch-changed"), "{problem:?}");
    }
    assert_eq!(
        (site.state(), site.git(["rev-parse", "main"])),
        (state, main)
    );
}

#[tokio::test]
async fn half_way_operations_and_detached_heads_are_refused() {
    let site = site();
    site.git(["switch", "-q", "-c", "other"]);
    site.edit(PAGE, "line 2\n", "theirs\n");
    site.commit_all("Theirs");
    site.git(["switch", "-q", "main"]);
    site.edit(PAGE, "line 2\n", "ours\n");
    site.commit_all("Ours");
    for (operation, undo) in [
        (["merge", "other"], ["merge", "--abort"]),
        (["rebase", "other"], ["rebase", "--abort"]),
        (["cherry-pick", "other"], ["cherry-pick", "--abort"]),
    ] {
        assert!(site.git_in(&site.root, &operation).is_err());
        let problem = site.commit(vec![change(&site)]).await.unwrap_err();
        assert!(problem.is("operation-in-progress"), "{problem}");
        assert!(problem.detail.contains(operation[0]), "{problem}");
        site.git(undo);
    }
    site.git(["checkout", "-q", "--detach"]);
    let problem = site.commit(vec![change(&site)]).await.unwrap_err();
    assert!(problem.is("detached-head"), "{problem}");
    assert_eq!(site.open().await.status().await.unwrap().branch, "");
}

#[tokio::test]
async fn senseless_requests_are_refused() {
    let site = site();
    let git = site.open().await;
    let ask = |files: Vec<ProposedFile>, message: &str| CommitRequest {
        message: message.into(),
        ..site.request(files)
    };
    let same = file(PAGE, Content::text("x"), Content::text(lines(40)));
    let outside = file("../x", Content::Absent, Content::text("x"));
    let inside_git = file(".git/config", Content::Absent, Content::text("x"));
    for (request, kind) in [
        (ask(vec![], "m"), "nothing-to-commit"),
        (ask(vec![same], "m"), "nothing-to-commit"),
        (ask(vec![change(&site)], " \n"), "empty-message"),
        (ask(vec![outside], "m"), "bad-request"),
        (ask(vec![inside_git], "m"), "bad-request"),
    ] {
        let problem = prepare(&git, request).await.unwrap_err();
        assert!(problem.is(kind), "{kind}: {problem:?}");
    }
    assert_eq!(site.git(["rev-list", "--count", "HEAD"]), "1\n");
}

#[tokio::test]
async fn a_held_index_is_waited_for() {
    let site = site();
    let lock = site.path(".git/index.lock");
    fs::write(&lock, "").unwrap();
    let git = site.open().await;
    let prepared = prepare(&git, site.request(vec![change(&site)]))
        .await
        .unwrap();
    let finish = tokio::spawn({
        let (git, prepared) = (git.clone(), prepared.clone());
        async move { git.finish(&prepared).await }
    });
    for _ in 0..10 {
        assert!(!git.contains("main", &prepared.commit).await.unwrap());
        assert!(!finish.is_finished());
    }
    fs::remove_file(&lock).unwrap();
    finish.await.unwrap().unwrap();
    assert_eq!(site.status(), "");
}

#[tokio::test]
async fn a_held_index_ends_in_a_clear_problem_with_nothing_changed() {
    let site = site();
    site.write(".git/index.lock", "");
    let (head, files) = (site.head(), site.state().files);
    let options = Options {
        env: env(site.home()),
        lock_wait: Duration::from_millis(50),
    };
    let git = Git::open_with(&site.root, options).await.unwrap();
    let prepared = prepare(&git, site.request(vec![change(&site)]))
        .await
        .unwrap();
    let problem = git.finish(&prepared).await.unwrap_err();
    assert!(problem.is("index-locked"), "{problem}");
    assert_eq!((site.head(), site.state().files), (head, files));
    fs::remove_file(site.path(".git/index.lock")).unwrap();
    git.finish(&prepared).await.unwrap();
    assert_eq!(site.status(), "");
}
