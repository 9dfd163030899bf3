//! Where releases are kept: contents by their SHA-256, releases as manifests over them.
//!
//! ```text
//! objects/<sha256>                 one file's bytes, read-only, synced before it gets this name
//! releases/<id>/manifest.json      the release; complete and synced before the folder gets this name
//! releases/<id>/files/…            the same files as people see them (hard links; a convenience, not the truth)
//! incoming/<sha256>[.part]         contents that another machine sends; what came is kept for its next try
//! tmp/<deployment>-…               a deployment at work; whatever is here at start-up is of a crash
//! ```

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(super) use super::hash::StoreError;
use super::hash::hash_all;
use super::walk::Found;
use crate::deploy::disk;
use crate::deploy::manifest::{FileRecord, Manifest};
use crate::model::{DeploymentId, ReleaseId};
use crate::store::file;

/// The folders of the store.
#[derive(Debug)]
pub(super) struct Store {
    objects: PathBuf,
    releases: PathBuf,
    incoming: PathBuf,
    tmp: PathBuf,
}

impl Store {
    /// Opens the store in `root` and removes what a crash left half made.
    /// The second value is true when there was something to remove.
    ///
    /// # Errors
    /// When the folders cannot be made or listed.
    pub fn open(root: &Path) -> io::Result<(Self, bool)> {
        let store = Self {
            objects: root.join("objects"),
            releases: root.join("releases"),
            incoming: root.join("incoming"),
            tmp: root.join("tmp"),
        };
        for folder in [&store.objects, &store.releases, &store.incoming, &store.tmp] {
            fs::create_dir_all(folder)?;
        }
        let mut crashed = false;
        for entry in fs::read_dir(&store.tmp)? {
            crashed = true;
            clear(&entry?.path());
        }
        for entry in fs::read_dir(&store.releases)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                crashed = true;
                clear(&entry.path());
            }
        }
        Ok((store, crashed))
    }

    /// A new folder for the work of `deployment`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn workspace(&self, deployment: &DeploymentId) -> io::Result<Workspace> {
        let folder = tempfile::Builder::new()
            .prefix(&tmp_prefix(deployment))
            .tempdir_in(&self.tmp)?;
        Ok(Workspace {
            path: folder.keep(),
        })
    }

    /// Removes the workspaces of `deployment`.
    pub fn clear_workspaces(&self, deployment: &DeploymentId) {
        let prefix = tmp_prefix(deployment);
        for entry in fs::read_dir(&self.tmp).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                clear(&entry.path());
            }
        }
    }

    /// Removes a release that nothing points at.
    pub fn discard(&self, id: &ReleaseId) {
        clear(&self.release(id));
    }

    /// Where the bytes of a content are.
    pub fn object(&self, sha256: &str) -> PathBuf {
        self.objects.join(sha256)
    }

    /// The folder of what another machine sends.
    pub fn incoming(&self) -> &Path {
        &self.incoming
    }

    /// Where a release is.
    pub fn release(&self, id: &ReleaseId) -> PathBuf {
        self.releases.join(id.as_str())
    }

    /// Takes `files` into the store and returns their records, sorted by path. Files that are not links are moved:
    /// their folder is used up. `progress` is told per mille.
    ///
    /// # Errors
    /// When a file cannot be read or stored, or `canceled` says so.
    pub fn take(
        &self,
        files: &[Found],
        canceled: &(dyn Fn() -> bool + Sync),
        progress: &(dyn Fn(u16) + Sync),
    ) -> Result<Vec<FileRecord>, StoreError> {
        let mut records = hash_all(files, canceled, progress)?;
        let mut fresh: HashMap<&str, PathBuf> = HashMap::new();
        let mut copies = Vec::new();
        for (found, record) in files.iter().zip(&records) {
            let stored = fs::metadata(self.object(&record.sha256));
            if stored.is_ok_and(|stored| stored.len() == record.size)
                || fresh.contains_key(record.sha256.as_str())
            {
                continue;
            }
            let source = if found.linked || shared(&found.file)? {
                let copy = tempfile::Builder::new()
                    .prefix("copy-")
                    .tempfile_in(&self.tmp)?;
                fs::copy(&found.file, copy.path())?;
                let path = copy.into_temp_path();
                let source = path.to_path_buf();
                copies.push(path);
                source
            } else {
                found.file.clone()
            };
            fresh.insert(&record.sha256, source);
        }
        if canceled() {
            return Err(StoreError::Canceled);
        }
        let sources: Vec<PathBuf> = fresh.values().cloned().collect();
        for source in &sources {
            disk::protect(source)?;
        }
        // Contents first, names after: an object that has its name is whole, whenever the power goes.
        disk::sync_files(&sources, &self.tmp)?;
        for (sha256, source) in &fresh {
            fs::rename(source, self.object(sha256))?;
        }
        for copy in copies {
            // Renamed away: there is nothing left to delete.
            let _ = copy.keep();
        }
        if !fresh.is_empty() {
            file::sync_folder(&self.objects)?;
        }
        records.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(records)
    }

    /// Writes a release under a temporary name, then gives it its own.
    ///
    /// # Errors
    /// When it cannot be written; nothing is left then.
    pub fn write(&self, manifest: &Manifest) -> io::Result<()> {
        let temp = self.releases.join(format!(".new-{}", manifest.id));
        let written = self.write_under(&temp, manifest);
        if written.is_err() {
            let _ = disk::remove_tree(&temp);
        }
        written
    }

    fn write_under(&self, temp: &Path, manifest: &Manifest) -> io::Result<()> {
        let files = temp.join("files");
        fs::create_dir_all(&files)?;
        let mut folders: HashSet<PathBuf> = HashSet::from([files.clone()]);
        for record in &manifest.files {
            let path = files.join(&record.path);
            if let Some(folder) = path.parent()
                && !folders.contains(folder)
            {
                fs::create_dir_all(folder)?;
                let new = folder.ancestors().take_while(|above| *above != files);
                folders.extend(new.map(Path::to_owned));
            }
            let object = self.object(&record.sha256);
            if fs::hard_link(&object, &path).is_err() {
                // No hard links here, or too many to one file: a copy does as well.
                fs::copy(&object, &path)?;
                disk::protect(&path)?;
            }
        }
        let text = serde_json::to_vec(manifest).map_err(io::Error::other)?;
        let path = temp.join("manifest.json");
        disk::write_new(&path, &text)?;
        disk::protect(&path)?;
        for folder in &folders {
            disk::protect(folder)?;
        }
        file::sync_folder(temp)?;
        disk::protect(temp)?;
        failpoint!("deploy.written");
        fs::rename(temp, self.release(&manifest.id))?;
        file::sync_folder(&self.releases)?;
        failpoint!("deploy.renamed");
        Ok(())
    }

    /// Reads a release and makes sure that all its contents are there.
    ///
    /// # Errors
    /// When the manifest cannot be read or a content is missing or has another size.
    pub fn load(&self, id: &ReleaseId) -> io::Result<Manifest> {
        let manifest = self.manifest(id)?;
        for record in &manifest.files {
            let size = fs::metadata(self.object(&record.sha256))
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", record.path)))?
                .len();
            if size != record.size {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!(
                        "{} has {size} bytes on disk, not {}",
                        record.path, record.size
                    ),
                ));
            }
        }
        Ok(manifest)
    }

    fn manifest(&self, id: &ReleaseId) -> io::Result<Manifest> {
        let text = fs::read(self.release(id).join("manifest.json"))?;
        serde_json::from_slice(&text).map_err(io::Error::other)
    }

    /// The releases on disk, in no order.
    pub fn ids(&self) -> Vec<ReleaseId> {
        fs::read_dir(&self.releases)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| !name.starts_with('.'))
            .map(ReleaseId)
            .collect()
    }

    /// The deployment that made a release; `None` when its manifest cannot be read.
    pub fn made_by(&self, id: &ReleaseId) -> Option<DeploymentId> {
        self.manifest(id).ok().map(|manifest| manifest.deployment)
    }

    /// Removes every release that is not in `keep`, then every content that no release needs.
    /// Returns how many releases went. `contents` looks for needless contents even when no release went.
    ///
    /// # Errors
    /// When something cannot be removed, or a kept manifest cannot be read (nothing is then removed from the objects).
    pub fn collect(&self, keep: &HashSet<ReleaseId>, contents: bool) -> io::Result<usize> {
        let mut gone = 0;
        for id in self.ids() {
            if !keep.contains(&id) {
                disk::remove_tree(&self.release(&id))?;
                gone += 1;
            }
        }
        if gone == 0 && !contents {
            return Ok(0);
        }
        let mut needed = HashSet::new();
        for id in keep {
            match self.manifest(id) {
                Ok(manifest) => needed.extend(manifest.files.into_iter().map(|file| file.sha256)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        for entry in fs::read_dir(&self.objects)? {
            let entry = entry?;
            if !needed.contains(entry.file_name().to_string_lossy().as_ref()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(gone)
    }
}

/// A deployment's own folder; removed in the background when it is dropped, because a build can leave
/// a hundred thousand files.
#[derive(Debug)]
pub(super) struct Workspace {
    path: PathBuf,
}

impl Workspace {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let path = std::mem::take(&mut self.path);
        std::thread::spawn(move || clear(&path));
    }
}

/// Removes what is not needed any more; what cannot be removed now is tried again at the next start.
fn clear(path: &Path) {
    if let Err(error) = disk::remove_tree(path) {
        tracing::warn!(path = %path.display(), %error, "this cannot be removed");
    }
}

fn tmp_prefix(deployment: &DeploymentId) -> String {
    // An id comes from the caller: only what is harmless in a file name is taken from it.
    let name: String = deployment
        .as_str()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    format!("{name}-")
}

/// True when another name leads to the same file, as with package managers that link instead of copying:
/// whoever holds that name could change the release.
fn shared(file: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Ok(fs::metadata(file)?.nlink() > 1)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(false)
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
