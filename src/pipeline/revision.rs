//! "Make it blue instead", "not the footer", "shorter": words that change the open proposal rather than the site.

use std::sync::Arc;

use serde_json::json;

use super::Conductor;
use super::instruct::Stop;
use super::plan;
use super::records::{self, Change};
use crate::intent::meant;
use crate::model::api::Reject;
use crate::model::{
    Decision, EventKind, Instruction, InstructionState, Intent, NewEvent, PlanLine, Proposal,
    ProposalKind, ProposalState,
};

/// Words that compare with what is there.
const COMPARING: [&str; 26] = [
    "shorter",
    "longer",
    "smaller",
    "larger",
    "bigger",
    "darker",
    "lighter",
    "brighter",
    "bolder",
    "thinner",
    "simpler",
    "calmer",
    "friendlier",
    "warmer",
    "cooler",
    "softer",
    "louder",
    "quieter",
    "wider",
    "narrower",
    "taller",
    "rounder",
    "tighter",
    "looser",
    "less",
    "more",
];

/// How people point at what was just proposed.
const POINTING: [&str; 9] = [
    "make it ",
    "make that ",
    "make them ",
    "make those ",
    "but make it ",
    "and make it ",
    "use ",
    "try ",
    "but ",
];

/// How a comparison is weighed.
const WEIGHING: [&str; 8] = [
    "a bit", "a little", "slightly", "even", "much", "still", "way", "far",
];

/// Whether words ask to make a proposal otherwise.
pub fn is_revision(words: &str) -> bool {
    let plain = plain(words);
    let pointed = POINTING.iter().find_map(|begin| plain.strip_prefix(begin));
    let instead = plain.ends_with(" instead") || plain.ends_with(" rather");
    let they = pointed.is_some() && !plain.starts_with("use ") && !plain.starts_with("try ");
    instead || they || compares(pointed.unwrap_or(&plain))
}

/// Whether words take something out of what was proposed: "not the footer". "Drop the footer" is a wish of its own.
fn narrows(words: &str) -> bool {
    let plain = plain(words);
    let begins = [
        "not ",
        "but not ",
        "without ",
        "leave out ",
        "except ",
        "only ",
    ];
    begins.iter().any(|begin| plain.starts_with(begin))
}

/// "Shorter", "a bit bolder", "more formal".
fn compares(words: &str) -> bool {
    let mut rest = words;
    while let Some(next) = WEIGHING
        .iter()
        .find_map(|weight| rest.strip_prefix(weight)?.strip_prefix(' '))
    {
        rest = next;
    }
    let mut said = rest.split(' ');
    let first = said.next().unwrap_or_default();
    COMPARING.contains(&first) && said.count() <= 2
}

/// The request before with what is wanted instead in its place, where that can be said without guessing.
fn instead(before: &str, words: &str) -> Option<String> {
    let plain = plain(words);
    let wanted = plain.strip_suffix(" instead").unwrap_or(&plain);
    let wanted = POINTING
        .iter()
        .find_map(|begin| wanted.strip_prefix(begin))
        .unwrap_or(wanted);
    meant::apply(before, wanted)
}

fn plain(words: &str) -> String {
    let lower = words.to_lowercase();
    let words = lower.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = words.trim_matches(['.', '!', '?', ',', ' ']);
    let words = words.strip_prefix("no, ").unwrap_or(words);
    let words = words.strip_suffix(" please").unwrap_or(words);
    words.trim_matches([',', ' ']).to_owned()
}

/// The files of a proposal as lines that words can name: by their path, and by what is changed in them.
fn lines(proposal: &Proposal) -> Vec<PlanLine> {
    let line = |file: &crate::model::ProposedFile| {
        let changed = file.hunks.iter().flat_map(|hunk| &hunk.lines);
        let changed = changed.filter(|line| line.tag != crate::model::LineTag::Context);
        let what: Vec<&str> = changed.map(|line| line.text.as_str()).collect();
        PlanLine {
            file: file.path.clone(),
            what: what.join(" "),
            kept: file
                .hunks
                .iter()
                .any(|hunk| hunk.decision == Decision::Accepted),
        }
    };
    proposal.files.iter().map(line).collect()
}

impl Conductor {
    /// Takes words for a change of the open proposal. `Some` when all is done; else the instruction goes on, as a revision
    /// where it is one, with the request that it amounts to.
    pub(super) async fn take_up_revision(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        words: &str,
    ) -> Result<Taken, Stop> {
        if instruction.revises.is_some() || instruction.file_path.is_some() {
            return Ok(Taken::No);
        }
        let open = records::open_proposals(&self.log)?;
        let open = open
            .into_iter()
            .rev()
            .find(|one| one.state == ProposalState::Open && one.kind == ProposalKind::Edit);
        let Some(open) = open else {
            return Ok(Taken::No);
        };
        let files = lines(&open);
        let read = plan::read(words, &files).filter(|_| narrows(words));
        let cut = match read {
            Some(plan::Said::Kept(kept)) if kept.contains(&true) && kept.contains(&false) => kept,
            Some(plan::Said::Kept(_) | plan::Said::Unknown(_)) => {
                return self.revise_by(instruction, &open, words).await;
            }
            _ if is_revision(words) => return self.revise_by(instruction, &open, words).await,
            _ => return Ok(Taken::No),
        };
        let out = self.leave_out(&open, &cut, &instruction.actor).await?;
        instruction.proposal = Some(open.id.clone());
        instruction.state = InstructionState::Done;
        let message = format!("left out: {}", out.join(", "));
        let event = NewEvent::new(EventKind::Notice, "sayso", json!({ "message": message }))
            .instruction(Some(&instruction.id));
        self.store(Change::new().event(event), instruction).await?;
        Ok(Taken::Done)
    }

    /// Accepts the files that are kept and leaves out the others; what is left out.
    async fn leave_out(
        self: &Arc<Self>,
        open: &Proposal,
        kept: &[bool],
        actor: &str,
    ) -> Result<Vec<String>, Stop> {
        let _one_at_a_time = self.reviewing.lock().await;
        self.settle_room(&open.id, false).await?;
        let mut proposal = self.open_one(&open.id)?;
        let mut out = Vec::new();
        for (file, kept) in proposal.files.iter_mut().zip(kept) {
            let was = file
                .hunks
                .iter()
                .any(|hunk| hunk.decision == Decision::Accepted);
            if was == *kept {
                continue;
            }
            let decision = match kept {
                true => Decision::Accepted,
                false => Decision::Rejected,
            };
            for hunk in &mut file.hunks {
                hunk.decide(None, decision);
            }
            if !kept {
                out.push(file.path.clone());
            }
        }
        self.update(proposal, actor).await?;
        Ok(out)
    }

    /// Goes on with the words as another try at the open proposal.
    async fn revise_by(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        open: &Proposal,
        words: &str,
    ) -> Result<Taken, Stop> {
        let before = match &open.instruction {
            Some(id) => records::instruction(&self.log, id)?.intent,
            None => None,
        };
        let reason = Reject {
            reason: Some(format!("revised: {words}")),
        };
        let actor = instruction.actor.clone();
        self.reject(&open.id, reason, &actor).await?;
        instruction.revises = Some(open.id.clone());
        instruction.action = instruction.action.max(open.action);
        self.store(Change::new(), instruction).await?;
        let request = match before {
            Some(Intent::Edit { request }) => instead(&request, words),
            _ => None,
        };
        Ok(Taken::As(request))
    }
}

/// What became of words.
pub(super) enum Taken {
    /// They are about something else.
    No,
    /// All is done.
    Done,
    /// They are another try, and amount to this request where that is clear.
    As(Option<String>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_change_a_proposal_are_told_from_a_new_wish() {
        for words in [
            "make it blue instead",
            "Make it blue.",
            "no, make it shorter",
            "shorter",
            "a bit bolder, please",
            "more formal",
            "use the logo instead",
            "but darker",
            "make them rounder",
        ] {
            assert!(is_revision(words), "{words}");
        }
        for words in [
            "change the headline to Make it blue",
            "add a contact form",
            "make the headline shorter",
            "use a serif font for the headings",
            "more information about us goes on the about page",
            "try again",
        ] {
            assert!(!is_revision(words), "{words}");
        }
    }

    #[test]
    fn what_is_wanted_instead_takes_its_place() {
        let before = "make the hero button blue";
        let wanted = instead(before, "use the footer button instead");
        assert_eq!(wanted.as_deref(), Some("make the footer button blue"));
        assert_eq!(instead(before, "shorter"), None);
    }
}
