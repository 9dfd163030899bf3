//! A proposal is a conversation: every version of its text is kept, and any of them can be taken back.
//!
//! A version is a state of the proposed files. Decisions on hunks make none. The proposals that revise each other by words
//! share one conversation; its versions count from 1.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Conductor;
use super::instruct::Stop;
use super::propose::{proposal_event, view};
use super::records::{self, Change};
use crate::events::EventLog;
use crate::model::api::{ProposalView, Restore, VersionView};
use crate::model::{
    EventKind, Instruction, InstructionState, NewEvent, Problem, Proposal, ProposalId,
    ProposalState, Role, proposal_room,
};
use crate::review;

const VERSION: &str = "proposal-version";
const THREAD: &str = "proposal-thread";
const END: &str = "proposal-thread-end";

/// What people say for it without a cockpit.
const BEFORE: [&str; 8] = [
    "go back to the version before",
    "back to the version before",
    "the version before",
    "take the version before",
    "go back to the previous version",
    "back to the previous version",
    "previous version",
    "go back to the last version",
];
const AFTER: [&str; 5] = [
    "go to the version after",
    "the version after",
    "go forward to the next version",
    "take the version after",
    "next version",
];

/// A version as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    /// Counts from 1 within its conversation.
    number: u32,
    /// The version whose text it is: its own number, unless it was taken back.
    of: u32,
    /// Who made it.
    actor: String,
    /// The words that led to it.
    words: Option<String>,
    /// The proposal as it stood.
    proposal: Proposal,
    /// When its writing began, for one that people wrote in the proposal's room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written: Option<Timestamp>,
}

/// What one person writes in a room within so long is one version.
const SITTING: SignedDuration = SignedDuration::from_secs(60);

fn key(root: &ProposalId, number: u32) -> String {
    format!("{root}.{number:06}")
}

/// The conversation that a proposal belongs to.
fn root(log: &EventLog, id: &ProposalId) -> Result<Option<ProposalId>, Problem> {
    log.get(THREAD, id.as_str())
}

fn last(log: &EventLog, root: &ProposalId) -> Result<u32, Problem> {
    Ok(log.get(END, root.as_str())?.unwrap_or(0))
}

fn kept(log: &EventLog, root: &ProposalId, number: u32) -> Result<Option<Kept>, Problem> {
    log.get(VERSION, &key(root, number))
}

fn all(log: &EventLog, root: &ProposalId) -> Result<Vec<Kept>, Problem> {
    let mut out = Vec::new();
    for number in 1..=last(log, root)? {
        out.extend(kept(log, root, number)?);
    }
    Ok(out)
}

/// Whether two proposals propose the same text.
fn same(a: &Proposal, b: &Proposal) -> bool {
    a.files.len() == b.files.len()
        && a.files
            .iter()
            .zip(&b.files)
            .all(|(a, b)| a.path == b.path && a.after == b.after)
}

/// Keeps `proposal` as the next version of its conversation, unless only decisions have changed. `of` names the version
/// whose text was taken back.
pub(super) fn keep(
    change: Change,
    log: &EventLog,
    proposal: &Proposal,
    of: Option<u32>,
    actor: &str,
) -> Result<Change, Problem> {
    keep_as(change, log, proposal, of, actor, None)
}

/// As [`keep`], for what was written in the proposal's room: a person who writes on makes no version a second.
pub(super) fn keep_written(
    change: Change,
    log: &EventLog,
    proposal: &Proposal,
    actor: &str,
) -> Result<Change, Problem> {
    let now = proposal.updated_at;
    let root = root(log, &proposal.id)?;
    let last = match &root {
        Some(root) => kept(log, root, last(log, root)?)?,
        None => None,
    };
    if let (Some(root), Some(mut last)) = (root, last)
        && last.actor == actor
        && last.proposal.id == proposal.id
        && last
            .written
            .is_some_and(|began| now.duration_since(began) < SITTING)
    {
        last.proposal = proposal.clone();
        let key = key(&root, last.number);
        return change.put(VERSION, &key, &last);
    }
    keep_as(change, log, proposal, None, actor, Some(now))
}

fn keep_as(
    change: Change,
    log: &EventLog,
    proposal: &Proposal,
    of: Option<u32>,
    actor: &str,
    written: Option<Timestamp>,
) -> Result<Change, Problem> {
    let instruction = match &proposal.instruction {
        Some(id) => Some(records::instruction(log, id)?),
        None => None,
    };
    let known = root(log, &proposal.id)?;
    let revised = instruction.as_ref().and_then(|one| one.revises.as_ref());
    let begun = match (&known, revised) {
        (Some(_), _) => None,
        (None, Some(revised)) => root(log, revised)?,
        (None, None) => None,
    };
    let root = known
        .clone()
        .or(begun)
        .unwrap_or_else(|| proposal.id.clone());
    let number = last(log, &root)? + 1;
    if known.is_some() && of.is_none() {
        let before = kept(log, &root, number - 1)?;
        if before.is_some_and(|before| same(&before.proposal, proposal)) {
            return Ok(change);
        }
    }
    let edited = known.is_some();
    let kept = Kept {
        number,
        of: of.unwrap_or(number),
        actor: actor.to_owned(),
        words: instruction.and_then(|one| one.text).filter(|_| !edited),
        proposal: proposal.clone(),
        written,
    };
    change
        .put(VERSION, &key(&root, number), &kept)?
        .put(THREAD, proposal.id.as_str(), &root)?
        .put(END, root.as_str(), &number)
}

/// Which version words ask for: the one before or the one after.
fn asked(words: &str) -> Option<bool> {
    let lower = words.to_lowercase();
    let kept: String = lower
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let plain = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = plain.strip_prefix("please ").unwrap_or(&plain);
    let plain = plain.strip_suffix(" please").unwrap_or(plain);
    match (BEFORE.contains(&plain), AFTER.contains(&plain)) {
        (true, _) => Some(false),
        (_, true) => Some(true),
        _ => None,
    }
}

impl Conductor {
    /// All versions of the conversation that a proposal belongs to, the first one first.
    ///
    /// # Errors
    /// `not-found`.
    pub fn versions(&self, id: &ProposalId) -> Result<Vec<VersionView>, Problem> {
        let proposal = records::proposal(&self.log, id)?;
        let Some(root) = root(&self.log, id)? else {
            return Ok(Vec::new());
        };
        let all = all(&self.log, &root)?;
        let open = proposal.state == ProposalState::Open;
        let last = all.last().map_or(0, |kept| kept.number);
        let views = all.into_iter().map(|kept| VersionView {
            number: kept.number,
            of: kept.of,
            current: open && kept.number == last,
            proposal: kept.proposal.id,
            title: kept.proposal.title,
            engine: kept.proposal.engine,
            words: kept.words,
            actor: kept.actor,
            at: kept.proposal.updated_at,
            files: kept
                .proposal
                .files
                .iter()
                .map(|file| file.path.clone())
                .collect(),
            patch: review::patch::unified(&kept.proposal.files),
        });
        Ok(views.collect())
    }

    /// Takes a version back: the open proposal of the conversation gets its text, as a new version, so that nothing is lost.
    /// A proposal that was declined is opened again for it.
    ///
    /// # Errors
    /// `not-found` when there is no such version; `conflict` when the conversation ended in a commit.
    pub async fn restore(
        self: &Arc<Self>,
        id: &ProposalId,
        restore: Restore,
        actor: &str,
    ) -> Result<ProposalView, Problem> {
        let _one_at_a_time = self.reviewing.lock().await;
        let root = root(&self.log, id)?
            .ok_or_else(|| Problem::not_found(format!("proposal {id} has no versions")))?;
        let open = self.of_conversation(&root, id)?.id;
        self.settle_room(&open, false).await?;
        let mut target = self.of_conversation(&root, id)?;
        let all = all(&self.log, &root)?;
        let now = all.last().map_or(0, |kept| kept.of);
        let wanted = match (restore.version, restore.later) {
            (Some(number), _) => number,
            // A proposal that was declined stands at its last version.
            (None, false) if target.state == ProposalState::Rejected => now,
            (None, false) => now.saturating_sub(1),
            (None, true) => now + 1,
        };
        let found = all.iter().find(|kept| kept.number == wanted);
        // A copy stands for what it is a copy of.
        let found = found.and_then(|kept| all.iter().find(|first| first.number == kept.of));
        let Some(found) = found else {
            let side = match (restore.version, restore.later) {
                (Some(number), _) => format!("there is no version {number}"),
                (None, false) => "there is no version before this one".to_owned(),
                (None, true) => "there is no version after this one".to_owned(),
            };
            return Err(Problem::not_found(side).hint(format!(
                "there are {} versions: `sayso versions` lists them",
                all.len()
            )));
        };
        let mut change = Change::new();
        if target.state == ProposalState::Rejected
            && let Some(id) = &target.instruction
        {
            let mut instruction = records::instruction(&self.log, id)?;
            if instruction.state == InstructionState::Rejected {
                instruction.state = InstructionState::Proposed;
                instruction.updated_at = Timestamp::now();
                change = change.instruction(&instruction)?;
            }
        }
        let from = &found.proposal;
        target.state = ProposalState::Open;
        target.files.clone_from(&from.files);
        target.base.clone_from(&from.base);
        target.branch.clone_from(&from.branch);
        target.title.clone_from(&from.title);
        target.notes.clone_from(&from.notes);
        target.warnings.clone_from(&from.warnings);
        target.engine.clone_from(&from.engine);
        target.version += 1;
        target.updated_at = Timestamp::now();
        let view = view(target);
        let mut event = proposal_event(EventKind::ProposalUpdated, &view, None, actor);
        event.data["taken_back"] = json!(found.number);
        let change = change.event(event).proposal(&view.proposal)?;
        let change = keep(change, &self.log, &view.proposal, Some(found.number), actor)?;
        change.store(&self.log).await?;
        Ok(view)
    }

    /// The proposal that a version is taken back into: the open one of the conversation, else the one that is named.
    fn of_conversation(&self, of: &ProposalId, id: &ProposalId) -> Result<Proposal, Problem> {
        for open in records::open_proposals(&self.log)? {
            if open.state == ProposalState::Open && root(&self.log, &open.id)?.as_ref() == Some(of)
            {
                return Ok(open);
            }
        }
        let named = records::proposal(&self.log, id)?;
        match named.state {
            ProposalState::Open | ProposalState::Rejected => Ok(named),
            ProposalState::Committing | ProposalState::Committed => {
                Err(Problem::conflict(format!(
                    "proposal {id} was approved; its versions can be looked at, not taken back"
                ))
                .hint("say \"undo that\" to propose the way back"))
            }
        }
    }

    /// "Go back to the version before". `false` when the words say something else, or nothing was proposed yet.
    pub(super) async fn take_up_version(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        words: &str,
    ) -> Result<bool, Stop> {
        let Some(later) = asked(words) else {
            return Ok(false);
        };
        let proposals = records::proposals(&self.log, 20)?;
        let newest = proposals
            .iter()
            .find(|one| one.state == ProposalState::Open)
            .or_else(|| proposals.first());
        let Some(newest) = newest else {
            return Ok(false);
        };
        let restore = Restore {
            version: None,
            later,
        };
        let by = self.giver(instruction)?;
        by.may_in(
            &proposal_room(newest.id.as_str()),
            Role::Author,
            "taking a version back",
        )?;
        let message = match self.restore(&newest.id, restore, &by.actor).await {
            Ok(view) => {
                instruction.proposal = Some(view.proposal.id.clone());
                format!("back to \u{ab}{}\u{bb}", view.proposal.title)
            }
            Err(problem) => problem.detail,
        };
        instruction.state = InstructionState::Done;
        let data = json!({ "message": message });
        let event =
            NewEvent::new(EventKind::Notice, "sayso", data).instruction(Some(&instruction.id));
        self.store(Change::new().event(event), instruction).await?;
        Ok(true)
    }

    /// A revision that came to nothing: what it was to change is open again, as it stood.
    pub(super) async fn revision_failed(self: &Arc<Self>, instruction: &Instruction) {
        let Some(revised) = &instruction.revises else {
            return;
        };
        let still = records::proposal(&self.log, revised)
            .is_ok_and(|proposal| proposal.state == ProposalState::Rejected);
        if still && let Err(problem) = self.reopen(revised, "sayso").await {
            tracing::warn!(%problem, "the proposal before a revision could not be opened again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_before_and_after_are_asked_for_in_plain_words() {
        for words in [
            "Go back to the version before.",
            "please, the version before",
            "Previous version",
        ] {
            assert_eq!(asked(words), Some(false), "{words}");
        }
        assert_eq!(asked("the version after"), Some(true));
        for words in ["go back", "change the version to 2", "roll back"] {
            assert_eq!(asked(words), None, "{words}");
        }
    }
}
