//! Starts a program in its own process group and reads what it prints.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::model::ansi;

/// How long output may still come from what the program left running.
const TRAILING: Duration = Duration::from_millis(500);

/// Longer lines are cut, in characters.
const LINE: usize = 400;

/// What is run.
pub(super) struct Order<'a> {
    /// The program and its arguments.
    pub arguments: &'a [String],
    /// Where.
    pub folder: &'a Path,
    /// For how long at most.
    pub limit: Duration,
}

/// How it ended.
pub(super) enum Ended {
    Well,
    Badly(String),
    NotStarted(String),
}

/// Runs; dropping the future ends the program and its children.
pub(super) async fn run(order: Order<'_>, mut line: impl FnMut(String)) -> Ended {
    let Some((program, arguments)) = order.arguments.split_first() else {
        return Ended::NotStarted("no command is set".into());
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(order.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // The person's repository is none of its business, wherever Sayso was started.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    for name in ["GITHUB_PAT", "VERCEL_TOKEN"] {
        command.env_remove(name);
    }
    #[cfg(unix)]
    command.process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ended::NotStarted(error.to_string()),
    };
    let _group = Group::of(&child);
    let (sender, mut lines) = mpsc::channel(64);
    if let Some(pipe) = child.stdout.take() {
        tokio::spawn(read(pipe, sender.clone()));
    }
    if let Some(pipe) = child.stderr.take() {
        tokio::spawn(read(pipe, sender));
    } else {
        drop(sender);
    }
    let deadline = tokio::time::sleep(order.limit);
    tokio::pin!(deadline);
    let mut open = true;
    let ended = loop {
        tokio::select! {
            biased;
            text = lines.recv(), if open => match text {
                Some(text) => line(text),
                None => open = false,
            },
            status = child.wait() => break match status {
                Ok(status) if status.success() => Ended::Well,
                Ok(status) => Ended::Badly(match status.code() {
                    Some(code) => format!("ended with code {code}"),
                    None => "was ended by a signal".into(),
                }),
                Err(error) => Ended::Badly(format!("was lost: {error}")),
            },
            () = &mut deadline => {
                break Ended::Badly(format!("took longer than {} s and was ended", order.limit.as_secs()));
            }
        }
    };
    let rest = async {
        while let Some(text) = lines.recv().await {
            line(text);
        }
    };
    // What it left running may hold the pipes open.
    let _ = tokio::time::timeout(TRAILING, rest).await;
    ended
}

async fn read(pipe: impl AsyncRead + Unpin, into: mpsc::Sender<String>) {
    let mut lines = BufReader::new(pipe).split(b'\n');
    while let Ok(Some(bytes)) = lines.next_segment().await {
        let text = String::from_utf8_lossy(&bytes);
        let text: String = ansi::strip(text.trim_end()).chars().take(LINE).collect();
        if !text.trim().is_empty() && into.send(text).await.is_err() {
            return;
        }
    }
}

/// The processes of a program; ended when this is dropped.
struct Group {
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
}

impl Group {
    fn of(child: &Child) -> Self {
        #[cfg(unix)]
        {
            let id = child.id().and_then(|id| i32::try_from(id).ok());
            Self {
                id: id.and_then(rustix::process::Pid::from_raw),
            }
        }
        #[cfg(not(unix))]
        {
            let _ = child;
            Self {}
        }
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            // Nobody may be left in it.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}
