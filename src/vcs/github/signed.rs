//! Commits that GitHub itself makes and signs (`createCommitOnBranch`), for branches that take no others. The branch
//! moves in the same step, from the head that is expected.

use base64::Engine;
use http::Method;
use serde_json::{Value, json};

use super::api::{Answer, Api, Ask};
use super::data::{Change, To, stale};
use super::retry::Repeat;
use super::{tree, trouble};
use crate::model::Problem;

/// Commits looked through for one of ours.
const BACK: usize = 50;

/// Times it is tried while the branch stays where it was.
const TRIES: u32 = 4;

const MUTATION: &str = "mutation($input: CreateCommitOnBranchInput!) \
     { createCommitOnBranch(input: $input) { commit { oid } } }";

/// What is to be committed.
pub struct Wanted<'a> {
    /// The branch.
    pub branch: &'a str,
    /// Its head.
    pub base: &'a str,
    /// The message.
    pub message: &'a str,
    /// The tree that comes of it.
    pub tree: &'a str,
    /// The files.
    pub changes: &'a [Change],
}

/// Commits; the commit's id. Safe to repeat: a commit of the same files on the same base is found again.
///
/// # Errors
/// `stale-base` when the branch is elsewhere; `unsignable` for what this way cannot do; `outcome-unknown`.
pub async fn commit(
    api: &Api,
    cache: &super::cache::Cache,
    wanted: &Wanted<'_>,
) -> Result<String, Problem> {
    let body = body(api, cache, wanted).await?;
    let ask = Ask {
        doing: "make a signed commit",
        method: Method::POST,
        route: None,
        body: Some(&body),
        etag: None,
        repeat: Repeat::Never,
    };
    for attempt in 0..TRIES {
        let result = api.send(&ask).await;
        if let Ok(answer) = &result
            && let Some(oid) = answer
                .body
                .pointer("/data/createCommitOnBranch/commit/oid")
                .and_then(Value::as_str)
        {
            return Ok(oid.to_owned());
        }
        if let Err(problem) = &result
            && problem.is("github-limit")
        {
            return Err(problem.clone());
        }
        if let Some(oid) = found(api, wanted).await.map_err(|problem| {
            if problem.is("github-unreachable") || problem.is("github-failed") {
                trouble::unknown(api.address(), wanted.branch, &problem.detail)
            } else {
                problem
            }
        })? {
            return Ok(oid);
        }
        if let Ok(answer) = &result
            && answer.status < 500
        {
            return Err(refused(api, wanted, answer));
        }
        tokio::time::sleep(std::time::Duration::from_millis(200 << attempt)).await;
    }
    Err(trouble::silent(
        ask.doing,
        "it failed each time, and the branch is where it was",
    ))
}

/// The commit that this would be, if the branch has it already; `None` while the branch is at the base.
///
/// # Errors
/// `stale-base` when the branch is elsewhere, without it.
pub async fn found(api: &Api, wanted: &Wanted<'_>) -> Result<Option<String>, Problem> {
    let mut at = api.head(wanted.branch).await?;
    for _ in 0..BACK {
        if at == wanted.base {
            return Ok(None);
        }
        let commit = api.commit(&at).await?;
        let Some(parent) = commit.parents.first() else {
            break;
        };
        if parent == wanted.base {
            return if commit.tree == wanted.tree && commit.parents.len() == 1 {
                Ok(Some(at))
            } else {
                Err(stale(wanted.branch))
            };
        }
        at.clone_from(parent);
    }
    Err(stale(wanted.branch))
}

fn refused(api: &Api, wanted: &Wanted<'_>, answer: &Answer) -> Problem {
    let Some(first) = answer.body["errors"]
        .as_array()
        .and_then(|errors| errors.first())
    else {
        return trouble::of(api.address(), "make a signed commit", answer);
    };
    match first["type"].as_str() {
        Some("STALE_DATA") => stale(wanted.branch),
        Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => {
            let answer = Answer {
                status: 403,
                body: first.clone(),
                ..answer.clone()
            };
            trouble::of(api.address(), "make a signed commit", &answer)
        }
        Some("NOT_FOUND") => trouble::hidden(api.address(), "make a signed commit"),
        _ => {
            let answer = Answer {
                body: first.clone(),
                ..answer.clone()
            };
            trouble::protected(api.address(), wanted.branch, &answer)
        }
    }
}

async fn body(
    api: &Api,
    cache: &super::cache::Cache,
    wanted: &Wanted<'_>,
) -> Result<Value, Problem> {
    let (mut additions, mut deletions) = (Vec::new(), Vec::new());
    for change in wanted.changes {
        let bytes = match &change.to {
            To::Gone => {
                deletions.push(json!({ "path": change.path }));
                continue;
            }
            To::Bytes(mode, bytes) => {
                plain(&change.path, *mode)?;
                bytes.clone()
            }
            To::Object(mode, oid) => {
                plain(&change.path, *mode)?;
                tree::blob(api, cache, oid).await?
            }
        };
        let contents = base64::engine::general_purpose::STANDARD.encode(bytes);
        additions.push(json!({ "path": change.path, "contents": contents }));
    }
    let message = wanted.message.trim_end();
    let (headline, rest) = message.split_once('\n').unwrap_or((message, ""));
    Ok(json!({
        "query": MUTATION,
        "variables": { "input": {
            "branch": {
                "repositoryNameWithOwner": api.address().full_name(),
                "branchName": wanted.branch,
            },
            "message": { "headline": headline, "body": rest.trim_start_matches('\n') },
            "expectedHeadOid": wanted.base,
            "fileChanges": { "additions": additions, "deletions": deletions },
        } },
    }))
}

/// Only ordinary files can be sent this way.
fn plain(path: &str, mode: u32) -> Result<(), Problem> {
    if mode == 0o100_644 {
        return Ok(());
    }
    let kind = match mode {
        0o100_755 => "a program",
        0o120_000 => "a symlink",
        _ => "a submodule",
    };
    Err(Problem::new(
        422,
        "unsignable",
        format!("{path} is {kind}: GitHub signs commits of ordinary files only"),
    )
    .hint("commit it with git and your own key: [vcs] commit = \"git\""))
}
