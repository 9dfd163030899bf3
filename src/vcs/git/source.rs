//! A commit laid out in a folder, as git would check it out.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use crate::model::{Problem, Source};

use super::Git;
use super::run::{Call, Runner};

/// Large-file storage may have to fetch what is not here yet.
const LIMIT: Duration = Duration::from_secs(15 * 60);

struct GitSource {
    commit: String,
    tree: String,
    git_dir: std::path::PathBuf,
    runner: Runner,
}

impl Git {
    /// The commit as something to deploy.
    pub(super) async fn snapshot(&self, commit: &str) -> Result<Arc<dyn Source>, Problem> {
        let tree = self.tree_id(commit).await?;
        Ok(Arc::new(GitSource {
            commit: commit.to_owned(),
            tree,
            git_dir: self.shared.git_dir.clone(),
            runner: self.shared.runner.clone(),
        }))
    }
}

impl Source for GitSource {
    fn commit(&self) -> &str {
        &self.commit
    }

    fn tree(&self) -> &str {
        &self.tree
    }

    fn export(&self, into: &Path) -> io::Result<()> {
        let into = std::path::absolute(into)?;
        let scratch = tempfile::tempdir()?;
        // The folder stands in as the working tree of a fresh index. So attributes (line endings, filters,
        // large files) are those of the commit, not those of the person's own, perhaps edited, files.
        let call = Call::new([
            "-c",
            "core.splitIndex=false",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.sparseCheckout=false",
            "-c",
            "advice.detachedHead=false",
            "read-tree",
            "--reset",
            "-u",
            &self.tree,
        ])
        .index(&scratch.path().join("index"))
        .env("GIT_DIR", &self.git_dir)
        .env("GIT_WORK_TREE", &into);
        let runner = Runner {
            folder: into,
            env: self.runner.env.clone(),
        };
        run(&runner, &call)
    }
}

/// Runs a call to its end, without a runtime.
fn run(runner: &Runner, call: &Call) -> io::Result<()> {
    let mut child = runner
        .command(call)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let (done, ended) = mpsc::channel();
    let pipe = child.stderr.take();
    std::thread::spawn(move || {
        let said = pipe
            .and_then(|pipe| io::read_to_string(pipe).ok())
            .unwrap_or_default();
        let _ = done.send(said);
    });
    let Ok(said) = ended.recv_timeout(LIMIT) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "git took too long to write files",
        ));
    };
    let status = child.wait()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!(
            "git could not write the files: {}",
            said.trim()
        )))
    }
}
