//! Deploying by any program: `wrangler`, `netlify`, `fly`, `kamal`, `rsync` …
//!
//! The program runs in a fresh checkout of the commit's files, in a process group of its own that is ended with all its
//! children on cancel or after its time. Its output is the timeline's. Exit code 0 does not mean live: the live address
//! must answer as the health settings want it. What an address alone can not prove is said, not guessed: when the page
//! is the same as before the deployment, there is a notice.

mod pattern;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::pattern::Patterns;
use super::build::run::{RunError, run as run_command};
use super::health::{HealthOptions, Probe};
use super::remote::Redactor;
use super::remote::memory::{Known, Memory};
use super::remote::probe::SiteProbe;
use super::remote::track::Track;
use super::remote::usual;
use super::{DeployFailure, DeployRequest, DeployTarget, Deployed, Report};
use crate::config::CommandSettings;
use crate::model::{DeploymentId, LiveRelease, Problem, ReleaseId, ReleaseInfo, Source, Stage};

/// How one environment is deployed by a command.
#[derive(Clone, Debug)]
pub struct CommandOptions {
    /// The environment.
    pub environment: String,
    /// What is set for it.
    pub settings: CommandSettings,
    /// What "well" means.
    pub health: HealthOptions,
    /// Where it is remembered what is live.
    pub state_dir: PathBuf,
    /// What must not be shown.
    pub secrets: Redactor,
}

/// Deploys one environment by a command.
pub struct CommandTarget {
    options: CommandOptions,
    patterns: Patterns,
    probe: SiteProbe,
    memory: Memory,
    /// One at a time: two uploads to the same place would mix.
    turn: tokio::sync::Mutex<()>,
}

impl CommandTarget {
    /// The target of one environment.
    ///
    /// # Errors
    /// `config` when there is no command or a pattern is none.
    pub fn open(options: CommandOptions) -> Result<Arc<Self>, Problem> {
        let settings = &options.settings;
        if settings.run.trim().is_empty() {
            return Err(Problem::new(
                422,
                "config",
                format!("the environment {:?} has the target command, but no command", options.environment),
            )
            .hint("set `run` under [deploy.command], or under [environment.command] of this environment"));
        }
        Ok(Arc::new(Self {
            patterns: Patterns::new(&settings.progress, &settings.address)?,
            probe: SiteProbe::new(options.health.clone(), HeaderMap::new())?,
            memory: Memory::open(&options.state_dir, &options.environment)
                .cooling(options.health.cooldown),
            turn: tokio::sync::Mutex::new(()),
            options,
        }))
    }

    /// What the program finds in its environment.
    fn variables(&self, commit: &str, id: &str, release: &str) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::from([
            ("SAYSO_COMMIT".to_owned(), commit.to_owned()),
            (
                "SAYSO_ENVIRONMENT".to_owned(),
                self.options.environment.clone(),
            ),
            ("SAYSO_DEPLOYMENT".to_owned(), id.to_owned()),
            ("SAYSO_RELEASE".to_owned(), release.to_owned()),
        ]);
        for name in &self.options.settings.pass {
            if let Ok(value) = std::env::var(name) {
                variables.insert(name.clone(), value);
            }
        }
        variables
    }

    /// Runs the command in `folder`; returns the address found in its output.
    async fn run(
        &self,
        command: &str,
        folder: &Path,
        variables: &BTreeMap<String, String>,
        track: &mut Track,
    ) -> Result<Option<String>, DeployFailure> {
        let limit = self.options.settings.time_limit.duration();
        let cancel = track.cancel.clone();
        let mut address = None;
        let mut line = |text: String| {
            let plain = crate::model::ansi::strip(&text);
            if let Some(found) = self.patterns.address(&plain) {
                address = Some(found);
            }
            let permille = self.patterns.progress(&plain);
            if let Some(permille) = permille {
                track.fraction(permille, plain.trim());
            }
            track.log(&text);
        };
        let outcome = run_command(command, folder, variables, limit, &cancel, &mut line).await;
        match outcome {
            Ok(()) => Ok(address),
            Err(error) => Err(ended(error, command, limit, track)),
        }
    }

    async fn work(
        &self,
        request: DeployRequest,
        track: &mut Track,
    ) -> Result<Deployed, DeployFailure> {
        let DeployRequest { id, source, .. } = request;
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(_) => {
                track.enter(Stage::Queue, "waits for the deployment before it");
                tokio::select! {
                    biased;
                    () = track.cancel.cancelled() => return Err(track.stopped()),
                    turn = self.turn.lock() => turn,
                }
            }
        };
        track.check()?;
        track.enter(Stage::Fetch, "lays out the commit's files");
        let folder = checkout(&source, track).await?;
        track.check()?;
        let settings = &self.options.settings;
        let known = Some(settings.url.clone()).filter(|url| !url.is_empty());
        let before = match &known {
            Some(url) => self.probe.look(url).await.page,
            None => None,
        };
        let release = ReleaseId::new();
        track.enter(Stage::Upload, format!("runs `{}`", settings.run));
        let variables = self.variables(source.commit(), id.as_str(), release.as_str());
        let found = self
            .run(&settings.run, folder.path(), &variables, track)
            .await?;
        let Some(url) = known.or(found) else {
            return Err(track.failure(
                "the command ended well, but its live address is not known, so nobody can say that it is live",
                "set `url` (the live address) or `address` (a pattern that finds it in the output) under [deploy.command]",
            ));
        };
        track.enter(Stage::Verify, format!("asks {url} how it is"));
        self.probe.well(&url, before.as_deref(), track).await?;
        let stages = track.stages();
        self.memory.went_live(Known {
            release: release.clone(),
            commit: source.commit().to_owned(),
            tree: source.tree().to_owned(),
            url: url.clone(),
            at: Timestamp::now(),
            deployment: Some(id),
            stages: stages.clone(),
            files: 0,
            bytes: 0,
        });
        Ok(Deployed {
            release,
            url,
            stages,
        })
    }
}

/// Lays the commit's files out in a folder that goes with the guard.
async fn checkout(
    source: &Arc<dyn Source>,
    track: &Track,
) -> Result<tempfile::TempDir, DeployFailure> {
    let source = Arc::clone(source);
    let done = tokio::task::spawn_blocking(move || {
        let folder = tempfile::tempdir()?;
        source.export(folder.path())?;
        Ok::<_, std::io::Error>(folder)
    })
    .await
    .map_err(std::io::Error::other)
    .and_then(|done| done);
    done.map_err(|error| {
        track.failure(
            format!("the commit's files cannot be laid out: {error}"),
            "make sure that the repository is whole (git fsck) and that the disk is not full, then deploy again",
        )
    })
}

fn ended(error: RunError, command: &str, limit: Duration, track: &Track) -> DeployFailure {
    let unclear = "what it did until then may be live: look at the site, then deploy again";
    match error {
        RunError::Canceled => DeployFailure {
            hint: unclear.to_owned(),
            ..track.stopped()
        },
        RunError::TimedOut => track.failure(
            format!("`{command}` took longer than {} s and was ended, with all that it started", limit.as_secs()),
            format!("{unclear}; `time_limit` under [deploy.command] allows it more"),
        ),
        RunError::Failed(Some(127)) => track.failure(
            format!("`{command}` needs a program that is not installed here"),
            "the last lines of the output name it; install it, or correct `run` under [deploy.command]",
        ),
        RunError::Failed(code) => {
            let how = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
            let withheld = track.tail().any(|line| {
                let line = line.to_ascii_lowercase();
                ["token", "api key", "credential", "unauthorized", "not logged in"]
                    .iter()
                    .any(|word| line.contains(word))
            });
            track.failure(
                format!("`{command}` failed with {how}"),
                if withheld {
                    "it seems to miss a token: name the variable that holds it as `pass = [\"…\"]` under [deploy.command]"
                } else {
                    usual::cause(&[], track.tail()).unwrap_or(
                        "read the last lines of its output; run it by hand in a fresh clone to see the same",
                    )
                },
            )
        }
        RunError::Io(error) => track.failure(
            format!("`{command}` could not be run: {error}"),
            "make sure that the disk is not full and a shell is there",
        ),
    }
}

#[async_trait]
impl DeployTarget for CommandTarget {
    fn name(&self) -> &'static str {
        "command"
    }

    fn stages(&self) -> [Stage; 6] {
        use Stage::{Activate, Build, Fetch, Queue, Upload, Verify};
        [Queue, Fetch, Build, Upload, Activate, Verify]
    }

    async fn deploy(
        &self,
        request: DeployRequest,
        reports: mpsc::UnboundedSender<Report>,
        cancel: CancellationToken,
    ) -> Result<Deployed, DeployFailure> {
        let mut track = Track::new(reports, cancel, self.options.secrets.clone());
        self.work(request, &mut track).await
    }

    async fn rollback(
        &self,
        environment: &str,
        to: Option<&ReleaseId>,
    ) -> Result<LiveRelease, Problem> {
        let command = self.options.settings.rollback.clone();
        if command.trim().is_empty() {
            return Err(Problem::new(
                422,
                "no-rollback",
                format!("{environment} is deployed by a command, and none is set for going back"),
            )
            .hint("set `rollback` under [deploy.command]; or undo the commit and deploy again"));
        }
        let _turn = self.turn.lock().await;
        let known = match to {
            Some(to) => self.memory.release(to),
            None => self.memory.previous(),
        };
        let Some(known) = known else {
            return Err(Problem::not_found(format!(
                "{environment} has no such earlier release that Sayso deployed"
            ))
            .hint("`sayso deployments` lists those there are"));
        };
        let (reports, _) = mpsc::unbounded_channel();
        let mut track = Track::new(
            reports,
            CancellationToken::new(),
            self.options.secrets.clone(),
        );
        track.enter(Stage::Activate, "goes back");
        let folder = tempfile::tempdir().map_err(Problem::internal)?;
        let variables = self.variables(&known.commit, "", known.release.as_str());
        let failed = |failure: DeployFailure| {
            let tail = failure.log_tail.last().cloned().unwrap_or_default();
            Problem::new(
                502,
                "rollback-failed",
                format!("{} {tail}", failure.message).trim().to_owned(),
            )
            .hint(failure.hint)
        };
        self.run(&command, folder.path(), &variables, &mut track)
            .await
            .map_err(failed)?;
        track.enter(Stage::Verify, "asks the address how it is");
        self.probe
            .well(&known.url, None, &mut track)
            .await
            .map_err(failed)?;
        self.memory.set_current(&known.release);
        self.memory
            .live()
            .ok_or_else(|| Problem::internal("what was rolled back to is not remembered"))
    }

    fn releases(&self, _environment: &str) -> Vec<ReleaseInfo> {
        self.memory.infos()
    }

    fn live(&self, _environment: &str) -> Option<LiveRelease> {
        self.memory.live()
    }

    async fn reconcile(&self, _environment: &str, id: &DeploymentId) -> Option<Deployed> {
        let known = self.memory.made_by(id)?;
        Some(Deployed {
            release: known.release,
            url: known.url,
            stages: known.stages,
        })
    }

    async fn look(&self, _environment: &str) -> Option<Probe> {
        let url = self.memory.current()?.url;
        Some(self.probe.look(&url).await.probe)
    }

    fn memory(&self) -> Option<&Memory> {
        Some(&self.memory)
    }
}
