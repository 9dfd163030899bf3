//! What a person takes out of a plan and takes back of a proposal before it is approved.

use super::Turn;
use crate::tui::message::Effect;

impl Turn<'_> {
    /// Whether a plan is what the person is asked about.
    pub(super) fn plan_open(&self) -> bool {
        let bare = self.m.overlay.is_none();
        let open = self.m.questions.front();
        bare && open.is_some_and(|open| !open.question.plan.is_empty())
    }

    /// Takes the version before the one that stands, or the one after it.
    pub(super) fn restore(&mut self, later: bool) {
        let id = self.m.review().map(|review| review.id().clone());
        if let Some(id) = id {
            self.out.push(Effect::Restore(id, later));
        }
    }

    /// Leaves a line out, or takes it back; without a number the selected one.
    pub(super) fn toggle_plan(&mut self, number: Option<u8>) {
        if !self.plan_open() {
            return;
        }
        let Some(open) = self.m.questions.front_mut() else {
            return;
        };
        let at = number.map_or(open.at, |number| usize::from(number).saturating_sub(1));
        if let Some(line) = open.question.plan.get_mut(at) {
            line.kept = !line.kept;
            open.at = at;
        }
    }

    /// Selects the line above or below.
    pub(super) fn select_plan(&mut self, down: bool) {
        if let Some(open) = self.m.questions.front_mut() {
            let last = open.question.plan.len().saturating_sub(1);
            open.at = match down {
                true => (open.at + 1).min(last),
                false => open.at.saturating_sub(1),
            };
        }
    }

    /// The answer to the question in front, with what remains of its plan.
    pub(super) fn answer_with_plan(&mut self, yes: bool) -> Option<Effect> {
        let open = self.m.questions.front()?;
        let id = open.instruction.clone();
        if !yes || open.question.plan.is_empty() {
            return Some(Effect::Answer(id, yes));
        }
        let lines = open.question.plan.iter().enumerate();
        let keep = lines.filter(|(_, line)| line.kept).map(|(at, _)| at);
        Some(Effect::AnswerPlan(id, keep.collect()))
    }
}
