//! `/api/recipes`: named scaffolds with questions. `/api/words`: what may be said on this site.

use axum::extract::State;
use axum::http::StatusCode;

use super::App;
use super::auth::Caller;
use super::extract::{Name, OptionalJson, Recipe};
use crate::model::Problem;
use crate::model::api::{Accepted, RecipeInfo, RunRecipe, SiteWords};

pub(super) async fn words(State(app): State<App>) -> Result<axum::Json<SiteWords>, Problem> {
    Ok(axum::Json(app.conductor.words().await?))
}

pub(super) async fn list(State(app): State<App>) -> Result<axum::Json<Vec<RecipeInfo>>, Problem> {
    Ok(axum::Json(app.conductor.recipes().await?))
}

pub(super) async fn show(
    State(app): State<App>,
    Name(name): Name<Recipe>,
) -> Result<axum::Json<RecipeInfo>, Problem> {
    Ok(axum::Json(app.conductor.recipe(&name.0).await?))
}

pub(super) async fn run(
    State(app): State<App>,
    caller: Caller,
    Name(name): Name<Recipe>,
    OptionalJson(run): OptionalJson<RunRecipe>,
) -> Result<(StatusCode, axum::Json<Accepted>), Problem> {
    let instruction = app
        .conductor
        .run_recipe(&name.0, run, None, &caller.identity)
        .await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Accepted { instruction })))
}
