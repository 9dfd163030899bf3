//! Builds what is laid out in a folder: the dependencies first, then the site.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::node::says_lock_is_stale;
use super::run::{RunError, run};
use super::{Plan, modules};

/// A build to be made.
pub(crate) struct Job<'a> {
    /// What to run.
    pub plan: &'a Plan,
    /// The folder with the files.
    pub root: &'a Path,
    /// Where installed dependencies are kept for the next build.
    pub cache: &'a Path,
    /// Install the dependencies anew, even when they have not changed.
    pub fresh: bool,
    /// How long each command may take.
    pub timeout: Duration,
    /// What the build is told of where it goes: `SAYSO_ENVIRONMENT`.
    pub environment: &'a str,
    /// Stops it.
    pub cancel: &'a CancellationToken,
}

/// Why there is no build.
#[derive(Debug)]
pub(crate) struct BuildError {
    /// What failed, and why.
    pub message: String,
    /// What to do next.
    pub hint: String,
    /// True when it was stopped on request.
    pub canceled: bool,
}

impl BuildError {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
            canceled: false,
        }
    }
}

impl Job<'_> {
    /// Builds; every line of output goes to `log`. Without a command there is nothing to do.
    ///
    /// # Errors
    /// What kept it from being built.
    pub async fn build(&self, log: &mut (dyn FnMut(String) + Send)) -> Result<(), BuildError> {
        let Some(build) = &self.plan.command else {
            return Ok(());
        };
        let base = self.root.join(&self.plan.base);
        if let Some(install) = &self.plan.install {
            let lent = self
                .plan
                .dependencies
                .as_ref()
                .is_some_and(|key| !self.fresh && modules::borrow(self.cache, key, &base));
            if lent {
                log("the dependencies have not changed and are used again".to_owned());
            } else {
                let mut stale = false;
                match (
                    self.command(install, &base, &mut stale, log).await,
                    &self.plan.install_anyway,
                ) {
                    (Err(error), Some(anyway)) if !error.canceled && stale => {
                        log(
                            "the lock file does not fit package.json: installing without it"
                                .to_owned(),
                        );
                        self.command(anyway, &base, &mut stale, log).await?;
                    }
                    (outcome, _) => outcome?,
                }
            }
        }
        self.command(build, &base, &mut false, log).await?;
        if let Some(key) = &self.plan.dependencies
            && let Err(error) = modules::give_back(self.cache, key, &base)
        {
            tracing::warn!(%error, "the dependencies cannot be kept for the next build");
        }
        Ok(())
    }

    async fn command(
        &self,
        command: &str,
        folder: &Path,
        stale: &mut bool,
        log: &mut (dyn FnMut(String) + Send),
    ) -> Result<(), BuildError> {
        log(format!("$ {command}"));
        let mut env: BTreeMap<String, String> = self.plan.env.clone();
        env.insert("SAYSO_ENVIRONMENT".to_owned(), self.environment.to_owned());
        let mut missing = None;
        let outcome = run(
            command,
            folder,
            &env,
            self.timeout,
            self.cancel,
            &mut |line| {
                *stale |= says_lock_is_stale(&line);
                missing = missing_program(&line).map(str::to_owned).or(missing.take());
                log(line);
            },
        )
        .await;
        outcome.map_err(|error| match error {
            RunError::Canceled => BuildError {
                canceled: true,
                ..BuildError::new("the build was stopped", "")
            },
            RunError::TimedOut => BuildError::new(
                format!("`{command}` took longer than {} s and was stopped", self.timeout.as_secs()),
                "make the build faster, or allow it more time under [build] in sayso.toml",
            ),
            RunError::Failed(Some(127)) => {
                let program = missing.unwrap_or_else(|| "a program".to_owned());
                BuildError::new(
                    format!("`{command}` needs {program}, which is not installed here"),
                    format!("install {program}, or set another `command` under [build] in sayso.toml"),
                )
            }
            RunError::Failed(code) => {
                let how = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
                BuildError::new(
                    format!("`{command}` failed with {how}"),
                    "read the last lines of the log; run the same command in a fresh clone to see it there",
                )
            }
            RunError::Io(error) => BuildError::new(
                format!("`{command}` could not be run: {error}"),
                "make sure that the folder named in the build settings exists",
            ),
        })
    }
}

/// The program that a shell says it did not find: `sh: 1: hugo: not found`, `bash: line 1: hugo: command not found`.
fn missing_program(line: &str) -> Option<&str> {
    let rest = line
        .strip_suffix(": not found")
        .or_else(|| line.strip_suffix(": command not found"))?;
    let name = rest.rsplit(": ").next()?.trim();
    (!name.is_empty() && !name.contains(' ')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::missing_program;

    #[test]
    fn what_a_shell_did_not_find_is_named() {
        for (line, name) in [
            ("sh: 1: hugo: not found", Some("hugo")),
            ("bash: line 1: bundle: command not found", Some("bundle")),
            ("/bin/sh: pnpm: not found", Some("pnpm")),
            ("Error: Page /about: not found", None),
            ("module not found", None),
            ("error: the page that you want: is it: not found", None),
        ] {
            assert_eq!(missing_program(line), name, "{line}");
        }
    }
}
