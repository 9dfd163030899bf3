//! A session on a project: with the server that owns its state, or with one started inside this process.
//!
//! One process at a time owns a project's state (a lock on a file). A second `sayso` finds the owner's address
//! and token in a file that only the user can read, and becomes its client.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Place;
use super::opened::Opened;
use super::repository::Site;
use crate::client::{Client, Endpoint};
use crate::config::{self, Config, Paths, ProjectPaths};
use crate::model::Problem;
use crate::pipeline::Conductor;
use crate::server::{self, ServerOptions};
use crate::speech::Transcriber;

/// How long a second process waits for the owner to have written its address: the owner may have to wait for the one before it.
const OWNER_STARTS: Duration = Duration::from_secs(10);

/// A client, and the server under it when that runs in this process.
pub struct Session {
    /// The client.
    pub client: Client,
    /// The configuration.
    pub config: Config,
    /// The platform's folders.
    pub paths: Paths,
    /// The project's folders; `None` on a remote server.
    pub project: Option<ProjectPaths>,
    /// The recogniser of this process: the server's own when that runs here.
    pub speech: Arc<dyn Transcriber>,
    owned: Option<Owned>,
}

struct Owned {
    /// The session's own first.
    projects: Vec<Opened>,
    shutdown: CancellationToken,
    /// The server's own task; it ends after `shutdown`, when the last answer is out.
    server: JoinHandle<()>,
    /// Where other programs reach the server, when it was opened to be reached.
    outside: Option<String>,
}

/// How the server of a session is to be reached, beyond what the configuration says.
#[derive(Clone, Debug, Default)]
pub struct Serving {
    /// Where it listens.
    pub listen: Option<SocketAddr>,
    /// Its token.
    pub token: Option<String>,
    /// Other machines may reach it, where the configuration says so.
    pub open: bool,
    /// Folders of other projects that it serves as well.
    pub beside: Vec<PathBuf>,
}

impl Session {
    /// Opens the session that `place` names.
    ///
    /// # Errors
    /// What keeps it from opening: no repository, a mistake in the configuration, a state folder that cannot
    /// be written …
    pub async fn open(place: &Place) -> Result<Self, Problem> {
        Self::open_serving(place, Serving::default()).await
    }

    /// The same, with a server that other machines may reach.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_serving(place: &Place, serving: Serving) -> Result<Self, Problem> {
        let paths = Paths::platform()?;
        if let Some(url) = &place.server {
            // Without the slash at its end the last part of a path would be taken for a file.
            let mut url = url.clone();
            if !url.path().ends_with('/') {
                url.set_path(&format!("{}/", url.path()));
            }
            let token = std::env::var("SAYSO_TOKEN").map_err(|_| {
                Problem::new(401, "no-token", format!("no token for {url}"))
                    .hint("set SAYSO_TOKEN to a token of that server")
            })?;
            let config = config::load(&paths, None)?;
            let client = Client::new(Endpoint { url, token })?;
            return Ok(Self {
                client,
                speech: recogniser(&config, &paths)?,
                config,
                paths,
                project: None,
                owned: None,
            });
        }
        let site = Site::find(place, &paths).await?;
        let config = config::load(&paths, site.folder().as_deref())?;
        let project = paths.project(&site.root());
        private_dir(&project.dir)?;
        match lock(&project.lock())? {
            Some(lock) => Self::own(paths, project, config, site, lock, serving).await,
            None => {
                let owner = owner(&project).await?;
                let client = match own_token() {
                    // It would follow the server by the owner's token.
                    Some(token) => Client::new(Endpoint { token, ..owner })?,
                    None => Client::new(owner)?.at_address_in(&project.server()),
                };
                Ok(Self {
                    client,
                    speech: recogniser(&config, &paths)?,
                    config,
                    paths,
                    project: Some(project),
                    owned: None,
                })
            }
        }
    }

    async fn own(
        paths: Paths,
        project: ProjectPaths,
        config: Config,
        site: Site,
        lock: File,
        serving: Serving,
    ) -> Result<Self, Problem> {
        super::replica::check(&config, serving.open, serving.token.is_some())?;
        let first = Opened::new(&paths, project.clone(), config, site, lock).await?;
        let mut all = vec![first];
        for dir in &serving.beside {
            all.push(Opened::beside(&paths, dir).await?);
        }
        let first = &all[0];
        let config = first.config.clone();
        let shutdown = CancellationToken::new();
        let serves = serving.open;
        let token = match serving.token {
            Some(token) => token,
            None => server::random_token()?,
        };
        let mut options = ServerOptions::local(token, &first.actor);
        options.listen.set_port(config.server.port);
        if serving.open {
            let ip = super::wiring::address(&config.server.listen, "[server] listen")?;
            options.listen.set_ip(ip);
            options.listen = serving.listen.unwrap_or(options.listen);
            options.tls = super::serve::secured(&config, &options.listen)?;
            options.host_token = super::serve::host_token()?;
        }
        let secured = options.tls.is_some();
        options.allowed_hosts.clone_from(&config.server.hosts);
        options
            .allowed_hosts
            .extend(super::replica::known_as(&config));
        options.webhooks = first.webhooks.clone();
        options.origins.clone_from(&config.server.origins);
        options.notice = config.server.notice;
        options.proxies.clone_from(&config.server.proxies);
        options.rates = super::wiring::rates(&config.server.limits);
        let served = all.iter().map(Opened::served);
        let served = served.collect::<Result<Vec<_>, _>>()?;
        let running = server::serve_projects(served, options, shutdown.clone()).await?;
        let endpoint = running.endpoint;
        let outside = serving.open.then(|| {
            let scheme = if secured { "https" } else { "http" };
            format!("{scheme}://{}/", running.addr)
        });
        first.announce(&endpoint)?;
        for other in &all[1..] {
            other.announce(&other.at(&endpoint)?)?;
        }
        let transcriber = Arc::clone(&first.transcriber);
        let client = match own_token().filter(|_| !serves) {
            Some(token) => Client::new(Endpoint { token, ..endpoint })?,
            None => Client::new(endpoint)?,
        };
        Ok(Self {
            client,
            speech: transcriber,
            config,
            paths,
            project: Some(project),
            owned: Some(Owned {
                projects: all,
                shutdown,
                server: running.task,
                outside,
            }),
        })
    }

    /// Waits for the process that owns the project to end, and serves the project from here then; the session's client
    /// follows. Nothing for a session that owns its project, or that is on a remote server.
    pub fn heir(&self, place: &Place) -> Option<Heir> {
        let project = self.project.clone().filter(|_| !self.is_owner())?;
        let place = place.clone();
        let (paths, client) = (self.paths.clone(), self.client.clone());
        let (sender, free) = tokio::sync::oneshot::channel();
        let path = project.lock();
        // Not a task: waiting for a lock cannot be called off, and the end of the process must not wait for it.
        std::thread::spawn(move || {
            let lock = File::options().write(true).open(path);
            if let Ok(lock) = lock
                && lock.lock().is_ok()
            {
                let _ = sender.send(lock);
            }
        });
        Some(Heir(tokio::spawn(async move {
            let lock = free.await.ok()?;
            let inherited = async {
                let site = Site::find(&place, &paths).await?;
                let config = config::load(&paths, site.folder().as_deref())?;
                let serving = Serving::default();
                Self::own(paths, project, config, site, lock, serving).await
            };
            match inherited.await {
                Ok(session) => {
                    tracing::info!("the process that served this project ended; this one does now");
                    client.move_to(session.client.endpoint());
                    session.watch_if_wanted().await;
                    Some(session)
                }
                Err(error) => {
                    tracing::error!(%error, "the project could not be taken over");
                    None
                }
            }
        })))
    }

    /// Begins to watch the files, where the configuration says so. What keeps it from that is told, and no reason to end.
    pub async fn watch_if_wanted(&self) {
        for other in self.owned.iter().flat_map(|owned| &owned.projects).skip(1) {
            other.watch_if_wanted().await;
        }
        if !self.config.watch.on || self.project.is_none() {
            return;
        }
        let request = crate::model::api::WatchRequest {
            on: Some(true),
            ..Default::default()
        };
        if let Err(problem) = self.client.watch(&request).await {
            tracing::warn!(%problem, "the files are not watched");
            if let Some(conductor) = self.conductor() {
                conductor.not_watched(&problem).await;
            }
        }
    }

    /// The name of the person whose server runs in this process.
    pub fn actor(&self) -> Option<&str> {
        let first = self.owned.as_ref()?.projects.first()?;
        Some(&first.actor)
    }

    /// True when the server runs in this process and ends with it.
    pub fn is_owner(&self) -> bool {
        self.owned.is_some()
    }

    /// Where other programs reach the server, when it was opened to be reached.
    pub fn outside(&self) -> Option<&str> {
        self.owned.as_ref()?.outside.as_deref()
    }

    /// The conductor, when it is in this process.
    pub fn conductor(&self) -> Option<&Arc<Conductor>> {
        self.owned
            .as_ref()?
            .projects
            .first()
            .map(|it| &it.conductor)
    }

    /// The projects that this process serves, the session's own first: name and address.
    pub fn served(&self) -> Vec<(String, url::Url)> {
        let endpoint = self.client.endpoint();
        let projects = self.owned.iter().flat_map(|owned| &owned.projects);
        let told = |opened: &Opened| {
            let name = opened.conductor.log().project().to_owned();
            Some((name, opened.at(&endpoint).ok()?.url))
        };
        projects.filter_map(told).collect()
    }

    /// Returns once another server conducts a project that this process conducted.
    pub async fn deposed(&self) {
        let projects = self.owned.iter().flat_map(|owned| &owned.projects);
        let each: Vec<_> = projects
            .map(|project| Box::pin(project.deposed()))
            .collect();
        if each.is_empty() {
            return std::future::pending().await;
        }
        futures::future::select_all(each).await;
    }

    /// Ends the session: waits for what runs in this process, then stops its server. Others who are being answered get
    /// their answers, and nobody else owns the project before that: a handler that went on would write beside the next
    /// owner.
    pub async fn close(mut self) {
        if let Some(owned) = self.owned.take() {
            for project in &owned.projects {
                project.close().await;
            }
            owned.shutdown.cancel();
            // It sets itself a limit.
            let _ = owned.server.await;
        }
    }
}

/// A session that waits for its turn to own the project.
pub struct Heir(JoinHandle<Option<Session>>);

impl Heir {
    /// Ends it, and the server if its turn has come.
    pub async fn close(self) {
        if !self.0.is_finished() {
            self.0.abort();
        }
        if let Ok(Some(session)) = self.0.await {
            Box::pin(session.close()).await;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(owned) = self.owned.take() {
            for project in &owned.projects {
                project.conductor.stop_watch();
                project.forget();
            }
            owned.shutdown.cancel();
        }
    }
}

/// A token that was made for a person, where the environment has one: then it is that person who acts, on the machine of
/// somebody else, too.
fn own_token() -> Option<String> {
    let token = std::env::var("SAYSO_TOKEN").ok()?;
    let token = token.trim();
    // The server's own has no dots; with that one `sayso serve` begins.
    (token.split('.').count() == 3).then(|| token.to_owned())
}

/// A recogniser of this process's own, for what is not sent to the server: dictation and partial words.
fn recogniser(config: &Config, paths: &Paths) -> Result<Arc<dyn Transcriber>, Problem> {
    let vocabulary = super::wiring::vocabulary(config);
    let choice = super::wiring::recogniser(config, paths, &vocabulary)?;
    Ok(Arc::new(choice))
}

/// The folder to look for a repository in.
pub fn repo_dir(place: &Place) -> Result<PathBuf, Problem> {
    match &place.repo {
        Some(dir) => Ok(dir.clone()),
        None => std::env::current_dir().map_err(|error| {
            Problem::internal(format!("the current folder is not there: {error}"))
                .hint("change into the site's folder, or use -C DIR")
        }),
    }
}

/// Takes the lock; `None` when another process holds it.
pub fn lock(path: &Path) -> Result<Option<File>, Problem> {
    let failed = |error: &dyn std::fmt::Display| {
        Problem::new(500, "state", format!("{}: {error}", path.display()))
            .hint("check that the state folder can be written")
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(&error)),
    }
}

/// The address of the process that owns the project, once it answers.
async fn owner(project: &ProjectPaths) -> Result<Endpoint, Problem> {
    let deadline = Instant::now() + OWNER_STARTS;
    loop {
        let known = std::fs::read(project.server()).ok();
        let endpoint = known.and_then(|bytes| serde_json::from_slice::<Endpoint>(&bytes).ok());
        if let Some(endpoint) = endpoint
            && Client::new(endpoint.clone())?.status().await.is_ok()
        {
            return Ok(endpoint);
        }
        if Instant::now() > deadline {
            return Err(Problem::new(
                503,
                "busy",
                "another Sayso process owns this project and does not answer",
            )
            .hint("wait for it, or end it"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Makes a folder that only the user can enter.
pub fn private_dir(dir: &Path) -> Result<(), Problem> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| {
        Problem::new(500, "state", format!("{}: {error}", dir.display()))
            .hint("check that the state folder can be written")
    })
}

/// Writes a file that only the user can read, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let failed =
        |error: std::io::Error| Problem::new(500, "state", format!("{}: {error}", path.display()));
    let dir = path.parent().unwrap_or(Path::new("."));
    // tempfile makes it 0600.
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
    std::io::Write::write_all(&mut file, bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
