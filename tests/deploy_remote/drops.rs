//! A network that drops any one request: whatever it was about, the outcome is stated, nothing is there twice, and nothing
//! is called live that is not.

use sayso::deploy::{DeployTarget, vercel};
use serde_json::json;

use super::actions;
use super::rig::{Told, deploy, request, site};
use super::service::Fault;
use super::vercel_traffic::two;
use super::vercel_world::{options, rig};

/// More requests than a deployment has when nothing goes wrong.
const REQUESTS: usize = 24;

fn faults() -> [Fault; 2] {
    [Fault::Lost, Fault::AnswerLost]
}

/// Live, or not live with a reason and something to do; true for live.
fn stated(told: &Told, about: &str) -> bool {
    match &told.outcome {
        Ok(_) => true,
        Err(failure) => {
            assert!(!failure.message.is_empty(), "{about}: {failure:?}");
            assert!(!failure.hint.is_empty(), "{about}: {failure:?}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_one_request_of_a_deployment_to_vercel() {
    let tries = faults().into_iter().flat_map(|fault| {
        (0..REQUESTS).map(move |number| {
            let fault = fault.clone();
            async move {
                let rig = rig().await;
                let about = format!("request {number}, {fault:?}");
                rig.service.nth(number, fault);
                let told = deploy(&*rig.target, request(site("one"))).await;
                let live = stated(&told, &about);
                let world = rig.service.script.world();
                assert!(world.deployments.len() <= 1, "{about}: made twice");
                assert_eq!(rig.target.live("production").is_some(), live, "{about}");
                if live {
                    assert_eq!(world.live.as_deref(), Some("dpl_1"), "{about}");
                }
                live
            }
        })
    });
    let live = futures::future::join_all(tries).await;
    let count = live.iter().filter(|live| **live).count();
    assert!(count >= REQUESTS, "most go live all the same: {count}");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_one_request_of_a_rollback_on_vercel() {
    let tries = faults().into_iter().flat_map(|fault| {
        (0..10).map(move |number| {
            let fault = fault.clone();
            async move {
                let rig = two().await;
                let about = format!("request {number}, {fault:?}");
                rig.service.forget();
                rig.service.nth(number, fault);
                let done = rig.target.rollback("production", None).await;
                assert!(rig.service.seen("/rollback/").len() <= 1, "{about}");
                match done {
                    Ok(live) => {
                        assert_eq!(live.release.as_str(), "dpl_1", "{about}");
                        let world = rig.service.script.world();
                        assert_eq!(world.live.as_deref(), Some("dpl_1"), "{about}");
                    }
                    Err(problem) => {
                        assert!(problem.hint.is_some_and(|hint| !hint.is_empty()), "{about}");
                        let live = rig.target.live("production").unwrap();
                        assert_eq!(live.release.as_str(), "dpl_2", "{about}");
                    }
                }
            }
        })
    });
    futures::future::join_all(tries).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_one_request_of_a_run_on_github() {
    let tries = faults().into_iter().flat_map(|fault| {
        (0..14).map(move |number| {
            let fault = fault.clone();
            async move {
                let rig = actions::rig().await;
                let about = format!("request {number}, {fault:?}");
                rig.service.nth(number, fault);
                let told = deploy(&*rig.target, actions::the_request()).await;
                stated(&told, &about);
                let runs = rig.service.script.world().runs.len();
                assert!(runs <= 1, "{about}: {runs} runs");
            }
        })
    });
    futures::future::join_all(tries).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_reaches_is_asked_of_vercel_itself() {
    let rig = rig().await;
    let options = options(&rig.service.url, rig.state.path());
    let found = vercel::rights(&options).await.unwrap();
    assert_eq!((found.login.as_str(), found.scopes), ("ada", None));
    assert_eq!(found.project.as_deref(), Ok("prj_1"));
    rig.service.script.world().token =
        json!({"scopes": [{"type": "team", "teamId": "team_2", "createdAt": 1}]});
    let found = vercel::rights(&options).await.unwrap();
    assert!(found.lacking().unwrap().contains("team_1"), "{found:?}");
    rig.service.script.world().pinned = true;
    assert!(vercel::rights(&options).await.unwrap().pinned);
    let no = super::service::vercel_error("not_found", "Project not found");
    rig.service
        .fault("GET /v9/projects", Fault::Says(404, &[], no));
    let found = vercel::rights(&options).await.unwrap();
    assert!(found.project.unwrap_err().contains("VERCEL_PROJECT_ID"));
    let no = super::service::vercel_error("forbidden", "The token has expired");
    rig.service.fault("GET /v2/user", Fault::Says(403, &[], no));
    let problem = vercel::rights(&options).await.unwrap_err();
    assert!(problem.detail.contains("expired"), "{problem}");
}
