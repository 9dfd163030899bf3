//! How things stand.

use super::Conductor;
use super::control::short;
use super::propose::view;
use super::records;
use crate::model::api::{DeploymentList, EnvironmentReleases, SpeechStatus, Status};
use crate::model::{Deployment, DeploymentId, DeploymentState, Problem};

/// How many deployments a listing gives.
const LISTED: usize = 100;

impl Conductor {
    /// Everything a client needs for its first screen. Reading events after its cursor misses nothing.
    ///
    /// # Errors
    /// `store` when the log cannot be read; the repository's own.
    pub async fn status(&self) -> Result<Status, Problem> {
        // The cursor first: an event that comes while the rest is read is then read again, not missed.
        let cursor = self.log.head();
        let repository = self.repo.status().await?;
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            project: self.log.project().to_owned(),
            repository,
            environment: self.config.deploy.environment.clone(),
            live: self
                .targets
                .iter()
                .filter_map(|(name, target)| target.live(name))
                .collect(),
            speech: self.speech_status(),
            proposals: records::open_proposals(&self.log)?
                .into_iter()
                .map(view)
                .collect(),
            instructions: records::open_instructions(&self.log)?,
            deployments: records::open_deployments(&self.log)?,
            environments: self.environments_now().await?,
            previews: self.previews_now(),
            health: self.vitals.listed(),
            watch: self.watch_status(),
            conductor: self.log.remote().map(|remote| {
                let url = remote.conductor();
                url.map(|url| url.to_string()).unwrap_or_default()
            }),
            oldest: self.log.oldest()?,
            cursor,
        })
    }

    /// The environment that is meant when none is named.
    pub fn usual_environment(&self) -> &str {
        &self.config.deploy.environment
    }

    fn speech_status(&self) -> SpeechStatus {
        match &self.transcriber {
            Some(transcriber) => transcriber.status(),
            None => SpeechStatus {
                engine: "none".into(),
                ready: false,
                message: "no speech engine is configured; typed text does everything".into(),
            },
        }
    }

    /// The status in one line, for a spoken "status".
    pub(super) async fn status_words(&self) -> Result<String, Problem> {
        let status = self.status().await?;
        let mut words = vec![format!(
            "{} on {} at {}",
            status.repository.name,
            status.repository.branch,
            if status.repository.head.is_empty() {
                "no commit"
            } else {
                short(&status.repository.head)
            }
        )];
        words.push(match status.repository.changes {
            0 => "no changes".into(),
            1 => "1 change".into(),
            n => format!("{n} changes"),
        });
        for live in &status.live {
            words.push(format!(
                "{} serves {} at {}",
                live.environment,
                short(&live.commit),
                live.url
            ));
        }
        if status.live.is_empty() {
            words.push("nothing is live".into());
        }
        match status.proposals.len() {
            0 => {}
            1 => words.push("1 proposal waits".into()),
            n => words.push(format!("{n} proposals wait")),
        }
        for deployment in &status.deployments {
            if deployment.state == DeploymentState::Waiting {
                let subject = super::gate_words::subject(deployment);
                words.push(format!("{subject} {}", deployment.progress.message));
                continue;
            }
            words.push(format!(
                "deploying {} to {}: {} {} %",
                short(&deployment.commit),
                deployment.environment,
                deployment.progress.stage,
                deployment.progress.percent
            ));
        }
        Ok(words.join("; "))
    }

    /// Deployments (newest first) and the releases kept.
    ///
    /// # Errors
    /// `store` when the log cannot be read.
    pub fn deployments(&self) -> Result<DeploymentList, Problem> {
        self.deployments_page(None, LISTED)
    }

    /// At most `limit` deployments (never more than a hundred) that are older than `before`, newest first, and the
    /// releases kept.
    ///
    /// # Errors
    /// `store` when the log cannot be read.
    pub fn deployments_page(
        &self,
        before: Option<&DeploymentId>,
        limit: usize,
    ) -> Result<DeploymentList, Problem> {
        let limit = limit.min(LISTED);
        Ok(DeploymentList {
            deployments: match before {
                Some(before) => records::deployments_before(&self.log, before, limit)?,
                None => records::deployments(&self.log, limit)?,
            },
            releases: self
                .targets
                .iter()
                .map(|(name, target)| EnvironmentReleases {
                    environment: name.clone(),
                    releases: target.releases(name),
                    note: target.note(name),
                    health: self.vitals.of(name),
                })
                .collect(),
        })
    }

    /// One deployment.
    ///
    /// # Errors
    /// `not-found`.
    pub fn deployment(&self, id: &DeploymentId) -> Result<Deployment, Problem> {
        records::deployment(&self.log, id)
    }
}
