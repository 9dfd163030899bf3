//! The one table of routes: the router, the OpenAPI document and the tests are all made from it.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, delete, get, post, put};

use super::{
    App, MAX_JSON_BYTES, auth, compare, deployments, events, guard, host, instructions, linger,
    matrix, metrics, openapi, previews, problem, proposals, realtime, recipes, rooms, session, status,
    stream, submit, sync, watch, webhooks,
};
use crate::model::Problem;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone whose `Host` and `Origin` are right.
    Open,
    /// Bearers of the token, and sessions.
    Token,
    /// The same, and bearers of the token for deployments.
    Host,
}

/// Method, path and access of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// The path, with `{id}` and `{name}` for its variable part.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
}

/// What a route takes.
#[derive(Clone, Copy)]
pub(super) enum Takes {
    /// No body.
    Nothing,
    /// A JSON body of the named schema.
    Json(&'static str),
    /// The same; it may be left out.
    Optional(&'static str),
    /// An instruction: JSON or multipart.
    Instruction,
    /// Bytes as they are, or packed with gzip.
    Bytes,
}

/// What a route answers when all is well.
#[derive(Clone, Copy)]
pub(super) enum Gives {
    /// 200 with JSON of the named schema.
    Json(&'static str),
    /// 200 with an array of the named schema.
    Many(&'static str),
    /// 202 with JSON of the named schema.
    Accepted(&'static str),
    /// 204.
    Nothing,
    /// 303 to the status page.
    Redirect,
    /// 200 with a body of this media type.
    Text(&'static str),
    /// 101: a WebSocket.
    Socket,
}

/// A row of the table.
pub(super) struct Route {
    pub(super) info: RouteInfo,
    pub(super) summary: &'static str,
    pub(super) takes: Takes,
    pub(super) gives: Gives,
    handler: fn() -> MethodRouter<App>,
}

const fn row(
    access: Access,
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    takes: Takes,
    gives: Gives,
    handler: fn() -> MethodRouter<App>,
) -> Route {
    Route {
        info: RouteInfo {
            method,
            path,
            access,
        },
        summary,
        takes,
        gives,
        handler,
    }
}

#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = {
    use Access::{Host, Open, Token};
    use Gives::{Accepted, Json, Many, Redirect, Text};
    use Takes::{Instruction, Nothing, Optional};
    &[
        row(Token, "POST", "/api/voice-to-code", "Take an instruction: words or a recording",
            Instruction, Accepted("Accepted"), || post(submit::submit)),
        row(Token, "GET", "/api/instructions/{id}", "An instruction",
            Nothing, Json("Instruction"), || get(instructions::show)),
        row(Token, "POST", "/api/instructions/{id}/answer", "Answer the open question of an instruction",
            Takes::Json("Answer"), Json("Instruction"), || post(instructions::answer)),
        row(Token, "POST", "/api/instructions/{id}/cancel", "Stop an instruction",
            Nothing, Json("Instruction"), || post(instructions::cancel)),
        row(Token, "GET", "/api/proposals", "Proposals, newest first",
            Nothing, Many("ProposalView"), || get(proposals::list)),
        row(Token, "GET", "/api/proposals/{id}", "A proposal: files, hunks and its unified diff",
            Nothing, Json("ProposalView"), || get(proposals::show)),
        row(Token, "POST", "/api/proposals/{id}/approve", "Commit what is accepted, and deploy it if asked to",
            Optional("Approval"), Json("Approved"), || post(proposals::approve)),
        row(Token, "POST", "/api/proposals/approve", "Several proposals, each as reviewed, as one commit",
            Takes::Json("BatchApproval"), Json("Synced"), || post(proposals::approve_batch)),
        row(Token, "POST", "/api/proposals/{id}/reject", "Decline a proposal",
            Optional("Reject"), Json("ProposalView"), || post(proposals::reject)),
        row(Token, "POST", "/api/proposals/{id}/reopen", "Open a declined proposal again",
            Nothing, Json("ProposalView"), || post(proposals::reopen)),
        row(Token, "POST", "/api/proposals/{id}/decide", "Accept or leave out hunks",
            Takes::Json("Decide"), Json("ProposalView"), || post(proposals::decide)),
        row(Token, "POST", "/api/proposals/{id}/edit", "Replace the proposed text of one file",
            Takes::Json("EditText"), Json("ProposalView"), || post(proposals::edit)),
        row(Token, "POST", "/api/proposals/{id}/revise", "Ask for another try in other words",
            Takes::Json("Revise"), Accepted("Accepted"), || post(proposals::revise)),
        row(Token, "GET", "/api/proposals/{id}/versions", "The versions of a proposal's conversation, the first one first",
            Nothing, Many("Version"), || get(proposals::versions)),
        row(Token, "POST", "/api/proposals/{id}/restore", "Take a version back: it becomes the next version",
            Optional("Restore"), Json("ProposalView"), || post(proposals::restore)),
        row(Token, "GET", "/api/proposals/{id}/history", "The steps in which a proposal was written in its room, the oldest first",
            Nothing, Many("HistoryStep"), || get(rooms::history)),
        row(Token, "GET", "/api/proposals/{id}/history/{number}", "The texts of a proposal after a step of its history",
            Nothing, Json("HistoryTexts"), || get(rooms::history_at)),
        row(Token, "POST", "/api/proposals/{id}/preview", "Build and serve a proposal before it is approved",
            Optional("StartPreview"), Json("Preview"), || post(previews::start)),
        row(Token, "GET", "/api/proposals/{id}/preview", "The preview of a proposal",
            Nothing, Json("Preview"), || get(previews::show)),
        row(Token, "DELETE", "/api/proposals/{id}/preview", "End the preview of a proposal",
            Nothing, Gives::Nothing, || delete(previews::end)),
        row(Token, "GET", "/api/proposals/{id}/preview/picture", "A picture of the previewed page",
            Nothing, Text("image/png"), || get(previews::picture)),
        row(Token, "GET", "/api/recipes", "Recipes: named scaffolds with questions, as they are for this site",
            Nothing, Many("RecipeInfo"), || get(recipes::list)),
        row(Token, "GET", "/api/recipes/{name}", "A recipe",
            Nothing, Json("RecipeInfo"), || get(recipes::show)),
        row(Token, "POST", "/api/recipes/{name}", "Follow a recipe; what comes of it is a proposal",
            Optional("RunRecipe"), Accepted("Accepted"), || post(recipes::run)),
        row(Token, "POST", "/api/sync/instant", "Commit and deploy in one flow",
            Optional("SyncRequest"), Json("Synced"), || post(sync::instant)),
        row(Token, "POST", "/api/sync/batch", "Several proposals as one commit and one deployment",
            Optional("SyncRequest"), Json("Synced"), || post(sync::batch)),
        row(Token, "POST", "/api/sync/commit", "Commit without deploying",
            Optional("SyncRequest"), Json("Synced"), || post(sync::commit)),
        row(Token, "POST", "/api/sync/deploy", "Deploy the tip of the branch that the environment follows",
            Optional("SyncRequest"), Json("Synced"), || post(sync::deploy)),
        row(Token, "POST", "/api/sync/redeploy", "Deploy the same state once more",
            Optional("SyncRequest"), Json("Synced"), || post(sync::redeploy)),
        row(Token, "POST", "/api/watch", "Every save goes to a sandbox: switch it on or off, or take what there is once",
            Optional("WatchRequest"), Json("WatchStatus"), || post(watch::turn)),
        row(Token, "GET", "/api/deployments", "Deployments, newest first, and the releases kept",
            Nothing, Json("DeploymentList"), || get(deployments::list)),
        row(Token, "GET", "/api/deployments/compare", "What differs between two releases: `?a=` and `?b=`",
            Nothing, Json("Comparison"), || get(compare::show)),
        row(Token, "GET", "/api/deployments/{id}", "A deployment",
            Nothing, Json("Deployment"), || get(deployments::show)),
        row(Token, "POST", "/api/deployments/{id}/cancel", "Stop a deployment before traffic moves",
            Nothing, Json("Deployment"), || post(deployments::cancel)),
        row(Token, "POST", "/api/deployments/{id}/approve", "Say yes to a deployment that waits for it",
            Optional("ApproveDeployment"), Json("Deployment"), || post(deployments::approve)),
        row(Token, "POST", "/api/environments/{name}/rollback", "Go back to an earlier release",
            Optional("Rollback"), Json("LiveRelease"), || post(deployments::rollback)),
        row(Token, "POST", "/api/environments/{name}/promote", "Make a release live that was built before",
            Optional("Promote"), Json("Synced"), || post(deployments::promote)),
        row(Host, "GET", "/api/host/{name}", "For another Sayso that deploys here: how an environment stands",
            Nothing, Json("HostState"), || get(host::state)),
        row(Host, "GET", "/api/host/{name}/health", "How what is live is, asked now",
            Nothing, Json("HealthAnswer"), || get(host::health)),
        row(Host, "POST", "/api/host/{name}/missing", "Which of these files' contents are not here",
            Takes::Json("HostManifest"), Json("HostMissing"),
            || post(host::missing).layer(DefaultBodyLimit::max(host::MAX_MANIFEST))),
        row(Host, "POST", "/api/host/{name}/release", "Make what was sent a release, check it, and make it live",
            Takes::Json("HostRelease"), Accepted("HostAccepted"),
            || post(host::release).layer(DefaultBodyLimit::max(host::MAX_MANIFEST))),
        row(Host, "POST", "/api/host/{name}/promote", "Move on what another environment serves here",
            Takes::Json("HostPromote"), Accepted("HostAccepted"), || post(host::promote)),
        row(Host, "POST", "/api/host/{name}/rollback", "Go back to an earlier release",
            Optional("Rollback"), Json("LiveRelease"), || post(host::rollback)),
        row(Host, "POST", "/api/host/{name}/retreat", "A release is unwell: go back once, if something good is known",
            Takes::Json("HostUnwell"), Json("HostRetreat"), || post(host::retreat)),
        row(Host, "GET", "/api/host/{name}/deployments/{id}", "A deployment that came from there",
            Nothing, Json("Deployment"), || get(host::deployment)),
        row(Host, "POST", "/api/host/{name}/deployments/{id}/cancel", "Stop it before traffic moves",
            Nothing, Json("Deployment"), || post(host::cancel)),
        row(Host, "GET", "/api/host/blobs/{sha256}", "How much of a content is here",
            Nothing, Json("HostContent"), || get(host::have)),
        row(Host, "PUT", "/api/host/blobs/{sha256}", "A piece of a content: `upload-offset` of `upload-length` bytes",
            Takes::Bytes, Json("HostContent"),
            || put(host::piece).layer(DefaultBodyLimit::max(host::MAX_PIECE))),
        row(Open, "POST", "/api/webhooks/github", "GitHub's webhook; its signature stands in for the token",
            Nothing, Json("Received"), || post(webhooks::github)),
        row(Open, "POST", "/api/webhooks/vercel", "Vercel's webhook; its signature stands in for the token",
            Nothing, Json("Received"), || post(webhooks::vercel)),
        row(Open, "POST", "/api/webhooks/generic", "A webhook of Sayso's own kind; its signature stands in for the token",
            Nothing, Json("Received"), || post(webhooks::generic)),
        row(Token, "GET", "/api/realtime-sync", "The event stream (server-sent events)",
            Nothing, Text("text/event-stream"), || get(stream::stream)),
        row(Open, "GET", "/realtime/{name}", "A room as a WebSocket: the Yjs sync and awareness protocols; refusals are close codes",
            Nothing, Gives::Socket, || get(realtime::join)),
        row(Token, "POST", "/api/rooms/{name}/sync", "A room without a WebSocket: what each side lacks, and who is here",
            Takes::Json("RoomSync"), Json("RoomSynced"),
            || post(rooms::sync).layer(DefaultBodyLimit::max(rooms::MAX_SYNC))),
        row(Token, "GET", "/api/events", "A page of the event log; waits for news if asked to",
            Nothing, Json("EventPage"), || get(events::page)),
        row(Token, "GET", "/api/status", "Everything for a first screen",
            Nothing, Json("Status"), || get(status::show)),
        row(Token, "GET", "/api/openapi.json", "This document",
            Nothing, Text("application/json"), || get(openapi::show)),
        row(Token, "GET", "/metrics", "Figures for Prometheus",
            Nothing, Text("text/plain"), || get(metrics::show)),
        row(Open, "POST", "/api/session", "Exchange the token for a session cookie",
            Takes::Json("SignIn"), Gives::Nothing, || post(session::begin)),
        row(Open, "DELETE", "/api/session", "End the session and drop its cookie",
            Nothing, Gives::Nothing, || delete(session::end)),
        row(Open, "GET", "/healthz", "Liveness",
            Nothing, Json("Alive"), || get(status::alive)),
        row(Open, "GET", "/matrix", "The status page",
            Nothing, Text("text/html"), || get(matrix::page)),
        row(Open, "GET", "/", "To the status page",
            Nothing, Redirect, || get(matrix::home)),
    ]
};

/// Every route that is served.
pub fn routes() -> impl Iterator<Item = RouteInfo> {
    ROUTES.iter().map(|route| route.info)
}

/// The router over the table, with all layers.
pub(super) fn router(app: &App) -> Router {
    let require = || from_fn_with_state(app.clone(), auth::require);
    let mut paths: BTreeMap<&str, (Access, MethodRouter<App>)> = BTreeMap::new();
    for route in ROUTES {
        let (_, methods) = paths
            .entry(route.info.path)
            .or_insert_with(|| (route.info.access, MethodRouter::new()));
        *methods = std::mem::take(methods).merge((route.handler)());
    }
    let mut router = Router::new();
    for (path, (access, methods)) in paths {
        let methods = methods.fallback(no_such_method);
        let methods = match access {
            Access::Open => methods,
            Access::Token => methods.layer(require()),
            Access::Host => methods.layer(from_fn_with_state(app.clone(), auth::require_host)),
        };
        router = router.route(path, methods);
    }
    // Unknown addresses need the token too: nobody learns by guessing what is here.
    let unknown = MethodRouter::new()
        .fallback(no_such_address)
        .layer(require());
    router
        .fallback_service(unknown.with_state(app.clone()))
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
        .layer(from_fn_with_state(app.clone(), guard::check))
        .layer(from_fn(linger::linger))
        .layer(from_fn_with_state(app.clone(), problem::finish))
        .with_state(app.clone())
}

async fn no_such_address() -> Problem {
    Problem::not_found("there is nothing at this address")
}

async fn no_such_method() -> Problem {
    Problem::new(
        405,
        "method-not-allowed",
        "this address does not take this method",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_access_and_a_method_once() {
        let mut seen = BTreeMap::new();
        for route in routes() {
            let access = *seen.entry(route.path).or_insert(route.access);
            assert_eq!(access, route.access, "{}", route.path);
            let same = routes().filter(|r| (r.method, r.path) == (route.method, route.path));
            assert_eq!(same.count(), 1, "{} {}", route.method, route.path);
        }
    }
}
