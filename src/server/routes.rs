//! The one table of routes: the router, the OpenAPI document and the tests are all made from it.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler as _;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, delete, get, post, put};

use super::require::{self, Need};
use super::{
    App, MAX_JSON_BYTES, audit, compare, deployments, events, forward, guard, host, instructions,
    limits, linger, matrix, metrics, notice, openapi, previews, problem, projects, proposals,
    realtime, recipes, rooms, session, status, stream, submit, sync, team, watch, webhooks,
};
use crate::model::{Problem, Role};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone whose `Host` and `Origin` are right.
    Open,
    /// Bearers of a token with at least this role, and their sessions. Where the path names a proposal, the role in its room
    /// counts. What a request comes to may need more: an approval that deploys, a spoken "roll back".
    Role(Role),
    /// Deployers, and bearers of the token for deployments.
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
    use Access::{Host, Open};
    const VIEWER: Access = Access::Role(Role::Viewer);
    const AUTHOR: Access = Access::Role(Role::Author);
    const DEPLOYER: Access = Access::Role(Role::Deployer);
    const ADMIN: Access = Access::Role(Role::Admin);
    use Gives::{Accepted, Json, Many, Redirect, Text};
    use Takes::{Instruction, Nothing, Optional};
    &[
        row(AUTHOR, "POST", "/api/voice-to-code", "Take an instruction: words or a recording",
            Instruction, Accepted("Accepted"), || post(submit::submit)),
        row(VIEWER, "GET", "/api/instructions/{id}", "An instruction",
            Nothing, Json("Instruction"), || get(instructions::show)),
        row(AUTHOR, "POST", "/api/instructions/{id}/answer", "Answer the open question of an instruction",
            Takes::Json("Answer"), Json("Instruction"), || post(instructions::answer)),
        row(AUTHOR, "POST", "/api/instructions/{id}/cancel", "Stop an instruction",
            Nothing, Json("Instruction"), || post(instructions::cancel)),
        row(VIEWER, "GET", "/api/proposals", "Proposals, newest first",
            Nothing, Many("ProposalView"), || get(proposals::list)),
        row(VIEWER, "GET", "/api/proposals/{id}", "A proposal: files, hunks and its unified diff",
            Nothing, Json("ProposalView"), || get(proposals::show)),
        row(AUTHOR, "POST", "/api/proposals/{id}/approve", "Commit what is accepted, and deploy it if asked to",
            Optional("Approval"), Json("Approved"), || post(proposals::approve)),
        row(AUTHOR, "POST", "/api/proposals/approve", "Several proposals, each as reviewed, as one commit",
            Takes::Json("BatchApproval"), Json("Synced"), || post(proposals::approve_batch)),
        row(AUTHOR, "POST", "/api/proposals/{id}/reject", "Decline a proposal",
            Optional("Reject"), Json("ProposalView"), || post(proposals::reject)),
        row(AUTHOR, "POST", "/api/proposals/{id}/reopen", "Open a declined proposal again",
            Nothing, Json("ProposalView"), || post(proposals::reopen)),
        row(AUTHOR, "POST", "/api/proposals/{id}/decide", "Accept or leave out hunks",
            Takes::Json("Decide"), Json("ProposalView"), || post(proposals::decide)),
        row(AUTHOR, "POST", "/api/proposals/{id}/edit", "Replace the proposed text of one file",
            Takes::Json("EditText"), Json("ProposalView"), || post(proposals::edit)),
        row(AUTHOR, "POST", "/api/proposals/{id}/revise", "Ask for another try in other words",
            Takes::Json("Revise"), Accepted("Accepted"), || post(proposals::revise)),
        row(VIEWER, "GET", "/api/proposals/{id}/versions", "The versions of a proposal's conversation, the first one first",
            Nothing, Many("Version"), || get(proposals::versions)),
        row(AUTHOR, "POST", "/api/proposals/{id}/restore", "Take a version back: it becomes the next version",
            Optional("Restore"), Json("ProposalView"), || post(proposals::restore)),
        row(VIEWER, "GET", "/api/proposals/{id}/history", "The steps in which a proposal was written in its room, the oldest first",
            Nothing, Many("HistoryStep"), || get(rooms::history)),
        row(VIEWER, "GET", "/api/proposals/{id}/history/{number}", "The texts of a proposal after a step of its history",
            Nothing, Json("HistoryTexts"), || get(rooms::history_at)),
        row(AUTHOR, "POST", "/api/proposals/{id}/preview", "Build and serve a proposal before it is approved",
            Optional("StartPreview"), Json("Preview"), || post(previews::start)),
        row(VIEWER, "GET", "/api/proposals/{id}/preview", "The preview of a proposal",
            Nothing, Json("Preview"), || get(previews::show)),
        row(AUTHOR, "DELETE", "/api/proposals/{id}/preview", "End the preview of a proposal",
            Nothing, Gives::Nothing, || delete(previews::end)),
        row(VIEWER, "GET", "/api/proposals/{id}/preview/picture", "A picture of the previewed page",
            Nothing, Text("image/png"), || get(previews::picture)),
        row(VIEWER, "GET", "/api/words", "What may be said on this site: phrases, and the names of what is on it",
            Nothing, Json("SiteWords"), || get(recipes::words)),
        row(VIEWER, "GET", "/api/recipes", "Recipes: named scaffolds with questions, as they are for this site",
            Nothing, Many("RecipeInfo"), || get(recipes::list)),
        row(VIEWER, "GET", "/api/recipes/{name}", "A recipe",
            Nothing, Json("RecipeInfo"), || get(recipes::show)),
        row(AUTHOR, "POST", "/api/recipes/{name}", "Follow a recipe; what comes of it is a proposal",
            Optional("RunRecipe"), Accepted("Accepted"), || post(recipes::run)),
        row(DEPLOYER, "POST", "/api/sync/instant", "Commit and deploy in one flow",
            Optional("SyncRequest"), Json("Synced"), || post(sync::instant)),
        row(DEPLOYER, "POST", "/api/sync/batch", "Several proposals as one commit and one deployment",
            Optional("SyncRequest"), Json("Synced"), || post(sync::batch)),
        row(AUTHOR, "POST", "/api/sync/commit", "Commit without deploying",
            Optional("SyncRequest"), Json("Synced"), || post(sync::commit)),
        row(DEPLOYER, "POST", "/api/sync/deploy", "Deploy the tip of the branch that the environment follows",
            Optional("SyncRequest"), Json("Synced"), || post(sync::deploy)),
        row(DEPLOYER, "POST", "/api/sync/redeploy", "Deploy the same state once more",
            Optional("SyncRequest"), Json("Synced"), || post(sync::redeploy)),
        row(AUTHOR, "POST", "/api/watch", "Every save goes to a sandbox: switch it on or off, or take what there is once",
            Optional("WatchRequest"), Json("WatchStatus"), || post(watch::turn)),
        row(VIEWER, "GET", "/api/deployments", "Deployments, newest first, and the releases kept",
            Nothing, Json("DeploymentList"), || get(deployments::list)),
        row(VIEWER, "GET", "/api/deployments/compare", "What differs between two releases: `?a=` and `?b=`",
            Nothing, Json("Comparison"), || get(compare::show)),
        row(VIEWER, "GET", "/api/deployments/{id}", "A deployment",
            Nothing, Json("Deployment"), || get(deployments::show)),
        row(DEPLOYER, "POST", "/api/deployments/{id}/cancel", "Stop a deployment before traffic moves",
            Nothing, Json("Deployment"), || post(deployments::cancel)),
        row(DEPLOYER, "POST", "/api/deployments/{id}/approve", "Say yes to a deployment that waits for it",
            Optional("ApproveDeployment"), Json("Deployment"), || post(deployments::approve)),
        row(DEPLOYER, "POST", "/api/environments/{name}/rollback", "Go back to an earlier release",
            Optional("Rollback"), Json("LiveRelease"), || post(deployments::rollback)),
        row(DEPLOYER, "POST", "/api/environments/{name}/promote", "Make a release live that was built before",
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
        row(VIEWER, "GET", "/api/realtime-sync", "The event stream (server-sent events)",
            Nothing, Text("text/event-stream"), || get(stream::stream)),
        row(Open, "GET", "/realtime/{room}", "A room as a WebSocket: the Yjs sync and awareness protocols; refusals are close codes",
            Nothing, Gives::Socket, || get(realtime::join)),
        row(VIEWER, "POST", "/api/rooms/{room}/sync", "A room without a WebSocket: what each side lacks, and who is here",
            Takes::Json("RoomSync"), Json("RoomSynced"),
            || post(rooms::sync).layer(DefaultBodyLimit::max(rooms::MAX_SYNC))),
        row(VIEWER, "GET", "/api/events", "A page of the event log; waits for news if asked to",
            Nothing, Json("EventPage"), || get(events::page)),
        row(VIEWER, "GET", "/api/status", "Everything for a first screen",
            Nothing, Json("Status"), || get(status::show)),
        row(VIEWER, "GET", "/api/openapi.json", "This document",
            Nothing, Text("application/json"), || get(openapi::show)),
        row(VIEWER, "GET", "/metrics", "Figures for Prometheus",
            Nothing, Text("text/plain"), || get(metrics::show)),
        row(VIEWER, "GET", "/api/me", "Who the caller is, and what it may do",
            Nothing, Json("Me"), || get(team::me)),
        row(VIEWER, "GET", "/api/projects", "The projects of this server that the caller may see",
            Nothing, Many("ProjectInfo"), || get(projects::list)),
        row(ADMIN, "GET", "/api/tokens", "The tokens that were made, newest first; not the tokens themselves",
            Nothing, Many("TokenInfo"), || get(team::list)),
        row(ADMIN, "POST", "/api/tokens", "Make a token; only this answer has it",
            Takes::Json("CreateToken"), Json("CreatedToken"), || post(team::create)),
        row(ADMIN, "DELETE", "/api/tokens/{id}", "Revoke a token: what it opened ends at once",
            Nothing, Json("TokenInfo"), || delete(team::revoke)),
        row(ADMIN, "GET", "/api/tokens/keys", "The keys that tokens are signed with, without what is secret",
            Nothing, Many("KeyInfo"), || get(team::keys)),
        row(ADMIN, "POST", "/api/tokens/rotate", "A new key signs; older tokens stay valid unless they are revoked with it",
            Optional("Rotate"), Json("Rotated"), || post(team::rotate)),
        row(ADMIN, "GET", "/api/audit", "Who did what: requests that changed something or tried to, newest first",
            Nothing, Json("AuditPage"), || get(team::audit)),
        row(Open, "POST", "/api/session", "Exchange the token for a session cookie",
            Takes::Json("SignIn"), Gives::Nothing, || post(session::begin)),
        row(Open, "DELETE", "/api/session", "End the session and drop its cookie",
            Nothing, Gives::Nothing, || delete(session::end)),
        row(Open, "GET", "/healthz", "Liveness",
            Nothing, Json("Alive"), || get(status::alive)),
        row(Open, "GET", "/matrix", "The status page",
            Nothing, Text("text/html"), || get(matrix::page)),
        row(Open, "GET", "/sayso.js", "The notice that a site embeds: a script",
            Nothing, Text("text/javascript"), || get(notice::script)),
        row(Open, "GET", "/notice", "How deployments stand, for visitors of a site (server-sent events)",
            Nothing, Text("text/event-stream"), || get(notice::visit)),
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
    let require = |need: Need| from_fn_with_state((app.clone(), need), require::require);
    // Unknown addresses need a token too: nobody learns by guessing what is here.
    let any = Need {
        role: Role::Viewer,
        host: false,
        proposal: false,
        what: ("this", "address"),
    };
    let mut paths: BTreeMap<&str, (Access, MethodRouter<App>)> = BTreeMap::new();
    for route in ROUTES {
        let info = route.info;
        let need = |role, host| Need {
            role,
            host,
            proposal: info.path.starts_with("/api/proposals/{id}"),
            what: (info.method, info.path),
        };
        let handler = (route.handler)();
        let handler = match info.access {
            Access::Open => handler,
            Access::Role(role) => handler.route_layer(require(need(role, false))),
            Access::Host => handler.route_layer(require(need(Role::Deployer, true))),
        };
        let (_, methods) = paths
            .entry(info.path)
            .or_insert_with(|| (info.access, MethodRouter::new()));
        *methods = std::mem::take(methods).merge(handler);
    }
    let mut router = Router::new();
    for (path, (access, methods)) in paths {
        let methods = match access {
            Access::Open => methods.fallback(no_such_method),
            Access::Role(_) | Access::Host => methods.fallback(no_such_method.layer(require(any))),
        };
        router = router.route(path, methods);
    }
    let unknown = MethodRouter::new()
        .fallback(no_such_address)
        .layer(require(any));
    router
        .fallback_service(unknown.with_state(app.clone()))
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
        .layer(from_fn_with_state(app.clone(), audit::record))
        .layer(from_fn_with_state(app.clone(), forward::forward))
        .layer(from_fn_with_state(app.clone(), limits::check))
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
    fn a_path_is_open_or_not_and_has_a_method_once() {
        let mut seen = BTreeMap::new();
        for route in routes() {
            // Which methods there are is told to nobody who may call none of them.
            let open = route.access == Access::Open;
            assert_eq!(
                *seen.entry(route.path).or_insert(open),
                open,
                "{}",
                route.path
            );
            let same = routes().filter(|r| (r.method, r.path) == (route.method, route.path));
            assert_eq!(same.count(), 1, "{} {}", route.method, route.path);
        }
    }
}
