//! Moving the server's branch for a prepared commit, and bringing a clone to where the server's branch is.

use super::api::Api;
use super::data::stale;
use super::{trouble, twin};
use crate::model::Problem;
use crate::vcs::Prepared;
use crate::vcs::git::Git;

/// Commits that are brought over one by one; more are fetched by git.
const FEW: usize = 20;

/// Moves the branch to the prepared commit. Unless the commit is `fresh` the branch is looked at first: it may be there
/// already, or may have been set back to before the base, which a move would undo.
pub async fn land(api: &Api, prepared: &Prepared, fresh: bool) -> Result<(), Problem> {
    let (branch, base, commit) = (&prepared.branch, &prepared.base, &prepared.commit);
    if !fresh {
        let head = api.head(branch).await.map_err(|problem| {
            if problem.is("github-unreachable") || problem.is("github-failed") {
                trouble::unknown(api.address(), branch, &problem.detail)
            } else {
                problem
            }
        })?;
        if api.contains(&head, commit).await? {
            return Ok(());
        }
        if head != *base {
            return Err(stale(branch));
        }
    }
    api.move_branch(branch, base, commit).await
}

/// Brings a commit of the server, with all that it needs, into the clone. Without git's own transport first, which may
/// lack what it needs to be let in; by it where that does not do.
pub async fn bring(
    api: &Api,
    git: &Git,
    remote: &str,
    branch: &str,
    commit: &str,
) -> Result<(), Problem> {
    if git.has(commit).await {
        return Ok(());
    }
    match by_interface(api, git, commit).await {
        Ok(true) => Ok(()),
        Ok(false) => git.fetch(remote, branch).await.map(drop),
        Err(problem) => {
            tracing::debug!(%problem, "commits could not be brought over one by one");
            git.fetch(remote, branch).await.map(drop)
        }
    }
}

/// False when there are too many, or one whose bytes cannot be told.
async fn by_interface(api: &Api, git: &Git, commit: &str) -> Result<bool, Problem> {
    let mut missing: Vec<(String, String, Vec<u8>)> = Vec::new();
    let mut next = vec![commit.to_owned()];
    while let Some(sha) = next.pop() {
        if git.has(&sha).await || missing.iter().any(|(known, ..)| *known == sha) {
            continue;
        }
        if missing.len() == FEW {
            return Ok(false);
        }
        let info = api.commit(&sha).await?;
        let Some(raw) = twin::bytes(&info) else {
            return Ok(false);
        };
        next.extend(info.parents);
        missing.push((sha, info.tree, raw));
    }
    // Parents before children: a commit that is here has all that it needs.
    for (sha, tree, raw) in missing.iter().rev() {
        if !git.has(tree).await && !tree_over(api, git, tree).await? {
            return Ok(false);
        }
        if git.write_object("commit", raw.clone()).await? != *sha {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn tree_over(api: &Api, git: &Git, tree: &str) -> Result<bool, Problem> {
    let folder = tempfile::tempdir().map_err(Problem::internal)?;
    let cache = super::cache::Cache::new(folder.path().to_owned());
    let mut entries = Vec::new();
    for (path, mode, oid, _) in super::tree::list(api, &cache, tree).await? {
        crate::vcs::check_path(&path)?;
        if mode != 0o160_000 && !git.has(&oid).await {
            let bytes = super::tree::blob(api, &cache, &oid).await?;
            git.write_object("blob", bytes).await?;
        }
        entries.push((mode, oid, path));
    }
    Ok(git.write_tree(&entries).await? == tree)
}
