//! What waits for a yes before it goes to an environment, and releases that go on to the next one.

use super::Turn;
use crate::model::Deployment;
use crate::tui::message::Effect;
use crate::tui::model::{Confirm, Tone, Waits};
use crate::tui::text;

/// Files named in the question.
const NAMED: usize = 6;

impl Turn<'_> {
    /// Asks about what waits: the selected deployment if it does, else the newest.
    pub(super) fn ask_to_let(&mut self, yes: bool) {
        let Some(waits) = self.what_waits() else {
            return self.say(Tone::Plain, "nothing waits for approval");
        };
        self.ask(if yes {
            Confirm::Let(waits)
        } else {
            Confirm::Decline(waits)
        });
    }

    fn what_waits(&self) -> Option<Box<Waits>> {
        let selected = self.m.deploys.selected();
        let waiting = &self.m.site.waiting;
        let found = selected.and_then(|it| waiting.iter().find(|one| one.id == it.id));
        found.or(waiting.last()).map(waits)
    }

    pub(super) fn let_through(&mut self, waits: Waits) {
        self.m.busy.sync = true;
        self.begin_work("approving it");
        self.out.push(Effect::Let(waits.id, waits.over));
    }

    /// A yes was taken: what is said of it.
    pub(super) fn was_let(&mut self, now: &Deployment) {
        self.synced("", None);
        let message = text::clean_prose(&now.progress.message);
        self.say(Tone::Good, format!("approved: it {message}"));
        self.load(0);
    }
}

/// What is asked about a deployment that waits.
fn waits(deployment: &Deployment) -> Box<Waits> {
    let what = match &deployment.promotion {
        Some(promotion) => format!("the promotion of {}", promotion.release),
        None => format!("the deployment of {}", text::short(&deployment.commit)),
    };
    let mut lines = vec![format!("Asked for by {}.", deployment.actor)];
    if let Some(gate) = &deployment.gate {
        match &gate.since {
            Some(since) => lines.push(format!(
                "{} files differ from {}, which is live there now.",
                gate.changed,
                text::short(since)
            )),
            None => lines.push("Nothing is live there yet.".to_owned()),
        }
        let files = gate.files.iter().take(NAMED);
        lines
            .extend(files.map(|file| format!("· {} +{} -{}", file.path, file.added, file.removed)));
        if gate.changed > NAMED {
            lines.push(format!("· … and {} more", gate.changed - NAMED));
        }
        let given = gate.given.iter();
        lines.extend(given.map(|given| format!("{} has approved it.", given.actor)));
    }
    Box::new(Waits {
        id: deployment.id.clone(),
        over: deployment.gate.as_ref().and_then(|gate| gate.over.clone()),
        what: format!("{what} to {}", deployment.environment),
        lines,
    })
}
