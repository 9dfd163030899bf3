//! Tokens, who did what, and the projects of a server.

use std::time::Duration;

use reqwest::Method;

use super::{Client, Endpoint, answer};
use crate::model::Problem;
use crate::model::token::{
    AuditPage, CreateToken, CreatedToken, KeyInfo, Me, ProjectInfo, Rotate, Rotated, TokenInfo,
    project_path,
};

impl Client {
    /// `GET /api/me`: who this client is, and what it may do.
    ///
    /// # Errors
    /// The server's, or that it cannot be reached.
    pub async fn me(&self) -> Result<Me, Problem> {
        self.get("api/me").await
    }

    /// `GET /api/tokens`.
    ///
    /// # Errors
    /// The server's, or that it cannot be reached.
    pub async fn tokens(&self) -> Result<Vec<TokenInfo>, Problem> {
        self.get("api/tokens").await
    }

    /// `POST /api/tokens`. Only this answer has the token.
    ///
    /// # Errors
    /// The server's, or that it cannot be reached.
    pub async fn create_token(&self, create: &CreateToken) -> Result<CreatedToken, Problem> {
        self.post("api/tokens", create).await
    }

    /// `DELETE /api/tokens/{id}`.
    ///
    /// # Errors
    /// The server's, or that it cannot be reached.
    pub async fn revoke_token(&self, id: &str) -> Result<TokenInfo, Problem> {
        let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
        let request = self.request(Method::DELETE, &format!("api/tokens/{id}"))?;
        answer(request.timeout(Duration::from_secs(15))).await
    }

    /// `POST /api/tokens/rotate`: a new key signs.
    ///
    /// # Errors
    /// The server's, or that it cannot be reached.
    pub async fn rotate_keys(&self, rotate: Rotate) -> Result<Rotated, Problem> {
        self.post("api/tokens/rotate", &rotate).await
    }

    /// `GET /api/tokens/keys`.
    ///
    /// # Errors
    /// The server's, or that it cannot be reached.
    pub async fn token_keys(&self) -> Result<Vec<KeyInfo>, Problem> {
        self.get("api/tokens/keys").await
    }

    /// `GET /api/audit`: up to `limit` entries before the one with the number `before`, the newest first.
    ///
    /// # Errors
    /// The server's, or that it cannot be reached.
    pub async fn audit(&self, before: Option<u64>, limit: usize) -> Result<AuditPage, Problem> {
        let before = before.map_or(String::new(), |before| format!("&before={before}"));
        self.get(&format!("api/audit?limit={limit}{before}")).await
    }

    /// `GET /api/projects`: those that this client may see.
    ///
    /// # Errors
    /// The server's, or that it cannot be reached.
    pub async fn projects(&self) -> Result<Vec<ProjectInfo>, Problem> {
        self.get("api/projects").await
    }

    /// A client with the same token of another project on the same server.
    ///
    /// # Errors
    /// `bad-request` when the address cannot be made.
    pub fn of_project(&self, name: &str) -> Result<Self, Problem> {
        let Endpoint { url, token } = self.endpoint();
        let url = url
            .join(&project_path(name))
            .map_err(|error| Problem::bad_request(error.to_string()))?;
        Self::new(Endpoint { url, token })
    }
}
