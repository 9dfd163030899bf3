//! A repository on GitHub with a clone on this machine.

use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::api::{Account, Api};
use super::cache::Cache;
use super::data::{Change, To, stale};
use super::early::{self, Early};
use super::signed::{self, Wanted};
use super::{follow, gone, trouble, twin};
use crate::model::api::{CommitLine, RepositoryStatus};
use crate::model::{FileTree, Problem, ProposedFile, Source};
use crate::vcs::git::{Git, Sent};
use crate::vcs::{CommitRequest, Committed, Prepared, Repository, Standing};

/// A commit that was made just now needs no look before its branch moves.
const FRESH: Duration = Duration::from_secs(10);

/// The clone, and the repository that it is one of.
pub struct Cloned {
    git: Git,
    api: Api,
    cache: Cache,
    remote: String,
    signed: bool,
    /// The last commit that was prepared, and when.
    made: Mutex<Option<(String, Instant)>>,
    told: Mutex<Option<UnboundedReceiver<String>>>,
}

impl Cloned {
    /// Makes no request: without a network everything but committing works.
    ///
    /// # Errors
    /// `config` for an address that is none.
    pub fn new(
        git: Git,
        remote: &str,
        account: Account,
        signed: bool,
        cache: Cache,
    ) -> Result<Self, Problem> {
        let api = Api::new(account)?;
        let (sender, told) = unbounded_channel();
        api.tell(sender);
        Ok(Self {
            git,
            api,
            cache,
            remote: remote.to_owned(),
            signed,
            made: Mutex::new(None),
            told: Mutex::new(Some(told)),
        })
    }

    /// The server's branch is not where the clone's is: brings the clone along where that loses nothing.
    async fn catch_up(&self, branch: &str, base: &str, head: &str) -> Result<Problem, Problem> {
        if self.git.has(head).await && self.git.below(head, base).await? {
            return Ok(Problem::new(
                409,
                "unpushed",
                format!("{branch} has commits here that GitHub lacks"),
            )
            .hint(format!(
                "push them first: git push {} {branch}",
                self.remote
            )));
        }
        follow::bring(&self.api, &self.git, &self.remote, branch, head).await?;
        self.git.note_remote(&self.remote, branch, head).await;
        if !self.git.below(base, head).await? {
            return Ok(Problem::new(
                409,
                "diverged",
                format!("{branch} has commits here that GitHub lacks, and GitHub has others"),
            )
            .hint(format!(
                "bring them together: git pull --rebase {} {branch} && git push",
                self.remote
            )));
        }
        let moved = self.git.fast_forward(branch, base, head).await?;
        self.api.say(if moved.kept.is_empty() {
            format!("{branch} was brought to where GitHub has it")
        } else {
            format!(
                "{branch} was brought to where GitHub has it; your uncommitted lines stay in {}",
                moved.kept.join(", ")
            )
        });
        Ok(stale(branch))
    }

    /// Makes the commit here, and looks already at what of the clone it will change: GitHub still takes in the files.
    async fn prepare_here(
        &self,
        request: &CommitRequest,
        output: UnboundedSender<String>,
    ) -> Result<Prepared, Problem> {
        let prepared = self.git.prepare(request, output).await?;
        self.git.look_ahead(&prepared).await;
        Ok(prepared)
    }

    async fn changes(&self, prepared: &Prepared) -> Result<Vec<Change>, Problem> {
        let sent = self.git.sent(&prepared.base, &prepared.commit).await?;
        Ok(sent.into_iter().map(change).collect())
    }

    /// The tree on GitHub of the commit that git made here.
    async fn tree(
        &self,
        prepared: &Prepared,
        wanted: &str,
        early: Option<Early>,
    ) -> Result<String, Problem> {
        if let Some(early) = early {
            let tree = self
                .tidied(prepared, wanted, early.tree, &early.changes)
                .await?;
            if tree == wanted {
                return Ok(tree);
            }
        }
        let (changes, base) =
            tokio::join!(self.changes(prepared), self.git.tree_of(&prepared.base));
        let (changes, base) = (changes?, base?);
        let tree = self.api.make_tree(&base, &changes).await?;
        self.tidied(prepared, wanted, tree, &changes).await
    }

    /// `tree` without empty folders, where those are what makes it another one than `wanted`.
    async fn tidied(
        &self,
        prepared: &Prepared,
        wanted: &str,
        tree: String,
        changes: &[Change],
    ) -> Result<String, Problem> {
        if tree == wanted || !changes.iter().any(|change| change.to == To::Gone) {
            return Ok(tree);
        }
        let after = self.git.paths(&prepared.commit).await?;
        gone::without_empty(&self.api, tree, changes, &after).await
    }

    /// GitHub makes the commit that git made here; the id that it has there.
    async fn send(&self, prepared: &Prepared, early: Option<Early>) -> Result<String, Problem> {
        let wanted = twin::request(&self.git.raw_commit(&prepared.commit).await?)?;
        let tree = self.tree(prepared, &wanted.tree, early).await?;
        if tree != wanted.tree {
            return Err(Problem::new(
                502,
                "github-failed",
                "GitHub made other files of the change than git did here",
            )
            .hint("nothing was committed; push with git instead: [vcs] commit = \"git\""));
        }
        let made = self.api.make_commit(&wanted).await?;
        if made.sha != prepared.commit {
            if wanted.signature.is_some() {
                return Err(Problem::new(
                    422,
                    "signing-failed",
                    "GitHub did not keep the commit as you signed it",
                )
                .hint("let GitHub sign: [github] signed = true; or push with git: [vcs] commit = \"git\""));
            }
            // As GitHub writes it: other zone, same moment. The clone takes it over, from now on it is the commit.
            if let Some(raw) = twin::bytes(&made) {
                self.git.write_object("commit", raw).await?;
            }
        }
        Ok(made.sha)
    }

    /// Brings the clone to the commit that the server has. It may fail without harm: the commit is made.
    async fn settle(&self, prepared: &Prepared, commit: &str) -> Committed {
        let mut done = Committed {
            commit: commit.to_owned(),
            output: prepared.output.clone(),
            ..Committed::default()
        };
        let prepared = Prepared {
            commit: commit.to_owned(),
            ..prepared.clone()
        };
        let branch = &prepared.branch;
        let result = async {
            follow::bring(&self.api, &self.git, &self.remote, branch, commit).await?;
            let noted = self.git.note_remote(&self.remote, branch, commit);
            tokio::join!(noted, self.git.finish(&prepared)).1
        };
        match result.await {
            Ok(committed) => committed,
            Err(problem) => {
                done.trouble = Some(
                    Problem::new(
                        409,
                        "clone-behind",
                        format!(
                            "GitHub has the commit {}, but this clone could not follow: {}",
                            commit.get(..7).unwrap_or(commit),
                            problem.detail
                        ),
                    )
                    .hint(format!("git pull --rebase {} {branch}", self.remote)),
                );
                done
            }
        }
    }
}

fn change(sent: Sent) -> Change {
    Change {
        to: match (sent.mode, sent.bytes) {
            (0, _) => To::Gone,
            (mode, Some(bytes)) => To::Bytes(mode, bytes),
            (mode, None) => To::Object(mode, sent.oid),
        },
        path: sent.path,
    }
}

#[async_trait]
impl Repository for Cloned {
    async fn status(&self) -> Result<RepositoryStatus, Problem> {
        self.git.status().await
    }

    async fn standing(&self) -> Result<Standing, Problem> {
        self.git.standing().await
    }

    async fn tree(&self, commit: &str) -> Result<Arc<dyn FileTree>, Problem> {
        self.git.tree(commit).await
    }

    async fn source(&self, commit: &str) -> Result<Arc<dyn Source>, Problem> {
        self.git.source(commit).await
    }

    async fn working_changes(&self, paths: &[String]) -> Result<Vec<ProposedFile>, Problem> {
        self.git.working_changes(paths).await
    }

    async fn dirty(&self, paths: &[String]) -> Result<Vec<String>, Problem> {
        self.git.dirty(paths).await
    }

    async fn changes_of(&self, commit: &str) -> Result<Vec<ProposedFile>, Problem> {
        self.git.changes_of(commit).await
    }

    async fn changes_between(&self, from: &str, to: &str) -> Result<Vec<ProposedFile>, Problem> {
        self.git.changes_between(from, to).await
    }

    async fn commits_between(
        &self,
        from: &str,
        to: &str,
        limit: usize,
    ) -> Result<Vec<CommitLine>, Problem> {
        self.git.commits_between(from, to, limit).await
    }

    async fn prepare(
        &self,
        request: &CommitRequest,
        output: UnboundedSender<String>,
    ) -> Result<Prepared, Problem> {
        let early = async {
            if self.signed {
                return Ok(None);
            }
            early::send(&self.api, &self.git, request).await
        };
        // The files are longest under way, so they go first.
        let (early, head, prepared) = tokio::join!(
            early,
            self.api.head(&request.branch),
            self.prepare_here(request, output)
        );
        // What is wrong here counts first: it needs no network to be mended.
        let mut prepared = prepared?;
        if request.base.is_empty() {
            return Err(trouble::empty(self.api.address()));
        }
        let head = head?;
        if head != request.base {
            let problem = self.catch_up(&request.branch, &request.base, &head).await?;
            return Err(problem);
        }
        if !self.signed {
            let made = self.send(&prepared, early?).await?;
            self.git.known_as(&prepared, &made);
            prepared.commit = made;
        }
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((prepared.commit.clone(), Instant::now()));
        Ok(prepared)
    }

    async fn finish(&self, prepared: &Prepared) -> Result<Committed, Problem> {
        let fresh = self
            .made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .is_some_and(|(commit, at)| commit == prepared.commit && at.elapsed() < FRESH);
        let commit = if self.signed {
            let raw = self.git.raw_commit(&prepared.commit).await?;
            let (changes, made) = (self.changes(prepared).await?, twin::request(&raw)?);
            let wanted = Wanted {
                branch: &prepared.branch,
                base: &prepared.base,
                message: &made.message,
                tree: &made.tree,
                changes: &changes,
            };
            let already = if fresh {
                None
            } else {
                signed::found(&self.api, &wanted).await?
            };
            match already {
                Some(commit) => commit,
                None => signed::commit(&self.api, &self.cache, &wanted).await?,
            }
        } else {
            follow::land(&self.api, prepared, fresh).await?;
            prepared.commit.clone()
        };
        crate::model::failpoint::reach("commit.landed");
        Ok(self.settle(prepared, &commit).await)
    }

    async fn tip(&self, branch: &str) -> Result<String, Problem> {
        self.git.tip(branch).await
    }

    async fn contains(&self, branch: &str, commit: &str) -> Result<bool, Problem> {
        self.git.contains(branch, commit).await
    }

    fn told(&self) -> Option<UnboundedReceiver<String>> {
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}
