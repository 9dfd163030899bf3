//! The checks before a step: commands in a clean checkout of the very files that are to be deployed, and two that are
//! built in. Several run at a time; each is ended with all that it started after its time, or when it is stopped.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Conductor;
use super::checks_built_in::{secrets, sizes};
use super::deploy::about;
use super::records::Change;
use crate::config::Check;
use crate::deploy::build::run::{RunError, run};
use crate::deploy::{DeployFailure, Report};
use crate::model::{Deployment, EventKind, Problem, ProposedFile, Source, Stage, signature};

/// Results that are kept, by what they depend on.
const KEPT: &str = "check-result";
/// Lines of output that an event carries.
const OUTPUT: usize = 40;
/// Checks that run at a time where nothing is set: at most.
const AT_ONCE: usize = 4;

/// A check that a tree passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    name: String,
    commit: String,
    ms: u64,
    at: Timestamp,
}

/// What a check came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) ok: bool,
    pub(super) ms: u64,
    /// What was wrong, or why it did not run.
    pub(super) message: String,
    /// What to do, where that is known.
    pub(super) hint: String,
    pub(super) output: Vec<String>,
    /// When the same tree passed it.
    pub(super) kept: Option<Timestamp>,
    /// It had nothing to look at.
    pub(super) skipped: bool,
    /// It was ended because another one failed, or on request: nothing is known of it.
    pub(super) stopped: bool,
    /// A pass is remembered under this name.
    pub(super) key: Option<String>,
}

/// What all checks of one deployment look at.
struct Round<'a> {
    deployment: &'a Deployment,
    source: Arc<dyn Source>,
    /// What differs from what the environment serves; `None`: everything does, or it is not known.
    changed: Option<Vec<ProposedFile>>,
    reports: &'a mpsc::UnboundedSender<Report>,
    cancel: CancellationToken,
}

impl Conductor {
    /// Runs the checks of the deployment's environment; how many milliseconds they took, `None` where it has none.
    ///
    /// # Errors
    /// The failure that a check means for the deployment.
    pub(super) async fn check(
        &self,
        deployment: &Deployment,
        reports: &mpsc::UnboundedSender<Report>,
        cancel: &CancellationToken,
    ) -> Result<Option<u64>, DeployFailure> {
        let rules = self.rules.get(&deployment.environment);
        let names = rules.map(|rules| rules.checks.clone()).unwrap_or_default();
        if names.is_empty() {
            return Ok(None);
        }
        let began = Instant::now();
        let _ = reports.send(Report::Stage {
            stage: Stage::Check,
            message: format!("checks: {}", names.join(", ")),
        });
        let round = self.round(deployment, &names, reports, cancel).await?;
        let mut count = 0;
        let at_once = match self.config.deploy.checks_at_once {
            0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().min(AT_ONCE)),
            set => set,
        };
        let all = names.len();
        let checks: Vec<BoxFuture<'_, Outcome>> = names
            .iter()
            .map(|name| self.one_check(name, &round).boxed())
            .collect();
        let mut running = futures::stream::iter(checks).buffer_unordered(at_once.max(1));
        let mut failed: Option<Outcome> = None;
        while let Some(outcome) = running.next().await {
            if outcome.stopped {
                continue;
            }
            count += 1;
            self.tell_check(deployment, &outcome)
                .await
                .map_err(failure_of)?;
            let how = if outcome.ok { "passed" } else { "failed" };
            let _ = reports.send(Report::Fraction {
                permille: u16::try_from(count * 1000 / all).unwrap_or(1000),
                message: format!("{} {how} ({count} of {all})", outcome.name),
            });
            if !outcome.ok && failed.is_none() {
                // What the others would say does not matter any more.
                round.cancel.cancel();
                failed = Some(outcome);
            }
        }
        if cancel.is_cancelled() {
            return Err(DeployFailure {
                canceled: true,
                ..failure(
                    "the deployment was stopped during its checks",
                    "",
                    Vec::new(),
                )
            });
        }
        match failed {
            None => Ok(Some(millis(began))),
            Some(outcome) => Err(self.check_failed(deployment, outcome)),
        }
    }

    async fn round<'a>(
        &self,
        deployment: &'a Deployment,
        names: &[String],
        reports: &'a mpsc::UnboundedSender<Report>,
        cancel: &CancellationToken,
    ) -> Result<Round<'a>, DeployFailure> {
        if deployment.commit.is_empty() {
            return Err(failure(
                "it cannot be checked: which commit the release was made from is not known",
                "deploy a commit instead",
                Vec::new(),
            ));
        }
        let source = self
            .repo
            .source(&deployment.commit)
            .await
            .map_err(failure_of)?;
        let own = |name: &String| self.config.check.iter().find(|check| check.name == *name);
        let wanted = names.iter().any(|name| {
            name == "secrets" || own(name).is_some_and(|check| !check.files.is_empty())
        });
        let live = self
            .targets
            .get(&deployment.environment)
            .and_then(|target| target.live(&deployment.environment));
        let mut changed = None;
        if wanted {
            let since = live.map(|live| live.commit).unwrap_or_default();
            let found = self.repo.changes_between(&since, &deployment.commit).await;
            changed = match found {
                Ok(files) => Some(files),
                // What is served was made of a commit that is not here: then everything is new.
                Err(problem) if !since.is_empty() => {
                    tracing::info!(%problem, "all files are taken for new");
                    let all = self.repo.changes_between("", &deployment.commit).await;
                    Some(all.map_err(failure_of)?)
                }
                Err(problem) => return Err(failure_of(problem)),
            };
        }
        Ok(Round {
            deployment,
            source,
            changed,
            reports,
            cancel: cancel.child_token(),
        })
    }

    async fn one_check(&self, name: &str, round: &Round<'_>) -> Outcome {
        let began = Instant::now();
        if round.cancel.is_cancelled() {
            return Outcome {
                name: name.to_owned(),
                stopped: true,
                ..Outcome::default()
            };
        }
        let mut outcome = match name {
            "secrets" => secrets(round.changed.as_deref().unwrap_or_default()),
            "size" => match self.repo.tree(&round.deployment.commit).await {
                Ok(tree) => {
                    let deploy = &self.config.deploy;
                    sizes(tree.files(), deploy.max_file, deploy.max_total)
                }
                Err(problem) => Outcome {
                    message: problem.detail,
                    ..Outcome::default()
                },
            },
            _ => match self.config.check.iter().find(|check| check.name == name) {
                Some(check) => self.command_check(check, round).await,
                None => Outcome {
                    message: format!("there is no check {name:?}"),
                    hint: "describe it as [[check]] in sayso.toml".to_owned(),
                    ..Outcome::default()
                },
            },
        };
        name.clone_into(&mut outcome.name);
        if outcome.kept.is_none() {
            outcome.ms = millis(began);
        }
        outcome
    }

    async fn command_check(&self, check: &Check, round: &Round<'_>) -> Outcome {
        let tree = round.source.tree();
        let key = key(tree, check);
        if !check.files.is_empty()
            && let Some(changed) = &round.changed
            && !changed
                .iter()
                .any(|file| concerns(&check.files, &file.path))
        {
            return Outcome {
                ok: true,
                skipped: true,
                message: "no file that it is for has changed".to_owned(),
                ..Outcome::default()
            };
        }
        if !round.deployment.force
            && let Ok(Some(kept)) = self.log.get::<Kept>(KEPT, &key)
        {
            return Outcome {
                ok: true,
                ms: kept.ms,
                kept: Some(kept.at),
                message: "these very files passed it before".to_owned(),
                ..Outcome::default()
            };
        }
        let mut outcome = self.run_check(check, round).await;
        outcome.key = (outcome.ok && !tree.is_empty()).then_some(key);
        outcome
    }

    async fn run_check(&self, check: &Check, round: &Round<'_>) -> Outcome {
        // One for each check: what one of them writes is not there for the others.
        let source = Arc::clone(&round.source);
        let folder = tokio::task::spawn_blocking(move || {
            let folder = tempfile::tempdir()?;
            source.export(folder.path())?;
            Ok::<_, std::io::Error>(folder)
        })
        .await
        .map_err(std::io::Error::other)
        .and_then(|done| done);
        let folder = match folder {
            Ok(folder) => folder,
            Err(error) => {
                return Outcome {
                    message: format!("the commit's files cannot be laid out: {error}"),
                    hint: "make sure that the repository is whole (git fsck) and that the disk is not full".to_owned(),
                    ..Outcome::default()
                };
            }
        };
        let outcome = command(check, folder.path(), round).await;
        // Removing many files takes its time; nobody waits for it.
        tokio::task::spawn_blocking(move || drop(folder));
        outcome
    }

    async fn tell_check(&self, deployment: &Deployment, outcome: &Outcome) -> Result<(), Problem> {
        let data = json!({
            "name": outcome.name,
            "ok": outcome.ok,
            "ms": outcome.ms,
            "message": outcome.message,
            "output": outcome.output,
            "kept": outcome.kept,
            "skipped": outcome.skipped,
        });
        let mut change = Change::new().event(about(deployment, EventKind::Check, "sayso", data));
        if let Some(key) = &outcome.key {
            let kept = Kept {
                name: outcome.name.clone(),
                commit: deployment.commit.clone(),
                ms: outcome.ms,
                at: Timestamp::now(),
            };
            change = change.put(KEPT, key, &kept)?;
        }
        change.store(&self.log).await.map(drop)
    }

    fn check_failed(&self, deployment: &Deployment, outcome: Outcome) -> DeployFailure {
        let name = &outcome.name;
        let hint = match outcome.hint.as_str() {
            "" => format!(
                "read its last lines, mend it and commit; {} still serves what it did",
                deployment.environment
            ),
            hint => hint.to_owned(),
        };
        failure(
            format!("the check {name} failed: {}", outcome.message),
            hint,
            outcome.output,
        )
    }
}

/// Runs the command of a check in `folder`.
async fn command(check: &Check, folder: &Path, round: &Round<'_>) -> Outcome {
    let variables = BTreeMap::from([
        ("SAYSO_COMMIT".to_owned(), round.deployment.commit.clone()),
        (
            "SAYSO_ENVIRONMENT".to_owned(),
            round.deployment.environment.clone(),
        ),
        ("SAYSO_CHECK".to_owned(), check.name.clone()),
    ]);
    let limit = check.time_limit.duration();
    let mut tail = VecDeque::new();
    let mut line = |text: String| {
        let _ = round
            .reports
            .send(Report::Log(format!("{}: {text}", check.name)));
        if tail.len() == OUTPUT {
            tail.pop_front();
        }
        tail.push_back(text);
    };
    let ended = run(
        &check.run,
        folder,
        &variables,
        limit,
        &round.cancel,
        &mut line,
    )
    .await;
    let mut outcome = Outcome {
        ok: ended.is_ok(),
        output: tail.into(),
        ..Outcome::default()
    };
    match ended {
        Ok(()) => outcome.message = "passed".to_owned(),
        Err(RunError::Canceled) => outcome.stopped = true,
        Err(RunError::TimedOut) => {
            outcome.message = format!(
                "it took longer than {} and was ended, with all that it started",
                check.time_limit
            );
            outcome.hint = format!(
                "make it faster, or give it more `time_limit` under [[check]] {}",
                check.name
            );
        }
        Err(RunError::Failed(Some(127))) => {
            outcome.message = format!("`{}` needs a program that is not installed here", check.run);
            outcome.hint = "its last lines name it; install it, or correct `run`".to_owned();
        }
        Err(RunError::Failed(Some(code))) => outcome.message = format!("exit code {code}"),
        Err(RunError::Failed(None)) => outcome.message = "a signal ended it".to_owned(),
        Err(RunError::Io(error)) => outcome.message = format!("it could not be run: {error}"),
    }
    outcome
}

/// Whether `path` is one of those that `globs` (as in a `.gitignore`) name.
fn concerns(globs: &[String], path: &str) -> bool {
    let mut builder = ignore::gitignore::GitignoreBuilder::new("");
    for glob in globs {
        // What is no glob was refused when the configuration was read.
        let _ = builder.add_line(None, glob);
    }
    match builder.build() {
        Ok(matcher) => matcher.matched_path_or_any_parents(path, false).is_ignore(),
        Err(_) => true,
    }
}

/// What a result depends on: the files and the command.
fn key(tree: &str, check: &Check) -> String {
    let parts: [&[u8]; 5] = [
        tree.as_bytes(),
        b"\0",
        check.name.as_bytes(),
        b"\0",
        check.run.as_bytes(),
    ];
    signature::sha256(b"check", &parts)
}

fn failure(
    message: impl Into<String>,
    hint: impl Into<String>,
    log_tail: Vec<String>,
) -> DeployFailure {
    DeployFailure {
        stage: Stage::Check,
        message: message.into(),
        hint: hint.into(),
        log_tail,
        canceled: false,
        rolled_back: false,
        unknown: false,
    }
}

fn failure_of(problem: Problem) -> DeployFailure {
    failure(problem.detail, problem.hint.unwrap_or_default(), Vec::new())
}

fn millis(began: Instant) -> u64 {
    let elapsed: Duration = began.elapsed();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_for_its_files() {
        let globs = [
            "*.css".to_owned(),
            "/src/".to_owned(),
            "!/src/vendor/".to_owned(),
        ];
        for (path, is) in [
            ("a/b.css", true),
            ("src/app.js", true),
            ("lib/src/app.js", false),
            ("index.html", false),
        ] {
            assert_eq!(concerns(&globs, path), is, "{path}");
        }
    }

    #[test]
    fn a_result_belongs_to_the_files_and_the_command() {
        let check = |name: &str, run: &str| Check {
            name: name.into(),
            run: run.into(),
            time_limit: Default::default(),
            files: Vec::new(),
        };
        let one = key("tree", &check("lint", "make lint"));
        assert_eq!(one, key("tree", &check("lint", "make lint")));
        for other in [
            key("tree2", &check("lint", "make lint")),
            key("tree", &check("lint", "make lint2")),
            key("tree", &check("lint2", "make lint")),
        ] {
            assert_ne!(one, other);
        }
    }
}
