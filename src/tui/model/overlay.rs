//! What lies over the panes: questions of the cockpit, lists, pages.

use super::{Menu, Mics};
use crate::model::{Action, DeploymentId, ProposalId, ReleaseId};

/// What the cockpit itself asks before it acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// Deploy the branch.
    Deploy,
    /// Deploy the same again.
    Redeploy,
    /// Build a proposal that changes what the build runs; what is said of it.
    Preview(ProposalId, String),
    /// Go back to the previous release.
    Rollback,
    /// Go back to this release of an environment; its commit is shown.
    RollbackTo(String, ReleaseId, String),
    /// Deploy this commit to this environment again.
    RedeployTo(String, String),
    /// Make this release of an environment live; its commit is shown.
    PromoteTo(String, ReleaseId, String),
    /// Let a deployment through that waits for approval.
    Let(Box<Waits>),
    /// Decline it.
    Decline(Box<Waits>),
    /// Stop a deployment.
    Stop(DeploymentId),
    /// Quit while a deployment runs.
    Quit,
    /// Commit these proposals, in these versions, as one; and deploy.
    Batch(Vec<(ProposalId, u32)>, Action),
    /// Look again at a proposal that was approved while the server was away and changed meanwhile: the key of what
    /// waits, the proposal, its title.
    Again(String, ProposalId, String),
    /// Take a note away, and with the first of a thread its answers: its name, its first words.
    DropNote(String, String),
}

/// A deployment that waits for approval, as it is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// Its name.
    pub id: DeploymentId,
    /// What its environment must still serve.
    pub over: Option<ReleaseId>,
    /// What it is: `the promotion of rel_… to production`.
    pub what: String,
    /// What it changes, and who said yes.
    pub lines: Vec<String>,
}

/// What lies over the panes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// The list of keys, or of everything.
    Menu(Box<Menu>),
    /// A question of the cockpit.
    Confirm(Confirm),
    /// The page of details in [`Board::details`].
    Details,
    /// The list of what works on this machine, in [`Board::checkup`].
    Checkup,
    /// What will be committed where.
    Summary(Summary),
    /// The proposals that wait; the selected one.
    Queue(usize),
    /// The microphones, with their levels.
    Mics(Mics),
    /// Who else is here; the selected one.
    People(usize),
    /// What waits to be sent; the selected one.
    Outbox(usize),
}

/// The summary before a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The proposal.
    pub proposal: ProposalId,
    /// The version that it is about.
    pub version: u32,
    /// First file shown.
    pub top: usize,
}
