//! What GitHub's refusals mean to a person. Decided by status and place, never by the words of a message.

use super::address::Address;
use super::api::Answer;
use crate::model::Problem;

/// What was being done, for a sentence: "GitHub refused to …".
pub type Doing = &'static str;

/// The problem that an answer other than 2xx means.
pub fn of(address: &Address, doing: Doing, answer: &Answer) -> Problem {
    let said = said(answer);
    match answer.status {
        401 => Problem::new(
            401,
            "github-token",
            format!("GitHub does not accept the token while asked to {doing}{said}"),
        )
        .hint("it may have expired or been revoked: make a new one and store it with `sayso login github`, or set GITHUB_PAT"),
        403 => Problem::new(
            403,
            "github-forbidden",
            format!("GitHub refused to {doing} in {address}{said}"),
        )
        .hint("the token needs write access: scope `repo` (classic) or Contents: read and write (fine-grained); \
               files under .github/workflows need `workflow` besides. An organisation may also ask for single sign-on"),
        404 => hidden(address, doing),
        409 => empty(address),
        301 | 302 | 307 | 308 => Problem::new(
            502,
            "github-moved",
            format!("{address} was moved to another host, where the token is not sent"),
        )
        .hint("correct the remote's address: git remote set-url origin ADDRESS"),
        413 => Problem::new(413, "github-too-large", format!("GitHub found the request to {doing} too large"))
            .hint("commit fewer or smaller files at once, or push with git: [vcs] commit = \"git\""),
        429 => limited(None),
        422 => Problem::new(
            422,
            "github-invalid",
            format!("GitHub cannot {doing} in {address}{said}"),
        )
        .hint("nothing was committed; should it stay so, push with git: [vcs] commit = \"git\""),
        status => Problem::new(
            502,
            "github-failed",
            format!("GitHub could not {doing} (HTTP {status}){said}"),
        )
        .hint("look at https://www.githubstatus.com and try again"),
    }
}

/// The repository cannot be seen: GitHub does not say whether it is missing or not allowed.
pub fn hidden(address: &Address, doing: Doing) -> Problem {
    Problem::new(
        404,
        "github-not-found",
        format!("GitHub finds nothing to {doing} in {address}"),
    )
    .hint("it says so as well where the token has no right: check the name, and that the token has scope `repo` (classic) \
           or Contents: read and write for this repository (fine-grained); `sayso doctor` shows what it has")
}

/// There is no commit yet.
pub fn empty(address: &Address) -> Problem {
    Problem::new(
        409,
        "github-empty",
        format!("{address} has no commit yet, and GitHub makes no first one through this interface"),
    )
    .hint("make the first commit on GitHub's page (add a README), or push one: git push -u origin HEAD")
}

/// The branch is not there.
pub fn no_branch(address: &Address, branch: &str) -> Problem {
    Problem::new(
        404,
        "branch-gone",
        format!("there is no branch {branch} in {address} (any more)"),
    )
    .hint(format!(
        "push it: git push -u origin {branch}; or choose another: [github] branch"
    ))
}

/// The branch did not take the commit although it was where it should be: rules, or rights.
pub fn protected(address: &Address, branch: &str, answer: &Answer) -> Problem {
    Problem::new(
        422,
        "branch-protected",
        format!(
            "GitHub did not move {branch} of {address} although nobody else had moved it: a rule protects it{}",
            said(answer)
        ),
    )
    .hint("commit to another branch and open a pull request, or let the rules allow you; \
           where they ask for signed commits: [github] signed = true")
}

/// A limit that would take longer than a person waits.
pub fn limited(seconds: Option<u64>) -> Problem {
    let how_long = match seconds {
        Some(seconds) if seconds >= 120 => format!(": {} minutes to go", seconds.div_ceil(60)),
        Some(seconds) => format!(": {seconds} s to go"),
        None => String::new(),
    };
    Problem::new(
        429,
        "github-limit",
        format!("GitHub takes no more requests of this token for now{how_long}"),
    )
    .hint("nothing was changed; try again then, or wait longer by [github] wait")
}

/// No answer at all.
pub fn silent(doing: Doing, why: &str) -> Problem {
    Problem::new(
        503,
        "github-unreachable",
        format!("GitHub did not answer when asked to {doing}: {why}"),
    )
    .hint("check the network; nothing was committed")
}

/// It is not known whether the branch moved.
pub fn unknown(address: &Address, branch: &str, why: &str) -> Problem {
    Problem::new(
        503,
        "outcome-unknown",
        format!("the connection broke while {branch} of {address} was being moved, and GitHub cannot be asked now: {why}"),
    )
    .hint("whether the commit is there is not known: it is looked up again when Sayso starts next, and never made twice")
}

/// GitHub's own words, as an addition.
fn said(answer: &Answer) -> String {
    let message = answer.body["message"].as_str().unwrap_or_default().trim();
    let mut text: String = message
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect();
    if let Some(first) = answer.body["errors"]
        .as_array()
        .and_then(|errors| errors.first())
        && let Some(more) = first.as_str().or_else(|| first["message"].as_str())
    {
        let more: String = more.chars().filter(|c| !c.is_control()).take(200).collect();
        text = format!("{text}: {more}");
    }
    if text.is_empty() {
        String::new()
    } else {
        format!(" (GitHub says: {text})")
    }
}
