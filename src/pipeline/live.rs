//! Questions of a generator at work: put to the person, answered by key, word or command line, and given back to it.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::oneshot;

use super::Conductor;
use super::answer::Answer;
use super::hearing::Understood;
use super::instruct::Stop;
use super::plan;
use super::records::{self, Change};
use crate::generate::{Answered, Ask, Asked};
use crate::model::{
    EventKind, Instruction, InstructionId, InstructionState, NewEvent, Problem, Question,
};

/// A question that waits for its answer. Forgotten when this is dropped.
pub(super) struct Waiting<'a> {
    conductor: &'a Conductor,
    id: String,
    answer: oneshot::Receiver<Answered>,
    reply: Option<oneshot::Sender<Answered>>,
}

impl Waiting<'_> {
    /// Waits for the person and hands the answer on.
    pub(super) async fn over(&mut self) {
        let answer = (&mut self.answer).await.unwrap_or(Answered::No);
        if let Some(reply) = self.reply.take() {
            // The generator may have gone on without it.
            let _ = reply.send(answer);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.conductor.waiting().remove(&self.id);
    }
}

impl Conductor {
    /// Puts a generator's question to the person. `None` when it cannot be stored: nobody can answer then.
    pub(super) async fn put_question(
        &self,
        instruction: &mut Instruction,
        asked: Asked,
    ) -> Option<Waiting<'_>> {
        let Asked { ask, reply } = asked;
        let question = Question {
            text: ask.text,
            heard: instruction.text.clone().unwrap_or_default(),
            act: ask.act.to_owned(),
            environment: None,
            plan: ask.plan,
            second: None,
        };
        let (sender, answer) = oneshot::channel();
        let id = instruction.id.to_string();
        self.waiting().insert(id.clone(), sender);
        let waiting = Waiting {
            conductor: self,
            id,
            answer,
            reply: Some(reply),
        };
        instruction.state = InstructionState::Asking;
        instruction.question = Some(question.clone());
        let event = self.intent_event(instruction, Some(&question), &Understood::default());
        match self.store(Change::new().event(event), instruction).await {
            Ok(()) => Some(waiting),
            Err(problem) => {
                tracing::error!(%problem, "a question could not be stored");
                None
            }
        }
    }

    /// Gives the answer to who waits for it. `None` when nobody does: then it is a question of the other kind.
    ///
    /// # Errors
    /// `store` when it cannot be stored.
    pub(super) async fn answer_live(
        &self,
        instruction: &mut Instruction,
        answer: Answer,
        keep: Option<&[usize]>,
        actor: &str,
    ) -> Result<Option<()>, Problem> {
        let Some(sender) = self.waiting().remove(instruction.id.as_str()) else {
            return Ok(None);
        };
        let question = instruction.question.take();
        let mut plan = question.map_or_else(Vec::new, |question| question.plan);
        if let Some(keep) = keep {
            for (at, line) in plan.iter_mut().enumerate() {
                line.kept = keep.contains(&at);
            }
        }
        let nothing_left = !plan.is_empty() && plan.iter().all(|line| !line.kept);
        let yes = answer != Answer::No && !nothing_left;
        let left_out: Vec<&str> = plan
            .iter()
            .filter(|line| !line.kept)
            .map(|line| line.file.as_str())
            .collect();
        let message = match (yes, left_out.as_slice()) {
            (true, []) => "answered: yes".to_owned(),
            (true, out) => format!("answered: yes, without {}", out.join(", ")),
            (false, _) => "answered: no".to_owned(),
        };
        let data = json!({ "message": message, "answered": yes, "plan": plan, "engine": "sayso" });
        let event =
            NewEvent::new(EventKind::Notice, actor, data).instruction(Some(&instruction.id));
        instruction.state = InstructionState::Proposing;
        self.store(Change::new().event(event), instruction).await?;
        let answered = match yes {
            true => Answered::Yes(plan.into_iter().filter(|line| line.kept).collect()),
            false => Answered::No,
        };
        // It may have ended in this moment.
        let _ = sender.send(answered);
        Ok(Some(()))
    }

    /// "Not the footer", "only the home page", "go on": words about the plan that is on the screen. `false` when there is
    /// none, or they say something else.
    pub(super) async fn take_up_plan(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        words: &str,
    ) -> Result<bool, Stop> {
        let asking = records::open_instructions(&self.log)?
            .into_iter()
            .rev()
            .find(|other| {
                let question = other.question.as_ref();
                question.is_some_and(|question| question.act == Ask::PLAN)
            });
        let Some(asking) = asking else {
            return Ok(false);
        };
        let lines = asking
            .question
            .as_ref()
            .map_or(&[][..], |question| &question.plan);
        let Some(said) = plan::read(words, lines) else {
            return Ok(false);
        };
        let message = match said {
            plan::Said::GoOn => {
                let by = self.giver(instruction)?;
                self.answer_with(&asking.id, Answer::Yes, &by).await?;
                "the plan is carried out".to_owned()
            }
            plan::Said::Unknown(what) => {
                format!("no line of the plan is about \u{ab}{what}\u{bb}")
            }
            plan::Said::Kept(kept) => self.cut_plan(&asking.id, &kept).await?,
        };
        instruction.state = InstructionState::Done;
        let data = json!({ "message": message });
        let event =
            NewEvent::new(EventKind::Notice, "sayso", data).instruction(Some(&instruction.id));
        self.store(Change::new().event(event), instruction).await?;
        Ok(true)
    }

    /// Changes what remains of a plan, and shows it again; says what was changed.
    async fn cut_plan(&self, id: &InstructionId, kept: &[bool]) -> Result<String, Problem> {
        let _one_at_a_time = self.reviewing.lock().await;
        let mut asking = records::instruction(&self.log, id)?;
        let Some(question) = asking.question.as_mut() else {
            return Ok("the plan is not open any more".to_owned());
        };
        let mut changed = Vec::new();
        for (line, kept) in question.plan.iter_mut().zip(kept) {
            if line.kept != *kept {
                line.kept = *kept;
                changed.push((line.file.clone(), *kept));
            }
        }
        let left = question.plan.iter().filter(|line| line.kept).count();
        let question = question.clone();
        let event = self.intent_event(&asking, Some(&question), &Understood::default());
        self.store(Change::new().event(event), &mut asking).await?;
        let named = |kept: bool| -> Vec<&str> {
            let named = changed.iter().filter(|(_, now)| *now == kept);
            named.map(|(file, _)| file.as_str()).collect()
        };
        let (out, back) = (named(false), named(true));
        Ok(match (out.as_slice(), back.as_slice()) {
            ([], []) => "the plan stays as it is".to_owned(),
            ([], back) => format!("with {} again; {left} of the plan remain", back.join(", ")),
            (out, _) => format!("without {}; {left} of the plan remain", out.join(", ")),
        })
    }
}
