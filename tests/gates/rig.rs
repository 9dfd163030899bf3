//! A real repository and a real local host with the environments of a configuration.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sayso::config::{Config, Layer, load_layers};
use sayso::deploy::health::HealthOptions;
use sayso::deploy::{DeployTarget, LocalOptions, LocalTarget};
use sayso::model::api::SyncRequest;
use sayso::model::{
    Deployment, DeploymentId, DeploymentState, Event, EventKind, Identity, LiveRelease, Problem,
};
use sayso::pipeline::{Conductor, Setup};
use sayso::vcs::git::Git;
use tokio::sync::mpsc;

use crate::stage::{Replace, git, log, options, site, wait_for, write};

/// What every configuration here begins with: nothing is watched unless a test says so.
const BASE: &str = "[deploy]\ntimezone = \"UTC\"\n[health]\nwatch = \"0s\"\n";

/// Staging and production, both on this machine.
pub const TWO: &str =
    "[[environment]]\nname = \"staging\"\n[[environment]]\nname = \"production\"\n";

/// Somebody with a token of their own, who may do anything.
pub fn person(name: &str) -> Identity {
    Identity {
        token: Some(format!("tok_{}", name.to_lowercase())),
        ..Identity::owner(name)
    }
}

pub struct Rig {
    pub site: tempfile::TempDir,
    pub state: tempfile::TempDir,
    pub conductor: Arc<Conductor>,
    target: Arc<LocalTarget>,
}

pub fn config(text: &str) -> Config {
    let layer = |text: &str| Layer {
        name: "sayso.toml".into(),
        text: text.into(),
    };
    load_layers(&[layer(BASE), layer(text)]).unwrap()
}

/// A site of one page, with the configuration `text`.
pub async fn rig(text: &str) -> Rig {
    let site = site(&[("index.html", "<h1>one</h1>\n")]);
    let state = tempfile::tempdir().unwrap();
    let (conductor, target) = open(site.path(), state.path(), text).await;
    Rig {
        site,
        state,
        conductor,
        target,
    }
}

async fn open(site: &Path, state: &Path, text: &str) -> (Arc<Conductor>, Arc<LocalTarget>) {
    let config = config(text);
    let (sender, notices) = mpsc::unbounded_channel();
    let environments = config.environments().unwrap();
    let mut local = LocalOptions::new(state.join("host"));
    local.environments = environments
        .into_iter()
        .map(|one| (one.name, one.port))
        .collect();
    local.notice = false;
    local.notices = Some(sender);
    local.health = HealthOptions {
        watch: config.health.watch.duration(),
        probes: 2,
        ..HealthOptions::default()
    };
    // A build that lasts as long as there is a file `block` in the state folder.
    local.build.command = Some(format!(
        "echo $$ >> {0}/builds; while [ -e {0}/block ]; do sleep 0.02; done; mkdir -p out && cp *.html out/",
        state.display()
    ));
    local.build.output = Some("out".into());
    let names: Vec<String> = local
        .environments
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    let target = LocalTarget::open(local).await.unwrap();
    let shared = |name: String| (name, Arc::clone(&target) as Arc<dyn DeployTarget>);
    let conductor = Conductor::open(Setup {
        log: log(state),
        config,
        repo: Arc::new(Git::open_with(site, options()).await.unwrap()),
        generators: vec![Arc::new(Replace)],
        transcriber: None,
        targets: names.into_iter().map(shared).collect(),
        recordings: state.join("recordings"),
        notices: Some(notices),
    })
    .await
    .unwrap();
    (conductor, target)
}

impl Rig {
    /// Ends this process's part and begins another's on the same state, with the configuration `text`.
    pub async fn reopen(self, text: &str) -> Rig {
        let Rig {
            site,
            state,
            conductor,
            target,
        } = self;
        conductor.settled().await;
        target.close().await;
        drop((conductor, target));
        let (conductor, target) = open(site.path(), state.path(), text).await;
        Rig {
            site,
            state,
            conductor,
            target,
        }
    }

    /// A path in the state folder, for what commands of a test write.
    pub fn path(&self, name: &str) -> PathBuf {
        self.state.path().join(name)
    }

    /// Builds wait from now on.
    pub fn block(&self) {
        std::fs::write(self.path("block"), "").unwrap();
    }

    /// Builds go on.
    pub fn unblock(&self) {
        std::fs::remove_file(self.path("block")).unwrap();
    }

    /// Commits a page; the commit.
    pub fn commit(&self, text: &str) -> String {
        write(
            self.site.path(),
            "index.html",
            &format!("<h1>{text}</h1>\n"),
        );
        git(self.site.path(), &["add", "-A"]);
        git(self.site.path(), &["commit", "-qm", text]);
        git(self.site.path(), &["rev-parse", "HEAD"])
            .trim()
            .to_owned()
    }

    /// Asks for a deployment of the head.
    pub async fn ask(&self, environment: &str, actor: &str) -> Result<DeploymentId, Problem> {
        let request = SyncRequest {
            environment: Some(environment.into()),
            ..SyncRequest::default()
        };
        let synced = self
            .conductor
            .deploy(request, false, &person(actor))
            .await?;
        Ok(synced.deployment.unwrap())
    }

    /// Deploys the head and waits for the end.
    pub async fn deploy(&self, environment: &str) -> Deployment {
        let id = self.ask(environment, "Ada").await.unwrap();
        self.over(&id).await
    }

    pub fn now(&self, id: &DeploymentId) -> Deployment {
        self.conductor.deployment(id).unwrap()
    }

    /// The deployment once it is over.
    pub async fn over(&self, id: &DeploymentId) -> Deployment {
        self.until(id, |now| now.state.is_final()).await
    }

    /// The deployment once it is as `like` wants it.
    pub async fn until(&self, id: &DeploymentId, like: impl Fn(&Deployment) -> bool) -> Deployment {
        let what = format!("deployment {id}, which is {:?}", self.now(id).progress);
        wait_for(&what, async || Some(self.now(id)).filter(|now| like(now))).await
    }

    /// The deployment once it builds.
    pub async fn at_work(&self, id: &DeploymentId) {
        self.until(id, |now| now.state == DeploymentState::Running)
            .await;
        wait_for("the build", async || {
            self.path("builds").exists().then_some(())
        })
        .await;
    }

    pub fn live(&self, environment: &str) -> Option<LiveRelease> {
        DeployTarget::live(self.target.as_ref(), environment)
    }

    pub fn events(&self) -> Vec<Event> {
        self.conductor.log().read(0, 10_000).unwrap()
    }

    /// The events of one kind about a deployment.
    pub fn told(&self, kind: EventKind, id: &DeploymentId) -> Vec<Event> {
        let mut events = self.events();
        events.retain(|event| event.kind == kind && event.deployment.as_ref() == Some(id));
        events
    }
}

/// Waits until the process whose id is in the file `mark` has ended.
pub async fn gone(mark: &Path) {
    let id = std::fs::read_to_string(mark).unwrap();
    let stat = format!("/proc/{}/stat", id.trim());
    wait_for("the process to be gone", async || {
        let state = std::fs::read_to_string(&stat).unwrap_or_default();
        // One that has ended but was not waited for by its new parent is gone as far as we are concerned.
        (state.is_empty() || state.contains(") Z ")).then_some(())
    })
    .await;
}
