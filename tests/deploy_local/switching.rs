//! Requests without end while releases change under them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sayso::deploy::DeployTarget;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::*;

const REQUESTS: usize = 10_000;

/// Bodies of different lengths, each of one letter only: whatever is torn or mixed shows.
fn site(letter: char, kilobytes: usize) -> Arc<dyn sayso::model::Source> {
    let text = letter.to_string();
    Commit::of(
        &text,
        [
            ("index.html", text.repeat(kilobytes * 1024 + 7)),
            // Too large to be kept in memory: streamed from disk.
            ("large.bin", text.repeat(300 * 1024 + kilobytes)),
        ],
    )
}

/// Reads one answer from a connection that stays open.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> (String, Vec<u8>) {
    buffer.clear();
    let mut chunk = [0; 64 * 1024];
    let head = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        let read = stream.read(&mut chunk).await.unwrap();
        assert!(read > 0, "the connection was dropped");
        buffer.extend_from_slice(&chunk[..read]);
    };
    let text = String::from_utf8(buffer[..head].to_vec())
        .unwrap()
        .to_ascii_lowercase();
    let length: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .expect("a length")
        .parse()
        .unwrap();
    while buffer.len() < head + length {
        let read = stream.read(&mut chunk).await.unwrap();
        assert!(read > 0, "the body was cut off");
        buffer.extend_from_slice(&chunk[..read]);
    }
    assert_eq!(buffer.len(), head + length, "more than was promised");
    (text, buffer[head..].to_vec())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_requests_see_whole_releases_only() {
    let rig = rig(|_| {}).await;
    let a = rig.deploy(site('a', 3)).await.unwrap().release;
    let b = rig.deploy(site('b', 5)).await.unwrap().release;
    let (port, done) = (rig.port(), Arc::new(AtomicUsize::new(0)));
    let (seen_a, seen_b) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let finished = Arc::new(AtomicBool::new(false));

    let started = Instant::now();
    let mut clients = Vec::new();
    for client in 0..8 {
        let (a, b, done) = (a.clone(), b.clone(), done.clone());
        let (seen_a, seen_b) = (seen_a.clone(), seen_b.clone());
        clients.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let mut buffer = Vec::new();
            while done.fetch_add(1, Ordering::Relaxed) < REQUESTS {
                // One client in eight asks for the file that is streamed from disk.
                let (path, a_size, b_size) = if client == 0 {
                    ("/large.bin", 300 * 1024 + 3, 300 * 1024 + 5)
                } else {
                    ("/", 3 * 1024 + 7, 5 * 1024 + 7)
                };
                let ask = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n");
                stream.write_all(ask.as_bytes()).await.unwrap();
                let (head, body) = answer(&mut stream, &mut buffer).await;
                assert!(head.starts_with("http/1.1 200"), "{head}");
                let (letter, size, seen) = if head.contains(a.as_str()) {
                    (b'a', a_size, &seen_a)
                } else {
                    assert!(head.contains(b.as_str()), "{head}");
                    (b'b', b_size, &seen_b)
                };
                assert_eq!(body.len(), size);
                assert!(body.iter().all(|byte| *byte == letter), "a torn body");
                seen.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let switching = {
        let (target, finished) = (rig.target.clone(), finished.clone());
        tokio::spawn(async move {
            let (mut switches, mut slowest) = (0, Duration::ZERO);
            while !finished.load(Ordering::Relaxed) || switches < 100 {
                let to = if switches % 2 == 0 { &a } else { &b };
                let began = Instant::now();
                target.rollback(PRODUCTION, Some(to)).await.unwrap();
                slowest = slowest.max(began.elapsed());
                switches += 1;
            }
            (switches, slowest)
        })
    };
    for client in clients {
        client.await.unwrap();
    }
    let took = started.elapsed();
    finished.store(true, Ordering::Relaxed);
    let (switches, slowest) = switching.await.unwrap();
    let (a, b) = (
        seen_a.load(Ordering::Relaxed),
        seen_b.load(Ordering::Relaxed),
    );
    println!(
        "{REQUESTS} requests in {took:?} ({:.0}/s), {switches} switches, slowest {slowest:?}; a {a}, b {b}",
        REQUESTS as f64 / took.as_secs_f64()
    );
    assert_eq!(a + b, REQUESTS);
    assert!(a > 0 && b > 0);
}
