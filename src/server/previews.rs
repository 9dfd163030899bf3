//! `/api/proposals/{id}/preview`: a proposal built and served before it is approved.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use bytes::Bytes;

use super::App;
use super::extract::{Name, OptionalJson};
use crate::model::api::StartPreview;
use crate::model::{Preview, Problem, ProposalId};

type Reply = Result<axum::Json<Preview>, Problem>;

pub(super) async fn start(
    State(app): State<App>,
    Name(id): Name<ProposalId>,
    OptionalJson(start): OptionalJson<StartPreview>,
) -> Reply {
    Ok(axum::Json(app.conductor.preview(&id, start).await?))
}

pub(super) async fn show(State(app): State<App>, Name(id): Name<ProposalId>) -> Reply {
    Ok(axum::Json(app.conductor.preview_of(&id)?))
}

pub(super) async fn end(
    State(app): State<App>,
    Name(id): Name<ProposalId>,
) -> Result<StatusCode, Problem> {
    app.conductor.end_preview(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn picture(
    State(app): State<App>,
    Name(id): Name<ProposalId>,
) -> Result<impl IntoResponse, Problem> {
    let picture = app.conductor.preview_picture(&id)?;
    let headers = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "no-store")];
    Ok((headers, Bytes::copy_from_slice(&picture)))
}
