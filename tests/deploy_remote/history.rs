//! Through the conductor: deployments made elsewhere, unknown ones learned, promotions; and the whole way through the
//! real program.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sayso::config::Config;
use sayso::deploy::{DeployTarget, VercelTarget};
use sayso::events::EventLog;
use sayso::model::api::{Promote, Rollback, SyncRequest};
use sayso::model::{Deployment, DeploymentState, Event, EventKind, Identity, ReleaseId};
use sayso::pipeline::{Conductor, Delivery, Setup};
use sayso::vcs::git::Git;
use serde_json::json;

use super::service::Fault;
use super::support;
use super::vercel_world::{Rig, options, rig, states};

struct Stage {
    rig: Rig,
    conductor: Arc<Conductor>,
    log: EventLog,
    site: tempfile::TempDir,
    state: tempfile::TempDir,
}

fn git(dir: &Path, args: &[&str]) {
    let done = std::process::Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(done.status.success(), "git {args:?}: {done:?}");
}

fn repository() -> tempfile::TempDir {
    let site = tempfile::tempdir().unwrap();
    git(site.path(), &["init", "-q", "-b", "main"]);
    std::fs::write(site.path().join("index.html"), "first").unwrap();
    std::fs::write(site.path().join("a.css"), "a").unwrap();
    git(site.path(), &["add", "-A"]);
    git(site.path(), &["commit", "-q", "-m", "first"]);
    site
}

async fn conductor(site: &Path, log: EventLog, target: Arc<VercelTarget>) -> Arc<Conductor> {
    Conductor::open(Setup {
        log,
        config: Config::default(),
        repo: Arc::new(Git::open(site).await.unwrap()),
        generators: Vec::new(),
        transcriber: None,
        targets: BTreeMap::from([("production".to_owned(), target as Arc<dyn DeployTarget>)]),
        recordings: site.join(".git/recordings"),
        notices: None,
    })
    .await
    .unwrap()
}

async fn stage() -> Stage {
    let rig = rig().await;
    let (site, state) = (repository(), tempfile::tempdir().unwrap());
    let log = support::log(state.path());
    let conductor = conductor(site.path(), log.clone(), Arc::clone(&rig.target)).await;
    Stage {
        rig,
        conductor,
        log,
        site,
        state,
    }
}

impl Stage {
    async fn deploy(&self) -> Deployment {
        let synced = self
            .conductor
            .deploy(SyncRequest::default(), false, &Identity::owner("ada"))
            .await
            .unwrap();
        self.conductor.settled().await;
        self.conductor
            .deployment(&synced.deployment.unwrap())
            .unwrap()
    }

    fn events(&self, kind: EventKind) -> Vec<Event> {
        let all = self.log.read(0, 10_000).unwrap();
        all.into_iter().filter(|event| event.kind == kind).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_told_from_start_to_live_and_its_bar_never_goes_back() {
    let stage = stage().await;
    for round in 0..2 {
        let deployment = stage.deploy().await;
        assert_eq!(
            deployment.state,
            DeploymentState::Live,
            "{:?}",
            deployment.problem
        );
        assert_eq!(deployment.target, "vercel");
        let percents: Vec<u64> = stage
            .events(EventKind::DeployProgress)
            .iter()
            .filter(|event| event.deployment.as_ref() == Some(&deployment.id))
            .map(|event| event.data["percent"].as_u64().unwrap())
            .collect();
        assert!(
            percents.windows(2).all(|two| two[0] <= two[1]),
            "{percents:?}"
        );
        assert!(
            percents.iter().all(|percent| *percent < 100),
            "{percents:?}"
        );
        let complete = stage.events(EventKind::DeployComplete);
        assert_eq!(complete.len(), round + 1);
        assert!(
            complete[round].data["stages"]
                .as_object()
                .unwrap()
                .contains_key("build")
        );
        std::fs::write(
            stage.site.path().join("index.html"),
            format!("round {round}"),
        )
        .unwrap();
        git(stage.site.path(), &["commit", "-q", "-a", "-m", "next"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deployed_elsewhere_comes_into_the_timeline_once() {
    let stage = stage().await;
    stage
        .rig
        .service
        .script
        .made_there("dpl_before", "before", json!({}));
    // What was there at the first look is history, not news.
    stage.conductor.look_elsewhere().await;
    assert!(stage.events(EventKind::DeployStart).is_empty());
    assert_eq!(stage.conductor.deployments().unwrap().deployments.len(), 1);

    stage
        .rig
        .service
        .script
        .made_there("dpl_push", "by a push", json!({}));
    stage.rig.service.script.world().deployments[1].states = states(&["BUILDING"]);
    stage.rig.service.script.world().live = Some("dpl_before".to_owned());
    for _ in 0..3 {
        stage.conductor.look_elsewhere().await;
    }
    let started = stage.events(EventKind::DeployStart);
    assert_eq!(started.len(), 1);
    assert_eq!(
        (started[0].actor.as_str(), &started[0].data["elsewhere"]),
        ("ada", &json!(true))
    );
    assert!(stage.events(EventKind::DeployComplete).is_empty());

    stage.rig.service.script.world().deployments[1].states = states(&["LIVE"]);
    for _ in 0..3 {
        stage.conductor.look_elsewhere().await;
    }
    let complete = stage.events(EventKind::DeployComplete);
    assert_eq!(complete.len(), 1);
    assert_eq!(complete[0].data["release"], "dpl_push");
    assert_eq!(complete[0].deployment, started[0].deployment);
    // Ours are ours: they are not told a second time as somebody else's.
    stage.deploy().await;
    let told = stage.events(EventKind::DeployStart).len();
    stage.conductor.look_elsewhere().await;
    assert_eq!(stage.events(EventKind::DeployStart).len(), told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_is_said_to_be_live_elsewhere_and_is_not_is_no_success() {
    let stage = stage().await;
    stage.deploy().await;
    stage.conductor.look_elsewhere().await;
    stage
        .rig
        .service
        .script
        .made_there("dpl_broken", "x", json!({}));
    stage.rig.service.script.world().production = Some((404, "NOT_FOUND".to_owned()));
    stage.conductor.look_elsewhere().await;
    assert_eq!(
        stage.events(EventKind::DeployComplete).len(),
        1,
        "only ours"
    );
    let errors = stage.events(EventKind::DeployError);
    assert!(
        errors[0].data["message"].as_str().unwrap().contains("404"),
        "{errors:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_said_and_corrected_when_it_is_learned() {
    let stage = stage().await;
    stage.deploy().await;
    stage
        .rig
        .service
        .fault("POST /v13/deployments", Fault::AnswerLost);
    for _ in 0..6 {
        stage.rig.service.fault("GET /v7/deployments", Fault::Lost);
    }
    let deployment = stage.deploy().await;
    assert_eq!(deployment.state, DeploymentState::Unknown);
    let errors = stage.events(EventKind::DeployError);
    assert_eq!(errors[0].data["unknown"], true);
    assert_eq!(stage.events(EventKind::DeployComplete).len(), 1);
    stage.rig.service.script.world().deployments[1].states = states(&["LIVE"]);
    stage.conductor.look_elsewhere().await;
    let deployment = stage.conductor.deployment(&deployment.id).unwrap();
    assert_eq!(deployment.state, DeploymentState::Live);
    assert_eq!(stage.events(EventKind::DeployComplete).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_followed_by_a_look_at_the_place_itself() {
    let stage = stage().await;
    stage.conductor.look_elsewhere().await;
    stage
        .rig
        .service
        .script
        .made_there("dpl_push", "x", json!({}));
    let delivery = |id: &str| Delivery {
        source: "vercel".into(),
        id: id.into(),
        kind: "deployment.error".into(),
        // Out of order, or a lie: the place says that it is live.
        message: "Vercel: deployment.error".into(),
        data: json!({}),
    };
    assert!(stage.conductor.receive(delivery("1")).await.unwrap());
    assert!(!stage.conductor.receive(delivery("1")).await.unwrap());
    stage.conductor.settled().await;
    assert_eq!(stage.events(EventKind::DeployComplete).len(), 1);
    assert!(stage.events(EventKind::DeployError).is_empty());
    assert_eq!(stage.events(EventKind::Notice).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_and_a_promotion_are_in_the_timeline_with_the_pin() {
    let stage = stage().await;
    stage.deploy().await;
    stage.deploy().await;
    let live = stage
        .conductor
        .rollback("production", Rollback::default(), &Identity::owner("ada"))
        .await
        .unwrap();
    assert_eq!(live.release.as_str(), "dpl_1");
    let notices = stage.events(EventKind::Notice);
    assert!(
        notices
            .iter()
            .any(|event| event.data["message"].as_str().unwrap().contains("pinned"))
    );
    let promote = Promote {
        release: Some(ReleaseId::from("dpl_2")),
        ..Promote::default()
    };
    let synced = stage
        .conductor
        .promote("production", promote, &Identity::owner("ada"))
        .await
        .unwrap();
    stage.conductor.settled().await;
    let deployment = stage
        .conductor
        .deployment(&synced.deployment.unwrap())
        .unwrap();
    assert_eq!(
        deployment.state,
        DeploymentState::Live,
        "{:?}",
        deployment.problem
    );
    assert_eq!(stage.events(EventKind::Promote)[0].data["release"], "dpl_2");
    assert!(
        stage
            .conductor
            .promote("production", Promote::default(), &Identity::owner("ada"))
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_half_way_is_taken_up_where_it_was() {
    let stage = stage().await;
    stage.deploy().await;
    let deployment = stage.deploy().await;
    // As a crash would leave it: the record is open, and what was begun has no end.
    let mut open = deployment.clone();
    open.state = DeploymentState::Running;
    open.ended_at = None;
    let put = |kind, body: &serde_json::Value| {
        sayso::events::Put::new(kind, open.id.as_str(), body).unwrap()
    };
    let puts = vec![
        put("deployment", &serde_json::to_value(&open).unwrap()),
        put("open-deployment", &json!(open.id)),
    ];
    stage.log.append(Vec::new(), puts).await.unwrap();
    let Stage {
        rig,
        conductor: old,
        log,
        site,
        state,
    } = stage;
    drop((old, log));
    let target = VercelTarget::open(options(&rig.service.url, rig.state.path())).unwrap();
    rig.service.forget();
    let again = conductor(site.path(), support::log(state.path()), target).await;
    again.settled().await;
    let now = again.deployment(&open.id).unwrap();
    assert_eq!(now.state, DeploymentState::Live);
    assert_eq!(
        rig.service.seen("POST /v13/deployments").len(),
        0,
        "nothing was made again"
    );
}
