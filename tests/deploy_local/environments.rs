//! Several environments over one store.

use sayso::deploy::{
    DeployFailure, DeployRequest, DeployTarget, Deployed, LocalOptions, PromoteRequest,
};
use sayso::model::{DeploymentId, ReleaseId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::*;

/// Two environments and a release in the first.
async fn staged() -> (Rig, ReleaseId) {
    let rig = rig(|options| {
        options.environments = vec![("staging".into(), 0), (PRODUCTION.into(), 0)];
    })
    .await;
    let asked = DeployRequest {
        environment: "staging".into(),
        ..request(Commit::page("one"))
    };
    let staged = rig
        .deploy_as(asked, CancellationToken::new())
        .await
        .0
        .unwrap()
        .release;
    (rig, staged)
}

async fn promote(rig: &Rig, expected: Option<&ReleaseId>) -> Result<Deployed, DeployFailure> {
    let (reports, _) = mpsc::unbounded_channel();
    let request = PromoteRequest {
        id: DeploymentId::new(),
        environment: PRODUCTION.into(),
        release: None,
        from: Some("staging".into()),
        expected: expected.cloned().map(Some),
    };
    rig.target
        .promote(request, reports, CancellationToken::new())
        .await
}

#[tokio::test]
async fn promoting_moves_the_same_release() {
    let (rig, release) = staged().await;
    assert_eq!(rig.get("/").await.status, 503);
    let promoted = promote(&rig, None).await.unwrap();
    assert_eq!(promoted.release, release);
    assert_eq!(rig.home().await, page("one"));
    assert_eq!(rig.names("releases").len(), 1);
}

#[tokio::test]
async fn promoting_over_what_was_not_expected_does_nothing() {
    let (rig, _) = staged().await;
    let here = rig.deploy(Commit::page("hotfix")).await.unwrap().release;
    let failure = promote(&rig, Some(&"rel_other".into())).await.unwrap_err();
    assert!(failure.message.contains(here.as_str()), "{failure:?}");
    assert_eq!(rig.home().await, page("hotfix"));
    promote(&rig, Some(&here)).await.unwrap();
    assert_eq!(rig.home().await, page("one"));
}

#[tokio::test]
async fn releases_of_an_environment_that_is_not_configured_now_are_kept() {
    let both = |options: &mut LocalOptions| {
        options.environments = vec![(PRODUCTION.into(), 0), ("staging".into(), 0)];
        options.keep = 1;
    };
    let one = |options: &mut LocalOptions| options.keep = 1;
    let rig = rig(both).await;
    let asked = DeployRequest {
        environment: "staging".into(),
        ..request(Commit::page("staged"))
    };
    let staged = rig
        .deploy_as(asked, CancellationToken::new())
        .await
        .0
        .unwrap()
        .release;
    let rig = rig.reopen(one).await;
    for text in ["1", "2", "3"] {
        rig.deploy(Commit::page(text)).await.unwrap();
    }
    until("old releases are removed", || {
        rig.names("releases").len() == 3
    })
    .await;
    assert!(rig.names("releases").contains(&staged.0));
    let rig = rig.reopen(both).await;
    assert_eq!(rig.target.live("staging").unwrap().release, staged);
}
