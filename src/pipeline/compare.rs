//! What differs between two releases.

use super::{Conductor, records};
use crate::model::api::{Comparison, FileChange};
use crate::model::{LineTag, Problem, ProposedFile};
use crate::review;

/// Commits listed on either side.
const COMMITS: usize = 100;
/// Bytes of a patch; what is longer is no reading matter.
const PATCH: usize = 512 * 1024;

/// How many lines differ in a file; its hunks are made on the way.
pub(super) fn counted(file: &mut ProposedFile) -> FileChange {
    review::diff::refresh(file);
    let count = |tag: LineTag| {
        let lines = file.hunks.iter().flat_map(|hunk| &hunk.lines);
        lines.filter(|line| line.tag == tag).count()
    };
    FileChange {
        path: file.path.clone(),
        added: count(LineTag::Insert),
        removed: count(LineTag::Delete),
    }
}

impl Conductor {
    /// Compares what `a` and `b` were built from: deployments, releases or full commit ids.
    ///
    /// # Errors
    /// `not-found` when one of them is not known, or its commit is not in the repository any more.
    pub async fn compare(&self, a: &str, b: &str) -> Result<Comparison, Problem> {
        let (from, to) = (self.commit_named(a)?, self.commit_named(b)?);
        let mut files = self.repo.changes_between(&from, &to).await?;
        let counts: Vec<FileChange> = files.iter_mut().map(counted).collect();
        let mut patch = review::patch::unified(&files);
        let truncated = patch.len() > PATCH;
        if truncated {
            let end = (0..=PATCH).rev().find(|end| patch.is_char_boundary(*end));
            patch.truncate(end.unwrap_or(0));
        }
        Ok(Comparison {
            commits: self.repo.commits_between(&from, &to, COMMITS).await?,
            lost: self.repo.commits_between(&to, &from, COMMITS).await?,
            files: counts,
            from,
            to,
            patch,
            truncated,
        })
    }

    /// As [`Self::compare`], of the commits alone: without looking at files, and so quick whatever differs. Without `a`
    /// these are the newest commits up to `b`.
    ///
    /// # Errors
    /// As [`Self::compare`].
    pub async fn compare_commits(&self, a: Option<&str>, b: &str) -> Result<Comparison, Problem> {
        let to = self.commit_named(b)?;
        let from = a.map(|a| self.commit_named(a)).transpose()?;
        let from = from.unwrap_or_default();
        Ok(Comparison {
            commits: self.repo.commits_between(&from, &to, COMMITS).await?,
            lost: match from.as_str() {
                "" => Vec::new(),
                from => self.repo.commits_between(&to, from, COMMITS).await?,
            },
            files: Vec::new(),
            from,
            to,
            patch: String::new(),
            truncated: false,
        })
    }

    /// The commit of a deployment, of a release, or the commit itself.
    fn commit_named(&self, name: &str) -> Result<String, Problem> {
        if name.starts_with("dep_") {
            return Ok(records::deployment(&self.log, &name.into())?.commit);
        }
        let hex = matches!(name.len(), 40 | 64) && name.bytes().all(|b| b.is_ascii_hexdigit());
        if hex {
            return Ok(name.to_owned());
        }
        let kept = self.targets.iter();
        let kept = kept.flat_map(|(environment, target)| target.releases(environment));
        let release = kept.into_iter().find(|release| release.id.0 == name);
        release.map(|release| release.commit).ok_or_else(|| {
            Problem::not_found(format!(
                "there is no deployment, release or commit {name:?}"
            ))
            .hint("`sayso deployments` lists them")
        })
    }
}
