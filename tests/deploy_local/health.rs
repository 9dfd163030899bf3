//! Unwell releases: before traffic moves, right after, and while they are watched.

use std::fs;
use std::time::Duration;

use sayso::deploy::{DeployTarget, LocalNotice, LocalOptions};
use sayso::model::{DeploymentId, ReleaseId, Stage};

use crate::support::*;

#[tokio::test]
async fn an_unwell_release_never_goes_live() {
    let rig = rig(|options| options.health.path = "/health.html".into()).await;
    let well = |text: &str| {
        Commit::of(
            text,
            [("index.html", page(text)), ("health.html", "ok".into())],
        )
    };
    let good = rig.deploy(well("one")).await.unwrap().release;
    let failure = rig.deploy(Commit::page("two")).await.unwrap_err();
    assert_eq!(failure.stage, Stage::Activate);
    assert!(
        failure.message.contains("404") && !failure.rolled_back,
        "{failure:?}"
    );
    assert_eq!(rig.home().await, page("one"));
    assert_eq!(rig.names("releases"), [good.as_str()]);
    assert_eq!(rig.target.releases(PRODUCTION).len(), 1);
}

#[tokio::test]
async fn a_release_without_the_expected_text_never_goes_live() {
    let rig = rig(|options| options.health.expect_text = Some("one".into())).await;
    rig.deploy(Commit::page("one")).await.unwrap();
    let started = std::time::Instant::now();
    let failure = rig.deploy(Commit::page("two")).await.unwrap_err();
    assert!(failure.message.contains("\"one\""), "{failure:?}");
    // A release never changes: there is no point in asking again until the deadline.
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(rig.home().await, page("one"));
}

/// A site whose health is a file too large to be kept in memory, so that it can be damaged on disk.
fn large(text: &str) -> std::sync::Arc<dyn sayso::model::Source> {
    let large = format!("{text}\n").repeat(400_000 / text.len());
    Commit::of(text, [("index.html", page(text)), ("health.txt", large)])
}

fn watched(options: &mut LocalOptions) {
    options.health.path = "/health.txt".into();
    options.health.watch = Duration::from_secs(60);
    options.health.probes = 600;
}

fn damage(rig: &Rig, release: &ReleaseId) {
    let manifest = rig
        .dir
        .join("releases")
        .join(release.as_str())
        .join("manifest.json");
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(manifest).unwrap()).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let file = files
        .iter()
        .find(|file| file["path"] == "health.txt")
        .unwrap();
    fs::remove_file(
        rig.dir
            .join("objects")
            .join(file["sha256"].as_str().unwrap()),
    )
    .unwrap();
}

#[tokio::test]
async fn a_release_that_turns_bad_while_watched_is_taken_back_once() {
    // Well for as long as it is watched, which is not at all here.
    let rig = rig(|options| options.health.path = "/health.txt".into()).await;
    let first = rig.deploy(large("one")).await.unwrap().release;
    let mut rig = rig.reopen(watched).await;
    let second = rig.deploy(large("two")).await.unwrap().release;
    damage(&rig, &second);

    let mut returns = Vec::new();
    while returns.is_empty() {
        let notice = tokio::time::timeout(Duration::from_secs(10), rig.notices.recv()).await;
        match notice.expect("it is noticed").unwrap() {
            LocalNotice::RolledBack {
                from, to, reason, ..
            } => returns.push((from, to, reason)),
            LocalNotice::Health { .. } | LocalNotice::Watched { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    let (from, to, reason) = returns.pop().unwrap();
    assert_eq!((&from, &to), (&second, &first));
    assert!(reason.contains("500"), "{reason}");
    assert_eq!(rig.home().await, page("one"));
    let releases = rig.target.releases(PRODUCTION);
    assert!(releases[0].bad && releases[1].current, "{releases:?}");

    // Not offered again, by hand or by the same tree.
    assert!(rig.target.rollback(PRODUCTION, None).await.is_err());
    let third = rig.deploy(large("two")).await.unwrap().release;
    assert_ne!(third, second);
    assert_eq!(rig.home().await, page("two"));
    while let Ok(notice) = rig.notices.try_recv() {
        assert!(
            !matches!(notice, LocalNotice::RolledBack { .. }),
            "{notice:?}"
        );
    }
}

#[tokio::test]
async fn without_an_earlier_good_release_it_says_so_and_stays() {
    let mut rig = rig(watched).await;
    // Live for a moment only: nobody knows whether it is good.
    rig.deploy(large("none")).await.unwrap();
    let only = rig.deploy(large("one")).await.unwrap().release;
    damage(&rig, &only);
    loop {
        let notice = tokio::time::timeout(Duration::from_secs(10), rig.notices.recv()).await;
        match notice.expect("it is noticed").unwrap() {
            LocalNotice::Unwell { release, hint, .. } => {
                assert!(hint.contains("known to be good"), "{hint}");
                break assert_eq!(release, only);
            }
            LocalNotice::Health { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(rig.home().await, page("one"));
    assert_eq!(rig.target.live(PRODUCTION).unwrap().release, only);
}

#[tokio::test]
async fn a_well_release_passes_its_watch() {
    let mut rig = rig(|options| {
        options.health.watch = Duration::from_millis(60);
        options.health.probes = 3;
    })
    .await;
    let release = rig.deploy(Commit::page("one")).await.unwrap().release;
    let mut answers = 0;
    loop {
        match rig.notices.recv().await.unwrap() {
            LocalNotice::Health { probe, .. } => {
                assert!(probe.ok, "{probe:?}");
                answers += 1;
            }
            LocalNotice::Watched {
                release: watched, ..
            } => break assert_eq!(watched, release),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(answers, 3);
    assert!(rig.target.proven(PRODUCTION, &release));
}

#[tokio::test]
async fn a_watch_that_its_process_did_not_survive_begins_anew() {
    let rig = rig(watched).await;
    let release = rig.deploy(large("one")).await.unwrap().release;
    assert!(rig.target.watching(PRODUCTION) && !rig.target.proven(PRODUCTION, &release));
    let mut rig = rig
        .reopen(|options| {
            watched(options);
            options.health.watch = Duration::from_millis(60);
            options.health.probes = 3;
        })
        .await;
    loop {
        match rig.notices.recv().await.unwrap() {
            LocalNotice::Watched {
                release: watched, ..
            } => break assert_eq!(watched, release),
            LocalNotice::Health { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(rig.target.proven(PRODUCTION, &release));
}

#[tokio::test]
async fn a_new_deployment_or_a_rollback_ends_the_watch() {
    let mut rig = rig(watched).await;
    rig.deploy(large("one")).await.unwrap();
    let second = rig.deploy(large("two")).await.unwrap().release;
    rig.target.rollback(PRODUCTION, None).await.unwrap();
    damage(&rig, &second);
    let third = rig.deploy(large("three")).await.unwrap().release;
    // The watch over the third is at work; nobody asks for the second any more.
    loop {
        match rig.notices.recv().await.unwrap() {
            LocalNotice::Health { release, .. } if release == third => break,
            LocalNotice::Health { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(rig.home().await, page("three"));
}

#[tokio::test]
async fn what_became_of_a_deployment_is_known_after_a_crash() {
    let rig = rig(|_| {}).await;
    let first = request(Commit::page("one"));
    let (first_id, second) = (first.id.clone(), request(Commit::page("two")));
    let second_id = second.id.clone();
    let cancel = tokio_util::sync::CancellationToken::new;
    rig.deploy_as(first, cancel()).await.0.unwrap();
    let deployed = rig.deploy_as(second, cancel()).await.0.unwrap();

    let found = rig.target.reconcile(PRODUCTION, &second_id).await.unwrap();
    assert_eq!(
        (found.release, found.url),
        (deployed.release.clone(), deployed.url)
    );
    assert!(found.stages.contains_key(&Stage::Fetch));
    assert!(rig.target.reconcile(PRODUCTION, &first_id).await.is_none());
    assert!(rig.target.reconcile("nowhere", &first_id).await.is_none());
    assert_eq!(rig.target.releases(PRODUCTION).len(), 2);

    // Half made: a working folder, and a release that nothing points at.
    let lost = DeploymentId::new();
    fs::create_dir_all(rig.dir.join(format!("tmp/{lost}-abc/site"))).unwrap();
    fs::create_dir_all(rig.dir.join("tmp/dep_other-abc")).unwrap();
    let from = rig
        .dir
        .join("releases")
        .join(deployed.release.as_str())
        .join("manifest.json");
    let text = fs::read_to_string(from)
        .unwrap()
        .replace(second_id.as_str(), lost.as_str());
    fs::create_dir(rig.dir.join("releases/rel_lost")).unwrap();
    fs::write(rig.dir.join("releases/rel_lost/manifest.json"), text).unwrap();
    assert!(rig.target.reconcile(PRODUCTION, &lost).await.is_none());
    // The working folders of the deployments above go in the background.
    until("only the other's folder is left", || {
        rig.names("tmp") == ["dep_other-abc"]
    })
    .await;
    assert_eq!(rig.names("releases").len(), 2);
    assert_eq!(rig.home().await, page("two"));
}
