//! `/api/sync`: the four ways to make the site current, and a plain deployment.

use axum::extract::State;

use super::App;
use super::auth::Caller;
use super::extract::OptionalJson;
use crate::model::Problem;
use crate::model::api::{SyncRequest, Synced};

type Reply = Result<axum::Json<Synced>, Problem>;

pub(super) async fn instant(
    State(app): State<App>,
    caller: Caller,
    OptionalJson(request): OptionalJson<SyncRequest>,
) -> Reply {
    let synced = app
        .conductor
        .instant_sync(request, &caller.identity)
        .await?;
    Ok(axum::Json(synced))
}

pub(super) async fn batch(
    State(app): State<App>,
    caller: Caller,
    OptionalJson(request): OptionalJson<SyncRequest>,
) -> Reply {
    let synced = app.conductor.batch_sync(request, &caller.identity).await?;
    Ok(axum::Json(synced))
}

pub(super) async fn commit(
    State(app): State<App>,
    caller: Caller,
    OptionalJson(request): OptionalJson<SyncRequest>,
) -> Reply {
    let synced = app
        .conductor
        .quick_commit(request, &caller.identity)
        .await?;
    Ok(axum::Json(synced))
}

pub(super) async fn deploy(
    State(app): State<App>,
    caller: Caller,
    OptionalJson(request): OptionalJson<SyncRequest>,
) -> Reply {
    let synced = app
        .conductor
        .deploy(request, false, &caller.identity)
        .await?;
    Ok(axum::Json(synced))
}

pub(super) async fn redeploy(
    State(app): State<App>,
    caller: Caller,
    OptionalJson(request): OptionalJson<SyncRequest>,
) -> Reply {
    let synced = app
        .conductor
        .force_redeploy(request, &caller.identity)
        .await?;
    Ok(axum::Json(synced))
}
