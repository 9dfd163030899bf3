//! Sites that are built.
#![cfg(unix)]

use std::time::{Duration, Instant};

use sayso::deploy::{DeployRequest, DeployTarget, Report};
use sayso::model::Stage;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::*;

#[tokio::test]
async fn the_build_runs_on_the_commits_files_and_its_output_is_served() {
    let rig = rig(|options| {
        options.build.command =
            Some("mkdir www && sed s/NAME/world/ page.txt > www/index.html && echo built".into());
        options.build.output = Some("www".into());
    })
    .await;
    let source = Commit::of(
        "c",
        [
            ("page.txt", page("hello NAME")),
            (".env", "SECRET=1".into()),
        ],
    );
    let (outcome, reports) = rig
        .deploy_as(request(source), CancellationToken::new())
        .await;
    let deployed = outcome.unwrap();
    assert_eq!(rig.home().await, page("hello world"));
    assert_eq!(rig.get("/page.txt").await.status, 404);
    assert!(reports.contains(&Report::Log("built".into())));
    assert!(deployed.stages.contains_key(&Stage::Build));
}

#[tokio::test]
async fn a_failing_build_shows_its_last_lines_and_changes_nothing() {
    let rig = rig(|_| {}).await;
    rig.deploy(Commit::page("one")).await.unwrap();
    let script =
        "for i in $(seq 1 100); do echo line $i; done; echo 'Error: no such component' >&2; exit 3";
    let rig = rig
        .reopen(|options| options.build.command = Some(script.into()))
        .await;
    let failure = rig.deploy(Commit::page("two")).await.unwrap_err();
    assert_eq!(failure.stage, Stage::Build);
    assert!(failure.message.contains("exit code 3"), "{failure:?}");
    assert!(!failure.hint.is_empty() && !failure.canceled && !failure.rolled_back);
    assert!(
        failure
            .log_tail
            .contains(&"Error: no such component".to_owned()),
        "{failure:?}"
    );
    assert!(failure.log_tail.contains(&"line 100".to_owned()));
    assert!(failure.log_tail.len() <= 40);
    assert_eq!(rig.home().await, page("one"));
    until("the working folder is removed", || {
        rig.names("tmp").is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_missing_program_is_named_with_what_to_do() {
    let rig = rig(|options| options.build.command = Some("no-such-generator build".into())).await;
    let failure = rig.deploy(Commit::page("one")).await.unwrap_err();
    assert!(
        failure
            .message
            .contains("needs no-such-generator, which is not installed"),
        "{failure:?}"
    );
    assert!(
        failure
            .log_tail
            .iter()
            .any(|line| line.contains("no-such-generator")),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_build_without_output_is_a_clear_failure() {
    let rig = rig(|options| {
        options.build.command = Some("true".into());
        options.build.output = Some("dist".into());
    })
    .await;
    let failure = rig.deploy(Commit::page("one")).await.unwrap_err();
    assert!(
        failure.message.contains("dist") && failure.hint.contains("output"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_commit_without_a_page_is_a_clear_failure() {
    let rig = rig(|_| {}).await;
    let failure = rig
        .deploy(Commit::of("c", [("README.md", "x")]))
        .await
        .unwrap_err();
    assert!(failure.message.contains("index.html"), "{failure:?}");
}

#[tokio::test]
async fn stopping_ends_the_build_and_all_it_started() {
    let rig = rig(|options| {
        options.build.command = Some("sleep 600 & echo pid $!; sleep 600".into());
    })
    .await;
    let cancel = CancellationToken::new();
    let (sender, mut reports) = mpsc::unbounded_channel();
    let deploying = rig
        .target
        .deploy(request(Commit::page("one")), sender, cancel.clone());
    let stopping = async {
        loop {
            if let Some(Report::Log(line)) = reports.recv().await
                && let Some(pid) = line.strip_prefix("pid ")
            {
                cancel.cancel();
                return pid.to_owned();
            }
        }
    };
    let started = Instant::now();
    let (outcome, pid) = tokio::join!(deploying, stopping);
    let failure = outcome.unwrap_err();
    assert!(
        failure.canceled && failure.stage == Stage::Build,
        "{failure:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(20));
    until("what the build started has ended", || {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        state.is_empty() || state.contains(") Z ")
    })
    .await;
    until("the working folder is removed", || {
        rig.names("tmp").is_empty()
    })
    .await;
    assert!(rig.names("releases").is_empty());
}

#[tokio::test]
async fn a_deployment_stopped_before_it_began_does_nothing() {
    let rig = rig(|_| {}).await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    let failure = rig
        .deploy_as(request(Commit::page("one")), cancel)
        .await
        .0
        .unwrap_err();
    assert!(failure.canceled, "{failure:?}");
    assert_eq!(rig.get("/").await.status, 503);
}

/// A program `npm` that runs `script`, and a `PATH` that finds it first.
fn npm(script: &str) -> (tempfile::TempDir, String) {
    use std::os::unix::fs::PermissionsExt;
    let bin = tempfile::tempdir().unwrap();
    let npm = bin.path().join("npm");
    std::fs::write(&npm, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&npm, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        bin.path().display(),
        std::env::var("PATH").unwrap()
    );
    (bin, path)
}

#[tokio::test]
async fn a_lock_file_that_does_not_fit_is_done_without() {
    let (_bin, path) = npm("case $1 in\n\
         ci) echo '`npm ci` can only install packages when your lock file is in sync'; exit 1;;\n\
         install) mkdir -p node_modules/x;;\n\
         run) [ -d node_modules/x ] && mkdir dist && cp src.html dist/index.html;;\n\
         esac");
    let rig = rig(|options| {
        options.build.env.insert("PATH".into(), path);
    })
    .await;
    let package = r#"{"scripts":{"build":"x"},"dependencies":{"vite":"1"}}"#;
    let site = Commit::of(
        "c",
        [
            ("package.json", package.to_owned()),
            ("package-lock.json", "{}".to_owned()),
            ("src.html", page("one")),
        ],
    );
    let (outcome, reports) = rig.deploy_as(request(site), CancellationToken::new()).await;
    outcome.unwrap();
    assert_eq!(rig.home().await, page("one"));
    let told = |report: &Report| matches!(report, Report::Log(line) if line.contains("without it"));
    assert!(reports.iter().any(told));
}

#[tokio::test]
async fn installed_dependencies_are_used_again_until_they_change_or_a_redeploy_is_forced() {
    // A package manager that leaves a trace and needs no network.
    let (_bin, path) = npm(
        "if [ $1 = ci ]; then mkdir -p node_modules/x; echo installed; \
         else [ -d node_modules/x ] && mkdir -p dist && cp src.html dist/index.html; fi",
    );
    let rig = rig(|options| {
        options.build.env.insert("PATH".into(), path);
    })
    .await;
    let site = |text: &str, lock: &str| {
        let package = r#"{"scripts":{"build":"x"},"dependencies":{"vite":"1"}}"#;
        Commit::of(
            text,
            [
                ("package.json", package.to_owned()),
                ("package-lock.json", lock.to_owned()),
                ("src.html", page(text)),
            ],
        )
    };
    let mut installs = Vec::new();
    for (text, lock, force) in [
        ("one", "1", false),
        ("two", "1", false),
        ("three", "2", false),
        ("three", "2", true),
    ] {
        let asked = DeployRequest {
            force,
            ..request(site(text, lock))
        };
        let (outcome, reports) = rig.deploy_as(asked, CancellationToken::new()).await;
        outcome.unwrap();
        assert_eq!(rig.home().await, page(text));
        installs.push(reports.contains(&Report::Log("installed".into())));
    }
    assert_eq!(installs, [true, false, true, true]);
    assert_eq!(rig.get("/src.html").await.status, 404);
}
