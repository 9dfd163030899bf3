//! The files on their way to GitHub while git still makes the commit here: the two take about as long, and neither needs
//! the other. What is sent in vain belongs to no branch, and GitHub clears it away.

use super::api::Api;
use super::data::{Change, To};
use super::remote::changes;
use crate::model::Problem;
use crate::vcs::CommitRequest;
use crate::vcs::git::Git;

/// A tree that GitHub made before the commit was made here.
pub struct Early {
    /// What it changes.
    pub changes: Vec<Change>,
    /// Its id.
    pub tree: String,
}

/// Sends what was approved. `None` when that has to wait: for hooks, which may refuse or change it, or for bytes that
/// only git has.
///
/// # Errors
/// What GitHub refused.
pub async fn send(api: &Api, git: &Git, request: &CommitRequest) -> Result<Option<Early>, Problem> {
    let Ok(changes) = changes(&request.files) else {
        return Ok(None); // git says what is wrong with them
    };
    let all_here = |change: &Change| !matches!(change.to, To::Object(..));
    if request.base.is_empty() || !changes.iter().all(all_here) {
        return Ok(None);
    }
    let (waits, base) = tokio::join!(git.may_refuse(), git.tree_of(&request.base));
    let (false, Ok(base)) = (waits, base) else {
        return Ok(None);
    };
    let tree = api.make_tree(&base, &changes).await?;
    Ok(Some(Early { changes, tree }))
}
