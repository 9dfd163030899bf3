//! Deploying by a workflow of GitHub Actions.

use std::sync::Arc;
use std::time::Duration;

use sayso::deploy::{ActionsOptions, ActionsTarget, DeployRequest, DeployTarget, Report};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::github::{GitHub, HEAD, job, status};
use super::rig::{commit, deploy, deploy_until, health, pace, request, secrets, token, until};
use super::service::{Fault, Service};

/// Every request that was sent is one that GitHub's own description knows.
impl Drop for Rig {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let complaints = std::mem::take(&mut self.service.script.world().complaints);
            assert!(complaints.is_empty(), "{complaints:?}");
        }
    }
}

pub struct Rig {
    pub service: Service<GitHub>,
    pub target: Arc<ActionsTarget>,
    state: tempfile::TempDir,
}

fn options(url: &url::Url, state: &std::path::Path) -> ActionsOptions {
    ActionsOptions {
        base: url.clone(),
        token: token(),
        environment: "production".to_owned(),
        repository: ("ada".to_owned(), "shop".to_owned()),
        workflow: "deploy.yml".to_owned(),
        branch: Some("main".to_owned()),
        input: Some("environment".to_owned()),
        url: None,
        time_limit: Duration::from_secs(30),
        health: health(),
        state_dir: state.to_owned(),
        secrets: secrets(),
        pace: pace(),
    }
}

pub async fn rig() -> Rig {
    let service = Service::start(GitHub::new).await;
    let state = tempfile::tempdir().unwrap();
    let target = ActionsTarget::open(options(&service.url, state.path())).unwrap();
    Rig {
        service,
        target,
        state,
    }
}

pub fn the_request() -> DeployRequest {
    request(commit(HEAD, &[("index.html", "x")]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_followed_and_its_success_is_not_oversold() {
    let rig = rig().await;
    let told = deploy(&*rig.target, the_request()).await;
    assert_eq!(told.live().release.as_str(), "run_100");
    let sent = &rig.service.seen("dispatches")[0].json();
    assert_eq!(
        sent,
        &json!({"ref": "main", "inputs": {"environment": "production"}, "return_run_details": true})
    );
    let text = told.text();
    assert!(
        text.contains("✓ build › npm ci (5 s)") && text.contains("build › npm run build"),
        "{text}"
    );
    assert!(
        told.reports
            .iter()
            .any(|report| matches!(report, Report::Fraction { permille, .. } if *permille > 0))
    );
    // LIVE is said because the address that the workflow's own deployment names was asked.
    assert_eq!(
        told.live().url,
        rig.service.url.as_str().trim_end_matches('/')
    );
    assert!(
        told.reports
            .iter()
            .any(|report| matches!(report, Report::Health { ok: true, .. }))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_the_one_that_the_run_itself_tells() {
    let rig = rig().await;
    // A push deployed the same commit somewhere else, a moment later.
    rig.service.script.world().other_url = Some("http://127.0.0.1:9".to_owned());
    let told = deploy(&*rig.target, the_request()).await;
    let own = rig.service.url.as_str().trim_end_matches('/');
    assert_eq!(told.live().url, own);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_branch_it_is_the_default_one() {
    let rig = rig().await;
    let target = ActionsTarget::open(ActionsOptions {
        branch: None,
        ..options(&rig.service.url, rig.state.path())
    })
    .unwrap();
    deploy(&*target, the_request()).await.live();
    assert_eq!(rig.service.seen("dispatches")[0].json()["ref"], "main");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_address_a_good_run_is_unknown_and_not_live() {
    let rig = rig().await;
    rig.service.script.world().environment_url = None;
    let told = deploy(&*rig.target, the_request()).await;
    let failure = told.failure();
    assert!(
        failure.unknown && failure.message.contains("address is not known"),
        "{failure:?}"
    );
    assert!(failure.hint.contains("url"), "{failure:?}");
    assert!(rig.target.live("production").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_github_does_not_name_the_run_and_it_is_found() {
    for old in [true, false] {
        let rig = rig().await;
        // Another run of the same commit was there before.
        rig.service.script.add("workflow_dispatch");
        rig.service.script.add("push");
        rig.service.script.world().old = old;
        rig.service.script.world().details = false;
        assert_eq!(
            deploy(&*rig.target, the_request())
                .await
                .live()
                .release
                .as_str(),
            "run_102"
        );
        assert_eq!(
            rig.service.seen("dispatches").len(),
            if old { 2 } else { 1 }
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_whose_answer_is_lost_is_never_sent_twice() {
    let rig = rig().await;
    rig.service.fault("dispatches", Fault::AnswerLost);
    assert_eq!(
        deploy(&*rig.target, the_request())
            .await
            .live()
            .release
            .as_str(),
        "run_100"
    );
    assert_eq!(rig.service.script.world().runs.len(), 1);
    // Lost before GitHub heard of it: unknown, and still not sent again.
    rig.service.forget();
    rig.service.fault("dispatches", Fault::Lost);
    let told = deploy(&*rig.target, the_request()).await;
    assert!(told.failure().unknown, "{:?}", told.failure());
    assert_eq!(rig.service.seen("dispatches").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_not_on_github_is_not_deployed() {
    let rig = rig().await;
    rig.service.script.world().head = "1".repeat(40);
    let told = deploy(&*rig.target, the_request()).await;
    assert!(
        told.failure().hint.contains("git push"),
        "{:?}",
        told.failure()
    );
    assert!(rig.service.seen("dispatches").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_names_job_step_and_the_last_lines() {
    let rig = rig().await;
    let (good, bad) = (
        status("completed", Some("success")),
        status("completed", Some("failure")),
    );
    {
        let mut world = rig.service.script.world();
        world.plan = vec![status("in_progress", None), bad.clone()];
        world.jobs = vec![
            json!([]),
            json!([job(
                "build",
                &bad,
                &[("npm ci", &good), ("npm run build", &bad)]
            )]),
        ];
        world.log = format!(
            "2026-01-01T00:00:00.0000000Z Module not found: './Hero'\n\
             2026-01-01T00:00:00.0000000Z Error: no such page {}\n",
            super::rig::CANARY
        );
    }
    let told = deploy(&*rig.target, the_request()).await;
    let failure = told.failure();
    assert!(
        failure.message.contains("\"build\"") && failure.message.contains("\"npm run build\""),
        "{failure:?}"
    );
    assert!(
        failure
            .log_tail
            .iter()
            .any(|line| line == "Error: no such page •••"),
        "{failure:?}"
    );
    assert!(failure.hint.contains("upper and lower case"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conclusion_that_nobody_knows_is_no_success() {
    let rig = rig().await;
    rig.service.script.world().plan[2] = status("completed", Some("somewhat"));
    let told = deploy(&*rig.target, the_request()).await;
    assert!(
        told.failure().message.contains("somewhat"),
        "{:?}",
        told.failure()
    );
    assert!(rig.target.live("production").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_be_stopped_here_and_there() {
    let rig = rig().await;
    {
        let mut world = rig.service.script.world();
        world.plan = vec![status("in_progress", None)];
        world.jobs = vec![json!([])];
    }
    let cancel = CancellationToken::new();
    let (target, stop) = (rig.target.clone(), cancel.clone());
    let running = tokio::spawn(async move { deploy_until(&*target, the_request(), stop).await });
    until("it runs", || {
        rig.service
            .seen("GET /repos/ada/shop/actions/runs/100")
            .len()
            > 2
    })
    .await;
    cancel.cancel();
    assert!(running.await.unwrap().failure().message.contains("stopped"));
    assert_eq!(rig.service.seen("/runs/100/cancel").len(), 1);
    rig.service.script.world().plan = vec![status("completed", Some("cancelled"))];
    let told = deploy(&*rig.target, the_request()).await;
    assert!(told.failure().canceled && told.failure().message.contains("not by Sayso"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_and_going_back_run_the_same_run_once_more() {
    let rig = rig().await;
    deploy(&*rig.target, the_request()).await.live();
    deploy(&*rig.target, the_request()).await.live();
    let live = rig.target.rollback("production", None).await.unwrap();
    assert_eq!(live.release.as_str(), "run_100");
    assert_eq!(rig.service.seen("/runs/100/rerun").len(), 1);
    let mut again = the_request();
    again.force = true;
    deploy(&*rig.target, again).await.live();
    assert_eq!(rig.service.seen("/runs/100/rerun").len(), 2);
    assert_eq!(rig.service.seen("dispatches").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_the_run_is_found_and_not_started_again() {
    let rig = rig().await;
    let request = the_request();
    let file = rig.state.path().join("production.json");
    let begun =
        json!({"begun": {request.id.as_str(): {"at": "2025-12-31T23:59:58Z", "remote": null}}});
    std::fs::write(&file, begun.to_string()).unwrap();
    rig.service.script.add("workflow_dispatch");
    let target = ActionsTarget::open(options(&rig.service.url, rig.state.path())).unwrap();
    assert_eq!(
        deploy(&*target, request).await.live().release.as_str(),
        "run_100"
    );
    assert!(rig.service.seen("dispatches").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_limits_of_github() {
    let rig = rig().await;
    rig.service.fault(
        "dispatches",
        Fault::Says(
            403,
            &[("retry-after", "1")],
            json!({"message": "You have exceeded a secondary rate limit"}),
        ),
    );
    let told = deploy(&*rig.target, the_request()).await;
    told.live();
    assert!(told.text().contains("waits"));
    for (status, hint) in [
        (403, "write access to Actions"),
        (404, "default branch"),
        (422, "workflow_dispatch"),
    ] {
        rig.service.fault(
            "dispatches",
            Fault::Says(status, &[], json!({"message": "no"})),
        );
        let told = deploy(&*rig.target, the_request()).await;
        assert!(
            told.failure().hint.contains(hint),
            "{status}: {:?}",
            told.failure()
        );
    }
}
