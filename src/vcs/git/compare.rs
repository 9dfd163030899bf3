//! Which commits lie between two others, and what a prepared commit changes.

use std::sync::PoisonError;

use crate::model::Problem;
use crate::model::api::CommitLine;
use crate::vcs::Prepared;

use super::changes::RawChange;
use super::run::Call;
use super::{Git, is_id};

/// What a prepared commit changes, looked at before it is asked for.
pub(super) struct Compared {
    base: String,
    commit: String,
    changes: Vec<RawChange>,
}

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

    /// Looks at what a prepared commit changes, for when it is finished. A failure shows then.
    pub(in crate::vcs) async fn look_ahead(&self, prepared: &Prepared) {
        let Ok(changes) = self.between(&prepared.base, &prepared.commit).await else {
            return;
        };
        self.remember(Some(Compared {
            base: prepared.base.clone(),
            commit: prepared.commit.clone(),
            changes,
        }));
    }

    /// The commit `made` has the very files of the prepared one: what is known of that is known of it.
    pub(in crate::vcs) fn known_as(&self, prepared: &Prepared, made: &str) {
        let known = self.remember(None).filter(|known| known.is_of(prepared));
        self.remember(known.map(|known| Compared {
            commit: made.to_owned(),
            ..known
        }));
    }

    /// What a prepared commit changes.
    pub(super) async fn changed_by(&self, prepared: &Prepared) -> Result<Vec<RawChange>, Problem> {
        match self.remember(None).filter(|known| known.is_of(prepared)) {
            Some(known) => Ok(known.changes),
            None => self.between(&prepared.base, &prepared.commit).await,
        }
    }

    /// Puts `now` in the place of what is remembered, and gives that.
    fn remember(&self, now: Option<Compared>) -> Option<Compared> {
        let mut place = self
            .shared
            .compared
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, now)
    }
}

impl Compared {
    fn is_of(&self, prepared: &Prepared) -> bool {
        self.base == prepared.base && self.commit == prepared.commit
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
