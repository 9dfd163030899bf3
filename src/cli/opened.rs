//! A project opened in this process: everything between its repository and its routes, under its lock.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::repository::Site;
use super::{Place, replica, targets, wiring};
use crate::client::Endpoint;
use crate::config::{self, Config, Paths, ProjectPaths};
use crate::events::EventLog;
use crate::generate;
use crate::model::Problem;
use crate::model::api::WatchRequest;
use crate::model::token::project_path;
use crate::pipeline::{Conductor, Setup};
use crate::server::{self, WebhookSecrets};
use crate::speech::Transcriber;
use crate::store::Store;
use crate::vcs::git::Git;

/// A project that this process owns.
pub struct Opened {
    /// What drives it.
    pub conductor: Arc<Conductor>,
    /// Its recogniser.
    pub transcriber: Arc<dyn Transcriber>,
    /// Its configuration.
    pub config: Config,
    /// Its folders.
    pub project: ProjectPaths,
    /// Who acts on this machine.
    pub actor: String,
    /// The secrets of webhooks.
    pub webhooks: WebhookSecrets,
    _lock: File,
}

impl Opened {
    /// Opens the project of `site`, whose `lock` this process holds.
    ///
    /// # Errors
    /// What keeps it from opening.
    pub async fn new(
        paths: &Paths,
        project: ProjectPaths,
        config: Config,
        site: Site,
        lock: File,
    ) -> Result<Self, Problem> {
        let root = site.root();
        let actor = person(&site).await;
        let name = root.file_name().map_or_else(
            || "site".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        );
        let replica = replica::settings(&config)?;
        let log = match &replica {
            None => EventLog::open(Store::open(&project.database())?, &name)?,
            Some(settings) => EventLog::join(&project.database(), &name, settings).await?,
        };
        let (targets, notices) = targets::open(&config, &project, &root).await?;
        let vocabulary = wiring::vocabulary(&config);
        let choice = wiring::recogniser(&config, paths, &vocabulary)?;
        let clone = site.clone_of();
        let repo = site.open(&config, paths).await?;
        if choice.cloud() {
            wiring::learn_pages(vocabulary, Arc::clone(&repo));
        }
        let transcriber: Arc<dyn Transcriber> = Arc::new(choice);
        let keys = wiring::keys(&config, paths).await;
        let mut generators = generate::generators(&config.generate, &keys)?;
        // Asked first, and only for words that name a recipe.
        let recipes = generate::recipes::Recipes::new(
            Some(paths.config.join("recipes")),
            &config.generate.components,
            &generators,
        );
        generators.insert(0, Arc::new(recipes));
        let conductor = Conductor::open(Setup {
            log,
            config: config.clone(),
            repo,
            generators,
            transcriber: Some(Arc::clone(&transcriber)),
            targets,
            recordings: project.recordings(),
            notices: Some(notices),
        })
        .await?;
        let webhooks = WebhookSecrets::from_environment();
        let duties = Duties {
            config: config.clone(),
            project: project.clone(),
            root,
            clone,
            secret: webhooks.generic.clone(),
            actor: actor.clone(),
        };
        match &replica {
            None => duties.begin(&conductor).await?,
            Some(settings) => replica::stand(&conductor, settings, duties).await?,
        }
        Ok(Self {
            conductor,
            transcriber,
            config,
            project,
            actor,
            webhooks,
            _lock: lock,
        })
    }

    /// Returns once another server conducts a project that this one conducted.
    pub async fn deposed(&self) {
        match self.conductor.log().remote() {
            Some(remote) => remote.deposed().await,
            None => std::future::pending().await,
        }
    }

    /// Opens the project in the folder `dir`, beside another one on the same server.
    ///
    /// # Errors
    /// As [`Self::new`]; `conflict` when another process owns it.
    pub async fn beside(paths: &Paths, dir: &Path) -> Result<Self, Problem> {
        let place = Place {
            repo: Some(dir.to_path_buf()),
            server: None,
        };
        let site = Site::find(&place, paths).await?;
        let config = config::load(paths, site.folder().as_deref())?;
        let project = paths.project(&site.root());
        super::embed::private_dir(&project.dir)?;
        let Some(lock) = super::embed::lock(&project.lock())? else {
            return Err(
                Problem::conflict(format!("another Sayso serves {}", dir.display()))
                    .hint("end it, or leave this project out"),
            );
        };
        Self::new(paths, project, config, site, lock).await
    }

    /// What a server is given of it.
    ///
    /// # Errors
    /// `config` when the operator's secret for tokens is too short.
    pub fn served(&self) -> Result<server::Project, Problem> {
        Ok(server::Project {
            conductor: Arc::clone(&self.conductor),
            signing: server::Signing::from_environment(self.project.keys())?,
        })
    }

    /// Where this project's interface is on the server at `endpoint`, of which it is not the first one.
    ///
    /// # Errors
    /// When the address cannot be made.
    pub fn at(&self, endpoint: &Endpoint) -> Result<Endpoint, Problem> {
        let path = project_path(self.conductor.log().project());
        Ok(Endpoint {
            url: endpoint.url.join(&path).map_err(Problem::internal)?,
            token: endpoint.token.clone(),
        })
    }

    /// Writes where the server is into the file that other processes look for.
    ///
    /// # Errors
    /// `state`.
    pub fn announce(&self, endpoint: &Endpoint) -> Result<(), Problem> {
        let bytes = serde_json::to_vec(endpoint).map_err(Problem::internal)?;
        super::embed::write_private(&self.address_file(), &bytes)
    }

    fn address_file(&self) -> PathBuf {
        self.project.server()
    }

    /// Begins to watch the files, where the configuration says so.
    pub async fn watch_if_wanted(&self) {
        // Where several servers share a project, the one that conducts it watches.
        if self.conductor.log().remote().is_none() {
            watch_if_wanted(&self.config, &self.conductor, &self.actor).await;
        }
    }

    /// Waits for what runs.
    pub async fn close(&self) {
        self.conductor.end_watch().await;
        self.conductor.settled().await;
        self.conductor.end_previews();
        if let Some(remote) = self.conductor.log().remote() {
            self.conductor.save_rooms().await;
            remote.leave().await;
        }
        self.forget();
    }

    /// Nobody finds the server by the file any more.
    pub fn forget(&self) {
        // Best effort: a stale file is noticed by the next start, which holds the lock then.
        let _ = std::fs::remove_file(self.address_file());
    }
}

/// What the process that conducts a project does beside answering.
pub struct Duties {
    config: Config,
    project: ProjectPaths,
    root: PathBuf,
    clone: Option<Git>,
    secret: Option<String>,
    actor: String,
}

impl Duties {
    /// Begins with all of it.
    ///
    /// # Errors
    /// `config` when an address to tell is none; what keeps previews from being served.
    pub async fn begin(&self, conductor: &Arc<Conductor>) -> Result<(), Problem> {
        if let Some(git) = &self.clone {
            conductor.serve_sandbox(git.clone()).await;
        }
        let (config, secret) = (&self.config, || self.secret.clone());
        conductor.tell_others(&config.deploy.webhooks, secret(), 1.0)?;
        let news = &config.notify;
        conductor.tell_news(&news.webhook.urls, &news.webhook.events, secret(), 1.0)?;
        conductor.show_news(news.desktop.events.clone(), super::notify::desktop(), 1.0);
        conductor.serve_previews(wiring::preview_options(config, &self.project))?;
        conductor.look_regularly(config.deploy.look.duration());
        conductor.check_regularly(targets::checks(config, &self.root)?)
    }

    /// Begins to watch the files, where the configuration says so.
    pub async fn watch(&self, conductor: &Arc<Conductor>) {
        watch_if_wanted(&self.config, conductor, &self.actor).await;
    }
}

async fn watch_if_wanted(config: &Config, conductor: &Arc<Conductor>, actor: &str) {
    if !config.watch.on {
        return;
    }
    let request = WatchRequest {
        on: Some(true),
        ..Default::default()
    };
    let by = crate::model::Identity::owner(actor);
    if let Err(problem) = conductor.watch(request, &by).await {
        tracing::warn!(%problem, "the files are not watched");
        conductor.not_watched(&problem).await;
    }
}

/// Who acts here: git's name for the person, else the login name.
async fn person(site: &Site) -> String {
    let name = match site {
        Site::Clone(git) => git.user_name().await,
        Site::Remote(_) => None,
    };
    match name {
        Some(name) => name,
        None => ["USER", "USERNAME", "LOGNAME"]
            .into_iter()
            .find_map(|key| std::env::var(key).ok().filter(|name| !name.is_empty()))
            .unwrap_or_else(|| "someone".into()),
    }
}
