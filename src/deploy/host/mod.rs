//! The small HTTP face of the local target: one listener on the loopback address for each environment.
//!
//! It knows releases, not deployments: [`Front::show`] changes what is served, in memory, between two requests.
//! A request looks the release up exactly once and is answered from that release alone, whatever happens meanwhile.
//! Every answer names its release in [`RELEASE`].

mod answer;
mod inject;
mod kind;
mod live;
mod object;
mod pages;
mod path;
mod site;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use arc_swap::{ArcSwap, ArcSwapOption};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::serve::ListenerExt;
use http::header::{ACCEPT, HOST};
use http::{HeaderMap, Method, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use answer::RELEASE;
pub use site::{Site, Spa};

use self::live::{Announced, News};
use self::object::Objects;
use super::manifest::Manifest;
use crate::model::{DeploymentState, Progress, ReleaseId};

/// Asks for a release that is not live yet: `<release>:<secret>`. Only this process knows the secret.
pub(crate) const CANDIDATE: &str = "x-sayso-candidate";

/// How an environment serves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serving {
    /// Pages carry the notice and reload when a release goes live.
    pub notice: bool,
    /// Addresses of no file.
    pub spa: Spa,
}

/// Prepares releases for serving; contents are shared between all of them.
#[derive(Debug)]
pub(crate) struct Loader {
    objects: Arc<Objects>,
    serving: Serving,
}

impl Loader {
    /// A loader with nothing in memory.
    pub fn new(serving: Serving) -> Self {
        Self {
            objects: Arc::default(),
            serving,
        }
    }

    /// Prepares a release. May read one file from disk: call it where blocking is allowed.
    pub fn site(&self, manifest: &Manifest, file: &dyn Fn(&str) -> PathBuf) -> Arc<Site> {
        self.objects.sweep();
        let Serving { notice, spa } = self.serving;
        Arc::new(Site::new(manifest, self.objects.clone(), notice, spa, file))
    }
}

/// What a request sees.
#[derive(Debug)]
struct Shown {
    site: Arc<Site>,
    /// Pages that are still open load their assets from here.
    previous: Option<Arc<Site>>,
}

/// Where an environment is served.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The address of the interface.
    pub listen: IpAddr,
    /// Names under which it is reached, besides the loopback ones.
    pub hosts: Vec<String>,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            listen: Ipv4Addr::LOCALHOST.into(),
            hosts: Vec::new(),
        }
    }
}

impl Place {
    /// Whether a request for this `Host` is answered. On the loopback address a page on the internet could make a browser
    /// ask under a name of its own; what everybody may ask has nothing to hide.
    fn answers(&self, host: &str) -> bool {
        let name = |host: &str| {
            let host = host.trim_end_matches('.');
            match host.rsplit_once(':') {
                Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name.to_owned(),
                _ => host.to_owned(),
            }
        };
        !self.listen.is_loopback()
            || path::is_loopback(host)
            || self
                .hosts
                .iter()
                .any(|known| name(known).eq_ignore_ascii_case(&name(host)))
    }
}

/// One environment's face.
#[derive(Debug)]
pub(crate) struct Front {
    environment: String,
    place: Place,
    address: SocketAddr,
    serving: Serving,
    shown: ArcSwapOption<Shown>,
    candidates: ArcSwap<HashMap<String, Arc<Site>>>,
    secret: String,
    news: watch::Sender<News>,
    serial: AtomicU64,
    stop: CancellationToken,
}

impl Front {
    /// Takes a port, the first of `ports` that is free, else any, and serves until `stop` is cancelled.
    /// The port `last`, which it had before, is worth waiting for a moment.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn open(
        environment: &str,
        ports: &[u16],
        last: Option<u16>,
        serving: Serving,
        stop: CancellationToken,
    ) -> io::Result<(Arc<Self>, JoinHandle<()>)> {
        Self::open_at(Place::default(), environment, ports, last, serving, stop)
    }

    /// The same on any interface.
    ///
    /// # Errors
    /// When no port can be had there.
    pub fn open_at(
        place: Place,
        environment: &str,
        ports: &[u16],
        last: Option<u16>,
        serving: Serving,
        stop: CancellationToken,
    ) -> io::Result<(Arc<Self>, JoinHandle<()>)> {
        let listener = listen(place.listen, ports, last)?;
        let address = listener.local_addr()?;
        let secret =
            getrandom::u64().and_then(|a| Ok(format!("{a:016x}{:016x}", getrandom::u64()?)));
        let front = Arc::new(Self {
            environment: environment.to_owned(),
            place,
            address,
            serving,
            shown: ArcSwapOption::empty(),
            candidates: ArcSwap::default(),
            secret: secret.map_err(|error| io::Error::other(error.to_string()))?,
            news: watch::Sender::default(),
            serial: AtomicU64::new(0),
            stop: stop.clone(),
        });
        let app = Router::new().fallback(respond).with_state(front.clone());
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let serving = tokio::spawn(async move {
            let served = axum::serve(listener, app)
                .with_graceful_shutdown(stop.cancelled_owned())
                .await;
            if let Err(error) = served {
                tracing::error!(%error, "the local host stopped");
            }
        });
        Ok((front, serving))
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The address of the start page.
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            // It is every address of this machine; this one is always there.
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}/")
    }

    /// The release that is served.
    pub fn release(&self) -> Option<ReleaseId> {
        self.shown
            .load()
            .as_ref()
            .map(|shown| shown.site.id.clone())
    }

    /// The loaded release with this id, when it is the one served, the one before it, or a candidate.
    pub fn loaded(&self, id: &ReleaseId) -> Option<Arc<Site>> {
        if let Some(shown) = &*self.shown.load() {
            let mut loaded = std::iter::once(&shown.site).chain(&shown.previous);
            if let Some(site) = loaded.find(|site| site.id == *id) {
                return Some(site.clone());
            }
        }
        self.candidates.load().get(id.as_str()).cloned()
    }

    /// Serves `site` from the next request on.
    pub fn show(&self, site: Arc<Site>, previous: Option<Arc<Site>>) {
        let release = site.id.clone();
        self.shown.store(Some(Arc::new(Shown { site, previous })));
        self.news.send_if_modified(|news| {
            let changed = news.release.as_ref() != Some(&release);
            news.release = Some(release);
            changed
        });
    }

    /// Serves `site` to those who name it with the header this returns, until [`Self::withdraw`].
    pub fn offer(&self, site: &Arc<Site>) -> String {
        self.candidates.rcu(|candidates| {
            let mut candidates = HashMap::clone(candidates);
            candidates.insert(site.id.0.clone(), site.clone());
            candidates
        });
        format!("{}:{}", site.id, self.secret)
    }

    /// Ends [`Self::offer`].
    pub fn withdraw(&self, id: &ReleaseId) {
        self.candidates.rcu(|candidates| {
            let mut candidates = HashMap::clone(candidates);
            candidates.remove(id.as_str());
            candidates
        });
    }

    /// Tells open pages how a deployment is getting on.
    pub fn announce(&self, progress: &Progress, state: DeploymentState) {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed) + 1;
        self.news.send_modify(|news| {
            let ended = state.is_final().then(Instant::now);
            news.progress = Some(Announced {
                serial,
                progress: progress.clone(),
                state,
                ended,
            });
        });
    }

    fn candidate(&self, headers: &HeaderMap) -> Option<Arc<Site>> {
        let (id, secret) = headers.get(CANDIDATE)?.to_str().ok()?.rsplit_once(':')?;
        if secret != self.secret {
            return None;
        }
        self.candidates.load().get(id).cloned()
    }
}

fn listen(ip: IpAddr, ports: &[u16], last: Option<u16>) -> io::Result<TcpListener> {
    let try_port = |port: u16| {
        let address = SocketAddr::from((ip, port));
        let socket = match ip {
            IpAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
            IpAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
        };
        // A port whose last connections are still winding down is free for us on Unix;
        // on Windows the same option would let two programs share it.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(1024)
    };
    for port in ports {
        // A program that is just being started elsewhere in a process holds copies of all its sockets until it
        // begins to run, so a port can stay taken for a moment after it was closed.
        let waits: &[u64] = if last == Some(*port) {
            &[2, 5, 15]
        } else {
            &[]
        };
        let mut tried = try_port(*port);
        for wait in waits {
            if tried.is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(*wait));
            tried = try_port(*port);
        }
        match tried {
            Ok(listener) => return Ok(listener),
            Err(error) => tracing::info!(port, %error, "this port cannot be had"),
        }
    }
    try_port(0)
}

/// The answer to any request.
async fn respond(State(front): State<Arc<Front>>, request: Request) -> Response {
    let headers = request.headers();
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("");
    if !front.place.answers(host) {
        return pages::misdirected();
    }
    let method = request.method();
    if method != Method::GET && method != Method::HEAD {
        return pages::read_only(method == Method::OPTIONS);
    }
    let raw = request.uri().path();
    if front.serving.notice {
        match raw {
            "/__sayso/client.js" => return live::client(),
            "/__sayso/events" => return live::events(front.news.subscribe(), front.stop.clone()),
            _ => {}
        }
    }
    // The only look at what is live: from here on the answer is of this release.
    let shown = front.shown.load_full();
    let candidate = front.candidate(headers);
    let (site, previous) = match (&candidate, &shown) {
        (Some(site), _) => (site, None),
        (None, Some(shown)) => (&shown.site, shown.previous.as_ref()),
        (None, None) => {
            let script = if front.serving.notice {
                inject::snippet("")
            } else {
                String::new()
            };
            return pages::nothing_live(&front.environment, &script);
        }
    };
    let Some(asked) = path::parse(raw) else {
        return missing(method, headers, site).await;
    };
    match path::resolve(&asked, |path| site.has(path)) {
        path::Found::Redirect(to) => return pages::redirect(site, &to, request.uri().query()),
        path::Found::File(path) => {
            if let Some(entry) = site.get(&path) {
                return answer::file(method, headers, site, entry, StatusCode::OK).await;
            }
        }
        path::Found::Missing => {}
    }
    if let Some(previous) = previous.filter(|_| !asked.folder && kind::is_asset(&asked.key))
        && let Some(entry) = previous.get(&asked.key)
    {
        return answer::file(method, headers, previous, entry, StatusCode::OK).await;
    }
    if let Some(entry) = site.spa().filter(|_| is_navigation(&asked, headers)) {
        return answer::file(method, headers, site, entry, StatusCode::OK).await;
    }
    missing(method, headers, site).await
}

async fn missing(method: &Method, headers: &HeaderMap, site: &Site) -> Response {
    match site.not_found() {
        Some(entry) => answer::file(method, headers, site, entry, StatusCode::NOT_FOUND).await,
        None => pages::not_found(Some(site)),
    }
}

/// True when a person goes to an address, rather than a page loading something.
fn is_navigation(asked: &path::Asked, headers: &HeaderMap) -> bool {
    let accepts = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    !path::names_a_file(&asked.key) && accepts.into_iter().any(|value| value.contains("text/html"))
}
