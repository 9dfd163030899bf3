//! Stands between Sayso and the stand-in: notes and checks every request, and does what a test asks of it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::describe;

/// A relay in a runtime of its own, so that it outlives whatever asks it.
pub struct Relay {
    pub url: String,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

struct Shared {
    backend: String,
    http: reqwest::Client,
    seen: Mutex<Vec<Seen>>,
    wrong: Mutex<Vec<String>>,
    rules: Mutex<Vec<Rule>>,
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub body: Value,
    pub status: u16,
}

/// What happens to some requests.
pub struct Rule {
    pub method: &'static str,
    pub part: String,
    /// So many are let through first.
    pub skip: usize,
    /// So many are met.
    pub times: usize,
    pub act: Act,
}

type Hook = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;
type Own = Arc<dyn Fn(Value) -> BoxFuture<'static, Value> + Send + Sync>;

#[derive(Clone)]
pub enum Act {
    /// An answer in the stand-in's place.
    Answer(u16, Vec<(&'static str, String)>, Value),
    /// The connection breaks before the request is handed on.
    DropBefore,
    /// The request is handed on, its answer is lost.
    DropAfter,
    /// The answer breaks off in the middle.
    Torn,
    /// Something happens first.
    First(Hook),
    /// More headers.
    Headers(Vec<(&'static str, String)>),
    /// Another path below the stand-in.
    Elsewhere(String, String),
    /// An answer of one's own.
    Own(Own),
}

impl Relay {
    pub fn to(backend: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shared = Arc::new(Shared {
            backend: backend.to_owned(),
            http: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            seen: Mutex::default(),
            wrong: Mutex::default(),
            rules: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(SocketAddr::from((
                [127, 0, 0, 1],
                0,
            ))))
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new()
            .fallback(handle)
            .with_state(Arc::clone(&shared));
        runtime.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            shared,
            _runtime: runtime,
        }
    }

    pub fn rule(&self, method: &'static str, part: &str, act: Act) {
        self.nth(method, part, 0, 1, act);
    }

    pub fn nth(&self, method: &'static str, part: &str, skip: usize, times: usize, act: Act) {
        self.shared.rules.lock().unwrap().push(Rule {
            method,
            part: part.to_owned(),
            skip,
            times,
            act,
        });
    }

    pub fn clear(&self) {
        self.shared.rules.lock().unwrap().clear();
        self.shared.seen.lock().unwrap().clear();
    }

    /// What came since the last look.
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.shared.seen.lock().unwrap())
    }

    /// Nothing came that GitHub's description does not know.
    pub fn assert_described(&self) {
        let wrong = self.shared.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

impl Shared {
    fn act(&self, method: &str, path: &str) -> Option<Act> {
        let mut rules = self.rules.lock().unwrap();
        for rule in rules.iter_mut() {
            if (rule.method == method || rule.method == "*")
                && path.contains(&rule.part)
                && rule.times > 0
            {
                if rule.skip > 0 {
                    rule.skip -= 1;
                    continue;
                }
                rule.times -= 1;
                return Some(rule.act.clone());
            }
        }
        None
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or(""));
    let described = path.replacen("/repositories/77", "/repos/ada/site", 1);
    if described != "/graphql" {
        let sent = (!bytes.is_empty()).then_some(&body);
        if let Err(wrong) = describe::check(parts.method.as_str(), &described, query, sent) {
            shared
                .wrong
                .lock()
                .unwrap()
                .push(format!("{} {path}?{query}: {wrong}", parts.method));
        }
    }
    let note = |status: u16| {
        shared.seen.lock().unwrap().push(Seen {
            method: parts.method.to_string(),
            path: path.clone(),
            body: body.clone(),
            status,
        });
    };
    let act = shared.act(parts.method.as_str(), &path);
    let mut target = path.clone();
    let mut more = Vec::new();
    match &act {
        Some(Act::Answer(status, headers, body)) => {
            note(*status);
            return answer(*status, headers, body.to_string().into());
        }
        Some(Act::DropBefore) => {
            note(0);
            broken();
        }
        Some(Act::First(hook)) => hook().await,
        Some(Act::Headers(headers)) => more.clone_from(headers),
        Some(Act::Elsewhere(from, to)) => target = path.replacen(from, to, 1),
        Some(Act::Own(own)) => {
            let body = own(body.clone()).await;
            note(200);
            return answer(200, &[], body.to_string().into());
        }
        _ => {}
    }
    let query = if query.is_empty() {
        String::new()
    } else {
        format!("?{query}")
    };
    let mut forward = shared.http.request(
        parts.method.clone(),
        format!("{}{target}{query}", shared.backend),
    );
    for name in ["authorization", "content-type", "accept", "user-agent"] {
        if let Some(value) = parts.headers.get(name) {
            forward = forward.header(name, value);
        }
    }
    let response = forward.body(bytes).send().await.unwrap();
    let status = response.status().as_u16();
    let kept: Vec<(&'static str, String)> = ["x-oauth-scopes", "content-type", "etag"]
        .into_iter()
        .filter_map(|name| {
            Some((
                name,
                response.headers().get(name)?.to_str().ok()?.to_owned(),
            ))
        })
        .chain(more)
        .collect();
    let bytes = response.bytes().await.unwrap();
    note(status);
    match act {
        Some(Act::DropAfter) => broken(),
        Some(Act::Torn) => {
            let half = bytes.slice(..bytes.len() / 2);
            let pieces: Vec<Result<Bytes, std::io::Error>> =
                vec![Ok(half), Err(std::io::Error::other("torn"))];
            Response::builder()
                .status(status)
                .header("content-length", bytes.len())
                .body(Body::from_stream(futures::stream::iter(pieces)))
                .unwrap()
        }
        _ => answer(status, &kept, bytes),
    }
}

fn answer(status: u16, headers: &[(&'static str, String)], body: Bytes) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(body)).unwrap()
}

/// Ends the connection's task, and so the connection, without the words of a panic.
fn broken() -> ! {
    std::panic::resume_unwind(Box::new(()))
}

/// A refusal as GitHub words it.
pub fn refusal(message: &str) -> Value {
    json!({ "message": message, "documentation_url": "https://docs.github.com/rest" })
}
