//! `/api/tokens`, `/api/me`, `/api/audit`: who is let in, who is asking, and who did what.

use axum::extract::State;
use axum::http::Uri;
use url::form_urlencoded;

use super::auth::Caller;
use super::extract::{Json, Name, OptionalJson};
use super::{App, audit, blocking};
use crate::model::token::{
    AuditPage, CreateToken, CreatedToken, KeyInfo, Me, Rotate, Rotated, TokenInfo,
};
use crate::model::{Problem, TokenId};

/// Entries of an answer unless it is said.
const USUAL: usize = 100;

/// Entries of an answer at most.
const MOST: usize = 1000;

type Reply<T> = Result<axum::Json<T>, Problem>;

pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(create): Json<CreateToken>,
) -> Reply<CreatedToken> {
    let tokens = app.auth.tokens();
    Ok(axum::Json(tokens.create(create, &caller.identity).await?))
}

pub(super) async fn list(State(app): State<App>) -> axum::Json<Vec<TokenInfo>> {
    axum::Json(app.auth.tokens().list())
}

pub(super) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Name(id): Name<TokenId>,
) -> Reply<TokenInfo> {
    let tokens = app.auth.tokens();
    Ok(axum::Json(tokens.revoke(&id.0, &caller.identity).await?))
}

pub(super) async fn rotate(
    State(app): State<App>,
    caller: Caller,
    OptionalJson(rotate): OptionalJson<Rotate>,
) -> Reply<Rotated> {
    let tokens = app.auth.tokens();
    Ok(axum::Json(tokens.rotate(rotate, &caller.identity).await?))
}

pub(super) async fn keys(State(app): State<App>) -> axum::Json<Vec<KeyInfo>> {
    axum::Json(app.auth.tokens().keys_told())
}

pub(super) async fn me(State(app): State<App>, caller: Caller) -> axum::Json<Me> {
    let who = caller.identity;
    axum::Json(Me {
        actor: who.actor,
        role: who.role,
        project: app.auth.tokens().project().to_owned(),
        token: who.token,
        rooms: who.rooms,
        expires: who.expires,
    })
}

pub(super) async fn audit(State(app): State<App>, uri: Uri) -> Reply<AuditPage> {
    let number = |name: &str, most: u64| -> Result<Option<u64>, Problem> {
        let query = uri.query().unwrap_or_default();
        let Some((_, value)) =
            form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name)
        else {
            return Ok(None);
        };
        let number = value.parse().ok().filter(|n| (1..=most).contains(n));
        number.map(Some).ok_or_else(|| {
            Problem::bad_request(format!("{name}={value:?} is not a number from 1 to {most}"))
                .hint("leave it out for the newest entries; `next` of an answer is the `before` of the next call")
        })
    };
    let before = number("before", i64::MAX as u64)?;
    let limit = number("limit", MOST as u64)?.map_or(USUAL, |limit| limit as usize);
    let page = blocking(&app, move |conductor| {
        audit::page(conductor.log().store(), before, limit)
    })
    .await?;
    Ok(axum::Json(page))
}
