//! A program in a process group of its own, with no more of the environment than it needs, and its end.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::model::ansi;

/// Longer lines of output are cut, in characters.
const LINE: usize = 400;

/// The variable by which everything that a program started is known again, wherever it went.
const MARK: &str = "SAYSO_AGENT";

/// What every program gets. Names that end in `*` stand for all that begin so.
const ALWAYS: [&str; 36] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TERM",
    "TMPDIR",
    "TMP",
    "TEMP",
    "XDG_*",
    "SSL_CERT_*",
    "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SystemRoot",
    "SystemDrive",
    "windir",
    "ComSpec",
    "PATHEXT",
    "APPDATA",
    "LOCALAPPDATA",
    "USERPROFILE",
    "USERNAME",
    "HOMEDRIVE",
    "HOMEPATH",
    "ProgramFiles*",
];

/// Whether a variable is handed on.
fn handed_on(name: &str, allowed: &[String]) -> bool {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => name == pattern,
    };
    ALWAYS.iter().any(|pattern| fits(pattern)) || allowed.iter().any(|pattern| fits(pattern))
}

/// A program that runs; ended with everything it started when this is dropped.
pub(super) struct Process {
    /// The program itself.
    pub child: Child,
    group: Group,
}

impl Process {
    /// Starts `arguments` in `folder` with all pipes open. Of the environment it gets what any program needs, and the
    /// variables that are `allowed` by name.
    pub(super) fn start(
        arguments: &[String],
        folder: &Path,
        allowed: &[String],
    ) -> Result<Self, String> {
        let Some((program, arguments)) = arguments.split_first() else {
            return Err("no command is set".into());
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env_clear()
            .kill_on_drop(true);
        for (name, value) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| handed_on(name, allowed)) {
                command.env(name, value);
            }
        }
        let mark = mark();
        command.env(MARK, &mark).env("PWD", folder);
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn().map_err(|error| error.to_string())?;
        let group = Group::of(&child, mark);
        Ok(Self { child, group })
    }

    /// Ends it and all that it started.
    pub(super) fn end(&mut self) {
        self.group.end();
    }
}

fn mark() -> String {
    let mut random = [0_u8; 12];
    // Without randomness the time and the process tell two marks apart.
    let _ = getrandom::fill(&mut random);
    let time = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos());
    let mut out = format!("{}-{time}-", std::process::id());
    out.extend(random.iter().map(|byte| format!("{byte:02x}")));
    out
}

/// Hands on the lines of a pipe, without escape sequences.
pub(super) async fn lines(pipe: impl AsyncRead + Unpin, into: mpsc::Sender<String>) {
    let mut lines = BufReader::new(pipe).split(b'\n');
    while let Ok(Some(bytes)) = lines.next_segment().await {
        let text = line(&String::from_utf8_lossy(&bytes));
        if !text.trim().is_empty() && into.send(text).await.is_err() {
            return;
        }
    }
}

/// A line as people may see it: no escape sequences, no line ends, not longer than a few lines of a screen.
pub(super) fn line(text: &str) -> String {
    let plain = ansi::strip(text.trim_end());
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let seen = plain.chars().filter(|c| !c.is_control());
    seen.take(LINE).collect()
}

/// The processes of a program.
struct Group {
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    mark: String,
}

impl Group {
    fn of(child: &Child, mark: String) -> Self {
        #[cfg(unix)]
        {
            let id = child.id().and_then(|id| i32::try_from(id).ok());
            Self {
                id: id.and_then(rustix::process::Pid::from_raw),
                mark,
            }
        }
        #[cfg(not(unix))]
        {
            let _ = child;
            Self { mark }
        }
    }

    #[cfg(unix)]
    fn end(&mut self) {
        use rustix::process::{Signal, kill_process_group};
        if let Some(id) = self.id.take() {
            // Nobody may be left in it.
            let _ = kill_process_group(id, Signal::KILL);
            self.end_strays();
        }
    }

    #[cfg(not(unix))]
    fn end(&mut self) {}

    /// Ends what has left the group for a session of its own: it still carries the mark.
    #[cfg(target_os = "linux")]
    fn end_strays(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        let mark = format!("{MARK}={}", self.mark);
        // What is being started while we look is found at the next look.
        for _ in 0..4 {
            let mut found = false;
            for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
                let name = entry.file_name();
                let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
                    continue;
                };
                let Ok(variables) = std::fs::read(entry.path().join("environ")) else {
                    continue;
                };
                let ours = variables
                    .split(|byte| *byte == 0)
                    .any(|variable| variable == mark.as_bytes());
                if let Some(pid) = Pid::from_raw(pid).filter(|_| ours) {
                    found |= kill_process(pid, Signal::KILL).is_ok();
                }
            }
            if !found {
                return;
            }
        }
    }

    #[cfg(all(unix, not(target_os = "linux")))]
    fn end_strays(&self) {}
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_program_needs_and_what_is_named_is_handed_on() {
        let allowed = ["ANTHROPIC_API_KEY".to_owned(), "OPENCODE_*".to_owned()];
        for name in ["PATH", "HOME", "LC_ALL", "ANTHROPIC_API_KEY", "OPENCODE_X"] {
            assert!(handed_on(name, &allowed), "{name}");
        }
        for name in ["GITHUB_PAT", "OPENAI_API_KEY", "GIT_DIR", "VERCEL_TOKEN"] {
            assert!(!handed_on(name, &allowed), "{name}");
        }
    }

    #[test]
    fn a_line_has_no_escape_sequences_and_no_line_ends() {
        assert_eq!(
            line("\u{1b}[31mred\u{1b}[0m\r\nnext  one\n"),
            "red next one"
        );
        assert_eq!(line(&"x".repeat(1_000)).len(), LINE);
    }
}
