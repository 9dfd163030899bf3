//! Moves traffic: to a new release, back to an old one, and after a crash.

use std::io;
use std::sync::Arc;

use super::pointer::{Entry, Pointer};
use super::watch;
use super::{Environment, Inner, LocalNotice};
use crate::deploy::Deployed;
use crate::deploy::disk;
use crate::deploy::health::Question;
use crate::deploy::host::Site;
use crate::model::{DeploymentId, LiveRelease, Problem, ReleaseId};

/// Why traffic did not move to a new release.
pub(super) enum SwitchError {
    /// Something else is live than was expected.
    Moved(Option<ReleaseId>),
    /// The pointer cannot be written.
    Io(io::Error),
}

impl Inner {
    /// The release, ready to be served: from memory, else from disk.
    pub(super) async fn load(
        self: &Arc<Self>,
        environment: &Environment,
        id: &ReleaseId,
    ) -> io::Result<Arc<Site>> {
        if let Some(site) = environment.front.loaded(id) {
            return Ok(site);
        }
        let (inner, id) = (self.clone(), id.clone());
        tokio::task::spawn_blocking(move || {
            let manifest = inner.store.load(&id)?;
            Ok(inner
                .loader
                .site(&manifest, &|sha256| inner.store.object(sha256)))
        })
        .await
        .map_err(io::Error::other)?
    }

    /// Writes the changed pointer to disk, then to memory, then serves `site`. The caller holds `switching`.
    ///
    /// The disk comes first: after a crash in between, the next start serves what this was about to serve.
    ///
    /// # Errors
    /// When the pointer cannot be written; the old one is then still served, and on disk.
    async fn turn(
        &self,
        environment: &Environment,
        pointer: Pointer,
        site: Arc<Site>,
    ) -> io::Result<()> {
        self.save(environment, &pointer).await?;
        failpoint!("deploy.pointer");
        let previous = pointer
            .previous
            .as_ref()
            .and_then(|id| environment.front.loaded(id));
        *environment.pointer() = pointer;
        environment.front.show(site, previous);
        failpoint!("deploy.switched");
        // Visitors need not wait for this; whoever asked for the switch does.
        let file = environment.file.clone();
        let synced = tokio::task::spawn_blocking(move || disk::sync_dir(disk::folder_of(&file)));
        if let Err(error) = synced
            .await
            .map_err(io::Error::other)
            .and_then(|synced| synced)
        {
            tracing::warn!(%error, "the pointer may not survive a power cut");
        }
        Ok(())
    }

    async fn save(&self, environment: &Environment, pointer: &Pointer) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(pointer).map_err(io::Error::other)?;
        let file = environment.file.clone();
        tokio::task::spawn_blocking(move || disk::replace(&file, &text))
            .await
            .map_err(io::Error::other)?
    }

    /// Makes a checked release live.
    pub(super) async fn go_live(
        self: &Arc<Self>,
        environment: &Environment,
        entry: Entry,
        site: Arc<Site>,
        expected: Option<Option<ReleaseId>>,
    ) -> Result<(), SwitchError> {
        let _switching = environment.switching.lock().await;
        let mut pointer = environment.pointer().clone();
        if expected.is_some_and(|expected| expected != pointer.current) {
            return Err(SwitchError::Moved(pointer.current));
        }
        watch::end(environment);
        pointer.activate(entry);
        pointer.prune(self.options.keep.max(1));
        self.turn(environment, pointer, site)
            .await
            .map_err(SwitchError::Io)
    }

    /// Takes `unwell` back if it is still live: to what was served before, else to the newest good release that can
    /// still be loaded. It is marked and not offered again. Returns what is served now, `None` when there is no good
    /// release (`unwell` is then still served) or something else is live by now.
    pub(super) async fn retreat(
        self: &Arc<Self>,
        environment: &Environment,
        unwell: &ReleaseId,
        reason: &str,
    ) -> Option<ReleaseId> {
        let _switching = environment.switching.lock().await;
        let mut pointer = environment.pointer().clone();
        if pointer.current.as_ref() != Some(unwell) {
            return None;
        }
        watch::end(environment);
        pointer.mark_bad(unwell, reason);
        while let Some(to) = pointer.last_good().cloned() {
            let site = match self.load(environment, &to).await {
                Ok(site) => site,
                Err(error) => {
                    tracing::error!(release = %to, %error, "an earlier release is damaged");
                    pointer.mark_bad(&to, &format!("it is damaged on disk: {error}"));
                    continue;
                }
            };
            pointer.turn_to(&to);
            if let Err(error) = self.turn(environment, pointer, site).await {
                tracing::error!(%error, "the pointer cannot be written");
                return None;
            }
            return Some(to);
        }
        // Nothing to go back to. That it is unwell is remembered all the same.
        if let Err(error) = self.save(environment, &pointer).await {
            tracing::error!(%error, "the pointer cannot be written");
        }
        *environment.pointer() = pointer;
        None
    }

    /// A person goes back.
    pub(super) async fn rollback(
        self: &Arc<Self>,
        name: &str,
        to: Option<&ReleaseId>,
    ) -> Result<LiveRelease, Problem> {
        let environment = self.environment(name)?;
        let _switching = environment.switching.lock().await;
        let mut pointer = environment.pointer().clone();
        let to = match to {
            Some(to) => match pointer.entry(to) {
                None => {
                    return Err(Problem::not_found(format!("{name} keeps no release {to}"))
                        .hint("see `sayso deployments` for the releases that are kept"));
                }
                Some(entry) => {
                    if let Some(why) = &entry.bad {
                        return Err(Problem::conflict(format!("{to} was found unwell: {why}"))
                            .hint("deploy its commit again if it is good now"));
                    }
                    to.clone()
                }
            },
            None => pointer.older_good().cloned().ok_or_else(|| {
                Problem::not_found(format!("{name} has no earlier good release to go back to"))
                    .hint("deploy an earlier commit instead")
            })?,
        };
        let site = self.load(environment, &to).await.map_err(|error| {
            Problem::internal(format!("{to} cannot be read from disk: {error}"))
                .hint("go back to another release, or deploy its commit again")
        })?;
        if pointer.current.as_ref() != Some(&to) {
            watch::end(environment);
            pointer.turn_to(&to);
            self.turn(environment, pointer, site)
                .await
                .map_err(|error| {
                    Problem::internal(format!("the pointer of {name} cannot be written: {error}"))
                    .hint("make sure that the disk is not full; the same release as before is live")
                })?;
        }
        let base = environment.front.url();
        let probe = self
            .prober
            .probe(&Question {
                base: &base,
                release: &to,
                candidate: None,
            })
            .await;
        if !probe.ok {
            tracing::warn!(release = %to, message = %probe.message, "the release gone back to is unwell");
        }
        environment
            .live()
            .ok_or_else(|| Problem::internal(format!("{name} lost its history while it went back")))
    }

    /// What became of a deployment that a crash cut off.
    pub(super) async fn reconcile(
        self: &Arc<Self>,
        name: &str,
        id: &DeploymentId,
    ) -> Option<Deployed> {
        let environment = self.environment(name).ok()?;
        let live = environment
            .pointer()
            .live()
            .filter(|entry| entry.deployment == *id)
            .cloned();
        let Some(entry) = live else {
            self.forget(id).await;
            return None;
        };
        let base = environment.front.url();
        let question = Question {
            base: &base,
            release: &entry.release,
            candidate: None,
        };
        if let Err(probe) = self.prober.gate(&question, &mut |_| {}).await {
            let (environment, from, reason) = (environment, entry.release.clone(), probe.message);
            if let Some(to) = self.retreat(environment, &from, &reason).await {
                let environment = environment.name.clone();
                self.notify(LocalNotice::RolledBack {
                    environment,
                    from,
                    to,
                    reason,
                });
                return None;
            }
        }
        watch::begin(self, environment, &entry.release);
        Some(Deployed {
            release: entry.release,
            url: base,
            stages: entry.stages,
        })
    }

    /// Removes what a deployment left half made.
    async fn forget(self: &Arc<Self>, id: &DeploymentId) {
        let Some(kept) = self.kept() else { return };
        let (inner, id) = (self.clone(), id.clone());
        let done = tokio::task::spawn_blocking(move || {
            inner.store.clear_workspaces(&id);
            for release in inner.store.ids() {
                if !kept.contains(&release) && inner.store.made_by(&release).as_ref() == Some(&id) {
                    inner.store.discard(&release);
                }
            }
        });
        if let Err(error) = done.await {
            tracing::warn!(%error, "what a deployment left cannot be removed");
        }
    }
}
