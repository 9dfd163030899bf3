//! Runs a command for a build: in its own process group, without the environment's secrets, line by line.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long a stopped command may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// How long output may still come from what the command left running.
const TRAILING: Duration = Duration::from_millis(500);

/// Longer lines are cut: nobody reads them, and minified code ends up in error messages.
const LINE: usize = 2000;

/// Why a command did not do its job.
#[derive(Debug)]
pub(crate) enum RunError {
    /// It was stopped on request.
    Canceled,
    /// It took longer than it may.
    TimedOut,
    /// It ended with this code; `None` when a signal ended it.
    Failed(Option<i32>),
    /// It could not be started or watched.
    Io(io::Error),
}

/// Runs `command` by the shell in `folder`; every line of its output goes to `line`.
///
/// # Errors
/// When it does not end well. Nothing of its process group is left running, either way.
pub(crate) async fn run(
    command: &str,
    folder: &Path,
    env: &BTreeMap<String, String>,
    timeout: Duration,
    cancel: &CancellationToken,
    line: &mut (dyn FnMut(String) + Send),
) -> Result<(), RunError> {
    let mut child = shell(command, folder, env).spawn().map_err(RunError::Io)?;
    let group = Group::of(&child);
    let (sender, mut lines) = mpsc::channel(256);
    for pipe in [
        child
            .stdout
            .take()
            .map(|pipe| Box::new(pipe) as Box<dyn AsyncRead + Send + Unpin>),
        child
            .stderr
            .take()
            .map(|pipe| Box::new(pipe) as Box<dyn AsyncRead + Send + Unpin>),
    ]
    .into_iter()
    .flatten()
    {
        tokio::spawn(read_lines(pipe, sender.clone()));
    }
    drop(sender);

    let deadline = tokio::time::sleep(timeout);
    tokio::pin!(deadline);
    let mut open = true;
    let outcome = loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => break Err(RunError::Canceled),
            () = &mut deadline => break Err(RunError::TimedOut),
            text = lines.recv(), if open => match text {
                Some(text) => line(text),
                None => open = false,
            },
            status = child.wait() => break status.map_err(RunError::Io).and_then(|status| {
                if status.success() { Ok(()) } else { Err(RunError::Failed(status.code())) }
            }),
        }
    };
    if matches!(outcome, Err(RunError::Canceled | RunError::TimedOut)) {
        group.stop(&mut child).await;
    }
    // The command is over, but its last lines may still be in the pipes; what it left running may hold them open.
    let rest = async {
        while let Some(text) = lines.recv().await {
            line(text);
        }
    };
    let _ = tokio::time::timeout(TRAILING, rest).await;
    group.kill();
    outcome
}

fn shell(command: &str, folder: &Path, env: &BTreeMap<String, String>) -> Command {
    let (program, flag) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let mut shell = Command::new(program);
    shell
        .arg(flag)
        .arg(command)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        if is_withheld(&name) {
            shell.env_remove(name);
        }
    }
    for (name, value) in [
        ("TERM", "dumb"),
        // The log keeps colours; who shows it without them takes them out.
        ("FORCE_COLOR", "1"),
        ("CLICOLOR_FORCE", "1"),
        ("ASTRO_TELEMETRY_DISABLED", "1"),
        ("GATSBY_TELEMETRY_DISABLED", "1"),
        ("NEXT_TELEMETRY_DISABLED", "1"),
        ("NUXT_TELEMETRY_DISABLED", "1"),
    ] {
        shell.env(name, value);
    }
    shell.envs(env);
    #[cfg(unix)]
    shell.process_group(0);
    shell
}

/// Secrets, and what ties git to the repository of a hook that may have started us.
fn is_withheld(name: &OsStr) -> bool {
    const ENDS: [&str; 8] = [
        "_TOKEN",
        "_API_KEY",
        "_SECRET",
        "_SECRET_KEY",
        "_ACCESS_KEY",
        "_PASSWORD",
        "_PRIVATE_KEY",
        "_PAT",
    ];
    const NAMES: [&str; 4] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];
    let name = name.to_string_lossy().to_ascii_uppercase();
    NAMES.contains(&name.as_str()) || ENDS.iter().any(|end| name.ends_with(end))
}

/// A command and all it started.
pub(crate) struct Group {
    #[cfg_attr(not(any(unix, windows)), allow(dead_code))]
    id: Option<u32>,
}

impl Group {
    pub(crate) fn of(child: &Child) -> Self {
        Self { id: child.id() }
    }

    /// Asks it to end, then makes it.
    async fn stop(&self, child: &mut Child) {
        #[cfg(unix)]
        {
            self.signal(rustix::process::Signal::TERM);
            if tokio::time::timeout(GRACE, child.wait()).await.is_ok() {
                return;
            }
        }
        #[cfg(windows)]
        if let Some(id) = self.id {
            // Windows has no groups to signal: its own tool ends a process with all below it.
            let _ = Command::new("taskkill")
                .args(["/T", "/F", "/PID", &id.to_string()])
                .output()
                .await;
        }
        self.kill();
        let _ = child.start_kill();
        let _ = tokio::time::timeout(GRACE, child.wait()).await;
    }

    /// Ends what is left of it at once.
    pub(crate) fn kill(&self) {
        #[cfg(unix)]
        self.signal(rustix::process::Signal::KILL);
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) {
        let id = self
            .id
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            // Nobody left in the group is what we want.
            let _ = rustix::process::kill_process_group(id, signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The deployment itself was dropped: its command must not live on.
        self.kill();
    }
}

async fn read_lines(mut pipe: Box<dyn AsyncRead + Send + Unpin>, lines: mpsc::Sender<String>) {
    let mut buffer = vec![0; 16 * 1024];
    let mut pending: Vec<u8> = Vec::new();
    loop {
        let read = pipe.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            break;
        }
        for byte in &buffer[..read] {
            match byte {
                b'\n' => {
                    let text = clean(&pending);
                    pending.clear();
                    if lines.send(text).await.is_err() {
                        return;
                    }
                }
                // Far beyond what is shown: the rest of such a line is dropped.
                _ if pending.len() >= LINE * 4 => {}
                _ => pending.push(*byte),
            }
        }
    }
    if !pending.is_empty() {
        let _ = lines.send(clean(&pending)).await;
    }
}

/// A line as it may be kept: what was overwritten by a carriage return, and every control character go, but for
/// colours (`CSI … m`).
pub(crate) fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches('\r');
    let text = text
        .rsplit('\r')
        .find(|part| !part.is_empty())
        .unwrap_or("");
    let mut out = String::with_capacity(text.len().min(LINE));
    let mut chars = text.chars().peekable();
    let mut count = 0;
    while let Some(c) = chars.next() {
        if count == LINE {
            out.push('…');
            break;
        }
        match c {
            '\u{1b}' => {
                if let Some(colour) = colour(&chars) {
                    chars.nth(colour.len() - 1);
                    out.push('\u{1b}');
                    out.push_str(&colour);
                } else {
                    skip_escape(&mut chars);
                }
            }
            '\u{9b}' => skip_until_final(&mut chars),
            '\t' => {
                out.push_str("    ");
                count += 4;
            }
            c if c.is_control() => {}
            c => {
                out.push(c);
                count += 1;
            }
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// A colour behind an ESC, if that is what follows: `[`, numbers, `m`.
fn colour(rest: &std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    const LONGEST: usize = 40;
    let mut colour = String::new();
    for c in rest.clone().take(LONGEST) {
        colour.push(c);
        match (colour.len(), c) {
            (1, '[') => {}
            (1, _) => return None,
            (_, 'm') => return Some(colour),
            (_, '0'..='9' | ';' | ':') => {}
            _ => return None,
        }
    }
    None
}

/// After ESC (ECMA-48): a control sequence, a string up to BEL or ST, or one character.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => skip_until_final(chars),
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || c == '\u{9c}' {
                    break;
                }
                if c == '\u{1b}' {
                    chars.next();
                    break;
                }
            }
        }
        Some(' '..='/') => {
            chars.next();
        }
        _ => {}
    }
}

fn skip_until_final(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    for c in chars.by_ref() {
        if ('@'..='~').contains(&c) {
            break;
        }
    }
}

#[cfg(all(test, unix))]
#[path = "run_tests.rs"]
mod tests;
