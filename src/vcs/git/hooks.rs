//! The person's hooks, run as `git commit` runs them, with their output passed on line by line.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedSender};

use crate::model::Problem;

use super::Git;
use super::run::Call;

/// Hooks run linters and whole test suites.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Lines of output that a refusal quotes.
const QUOTED_LINES: usize = 40;

/// The hooks of one commit.
pub(super) struct Hooks<'a> {
    /// The repository.
    pub git: &'a Git,
    /// Their folder.
    pub folder: &'a Path,
    /// There may be hooks without a file.
    pub in_config: bool,
    /// The index they see; `None` for the person's own.
    pub index: Option<&'a Path>,
    /// Where lines go as they come.
    pub live: UnboundedSender<String>,
    /// All lines so far.
    pub output: Vec<String>,
}

impl Hooks<'_> {
    /// Whether the hook `name` may have something to do.
    pub fn has(&self, name: &str) -> bool {
        self.in_config || runnable(&self.folder.join(name))
    }

    /// Runs a hook, if there is one.
    ///
    /// # Errors
    /// `hook-failed` (422) with what it printed.
    pub async fn run(&mut self, name: &str, args: &[OsString]) -> Result<(), Problem> {
        if !self.has(name) {
            if self.folder.join(name).is_file() {
                self.say(format!("the hook {name} was skipped: it is not executable"));
            }
            return Ok(());
        }
        let (send, mut lines) = mpsc::unbounded_channel();
        let call = if self.git.has_hook_command().await {
            Call::new(["hook", "run", "--ignore-missing", name, "--"])
        } else {
            // Through the shell, which also takes a hook without a `#!` line, as git does.
            Call::program("sh", ["-c", "exec \"$0\" \"$@\""]).args([self.folder.join(name)])
        };
        let mut call = call.args(args).limit(LIMIT).personal(send);
        if let Some(index) = self.index {
            call = call.index(index);
        }
        let begun = self.output.len();
        let git = self.git;
        let run = git.run(call);
        let mut run = std::pin::pin!(run);
        let ended = loop {
            tokio::select! {
                Some(line) = lines.recv() => self.say(line),
                ended = &mut run => break ended,
            }
        };
        while let Ok(line) = lines.try_recv() {
            self.say(line);
        }
        let ended = ended?;
        if ended.code == 0 {
            return Ok(());
        }
        let said = &self.output[begun..];
        let said = said[said.len().saturating_sub(QUOTED_LINES)..].join("\n");
        let said = if said.trim().is_empty() {
            "it printed nothing"
        } else {
            said.trim()
        };
        let detail = format!(
            "the {name} hook refused the commit (exit {}): {said}",
            ended.code
        );
        Err(Problem::new(422, "hook-failed", detail)
            .hint("nothing was committed; put right what the hook names and approve again"))
    }

    fn say(&mut self, line: String) {
        // Nobody listening any more is no reason to stop.
        let _ = self.live.send(line.clone());
        self.output.push(line);
    }
}

impl Git {
    /// `git hook` came with git 2.36.
    async fn has_hook_command(&self) -> bool {
        let ask = || async {
            let version = self
                .run(Call::new(["version"]))
                .await
                .map(|output| output.text());
            version.is_ok_and(|text| at_least_2_36(&text))
        };
        *self.shared.hook_command.get_or_init(ask).await
    }
}

fn at_least_2_36(version: &str) -> bool {
    let number = version.split_ascii_whitespace().nth(2).unwrap_or_default();
    let mut parts = number.split('.').map_while(|part| part.parse::<u32>().ok());
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (2, 36)
}

#[cfg(unix)]
pub(super) fn runnable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file)
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn runnable(file: &Path) -> bool {
    file.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_git_prints_them() {
        assert!(at_least_2_36("git version 2.47.3"));
        assert!(at_least_2_36("git version 2.36.0.windows.1"));
        assert!(at_least_2_36("git version 3.0.rc1"));
        assert!(!at_least_2_36("git version 2.34.1 (Apple Git-1)"));
        assert!(!at_least_2_36("nonsense"));
    }
}
