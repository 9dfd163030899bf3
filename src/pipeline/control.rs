//! What a spoken command means here and now. Pure: a situation in, a plan out.

mod waiting;

use serde::{Deserialize, Serialize};

pub use self::waiting::Promotes;
use self::waiting::{approve_waiting, decline_waiting, names_waiting, promote, waiting_text};
use super::records::Quick;
use crate::model::{
    Action, Control, Deployment, DeploymentId, InstructionId, Proposal, ProposalId, ProposalKind,
    Question, ReleaseId, Risk, Sureness,
};

/// What the decision depends on.
pub struct Situation<'a> {
    /// The words.
    pub heard: &'a str,
    /// The known phrase that they were taken for.
    pub phrase: &'a str,
    /// True when the words were a known phrase exactly, false when they only came near one.
    pub exact: bool,
    /// How sure the reading of spoken words is; `None` for typed ones.
    pub spoken: Option<Sureness>,
    /// The address on the site that was named.
    pub place: Option<&'a str>,
    /// The newest open proposal.
    pub open: Option<&'a Proposal>,
    /// How many are open.
    pub opened: usize,
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
    /// What a promotion to the environment would move there, or why there is nothing.
    pub promotes: Result<Promotes, String>,
    /// The newest deployment that waits for approval.
    pub waiting: Option<&'a Deployment>,
    /// The last commit that Sayso made and that is still at the head.
    pub undoable: Option<String>,
    /// The commit at the head, when a spoken word made it without a question.
    pub quick: Option<Quick>,
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
    /// Ask which of two.
    Choose(Question, Act, Act),
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
    /// Take the other reading that the open question of another instruction offers.
    AnswerSecond(InstructionId),
    /// Commit a proposal as it stands in this version, without a question; the commit can be taken back by a word.
    CommitAtOnce {
        /// Which one.
        proposal: ProposalId,
        /// The version that was on the screen.
        version: u32,
    },
    /// Take back a commit that was made without a question.
    UndoCommit(String),
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
    /// Move a release on.
    Promote {
        /// The environment that it comes from.
        from: String,
        /// The release.
        release: ReleaseId,
        /// What the environment must still serve.
        over: Option<ReleaseId>,
    },
    /// Say yes to a deployment that waits for it.
    Let {
        /// Which one.
        deployment: DeploymentId,
        /// What the environment must still serve.
        over: Option<ReleaseId>,
    },
    /// Say no to it.
    Decline(DeploymentId),
    /// Open an address on the live site.
    Open(String),
    /// Make the change that these words ask for.
    Change(String),
    /// Say what can be said.
    Help,
    /// Say how things stand.
    Status,
    /// Cancel what runs.
    Stop,
    /// Take what was saved here, where somebody else changed the same lines. Whoever watches the files does the rest.
    SettleConflict,
}

/// Decides. Of typed words, whatever commits, deploys or rolls back asks once; a plain yes to a proposal that is on
/// the screen is the answer to that question, but words that only came near a known phrase are asked about.
///
/// Of spoken words the certainty decides as well: what is harmless is done when it is likely, a commit when it is
/// certain and only one proposal is open; whatever is doubtful is asked about.
pub fn plan(control: Control, at: &Situation<'_>) -> Plan {
    if let Some(answer) = chosen(control, at) {
        return answer;
    }
    let plan = meaning(control, at);
    let Some(sure) = at.spoken else { return plan };
    match plan {
        Plan::Ask(
            _,
            Act::Approve {
                proposal,
                version,
                action: Action::Commit,
            },
        ) if control == Control::Commit
            && sure == Sureness::Certain
            && at.opened == 1
            && at.asking.is_none() =>
        {
            Plan::Do(Act::CommitAtOnce { proposal, version })
        }
        Plan::Do(act) if at_once(control, &act, sure) => Plan::Do(act),
        // An answer that was not clearly heard is none: the question stays open, and no other is put on top of it.
        Plan::Do(Act::Answer(..) | Act::AnswerSecond(_)) => match &at.asking {
            Some((_, question)) => Plan::Nothing(unclear(at, question)),
            None => Plan::Nothing("nothing is waiting for an answer".into()),
        },
        Plan::Do(act) => {
            let text = confirm(&act, at);
            ask(at, control.as_str(), text, act)
        }
        Plan::Ask(mut question, act) => {
            if sure != Sureness::Certain {
                question.text = format!("Heard \u{ab}{}\u{bb}. {}", at.heard, question.text);
            }
            Plan::Ask(question, act)
        }
        other => other,
    }
}

/// Whether a spoken act that asks nothing when typed is done without a question.
fn at_once(control: Control, act: &Act, sure: Sureness) -> bool {
    let shows = matches!(act, Act::ProposeChanges(_) | Act::Answer(_, false));
    match sure {
        Sureness::Certain => true,
        Sureness::Likely => control.risk() == Risk::Harmless || shows,
        Sureness::Doubtful => false,
    }
}

/// The question before an act that asks none when it is sure.
fn confirm(act: &Act, at: &Situation<'_>) -> String {
    let open = at.open.map_or("the proposal", |open| open.title.as_str());
    let what = match act {
        Act::Reject(_) => format!("Drop \u{ab}{open}\u{bb}?"),
        Act::UndoCommit(commit) => format!("Take back commit {}?", short(commit)),
        Act::ProposeUndo(commit) => format!("Propose to take back commit {}?", short(commit)),
        Act::ProposeChanges(_) => "Show your changes?".to_owned(),
        Act::Show(_) => format!("Show \u{ab}{open}\u{bb}?"),
        Act::Open(place) => format!("Open {place}?"),
        Act::Change(words) => format!("Do \u{ab}{words}\u{bb}?"),
        Act::Help => "Show what can be said?".to_owned(),
        Act::Status => "Show the status?".to_owned(),
        Act::Stop => "Stop what is running?".to_owned(),
        Act::SettleConflict => "Take what you saved?".to_owned(),
        Act::Answer(..) | Act::AnswerSecond(_) => "Is that the answer?".to_owned(),
        Act::Approve { .. } | Act::CommitAtOnce { .. } => format!("Approve \u{ab}{open}\u{bb}?"),
        Act::Deploy { .. } => deploy_text(at, "Deploy"),
        Act::Rollback(release) => format!("Return {} to release {release}?", at.environment),
        Act::Promote { release, .. } => format!("Promote {release} to {}?", at.environment),
        Act::Let { .. } => at
            .waiting
            .map_or_else(String::new, |it| waiting_text(it, "Approve")),
        Act::Decline(_) => at
            .waiting
            .map_or_else(String::new, |it| waiting_text(it, "Decline")),
    };
    format!("Heard \u{ab}{}\u{bb}. {what}", at.heard)
}

/// The answer to a question that offers two readings: "the second one", or the act's own name said again.
fn chosen(control: Control, at: &Situation<'_>) -> Option<Plan> {
    let Some((id, question)) = &at.asking else {
        return None;
    };
    let second = question.second.as_ref()?;
    let clear = at.spoken.is_none_or(|sure| sure >= Sureness::Likely);
    if control == Control::Second || control.as_str() == second.act {
        return Some(if clear {
            Plan::Do(Act::AnswerSecond(id.clone()))
        } else {
            Plan::Nothing(unclear(at, question))
        });
    }
    (control.as_str() == question.act && clear).then(|| Plan::Do(Act::Answer(id.clone(), true)))
}

fn unclear(at: &Situation<'_>, question: &Question) -> String {
    format!(
        "heard \u{ab}{}\u{bb}: answer yes or no: {}",
        at.heard, question.text
    )
}

/// Two readings of the same words that are close: which one was meant is asked. The first one's question stays where
/// the second comes to nothing.
pub fn choose(first: Plan, second: Plan, control: Control, at: &Situation<'_>) -> Plan {
    let (Plan::Ask(mut question, act), second) = (first, second) else {
        return Plan::Nothing(String::new());
    };
    let (mut other, other_act) = match second {
        Plan::Ask(other, other_act) => (other, other_act),
        Plan::Do(other_act) => {
            match ask(at, control.as_str(), confirm(&other_act, at), other_act) {
                Plan::Ask(other, other_act) => (other, other_act),
                _ => return Plan::Ask(question, act),
            }
        }
        Plan::Choose(..) | Plan::Nothing(_) => return Plan::Ask(question, act),
    };
    if other_act == act {
        return Plan::Ask(question, act);
    }
    let heard = format!("Heard \u{ab}{}\u{bb}. ", at.heard);
    if let Some(text) = other.text.strip_prefix(&heard) {
        other.text = text.to_owned();
    }
    question.text = format!(
        "{} Or {}: {} (say \u{ab}the second one\u{bb})",
        question.text, other.act, other.text
    );
    question.second = Some(Box::new(other));
    Plan::Choose(question, act, other_act)
}

/// What a control means here, when it was said for certain.
fn meaning(control: Control, at: &Situation<'_>) -> Plan {
    match control {
        Control::Approve => approve(at),
        Control::Reject if names_waiting(at.phrase) => decline_waiting(at),
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
        Control::Promote => promote(at),
        Control::Undo => match (at.open, &at.undoable, &at.quick) {
            // The last step goes first: a commit made by a word is taken back by one.
            (open, _, Some(quick)) if open.is_none_or(|open| open.created_at < quick.at) => {
                Plan::Do(Act::UndoCommit(quick.commit.clone()))
            }
            (Some(open), ..) => Plan::Do(Act::Reject(open.id.clone())),
            (None, Some(commit), _) => Plan::Do(Act::ProposeUndo(commit.clone())),
            (None, None, _) => {
                Plan::Nothing("there is no change of Sayso's at the head to undo".into())
            }
        },
        Control::Open => Plan::Do(Act::Open(at.place.unwrap_or("/").to_owned())),
        Control::Help => Plan::Do(Act::Help),
        Control::Second => Plan::Nothing("there is nothing to choose from".into()),
        Control::Preview => match (at.open, at.place) {
            (Some(open), _) => Plan::Do(Act::Show(open.id.clone())),
            (None, Some(place)) => Plan::Do(Act::Open(place.to_owned())),
            (None, None) if at.changes > 0 => Plan::Do(Act::ProposeChanges(Action::Preview)),
            (None, None) => {
                Plan::Nothing("nothing has changed: no open proposal and no changes".into())
            }
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
    if names_waiting(at.phrase) {
        return approve_waiting(at);
    }
    match (&at.asking, at.open) {
        (Some((id, _)), _) if at.exact => Plan::Do(Act::Answer(id.clone(), true)),
        // "Yes" that was not clearly heard: the question stays open, to be answered clearly.
        (Some((_, question)), _) => Plan::Nothing(unclear(at, question)),
        (None, Some(open)) => {
            let action = if at.approve_action == Action::Preview {
                Action::Commit
            } else {
                at.approve_action
            };
            let action = if ships(at.phrase) {
                Action::Deploy
            } else {
                action
            };
            // Spoken words that deploy ask; a plain yes answers the proposal, which is a question itself.
            if at.exact && !(at.spoken.is_some() && ships(at.phrase)) {
                Plan::Do(approval(open, action))
            } else {
                ask_approve(at, open, action)
            }
        }
        (None, None) if ships(at.phrase) && !at.head.is_empty() => {
            ask(at, "deploy", deploy_text(at, "Deploy"), at.deploy(false))
        }
        (None, None) if at.waiting.is_some() => approve_waiting(at),
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
fn ships(phrase: &str) -> bool {
    phrase
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
            plan: Vec::new(),
            second: None,
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
pub(super) mod tests;
