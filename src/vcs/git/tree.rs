//! A commit's files, listed once and read on demand.

use std::io;
use std::sync::Arc;

use crate::model::{FileEntry, FileTree, Problem};

use super::Git;
use super::objects::Objects;
use super::run::Call;

/// Trees kept: the head, the live release's, and one or two on the way.
const KEPT: usize = 4;

/// The files of one commit.
pub(super) struct GitTree {
    id: String,
    files: Vec<FileEntry>,
    objects: Arc<Objects>,
}

impl FileTree for GitTree {
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
        let object = self.objects.read(&entry.oid, u64::MAX)?;
        match object.and_then(|object| object.bytes) {
            Some(bytes) => Ok(Some(Arc::from(bytes))),
            None => Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("the repository lacks the object {} of {path}", entry.oid),
            )),
        }
    }
}

impl Git {
    /// The files of `commit`; of nothing when it is empty. Submodules are left out, and so are names that are
    /// not UTF-8: no instruction can mean them.
    pub(super) async fn list(&self, commit: &str) -> Result<Arc<GitTree>, Problem> {
        if let Some(tree) = self.kept(commit) {
            return Ok(tree);
        }
        let tree = if commit.is_empty() {
            GitTree {
                id: self.empty_tree().to_owned(),
                files: Vec::new(),
                objects: self.shared.objects.clone(),
            }
        } else {
            let call = Call::new(["ls-tree", "-r", "-z", "-l", "--full-tree", commit]);
            let (id, output) = tokio::join!(self.tree_id(commit), self.run(call));
            let output = output?.checked()?;
            let mut files: Vec<FileEntry> = output.records().filter_map(parse).collect();
            // git's order already, byte by byte; look-ups rely on it.
            files.sort_by(|a, b| a.path.cmp(&b.path));
            GitTree {
                id: id?,
                files,
                objects: self.shared.objects.clone(),
            }
        };
        let tree = Arc::new(tree);
        self.keep(commit, &tree);
        Ok(tree)
    }

    fn kept(&self, commit: &str) -> Option<Arc<GitTree>> {
        let trees = self.shared.trees.lock().ok()?;
        trees
            .iter()
            .find(|(id, _)| id == commit)
            .map(|(_, tree)| tree.clone())
    }

    fn keep(&self, commit: &str, tree: &Arc<GitTree>) {
        // A name such as `HEAD` means another commit tomorrow; a full id never does.
        if !commit.is_empty() && !super::is_id(commit) {
            return;
        }
        if let Ok(mut trees) = self.shared.trees.lock() {
            trees.truncate(KEPT - 1);
            trees.insert(0, (commit.to_owned(), tree.clone()));
        }
    }
}

fn parse(record: &[u8]) -> Option<FileEntry> {
    let record = std::str::from_utf8(record).ok()?;
    let (meta, path) = record.split_once('\t')?;
    let mut words = meta.split_ascii_whitespace();
    let (mode, kind, oid, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
    (kind == "blob").then_some(FileEntry {
        path: path.to_owned(),
        mode: u32::from_str_radix(mode, 8).ok()?,
        oid: oid.to_owned(),
        size: size.parse().ok(),
    })
}
