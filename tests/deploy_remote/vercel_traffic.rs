//! Promote, instant rollback, and the pin that a rollback leaves.

use sayso::deploy::{DeployTarget, PromoteRequest, Report};
use sayso::model::{DeploymentId, ReleaseId};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::rig::{Told, deploy, request, site};
use super::service::{Fault, vercel_error};
use super::vercel_world::{Rig, rig, states};

async fn promote(rig: &Rig, release: &str) -> Told {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let request = PromoteRequest {
        id: DeploymentId::new(),
        environment: "production".to_owned(),
        release: Some(ReleaseId::from(release)),
        from: None,
        expected: None,
    };
    let outcome = rig
        .target
        .promote(request, sender, CancellationToken::new())
        .await;
    let mut reports = Vec::new();
    while let Ok(report) = receiver.try_recv() {
        reports.push(report);
    }
    Told { outcome, reports }
}

/// Two deployments of ours, the second one live.
pub async fn two() -> Rig {
    let rig = rig().await;
    deploy(&*rig.target, request(site("one"))).await.live();
    deploy(&*rig.target, request(site("three"))).await.live();
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_pins_production_says_so_and_a_promotion_ends_it() {
    let rig = two().await;
    let live = rig.target.rollback("production", None).await.unwrap();
    assert_eq!(live.release.as_str(), "dpl_1");
    assert_eq!(
        rig.service
            .seen("POST /v1/projects/prj_1/rollback/dpl_1")
            .len(),
        1
    );
    let note = rig.target.note("production").unwrap();
    assert!(
        note.contains("pinned") && note.contains("sayso promote"),
        "{note}"
    );

    // A later deployment is built, and does not go live.
    rig.service.script.world().plan = states(&["BUILDING", "STAGED"]);
    let told = deploy(&*rig.target, request(site("later"))).await;
    let failure = told.failure();
    assert!(
        failure.message.contains("pinned") && failure.hint.contains("sayso promote dpl_3"),
        "{failure:?}"
    );
    assert!(
        told.reports
            .iter()
            .any(|report| matches!(report, Report::Notice(text) if text.contains("pinned")))
    );
    assert_eq!(
        rig.target.live("production").unwrap().release.as_str(),
        "dpl_1"
    );

    let told = promote(&rig, "dpl_3").await;
    assert_eq!(told.live().release.as_str(), "dpl_3");
    assert_eq!(
        rig.service
            .seen("POST /v10/projects/prj_1/promote/dpl_3")
            .len(),
        1
    );
    assert_eq!(rig.target.note("production"), None);
    assert_eq!(
        rig.target.live("production").unwrap().release.as_str(),
        "dpl_3"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_to_a_named_release_goes_there() {
    let rig = two().await;
    deploy(&*rig.target, request(site("fourth"))).await.live();
    let to = ReleaseId::from("dpl_1");
    let live = rig.target.rollback("production", Some(&to)).await.unwrap();
    assert_eq!(live.release, to);
}

#[tokio::test(flavor = "multi_thread")]
async fn traffic_is_moved_by_one_write_whatever_the_network_does() {
    for fault in [Fault::AnswerLost, Fault::Says(502, &[], json!({}))] {
        let rig = two().await;
        let lost = matches!(fault, Fault::AnswerLost);
        rig.service.fault("/rollback/", fault);
        // What was not taken is waited for until it is called unknown.
        let done = rig.target.rollback("production", None).await;
        assert_eq!(rig.service.seen("/rollback/").len(), 1);
        match done {
            Ok(live) => assert!(lost && live.release.as_str() == "dpl_1"),
            Err(problem) => {
                assert!(!lost && problem.is("outcome-unknown"), "{problem}");
                assert_eq!(
                    rig.target.live("production").unwrap().release.as_str(),
                    "dpl_2"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_vercel_refuses_or_fails_to_move_stays() {
    let rig = two().await;
    rig.service.fault(
        "/rollback/",
        Fault::Says(
            402,
            &[],
            vercel_error("plan", "Upgrade to roll back further"),
        ),
    );
    let problem = rig.target.rollback("production", None).await.unwrap_err();
    assert!(problem.detail.contains("Upgrade") && problem.hint.unwrap().contains("Hobby"));
    rig.service.script.world().jobs = vec!["pending", "failed"];
    let problem = rig.target.rollback("production", None).await.unwrap_err();
    assert!(problem.detail.contains("stays where it was"), "{problem}");
    assert_eq!(
        rig.target.live("production").unwrap().release.as_str(),
        "dpl_2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_earlier_release_there_is_nothing_to_go_back_to() {
    let rig = rig().await;
    deploy(&*rig.target, request(site("one"))).await.live();
    let problem = rig.target.rollback("production", None).await.unwrap_err();
    assert!(problem.is("not-found"), "{problem}");
    assert!(rig.service.seen("/rollback/").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_built_anew_for_production() {
    let rig = rig().await;
    deploy(&*rig.target, request(site("one"))).await.live();
    rig.service
        .script
        .made_there("dpl_p", "a preview", json!({"target": null}));
    {
        let mut world = rig.service.script.world();
        world.live = Some("dpl_1".into());
        world.deployments[1].states = states(&["READY"]);
    }
    rig.service.forget();
    let told = promote(&rig, "dpl_p").await;
    assert_eq!(told.live().release.as_str(), "dpl_3");
    let body = rig.service.seen("POST /v13/deployments")[0].json();
    assert_eq!(
        (
            body["deploymentId"].as_str(),
            body["meta"]["action"].as_str()
        ),
        (Some("dpl_p"), Some("promote"))
    );
    assert!(rig.service.seen("/promote/").is_empty());
}
