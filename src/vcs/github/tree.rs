//! The files of a commit on GitHub: listed once, read on demand, kept on disk.

use std::io;
use std::path::{Component, Path};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use base64::Engine;
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::address::part;
use super::api::{Account, Api, Ask};
use super::cache::Cache;
use crate::model::{FileEntry, FileTree, Problem, Source};

/// Blobs fetched at the same time: GitHub asks for fewer than a hundred.
const AT_ONCE: usize = 16;

/// Files larger than this are read only when they are asked for.
const EAGER: u64 = 512 * 1024;

/// Files that are fetched ahead at most.
const AHEAD: usize = 3_000;

/// A tree's files as they are kept on disk.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Listing {
    files: Vec<(String, u32, String, Option<u64>)>,
}

/// The files of one tree.
pub struct RemoteTree {
    id: String,
    files: Vec<FileEntry>,
    blobs: Arc<Blobs>,
}

impl FileTree for RemoteTree {
    fn id(&self) -> &str {
        &self.id
    }

    fn files(&self) -> &[FileEntry] {
        &self.files
    }

    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>> {
        let Some(entry) = self.entry(path) else {
            return Ok(None);
        };
        self.blobs.read(&entry.oid).map(|bytes| Some(bytes.into()))
    }
}

/// Blobs by id: from the disk, else from GitHub.
pub struct Blobs {
    account: Account,
    cache: Cache,
    /// A thread with a runtime of its own, for reads from where nothing can be awaited.
    reader: Mutex<Option<UnboundedSender<Wanted>>>,
}

type Wanted = (String, mpsc::Sender<Result<Vec<u8>, String>>);

impl Blobs {
    /// Blobs of this account's repository.
    pub fn new(account: Account, cache: Cache) -> Self {
        Self {
            account,
            cache,
            reader: Mutex::new(None),
        }
    }

    /// A blob's bytes; waits for them.
    ///
    /// # Errors
    /// When they can neither be found nor fetched.
    pub fn read(&self, oid: &str) -> io::Result<Vec<u8>> {
        if let Some(bytes) = self.cache.blob(oid) {
            return Ok(bytes);
        }
        let (sender, answer) = mpsc::channel();
        for _ in 0..2 {
            let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            let wanted = (oid.to_owned(), sender.clone());
            match reader.as_ref().map(|reader| reader.send(wanted)) {
                Some(Ok(())) => break,
                _ => *reader = Some(start(self.account.clone(), self.cache.clone())?),
            }
        }
        drop(sender);
        answer
            .recv()
            .map_err(|_| io::Error::other("the reader of GitHub's files ended"))?
            .map_err(io::Error::other)
    }
}

fn start(account: Account, cache: Cache) -> io::Result<UnboundedSender<Wanted>> {
    let (sender, mut wanted) = unbounded_channel::<Wanted>();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::Builder::new()
        .name("github-files".to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                let Ok(api) = Api::new(account) else { return };
                let api = Arc::new(api);
                while let Some((oid, answer)) = wanted.recv().await {
                    let (api, cache) = (Arc::clone(&api), cache.clone());
                    tokio::spawn(async move {
                        let result = blob(&api, &cache, &oid).await;
                        let _ = answer.send(result.map_err(|problem| problem.detail));
                    });
                }
            });
        })?;
    Ok(sender)
}

/// A blob from the disk, else from GitHub.
pub async fn blob(api: &Api, cache: &Cache, oid: &str) -> Result<Vec<u8>, Problem> {
    if let Some(bytes) = cache.blob(oid) {
        return Ok(bytes);
    }
    let route = format!("/git/blobs/{}", part(oid));
    let answer = api.call(&Ask::get("read a file", route)).await?;
    let text = answer.text("/content")?;
    let bytes = if answer.body["encoding"].as_str() == Some("base64") {
        let packed: String = text.split_ascii_whitespace().collect();
        base64::engine::general_purpose::STANDARD
            .decode(packed)
            .map_err(|_| {
                Problem::new(502, "github-failed", "GitHub sent a file that is no base64")
            })?
    } else {
        text.as_bytes().to_vec()
    };
    if crate::model::tree::blob_hash(&bytes) != oid {
        return Err(Problem::new(
            502,
            "github-failed",
            format!("GitHub sent other bytes than those of {oid}"),
        ));
    }
    cache.keep_blob(oid, &bytes);
    Ok(bytes)
}

/// All entries of a tree, submodules included, as `(path, mode, id, size)`, sorted by path.
pub async fn list(
    api: &Api,
    cache: &Cache,
    tree: &str,
) -> Result<Vec<(String, u32, String, Option<u64>)>, Problem> {
    if let Some(listing) = cache.document::<Listing>("trees", tree) {
        return Ok(listing.files);
    }
    let mut files = Vec::new();
    let mut folders = vec![(String::new(), tree.to_owned())];
    while let Some((prefix, sha)) = folders.pop() {
        let route = format!("/git/trees/{}?recursive=1", part(&sha));
        let mut answer = api.call(&Ask::get("list the files", route)).await?;
        let truncated = answer.body["truncated"].as_bool() == Some(true);
        if truncated {
            // Too many at once: this folder by itself, then those in it.
            let route = format!("/git/trees/{}", part(&sha));
            answer = api.call(&Ask::get("list the files", route)).await?;
        }
        for entry in answer.body["tree"].as_array().into_iter().flatten() {
            let text = |field: &str| entry[field].as_str().unwrap_or_default();
            let path = format!("{prefix}{}", text("path"));
            let mode = u32::from_str_radix(text("mode"), 8).unwrap_or_default();
            match text("type") {
                "tree" if truncated => folders.push((format!("{path}/"), text("sha").to_owned())),
                "tree" => {}
                _ => files.push((path, mode, text("sha").to_owned(), entry["size"].as_u64())),
            }
        }
    }
    files.sort();
    let listing = Listing { files };
    cache.keep_document("trees", tree, &listing);
    Ok(listing.files)
}

/// The tree `id` with what is likely to be read fetched ahead.
pub async fn open(
    api: &Api,
    cache: &Cache,
    blobs: &Arc<Blobs>,
    id: &str,
) -> Result<RemoteTree, Problem> {
    let files: Vec<FileEntry> = list(api, cache, id)
        .await?
        .into_iter()
        .filter(|(_, mode, ..)| *mode != 0o160_000)
        .map(|(path, mode, oid, size)| FileEntry {
            path,
            mode,
            oid,
            size,
        })
        .collect();
    let wanted: Vec<&str> = files
        .iter()
        .filter(|file| text_like(&file.path) && file.size.is_none_or(|size| size <= EAGER))
        .map(|file| file.oid.as_str())
        .filter(|oid| !cache.has_blob(oid))
        .take(AHEAD)
        .collect();
    fetch(api, cache, &wanted).await?;
    Ok(RemoteTree {
        id: id.to_owned(),
        files,
        blobs: Arc::clone(blobs),
    })
}

/// Fetches blobs, several at a time.
pub async fn fetch(api: &Api, cache: &Cache, oids: &[&str]) -> Result<(), Problem> {
    if oids.len() > AT_ONCE {
        api.say(format!("getting {} files of {}", oids.len(), api.address()));
    }
    // Owned ids, made before: a stream that borrows them keeps the future from being sent between threads.
    let oids: Vec<String> = oids.iter().map(|oid| (*oid).to_owned()).collect();
    futures::stream::iter(oids)
        .map(|oid| async move { blob(api, cache, &oid).await.map(drop) })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await
}

/// Files that a change to a site is likely to look into.
fn text_like(path: &str) -> bool {
    const ENDS: [&str; 24] = [
        "html", "htm", "md", "mdx", "css", "scss", "sass", "less", "js", "mjs", "cjs", "ts", "jsx",
        "tsx", "json", "astro", "vue", "svelte", "toml", "yaml", "yml", "txt", "xml", "njk",
    ];
    path.rsplit_once('.')
        .is_some_and(|(_, end)| ENDS.contains(&end.to_ascii_lowercase().as_str()))
}

/// A commit on GitHub as something to deploy; all its files are on the disk already.
pub struct RemoteSource {
    /// The commit.
    pub commit: String,
    /// Its files.
    pub tree: RemoteTree,
}

impl Source for RemoteSource {
    fn commit(&self) -> &str {
        &self.commit
    }

    fn tree(&self) -> &str {
        self.tree.id()
    }

    fn export(&self, into: &Path) -> io::Result<()> {
        for file in self.tree.files() {
            let relative = Path::new(&file.path);
            let inside = relative
                .components()
                .all(|part| matches!(part, Component::Normal(name) if !name.eq_ignore_ascii_case(".git")));
            if !inside {
                return Err(io::Error::other(format!(
                    "{:?} is no path inside the repository",
                    file.path
                )));
            }
            let place = into.join(relative);
            if let Some(folder) = place.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let bytes = self.tree.blobs.read(&file.oid)?;
            write(&place, file.mode, &bytes)?;
        }
        Ok(())
    }
}

fn write(place: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    #[cfg(unix)]
    if mode == 0o120_000 {
        use std::os::unix::ffi::OsStrExt;
        return std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(bytes), place);
    }
    std::fs::write(place, bytes)?;
    #[cfg(unix)]
    if mode == 0o100_755 {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o755))?;
    }
    #[cfg(not(unix))]
    let _ = mode;
    Ok(())
}
