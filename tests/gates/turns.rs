//! One deployment at a time for each environment.

use sayso::model::api::Rollback;
use sayso::model::{DeploymentState, EventKind};

use crate::rig::{TWO, person, rig};

const ONE: &str = "[[environment]]\nname = \"production\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_superseded_by_who_comes_after() {
    let rig = rig(ONE).await;
    rig.block();
    let first = rig.ask("production", "Ada").await.unwrap();
    rig.at_work(&first).await;
    rig.commit("two");
    let second = rig.ask("production", "Grace").await.unwrap();
    let waits = rig.now(&second);
    assert_eq!(waits.state, DeploymentState::Queued);
    let message = &waits.progress.message;
    assert!(
        message.contains(first.as_str()) && message.contains("Ada"),
        "{message}"
    );
    let wanted = rig.commit("three");
    let third = rig.ask("production", "Linus").await.unwrap();

    let status = rig.conductor.status().await.unwrap();
    let production = &status.environments[0];
    let lock = production.lock.as_ref().unwrap();
    assert_eq!((&lock.deployment, lock.owner.as_str()), (&first, "Ada"));
    assert!(lock.since <= jiff::Timestamp::now());
    let next = production.queued.as_ref().unwrap();
    assert_eq!((&next.deployment, next.owner.as_str()), (&third, "Linus"));

    // The one in the middle is over, and the timeline says why.
    let superseded = rig.over(&second).await;
    assert_eq!(superseded.state, DeploymentState::Canceled);
    let told = rig.told(EventKind::Canceled, &second);
    let reason = told[0].data["reason"].as_str().unwrap();
    assert!(
        reason.contains(third.as_str()) && reason.contains("Linus"),
        "{reason}"
    );

    rig.unblock();
    assert_eq!(rig.over(&first).await.state, DeploymentState::Live);
    assert_eq!(rig.over(&third).await.state, DeploymentState::Live);
    assert_eq!(rig.live("production").unwrap().commit, wanted);
    rig.conductor.settled().await;
    let status = rig.conductor.status().await.unwrap();
    assert_eq!(status.environments[0].lock, None);
    assert_eq!(status.environments[0].queued, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_environment_does_not_wait() {
    let rig = rig(TWO).await;
    rig.block();
    let first = rig.ask("staging", "Ada").await.unwrap();
    rig.at_work(&first).await;
    let other = rig.ask("production", "Ada").await.unwrap();
    rig.until(&other, |now| now.state == DeploymentState::Running)
        .await;
    rig.unblock();
    assert_eq!(rig.over(&first).await.state, DeploymentState::Live);
    assert_eq!(rig.over(&other).await.state, DeploymentState::Live);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_can_be_stopped_without_the_others() {
    let rig = rig(ONE).await;
    rig.block();
    let first = rig.ask("production", "Ada").await.unwrap();
    rig.at_work(&first).await;
    let second = rig.ask("production", "Ada").await.unwrap();
    let stopped = rig
        .conductor
        .cancel(&second, &person("Grace"))
        .await
        .unwrap();
    assert_eq!(stopped.state, DeploymentState::Canceled);
    assert!(stopped.problem.unwrap().detail.contains("Grace"));
    assert!(
        rig.conductor
            .cancel(&second, &person("Grace"))
            .await
            .is_err()
    );
    rig.unblock();
    assert_eq!(rig.over(&first).await.state, DeploymentState::Live);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_does_not_wait_for_a_build_and_what_was_under_way_does_not_come_after_it() {
    let rig = rig(ONE).await;
    let old = rig.deploy("production").await.release.unwrap();
    rig.commit("two");
    rig.deploy("production").await;
    std::fs::remove_file(rig.path("builds")).unwrap();
    rig.block();
    rig.commit("three");
    let running = rig.ask("production", "Ada").await.unwrap();
    rig.at_work(&running).await;
    rig.commit("four");
    let queued = rig.ask("production", "Ada").await.unwrap();

    let live = rig
        .conductor
        .rollback("production", Rollback::default(), &person("Grace"))
        .await
        .unwrap();
    assert_eq!(live.release, old);
    assert_eq!(rig.over(&queued).await.state, DeploymentState::Canceled);
    assert_eq!(rig.over(&running).await.state, DeploymentState::Canceled);
    rig.unblock();
    rig.conductor.settled().await;
    assert_eq!(rig.live("production").unwrap().release, old);
    // The environment is free again.
    assert_eq!(rig.deploy("production").await.state, DeploymentState::Live);
}
