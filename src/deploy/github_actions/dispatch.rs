//! Starts a run exactly once, and finds it.

use reqwest::Method;
use serde_json::{Value, json};

use super::run::Run;
use super::{Inner, hint};
use crate::deploy::remote::api::{Answer, Call, Fault};
use crate::deploy::remote::memory::Begun;
use crate::deploy::remote::track::Track;
use crate::deploy::{DeployFailure, DeployRequest};
use crate::model::Stage;

/// Looks at the list that must find nothing before a start of unclear outcome is called unknown. It is never sent twice:
/// two runs would deploy twice.
const LOOKS: u32 = 5;

impl Inner {
    /// Starts a run for the request, or takes up the one that an earlier try started.
    pub(super) async fn start(
        &self,
        request: &DeployRequest,
        begun: Option<Begun>,
        track: &mut Track,
    ) -> Result<Run, DeployFailure> {
        let commit = request.source.commit();
        if let Some(begun) = begun {
            if let Some(id) = begun.remote.as_deref().and_then(|id| id.parse().ok())
                && let Ok(run) = self.run(id).await
            {
                track.notice(format!(
                    "GitHub runs this deployment already ({}): it is followed on",
                    run.page
                ));
                return Ok(run);
            }
            // Started, and cut off before its name was known.
            let since = begun.at.as_second() - 5;
            let runs = self.listed_runs(track).await?;
            let ours = |run: &&Run| {
                run.commit == commit
                    && run.event == "workflow_dispatch"
                    && run.created.is_some_and(|at| at.as_second() >= since)
            };
            if let Some(run) = runs.iter().rev().find(ours) {
                track.notice(format!(
                    "GitHub runs this deployment already ({}): it is followed on",
                    run.page
                ));
                return Ok(run.clone());
            }
        }
        let current = self
            .memory
            .current()
            .filter(|known| request.force && known.commit == commit);
        if let Some(run) = current.and_then(|known| super::run_of(&known.release)) {
            track.enter(Stage::Queue, "runs the same run once more");
            return self.rerun(run, track).await;
        }
        let branch = self.branch(commit, track).await?;
        let before: Vec<u64> = self
            .listed_runs(track)
            .await?
            .iter()
            .map(|run| run.id)
            .collect();
        track.check()?;
        track.enter(
            Stage::Queue,
            format!("starts {} on {branch}", self.options.workflow),
        );
        let answer = match self.dispatch(&branch, true, track).await {
            // An older GitHub Enterprise does not know the field that asks for the run's id.
            Err(Fault::Refused(no)) if no.status == 400 => {
                self.dispatch(&branch, false, track).await
            }
            answer => answer,
        };
        match answer {
            Ok(answer) => match answer.body["workflow_run_id"].as_u64() {
                Some(id) => self.named(id, track).await,
                None => self.appeared(&before, commit, true, track).await,
            },
            Err(fault) if fault.is_unclear() => {
                track.log("unknown whether GitHub started the run: looks at its list");
                self.appeared(&before, commit, false, track).await
            }
            Err(fault) => Err(fault.failure(track, "GitHub did not start the workflow", &hint)),
        }
    }

    async fn listed_runs(&self, track: &mut Track) -> Result<Vec<Run>, DeployFailure> {
        let answer = self.read(&self.runs(), track).await;
        let answer = answer.map_err(|fault| {
            fault.failure(
                track,
                &format!("the runs of {} cannot be read", self.options.workflow),
                &hint,
            )
        })?;
        Ok(Run::list(&answer.body))
    }

    /// The branch that GitHub calls the repository's default one.
    async fn default_branch(&self, track: &mut Track) -> Result<String, DeployFailure> {
        let answer = self.read(&self.get(&[]), track).await;
        let answer =
            answer.map_err(|fault| fault.failure(track, "the repository cannot be read", &hint))?;
        let branch = answer.body["default_branch"].as_str();
        branch.map(str::to_owned).ok_or_else(|| {
            track.failure(
                "it is not known which branch's workflow is to run: GitHub does not name the default one",
                "check out a branch, or set `branch` under [deploy.github_actions]",
            )
        })
    }

    /// The branch, when it has the commit at its head: a run is always about the head.
    async fn branch(&self, commit: &str, track: &mut Track) -> Result<String, DeployFailure> {
        let branch = match &self.options.branch {
            Some(branch) => branch.clone(),
            None => self.default_branch(track).await?,
        };
        let mut path = vec!["git", "ref", "heads"];
        path.extend(branch.split('/'));
        let answer = self.read(&self.get(&path), track).await;
        let head = match answer {
            Ok(answer) => answer.body["object"]["sha"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            Err(fault) if fault.refused().is_some_and(|no| no.status == 404) => String::new(),
            Err(fault) => {
                return Err(fault.failure(track, "the branch on GitHub cannot be read", &hint));
            }
        };
        if head != commit {
            let there = if head.is_empty() {
                "is not there".to_owned()
            } else {
                format!("is at {}", &head[..head.len().min(7)])
            };
            return Err(track.failure(
                format!(
                    "the commit {} is not at the head of {branch} on GitHub, which {there}",
                    commit.get(..7).unwrap_or(commit)
                ),
                format!("push it first: git push origin HEAD:{branch}"),
            ));
        }
        Ok(branch)
    }

    async fn dispatch(
        &self,
        branch: &str,
        details: bool,
        track: &mut Track,
    ) -> Result<Answer, Fault> {
        let mut body = json!({ "ref": branch });
        if let Some(input) = &self.options.input {
            body["inputs"] = json!({ input.as_str(): self.options.environment });
        }
        if details {
            body["return_run_details"] = Value::Bool(true);
        }
        let path = self.path(&["actions", "workflows", &self.options.workflow, "dispatches"]);
        let call = Call::post(&path, body);
        let cancel = track.cancel.clone();
        self.api
            .write(&call, &cancel, &mut |text| track.log(&text))
            .await
    }

    /// The run with this id. It may take a moment until GitHub shows it.
    async fn named(&self, id: u64, track: &mut Track) -> Result<Run, DeployFailure> {
        let mut last = None;
        for look in 0..self.options.pace.looks.max(LOOKS) {
            if look > 0 {
                tokio::time::sleep(self.options.pace.failed).await;
            }
            match self.run(id).await {
                Ok(run) => return Ok(run),
                Err(fault) => last = Some(fault),
            }
        }
        let why = last.map_or(String::new(), |fault| fault.problem("", &hint).detail);
        Err(track.unknown(
            format!("unknown what becomes of run {id}: GitHub does not show it{why}"),
            "look at the repository's page Actions; Sayso does not start it a second time",
        ))
    }

    /// The run that was not there before.
    async fn appeared(
        &self,
        before: &[u64],
        commit: &str,
        taken: bool,
        track: &mut Track,
    ) -> Result<Run, DeployFailure> {
        for look in 0..self.options.pace.looks.max(LOOKS) {
            if look > 0 {
                tokio::time::sleep(self.options.pace.failed).await;
            }
            let Ok(answer) = self.api.once(&self.runs()).await else {
                continue;
            };
            let runs = Run::list(&answer.body);
            let new = |run: &&Run| {
                !before.contains(&run.id)
                    && run.event == "workflow_dispatch"
                    && (run.commit == commit || run.commit.is_empty())
            };
            if let Some(run) = runs.iter().rev().find(new) {
                return Ok(run.clone());
            }
        }
        let what = if taken {
            "which run it started"
        } else {
            "whether GitHub started the run"
        };
        Err(track.unknown(
            format!("unknown {what}: its list shows no new one"),
            "look at the repository's page Actions before you deploy again; Sayso does not start it a second time",
        ))
    }

    /// Runs a run once more, all of its jobs.
    pub(super) async fn rerun(&self, id: u64, track: &mut Track) -> Result<Run, DeployFailure> {
        let text = id.to_string();
        let before = self
            .run(id)
            .await
            .map_err(|fault| fault.failure(track, "the earlier run cannot be read", &hint))?;
        let call = Call::new(
            Method::POST,
            &self.path(&["actions", "runs", &text, "rerun"]),
        );
        let cancel = track.cancel.clone();
        let sent = self
            .api
            .write(&call, &cancel, &mut |text| track.log(&text))
            .await;
        if let Err(fault) = sent
            && !fault.is_unclear()
        {
            return Err(fault.failure(track, "GitHub did not run it once more", &hint));
        }
        for _ in 0..self.options.pace.looks.max(LOOKS) {
            if let Ok(run) = self.run(id).await
                && run.attempt > before.attempt
            {
                return Ok(run);
            }
            tokio::time::sleep(self.options.pace.failed).await;
        }
        Err(track.unknown(
            "unknown whether GitHub runs it once more",
            "look at the repository's page Actions before you try again",
        ))
    }
}
