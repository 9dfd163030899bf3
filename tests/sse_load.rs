//! A thousand readers of one stream: what one costs, and how soon an event reaches all of them.
//!
//! The figures mean something on a quiet machine and in a release build, so this runs on request:
//! `cargo test --release --test sse_load -- --ignored --nocapture`. The server is a process of its own.

mod support;

use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Server, TOKEN};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const READERS: usize = 1000;
const EVENTS: usize = 50;

/// The other process: serves, appends an event for each line it is sent and says when it was on disk.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the server of the test below"]
async fn server_of_a_thousand_readers() {
    if std::env::var_os("SAYSO_LOAD_SERVER").is_none() {
        return;
    }
    let server = Server::start().await;
    let mut out = std::io::stdout().lock();
    writeln!(out, "\naddr {}", server.running.addr).unwrap();
    for (n, line) in std::io::stdin().lock().lines().enumerate() {
        line.unwrap();
        server.append(n, 1).await;
    }
}

fn rss_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn reader(addr: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(addr).await.unwrap();
    let request = format!(
        "GET /api/realtime-sync HTTP/1.1\r\nhost: {addr}\r\nauthorization: Bearer {TOKEN}\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b":\n\r\n") {
        seen.push(socket.read_u8().await.unwrap());
    }
    socket
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(target_os = "linux")]
#[ignore = "a measurement: see the head of this file"]
async fn a_thousand_readers() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "server_of_a_thousand_readers",
            "--ignored",
            "--nocapture",
        ])
        .env("SAYSO_LOAD_SERVER", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let addr: SocketAddr = lines
        .find_map(|line| {
            line.unwrap()
                .strip_prefix("addr ")
                .map(|a| a.parse().unwrap())
        })
        .unwrap();
    let mut first = reader(addr).await;
    let before = rss_kib(child.id());
    let began = Instant::now();
    let mut sockets = Vec::new();
    for _ in 0..READERS {
        sockets.push(reader(addr).await);
    }
    println!("{READERS} readers connected in {:?}", began.elapsed());
    let idle = rss_kib(child.id());
    let mut stdin = child.stdin.take().unwrap();
    let (report, mut reports) = tokio::sync::mpsc::unbounded_channel();
    for mut socket in sockets {
        let report = report.clone();
        tokio::spawn(async move {
            let (mut text, mut seen, mut buffer) = (String::new(), 0, vec![0; 2048]);
            while seen < EVENTS {
                let n = socket.read(&mut buffer).await.unwrap();
                assert_ne!(n, 0);
                let now = Instant::now();
                text.push_str(&String::from_utf8_lossy(&buffer[..n]));
                while let Some(end) = text.find("}\n\n") {
                    text.drain(..end + 3);
                    seen += 1;
                    report.send((seen, now)).unwrap();
                }
            }
            socket
        });
    }
    let mut delays = Vec::new();
    for n in 1..=EVENTS {
        let sent = Instant::now();
        writeln!(stdin, "x").unwrap();
        for _ in 0..READERS {
            let (seen, at) = reports.recv().await.unwrap();
            assert_eq!(seen, n);
            delays.push(at - sent);
        }
    }
    delays.sort();
    let at = |share: usize| delays[(delays.len() - 1) * share / 1000];
    let busy = rss_kib(child.id());
    println!(
        "append to reader: p50 {:?}, p99 {:?}, worst {:?}",
        at(500),
        at(990),
        at(1000)
    );
    println!(
        "server: {before} KiB with one reader, {idle} KiB with {READERS} idle, {busy} KiB after {EVENTS} events each"
    );
    let each = |kib: u64| (kib - before) as f64 / READERS as f64;
    println!(
        "{:.1} KiB each idle, {:.1} KiB each after",
        each(idle),
        each(busy)
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let mut rest = [0; 1];
    let _ = first.read(&mut rest).await;
    assert!(each(busy) <= 25.0, "{:.1} KiB for each reader", each(busy));
    let bar = Duration::from_millis(if cfg!(debug_assertions) { 200 } else { 50 });
    assert!(at(990) <= bar, "p99 {:?}", at(990));
}
