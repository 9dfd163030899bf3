//! What an event changes. Events may come twice (the state that was loaded contains them): they only enter the
//! timeline then.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Turn;
use crate::client::stream::Connection;
use crate::model::ansi;
use crate::model::api::ProposalView;
use crate::model::news::{self, Topic};
use crate::model::{
    Candidate, Cursor, Event, EventKind, InstructionId, LiveRelease, Progress, ProposalId,
    ProposalState, ReleaseId, Stage,
};
use crate::tui::message::Effect;
use crate::tui::model::{Card, Deploy, Ending, Moment, Pane, Tone, Work};
use crate::tui::text;

impl Turn<'_> {
    pub(super) fn event(&mut self, event: &Event) {
        self.m.timeline.push(event);
        self.m.journeys.note(event);
        if event.seq <= self.m.state_seq {
            return;
        }
        self.m.state_seq = event.seq;
        if changes_deployments(event.kind) {
            self.m.deploys.fresh = false;
        }
        self.sound_of(event.kind);
        match event.kind {
            EventKind::Transcript => self.transcript(event),
            EventKind::Intent => self.intent(event),
            EventKind::Proposal | EventKind::ProposalUpdated => self.proposal(event),
            // What waits before an environment is part of the state.
            EventKind::Approved if event.deployment.is_some() => self.load(0),
            EventKind::Approved => {
                self.close_question(event.instruction.as_ref());
                self.work_on(event, "committing");
            }
            EventKind::Rejected => self.rejected(event),
            EventKind::Commit => self.commit(event),
            EventKind::DeployStart => self.deploy_start(event),
            EventKind::DeployProgress => self.deploy_progress(event),
            EventKind::DeployComplete => self.deploy_complete(event),
            EventKind::DeployError => self.deploy_error(event),
            EventKind::Rollback => self.rolled_back(event),
            EventKind::Promote => self.load(0),
            EventKind::Canceled => self.canceled(event),
            EventKind::Error => self.error(event),
            EventKind::Notice => self.notice(event),
            // Of what is live; probes of a deployment at work come with its progress.
            EventKind::Health if event.data["release"].is_string() => {
                self.m.deploys.fresh = false;
            }
            EventKind::Check | EventKind::Health => {}
        }
        if !self.m.focused
            && let Some(topic) = Topic::of(event)
            && self.m.settings.told.contains(&topic)
            && let Some(words) = news::words(event)
        {
            self.out.push(Effect::Notify(words));
        }
    }

    fn notice(&mut self, event: &Event) {
        if event.data["answered"].is_boolean() {
            self.close_question(event.instruction.as_ref());
        }
        // A model tells how far it is: its work goes on.
        if event.data["engine"].is_string() && event.instruction.is_some() {
            return self.step(event);
        }
        if self.preview_told(event) {
            return;
        }
        if let (Some(on), Some(watch)) = (event.data["watch"].as_bool(), &mut self.m.site.watch) {
            watch.on = on;
        }
        let message = said(event, "message").to_owned();
        if event.data["waits"] == true {
            self.say(
                Tone::Warn,
                format!("{message}: A approves it, X declines it"),
            );
            self.load(0);
        } else {
            self.say(Tone::Plain, message);
        }
        // A correction goes on after it has told what it took back.
        let ends = event.instruction.is_some() && event.data["corrects"].is_null();
        if ends
            && self.work_done(event)
            && let Some(url) = event.data["open"].as_str()
        {
            self.out.push(Effect::Open(url.to_owned()));
        }
    }

    fn proposal(&mut self, event: &Event) {
        let updated = event.kind == EventKind::ProposalUpdated;
        match (parse::<ProposalView>(&event.data), &event.proposal) {
            (Some(view), _) => self.put_proposal(view, updated),
            // The event says that there is one; the whole document is at its own address.
            (None, Some(id)) => self.out.push(Effect::LoadProposal(id.clone(), updated)),
            (None, None) => {}
        }
    }

    /// Takes a proposal, new or `updated`, into the review.
    pub(super) fn put_proposal(&mut self, view: ProposalView, updated: bool) {
        let id = view.proposal.id.clone();
        if view.proposal.state != ProposalState::Open {
            self.close_proposal(&id);
            return;
        }
        let mine = self.m.work.as_ref().is_some_and(|work| work.mine);
        let asked_for = mine || self.m.reviews.is_empty();
        // Who reads a proposal on the whole screen goes on reading it.
        let asked_for = asked_for && !self.m.full_view();
        let instruction = view.proposal.instruction.clone();
        self.m.reviews.put(view);
        if updated {
            return;
        }
        if asked_for {
            self.m.work = None;
            self.m.draft = None;
            self.m.card = None;
            self.m.reviews.show(&id);
            self.m.pane = Pane::Proposal;
        } else {
            // Somebody else's: what is being read stays where it is.
            let over = |work: &Work| work.instruction.is_some() && work.instruction == instruction;
            if self.m.work.as_ref().is_some_and(over) {
                self.m.work = None;
                self.m.draft = None;
            }
            self.say(Tone::Plain, "another proposal waits: ] shows it");
        }
    }

    fn rejected(&mut self, event: &Event) {
        self.close_question(event.instruction.as_ref());
        let mine = self.work_done(event);
        let Some(id) = &event.proposal else { return };
        if mine {
            // "Undo that" drops a proposal too, and is taken back as every other decision is.
            self.m.reviews.reject(id);
        }
        if self.close_proposal(id) {
            let way_back = if self.m.reviews.is_rejected(id) {
                self.way_back()
            } else {
                String::new()
            };
            self.say(
                Tone::Plain,
                format!("rejected; nothing was changed{way_back}"),
            );
        }
    }

    fn commit(&mut self, event: &Event) {
        // A save that went to the sandbox: the branch that is checked out is where it was.
        if event.data["sandbox"] == true {
            return;
        }
        let (commit, branch) = (said(event, "commit"), said(event, "branch"));
        commit.clone_into(&mut self.m.site.repository.head);
        branch.clone_into(&mut self.m.site.repository.branch);
        if let Some(id) = &event.proposal {
            self.close_proposal(id);
        }
        for id in parse::<Vec<ProposalId>>(&event.data["proposals"]).unwrap_or_default() {
            self.close_proposal(&id);
        }
        self.work_done(event);
        let mut body = vec![said(event, "message").to_owned()];
        body.extend(
            said(event, "output")
                .lines()
                .take(CARD_LINES)
                .map(str::to_owned),
        );
        self.card_if_free(Card {
            tone: Tone::Good,
            title: format!("Committed {} to {branch}", text::short(commit)),
            body,
            hint: None,
            choices: 0,
        });
    }

    fn deploy_start(&mut self, event: &Event) {
        self.close_question(event.instruction.as_ref());
        self.m.work = None;
        self.m.busy.sync = false;
        let Some(id) = &event.deployment else { return };
        let environment = event
            .environment
            .clone()
            .unwrap_or_else(|| self.m.site.environment.clone());
        self.m.deploy = Some(Deploy::new(
            id.clone(),
            &environment,
            said(event, "commit"),
            self.now,
        ));
    }

    fn deploy_progress(&mut self, event: &Event) {
        let now = self.now;
        let Some(progress) = parse::<Progress>(&event.data) else {
            return;
        };
        if let Some(deploy) = self.deploy_of(event) {
            deploy.advance(&progress, now);
        }
    }

    fn deploy_complete(&mut self, event: &Event) {
        let url = text::clean_prose(said(event, "url"));
        let total_ms = event.data["total_ms"].as_u64();
        let stages: Vec<(Stage, u64)> = Stage::EVERY
            .into_iter()
            .filter_map(|stage| Some((stage, event.data["stages"][stage.as_str()].as_u64()?)))
            .collect();
        if let Some(deploy) = self.deploy_of(event) {
            deploy.percent = 100;
            deploy.ending = Some(Ending::Live {
                url: url.clone(),
                total_ms,
                stages: stages.clone(),
            });
        }
        let environment = event
            .environment
            .clone()
            .unwrap_or_else(|| self.m.site.environment.clone());
        self.m.site.put_live(LiveRelease {
            environment: environment.clone(),
            release: ReleaseId::from(said(event, "release")),
            commit: said(event, "commit").to_owned(),
            url: url.clone(),
            since: event.at,
        });
        self.work_done(event);
        let times: Vec<String> = stages
            .iter()
            .map(|(stage, ms)| format!("{stage} {}", text::duration(*ms)))
            .collect();
        let mut body = vec![url];
        body.extend((!times.is_empty()).then(|| times.join(" · ")));
        let took = total_ms
            .map(|ms| format!(" in {}", text::duration(ms)))
            .unwrap_or_default();
        self.card_if_free(Card {
            tone: Tone::Good,
            title: format!("LIVE on {environment}{took}"),
            body,
            hint: Some("o opens the page, y copies its address".to_owned()),
            choices: 0,
        });
    }

    fn deploy_error(&mut self, event: &Event) {
        let (stage, message) = (
            said(event, "stage").to_owned(),
            said(event, "message").to_owned(),
        );
        if let Some(deploy) = self.deploy_of(event) {
            deploy.ending = Some(Ending::Failed {
                stage: stage.clone(),
                message: message.clone(),
            });
        }
        self.work_done(event);
        let mut body = vec![message.clone()];
        let log = event.data["log_tail"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let from = log.len().saturating_sub(CARD_LINES);
        body.extend(
            log[from..]
                .iter()
                .filter_map(Value::as_str)
                .map(|line| ansi::strip(line).into_owned()),
        );
        let card = Card {
            tone: Tone::Bad,
            title: format!("The deployment failed at {stage}; what was live before still is"),
            body,
            hint: Some(said(event, "hint").to_owned()).filter(|hint| !hint.is_empty()),
            choices: 0,
        };
        if !self.card_if_free(card) {
            self.say(
                Tone::Bad,
                format!("deployment failed at {stage}: {message}"),
            );
        }
    }

    fn rolled_back(&mut self, event: &Event) {
        self.close_question(event.instruction.as_ref());
        self.m.busy.sync = false;
        self.work_done(event);
        if let Some(deploy) = &mut self.m.deploy
            && event.deployment.as_ref() == Some(&deploy.id)
        {
            deploy.ending = Some(Ending::RolledBack);
        }
        let reason = said(event, "reason");
        self.say(
            Tone::Warn,
            format!("went back to the release before {reason}"),
        );
        self.load(0);
    }

    fn canceled(&mut self, event: &Event) {
        self.close_question(event.instruction.as_ref());
        self.work_done(event);
        if let Some(deploy) = &mut self.m.deploy
            && event.deployment.as_ref() == Some(&deploy.id)
        {
            deploy.ending = Some(Ending::Canceled);
        }
        if let Some(id) = &event.proposal {
            self.close_proposal(id);
        }
        let was_waiting = self
            .m
            .site
            .waiting
            .iter()
            .any(|waiting| Some(&waiting.id) == event.deployment.as_ref());
        if was_waiting {
            self.load(0);
        }
        self.say(Tone::Warn, format!("stopped {}", said(event, "reason")));
    }

    fn error(&mut self, event: &Event) {
        self.close_question(event.instruction.as_ref());
        let mine = self.work_done(event);
        let candidates: Vec<Candidate> = parse(&event.data["candidates"]).unwrap_or_default();
        let refused = event.data["reason"].as_str().is_some();
        let mut body = Vec::new();
        for (at, candidate) in candidates.iter().enumerate() {
            body.push(format!(
                "{}  {}:{}  {}",
                at + 1,
                candidate.file,
                candidate.line,
                candidate.text
            ));
        }
        let message = said(event, "message").to_owned();
        let card = Card {
            tone: if refused { Tone::Warn } else { Tone::Bad },
            title: message.clone(),
            body,
            hint: Some(said(event, "hint").to_owned()).filter(|hint| !hint.is_empty()),
            choices: u8::try_from(candidates.len()).map_or(CHOICES, |count| count.min(CHOICES)),
        };
        if mine {
            // The answer to what the person just asked for stands in front, also of an open proposal.
            self.m.card = Some(card);
            self.m.pane = Pane::Proposal;
        } else if !self.card_if_free(card) {
            self.say(Tone::Bad, message);
        }
    }

    pub(super) fn close_question(&mut self, instruction: Option<&InstructionId>) {
        let Some(id) = instruction else { return };
        self.m.questions.retain(|open| open.instruction != *id);
        if self.m.busy.question.as_ref() == Some(id) {
            self.m.busy.question = None;
        }
    }

    /// Says what the server is doing for the person, if it is their work.
    pub(super) fn work_on(&mut self, event: &Event, what: &str) {
        match &mut self.m.work {
            Some(work) if work.instruction.is_none() || work.instruction == event.instruction => {
                what.clone_into(&mut work.what);
                work.instruction.clone_from(&event.instruction);
            }
            Some(_) => {}
            None => {
                self.m.work = Some(Work {
                    what: what.to_owned(),
                    since: self.now,
                    instruction: event.instruction.clone(),
                    mine: false,
                });
            }
        }
    }

    /// The work that the event belongs to is over; true when there was some.
    fn work_done(&mut self, event: &Event) -> bool {
        let mine = self.m.work.as_ref().is_some_and(|work| {
            work.instruction.is_none() || work.instruction == event.instruction
        });
        if mine {
            self.m.work = None;
            self.m.draft = None;
        }
        mine
    }

    /// The deployment on the screen, if the event is about it; one that is not known yet is put there.
    fn deploy_of(&mut self, event: &Event) -> Option<&mut Deploy> {
        let id = event.deployment.as_ref()?;
        if self.m.deploy.as_ref().is_none_or(|deploy| deploy.id != *id) {
            if self.m.deploying().is_some() && event.kind == EventKind::DeployProgress {
                return None;
            }
            let environment = event
                .environment
                .clone()
                .unwrap_or_else(|| self.m.site.environment.clone());
            self.m.deploy = Some(Deploy::new(
                id.clone(),
                &environment,
                said(event, "commit"),
                self.now,
            ));
        }
        self.m.deploy.as_mut()
    }

    pub(super) fn stream_ended(&mut self) {
        if !matches!(self.m.connection, Connection::Closed { .. }) {
            self.m.connection = Connection::Closed {
                reason: "the event stream ended".to_owned(),
            };
        }
    }

    /// Loads what happened before `cursor`, a while back.
    pub(super) fn history(&mut self, cursor: Cursor, oldest: u64) {
        if cursor.seq > 0 {
            let from = oldest
                .saturating_sub(1)
                .max(cursor.seq.saturating_sub(HISTORY));
            self.out.push(Effect::LoadHistory(cursor, from));
        }
    }
}

/// Candidates that can be chosen by a digit.
const CHOICES: u8 = 9;
/// Lines of output on a card.
const CARD_LINES: usize = 20;
/// Earlier events that the timeline begins with.
const HISTORY: u64 = 1_000;
/// How long to wait before the state is asked for again.
pub(super) const RETRY: Moment = Moment::from_secs(2);

/// True for what makes the list of deployments another one.
fn changes_deployments(kind: EventKind) -> bool {
    use EventKind as E;
    matches!(
        kind,
        E::DeployStart
            | E::DeployComplete
            | E::DeployError
            | E::Promote
            | E::Rollback
            | E::Canceled
    )
}

pub(super) fn said<'a>(event: &'a Event, key: &str) -> &'a str {
    event.data[key].as_str().unwrap_or_default()
}

pub(super) fn parse<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}
