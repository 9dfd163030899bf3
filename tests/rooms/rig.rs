//! What the tests of rooms need: clients of npm, a raw socket, and a proposal on a repository.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use sayso::room::{Frame, State};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::Message;

/// How long a test waits for what must happen.
pub const DEADLINE: Duration = Duration::from_secs(40);

/// Where the clients' packages are; `None`, with a word about it, when there is no node to run them.
pub fn services() -> Option<PathBuf> {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services");
    let node = std::process::Command::new("node").arg("--version").output();
    if node.is_err() {
        eprintln!("skipped: there is no `node` on this machine");
        return None;
    }
    assert!(
        services.join("node_modules/yjs").exists(),
        "run `scripts/setup.sh services`: the clients of npm are not installed"
    );
    Some(services)
}

/// A process with clients of npm in it.
pub struct Clients {
    pipe: Mutex<(u64, ChildStdin, Lines<BufReader<ChildStdout>>)>,
    _child: Child,
}

impl Clients {
    pub fn start() -> Option<Self> {
        services()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rooms/clients.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Some(Self {
            pipe: Mutex::new((0, input, output)),
            _child: child,
        })
    }

    /// Runs a command; its answer.
    pub async fn tell(&self, op: &str, id: &str, mut more: Value) -> Value {
        let mut pipe = self.pipe.lock().await;
        pipe.0 += 1;
        let n = pipe.0;
        more["op"] = op.into();
        more["id"] = id.into();
        more["n"] = n.into();
        let line = format!("{more}\n");
        pipe.1.write_all(line.as_bytes()).await.unwrap();
        let answer = tokio::time::timeout(DEADLINE, pipe.2.next_line());
        let answer: Value = match answer.await {
            Ok(Ok(Some(line))) => serde_json::from_str(&line).unwrap(),
            other => panic!("{op} {id}: {other:?}"),
        };
        assert_eq!(answer["n"], n);
        assert!(answer.get("error").is_none(), "{op} {id}: {answer}");
        answer
    }

    /// Opens a client in a room.
    pub async fn open(&self, id: &str, url: &str, room: &str, token: &str) -> u64 {
        let more = json!({ "url": format!("{url}/realtime"), "room": room, "token": token });
        self.tell("open", id, more).await["client"]
            .as_u64()
            .unwrap()
    }

    pub async fn state(&self, id: &str) -> Value {
        self.tell("state", id, json!({})).await
    }

    /// Waits until the state of a client is as wished.
    pub async fn until(&self, id: &str, what: &str, good: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let state = self.state(id).await;
            if good(&state) {
                return state;
            }
            assert!(began.elapsed() < DEADLINE, "{id}: {what}: {state:#}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a text of a client is as wished.
    pub async fn until_text(&self, id: &str, path: &str, text: &str) {
        self.until(id, text, |state| state["texts"][path] == text)
            .await;
    }
}

/// Waits for a condition.
pub async fn until(what: &str, mut good: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !good().await {
        assert!(began.elapsed() < DEADLINE, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A socket by hand.
pub struct Raw {
    pub socket: WebSocketStream<TcpStream>,
}

impl Raw {
    /// Opens `room` at `addr`.
    pub async fn open(addr: &str, room: &str, token: &str) -> Self {
        Self::on(TcpStream::connect(addr).await.unwrap(), addr, room, token).await
    }

    /// As [`Raw::open`], with little space for what is not read yet.
    pub async fn narrow(addr: &str, room: &str, token: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = socket.connect(addr.parse().unwrap()).await.unwrap();
        Self::on(stream, addr, room, token).await
    }

    async fn on(stream: TcpStream, addr: &str, room: &str, token: &str) -> Self {
        let url = format!("ws://{addr}/realtime/{room}");
        let mut request = url.into_client_request().unwrap();
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        let (socket, _) = tokio_tungstenite::client_async(request, stream)
            .await
            .unwrap();
        Self { socket }
    }

    pub async fn send(&mut self, bytes: impl Into<bytes::Bytes>) {
        self.socket
            .send(Message::Binary(bytes.into()))
            .await
            .unwrap();
    }

    pub async fn frame(&mut self, frame: Frame<'_>) {
        self.send(frame.encode()).await;
    }

    /// The next binary message; `None` after the end.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let next = tokio::time::timeout(DEADLINE, self.socket.next());
            match next.await.expect("something comes in time") {
                Some(Ok(Message::Binary(bytes))) => return Some(bytes.to_vec()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Reads until a frame is as wished.
    pub async fn until(&mut self, good: impl Fn(&Frame<'_>) -> bool) -> Vec<u8> {
        loop {
            let bytes = self.next().await.expect("the connection stays");
            if good(&Frame::decode(&bytes).unwrap()) {
                return bytes;
            }
        }
    }

    /// Reads until presence is told that is as wished.
    pub async fn until_present(&mut self, good: impl Fn(&[State]) -> bool) {
        let wished = |frame: &Frame<'_>| matches!(frame, Frame::Awareness(states) if good(states));
        self.until(wished).await;
    }

    /// Reads until the connection is closed; the close code.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            let next = tokio::time::timeout(DEADLINE, self.socket.next());
            match next.await.expect("it ends in time") {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}
