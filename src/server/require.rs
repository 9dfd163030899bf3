//! What a route asks of its callers: a role, and not too often. Whatever else decides is asked on the floors below.

use std::time::Instant;

use axum::RequestExt as _;
use axum::extract::{RawPathParams, Request, State};
use axum::http::HeaderValue;
use axum::http::header::WWW_AUTHENTICATE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::auth::{Actor, Caller};
use super::{App, audit, limits};
use crate::model::{Problem, Role, proposal_room};

/// What a route asks of its callers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    /// The least role.
    pub(super) role: Role,
    /// The token for deployments will do as well.
    pub(super) host: bool,
    /// The `{id}` in the path is a proposal's: the role in its room counts.
    pub(super) proposal: bool,
    /// What a refusal calls the route: method and path.
    pub(super) what: (&'static str, &'static str),
}

/// Lets only those through who are known and may do this, and tells the handlers who they are.
pub(super) async fn require(
    State((app, need)): State<(App, Need)>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = match let_in(&app, need, &mut request).await {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    let extensions = request.extensions_mut();
    extensions.insert(Actor(caller.identity.actor.clone()));
    extensions.insert(caller);
    next.run(request).await
}

async fn let_in(app: &App, need: Need, request: &mut Request) -> Result<Caller, Response> {
    let who = request.extensions().get::<audit::Who>().cloned();
    if let Some(who) = who.as_ref().filter(|_| need.what.1.starts_with('/')) {
        who.came_by(need.what.1);
    }
    let address = limits::address_of(request.extensions());
    let headers = request.headers();
    // After too many wrong guesses from there nothing is computed any more for what is not known to be good.
    if let Some(wait) = app.limits.blocked(address)
        && !app.auth.cheap(headers)
    {
        return Err(limits::too_many("wrong tokens from this address", wait));
    }
    let host = need.host.then(|| app.auth.host(headers)).flatten();
    let identified = match host {
        Some(host) => Ok(host),
        None => app.auth.identify(request.method(), headers, Instant::now()),
    };
    let caller = identified.map_err(|problem| {
        let guessed = app.auth.shows_any(headers);
        if problem.status == 401 && guessed {
            app.limits.failed(address);
        }
        challenged(problem)
    })?;
    if let Some(who) = who {
        who.is(&caller.identity);
    }
    if let Some(wait) = app.limits.token(&caller.identity) {
        return Err(limits::too_many("requests with this token", wait));
    }
    let identity = &caller.identity;
    let room = match need.proposal {
        true => named(request).await.map(|id| proposal_room(&id)),
        false => None,
    };
    let what = || format!("{} {}", need.what.0, need.what.1);
    let allowed = match room {
        Some(room) => identity.may_in(&room, need.role, &what()),
        None => identity.may(need.role, &what()),
    };
    match allowed {
        Ok(()) => Ok(caller),
        Err(problem) => Err(problem.into_response()),
    }
}

/// The `{id}` in the path.
async fn named(request: &mut Request) -> Option<String> {
    let params: RawPathParams = request.extract_parts().await.ok()?;
    let id = params.iter().find(|(name, _)| *name == "id")?.1;
    Some(id.to_owned())
}

/// A refusal; a 401 with what is asked for.
pub(super) fn challenged(problem: Problem) -> Response {
    let challenge = problem.status == 401;
    let mut response = problem.into_response();
    if challenge {
        response.headers_mut().insert(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"sayso\""),
        );
    }
    response
}
