//! GitHub's Git Data interface: references and commits. Files and trees are in [`files`](super::files).

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address::{part, parts};
use super::api::{Answer, Api, Ask};
use super::retry::Repeat;
use super::trouble;
use crate::model::Problem;

/// Times a move of the branch is tried while the branch stays where it was.
const MOVES: u32 = 4;

/// A file as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its path.
    pub path: String,
    /// What becomes of it.
    pub to: To,
}

/// What becomes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// It goes.
    Gone,
    /// These bytes, in this git mode.
    Bytes(u32, Vec<u8>),
    /// An object that the server has: a blob, or a submodule's commit.
    Object(u32, String),
    /// It is a folder, and goes with all that is in it.
    FolderGone,
}

/// A commit as the interface tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitInfo {
    /// Its id.
    pub sha: String,
    /// Its tree.
    pub tree: String,
    /// Its parents.
    pub parents: Vec<String>,
    /// Its message.
    pub message: String,
    /// Who wrote it.
    pub author: Person,
    /// Who committed it.
    pub committer: Person,
    /// What was signed, where it is signed.
    pub payload: Option<String>,
    /// The signature.
    pub signature: Option<String>,
}

/// Somebody, at some time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
    /// When, as RFC 3339.
    pub date: String,
}

impl CommitInfo {
    /// Reads the answer of `GET` or `POST git/commits`.
    pub fn read(answer: &Answer) -> Result<Self, Problem> {
        let body = &answer.body;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let person = |value: &Value| Person {
            name: text(&value["name"]),
            email: text(&value["email"]),
            date: text(&value["date"]),
        };
        let verification = &body["verification"];
        let parents = body["parents"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        Ok(Self {
            sha: answer.text("/sha")?.to_owned(),
            tree: answer.text("/tree/sha")?.to_owned(),
            parents: parents.iter().map(|parent| text(&parent["sha"])).collect(),
            message: text(&body["message"]),
            author: person(&body["author"]),
            committer: person(&body["committer"]),
            payload: verification["payload"].as_str().map(str::to_owned),
            signature: verification["signature"].as_str().map(str::to_owned),
        })
    }
}

/// A commit to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewCommit {
    /// Its message.
    pub message: String,
    /// Its tree.
    pub tree: String,
    /// Its parent.
    pub parent: String,
    /// Who wrote it; the token's owner when not said.
    pub author: Option<Person>,
    /// Who commits it.
    pub committer: Option<Person>,
    /// A signature of exactly this.
    pub signature: Option<String>,
}

impl Api {
    /// The commit at the head of a branch.
    ///
    /// # Errors
    /// `branch-gone`, `github-empty`, `github-not-found` …
    pub async fn head(&self, branch: &str) -> Result<String, Problem> {
        let answer = self.head_if_new(branch, None).await?;
        Ok(answer.text("/object/sha")?.to_owned())
    }

    /// The reference of a branch; an answer of 304 when it is still as `etag` knew it.
    pub async fn head_if_new(&self, branch: &str, etag: Option<&str>) -> Result<Answer, Problem> {
        let mut ask = Ask::get(
            "read the branch",
            format!("/git/ref/heads/{}", parts(branch)),
        );
        ask.etag = etag;
        let answer = self.send(&ask).await?;
        match answer.status {
            200..=299 | 304 => Ok(answer),
            // A branch that is not there, or a repository that is not to be seen.
            404 => {
                self.about().await?;
                Err(trouble::no_branch(self.address(), branch))
            }
            _ => Err(trouble::of(self.address(), ask.doing, &answer)),
        }
    }

    /// What GitHub says of the repository itself.
    pub async fn about(&self) -> Result<Answer, Problem> {
        self.call(&Ask::get("read the repository", "")).await
    }

    /// A commit.
    pub async fn commit(&self, sha: &str) -> Result<CommitInfo, Problem> {
        let route = format!("/git/commits/{}", part(sha));
        let answer = self.call(&Ask::get("read a commit", route)).await?;
        CommitInfo::read(&answer)
    }

    /// Makes a commit that no branch has yet.
    pub async fn make_commit(&self, commit: &NewCommit) -> Result<CommitInfo, Problem> {
        let mut body = json!({
            "message": commit.message,
            "tree": commit.tree,
            "parents": [commit.parent],
        });
        for (name, person) in [("author", &commit.author), ("committer", &commit.committer)] {
            if let Some(person) = person {
                body[name] = json!(person);
            }
        }
        if let Some(signature) = &commit.signature {
            body["signature"] = json!(signature);
        }
        let ask = Ask::make("make the commit", "/git/commits", &body);
        CommitInfo::read(&self.call(&ask).await?)
    }

    /// Moves a branch from one commit to its child, never by force. Whatever GitHub answers, or does not: where the
    /// branch is afterwards decides.
    ///
    /// # Errors
    /// `stale-base` when the branch is elsewhere, without the commit; `branch-protected`; `branch-gone`;
    /// `outcome-unknown` when the connection broke and GitHub cannot be asked.
    pub async fn move_branch(&self, branch: &str, from: &str, to: &str) -> Result<(), Problem> {
        let body = json!({ "sha": to, "force": false });
        let ask = Ask {
            method: Method::PATCH,
            repeat: Repeat::Never,
            ..Ask::make("move the branch", "", &body)
        };
        let ask = Ask {
            route: Some(format!("/git/refs/heads/{}", parts(branch))),
            ..ask
        };
        for attempt in 0..MOVES {
            let result = self.send(&ask).await;
            match &result {
                Ok(answer)
                    if answer.ok()
                        && answer.body.pointer("/object/sha").and_then(Value::as_str)
                            == Some(to) =>
                {
                    return Ok(());
                }
                // Refused before anything was looked at.
                Ok(answer) if answer.status == 401 => {
                    return Err(trouble::of(self.address(), ask.doing, answer));
                }
                Err(problem) if problem.is("github-limit") => return Err(problem.clone()),
                _ => {}
            }
            let at = match self.head(branch).await {
                Ok(at) => at,
                // What GitHub refused for certain is known; what it did not answer is not.
                Err(problem) if certain(&problem) => return Err(problem),
                Err(problem) => {
                    return Err(trouble::unknown(self.address(), branch, &problem.detail));
                }
            };
            if at == to || at != from && self.contains(&at, to).await? {
                return Ok(());
            }
            if at != from {
                return Err(stale(branch));
            }
            match &result {
                Ok(answer) if matches!(answer.status, 409 | 422) => {
                    return Err(trouble::protected(self.address(), branch, answer));
                }
                Ok(answer) if (400..500).contains(&answer.status) => {
                    return Err(trouble::of(self.address(), ask.doing, answer));
                }
                _ => {}
            }
            tokio::time::sleep(std::time::Duration::from_millis(200 << attempt)).await;
        }
        Err(trouble::silent(
            ask.doing,
            "it failed each time, and the branch is where it was",
        ))
    }

    /// Whether `commit` is at or below the commit `head`.
    ///
    /// # Errors
    /// When GitHub cannot be asked.
    pub async fn contains(&self, head: &str, commit: &str) -> Result<bool, Problem> {
        if head == commit {
            return Ok(true);
        }
        let route = format!("/compare/{}...{}", part(commit), part(head));
        let answer = self.send(&Ask::get("compare commits", route)).await?;
        match answer.status {
            404 => Ok(false),
            _ if answer.ok() => Ok(matches!(
                answer.body["status"].as_str(),
                Some("ahead" | "identical")
            )),
            _ => Err(trouble::of(self.address(), "compare commits", &answer)),
        }
    }
}

/// Whether GitHub answered, so that what it said is so.
fn certain(problem: &Problem) -> bool {
    !problem.is("github-unreachable") && !problem.is("github-failed") && !problem.is("github-limit")
}

/// The branch moved; in the words that the pipeline knows.
pub fn stale(branch: &str) -> Problem {
    Problem::new(
        409,
        "stale-base",
        format!("the branch {branch} has moved on GitHub since the change was made"),
    )
    .hint("the change must be put onto the new head and looked at again")
}
