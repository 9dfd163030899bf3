//! Reading objects through one kept `git cat-file --batch`: a question costs a round trip, not a process.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use super::run::{Call, Runner};

/// An object of the repository.
#[derive(Debug)]
pub(super) struct Object {
    /// Its full id.
    pub oid: String,
    /// `blob`, `tree`, `commit`, `tag`.
    pub kind: String,
    /// Bytes.
    pub size: u64,
    /// Its content; `None` when it is larger than asked for.
    pub bytes: Option<Vec<u8>>,
}

/// The kept process; started at the first question, and again should it have died.
pub(super) struct Objects {
    runner: Runner,
    batch: Mutex<Option<Batch>>,
}

struct Batch {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Objects {
    pub fn new(runner: Runner) -> Self {
        Self {
            runner,
            batch: Mutex::new(None),
        }
    }

    /// The object that `name` (an id, or an expression such as `HEAD^{tree}`) stands for, with its content
    /// when it has at most `limit` bytes; `None` when there is no such object.
    ///
    /// # Errors
    /// When git cannot be run or answers nonsense.
    pub fn read(&self, name: &str, limit: u64) -> io::Result<Option<Object>> {
        if name.is_empty() || name.contains('\n') {
            return Ok(None);
        }
        let mut kept = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(batch) = kept.as_mut()
            && let Ok(answer) = batch.ask(name, limit)
        {
            return Ok(answer);
        }
        // The first question, or the process is gone: someone may have ended it. Once more with a new one.
        *kept = None;
        let mut batch = Batch::start(&self.runner)?;
        let answer = batch.ask(name, limit)?;
        *kept = Some(batch);
        Ok(answer)
    }
}

impl Batch {
    fn start(runner: &Runner) -> io::Result<Self> {
        let mut child = runner
            .command(&Call::new(["cat-file", "--batch"]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => Ok(Self {
                child,
                stdin,
                stdout: BufReader::with_capacity(64 * 1024, stdout),
            }),
            _ => Err(io::Error::other("git cat-file has no pipes")),
        }
    }

    fn ask(&mut self, name: &str, limit: u64) -> io::Result<Option<Object>> {
        self.stdin.write_all(format!("{name}\n").as_bytes())?;
        let mut header = String::new();
        self.stdout.read_line(&mut header)?;
        if !header.ends_with('\n') {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "git cat-file ended",
            ));
        }
        let words: Vec<&str> = header.trim_end().rsplitn(3, ' ').collect();
        if let [size, kind, oid] = words[..]
            && let Ok(size) = size.parse::<u64>()
        {
            let bytes = if size <= limit {
                let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
                self.stdout.read_exact(&mut bytes)?;
                Some(bytes)
            } else {
                io::copy(&mut self.stdout.by_ref().take(size), &mut io::sink())?;
                None
            };
            self.stdout.read_exact(&mut [0])?;
            return Ok(Some(Object {
                oid: oid.to_owned(),
                kind: kind.to_owned(),
                size,
                bytes,
            }));
        }
        // "<name> missing", "<name> ambiguous": one line, nothing after it.
        Ok(None)
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
