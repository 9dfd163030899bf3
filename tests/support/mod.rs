//! What several tests need: a log, a server on it, and things on the wire that misbehave.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod proxy;
pub mod script;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sayso::client::stream::{Connection, StreamItem};
use sayso::client::{Client, Endpoint};
use sayso::config::Config;
use sayso::events::EventLog;
use sayso::model::api::RepositoryStatus;
use sayso::model::{Cursor, EventKind, FileTree, NewEvent, Problem, ProposedFile, Source};
use sayso::pipeline::{Conductor, Setup};
use sayso::server::{Running, ServerOptions, serve};
use sayso::store::Store;
use sayso::vcs::{CommitRequest, Committed, Prepared, Repository};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must happen.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// The token of all test servers.
pub const TOKEN: &str = "the-token-of-the-tests";

/// A conductor on `log`: the one place where tests make one.
pub fn conductor(log: EventLog) -> Arc<Conductor> {
    let setup = Setup {
        log,
        config: Config::default(),
        repo: Arc::new(NoRepository),
        generators: Vec::new(),
        transcriber: None,
        targets: BTreeMap::new(),
        recordings: PathBuf::new(),
        notices: None,
    };
    futures::executor::block_on(Conductor::open(setup)).unwrap()
}

/// For tests of the wire: whoever asks it for anything is told that there is nothing.
struct NoRepository;

fn none<T>() -> Result<T, Problem> {
    Err(Problem::not_found("there is no repository in this test"))
}

#[async_trait]
impl Repository for NoRepository {
    async fn status(&self) -> Result<RepositoryStatus, Problem> {
        none()
    }
    async fn tree(&self, _commit: &str) -> Result<Arc<dyn FileTree>, Problem> {
        none()
    }
    async fn source(&self, _commit: &str) -> Result<Arc<dyn Source>, Problem> {
        none()
    }
    async fn working_changes(&self, _paths: &[String]) -> Result<Vec<ProposedFile>, Problem> {
        none()
    }
    async fn dirty(&self, _paths: &[String]) -> Result<Vec<String>, Problem> {
        none()
    }
    async fn changes_of(&self, _commit: &str) -> Result<Vec<ProposedFile>, Problem> {
        none()
    }
    async fn prepare(
        &self,
        _request: &CommitRequest,
        _output: mpsc::UnboundedSender<String>,
    ) -> Result<Prepared, Problem> {
        none()
    }
    async fn finish(&self, _prepared: &Prepared) -> Result<Committed, Problem> {
        none()
    }
    async fn contains(&self, _branch: &str, _commit: &str) -> Result<bool, Problem> {
        none()
    }
}

/// The log in `dir`.
pub fn log(dir: &Path) -> EventLog {
    EventLog::open(Store::open(&dir.join("sayso.db")).unwrap(), "site").unwrap()
}

/// A server that ends with the test.
pub struct Server {
    pub running: Running,
    pub log: EventLog,
    pub shutdown: CancellationToken,
    _dir: Option<tempfile::TempDir>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Server {
    /// A server on a fresh log.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A server on a fresh log, with its options changed by `change`.
    pub async fn with(change: impl FnOnce(&mut ServerOptions)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut server = Self::on(log(dir.path()), change).await;
        server._dir = Some(dir);
        server
    }

    /// A server on `log`.
    pub async fn on(log: EventLog, change: impl FnOnce(&mut ServerOptions)) -> Self {
        let mut options = ServerOptions::local(TOKEN, "ada");
        change(&mut options);
        let shutdown = CancellationToken::new();
        let running = serve(conductor(log.clone()), options, shutdown.clone())
            .await
            .unwrap();
        Self {
            running,
            log,
            shutdown,
            _dir: None,
        }
    }

    /// A server on `log` that is known by the address of `proxy`, which leads to it from now on.
    pub async fn behind(proxy: &proxy::Proxy, log: EventLog) -> Self {
        let name = proxy.addr.to_string();
        let server = Self::on(log, |options| options.allowed_hosts.push(name)).await;
        proxy.lead_to(server.running.addr);
        server
    }

    pub fn client(&self) -> Client {
        Client::new(self.running.endpoint.clone()).unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.addr)
    }

    /// Appends `n` notices with the numbers from `first`.
    pub async fn append(&self, first: usize, n: usize) {
        append(&self.log, first, n).await;
    }
}

/// Appends `n` notices with the numbers from `first`.
pub async fn append(log: &EventLog, first: usize, n: usize) {
    let events = (first..first + n)
        .map(|n| {
            NewEvent::new(
                EventKind::Notice,
                "ada",
                serde_json::json!({ "message": n }),
            )
        })
        .collect();
    log.append(events, vec![]).await.unwrap();
}

/// A client of `addr` with the tests' token.
pub fn client_of(addr: std::net::SocketAddr) -> Client {
    Client::new(Endpoint {
        url: format!("http://{addr}/").parse().unwrap(),
        token: TOKEN.into(),
    })
    .unwrap()
}

/// A plain HTTP client without token or redirects. All tests share it, and none of its connections: each test has a
/// runtime of its own.
pub fn http() -> &'static reqwest::Client {
    static CLIENT: std::sync::LazyLock<reqwest::Client> = std::sync::LazyLock::new(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build()
            .unwrap()
    });
    &CLIENT
}

/// The next item, within the deadline; `None` when the stream has ended.
pub async fn next(items: &mut mpsc::Receiver<StreamItem>) -> Option<StreamItem> {
    timeout(DEADLINE, items.recv())
        .await
        .expect("an item within the deadline")
}

/// Items up to the first that `wanted` takes, which is returned.
pub async fn until<T>(
    items: &mut mpsc::Receiver<StreamItem>,
    mut wanted: impl FnMut(&StreamItem) -> Option<T>,
) -> T {
    loop {
        let item = next(items).await.expect("the stream goes on");
        if let Some(found) = wanted(&item) {
            return found;
        }
    }
}

/// The sequence numbers of the next `n` events, whatever the connection does meanwhile.
pub async fn seqs(items: &mut mpsc::Receiver<StreamItem>, n: usize) -> Vec<u64> {
    let mut found = Vec::new();
    while found.len() < n {
        found.push(until(items, seq).await);
    }
    found
}

pub fn seq(item: &StreamItem) -> Option<u64> {
    match item {
        StreamItem::Event(event) => Some(event.seq),
        _ => None,
    }
}

pub fn reset(item: &StreamItem) -> Option<Cursor> {
    match item {
        StreamItem::Reset(cursor) => Some(cursor.clone()),
        _ => None,
    }
}

pub fn connection(item: &StreamItem) -> Option<Connection> {
    match item {
        StreamItem::Connection(connection) => Some(connection.clone()),
        _ => None,
    }
}
