//! The question when two sides changed the same lines: asked as every other question is, answered by key, voice or
//! command line, and remembered over a restart. The branch waits meanwhile.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::control::{Act, short};
use super::super::hearing::Understood;
use super::super::records::{self, Change};
use super::pass::Worker;
use crate::model::{Action, Instruction, InstructionId, InstructionState, Problem, Question};
use crate::vcs::git::sandbox::{Clash, Side};

/// The open question of each branch.
const QUESTION: &str = "sandbox-question";

/// Places that a question names.
const NAMED: usize = 3;

/// An open question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    /// The instruction that carries it.
    pub(super) instruction: InstructionId,
    /// The commit of the other side.
    pub(super) about: String,
    /// The question.
    pub(super) text: String,
}

impl Worker {
    /// Takes up the question that was open when the last process ended.
    pub(super) fn recall(&mut self) -> Result<(), Problem> {
        let Some(asked) = self.log().get::<Asked>(QUESTION, self.sandbox.branch())? else {
            return Ok(());
        };
        match records::instruction(self.log(), &asked.instruction)?.state {
            InstructionState::Asking => self.asked = Some(asked),
            InstructionState::Done | InstructionState::Acting => {
                self.favour = Some((Side::Ours, asked.about));
            }
            InstructionState::Rejected => self.favour = Some((Side::Theirs, asked.about)),
            _ => {}
        }
        Ok(())
    }

    /// Asks which side's lines are taken, unless that is asked already. Returns why the branch waits.
    pub(super) async fn ask(&mut self, clashes: &[Clash], about: &str) -> Result<String, Problem> {
        if let Some(asked) = self.asked.as_ref().filter(|asked| asked.about == about) {
            return Ok(asked.text.clone());
        }
        self.no_question().await;
        let who = match self.sandbox.author(about).await {
            Some(author) => format!("by {author} ({})", short(about)),
            None => format!("in {}", short(about)),
        };
        let text = format!(
            "{} changed here and on {} {who}. Take what you saved? (no: what came from there; the other side is kept on a branch of its own)",
            places(clashes),
            self.sandbox.branch()
        );
        let question = Question {
            text: text.clone(),
            heard: String::new(),
            act: "conflict".to_owned(),
            environment: Some(self.environment.clone()),
            plan: Vec::new(),
            second: None,
        };
        let now = Timestamp::now();
        let mut instruction = Instruction {
            id: InstructionId::new(),
            actor: "sayso".to_owned(),
            bearer: None,
            action: Action::Preview,
            state: InstructionState::Asking,
            engine: "auto".to_owned(),
            text: Some("watch".to_owned()),
            recording: None,
            file_path: clashes.first().map(|clash| clash.path.clone()),
            revises: None,
            intent: None,
            question: Some(question.clone()),
            proposal: None,
            deployment: None,
            refusal: None,
            problem: None,
            created_at: now,
            updated_at: now,
        };
        let asked = Asked {
            instruction: instruction.id.clone(),
            about: about.to_owned(),
            text: text.clone(),
        };
        let mut event =
            self.conductor
                .intent_event(&instruction, Some(&question), &Understood::default());
        event.environment = Some(self.environment.clone());
        event.data["conflict"] = serde_json::json!(clashes);
        let change = Change::new()
            .event(event)
            .act(&instruction.id, &Act::SettleConflict)?
            .put(QUESTION, self.sandbox.branch(), &asked)?;
        self.conductor.store(change, &mut instruction).await?;
        crate::model::failpoint::reach("sandbox.asked");
        self.asked = Some(asked);
        Ok(text)
    }

    /// There is nothing to ask any more: an open question is taken back.
    pub(super) async fn no_question(&mut self) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        // Answered in this very moment: as good.
        let _ = self
            .conductor
            .cancel_instruction(&asked.instruction, "sayso")
            .await;
        self.forget_question().await;
    }

    /// The answer was taken, or there is none to wait for.
    pub(super) async fn forget_question(&mut self) {
        self.favour = None;
        let forgotten = Change::new()
            .delete(QUESTION, self.sandbox.branch())
            .store(self.log())
            .await;
        if let Err(problem) = forgotten {
            tracing::warn!(%problem, "a question that is over is still remembered");
        }
    }

    /// The person answered, or stopped the question; true when it is ours.
    pub(super) fn answered(&mut self, instruction: &InstructionId, ours: Option<bool>) -> bool {
        let Some(asked) = self
            .asked
            .take_if(|asked| asked.instruction == *instruction)
        else {
            return false;
        };
        self.favour = ours.map(|ours| {
            let side = if ours { Side::Ours } else { Side::Theirs };
            (side, asked.about)
        });
        self.favour.is_some()
    }
}

/// Where the sides clash, for people: `index.html line 4 and about.html were`.
pub(super) fn places(clashes: &[Clash]) -> String {
    let named: Vec<String> = clashes
        .iter()
        .take(NAMED)
        .map(|clash| match clash.line {
            Some(line) => format!("{} line {line}", clash.path),
            None => format!("{} ({})", clash.path, clash.what),
        })
        .collect();
    let more = clashes.len().saturating_sub(NAMED);
    let verb = if clashes.len() == 1 { "was" } else { "were" };
    let list = if more > 0 {
        format!("{} and {more} more", named.join(", "))
    } else {
        match named.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => named.concat(),
        }
    };
    format!("{list} {verb}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clash(path: &str, line: Option<usize>) -> Clash {
        Clash {
            path: path.into(),
            line,
            what: "the same lines".into(),
        }
    }

    #[test]
    fn places_are_named_up_to_three() {
        let one = [clash("index.html", Some(4))];
        assert_eq!(places(&one), "index.html line 4 was");
        let two = [clash("a", Some(1)), clash("b", None)];
        assert_eq!(places(&two), "a line 1 and b (the same lines) were");
        let many: Vec<Clash> = (0..5).map(|n| clash(&format!("f{n}"), Some(n))).collect();
        assert_eq!(
            places(&many),
            "f0 line 0, f1 line 1, f2 line 2 and 2 more were"
        );
    }
}
