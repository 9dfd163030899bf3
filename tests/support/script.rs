//! A server that plays a script: for each connection in turn, what it answers and how it ends.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens on one connection.
#[derive(Clone)]
pub enum Act {
    /// Sends the bytes, then closes.
    Close(String),
    /// Sends the bytes, then keeps the connection open in silence.
    Hang(String),
    /// Sends the bytes, then a comment in each interval.
    Beat(String, Duration),
    /// Closes without a word.
    Slam,
}

/// The server. After its last act it slams the door.
pub struct Script {
    pub addr: SocketAddr,
    requests: Arc<Mutex<Vec<(std::time::Instant, String)>>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Drop for Script {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Script {
    pub async fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, acts)
    }

    pub fn on(listener: TcpListener, acts: Vec<Act>) -> Self {
        let addr = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        let accepting = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            let mut acts = acts.into_iter();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let act = acts.next().unwrap_or(Act::Slam);
                open.spawn(play(socket, act, seen.clone()));
            }
        });
        Self {
            addr,
            requests,
            accepting,
        }
    }

    /// The heads of the requests so far, in lower case.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|(_, head)| head.clone()).collect()
    }

    /// Milliseconds between one request and the next.
    pub fn gaps(&self) -> Vec<u128> {
        let requests = self.requests.lock().unwrap();
        requests
            .windows(2)
            .map(|pair| (pair[1].0 - pair[0].0).as_millis())
            .collect()
    }

    /// What the `n`th request said in `name`.
    pub fn header(&self, n: usize, name: &str) -> Option<String> {
        let requests = self.requests();
        requests[n]
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
            .map(str::to_owned)
    }
}

async fn play(
    mut socket: TcpStream,
    act: Act,
    seen: Arc<Mutex<Vec<(std::time::Instant, String)>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = socket.read_u8().await else {
            return;
        };
        head.push(byte);
    }
    let text = String::from_utf8(head).unwrap().to_ascii_lowercase();
    seen.lock().unwrap().push((std::time::Instant::now(), text));
    let (bytes, beat) = match act {
        Act::Close(bytes) => {
            let _ = socket.write_all(bytes.as_bytes()).await;
            return;
        }
        Act::Slam => return,
        Act::Hang(bytes) => (bytes, None),
        Act::Beat(bytes, every) => (bytes, Some(every)),
    };
    let _ = socket.write_all(bytes.as_bytes()).await;
    match beat {
        None => std::future::pending().await,
        Some(every) => loop {
            tokio::time::sleep(every).await;
            if socket.write_all(b":\n").await.is_err() {
                return;
            }
        },
    }
}

/// The head of an event stream that ends when the connection does.
pub const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

/// An answer with `status`, more headers (each ending in CR LF) and a body.
pub fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The JSON of a notice with place `seq`.
pub fn notice(seq: u64) -> String {
    format!(
        r#"{{"seq":{seq},"at":"2026-01-01T00:00:00Z","type":"notice","project":"p","actor":"a","data":{{}}}}"#
    )
}

/// A notice of the log `e` as a message of an event stream.
pub fn message(seq: u64) -> String {
    format!("id: e-{seq}\nevent: notice\ndata: {}\n\n", notice(seq))
}
