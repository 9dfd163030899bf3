//! A deployment: its release is made or found, checked, made live, and asked at the live address.

use std::sync::Arc;

use super::activate::SwitchError;
use super::make::{DISK, blocking, make};
use super::pointer::Entry;
use super::run::Run;
use super::{Environment, Inner, watch};
use crate::deploy::build::BuildOptions;
use crate::deploy::health::{Probe, Question};
use crate::deploy::host::Site;
use crate::deploy::manifest::{Manifest, sha256};
use crate::deploy::{DeployFailure, Deployed, PromoteRequest, Retreat};
use crate::model::{Problem, ReleaseId, Source, Stage};

/// Deploys `source`.
pub(super) async fn deploy(
    mut run: Run,
    source: Arc<dyn Source>,
    force: bool,
) -> Result<Deployed, DeployFailure> {
    let inner = run.inner.clone();
    let environment = known(&run, &inner)?;
    let _turn = turn(&mut run, environment).await?;
    if let Some(done) = done_before(&run, environment) {
        return Ok(done);
    }
    // Nothing old is removed while this release is being made and nothing points at it yet.
    let _making = inner.collecting.read().await;
    let recipe = recipe(&inner.options.build);
    let again = if force {
        None
    } else {
        reusable(&inner, source.tree(), &recipe).await
    };
    let (manifest, made) = match again {
        Some(manifest) => {
            run.enter(
                Stage::Fetch,
                format!("the same files are in {} already", manifest.id),
            );
            (manifest, false)
        }
        None => (make(&mut run, &source, recipe, force).await?, true),
    };
    let outcome = activate(&mut run, environment, &manifest, source.commit(), None).await;
    if made && environment.pointer().entry(&manifest.id).is_none() {
        inner.store.discard(&manifest.id);
    }
    outcome
}

/// Moves a release on that another environment made.
pub(super) async fn promote(
    mut run: Run,
    request: PromoteRequest,
) -> Result<Deployed, DeployFailure> {
    let inner = run.inner.clone();
    let environment = known(&run, &inner)?;
    let _turn = turn(&mut run, environment).await?;
    if let Some(done) = done_before(&run, environment) {
        return Ok(done);
    }
    let _making = inner.collecting.read().await;
    let entry = moved_on(&run, &inner, environment, &request)?;
    let expected = request.expected;
    if let Some(expected) = &expected {
        let current = environment.pointer().current.clone();
        if current != *expected {
            return Err(moved(&run, environment, current.as_ref()));
        }
    }
    let release = entry.release.clone();
    let loaded = inner.clone();
    let manifest = blocking(move || loaded.store.load(&release))
        .await
        .map_err(|error| {
            run.failure(
                format!("{} cannot be read from disk: {error}", entry.release),
                "deploy its commit again",
            )
        })?;
    activate(&mut run, environment, &manifest, &entry.commit, expected).await
}

/// The entry of the release that is to be moved to `environment`.
fn moved_on(
    run: &Run,
    inner: &Inner,
    environment: &Environment,
    request: &PromoteRequest,
) -> Result<Entry, DeployFailure> {
    let sources: Vec<&Environment> = match &request.from {
        Some(from) => {
            let from = inner.environment(from);
            vec![from.map_err(|problem| of_problem(run, &problem))?]
        }
        None => inner.environments.values().collect(),
    };
    let name = &environment.name;
    let found = sources.iter().find_map(|source| {
        let pointer = source.pointer();
        let entry = match &request.release {
            Some(release) => pointer.entry(release),
            None => pointer.live(),
        };
        entry.cloned()
    });
    let Some(entry) = found else {
        return Err(match (&request.release, &request.from) {
            (Some(release), _) => run.failure(
                format!("{release} is not kept any more, so it cannot be moved to {name}"),
                "deploy its commit instead; `sayso deployments` lists the releases that are kept",
            ),
            (None, from) => {
                let from = from.as_deref().unwrap_or("no environment");
                run.failure(
                    format!("{from} serves no good release that could be moved to {name}"),
                    format!("deploy to {from} first"),
                )
            }
        });
    };
    // Found unwell anywhere, it is offered nowhere.
    let unwell = inner.environments.values().find_map(|other| {
        let pointer = other.pointer();
        let why = pointer.entry(&entry.release)?.bad.clone()?;
        Some((other.name.clone(), why))
    });
    if let Some((place, why)) = unwell {
        return Err(run.failure(
            format!(
                "{} was found unwell on {place} ({why}): it is no good release that could be moved to {name}",
                entry.release
            ),
            "mend the site and deploy again",
        ));
    }
    Ok(entry)
}

pub(super) fn known<'a>(run: &Run, inner: &'a Inner) -> Result<&'a Environment, DeployFailure> {
    inner
        .environment(&run.environment)
        .map_err(|problem| of_problem(run, &problem))
}

fn of_problem(run: &Run, problem: &Problem) -> DeployFailure {
    run.failure(
        problem.detail.clone(),
        problem.hint.clone().unwrap_or_default(),
    )
}

/// Waits until no other deployment goes to the environment.
pub(super) async fn turn<'a>(
    run: &mut Run,
    environment: &'a Environment,
) -> Result<tokio::sync::MutexGuard<'a, ()>, DeployFailure> {
    run.check()?;
    if let Ok(turn) = environment.deploying.try_lock() {
        return Ok(turn);
    }
    run.enter(
        Stage::Queue,
        format!("waits for the deployment to {} before it", environment.name),
    );
    tokio::select! {
        biased;
        () = run.cancel.cancelled() => Err(run.stopped()),
        turn = environment.deploying.lock() => Ok(turn),
    }
}

/// The same deployment, asked for twice, is one.
pub(super) fn done_before(run: &Run, environment: &Environment) -> Option<Deployed> {
    let pointer = environment.pointer();
    let entry = pointer.live().filter(|entry| entry.deployment == run.id)?;
    Some(Deployed {
        release: entry.release.clone(),
        url: environment.front.url(),
        stages: entry.stages.clone(),
    })
}

/// A digest of everything besides the tree that a release depends on.
pub(in crate::deploy) fn recipe(options: &BuildOptions) -> String {
    /// Counts up when the detection or the walk changes what a release holds.
    const VERSION: u32 = 1;
    let BuildOptions {
        command,
        output,
        env,
        timeout: _,
    } = options;
    sha256(format!("{VERSION} {command:?} {output:?} {env:?}").as_bytes())
}

/// A kept, good and whole release of the same tree.
pub(super) async fn reusable(inner: &Arc<Inner>, tree: &str, recipe: &str) -> Option<Manifest> {
    if tree.is_empty() {
        return None;
    }
    let mut same = Vec::new();
    let mut bad = Vec::new();
    for environment in inner.environments.values() {
        for entry in &environment.pointer().history {
            if entry.bad.is_some() {
                bad.push(entry.release.clone());
            } else if entry.tree == tree && entry.recipe == recipe {
                same.push(entry.release.clone());
            }
        }
    }
    let newest = same
        .into_iter()
        .filter(|release| !bad.contains(release))
        .max()?;
    let inner = inner.clone();
    blocking(move || inner.store.load(&newest)).await.ok()
}

/// Checks a whole release, makes it live, and asks it at the live address.
pub(super) async fn activate(
    run: &mut Run,
    environment: &Environment,
    manifest: &Manifest,
    commit: &str,
    expected: Option<Option<ReleaseId>>,
) -> Result<Deployed, DeployFailure> {
    run.enter(
        Stage::Activate,
        "asks the release how it is, before anyone sees it",
    );
    let inner = run.inner.clone();
    let site = inner
        .load(environment, &manifest.id)
        .await
        .map_err(|error| run.failure(format!("the release cannot be read back: {error}"), DISK))?;
    check_candidate(run, environment, &site).await?;
    failpoint!("deploy.checked");
    run.check()?;

    // From here on `cancel` is not heeded: traffic moves.
    let stages = run.stages();
    let entry = Entry::new(manifest, commit, &run.id, stages);
    match inner.go_live(environment, entry, site, expected).await {
        Ok(()) => {}
        Err(SwitchError::Moved(current)) => return Err(moved(run, environment, current.as_ref())),
        Err(SwitchError::Io(error)) => {
            return Err(run.failure(format!("the pointer cannot be written: {error}"), DISK));
        }
    }

    run.enter(
        Stage::Verify,
        format!("asks {} for the new release", environment.front.url()),
    );
    let url = environment.front.url();
    let question = Question {
        base: &url,
        release: &manifest.id,
        candidate: None,
    };
    if let Err(probe) = environment
        .prober
        .gate(&question, &mut |probe| run.health(probe))
        .await
    {
        return Err(take_back(run, environment, &manifest.id, probe).await);
    }
    failpoint!("deploy.verified");
    watch::begin(&inner, environment, &manifest.id).await;
    Ok(Deployed {
        release: manifest.id.clone(),
        url,
        stages: run.stages(),
    })
}

async fn check_candidate(
    run: &mut Run,
    environment: &Environment,
    site: &Arc<Site>,
) -> Result<(), DeployFailure> {
    let url = environment.front.url();
    let candidate = environment.front.offer(site);
    let _offered = Offered(environment, &site.id);
    let question = Question {
        base: &url,
        release: &site.id,
        candidate: Some(&candidate),
    };
    let cancel = run.cancel.clone();
    let mut tell = |probe: &Probe| run.health(probe);
    let gate = environment.prober.gate(&question, &mut tell);
    let well = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        well = gate => Some(well),
    };
    match well {
        None => Err(run.stopped()),
        Some(Ok(())) => Ok(()),
        Some(Err(probe)) => Err(run.failure(
            format!("the new release is unwell: {}", probe.message),
            "it never went live and the release before it still serves; mend the site, or the health settings, \
             and deploy again",
        )),
    }
}

/// Withdraws the offer, however the check ends.
struct Offered<'a>(&'a Environment, &'a ReleaseId);

impl Drop for Offered<'_> {
    fn drop(&mut self) {
        self.0.front.withdraw(self.1);
    }
}

async fn take_back(
    run: &Run,
    environment: &Environment,
    release: &ReleaseId,
    probe: Probe,
) -> DeployFailure {
    let message = format!("{release} went live but is unwell: {}", probe.message);
    match run
        .inner
        .retreat(environment, release, &probe.message, true)
        .await
    {
        Retreat::Returned(to) => DeployFailure {
            rolled_back: true,
            ..run.failure(
                message,
                format!("{to} is live again; mend the site and deploy again"),
            )
        },
        Retreat::Moved => run.failure(message, "another release is live by now"),
        Retreat::Stays(why) => run.failure(format!("{message}; it is still served"), why),
    }
}

fn moved(run: &Run, environment: &Environment, current: Option<&ReleaseId>) -> DeployFailure {
    let now = current.map_or("nothing", ReleaseId::as_str);
    run.failure(
        format!(
            "{} serves {now} by now: someone else was faster",
            environment.name
        ),
        "look at what is live, then decide again",
    )
}
