//! The message of the next commit, in the person's own words: written or dictated in the line.

use serde::{Deserialize, Serialize};

use super::Model;
use crate::model::ProposalId;

/// A commit message of the person's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    /// The proposal that is committed under it.
    pub proposal: ProposalId,
    /// The message; `None` for the proposal's own title.
    pub message: Option<String>,
    /// While it is being written: what stood in the line before.
    pub draft: Option<String>,
}

impl Model {
    /// The person's own message for the commit of `proposal`.
    pub fn message_of(&self, proposal: &ProposalId) -> Option<&str> {
        let wording = self.wording.as_ref()?;
        (wording.proposal == *proposal).then_some(wording.message.as_deref()?)
    }

    /// True while the line holds a commit message.
    pub fn wording_now(&self) -> bool {
        self.wording
            .as_ref()
            .is_some_and(|wording| wording.draft.is_some())
    }
}
