//! Follows a run to its end: jobs and steps, how far it is, and why it failed.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::Method;

use super::run::{self, Durations, Job, Run, Standing};
use super::{Inner, hint};
use crate::deploy::DeployFailure;
use crate::deploy::remote::api::{Call, Fault, shown};
use crate::deploy::remote::track::Track;
use crate::deploy::remote::usual;
use crate::model::Stage;

/// Lines of a failed job's log.
const TAIL: usize = 30;

/// A longer log is read no further.
const LOG: usize = 8 * 1024 * 1024;

/// How long a log may take to come.
const LOG_TIME: Duration = Duration::from_secs(20);

/// Looks in a row that were refused before a run is given up.
const REFUSED: u32 = 3;

impl Inner {
    /// Follows `run` until it ended well.
    pub(super) async fn follow(
        &self,
        mut run: Run,
        track: &mut Track,
    ) -> Result<Run, DeployFailure> {
        let began = Instant::now();
        let earlier = self.earlier(run.id).await;
        let mut told = Vec::new();
        let mut canceling = false;
        let mut refused = 0;
        loop {
            let jobs = self.jobs(run.id).await.unwrap_or_default();
            for line in run::news(&jobs, &mut told) {
                track.log(&line);
            }
            match &run.standing {
                Standing::Waits => track.enter(Stage::Queue, "waits for a machine of GitHub's"),
                Standing::Runs => {
                    track.enter(Stage::Build, "runs on GitHub");
                    let message = run::now(&jobs).unwrap_or_else(|| "runs on GitHub".to_owned());
                    track.fraction(run::done(&jobs, &earlier, Timestamp::now()), message);
                }
                Standing::Over(_) if run.standing.is_good() => return Ok(run),
                Standing::Over(how) => {
                    return Err(self.ended(&run, how, &jobs, canceling, track).await);
                }
            }
            if began.elapsed() > self.options.time_limit {
                return Err(track.unknown(
                    format!(
                        "unknown what becomes of the run: after {} it is not done",
                        shown(self.options.time_limit)
                    ),
                    format!(
                        "it goes on at {}; `time_limit` under [deploy.github_actions] waits longer",
                        run.page
                    ),
                ));
            }
            let pause = self.options.pace.poll
                * if began.elapsed() < Duration::from_secs(60) {
                    2
                } else {
                    4
                };
            let cancel = track.cancel.clone();
            tokio::select! {
                biased;
                () = cancel.cancelled(), if !canceling => {
                    canceling = true;
                    self.cancel(run.id, track).await;
                }
                () = self.nudge.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
            match self.run(run.id).await {
                Ok(now) => {
                    refused = 0;
                    run = now;
                }
                Err(fault) => {
                    if let Some(no) = fault
                        .refused()
                        .filter(|no| no.wait.is_none() && no.status < 500)
                    {
                        refused += 1;
                        if refused >= REFUSED {
                            return Err(track.unknown(
                                format!("unknown what becomes of the run: GitHub does not let Sayso look any more ({})", no.text()),
                                format!("{}; the run goes on at {}", hint(no), run.page),
                            ));
                        }
                    }
                    if let Some(wait) = self.api.wait(&fault) {
                        let why = fault.problem("the run cannot be read", &hint).detail;
                        track.log(&format!("{why}; looks again in {}", shown(wait)));
                        tokio::select! {
                            biased;
                            () = cancel.cancelled(), if !canceling => {}
                            () = tokio::time::sleep(wait) => {}
                        }
                    }
                }
            }
        }
    }

    async fn jobs(&self, id: u64) -> Result<Vec<Job>, Fault> {
        let call = self
            .get(&["actions", "runs", &id.to_string(), "jobs"])
            .with("per_page", "100");
        Ok(run::jobs(&self.api.once(&call).await?.body))
    }

    /// How long the steps of the last good run took.
    async fn earlier(&self, id: u64) -> Durations {
        let call = self.runs().with("status", "success");
        let Ok(answer) = self.api.once(&call).await else {
            return Durations::new();
        };
        let runs = Run::list(&answer.body);
        let Some(good) = runs
            .iter()
            .find(|run| run.standing.is_good() && run.id != id)
        else {
            return Durations::new();
        };
        run::durations(&self.jobs(good.id).await.unwrap_or_default())
    }

    async fn cancel(&self, id: u64, track: &mut Track) {
        let call = Call::new(
            Method::POST,
            &self.path(&["actions", "runs", &id.to_string(), "cancel"]),
        );
        let never = tokio_util::sync::CancellationToken::new();
        match self
            .api
            .repeat(&call, &never, &mut |text| track.log(&text))
            .await
        {
            Ok(_) => track.log("asked GitHub to stop the run"),
            Err(fault) if fault.refused().is_some_and(|no| no.status == 409) => {
                track.log("it is too late to stop it: the run is over");
            }
            Err(fault) => track.log(
                &fault
                    .problem(
                        "GitHub was asked to stop the run, and did not say whether it will",
                        &hint,
                    )
                    .detail,
            ),
        }
    }

    async fn ended(
        &self,
        run: &Run,
        how: &str,
        jobs: &[Job],
        canceling: bool,
        track: &mut Track,
    ) -> DeployFailure {
        if how == "cancelled" {
            return if canceling {
                DeployFailure {
                    hint: "what its steps did until then may be live: look at the site".to_owned(),
                    ..track.stopped()
                }
            } else {
                DeployFailure {
                    canceled: true,
                    ..track.failure(
                        "the run was canceled on GitHub, not by Sayso",
                        format!("see {}", run.page),
                    )
                }
            };
        }
        let Some((job, step)) = run::failed(jobs) else {
            let hint = match how {
                "startup_failure" => {
                    "the workflow file is not valid: GitHub's page of the run says where"
                }
                "action_required" => "somebody must approve the run on GitHub",
                "timed_out" => "the run took longer than GitHub allows",
                _ => "GitHub's page of the run says more",
            };
            return track.failure(
                format!("the run ended with {how}"),
                format!("{hint} ({})", run.page),
            );
        };
        for line in self.log(job.id).await {
            track.log(&line);
        }
        let usual = usual::cause(&[], track.tail())
            .map_or("read the last lines of its log".to_owned(), |cause| {
                format!("usually {cause}")
            });
        let at = step.map_or(String::new(), |step| format!(", step {:?}", step.name));
        track.failure(
            format!("the run failed in job {:?}{at}", job.name),
            format!(
                "{usual} ({}); the release before it may still serve",
                run.page
            ),
        )
    }

    /// The last lines of a job's log. GitHub sends to another host for it, which must not get the token.
    async fn log(&self, job: u64) -> Vec<String> {
        let call = self.get(&["actions", "jobs", &job.to_string(), "logs"]);
        let text = match self.api.open(&call).await {
            Ok(response) => limited(response).await,
            Err(fault) => {
                let to = fault.refused().and_then(|no| no.body["location"].as_str());
                let Some(to) = to.and_then(|to| url::Url::parse(to).ok()) else {
                    return Vec::new();
                };
                let Ok(client) = reqwest::Client::builder().timeout(LOG_TIME).build() else {
                    return Vec::new();
                };
                match client.get(to).send().await {
                    Ok(response) if response.status().is_success() => limited(response).await,
                    _ => return Vec::new(),
                }
            }
        };
        run::tail(&text, TAIL)
    }
}

async fn limited(mut response: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LOG {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
