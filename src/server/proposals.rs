//! `/api/proposals`.

use axum::extract::State;
use axum::http::StatusCode;

use super::auth::{Actor, Caller};
use super::extract::{Json, Name, OptionalJson};
use super::{App, blocking};
use crate::model::api::{
    Accepted, Approval, Approved, BatchApproval, Decide, EditText, ProposalView, Reject, Restore,
    Revise, Synced, VersionView,
};
use crate::model::{Problem, ProposalId};

type Reply<T = ProposalView> = Result<axum::Json<T>, Problem>;

pub(super) async fn list(State(app): State<App>) -> Reply<Vec<ProposalView>> {
    let proposals = blocking(&app, |conductor| conductor.proposals()).await?;
    Ok(axum::Json(proposals))
}

pub(super) async fn show(State(app): State<App>, Name(id): Name<ProposalId>) -> Reply {
    let proposal = blocking(&app, move |conductor| conductor.proposal(&id)).await?;
    Ok(axum::Json(proposal))
}

pub(super) async fn versions(
    State(app): State<App>,
    Name(id): Name<ProposalId>,
) -> Reply<Vec<VersionView>> {
    let versions = blocking(&app, move |conductor| conductor.versions(&id)).await?;
    Ok(axum::Json(versions))
}

pub(super) async fn restore(
    State(app): State<App>,
    actor: Actor,
    Name(id): Name<ProposalId>,
    OptionalJson(restore): OptionalJson<Restore>,
) -> Reply {
    let proposal = app.conductor.restore(&id, restore, &actor.0).await?;
    Ok(axum::Json(proposal))
}

pub(super) async fn approve(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name<ProposalId>,
    OptionalJson(approval): OptionalJson<Approval>,
) -> Reply<Approved> {
    let approved = app
        .conductor
        .approve(&id, approval, &caller.identity)
        .await?;
    Ok(axum::Json(approved))
}

pub(super) async fn approve_batch(
    State(app): State<App>,
    caller: Caller,
    Json(approval): Json<BatchApproval>,
) -> Reply<Synced> {
    let synced = app
        .conductor
        .approve_batch(approval, &caller.identity)
        .await?;
    Ok(axum::Json(synced))
}

pub(super) async fn reject(
    State(app): State<App>,
    actor: Actor,
    Name(id): Name<ProposalId>,
    OptionalJson(reject): OptionalJson<Reject>,
) -> Reply {
    let proposal = app.conductor.reject(&id, reject, &actor.0).await?;
    Ok(axum::Json(proposal))
}

pub(super) async fn reopen(
    State(app): State<App>,
    actor: Actor,
    Name(id): Name<ProposalId>,
) -> Reply {
    let proposal = app.conductor.reopen(&id, &actor.0).await?;
    Ok(axum::Json(proposal))
}

pub(super) async fn decide(
    State(app): State<App>,
    actor: Actor,
    Name(id): Name<ProposalId>,
    Json(decide): Json<Decide>,
) -> Reply {
    let proposal = app.conductor.decide(&id, decide, &actor.0).await?;
    Ok(axum::Json(proposal))
}

pub(super) async fn edit(
    State(app): State<App>,
    actor: Actor,
    Name(id): Name<ProposalId>,
    Json(edit): Json<EditText>,
) -> Reply {
    let proposal = app.conductor.edit(&id, edit, &actor.0).await?;
    Ok(axum::Json(proposal))
}

pub(super) async fn revise(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name<ProposalId>,
    Json(revise): Json<Revise>,
) -> Result<(StatusCode, axum::Json<Accepted>), Problem> {
    let instruction = app.conductor.revise(&id, revise, &caller.identity).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Accepted { instruction })))
}
