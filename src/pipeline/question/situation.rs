//! What is looked up before it is decided what a spoken command means now.

use crate::config::Environment;
use crate::intent::table::moved_from;
use crate::model::{Problem, ProposalKind, ReleaseId};
use crate::pipeline::Conductor;
use crate::pipeline::control::Promotes;
use crate::pipeline::records;

impl Conductor {
    /// The environment that a promotion goes to where none is named: the last one that others lead to.
    pub(super) fn next_environment(&self) -> Option<&str> {
        let leads = |rules: &Environment| rules.promote_to.clone();
        let last = self.rules.values().filter_map(leads).find(|to| {
            self.rules
                .get(to)
                .is_none_or(|rules| rules.promote_to.is_none())
        })?;
        self.targets
            .get_key_value(&last)
            .map(|(name, _)| name.as_str())
    }

    /// What a promotion to `environment` would move there, as `phrase` says it.
    pub(super) fn promotes(&self, environment: &str, phrase: &str) -> Result<Promotes, String> {
        let names = self.targets.keys().map(String::as_str);
        let leads = self.rules.values().find(|rules| {
            rules.promote_to.as_deref() == Some(environment)
                && self.targets.contains_key(&rules.name)
        });
        let mut others = names.clone().filter(|name| *name != environment);
        let from = moved_from(phrase, names)
            .filter(|from| *from != environment)
            .or(leads.map(|rules| rules.name.as_str()))
            .or_else(|| match (others.next(), others.next()) {
                (Some(only), None) => Some(only),
                _ => None,
            });
        let Some(from) = from else {
            return Err(format!(
                "say what is to be promoted: \u{ab}promote staging to {environment}\u{bb}"
            ));
        };
        let served = |name: &str| self.targets.get(name).and_then(|target| target.live(name));
        let Some(live) = served(from) else {
            return Err(format!("{from} serves nothing that could be promoted"));
        };
        let over = served(environment).map(|live| live.release);
        if over.as_ref() == Some(&live.release) {
            return Err(format!("{environment} serves {} already", live.release));
        }
        Ok(Promotes {
            from: from.to_owned(),
            release: live.release,
            commit: live.commit,
            over,
        })
    }

    /// The release a rollback of `environment` would return to, with its commit.
    pub(super) fn previous(
        &self,
        environment: &str,
    ) -> Result<Option<(ReleaseId, String)>, Problem> {
        let releases = self.target(environment)?.releases(environment);
        let mut older = releases
            .iter()
            .skip_while(|release| !release.current)
            .skip(1);
        Ok(older
            .find(|release| !release.bad)
            .map(|release| (release.id.clone(), release.commit.clone())))
    }

    /// The commit at the head, if it was made from a proposal (and can so be proposed back).
    pub(super) fn undoable(&self, head: &str) -> Result<Option<String>, Problem> {
        let recent = records::proposals(&self.log, 50)?;
        Ok(recent
            .into_iter()
            .filter(|proposal| {
                proposal.kind != ProposalKind::WorkingTree || !proposal.base.is_empty()
            })
            .find_map(|proposal| proposal.commit.filter(|commit| commit == head)))
    }
}
