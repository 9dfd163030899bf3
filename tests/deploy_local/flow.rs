//! Deployments, releases, environments: the whole way and every way back.

use std::fs;
use std::time::{Duration, Instant};

use sayso::deploy::{DeployRequest, DeployTarget, LocalOptions, LocalTarget, Report};
use sayso::model::{DeploymentId, Stage};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::*;

#[tokio::test]
async fn a_commit_goes_live_and_the_next_replaces_it() {
    let rig = rig(|_| {}).await;
    assert_eq!(rig.get("/").await.status, 503);
    assert!(rig.target.live(PRODUCTION).is_none());

    let first = rig.deploy(Commit::page("one")).await.unwrap();
    assert_eq!(first.url, format!("http://127.0.0.1:{}/", rig.port()));
    let answer = rig.get("/").await;
    assert_eq!(answer.text(), page("one"));
    assert_eq!(
        answer.header("x-sayso-release"),
        Some(first.release.as_str())
    );

    let (second, reports) = rig
        .deploy_as(request(Commit::page("two")), CancellationToken::new())
        .await;
    let second = second.unwrap();
    assert_eq!(rig.home().await, page("two"));
    let live = rig.target.live(PRODUCTION).unwrap();
    assert_eq!(
        (live.release, live.commit.as_str()),
        (second.release.clone(), "two")
    );

    let stages: Vec<Stage> = reports
        .iter()
        .filter_map(|report| match report {
            Report::Stage { stage, .. } => Some(*stage),
            _ => None,
        })
        .collect();
    assert_eq!(
        stages,
        [Stage::Fetch, Stage::Upload, Stage::Activate, Stage::Verify]
    );
    assert!(reports.iter().any(|r| matches!(
        r,
        Report::Health {
            ok: true,
            status: 200,
            ..
        }
    )));
    for stage in stages {
        assert!(second.stages.contains_key(&stage), "{stage}");
    }

    let releases = rig.target.releases(PRODUCTION);
    let ids: Vec<_> = releases.iter().map(|release| &release.id).collect();
    assert_eq!(ids, [&second.release, &first.release]);
    assert!(releases[0].current && !releases[1].current && releases[0].files == 1);
}

#[tokio::test]
async fn the_same_tree_uses_its_release_again_unless_forced() {
    let rig = rig(|_| {}).await;
    let first = rig.deploy(Commit::page("one")).await.unwrap();
    let again = Commit::of("an empty commit", [("index.html", page("one"))]);
    let second = rig.deploy(again).await.unwrap();
    assert_eq!(first.release, second.release);
    assert_eq!(
        rig.target.live(PRODUCTION).unwrap().commit,
        "an empty commit"
    );

    let forced = DeployRequest {
        force: true,
        ..request(Commit::page("one"))
    };
    let third = rig
        .deploy_as(forced, CancellationToken::new())
        .await
        .0
        .unwrap();
    assert_ne!(third.release, first.release);
    assert_eq!(rig.home().await, page("one"));

    // Going back by a commit that restores the old files finds the old release.
    rig.deploy(Commit::page("two")).await.unwrap();
    let back = rig.deploy(Commit::page("one")).await.unwrap();
    assert_eq!(back.release, third.release);
}

#[tokio::test]
async fn asking_twice_with_the_same_id_is_one_deployment() {
    let rig = rig(|_| {}).await;
    let id = DeploymentId::new();
    let ask = || DeployRequest {
        id: id.clone(),
        force: true,
        ..request(Commit::page("one"))
    };
    let (first, second) = tokio::join!(
        rig.deploy_as(ask(), CancellationToken::new()),
        rig.deploy_as(ask(), CancellationToken::new())
    );
    assert_eq!(first.0.unwrap().release, second.0.unwrap().release);
    assert_eq!(rig.target.releases(PRODUCTION).len(), 1);
}

#[tokio::test]
async fn rolling_back_serves_the_old_bytes_quickly() {
    let rig = rig(|_| {}).await;
    let first = rig.deploy(Commit::page("one")).await.unwrap().release;
    let second = rig.deploy(Commit::page("two")).await.unwrap().release;
    let third = rig.deploy(Commit::page("three")).await.unwrap().release;

    let mut slowest = Duration::ZERO;
    for (to, expected, text) in [
        (None, &second, "two"),
        (None, &first, "one"),
        (Some(&third), &third, "three"),
    ] {
        let started = Instant::now();
        let live = rig.target.rollback(PRODUCTION, to).await.unwrap();
        slowest = slowest.max(started.elapsed());
        assert_eq!(live.release, *expected);
        assert_eq!(rig.home().await, page(text));
    }
    println!("slowest rollback: {slowest:?}");
    rig.target.rollback(PRODUCTION, Some(&first)).await.unwrap();
    let problem = rig.target.rollback(PRODUCTION, None).await.unwrap_err();
    assert!(
        problem.is("not-found") && problem.hint.is_some(),
        "{problem}"
    );
    let problem = rig
        .target
        .rollback(PRODUCTION, Some(&"../../etc".into()))
        .await
        .unwrap_err();
    assert!(problem.is("not-found"), "{problem}");
    let problem = rig.target.rollback("nowhere", None).await.unwrap_err();
    assert!(
        problem.is("not-found") && problem.to_string().contains(PRODUCTION),
        "{problem}"
    );
}

#[tokio::test]
async fn only_the_newest_releases_are_kept_and_what_is_pointed_at() {
    let rig = rig(|options| options.keep = 2).await;
    let first = rig.deploy(Commit::page("1")).await.unwrap().release;
    rig.deploy(Commit::page("2")).await.unwrap();
    rig.target.rollback(PRODUCTION, Some(&first)).await.unwrap();
    // `first` is now the previous of whatever comes next, however old it is.
    let third = rig.deploy(Commit::page("3")).await.unwrap().release;
    let fourth = rig.deploy(Commit::page("4")).await.unwrap().release;
    let mut expected = vec![third.0.clone(), fourth.0.clone()];
    expected.sort();
    until("old releases are removed", || {
        rig.names("releases") == expected
    })
    .await;
    until("old contents are removed", || {
        rig.names("objects").len() == 2
    })
    .await;
    assert_eq!(rig.home().await, page("4"));
    assert_eq!(
        rig.target.rollback(PRODUCTION, None).await.unwrap().release,
        third
    );
}

#[tokio::test]
async fn the_last_live_release_is_served_at_the_next_start_on_the_same_port() {
    let rig = rig(|_| {}).await;
    rig.deploy(Commit::page("one")).await.unwrap();
    let second = rig.deploy(Commit::page("two")).await.unwrap();
    let port = rig.port();
    let rig = rig.reopen(|_| {}).await;
    assert_eq!(rig.port(), port);
    assert_eq!(rig.home().await, page("two"));
    assert_eq!(rig.target.live(PRODUCTION).unwrap().release, second.release);
    rig.target.rollback(PRODUCTION, None).await.unwrap();
    let rig = rig.reopen(|_| {}).await;
    assert_eq!(rig.home().await, page("one"));
}

#[tokio::test]
async fn a_taken_port_is_replaced_by_a_free_one_that_is_remembered() {
    // Outside the range for outgoing connections, which other tests make all the time.
    let taken = (12_000..20_000)
        .find_map(|port| std::net::TcpListener::bind(("127.0.0.1", port)).ok())
        .unwrap();
    let wanted = taken.local_addr().unwrap().port();
    let at = |options: &mut LocalOptions| options.environments[0].1 = wanted;
    let rig = rig(at).await;
    let got = rig.port();
    assert_ne!(got, wanted);
    let rig = rig.reopen(at).await;
    assert_eq!(rig.port(), got);
    drop(taken);
    until("the port is free", || {
        std::net::TcpListener::bind(("127.0.0.1", wanted)).is_ok()
    })
    .await;
    let rig = rig.reopen(at).await;
    assert_eq!(rig.port(), wanted);
}

#[tokio::test]
async fn one_process_serves_a_folder() {
    let rig = rig(|_| {}).await;
    let problem = LocalTarget::open(LocalOptions::new(&rig.dir))
        .await
        .err()
        .unwrap();
    assert!(problem.is("conflict"), "{problem}");
    rig.target.close().await;
    LocalTarget::open(LocalOptions::new(&rig.dir))
        .await
        .unwrap();
}

#[tokio::test]
async fn bad_names_are_refused() {
    let root = tempfile::tempdir().unwrap();
    for name in ["", "../x", "a b", "a/b"] {
        let mut options = LocalOptions::new(root.path());
        options.environments = vec![(name.to_owned(), 0)];
        let problem = LocalTarget::open(options).await.err().unwrap();
        assert!(problem.is("bad-request"), "{name:?}: {problem}");
    }
}

#[tokio::test]
async fn an_unknown_environment_is_a_clear_failure() {
    let rig = rig(|_| {}).await;
    let asked = DeployRequest {
        environment: "staging".into(),
        ..request(Commit::page("one"))
    };
    let failure = rig
        .deploy_as(asked, CancellationToken::new())
        .await
        .0
        .unwrap_err();
    assert_eq!(failure.stage, Stage::Queue);
    assert!(failure.hint.contains(PRODUCTION), "{failure:?}");
}

#[tokio::test]
async fn a_damaged_live_release_is_replaced_by_the_newest_good_one_at_start() {
    let rig = rig(|_| {}).await;
    let first = rig.deploy(Commit::page("one")).await.unwrap().release;
    let second = rig.deploy(Commit::page("two")).await.unwrap().release;
    let manifest = rig
        .dir
        .join("releases")
        .join(second.as_str())
        .join("manifest.json");
    let text = fs::read_to_string(manifest).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let object = manifest["files"][0]["sha256"].as_str().unwrap();
    fs::remove_file(rig.dir.join("objects").join(object)).unwrap();

    let rig = rig.reopen(|_| {}).await;
    assert_eq!(rig.home().await, page("one"));
    assert_eq!(rig.target.live(PRODUCTION).unwrap().release, first);
    assert!(rig.target.releases(PRODUCTION)[0].bad);
}

#[tokio::test]
async fn a_damaged_pointer_is_set_aside_and_nothing_is_removed() {
    let rig = rig(|_| {}).await;
    rig.deploy(Commit::page("one")).await.unwrap();
    fs::write(rig.dir.join("environments/production.json"), "{ torn").unwrap();
    let rig = rig.reopen(|_| {}).await;
    assert_eq!(rig.get("/").await.status, 503);
    assert!(
        rig.names("environments")
            .iter()
            .any(|name| name.contains(".broken-"))
    );
    rig.deploy(Commit::page("two")).await.unwrap();
    assert_eq!(rig.home().await, page("two"));
    assert_eq!(rig.names("releases").len(), 2);
}

#[tokio::test]
async fn a_deployment_waits_for_the_one_before_it_and_can_be_stopped_while_it_waits() {
    let rig = rig(|options| options.build.command = Some("sleep 600".into())).await;
    let (hold, wait) = (CancellationToken::new(), CancellationToken::new());
    let (sender, mut first_reports) = mpsc::unbounded_channel();
    let (waiting, mut reports) = mpsc::unbounded_channel();
    let first = rig
        .target
        .deploy(request(Commit::page("one")), sender, hold.clone());
    let second = async {
        // Only once the first is building.
        while !matches!(
            first_reports.recv().await,
            Some(Report::Stage {
                stage: Stage::Build,
                ..
            })
        ) {}
        rig.target
            .deploy(request(Commit::page("two")), waiting, wait.clone())
            .await
    };
    let stop = async {
        let report = reports.recv().await.unwrap();
        assert!(
            matches!(
                report,
                Report::Stage {
                    stage: Stage::Queue,
                    ..
                }
            ),
            "{report:?}"
        );
        wait.cancel();
    };
    let third = async {
        let (outcome, ()) = tokio::join!(second, stop);
        hold.cancel();
        outcome
    };
    let (first, second) = tokio::join!(first, third);
    let second = second.unwrap_err();
    assert!(
        second.canceled && second.stage == Stage::Queue,
        "{second:?}"
    );
    assert!(first.unwrap_err().canceled);
}

#[tokio::test]
async fn a_deployment_comes_to_its_end_when_nobody_waits_for_it() {
    let rig = rig(|_| {}).await;
    let asked = request(Commit::page("one"));
    let id = asked.id.clone();
    let (sender, mut reports) = mpsc::unbounded_channel();
    let mut deploying = Box::pin(rig.target.deploy(asked, sender, CancellationToken::new()));
    tokio::select! {
        _ = &mut deploying => panic!("it was to be dropped on the way"),
        first = reports.recv() => assert!(first.is_some()),
    }
    drop(deploying);
    while reports.recv().await.is_some() {}
    assert_eq!(rig.home().await, page("one"));
    assert!(rig.target.reconcile(PRODUCTION, &id).await.is_some());
}

#[tokio::test]
async fn closing_stops_a_running_deployment() {
    let rig = rig(|options| options.build.command = Some("sleep 600".into())).await;
    let (sender, mut reports) = mpsc::unbounded_channel();
    let cancel = CancellationToken::new();
    let deploying = rig
        .target
        .deploy(request(Commit::page("one")), sender, cancel);
    let closing = async {
        while !matches!(
            reports.recv().await,
            Some(Report::Stage {
                stage: Stage::Build,
                ..
            })
        ) {}
        rig.target.close().await;
    };
    let (outcome, ()) = tokio::join!(deploying, closing);
    assert!(outcome.unwrap_err().canceled);
    LocalTarget::open(LocalOptions::new(&rig.dir))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_site_of_two_hundred_files_is_live_in_a_moment() {
    let rig = rig(|_| {}).await;
    let site = |version: usize| {
        let mut files: Vec<(String, Vec<u8>)> = (0..199)
            .map(|n| {
                (
                    format!("section{}/page{n}.html", n % 12),
                    page(&format!("{n}")).repeat(40).into(),
                )
            })
            .collect();
        files.push((
            "index.html".into(),
            page(&format!("version {version}")).into(),
        ));
        Commit::of(&format!("c{version}"), files)
    };
    let mut times = Vec::new();
    for version in 0..6 {
        let started = Instant::now();
        let deployed = rig.deploy(site(version)).await.unwrap();
        times.push((started.elapsed(), deployed.stages));
        assert_eq!(rig.home().await, page(&format!("version {version}")));
    }
    for (time, stages) in &times {
        println!("200 files live in {time:?}: {stages:?}");
    }
    // The bar (150 ms in a release build) is measured by the benchmark: a test shares its machine with others. This
    // finds a wait that does not belong here.
    let best = times.iter().map(|(time, _)| *time).min().unwrap();
    assert!(best < Duration::from_secs(2), "{best:?}");
}

#[tokio::test]
async fn a_failed_deployment_leaves_no_contents_behind() {
    let rig = rig(|options| options.health.expect_text = Some("good".into())).await;
    rig.deploy(Commit::page("good")).await.unwrap();
    rig.deploy(Commit::page("poor")).await.unwrap_err();
    until("what it stored is removed", || {
        rig.names("objects").len() == 1
    })
    .await;
    assert_eq!(rig.home().await, page("good"));
}
