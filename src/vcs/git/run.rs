//! Running the git program: environment, time limits, output.
//!
//! Every process gets its own group, so that a time-out or a dropped future ends git together with whatever
//! it started (filters, hooks, a signing program), and nothing it starts can read the terminal's keys.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc::UnboundedSender;

use crate::model::Problem;

/// How long a command that only reads may take.
const READ_LIMIT: Duration = Duration::from_secs(60);

/// How long what is left in the pipes is awaited once git itself has ended: a hook may leave a process
/// behind that keeps them open.
const DRAIN_LIMIT: Duration = Duration::from_millis(500);

/// Lines kept of what a hook prints.
const KEPT_LINES: usize = 2_000;

/// Variables that point git at another repository, index or way of reading paths. They are set when Sayso is
/// started from a hook, and must not decide which repository we work on.
const FOREIGN: [&str; 15] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_QUARANTINE_PATH",
    "GIT_REFLOG_ACTION",
];

/// Where and with what environment git runs.
#[derive(Clone, Debug)]
pub(super) struct Runner {
    /// The folder it runs in.
    pub folder: PathBuf,
    /// Variables set on top of this process's own.
    pub env: Vec<(String, String)>,
}

/// One call of git.
pub(super) struct Call {
    program: &'static str,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: Option<Vec<u8>>,
    limit: Duration,
    plumbing: bool,
    lines: Option<UnboundedSender<String>>,
}

/// What a call left.
pub(super) struct Output {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output, as bytes.
    pub stdout: Vec<u8>,
    /// Standard error, as text.
    pub stderr: String,
    what: String,
}

impl Call {
    /// A call that reads.
    pub fn new<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        Self::program("git", args)
    }

    /// A call of another program, in git's place.
    pub fn program<A: AsRef<OsStr>>(
        program: &'static str,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            program,
            args: args
                .into_iter()
                .map(|arg| arg.as_ref().to_owned())
                .collect(),
            env: Vec::new(),
            stdin: None,
            limit: READ_LIMIT,
            plumbing: true,
            lines: None,
        }
    }

    /// Adds arguments, e.g. paths after `--`.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable.
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .push((key.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Works on another index file than the person's.
    pub fn index(self, file: &Path) -> Self {
        self.env("GIT_INDEX_FILE", file)
    }

    /// Feeds standard input.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Changes the time limit.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs with the person's own language and path rules, since their programs run inside; every line
    /// printed goes to `lines` at once.
    pub fn personal(mut self, lines: UnboundedSender<String>) -> Self {
        self.plumbing = false;
        self.lines = Some(lines);
        self
    }

    fn what(&self) -> String {
        let mut name = OsString::from(self.program);
        let mut words = self
            .args
            .iter()
            .skip_while(|arg| *arg == "-c" || is_setting(arg));
        if let Some(word) = words.next() {
            name.push(" ");
            name.push(word);
        }
        name.to_string_lossy().into_owned()
    }
}

fn is_setting(arg: &OsStr) -> bool {
    arg.to_string_lossy().contains('=')
}

impl Output {
    /// The output of a call that must have succeeded.
    pub fn checked(self) -> Result<Self, Problem> {
        if self.code == 0 {
            Ok(self)
        } else {
            Err(self.failed())
        }
    }

    /// The failure as a problem.
    pub fn failed(&self) -> Problem {
        let said = self.stderr.trim();
        if self.stderr.contains("index.lock") && self.stderr.contains("File exists") {
            return index_locked();
        }
        let said = if said.is_empty() {
            "it gave no reason"
        } else {
            said
        };
        Problem::internal(format!("{} failed (exit {}): {said}", self.what, self.code))
    }

    /// Standard output as text, without the last line feed.
    pub fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.stdout);
        text.strip_suffix('\n').unwrap_or(&text).to_owned()
    }

    /// The records of a `-z` format.
    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        self.stdout
            .split(|byte| *byte == 0)
            .filter(|record| !record.is_empty())
    }
}

/// Another git process holds the index.
pub(super) fn index_locked() -> Problem {
    Problem::new(
        409,
        "index-locked",
        "another git process is using the repository's index",
    )
    .hint("wait for it to end; if none runs, remove the file index.lock in the .git folder")
}

/// git itself could not be started.
fn no_git(error: &io::Error) -> Problem {
    if error.kind() == io::ErrorKind::NotFound {
        Problem::new(500, "git-missing", "the program git was not found")
            .hint("install git and make sure that it is on the PATH")
    } else {
        Problem::internal(format!("git could not be started: {error}"))
    }
}

fn too_long(what: &str, limit: Duration) -> Problem {
    Problem::new(
        504,
        "git-timeout",
        format!(
            "{what} took longer than {} s and was ended",
            limit.as_secs()
        ),
    )
    .hint("look for a hook, filter or signing program that waits for something")
}

impl Runner {
    /// The command for a call, as the standard library has it: for the few synchronous places.
    pub fn command(&self, call: &Call) -> std::process::Command {
        let mut command = std::process::Command::new(call.program);
        command.current_dir(&self.folder);
        for name in FOREIGN {
            command.env_remove(name);
        }
        command
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_EDITOR", ":");
        if call.plumbing {
            command
                .env("LC_ALL", "C")
                .env("GIT_OPTIONAL_LOCKS", "0")
                .env("GIT_LITERAL_PATHSPECS", "1");
        } else {
            command.env_remove("GIT_LITERAL_PATHSPECS");
        }
        command.envs(self.env.iter().map(|(key, value)| (key, value)));
        command.envs(call.env.iter().map(|(key, value)| (key, value)));
        command.args(&call.args);
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            command.process_group(0);
        }
        command
    }

    /// Runs a call to its end. A non-zero exit code is not an error here.
    ///
    /// # Errors
    /// When git is missing, cannot be started, or takes too long.
    pub async fn run(&self, call: Call) -> Result<Output, Problem> {
        let what = call.what();
        let mut command = Command::from(self.command(&call));
        command
            .stdin(if call.stdin.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| no_git(&error))?;
        let mut group = Group(child.id());

        let stdin = child.stdin.take();
        let bytes = call.stdin.unwrap_or_default();
        // git may end without reading all of its input; what it made of it shows in the exit code.
        let feed = async move {
            if let Some(mut stdin) = stdin {
                let _ = stdin.write_all(&bytes).await;
            }
        };
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let status = {
            let mut reading = std::pin::pin!(async {
                let out = read(out, &mut stdout, call.lines.as_ref());
                let err = read(err, &mut stderr, call.lines.as_ref());
                tokio::join!(feed, out, err);
            });
            let mut read_all = false;
            let ended = tokio::time::timeout(call.limit, async {
                loop {
                    tokio::select! {
                        _ = &mut reading, if !read_all => read_all = true,
                        status = child.wait() => break status,
                    }
                }
            })
            .await;
            let Ok(status) = ended else {
                return Err(too_long(&what, call.limit));
            };
            group.0 = None;
            if !read_all {
                let _ = tokio::time::timeout(DRAIN_LIMIT, reading).await;
            }
            status
        };
        let status = status.map_err(Problem::internal)?;
        Ok(Output {
            code: status.code().unwrap_or(-1),
            stdout,
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            what,
        })
    }
}

async fn read(
    pipe: Option<impl AsyncRead + Unpin>,
    into: &mut Vec<u8>,
    lines: Option<&UnboundedSender<String>>,
) {
    let Some(mut pipe) = pipe else { return };
    let Some(lines) = lines else {
        let _ = pipe.read_to_end(into).await;
        return;
    };
    let mut pipe = BufReader::new(pipe);
    let mut count = 0;
    loop {
        let mut line = Vec::new();
        match pipe.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        count += 1;
        if count > KEPT_LINES {
            continue;
        }
        into.extend_from_slice(&line);
        let text = String::from_utf8_lossy(&line);
        // Nobody listening any more is no reason to stop a hook.
        let _ = lines.send(text.trim_end_matches(['\n', '\r']).to_owned());
    }
}

/// Ends a whole process group when dropped while armed.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(pid) = self
            .0
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}
