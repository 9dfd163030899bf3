//! What the end of an effect changes. The events say the same and more; an outcome matters where they say nothing:
//! when a call failed.

use super::Turn;
use super::events::RETRY;
use crate::client::outbox::may_pass;
use crate::client::stream::Connection;
use crate::model::api::{Accepted, Status};
use crate::model::{DeploymentState, InstructionState, Problem, ProposalId, ProposalState};
use crate::tui::message::{Effect, Outcome};
use crate::tui::model::{Card, Deploy, OpenQuestion, Site, Tone, Work};

impl Turn<'_> {
    pub(super) fn done(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Status(Ok(status)) => self.status(status),
            Outcome::Status(Err(problem)) => self.no_status(&problem),
            Outcome::Previewed(_, result) => self.previewed(result),
            Outcome::Picture(id, version, result) => self.pictured(&id, version, result),
            Outcome::Proposal(updated, Ok(view)) => self.put_proposal(view, updated),
            Outcome::Proposal(_, Err(problem)) => {
                self.m.work = None;
                self.failed("the proposal was not loaded", &problem);
            }
            Outcome::History(events) => {
                for event in &events {
                    self.m.journeys.note(event);
                }
                self.m.timeline.page(&events);
            }
            // The palette is whole without them.
            // Without them what was said before is suggested all the same.
            Outcome::Words(result) => self.m.words = result.unwrap_or_default(),
            Outcome::Recipes(result) => self.m.recipes = result.unwrap_or_default(),
            Outcome::Deployments(Ok(list)) => self.m.deploys.put(list),
            Outcome::Deployments(Err(problem)) => {
                self.m.deploys.loading = false;
                self.failed("the deployments were not loaded", &problem);
            }
            Outcome::Details(loaded) => self.detailed(loaded),
            Outcome::Checkup(items) => self.looked(items),
            Outcome::Fixed(name, result) => self.fixed(&name, result),
            Outcome::Sent(key, result) => self.sent(&key, result),
            Outcome::Submitted(text, result) | Outcome::Revised(text, result) => {
                if let Err(problem) = result {
                    self.m.work = None;
                    self.not_sent(&text, &problem);
                } else if let (Ok(accepted), Some(work)) = (result, &mut self.m.work) {
                    work.instruction.get_or_insert(accepted.instruction);
                }
            }
            Outcome::ClipSent(Ok(accepted)) => self.clip_sent(accepted),
            Outcome::ClipSent(Err(problem)) => {
                self.m.work = None;
                self.failed("the recording was not sent", &problem);
            }
            Outcome::Approved(id, result) => self.approved(&id, result.err()),
            Outcome::Rejected(id, result) => {
                self.free(&id);
                match result {
                    Ok(_) => drop(self.close_proposal(&id)),
                    Err(problem) => {
                        self.m.reviews.not_rejected(&id);
                        self.failed("not rejected", &problem);
                    }
                }
            }
            Outcome::Reopened(id, result) => self.reopened(&id, result),
            Outcome::Decided(id, result) => self.decided(&id, result),
            Outcome::Edited(_, Ok(None)) => self.say(Tone::Plain, "nothing was changed"),
            Outcome::Edited(_, Ok(Some(view))) => self.edited(view),
            Outcome::Edited(_, Err(problem)) => {
                self.not_edited();
                self.failed("your edit was not taken", &problem);
            }
            Outcome::Painted(painted) => {
                let review = self.m.reviews.find(&painted.proposal);
                let taken = review.is_some_and(|review| review.painting.put(painted));
                self.m.dirty |= taken;
            }
            Outcome::Restored(Ok(view)) => {
                let words = format!("back to: {}", view.proposal.title);
                self.put_proposal(*view, true);
                self.say(Tone::Plain, words);
            }
            Outcome::Restored(Err(problem)) => self.failed("no other version", &problem),
            Outcome::Batched(result) => self.batched(result.err()),
            Outcome::Answered(id, result) => {
                if self.m.busy.question.as_ref() == Some(&id) {
                    self.m.busy.question = None;
                }
                match result {
                    // Whoever works goes on, and may have asked the next thing already: its own event closes this one.
                    Ok(now) if now.state == InstructionState::Proposing => {}
                    Ok(_) => self.close_question(Some(&id)),
                    Err(problem) => {
                        self.m.work = None;
                        // Answered elsewhere, or too late: it is not open any more.
                        if problem.status == 404 || problem.status == 409 {
                            self.close_question(Some(&id));
                        }
                        self.failed("the answer did not arrive", &problem);
                    }
                }
            }
            Outcome::Let(Ok(now)) => self.was_let(&now),
            Outcome::Let(Err(problem)) => {
                self.synced("not approved", Some(problem));
                self.load(0);
            }
            Outcome::Synced(result) => self.synced("no deployment", result.err()),
            Outcome::RolledBack(Ok(live)) => {
                self.m.site.put_live(live);
                self.synced("", None);
            }
            Outcome::RolledBack(Err(problem)) => self.synced("did not go back", Some(problem)),
            Outcome::Stopped(Ok(_)) | Outcome::StoppedInstruction(Ok(_)) => {}
            Outcome::Stopped(Err(problem)) | Outcome::StoppedInstruction(Err(problem)) => {
                self.failed("not stopped", &problem);
            }
            Outcome::Watched(Ok(watch)) => self.m.site.watch = Some(watch),
            Outcome::Watched(Err(problem)) => self.failed("your files are not watched", &problem),
            Outcome::Told(tone, words) => self.say(tone, words),
        }
    }

    /// An instruction was not taken. Nothing that was written is lost.
    pub(super) fn not_sent(&mut self, text: &str, problem: &Problem) {
        self.m.line.remember(text);
        if self.m.line.text().is_empty() {
            self.m.line.set(text);
        }
        self.failed("not sent", problem);
    }

    /// A recording was taken.
    pub(super) fn clip_sent(&mut self, accepted: Accepted) {
        if let Some(work) = &mut self.m.work {
            work.instruction.get_or_insert(accepted.instruction);
            if work.what == "sending the recording" {
                "listening".clone_into(&mut work.what);
            }
        }
        self.ours();
    }

    fn status(&mut self, status: Status) {
        let now = self.now;
        self.m.epoch.clone_from(&status.cursor.epoch);
        self.m.timeline.kept_from(status.oldest);
        self.m.site = Site {
            project: status.project,
            repository: status.repository,
            environment: status.environment,
            live: status.live,
            speech: status.speech,
            watch: status.watch,
            environments: status.environments,
            waiting: status
                .deployments
                .iter()
                .filter(|deployment| deployment.state == DeploymentState::Waiting)
                .cloned()
                .collect(),
        };
        // A state older than the events that came in the meantime must not take them back.
        let fresh = status.cursor.seq >= self.m.state_seq;
        if fresh {
            self.m.state_seq = status.cursor.seq;
            let open = status.proposals.into_iter();
            let open = open
                .filter(|view| view.proposal.state == ProposalState::Open)
                .collect();
            self.m.reviews.sync(open);
            self.put_previews(status.previews);
            self.come_back();
            self.m.questions = status
                .instructions
                .iter()
                .filter(|instruction| instruction.state == InstructionState::Asking)
                .filter_map(|instruction| {
                    Some(OpenQuestion {
                        instruction: instruction.id.clone(),
                        question: instruction.question.clone()?,
                        at: 0,
                    })
                })
                .collect();
            let running = status.deployments.iter().rev().find(|deployment| {
                !deployment.state.is_final() && deployment.state != DeploymentState::Waiting
            });
            match running {
                Some(running) => {
                    let known = self
                        .m
                        .deploy
                        .as_ref()
                        .filter(|deploy| deploy.id == running.id);
                    let since = known.map_or(now, |deploy| deploy.since);
                    self.m.deploy = Some(Deploy {
                        since,
                        ..Deploy::of(running, now)
                    });
                }
                // It ended while nobody listened; how, the timeline tells.
                None if self.m.deploying().is_some() => self.m.deploy = None,
                None => {}
            }
            self.work_of(&status.instructions);
        }
        let first = !self.m.loaded;
        self.m.loaded = true;
        if first {
            self.out.push(Effect::Follow(status.cursor.clone()));
        }
        if std::mem::take(&mut self.m.history_due) {
            self.history(status.cursor, status.oldest);
        }
        if self.m.settings.taking.keeps && (first || fresh) {
            self.go_on();
        }
    }

    /// Takes up the work that the server is at, and drops work that it does not know any more.
    fn work_of(&mut self, instructions: &[crate::model::Instruction]) {
        let busy = instructions.iter().rev().find(|instruction| {
            use InstructionState as S;
            matches!(
                instruction.state,
                S::Received | S::Transcribing | S::Understanding | S::Proposing | S::Acting
            )
        });
        match (&self.m.work, busy) {
            (None, Some(instruction)) => {
                self.m.work = Some(Work {
                    what: "working".to_owned(),
                    since: self.now,
                    instruction: Some(instruction.id.clone()),
                    mine: false,
                });
            }
            (Some(work), None) if work.instruction.is_some() => self.m.work = None,
            _ => {}
        }
    }

    fn no_status(&mut self, problem: &Problem) {
        if self.m.loaded {
            // What is kept is sent when the server is back, which the header tells.
            if !(self.m.settings.taking.keeps && may_pass(problem)) {
                self.failed("the state was not loaded", problem);
            }
            return;
        }
        self.connected(Connection::Waiting {
            reason: problem.to_string(),
            retry_ms: u64::try_from(RETRY.as_millis()).unwrap_or(0),
        });
        self.load(u64::try_from(RETRY.as_millis()).unwrap_or(0));
    }

    pub(super) fn approved(&mut self, id: &ProposalId, problem: Option<Problem>) {
        self.free(id);
        match problem {
            None => drop(self.close_proposal(id)),
            Some(problem) => {
                self.m.work = None;
                if problem.status == 409 {
                    // It is not what was on the screen any more: show what it is now.
                    self.load(0);
                }
                self.failed("not approved", &problem);
            }
        }
    }

    fn decided(
        &mut self,
        id: &ProposalId,
        result: Result<crate::model::api::ProposalView, Problem>,
    ) {
        if let Err(problem) = &result
            && self.decision_waits(problem)
        {
            return;
        }
        self.m.reviews.deciding.pop_front();
        match result {
            Ok(view) => {
                let version = view.proposal.version;
                let own = self.m.seen.proposal == Some((id.clone(), version.saturating_sub(1)));
                self.m.reviews.put(view);
                if own {
                    self.m.batch.moved(id, version);
                }
                if own {
                    // The person's own decision was on the screen before it was stored.
                    self.m.seen.proposal = Some((id.clone(), version));
                }
                if !self.m.reviews.deciding.is_empty() {
                    self.send_decision();
                } else if let Some((id, action, expected)) = self.m.busy.approve_after.take() {
                    if version <= expected {
                        self.send_approval(id, action);
                    } else {
                        self.say(
                            Tone::Warn,
                            "the proposal changed meanwhile: look again, then approve",
                        );
                    }
                }
            }
            Err(problem) => {
                self.m.busy.approve_after = None;
                self.m.reviews.deciding.clear();
                self.failed("the decision was not stored", &problem);
                self.load(0);
            }
        }
    }

    pub(super) fn synced(&mut self, what: &str, problem: Option<Problem>) {
        self.m.busy.sync = false;
        match problem {
            Some(problem) => {
                self.m.work = None;
                self.failed(what, &problem);
            }
            None => {
                if self
                    .m
                    .work
                    .as_ref()
                    .is_some_and(|work| work.instruction.is_none())
                {
                    self.m.work = None;
                }
            }
        }
    }

    pub(super) fn free(&mut self, id: &ProposalId) {
        if self.m.busy.proposal.as_ref() == Some(id) {
            self.m.busy.proposal = None;
        }
    }

    /// Puts a card up unless a proposal is being read; false then.
    pub(super) fn card_if_free(&mut self, card: Card) -> bool {
        let free = self.m.reviews.is_empty();
        if free {
            self.m.card = Some(card);
        }
        free
    }

    /// Drops a proposal that is closed, and what hung on it; true when it was there.
    pub(super) fn close_proposal(&mut self, id: &ProposalId) -> bool {
        if self.m.busy.proposal.as_ref() == Some(id) {
            self.m.busy.proposal = None;
        }
        if self.m.revising.as_ref() == Some(id) {
            self.m.revising = None;
        }
        self.m.batch.close(id);
        if self
            .m
            .editing
            .as_ref()
            .is_some_and(|edit| edit.proposal == *id)
        {
            self.m.editing = None;
            self.say(Tone::Warn, "the proposal that was being edited is closed");
        }
        self.m.reviews.close(id)
    }

    /// Says what did not work: with all its words where the proposal's room is free, else in passing.
    pub(super) fn failed(&mut self, what: &str, problem: &Problem) {
        let card = Card {
            tone: Tone::Bad,
            title: format!("{what}: {}", problem.detail),
            body: Vec::new(),
            hint: problem.hint.clone(),
            choices: 0,
        };
        if !self.card_if_free(card) {
            self.say(Tone::Bad, format!("{what}: {problem}"));
        }
    }
}
