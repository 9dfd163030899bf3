//! Checks before a step.

use std::fs::read_to_string;

use sayso::model::api::{Promote, SyncRequest};
use sayso::model::{DeploymentState, EventKind, Stage};

use crate::rig::{TWO, gone, person, rig};
use crate::stage::{wait_for, write};

/// Production with the checks `names`, and what is described of them.
fn with(names: &str, checks: &str) -> String {
    format!("{checks}\n[[environment]]\nname = \"production\"\nchecks = [{names}]\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_sees_the_very_files_and_the_same_files_are_checked_once() {
    let marks = tempfile::tempdir().unwrap();
    let count = marks.path().join("count");
    let run = format!(
        "test ! -e dirty.txt && grep -q '<h1>' index.html && echo seen $SAYSO_ENVIRONMENT && echo x >> {}",
        count.display()
    );
    let text = with(
        "\"lint\"",
        &format!("[[check]]\nname = \"lint\"\nrun = \"{run}\""),
    );
    let rig = rig(&text).await;
    write(rig.site.path(), "dirty.txt", "not committed");
    let first = rig.deploy("production").await;
    assert_eq!(first.state, DeploymentState::Live, "{:?}", first.problem);
    assert!(
        first.stages.contains_key(&Stage::Check),
        "{:?}",
        first.stages
    );
    let told = rig.told(EventKind::Check, &first.id);
    assert_eq!(told[0].data["name"], "lint");
    assert_eq!(told[0].data["ok"], true);
    assert_eq!(told[0].data["output"][0], "seen production");
    let shown = rig.told(EventKind::DeployProgress, &first.id);
    assert!(shown.iter().any(|event| event.data["stage"] == "check"));

    // The same files again: the result is known.
    let again = rig.deploy("production").await;
    let told = rig.told(EventKind::Check, &again.id);
    assert!(told[0].data["kept"].is_string(), "{}", told[0].data);
    assert_eq!(read_to_string(&count).unwrap().lines().count(), 1);
    // Asked to do it all again, it does.
    let request = SyncRequest::default();
    let forced = rig
        .conductor
        .force_redeploy(request, &person("Ada"))
        .await
        .unwrap();
    rig.over(&forced.deployment.unwrap()).await;
    assert_eq!(read_to_string(&count).unwrap().lines().count(), 2);
    // Other files are checked.
    std::fs::remove_file(rig.site.path().join("dirty.txt")).unwrap();
    rig.commit("two");
    assert_eq!(rig.deploy("production").await.state, DeploymentState::Live);
    assert_eq!(read_to_string(&count).unwrap().lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_check_stops_the_deployment_with_its_last_lines() {
    let marks = tempfile::tempdir().unwrap();
    let slow = marks.path().join("slow");
    let checks = format!(
        "[[check]]\nname = \"lint\"\nrun = \"echo first; echo index.html:1 is wrong; exit 3\"\n\
         [[check]]\nname = \"test\"\nrun = \"sleep 600 & echo $! > {}; wait\"\n[deploy]\nchecks_at_once = 2",
        slow.display()
    );
    let rig = rig(&with("\"test\", \"lint\"", &checks)).await;
    let failed = rig.deploy("production").await;
    assert_eq!(failed.state, DeploymentState::Failed);
    assert_eq!(failed.progress.stage, Stage::Check);
    let told = rig.told(EventKind::DeployError, &failed.id);
    let message = told[0].data["message"].as_str().unwrap();
    assert!(
        message.contains("lint") && message.contains("exit code 3"),
        "{message}"
    );
    assert!(!told[0].data["hint"].as_str().unwrap().is_empty());
    assert_eq!(failed.log_tail, ["first", "index.html:1 is wrong"]);
    assert_eq!(rig.live("production"), None);
    assert!(!rig.path("builds").exists(), "nothing was built");
    // The other one, which would have taken forever, was ended with all that it started.
    if slow.exists() {
        gone(&slow).await;
    }
    assert_eq!(rig.told(EventKind::Check, &failed.id).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_hangs_is_ended_with_all_that_it_started() {
    let marks = tempfile::tempdir().unwrap();
    let mark = marks.path().join("pid");
    let checks = format!(
        "[[check]]\nname = \"test\"\nrun = \"trap '' TERM; sleep 600 & echo $! > {}; wait; sleep 600\"\n\
         time_limit = \"400ms\"",
        mark.display()
    );
    let rig = rig(&with("\"test\"", &checks)).await;
    let failed = rig.deploy("production").await;
    assert_eq!(failed.state, DeploymentState::Failed);
    let message = failed.problem.unwrap().detail;
    assert!(
        message.contains("test") && message.contains("longer than 400ms"),
        "{message}"
    );
    gone(&mark).await;
    // The environment is free.
    assert!(
        rig.conductor.status().await.unwrap().environments[0]
            .lock
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_can_be_stopped_during_its_checks() {
    let marks = tempfile::tempdir().unwrap();
    let mark = marks.path().join("pid");
    let checks = format!(
        "[[check]]\nname = \"test\"\nrun = \"sleep 600 & echo $! > {}; wait\"",
        mark.display()
    );
    let rig = rig(&with("\"test\"", &checks)).await;
    let id = rig.ask("production", "Ada").await.unwrap();
    wait_for("the check", async || {
        read_to_string(&mark).ok().filter(|text| !text.is_empty())
    })
    .await;
    let stopped = rig.conductor.cancel(&id, &person("Grace")).await.unwrap();
    assert_eq!(
        stopped.state,
        DeploymentState::Canceled,
        "{:?}",
        stopped.problem
    );
    gone(&mark).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_large_files_do_not_pass_the_built_in_checks() {
    let rig = rig(&with(
        "\"secrets\", \"size\"",
        "[deploy]\nmax_file = \"2KB\"",
    ))
    .await;
    assert_eq!(rig.deploy("production").await.state, DeploymentState::Live);
    // Not a token: the alphabet. Joined at run time so that no scanner trips over this file.
    let token = format!("{}_{}", "ghp", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
    write(rig.site.path(), "app.js", &format!("let t = '{token}'\n"));
    rig.commit("two");
    let failed = rig.deploy("production").await;
    assert_eq!(failed.state, DeploymentState::Failed);
    assert_eq!(failed.log_tail, ["app.js:1: looks like: GitHub token"]);
    assert!(!format!("{:?}", rig.events()).contains(&token));
    write(rig.site.path(), "app.js", &"x".repeat(3000));
    rig.commit("three");
    let failed = rig.deploy("production").await;
    assert_eq!(failed.log_tail, ["app.js: 3KB"]);
    write(rig.site.path(), "app.js", "ok\n");
    rig.commit("four");
    assert_eq!(rig.deploy("production").await.state, DeploymentState::Live);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_with_files_runs_when_one_of_them_changed() {
    let checks = "[[check]]\nname = \"style\"\nrun = \"exit 1\"\nfiles = [\"*.css\"]";
    let rig = rig(&with("\"style\"", checks)).await;
    // The first one: everything is new, but there is no such file.
    let first = rig.deploy("production").await;
    assert_eq!(first.state, DeploymentState::Live, "{:?}", first.problem);
    assert_eq!(
        rig.told(EventKind::Check, &first.id)[0].data["skipped"],
        true
    );
    write(rig.site.path(), "a.css", "a{}");
    rig.commit("two");
    assert_eq!(
        rig.deploy("production").await.state,
        DeploymentState::Failed
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_is_checked_like_a_deployment() {
    let text = format!("[[check]]\nname = \"never\"\nrun = \"false\"\n{TWO}checks = [\"never\"]\n");
    let rig = rig(&text).await;
    rig.deploy("staging").await;
    let promote = Promote {
        from: Some("staging".into()),
        ..Promote::default()
    };
    let synced = rig
        .conductor
        .promote("production", promote, &person("Ada"))
        .await
        .unwrap();
    let failed = rig.over(&synced.deployment.unwrap()).await;
    assert_eq!(failed.state, DeploymentState::Failed);
    assert_eq!(failed.progress.stage, Stage::Check);
    assert_eq!(rig.live("production"), None);
}
