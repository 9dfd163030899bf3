//! The commit's files as Vercel takes them: by SHA-1 of their bytes, and which of them it has already.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use crate::deploy::manifest::hex;
use crate::deploy::remote::memory::write_whole;

/// Digests that are remembered of a project.
const REMEMBERED: usize = 100_000;

/// The fast path: no build for at most so many pages …
const INLINE_FILES: usize = 10;

/// … of together so many bytes, all of them pages.
const INLINE_BYTES: u64 = 5 * 1024 * 1024;

/// A file to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    /// Path from the root, `/` between parts.
    pub path: String,
    /// Where its bytes are.
    pub at: PathBuf,
    pub sha: String,
    pub size: u64,
    /// As `st_mode`: Vercel tells programs and links by it.
    pub mode: u32,
    /// A link's bytes are the path it leads to.
    link: Option<Vec<u8>>,
}

impl File {
    /// Its bytes.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        match &self.link {
            Some(target) => Ok(target.clone()),
            None => std::fs::read(&self.at),
        }
    }

    /// As the create call names it.
    pub fn named(&self) -> Value {
        json!({ "file": self.path, "sha": self.sha, "size": self.size, "mode": self.mode })
    }
}

/// All files below `root`, sorted by path, without those that `.vercelignore` leaves out.
pub(super) fn collect(root: &Path) -> io::Result<Vec<File>> {
    let mut ignored = GitignoreBuilder::new(root);
    // A file that is not there adds nothing; one that cannot be read leaves nothing out.
    let _ = ignored.add(root.join(".vercelignore"));
    let ignored = ignored.build().map_err(io::Error::other)?;
    let mut files = Vec::new();
    walk(root, root, &ignored, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(root: &Path, folder: &Path, ignored: &Gitignore, files: &mut Vec<File>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let at = entry.path();
        let kind = entry.file_type()?;
        let name = entry.file_name();
        if name == ".git" || name == ".vercel" || name == "node_modules" {
            continue;
        }
        if ignored.matched(&at, kind.is_dir()).is_ignore() {
            continue;
        }
        if kind.is_dir() {
            walk(root, &at, ignored, files)?;
            continue;
        }
        let relative = at.strip_prefix(root).map_err(io::Error::other)?;
        let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
        let Some(path) = parts.map(|parts| parts.join("/")) else {
            return Err(io::Error::other(format!(
                "{} is not UTF-8",
                relative.display()
            )));
        };
        let link = if kind.is_symlink() {
            let target = std::fs::read_link(&at)?;
            Some(target.to_string_lossy().into_owned().into_bytes())
        } else {
            None
        };
        let bytes = match &link {
            Some(target) => target.clone(),
            None => std::fs::read(&at)?,
        };
        files.push(File {
            path,
            sha: hex(&Sha1::digest(&bytes)),
            size: bytes.len() as u64,
            mode: mode(&at, link.is_some())?,
            at,
            link,
        });
    }
    Ok(())
}

#[cfg(unix)]
fn mode(at: &Path, link: bool) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt;
    if link {
        return Ok(0o120_777);
    }
    // As git knows files: a program or not.
    let runs = std::fs::metadata(at)?.permissions().mode() & 0o100 != 0;
    Ok(if runs { 0o100_755 } else { 0o100_644 })
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
fn mode(_at: &Path, link: bool) -> io::Result<u32> {
    Ok(if link { 0o120_777 } else { 0o100_644 })
}

/// The files inside the create call, for a site so small that Vercel may answer READY at once; `None` for any other.
pub(super) fn inline(files: &[File]) -> io::Result<Option<Vec<Value>>> {
    let page = |file: &File| {
        let name = file.path.to_ascii_lowercase();
        file.link.is_none()
            && [".html", ".htm", ".md"]
                .iter()
                .any(|end| name.ends_with(end))
    };
    let bytes: u64 = files.iter().map(|file| file.size).sum();
    if files.is_empty()
        || files.len() > INLINE_FILES
        || bytes > INLINE_BYTES
        || !files.iter().all(page)
    {
        return Ok(None);
    }
    let mut all = Vec::new();
    for file in files {
        let data = STANDARD.encode(file.read()?);
        all.push(json!({ "file": file.path, "data": data, "encoding": "base64" }));
    }
    Ok(Some(all))
}

/// The digests that a project is known to have.
pub(super) struct Sent {
    file: PathBuf,
    known: Mutex<BTreeSet<String>>,
}

impl Sent {
    /// What is remembered in `file`.
    pub fn open(file: PathBuf) -> Self {
        let known = std::fs::read(&file)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self {
            file,
            known: Mutex::new(known),
        }
    }

    /// What is not known to be there. Nothing is, when nothing is remembered: then the service is asked first.
    pub fn unknown<'a>(&self, files: &'a [File]) -> Vec<&'a File> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_empty() {
            return Vec::new();
        }
        let unknown = files.iter().filter(|file| !known.contains(&file.sha));
        once_each(unknown)
    }

    /// The service has these now.
    pub fn add<'a>(&self, shas: impl Iterator<Item = &'a str>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(shas.map(str::to_owned));
        while known.len() > REMEMBERED {
            known.pop_first();
        }
        if let Err(error) = write_whole(&self.file, &*known) {
            tracing::warn!(%error, "which files were sent is not remembered");
        }
    }

    /// The service has these no longer.
    pub fn remove(&self, shas: &[String]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for sha in shas {
            known.remove(sha);
        }
    }
}

/// Equal contents once.
pub(super) fn once_each<'a>(files: impl Iterator<Item = &'a File>) -> Vec<&'a File> {
    let mut seen = HashSet::new();
    files
        .filter(|file| seen.insert(file.sha.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_their_digest_and_ignored_ones_left_out() {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("a.html", "abc"),
            ("b/c.css", "abc"),
            ("secret/x", "1"),
            (".git/HEAD", "x"),
        ] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::fs::write(dir.path().join(".vercelignore"), "secret\n").unwrap();
        let files = collect(dir.path()).unwrap();
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, [".vercelignore", "a.html", "b/c.css"]);
        // FIPS 180-1, "abc"
        assert_eq!(files[1].sha, "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!((files[1].size, files[1].mode), (3, 0o100_644));
        assert_eq!(once_each(files.iter()).len(), 2);
    }

    #[test]
    fn only_few_pages_go_inside_the_call() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("index.html"), "hi").unwrap();
        let files = collect(dir.path()).unwrap();
        let inside = inline(&files).unwrap().unwrap();
        assert_eq!(inside[0]["data"], "aGk=");
        assert!(inside[0].get("sha").is_none());
        std::fs::write(dir.path().join("style.css"), "").unwrap();
        assert_eq!(inline(&collect(dir.path()).unwrap()).unwrap(), None);
        assert_eq!(inline(&[]).unwrap(), None);
    }

    #[test]
    fn what_was_sent_is_remembered() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.css"), "a").unwrap();
        let files = collect(dir.path()).unwrap();
        let memory = dir.path().join("state/sent.json");
        let sent = Sent::open(memory.clone());
        assert!(
            sent.unknown(&files).is_empty(),
            "nothing is remembered: ask first"
        );
        sent.add(["0000"].into_iter());
        assert_eq!(sent.unknown(&files).len(), 1);
        sent.add(files.iter().map(|file| file.sha.as_str()));
        let sent = Sent::open(memory);
        assert!(sent.unknown(&files).is_empty());
        sent.remove(&[files[0].sha.clone()]);
        assert_eq!(sent.unknown(&files).len(), 1);
    }
}
