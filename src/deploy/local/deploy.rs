//! A deployment, step by step: fetch, build, upload, activate, verify.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::activate::SwitchError;
use super::pointer::Entry;
use super::run::Run;
use super::store::{StoreError, Workspace};
use super::{Environment, Inner, modules, walk, watch};
use crate::deploy::build::run::{RunError, run as run_command};
use crate::deploy::build::{self, BuildOptions, Plan};
use crate::deploy::health::{Probe, Question};
use crate::deploy::host::Site;
use crate::deploy::manifest::{FileRecord, Manifest, sha256};
use crate::deploy::{DeployFailure, Deployed, Report};
use crate::model::{Problem, ReleaseId, Source, Stage};

const DISK: &str = "make sure that the state folder can be written and that the disk is not full, then deploy again";

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

/// Moves what `from` serves on.
pub(super) async fn promote(
    mut run: Run,
    from: &str,
    expected: Option<&ReleaseId>,
) -> Result<Deployed, DeployFailure> {
    let inner = run.inner.clone();
    let environment = known(&run, &inner)?;
    let _turn = turn(&mut run, environment).await?;
    if let Some(done) = done_before(&run, environment) {
        return Ok(done);
    }
    let _making = inner.collecting.read().await;
    let source = inner
        .environment(from)
        .map_err(|problem| of_problem(&run, &problem))?;
    let entry = source
        .pointer()
        .live()
        .filter(|entry| entry.bad.is_none())
        .cloned();
    let entry = entry.ok_or_else(|| {
        run.failure(
            format!(
                "{from} serves no good release that could be moved to {}",
                environment.name
            ),
            format!("deploy to {from} first"),
        )
    })?;
    if let Some(expected) = expected {
        let current = environment.pointer().current.clone();
        if current.as_ref() != Some(expected) {
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
                format!("deploy to {from} again"),
            )
        })?;
    let expected = expected.cloned().map(Some);
    activate(&mut run, environment, &manifest, &entry.commit, expected).await
}

fn known<'a>(run: &Run, inner: &'a Inner) -> Result<&'a Environment, DeployFailure> {
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
async fn turn<'a>(
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
fn done_before(run: &Run, environment: &Environment) -> Option<Deployed> {
    let pointer = environment.pointer();
    let entry = pointer.live().filter(|entry| entry.deployment == run.id)?;
    Some(Deployed {
        release: entry.release.clone(),
        url: environment.front.url(),
        stages: entry.stages.clone(),
    })
}

/// A digest of everything besides the tree that a release depends on.
fn recipe(options: &BuildOptions) -> String {
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
async fn reusable(inner: &Arc<Inner>, tree: &str, recipe: &str) -> Option<Manifest> {
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

/// Fetches, builds and writes a new release.
async fn make(
    run: &mut Run,
    source: &Arc<dyn Source>,
    recipe: String,
    force: bool,
) -> Result<Manifest, DeployFailure> {
    run.enter(Stage::Fetch, "lays out the commit's files");
    let work = workspace(run).await?;
    let root = work.path().join("site");
    let (export, into) = (source.clone(), root.clone());
    let mut fetching = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&into)?;
        export.export(&into)
    });
    let fetched = tokio::select! {
        biased;
        () = run.cancel.cancelled() => {
            // It cannot be interrupted: its folder goes when it is done.
            tokio::spawn(async move {
                let _ = fetching.await;
                drop(work);
            });
            return Err(run.stopped());
        }
        fetched = &mut fetching => fetched.map_err(io::Error::other).and_then(|fetched| fetched),
    };
    fetched.map_err(|error| {
        run.failure(
            format!("the commit's files cannot be laid out: {error}"),
            "make sure that the repository is whole (git fsck) and that the disk is not full, then deploy again",
        )
    })?;
    failpoint!("deploy.fetched");
    run.check()?;

    let (folder, options) = (root.clone(), run.inner.options.build.clone());
    let plan = blocking(move || Ok(build::plan(&folder, &options)))
        .await
        .map_err(|error| run.failure(error.to_string(), DISK))?;
    if plan.command.is_some() {
        build_site(run, &plan, &root, force).await?;
    }
    failpoint!("deploy.built");
    run.check()?;
    upload(run, source, &plan, &root, recipe).await
}

async fn workspace(run: &Run) -> Result<Workspace, DeployFailure> {
    let (inner, id) = (run.inner.clone(), run.id.clone());
    blocking(move || inner.store.workspace(&id))
        .await
        .map_err(|error| run.failure(format!("no folder to work in: {error}"), DISK))
}

async fn build_site(
    run: &mut Run,
    plan: &Plan,
    root: &Path,
    force: bool,
) -> Result<(), DeployFailure> {
    run.enter(Stage::Build, format!("builds the site ({})", plan.label));
    let base = root.join(&plan.base);
    let cache = run.inner.options.state_dir.join("cache");
    if let Some(install) = &plan.install {
        let lent = plan
            .dependencies
            .as_ref()
            .is_some_and(|key| !force && modules::borrow(&cache, key, &base));
        if lent {
            run.log("the dependencies have not changed and are used again".to_owned());
        } else {
            command(run, install, &base, plan).await?;
        }
    }
    let Some(build) = &plan.command else {
        return Ok(());
    };
    let built = command(run, build, &base, plan).await;
    if let (Some(key), true) = (&plan.dependencies, built.as_ref().is_ok_and(|()| true)) {
        if let Err(error) = modules::give_back(&cache, key, &base) {
            tracing::warn!(%error, "the dependencies cannot be kept for the next build");
        }
    }
    built
}

async fn command(
    run: &mut Run,
    command: &str,
    folder: &Path,
    plan: &Plan,
) -> Result<(), DeployFailure> {
    run.log(format!("$ {command}"));
    let (cancel, timeout) = (run.cancel.clone(), run.inner.options.build.timeout);
    let mut env = plan.env.clone();
    env.insert("SAYSO_ENVIRONMENT".to_owned(), run.environment.clone());
    let outcome = run_command(command, folder, &env, timeout, &cancel, &mut |line| {
        run.log(line)
    })
    .await;
    outcome.map_err(|error| match error {
        RunError::Canceled => run.stopped(),
        RunError::TimedOut => run.failure(
            format!("`{command}` took longer than {} s and was stopped", timeout.as_secs()),
            "make the build faster, or allow it more time under [build] in sayso.toml",
        ),
        RunError::Failed(Some(127)) => run.failure(
            format!("`{command}` needs a program that is not installed here"),
            plan.hint.unwrap_or("install what the log names, or set another `command` under [build] in sayso.toml"),
        ),
        RunError::Failed(code) => {
            let how = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
            run.failure(
                format!("`{command}` failed with {how}"),
                "read the last lines of the log; run the same command in a fresh clone to see it there",
            )
        }
        RunError::Io(error) => run.failure(
            format!("`{command}` could not be run: {error}"),
            "make sure that the folder named in the build settings exists",
        ),
    })
}

async fn upload(
    run: &mut Run,
    source: &Arc<dyn Source>,
    plan: &Plan,
    root: &Path,
    recipe: String,
) -> Result<Manifest, DeployFailure> {
    run.enter(Stage::Upload, "writes the release");
    let (folder, found) = (root.to_owned(), plan.clone());
    let output: PathBuf = blocking(move || Ok(build::output::find(&folder, &found)))
        .await
        .map_err(|error| run.failure(error.to_string(), DISK))?
        .map_err(|(message, hint)| run.failure(message, hint))?;
    let plain = plan.command.is_none();
    let walked = output.clone();
    let listing = blocking(move || walk::list(&walked, plain))
        .await
        .map_err(|error| run.failure(format!("the site's files cannot be read: {error}"), DISK))?;
    for why in &listing.left_out {
        run.log(format!("left out: {why}"));
    }
    if listing.files.is_empty() {
        return Err(run.failure(
            "the site has no files that could be published",
            "name the folder with the site as `output` under [build] in sayso.toml",
        ));
    }
    let inner = run.inner.clone();
    let (cancel, reports) = (run.cancel.clone(), run.reports.clone());
    let seed = Manifest {
        id: ReleaseId::new(),
        commit: source.commit().to_owned(),
        tree: source.tree().to_owned(),
        recipe,
        built: !plain,
        deployment: run.id.clone(),
        created_at: Timestamp::now(),
        files: Vec::new(),
    };
    let written = blocking(move || {
        let total = listing.files.len();
        let progress = |permille: u16| {
            let message = format!("{} of {total} files", total * usize::from(permille) / 1000);
            let _ = reports.send(Report::Fraction { permille, message });
        };
        let files: Vec<FileRecord> =
            match inner
                .store
                .take(&listing.files, &|| cancel.is_cancelled(), &progress)
            {
                Ok(files) => files,
                Err(StoreError::Canceled) => return Ok(None),
                Err(StoreError::Io(error)) => return Err(error),
            };
        let manifest = Manifest { files, ..seed };
        inner.store.write(&manifest)?;
        Ok(Some(manifest))
    })
    .await;
    match written {
        Ok(Some(manifest)) => Ok(manifest),
        Ok(None) => Err(run.stopped()),
        Err(error) => Err(run.failure(format!("the release cannot be written: {error}"), DISK)),
    }
}

/// Checks a whole release, makes it live, and asks it at the live address.
async fn activate(
    run: &mut Run,
    environment: &Environment,
    manifest: &Manifest,
    commit: &str,
    expected: Option<Option<ReleaseId>>,
) -> Result<Deployed, DeployFailure> {
    run.enter(
        Stage::Activate,
        "asks the new release how it is, before anyone sees it",
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
    match inner
        .go_live(&environment.name, entry, site, expected)
        .await
    {
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
    if let Err(probe) = inner
        .prober
        .gate(&question, &mut |probe| run.health(probe))
        .await
    {
        return Err(take_back(run, environment, &manifest.id, probe).await);
    }
    failpoint!("deploy.verified");
    watch::begin(&inner, environment, &manifest.id);
    tokio::spawn(inner.clone().collect(false));
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
    let (cancel, inner) = (run.cancel.clone(), run.inner.clone());
    let mut tell = |probe: &Probe| run.health(probe);
    let gate = inner.prober.gate(&question, &mut tell);
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
        .retreat(environment, release, &probe.message)
        .await
    {
        Some(to) => DeployFailure {
            rolled_back: true,
            ..run.failure(
                message,
                format!("{to} is live again; mend the site and deploy again"),
            )
        },
        None => run.failure(
            format!(
                "{message}; there is no earlier good release to go back to, so it is still served"
            ),
            "mend the site and deploy again",
        ),
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

/// Runs what may wait for the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
