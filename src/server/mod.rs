//! The HTTP face of one project, or of several: routes, the event stream, sessions, limits and the status page.
//!
//! No business logic lives here. A handler turns a request into one call of the [`Conductor`] and the answer into
//! JSON, or into a problem document; everything that decides is on the floors below.

mod audit;
mod auth;
mod compare;
mod cors;
mod deployments;
mod events;
mod extract;
mod feed;
mod filter;
mod forward;
mod frame;
mod guard;
mod host;
mod instructions;
mod keys;
mod limits;
mod linger;
mod matrix;
mod metrics;
mod notice;
mod openapi;
mod presence;
mod previews;
mod problem;
mod projects;
mod proposals;
mod realtime;
mod realtime_socket;
mod recipes;
mod relay;
mod require;
mod rooms;
mod routes;
mod schema;
mod schema_answers;
mod schema_host;
mod schema_parts;
mod schema_rooms;
mod schema_tokens;
mod session;
mod stall;
mod status;
mod stream;
mod submit;
mod sync;
mod team;
mod tls;
mod tokens;
mod tunnel;
mod watch;
mod webhooks;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::client::Endpoint;
use crate::model::Problem;
use crate::model::token::project_path;
use crate::pipeline::Conductor;

pub use keys::Signing;
pub use limits::RateLimits;
pub use routes::{Access, RouteInfo, routes};
pub use tls::Tls;
pub use webhooks::WebhookSecrets;

/// The largest JSON body.
pub const MAX_JSON_BYTES: usize = 1024 * 1024;

/// The largest recording, sent as multipart.
pub const MAX_AUDIO_BYTES: usize = 12 * 1024 * 1024;

/// How long connections may take to end after a shutdown was asked for.
const GRACE: Duration = Duration::from_secs(3);

/// Reads of the database at the same time; more would only queue for the same disk.
const READERS: usize = 4;

/// How a server listens and whom it lets in.
#[derive(Clone)]
pub struct ServerOptions {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Certificate and key; without them plain HTTP is spoken.
    pub tls: Option<Tls>,
    /// The bearer token that every call needs.
    pub token: String,
    /// One that lets deployments in, and nothing else.
    pub host_token: Option<String>,
    /// Who acts with that token, as events name them.
    pub actor: String,
    /// `Host` values accepted besides the loopback names with the port, e.g. `sayso.example.org`.
    pub allowed_hosts: Vec<String>,
    /// Silence on an event stream after which a comment is sent.
    pub heartbeat: Duration,
    /// Event streams open at the same time; one more is answered 503.
    pub max_streams: usize,
    /// A connection to which nothing could be written for so long is ended: its other end does not read.
    pub patience: Duration,
    /// The secrets of webhooks.
    pub webhooks: WebhookSecrets,
    /// Visitors of a site are told of its deployments: `/sayso.js` and `/notice`.
    pub notice: bool,
    /// What tokens are signed with.
    pub signing: Signing,
    /// How often one may ask.
    pub rates: RateLimits,
    /// Addresses of proxies whose word about where a request comes from is believed.
    pub proxies: Vec<String>,
    /// Origins of pages besides this server's own that may call.
    pub origins: Vec<String>,
}

impl ServerOptions {
    /// A server on any free loopback port, with `token` belonging to `actor`.
    pub fn local(token: impl Into<String>, actor: impl Into<String>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: None,
            token: token.into(),
            host_token: None,
            actor: actor.into(),
            allowed_hosts: Vec::new(),
            heartbeat: Duration::from_secs(10),
            max_streams: 4096,
            patience: Duration::from_secs(30),
            webhooks: WebhookSecrets::default(),
            notice: false,
            signing: Signing::default(),
            rates: RateLimits::default(),
            proxies: Vec::new(),
            origins: Vec::new(),
        }
    }
}

impl std::fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the token: it must not reach a log by way of `{:?}`.
        f.debug_struct("ServerOptions")
            .field("listen", &self.listen)
            .field("actor", &self.actor)
            .field("allowed_hosts", &self.allowed_hosts)
            .field("heartbeat", &self.heartbeat)
            .field("max_streams", &self.max_streams)
            .finish_non_exhaustive()
    }
}

/// A server at work.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its address and token, as a client takes them.
    pub endpoint: Endpoint,
    /// Ends after `shutdown`, once the open connections have ended or three seconds have passed.
    pub task: JoinHandle<()>,
}

/// What every handler shares.
type App = Arc<Shared>;

/// A project to serve.
pub struct Project {
    /// What drives it. Its log says what the project is called.
    pub conductor: Arc<Conductor>,
    /// What its tokens are signed with.
    pub signing: Signing,
}

struct Shared {
    conductor: Arc<Conductor>,
    auth: auth::Auth,
    hosts: guard::Hosts,
    origins: cors::Origins,
    limits: Arc<limits::Limits>,
    projects: Arc<projects::Projects>,
    /// What stands before its routes, unless it is the first project: `/projects/site`.
    prefix: String,
    heartbeat: Duration,
    shutdown: CancellationToken,
    /// Open event streams take a permit each.
    streams: Arc<Semaphore>,
    max_streams: usize,
    readers: Semaphore,
    frames: frame::FrameCache,
    presence: Arc<presence::Presence>,
    notice: Option<notice::Board>,
    webhooks: WebhookSecrets,
    bodies: webhooks::Bodies,
    counters: metrics::Counters,
    /// For speaking to the other servers of the project, where there are some.
    others: Option<forward::Others>,
}

/// 256 random bits as a bearer token.
///
/// # Errors
/// When the machine gives no random numbers.
pub fn random_token() -> Result<String, Problem> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Problem::internal(format!("no random numbers for a token: {error}"))
            .hint("the system's random source is not available; restart the machine")
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Starts serving `conductor`; returns once the port is open. `shutdown` ends it.
///
/// # Errors
/// `token` when the token is too short to be one, `listen` when the address cannot be had.
pub async fn serve(
    conductor: Arc<Conductor>,
    options: ServerOptions,
    shutdown: CancellationToken,
) -> Result<Running, Problem> {
    let signing = options.signing.clone();
    serve_projects(vec![Project { conductor, signing }], options, shutdown).await
}

/// Starts serving several projects: each under `/projects/NAME/`, the first one at the root, too.
///
/// # Errors
/// As [`serve`]; `conflict` when two have the same name.
pub async fn serve_projects(
    all: Vec<Project>,
    options: ServerOptions,
    shutdown: CancellationToken,
) -> Result<Running, Problem> {
    let names: Vec<&str> = all
        .iter()
        .map(|project| project.conductor.log().project())
        .collect();
    projects::distinct(&names)?;
    let weak = |token: &String| token.len() < 16 || !token.bytes().all(|b| b.is_ascii_graphic());
    if weak(&options.token) || options.host_token.as_ref().is_some_and(weak) {
        return Err(Problem::new(
            500,
            "token",
            "the server's token must be at least 16 visible ASCII characters",
        )
        .hint("leave it out to have one made; `openssl rand -base64 32` makes one, too"));
    }
    let refused = |error: std::io::Error| {
        Problem::new(500, "listen", format!("{}: {error}", options.listen))
            .hint("another program may use the port; choose another one, or 0 for any free one")
    };
    let listener = TcpListener::bind(options.listen).await.map_err(refused)?;
    let addr = listener.local_addr().map_err(refused)?;
    let secured = match &options.tls {
        Some(tls) => Some(tls.acceptor()?),
        None => None,
    };
    // The certificate names this machine as others know it; programs on it come in here.
    let inside = match &secured {
        Some(_) => Some(
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .map_err(refused)?,
        ),
        None => None,
    };
    let mut reached = match &inside {
        Some(inside) => inside.local_addr().map_err(refused)?,
        None => addr,
    };
    if reached.ip().is_unspecified() {
        // It is every address of this machine; this one is always there.
        reached.set_ip(match reached.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    let url = Url::parse(&format!("http://{reached}/")).map_err(Problem::internal)?;
    let mut hosts = options.allowed_hosts.clone();
    if inside.is_some() {
        hosts.extend(["127.0.0.1", "localhost"].map(|name| format!("{name}:{}", reached.port())));
    }
    let limits = Arc::new(limits::Limits::new(options.rates, &options.proxies)?);
    let neighbours = Arc::new(projects::Projects::default());
    let streams = Arc::new(Semaphore::new(options.max_streams));
    let mut apps: Vec<App> = Vec::new();
    for Project { conductor, signing } in all {
        let tokens = Arc::new(tokens::Tokens::open(conductor.log().clone(), signing)?);
        let path = project_path(tokens.project());
        let first = apps.is_empty();
        let cookie = match first {
            true => auth::Cookie::new(addr.port(), "/", secured.is_some()),
            false => auth::Cookie::new(addr.port(), &path, secured.is_some()),
        };
        tokio::spawn(Arc::clone(&tokens).end_in_time(shutdown.clone()));
        if conductor.log().remote().is_some() {
            tokio::spawn(Arc::clone(&tokens).follow(shutdown.clone()));
        }
        let presence: Arc<presence::Presence> = Arc::default();
        let lists = Arc::clone(&presence);
        let relayed = conductor.log().remote().map(|_| mpsc::unbounded_channel());
        let (others, told) = relayed.unzip();
        conductor.tell_presence(Box::new(move |room, here| {
            if let Some(others) = &others {
                // Its other end is gone when the server ends.
                let _ = others.send((room.to_owned(), here.clone()));
            }
            lists.publish(room, here);
        }));
        let app = Arc::new(Shared {
            auth: auth::Auth::new(&options.token, &options.actor, cookie, tokens)
                .with_host_token(options.host_token.as_deref()),
            origins: cors::Origins::new(&options.origins)?,
            limits: Arc::clone(&limits),
            projects: Arc::clone(&neighbours),
            prefix: match first {
                true => String::new(),
                false => path.trim_end_matches('/').to_owned(),
            },
            hosts: guard::Hosts::new(addr, &hosts),
            heartbeat: options.heartbeat,
            shutdown: shutdown.clone(),
            streams: Arc::clone(&streams),
            max_streams: options.max_streams,
            readers: Semaphore::new(READERS),
            frames: frame::FrameCache::default(),
            presence,
            notice: options
                .notice
                .then(|| notice::Board::new(conductor.usual_environment())),
            webhooks: options.webhooks.clone(),
            bodies: webhooks::Bodies::default(),
            counters: metrics::Counters::default(),
            others: match conductor.log().remote() {
                Some(_) => Some(forward::Others::new(&options.token)?),
                None => None,
            },
            conductor,
        });
        if let Some(told) = told {
            tokio::spawn(relay::relay(Arc::clone(&app), told));
        }
        apps.push(app);
    }
    let conductors: Vec<Arc<Conductor>> =
        apps.iter().map(|app| Arc::clone(&app.conductor)).collect();
    neighbours.are(&apps);
    let router = projects::router(&apps);
    for app in apps {
        tokio::spawn(notice::keep(app));
    }
    let patience = options.patience;
    {
        let shutdown = shutdown.clone();
        tokio::spawn(async move { limits.tidy_regularly(&shutdown).await });
    }
    let task = tokio::spawn(async move {
        let serving = async {
            match (secured, inside) {
                (Some(acceptor), Some(inside)) => {
                    let listener = tls::Secured::new(listener, acceptor, shutdown.clone());
                    // Tapped, since only then axum hands the address of the other end on.
                    let listener = stall::Patient::new(listener, patience).tap_io(|_| {});
                    let service = router
                        .clone()
                        .into_make_service_with_connect_info::<SocketAddr>();
                    let outside = axum::serve(listener, service)
                        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
                    let (one, other) = tokio::join!(
                        outside.into_future(),
                        plainly(inside, router, patience, shutdown.clone())
                    );
                    one.and(other)
                }
                _ => plainly(listener, router, patience, shutdown.clone()).await,
            }
        };
        let overdue = async {
            shutdown.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            ended = serving => {
                if let Err(error) = ended {
                    tracing::error!(%error, "the server ended");
                }
            }
            () = overdue => tracing::warn!("connections were still open at the end"),
        }
        for conductor in conductors {
            conductor.save_rooms().await;
        }
    });
    tracing::info!(%addr, "serving");
    Ok(Running {
        addr,
        endpoint: Endpoint {
            url,
            token: options.token,
        },
        task,
    })
}

/// Serves plain HTTP until `shutdown`.
async fn plainly(
    listener: TcpListener,
    router: axum::Router,
    patience: Duration,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    // Without it a small event waits up to 40 ms for the acknowledgement of the one before.
    let listener = listener.tap_io(|tcp| {
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
    });
    let listener = stall::Patient::new(listener, patience).tap_io(|_| {});
    // As a plain router it would be built anew for each connection: 30 KiB and some time each.
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
}

/// Runs a short blocking call (a read of the database) off the runtime's own threads.
async fn blocking<T, F>(app: &App, call: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: FnOnce(&Conductor) -> Result<T, Problem> + Send + 'static,
{
    let _permit = app.readers.acquire().await.map_err(Problem::internal)?;
    let conductor = Arc::clone(&app.conductor);
    tokio::task::spawn_blocking(move || call(&conductor))
        .await
        .map_err(|error| {
            if error.is_cancelled() {
                // The runtime ends, and the call was never begun.
                Problem::ending()
            } else {
                Problem::internal(error)
            }
        })?
}
