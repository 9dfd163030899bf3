//! An instruction from its arrival to a proposal, a question or a refusal.

mod end;
mod recording;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::hearing::{Phrases, Understood};
use super::records::{self, Change};
use super::rights::DEPLOYING;
use super::{Conductor, describe, steps};
use crate::generate::recipes::RECIPE;
use crate::generate::{self, Earlier, NotMade, Request};
use crate::intent::{spoken, understand};
use crate::model::api::Submission;
use crate::model::{
    Action, EventKind, Identity, Instruction, InstructionId, InstructionState, Intent, NewEvent,
    Problem, ProposalId, Refusal, RefusalReason, Role, Sureness, failpoint,
};

/// The longest instruction in words, in bytes: longer than anyone speaks in one go.
const MAX_WORDS: usize = 8_000;

/// How an instruction ended when it did not end well.
pub(super) enum Stop {
    /// Refused with candidates.
    Refused(Refusal),
    /// Went wrong.
    Failed(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Conductor {
    /// Takes an instruction: words, or `audio` (a WAV file; `submission.audio` is ignored then).
    /// Returns once it is stored; what becomes of it is told by events. The same idempotency `key` gives the
    /// same instruction again.
    ///
    /// # Errors
    /// `forbidden` for who may not go so far; `bad-request` when there are neither words nor sound, or both; `store` when the disk refuses.
    pub async fn submit(
        self: &Arc<Self>,
        submission: Submission,
        audio: Option<Bytes>,
        key: Option<&str>,
        by: &Identity,
    ) -> Result<InstructionId, Problem> {
        by.may(Role::Author, "giving an instruction")?;
        if submission.action == Action::Deploy {
            by.may(Role::Deployer, DEPLOYING)?;
        }
        self.take(submission, audio, key, by, None).await
    }

    /// The same for an instruction that asks to make the proposal `revises` otherwise.
    pub(super) async fn take(
        self: &Arc<Self>,
        submission: Submission,
        audio: Option<Bytes>,
        key: Option<&str>,
        by: &Identity,
        revises: Option<ProposalId>,
    ) -> Result<InstructionId, Problem> {
        let actor = by.actor.as_str();
        let _one_at_a_time = self.submitting.lock().await;
        if let Some(known) = key
            .map(|key| records::by_key(&self.log, key))
            .transpose()?
            .flatten()
        {
            return Ok(known);
        }
        let words = submission
            .prompt
            .as_deref()
            .map(str::trim)
            .filter(|words| !words.is_empty());
        match (words, &audio) {
            (None, None) => {
                return Err(Problem::bad_request(
                    "an instruction needs words (prompt) or sound (audio)",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(Problem::bad_request(
                    "an instruction takes prompt or audio, not both",
                ));
            }
            (Some(words), None) if words.len() > MAX_WORDS => {
                return Err(Problem::bad_request(format!(
                    "the instruction has {} bytes; at most {MAX_WORDS} are taken",
                    words.len()
                )));
            }
            _ => {}
        }
        let engine = submission
            .engine
            .unwrap_or_else(|| self.config.generate.engine.clone());
        if engine != "auto" && !self.generators.iter().any(|g| g.name() == engine) {
            let known: Vec<_> = self.generators.iter().map(|g| g.name()).collect();
            return Err(
                Problem::bad_request(format!("there is no engine {engine:?}"))
                    .hint(format!("use auto or one of: {}", known.join(", "))),
            );
        }
        let id = InstructionId::new();
        let recording = match &audio {
            Some(wav) => Some(self.keep_recording(&id, wav)?),
            None => None,
        };
        let now = Timestamp::now();
        let instruction = Instruction {
            id: id.clone(),
            actor: actor.to_owned(),
            bearer: by.bearer(),
            action: submission.action,
            state: InstructionState::Received,
            engine,
            text: words.map(str::to_owned),
            recording,
            file_path: submission.file_path,
            revises,
            intent: None,
            question: None,
            proposal: None,
            deployment: None,
            refusal: None,
            problem: None,
            created_at: now,
            updated_at: now,
        };
        let mut change = Change::new().instruction(&instruction)?;
        if let Some(key) = key {
            change = change.key(key, &id)?;
        }
        if let Some(words) = words {
            let data = json!({ "text": words, "ms": 0, "engine": "typed" });
            change = change
                .event(NewEvent::new(EventKind::Transcript, actor, data).instruction(Some(&id)));
        }
        change.store(&self.log).await?;
        if !submission.commands.is_empty() {
            self.commands().insert(id.to_string(), submission.commands);
        }
        failpoint::reach("instruction.received");
        self.begin(instruction);
        Ok(id)
    }

    /// Drives the instruction in a task of its own.
    pub(super) fn begin(self: &Arc<Self>, instruction: Instruction) {
        let cancel = CancellationToken::new();
        self.running()
            .insert(instruction.id.to_string(), cancel.clone());
        let conductor = Arc::clone(self);
        self.tasks.spawn(async move {
            let id = instruction.id.clone();
            tokio::select! {
                () = cancel.cancelled() => {}
                () = conductor.drive(instruction) => {}
            }
            conductor.running().remove(id.as_str());
            conductor.commands().remove(id.as_str());
        });
    }

    async fn drive(self: &Arc<Self>, mut instruction: Instruction) {
        let result = self.stages(&mut instruction).await;
        if result.is_err() {
            self.revision_failed(&instruction).await;
        }
        let stored = match result {
            Ok(()) => return,
            Err(Stop::Refused(refusal)) => self.refuse(instruction, refusal).await,
            Err(Stop::Failed(problem)) => self.fail(instruction, problem).await,
        };
        if let Err(problem) = stored {
            tracing::error!(%problem, "an instruction's end could not be stored");
        }
    }

    async fn stages(self: &Arc<Self>, instruction: &mut Instruction) -> Result<(), Stop> {
        // It may have waited, even for a restart: its token may be over by now.
        self.giver(instruction)?;
        // Looked up once, while the recogniser listens: each look asks git where the branch stands.
        let (doubtful, phrases) = match instruction.text {
            Some(_) => (false, self.phrases().await),
            None => self.transcribe(instruction).await?,
        };
        failpoint::reach("instruction.transcribed");
        let words = instruction.text.clone().unwrap_or_default();
        instruction.state = InstructionState::Understanding;
        if let Some(phrase) = self.for_the_screen(instruction, &words) {
            return self.told_the_screen(instruction, &phrase).await;
        }
        if self
            .take_up_correction(instruction, &words, doubtful, &phrases)
            .await?
        {
            return Ok(());
        }
        if self.take_up_version(instruction, &words).await?
            || self.take_up_plan(instruction, &words).await?
        {
            return Ok(());
        }
        if let Some(earlier) = self.answered_choice(instruction, &words)? {
            // The words are read as the request that was refused, with one of its places chosen.
            instruction.intent = Some(Intent::Edit {
                request: earlier.words.clone(),
            });
            let understood = Understood::default();
            return self
                .follow_edit(
                    instruction,
                    words.clone(),
                    words,
                    &understood,
                    Some(earlier),
                )
                .await;
        }
        let (intent, mut understood) = self.understand(instruction, &words, &phrases).await;
        if doubtful {
            // Words that make no sense may still have the sound of a command; as an edit they are refused.
            if !understood.commanded() {
                return Err(Refusal::new(
                    RefusalReason::Unclear,
                    format!("the recording was not understood (heard \u{ab}{words}\u{bb})"),
                )
                .hint("say it again, or type it")
                .into());
            }
            understood.spoken = Some(Sureness::Doubtful);
        }
        self.follow(instruction, intent, words, understood).await
    }

    /// "The second one": an answer to what was just refused, unless a question waits for an answer.
    fn answered_choice(
        &self,
        instruction: &Instruction,
        words: &str,
    ) -> Result<Option<Earlier>, Problem> {
        let Some(earlier) = records::choices(&self.log, &instruction.actor)? else {
            return Ok(None);
        };
        let asked = records::open_instructions(&self.log)?
            .iter()
            .any(|other| other.question.is_some());
        let answers = !asked && generate::is_answer(words, earlier.candidates.len());
        Ok(answers.then_some(earlier))
    }

    /// The phrase of the sender's own screen that the words are. A command of ours that was said exactly is ours.
    fn for_the_screen(&self, instruction: &Instruction, words: &str) -> Option<String> {
        let known = self.commands().remove(instruction.id.as_str())?;
        let (phrase, exact) = spoken::nearest(words, known.iter().map(String::as_str))?;
        // Of two near readings ours is the one that asks before it acts.
        match understand(words) {
            Intent::Control { exact: true, .. } => None,
            Intent::Control { .. } if !exact => None,
            _ => Some(phrase.to_owned()),
        }
    }

    async fn told_the_screen(
        &self,
        instruction: &mut Instruction,
        phrase: &str,
    ) -> Result<(), Stop> {
        instruction.state = InstructionState::Done;
        let mut event = self.intent_event(instruction, None, &Understood::default());
        event.data["command"] = json!(phrase);
        event.data["reading"] = json!(format!("for the cockpit: {phrase}"));
        self.store(Change::new().event(event), instruction).await?;
        Ok(())
    }

    /// Turns the recording into words; true when they are not to be trusted as they stand. With it the phrases that are
    /// known now.
    async fn transcribe(
        self: &Arc<Self>,
        instruction: &mut Instruction,
    ) -> Result<(bool, Arc<Phrases>), Stop> {
        let Some(file) = instruction.recording.clone() else {
            return Err(Problem::internal("an instruction without words or sound").into());
        };
        let Some(transcriber) = &self.transcriber else {
            return Err(
                Problem::new(501, "no-speech-engine", "no speech engine is configured")
                    .hint("run `sayso speech install`, or type the instruction")
                    .into(),
            );
        };
        instruction.state = InstructionState::Transcribing;
        self.store(Change::new(), instruction).await?;
        let path = self.recordings.join(&file);
        // The phrases of the site are made ready while it listens.
        let (heard, phrases) = tokio::join!(transcriber.transcribe(&path), self.phrases());
        let heard = heard?;
        let data = json!({
            "text": heard.text,
            "ms": heard.millis,
            "seconds": heard.seconds,
            "engine": heard.engine,
            "doubtful": heard.doubtful,
            "words": heard.words,
            "note": heard.note,
        });
        instruction.text = Some(heard.text.clone());
        let event = NewEvent::new(EventKind::Transcript, &instruction.actor, data)
            .instruction(Some(&instruction.id));
        let mut change = Change::new().event(event);
        if let Some(note) = &heard.note {
            let told = NewEvent::new(EventKind::Notice, "sayso", json!({ "message": note }));
            change = change.event(told.instruction(Some(&instruction.id)));
        }
        self.store(change, instruction).await?;
        if heard.text.trim().is_empty() {
            return Err(Refusal::new(RefusalReason::Unclear, "no speech was heard")
                .hint("hold the key while you speak, closer to the microphone, or type the instruction")
                .into());
        }
        Ok((heard.doubtful, phrases))
    }

    pub(super) async fn propose_edit(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        words: String,
        original: String,
        earlier: Option<Earlier>,
    ) -> Result<(), Stop> {
        let began = Instant::now();
        let standing = self.repo.standing().await?;
        let tree = self.repo.tree(&standing.head).await?;
        let before = self
            .look_before(instruction, &words, &standing.head)
            .await?;
        let mut background = self.background(instruction)?;
        background.extend(before.as_ref().and_then(|before| before.background()));
        let request = Request {
            words,
            original,
            file_path: instruction.file_path.clone(),
            tree: Arc::clone(&tree),
            earlier,
            background,
            steps: None,
            asks: None,
        };
        let mut refusal: Option<Refusal> = None;
        for generator in &self.generators {
            if instruction.engine != "auto" && generator.name() != instruction.engine {
                continue;
            }
            if !generator.takes(&request) {
                continue;
            }
            if !generator.offline()
                && refusal
                    .as_ref()
                    .is_some_and(|refusal| !steps::passed_on(refusal))
                // What is wrong was found by a look at the site: nobody has to say it.
                && !before.as_ref().is_some_and(|before| before.found_any())
            {
                break;
            }
            let asked = Instant::now();
            match self
                .generate(instruction, generator.as_ref(), &request)
                .await
            {
                Ok(generated) => {
                    let took = asked.elapsed();
                    let mut proposal = self
                        .build_proposal(
                            instruction,
                            &standing,
                            tree.as_ref(),
                            generated,
                            generator.name(),
                        )
                        .await?;
                    if !generator.offline() || generator.name() == RECIPE {
                        steps::guard(&mut proposal);
                    }
                    if let Some(before) = &before {
                        self.look_after(instruction, &mut proposal, before).await?;
                    }
                    return self
                        .open_proposal(instruction, proposal, began, Some(took))
                        .await;
                }
                // What a service says comes after a look at the site, and is the last word.
                Err(NotMade::Refused(refused))
                    if !generator.offline() || generator.name() == RECIPE =>
                {
                    return Err(refused.into());
                }
                Err(NotMade::Failed(problem)) => return Err(problem.into()),
                // The first engine's refusal is the one that names candidates in the site.
                Err(NotMade::Refused(refused)) => refusal = refusal.or(Some(refused)),
            }
        }
        let refusal = refusal.unwrap_or_else(|| {
            Refusal::new(RefusalReason::Unclear, "no engine took the instruction")
        });
        if let Some(refusal) = before.and_then(|before| before.refusal(&refusal)) {
            return Err(self.with_what_is_missing(instruction, refusal).into());
        }
        Err(self.with_what_is_missing(instruction, refusal).into())
    }

    /// The `intent` event of an instruction.
    pub(super) fn intent_event(
        &self,
        instruction: &Instruction,
        question: Option<&crate::model::Question>,
        understood: &Understood,
    ) -> NewEvent {
        let mut data = json!({
            "text": instruction.text,
            "intent": instruction.intent,
            "reading": instruction.intent.as_ref().map(describe::intent),
        });
        if let Some(question) = question {
            data["question"] = json!(question);
        }
        if let Some(hearing) = &understood.hearing {
            data["heard"] = json!(hearing);
        }
        if let Some(sure) = understood.spoken {
            data["sure"] = json!(sure);
        }
        if let Some(last) = &understood.corrects {
            data["corrects"] = json!(last);
        }
        NewEvent::new(EventKind::Intent, &instruction.actor, data)
            .instruction(Some(&instruction.id))
    }

    /// Stores the instruction with `change`.
    pub(super) async fn store(
        &self,
        change: Change,
        instruction: &mut Instruction,
    ) -> Result<(), Problem> {
        instruction.updated_at = Timestamp::now();
        change.instruction(instruction)?.store(&self.log).await?;
        Ok(())
    }
}
