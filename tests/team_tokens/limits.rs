//! How often one may ask, and from which pages.

use reqwest::Response;
use reqwest::header::ORIGIN;
use sayso::server::RateLimits;
use serde_json::json;

use crate::support::{Server, TOKEN, http};
use crate::team::{of_role, problem};

async fn status_of(server: &Server, token: &str) -> Response {
    let request = http().get(server.url("/api/me")).bearer_auth(token);
    request.send().await.unwrap()
}

/// Asserts a 429 that says when to come back.
async fn too_many(answer: Response) {
    let wait = answer.headers()["retry-after"].to_str().unwrap().to_owned();
    assert!(wait.parse::<u64>().unwrap() >= 1, "{wait}");
    let body = problem(answer, 429).await;
    assert_eq!(body["type"], "about:sayso/too-many-requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_asks_too_often_waits_and_keeps_nobody_else_waiting() {
    // One more comes back every 20 s: none within this test.
    let server = Server::with(|options| options.rates.token = 3).await;
    let bob = of_role(&server.url(""), "viewer").await;
    for _ in 0..3 {
        assert_eq!(status_of(&server, &bob).await.status(), 200);
    }
    too_many(status_of(&server, &bob).await).await;
    assert_eq!(status_of(&server, TOKEN).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_stopped_sooner_and_good_tokens_still_work() {
    let server = Server::with(|options| options.rates.failed = 2).await;
    let bob = of_role(&server.url(""), "viewer").await;
    assert_eq!(status_of(&server, &bob).await.status(), 200);
    for _ in 0..3 {
        problem(status_of(&server, "a.b.c").await, 401).await;
    }
    too_many(status_of(&server, "a.b.c").await).await;
    let sign_in = http().post(server.url("/api/session"));
    let sign_in = sign_in.json(&json!({ "token": "guess" })).send();
    too_many(sign_in.await.unwrap()).await;
    for good in [bob.as_str(), TOKEN] {
        assert_eq!(status_of(&server, good).await.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_the_connections_unless_a_known_proxy_says_otherwise() {
    let rates = RateLimits {
        address: 2,
        ..RateLimits::default()
    };
    let from = async |server: &Server, address: &str| {
        let request = http().get(server.url("/healthz"));
        request
            .header("x-forwarded-for", address)
            .send()
            .await
            .unwrap()
    };
    let direct = Server::with(|options| options.rates = rates).await;
    assert_eq!(from(&direct, "192.0.2.1").await.status(), 200);
    assert_eq!(from(&direct, "192.0.2.2").await.status(), 200);
    too_many(from(&direct, "192.0.2.3").await).await;
    let behind = Server::with(|options| {
        options.rates = rates;
        options.proxies.push("127.0.0.0/8".into());
    })
    .await;
    for n in 1..=3 {
        let address = format!("192.0.2.{n}");
        assert_eq!(from(&behind, &address).await.status(), 200);
        assert_eq!(from(&behind, &address).await.status(), 200);
        too_many(from(&behind, &format!("10.1.1.1, {address}")).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_listed_origin_may_call_with_a_token_and_with_nothing_else() {
    let page = "https://status.example.org";
    let server = Server::with(|options| options.origins.push(page.into())).await;
    // What a browser asks first.
    let preflight = http()
        .request(reqwest::Method::OPTIONS, server.url("/api/status"))
        .header(ORIGIN, page)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization");
    let answer = preflight.send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let headers = answer.headers();
    assert_eq!(headers["access-control-allow-origin"], page);
    for header in ["authorization", "last-event-id", "idempotency-key"] {
        let allowed = headers["access-control-allow-headers"].to_str().unwrap();
        assert!(allowed.contains(header), "{allowed}");
    }
    assert!(!headers.contains_key("access-control-allow-credentials"));
    let get =
        |path: &str, origin: &'static str| http().get(server.url(path)).header(ORIGIN, origin);
    for path in ["/api/me", "/api/realtime-sync"] {
        let answer = get(path, page).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["access-control-allow-origin"], page);
        assert_eq!(answer.headers()["vary"], "origin");
    }
    // A refusal can be read, too.
    let answer = get("/api/me", page).send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], page);
    problem(answer, 401).await;
    // A cookie of this server's own page is no way in for another one.
    let sign_in = http().post(server.url("/api/session"));
    let sign_in = sign_in
        .json(&json!({ "token": TOKEN }))
        .send()
        .await
        .unwrap();
    let cookie = sign_in.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let own = http().get(server.url("/api/me"));
    let own = own.header("cookie", &cookie).send().await.unwrap();
    assert_eq!(own.status(), 200);
    let theirs = get("/api/me", page).header("cookie", &cookie);
    problem(theirs.send().await.unwrap(), 401).await;
    for bad in ["null", "https://evil.example", "http://status.example.org"] {
        let answer = get("/api/me", bad).bearer_auth(TOKEN).send();
        let answer = answer.await.unwrap();
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
        let body = problem(answer, 403).await;
        assert_eq!(body["type"], "about:sayso/origin-not-allowed", "{bad}");
    }
}
