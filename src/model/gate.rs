//! What stands between a release and an environment: approvals, freeze windows, a turn.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::api::{CommitLine, FileChange};
use super::id::{DeploymentId, ReleaseId};

/// Who must say yes before something goes to an environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ApprovalRule {
    /// Nobody: it goes when it is asked for.
    #[default]
    #[serde(rename = "none")]
    None,
    /// One person, who saw what it changes.
    #[serde(rename = "ask")]
    Ask,
    /// Two different people.
    #[serde(rename = "two people")]
    TwoPeople,
}

impl ApprovalRule {
    /// Every rule.
    pub const ALL: [ApprovalRule; 3] = [Self::None, Self::Ask, Self::TwoPeople];

    /// The name in the configuration and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ask => "ask",
            Self::TwoPeople => "two people",
        }
    }

    /// The rule of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == name)
    }

    /// How many different people must approve.
    pub fn needed(self) -> usize {
        match self {
            Self::None => 0,
            Self::Ask => 1,
            Self::TwoPeople => 2,
        }
    }
}

/// A yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Who.
    pub actor: String,
    /// With which token; absent for the server's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What a deployment waits for or was let through by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Who must say yes.
    pub rule: ApprovalRule,
    /// Who has.
    #[serde(default)]
    pub given: Vec<Given>,
    /// What the environment served when this was asked for; absent: nothing. It goes only as long as that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<ReleaseId>,
    /// The commit of that release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The files that differ since then; at most a hundred.
    #[serde(default)]
    pub files: Vec<FileChange>,
    /// How many files differ in all.
    #[serde(default)]
    pub changed: usize,
    /// The commits since then, newest first; at most twenty.
    #[serde(default)]
    pub commits: Vec<CommitLine>,
    /// It is held back until then by a freeze window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_until: Option<Timestamp>,
}

impl Gate {
    /// How many more people must approve.
    pub fn missing(&self) -> usize {
        self.rule.needed().saturating_sub(self.given.len())
    }
}

/// The release that a deployment moves on, instead of making one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// The release.
    pub release: ReleaseId,
    /// The environment that it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What the environment served when it was asked for; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<ReleaseId>,
    /// The target cannot take the release over, so that its commit is deployed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,
    /// It was not asked for by a person, but follows from a good deployment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
}

/// Who is at an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The deployment.
    pub deployment: DeploymentId,
    /// Who asked for it.
    pub owner: String,
    /// Since when.
    pub since: Timestamp,
}

/// An environment: what is set for it, and what stands before it now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentStatus {
    /// Its name.
    pub name: String,
    /// The name of its target.
    pub target: String,
    /// The branch that it follows; empty: the one that is checked out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub branch: String,
    /// Its address, where one is set.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Who must say yes.
    pub approval: ApprovalRule,
    /// The checks before each step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// Where a good release goes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promote_to: Option<String>,
    /// Nothing new goes to it until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_until: Option<Timestamp>,
    /// Who is at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    /// Who is next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued: Option<Lock>,
    /// What waits for approval, or for a freeze window to end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Lock>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_called_the_same_everywhere() {
        for rule in ApprovalRule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.as_str());
            assert_eq!(ApprovalRule::named(rule.as_str()), Some(rule));
        }
        assert_eq!(ApprovalRule::named("two"), None);
    }
}
