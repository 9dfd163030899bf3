//! A reverse proxy as they stand before servers, which misbehaves when told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The path below which the server is, for those outside.
pub const BELOW: &str = "/projects/site";

/// What the proxy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Passes everything on.
    Pass,
    /// Answers 502 with a page of its own.
    Bad,
    /// Passes the head of an event stream on and keeps its body back.
    Hold,
}

/// The proxy; it ends with this.
pub struct Relay {
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    now: Mutex<(Mode, Option<SocketAddr>, CancellationToken)>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// A proxy to nowhere yet.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            now: Mutex::new((Mode::Pass, None, CancellationToken::new())),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { addr, shared, task }
    }

    /// Everything goes to `target`.
    pub fn lead_to(&self, target: SocketAddr) {
        self.shared.now.lock().unwrap().1 = Some(target);
    }

    /// From now on it does this; streams that are open are cut.
    pub fn turn(&self, mode: Mode) {
        let mut now = self.shared.now.lock().unwrap();
        now.0 = mode;
        std::mem::take(&mut now.2).cancel();
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mode, target, cut) = {
        let now = shared.now.lock().unwrap();
        (now.0, now.1, now.2.clone())
    };
    let bad = || (StatusCode::BAD_GATEWAY, "<h1>502 Bad Gateway</h1>").into_response();
    let (Some(target), true) = (target, mode != Mode::Bad) else {
        return bad();
    };
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let path = path.strip_prefix(BELOW).unwrap_or(path);
    let sent = crate::support::http()
        .request(parts.method, format!("http://{target}{path}"))
        .headers(parts.headers)
        .body(body)
        .send();
    let Ok(answer) = sent.await else {
        return bad();
    };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    for name in [CONNECTION, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    let is_stream = headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == "text/event-stream");
    let bytes = answer.bytes_stream();
    let body = if is_stream && mode == Mode::Hold {
        let kept = bytes.filter_map(|_| std::future::ready(None::<Result<Bytes, reqwest::Error>>));
        Body::from_stream(kept.take_until(cut.cancelled_owned()))
    } else {
        Body::from_stream(bytes.take_until(cut.cancelled_owned()))
    };
    let mut response = (status, body).into_response();
    *response.headers_mut() = headers;
    response
}
