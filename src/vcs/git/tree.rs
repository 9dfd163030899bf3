//! A commit's files, read through one kept `git cat-file --batch`.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::Git;
use super::run::Runner;
use crate::model::{FileEntry, FileTree, Problem};

/// Bytes of files kept in memory, so that an engine may ask twice.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// The files of one commit.
pub struct GitTree {
    id: String,
    entries: Vec<FileEntry>,
    reader: Mutex<Reader>,
}

/// Reads blobs through one kept process, with a bounded cache.
pub struct Reader {
    runner: Runner,
    process: Option<Batch>,
    cache: HashMap<String, Arc<[u8]>>,
    cached: usize,
}

struct Batch {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Drop for Batch {
    fn drop(&mut self) {
        // It only reads: killing it loses nothing, and waiting leaves no zombie.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl GitTree {
    /// The tree of `commit`; an empty id is the empty tree.
    pub async fn open(git: &Git, commit: &str) -> Result<Self, Problem> {
        let reader = Mutex::new(Reader::new(git));
        if commit.is_empty() {
            return Ok(Self {
                id: String::new(),
                entries: Vec::new(),
                reader,
            });
        }
        let listing = git
            .runner
            .run(&["ls-tree", "-r", "-z", "-l", "--full-tree", commit])
            .await?
            .checked("ls-tree")?;
        let mut entries = listing
            .stdout
            .split(|byte| *byte == 0)
            .filter(|record| !record.is_empty())
            .filter_map(entry_of)
            .collect::<Vec<_>>();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self {
            id: commit.to_owned(),
            entries,
            reader,
        })
    }
}

/// `<mode> SP <type> SP <oid> SP+ <size> TAB <path>`; submodules and names that are not UTF-8 are left out.
fn entry_of(record: &[u8]) -> Option<FileEntry> {
    let text = std::str::from_utf8(record).ok()?;
    let (meta, path) = text.split_once('\t')?;
    let mut fields = meta.split_whitespace();
    let mode = u32::from_str_radix(fields.next()?, 8).ok()?;
    if fields.next()? != "blob" {
        return None;
    }
    let oid = fields.next()?.to_owned();
    let size = fields.next()?.parse().ok();
    Some(FileEntry {
        path: path.to_owned(),
        mode,
        oid,
        size,
    })
}

impl FileTree for GitTree {
    fn id(&self) -> &str {
        &self.id
    }

    fn files(&self) -> &[FileEntry] {
        &self.entries
    }

    fn read(&self, path: &str) -> io::Result<Option<Arc<[u8]>>> {
        let Some(entry) = self.entry(path) else {
            return Ok(None);
        };
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.blob(&entry.oid).map(Some)
    }
}

impl Reader {
    /// A reader; the process is started by the first read.
    pub fn new(git: &Git) -> Self {
        Self {
            runner: git.runner.clone(),
            process: None,
            cache: HashMap::new(),
            cached: 0,
        }
    }

    /// The bytes of the blob `oid`.
    pub fn blob(&mut self, oid: &str) -> io::Result<Arc<[u8]>> {
        if let Some(bytes) = self.cache.get(oid) {
            return Ok(Arc::clone(bytes));
        }
        let read = self.ask(oid);
        if read.is_err() {
            // A broken conversation cannot be taken up: the next read starts a new one.
            self.process = None;
        }
        let bytes: Arc<[u8]> = read?.into();
        if self.cached + bytes.len() <= CACHE_BYTES {
            self.cached += bytes.len();
            self.cache.insert(oid.to_owned(), Arc::clone(&bytes));
        }
        Ok(bytes)
    }

    fn ask(&mut self, oid: &str) -> io::Result<Vec<u8>> {
        let batch = match &mut self.process {
            Some(batch) => batch,
            None => self.process.insert(start(&self.runner)?),
        };
        writeln!(batch.stdin, "{oid}")?;
        batch.stdin.flush()?;
        let mut header = String::new();
        batch.stdout.read_line(&mut header)?;
        let size = header
            .trim_end()
            .rsplit_once(' ')
            .filter(|_| !header.trim_end().ends_with("missing"))
            .and_then(|(_, size)| size.parse::<usize>().ok())
            .ok_or_else(|| io::Error::other(format!("git has no object {oid}: {header:?}")))?;
        let mut bytes = vec![0; size + 1];
        batch.stdout.read_exact(&mut bytes)?;
        bytes.pop();
        Ok(bytes)
    }
}

fn start(runner: &Runner) -> io::Result<Batch> {
    let mut command = runner.std_command(&["cat-file", "--batch"]);
    command.stdin(Stdio::piped()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(stdin), Some(stdout)) => Ok(Batch {
            child,
            stdin,
            stdout: BufReader::new(stdout),
        }),
        _ => Err(io::Error::other("git cat-file has no pipes")),
    }
}
