//! `/api/status` and `/healthz`.

use axum::extract::State;
use serde_json::{Value, json};

use super::App;
use crate::model::Problem;
use crate::model::api::Status;

pub(super) async fn show(State(app): State<App>) -> Result<axum::Json<Status>, Problem> {
    Ok(axum::Json(app.conductor.status().await?))
}

/// Liveness only: it must answer while the disk is slow, so it asks nobody.
pub(super) async fn alive() -> axum::Json<Value> {
    axum::Json(json!({ "status": "ok" }))
}
