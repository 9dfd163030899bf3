//! Makes a release of a commit: fetch, build, upload.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::run::Run;
use super::store::{StoreError, Workspace};
use super::walk;
use crate::deploy::build::job::Job;
use crate::deploy::build::{self, Plan};
use crate::deploy::manifest::{FileRecord, Manifest};
use crate::deploy::{DeployFailure, Report};
use crate::model::{ReleaseId, Source, Stage};

/// What to do when the disk said no.
pub(super) const DISK: &str = "make sure that the state folder can be written and that the disk is not full, then deploy again";

/// Fetches, builds and writes a new release.
pub(super) async fn make(
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
    let options = &run.inner.options;
    let (cache, timeout) = (options.state_dir.join("cache"), options.build.timeout);
    let (environment, cancel) = (run.environment.clone(), run.cancel.clone());
    let job = Job {
        plan,
        root,
        cache: &cache,
        fresh: force,
        timeout,
        environment: &environment,
        cancel: &cancel,
    };
    let built = job.build(&mut |line| run.log(line)).await;
    built.map_err(|error| {
        if error.canceled {
            run.stopped()
        } else {
            run.failure(error.message, error.hint)
        }
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

/// Runs what may wait for the disk.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
