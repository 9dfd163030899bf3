//! The HTTP face: who is let in, what errors look like, what is bounded.

mod support;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN};
use reqwest::{Method, RequestBuilder, Response};
use sayso::server::{Access, RouteInfo, routes};
use serde_json::{Value, json};
use support::{Server, TOKEN, http};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request of `route` that is well-formed apart from what a test changes about it.
fn call(server: &Server, route: &RouteInfo) -> RequestBuilder {
    let path = route
        .path
        .replace("{id}", "x_1")
        .replace("{name}", "production");
    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
    http().request(method, server.url(&path))
}

/// Asserts a problem document with `status` and returns it.
async fn problem(answer: Response, status: u16) -> Value {
    let url = answer.url().clone();
    assert_eq!(answer.status().as_u16(), status, "{url}");
    assert_eq!(
        answer.headers()[CONTENT_TYPE],
        "application/problem+json",
        "{url}"
    );
    assert_eq!(answer.headers()["cache-control"], "no-store", "{url}");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["status"], status, "{url}");
    assert!(
        body["type"].as_str().unwrap().starts_with("about:sayso/"),
        "{url}"
    );
    for field in ["title", "detail", "hint"] {
        assert!(
            !body[field].as_str().unwrap_or_default().is_empty(),
            "{url}: {field} of {body}"
        );
    }
    body
}

/// A raw request, and the whole answer.
async fn raw(server: &Server, request: &str) -> String {
    let mut socket = TcpStream::connect(server.running.addr).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = socket.read_to_end(&mut answer);
    let _ = tokio::time::timeout(support::DEADLINE, read).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_wants_its_token() {
    let server = Server::start().await;
    for route in routes() {
        for header in [
            None,
            Some("Bearer wrong-token-wrong-token"),
            Some(TOKEN),
            Some("Basic eDp5"),
        ] {
            let mut request = call(&server, &route);
            if let Some(value) = header {
                request = request.header(AUTHORIZATION, value);
            }
            let answer = request.send().await.unwrap();
            match route.access {
                Access::Role(_) | Access::Host => {
                    assert!(
                        answer.headers()["www-authenticate"]
                            .to_str()
                            .unwrap()
                            .starts_with("Bearer")
                    );
                    problem(answer, 401).await;
                }
                Access::Open => assert_ne!(answer.status(), 401, "{route:?}"),
            }
        }
        let answer = call(&server, &route)
            .bearer_auth(TOKEN)
            .send()
            .await
            .unwrap();
        assert!(
            ![401, 403, 405].contains(&answer.status().as_u16()) || route.method == "DELETE",
            "{route:?}"
        );
    }
    // What is not there is told to nobody without a token, and neither is which methods there are.
    for path in [
        "/api/nothing",
        "/etc/passwd",
        "/api/status/",
        "/api/webhooks/nobody",
        "/realtime",
    ] {
        problem(http().get(server.url(path)).send().await.unwrap(), 401).await;
        problem(
            http()
                .get(server.url(path))
                .bearer_auth(TOKEN)
                .send()
                .await
                .unwrap(),
            404,
        )
        .await;
    }
    problem(
        http()
            .delete(server.url("/api/status"))
            .send()
            .await
            .unwrap(),
        401,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_wants_an_own_host_and_an_own_origin() {
    let server = Server::start().await;
    let port = server.running.addr.port();
    for route in routes() {
        for host in ["evil.example", "127.0.0.1", &format!("evil.example:{port}")] {
            let request = call(&server, &route).bearer_auth(TOKEN).header(HOST, host);
            let body = problem(request.send().await.unwrap(), 403).await;
            assert_eq!(body["type"], "about:sayso/host-not-allowed", "{route:?}");
        }
        for origin in ["null", "https://evil.example", "http://127.0.0.1:1"] {
            let request = call(&server, &route)
                .bearer_auth(TOKEN)
                .header(ORIGIN, origin);
            let body = problem(request.send().await.unwrap(), 403).await;
            assert_eq!(body["type"], "about:sayso/origin-not-allowed", "{route:?}");
        }
    }
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
        let request = http().get(server.url("/healthz")).header(HOST, &host);
        let answer = request
            .header(ORIGIN, format!("http://{host}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        // No page of another origin may read an answer.
        assert!(
            answer
                .headers()
                .keys()
                .all(|name| !name.as_str().starts_with("access-control"))
        );
    }
    let named = Server::with(|o| o.allowed_hosts.push("sayso.example.org".into())).await;
    let request = http()
        .get(named.url("/healthz"))
        .header(HOST, "sayso.example.org");
    assert_eq!(request.send().await.unwrap().status(), 200);
    // Without a name, and with the name in the target.
    let answer = raw(&server, "GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.0 400") && answer.contains("problem+json"),
        "{answer}"
    );
    let target = format!(
        "GET http://evil.example/healthz HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n"
    );
    let answer = raw(&server, &target).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_cookie_reads_and_does_not_write_by_itself() {
    let server = Server::start().await;
    let origin = server.url("");
    let sign_in = |token: &str| {
        http()
            .post(server.url("/api/session"))
            .json(&json!({ "token": token }))
    };
    problem(
        sign_in("wrong-token-wrong-token").send().await.unwrap(),
        401,
    )
    .await;
    problem(
        sign_in(TOKEN)
            .header(ORIGIN, "http://evil.example")
            .send()
            .await
            .unwrap(),
        403,
    )
    .await;
    let answer = sign_in(TOKEN).header(ORIGIN, &origin).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Strict"),
        "{set}"
    );
    assert!(!set.contains(TOKEN));
    let cookie = set.split(';').next().unwrap();
    let get = |path: &str| http().get(server.url(path)).header("cookie", cookie);
    assert_eq!(get("/api/events").send().await.unwrap().status(), 200);
    assert_eq!(
        get("/api/realtime-sync").send().await.unwrap().status(),
        200
    );
    for route in routes().filter(|r| r.method != "GET" && matches!(r.access, Access::Role(_))) {
        let body = json!({ "yes": true, "prompt": "x", "hunks": [], "decision": "accepted" });
        let bare = call(&server, &route).header("cookie", cookie).json(&body);
        let with_header = bare.try_clone().unwrap().header("x-sayso-request", "1");
        let with_origin = bare.try_clone().unwrap().header(ORIGIN, &origin);
        for request in [bare, with_header, with_origin] {
            let body = problem(request.send().await.unwrap(), 403).await;
            assert_eq!(body["type"], "about:sayso/cookie-not-enough", "{route:?}");
        }
        let both = call(&server, &route)
            .header("cookie", cookie)
            .header("x-sayso-request", "1")
            .header(ORIGIN, &origin)
            .json(&body);
        assert_ne!(both.send().await.unwrap().status(), 403, "{route:?}");
    }
    let leave = || {
        http()
            .delete(server.url("/api/session"))
            .header("cookie", cookie)
    };
    problem(leave().send().await.unwrap(), 403).await;
    let answer = leave().header("x-sayso-request", "1").send().await.unwrap();
    assert_eq!(answer.status(), 204);
    assert!(
        answer.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    problem(get("/api/events").send().await.unwrap(), 401).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_is_a_problem_document() {
    let server = Server::start().await;
    let post = |path: &str| http().post(server.url(path)).bearer_auth(TOKEN);
    let json_post = |path: &str, body: &str| {
        post(path)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_owned())
    };
    let say = "/api/voice-to-code";
    let answer = "/api/instructions/ins_1/answer";
    let form = |parts: &[(&str, &str)]| {
        let mut form = reqwest::multipart::Form::new();
        for (name, value) in parts {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        post(say).multipart(form)
    };
    let table: Vec<(RequestBuilder, u16, &str)> = vec![
        (json_post(answer, "{"), 400, "EOF"),
        (json_post(answer, ""), 400, "EOF"),
        (json_post(answer, "{}"), 422, "yes"),
        (json_post(answer, r#"{"yes":1}"#), 422, "boolean"),
        (json_post(answer, r#"{"yes":true,"no":1}"#), 422, "no"),
        // Not the values of the fields one after the other, as a struct could be read.
        (json_post(answer, "[true]"), 422, "object"),
        (
            json_post("/api/proposals/pro_1/reject", "[null]"),
            422,
            "object",
        ),
        (post(answer).body("yes"), 415, "Content-Type"),
        (
            post(answer).header(CONTENT_TYPE, "text/plain").body("yes"),
            415,
            "Content-Type",
        ),
        (
            json_post("/api/proposals/pro_1/approve", r#"{"action":"fly"}"#),
            422,
            "fly",
        ),
        (
            json_post("/api/proposals/pro_1/approve", "nonsense"),
            400,
            "expected",
        ),
        (
            json_post(say, r#"{"prompt":"x","audio":"eA=="}"#),
            422,
            "either",
        ),
        (json_post(say, "{}"), 422, "either"),
        (json_post(say, r#"{"audio":"%%"}"#), 422, "base64"),
        (
            json_post(say, r#"{"prompt":"x","filepath":"y"}"#),
            422,
            "filepath",
        ),
        (json_post(say, "{\"prompt\":\"\\ud800\"}"), 400, "escape"),
        (form(&[("action", "deploy")]), 422, "either"),
        (form(&[("prompt", "x"), ("action", "fly")]), 422, "fly"),
        (form(&[("prompt", "x"), ("speed", "1")]), 422, "speed"),
        (form(&[("prompt", &"x".repeat(20_000))]), 422, "16384"),
        (
            post(say)
                .header(CONTENT_TYPE, "multipart/form-data")
                .body("x"),
            400,
            "boundary",
        ),
        (
            post(say)
                .header(CONTENT_TYPE, "multipart/form-data; boundary=b")
                .body("--b\r\nx"),
            400,
            "",
        ),
        (
            json_post(say, r#"{"prompt":"x"}"#).header("idempotency-key", ""),
            400,
            "Idempotency",
        ),
        (
            json_post(say, r#"{"prompt":"x"}"#).header("idempotency-key", "a b"),
            400,
            "Idempotency",
        ),
        (
            json_post(say, r#"{"prompt":"x"}"#).header("idempotency-key", "x".repeat(129)),
            400,
            "Idempotency",
        ),
        (post("/api/status"), 405, "method"),
        (
            http()
                .get(server.url("/api/events?limit=0"))
                .bearer_auth(TOKEN),
            400,
            "limit",
        ),
        (
            http()
                .get(server.url("/api/events?wait=x"))
                .bearer_auth(TOKEN),
            400,
            "wait",
        ),
        (
            http()
                .get(server.url("/api/events?after=x"))
                .bearer_auth(TOKEN),
            400,
            "cursor",
        ),
        (
            http()
                .get(server.url("/api/realtime-sync?channel=x"))
                .bearer_auth(TOKEN),
            400,
            "channel",
        ),
        (
            http()
                .get(server.url("/api/proposals/%ff"))
                .bearer_auth(TOKEN),
            400,
            "UTF-8",
        ),
        (
            http()
                .get(server.url("/api/proposals/a%0ab"))
                .bearer_auth(TOKEN),
            404,
            "proposal",
        ),
        (
            http()
                .get(server.url("/api/deployments/..%2f..%2fx"))
                .bearer_auth(TOKEN),
            404,
            "deployment",
        ),
        (
            http()
                .get(server.url(&format!("/api/instructions/{}", "x".repeat(129))))
                .bearer_auth(TOKEN),
            404,
            "instruction",
        ),
        (http().put(server.url("/healthz")), 405, "method"),
    ];
    for (n, (request, status, word)) in table.into_iter().enumerate() {
        println!("row {n}: {status} {word}");
        let answer = request.send().await.unwrap();
        if status == 405 {
            assert!(answer.headers()["allow"].to_str().unwrap().contains("GET"));
        }
        let body = problem(answer, status).await;
        let detail = body["detail"].as_str().unwrap();
        assert!(detail.contains(word), "row {n}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_and_the_refusal_arrives() {
    let server = Server::start().await;
    let json_of = |n: usize| format!(r#"{{"reason":"{}"}}"#, "x".repeat(n - 13));
    let reject = |body: String| {
        let request = http()
            .post(server.url("/api/proposals/pro_1/reject"))
            .bearer_auth(TOKEN);
        request.header(CONTENT_TYPE, "application/json").body(body)
    };
    let mib = 1024 * 1024;
    let fits = reject(json_of(mib)).send().await.unwrap();
    assert_ne!(fits.status(), 413);
    problem(reject(json_of(mib + 1)).send().await.unwrap(), 413).await;
    // In pieces, without a length that would give it away.
    let pieces =
        futures::stream::iter((0..40).map(|_| Ok::<_, std::io::Error>("x".repeat(32 * 1024))));
    let request = http()
        .post(server.url("/api/proposals/pro_1/reject"))
        .bearer_auth(TOKEN);
    let request = request.header(CONTENT_TYPE, "application/json");
    problem(
        request
            .body(reqwest::Body::wrap_stream(pieces))
            .send()
            .await
            .unwrap(),
        413,
    )
    .await;
    let audio = |n: usize, more: &[(&'static str, &'static str)]| {
        let part = reqwest::multipart::Part::bytes(vec![0; n]).file_name("a.wav");
        let mut form = reqwest::multipart::Form::new().part("audio", part);
        for (name, value) in more {
            form = form.text(*name, *value);
        }
        http()
            .post(server.url("/api/voice-to-code"))
            .bearer_auth(TOKEN)
            .multipart(form)
    };
    let fits = audio(
        12 * mib,
        &[("action", "deploy"), ("filePath", "index.html")],
    );
    // Zeros are no sound, and that is said once the whole of it has arrived.
    assert_eq!(fits.send().await.unwrap().status(), 415);
    for over in [12 * mib + 1, 12 * mib + 200_000] {
        problem(audio(over, &[]).send().await.unwrap(), 413).await;
    }
    // The wrong token is said to those with a full hand, too.
    let part = reqwest::multipart::Part::bytes(vec![0; 8 * mib]);
    let form = reqwest::multipart::Form::new().part("audio", part);
    let wrong = http()
        .post(server.url("/api/voice-to-code"))
        .bearer_auth("wrong");
    problem(wrong.multipart(form).send().await.unwrap(), 401).await;
    // JSON keeps the smaller bound on this route too.
    let say = http()
        .post(server.url("/api/voice-to-code"))
        .bearer_auth(TOKEN);
    let say = say.json(&json!({ "prompt": "x".repeat(mib) }));
    problem(say.send().await.unwrap(), 413).await;
}
