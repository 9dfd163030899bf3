//! Every route, every role, every room: allowed or denied. A route that is not decided here fails.

use std::collections::BTreeMap;

use reqwest::{Method, RequestBuilder};
use sayso::model::Role;
use sayso::server::{Access, RouteInfo, routes};
use serde_json::{Value, json};

use crate::support::{Server, TOKEN, http};
use crate::team::{of_role, problem, token};

/// The token that lets in deployments from another Sayso.
const HOST: &str = "the-host-token-of-the-tests";

/// Who may call what. `open`: anybody; `host`: deployers, and the token for deployments.
const DECIDED: &str = "
viewer   GET    /api/instructions/{id}
viewer   GET    /api/proposals
viewer   GET    /api/proposals/{id}
viewer   GET    /api/proposals/{id}/versions
viewer   GET    /api/proposals/{id}/history
viewer   GET    /api/proposals/{id}/history/{number}
viewer   GET    /api/proposals/{id}/preview
viewer   GET    /api/proposals/{id}/preview/picture
viewer   GET    /api/recipes
viewer   GET    /api/recipes/{name}
viewer   GET    /api/words
viewer   GET    /api/deployments
viewer   GET    /api/deployments/compare
viewer   GET    /api/deployments/{id}
viewer   GET    /api/realtime-sync
viewer   GET    /api/events
viewer   GET    /api/status
viewer   GET    /api/openapi.json
viewer   GET    /api/me
viewer   GET    /api/projects
viewer   GET    /metrics
viewer   POST   /api/rooms/{room}/sync
author   POST   /api/voice-to-code
author   POST   /api/instructions/{id}/answer
author   POST   /api/instructions/{id}/cancel
author   POST   /api/proposals/{id}/approve
author   POST   /api/proposals/approve
author   POST   /api/proposals/{id}/reject
author   POST   /api/proposals/{id}/reopen
author   POST   /api/proposals/{id}/decide
author   POST   /api/proposals/{id}/edit
author   POST   /api/proposals/{id}/revise
author   POST   /api/proposals/{id}/restore
author   POST   /api/proposals/{id}/preview
author   DELETE /api/proposals/{id}/preview
author   POST   /api/recipes/{name}
author   POST   /api/sync/commit
author   POST   /api/watch
deployer POST   /api/sync/instant
deployer POST   /api/sync/batch
deployer POST   /api/sync/deploy
deployer POST   /api/sync/redeploy
deployer POST   /api/deployments/{id}/cancel
deployer POST   /api/deployments/{id}/approve
deployer POST   /api/environments/{name}/rollback
deployer POST   /api/environments/{name}/promote
admin    GET    /api/tokens
admin    POST   /api/tokens
admin    DELETE /api/tokens/{id}
admin    GET    /api/tokens/keys
admin    POST   /api/tokens/rotate
admin    GET    /api/audit
host     GET    /api/host/{name}
host     GET    /api/host/{name}/health
host     POST   /api/host/{name}/missing
host     POST   /api/host/{name}/release
host     POST   /api/host/{name}/promote
host     POST   /api/host/{name}/rollback
host     POST   /api/host/{name}/retreat
host     GET    /api/host/{name}/deployments/{id}
host     POST   /api/host/{name}/deployments/{id}/cancel
host     GET    /api/host/blobs/{sha256}
host     PUT    /api/host/blobs/{sha256}
open     POST   /api/webhooks/github
open     POST   /api/webhooks/vercel
open     POST   /api/webhooks/generic
open     POST   /api/session
open     DELETE /api/session
open     GET    /realtime/{room}
open     GET    /healthz
open     GET    /matrix
open     GET    /sayso.js
open     GET    /notice
open     GET    /
";

/// A proposal that rooms are named for; there is none of that id.
const PROPOSAL: &str = "pro_1";

fn decided() -> BTreeMap<(&'static str, &'static str), &'static str> {
    let rows = DECIDED.lines().filter(|line| !line.is_empty());
    rows.map(|row| {
        let words: Vec<&str> = row.split_whitespace().collect();
        ((words[1], words[2]), words[0])
    })
    .collect()
}

fn call(server: &Server, route: &RouteInfo) -> RequestBuilder {
    let path = route
        .path
        .replace("{id}", PROPOSAL)
        .replace("{name}", "production")
        .replace("{room}", "project:site")
        .replace("{number}", "1")
        .replace("{sha256}", &"0".repeat(64));
    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
    http().request(method, server.url(&path))
}

/// The status with which `token` is answered.
async fn status(server: &Server, route: &RouteInfo, token: &str) -> u16 {
    let request = call(server, route).bearer_auth(token);
    request.send().await.unwrap().status().as_u16()
}

fn let_in(status: u16) -> bool {
    !matches!(status, 401 | 403 | 429)
}

#[test]
fn every_route_is_decided_and_every_decision_is_about_a_route() {
    let mut decided = decided();
    for route in routes() {
        let access = match route.access {
            Access::Open => "open",
            Access::Host => "host",
            Access::Role(role) => role.as_str(),
        };
        let wanted = decided.remove(&(route.method, route.path));
        assert_eq!(
            wanted,
            Some(access),
            "{} {}: decide who may call it",
            route.method,
            route.path
        );
    }
    assert!(decided.is_empty(), "no routes: {decided:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_may_call_what_is_decided_for_it_and_nothing_more() {
    let server = Server::with(|options| options.host_token = Some(HOST.into())).await;
    let mut tokens = Vec::new();
    for role in Role::ALL {
        tokens.push((role, of_role(&server.url(""), role.as_str()).await));
    }
    for route in routes() {
        let what = format!("{} {}", route.method, route.path);
        let needed = match route.access {
            Access::Open => None,
            Access::Host => Some(Role::Deployer),
            Access::Role(role) => Some(role),
        };
        let nobody = call(&server, &route).send().await.unwrap().status();
        assert_eq!(nobody == 401, needed.is_some(), "{what}: {nobody}");
        let host = status(&server, &route, HOST).await;
        match route.access {
            Access::Open => {}
            Access::Host => assert!(let_in(host), "{what}: {host}"),
            Access::Role(_) => assert_eq!(host, 401, "{what}"),
        }
        let Some(needed) = needed else { continue };
        for (role, token) in &tokens {
            let request = call(&server, &route).bearer_auth(token);
            let answer = request.send().await.unwrap();
            if *role >= needed {
                let status = answer.status().as_u16();
                assert!(let_in(status), "{what} as {role}: {status}");
                continue;
            }
            let body = problem(answer, 403).await;
            assert_eq!(body["type"], "about:sayso/forbidden", "{what} as {role}");
            let detail = body["detail"].as_str().unwrap();
            assert!(detail.contains(&format!("the role {needed}")), "{detail}");
            assert!(detail.starts_with(&what), "{detail}");
            let hint = body["hint"].as_str().unwrap();
            assert!(hint.contains(&format!("--role {needed}")), "{hint}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_proposals_room_its_role_counts_and_elsewhere_the_tokens_own() {
    let server = Server::start().await;
    let base = server.url("");
    let this = format!("proposal:{PROPOSAL}");
    for of_token in Role::ALL {
        for in_room in Role::ALL {
            for (room, fits) in [
                (this.as_str(), true),
                ("proposal:*", true),
                ("*", true),
                ("proposal:other", false),
                ("project:*", false),
            ] {
                let body = json!({
                    "name": "bob", "role": of_token, "rooms": { room: in_room },
                });
                let made = token(&base, &body).await;
                let bearer = made["token"].as_str().unwrap();
                let rows = routes().filter(|route| {
                    // One of each kind is enough: the layer is the same for all.
                    [
                        ("GET", "/api/proposals/{id}"),
                        ("POST", "/api/proposals/{id}/edit"),
                        ("POST", "/api/sync/commit"),
                        ("POST", "/api/deployments/{id}/approve"),
                    ]
                    .contains(&(route.method, route.path))
                });
                for route in rows {
                    let Access::Role(needed) = route.access else {
                        panic!("{route:?}");
                    };
                    let about = route.path.starts_with("/api/proposals/{id}");
                    let role = if about && fits { in_room } else { of_token };
                    let status = status(&server, &route, bearer).await;
                    assert_eq!(
                        let_in(status),
                        role >= needed,
                        "{route:?} with {of_token}, and {in_room} in {room}: {status}"
                    );
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_of_this_project_is_refused_in_the_same_way_everywhere() {
    let server = Server::start().await;
    let other = Server::start().await;
    let foreign = of_role(&other.url(""), "admin").await;
    let good = of_role(&server.url(""), "admin").await;
    let mut parts: Vec<&str> = good.split('.').collect();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoic2F5c28rand0In0";
    let unsigned = format!("{none}.{}.", parts[1]);
    parts[2] = "AAAA";
    let cut = parts.join(".");
    for bad in [&foreign, &unsigned, &cut, "a.b.c", ".."] {
        let request = http().get(server.url("/api/status")).bearer_auth(bad);
        let answer = request.send().await.unwrap();
        assert!(answer.headers().contains_key("www-authenticate"));
        let body = problem(answer, 401).await;
        assert_eq!(body["detail"], "the token is not accepted", "{bad}");
    }
    // Signing in takes the same tokens, and refuses the same.
    let sign_in = async |token: &str| {
        let request = http().post(server.url("/api/session"));
        let request = request.json(&json!({ "token": token }));
        request.send().await.unwrap()
    };
    problem(sign_in(&foreign).await, 401).await;
    let answer = sign_in(&good).await;
    assert_eq!(answer.status(), 204);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let me = || {
        let request = http().get(server.url("/api/me"));
        request.header("cookie", &cookie).send()
    };
    let who: Value = me().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&who["actor"], &who["role"]),
        (&json!("admin"), &json!("admin"))
    );
    assert_eq!(who["project"], "site");
    // The session is the token's: it ends with it.
    let id = who["token"].as_str().unwrap();
    let revoke = http().delete(server.url(&format!("/api/tokens/{id}")));
    let answer = revoke.bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    problem(me().await.unwrap(), 401).await;
    problem(sign_in(&good).await, 401).await;
    let owner = http().get(server.url("/api/me")).bearer_auth(TOKEN);
    let owner: Value = owner.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&owner["actor"], &owner["role"]),
        (&json!("ada"), &json!("admin"))
    );
    assert!(owner.get("token").is_none());
}
