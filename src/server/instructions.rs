//! `/api/instructions`.

use axum::extract::State;

use super::auth::{Actor, Caller};
use super::extract::{Json, Name};
use super::{App, blocking};
use crate::model::api::Answer;
use crate::model::{Instruction, InstructionId, Problem};

type Reply = Result<axum::Json<Instruction>, Problem>;

pub(super) async fn show(State(app): State<App>, Name(id): Name<InstructionId>) -> Reply {
    let instruction = blocking(&app, move |conductor| conductor.instruction(&id)).await?;
    Ok(axum::Json(instruction))
}

pub(super) async fn answer(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name<InstructionId>,
    Json(answer): Json<Answer>,
) -> Reply {
    let instruction = app
        .conductor
        .answer_wire(&id, answer, &caller.identity)
        .await?;
    Ok(axum::Json(instruction))
}

pub(super) async fn cancel(
    State(app): State<App>,
    actor: Actor,
    Name(id): Name<InstructionId>,
) -> Reply {
    let instruction = app.conductor.cancel_instruction(&id, &actor.0).await?;
    Ok(axum::Json(instruction))
}
