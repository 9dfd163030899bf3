//! `/api/deployments` and `/api/environments`.

use axum::extract::State;
use axum::http::Uri;
use url::form_urlencoded;

use super::auth::Caller;
use super::extract::{Environment, Name, OptionalJson, is_name};
use super::{App, blocking};
use crate::model::api::{ApproveDeployment, DeploymentList, Promote, Rollback, Synced};
use crate::model::{Deployment, DeploymentId, LiveRelease, Problem};

type Reply<T = Deployment> = Result<axum::Json<T>, Problem>;

/// Deployments in one answer.
const PAGE: usize = 100;

pub(super) async fn list(State(app): State<App>, uri: Uri) -> Reply<DeploymentList> {
    let (before, limit) = page(uri.query().unwrap_or_default())?;
    let list = blocking(&app, move |conductor| {
        conductor.deployments_page(before.as_ref(), limit)
    });
    Ok(axum::Json(list.await?))
}

/// Reads `before` and `limit`.
fn page(query: &str) -> Result<(Option<DeploymentId>, usize), Problem> {
    let (mut before, mut limit) = (None, PAGE);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "before" if is_name(&value) => before = Some(DeploymentId(value.into_owned())),
            "before" => {
                return Err(
                    Problem::bad_request(format!("before={value:?} is not a deployment"))
                        .hint("pass the id of the last deployment of the page before"),
                );
            }
            "limit" => {
                let wanted = value.parse().ok();
                limit = wanted
                    .filter(|limit| (1..=PAGE).contains(limit))
                    .ok_or_else(|| {
                        Problem::bad_request(format!(
                            "limit={value:?} is not a number from 1 to {PAGE}"
                        ))
                    })?;
            }
            _ => {}
        }
    }
    Ok((before, limit))
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
