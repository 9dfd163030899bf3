//! Channels over HTTP: builds, who is here, and the pages of the history.

use reqwest::Response;
use sayso::model::EventKind;
use sayso::model::api::{DeploymentList, EventPage};
use serde_json::{Value, json};

use crate::matrix::Served;
use crate::rig::TWO;
use crate::support::{DEADLINE, Server, TOKEN, http};

/// The next frame of a stream that is no comment.
async fn frame(stream: &mut Response, text: &mut String) -> String {
    loop {
        if let Some((frame, rest)) = text.split_once("\n\n") {
            let found = frame.to_owned();
            *text = rest.to_owned();
            return found.trim_start_matches(":\n").to_owned();
        }
        let piece = tokio::time::timeout(DEADLINE, stream.chunk())
            .await
            .unwrap();
        text.push_str(std::str::from_utf8(&piece.unwrap().unwrap()).unwrap());
    }
}

fn data(frame: &str) -> Value {
    let line = frame.lines().find_map(|line| line.strip_prefix("data: "));
    serde_json::from_str(line.unwrap()).unwrap()
}

async fn open(server: &Server, query: &str) -> Response {
    get(server.url(&format!("/api/realtime-sync{query}"))).await
}

/// What is at `url` for an admin.
async fn get(url: String) -> Response {
    http().get(url).bearer_auth(TOKEN).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_here_is_told_beside_the_events() {
    let server = Server::start().await;
    let mut stream = open(&server, "?channel=presence,project:*").await;
    let mut text = String::new();
    let here = frame(&mut stream, &mut text).await;
    // Without an id: a position in the log is not touched by it.
    assert!(
        !here.contains("id: ") && here.contains("event: presence"),
        "{here}"
    );
    assert_eq!(
        data(&here),
        json!({ "places": { "server": [{ "name": "ada" }] }, "all": true })
    );
    server.append(0, 2).await;
    for seq in 1..=2 {
        let event = data(&frame(&mut stream, &mut text).await);
        assert_eq!(
            (event["seq"].as_u64(), event["prev"].as_u64()),
            (Some(seq), Some(seq - 1))
        );
    }
    // Where no stream gets through, a page of events says the same.
    let url = server.url("/api/events?channel=presence&wait=0");
    let page: Value = get(url).await.json().await.unwrap();
    assert_eq!(page["presence"], json!({ "server": [{ "name": "ada" }] }));
    assert_eq!(
        (&page["events"], page["reset"].as_bool()),
        (&json!([]), Some(false))
    );
    let url = server.url("/api/events?wait=0");
    let page: Value = get(url).await.json().await.unwrap();
    assert!(page.get("presence").is_none(), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_can_be_events() {
    let server =
        Server::with(|options| options.heartbeat = std::time::Duration::from_millis(50)).await;
    let mut stream = open(&server, "?beats=1").await;
    let mut text = String::new();
    for _ in 0..3 {
        assert_eq!(frame(&mut stream, &mut text).await, "event: beat\ndata: {}");
    }
    server.append(0, 1).await;
    loop {
        let next = frame(&mut stream, &mut text).await;
        if next.contains("event: notice") {
            assert!(next.starts_with("retry: 1000\nid: "), "{next}");
            break;
        }
        assert_eq!(next, "event: beat\ndata: {}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_a_deployment_and_the_pages_of_the_history() {
    let served = Served::start(TWO, |_| {}).await;
    let first = served.rig.deploy("staging").await;
    served.rig.commit("two");
    let second = served.rig.deploy("staging").await;
    served.rig.commit("three");
    let third = served.rig.deploy("staging").await;
    let found = async |path: String| {
        let answer = get(served.url(&path)).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer
    };
    let kinds = async |channel: &str| {
        let page: EventPage = found(format!("/api/events?channel={channel}"))
            .await
            .json()
            .await
            .unwrap();
        page.events
    };
    let all = kinds(&format!("deployment:{}", second.id)).await;
    let build = kinds(&format!("build:{}", second.id)).await;
    assert!(build.len() < all.len());
    assert!(
        all.iter()
            .all(|event| event.deployment.as_ref() == Some(&second.id) && !event.actor.is_empty())
    );
    assert_eq!(build.first().unwrap().kind, EventKind::DeployStart);
    assert_eq!(build.first().unwrap().actor, "Ada");
    assert_eq!(build.last().unwrap().kind, EventKind::DeployComplete);
    for event in &build {
        let stage = event.data["stage"].as_str().unwrap_or("build");
        assert!(["queue", "fetch", "build"].contains(&stage), "{event:?}");
    }
    let page = async |query: &str| {
        let list: DeploymentList = found(format!("/api/deployments{query}"))
            .await
            .json()
            .await
            .unwrap();
        list.deployments
            .into_iter()
            .map(|one| one.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        page("").await,
        [third.id.clone(), second.id.clone(), first.id.clone()]
    );
    assert_eq!(page("?limit=2").await, [third.id, second.id.clone()]);
    assert_eq!(
        page(&format!("?limit=2&before={}", second.id)).await,
        std::slice::from_ref(&first.id)
    );
    assert_eq!(page(&format!("?before={}", first.id)).await, []);
    for bad in ["?limit=0", "?limit=101", "?limit=x", "?before=%0a"] {
        let answer = get(served.url(&format!("/api/deployments{bad}"))).await;
        assert_eq!(answer.status(), 400, "{bad}");
    }
    // The titles of commits, without the patch.
    let path = format!("/api/deployments/compare?b={}&patch=0", third.commit);
    let known: Value = found(path).await.json().await.unwrap();
    let titles: Vec<&str> = known["commits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["title"].as_str().unwrap())
        .collect();
    assert_eq!(titles, ["three", "two", "first"]);
    assert_eq!(known["patch"], "");
    let me: Value = found("/api/me".into()).await.json().await.unwrap();
    assert_eq!(
        (&me["actor"], &me["role"]),
        (&json!("Ada Lovelace"), &json!("admin"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_reader_delays_nobody_is_dropped_and_comes_back_to_everything() {
    let server =
        Server::with(|options| options.patience = std::time::Duration::from_millis(500)).await;
    let addr = server.running.addr;
    let mut silent = tokio::net::TcpStream::connect(addr).await.unwrap();
    let head = format!(
        "GET /api/realtime-sync HTTP/1.1\r\nhost: {addr}\r\nauthorization: Bearer {TOKEN}\r\n\r\n"
    );
    tokio::io::AsyncWriteExt::write_all(&mut silent, head.as_bytes())
        .await
        .unwrap();
    let open = async || {
        let answer = get(server.url("/metrics")).await;
        let text = answer.text().await.unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("sayso_stream_clients "))
            .unwrap()
            .to_owned();
        line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
    };
    let until = async |wanted: u32| {
        let began = std::time::Instant::now();
        while open().await != wanted {
            assert!(
                began.elapsed() < DEADLINE,
                "{} streams are open",
                open().await
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    until(1).await;
    let mut items = sayso::client::stream::follow(server.client(), None);
    until(2).await;
    // More than the sockets on both sides hold.
    let large = "x".repeat(256 * 1024);
    for seq in 1..=80 {
        let data = json!({ "message": large });
        let event = sayso::model::NewEvent::new(EventKind::Notice, "ada", data);
        server.log.append(vec![event], vec![]).await.unwrap();
        assert_eq!(crate::support::seqs(&mut items, 1).await, [seq]);
    }
    until(1).await;
    drop(silent);
    let mut again = sayso::client::stream::follow(server.client(), None);
    assert_eq!(
        crate::support::seqs(&mut again, 80).await,
        (1..=80).collect::<Vec<_>>()
    );
}
