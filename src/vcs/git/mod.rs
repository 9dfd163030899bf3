//! The local repository, through the git program: the only way in which hooks, signing, credential helpers,
//! filters and every setting of the person's work as they expect.

mod changes;
mod finish;
mod prepare;
mod run;
mod source;
mod status;
mod tree;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedSender;

use super::{CommitRequest, Committed, Prepared, Repository};
use crate::model::api::RepositoryStatus;
use crate::model::{FileTree, Problem, ProposedFile, Source};
use run::Runner;

/// A repository with a working tree. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Git {
    root: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
    runner: Runner,
}

impl Git {
    /// The repository around `dir`.
    ///
    /// # Errors
    /// `no-git`, `no-repository`, `bare-repository`; `git` with git's own words for anything else (a folder
    /// owned by someone else, say).
    pub async fn open(dir: &Path) -> Result<Self, Problem> {
        Self::open_with(dir, Vec::new()).await
    }

    /// As [`Git::open`], with environment variables for every git process.
    ///
    /// # Errors
    /// As [`Git::open`].
    pub async fn open_with(dir: &Path, env: Vec<(String, String)>) -> Result<Self, Problem> {
        if !dir.is_dir() {
            return Err(Problem::new(
                404,
                "no-repository",
                format!("{} is no folder", dir.display()),
            ));
        }
        let runner = Runner::new(dir, env);
        let asked = runner
            .run(&[
                "rev-parse",
                "--is-bare-repository",
                "--path-format=absolute",
                "--git-dir",
                "--git-common-dir",
                "--show-toplevel",
            ])
            .await?;
        let said = String::from_utf8_lossy(&asked.stdout).into_owned();
        let mut lines = said.lines();
        let bare = lines.next() == Some("true");
        if bare {
            return Err(Problem::new(
                422,
                "bare-repository",
                format!(
                    "{} is a bare repository: it has no working tree",
                    dir.display()
                ),
            )
            .hint("use a clone of it"));
        }
        let stderr = String::from_utf8_lossy(&asked.stderr);
        if !asked.ok() {
            if stderr.contains("not a git repository") {
                return Err(Problem::new(
                    404,
                    "no-repository",
                    format!("{} is not in a git repository", dir.display()),
                )
                .hint("change into the site's folder, or make a repository with `sayso init`"));
            }
            return Err(asked.problem("rev-parse"));
        }
        let mut path = || lines.next().map(PathBuf::from);
        let (Some(git_dir), Some(common_dir), Some(root)) = (path(), path(), path()) else {
            return Err(Problem::internal(format!(
                "git rev-parse said too little: {said:?}"
            )));
        };
        Ok(Self {
            runner: runner.at(&root),
            root,
            git_dir,
            common_dir,
        })
    }

    /// The top folder of the working tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The person's name, as commits would carry it; `None` when git does not know one.
    pub async fn user_name(&self) -> Option<String> {
        let output = self.runner.run(&["config", "user.name"]).await.ok()?;
        let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.ok() && !name.is_empty()).then_some(name)
    }

    /// Who a commit would be by, as `Name <mail>`.
    ///
    /// # Errors
    /// `identity-missing` with the commands that set it.
    pub async fn identity(&self) -> Result<String, Problem> {
        prepare::identity(self).await
    }
}

#[async_trait]
impl Repository for Git {
    async fn status(&self) -> Result<RepositoryStatus, Problem> {
        status::status(self).await
    }

    async fn tree(&self, commit: &str) -> Result<Arc<dyn FileTree>, Problem> {
        Ok(Arc::new(tree::GitTree::open(self, commit).await?))
    }

    async fn source(&self, commit: &str) -> Result<Arc<dyn Source>, Problem> {
        Ok(Arc::new(source::CommitSource::open(self, commit).await?))
    }

    async fn working_changes(&self, paths: &[String]) -> Result<Vec<ProposedFile>, Problem> {
        changes::working(self, paths).await
    }

    async fn dirty(&self, paths: &[String]) -> Result<Vec<String>, Problem> {
        status::dirty(self, paths).await
    }

    async fn changes_of(&self, commit: &str) -> Result<Vec<ProposedFile>, Problem> {
        changes::of_commit(self, commit).await
    }

    async fn prepare(
        &self,
        request: &CommitRequest,
        output: UnboundedSender<String>,
    ) -> Result<Prepared, Problem> {
        prepare::prepare(self, request, output).await
    }

    async fn finish(&self, prepared: &Prepared) -> Result<Committed, Problem> {
        finish::finish(self, prepared).await
    }

    async fn contains(&self, branch: &str, commit: &str) -> Result<bool, Problem> {
        finish::contains(self, branch, commit).await
    }
}
