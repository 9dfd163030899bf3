//! How a server begins and ends, and what it shows of itself.

mod support;

use std::time::{Duration, Instant};

use reqwest::header::CONTENT_TYPE;
use sayso::server::{ServerOptions, random_token, routes, serve};
use serde_json::{Value, json};
use support::{Server, TOKEN, http};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_ends_its_streams_and_itself() {
    let mut server = Server::start().await;
    let get = http()
        .get(server.url("/api/realtime-sync"))
        .bearer_auth(TOKEN);
    let answer = get.send().await.unwrap();
    let began = Instant::now();
    server.shutdown.cancel();
    answer.bytes().await.unwrap();
    tokio::time::timeout(support::DEADLINE, &mut server.running.task)
        .await
        .unwrap()
        .unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    assert!(TcpStream::connect(server.running.addr).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_token_or_a_port_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let start = async |options: ServerOptions| {
        let conductor = support::conductor(support::log(dir.path()));
        serve(conductor, options, CancellationToken::new()).await
    };
    for token in [
        "",
        "short",
        "with a space in it, long enough",
        "with-a-line-feed-in-it\n",
    ] {
        let refused = start(ServerOptions::local(token, "ada")).await.unwrap_err();
        assert!(refused.is("token"), "{refused}");
    }
    let server = Server::start().await;
    let mut options = ServerOptions::local(random_token().unwrap(), "ada");
    options.listen = server.running.addr;
    let refused = start(options).await.unwrap_err();
    assert!(refused.is("listen") && refused.hint.is_some(), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_open_pages_and_the_documents() {
    let server = Server::start().await;
    let get = async |path: &str| {
        http()
            .get(server.url(path))
            .bearer_auth(TOKEN)
            .send()
            .await
            .unwrap()
    };
    let alive: Value = get("/healthz").await.json().await.unwrap();
    assert_eq!(alive, json!({ "status": "ok" }));
    let home = get("/").await;
    assert_eq!(
        (home.status().as_u16(), &home.headers()["location"]),
        (303, &"matrix".parse().unwrap())
    );
    let matrix = http().get(server.url("/matrix")).send().await.unwrap();
    assert_eq!(matrix.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    let policy = matrix.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"));
    let openapi: Value = get("/api/openapi.json").await.json().await.unwrap();
    for route in routes() {
        assert!(
            openapi["paths"][route.path][route.method.to_lowercase()].is_object(),
            "{route:?}"
        );
    }
    server.append(0, 3).await;
    let metrics = get("/metrics").await;
    assert_eq!(
        metrics.headers()[CONTENT_TYPE],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let metrics = metrics.text().await.unwrap();
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<u64>().is_ok(), "{line}");
        let family = name.split('{').next().unwrap();
        assert!(metrics.contains(&format!("# TYPE {family} ")), "{line}");
    }
    assert!(metrics.contains("\nsayso_events_total 3\n"), "{metrics}");
}
