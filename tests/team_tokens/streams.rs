//! What a token opened ends with it; and who did what is written down.

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::stage::wait_for;
use crate::support::{DEADLINE, Server, TOKEN, http};
use crate::team::{problem, token};

async fn get(server: &Server, path: &str, token: &str) -> Response {
    let request = http().get(server.url(path)).bearer_auth(token);
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_and_a_long_poll_end_when_their_token_is_revoked_and_no_other() {
    let server = Server::start().await;
    let make = async |name: &str| {
        let made = token(&server.url(""), &json!({ "name": name, "role": "viewer" })).await;
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        (text("id"), text("token"))
    };
    let (id, bob) = make("Bob").await;
    let (_, eve) = make("Eve").await;
    let stream = get(&server, "/api/realtime-sync", &bob).await;
    let mut other = get(&server, "/api/realtime-sync", &eve).await;
    assert_eq!(stream.status(), 200);
    let polled = {
        let request = http()
            .get(server.url("/api/events?wait=60"))
            .bearer_auth(&bob);
        tokio::spawn(request.send())
    };
    // It waits by now: the counter says so.
    wait_for("the long poll", async || {
        let metrics = get(&server, "/metrics", TOKEN).await.text().await.unwrap();
        metrics.contains("sayso_poll_clients 1").then_some(())
    })
    .await;
    let revoked = http()
        .delete(server.url(&format!("/api/tokens/{id}")))
        .bearer_auth(TOKEN);
    assert_eq!(revoked.send().await.unwrap().status(), 200);
    timeout(DEADLINE, stream.bytes())
        .await
        .expect("the stream's end")
        .unwrap();
    let polled = timeout(DEADLINE, polled)
        .await
        .expect("an answer")
        .unwrap()
        .unwrap();
    assert_eq!(polled.status(), 200);
    // What comes after is for others; nothing that was there before is told again, either.
    let body = problem(get(&server, "/api/realtime-sync?after=0", &bob).await, 401).await;
    assert!(body["detail"].as_str().unwrap().contains("revoked"));
    problem(get(&server, "/api/events?after=0", &bob).await, 401).await;
    server.append(1, 1).await;
    let mut told = String::new();
    while !told.contains("event: notice") {
        let piece = timeout(DEADLINE, other.chunk()).await.unwrap().unwrap();
        told.push_str(&String::from_utf8_lossy(&piece.expect("it goes on")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_token_does() {
    let server = Server::start().await;
    let body = json!({ "name": "Bob", "role": "viewer", "expires_in": 3 });
    let made = token(&server.url(""), &body).await;
    let bob = made["token"].as_str().unwrap();
    let stream = get(&server, "/api/realtime-sync", bob).await;
    if stream.status() == 200 {
        timeout(DEADLINE, stream.bytes())
            .await
            .expect("the stream's end")
            .unwrap();
    }
    wait_for("the end of the token", async || {
        let answer = get(&server, "/api/status", bob).await;
        (answer.status() == 401).then_some(())
    })
    .await;
    let body = problem(get(&server, "/api/status", bob).await, 401).await;
    assert!(body["detail"].as_str().unwrap().contains("ended"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_something_or_tried_to_is_written_down() {
    let server = Server::start().await;
    let body = json!({ "name": "Bob", "role": "author" });
    let made = token(&server.url(""), &body).await;
    let (id, bob) = (&made["id"], made["token"].as_str().unwrap());
    let post = async |path: &str, token: &str| {
        let request = http()
            .request(Method::POST, server.url(path))
            .bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(post("/api/proposals/pro_1/reject?x=secret", bob).await, 404);
    assert_eq!(post("/api/sync/deploy", bob).await, 403);
    assert_eq!(post("/api/sync/deploy", "a.b.c").await, 401);
    assert_eq!(get(&server, "/api/events", bob).await.status(), 200);
    assert_eq!(post("/api/nothing", bob).await, 404);
    let answer = get(&server, "/api/audit", TOKEN).await;
    let page: Value = answer.json().await.unwrap();
    let entries = page["entries"].as_array().unwrap();
    let line = |entry: &Value| {
        let text = |key: &str| entry[key].as_str().unwrap_or("-").to_owned();
        let keys = ["method", "path", "route", "actor", "role"];
        let words: Vec<String> = keys.iter().map(|key| text(key)).collect();
        format!("{} {}", words.join(" "), entry["status"])
    };
    let lines: Vec<String> = entries.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "POST /api/nothing  Bob author 404",
            "POST /api/sync/deploy /api/sync/deploy - - 401",
            "POST /api/sync/deploy /api/sync/deploy Bob author 403",
            "POST /api/proposals/pro_1/reject /api/proposals/{id}/reject Bob author 404",
            "POST /api/tokens /api/tokens ada admin 200",
        ]
    );
    assert_eq!(&entries[0]["token"], id);
    assert!(entries[4].get("token").is_none());
    assert!(entries.iter().all(|entry| entry["address"] == "127.0.0.1"));
    // Page by page; and a token is nowhere in it.
    let answer = get(&server, "/api/audit?limit=2", TOKEN).await;
    let first: Value = answer.json().await.unwrap();
    let older = format!("/api/audit?limit=2&before={}", first["next"]);
    let second: Value = get(&server, &older, TOKEN).await.json().await.unwrap();
    assert_eq!(second["entries"][0], entries[2]);
    assert!(!page.to_string().contains(bob) && !page.to_string().contains("secret"));
    problem(get(&server, "/api/audit?limit=0", TOKEN).await, 400).await;
    problem(get(&server, "/api/audit?before=x", TOKEN).await, 400).await;
}
