//! Follows a deployment on the host to its end, through broken connections and a restart of the host.

use std::time::{Duration, Instant};

use super::{Inner, hint};
use crate::deploy::remote::api::{Call, Fault};
use crate::deploy::remote::track::Track;
use crate::deploy::{DeployFailure, Deployed};
use crate::model::host::INTERRUPTED;
use crate::model::{Deployment, DeploymentId, DeploymentState, Stage};

/// The longest pause between two looks.
const LONGEST: Duration = Duration::from_secs(1);

/// For so long the host may be gone: a restart takes seconds.
const GONE: Duration = Duration::from_secs(120);

/// How long it is looked for what became of a deployment that an earlier process began.
const BECAME: Duration = Duration::from_secs(30);

/// How a deployment ended there.
pub(super) enum End {
    /// Live and verified.
    Live(Deployed),
    /// The host's process ended, and nothing came of it.
    Interrupted,
}

impl Inner {
    /// Waits for the end.
    ///
    /// # Errors
    /// What the host says of a deployment that did not go live; `unknown` when it says nothing for long.
    pub(super) async fn follow(
        &self,
        id: &DeploymentId,
        track: &mut Track,
    ) -> Result<End, DeployFailure> {
        let (began, cancel) = (Instant::now(), track.cancel.clone());
        let mut heard = Instant::now();
        let mut pause = self.options.pace.poll;
        let mut told = false;
        loop {
            match self.get::<Deployment>(&["deployments", id.as_str()]).await {
                Ok(deployment) if deployment.state.is_final() => {
                    return self.ended(deployment, track);
                }
                Ok(deployment) => {
                    heard = Instant::now();
                    let stage = match deployment.progress.stage {
                        Stage::Verify => Stage::Verify,
                        _ => Stage::Activate,
                    };
                    track.enter(stage, deployment.progress.message);
                }
                Err(Fault::Refused(refused)) if refused.status < 500 => {
                    let fault = Fault::Refused(refused);
                    return Err(fault.failure(
                        track,
                        "the host does not know this deployment",
                        &hint,
                    ));
                }
                Err(fault) => {
                    if heard.elapsed() > GONE.min(self.options.time_limit) {
                        let why = self.problem(fault, "the host is gone").detail;
                        return Err(track.unknown(
                            why,
                            "look at the site, and at `sayso status` on the other machine; then deploy again",
                        ));
                    }
                }
            }
            if began.elapsed() > self.options.time_limit {
                return Err(track.unknown(
                    "the host did not come to an end in time",
                    "look at `sayso deployments` there; `time_limit` under [deploy.host] allows it more",
                ));
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = cancel.cancelled(), if !told => {
                    told = true;
                    let path = self.path(&["deployments", id.as_str(), "cancel"]);
                    // One that moves traffic already goes on, as here.
                    let _ = self.api.once(&Call::post(&path, serde_json::json!({}))).await;
                }
            }
            pause = (pause * 2).min(LONGEST);
        }
    }

    fn ended(&self, deployment: Deployment, track: &mut Track) -> Result<End, DeployFailure> {
        for line in &deployment.log_tail {
            track.log(line);
        }
        let problem = deployment.problem.as_ref();
        let (message, next) = problem.map_or_else(
            || (deployment.progress.message.clone(), String::new()),
            |problem| {
                let hint = problem.hint.clone().unwrap_or_default();
                (problem.detail.clone(), hint)
            },
        );
        match (deployment.state, deployment.release) {
            (DeploymentState::Live, Some(release)) => {
                track.enter(Stage::Verify, "live on the host");
                Ok(End::Live(Deployed {
                    release,
                    url: deployment.url.unwrap_or_default(),
                    stages: track.stages(),
                }))
            }
            (DeploymentState::Failed, _) if message == INTERRUPTED => Ok(End::Interrupted),
            (state, _) => Err(DeployFailure {
                stage: deployment.progress.stage,
                canceled: state == DeploymentState::Canceled,
                rolled_back: state == DeploymentState::RolledBack,
                unknown: state == DeploymentState::Unknown,
                ..track.failure(message, next)
            }),
        }
    }

    /// What became of a deployment: `Some` when it is live there.
    pub(super) async fn became_of(&self, id: &DeploymentId) -> Option<Deployed> {
        let began = Instant::now();
        let mut pause = self.options.pace.poll;
        while began.elapsed() < BECAME {
            match self.get::<Deployment>(&["deployments", id.as_str()]).await {
                Ok(deployment) if deployment.state == DeploymentState::Live => {
                    let url = deployment.url.unwrap_or_default();
                    return Some(Deployed {
                        release: deployment.release?,
                        url: self.options.site.clone().unwrap_or(url),
                        stages: deployment.stages,
                    });
                }
                Ok(deployment) if deployment.state.is_final() => return None,
                Err(Fault::Refused(refused)) if refused.status < 500 => return None,
                Ok(_) | Err(_) => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST);
        }
        None
    }
}
