//! What was understood as a change. A spoken one that makes no sense here: what else its sound may be is offered, never
//! done unasked.

use std::sync::Arc;

use super::Conductor;
use super::control::Act;
use super::hearing::Understood;
use super::instruct::Stop;
use super::records::Change;
use super::revision::Taken;
use crate::generate::{self, Earlier, Request};
use crate::intent::{clean, misheard};
use crate::model::{Instruction, InstructionState, Question, Refusal, RefusalReason, failpoint};

/// By how much another reading may fit the sound worse than the recogniser's own (a natural logarithm). Phrases that were
/// not said at all come no nearer than 17; what was said and misheard is within 13.
const GAP: f32 = 13.0;

/// Readings that are compared with the sound.
const COMPARED: usize = 12;

impl Conductor {
    /// Tells what was understood as a change, and makes it.
    pub(super) async fn follow_edit(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        request: String,
        words: String,
        understood: &Understood,
        earlier: Option<Earlier>,
    ) -> Result<(), Stop> {
        let (request, words) = match self.take_up_revision(instruction, &words).await? {
            Taken::Done => return Ok(()),
            Taken::As(Some(whole)) => (whole.clone(), whole),
            Taken::As(None) | Taken::No => (request, words),
        };
        instruction.state = InstructionState::Proposing;
        let change = Change::new()
            .event(self.intent_event(instruction, None, understood))
            .choices(&instruction.actor, None)?;
        self.store(change, instruction).await?;
        failpoint::reach("instruction.understood");
        match self
            .propose_edit(instruction, request, words, earlier)
            .await
        {
            Err(Stop::Refused(refusal))
                if self
                    .offer_misheard(instruction, &refusal, understood)
                    .await? =>
            {
                Ok(())
            }
            made => made,
        }
    }

    /// Offers the best other reading of a refused spoken change as a question; `false` when there is none.
    pub(super) async fn offer_misheard(
        self: &Arc<Self>,
        instruction: &mut Instruction,
        refusal: &Refusal,
        understood: &Understood,
    ) -> Result<bool, Stop> {
        let makes_no_sense = matches!(
            refusal.reason,
            RefusalReason::NotFound | RefusalReason::Unclear
        );
        let (Some(file), Some(transcriber)) = (&instruction.recording, &self.transcriber) else {
            return Ok(false);
        };
        let Some(words) = instruction.text.clone().filter(|_| makes_no_sense) else {
            return Ok(false);
        };
        let standing = self.repo.standing().await?;
        let tree = self.repo.tree(&standing.head).await?;
        let names = misheard::labels(tree.as_ref());
        let mut possible: Vec<String> = Vec::new();
        for text in misheard::alternatives(&words, &names) {
            if possible.len() == COMPARED {
                break;
            }
            let request = Request {
                words: clean::clean(&text),
                original: text.clone(),
                file_path: instruction.file_path.clone(),
                tree: Arc::clone(&tree),
                earlier: None,
                background: Vec::new(),
                steps: None,
                asks: None,
            };
            // Only the engine on this machine: no server is asked about guesses.
            let here = self
                .generators
                .iter()
                .find(|generator| generator.name() == generate::OFFLINE);
            if let Some(generator) = here
                && generator.generate(request).await.is_ok()
            {
                possible.push(text);
            }
        }
        if possible.is_empty() {
            return Ok(false);
        }
        let path = self.recordings.join(file);
        let none: Arc<[String]> = Arc::new([]);
        let Some(fit) = transcriber.search(&path, &possible, none).await? else {
            return Ok(false);
        };
        let best = possible
            .into_iter()
            .zip(&fit.phrases)
            .max_by(|a, b| a.1.total_cmp(b.1));
        let Some((text, score)) = best.filter(|(_, score)| fit.own - **score <= GAP) else {
            return Ok(false);
        };
        tracing::debug!(gap = fit.own - score, text, "another reading is offered");
        let question = Question {
            text: format!(
                "Heard \u{ab}{words}\u{bb}, which is not on this site. Did you say \u{ab}{text}\u{bb}?"
            ),
            heard: words,
            act: "change".to_owned(),
            environment: None,
            plan: Vec::new(),
            second: None,
        };
        self.ask(instruction, understood, question, Act::Change(text), None)
            .await?;
        Ok(true)
    }
}
