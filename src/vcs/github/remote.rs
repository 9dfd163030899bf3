//! A repository on GitHub without a clone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::address::part;
use super::api::{Account, Api, Ask};
use super::cache::Cache;
use super::data::{Change, CommitInfo, NewCommit, To, stale};
use super::gone;
use super::signed::{self, Wanted};
use super::tree::{self, Blobs, RemoteSource, RemoteTree};
use super::trouble;
use crate::model::api::{CommitLine, RepositoryStatus};
use crate::model::tree::MemoryTree;
use crate::model::{Content, FileTree, Problem, ProposedFile, Source, failpoint};
use crate::vcs::{CommitRequest, Committed, Prepared, Repository};

/// How long a look at the branch is good for: several questions of one step are one question to GitHub.
const GLANCE: Duration = Duration::from_millis(1_500);

/// A commit that was made just now needs no look before its branch moves.
const FRESH: Duration = Duration::from_secs(10);

/// Bytes up to which a file is shown as text.
const TEXT_LIMIT: usize = 1024 * 1024;

/// A branch of a repository on GitHub.
pub struct Remote {
    api: Api,
    cache: Cache,
    blobs: Arc<Blobs>,
    branch: String,
    signed: bool,
    writable: bool,
    seen: Mutex<Option<Seen>>,
    /// What was prepared by this process, and when.
    made: Mutex<HashMap<String, (Instant, Vec<Change>)>>,
    told: Mutex<Option<UnboundedReceiver<String>>>,
}

/// Where the branch was.
#[derive(Clone)]
struct Seen {
    head: String,
    etag: Option<String>,
    at: Instant,
}

impl Remote {
    /// Opens a branch, the default one for an empty name.
    ///
    /// # Errors
    /// `github-not-found`, `github-token`, `github-unreachable` …
    pub async fn open(
        account: Account,
        branch: &str,
        signed: bool,
        cache: Cache,
    ) -> Result<Self, Problem> {
        let api = Api::new(account.clone())?;
        let about = api.about().await?;
        let branch = match branch {
            "" => about.text("/default_branch")?.to_owned(),
            branch => branch.to_owned(),
        };
        let (sender, told) = unbounded_channel();
        api.tell(sender);
        Ok(Self {
            // Without a word on it, the first write tells.
            writable: about.body["permissions"]["push"].as_bool() != Some(false),
            blobs: Arc::new(Blobs::new(account, cache.clone())),
            api,
            cache,
            branch,
            signed,
            seen: Mutex::new(None),
            made: Mutex::new(HashMap::new()),
            told: Mutex::new(Some(told)),
        })
    }

    /// The branch's head now; empty in a repository without commits.
    async fn look(&self) -> Result<String, Problem> {
        let seen = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(seen) = &seen
            && seen.at.elapsed() < GLANCE
        {
            return Ok(seen.head.clone());
        }
        let etag = seen.as_ref().and_then(|seen| seen.etag.as_deref());
        let (head, etag) = match self.api.head_if_new(&self.branch, etag).await {
            Ok(answer) if answer.status == 304 => {
                seen.map(|seen| (seen.head, seen.etag)).unwrap_or_default()
            }
            Ok(answer) => (
                answer.text("/object/sha")?.to_owned(),
                answer.header("etag").map(str::to_owned),
            ),
            Err(problem) if problem.is("github-empty") => (String::new(), None),
            Err(problem) => return Err(problem),
        };
        self.saw(Some(Seen {
            head: head.clone(),
            etag,
            at: Instant::now(),
        }));
        Ok(head)
    }

    fn saw(&self, seen: Option<Seen>) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }

    async fn commit_info(&self, sha: &str) -> Result<CommitInfo, Problem> {
        if let Some(known) = self.cache.document::<CommitInfo>("commits", sha) {
            return Ok(known);
        }
        let info = self.api.commit(sha).await?;
        self.cache.keep_document("commits", sha, &info);
        Ok(info)
    }

    async fn open_tree(&self, commit: &str) -> Result<RemoteTree, Problem> {
        let tree = self.commit_info(commit).await?.tree;
        tree::open(&self.api, &self.cache, &self.blobs, &tree).await
    }

    /// All entries of a commit's tree, by path.
    async fn entries(&self, commit: &str) -> Result<BTreeMap<String, (u32, String)>, Problem> {
        if commit.is_empty() {
            return Ok(BTreeMap::new());
        }
        let tree = self.commit_info(commit).await?.tree;
        let files = tree::list(&self.api, &self.cache, &tree).await?;
        Ok(files
            .into_iter()
            .map(|(path, mode, oid, _)| (path, (mode, oid)))
            .collect())
    }

    async fn content(&self, entry: Option<&(u32, String)>) -> Result<Content, Problem> {
        let Some((_, oid)) = entry else {
            return Ok(Content::Absent);
        };
        let bytes = tree::blob(&self.api, &self.cache, oid).await?;
        let size = bytes.len() as u64;
        Ok(match String::from_utf8(bytes) {
            Ok(text) if text.len() <= TEXT_LIMIT && !text.contains('\0') => Content::Text { text },
            _ => Content::Binary {
                oid: oid.clone(),
                size,
            },
        })
    }

    /// Paths that differ between two commits, with both sides.
    async fn differing(&self, from: &str, to: &str) -> Result<Vec<Differing>, Problem> {
        let (before, after) = (self.entries(from).await?, self.entries(to).await?);
        let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        Ok(paths
            .into_iter()
            .filter(|path| before.get(*path) != after.get(*path))
            .map(|path| Differing {
                path: path.clone(),
                before: before.get(path).cloned(),
                after: after.get(path).cloned(),
            })
            .collect())
    }

    /// What a prepared commit changes: remembered, or, after a restart, found out from GitHub.
    async fn changes(&self, prepared: &Prepared) -> Result<Vec<Change>, Problem> {
        let known = self
            .made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&prepared.commit)
            .map(|(_, changes)| changes.clone());
        if let Some(changes) = known {
            return Ok(changes);
        }
        let differing = self.differing(&prepared.base, &prepared.commit).await?;
        Ok(differing
            .into_iter()
            .map(|file| Change {
                path: file.path,
                to: match file.after {
                    Some((mode, oid)) => To::Object(mode, oid),
                    None => To::Gone,
                },
            })
            .collect())
    }
}

struct Differing {
    path: String,
    before: Option<(u32, String)>,
    after: Option<(u32, String)>,
}

#[async_trait]
impl Repository for Remote {
    async fn status(&self) -> Result<RepositoryStatus, Problem> {
        let address = self.api.address();
        Ok(RepositoryStatus {
            name: address.name.clone(),
            root: format!("{}/{}", address.host, address.full_name()),
            branch: self.branch.clone(),
            head: self.look().await?,
            changes: 0,
        })
    }

    async fn tree(&self, commit: &str) -> Result<Arc<dyn FileTree>, Problem> {
        if commit.is_empty() {
            let none: [(String, Vec<u8>); 0] = [];
            return Ok(Arc::new(MemoryTree::new(none)));
        }
        Ok(Arc::new(self.open_tree(commit).await?))
    }

    async fn source(&self, commit: &str) -> Result<Arc<dyn Source>, Problem> {
        let tree = self.open_tree(commit).await?;
        let missing: Vec<&str> = tree
            .files()
            .iter()
            .map(|file| file.oid.as_str())
            .filter(|oid| !self.cache.has_blob(oid))
            .collect();
        tree::fetch(&self.api, &self.cache, &missing).await?;
        Ok(Arc::new(RemoteSource {
            commit: commit.to_owned(),
            tree,
        }))
    }

    async fn working_changes(&self, _paths: &[String]) -> Result<Vec<ProposedFile>, Problem> {
        Ok(Vec::new())
    }

    async fn dirty(&self, _paths: &[String]) -> Result<Vec<String>, Problem> {
        Ok(Vec::new())
    }

    async fn changes_of(&self, commit: &str) -> Result<Vec<ProposedFile>, Problem> {
        let parents = self.commit_info(commit).await?.parents;
        let parent = parents.first().cloned().unwrap_or_default();
        self.changes_between(&parent, commit).await
    }

    async fn changes_between(&self, from: &str, to: &str) -> Result<Vec<ProposedFile>, Problem> {
        let mut files = Vec::new();
        for file in self.differing(from, to).await? {
            let mode = |side: &Option<(u32, String)>| side.as_ref().map_or(0, |(mode, _)| *mode);
            let (mode_before, mode_after) = (mode(&file.before), mode(&file.after));
            if mode_before == 0o160_000 || mode_after == 0o160_000 {
                continue;
            }
            files.push(ProposedFile {
                before: self.content(file.before.as_ref()).await?,
                after: self.content(file.after.as_ref()).await?,
                path: file.path,
                mode_before,
                mode_after,
                hunks: Vec::new(),
            });
        }
        Ok(files)
    }

    async fn commits_between(
        &self,
        from: &str,
        to: &str,
        limit: usize,
    ) -> Result<Vec<CommitLine>, Problem> {
        let route = match from {
            "" => format!("/commits?sha={}&per_page={}", part(to), limit.min(100)),
            from => format!("/compare/{}...{}", part(from), part(to)),
        };
        let mut answer = self.api.call(&Ask::get("compare commits", route)).await?;
        let mut commits = match &mut answer.body["commits"] {
            serde_json::Value::Array(commits) => std::mem::take(commits),
            _ => Vec::new(),
        };
        // Compared commits come the oldest first, and a list of commits the newest first.
        commits.reverse();
        if from.is_empty() {
            commits = answer.body.as_array().cloned().unwrap_or_default();
        }
        let line = |commit: &serde_json::Value| {
            let message = commit["commit"]["message"].as_str().unwrap_or_default();
            Some(CommitLine {
                commit: commit["sha"].as_str()?.to_owned(),
                author: commit["commit"]["author"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                title: message.lines().next().unwrap_or_default().to_owned(),
            })
        };
        Ok(commits.iter().filter_map(line).take(limit).collect())
    }

    async fn prepare(
        &self,
        request: &CommitRequest,
        _output: UnboundedSender<String>,
    ) -> Result<Prepared, Problem> {
        let address = self.api.address();
        if !self.writable {
            return Err(Problem::new(
                403,
                "github-forbidden",
                format!("the token may read {address} but not write to it"),
            )
            .hint("it needs scope `repo` (classic) or Contents: read and write (fine-grained)"));
        }
        let changes = changes(&request.files)?;
        if request.message.trim().is_empty() {
            return Err(
                Problem::new(422, "empty-message", "the commit message is empty")
                    .hint("say in one line what the change does"),
            );
        }
        if request.base.is_empty() {
            return Err(trouble::empty(address));
        }
        let base_tree = self.commit_info(&request.base).await?.tree;
        // Both at once: a tree that is made in vain is cleared away by GitHub.
        let (head, tree) = tokio::join!(
            self.api.head(&request.branch),
            self.api.make_tree(&base_tree, &changes)
        );
        if head? != request.base {
            self.saw(None);
            return Err(stale(&request.branch));
        }
        let mut tree = tree?;
        if changes.iter().any(|change| change.to == To::Gone) {
            let mut files = tree::list(&self.api, &self.cache, &base_tree)
                .await?
                .into_iter()
                .map(|(path, mode, oid, _)| (path, (mode, oid)))
                .collect();
            gone::apply(&mut files, &changes);
            if tree != gone::tree_id(&files) {
                let after = files.into_keys().collect();
                tree = gone::without_empty(&self.api, tree, &changes, &after).await?;
            }
        }
        if tree == base_tree {
            return Err(Problem::new(
                422,
                "nothing-to-commit",
                "the result is the same as what is committed already",
            )
            .hint("accept at least one piece of the change"));
        }
        let commit = self
            .api
            .make_commit(&NewCommit {
                message: format!("{}\n", request.message.trim_end()),
                tree,
                parent: request.base.clone(),
                ..NewCommit::default()
            })
            .await?;
        self.cache.keep_document("commits", &commit.sha, &commit);
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(commit.sha.clone(), (Instant::now(), changes));
        failpoint::reach("commit.prepared");
        Ok(Prepared {
            commit: commit.sha,
            base: request.base.clone(),
            branch: request.branch.clone(),
            output: Vec::new(),
        })
    }

    async fn finish(&self, prepared: &Prepared) -> Result<Committed, Problem> {
        let fresh = self
            .made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&prepared.commit)
            .is_some_and(|(at, _)| at.elapsed() < FRESH);
        let commit = if self.signed {
            let info = self.commit_info(&prepared.commit).await?;
            let changes = self.changes(prepared).await?;
            let wanted = Wanted {
                branch: &prepared.branch,
                base: &prepared.base,
                message: &info.message,
                tree: &info.tree,
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
            super::follow::land(&self.api, prepared, fresh).await?;
            prepared.commit.clone()
        };
        failpoint::reach("commit.ref");
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&prepared.commit);
        self.saw(None);
        Ok(Committed {
            commit,
            ..Committed::default()
        })
    }

    async fn tip(&self, branch: &str) -> Result<String, Problem> {
        self.api.head(branch).await
    }

    async fn contains(&self, branch: &str, commit: &str) -> Result<bool, Problem> {
        let head = self.api.head(branch).await?;
        self.api.contains(&head, commit).await
    }

    fn told(&self) -> Option<UnboundedReceiver<String>> {
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// The accepted files as GitHub takes them.
pub(super) fn changes(files: &[ProposedFile]) -> Result<Vec<Change>, Problem> {
    if files.is_empty() {
        return Err(Problem::new(
            422,
            "nothing-to-commit",
            "the result is the same as what is committed already",
        )
        .hint("accept at least one piece of the change"));
    }
    files
        .iter()
        .map(|file| {
            crate::vcs::check_path(&file.path)?;
            Ok(Change {
                path: file.path.clone(),
                to: match &file.after {
                    Content::Absent => To::Gone,
                    Content::Text { text } => To::Bytes(file.mode_after, text.clone().into_bytes()),
                    Content::Binary { oid, .. } => To::Object(file.mode_after, oid.clone()),
                },
            })
        })
        .collect()
}
