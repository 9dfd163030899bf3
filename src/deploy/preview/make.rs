//! One version of a preview: laid out, built, listed.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Order, PreviewOptions, lay_out};
use crate::deploy::build::job::Job;
use crate::deploy::build::{self, steers};
use crate::deploy::host::{Loader, Serving, Site, Spa};
use crate::deploy::local::walk;
use crate::deploy::manifest::{FileRecord, Manifest, sha256};
use crate::model::{DeploymentId, ProposalKind, ProposedFile, ReleaseId};

/// Lines of output that a failure carries.
const TAIL: usize = 60;

/// Text up to this size is checked for being UTF-8.
const CHECKED_TEXT: usize = 4 * 1024 * 1024;

/// A version that can be served.
pub(super) struct Made {
    /// What is served, with the script that loads pages anew.
    pub site: Arc<Site>,
    /// The same without it.
    pub plain: Arc<Site>,
    /// The folder with the pages.
    pub output: PathBuf,
    /// What people should know: files that are shown as they were.
    pub left_out: Vec<String>,
}

/// Why a version cannot be served.
pub(super) struct NotMade {
    pub message: String,
    pub hint: String,
    pub log_tail: Vec<String>,
    pub canceled: bool,
    /// A person must allow it first.
    pub held: bool,
}

impl NotMade {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
            log_tail: Vec::new(),
            canceled: false,
            held: false,
        }
    }
}

/// What of a change steers the build itself: the files, and a digest of what they are changed to. `None` when the build
/// runs what it ran before.
pub(super) fn steering(order: &Order) -> Option<(Vec<String>, String)> {
    if order.kind != ProposalKind::Edit {
        // The person's own changes, and what was committed before.
        return None;
    }
    let files: Vec<&ProposedFile> = order
        .files
        .iter()
        .filter(|file| steers(&file.path).is_some())
        .collect();
    if files.is_empty() {
        return None;
    }
    let whole: String = files
        .iter()
        .map(|file| format!("{}\0{:?}\0", file.path, file.after))
        .collect();
    let paths = files.iter().map(|file| file.path.clone()).collect();
    Some((paths, sha256(whole.as_bytes())))
}

/// The refusal to run what a proposal brings along.
fn held_back(paths: &[String]) -> NotMade {
    let what: Vec<String> = paths
        .iter()
        .map(|path| format!("{path} ({})", steers(path).unwrap_or("the build")))
        .collect();
    NotMade {
        held: true,
        ..NotMade::new(
            format!(
                "the proposal changes what the build runs: {}",
                what.join(", ")
            ),
            "read these files in the diff; then allow it (sayso preview --allow, or the preview key once more), or leave \
             their hunks out",
        )
    }
}

/// Lays out, builds and lists one version in `folder`.
pub(super) async fn make(
    options: &PreviewOptions,
    order: &Order,
    folder: &Path,
    allowed: &(dyn Fn(&str) -> bool + Sync),
    cancel: &CancellationToken,
) -> Result<Made, NotMade> {
    let root = folder.join("site");
    let (source, files, into) = (order.source.clone(), order.files.clone(), root.clone());
    let left_out = blocking(move || lay_out::lay_out(source.as_ref(), &files, &into))
        .await
        .map_err(|error| {
            NotMade::new(
                format!("the proposal's files cannot be laid out: {error}"),
                "make sure that the state folder can be written and that the disk is not full",
            )
        })?;
    let (at, how) = (root.clone(), options.build.clone());
    let plan = blocking(move || Ok(build::plan(&at, &how)))
        .await
        .map_err(|error| NotMade::new(error.to_string(), ""))?;
    if plan.command.is_some()
        && let Some((paths, digest)) = steering(order)
        && !allowed(&digest)
    {
        return Err(held_back(&paths));
    }
    let mut tail: VecDeque<String> = VecDeque::new();
    let job = Job {
        plan: &plan,
        root: &root,
        cache: &options.cache,
        fresh: false,
        timeout: options.build.timeout,
        environment: "preview",
        cancel,
    };
    let built = job
        .build(&mut |line| {
            if tail.len() == TAIL {
                tail.pop_front();
            }
            tail.push_back(line);
        })
        .await;
    built.map_err(|error| NotMade {
        message: error.message,
        hint: error.hint,
        log_tail: tail.into_iter().collect(),
        canceled: error.canceled,
        held: false,
    })?;
    let (at, found, spa) = (root.clone(), plan.clone(), options.spa);
    let listed = blocking(move || Ok(list(&at, &found, spa)))
        .await
        .map_err(|error| NotMade::new(error.to_string(), ""))?;
    let (site, plain, output) = listed?;
    Ok(Made {
        site,
        plain,
        output,
        left_out,
    })
}

type Listed = (Arc<Site>, Arc<Site>, PathBuf);

fn list(root: &Path, plan: &build::Plan, spa: Spa) -> Result<Listed, NotMade> {
    let unread = |error: io::Error| {
        NotMade::new(
            format!("the built files cannot be read: {error}"),
            "preview it again",
        )
    };
    let output =
        build::output::find(root, plan).map_err(|(message, hint)| NotMade::new(message, hint))?;
    let plain = plan.command.is_none();
    let listing = walk::list(&output, plain).map_err(unread)?;
    let mut places: HashMap<String, PathBuf> = HashMap::new();
    let mut files = Vec::with_capacity(listing.files.len());
    for found in listing.files {
        let bytes = std::fs::read(&found.file).map_err(unread)?;
        let sha256 = sha256(&bytes);
        files.push(FileRecord {
            path: found.path,
            size: bytes.len() as u64,
            utf8: bytes.len() > CHECKED_TEXT || std::str::from_utf8(&bytes).is_ok(),
            sha256: sha256.clone(),
        });
        places.insert(sha256, found.file);
    }
    if files.is_empty() {
        return Err(NotMade::new(
            "the site has no files that could be shown",
            "name the folder with the site as `output` under [build] in sayso.toml",
        ));
    }
    let manifest = Manifest {
        id: ReleaseId::new(),
        commit: String::new(),
        tree: String::new(),
        recipe: String::new(),
        // Nothing of a preview is kept by a browser: the next version may use the same name.
        built: false,
        deployment: DeploymentId::new(),
        created_at: Timestamp::now(),
        files,
    };
    // A loader of its own: contents of an earlier version lie in a folder that is about to go.
    let with = |notice| {
        let loader = Loader::new(Serving { notice, spa });
        loader.site(&manifest, &|digest| {
            places.get(digest).cloned().unwrap_or_default()
        })
    };
    Ok((with(true), with(false), output))
}

/// Runs what may wait for the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
