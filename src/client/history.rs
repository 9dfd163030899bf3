//! How the text of a proposal came to be.

use super::Client;
use crate::model::room::{HistoryStep, HistoryTexts};
use crate::model::{Problem, ProposalId};

impl Client {
    /// `GET /api/proposals/{id}/history`: the steps in which it was written in its room, the oldest first.
    ///
    /// # Errors
    /// The server's, and those of the way there.
    pub async fn history(&self, id: &ProposalId) -> Result<Vec<HistoryStep>, Problem> {
        self.get(&format!("api/proposals/{id}/history")).await
    }

    /// `GET /api/proposals/{id}/history/{number}`: the texts after a step.
    ///
    /// # Errors
    /// As [`Client::history`].
    pub async fn history_at(&self, id: &ProposalId, number: u64) -> Result<HistoryTexts, Problem> {
        self.get(&format!("api/proposals/{id}/history/{number}"))
            .await
    }
}
