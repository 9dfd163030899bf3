//! Vercel on a bad day: each ends in a stated outcome, nothing is created twice, nothing is called live that is not.

use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use sayso::deploy::{DeployTarget, Report, VercelTarget};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::rig::{CANARY, deploy, deploy_until, request, site, until};
use super::service::{Fault, vercel_error};
use super::vercel_world::{line, options, rig, rig_with, states};

fn nothing() -> Value {
    Value::Null
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_drops_at_each_request_creates_nothing_twice() {
    for call in [
        "GET /v9/projects",
        "POST /v2/files",
        "POST /v13/deployments",
        "GET /v3/deployments",
        "GET /v13/deployments/dpl_1",
    ] {
        for fault in [
            Fault::Lost,
            Fault::AnswerLost,
            Fault::Says(502, &[], nothing()),
            Fault::Says(500, &[], nothing()),
        ] {
            let rig = rig().await;
            rig.service.fault(call, fault.clone());
            let told = deploy(&*rig.target, request(site("one"))).await;
            assert_eq!(told.live().release.as_str(), "dpl_1", "{call} {fault:?}");
            let made = rig.service.script.world().deployments.len();
            assert_eq!(made, 1, "{call} {fault:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_whose_answer_is_lost_is_looked_for_before_anything_is_sent() {
    let rig = rig().await;
    deploy(&*rig.target, request(site("one"))).await.live();
    rig.service.forget();
    rig.service
        .fault("POST /v13/deployments", Fault::AnswerLost);
    let told = deploy(&*rig.target, request(site("one"))).await;
    assert_eq!(told.live().release.as_str(), "dpl_2");
    assert_eq!(
        rig.service.seen("POST /v13/deployments").len(),
        1,
        "it is not sent again"
    );
    assert!(
        told.text()
            .contains("unknown whether Vercel took the deployment")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_known_is_called_unknown_and_learned_later() {
    let rig = rig().await;
    deploy(&*rig.target, request(site("one"))).await.live();
    rig.service
        .fault("POST /v13/deployments", Fault::AnswerLost);
    for _ in 0..6 {
        rig.service.fault("GET /v7/deployments", Fault::Lost);
    }
    let the_request = request(site("one"));
    let told = deploy(&*rig.target, the_request.clone()).await;
    let failure = told.failure();
    assert!(failure.unknown && !failure.canceled, "{failure:?}");
    assert!(
        failure.message.contains("unknown whether"),
        "{}",
        failure.message
    );
    assert_eq!(rig.service.script.world().deployments.len(), 2);
    // The network is back: it is ours, and what became of it is there to be read.
    rig.service.script.world().deployments[1].states = states(&["LIVE"]);
    let listed = rig.target.elsewhere("production").await.unwrap().unwrap();
    assert_eq!(listed[0].ours.as_ref(), Some(&the_request.id));
    let found = rig
        .target
        .reconcile("production", &the_request.id)
        .await
        .unwrap();
    assert_eq!(found.release.as_str(), "dpl_2");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_waited_for_and_the_wait_is_said() {
    let rig = rig().await;
    let limited = || vercel_error("rate_limited", "Too many requests");
    rig.service.fault(
        "POST /v13/deployments",
        Fault::Says(429, &[("retry-after", "1")], limited()),
    );
    rig.service.fault(
        "POST /v2/files",
        Fault::Says(429, &[("retry-after", "1")], limited()),
    );
    rig.service.fault(
        "GET /v13/deployments/dpl_1",
        Fault::Says(503, &[("retry-after", "1")], nothing()),
    );
    let told = deploy(&*rig.target, request(site("one"))).await;
    told.live();
    assert!(told.text().contains("waits"), "{}", told.text());
    assert_eq!(rig.service.script.world().deployments.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_that_are_used_up_are_said_so() {
    let rig = rig().await;
    for _ in 0..8 {
        let limited = vercel_error("builds_rate_limited", "Resource is limited");
        rig.service
            .fault("POST /v13/deployments", Fault::Says(402, &[], limited));
    }
    let told = deploy(&*rig.target, request(site("one"))).await;
    assert!(
        told.failure().hint.contains("builds are used up"),
        "{:?}",
        told.failure()
    );
    assert!(!told.failure().unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_what_to_do() {
    for (status, code, hint) in [
        (401, "forbidden", "VERCEL_TOKEN"),
        (403, "forbidden", "VERCEL_ORG_ID"),
        (400, "too_many_files", ".vercelignore"),
        (413, "", ".vercelignore"),
    ] {
        let rig = rig().await;
        // The service quotes what it was sent: that must not be shown.
        let no = vercel_error(code, &format!("no: Bearer {CANARY}"));
        rig.service
            .fault("POST /v13/deployments", Fault::Says(status, &[], no));
        let told = deploy(&*rig.target, request(site("one"))).await;
        let failure = told.failure();
        assert!(failure.hint.contains(hint), "{status} {code}: {failure:?}");
        assert_eq!(rig.service.seen("POST /v13/deployments").len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_half_way_leaves_the_outcome_unknown() {
    let rig = rig().await;
    for _ in 0..3 {
        let no = vercel_error("forbidden", "The token has expired");
        rig.service
            .fault("GET /v13/deployments/dpl_1", Fault::Says(401, &[], no));
    }
    let told = deploy(&*rig.target, request(site("one"))).await;
    let failure = told.failure();
    assert!(
        failure.unknown && failure.hint.contains("VERCEL_TOKEN"),
        "{failure:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_build_has_its_last_lines_its_step_and_the_usual_cause() {
    let rig = rig().await;
    {
        let mut world = rig.service.script.world();
        world.events = vec![
            line(json!({"type": "stdout", "date": 1, "serial": "1", "text": "> next build"})),
            line(
                json!({"type": "stderr", "date": 2, "serial": "2", "text": "Module not found: Can't resolve './Hero'"}),
            ),
        ];
        world.plan = vec![
            states(&["BUILDING"])[0].clone(),
            json!({"readyState": "ERROR", "errorCode": "BUILD_FAILED", "errorMessage": "Command \"npm run build\" exited with 1", "errorStep": "buildStep"}),
        ];
    }
    let told = deploy(&*rig.target, request(site("one"))).await;
    let failure = told.failure();
    assert!(
        failure.message.contains("buildStep") && failure.message.contains("exited with 1"),
        "{failure:?}"
    );
    assert!(
        failure.log_tail.iter().any(|line| line.contains("./Hero")),
        "{failure:?}"
    );
    assert!(failure.hint.contains("upper and lower case"), "{failure:?}");
    assert!(!failure.canceled && !failure.unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_elsewhere_is_told_as_what_it_is() {
    for (word, canceled, text) in [
        ("CANCELED", true, "not by Sayso"),
        ("BLOCKED", false, "blocked"),
        ("DELETED", false, "deleted"),
        ("UPLOAD_ERROR", false, "failed"),
    ] {
        let rig = rig().await;
        rig.service.script.world().plan = states(&["BUILDING", word]);
        let told = deploy(&*rig.target, request(site("one"))).await;
        let failure = told.failure();
        assert_eq!(failure.canceled, canceled, "{word}");
        assert!(failure.message.contains(text), "{word}: {failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_nobody_knows_is_in_progress_until_the_time_is_over() {
    let rig = rig_with(|options| options.time_limit = Duration::from_millis(200)).await;
    rig.service.script.world().plan = states(&["HIBERNATING"]);
    let told = deploy(&*rig.target, request(site("one"))).await;
    assert!(told.failure().unknown, "{:?}", told.failure());
    assert!(told.text().contains("HIBERNATING"));
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_that_fail_keep_it_from_being_live() {
    let rig = rig().await;
    {
        let mut world = rig.service.script.world();
        world.checks = json!({"checks": [{"name": "e2e", "conclusion": "failed"}, {"name": "speed", "conclusion": "succeeded"}]});
        world.plan = vec![
            json!({"readyState": "READY", "aliasAssigned": false, "checksState": "running"}),
            json!({"readyState": "READY", "aliasAssigned": false, "checksState": "completed", "checksConclusion": "failed"}),
        ];
    }
    let told = deploy(&*rig.target, request(site("one"))).await;
    assert!(
        told.failure().message.contains("(e2e)"),
        "{:?}",
        told.failure()
    );
    assert!(told.text().contains("waits for Vercel's checks"));
    assert!(rig.target.live("production").is_none());
}

/// The event stream says that the aliases are assigned; what the checks found, only a look tells.
#[tokio::test(flavor = "multi_thread")]
async fn assigned_aliases_are_not_live_before_a_look_at_the_checks() {
    let rig = rig_with(|options| options.pace.poll = Duration::from_secs(600)).await;
    {
        let mut world = rig.service.script.world();
        world.hold = true;
        // The first line makes it look, and it still builds; the second says that it is assigned.
        world.events = vec![
            line(json!({"type": "deployment-state", "date": 1, "serial": "a"})),
            line(
                json!({"type": "alias-assigned", "alias": ["shop.example.org"], "aliasError": null}),
            ),
        ];
        world.plan = vec![
            json!({"readyState": "BUILDING", "aliasAssigned": false}),
            json!({"readyState": "READY", "aliasAssigned": true, "checksState": "completed", "checksConclusion": "failed"}),
        ];
        world.checks = json!({"checks": [{"name": "e2e", "conclusion": "failed"}]});
    }
    let told = deploy(&*rig.target, request(site("one"))).await;
    assert!(
        told.failure().message.contains("(e2e)"),
        "{:?}",
        told.failure()
    );
    assert!(rig.target.live("production").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_that_cannot_be_assigned_is_no_success() {
    let rig = rig().await;
    rig.service.script.world().plan = vec![
        json!({"readyState": "READY", "aliasAssigned": false, "aliasError": {"code": "cert_missing", "message": "No certificate"}}),
    ];
    let told = deploy(&*rig.target, request(site("one"))).await;
    assert!(
        told.failure().message.contains("No certificate"),
        "{:?}",
        told.failure()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_with_a_404_is_not_live() {
    let rig = rig().await;
    rig.service.script.world().production = Some((404, "NOT_FOUND".to_owned()));
    let told = deploy(&*rig.target, request(site("one"))).await;
    let failure = told.failure();
    assert!(
        failure.message.contains("404") && failure.hint.contains("Root Directory"),
        "{failure:?}"
    );
    assert!(rig.target.live("production").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_still_shows_another_deployment_is_not_live() {
    let rig = rig().await;
    rig.service
        .script
        .made_there("dpl_old", "the old page", json!({}));
    // Vercel says "assigned", but the address keeps leading to the old one.
    {
        let mut world = rig.service.script.world();
        world.pinned = true;
        world.plan = states(&["BUILDING", "LIVE"]);
    }
    let told = deploy(&*rig.target, request(site("one"))).await;
    assert!(
        told.failure().message.contains("dpl_old"),
        "{:?}",
        told.failure()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_can_stop_it_and_vercel_is_told() {
    let rig = rig().await;
    rig.service.script.world().plan = states(&["BUILDING"]);
    let cancel = CancellationToken::new();
    let (target, token): (std::sync::Arc<VercelTarget>, _) = (rig.target.clone(), cancel.clone());
    let running =
        tokio::spawn(async move { deploy_until(&*target, request(site("one")), token).await });
    until("it builds", || {
        !rig.service.seen("GET /v13/deployments/dpl_1").is_empty()
    })
    .await;
    cancel.cancel();
    let told = running.await.unwrap();
    assert!(
        told.failure().canceled && told.failure().message.contains("stopped"),
        "{:?}",
        told.failure()
    );
    assert_eq!(
        rig.service
            .seen("PATCH /v12/deployments/dpl_1/cancel")
            .len(),
        1
    );
    assert_eq!(
        rig.service.script.world().deployments[0].states[0]["readyState"],
        "CANCELED"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_late_answers_are_answers() {
    let rig = rig().await;
    rig.service.fault("POST /v13/deployments", Fault::Slow(7));
    rig.service
        .fault("GET /v9/projects", Fault::Late(Duration::from_millis(80)));
    rig.service
        .fault("GET /v13/deployments/dpl_1", Fault::Slow(11));
    rig.service.script.world().events = vec![
        Bytes::from_static(b"not json\n\n{\n"),
        line(json!({"type": "stdout"})),
    ];
    deploy(&*rig.target, request(site("one"))).await.live();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_is_sent() {
    let rig = rig_with(|options| {
        options.token = std::sync::Arc::new(|| {
            let problem =
                sayso::model::Problem::new(401, "no-token", "there is no token for Vercel");
            async { Err::<String, _>(problem.hint("set VERCEL_TOKEN")) }.boxed()
        });
    })
    .await;
    let told = deploy(&*rig.target, request(site("one"))).await;
    assert!(
        told.failure().message.contains("no token") && told.failure().hint.contains("VERCEL_TOKEN")
    );
    assert!(rig.service.seen("").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_to_be_reached_is_said_before_anything_happened() {
    let rig = rig().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let nowhere = url::Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let target = VercelTarget::open(options(&nowhere, rig.state.path())).unwrap();
    let told = deploy(&*target, request(site("one"))).await;
    let failure = told.failure();
    assert!(
        !failure.unknown && failure.message.contains("cannot be reached"),
        "{failure:?}"
    );
    assert!(
        told.reports
            .iter()
            .any(|report| matches!(report, Report::Log(line) if line.contains("tries again")))
    );
}
