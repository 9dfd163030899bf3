//! Releases that another machine made: their contents come in pieces, are checked whole, and then go the same way as any
//! release of this one.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::accept::{LARGEST, check, check_digest};
use super::deploy::{activate, done_before, known, reusable, turn};
use super::make::{DISK, blocking};
use super::run::Run;
use super::store::StoreError;
use super::walk::Found;
use super::{Inner, LocalTarget, finish};
use crate::deploy::manifest::{Manifest, hex, sha256};
use crate::deploy::{DeployFailure, Deployed, Report};
use crate::model::host::{HostContent, HostFile, PIECE};
use crate::model::{DeploymentId, Problem, ReleaseId, Stage};

/// What was sent and not used for so long is removed at a start.
const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 3600);

/// A release that another machine made.
#[derive(Clone, Debug)]
pub struct Received {
    /// The deployment's id.
    pub id: DeploymentId,
    /// The environment.
    pub environment: String,
    /// The commit that it was built from.
    pub commit: String,
    /// The id of that commit's tree.
    pub tree: String,
    /// A digest of how it was built.
    pub recipe: String,
    /// True when a build made it.
    pub built: bool,
    /// A new release even when the same files are live.
    pub force: bool,
    /// Its files.
    pub files: Vec<HostFile>,
}

impl LocalTarget {
    /// Which contents of `files` are not here, and how much of each is.
    ///
    /// # Errors
    /// `bad-request` when a file can be none of a release.
    pub async fn missing(&self, files: Vec<HostFile>) -> Result<Vec<HostContent>, Problem> {
        check(&files)?;
        let inner = self.inner.clone();
        let missing = blocking(move || {
            let mut seen = HashSet::new();
            let mut missing = Vec::new();
            for file in &files {
                if seen.insert(file.sha256.as_str())
                    && place(&inner, &file.sha256, file.size).is_none()
                {
                    let mut have = have(&inner, &file.sha256);
                    if have > file.size {
                        let _ = fs::remove_file(part(&inner, &file.sha256));
                        have = 0;
                    }
                    missing.push(HostContent {
                        sha256: file.sha256.clone(),
                        have,
                    });
                }
            }
            Ok(missing)
        });
        missing.await.map_err(|error| disk(&error))
    }

    /// How many bytes of a content are here.
    ///
    /// # Errors
    /// `bad-request` when the digest is none.
    pub async fn have(&self, digest: &str) -> Result<u64, Problem> {
        check_digest(digest)?;
        let (inner, digest) = (self.inner.clone(), digest.to_owned());
        let have = blocking(move || {
            let whole = [
                inner.store.object(&digest),
                inner.store.incoming().join(&digest),
            ];
            let whole = whole.iter().find_map(|path| fs::metadata(path).ok());
            Ok(whole.map_or_else(|| have(&inner, &digest), |whole| whole.len()))
        });
        have.await.map_err(|error| disk(&error))
    }

    /// Takes a piece of a content of `length` bytes, which begins at `offset`; returns how many bytes are here now. The
    /// last piece is not taken when the whole has another digest: then it begins anew.
    ///
    /// # Errors
    /// `conflict` when the piece does not go on where the last one ended, `wrong-content` for another digest than
    /// promised, `disk-full` (507).
    pub async fn piece(
        &self,
        digest: &str,
        offset: u64,
        length: u64,
        bytes: bytes::Bytes,
    ) -> Result<u64, Problem> {
        check_digest(digest)?;
        let size = bytes.len() as u64;
        if length > LARGEST || size > PIECE as u64 || offset.saturating_add(size) > length {
            return Err(Problem::bad_request(format!(
                "{size} bytes from byte {offset} are no piece of a content of {length} bytes"
            ))
            .hint(format!(
                "a piece has {PIECE} bytes at most, a content {LARGEST}"
            )));
        }
        // One writer for a content at a time.
        let lane = digest.bytes().next().unwrap_or(0);
        let _lane = self.inner.lanes[usize::from(lane) % self.inner.lanes.len()]
            .lock()
            .await;
        let (inner, digest) = (self.inner.clone(), digest.to_owned());
        tokio::task::spawn_blocking(move || write_piece(&inner, &digest, offset, length, &bytes))
            .await
            .map_err(Problem::internal)?
    }

    /// Makes what was sent a release, checks it, and makes it live.
    ///
    /// # Errors
    /// As [`crate::deploy::DeployTarget::deploy`]; at stage `upload` when a content is missing or damaged.
    pub async fn receive(
        &self,
        received: Received,
        reports: mpsc::UnboundedSender<Report>,
        cancel: CancellationToken,
    ) -> Result<Deployed, DeployFailure> {
        let run = self.begin(received.id.clone(), received.environment.clone(), reports);
        let token = run.cancel.clone();
        let work = async move { take(run, received).await };
        finish(self.inner.clone(), work, token, cancel).await
    }
}

/// Removes what was sent long ago and never used.
pub(super) fn forget_old(incoming: &std::path::Path) {
    for entry in fs::read_dir(incoming).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.map(|modified| SystemTime::now().duration_since(modified));
        if let Ok(Ok(age)) = age
            && age > FORGOTTEN
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn part(inner: &Inner, digest: &str) -> PathBuf {
    inner.store.incoming().join(format!("{digest}.part"))
}

fn have(inner: &Inner, digest: &str) -> u64 {
    fs::metadata(part(inner, digest)).map_or(0, |metadata| metadata.len())
}

/// Where the whole of a content is.
fn place(inner: &Inner, digest: &str, size: u64) -> Option<PathBuf> {
    let places = [
        inner.store.object(digest),
        inner.store.incoming().join(digest),
    ];
    places
        .into_iter()
        .find(|path| fs::metadata(path).is_ok_and(|metadata| metadata.len() == size))
}

fn write_piece(
    inner: &Inner,
    digest: &str,
    offset: u64,
    length: u64,
    bytes: &[u8],
) -> Result<u64, Problem> {
    if place(inner, digest, length).is_some() {
        return Ok(length);
    }
    let wrong = || {
        Problem::new(
            422,
            "wrong-content",
            format!("what came is not the content {digest}"),
        )
        .hint("the file changed while it was sent, or the connection damages it: send it again")
    };
    let (path, whole) = (part(inner, digest), inner.store.incoming().join(digest));
    let size = bytes.len() as u64;
    let at_once = offset == 0 && size == length;
    if at_once && sha256(bytes) != digest {
        return Err(wrong());
    }
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(|error| disk(&error))?;
    let here = file.metadata().map_err(|error| disk(&error))?.len();
    if at_once {
        file.set_len(0).map_err(|error| disk(&error))?;
    } else if here != offset {
        return Err(
            Problem::conflict(format!("{here} bytes of {digest} are here, not {offset}"))
                .hint("go on where the host stands"),
        );
    }
    if let Err(error) = file.write_all(bytes) {
        // What was written of this piece is of no use to its next try.
        let _ = file.set_len(offset);
        return Err(disk(&error));
    }
    drop(file);
    if offset + size < length {
        return Ok(offset + size);
    }
    if !at_once && digest_of(&path).map_err(|error| disk(&error))? != digest {
        let _ = fs::remove_file(&path);
        return Err(wrong());
    }
    fs::rename(&path, &whole).map_err(|error| disk(&error))?;
    Ok(length)
}

fn digest_of(path: &std::path::Path) -> io::Result<String> {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

fn disk(error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Problem::new(
            507,
            "disk-full",
            format!("the host's disk is full: {error}"),
        )
        .hint("make room on the host, then deploy again: what came is kept"),
        _ => Problem::internal(format!("the host cannot write: {error}"))
            .hint("make sure that the host's state folder can be written"),
    }
}

/// A deployment of what was sent.
async fn take(mut run: Run, received: Received) -> Result<Deployed, DeployFailure> {
    let inner = run.inner.clone();
    let environment = known(&run, &inner)?;
    let _turn = turn(&mut run, environment).await?;
    if let Some(done) = done_before(&run, environment) {
        return Ok(done);
    }
    let _making = inner.collecting.read().await;
    let again = match received.force {
        true => None,
        false => reusable(&inner, &received.tree, &received.recipe).await,
    };
    let same = again.filter(|manifest| same_files(manifest, &received.files));
    let made = same.is_none();
    let manifest = match same {
        Some(manifest) => manifest,
        None => gather(&mut run, &received).await?,
    };
    failpoint!("receive.gathered");
    let outcome = activate(&mut run, environment, &manifest, &received.commit, None).await;
    if made && environment.pointer().entry(&manifest.id).is_none() {
        inner.store.discard(&manifest.id);
    }
    outcome
}

fn same_files(manifest: &Manifest, files: &[HostFile]) -> bool {
    let known: HashMap<&str, &str> = manifest
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.sha256.as_str()))
        .collect();
    known.len() == files.len()
        && files
            .iter()
            .all(|file| known.get(file.path.as_str()) == Some(&file.sha256.as_str()))
}

/// Checks every content against its digest, and writes the release.
async fn gather(run: &mut Run, received: &Received) -> Result<Manifest, DeployFailure> {
    run.enter(Stage::Upload, "checks every file that came");
    let (inner, cancel, reports) = (run.inner.clone(), run.cancel.clone(), run.reports.clone());
    let files = received.files.clone();
    let seed = Manifest {
        id: ReleaseId::new(),
        commit: received.commit.clone(),
        tree: received.tree.clone(),
        recipe: received.recipe.clone(),
        built: received.built,
        deployment: received.id.clone(),
        created_at: Timestamp::now(),
        files: Vec::new(),
    };
    let gathered = blocking(move || gather_on_disk(&inner, files, seed, &cancel, &reports)).await;
    match gathered {
        Ok(Ok(manifest)) => Ok(manifest),
        Ok(Err(None)) => Err(run.stopped()),
        Ok(Err(Some(what))) => Err(run.failure(
            what,
            "deploy again: only what is missing is sent, and the release before it still serves",
        )),
        Err(error) => Err(run.failure(format!("the release cannot be written: {error}"), DISK)),
    }
}

/// The inner error is what is missing or damaged; `None` when it was stopped.
fn gather_on_disk(
    inner: &Arc<Inner>,
    files: Vec<HostFile>,
    seed: Manifest,
    cancel: &CancellationToken,
    reports: &mpsc::UnboundedSender<Report>,
) -> io::Result<Result<Manifest, Option<String>>> {
    let mut found = Vec::with_capacity(files.len());
    for file in &files {
        let Some(place) = place(inner, &file.sha256, file.size) else {
            return Ok(Err(Some(format!("{} did not come", file.path))));
        };
        found.push(Found {
            path: file.path.clone(),
            file: place,
            linked: false,
        });
    }
    let total = files.len();
    let progress = |permille: u16| {
        let message = format!("{} of {total} files", total * usize::from(permille) / 1000);
        let _ = reports.send(Report::Fraction { permille, message });
    };
    let taken = inner
        .store
        .take(&found, &|| cancel.is_cancelled(), &progress);
    let records = match taken {
        Ok(records) => records,
        Err(StoreError::Canceled) => return Ok(Err(None)),
        Err(StoreError::Io(error)) => return Err(error),
    };
    let promised: HashMap<&str, &HostFile> = files
        .iter()
        .map(|file| (file.path.as_str(), file))
        .collect();
    for record in &records {
        let right = promised
            .get(record.path.as_str())
            .is_some_and(|file| file.sha256 == record.sha256 && file.size == record.size);
        if !right {
            // Whatever stands under that name is not it: the next try sends it anew.
            if let Some(file) = promised.get(record.path.as_str()) {
                let _ = fs::remove_file(inner.store.object(&file.sha256));
                let _ = fs::remove_file(inner.store.incoming().join(&file.sha256));
            }
            return Ok(Err(Some(format!(
                "{} is damaged on the host's disk",
                record.path
            ))));
        }
    }
    let manifest = Manifest {
        files: records,
        ..seed
    };
    inner.store.write(&manifest)?;
    Ok(Ok(manifest))
}
