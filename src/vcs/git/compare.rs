//! Which commits lie between two others.

use crate::model::Problem;
use crate::model::api::CommitLine;

use super::run::Call;
use super::{Git, is_id};

impl Git {
    /// At most `limit` commits, newest first, that `to` has and `from` lacks.
    pub(super) async fn history_between(
        &self,
        from: &str,
        to: &str,
        limit: usize,
    ) -> Result<Vec<CommitLine>, Problem> {
        let whole = from.is_empty();
        for (id, right) in [(from, whole || is_id(from)), (to, is_id(to))] {
            if !right {
                return Err(Problem::bad_request(format!("{id:?} is no commit id")));
            }
        }
        let limit = format!("--max-count={limit}");
        let range = match from {
            "" => to.to_owned(),
            from => format!("{from}..{to}"),
        };
        let call = Call::new([
            "log",
            "-z",
            "--no-show-signature",
            "--format=%H %an%n%s",
            &limit,
            &range,
            "--",
        ]);
        let output = self.run(call).await?;
        if output.code != 0 {
            return Err(Problem::not_found(format!(
                "the repository has no history between {from} and {to}"
            ))
            .hint("a shallow clone lacks older commits: `git fetch --unshallow`"));
        }
        Ok(output.records().filter_map(line).collect())
    }
}

/// A commit as the format above writes it.
fn line(record: &[u8]) -> Option<CommitLine> {
    let text = String::from_utf8_lossy(record);
    let (head, title) = text.split_once('\n')?;
    let (commit, author) = head.split_once(' ')?;
    Some(CommitLine {
        commit: commit.to_owned(),
        author: author.to_owned(),
        title: title.trim_end().to_owned(),
    })
}
