//! The log over HTTP: in pages, by long-polling, and the event stream as it is on the wire.

mod support;

use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, Response};
use sayso::model::api::EventPage;
use sayso::model::{EventKind, NewEvent};
use serde_json::{Value, json};
use support::{Server, TOKEN, http};

async fn page(server: &Server, query: &str) -> EventPage {
    let url = server.url(&format!("/api/events{query}"));
    let answer = http().get(url).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    answer.json().await.unwrap()
}

fn numbers(page: &EventPage) -> Vec<u64> {
    page.events.iter().map(|event| event.seq).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_in_pages() {
    let server = Server::start().await;
    let empty = page(&server, "").await;
    assert_eq!(
        (numbers(&empty), empty.next.seq, empty.reset),
        (vec![], 0, false)
    );
    server.append(0, 5).await;
    let epoch = server.log.head().epoch;
    let first = page(&server, &format!("?after={}&limit=3", empty.next)).await;
    assert_eq!((numbers(&first), first.reset), (vec![1, 2, 3], false));
    let second = page(&server, &format!("?after={}&limit=3", first.next)).await;
    assert_eq!(numbers(&second), [4, 5]);
    assert_eq!(second.next, server.log.head());
    assert_eq!(numbers(&page(&server, "?after=4").await), [5]);
    assert_eq!(
        numbers(&page(&server, "?channel=project:site&after=3").await),
        [4, 5]
    );
    let none = page(&server, "?channel=project:other").await;
    assert_eq!((numbers(&none), none.next.seq), (vec![], 5));
    for foreign in ["elsewhere-3", &format!("{epoch}-6"), "6"] {
        let reset = page(&server, &format!("?after={foreign}&wait=60&limit=2")).await;
        assert!(reset.reset, "{foreign}");
        assert_eq!(numbers(&reset), [1, 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_ends_with_news_with_its_time_and_with_the_server() {
    let server = Server::start().await;
    let began = Instant::now();
    let quiet = page(&server, "?wait=1").await;
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert!(quiet.events.is_empty());
    let began = Instant::now();
    let waiting = page(&server, "?wait=30&channel=project:site");
    let news = async {
        waiting_clients(&server, 1).await;
        server.append(0, 1).await;
    };
    let (got, ()) = tokio::join!(waiting, news);
    assert_eq!(numbers(&got), [1]);
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    // Events that do not pass the filter do not end the wait, and are not looked at again.
    let began = Instant::now();
    let waiting = page(&server, "?wait=1&channel=project:other");
    let news = async {
        waiting_clients(&server, 1).await;
        server.append(1, 1).await;
    };
    let (got, ()) = tokio::join!(waiting, news);
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!((numbers(&got), got.next.seq), (vec![], 2));
    let waiting = page(&server, "?after=2&wait=60");
    let end = async {
        waiting_clients(&server, 1).await;
        server.shutdown.cancel();
    };
    let (got, ()) = tokio::join!(waiting, end);
    assert!(got.events.is_empty());
}

/// Waits until `n` calls wait for news.
async fn waiting_clients(server: &Server, n: usize) {
    let deadline = Instant::now() + support::DEADLINE;
    loop {
        let request = http().get(server.url("/metrics")).bearer_auth(TOKEN);
        let text = request.send().await.unwrap().text().await.unwrap();
        if text.contains(&format!("\nsayso_poll_clients {n}\n")) {
            return;
        }
        assert!(Instant::now() < deadline, "{text}");
    }
}

fn open(server: &Server, query: &str) -> RequestBuilder {
    let url = server.url(&format!("/api/realtime-sync{query}"));
    http().get(url).bearer_auth(TOKEN)
}

/// What comes over `answer` until it ends with `end`.
async fn text_until(answer: &mut Response, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let chunk = tokio::time::timeout(support::DEADLINE, answer.chunk()).await;
        let chunk = chunk.unwrap_or_else(|_| panic!("no {end:?} in {text:?}"));
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
    }
    text
}

/// The JSON of the first `data:` line of `text`.
fn data(text: &str) -> Value {
    let line = text.lines().find_map(|line| line.strip_prefix("data: "));
    serde_json::from_str(line.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_on_the_wire() {
    let server = Server::with(|o| o.heartbeat = Duration::from_millis(40)).await;
    let epoch = server.log.head().epoch;
    let mut stream = open(&server, "").send().await.unwrap();
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store, no-transform"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(stream.headers()[name], value);
    }
    // A sign of life at once, then one in each interval: comments without a blank line.
    text_until(&mut stream, ":\n:\n:\n").await;
    server.append(0, 1).await;
    let text = text_until(&mut stream, "}\n\n").await;
    let head = format!("retry: 1000\nid: {epoch}-1\nevent: notice\ndata: {{\"seq\":1,");
    assert!(text.trim_start_matches(":\n").starts_with(&head), "{text}");
    assert_eq!(data(&text)["data"], json!({ "message": 0 }));
    assert_eq!(data(&text).get("prev"), None);
    server.append(1, 1).await;
    let text = text_until(&mut stream, "}\n\n").await;
    let head = format!("id: {epoch}-2\nevent: notice\n");
    assert!(text.trim_start_matches(":\n").starts_with(&head), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_comes_first_and_has_an_id() {
    let server = Server::start().await;
    server.append(0, 2).await;
    let epoch = server.log.head().epoch;
    for id in ["elsewhere-1", "nonsense", &format!("{epoch}-3")] {
        let request = open(&server, "?after=1").header("last-event-id", id);
        let mut stream = request.send().await.unwrap();
        let text = text_until(&mut stream, "}\n\n").await;
        let reset = format!("id: {epoch}-0\nevent: reset\ndata: {{\"cursor\":\"{epoch}-0\"}}\n\n");
        assert!(text.starts_with(&reset), "{text}");
    }
    // The header beats the query, and is no reset when it is right.
    let request = open(&server, "?after=elsewhere-1").header("last-event-id", format!("{epoch}-1"));
    let text = text_until(&mut request.send().await.unwrap(), "}\n\n").await;
    assert!(
        text.contains(&format!("id: {epoch}-2\n")) && !text.contains("reset"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filtered_stream_says_what_it_told_before() {
    let server = Server::start().await;
    let about = |proposal: &str| {
        NewEvent::new(EventKind::Approved, "ada", json!({})).proposal(Some(&proposal.into()))
    };
    let events = |n: u64| match n % 3 {
        0 => about("pro_a"),
        1 => about("pro_b"),
        _ => NewEvent::new(EventKind::Notice, "ada", json!({})),
    };
    server
        .log
        .append((1..=6).map(events).collect(), vec![])
        .await
        .unwrap();
    let mut stream = open(&server, "?channel=proposal:pro_a,deployment:dep_1&after=1")
        .send()
        .await
        .unwrap();
    let mut told = Vec::new();
    let mut text = String::new();
    for wanted in [2, 3] {
        while told.len() < wanted {
            text.push_str(&text_until(&mut stream, "\n").await);
            while let Some((event, rest)) = text.split_once("}\n\n") {
                let event = data(&format!("{event}}}"));
                told.push((
                    event["prev"].as_u64().unwrap(),
                    event["seq"].as_u64().unwrap(),
                ));
                text = rest.to_owned();
            }
        }
        server
            .log
            .append((7..=9).map(events).collect(), vec![])
            .await
            .unwrap();
    }
    assert_eq!(told, [(1, 3), (3, 6), (6, 9)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded_in_number() {
    let server = Server::with(|o| o.max_streams = 2).await;
    let first = open(&server, "").send().await.unwrap();
    let _second = open(&server, "").send().await.unwrap();
    let third = open(&server, "").send().await.unwrap();
    assert_eq!(third.status(), 503);
    assert_eq!(third.headers()["retry-after"], "5");
    let problem: Value = third.json().await.unwrap();
    assert_eq!(problem["type"], "about:sayso/too-many-streams");
    // The place of a stream that ends is free again.
    drop(first);
    let deadline = Instant::now() + support::DEADLINE;
    while open(&server, "").send().await.unwrap().status() != 200 {
        assert!(Instant::now() < deadline);
    }
}
