//! Read-only views of a commit's files, shared by the rooms that generate, commit and deploy.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A file in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Path from the root of the repository, `/` between parts.
    pub path: String,
    /// git mode: `0o100644`, `0o100755`, `0o120000` (symlink).
    pub mode: u32,
    /// Blob id; equal ids mean equal bytes.
    pub oid: String,
    /// Bytes, where known.
    pub size: Option<u64>,
}

/// A read-only tree of files at one commit. Cheap to ask for the list; files are read on demand.
pub trait FileTree: Send + Sync {
    /// The tree's id; equal ids mean equal trees, so an index may be kept under it.
    fn id(&self) -> &str;

    /// All files (no folders, no submodules), sorted by path.
    fn files(&self) -> &[FileEntry];

    /// The bytes of the file at `path`; `Ok(None)` when there is no such file.
    ///
    /// # Errors
    /// When the repository cannot be read.
    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>>;

    /// The entry at `path`.
    fn entry(&self, path: &str) -> Option<&FileEntry> {
        let files = self.files();
        files
            .binary_search_by(|entry| entry.path.as_str().cmp(path))
            .ok()
            .map(|at| &files[at])
    }
}

/// Something that can be laid out in a folder: a commit's files, for a build or a release.
pub trait Source: Send + Sync {
    /// The commit's full id.
    fn commit(&self) -> &str;

    /// The id of the commit's tree: equal ids mean equal content.
    fn tree(&self) -> &str;

    /// Writes all files into the empty folder `into`, as git would check them out.
    ///
    /// # Errors
    /// When a file cannot be read or written; the folder is then incomplete.
    fn export(&self, into: &Path) -> io::Result<()>;
}

/// A tree held in memory: for tests and for trees that exist nowhere else.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    id: String,
    entries: Vec<FileEntry>,
    contents: BTreeMap<String, Arc<[u8]>>,
}

impl MemoryTree {
    /// A tree of `(path, bytes)` pairs.
    pub fn new<P, B>(files: impl IntoIterator<Item = (P, B)>) -> Self
    where
        P: Into<String>,
        B: Into<Vec<u8>>,
    {
        let contents: BTreeMap<String, Arc<[u8]>> = files
            .into_iter()
            .map(|(path, bytes)| (path.into(), Arc::from(bytes.into())))
            .collect();
        let entries = contents
            .iter()
            .map(|(path, bytes)| FileEntry {
                path: path.clone(),
                mode: 0o100_644,
                oid: blob_hash(bytes),
                size: Some(bytes.len() as u64),
            })
            .collect::<Vec<_>>();
        let listing: String = entries
            .iter()
            .map(|e| format!("{} {}\n", e.oid, e.path))
            .collect();
        Self {
            id: blob_hash(listing.as_bytes()),
            entries,
            contents,
        }
    }
}

/// git's own blob id: SHA-1 over `blob <length>\0` and the bytes.
pub fn blob_hash(bytes: &[u8]) -> String {
    use sha1::{Digest, Sha1};
    let mut hasher = Sha1::new();
    hasher.update(format!("blob {}\0", bytes.len()));
    hasher.update(bytes);
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl FileTree for MemoryTree {
    fn id(&self) -> &str {
        &self.id
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>> {
        Ok(self.contents.get(path).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blob_ids_are_those_of_git() {
        // `printf 'hello\n' | git hash-object --stdin`
        assert_eq!(
            blob_hash(b"hello\n"),
            "ce013625030ba8dba906f756967f9e9ca394464a"
        );
    }

    #[test]
    fn a_memory_tree_lists_sorted_and_reads() {
        let tree = MemoryTree::new([("b.html", "2"), ("a.html", "1")]);
        let paths: Vec<_> = tree.files().iter().map(|e| e.path.as_str()).collect();
        assert_eq!(paths, ["a.html", "b.html"]);
        assert_eq!(tree.read("b.html").unwrap().as_deref(), Some(&b"2"[..]));
        assert!(tree.read("c.html").unwrap().is_none());
        assert_eq!(tree.entry("a.html").unwrap().size, Some(1));
    }
}
