//! Deployments to Vercel that go well.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use sayso::deploy::{DeployTarget, Report, VercelTarget};
use sayso::model::{DeploymentId, Stage};
use serde_json::{Value, json};

use super::rig::{deploy, request, site};
use super::service::vercel_error;
use super::vercel_world::{line, options, rig, rig_with, states};

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_sent_built_and_live() {
    let rig = rig().await;
    let told = deploy(&*rig.target, request(site("one"))).await;
    let live = told.live();
    assert_eq!(live.release.as_str(), "dpl_1");
    assert_eq!(live.url, rig.service.url.as_str().trim_end_matches('/'));
    // Four files, two of them with the same bytes.
    assert_eq!(rig.service.seen("POST /v2/files").len(), 3);
    let created = rig.service.seen("POST /v13/deployments");
    assert_eq!(
        created.len(),
        2,
        "once to learn what is missing, once for real"
    );
    let body = created[1].json();
    assert_eq!(body["target"], "production");
    assert_eq!(body["files"].as_array().unwrap().len(), 4);
    assert!(
        body["meta"]["saysoDeployment"]
            .as_str()
            .unwrap()
            .starts_with("dep_")
    );
    assert!(created[1].query.contains("teamId=team_1"));
    let stages: Vec<Stage> = told
        .reports
        .iter()
        .filter_map(|report| match report {
            Report::Stage { stage, .. } => Some(*stage),
            _ => None,
        })
        .collect();
    let order = rig.target.stages();
    let at = |stage: &Stage| order.iter().position(|other| other == stage).unwrap();
    assert!(
        stages.windows(2).all(|two| at(&two[0]) <= at(&two[1])),
        "{stages:?}"
    );
    assert_eq!(stages.last(), Some(&Stage::Verify));
    assert!(
        told.reports
            .iter()
            .any(|report| matches!(report, Report::Health { ok: true, .. }))
    );
    assert_eq!(
        rig.target.live("production").unwrap().release.as_str(),
        "dpl_1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_site_sends_no_file() {
    let rig = rig().await;
    deploy(&*rig.target, request(site("one"))).await.live();
    rig.service.forget();
    deploy(&*rig.target, request(site("one"))).await.live();
    assert_eq!(rig.service.seen("/v2/files").len(), 0);
    assert_eq!(rig.service.seen("POST /v13/deployments").len(), 1);
    // One changed file is one body, and so it is after a restart.
    let target = VercelTarget::open(options(&rig.service.url, rig.state.path())).unwrap();
    rig.service.forget();
    deploy(&*target, request(site("another"))).await.live();
    assert_eq!(rig.service.seen("/v2/files").len(), 1);
    assert_eq!(rig.service.seen("POST /v13/deployments").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_vercel_lost_are_sent_again() {
    let rig = rig().await;
    deploy(&*rig.target, request(site("one"))).await.live();
    rig.service.script.world().files.clear();
    rig.service.forget();
    deploy(&*rig.target, request(site("one"))).await.live();
    assert_eq!(rig.service.seen("/v2/files").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tiny_site_goes_inside_the_call_and_is_live_at_once() {
    let rig = rig().await;
    rig.service.script.world().plan = states(&["LIVE"]);
    let pages = super::rig::commit(&"c".repeat(40), &[("index.html", "hi")]);
    let told = deploy(&*rig.target, request(pages.clone())).await;
    told.live();
    assert_eq!(rig.service.seen("/v2/files").len(), 0);
    assert_eq!(
        rig.service.seen("POST /v13/deployments")[0].json()["files"][0]["data"],
        "aGk="
    );
    // Where Vercel does not take it so, the files are sent as usual.
    let no = vercel_error("invalid_files", "inline files are not allowed");
    rig.service.fault(
        "POST /v13/deployments",
        super::service::Fault::Says(400, &[], no),
    );
    rig.service.forget();
    deploy(&*rig.target, request(pages)).await.live();
    assert_eq!(rig.service.seen("/v2/files").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn vercel_can_fetch_the_commit_itself() {
    let rig = rig_with(|options| options.git = true).await;
    deploy(&*rig.target, request(site("one"))).await.live();
    let body = rig.service.seen("POST /v13/deployments")[0].json();
    assert_eq!(body["gitSource"]["type"], "github");
    assert_eq!(body["gitSource"]["org"], "ada");
    assert!(body.get("files").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn previews_and_custom_environments_have_their_own_addresses() {
    for (place, key, value) in [
        ("preview", "target", Value::Null),
        ("staging", "customEnvironmentSlugOrId", json!("staging")),
    ] {
        let rig = rig_with(|options| options.place = place.to_owned()).await;
        rig.service.script.world().plan = states(&["BUILDING", "READY"]);
        let told = deploy(&*rig.target, request(site("one"))).await;
        assert!(
            told.live().url.ends_with("/d/dpl_1"),
            "{place}: {}",
            told.live().url
        );
        let body = rig.service.seen("POST /v13/deployments")[1].json();
        assert_eq!(body[key], value, "{place}");
        assert!(body["target"].is_null());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deploying_the_same_again_asks_vercel_for_the_same_again() {
    let rig = rig().await;
    deploy(&*rig.target, request(site("one"))).await.live();
    rig.service.forget();
    let mut again = request(site("one"));
    again.force = true;
    assert_eq!(
        deploy(&*rig.target, again).await.live().release.as_str(),
        "dpl_2"
    );
    let created = &rig.service.seen("POST /v13/deployments")[0];
    assert_eq!(created.json()["deploymentId"], "dpl_1");
    assert_eq!(created.json()["meta"]["action"], "redeploy");
    assert!(created.query.contains("forceNew=1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_builds_log_is_told_once_though_it_comes_torn_twice_and_out_of_order() {
    let rig = rig().await;
    {
        let mut world = rig.service.script.world();
        let one = line(json!({"type": "stdout", "date": 10, "serial": "a", "text": "npm ci"}));
        let two = line(json!({"type": "stdout", "date": 20, "serial": "b", "text": "next build"}));
        let late = line(json!({"type": "stderr", "date": 15, "serial": "c", "text": "a warning"}));
        let (head, rest) = one.split_at(17);
        world.events = vec![
            Bytes::copy_from_slice(head),
            Bytes::copy_from_slice(rest),
            two.clone(),
            late,
            two.slice(..20),
        ];
        world.plan = states(&["BUILDING"; 60]);
        world.plan.extend(states(&["LIVE"]));
    }
    let told = deploy(&*rig.target, request(site("one"))).await;
    told.live();
    for text in ["npm ci", "next build", "a warning"] {
        assert_eq!(
            told.text().matches(text).count(),
            1,
            "{text} in {}",
            told.text()
        );
    }
    let streams = rig.service.seen("/events");
    assert!(streams.len() > 1, "it connects again");
    assert!(
        streams[1].query.contains("since=20"),
        "{}",
        streams[1].query
    );
}

/// The bar: from "aliases assigned" to LIVE there is nothing but our own probe.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_to_say_that_aliases_are_assigned_wins() {
    let rig = rig_with(|options| options.pace.poll = Duration::from_secs(600)).await;
    {
        let mut world = rig.service.script.world();
        world.hold = true;
        world.events = vec![line(
            json!({"type": "alias-assigned", "alias": [rig.service.url.as_str().trim_end_matches('/')], "aliasError": null}),
        )];
        world.plan = states(&["BUILDING"]);
        world.production = Some((200, "one".to_owned()));
        world.deployments.clear();
    }
    // Only the stream can say it: the next poll is ten minutes away.
    let told = deploy(&*rig.target, request(site("one"))).await;
    let live = Instant::now();
    assert_eq!(told.live().release.as_str(), "dpl_1");
    let probe = told.reports.iter().find_map(|report| match report {
        Report::Health { millis, .. } => Some(*millis),
        _ => None,
    });
    let said = rig
        .service
        .script
        .said
        .lock()
        .unwrap()
        .expect("the stream said it");
    println!(
        "aliases assigned to LIVE: {:?}, of which our probe {} ms",
        live - said,
        probe.unwrap()
    );
    let reads = rig.service.seen("GET /v13/deployments/dpl_1");
    assert!(
        reads.len() <= 1,
        "{} reads between aliases and LIVE",
        reads.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_makes_it_look_at_once() {
    let rig = rig_with(|options| options.pace.poll = Duration::from_secs(600)).await;
    rig.service.script.world().hold = true;
    rig.service.script.world().plan = states(&["BUILDING", "LIVE"]);
    let target = Arc::clone(&rig.target);
    let running = tokio::spawn(async move { deploy(&*target, request(site("one"))).await });
    let target = Arc::clone(&rig.target);
    // Until it is heard: before the deployment waits there is nobody to nudge.
    let nudge = tokio::spawn(async move {
        loop {
            target.nudge();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    running.await.unwrap().live();
    nudge.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_the_same_deployment_is_found_and_not_made_again() {
    let rig = rig().await;
    let mut the_request = request(site("one"));
    the_request.id = DeploymentId::new();
    deploy(&*rig.target, the_request.clone()).await.live();
    // Another process that only knows what is on disk.
    let target = VercelTarget::open(options(&rig.service.url, rig.state.path())).unwrap();
    let found = target
        .reconcile("production", &the_request.id)
        .await
        .unwrap();
    assert_eq!(found.release.as_str(), "dpl_1");
    // Cut off between the creation and its answer: it is begun, and has no name yet.
    let cut_off = request(site("two!"));
    let file = rig.state.path().join("production.json");
    let mut memory: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    memory["begun"][cut_off.id.as_str()] =
        json!({"at": jiff::Timestamp::now().to_string(), "remote": null});
    std::fs::write(&file, memory.to_string()).unwrap();
    rig.service.script.made_there(
        "dpl_2",
        "two!",
        json!({"meta": {"saysoDeployment": cut_off.id}}),
    );
    rig.service.script.world().deployments[1].states = states(&["BUILDING", "BUILDING", "LIVE"]);
    let target = VercelTarget::open(options(&rig.service.url, rig.state.path())).unwrap();
    assert!(
        target.reconcile("production", &cut_off.id).await.is_none(),
        "it is not live yet"
    );
    rig.service.forget();
    let told = deploy(&*target, cut_off).await;
    assert_eq!(told.live().release.as_str(), "dpl_2");
    assert_eq!(rig.service.seen("POST /v13/deployments").len(), 0);
}
