//! What of a proposal is accepted, and what stands in its place in a tree.

use crate::model::{Content, Decision, FileTree, Problem, Proposal, ProposedFile};
use crate::review;

/// Marks exactly the hunks named as accepted.
pub(super) fn select(proposal: &mut Proposal, accepted: &[String]) -> Result<(), Problem> {
    let mut unknown: Vec<&String> = accepted.iter().collect();
    for hunk in proposal.files.iter_mut().flat_map(|file| &mut file.hunks) {
        let named = accepted.contains(&hunk.id);
        // Lines that were left out of a hunk stay out of it.
        if !named {
            hunk.decide(None, Decision::Rejected);
        } else if hunk.decision == Decision::Rejected {
            hunk.decide(None, Decision::Accepted);
        }
        unknown.retain(|id| **id != hunk.id);
    }
    match unknown.first() {
        None => Ok(()),
        Some(id) => Err(
            Problem::conflict(format!("the proposal has no hunk {id} (any more)"))
                .hint("look at it again, then approve it"),
        ),
    }
}

/// The files with only the accepted hunks applied.
pub(in crate::pipeline) fn accepted(proposal: &Proposal) -> Result<Vec<ProposedFile>, Problem> {
    let files: Vec<ProposedFile> = proposal
        .files
        .iter()
        .filter_map(review::select::accepted)
        .collect();
    if files.is_empty() {
        return Err(Problem::new(
            422,
            "nothing-accepted",
            "no hunk of the proposal is accepted",
        )
        .hint("accept at least one hunk, or reject the proposal"));
    }
    Ok(files)
}

/// The content of `path` in `tree`, as a proposal holds it.
pub(super) fn content_at(tree: &dyn FileTree, path: &str) -> Result<Content, Problem> {
    let Some(entry) = tree.entry(path) else {
        return Ok(Content::Absent);
    };
    let Some(bytes) = tree.read(path).map_err(Problem::internal)? else {
        return Ok(Content::Absent);
    };
    Ok(match std::str::from_utf8(&bytes) {
        Ok(text) if !bytes.contains(&0) => Content::text(text),
        _ => Content::Binary {
            oid: entry.oid.clone(),
            size: bytes.len() as u64,
        },
    })
}
