//! The power goes at every stage boundary: this test's own binary is started again as the victim.
#![cfg(feature = "failpoints")]

use std::path::Path;
use std::process::{Command, Stdio};

use sayso::deploy::DeployTarget;
use sayso::model::DeploymentId;
use tokio_util::sync::CancellationToken;

use crate::support::*;

const DIR: &str = "SAYSO_TEST_CRASH_DIR";

/// Deploys and dies on the way, in a process of its own; does nothing in an ordinary run.
#[tokio::test]
async fn victim() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    let rig = open(Path::new(&dir), |_| {}).await;
    let mut asked = request(Commit::page("two"));
    asked.id = DeploymentId::from("dep_victim");
    let _ = rig.deploy_as(asked, CancellationToken::new()).await;
    std::process::exit(0);
}

#[tokio::test]
async fn a_crash_at_any_boundary_leaves_the_old_release_or_the_new_one() {
    let points = [
        ("deploy.fetched", "one"),
        ("deploy.built", "one"),
        ("deploy.written", "one"),
        ("deploy.renamed", "one"),
        ("deploy.checked", "one"),
        ("deploy.pointer", "two"),
        ("deploy.switched", "two"),
        ("deploy.verified", "two"),
    ];
    for (point, expected) in points {
        let root = tempfile::tempdir().unwrap();
        let rig = open(root.path(), |_| {}).await;
        let first = rig.deploy(Commit::page("one")).await.unwrap().release;
        rig.target.close().await;
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["crash::victim", "--exact"])
            .env(DIR, root.path())
            .env("SAYSO_FAILPOINT", point)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(
            ended.code().is_none(),
            "{point}: it was to be aborted, not {ended}"
        );

        let rig = open(root.path(), |_| {}).await;
        assert_eq!(rig.home().await, page(expected), "{point}");
        let outcome = rig.target.reconcile(PRODUCTION, &"dep_victim".into()).await;
        assert_eq!(outcome.is_some(), expected == "two", "{point}");
        assert!(
            rig.names("tmp").is_empty(),
            "{point}: {:?}",
            rig.names("tmp")
        );
        let releases = if expected == "two" { 2 } else { 1 };
        until(point, || rig.names("releases").len() == releases).await;
        until(point, || rig.names("objects").len() == releases).await;
        assert!(rig.names("releases").contains(&first.0), "{point}");

        // Life goes on.
        rig.deploy(Commit::page("three")).await.unwrap();
        assert_eq!(rig.home().await, page("three"), "{point}");
        rig.target.rollback(PRODUCTION, None).await.unwrap();
        assert_eq!(rig.home().await, page(expected), "{point}");
        rig.target.close().await;
    }
}
