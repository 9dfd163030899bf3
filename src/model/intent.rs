//! The intent: what an instruction means.

use serde::{Deserialize, Serialize};

/// A command to Sayso itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// "commit that": commit the open proposal, else the working tree's changes.
    Commit,
    /// "deploy that", "make it live", "update the website".
    Deploy,
    /// "preview changes": show the open proposal.
    Preview,
    /// "approve", "ship it", "yes".
    Approve,
    /// "reject", "no".
    Reject,
    /// "undo that": drop the open proposal, else propose the inverse of the last commit.
    Undo,
    /// "roll back": the environment returns to its previous release.
    Rollback,
    /// "redeploy": deploy the current state again.
    Redeploy,
    /// "status".
    Status,
    /// "stop": cancel what is running.
    Stop,
}

impl Control {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Control::Commit => "commit",
            Control::Deploy => "deploy",
            Control::Preview => "preview",
            Control::Approve => "approve",
            Control::Reject => "reject",
            Control::Undo => "undo",
            Control::Rollback => "rollback",
            Control::Redeploy => "redeploy",
            Control::Status => "status",
            Control::Stop => "stop",
        }
    }
}

/// What an instruction means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Intent {
    /// A command to Sayso.
    Control {
        /// Which one.
        control: Control,
        /// The known phrase the words were matched with.
        phrase: String,
        /// True when the words were the phrase itself, false when only near it.
        exact: bool,
        /// The environment named in the words, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        environment: Option<String>,
    },
    /// A change to the site, in words cleaned of fillers and self-corrections.
    Edit {
        /// The cleaned words.
        request: String,
    },
}
