//! What a spoken command means here and now. Pure: a situation in, a plan out.

use serde::{Deserialize, Serialize};

use crate::model::{
    Action, Control, InstructionId, Proposal, ProposalId, ProposalKind, Question, ReleaseId,
};

/// What the decision depends on.
pub struct Situation<'a> {
    /// The words.
    pub heard: &'a str,
    /// True when the words were a known phrase exactly, false when they only came near one.
    pub exact: bool,
    /// The newest open proposal.
    pub open: Option<&'a Proposal>,
    /// The newest instruction whose question waits for an answer, with that question.
    pub asking: Option<(InstructionId, Question)>,
    /// The commit at the branch's head; empty without commits.
    pub head: &'a str,
    /// Changed paths in the working tree.
    pub changes: usize,
    /// The environment named, or the default one.
    pub environment: &'a str,
    /// The release that a rollback would return to: its id and commit.
    pub previous: Option<(ReleaseId, String)>,
    /// The last commit that Sayso made and that is still at the head.
    pub undoable: Option<String>,
    /// What an approval does unless it is said.
    pub approve_action: Action,
    /// True when something runs that can be stopped.
    pub running: bool,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// Ask first; on yes, do the act.
    Ask(Question, Act),
    /// Do it.
    Do(Act),
    /// Nothing to do, and why.
    Nothing(String),
}

/// An act. It names exactly what was asked about, so that a yes covers that and nothing that came later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Answer the open question of another instruction.
    Answer(InstructionId, bool),
    /// Approve a proposal as it stands in this version.
    Approve {
        /// Which one.
        proposal: ProposalId,
        /// The version asked about.
        version: u32,
        /// How far to go.
        action: Action,
    },
    /// Decline a proposal.
    Reject(ProposalId),
    /// Propose the working tree's changes.
    ProposeChanges(Action),
    /// Propose the inverse of a commit.
    ProposeUndo(String),
    /// Show a proposal.
    Show(ProposalId),
    /// Deploy a commit.
    Deploy {
        /// The commit asked about.
        commit: String,
        /// Even when the same tree is live.
        force: bool,
    },
    /// Go back to a release.
    Rollback(ReleaseId),
    /// Say how things stand.
    Status,
    /// Cancel what runs.
    Stop,
}

/// Decides. Whatever commits, deploys or rolls back asks once; a plain yes to a proposal that is on the screen
/// is the answer to that question, but words that only came near a known phrase are asked about.
pub fn plan(control: Control, at: &Situation<'_>) -> Plan {
    match control {
        Control::Approve => approve(at),
        Control::Reject => match (&at.asking, at.open) {
            (Some((id, _)), _) => Plan::Do(Act::Answer(id.clone(), false)),
            (None, Some(open)) => Plan::Do(Act::Reject(open.id.clone())),
            (None, None) => Plan::Nothing("nothing is waiting for an answer".into()),
        },
        Control::Commit => match at.open {
            Some(open) => ask_approve(at, open, Action::Commit),
            None if at.changes > 0 => Plan::Do(Act::ProposeChanges(Action::Commit)),
            None => {
                Plan::Nothing("there is nothing to commit: no open proposal and no changes".into())
            }
        },
        Control::Deploy => match at.open {
            Some(open) => ask_approve(at, open, Action::Deploy),
            None if at.head.is_empty() => Plan::Nothing("there is no commit to deploy yet".into()),
            None => ask(at, "deploy", deploy_text(at, "Deploy"), at.deploy(false)),
        },
        Control::Redeploy if at.head.is_empty() => {
            Plan::Nothing("there is no commit to deploy yet".into())
        }
        Control::Redeploy => ask(
            at,
            "redeploy",
            deploy_text(at, "Deploy again"),
            at.deploy(true),
        ),
        Control::Rollback => match &at.previous {
            Some((release, commit)) => {
                let text = format!(
                    "Return {} to release {release} (commit {})?",
                    at.environment,
                    short(commit)
                );
                ask(at, "rollback", text, Act::Rollback(release.clone()))
            }
            None => Plan::Nothing(format!(
                "{} has no earlier good release to return to",
                at.environment
            )),
        },
        Control::Undo => match (at.open, &at.undoable) {
            (Some(open), _) => Plan::Do(Act::Reject(open.id.clone())),
            (None, Some(commit)) => Plan::Do(Act::ProposeUndo(commit.clone())),
            (None, None) => {
                Plan::Nothing("there is no change of Sayso's at the head to undo".into())
            }
        },
        Control::Preview => match at.open {
            Some(open) => Plan::Do(Act::Show(open.id.clone())),
            None if at.changes > 0 => Plan::Do(Act::ProposeChanges(Action::Preview)),
            None => Plan::Nothing("nothing has changed: no open proposal and no changes".into()),
        },
        Control::Status => Plan::Do(Act::Status),
        Control::Stop if at.running => Plan::Do(Act::Stop),
        Control::Stop => match &at.asking {
            Some((id, _)) => Plan::Do(Act::Answer(id.clone(), false)),
            None => Plan::Nothing("nothing is running".into()),
        },
    }
}

fn approve(at: &Situation<'_>) -> Plan {
    match (&at.asking, at.open) {
        (Some((id, _)), _) if at.exact => Plan::Do(Act::Answer(id.clone(), true)),
        // "Yes" that was not clearly heard: the question stays open, to be answered clearly.
        (Some((_, question)), _) => Plan::Nothing(format!(
            "heard \u{ab}{}\u{bb}: answer yes or no: {}",
            at.heard, question.text
        )),
        (None, Some(open)) => {
            let action = if at.approve_action == Action::Preview {
                Action::Commit
            } else {
                at.approve_action
            };
            let action = if ships(at.heard) {
                Action::Deploy
            } else {
                action
            };
            if at.exact {
                Plan::Do(approval(open, action))
            } else {
                ask_approve(at, open, action)
            }
        }
        (None, None) if ships(at.heard) && !at.head.is_empty() => {
            ask(at, "deploy", deploy_text(at, "Deploy"), at.deploy(false))
        }
        (None, None) => Plan::Nothing("nothing is waiting for an answer".into()),
    }
}

impl Situation<'_> {
    fn deploy(&self, force: bool) -> Act {
        Act::Deploy {
            commit: self.head.to_owned(),
            force,
        }
    }
}

fn approval(open: &Proposal, action: Action) -> Act {
    Act::Approve {
        proposal: open.id.clone(),
        version: open.version,
        action,
    }
}

/// "Ship it" names the whole way.
fn ships(heard: &str) -> bool {
    heard
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| word == "ship")
}

fn ask_approve(at: &Situation<'_>, open: &Proposal, action: Action) -> Plan {
    let accepted = open
        .files
        .iter()
        .flat_map(|file| &file.hunks)
        .filter(|hunk| hunk.decision == crate::model::Decision::Accepted)
        .count();
    let what = match open.kind {
        ProposalKind::WorkingTree => "your changes".to_owned(),
        ProposalKind::Edit | ProposalKind::Undo => format!("\u{ab}{}\u{bb}", open.title),
    };
    let hunks = if accepted == 1 {
        "1 hunk".to_owned()
    } else {
        format!("{accepted} hunks")
    };
    let (act, text) = match action {
        Action::Deploy => (
            "deploy",
            format!(
                "Commit {what} ({hunks}) to {} and deploy to {}?",
                open.branch, at.environment
            ),
        ),
        _ => (
            "commit",
            format!("Commit {what} ({hunks}) to {}?", open.branch),
        ),
    };
    ask(at, act, text, approval(open, action))
}

fn ask(at: &Situation<'_>, act: &str, text: String, then: Act) -> Plan {
    Plan::Ask(
        Question {
            text,
            heard: at.heard.to_owned(),
            act: act.to_owned(),
            environment: Some(at.environment.to_owned()),
        },
        then,
    )
}

fn deploy_text(at: &Situation<'_>, verb: &str) -> String {
    let left = match at.changes {
        0 => String::new(),
        1 => " (1 uncommitted change stays out)".to_owned(),
        n => format!(" ({n} uncommitted changes stay out)"),
    };
    format!("{verb} {} to {}{left}?", short(at.head), at.environment)
}

/// The first seven digits of a commit id.
pub fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::ProposalState;

    fn proposal() -> Proposal {
        Proposal {
            id: "pro_1".into(),
            instruction: None,
            version: 1,
            kind: ProposalKind::Edit,
            state: ProposalState::Open,
            base: "b".repeat(40),
            branch: "main".into(),
            title: "Change the headline".into(),
            notes: vec![],
            warnings: vec![],
            engine: "offline".into(),
            action: Action::Preview,
            files: vec![],
            commit: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn at<'a>(heard: &'a str, open: Option<&'a Proposal>) -> Situation<'a> {
        Situation {
            heard,
            exact: true,
            open,
            asking: None,
            head: "0123456789",
            changes: 0,
            environment: "production",
            previous: None,
            undoable: None,
            approve_action: Action::Deploy,
            running: false,
        }
    }

    fn asked(plan: Plan) -> (String, Act) {
        match plan {
            Plan::Ask(question, act) => (question.text, act),
            other => panic!("expected a question, got {other:?}"),
        }
    }

    #[test]
    fn whatever_commits_deploys_or_rolls_back_asks_once() {
        let open = proposal();
        for control in [Control::Commit, Control::Deploy] {
            assert!(
                matches!(plan(control, &at("x", Some(&open))), Plan::Ask(..)),
                "{control:?}"
            );
        }
        for control in [Control::Deploy, Control::Redeploy] {
            assert!(
                matches!(plan(control, &at("x", None)), Plan::Ask(..)),
                "{control:?}"
            );
        }
        let mut situation = at("roll back", None);
        situation.previous = Some(("rel_1".into(), "abcdef0123".into()));
        let (text, act) = asked(plan(Control::Rollback, &situation));
        assert_eq!(text, "Return production to release rel_1 (commit abcdef0)?");
        assert_eq!(act, Act::Rollback("rel_1".into()));
    }

    #[test]
    fn a_clear_yes_approves_what_is_open_and_an_unclear_one_asks() {
        let open = proposal();
        assert_eq!(
            plan(Control::Approve, &at("yes", Some(&open))),
            Plan::Do(approval(&open, Action::Deploy))
        );
        let mut unclear = at("yesterday", Some(&open));
        unclear.exact = false;
        let (text, _) = asked(plan(Control::Approve, &unclear));
        assert!(text.contains("Change the headline"), "{text}");
    }

    #[test]
    fn ship_it_deploys_even_where_approval_only_commits() {
        let open = proposal();
        let mut situation = at("Ship it.", Some(&open));
        situation.approve_action = Action::Commit;
        assert_eq!(
            plan(Control::Approve, &situation),
            Plan::Do(approval(&open, Action::Deploy))
        );
    }

    #[test]
    fn a_question_is_answered_before_a_proposal_is_touched() {
        let open = proposal();
        let question = Question {
            text: "Deploy?".into(),
            heard: "deploy that".into(),
            act: "deploy".into(),
            environment: None,
        };
        let mut situation = at("no", Some(&open));
        situation.asking = Some(("ins_1".into(), question));
        assert_eq!(
            plan(Control::Reject, &situation),
            Plan::Do(Act::Answer("ins_1".into(), false))
        );
        assert_eq!(
            plan(Control::Approve, &situation),
            Plan::Do(Act::Answer("ins_1".into(), true))
        );
        situation.exact = false;
        assert!(matches!(
            plan(Control::Approve, &situation),
            Plan::Nothing(_)
        ));
    }

    #[test]
    fn commit_without_a_proposal_shows_the_changes_first() {
        let mut situation = at("commit that", None);
        assert!(matches!(
            plan(Control::Commit, &situation),
            Plan::Nothing(_)
        ));
        situation.changes = 2;
        assert_eq!(
            plan(Control::Commit, &situation),
            Plan::Do(Act::ProposeChanges(Action::Commit))
        );
        let (text, _) = asked(plan(Control::Deploy, &situation));
        assert!(text.contains("2 uncommitted changes stay out"), "{text}");
    }
}
