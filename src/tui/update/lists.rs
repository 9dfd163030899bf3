//! What lies over the panes and is looked through: keys, palette, summary, queue.

use super::Turn;
use crate::model::api::{BatchApproval, Reviewed};
use crate::model::{Action, Problem, ProposalId};
use crate::tui::keys::Key;
use crate::tui::message::Effect;
use crate::tui::model::entries::{self, Run};
use crate::tui::model::{Confirm, Menu, MenuKind, Overlay, Review, Tone};
use crate::tui::panes::help;
use crate::tui::view::layout;

impl Turn<'_> {
    pub(super) fn open_menu(&mut self, kind: MenuKind) {
        if self.m.talk.active() {
            return;
        }
        let from = self.m.context();
        if let Some(Overlay::Menu(menu)) = &mut self.m.overlay {
            menu.kind = kind;
            menu.refilter();
            return;
        }
        if kind == MenuKind::Everything && self.m.loaded {
            self.out.push(Effect::LoadRecipes);
        }
        let under = self.m.overlay.take();
        self.m.overlay = Some(Overlay::Menu(Box::new(Menu::new(kind, from, under))));
    }

    pub(super) fn close_menu(&mut self) {
        if let Some(Overlay::Menu(menu)) = self.m.overlay.take() {
            self.m.overlay = menu.under.map(|under| *under);
        }
    }

    /// Runs the selected entry; one that cannot be run says why.
    pub(super) fn run_entry(&mut self) {
        let Some(Overlay::Menu(menu)) = &self.m.overlay else {
            return;
        };
        let Some(entry) = entries::found(self.m, menu).into_iter().nth(menu.at) else {
            return;
        };
        if let Some(why) = entry.why_not {
            self.say(Tone::Plain, why);
            return;
        }
        self.close_menu();
        match entry.run {
            Run::Command(command, key) => self.command(command, key),
            Run::Say(text) => {
                // What was being written is one step back in the history.
                let draft = self.m.line.text().to_owned();
                self.m.line.remember(&draft);
                self.focus_input();
                self.m.line.set(&text);
                let recipe = self.m.recipes.iter().find(|recipe| recipe.words == text);
                if let Some(recipe) = recipe.filter(|recipe| !recipe.questions.is_empty()) {
                    let asks = recipe.questions.iter();
                    let asks: Vec<String> = asks
                        .map(|question| match question.choices.as_slice() {
                            [] => format!("{}: {}", question.name, question.ask),
                            some => {
                                format!("{}: {} ({})", question.name, question.ask, some.join(", "))
                            }
                        })
                        .collect();
                    let words = format!(
                        "answer between the quotes, then Enter. {}",
                        asks.join(" · ")
                    );
                    self.say(Tone::Plain, words);
                }
            }
            Run::Set(name) => self.set(&name),
            Run::Shell => {}
        }
    }

    /// Changes a setting for this session, or says where it is changed for good.
    fn set(&mut self, name: &str) {
        let said = match name {
            "ui.motion" => {
                self.m.settings.motion = !self.m.settings.motion;
                format!("motion is {} now", on(self.m.settings.motion))
            }
            "approve.action" => {
                let deploys = self.m.settings.approve == Action::Deploy;
                let (action, what) = if deploys {
                    (Action::Commit, "commits")
                } else {
                    (Action::Deploy, "commits and deploys")
                };
                self.m.settings.approve = action;
                format!("approving {what} now")
            }
            _ => {
                let (section, key) = name.rsplit_once('.').unwrap_or(("", name));
                format!("set it in sayso.toml, or in your own config.toml: [{section}] {key} = …")
            }
        };
        self.say(Tone::Plain, said);
    }

    pub(super) fn typed_in_menu(&mut self, key: Key) {
        if let (Some(Overlay::Menu(menu)), Some(c)) = (&mut self.m.overlay, key.typed()) {
            menu.filter.insert(c.encode_utf8(&mut [0; 4]));
            menu.refilter();
        }
    }

    pub(super) fn pasted_in_menu(&mut self, text: &str) {
        if let Some(Overlay::Menu(menu)) = &mut self.m.overlay {
            menu.filter.insert(text);
            menu.refilter();
        }
    }

    /// Moves the selection of what lies over the panes.
    pub(super) fn move_overlay(&mut self, by: i64) {
        let height = help::height(layout::plan(self.m).area);
        let step = |at: usize, count: usize| {
            let last = i64::try_from(count.saturating_sub(1)).unwrap_or(i64::MAX);
            let at = i64::try_from(at).unwrap_or(i64::MAX);
            usize::try_from(at.saturating_add(by).clamp(0, last)).unwrap_or(0)
        };
        let count = match &self.m.overlay {
            Some(Overlay::Menu(menu)) => entries::found(self.m, menu).len(),
            Some(Overlay::Summary(of)) => {
                let review = self.m.reviews.get(&of.proposal);
                review.map_or(0, |review| review.view.proposal.files.len())
            }
            Some(Overlay::Queue(_)) => self.m.reviews.len(),
            Some(Overlay::People(_)) => self.m.team.people.len(),
            Some(Overlay::Outbox(_)) => self.m.team.outbox.len(),
            _ => 0,
        };
        match &mut self.m.overlay {
            Some(Overlay::Menu(menu)) => menu.step(by, count, usize::from(height)),
            Some(Overlay::Summary(of)) => of.top = step(of.top, count),
            Some(Overlay::Queue(at) | Overlay::People(at) | Overlay::Outbox(at)) => {
                *at = step(*at, count);
            }
            _ => {}
        }
    }

    pub(super) fn open_queue(&mut self) {
        if self.m.reviews.is_empty() {
            self.say(Tone::Plain, "no proposal waits");
            return;
        }
        self.tidy_batch();
        self.m.overlay = Some(Overlay::Queue(self.m.reviews.place()));
    }

    /// Takes out of the batch what is closed, and what changed since an earlier run picked it; says so, and true, when
    /// anything went.
    fn tidy_batch(&mut self) -> bool {
        if !self.m.loaded {
            return false;
        }
        let reviews = &self.m.reviews;
        let open = |id: &ProposalId| reviews.get(id).map(Review::version);
        let said = match self.m.batch.tidy(open) {
            0 => return false,
            1 => "a proposal of the batch is closed or changed since, and was taken out".to_owned(),
            many => {
                format!(
                    "{many} proposals of the batch are closed or changed since, and were taken out"
                )
            }
        };
        self.say(Tone::Warn, said);
        true
    }

    /// The proposal that a key means: the selected one of the queue, else the one on the screen.
    fn meant(&self) -> Option<(ProposalId, u32)> {
        let review = match &self.m.overlay {
            Some(Overlay::Queue(at)) => self.m.reviews.iter().nth(*at),
            _ => self.m.review(),
        };
        review.map(|review| (review.id().clone(), review.version()))
    }

    pub(super) fn show_picked(&mut self) {
        if let Some((id, _)) = self.meant() {
            self.m.overlay = None;
            self.m.card = None;
            self.m.reviews.show(&id);
            self.open_review();
        }
    }

    /// Puts a proposal that was looked at into the batch, or takes it out.
    pub(super) fn pick(&mut self) {
        let Some((id, version)) = self.meant() else {
            self.say(Tone::Plain, "no proposal waits");
            return;
        };
        self.tidy_batch();
        let inside = self.m.batch.version(&id).is_some();
        if !inside && !self.m.batch.has_seen(&id, version) {
            self.say(
                Tone::Warn,
                "look at it first (Enter), then put it into the batch",
            );
            return;
        }
        let taken = self
            .m
            .reviews
            .get(&id)
            .map_or(0, |review| review.tally.taken);
        if !inside && taken == 0 {
            self.say(Tone::Warn, "every hunk of it is left out");
            return;
        }
        let inside = self.m.batch.toggle(&id, version);
        let count = self.m.batch.picked().len();
        let said = if inside {
            format!("in the batch ({count}); B lists it")
        } else {
            format!("taken out of the batch ({count} left)")
        };
        self.say(Tone::Plain, said);
        // On to the next one that is not in it.
        if inside && !matches!(self.m.overlay, Some(Overlay::Queue(_))) {
            let next = self.m.reviews.iter().map(|review| review.id().clone());
            let next = next
                .into_iter()
                .find(|id| self.m.batch.version(id).is_none());
            if let Some(next) = next {
                self.m.reviews.show(&next);
            }
        }
    }

    /// Asks whether the batch is to be committed.
    pub(super) fn ask_batch(&mut self, action: Action) {
        if self.tidy_batch() {
            return;
        }
        let picked = self.m.batch.picked().to_vec();
        if picked.is_empty() {
            self.say(Tone::Plain, "the batch is empty: b puts a proposal into it");
            return;
        }
        let changed = picked.iter().find(|(id, version)| {
            let review = self.m.reviews.get(id);
            review.is_none_or(|review| review.version() != *version)
        });
        if let Some((id, _)) = changed.cloned() {
            self.m.batch.remove(&id);
            self.say(
                Tone::Warn,
                "a proposal of the batch changed meanwhile and was taken out: look at it again",
            );
            return;
        }
        if !self.m.reviews.deciding.is_empty() || self.m.busy.proposal.is_some() {
            self.say(Tone::Plain, "one moment: decisions are on their way");
            return;
        }
        self.ask(Confirm::Batch(picked, action));
    }

    pub(super) fn send_batch(&mut self, items: Vec<(ProposalId, u32)>, action: Action) {
        self.m.busy.sync = true;
        self.m.reading = false;
        self.begin_work("committing the batch");
        let proposals = items
            .into_iter()
            .map(|(proposal, version)| Reviewed { proposal, version })
            .collect();
        self.out.push(Effect::ApproveBatch(BatchApproval {
            proposals,
            action: Some(action),
            message: None,
            environment: None,
        }));
    }

    /// The batch was committed, or not.
    pub(super) fn batched(&mut self, problem: Option<Problem>) {
        if problem.is_none() {
            let picked = self.m.batch.picked().to_vec();
            for (id, _) in picked {
                self.close_proposal(&id);
            }
            self.m.batch.clear();
        } else {
            self.load(0);
        }
        self.synced("the batch was not committed", problem);
    }

    /// Takes a candidate of a refusal by its number.
    pub(super) fn choose(&mut self, number: u8) {
        const WORDS: [&str; 9] = [
            "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
        ];
        let choices = self.m.card.as_ref().map_or(0, |card| card.choices);
        let word = usize::from(number)
            .checked_sub(1)
            .and_then(|at| WORDS.get(at));
        match word.filter(|_| number <= choices) {
            Some(word) => self.submit(&format!("the {word} one")),
            None => self.say(Tone::Plain, "there is no candidate of that number"),
        }
    }
}

fn on(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::tui::keymap::Context;
    use crate::tui::keys::Stroke;
    use crate::tui::model::{Model, Moment, Settings};

    fn model() -> Model {
        Model::new(Settings::new(&Config::default(), false).unwrap(), 80, 24)
    }

    fn turn(model: &mut Model) -> Turn<'_> {
        Turn {
            m: model,
            now: Moment::ZERO,
            out: Vec::new(),
        }
    }

    #[test]
    fn a_batch_of_an_earlier_run_loses_what_is_closed() {
        let mut model = model();
        model.batch.come_back(vec![("pro_1".into(), 1)]);
        turn(&mut model).tidy_batch();
        assert_eq!(model.batch.picked().len(), 1, "nothing is known yet");
        model.loaded = true;
        turn(&mut model).ask_batch(Action::Commit);
        assert!(model.batch.picked().is_empty() && model.overlay.is_none());
        let said = model.notice.map(|notice| notice.text).unwrap_or_default();
        assert!(said.contains("taken out"), "{said}");
    }

    #[test]
    fn the_lists_open_over_what_lies_over_the_panes_and_give_it_back() {
        for (key, kind) in [("?", MenuKind::Keys), (":", MenuKind::Everything)] {
            for overlay in [Overlay::People(0), Overlay::Details, Overlay::Checkup] {
                let mut model = model();
                model.overlay = Some(overlay.clone());
                let from = model.context();
                turn(&mut model).key(key.parse().unwrap(), Stroke::Press);
                assert!(
                    matches!(&model.overlay, Some(Overlay::Menu(menu)) if menu.kind == kind && menu.from == from),
                    "{overlay:?}"
                );
                assert_eq!(model.context(), Context::Help);
                turn(&mut model).key("Esc".parse().unwrap(), Stroke::Press);
                assert_eq!(model.overlay, Some(overlay));
            }
        }
    }
}
