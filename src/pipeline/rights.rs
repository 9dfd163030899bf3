//! How far whoever asks may go. The routes ask for a role before a request gets here; what a request comes to (spoken words,
//! an approval that deploys, an answer to somebody's question) is only known here, so it is asked again.

use jiff::Timestamp;

use super::Conductor;
use super::control::Act;
use crate::model::token::TokenInfo;
use crate::model::{Action, Identity, Instruction, Problem, Role, proposal_room};

/// What a refusal calls a deployment.
pub(super) const DEPLOYING: &str = "deploying";

/// What a refusal calls a commit.
pub(super) const COMMITTING: &str = "committing";

/// The role that a step to `action` needs.
pub(super) fn role_for(action: Action) -> (Role, &'static str) {
    match action {
        Action::Preview => (Role::Author, "changing a proposal"),
        Action::Commit => (Role::Author, COMMITTING),
        Action::Deploy => (Role::Deployer, DEPLOYING),
    }
}

/// The role that an act needs, what a refusal calls it, and the room whose roles count.
fn needs(act: &Act) -> (Role, &'static str, Option<String>) {
    let author = |what| (Role::Author, what, None);
    let deployer = |what| (Role::Deployer, what, None);
    match act {
        Act::Approve {
            proposal, action, ..
        } => {
            let (role, what) = role_for(*action);
            (role, what, Some(proposal_room(proposal.as_str())))
        }
        Act::CommitAtOnce { proposal, .. } => {
            let room = proposal_room(proposal.as_str());
            (Role::Author, COMMITTING, Some(room))
        }
        Act::Reject(proposal) => {
            let room = proposal_room(proposal.as_str());
            (Role::Author, "declining a proposal", Some(room))
        }
        Act::Show(proposal) => {
            let room = proposal_room(proposal.as_str());
            (Role::Author, "building a preview", Some(room))
        }
        Act::Deploy { .. } => deployer(DEPLOYING),
        Act::Rollback(_) => deployer("going back to an earlier release"),
        Act::Promote { .. } => deployer("promoting a release"),
        Act::Let { .. } => deployer("approving a deployment"),
        Act::Decline(_) => deployer("declining a deployment"),
        Act::UndoCommit(_) => author(COMMITTING),
        // What is answered is looked at again with the question itself.
        Act::Answer(..) | Act::AnswerSecond(_) => author("answering a question"),
        Act::ProposeChanges(_)
        | Act::ProposeUndo(_)
        | Act::Open(_)
        | Act::Change(_)
        | Act::Help
        | Act::Status
        | Act::Stop
        | Act::SettleConflict => author("giving an instruction"),
    }
}

/// Refuses an act to who may not do it.
///
/// # Errors
/// `forbidden`.
pub(super) fn may(by: &Identity, act: &Act) -> Result<(), Problem> {
    let (role, what, room) = needs(act);
    match room {
        Some(room) => by.may_in(&room, role, what),
        None => by.may(role, what),
    }
}

impl Conductor {
    /// Who gave an instruction. Its token is looked at anew: what goes on by itself ends with it.
    ///
    /// # Errors
    /// `forbidden` when the token has ended or was revoked meanwhile.
    pub(super) fn giver(&self, instruction: &Instruction) -> Result<Identity, Problem> {
        let Some(bearer) = &instruction.bearer else {
            return Ok(Identity::owner(&instruction.actor));
        };
        let known: Option<TokenInfo> = self.log.get(TokenInfo::KIND, &bearer.token)?;
        if known.is_none_or(|known| known.over(Timestamp::now())) {
            return Err(Problem::new(
                403,
                "forbidden",
                format!(
                    "the token of {} ended before this was done",
                    instruction.actor
                ),
            )
            .hint("say it again with a token that is valid"));
        }
        Ok(bearer.identity(&instruction.actor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_deploy_may_not_do_it_by_any_word() {
        let mut author = Identity::owner("bob");
        author.role = Role::Author;
        let proposal = || "pro_1".into();
        let approve = |action| Act::Approve {
            proposal: proposal(),
            version: 1,
            action,
        };
        let deploys = [
            approve(Action::Deploy),
            Act::Deploy {
                commit: "c".into(),
                force: false,
            },
            Act::Rollback("rel_1".into()),
            Act::Promote {
                from: "staging".into(),
                release: "rel_1".into(),
                over: None,
            },
            Act::Let {
                deployment: "dep_1".into(),
                over: None,
            },
            Act::Decline("dep_1".into()),
        ];
        let mut deployer = author.clone();
        deployer.role = Role::Deployer;
        for act in &deploys {
            let refused = may(&author, act).unwrap_err();
            assert_eq!(refused.status, 403, "{act:?}");
            assert!(refused.detail.contains("deployer"), "{refused}");
            assert!(may(&deployer, act).is_ok(), "{act:?}");
        }
        for act in [approve(Action::Commit), Act::Reject(proposal()), Act::Stop] {
            assert!(may(&author, &act).is_ok(), "{act:?}");
        }
        // A room's own role counts for its proposal, and for nothing else.
        author.rooms.insert("proposal:pro_1".into(), Role::Deployer);
        assert!(may(&author, &approve(Action::Deploy)).is_ok());
        assert!(may(&author, &deploys[1]).is_err());
    }
}
