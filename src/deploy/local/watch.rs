//! Watches a release for a while after it went live. What was well for all of it is proven: an automatic return may go
//! to it later.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::{Environment, Inner, LocalNotice};
use crate::deploy::Retreat;
use crate::deploy::health::{Probe, Question};
use crate::model::ReleaseId;

/// A single bad answer may be a hiccup: some in a row, this far apart, are not.
const APART: Duration = Duration::from_millis(50);

/// Ends the watch over whatever went live last.
pub(super) fn end(environment: &Environment) {
    environment
        .watching
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .cancel();
}

/// Watches `release` in the background, instead of whatever was watched before. One that is not to be watched is proven
/// at once.
pub(super) async fn begin(inner: &Arc<Inner>, environment: &Environment, release: &ReleaseId) {
    let options = environment.prober.options();
    if options.watch.is_zero() || options.probes == 0 {
        inner.prove(environment, release).await;
        return;
    }
    let token = inner.stop.child_token();
    {
        let mut watching = environment
            .watching
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        watching.cancel();
        *watching = token.clone();
    }
    let (inner, name, release) = (inner.clone(), environment.name.clone(), release.clone());
    tokio::spawn(async move {
        let Ok(environment) = inner.environment(&name) else {
            return;
        };
        let watch = Watch {
            inner: &inner,
            environment,
            release: &release,
        };
        let unwell = tokio::select! {
            () = token.cancelled() => return,
            unwell = watch.window() => unwell,
        };
        // From here on to the end: `retreat` itself cancels the token.
        watch.conclude(unwell).await;
    });
}

struct Watch<'a> {
    inner: &'a Arc<Inner>,
    environment: &'a Environment,
    release: &'a ReleaseId,
}

impl Watch<'_> {
    /// Asks over the whole window; `Some` is what was wrong.
    async fn window(&self) -> Option<Probe> {
        let options = self.environment.prober.options();
        for _ in 0..options.probes {
            tokio::time::sleep(options.watch / options.probes).await;
            let mut failures = 0;
            loop {
                let probe = self.probe().await;
                if probe.ok {
                    break;
                }
                failures += 1;
                if failures >= options.failures.max(1) {
                    return Some(probe);
                }
                tokio::time::sleep(APART).await;
            }
        }
        None
    }

    async fn probe(&self) -> Probe {
        let base = self.environment.front.url();
        let question = Question {
            base: &base,
            release: self.release,
            candidate: None,
        };
        let probe = self.environment.prober.probe(&question).await;
        self.inner.notify(LocalNotice::Health {
            environment: self.environment.name.clone(),
            release: self.release.clone(),
            probe: probe.clone(),
        });
        probe
    }

    async fn conclude(&self, unwell: Option<Probe>) {
        let (environment, release) = (self.environment.name.clone(), self.release.clone());
        let Some(probe) = unwell else {
            self.inner.prove(self.environment, &release).await;
            return self.inner.notify(LocalNotice::Watched {
                environment,
                release,
            });
        };
        let reason = probe.message;
        let retreat = self
            .inner
            .retreat(self.environment, self.release, &reason, false)
            .await;
        match retreat {
            Retreat::Returned(to) => self.inner.notify(LocalNotice::RolledBack {
                environment,
                from: release,
                to,
                reason,
            }),
            Retreat::Stays(hint) => self.inner.notify(LocalNotice::Unwell {
                environment,
                release,
                reason,
                hint,
            }),
            Retreat::Moved => {}
        }
    }
}
