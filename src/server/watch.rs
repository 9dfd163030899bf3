//! `/api/watch`: every save goes to a sandbox.

use axum::extract::State;

use super::App;
use super::auth::Caller;
use super::extract::OptionalJson;
use crate::model::Problem;
use crate::model::api::{WatchRequest, WatchStatus};

pub(super) async fn turn(
    State(app): State<App>,
    caller: Caller,
    OptionalJson(request): OptionalJson<WatchRequest>,
) -> Result<axum::Json<WatchStatus>, Problem> {
    Ok(axum::Json(
        app.conductor.watch(request, &caller.identity).await?,
    ))
}
