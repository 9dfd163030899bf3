//! What changed, in sentences. Every thing is said once, in the order in which it happened.

use crate::client::stream::Connection;
use crate::model::{Action, Decision, EventKind, LineTag, ProposalId};
use crate::tui::model::{Confirm, Ending, Model, Overlay, Phase, Review};
use crate::tui::panes::ask;
use crate::tui::text;

use super::others::Others;
use super::read::MENU;

/// Rows of a diff that are said; more is better read elsewhere.
const DIFF: usize = 400;
/// Rows of the history that are said at the start.
const HISTORY: usize = 5;

/// What was said already.
#[derive(Clone, Debug, Default)]
pub struct Teller {
    row: u64,
    begun: bool,
    connection: Option<Connection>,
    notice: Option<String>,
    work: Option<String>,
    question: Option<String>,
    confirm: Option<Confirm>,
    proposal: Option<(ProposalId, u32)>,
    selected: usize,
    taken: Vec<String>,
    card: Option<String>,
    phase: Option<Phase>,
    stage: Option<String>,
    ending: Option<Ending>,
    others: Others,
}

impl Teller {
    /// What is new in `model`, a line each.
    pub fn tell(&mut self, model: &Model) -> Vec<String> {
        let mut out = Vec::new();
        self.connection(model, &mut out);
        self.rows(model, &mut out);
        self.talk(model, &mut out);
        self.passing(model, &mut out);
        self.deployment(model, &mut out);
        self.card(model, &mut out);
        self.proposal(model, &mut out);
        self.questions(model, &mut out);
        self.others.tell(model, &mut out);
        out.iter().map(|line| plain(line)).collect()
    }

    fn connection(&mut self, model: &Model, out: &mut Vec<String>) {
        let now = &model.connection;
        if self.connection.as_ref() == Some(now) {
            return;
        }
        match now {
            Connection::Connecting => {}
            Connection::Streaming | Connection::Polling => {
                out.push(format!(
                    "Online: {} on {}.",
                    model.site.project,
                    model.site.branch()
                ));
            }
            Connection::Waiting { reason, .. } => out.push(format!("Offline, retrying: {reason}")),
            Connection::Closed { reason } => out.push(format!("Offline: {reason}")),
        }
        self.connection = Some(now.clone());
    }

    fn rows(&mut self, model: &Model, out: &mut Vec<String>) {
        let rows = model.timeline.rows_after(self.row);
        let Some(last) = rows.last().map(|row| row.id) else {
            return;
        };
        // The history that comes first is long: only its end is said.
        let skip = if self.begun {
            0
        } else {
            rows.len().saturating_sub(HISTORY)
        };
        for row in &rows[skip..] {
            // A deployment's progress is said by its stages.
            if row.kind != EventKind::DeployProgress {
                out.push(format!("{} {}", row.clock, row.text));
            }
        }
        self.row = last;
        self.begun = true;
    }

    fn talk(&mut self, model: &Model, out: &mut Vec<String>) {
        let phase = model.talk.phase;
        if self.phase == Some(phase) {
            return;
        }
        match phase {
            Phase::Idle => {}
            Phase::Opening => out.push("Opening the microphone.".to_owned()),
            Phase::Recording => {
                out.push("Recording. Enter sends it, /cancel throws it away.".to_owned());
            }
            Phase::Finishing => out.push("Recording ended.".to_owned()),
        }
        self.phase = Some(phase);
    }

    fn passing(&mut self, model: &Model, out: &mut Vec<String>) {
        let notice = model.notice.as_ref().map(|notice| notice.text.clone());
        if notice != self.notice {
            out.extend(notice.clone());
            self.notice = notice;
        }
        let work = model.work.as_ref().map(|work| work.what.clone());
        if work != self.work {
            out.extend(work.as_ref().map(|work| format!("Working: {work}.")));
            self.work = work;
        }
    }

    fn deployment(&mut self, model: &Model, out: &mut Vec<String>) {
        let Some(deploy) = &model.deploy else { return };
        if deploy.ending.is_none() {
            let stage = Some(format!("{} {}", deploy.id, deploy.stage));
            if stage != self.stage {
                let environment = &deploy.environment;
                out.push(format!(
                    "Deploying to {environment}: {}, {} percent.",
                    deploy.stage, deploy.percent
                ));
                self.stage = stage;
                self.ending = None;
            }
        } else if deploy.ending != self.ending {
            self.ending.clone_from(&deploy.ending);
        }
    }

    fn card(&mut self, model: &Model, out: &mut Vec<String>) {
        let card = model.card.as_ref().map(|card| card.title.clone());
        if card == self.card {
            return;
        }
        if let Some(card) = &model.card {
            out.push(card.title.clone());
            out.extend(card.body.iter().cloned());
            out.extend(card.hint.as_ref().map(|hint| format!("Next: {hint}")));
        }
        self.card = card;
    }

    fn proposal(&mut self, model: &Model, out: &mut Vec<String>) {
        let Some(review) = model.review() else {
            self.proposal = None;
            return;
        };
        let named = Some((review.id().clone(), review.version()));
        let accepted = review.accepted();
        let known = self.proposal.as_ref().map(|(id, _)| id) == Some(review.id());
        if self.proposal != named && !(known && self.taken != accepted) {
            self.whole(model, review, out);
        } else if self.taken != accepted {
            out.push(format!(
                "{} of {} hunks taken.",
                accepted.len(),
                review.count()
            ));
        } else if self.selected != review.selected {
            hunk(review, out);
        }
        self.selected = review.selected;
        self.taken = accepted;
        self.proposal = named;
    }

    /// The whole proposal, and what can be done with it.
    fn whole(&self, model: &Model, review: &Review, out: &mut Vec<String>) {
        let proposal = &review.view.proposal;
        out.push(format!("Proposal: {}", proposal.title));
        for warning in &proposal.warnings {
            out.push(format!("Warning: {warning}"));
        }
        let mut rows = 0;
        for file in &proposal.files {
            out.push(format!("File {}", file.path));
            for hunk in &file.hunks {
                out.push(format!("At line {}:", hunk.new_start));
                for line in &hunk.lines {
                    rows += 1;
                    if rows == DIFF {
                        out.push("The rest is long; open it in an editor to read it.".to_owned());
                    }
                    if rows >= DIFF {
                        continue;
                    }
                    let sign = match line.tag {
                        LineTag::Insert => "added:",
                        LineTag::Delete => "removed:",
                        LineTag::Context => "same:",
                    };
                    out.push(format!("{sign} {}", line.text));
                }
            }
        }
        let then = match model.approve_action(review) {
            Action::Deploy => format!("commit to {} and deploy", proposal.branch),
            _ => format!("commit to {}", proposal.branch),
        };
        out.push(format!("Approving will {then}."));
        for (at, (_, what)) in MENU.iter().enumerate() {
            out.push(format!("{} {what}", at + 1));
        }
    }

    fn questions(&mut self, model: &Model, out: &mut Vec<String>) {
        let question = model.questions.front().map(|open| {
            let mut text = open.question.text.clone();
            for (at, line) in open.question.plan.iter().enumerate() {
                let out = if line.kept { "" } else { " (left out)" };
                text.push_str(&format!(" {}: {}, {}{out}.", at + 1, line.file, line.what));
            }
            text
        });
        if question != self.question {
            if let Some(question) = &question {
                out.push(format!("Question: {question} Answer yes or no."));
            }
            self.question = question;
        }
        let confirm = match &model.overlay {
            Some(Overlay::Confirm(confirm)) => Some(confirm.clone()),
            _ => None,
        };
        if confirm != self.confirm {
            if let Some(confirm) = &confirm {
                let (title, body) = ask::words(model, confirm);
                out.push(format!("{title}: {} Answer yes or no.", body.join(" ")));
            }
            self.confirm = confirm;
        }
    }
}

fn hunk(review: &Review, out: &mut Vec<String>) {
    let Some((file, hunk)) = review.current() else {
        return;
    };
    let decided = match hunk.decision {
        Decision::Accepted => "taken",
        Decision::Rejected => "left out",
    };
    out.push(format!(
        "Hunk {} of {}, {} at line {}, {decided}.",
        review.selected + 1,
        review.count(),
        file.path,
        hunk.new_start
    ));
}

/// A line with nothing in it that a terminal acts on.
fn plain(line: &str) -> String {
    text::clean(text::head(line, text::PROSE)).into_owned()
}
