//! The embedded local host: immutable releases on this machine, switched atomically.
//!
//! ```text
//! <state_dir>/environments/<name>.json   which release it serves (the truth after a crash)
//! <state_dir>/environments/<name>.port   the port it had last
//! <state_dir>/objects, releases, tmp     see the store
//! <state_dir>/cache                      installed dependencies, for the next build
//! <state_dir>/lock                       held while a process serves from here
//! ```
//!
//! A release is written whole, asked over HTTP whether it is well while nobody sees it, then pointed at on disk and
//! in memory, asked again at the live address, and watched for a while. A release found unwell after the switch is
//! taken back once, by itself, and not offered again.

mod accept;
mod activate;
mod deploy;
pub(super) mod hash;
mod make;
mod open;
mod options;
mod pointer;
mod receive;
mod run;
mod store;
mod target;
pub(super) mod walk;
mod watch;

pub(super) use deploy::recipe;
pub use options::{LocalNotice, LocalOptions};
pub use receive::Received;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::pointer::Pointer;
use self::run::Run;
use self::store::Store;
use super::health::cooldown::Cooldown;
use super::health::{Probe, Prober, Question};
use super::host::{Front, Loader};
use super::{DeployFailure, Deployed, Report};
use crate::model::{DeploymentId, LiveRelease, Problem, ReleaseId, Stage};

/// One environment.
struct Environment {
    name: String,
    front: Arc<Front>,
    file: PathBuf,
    pointer: Mutex<Pointer>,
    /// Held for a whole deployment.
    deploying: tokio::sync::Mutex<()>,
    /// Held while the pointer moves: shortly, so that a rollback never waits for a build.
    switching: tokio::sync::Mutex<()>,
    prober: Prober,
    /// The wait after an automatic return.
    cooldown: Cooldown,
    /// Ends the watch over the release that went live last.
    watching: Mutex<CancellationToken>,
}

impl Environment {
    fn pointer(&self) -> MutexGuard<'_, Pointer> {
        self.pointer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> Option<LiveRelease> {
        let pointer = self.pointer();
        let entry = pointer.live()?;
        Some(LiveRelease {
            environment: self.name.clone(),
            release: entry.release.clone(),
            commit: entry.commit.clone(),
            url: self.front.url(),
            since: pointer.since.unwrap_or(entry.deployed_at),
        })
    }
}

/// What deployments, rollbacks and watches share.
struct Inner {
    options: LocalOptions,
    store: Store,
    loader: Loader,
    environments: BTreeMap<String, Environment>,
    /// Releases of environments that are not configured now; `None` when that cannot be known.
    elsewhere: Option<HashSet<ReleaseId>>,
    /// Held while a content that another machine sends is written: one of few for each content.
    lanes: [tokio::sync::Mutex<()>; 16],
    /// Read by whoever makes a release, written by whoever removes old ones.
    collecting: tokio::sync::RwLock<()>,
    stop: CancellationToken,
    /// Held as long as anything works in the state folder.
    lock: File,
}

impl Inner {
    fn environment(&self, name: &str) -> Result<&Environment, Problem> {
        self.environments.get(name).ok_or_else(|| {
            let known: Vec<_> = self.environments.keys().map(String::as_str).collect();
            Problem::not_found(format!(
                "there is no environment {name:?} on the local host"
            ))
            .hint(format!("the environments are: {}", known.join(", ")))
        })
    }

    fn notify(&self, notice: LocalNotice) {
        if let Some(notices) = &self.options.notices {
            // Nobody listens any more: there is nobody to tell.
            let _ = notices.send(notice);
        }
    }

    /// Every release that an environment keeps; `None` when that cannot be known.
    fn kept(&self) -> Option<HashSet<ReleaseId>> {
        let mut kept = self.elsewhere.clone()?;
        for environment in self.environments.values() {
            kept.extend(
                environment
                    .pointer()
                    .history
                    .iter()
                    .map(|entry| entry.release.clone()),
            );
        }
        Some(kept)
    }

    /// Removes releases that nothing keeps, and contents that no release needs.
    async fn collect(self: Arc<Self>, contents: bool) {
        // Not waited for: whoever is making a release collects at its own end.
        let Ok(_alone) = self.collecting.try_write() else {
            return;
        };
        if self.stop.is_cancelled() {
            return;
        }
        let Some(kept) = self.kept() else { return };
        let inner = self.clone();
        let done = tokio::task::spawn_blocking(move || inner.store.collect(&kept, contents)).await;
        if let Ok(Err(error)) = done {
            tracing::warn!(%error, "old releases cannot be removed");
        }
    }
}

/// How long a deployment that was told to end may take to do so.
const ENDING: Duration = Duration::from_secs(5);

/// The embedded local host.
pub struct LocalTarget {
    inner: Arc<Inner>,
    servers: Mutex<Vec<JoinHandle<()>>>,
}

impl LocalTarget {
    /// Takes the ports, clears what a crash left, and serves each environment's live release.
    ///
    /// # Errors
    /// `conflict` when another process uses the state folder, `bad-request` for a name or path that cannot be used,
    /// `internal` when the folder cannot be written or no port can be had.
    pub async fn open(options: LocalOptions) -> Result<Arc<Self>, Problem> {
        open::open(options).await.map(Arc::new)
    }

    /// The address of an environment's start page.
    pub fn url(&self, environment: &str) -> Option<String> {
        Some(self.inner.environment(environment).ok()?.front.url())
    }

    /// The port of an environment.
    pub fn port(&self, environment: &str) -> Option<u16> {
        Some(self.inner.environment(environment).ok()?.front.port())
    }

    /// Asks the live release once how it is; `None` when nothing is live.
    pub async fn probe(&self, environment: &str) -> Option<Probe> {
        let environment = self.inner.environment(environment).ok()?;
        let release = environment.front.release()?;
        let base = environment.front.url();
        let question = Question {
            base: &base,
            release: &release,
            candidate: None,
        };
        Some(environment.prober.probe(&question).await)
    }

    /// A deployment that ends when it is told to, or with the host.
    fn begin(
        &self,
        id: DeploymentId,
        environment: String,
        reports: mpsc::UnboundedSender<Report>,
    ) -> Run {
        Run::new(
            self.inner.clone(),
            id,
            environment,
            reports,
            self.inner.stop.child_token(),
        )
    }

    /// Stops serving and gives the state folder free. Open event streams end; running deployments are stopped,
    /// unless traffic is moving.
    pub async fn close(&self) {
        self.inner.stop.cancel();
        let servers =
            std::mem::take(&mut *self.servers.lock().unwrap_or_else(PoisonError::into_inner));
        for mut server in servers {
            // A client that reads slowly must not keep us from ending.
            if tokio::time::timeout(Duration::from_millis(500), &mut server)
                .await
                .is_err()
            {
                server.abort();
                let _ = server.await;
            }
        }
        for environment in self.inner.environments.values() {
            let _ = tokio::time::timeout(ENDING, environment.deploying.lock()).await;
            let _ = tokio::time::timeout(ENDING, environment.switching.lock()).await;
        }
        let _ = tokio::time::timeout(ENDING, self.inner.collecting.write()).await;
        let _ = self.inner.lock.unlock();
    }
}

impl Drop for LocalTarget {
    fn drop(&mut self) {
        self.inner.stop.cancel();
        for server in self
            .servers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            server.abort();
        }
        // The state folder is free when the last task that works in it has ended.
    }
}

/// Does `work` in a task of its own, so that it comes to its end even when nobody waits for it any more: memory and
/// disk never disagree, and a release that went live is asked and watched. `cancel` is passed on to `token`.
async fn finish(
    inner: Arc<Inner>,
    work: impl Future<Output = Result<Deployed, DeployFailure>> + Send + 'static,
    token: CancellationToken,
    cancel: CancellationToken,
) -> Result<Deployed, DeployFailure> {
    let task = tokio::spawn(async move {
        let mut work = Box::pin(work);
        let outcome = tokio::select! {
            biased;
            outcome = &mut work => outcome,
            () = cancel.cancelled() => {
                token.cancel();
                work.as_mut().await
            }
        };
        drop(work);
        // After a failure there may be contents that no release came to need.
        tokio::spawn(inner.collect(outcome.is_err()));
        outcome
    });
    task.await.unwrap_or_else(|error| {
        Err(DeployFailure {
            stage: Stage::Queue,
            message: format!("the deployment ended unexpectedly: {error}"),
            hint: "look at what is live, then deploy again".to_owned(),
            log_tail: Vec::new(),
            canceled: error.is_cancelled(),
            rolled_back: false,
            unknown: false,
        })
    })
}
