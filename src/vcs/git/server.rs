//! What is exchanged with a server: pushing and fetching by git itself, and objects that came or go by another way.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedSender};

use crate::model::Problem;
use crate::vcs::{Committed, Prepared};

use super::hooks::runnable;
use super::prepare::OWN_INDEX;
use super::run::{Call, Output};
use super::{Git, Object, finish, is_id};

/// For a push or a fetch as a whole.
const NETWORK_LIMIT: Duration = Duration::from_secs(600);

/// A file that a commit changed, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::vcs) struct Sent {
    /// Its path.
    pub path: String,
    /// git mode; 0 when it goes.
    pub mode: u32,
    /// Its blob, or a submodule's commit; empty when it goes.
    pub oid: String,
    /// Its bytes; `None` when it goes, or is a submodule.
    pub bytes: Option<Vec<u8>>,
}

/// What a push has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// The server has the branch as it is here.
    Done,
    /// Somebody else moved it.
    Behind(String),
    /// Not allowed, or not found, which servers do not tell apart.
    Refused(String),
    /// The server cannot be reached.
    Unreachable(String),
    /// Anything else, in git's words.
    Failed(String),
}

impl Git {
    /// The address of a remote, with what `url.*.insteadOf` makes of it; `None` when there is no such remote.
    pub async fn remote_address(&self, remote: &str) -> Option<String> {
        let call = Call::new(["remote", "get-url", "--", remote]);
        let output = self.run(call).await.ok()?;
        (output.code == 0).then(|| output.text())
    }

    /// The raw bytes of a commit.
    pub(in crate::vcs) async fn raw_commit(&self, commit: &str) -> Result<Vec<u8>, Problem> {
        match self.object(commit, u64::MAX).await? {
            Some(Object {
                kind,
                bytes: Some(bytes),
                ..
            }) if kind == "commit" => Ok(bytes),
            _ => Err(Problem::not_found(format!("there is no commit {commit}"))),
        }
    }

    /// The id of a commit's tree; the empty tree's for an empty id.
    pub(in crate::vcs) async fn tree_of(&self, commit: &str) -> Result<String, Problem> {
        if commit.is_empty() {
            Ok(self.empty_tree().to_owned())
        } else {
            self.tree_id(commit).await
        }
    }

    /// All paths of a commit, submodules included.
    pub(in crate::vcs) async fn paths(&self, commit: &str) -> Result<BTreeSet<String>, Problem> {
        let call = Call::new(["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit]);
        let output = self.run(call).await?.checked()?;
        let text = |path: &[u8]| String::from_utf8(path.to_vec()).ok();
        Ok(output.records().filter_map(text).collect())
    }

    /// Whether the object is here.
    pub(in crate::vcs) async fn has(&self, oid: &str) -> bool {
        is_id(oid) && matches!(self.object(oid, 0).await, Ok(Some(_)))
    }

    /// What `commit` changed against `base`, with the bytes.
    pub(in crate::vcs) async fn sent(
        &self,
        base: &str,
        commit: &str,
    ) -> Result<Vec<Sent>, Problem> {
        let mut sent = Vec::new();
        for change in self.between(base, commit).await? {
            let Some(after) = &change.after else {
                sent.push(Sent {
                    path: change.path,
                    mode: 0,
                    oid: String::new(),
                    bytes: None,
                });
                continue;
            };
            let bytes = if change.is_submodule() {
                None
            } else {
                let object = self.object(&after.oid, u64::MAX).await?;
                let bytes = object.and_then(|object| object.bytes);
                Some(bytes.ok_or_else(|| {
                    Problem::internal(format!("the repository lacks the object {}", after.oid))
                })?)
            };
            sent.push(Sent {
                mode: after.mode,
                oid: after.oid.clone(),
                bytes,
                path: change.path,
            });
        }
        Ok(sent)
    }

    /// Whether hooks may change or refuse a commit; true when that is not known.
    pub(in crate::vcs) async fn may_refuse(&self) -> bool {
        let (Ok(head), Ok(settings)) = tokio::join!(self.head(), self.settings()) else {
            return true;
        };
        settings.hooks_in_config
            || ["pre-commit", "prepare-commit-msg", "commit-msg"]
                .iter()
                .any(|name| runnable(&head.hooks.join(name)))
    }

    /// Stores an object.
    pub(in crate::vcs) async fn write_object(
        &self,
        kind: &str,
        bytes: Vec<u8>,
    ) -> Result<String, Problem> {
        let call = Call::new(["hash-object", "-w", "--stdin", "-t", kind]).stdin(bytes);
        Ok(self.run(call).await?.checked()?.text())
    }

    /// Stores the tree of these `(mode, id, path)`, whose blobs must be here.
    pub(in crate::vcs) async fn write_tree(
        &self,
        entries: &[(u32, String, String)],
    ) -> Result<String, Problem> {
        let scratch = tempfile::tempdir().map_err(Problem::internal)?;
        let index = scratch.path().join("index");
        let list: String = entries
            .iter()
            .map(|(mode, oid, path)| format!("{mode:o} {oid}\t{path}\0"))
            .collect();
        let own = |args: &[&str], index: &Path| Call::new(OWN_INDEX).args(args).index(index);
        let fill = own(&["update-index", "-z", "--index-info"], &index).stdin(list);
        self.run(fill).await?.checked()?;
        let written = self.run(own(&["write-tree"], &index)).await?;
        Ok(written.checked()?.text())
    }

    /// Whether `commit` is at or below `of`.
    pub(in crate::vcs) async fn below(&self, commit: &str, of: &str) -> Result<bool, Problem> {
        Ok(commit == of || self.is_ancestor(commit, of).await?)
    }

    /// Moves the branch that is checked out from one commit to a later one, with the person's uncommitted work kept.
    ///
    /// # Errors
    /// `stale-base` when the branch is not at `from`: nothing has been changed then.
    pub(in crate::vcs) async fn fast_forward(
        &self,
        branch: &str,
        from: &str,
        to: &str,
    ) -> Result<Committed, Problem> {
        let prepared = Prepared {
            commit: to.to_owned(),
            base: from.to_owned(),
            branch: branch.to_owned(),
            output: Vec::new(),
        };
        finish::bring_along(self, &prepared, finish::Reason::FastForward).await
    }

    /// Notes where the server's branch is, as a fetch would.
    pub(in crate::vcs) async fn note_remote(&self, remote: &str, branch: &str, commit: &str) {
        let name = format!("refs/remotes/{remote}/{branch}");
        // Only a picture: the next fetch mends it.
        let _ = self
            .run(Call::new(["update-ref", &name, commit]))
            .await
            .and_then(Output::checked);
    }

    /// Fetches a branch; its commit.
    pub(in crate::vcs) async fn fetch(
        &self,
        remote: &str,
        branch: &str,
    ) -> Result<String, Problem> {
        let (spec, (live, _)) = (format!("refs/heads/{branch}"), mpsc::unbounded_channel());
        let call = Call::new([
            "fetch",
            "--no-tags",
            "--no-write-fetch-head",
            "--",
            remote,
            &spec,
        ]);
        let output = self.run(network(call, live).limit(NETWORK_LIMIT)).await?;
        if output.code != 0 {
            return Err(Problem::new(
                502,
                "fetch-failed",
                format!("git fetch {remote} failed: {}", reason(&output.stderr)),
            )
            .hint(format!(
                "try it by hand: git pull --rebase {remote} {branch}"
            )));
        }
        let name = format!("refs/remotes/{remote}/{branch}");
        let at = self
            .run(Call::new(["rev-parse", "-q", "--verify", &name]))
            .await?;
        Ok(at.checked()?.text())
    }

    /// Where the server's branch is, with its objects fetched; `None` when it has no such branch. Only a ref of our own
    /// is moved by it.
    ///
    /// # Errors
    /// `fetch-failed` when the server cannot be reached or refuses.
    pub(crate) async fn branch_at(
        &self,
        remote: &str,
        branch: &str,
    ) -> Result<Option<String>, Problem> {
        let own = format!("refs/sayso/theirs/{branch}");
        let spec = format!("+refs/heads/{branch}:{own}");
        let (live, _) = mpsc::unbounded_channel();
        let call = Call::new([
            "fetch",
            "--no-tags",
            "--no-write-fetch-head",
            "--refmap=",
            "--",
            remote,
            &spec,
        ]);
        let output = self.run(network(call, live).limit(NETWORK_LIMIT)).await?;
        if output.code == 0 {
            let at = self
                .run(Call::new(["rev-parse", "-q", "--verify", &own]))
                .await?;
            return Ok(Some(at.checked()?.text()));
        }
        if output.stderr.contains("couldn't find remote ref") {
            return Ok(None);
        }
        Err(Problem::new(
            502,
            "fetch-failed",
            format!("git fetch {remote} failed: {}", reason(&output.stderr)),
        ))
    }

    /// Pushes a branch, with git's progress as it comes.
    ///
    /// # Errors
    /// When git itself cannot run.
    pub(crate) async fn push(
        &self,
        remote: &str,
        branch: &str,
        live: UnboundedSender<String>,
    ) -> Result<Pushed, Problem> {
        let spec = format!("refs/heads/{branch}:refs/heads/{branch}");
        let call = Call::new(["push", "--progress", "--porcelain", "--", remote, &spec]);
        let output = self.run(network(call, live).limit(NETWORK_LIMIT)).await?;
        Ok(pushed(
            output.code,
            &String::from_utf8_lossy(&output.stdout),
            &output.stderr,
        ))
    }
}

/// A call that talks to a server: as the person set it up, but never asking on the terminal.
fn network(call: Call, live: UnboundedSender<String>) -> Call {
    call.personal(live)
        .env("LC_ALL", "C")
        .env("GIT_SSH_VARIANT", "ssh")
        .env("SSH_ASKPASS_REQUIRE", "force")
        .env("GCM_INTERACTIVE", "never")
}

/// Reads what `git push --porcelain` left: the flag of our one branch decides, words only tell failures apart.
fn pushed(code: i32, stdout: &str, stderr: &str) -> Pushed {
    if code == 0 {
        return Pushed::Done;
    }
    let refused = stdout.lines().find_map(|line| line.strip_prefix("!\t"));
    let why = reason(stderr);
    if let Some(line) = refused {
        let summary = line.rsplit('\t').next().unwrap_or_default();
        return match summary {
            s if s.contains("non-fast-forward")
                || s.contains("fetch first")
                || s.contains("stale info") =>
            {
                Pushed::Behind(s.to_owned())
            }
            s => Pushed::Refused(if why.is_empty() {
                s.to_owned()
            } else {
                format!("{s}: {why}")
            }),
        };
    }
    let lower = stderr.to_ascii_lowercase();
    let any = |signs: &[&str]| signs.iter().any(|sign| lower.contains(sign));
    if any(&[
        "could not resolve host",
        "couldn't connect",
        "connection refused",
        "connection timed out",
        "network is unreachable",
        "connection reset",
        "failed to connect",
        "no route to host",
    ]) {
        Pushed::Unreachable(why)
    } else if any(&[
        "permission",
        "authentication failed",
        "could not read username",
        "terminal prompts disabled",
        "403",
        "repository not found",
        "access denied",
        "host key verification failed",
        "not found",
        "does not appear to be a git repository",
    ]) {
        Pushed::Refused(why)
    } else {
        Pushed::Failed(why)
    }
}

/// The lines of git that say why, without its progress; addresses lose what may be a password.
fn reason(stderr: &str) -> String {
    let said: Vec<&str> = stderr
        .lines()
        .map(|line| line.rsplit('\r').next().unwrap_or(line).trim())
        .filter(|line| {
            ["fatal: ", "error: ", "remote: ", "ssh: "]
                .iter()
                .any(|sign| line.starts_with(sign))
                || line.contains("denied")
        })
        .collect();
    crate::vcs::without_passwords(&said.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_is_judged_by_its_flag() {
        assert_eq!(
            pushed(0, "To x\n*\ta:a\t[new branch]\nDone\n", ""),
            Pushed::Done
        );
        let line = "To x\n!\trefs/heads/main:refs/heads/main\t[rejected] (fetch first)\nDone\n";
        assert!(matches!(pushed(1, line, ""), Pushed::Behind(_)));
        let line = "To x\n!\trefs/heads/main:refs/heads/main\t[remote rejected] (pre-receive hook declined)\n";
        let Pushed::Refused(why) = pushed(1, line, "remote: not on a Friday\n") else {
            panic!()
        };
        assert!(why.contains("Friday"), "{why}");
    }

    #[test]
    fn failures_without_a_flag_are_told_apart() {
        let judge = |stderr: &str| pushed(128, "", stderr);
        assert!(matches!(
            judge("fatal: unable to access 'https://h/': Could not resolve host: h"),
            Pushed::Unreachable(_)
        ));
        assert!(matches!(
            judge(
                "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository."
            ),
            Pushed::Refused(_)
        ));
        let Pushed::Refused(why) =
            judge("fatal: Authentication failed for 'https://ada:canary@github.com/a/b/'")
        else {
            panic!()
        };
        assert!(!why.contains("canary"), "{why}");
        assert!(matches!(
            judge("fatal: the disk is full"),
            Pushed::Failed(_)
        ));
    }
}
