//! What an agent tells, as steps that people read. No I/O.

use std::collections::HashMap;

use agent_client_protocol::v1::schema::{
    ContentBlock, Plan, PlanEntryStatus, SessionUpdate, ToolCallId, ToolCallStatus,
};

use super::super::process::line;
use crate::generate::{Step, Task, TaskState};

/// Steps that are told of one piece of work; an agent may take thousands.
const MOST: usize = 300;

/// What is kept of its last message, in bytes.
const KEPT: usize = 4_000;

/// Points of a plan that are shown.
const POINTS: usize = 40;

/// Hears the updates of one session.
#[derive(Default)]
pub struct Listener {
    /// The line that is being said.
    open: String,
    /// The message since the agent last did something: where it asks something back, it is here.
    message: String,
    thinks: bool,
    calls: HashMap<ToolCallId, String>,
    cost: Option<String>,
    told: usize,
}

impl Listener {
    /// The steps that an update is.
    pub fn hear(&mut self, update: SessionUpdate) -> Vec<Step> {
        let mut steps = Vec::new();
        if !matches!(update, SessionUpdate::AgentThoughtChunk(_)) {
            self.thinks = false;
        }
        match update {
            SessionUpdate::AgentMessageChunk(chunk) => {
                let ContentBlock::Text(text) = chunk.content else {
                    return steps;
                };
                if self.message.len() < KEPT {
                    self.message.push_str(&text.text);
                }
                self.open.push_str(&text.text);
                while let Some(end) = self.open.find('\n') {
                    let whole: String = self.open.drain(..=end).collect();
                    self.note(&whole, &mut steps);
                }
            }
            SessionUpdate::AgentThoughtChunk(_) => {
                self.flush(&mut steps);
                if !std::mem::replace(&mut self.thinks, true) {
                    self.note("thinking", &mut steps);
                }
            }
            SessionUpdate::ToolCall(call) => {
                self.flush(&mut steps);
                self.message.clear();
                let title = line(&call.title);
                self.note(&title, &mut steps);
                self.calls.insert(call.tool_call_id, title);
            }
            SessionUpdate::ToolCallUpdate(update) => {
                self.flush(&mut steps);
                let known = self.calls.get(&update.tool_call_id).cloned();
                let title = update.fields.title.as_deref().map(line);
                let title = title.or(known.clone()).unwrap_or_default();
                if Some(&title) != known.as_ref() && !title.is_empty() {
                    self.note(&title, &mut steps);
                    self.calls.insert(update.tool_call_id, title.clone());
                }
                if update.fields.status == Some(ToolCallStatus::Failed) {
                    self.note(&format!("did not work: {title}"), &mut steps);
                }
            }
            SessionUpdate::Plan(plan) => {
                self.flush(&mut steps);
                if self.room() {
                    steps.push(Step::Plan(tasks(&plan)));
                }
            }
            SessionUpdate::UsageUpdate(usage) => {
                self.cost = usage
                    .cost
                    .map(|cost| format!("cost {:.4} {}", cost.amount, line(&cost.currency)));
            }
            // Commands, modes and what comes later are of no use here.
            _ => {}
        }
        steps
    }

    /// The end: the line that was begun, and what it said last.
    pub fn end(&mut self) -> (Vec<Step>, String, Option<String>) {
        let mut steps = Vec::new();
        self.flush(&mut steps);
        let said = self.message.lines().map(line).collect::<Vec<_>>();
        let said = said
            .into_iter()
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>();
        (steps, said.join("\n"), self.cost.take())
    }

    fn flush(&mut self, steps: &mut Vec<Step>) {
        let open = std::mem::take(&mut self.open);
        self.note(&open, steps);
    }

    fn room(&mut self) -> bool {
        self.told += 1;
        self.told <= MOST
    }

    fn note(&mut self, text: &str, steps: &mut Vec<Step>) {
        let text = line(text);
        if !text.is_empty() && self.room() {
            steps.push(Step::Note(text));
        }
    }
}

fn tasks(plan: &Plan) -> Vec<Task> {
    let points = plan.entries.iter().take(POINTS);
    points
        .map(|entry| Task {
            what: line(&entry.content),
            state: match entry.status {
                PlanEntryStatus::InProgress => TaskState::Doing,
                PlanEntryStatus::Completed => TaskState::Done,
                _ => TaskState::Waiting,
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn heard(updates: &[Value]) -> (Vec<Step>, String, Option<String>) {
        let mut listener = Listener::default();
        let mut steps = Vec::new();
        for update in updates {
            let update = serde_json::from_value(update.clone()).unwrap();
            steps.extend(listener.hear(update));
        }
        let (last, said, cost) = listener.end();
        steps.extend(last);
        (steps, said, cost)
    }

    fn says(text: &str) -> Value {
        json!({ "sessionUpdate": "agent_message_chunk", "content": { "type": "text", "text": text } })
    }

    #[test]
    fn a_message_is_told_line_by_line_and_the_last_one_is_kept() {
        let (steps, said, _) = heard(&[
            says("I look at "),
            says("the page.\nThen"),
            json!({ "sessionUpdate": "tool_call", "toolCallId": "1", "title": "Read \u{1b}[1mindex.html" }),
            json!({ "sessionUpdate": "tool_call_update", "toolCallId": "1", "status": "failed" }),
            says("Which colour?"),
        ]);
        let note = |text: &str| Step::Note(text.to_owned());
        let wanted = [
            note("I look at the page."),
            note("Then"),
            note("Read index.html"),
            note("did not work: Read index.html"),
            note("Which colour?"),
        ];
        assert_eq!(steps, wanted);
        assert_eq!(said, "Which colour?");
    }

    #[test]
    fn a_plan_is_told_whole_and_a_cost_is_kept() {
        let (steps, _, cost) = heard(&[
            json!({ "sessionUpdate": "plan", "entries": [
                { "content": "a", "priority": "high", "status": "completed" },
                { "content": "b", "priority": "low", "status": "in_progress" },
            ] }),
            json!({ "sessionUpdate": "usage_update", "used": 1, "size": 2, "cost": { "amount": 0.25, "currency": "USD" } }),
        ]);
        let task = |what: &str, state| Task {
            what: what.to_owned(),
            state,
        };
        let plan = vec![task("a", TaskState::Done), task("b", TaskState::Doing)];
        assert_eq!(steps, [Step::Plan(plan)]);
        assert_eq!(cost.as_deref(), Some("cost 0.2500 USD"));
    }

    #[test]
    fn an_agent_that_never_stops_talking_is_not_told_for_ever() {
        let all: Vec<Value> = (0..MOST * 2).map(|at| says(&format!("{at}\n"))).collect();
        assert_eq!(heard(&all).0.len(), MOST);
    }
}
