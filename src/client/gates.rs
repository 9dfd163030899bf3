//! What stands before an environment: approve, decline, promote, go back.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Client;
use crate::model::api::{ApproveDeployment, Promote, Rollback, Synced};
use crate::model::{Deployment, DeploymentId, LiveRelease, Problem};

impl Client {
    /// `POST /api/deployments/{id}/cancel`: stops one that has not moved traffic, or declines one that waits.
    ///
    /// # Errors
    /// The server's, or that it cannot be reached.
    pub async fn cancel(&self, id: &DeploymentId) -> Result<Deployment, Problem> {
        let nothing = serde_json::json!({});
        self.post(&format!("api/deployments/{id}/cancel"), &nothing)
            .await
    }

    /// `POST /api/deployments/{id}/approve`.
    ///
    /// # Errors
    /// The server's, or that it cannot be reached.
    pub async fn approve_deployment(
        &self,
        id: &DeploymentId,
        approval: &ApproveDeployment,
    ) -> Result<Deployment, Problem> {
        self.post(&format!("api/deployments/{id}/approve"), approval)
            .await
    }

    /// `POST /api/environments/{name}/rollback`.
    ///
    /// # Errors
    /// The server's, or that it cannot be reached.
    pub async fn rollback(
        &self,
        environment: &str,
        rollback: &Rollback,
    ) -> Result<LiveRelease, Problem> {
        let name = utf8_percent_encode(environment, NON_ALPHANUMERIC);
        self.post(&format!("api/environments/{name}/rollback"), rollback)
            .await
    }

    /// `POST /api/environments/{name}/promote`.
    ///
    /// # Errors
    /// The server's, or that it cannot be reached.
    pub async fn promote(&self, environment: &str, promote: &Promote) -> Result<Synced, Problem> {
        let name = utf8_percent_encode(environment, NON_ALPHANUMERIC);
        self.post(&format!("api/environments/{name}/promote"), promote)
            .await
    }
}
