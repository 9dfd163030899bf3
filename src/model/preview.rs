//! The preview of a proposal: built and served on this machine before anything is approved.

use serde::{Deserialize, Serialize};

use super::id::ProposalId;

/// Where a preview stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreviewState {
    /// It is being built; what was built before is served meanwhile.
    Building,
    /// The version named is served.
    Ready,
    /// It would run what the proposal itself changes about the build: a person must allow that first.
    Held,
    /// It could not be built; what was built before is served, if there is any.
    Failed,
    /// It is over: nothing is served any more.
    Ended,
}

/// A proposal as it would look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The proposal.
    pub proposal: ProposalId,
    /// The version of it that is built or served.
    pub version: u32,
    /// Its address, the same over all versions.
    pub url: String,
    /// Where it stands.
    pub state: PreviewState,
    /// What was done, or why it failed.
    pub message: String,
    /// What to do next, after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The last lines of the build's output, after a failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log_tail: Vec<String>,
    /// True when there is a picture of this version.
    #[serde(default)]
    pub picture: bool,
    /// Why there is no picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_picture: Option<String>,
}
