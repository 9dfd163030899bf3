//! A server on a loopback port that answers as it is scripted, and the faults of a network before it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// `METHOD /path`
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What a service does.
pub trait Script: Send + Sync + 'static {
    fn answer(&self, request: &Seen) -> Response;
}

/// What the network does to the next request whose line contains a text.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The connection breaks before the service hears of it.
    Lost,
    /// The service does it, and its answer is lost.
    AnswerLost,
    /// Another answer than the service's; it does nothing.
    Says(u16, &'static [(&'static str, &'static str)], Value),
    /// The service answers after so long.
    Late(Duration),
    /// The body comes in pieces of so many bytes.
    Slow(usize),
}

#[derive(Default)]
struct State0 {
    seen: Vec<Seen>,
    /// The request of this number meets this.
    nth: Option<(usize, Fault)>,
    faults: VecDeque<(String, Fault)>,
}

/// A scripted service behind a network.
pub struct Service<S> {
    pub url: url::Url,
    pub script: Arc<S>,
    state: Arc<Mutex<State0>>,
}

#[derive(Clone)]
struct App {
    script: Arc<dyn Script>,
    state: Arc<Mutex<State0>>,
}

/// A header by which the server tells the network before it to drop the connection.
const DROP: &str = "x-test-drop";

impl<S: Script> Service<S> {
    /// Starts the service; `make` is given its address.
    pub async fn start(make: impl FnOnce(&str) -> S) -> Self {
        let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inner = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (front_address, inner_address) =
            (front.local_addr().unwrap(), inner.local_addr().unwrap());
        let base = format!("http://{front_address}");
        let script = Arc::new(make(&base));
        let state = Arc::new(Mutex::new(State0::default()));
        let app = App {
            script: script.clone(),
            state: state.clone(),
        };
        let router = Router::new().fallback(serve).with_state(app);
        tokio::spawn(async move { axum::serve(inner, router).await.unwrap() });
        tokio::spawn(network(front, inner_address));
        Self {
            url: url::Url::parse(&base).unwrap(),
            script,
            state,
        }
    }

    fn state(&self) -> MutexGuard<'_, State0> {
        self.state.lock().unwrap()
    }

    /// The next request whose line contains `line` meets `fault`.
    pub fn fault(&self, line: &str, fault: Fault) {
        self.state().faults.push_back((line.to_owned(), fault));
    }

    /// The request of this number, counted from 0 since [`Self::forget`], meets `fault`.
    pub fn nth(&self, number: usize, fault: Fault) {
        self.state().nth = Some((number, fault));
    }

    /// Requests whose line contains `line`.
    pub fn seen(&self, line: &str) -> Vec<Seen> {
        let state = self.state();
        state
            .seen
            .iter()
            .filter(|seen| seen.line().contains(line))
            .cloned()
            .collect()
    }

    pub fn forget(&self) {
        self.state().seen.clear();
    }
}

pub fn reply(status: u16, body: &Value) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

pub fn page(status: u16, text: &str) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "text/html")
        .body(Body::from(text.to_owned()))
        .unwrap()
}

fn dropped() -> Response {
    Response::builder()
        .header(DROP, "1")
        .body(Body::empty())
        .unwrap()
}

async fn serve(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let seen = Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    value.to_str().unwrap_or_default().to_owned(),
                )
            })
            .collect(),
        body: axum::body::to_bytes(body, usize::MAX)
            .await
            .unwrap_or_default(),
    };
    let fault = {
        let mut state = app.state.lock().unwrap();
        state.seen.push(seen.clone());
        let number = state.seen.len() - 1;
        let nth = state.nth.take_if(|(at, _)| *at == number);
        let at = state
            .faults
            .iter()
            .position(|(line, _)| seen.line().contains(line.as_str()));
        let mut of_line = || at.and_then(|at| state.faults.remove(at));
        nth.map(|(_, fault)| fault)
            .or_else(|| of_line().map(|(_, fault)| fault))
    };
    match fault {
        None => app.script.answer(&seen),
        Some(Fault::Lost) => dropped(),
        Some(Fault::AnswerLost) => {
            drop(app.script.answer(&seen));
            dropped()
        }
        Some(Fault::Says(status, headers, body)) => {
            let mut answer = reply(status, &body);
            for (name, value) in headers {
                answer.headers_mut().insert(*name, value.parse().unwrap());
            }
            answer
        }
        Some(Fault::Late(wait)) => {
            tokio::time::sleep(wait).await;
            app.script.answer(&seen)
        }
        Some(Fault::Slow(size)) => {
            let (parts, body) = app.script.answer(&seen).into_parts();
            let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let pieces: Vec<Bytes> = whole.chunks(size).map(Bytes::copy_from_slice).collect();
            let slow = futures::stream::unfold(pieces.into_iter(), |mut pieces| async move {
                let piece = pieces.next()?;
                tokio::time::sleep(Duration::from_millis(2)).await;
                Some((Ok::<_, std::io::Error>(piece), pieces))
            });
            let mut answer = Response::from_parts(parts, Body::from_stream(slow));
            answer.headers_mut().remove("content-length");
            answer
        }
    }
}

/// Passes bytes on, and drops the connection where the service says so.
async fn network(front: TcpListener, inner: SocketAddr) {
    loop {
        let Ok((client, _)) = front.accept().await else {
            return;
        };
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(inner).await else {
                return;
            };
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            let up =
                tokio::spawn(
                    async move { tokio::io::copy(&mut from_client, &mut to_server).await },
                );
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read) = from_server.read(&mut buffer).await {
                let chunk = &buffer[..read];
                let drops = chunk
                    .windows(DROP.len())
                    .any(|window| window == DROP.as_bytes());
                if read == 0 || drops || to_client.write_all(chunk).await.is_err() {
                    break;
                }
            }
            up.abort();
        });
    }
}

/// An error as Vercel words it.
pub fn vercel_error(code: &str, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message } })
}
