//! What words were taken for: the table of phrases of the open site, the sound, and corrections.

use std::sync::Arc;

use serde_json::json;

use super::Conductor;
use super::answer::Answer;
use super::instruct::Stop;
use super::records::{self, Change};
use crate::intent::sound::{self, Scores};
use crate::intent::{Table, clean, meant, places};
use crate::model::api::Reject;
use crate::model::{
    EventKind, Hearing, Identity, Instruction, InstructionState, Intent, NewEvent, Problem,
    ProposalState, Reading, Sureness,
};

/// Instructions among which the one that is corrected is looked for.
const RECENT: usize = 10;

/// The known phrases at one state of the site.
pub(super) struct Phrases {
    /// The tree they were made for.
    tree: String,
    /// The table.
    pub(super) table: Table,
    /// What it says, in its order.
    pub(super) says: Arc<[String]>,
    /// The names of the site's pages, and of parts of them.
    pub(super) names: Vec<String>,
}

/// What an instruction was taken for.
#[derive(Default)]
pub(super) struct Understood {
    /// How it was heard, when it was spoken and scored.
    pub(super) hearing: Option<Hearing>,
    /// How far spoken words can be trusted; `None` for typed ones.
    pub(super) spoken: Option<Sureness>,
    /// The instruction it corrects.
    pub(super) corrects: Option<crate::model::InstructionId>,
}

/// The control that a reading stands for.
fn control_of(reading: &Reading) -> Intent {
    Intent::Control {
        control: reading.control,
        phrase: reading.phrase.clone(),
        exact: reading.far == 0.0,
        environment: reading.environment.clone(),
        place: reading.place.clone(),
    }
}

impl Understood {
    /// Whether the recogniser's words are a phrase letter for letter.
    pub(super) fn to_the_letter(&self) -> bool {
        self.hearing
            .as_ref()
            .and_then(|hearing| hearing.readings.first())
            .is_some_and(|best| best.far == 0.0)
    }

    /// True when a command was heard in the sound.
    pub(super) fn commanded(&self) -> bool {
        let hearing = self.hearing.as_ref();
        hearing.is_some_and(|hearing| !hearing.readings.is_empty())
    }
}

impl Conductor {
    /// The phrases that are known now: a site's names change with its commits.
    pub(super) async fn phrases(&self) -> Arc<Phrases> {
        let mut slot = self.phrases.lock().await;
        let tree = match self.repo.standing().await {
            Ok(now) if !now.head.is_empty() => self.repo.tree(&now.head).await.ok(),
            _ => None,
        };
        let id = tree.as_ref().map_or("", |tree| tree.id());
        if let Some(known) = slot.as_ref().filter(|known| known.tree == id) {
            return Arc::clone(known);
        }
        let places = tree
            .as_ref()
            .map_or_else(Vec::new, |tree| places::places(tree.as_ref()));
        let environments: Vec<String> = self.targets.keys().cloned().collect();
        let table = Table::new(&self.config.phrase, &environments, &places);
        let says = table
            .phrases()
            .iter()
            .map(|phrase| phrase.say.clone())
            .collect();
        let phrases = Arc::new(Phrases {
            tree: id.to_owned(),
            table,
            says,
            names: places.into_iter().map(|place| place.name).collect(),
        });
        Arc::clone(slot.insert(phrases))
    }

    /// What the instruction's words mean, and how sure that is.
    pub(super) async fn understand(
        self: &Arc<Self>,
        instruction: &Instruction,
        words: &str,
        phrases: &Phrases,
    ) -> (Intent, Understood) {
        let table = &phrases.table;
        let by_words = table.understand(words);
        if instruction.recording.is_none() {
            return (by_words, Understood::default());
        }
        let hearing = match self.hearing(instruction, words, phrases).await {
            Ok(hearing) => hearing,
            Err(problem) => {
                // The words are there; only how sure they are is not known.
                tracing::warn!(%problem, "the phrases could not be compared with the sound");
                None
            }
        };
        let Some(hearing) = hearing else {
            let exact = matches!(by_words, Intent::Control { exact: true, .. });
            let spoken = if exact {
                Sureness::Likely
            } else {
                Sureness::Doubtful
            };
            let understood = Understood {
                spoken: Some(spoken),
                ..Understood::default()
            };
            return (by_words, understood);
        };
        let intent = match hearing.readings.first() {
            Some(best) => control_of(best),
            None => Intent::Edit {
                request: clean::clean(words),
            },
        };
        let understood = Understood {
            spoken: Some(hearing.sure),
            hearing: Some(hearing),
            corrects: None,
        };
        (intent, understood)
    }

    /// Compares the known phrases with the sound; `None` when the recogniser cannot, or the clip is no phrase by its
    /// length.
    async fn hearing(
        &self,
        instruction: &Instruction,
        words: &str,
        phrases: &Phrases,
    ) -> Result<Option<Hearing>, Problem> {
        let (Some(file), Some(transcriber)) = (&instruction.recording, &self.transcriber) else {
            return Ok(None);
        };
        let Some(search) = sound::search(&phrases.table, words) else {
            return Ok(None);
        };
        let fit = transcriber
            .search(
                &self.recordings.join(file),
                &search.near,
                Arc::clone(&phrases.says),
            )
            .await?;
        Ok(fit.map(|fit| {
            let scores = Scores {
                own: fit.own,
                evidence: fit.evidence,
                phrases: &fit.phrases,
                nothing: &fit.nothing,
                speech: fit.speech,
            };
            sound::weigh(&phrases.table, &search, &scores)
        }))
    }

    /// Compares the phrases with the end of the sound, behind "no, I meant".
    async fn hearing_of_rest(
        &self,
        instruction: &Instruction,
        words: &str,
        phrases: &Phrases,
    ) -> Result<Option<Hearing>, Problem> {
        let (Some(file), Some(transcriber)) = (&instruction.recording, &self.transcriber) else {
            return Ok(None);
        };
        let Some(rest) = meant::rest(words) else {
            return Ok(None);
        };
        let Some(search) = sound::search_rest(&phrases.table, rest) else {
            return Ok(None);
        };
        let before = words[..words.len() - rest.len()].trim_end();
        let path = self.recordings.join(file);
        let none: Arc<[String]> = Arc::new([]);
        let behind = search.after(before);
        let fit = transcriber
            .search(&path, &behind, Arc::clone(&none))
            .await?;
        let alone = transcriber.search(&path, &search.near, none).await?;
        let (Some(fit), Some(alone)) = (fit, alone) else {
            return Ok(None);
        };
        let scores = Scores {
            own: fit.own,
            evidence: fit.evidence * search.share(words),
            phrases: &fit.phrases,
            nothing: &alone.nothing,
            speech: 0.0,
        };
        Ok(Some(sound::weigh(&phrases.table, &search, &scores)))
    }

    /// The instruction that a correction of `actor` is about: the last one, unless it is over for good.
    pub(super) fn corrected(
        &self,
        instruction: &Instruction,
    ) -> Result<Option<Instruction>, Problem> {
        Ok(records::instructions(&self.log, RECENT)?
            .into_iter()
            .find(|other| {
                other.id != instruction.id
                    && other.actor == instruction.actor
                    && other.id.as_str() < instruction.id.as_str()
            }))
    }

    /// Takes back what an instruction started, as far as that is possible, and says so.
    pub(super) async fn withdraw(
        self: &Arc<Self>,
        last: &Instruction,
        by: &mut Instruction,
    ) -> Result<(), Stop> {
        let giver = self.giver(by)?;
        let what = match last.state {
            InstructionState::Asking => {
                self.answer_with(&last.id, Answer::No, &giver).await?;
                Some("the question was withdrawn".to_owned())
            }
            state
                if !state.is_final()
                    && !matches!(state, InstructionState::Proposed | InstructionState::Acting) =>
            {
                self.cancel_instruction(&last.id, &giver.actor).await?;
                Some("it was stopped".to_owned())
            }
            _ => self.withdraw_effects(last, by, &giver).await?,
        };
        let message = what.unwrap_or_else(|| "there was nothing to take back".to_owned());
        let data = json!({ "message": message, "corrects": last.id });
        let notice = NewEvent::new(EventKind::Notice, "sayso", data).instruction(Some(&by.id));
        Change::new().event(notice).store(&self.log).await?;
        Ok(())
    }

    async fn withdraw_effects(
        self: &Arc<Self>,
        last: &Instruction,
        by: &mut Instruction,
        giver: &Identity,
    ) -> Result<Option<String>, Stop> {
        if let Some(id) = &last.deployment {
            let deployment = records::deployment(&self.log, id)?;
            if !deployment.state.is_final() {
                self.cancel(id, giver).await?;
                return Ok(Some("the deployment was stopped".to_owned()));
            }
        }
        let head = self.repo.standing().await?.head;
        if let Some(quick) = records::quick(&self.log)?
            && quick.instruction == last.id
            && quick.commit == head
        {
            let commit = self.undo_commit(by, &quick.commit, giver).await?;
            return Ok(Some(format!(
                "commit {} was taken back by {}",
                super::control::short(&quick.commit),
                super::control::short(&commit)
            )));
        }
        if let Some(id) = &last.proposal {
            let proposal = records::proposal(&self.log, id)?;
            // Only what it proposed itself: what it merely showed is somebody's work.
            if proposal.state == ProposalState::Open
                && proposal.instruction.as_ref() == Some(&last.id)
            {
                let reason = Reject {
                    reason: Some("corrected".to_owned()),
                };
                self.reject(id, reason, &giver.actor).await?;
                return Ok(Some(format!("\u{ab}{}\u{bb} was dropped", proposal.title)));
            }
        }
        Ok(None)
    }

    /// The words to follow when `words` correct the last instruction, and which one that is.
    pub(super) fn correction(
        &self,
        instruction: &Instruction,
        words: &str,
        table: &Table,
    ) -> Result<Option<(String, Instruction)>, Problem> {
        let Some(rest) = meant::rest(words) else {
            return Ok(None);
        };
        let Some(last) = self.corrected(instruction)? else {
            return Ok(None);
        };
        let stands_alone = matches!(table.understand(rest), Intent::Control { .. });
        let before = match &last.intent {
            Some(Intent::Edit { request }) => request.as_str(),
            _ => last.text.as_deref().unwrap_or_default(),
        };
        let words = match stands_alone {
            true => rest.to_owned(),
            false => meant::apply(before, rest).unwrap_or_else(|| rest.to_owned()),
        };
        Ok(Some((words, last)))
    }

    /// "No, I meant …": takes back what the last instruction started and follows what is meant. `false` when the words
    /// correct nothing.
    pub(super) async fn take_up_correction(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        words: &str,
        doubtful: bool,
        phrases: &Phrases,
    ) -> Result<bool, Stop> {
        let Some((meant, last)) = self.correction(instruction, words, &phrases.table)? else {
            return Ok(false);
        };
        let mut intent = phrases.table.understand(&meant);
        let mut understood = Understood {
            spoken: instruction.recording.as_ref().map(|_| match intent {
                // The words after "I meant" were understood as they stand; what deploys asks all the same.
                Intent::Control { exact: true, .. } => Sureness::Likely,
                _ => Sureness::Doubtful,
            }),
            corrects: Some(last.id.clone()),
            ..Understood::default()
        };
        if understood.spoken == Some(Sureness::Doubtful)
            && let Some(hearing) = self.hearing_of_rest(instruction, words, phrases).await?
            && let Some(best) = hearing.readings.first()
        {
            intent = control_of(best);
            understood.hearing = Some(hearing);
        }
        if doubtful && !understood.commanded() {
            return Ok(false);
        }
        self.withdraw(&last, instruction).await?;
        self.follow(instruction, intent, meant, understood).await?;
        Ok(true)
    }

    /// Does what the intent says, as far as its certainty goes.
    pub(super) async fn follow(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        intent: Intent,
        words: String,
        understood: Understood,
    ) -> Result<(), Stop> {
        instruction.intent = Some(intent.clone());
        let request = match intent {
            Intent::Edit { request } => request,
            control @ Intent::Control { .. } => {
                if self.control(instruction, &control, &understood).await? {
                    return Ok(());
                }
                let request = clean::clean(&words);
                instruction.intent = Some(Intent::Edit {
                    request: request.clone(),
                });
                request
            }
        };
        self.follow_edit(instruction, request, words, &understood, None)
            .await
    }
}
