//! What a generator tells while it takes its time, and what it is told besides the words.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;

use super::live::Waiting;
use super::records::{self, Change};
use super::{Conductor, propose};
use crate::generate::{self, Background, Generated, Generator, NotMade, Request, Step, TaskState};
use crate::model::{
    Content, EventKind, Instruction, InstructionState, NewEvent, Problem, Proposal, ProposalKind,
    ProposedFile, Refusal, RefusalReason,
};
use crate::review;

/// How long ago a failed build may be to bear on a request.
const RECENT: Duration = Duration::from_secs(3_600);

/// The longest draft in an event, in bytes.
const LONGEST_DRAFT: usize = 64 << 10;

/// Whether a request that the offline engine refused goes on to a model. Where places were found that fit equally well the
/// person chooses, and what is out of bounds stays so.
pub(super) fn passed_on(refusal: &Refusal) -> bool {
    match refusal.reason {
        RefusalReason::Ambiguous | RefusalReason::OutOfScope | RefusalReason::ValueMissing => false,
        RefusalReason::NotFound
        | RefusalReason::Mixed
        | RefusalReason::Computed
        | RefusalReason::Generated
        | RefusalReason::Unclear => true,
    }
}

impl Conductor {
    /// Lets a generator work, stores what it tells as events, and puts its questions to the person.
    pub(super) async fn generate(
        &self,
        instruction: &mut Instruction,
        generator: &dyn Generator,
        request: &Request,
    ) -> Result<Generated, NotMade> {
        if generator.offline() {
            return generator.generate(request.clone()).await;
        }
        let (steps, mut told) = mpsc::unbounded_channel();
        let (asks, mut asked) = mpsc::unbounded_channel();
        let request = Request {
            steps: Some(steps),
            asks: Some(asks),
            ..request.clone()
        };
        let work = generator.generate(request.clone());
        tokio::pin!(work);
        let mut open: Option<Waiting<'_>> = None;
        let made = loop {
            // The channels stay open as long as the request lives, so it is the work that ends this.
            tokio::select! {
                biased;
                Some(step) = told.recv() => self.tell_step(instruction, &request, generator.name(), step).await,
                // One question at a time: who asks more waits.
                Some(next) = asked.recv(), if open.is_none() => {
                    open = self.put_question(instruction, next).await;
                }
                () = answered(&mut open) => {
                    open = None;
                    instruction.state = InstructionState::Proposing;
                    instruction.question = None;
                }
                made = &mut work => break made,
            }
        };
        // It may have told something in the moment in which it was done.
        while let Ok(step) = told.try_recv() {
            self.tell_step(instruction, &request, generator.name(), step)
                .await;
        }
        made
    }

    async fn tell_step(
        &self,
        instruction: &Instruction,
        request: &Request,
        engine: &str,
        step: Step,
    ) {
        let Some(data) = self.step(request, engine, step) else {
            return;
        };
        let event =
            NewEvent::new(EventKind::Notice, engine, data).instruction(Some(&instruction.id));
        if let Err(problem) = Change::new().event(event).store(&self.log).await {
            tracing::warn!(%problem, "a step could not be stored");
        }
    }

    fn step(&self, request: &Request, engine: &str, step: Step) -> Option<serde_json::Value> {
        match step {
            Step::Note(message) => Some(json!({ "message": message, "engine": engine })),
            Step::Plan(tasks) => {
                let done = tasks.iter().filter(|task| task.state == TaskState::Done);
                let now = tasks.iter().find(|task| task.state == TaskState::Doing);
                let now = now.map_or_else(String::new, |task| format!(": {}", task.what));
                let message = format!("plan: {} of {} done{now}", done.count(), tasks.len());
                Some(json!({ "message": message, "engine": engine, "tasks": tasks }))
            }
            Step::Draft { note, edits, of } => {
                let files = drafted(request, &edits);
                let patch = review::patch::unified(&files);
                if patch.is_empty() || patch.len() > LONGEST_DRAFT {
                    return None;
                }
                let message = if note.is_empty() {
                    "writing the change".to_owned()
                } else {
                    note
                };
                Some(json!({ "message": message, "engine": engine, "draft": patch, "edits": of }))
            }
        }
    }

    /// What bears on a request besides its words: the proposal that it changes, a build that failed just now.
    pub(super) fn background(&self, instruction: &Instruction) -> Result<Vec<Background>, Problem> {
        let mut out = Vec::new();
        if let Some(id) = &instruction.revises {
            out.push(self.proposal_so_far(&records::proposal(&self.log, id)?)?);
        }
        if let Some(failed) = self.failed_build() {
            out.push(failed);
        }
        Ok(out)
    }

    fn proposal_so_far(&self, proposal: &Proposal) -> Result<Background, Problem> {
        let mut text = String::new();
        if let Some(id) = &proposal.instruction
            && let Some(words) = records::instruction(&self.log, id)?.text
        {
            let _ = writeln!(text, "The person had asked: {words}");
        }
        text.push_str(
            "This change was proposed and is not made: the files stand as they are shown. Propose the whole change anew, \
             as the person now wants it.\n",
        );
        text.push_str(&review::patch::unified(&proposal.files));
        Ok(Background {
            kind: "proposal",
            text,
            files: proposal
                .files
                .iter()
                .map(|file| file.path.clone())
                .collect(),
        })
    }

    /// The end of the last deployment's log, when it failed and nothing was deployed since.
    fn failed_build(&self) -> Option<Background> {
        let last = records::deployments(&self.log, 1).ok()?.pop()?;
        let problem = last.problem.as_ref()?;
        let age = jiff::Timestamp::now().duration_since(last.ended_at.unwrap_or(last.started_at));
        if age.unsigned_abs() > RECENT {
            return None;
        }
        let mut text = format!(
            "The last deployment failed in the stage {}: {}\n",
            last.progress.stage, problem.detail
        );
        for line in &last.log_tail {
            let _ = writeln!(text, "{line}");
        }
        Some(Background {
            kind: "build",
            text,
            files: Vec::new(),
        })
    }

    /// A refusal of the offline engine, with what to set up where nothing else could be asked.
    pub(super) fn with_what_is_missing(
        &self,
        instruction: &Instruction,
        refusal: Refusal,
    ) -> Refusal {
        let alone = self.generators.iter().all(|generator| generator.offline());
        let larger =
            matches!(refusal.reason, RefusalReason::Unclear) && refusal.candidates.is_empty();
        if alone && larger && instruction.engine == "auto" {
            let hint = generate::missing(&self.config.generate);
            return refusal.hint(hint);
        }
        refusal
    }
}

/// Waits for the answer to the open question; for ever when there is none.
async fn answered(open: &mut Option<Waiting<'_>>) {
    match open {
        Some(waiting) => waiting.over().await,
        None => std::future::pending().await,
    }
}

/// The files of a draft, for its patch.
fn drafted(request: &Request, edits: &[(String, String, String)]) -> Vec<ProposedFile> {
    let mut files: Vec<ProposedFile> = Vec::new();
    for (path, old, new) in edits {
        if let Some(file) = files.iter_mut().find(|file| file.path == *path) {
            if let Content::Text { text } = &file.after {
                let text = text.replacen(old.as_str(), new, 1);
                *file = propose::proposed(
                    path.clone(),
                    file.before.clone(),
                    Content::text(text),
                    file.mode_before,
                    file.mode_after,
                );
            }
            continue;
        }
        let before = request.tree.read(path).ok().flatten();
        let before = before.and_then(|bytes| std::str::from_utf8(&bytes).map(str::to_owned).ok());
        let mode = request.tree.entry(path).map_or(0, |entry| entry.mode);
        let after = match &before {
            Some(text) if !old.is_empty() => text.replacen(old.as_str(), new, 1),
            _ => new.clone(),
        };
        let before = before.map_or(Content::Absent, Content::text);
        files.push(propose::proposed(
            path.clone(),
            before,
            Content::text(after),
            mode,
            mode.max(0o100_644),
        ));
    }
    files
}

/// Leaves out what deserves a look of its own: it goes along only when a person accepts it.
pub(super) fn guard(proposal: &mut Proposal) {
    if proposal.kind != ProposalKind::Edit {
        return;
    }
    for file in &mut proposal.files {
        if generate::edits::path::guarded(&file.path).is_some() {
            for hunk in &mut file.hunks {
                hunk.decide(None, crate::model::Decision::Rejected);
            }
        }
    }
}
