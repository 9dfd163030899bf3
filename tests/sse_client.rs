//! The client of the event stream against servers and proxies that misbehave: one scripted connection after the other.

mod support;

use std::time::Duration;

use sayso::client::reconnect::StreamOptions;
use sayso::client::stream::{Connection, StreamItem, follow_with};
use sayso::model::Cursor;
use support::script::{Act, STREAM, Script, answer, message, notice};
use support::{Server, client_of, connection, next, reset, seq, until};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// The usual times, a hundred times faster.
fn fast() -> StreamOptions {
    StreamOptions {
        heartbeat: Duration::from_millis(100),
        patience: Duration::from_millis(200),
        trial: Duration::from_millis(100),
        quick: Duration::from_millis(1),
        delay: Duration::from_millis(10),
        max_delay: Duration::from_millis(160),
        good: Duration::from_millis(50),
        retry_stream: Duration::from_millis(600),
        poll_wait: Duration::from_secs(1),
        max_event: 64 * 1024,
        ..StreamOptions::default()
    }
}

fn at(seq: u64) -> Option<Cursor> {
    Some(Cursor {
        epoch: "e".into(),
        seq,
    })
}

fn open(script: &Script, after: Option<Cursor>) -> mpsc::Receiver<StreamItem> {
    follow_with(client_of(script.addr), after, fast())
}

fn stream(messages: &str) -> String {
    format!("{STREAM}{messages}")
}

/// The events up to the end of the stream, and why it ended.
async fn to_the_end(items: &mut mpsc::Receiver<StreamItem>) -> (Vec<u64>, String) {
    let (mut events, mut why) = (Vec::new(), String::new());
    while let Some(item) = next(items).await {
        events.extend(seq(&item));
        if let Some(Connection::Closed { reason }) = connection(&item) {
            why = reason;
        }
    }
    (events, why)
}

/// The reasons for waiting until event `last`.
async fn reasons(items: &mut mpsc::Receiver<StreamItem>, last: u64) -> (Vec<u64>, Vec<String>) {
    let (mut events, mut reasons) = (Vec::new(), Vec::new());
    while events.last() != Some(&last) {
        let item = next(items).await.expect("the stream goes on");
        events.extend(seq(&item));
        if let Some(Connection::Waiting { reason, .. }) = connection(&item) {
            reasons.push(reason);
        }
    }
    (events, reasons)
}

#[tokio::test(flavor = "multi_thread")]
async fn some_statuses_are_final() {
    for (status, word) in [
        ("401 Unauthorized", "token"),
        ("403 Forbidden", "not allowed"),
        ("404 Not Found", "no event stream"),
        ("410 Gone", "versions"),
        ("204 No Content", "nothing to stream"),
    ] {
        // First after no connection, then after a good one.
        for before in [vec![], vec![Act::Close(stream(&message(1)))]] {
            let good = before.len();
            let body = r#"{"type":"about:sayso/x","title":"X","status":400,"detail":"because","hint":"h"}"#;
            let body = if status.starts_with("204") { "" } else { body };
            let mut acts = before;
            acts.push(Act::Close(answer(
                status,
                "content-type: application/problem+json\r\n",
                body,
            )));
            acts.push(Act::Close(stream(&message(2))));
            let script = Script::start(acts).await;
            let (events, why) = to_the_end(&mut open(&script, at(0))).await;
            assert_eq!(events.len(), good, "{status}");
            assert!(why.contains(word), "{status}: {why}");
            assert!(
                body.is_empty() || why.contains("because"),
                "{status}: {why}"
            );
            assert_eq!(script.requests().len(), good + 1, "{status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_yet_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let mut items = follow_with(client_of(addr), at(4), fast());
    for _ in 0..5 {
        let reason = until(&mut items, |item| match connection(item) {
            Some(Connection::Waiting { reason, .. }) => Some(reason),
            _ => None,
        });
        assert!(reason.await.contains("refused"));
    }
    let listener = TcpListener::bind(addr).await.unwrap();
    let script = Script::on(listener, vec![Act::Hang(stream(&message(5)))]);
    assert_eq!(until(&mut items, seq).await, 5);
    // Five refusals are no reason to give the stream up for polling.
    assert!(script.requests()[0].starts_with("get /api/realtime-sync http/1.1"));
    assert_eq!(script.header(0, "last-event-id").as_deref(), Some("e-4"));
    assert_eq!(
        script.header(0, "authorization").unwrap(),
        format!("bearer {}", support::TOKEN)
    );
    assert_eq!(
        script.header(0, "accept").as_deref(),
        Some("text/event-stream")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_troubles_are_named_and_survived() {
    let broken_json = "id: e-3\nevent: notice\ndata: {\"seq\":\n\n".to_owned();
    for (trouble, word) in [
        (answer("500 Internal Server Error", "", ""), "500"),
        (
            answer(
                "503 Service Unavailable",
                "content-type: text/html\r\n",
                "<p>",
            ),
            "503",
        ),
        (
            answer("429 Too Many Requests", "retry-after: 0\r\n", ""),
            "429",
        ),
        (
            answer("200 OK", "content-type: text/html\r\n", "<p>sign in</p>"),
            "text/html",
        ),
        (answer("200 OK", "", ""), "no media type"),
        (
            answer(
                "301 Moved Permanently",
                "location: http://127.0.0.1:9/\r\n",
                "",
            ),
            "elsewhere",
        ),
        (
            answer("307 Temporary Redirect", "location: /x\r\n", ""),
            "elsewhere",
        ),
        (
            answer("308 Permanent Redirect", "location: /x\r\n", ""),
            "elsewhere",
        ),
        (answer("302 Found", "", ""), "elsewhere"),
        ("HTTP/1.1 200 OK\r\nconte".to_owned(), "reached"),
        ("SSH-2.0-OpenSSH_9.2\r\n".to_owned(), "reached"),
        // Half an event, an event that is too large, one line that is too large, nonsense.
        (stream(&message(3)[..40]), "closed"),
        (
            stream(&format!(
                "id: e-3\nevent: notice\n{}",
                "data: x\n".repeat(10_000)
            )),
            "65536 bytes",
        ),
        (
            stream(&format!("data: {}", "x".repeat(70_000))),
            "65536 bytes",
        ),
        (stream(&broken_json), "damaged"),
        // A hole, and another log without a reset.
        (stream(&message(4)), "event 4 after event 2"),
        (stream(&message(3).replace("e-3", "f-3")), "log f"),
    ] {
        let script = Script::start(vec![
            Act::Close(stream(&(message(1) + &message(2)))),
            Act::Close(trouble.clone()),
            Act::Hang(stream(&(message(3) + &message(4)))),
        ])
        .await;
        let (events, reasons) = reasons(&mut open(&script, at(0)), 4).await;
        assert_eq!(events, [1, 2, 3, 4], "{trouble}");
        assert!(
            reasons.iter().any(|r| r.contains(word)),
            "{trouble}: {reasons:?}"
        );
        // The position is kept through it, and only this server was ever asked.
        assert_eq!(
            script.header(2, "last-event-id").as_deref(),
            Some("e-2"),
            "{trouble}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_is_kept() {
    for status in ["503 Service Unavailable", "429 Too Many Requests"] {
        let script = Script::start(vec![
            Act::Close(stream(&message(1))),
            Act::Close(answer(status, "retry-after: 1\r\n", "")),
            Act::Hang(stream(&message(2))),
        ])
        .await;
        let (events, _) = reasons(&mut open(&script, at(0)), 2).await;
        assert_eq!(events, [1, 2]);
        assert!(script.gaps()[1] >= 1000, "{:?}", script.gaps());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_field_does_not_make_it_hammer_or_sleep() {
    for retry in ["retry: 0\n", "retry: 99999999999\n", "retry: abc\n"] {
        // Without an event, so that no connection counts as good.
        let act = || Act::Close(stream(&format!("{retry}data: hello\n\n")));
        let script = Script::start(vec![act(), act(), Act::Hang(stream(&message(1)))]).await;
        let (events, _) = reasons(&mut open(&script, at(0)), 1).await;
        assert_eq!(events, [1]);
        for gap in script.gaps() {
            assert!((5..5000).contains(&gap), "{retry:?}: {:?}", script.gaps());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_missing_or_odd_do_not_lose_the_position() {
    let without = |seq| format!("event: notice\ndata: {}\n\n", notice(seq));
    let with = |id: &str, seq| format!("id: {id}\nevent: notice\ndata: {}\n\n", notice(seq));
    for odd in [
        without(3),
        with("", 3),
        with("e-\0", 3),
        with("x\u{1}y", 3),
        with("é", 3),
        with("e-3", 3),
    ] {
        let script = Script::start(vec![
            Act::Close(stream(&(message(1) + &message(2)))),
            // The first message after a new connection is the one that makes the library forget.
            Act::Close(stream(&odd)),
            Act::Close(stream(
                "event: later\ndata: {\"seq\":4}\n\nid: e-9\n\nunknown: x\n\n",
            )),
            Act::Hang(stream(&message(5))),
        ])
        .await;
        let (events, _) = reasons(&mut open(&script, at(0)), 5).await;
        assert_eq!(events, [1, 2, 3, 5], "{odd:?}");
        assert_eq!(
            script.header(2, "last-event-id").as_deref(),
            Some("e-3"),
            "{odd:?}"
        );
        assert_eq!(
            script.header(3, "last-event-id").as_deref(),
            Some("e-4"),
            "{odd:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_come_again_are_given_once() {
    let all = |last: u64| stream(&(1..=last).map(message).collect::<String>());
    let script = Script::start(vec![
        Act::Close(all(3)),
        Act::Close(all(5)),
        Act::Hang(all(6)),
    ])
    .await;
    let (events, _) = reasons(&mut open(&script, at(0)), 6).await;
    assert_eq!(events, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_is_passed_on_and_followed() {
    let messages = "id: f-40\nevent: reset\ndata: {\"cursor\":\"f-40\"}\n\n".to_owned()
        + &message(41).replace("e-", "f-");
    let script = Script::start(vec![
        Act::Close(stream(&messages)),
        Act::Hang(stream(&message(42).replace("e-", "f-"))),
    ])
    .await;
    let mut items = open(&script, at(7));
    assert_eq!(until(&mut items, reset).await.to_string(), "f-40");
    assert_eq!(until(&mut items, seq).await, 41);
    assert_eq!(until(&mut items, seq).await, 42);
    assert_eq!(script.header(1, "last-event-id").as_deref(), Some("f-41"));
}

#[tokio::test(flavor = "multi_thread")]
async fn line_ends_byte_order_marks_and_pieces_do_not_matter() {
    let crlf = (message(1) + ": comment\n\n" + &message(2)).replace('\n', "\r\n");
    let cr = message(3).replace('\n', "\r") + "\r";
    let script = Script::start(vec![
        Act::Close(stream(&format!("\u{feff}{crlf}"))),
        Act::Hang(stream(&cr)),
    ])
    .await;
    let (events, _) = reasons(&mut open(&script, at(0)), 3).await;
    assert_eq!(events, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_is_left_and_heartbeats_hold_it() {
    let script = Script::start(vec![
        Act::Hang(stream(&message(1))),
        Act::Beat(stream(&message(2)), Duration::from_millis(50)),
    ])
    .await;
    let mut items = open(&script, at(0));
    let (events, reasons) = reasons(&mut items, 2).await;
    assert_eq!(events, [1, 2]);
    assert!(reasons.iter().any(|r| r.contains("silent")), "{reasons:?}");
    assert!(script.gaps()[0] >= 300, "{:?}", script.gaps());
    // Now with heartbeats: twice the time of the silence before.
    let quiet = tokio::time::timeout(Duration::from_millis(700), items.recv()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    // A server that takes the connection and says nothing at all.
    let script = Script::start(vec![
        Act::Hang(String::new()),
        Act::Hang(stream(&message(1))),
    ])
    .await;
    let (events, reasons) = self::reasons(&mut open(&script, at(0)), 1).await;
    assert_eq!(events, [1]);
    assert!(reasons[0].contains("no answer in time"), "{reasons:?}");
}

fn page(seqs: &[u64], next: &str, reset: bool) -> Act {
    let events: Vec<String> = seqs.iter().copied().map(notice).collect();
    let body = format!(
        r#"{{"events":[{}],"next":"{next}","reset":{reset}}}"#,
        events.join(",")
    );
    Act::Close(answer(
        "200 OK",
        "content-type: application/json\r\n",
        &body,
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_held_back_or_broken_gives_way_to_long_polling_and_comes_back() {
    let held = vec![Act::Hang(STREAM.to_owned())];
    let broken = vec![Act::Close(STREAM.to_owned()); 3];
    let html = Act::Close(answer("200 OK", "content-type: text/html\r\n", "<p>"));
    for before in [held, broken, vec![html; 3]] {
        let n = before.len();
        let mut acts = before;
        acts.push(page(&[1, 2], "e-2", false));
        acts.push(page(&[3], "e-3", false));
        acts.push(Act::Close(answer("503 Service Unavailable", "", "")));
        acts.push(page(&[4], "e-4", false));
        // While polling waits for news the stream's time comes: it is still held back, then it flows.
        acts.push(Act::Hang(String::new()));
        let script = Script::start(acts).await;
        let mut items = open(&script, at(0));
        let (mut events, mut polled) = (vec![], false);
        while events.len() < 4 {
            let item = next(&mut items).await.unwrap();
            events.extend(seq(&item));
            polled |= connection(&item) == Some(Connection::Polling);
        }
        assert_eq!(events, [1, 2, 3, 4]);
        assert!(polled);
        let requests = script.requests();
        assert!(
            requests[..n]
                .iter()
                .all(|r| r.starts_with("get /api/realtime-sync "))
        );
        assert!(
            requests[n].starts_with("get /api/events?limit=500&wait=0&after=e-0 "),
            "{}",
            requests[n]
        );
        assert!(requests[n + 1].starts_with("get /api/events?limit=500&wait=1&after=e-2 "));
        assert!(requests[n + 3].starts_with("get /api/events?limit=500&wait=0&after=e-3 "));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_is_tried_again_while_polling() {
    let idle = || page(&[], "e-1", false);
    let mut acts = vec![Act::Hang(STREAM.to_owned()), page(&[1], "e-1", false)];
    // Empty answers at once: not asked again before a pause, and the stream's turn comes after 600 ms.
    acts.extend((0..200).map(|_| idle()));
    let script = Script::start(acts).await;
    let mut items = open(&script, at(0));
    assert_eq!(until(&mut items, seq).await, 1);
    let deadline = std::time::Instant::now() + support::DEADLINE;
    let second = loop {
        let requests = script.requests();
        let streams = requests
            .iter()
            .enumerate()
            .filter(|(_, r)| r.starts_with("get /api/realtime-sync "));
        if let Some((n, _)) = streams.map(|(n, r)| (n, r.clone())).nth(1) {
            break n;
        }
        assert!(std::time::Instant::now() < deadline, "{requests:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!((3..100).contains(&second), "{second} requests in 600 ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_passes_resets_on_and_skips_what_it_does_not_know() {
    let script = Script::start(vec![
        Act::Hang(STREAM.to_owned()),
        page(&[41, 42], "f-42", true),
        Act::Close(answer(
            "200 OK",
            "",
            &format!(
                r#"{{"events":[{},{}],"next":"f-44"}}"#,
                notice(43).replace("notice", "confetti"),
                notice(44)
            ),
        )),
        // A hole is not passed over, in a page neither.
        page(&[46], "f-46", false),
        page(&[45, 46], "f-46", false),
        // The token is taken back.
        Act::Close(answer("401 Unauthorized", "", "")),
    ])
    .await;
    let mut items = open(&script, at(7));
    assert_eq!(until(&mut items, reset).await.to_string(), "f-40");
    let (events, why) = to_the_end(&mut items).await;
    assert_eq!(events, [41, 42, 44, 45, 46]);
    assert!(why.contains("401"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_behind_a_proxy_that_collects_is_read_by_polling() {
    // The proxy passes the head of the stream on and holds back the rest: here, 150 bytes and then nothing.
    let server = Server::start().await;
    server.append(0, 3).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let target = server.url("");
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let target = target.clone();
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(socket.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let path = head.split(' ').nth(1).unwrap().to_owned();
                if path.starts_with("/api/realtime-sync") {
                    socket.write_all(STREAM.as_bytes()).await.unwrap();
                    return std::future::pending().await;
                }
                let get = support::http()
                    .get(format!("{target}{path}"))
                    .bearer_auth(support::TOKEN);
                let body = get.send().await.unwrap().text().await.unwrap();
                socket
                    .write_all(answer("200 OK", "", &body).as_bytes())
                    .await
                    .unwrap();
            });
        }
    });
    let mut items = follow_with(client_of(addr), None, fast());
    assert_eq!(support::seqs(&mut items, 3).await, [1, 2, 3]);
    server.append(3, 2).await;
    assert_eq!(support::seqs(&mut items, 2).await, [4, 5]);
}
