//! What GitHub told, kept on disk under the ids that name it: what an id means never changes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::model::tree::blob_hash;

/// A folder of objects. Nothing that cannot be read or written is an error: it is fetched again.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The cache in `folder`, which is made when it is needed.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// A blob, when it is here and whole.
    pub fn blob(&self, oid: &str) -> Option<Vec<u8>> {
        let bytes = fs::read(self.place("blobs", oid)?).ok()?;
        (blob_hash(&bytes) == oid).then_some(bytes)
    }

    /// Whether a blob is here, without looking into it.
    pub fn has_blob(&self, oid: &str) -> bool {
        self.place("blobs", oid)
            .is_some_and(|place| place.is_file())
    }

    /// Keeps a blob.
    pub fn keep_blob(&self, oid: &str, bytes: &[u8]) {
        if let Some(place) = self.place("blobs", oid) {
            keep(&place, bytes);
        }
    }

    /// A document about an object: a tree's list, a commit.
    pub fn document<T: serde::de::DeserializeOwned>(&self, kind: &str, oid: &str) -> Option<T> {
        serde_json::from_slice(&fs::read(self.place(kind, oid)?).ok()?).ok()
    }

    /// Keeps a document.
    pub fn keep_document<T: serde::Serialize>(&self, kind: &str, oid: &str, document: &T) {
        if let (Some(place), Ok(bytes)) = (self.place(kind, oid), serde_json::to_vec(document)) {
            keep(&place, &bytes);
        }
    }

    /// An id from outside must not lead to another place.
    fn place(&self, kind: &str, oid: &str) -> Option<PathBuf> {
        let fits = matches!(oid.len(), 40 | 64) && oid.bytes().all(|b| b.is_ascii_hexdigit());
        fits.then(|| self.folder.join(kind).join(&oid[..2]).join(&oid[2..]))
    }
}

/// Writes a file whole or not at all, for the user alone: a repository may be private.
fn keep(place: &Path, bytes: &[u8]) {
    let Some(folder) = place.parent() else { return };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let write = || {
        builder.create(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(place).map_err(|error| error.error)
    };
    if let Err(error) = write() {
        tracing::debug!(%error, "a cached object could not be kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_blob_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        let oid = blob_hash(b"hello\n");
        assert_eq!(cache.blob(&oid), None);
        cache.keep_blob(&oid, b"hello\n");
        assert_eq!(cache.blob(&oid).unwrap(), b"hello\n");
        fs::write(cache.place("blobs", &oid).unwrap(), "hel").unwrap();
        assert_eq!(cache.blob(&oid), None);
        assert_eq!(cache.place("blobs", "../../etc/passwd"), None);
    }
}
