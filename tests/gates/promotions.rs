//! Releases that go on by themselves, and times in which nothing does.

use jiff::{Timestamp, ToSpan};
use sayso::model::api::{Promote, Rollback, SyncRequest};
use sayso::model::{DeploymentState, EventKind};

use crate::rig::{Rig, person, rig};
use crate::stage::wait_for;

/// A freeze window around now.
fn frozen() -> String {
    let now = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let form = "%Y-%m-%d %H:%M";
    let (from, to) = (
        now.checked_sub(2.hours()).unwrap(),
        now.checked_add(2.hours()).unwrap(),
    );
    format!(
        "freeze = [\"{} - {}\"]",
        from.strftime(form),
        to.strftime(form)
    )
}

/// Staging, which leads to production, about which `more` is set.
fn leading(more: &str) -> String {
    format!(
        "[[environment]]\nname = \"staging\"\npromote_to = \"production\"\n\
         [[environment]]\nname = \"production\"\n{more}\n"
    )
}

async fn waiting(rig: &Rig) -> sayso::model::Deployment {
    wait_for("what waits", async || {
        let status = rig.conductor.status().await.unwrap();
        let mut open = status.deployments.into_iter();
        open.find(|one| one.state == DeploymentState::Waiting)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_was_well_while_it_was_watched_goes_on() {
    let rig = rig(&format!("{}[health]\nwatch = \"60ms\"\n", leading(""))).await;
    let release = rig.deploy("staging").await.release.unwrap();
    let live = wait_for("production", async || rig.live("production")).await;
    assert_eq!(live.release, release);
    let promoted = wait_for("the promotion", async || {
        let mut events = rig.events();
        events.retain(|event| event.kind == EventKind::Promote);
        events.pop()
    })
    .await;
    assert_eq!(promoted.data["automatic"], true);
    assert_eq!(promoted.actor, "sayso");
    let watched = rig
        .events()
        .into_iter()
        .find(|event| event.data["release"] == release.as_str() && event.kind == EventKind::Notice);
    assert!(watched.is_some_and(|watched| watched.seq < promoted.seq));
}

#[tokio::test(flavor = "multi_thread")]
async fn by_itself_it_still_needs_its_approvals_and_waits_for_them_in_sight() {
    let rig = rig(&leading("approval = \"two people\"")).await;
    let release = rig.deploy("staging").await.release.unwrap();
    let waits = waiting(&rig).await;
    assert_eq!(waits.promotion.as_ref().unwrap().release, release);
    assert_eq!(waits.gate.unwrap().missing(), 2);
    for name in ["Ada", "Grace"] {
        let yes = Default::default();
        rig.conductor
            .approve_deployment(&waits.id, yes, &person(name))
            .await
            .unwrap();
    }
    assert_eq!(rig.over(&waits.id).await.state, DeploymentState::Live);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_goes_to_a_frozen_environment_but_back_is_always_open() {
    let rig = rig(&leading("")).await;
    rig.deploy("production").await;
    rig.commit("two");
    rig.deploy("production").await;
    let rig = rig.reopen(&leading(&frozen())).await;
    rig.commit("three");
    let refused = rig.ask("production", "Ada").await.unwrap_err();
    assert!(
        refused.is("frozen") && refused.detail.contains("UTC"),
        "{refused}"
    );
    assert!(refused.hint.unwrap().contains("--during-freeze"));
    let status = rig.conductor.status().await.unwrap();
    let production = status
        .environments
        .iter()
        .find(|one| one.name == "production")
        .unwrap();
    assert!(
        production
            .frozen_until
            .is_some_and(|until| until > Timestamp::now())
    );
    // Back, always.
    rig.conductor
        .rollback("production", Rollback::default(), &person("Ada"))
        .await
        .unwrap();
    // With the word for it, and the log keeps that word.
    let request = SyncRequest {
        environment: Some("production".into()),
        during_freeze: true,
        ..SyncRequest::default()
    };
    let synced = rig
        .conductor
        .deploy(request, false, &person("Ada"))
        .await
        .unwrap();
    let id = synced.deployment.unwrap();
    assert_eq!(rig.over(&id).await.state, DeploymentState::Live);
    let start = &rig.told(EventKind::DeployStart, &id)[0];
    assert!(start.data["during_freeze"].is_string(), "{}", start.data);
    // A promotion by a person is refused in the same way.
    rig.commit("four");
    rig.deploy("staging").await;
    let promote = Promote {
        from: Some("staging".into()),
        ..Promote::default()
    };
    let refused = rig
        .conductor
        .promote("production", promote, &person("Ada"))
        .await;
    assert!(refused.unwrap_err().is("frozen"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_by_itself_is_held_until_the_freeze_is_over() {
    let rig = rig(&leading(&frozen())).await;
    let release = rig.deploy("staging").await.release.unwrap();
    let held = waiting(&rig).await;
    assert!(
        held.progress.message.contains("held back"),
        "{}",
        held.progress.message
    );
    assert!(held.gate.unwrap().frozen_until.is_some());
    assert_eq!(rig.live("production"), None);
    // The windows are taken out of the configuration: as good as their end.
    let rig = rig.reopen(&leading("")).await;
    assert_eq!(rig.over(&held.id).await.state, DeploymentState::Live);
    assert_eq!(rig.live("production").unwrap().release, release);
}
