//! Runs a program to its end and reads what it prints.

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;

use super::process::{Process, lines};

/// How long output may still come from what the program left running.
const TRAILING: Duration = Duration::from_millis(500);

/// What is run.
pub(super) struct Order<'a> {
    /// The program and its arguments.
    pub arguments: &'a [String],
    /// Where.
    pub folder: &'a Path,
    /// Variables of the environment that it gets.
    pub env: &'a [String],
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
    let mut process = match Process::start(order.arguments, order.folder, order.env) {
        Ok(process) => process,
        Err(error) => return Ended::NotStarted(error),
    };
    // It is asked nothing.
    drop(process.child.stdin.take());
    let (sender, mut told) = mpsc::channel(64);
    if let Some(pipe) = process.child.stdout.take() {
        tokio::spawn(lines(pipe, sender.clone()));
    }
    if let Some(pipe) = process.child.stderr.take() {
        tokio::spawn(lines(pipe, sender.clone()));
    }
    drop(sender);
    let deadline = tokio::time::sleep(order.limit);
    tokio::pin!(deadline);
    let mut open = true;
    let ended = loop {
        tokio::select! {
            biased;
            text = told.recv(), if open => match text {
                Some(text) => line(text),
                None => open = false,
            },
            status = process.child.wait() => break match status {
                Ok(status) if status.success() => Ended::Well,
                Ok(status) => Ended::Badly(how(status)),
                Err(error) => Ended::Badly(format!("was lost: {error}")),
            },
            () = &mut deadline => {
                break Ended::Badly(format!("took longer than {} s and was ended", order.limit.as_secs()));
            }
        }
    };
    let rest = async {
        while let Some(text) = told.recv().await {
            line(text);
        }
    };
    // What it left running may hold the pipes open.
    let _ = tokio::time::timeout(TRAILING, rest).await;
    ended
}

/// How a program that failed ended.
pub(super) fn how(status: std::process::ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with code {code}"),
        None => "was ended by a signal".into(),
    }
}
