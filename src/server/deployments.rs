//! `/api/deployments` and `/api/environments`.

use axum::extract::State;

use super::auth::Caller;
use super::extract::{Environment, Name, OptionalJson};
use super::{App, blocking};
use crate::model::api::{ApproveDeployment, DeploymentList, Promote, Rollback, Synced};
use crate::model::{Deployment, DeploymentId, LiveRelease, Problem};

type Reply<T = Deployment> = Result<axum::Json<T>, Problem>;

pub(super) async fn list(State(app): State<App>) -> Reply<DeploymentList> {
    let deployments = blocking(&app, |conductor| conductor.deployments()).await?;
    Ok(axum::Json(deployments))
}

pub(super) async fn show(State(app): State<App>, Name(id): Name<DeploymentId>) -> Reply {
    let deployment = blocking(&app, move |conductor| conductor.deployment(&id)).await?;
    Ok(axum::Json(deployment))
}

pub(super) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name<DeploymentId>,
) -> Reply {
    let deployment = app.conductor.cancel(&id, &caller.identity).await?;
    Ok(axum::Json(deployment))
}

pub(super) async fn approve(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name<DeploymentId>,
    OptionalJson(approval): OptionalJson<ApproveDeployment>,
) -> Reply {
    let deployment = app
        .conductor
        .approve_deployment(&id, approval, &caller.identity)
        .await?;
    Ok(axum::Json(deployment))
}

pub(super) async fn rollback(
    State(app): State<App>,
    caller: Caller,
    Name(environment): Name<Environment>,
    OptionalJson(rollback): OptionalJson<Rollback>,
) -> Reply<LiveRelease> {
    let live = app
        .conductor
        .rollback(&environment.0, rollback, &caller.identity)
        .await?;
    Ok(axum::Json(live))
}

pub(super) async fn promote(
    State(app): State<App>,
    caller: Caller,
    Name(environment): Name<Environment>,
    OptionalJson(promote): OptionalJson<Promote>,
) -> Reply<Synced> {
    let synced = app
        .conductor
        .promote(&environment.0, promote, &caller.identity)
        .await?;
    Ok(axum::Json(synced))
}
