//! The event stream from the log to the reader, over real connections that break.

mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sayso::client::reconnect::StreamOptions;
use sayso::client::stream::{Connection, StreamItem, follow, follow_with};
use sayso::model::Cursor;
use support::proxy::Proxy;
use support::{DEADLINE, Server, append, client_of, connection, next, reset, seq, seqs, until};

fn cursor(server: &Server, seq: u64) -> Cursor {
    Cursor {
        seq,
        ..server.log.head()
    }
}

fn quick() -> StreamOptions {
    StreamOptions {
        quick: Duration::from_millis(2),
        delay: Duration::from_millis(20),
        max_delay: Duration::from_millis(40),
        // The stream itself is under test: no way out into long-polling.
        broken_streams: u32::MAX,
        ..StreamOptions::default()
    }
}

/// A small generator of numbers, so that a failing run can be repeated.
fn random(state: &AtomicU64, below: u64) -> u64 {
    let old = state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
    let mut x = old ^ (old >> 30);
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x ^ (x >> 31)) % below
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_events_over_a_hundred_cuts_come_once_each_and_in_order() {
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok());
    let seed = seed.unwrap_or_else(|| getrandom::u64().unwrap());
    println!("SEED={seed}");
    let state = AtomicU64::new(seed);
    let mut cuts = 0;
    // A thousand events are some 190 kB; a hundred cuts of up to 3,200 bytes fall in headers, in events and between.
    let proxy = Proxy::start(move || {
        cuts += 1;
        (cuts <= 100).then(|| 1 + random(&state, 3_200) as usize)
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let server = Server::behind(&proxy, support::log(dir.path())).await;
    let mut items = follow_with(client_of(proxy.addr), Some(cursor(&server, 0)), quick());
    let writer = async {
        let mut written = 0;
        while written < 1000 {
            let n = 10.min(1000 - written);
            server.append(written, n).await;
            written += n;
        }
    };
    let reader = async {
        let mut got = Vec::new();
        while got.len() < 1000 {
            match next(&mut items).await.unwrap() {
                StreamItem::Event(event) => {
                    got.push((event.seq, event.data["message"].as_u64().unwrap()));
                }
                StreamItem::Reset(cursor) => panic!("reset to {cursor}"),
                StreamItem::Connection(Connection::Closed { reason }) => panic!("{reason}"),
                StreamItem::Connection(_) => {}
            }
        }
        got
    };
    let ((), got) = tokio::join!(writer, reader);
    let expected: Vec<(u64, u64)> = (1..=1000).map(|seq| (seq, seq - 1)).collect();
    assert_eq!(got, expected);
    let connections = proxy.connections.load(Ordering::SeqCst);
    println!("{connections} connections");
    // Cuts that are left over when the events run out would prove nothing: append until all have happened.
    let mut last = 1000;
    while proxy.connections.load(Ordering::SeqCst) <= 100 {
        server.append(last, 20).await;
        let more = seqs(&mut items, 20).await;
        assert_eq!(
            more,
            (last as u64 + 1..=last as u64 + 20).collect::<Vec<_>>()
        );
        last += 20;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_is_found_again_and_nothing_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let log = support::log(dir.path());
    let proxy = Proxy::start(|| None).await;
    let first = Server::behind(&proxy, log.clone()).await;
    let mut items = follow(client_of(proxy.addr), Some(cursor(&first, 0)));
    first.append(0, 3).await;
    assert_eq!(seqs(&mut items, 3).await, [1, 2, 3]);
    first.shutdown.cancel();
    let waiting = until(&mut items, |item| match connection(item) {
        Some(Connection::Waiting { reason, retry_ms }) => Some((reason, retry_ms)),
        _ => None,
    })
    .await;
    assert!(waiting.1 <= 250, "the first attempt is quick: {waiting:?}");
    drop(first);
    append(&log, 3, 2).await;
    let second = Server::behind(&proxy, log).await;
    let up = Instant::now();
    assert_eq!(seqs(&mut items, 2).await, [4, 5]);
    assert!(up.elapsed() < Duration::from_secs(2), "{:?}", up.elapsed());
    drop(second);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_log_and_a_position_beyond_the_end_are_resets() {
    let server = Server::start().await;
    server.append(0, 2).await;
    let here = server.log.head().epoch;
    let beyond = cursor(&server, 7);
    let foreign = Cursor {
        epoch: "elsewhere".into(),
        seq: 1,
    };
    for after in [beyond, foreign] {
        let mut items = follow(server.client(), Some(after));
        let to = until(&mut items, |item| {
            assert_eq!(seq(item), None, "an event before the reset");
            reset(item)
        })
        .await;
        let expected = Cursor {
            epoch: here.clone(),
            seq: 0,
        };
        assert_eq!(to, expected);
        assert_eq!(seqs(&mut items, 2).await, [1, 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_replaced_under_the_reader_is_a_reset() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let proxy = Proxy::start(|| None).await;
    let first = Server::behind(&proxy, support::log(one.path())).await;
    first.append(0, 2).await;
    let mut items = follow(client_of(proxy.addr), None);
    assert_eq!(seqs(&mut items, 2).await, [1, 2]);
    let second = Server::behind(&proxy, support::log(two.path())).await;
    second.append(0, 1).await;
    first.shutdown.cancel();
    assert_eq!(until(&mut items, reset).await, cursor(&second, 0));
    assert_eq!(seqs(&mut items, 1).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_far_behind_catches_up_and_then_follows_live() {
    let server = Server::start().await;
    for first in (0..5000).step_by(500) {
        server.append(first, 500).await;
    }
    let mut items = follow(server.client(), Some(cursor(&server, 10)));
    assert_eq!(
        seqs(&mut items, 4990).await,
        (11..=5000).collect::<Vec<_>>()
    );
    // More than the live tail holds, while the reader does not read.
    for first in (5000..9000).step_by(500) {
        server.append(first, 500).await;
    }
    assert_eq!(
        seqs(&mut items, 4000).await,
        (5001..=9000).collect::<Vec<_>>()
    );
    server.append(9000, 1).await;
    assert_eq!(seqs(&mut items, 1).await, [9001]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_event_gets_through() {
    let server = Server::start().await;
    // Eight bytes each as JSON.
    let text = "\"\n<é>".repeat((sayso::events::MAX_EVENT_BYTES - 100) / 8);
    let event = sayso::model::NewEvent::new(
        sayso::model::EventKind::Proposal,
        "ada",
        serde_json::json!({ "patch": text }),
    );
    server.log.append(vec![event], vec![]).await.unwrap();
    let mut items = follow(server.client(), None);
    let patch = until(&mut items, |item| match item {
        StreamItem::Event(event) => Some(event.data["patch"].clone()),
        _ => None,
    })
    .await;
    assert_eq!(patch, text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_stream_stays_and_a_dropped_reader_leaves() {
    let server = Server::with(|o| o.heartbeat = Duration::from_millis(50)).await;
    let options = StreamOptions {
        heartbeat: Duration::from_millis(100),
        ..quick()
    };
    let mut items = follow_with(server.client(), None, options);
    assert_eq!(
        next(&mut items).await,
        Some(StreamItem::Connection(Connection::Connecting))
    );
    assert_eq!(
        next(&mut items).await,
        Some(StreamItem::Connection(Connection::Streaming))
    );
    // Three times as long as silence would be taken for death.
    let quiet = tokio::time::timeout(Duration::from_millis(900), items.recv()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    server.append(0, 1).await;
    assert_eq!(seqs(&mut items, 1).await, [1]);
    let clients = async || {
        let metrics = support::http()
            .get(server.url("/metrics"))
            .bearer_auth(support::TOKEN);
        let text = metrics.send().await.unwrap().text().await.unwrap();
        let line = text
            .lines()
            .find(|l| l.starts_with("sayso_stream_clients "))
            .unwrap();
        line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(clients().await, 1);
    drop(items);
    let deadline = Instant::now() + DEADLINE;
    while clients().await != 0 {
        assert!(Instant::now() < deadline, "the connection stays open");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
