//! A commit as something to deploy: checked out into a folder as git would, filters and all.

use std::io;
use std::path::Path;

use super::Git;
use super::run::Runner;
use crate::model::{Problem, Source};

/// The files of one commit, to be exported.
pub struct CommitSource {
    commit: String,
    tree: String,
    runner: Runner,
}

impl CommitSource {
    /// The source of `commit`.
    pub async fn open(git: &Git, commit: &str) -> Result<Self, Problem> {
        let asked = git
            .runner
            .run(&[
                "rev-parse",
                "--verify",
                "--quiet",
                &format!("{commit}^{{tree}}"),
            ])
            .await?;
        if !asked.ok() {
            return Err(Problem::not_found(format!("there is no commit {commit}")));
        }
        Ok(Self {
            commit: commit.to_owned(),
            tree: asked.text(),
            runner: git.runner.clone(),
        })
    }

    fn git(&self, runner: &Runner, args: &[&str]) -> io::Result<()> {
        let output = runner.std_command(args).output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!(
            "git {} failed: {}",
            args[0],
            said.trim()
        )))
    }
}

impl Source for CommitSource {
    fn commit(&self) -> &str {
        &self.commit
    }

    fn tree(&self) -> &str {
        &self.tree
    }

    fn export(&self, into: &Path) -> io::Result<()> {
        // An index of our own: the person's is never read or written.
        let scratch = tempfile::tempdir()?;
        let runner = self
            .runner
            .with("GIT_INDEX_FILE", &scratch.path().join("index"));
        self.git(&runner, &["read-tree", &self.tree])?;
        let mut prefix = into.to_path_buf().into_os_string();
        prefix.push("/");
        let prefix = prefix
            .into_string()
            .map_err(|name| io::Error::other(format!("the folder {name:?} is not UTF-8")))?;
        self.git(
            &runner,
            &[
                "checkout-index",
                "--all",
                "--force",
                &format!("--prefix={prefix}"),
            ],
        )
    }
}
