//! Deploying by a workflow of GitHub Actions.
//!
//! The workflow is dispatched once; GitHub tells the run's id where it can (`return_run_details`), else the run is found
//! in the list by what was not there before. Jobs and steps are followed with structs of our own, because GitHub adds
//! words and leaves fields out. A run's success is not "live": the live address is asked, which is the configured one, or
//! the one that the workflow's own deployment names (`environment: url:`); where there is none, the outcome is unknown.

mod dispatch;
mod follow;
mod run;
mod target;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use url::Url;

use self::run::{Run, Standing};
use super::health::HealthOptions;
use super::remote::api::{Answer, Api, Call, Fault, Refused};
use super::remote::memory::{Known, Memory};
use super::remote::probe::SiteProbe;
use super::remote::track::Track;
use super::remote::{Pace, Redactor, Token};
use super::{DeployFailure, DeployRequest, Deployed, Elsewhere};
use crate::model::{DeploymentId, DeploymentState, LiveRelease, Problem, ReleaseId, Stage};

/// Runs that are looked at for the history.
const NEWEST: &str = "20";

/// How one environment is deployed by GitHub Actions.
#[derive(Clone)]
pub struct ActionsOptions {
    /// The API.
    pub base: Url,
    /// The token.
    pub token: Token,
    /// Our environment.
    pub environment: String,
    /// Owner and name.
    pub repository: (String, String),
    /// The workflow's file name.
    pub workflow: String,
    /// Whose workflow runs; `None` for the repository's default branch.
    pub branch: Option<String>,
    /// The input that is given the environment's name.
    pub input: Option<String>,
    /// The live address.
    pub url: Option<String>,
    /// How long it may take.
    pub time_limit: Duration,
    /// What "well" means.
    pub health: HealthOptions,
    /// Where it is remembered what is live.
    pub state_dir: PathBuf,
    /// What must not be shown.
    pub secrets: Redactor,
    /// How patient calls are.
    pub pace: Pace,
}

struct Inner {
    options: ActionsOptions,
    api: Api,
    probe: SiteProbe,
    memory: Memory,
    nudge: Notify,
    turn: tokio::sync::Mutex<()>,
}

/// Deploys one environment by GitHub Actions.
pub struct ActionsTarget {
    inner: Arc<Inner>,
}

impl ActionsTarget {
    /// The target of one environment. GitHub is not asked anything yet.
    ///
    /// # Errors
    /// `config` when the workflow is not named; `internal` when there can be no HTTP client.
    pub fn open(options: ActionsOptions) -> Result<Arc<Self>, Problem> {
        if options.workflow.trim().is_empty() {
            return Err(
                Problem::new(422, "config", "no workflow is named for GitHub Actions")
                    .hint("set `workflow` under [deploy.github_actions]"),
            );
        }
        let headers: HeaderMap = [
            ("accept", "application/vnd.github+json"),
            ("x-github-api-version", "2022-11-28"),
        ]
        .into_iter()
        .map(|(name, value)| {
            (
                reqwest::header::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect();
        let inner = Inner {
            api: Api::new(
                "GitHub",
                options.base.clone(),
                options.token.clone(),
                headers,
                options.pace,
            )?,
            probe: SiteProbe::new(options.health.clone(), HeaderMap::new())?,
            memory: Memory::open(&options.state_dir, &options.environment)
                .cooling(options.health.cooldown),
            nudge: Notify::new(),
            turn: tokio::sync::Mutex::new(()),
            options,
        };
        Ok(Arc::new(Self {
            inner: Arc::new(inner),
        }))
    }
}

/// What to do about a refused call.
fn hint(refused: &Refused) -> String {
    let text = match refused.status {
        _ if refused.wait.is_some() => "too many calls: wait some minutes, then try again",
        401 => {
            "the token is not accepted: make a new one in the settings of your account there, then `sayso login github` \
                (or set GITHUB_PAT; for a GitHub Enterprise GH_ENTERPRISE_TOKEN)"
        }
        403 => {
            "the token may not do this: it needs write access to Actions (classic: the scope repo, and workflow)"
        }
        404 => {
            "check the repository and the workflow's file name; GitHub also says this when the token may not see them. \
                The workflow must be on the default branch"
        }
        422 if refused.message.contains("input") => {
            "the workflow does not take this input: declare it under workflow_dispatch, or set input = \"\" under [deploy.github_actions]"
        }
        422 => {
            "the workflow needs the trigger workflow_dispatch on this branch (`sayso init --workflow` writes one)"
        }
        500.. => "GitHub itself failed: githubstatus.com tells more; try again",
        _ => "see the repository's page Actions on GitHub",
    };
    text.to_owned()
}

/// How near a deployment on GitHub is to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// It is about the same commit.
    Commit,
    /// It is for the same environment, too.
    Environment,
}

/// The name of a run as a release.
fn release(run: u64) -> ReleaseId {
    ReleaseId(format!("run_{run}"))
}

/// The run in the name of a release.
fn run_of(release: &ReleaseId) -> Option<u64> {
    release.as_str().strip_prefix("run_")?.parse().ok()
}

impl Inner {
    /// A path below the repository.
    fn path<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        let (owner, name) = &self.options.repository;
        let mut path = vec!["repos", owner.as_str(), name.as_str()];
        path.extend(rest);
        path
    }

    fn get(&self, rest: &[&str]) -> Call {
        Call::get(&self.path(rest))
    }

    async fn read(&self, call: &Call, track: &mut Track) -> Result<Answer, Fault> {
        let cancel = track.cancel.clone();
        self.api
            .repeat(call, &cancel, &mut |text| track.log(&text))
            .await
    }

    /// The newest runs of the workflow.
    fn runs(&self) -> Call {
        self.get(&["actions", "workflows", &self.options.workflow, "runs"])
            .with("per_page", NEWEST)
    }

    async fn run(&self, id: u64) -> Result<Run, Fault> {
        let answer = self
            .api
            .once(&self.get(&["actions", "runs", &id.to_string()]))
            .await?;
        Run::read(&answer.body)
            .ok_or_else(|| Fault::Unclear("GitHub's answer names no run".to_owned()))
    }

    async fn deploy(
        &self,
        request: DeployRequest,
        track: &mut Track,
    ) -> Result<Deployed, DeployFailure> {
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
        let begun = self
            .memory
            .begin(&request.id)
            .map_err(|problem| track.of_problem(problem))?;
        let outcome = self.begun(&request, begun, track).await;
        if !matches!(&outcome, Err(failure) if failure.unknown) {
            self.memory.ended(&request.id);
        }
        outcome
    }

    async fn begun(
        &self,
        request: &DeployRequest,
        begun: Option<super::remote::memory::Begun>,
        track: &mut Track,
    ) -> Result<Deployed, DeployFailure> {
        track.enter(Stage::Fetch, "looks whether the commit is on GitHub");
        let commit = request.source.commit();
        let before = self.page().await;
        let run = self.start(request, begun, track).await?;
        self.memory.named(&request.id, &run.id.to_string());
        track.log(&format!("GitHub runs it: {}", run.page));
        let run = self.follow(run, track).await?;
        if run.commit != commit && !run.commit.is_empty() {
            return Err(track.failure(
                format!(
                    "the run was about the commit {}, not {commit}: the branch moved meanwhile",
                    run.commit
                ),
                "deploy again",
            ));
        }
        self.live(
            &run,
            request.source.tree(),
            before.as_deref(),
            Some(&request.id),
            track,
        )
        .await
    }

    /// The page before a deployment.
    async fn page(&self) -> Option<String> {
        self.probe.look(self.options.url.as_ref()?).await.page
    }

    /// The address that the run's own deployment names. Several runs may be about one commit, each for an environment of
    /// its own: one that names the run comes first, then one of our environment's name, then the newest.
    async fn address(&self, run: &Run, track: &mut Track) -> Option<String> {
        let call = self
            .get(&["deployments"])
            .with("sha", run.commit.clone())
            .with("per_page", "10");
        let deployments = self.read(&call, track).await.ok()?.body;
        let mut best: Option<(Nearness, String)> = None;
        for deployment in deployments.as_array()? {
            let id = deployment["id"].as_u64()?.to_string();
            let call = self
                .get(&["deployments", &id, "statuses"])
                .with("per_page", "10");
            let statuses = self.read(&call, track).await.ok()?.body;
            let Some((url, of)) = run::told(&statuses) else {
                continue;
            };
            let nearness = match of {
                Some(of) if of == run.id => return Some(url),
                _ if deployment["environment"] == self.options.environment.as_str() => {
                    Nearness::Environment
                }
                _ => Nearness::Commit,
            };
            if best.as_ref().is_none_or(|(known, _)| nearness > *known) {
                best = Some((nearness, url));
            }
        }
        best.map(|(_, url)| url)
    }

    /// A run ended well: is the site well, too?
    async fn live(
        &self,
        run: &Run,
        tree: &str,
        before: Option<&str>,
        id: Option<&DeploymentId>,
        track: &mut Track,
    ) -> Result<Deployed, DeployFailure> {
        let url = match self.options.url.clone() {
            Some(url) => Some(url),
            None => self.address(run, track).await,
        };
        let Some(url) = url else {
            return Err(track.unknown(
                "the run ended well, but its live address is not known, so nobody can say that the site is live",
                format!(
                    "set `url` under [deploy.github_actions], or `environment: url:` in the job that deploys; see {}",
                    run.page
                ),
            ));
        };
        track.enter(Stage::Verify, format!("asks {url} how it is"));
        self.probe.well(&url, before, track).await?;
        let stages = track.stages();
        let release = release(run.id);
        self.memory.went_live(Known {
            release: release.clone(),
            commit: run.commit.clone(),
            tree: tree.to_owned(),
            url: url.clone(),
            at: run.created.unwrap_or_else(Timestamp::now),
            deployment: id.cloned(),
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

    async fn rollback(&self, to: Option<ReleaseId>) -> Result<LiveRelease, Problem> {
        let _turn = self.turn.lock().await;
        let known = match &to {
            Some(to) => self.memory.release(to),
            None => self.memory.previous(),
        };
        let earlier = known.and_then(|known| Some((run_of(&known.release)?, known)));
        let Some((run, known)) = earlier else {
            return Err(
                Problem::not_found("there is no such earlier run that Sayso knows")
                    .hint("`sayso deployments` lists those there are"),
            );
        };
        let (reports, _) = mpsc::unbounded_channel();
        let mut track = Track::new(
            reports,
            CancellationToken::new(),
            self.options.secrets.clone(),
        );
        track.enter(Stage::Queue, "runs the earlier run once more");
        let failed = |failure: DeployFailure| {
            let kind = if failure.unknown {
                "outcome-unknown"
            } else {
                "rollback-failed"
            };
            Problem::new(502, kind, failure.message).hint(failure.hint)
        };
        let before = self.page().await;
        let run = self.rerun(run, &mut track).await.map_err(failed)?;
        let run = self.follow(run, &mut track).await.map_err(failed)?;
        self.live(
            &run,
            &known.tree,
            before.as_deref(),
            known.deployment.as_ref(),
            &mut track,
        )
        .await
        .map_err(failed)?;
        self.memory
            .live()
            .ok_or_else(|| Problem::internal("what was rolled back to is not remembered"))
    }

    async fn reconcile(&self, id: &DeploymentId) -> Option<Deployed> {
        if let Some(known) = self.memory.made_by(id) {
            return Some(Deployed {
                release: known.release,
                url: known.url,
                stages: known.stages,
            });
        }
        let run: u64 = self.memory.begun(id)?.remote?.parse().ok()?;
        let run = self.run(run).await.ok()?;
        if !run.standing.is_good() {
            return None;
        }
        let (reports, _) = mpsc::unbounded_channel();
        let mut track = Track::new(
            reports,
            CancellationToken::new(),
            self.options.secrets.clone(),
        );
        self.live(&run, "", None, Some(id), &mut track).await.ok()
    }

    async fn elsewhere(&self) -> Result<Vec<Elsewhere>, Problem> {
        let answer = self
            .api
            .once(&self.runs())
            .await
            .map_err(|fault| fault.problem("the runs on GitHub cannot be read", &hint))?;
        let runs = Run::list(&answer.body);
        Ok(runs.iter().map(|run| self.listed(run)).collect())
    }

    fn listed(&self, run: &Run) -> Elsewhere {
        let (state, message) = match &run.standing {
            Standing::Waits => (DeploymentState::Queued, "waits for a machine".to_owned()),
            Standing::Runs => (DeploymentState::Running, run.title.clone()),
            Standing::Over(how) => match how.as_str() {
                "success" => (DeploymentState::Live, "the run ended well".to_owned()),
                "cancelled" | "skipped" => {
                    (DeploymentState::Canceled, format!("the run was {how}"))
                }
                how => (DeploymentState::Failed, format!("the run ended with {how}")),
            },
        };
        Elsewhere {
            release: release(run.id),
            ours: self.memory.ours(&run.id.to_string()),
            commit: run.commit.clone(),
            actor: if run.actor.is_empty() {
                "GitHub".to_owned()
            } else {
                run.actor.clone()
            },
            url: self.options.url.clone().unwrap_or_else(|| run.page.clone()),
            state,
            message: self.options.secrets.clean(&message),
            at: run.created.unwrap_or_else(Timestamp::now),
            ended: run.updated,
        }
    }
}
