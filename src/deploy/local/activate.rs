//! Moves traffic: to a new release, back to an old one, and after a crash.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use super::pointer::{Entry, Pointer};
use super::watch;
use super::{Environment, Inner, LocalNotice};
use crate::deploy::health::Question;
use crate::deploy::host::Site;
use crate::deploy::{Deployed, NO_GOOD, Retreat, cooling};
use crate::model::{DeploymentId, LiveRelease, Problem, ReleaseId};
use crate::store::file;

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
        let path = environment.file.clone();
        let synced = tokio::task::spawn_blocking(move || file::sync_folder_of(&path));
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
        let path = environment.file.clone();
        tokio::task::spawn_blocking(move || file::swap(&path, &text))
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

    /// Takes `unwell` back if it is still live: to what was served before, else to the newest proven release that can
    /// still be loaded. It is marked and not offered again. `always` is for a release that was not live yet for anybody
    /// to see: what a cool-down forbids is to push releases around that were.
    pub(super) async fn retreat(
        self: &Arc<Self>,
        environment: &Environment,
        unwell: &ReleaseId,
        reason: &str,
        always: bool,
    ) -> Retreat {
        let _switching = environment.switching.lock().await;
        let mut pointer = environment.pointer().clone();
        if pointer.current.as_ref() != Some(unwell) {
            return Retreat::Moved;
        }
        watch::end(environment);
        pointer.mark_bad(unwell, reason);
        let waits = environment.cooldown.left().filter(|_| !always);
        let mut stays = match waits {
            Some(left) => cooling(left, environment.cooldown.length()),
            None => NO_GOOD.to_owned(),
        };
        while waits.is_none()
            && let Some(to) = pointer.last_good().cloned()
        {
            let site = match self.load(environment, &to).await {
                Ok(site) => site,
                Err(error) => {
                    tracing::error!(release = %to, %error, "an earlier release is damaged");
                    pointer.mark_bad(&to, &format!("it is damaged on disk: {error}"));
                    continue;
                }
            };
            pointer.turn_to(&to);
            if !always {
                pointer.returned_at = Some(Timestamp::now());
            }
            match self.turn(environment, pointer, site).await {
                Ok(()) => {
                    if !always {
                        environment.cooldown.begin();
                    }
                    return Retreat::Returned(to);
                }
                Err(error) => {
                    tracing::error!(%error, "the pointer cannot be written");
                    return Retreat::Stays(format!(
                        "the pointer to {to} cannot be written ({error}): make sure that the disk is not full, then \
                         `sayso rollback`"
                    ));
                }
            }
        }
        // Nothing to go back to, or not now. That it is unwell is remembered all the same.
        if let Err(error) = self.save(environment, &pointer).await {
            tracing::error!(%error, "the pointer cannot be written");
            stays.push_str("; that it is unwell could not be stored");
        }
        *environment.pointer() = pointer;
        Retreat::Stays(stays)
    }

    /// Remembers that `release` was well for as long as it is watched.
    pub(super) async fn prove(&self, environment: &Environment, release: &ReleaseId) {
        let _switching = environment.switching.lock().await;
        let mut pointer = environment.pointer().clone();
        pointer.prove(release);
        if *environment.pointer() == pointer {
            return;
        }
        if let Err(error) = self.save(environment, &pointer).await {
            // It is watched once more after the next start.
            tracing::error!(%error, "the pointer cannot be written");
        }
        *environment.pointer() = pointer;
    }

    /// A person goes back.
    pub(super) async fn rollback(
        self: &Arc<Self>,
        name: &str,
        to: Option<&ReleaseId>,
    ) -> Result<LiveRelease, Problem> {
        let environment = self.environment(name)?;
        let switching = environment.switching.lock().await;
        let mut pointer = environment.pointer().clone();
        let to = match to {
            Some(to) => match pointer.entry(to) {
                None => {
                    return Err(Problem::not_found(format!("{name} keeps no release {to}"))
                        .hint("see `sayso deployments` for the releases that are kept"));
                }
                // Named by a person: even one that was found unwell.
                Some(_) => to.clone(),
            },
            None => pointer.older_good().cloned().ok_or_else(|| {
                Problem::not_found(format!("{name} has no earlier good release to go back to"))
                    .hint("deploy an earlier commit instead")
            })?,
        };
        let mut on_trial = false;
        let site = self.load(environment, &to).await.map_err(|error| {
            Problem::internal(format!("{to} cannot be read from disk: {error}"))
                .hint("go back to another release, or deploy its commit again")
        })?;
        if pointer.current.as_ref() != Some(&to) {
            watch::end(environment);
            pointer.turn_to(&to);
            on_trial = pointer.on_trial();
            self.turn(environment, pointer, site)
                .await
                .map_err(|error| {
                    Problem::internal(format!("the pointer of {name} cannot be written: {error}"))
                    .hint("make sure that the disk is not full; the same release as before is live")
                })?;
        }
        drop(switching);
        if on_trial {
            watch::begin(self, environment, &to).await;
        }
        let base = environment.front.url();
        let probe = environment
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
        if let Err(probe) = environment.prober.gate(&question, &mut |_| {}).await {
            let (environment, from, reason) = (environment, entry.release.clone(), probe.message);
            let retreat = self.retreat(environment, &from, &reason, true).await;
            if let Retreat::Returned(to) = retreat {
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
        watch::begin(self, environment, &entry.release).await;
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
