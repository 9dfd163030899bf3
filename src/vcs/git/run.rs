//! Running git: one place that sets its environment, bounds its time and reads its words.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc::UnboundedSender;

use crate::model::Problem;

/// For anything but hooks: git's own work on a site takes seconds at most.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// For a hook: people run their test suites there.
const HOOK_TIME_LIMIT: Duration = Duration::from_secs(900);

/// Runs git in a folder with a set of variables. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Runner {
    dir: PathBuf,
    env: Vec<(String, String)>,
}

/// What a git process left.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its output.
    pub stdout: Vec<u8>,
    /// Its complaints.
    pub stderr: Vec<u8>,
}

impl Output {
    /// True when it succeeded.
    pub fn ok(&self) -> bool {
        self.status.success()
    }

    /// The output as text without its last line feed.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout)
            .trim_end_matches('\n')
            .to_owned()
    }

    /// The failure in git's own words.
    pub fn problem(&self, what: &str) -> Problem {
        let said = String::from_utf8_lossy(&self.stderr);
        let said = said.trim();
        let said = if said.is_empty() {
            self.status.to_string()
        } else {
            said.to_owned()
        };
        Problem::new(502, "git", format!("git {what} failed: {said}"))
    }

    /// Itself when it succeeded.
    ///
    /// # Errors
    /// The failure in git's own words.
    pub fn checked(self, what: &str) -> Result<Self, Problem> {
        if self.ok() {
            Ok(self)
        } else {
            Err(self.problem(what))
        }
    }
}

impl Runner {
    /// A runner in `dir` with extra variables.
    pub fn new(dir: &Path, env: Vec<(String, String)>) -> Self {
        Self {
            dir: dir.to_path_buf(),
            env,
        }
    }

    /// The same in another folder.
    pub fn at(&self, dir: &Path) -> Self {
        Self {
            dir: dir.to_path_buf(),
            env: self.env.clone(),
        }
    }

    /// The same with one more variable.
    pub fn with(&self, key: &str, value: &Path) -> Self {
        let mut env = self.env.clone();
        env.push((key.to_owned(), value.to_string_lossy().into_owned()));
        Self {
            dir: self.dir.clone(),
            env,
        }
    }

    /// The command itself, for processes that are kept.
    pub fn std_command(&self, args: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new("git");
        command
            .current_dir(&self.dir)
            .args(args)
            // No prompt may hang us, and messages must be those we know.
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            // Reading must not take locks that the person's own git wants.
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_LITERAL_PATHSPECS", "1")
            // A Sayso started from a hook or an alias must not inherit that git's view.
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::from(self.std_command(args));
        command.kill_on_drop(true);
        // Its own group: Ctrl+C in the cockpit's terminal is the cockpit's.
        #[cfg(unix)]
        command.process_group(0);
        command
    }

    /// Runs git to its end.
    ///
    /// # Errors
    /// `no-git` when it cannot be started, `git-slow` when it does not end in time. A git that fails is an
    /// [`Output`] that is not [`Output::ok`].
    pub async fn run(&self, args: &[&str]) -> Result<Output, Problem> {
        self.run_with(args, &[]).await
    }

    /// As [`Runner::run`], with `input` on its standard input.
    ///
    /// # Errors
    /// As [`Runner::run`].
    pub async fn run_with(&self, args: &[&str], input: &[u8]) -> Result<Output, Problem> {
        let mut command = self.command(args);
        if !input.is_empty() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().map_err(|error| no_git(&error))?;
        let mut stdin = child.stdin.take();
        let feed = async {
            if let Some(stdin) = &mut stdin {
                // A git that ends early closes the pipe; its exit status says why.
                let _ = stdin.write_all(input).await;
            }
            drop(stdin.take());
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
        let read_out = async {
            match &mut stdout {
                Some(pipe) => pipe.read_to_end(&mut out).await,
                None => Ok(0),
            }
        };
        let read_err = async {
            match &mut stderr {
                Some(pipe) => pipe.read_to_end(&mut err).await,
                None => Ok(0),
            }
        };
        let work = async {
            let ((), read, read_err) = tokio::join!(feed, read_out, read_err);
            read?;
            read_err?;
            child.wait().await
        };
        let status = tokio::time::timeout(TIME_LIMIT, work)
            .await
            .map_err(|_| slow(args))?
            .map_err(|error| no_git(&error))?;
        Ok(Output {
            status,
            stdout: out,
            stderr: err,
        })
    }

    /// Runs git for a hook: its lines are sent on as they come, and returned.
    ///
    /// # Errors
    /// As [`Runner::run`].
    pub async fn stream(
        &self,
        args: &[&str],
        lines: &UnboundedSender<String>,
    ) -> Result<(ExitStatus, Vec<String>), Problem> {
        let mut child = self.command(args).spawn().map_err(|error| no_git(&error))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let work = async {
            let (out, err) = tokio::join!(forward(stdout, lines), forward(stderr, lines));
            let status = child.wait().await.map_err(|error| no_git(&error))?;
            Ok::<_, Problem>((status, [out, err].concat()))
        };
        tokio::time::timeout(HOOK_TIME_LIMIT, work)
            .await
            .map_err(|_| slow(args))?
    }
}

async fn forward(
    pipe: Option<impl tokio::io::AsyncRead + Unpin>,
    lines: &UnboundedSender<String>,
) -> Vec<String> {
    let mut seen = Vec::new();
    let Some(pipe) = pipe else { return seen };
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    // A read error ends the output; the exit status still tells how it went.
    while reader
        .read_until(b'\n', &mut line)
        .await
        .is_ok_and(|read| read > 0)
    {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        // Nobody listening is no reason to stop a hook.
        let _ = lines.send(text.clone());
        seen.push(text);
    }
    seen
}

fn no_git(error: &std::io::Error) -> Problem {
    if error.kind() == std::io::ErrorKind::NotFound {
        Problem::new(500, "no-git", "the git program is not there").hint("install git")
    } else {
        Problem::new(500, "no-git", format!("git cannot be run: {error}"))
    }
}

fn slow(args: &[&str]) -> Problem {
    let what = args.first().copied().unwrap_or_default();
    Problem::new(
        504,
        "git-slow",
        format!("git {what} did not end in time and was stopped"),
    )
    .hint("see whether it waits for something: a lock, a network drive, a hook")
}
