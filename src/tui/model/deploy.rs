//! The newest deployment: how far it is, and how it ended.

use super::Moment;
use crate::model::{Deployment, DeploymentId, DeploymentState, Progress, Stage};

/// How a deployment ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Live and verified.
    Live {
        /// The live address.
        url: String,
        /// How long it took, when it was told.
        total_ms: Option<u64>,
        /// How long each stage took, in order.
        stages: Vec<(Stage, u64)>,
    },
    /// The old release still serves.
    Failed {
        /// Where it failed.
        stage: String,
        /// What failed.
        message: String,
    },
    /// Stopped by a person.
    Canceled,
    /// Was live, and was taken back.
    RolledBack,
}

/// A deployment on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deploy {
    /// Its name.
    pub id: DeploymentId,
    /// Where to.
    pub environment: String,
    /// The commit.
    pub commit: String,
    /// 0 to 100; never goes back.
    pub percent: u8,
    /// The stage reached.
    pub stage: Stage,
    /// What is being done.
    pub message: String,
    /// Expected milliseconds to the end, and when that was told.
    pub eta: Option<(Moment, u64)>,
    /// Since when it is known here.
    pub since: Moment,
    /// How it ended.
    pub ending: Option<Ending>,
}

impl Deploy {
    /// A deployment that begins.
    pub fn new(id: DeploymentId, environment: &str, commit: &str, now: Moment) -> Self {
        Self {
            id,
            environment: environment.to_owned(),
            commit: commit.to_owned(),
            percent: 0,
            stage: Stage::Queue,
            message: String::new(),
            eta: None,
            since: now,
            ending: None,
        }
    }

    /// A deployment as the server describes it.
    pub fn of(deployment: &Deployment, now: Moment) -> Self {
        let mut deploy = Self::new(
            deployment.id.clone(),
            &deployment.environment,
            &deployment.commit,
            now,
        );
        deploy.advance(&deployment.progress, now);
        deploy.ending = match deployment.state {
            DeploymentState::Waiting | DeploymentState::Queued | DeploymentState::Running => None,
            DeploymentState::Live => Some(Ending::Live {
                url: deployment.url.clone().unwrap_or_default(),
                total_ms: None,
                stages: deployment
                    .stages
                    .iter()
                    .map(|(stage, ms)| (*stage, *ms))
                    .collect(),
            }),
            DeploymentState::Failed | DeploymentState::Unknown => Some(Ending::Failed {
                stage: deployment.progress.stage.to_string(),
                message: deployment
                    .problem
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            }),
            DeploymentState::Canceled => Some(Ending::Canceled),
            DeploymentState::RolledBack => Some(Ending::RolledBack),
        };
        deploy
    }

    /// Moves on; an older report changes nothing.
    pub fn advance(&mut self, progress: &Progress, now: Moment) {
        if progress.percent < self.percent {
            return;
        }
        self.percent = progress.percent.min(100);
        self.stage = progress.stage;
        self.message.clone_from(&progress.message);
        self.eta = progress.eta_ms.map(|ms| (now, ms));
    }

    /// Milliseconds left at `now`, by the last report.
    pub fn left(&self, now: Moment) -> Option<u64> {
        let (told, ms) = self.eta?;
        let passed = u64::try_from(now.saturating_sub(told).as_millis()).unwrap_or(u64::MAX);
        Some(ms.saturating_sub(passed))
    }
}
