//! What is sent: the commit's files laid out, built, listed and hashed.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::HostOptions;
use crate::deploy::build::job::Job;
use crate::deploy::build::{self, Plan};
use crate::deploy::local::hash::{StoreError, hash_all};
use crate::deploy::local::{recipe, walk};
use crate::deploy::manifest::FileRecord;
use crate::deploy::remote::track::Track;
use crate::deploy::{DeployFailure, DeployRequest};
use crate::model::Stage;
use crate::model::host::{HostFile, HostRelease};

/// What to do when the disk said no.
const DISK: &str = "make sure that the disk is not full, then deploy again";

/// A site that can be sent.
pub(super) struct Made {
    /// Its files.
    pub files: Vec<HostFile>,
    /// Where a content is, by its SHA-256.
    pub places: HashMap<String, PathBuf>,
    /// True when a build made it.
    pub built: bool,
    // The files go with it.
    _folder: tempfile::TempDir,
}

impl Made {
    /// What the host is asked for.
    pub fn release(&self, request: &DeployRequest, options: &HostOptions) -> HostRelease {
        HostRelease {
            deployment: request.id.clone(),
            commit: request.source.commit().to_owned(),
            tree: request.source.tree().to_owned(),
            recipe: recipe(&options.build),
            built: self.built,
            force: request.force,
            actor: options.actor.clone(),
            files: self.files.clone(),
        }
    }
}

/// Lays out, builds, lists.
pub(super) async fn make(
    options: &HostOptions,
    request: &DeployRequest,
    track: &mut Track,
) -> Result<Made, DeployFailure> {
    track.enter(Stage::Fetch, "lays out the commit's files");
    let source = Arc::clone(&request.source);
    let laid = blocking(move || {
        let folder = tempfile::tempdir()?;
        source.export(folder.path())?;
        Ok(folder)
    });
    let folder = laid.await.map_err(|error| {
        track.failure(
            format!("the commit's files cannot be laid out: {error}"),
            "make sure that the repository is whole (git fsck) and that the disk is not full, then deploy again",
        )
    })?;
    track.check()?;
    let (root, how) = (folder.path().to_owned(), options.build.clone());
    let planned = blocking(move || Ok(build::plan(&root, &how))).await;
    let plan = planned.map_err(|error| track.failure(error.to_string(), DISK))?;
    if plan.command.is_some() {
        build_site(options, request, &plan, folder.path(), track).await?;
    }
    track.check()?;
    track.enter(Stage::Upload, "compares the files with those of the host");
    let (root, found, cancel) = (folder.path().to_owned(), plan.clone(), track.cancel.clone());
    let listed = blocking(move || list(&root, &found, &|| cancel.is_cancelled())).await;
    let (records, places, left_out) = match listed {
        Ok(Ok(Some(listed))) => listed,
        Ok(Ok(None)) => return Err(track.stopped()),
        Ok(Err((message, hint))) => return Err(track.failure(message, hint)),
        Err(error) => {
            return Err(track.failure(format!("the site's files cannot be read: {error}"), DISK));
        }
    };
    for why in &left_out {
        track.log(&format!("left out: {why}"));
    }
    Ok(Made {
        files: records
            .into_iter()
            .map(|record| HostFile {
                path: record.path,
                sha256: record.sha256,
                size: record.size,
            })
            .collect(),
        places,
        built: plan.command.is_some(),
        _folder: folder,
    })
}

async fn build_site(
    options: &HostOptions,
    request: &DeployRequest,
    plan: &Plan,
    root: &Path,
    track: &mut Track,
) -> Result<(), DeployFailure> {
    track.enter(Stage::Build, format!("builds the site ({})", plan.label));
    let cancel = track.cancel.clone();
    let job = Job {
        plan,
        root,
        cache: &options.cache,
        fresh: request.force,
        timeout: options.build.timeout,
        environment: &options.environment,
        cancel: &cancel,
    };
    let built = job.build(&mut |line| track.log(&line)).await;
    built.map_err(|error| {
        if error.canceled {
            track.stopped()
        } else {
            track.failure(error.message, error.hint)
        }
    })
}

type Listed = (Vec<FileRecord>, HashMap<String, PathBuf>, Vec<String>);

/// The inner error is a message and a hint; `None` when it was stopped.
fn list(
    root: &Path,
    plan: &Plan,
    canceled: &(dyn Fn() -> bool + Sync),
) -> io::Result<Result<Option<Listed>, (String, String)>> {
    let output = match build::output::find(root, plan) {
        Ok(output) => output,
        Err((message, hint)) => return Ok(Err((message, hint))),
    };
    let listing = walk::list(&output, plan.command.is_none())?;
    if listing.files.is_empty() {
        return Ok(Err((
            "the site has no files that could be published".to_owned(),
            "name the folder with the site as `output` under [build] in sayso.toml".to_owned(),
        )));
    }
    let records = match hash_all(&listing.files, canceled, &|_| {}) {
        Ok(records) => records,
        Err(StoreError::Canceled) => return Ok(Ok(None)),
        Err(StoreError::Io(error)) => return Err(error),
    };
    let places = records
        .iter()
        .zip(&listing.files)
        .map(|(record, found)| (record.sha256.clone(), found.file.clone()))
        .collect();
    Ok(Ok(Some((records, places, listing.left_out))))
}

/// Runs what may wait for the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
