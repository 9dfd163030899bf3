//! What is asked for on a server that may be away: kept first, sent one after the other, and an approval never for
//! something else than what was seen.

use super::Turn;
use crate::client::outbox::{Answered, Asked, Queued, may_pass};
use crate::client::stream::Connection;
use crate::model::api::Accepted;
use crate::model::{Problem, ProposalId};
use crate::tui::message::Effect;
use crate::tui::model::{Confirm, Overlay, Review, Tone};

/// How long to wait before a server is asked again that is there and does not take what is sent.
const AGAIN: u64 = 2_000;

impl Turn<'_> {
    /// True when what is asked for is kept on disk and sent from there.
    pub(super) fn keeps(&self) -> bool {
        self.m.settings.taking.keeps
    }

    /// True unless the server is known to be away.
    fn online(&self) -> bool {
        let away = matches!(
            self.m.connection,
            Connection::Waiting { .. } | Connection::Closed { .. }
        );
        self.m.loaded && !away
    }

    /// True while the server is heard.
    fn live(&self) -> bool {
        matches!(
            self.m.connection,
            Connection::Streaming | Connection::Polling
        )
    }

    /// Keeps what is asked for, and sends it when everything before it was sent and the server is there.
    pub(super) fn enqueue(&mut self, asked: Asked, what: &str) -> bool {
        let Some(queued) = self.m.team.outbox.put(asked) else {
            self.say(
                Tone::Bad,
                "too much waits to be sent already; O lists it, x drops one",
            );
            return false;
        };
        let first = self.m.team.outbox.len() == 1;
        if self.online() && first {
            self.begin_work(what);
            self.send_next();
            return true;
        }
        self.out.push(Effect::Keep(queued));
        if self.online() {
            self.begin_work(what);
            self.send_next();
        } else {
            self.m.work = None;
            self.say_waiting();
        }
        true
    }

    fn say_waiting(&mut self) {
        let count = self.m.team.outbox.len();
        self.say(
            Tone::Warn,
            format!(
                "the server is away: kept, and sent when it is back ({count} waiting; O lists it)"
            ),
        );
    }

    /// Says so when a decision about a proposal waits to be sent; true then.
    pub(super) fn waits_already(&mut self, proposal: &ProposalId) -> bool {
        let waits = {
            let mut waiting = self.m.team.outbox.iter();
            waiting.any(|queued| decides(&queued.asked) == Some(proposal))
        };
        if waits {
            self.say(
                Tone::Plain,
                "your decision about it waits to be sent; O lists it, x drops it",
            );
        }
        waits
    }

    /// What an earlier run kept.
    pub(super) fn restore_outbox(&mut self, kept: Vec<Queued>) {
        self.m.team.outbox.restore(kept);
        if self.online() {
            self.send_next();
        }
    }

    /// The server is back, and its state was loaded: what waits goes on.
    pub(super) fn go_on(&mut self) {
        if std::mem::take(&mut self.m.team.decisions_wait) && !self.m.reviews.deciding.is_empty() {
            self.send_decision();
        }
        self.send_next();
    }

    /// The connection changed.
    pub(super) fn connected(&mut self, connection: Connection) {
        let was = self.live();
        self.m.connection = connection;
        self.m.team.since = self.now;
        let waits = !self.m.team.outbox.is_empty() || self.m.team.decisions_wait;
        if !was && self.live() && waits && self.m.loaded {
            // Whether something changed meanwhile, the state says.
            self.load(0);
        }
    }

    /// Sends the oldest thing that waits, unless one is on its way or has to be asked about first.
    pub(super) fn send_next(&mut self) {
        while let Some(head) = self.m.team.outbox.head().cloned() {
            if let Asked::Approval {
                proposal,
                title,
                approval,
            } = &head.asked
            {
                match self.m.reviews.get(proposal) {
                    None => {
                        self.forget(&head.key);
                        let words = format!("“{title}” is not open any more: nothing was approved");
                        self.say(Tone::Warn, words);
                        continue;
                    }
                    Some(review) if Some(review.version()) != approval.version => {
                        if self.m.overlay.is_none() {
                            let again =
                                Confirm::Again(head.key.clone(), proposal.clone(), title.clone());
                            self.m.overlay = Some(Overlay::Confirm(again));
                        }
                        return;
                    }
                    Some(_) => {}
                }
            }
            let Some(queued) = self.m.team.outbox.send() else {
                return;
            };
            if let Some(id) = decides(&queued.asked) {
                self.m.busy.proposal = Some(id.clone());
            }
            self.out.push(Effect::Send(queued));
            return;
        }
    }

    /// The answer to what was sent.
    pub(super) fn sent(&mut self, key: &str, result: Result<Option<Accepted>, Problem>) {
        let problem = result.as_ref().err();
        match self.m.team.outbox.answered(key, problem) {
            Answered::Done(queued) => {
                self.out.push(Effect::Forget(key.to_owned()));
                match result {
                    Ok(accepted) => self.taken(&queued, accepted),
                    Err(problem) => self.refused(queued, &problem),
                }
                self.send_next();
            }
            Answered::Stays => {
                self.m.work = None;
                self.m.busy.proposal = None;
                match result.err() {
                    Some(problem) if problem.status == 401 => {
                        let words = format!("{}; what was asked for is kept", problem.detail);
                        self.say(Tone::Bad, words);
                    }
                    _ => self.say_waiting(),
                }
                if self.live() {
                    self.load(AGAIN);
                }
            }
            Answered::Unknown => {}
        }
    }

    fn taken(&mut self, queued: &Queued, accepted: Option<Accepted>) {
        match &queued.asked {
            Asked::Instruction { .. } | Asked::Revision { .. } => {
                if let (Some(accepted), Some(work)) = (accepted, &mut self.m.work) {
                    work.instruction.get_or_insert(accepted.instruction);
                }
            }
            Asked::Recording { .. } => {
                if let Some(accepted) = accepted {
                    self.clip_sent(accepted);
                }
            }
            Asked::Approval { proposal, .. } => self.approved(proposal, None),
            Asked::Rejection { proposal, .. } => {
                self.free(proposal);
                self.close_proposal(proposal);
            }
        }
    }

    fn refused(&mut self, queued: Queued, problem: &Problem) {
        self.m.work = None;
        match queued.asked {
            Asked::Instruction { words } | Asked::Revision { words, .. } => {
                self.not_sent(&words, problem);
            }
            Asked::Recording { .. } => self.failed("the recording was not sent", problem),
            Asked::Approval { proposal, .. } => self.approved(&proposal, Some(problem.clone())),
            Asked::Rejection { proposal, .. } => {
                self.free(&proposal);
                self.m.reviews.not_rejected(&proposal);
                self.failed("not rejected", problem);
            }
        }
    }

    fn forget(&mut self, key: &str) {
        if self.m.team.outbox.drop_one(key).is_some() {
            self.out.push(Effect::Forget(key.to_owned()));
        }
    }

    /// The answer to whether a proposal is to be looked at again that was approved and changed since: either way the
    /// approval is not sent.
    pub(super) fn again(&mut self, key: &str, proposal: &ProposalId, look: bool) {
        self.forget(key);
        if look && self.m.reviews.get(proposal).is_some() {
            self.m.reviews.show(proposal);
            self.m.card = None;
            self.open_review();
        } else {
            self.say(Tone::Plain, "nothing was approved");
        }
        self.send_next();
    }

    /// Lists what waits.
    pub(super) fn open_outbox(&mut self) {
        if self.m.team.outbox.is_empty() {
            self.say(Tone::Plain, "nothing waits to be sent");
            return;
        }
        self.m.overlay = Some(Overlay::Outbox(0));
    }

    /// Drops the selected thing that waits.
    pub(super) fn drop_waiting(&mut self) {
        let Some(Overlay::Outbox(at)) = self.m.overlay else {
            return;
        };
        let Some(queued) = self.m.team.outbox.iter().nth(at).cloned() else {
            return;
        };
        if self.m.team.outbox.drop_one(&queued.key).is_none() {
            self.say(Tone::Plain, "it is on its way already");
            return;
        }
        self.out.push(Effect::Forget(queued.key));
        if let Asked::Instruction { words } | Asked::Revision { words, .. } = &queued.asked {
            // Nothing that was written is lost: Up brings it back.
            self.m.line.remember(words);
        }
        if let Some(id) = decides(&queued.asked) {
            self.m.reviews.not_rejected(id);
            self.free(&id.clone());
        }
        self.say(Tone::Plain, "dropped: it is not sent");
        let left = self.m.team.outbox.len();
        self.m.overlay = (left > 0).then(|| Overlay::Outbox(at.min(left - 1)));
    }

    /// True when a decision did not reach the server and waits for it; the problem is not about the decision then.
    pub(super) fn decision_waits(&mut self, problem: &Problem) -> bool {
        if !self.keeps() || !may_pass(problem) {
            return false;
        }
        self.m.team.decisions_wait = true;
        self.say(
            Tone::Warn,
            "the server is away: the decision is kept, and sent when it is back",
        );
        if self.live() {
            self.load(AGAIN);
        }
        true
    }

    /// True when others have written in the proposal what the diff on the screen does not show yet.
    pub(super) fn written_meanwhile(&self, review: &Review) -> bool {
        let Some(room) = self.m.team.room_of(review.id()) else {
            return false;
        };
        if !room.synced {
            return false;
        }
        review.view.proposal.files.iter().any(|file| {
            let shown = file.after.as_text();
            let text = room.replica.text(&file.path);
            matches!((shown, text), (Some(shown), Some(text)) if shown != text)
        })
    }
}

/// The proposal that is approved or rejected.
fn decides(asked: &Asked) -> Option<&ProposalId> {
    match asked {
        Asked::Approval { proposal, .. } | Asked::Rejection { proposal, .. } => Some(proposal),
        _ => None,
    }
}
